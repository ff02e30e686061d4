package wechat

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Keys of both sides, PEM. The shop is given its own private one, the APIv3 key and
// WeChat's public ones, and nothing else.
type Keys struct {
	Merchant    string `json:"merchant_key"`
	Serial      string `json:"merchant_serial"`
	Sealing     string `json:"api_v3_key"`
	Public      string `json:"public_private_key"` // its other half has an id, PUB_KEY_ID_…
	PublicID    string `json:"public_key_id"`
	Platform    string `json:"platform_key"`
	Certificate string `json:"platform_certificate"`
}

// NewKeys draws all of them.
func NewKeys() (Keys, error) {
	k := Keys{Sealing: rand.Text() + rand.Text()[:6], PublicID: "PUB_KEY_ID_01190000000120260101" + serialText(number(8))[:15]}
	for _, to := range []*string{&k.Merchant, &k.Public} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return k, err
		}
		if *to, err = private(key); err != nil {
			return k, err
		}
	}
	k.Serial = serialText(number(20))
	key, cert, err := turn(time.Now())
	if err != nil {
		return k, err
	}
	k.Certificate = cert
	k.Platform, err = private(key)
	return k, err
}

// Secret is what the shop is given, as it reads it: the public key, a platform
// certificate, or both.
func (k Keys) Secret(public, certificate bool) (string, error) {
	s := map[string]any{"merchant_key": k.Merchant, "merchant_serial": k.Serial, "api_v3_key": k.Sealing}
	if public {
		key, err := readPrivate(k.Public)
		if err != nil {
			return "", err
		}
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			return "", err
		}
		s["public_key_id"], s["public_key"] = k.PublicID, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	if certificate {
		s["platform_certificates"] = []string{k.Certificate}
	}
	raw, err := json.Marshal(s)
	return string(raw), err
}

func number(bytes int) *big.Int {
	b := make([]byte, bytes)
	rand.Read(b)
	b[0] |= 0x40
	return new(big.Int).SetBytes(b)
}

func serialText(n *big.Int) string { return fmt.Sprintf("%X", n.Bytes()) }

// turn draws a platform key with its certificate, which lasts five years.
func turn(now time.Time) (*rsa.PrivateKey, string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, "", err
	}
	c := &x509.Certificate{
		SerialNumber: number(19), Subject: pkix.Name{Country: []string{"CN"}, Organization: []string{"Sandbox"}, CommonName: "Tenpay.com sign"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), err
}

func private(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
}

func readPrivate(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("a key is not PEM")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("a key is not RSA")
	}
	return key, nil
}

// signer is a key under the serial that its signatures name.
type signer struct {
	serial string
	key    *rsa.PrivateKey
}

type listed struct {
	signer
	cert *x509.Certificate
	text string
}

// ring is what WeChat has. Certificates that the control makes are forgotten with the
// process: the shop learns them by asking.
type ring struct {
	mu     sync.Mutex
	shop   *rsa.PublicKey
	public signer
	certs  []listed // the last one signs
	old    bool     // callbacks are signed with the certificate, not the public key's half
}

func (r *ring) read(k Keys) error {
	shop, err := readPrivate(k.Merchant)
	if err != nil {
		return fmt.Errorf("merchant_key: %w", err)
	}
	r.shop = &shop.PublicKey
	public, err := readPrivate(k.Public)
	if err != nil {
		return fmt.Errorf("public_private_key: %w", err)
	}
	platform, err := readPrivate(k.Platform)
	if err == nil {
		err = r.list(platform, k.Certificate)
	}
	if err != nil {
		return fmt.Errorf("platform_key: %w", err)
	}
	if len(k.Sealing) != 32 || k.PublicID == "" || k.Serial == "" {
		return errors.New("api_v3_key has not 32 letters, or a serial is missing")
	}
	r.public = signer{k.PublicID, public}
	return nil
}

func (r *ring) list(key *rsa.PrivateKey, text string) error {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return errors.New("a certificate is not PEM")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	r.certs = append(r.certs, listed{signer{serialText(c.SerialNumber), key}, c, text})
	r.certs = r.certs[max(0, len(r.certs)-2):]
	return nil
}

func (r *ring) forCallbacks() signer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.old {
		return r.certs[len(r.certs)-1].signer
	}
	return r.public
}

// forAnswer is the public key's half where the request asked for it.
func (r *ring) forAnswer(asked string) signer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if asked == r.public.serial {
		return r.public
	}
	return r.certs[len(r.certs)-1].signer
}

func (w *Wire) postKeys(body []byte) (any, error) {
	var in struct {
		Callbacks string `json:"callbacks"`
	}
	if json.Unmarshal(body, &in) != nil || in.Callbacks != "certificate" && in.Callbacks != "public" {
		return nil, errors.New("callbacks is certificate or public")
	}
	w.ring.mu.Lock()
	defer w.ring.mu.Unlock()
	w.ring.old = in.Callbacks == "certificate"
	return in, nil
}

func (w *Wire) postTurn([]byte) (any, error) {
	key, cert, err := turn(w.opt.Now())
	if err != nil {
		return nil, err
	}
	w.ring.mu.Lock()
	defer w.ring.mu.Unlock()
	if err := w.ring.list(key, cert); err != nil {
		return nil, err
	}
	return members{"serial": w.ring.certs[len(w.ring.certs)-1].serial}, nil
}

// certificates lists what signs, or is about to.
func (w *Wire) certificates(*http.Request, []byte) (any, error) {
	w.ring.mu.Lock()
	defer w.ring.mu.Unlock()
	list := []any{}
	for _, c := range w.ring.certs {
		list = append(list, members{
			"serial_no": c.serial, "effective_time": beijing(c.cert.NotBefore), "expire_time": beijing(c.cert.NotAfter),
			"encrypt_certificate": w.seal(c.text, "certificate"),
		})
	}
	return members{"data": list}, nil
}

func (w *Wire) sign(h http.Header, by signer, body []byte, at time.Time) {
	ts, nonce := strconv.FormatInt(at.Unix(), 10), w.opt.Nonce()
	sum := sha256.Sum256([]byte(ts + "\n" + nonce + "\n" + string(body) + "\n"))
	sig, err := rsa.SignPKCS1v15(nil, by.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err) // the key was read at the start
	}
	for name, v := range map[string]string{
		"Wechatpay-Timestamp": ts, "Wechatpay-Nonce": nonce, "Wechatpay-Serial": by.serial,
		"Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048", "Wechatpay-Signature": base64.StdEncoding.EncodeToString(sig),
	} {
		h.Set(name, v)
	}
}

func (w *Wire) seal(plain, about string) members {
	block, err := aes.NewCipher([]byte(w.opt.Keys.Sealing))
	if err != nil {
		panic(err) // its length was looked at
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	nonce := w.opt.Nonce()[:gcm.NonceSize()]
	return members{
		"algorithm": "AEAD_AES_256_GCM", "associated_data": about, "nonce": nonce,
		"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), []byte(plain), []byte(about))),
	}
}
