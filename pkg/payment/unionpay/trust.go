package unionpay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
)

// Who may sign: the third part of the name in a certificate, as verifyCertificate of
// UnionPay's SDK compares it, and what stands there in its test environment.
const (
	owner     = "中国银联股份有限公司"
	testOwner = "00040000:SIGN"
)

// trust knows which certificates are UnionPay's. They change every few years and come
// with the messages, so none is pinned; those above them are.
type trust struct {
	roots, middles *x509.CertPool
	issuers        []*x509.Certificate // the middle ones, to check SHA-1 with
	test, sha1     bool

	mu    sync.Mutex
	known map[[sha256.Size]byte]signer
}

// signer is a certificate that was found to be UnionPay's. Its dates hold for the whole
// chain and are compared each time.
type signer struct {
	key         *rsa.PublicKey
	from, until time.Time
}

// maxKnown bounds the memory for certificates. Only UnionPay's own get there, so nobody
// else fills it.
const maxKnown = 8

func newTrust(authorities []string, test, sha1 bool) (*trust, error) {
	t := &trust{
		roots: x509.NewCertPool(), middles: x509.NewCertPool(),
		test: test, sha1: sha1, known: map[[sha256.Size]byte]signer{},
	}
	roots := 0
	for _, text := range authorities {
		c, _, err := rsakey.Certificate(text)
		if err != nil || !c.IsCA {
			return nil, errors.New("unionpay: an authority is not a certificate of one")
		}
		if string(c.RawSubject) == string(c.RawIssuer) {
			t.roots.AddCert(c)
			roots++
		} else {
			t.middles.AddCert(c)
			t.issuers = append(t.issuers, c)
		}
	}
	if roots == 0 || len(t.issuers) == 0 {
		return nil, errors.New("unionpay: the authorities are a root and a middle certificate at least")
	}
	return t, nil
}

// key is that of a certificate, if it is UnionPay's and valid now.
func (t *trust) key(text string, now time.Time) (*rsa.PublicKey, error) {
	id := sha256.Sum256([]byte(text))
	t.mu.Lock()
	s, ok := t.known[id]
	t.mu.Unlock()
	if !ok {
		var err error
		if s, err = t.examine(text, now); err != nil {
			return nil, err
		}
		t.keep(id, s)
	}
	if now.Before(s.from) || now.After(s.until) {
		return nil, errors.New("not valid now")
	}
	return s.key, nil
}

func (t *trust) keep(id [sha256.Size]byte, s signer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxKnown {
		clear(t.known)
	}
	t.known[id] = s
}

func (t *trust) examine(text string, now time.Time) (signer, error) {
	c, key, err := rsakey.Certificate(text)
	switch {
	case err != nil:
		return signer{}, err
	case c.IsCA:
		return signer{}, errors.New("an authority's, not a signer's")
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return signer{}, errors.New("not for signing")
	case !t.owned(c.Subject.CommonName):
		return signer{}, errors.New("issued to somebody else")
	}
	chain, err := t.chain(c, now)
	if err != nil {
		return signer{}, err
	}
	s := signer{key: key, from: c.NotBefore, until: c.NotAfter}
	for _, above := range chain {
		if above.NotBefore.After(s.from) {
			s.from = above.NotBefore
		}
		if above.NotAfter.Before(s.until) {
			s.until = above.NotAfter
		}
	}
	return s, nil
}

// owned tells UnionPay's own certificates from those of all the merchants, which are
// issued under the same authorities.
func (t *trust) owned(name string) bool {
	parts := strings.Split(name, "@")
	return len(parts) > 2 && (parts[2] == owner || t.test && parts[2] == testOwner)
}

// chain answers the certificates above c. They are for clients and for mail, which is no
// reason to refuse a signature, so any purpose will do.
func (t *trust) chain(c *x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	chains, err := c.Verify(x509.VerifyOptions{
		Roots: t.roots, Intermediates: t.middles, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err == nil {
		return chains[0][1:], nil
	}
	if !t.sha1 || c.SignatureAlgorithm != x509.SHA1WithRSA {
		return nil, errors.New("not issued under the authorities")
	}
	return t.chainSHA1(c)
}

// chainSHA1 does by hand what Go does not do with SHA-1. Collisions of a chosen prefix
// cost some ten thousand dollars (Leurent and Peyrin, 2020), so whoever the authority
// issues a certificate to might get UnionPay's name with it if he can tell its serial
// beforehand: that is what the allowance allows, and why it is one. The middle
// certificate is our own file.
func (t *trust) chainSHA1(c *x509.Certificate) ([]*x509.Certificate, error) {
	sum := sha1.Sum(c.RawTBSCertificate)
	for _, above := range t.issuers {
		key, ok := above.PublicKey.(*rsa.PublicKey)
		if !ok || string(above.RawSubject) != string(c.RawIssuer) {
			continue
		}
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], c.Signature); err == nil {
			return []*x509.Certificate{above}, nil
		}
	}
	return nil, errors.New("not issued under the authorities, with SHA-1")
}
