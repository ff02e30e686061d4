package alipay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"

	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
)

// requestText is what is signed of a request: all but the signature itself, without
// empty values, sign_type included (AlipaySignature.getSignContent).
func requestText(in map[string]string) string {
	return fields.Text(in, func(k, v string) bool { return k == "sign" || v == "" })
}

// noticeText is what is signed of a notice: sign_type is not part of it, unlike in a
// request (AlipaySignature.getSignCheckContentV1).
func noticeText(in map[string]string) string {
	return fields.Text(in, func(k, v string) bool { return k == "sign" || k == "sign_type" || v == "" })
}

func (p *Provider) sign(text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(sig), err
}

// verify reports whether Alipay signed the text. A signature has one spelling: no
// line ends, and nothing in the bits that base64 leaves over.
func (p *Provider) verify(text []byte, signature string) bool {
	sig, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || base64.StdEncoding.EncodedLen(len(sig)) != len(signature) {
		return false
	}
	sum := sha256.Sum256(text)
	for _, k := range p.theirs {
		if rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) == nil {
			return true
		}
	}
	return false
}
