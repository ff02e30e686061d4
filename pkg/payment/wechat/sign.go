package wechat

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/object"
)

const (
	scheme = "WECHATPAY2-SHA256-RSA2048"
	window = 5 * time.Minute // of WeChat's rules of verification, both ways

	headTime      = "Wechatpay-Timestamp"
	headNonce     = "Wechatpay-Nonce"
	headSerial    = "Wechatpay-Serial"
	headSignature = "Wechatpay-Signature"
	headType      = "Wechatpay-Signature-Type"
)

// authorization signs the five lines of a request: method, path with query, time,
// nonce, body, each ended by a line feed, the last too.
func (k Keys) authorization(merchant, method, uri string, now time.Time, nonce string, body []byte) (string, error) {
	ts := strconv.FormatInt(now.Unix(), 10)
	sum := digest([]byte(method+"\n"+uri+"\n"+ts+"\n"+nonce+"\n"), body)
	sig, err := rsa.SignPKCS1v15(nil, k.private, crypto.SHA256, sum)
	if err != nil {
		return "", errors.New("wechat: the request cannot be signed")
	}
	return scheme + ` mchid="` + merchant + `",serial_no="` + k.serial + `",timestamp="` + ts +
		`",nonce_str="` + nonce + `",signature="` + base64.StdEncoding.EncodeToString(sig) + `"`, nil
}

func digest(head, body []byte) []byte {
	h := sha256.New()
	h.Write(head)
	h.Write(body)
	h.Write([]byte("\n"))
	return h.Sum(nil)
}

// verify checks an answer or a callback: three lines, of time, nonce and raw body. The
// signature comes before the window, so that only WeChat learns that it is late. What
// is wrong on purpose, as WeChat's own probes under WECHATPAY/SIGNTEST/ are, is refused
// like anything else that is wrong.
func verify(h http.Header, body []byte, now time.Time, find func(string, time.Time) (*rsa.PublicKey, bool)) error {
	var v [4]string
	for i, name := range []string{headTime, headNonce, headSerial, headSignature} {
		all := h.Values(name)
		if len(all) != 1 || all[0] == "" || len(all[0]) > 1024 {
			return fmt.Errorf("%w: no single %s", payment.ErrSignature, name)
		}
		v[i] = all[0]
	}
	// Old callbacks come without the type; another than this one we could not check.
	if all := h.Values(headType); len(all) > 1 || len(all) == 1 && all[0] != scheme {
		return fmt.Errorf("%w: not of type %s", payment.ErrSignature, scheme)
	}
	sec, err := strconv.ParseInt(v[0], 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != v[0] {
		return fmt.Errorf("%w: timestamp", payment.ErrSignature)
	}
	key, ok := find(v[2], now)
	if !ok {
		return fmt.Errorf("%w: serial is not of a key that is held", payment.ErrSignature)
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(v[3])
	if err != nil || len(v[3]) != base64.StdEncoding.EncodedLen(key.Size()) {
		return fmt.Errorf("%w: not the base64 of one", payment.ErrSignature)
	}
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest([]byte(v[0]+"\n"+v[1]+"\n"), body), sig) != nil {
		return payment.ErrSignature
	}
	if age := now.Sub(time.Unix(sec, 0)); age > window || age < -window {
		return payment.ErrReplayWindow
	}
	return nil
}

const (
	sealing   = "AEAD_AES_256_GCM"
	nonceSize = 12 // cipher.AEAD panics at any other
)

// unseal opens a resource: base64 of the ciphertext with its tag behind it.
func (p *Provider) unseal(r *object.Reader) ([]byte, error) {
	algorithm, text, nonce, with := r.Text("algorithm"), r.Text("ciphertext"), r.Text("nonce"), r.Maybe("associated_data")
	if r.Err() != nil {
		return nil, r.Err()
	}
	if algorithm != sealing || len(nonce) != nonceSize {
		return nil, fmt.Errorf("%w: not sealed as %s", payment.ErrSignature, sealing)
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: what is sealed is not base64", payment.ErrSignature)
	}
	block, err := aes.NewCipher(p.opt.Keys.sealing)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, []byte(nonce), sealed, []byte(with))
	if err != nil {
		return nil, fmt.Errorf("%w: the seal is broken", payment.ErrSignature)
	}
	return plain, nil
}
