package unionpay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
)

// What a message is signed with: RSA and SHA-256. The SDK reads both from a message,
// where 5.0.0 means SHA-1 and the methods 11 and 12 a shared key that is empty unless
// somebody sets it.
const (
	version    = "5.1.0"
	signMethod = "01"
)

// digest is hashed twice on its way into a signature: its text, not its bytes, is what
// is signed.
func digest(m message) []byte {
	sum := sha256.Sum256([]byte(m.text()))
	again := sha256.Sum256([]byte(hex.EncodeToString(sum[:])))
	return again[:]
}

// sign completes a request of ours.
func (p *Provider) sign(m message) error {
	m["certId"] = p.certID
	sig, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, digest(m))
	if err != nil {
		return fmt.Errorf("unionpay: sign: %w", err)
	}
	m["signature"] = base64.StdEncoding.EncodeToString(sig)
	return nil
}

// verify refuses what UnionPay did not sign with [payment.ErrSignature].
func (p *Provider) verify(m message, now time.Time) error {
	if m["version"] != version || m["signMethod"] != signMethod {
		return fmt.Errorf("%w: version or way of signing", payment.ErrSignature)
	}
	if !m.plain() {
		return fmt.Errorf("%w: fields inside another's value", payment.ErrSignature)
	}
	sig, err := base64.StdEncoding.DecodeString(m["signature"])
	if err != nil || len(sig) == 0 || base64.StdEncoding.EncodeToString(sig) != m["signature"] {
		return fmt.Errorf("%w: no signature", payment.ErrSignature)
	}
	key, err := p.trust.key(m["signPubKeyCert"], now)
	if err != nil {
		return fmt.Errorf("%w: certificate: %v", payment.ErrSignature, err)
	}
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest(m), sig) != nil {
		return payment.ErrSignature
	}
	return nil
}
