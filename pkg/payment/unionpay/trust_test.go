package unionpay

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/fields"
	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
)

// issue makes a certificate of UnionPay's key, with UnionPay's name, as an authority would.
func (v vectors) issue(t *testing.T, c x509.Certificate, by string) string {
	t.Helper()
	above, _, err := rsakey.Certificate(v.Keys[by].Cert)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsakey.Private(v.Keys[by].Private)
	if err != nil {
		t.Fatal(err)
	}
	own, err := rsakey.Private(v.Keys["platform"].Private)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(7)
	if c.Subject.CommonName == "" {
		c.Subject = pkix.Name{CommonName: "041@Z12@" + owner + "@00000001"}
	}
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = v.Now.Add(-time.Hour), v.Now.Add(time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, above, own.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestWhatASignerMayBe: UnionPay's name under UnionPay's authority is not enough where
// the certificate is not for signing messages.
func TestWhatASignerMayBe(t *testing.T) {
	v := load(t)
	for _, c := range []struct {
		name string
		cert x509.Certificate
		by   string
		good bool
	}{
		{"for signing", x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature}, "middle", true},
		{"for signing and mail", x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}, "middle", true},
		{"for anything", x509.Certificate{}, "middle", true},
		{"for encryption", x509.Certificate{KeyUsage: x509.KeyUsageKeyEncipherment}, "middle", false},
		{"an authority's", x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}, "middle", false},
		{"by a merchant", x509.Certificate{}, "merchant", false},
		{"name in another part", x509.Certificate{Subject: pkix.Name{CommonName: owner + "@041@Z12@1"}}, "middle", false},
		{"name as a part of one", x509.Certificate{Subject: pkix.Name{CommonName: "041@Z12@" + owner + "2@1"}}, "middle", false},
	} {
		p := v.provider(t)
		_, err := p.trust.key(v.issue(t, c.cert, c.by), v.Now)
		if (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
		if (len(p.trust.known) == 1) != c.good {
			t.Errorf("%s: %d are kept", c.name, len(p.trust.known))
		}
	}
}

// TestTheChainsDatesHold: a certificate that was kept ends with the one above it.
func TestTheChainsDatesHold(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	far := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	text := v.issue(t, x509.Certificate{NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: far}, "middle")
	if _, err := p.trust.key(text, v.Now); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), far.Add(-time.Hour)} {
		if _, err := p.trust.key(text, at); err == nil {
			t.Errorf("valid at %v", at)
		}
	}
}

// TestVersionIsFixed: a message that names another way of signing is refused, even one
// that is signed in ours.
func TestVersionIsFixed(t *testing.T) {
	v := load(t)
	p := v.provider(t)
	good, err := fields.Parse([]byte(v.Callbacks[0].Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"version": "5.0.0", "signMethod": "11"} {
		m := message{}
		for k, x := range good {
			m[k] = x
		}
		m[name] = value
		if n, err := p.ParseCallback(nil, fields.Encode(v.signed(t, "platform", m)), v.Now); !errors.Is(err, payment.ErrSignature) {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
}
