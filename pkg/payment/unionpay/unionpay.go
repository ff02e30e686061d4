// Package unionpay speaks to UnionPay's gateway, ACP 5.1.0, for a shop whose buyers
// scan a QR code.
//
// It decides which of UnionPay's messages are authentic, and that from nothing in
// them: the version and the way of signing are fixed, and a certificate that comes
// with a message counts when it was issued under the authorities in our configuration
// to UnionPay itself. A merchant's certificate is issued under the same ones.
//
// A message is a set of fields. What is signed is the lower-case hexadecimal SHA-256
// of all of them but the signature, sorted by name and joined as k=v with &, signed
// once more with SHA-256 and RSA, PKCS #1 v1.5. What has no value is never sent, and
// counts as k= where it is received.
//
// An order is known by its number and the time it was sent, in whole seconds. There is
// no call that closes one; it ends by the time it was sent with.
//
// UnionPay's specification is behind a log-in: the rules here follow its SDK in Java
// and PHP, the comments of its demonstration pages, and a notice of its test
// environment; where a rule rests on one of them, its comment says so. Start with [New].
package unionpay

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
	"github.com/fairseat/fairseat/pkg/payment/internal/wire"
)

// Options of a provider. All but Files and the two allowances are required.
type Options struct {
	Client  *http.Client
	Gateway string // https://gateway.95516.com
	Files   string // https://filedownload.95516.com, where bills are; without it there are none

	Merchant    string   // merId
	Key         string   // ours, that requests are signed with
	Certificate string   // of that key, as UnionPay issued it
	Authorities []string // PEM: the root and the middle certificates above UnionPay's own
	NotifyURL   string   // where refunds are told; a bare path, like a payment's

	// Test lets in the signer of UnionPay's test environment, whose name is not
	// UnionPay's: others may have it. It is refused for the real gateway.
	Test bool

	// SHA1 lets in a certificate of UnionPay's that a middle certificate of ours signed
	// with SHA-1, as those of 2017 and 2020 were. Go refuses them.
	SHA1 bool

	Now func() time.Time
}

const production = "gateway.95516.com"

// Provider is a [payment.Provider].
type Provider struct {
	client         *http.Client
	gateway, files *url.URL
	merchant       string
	key            *rsa.PrivateKey
	certID         string // decimal: a serial has more digits than a float keeps
	trust          *trust
	notify         string
	now            func() time.Time
}

var _ payment.Provider = (*Provider)(nil)

// New makes a provider; it calls nobody. The client's own limits and the context's
// bound each call.
func New(o Options) (*Provider, error) {
	if o.Client == nil || o.Now == nil {
		return nil, errors.New("unionpay: client or clock is missing")
	}
	p := &Provider{client: wire.Still(o.Client), merchant: o.Merchant, notify: o.NotifyURL, now: o.Now}
	if p.merchant == "" || !word(p.merchant, 1, 24) {
		return nil, errors.New("unionpay: the merchant is not letters and digits")
	}
	var err error
	if p.gateway, err = wire.Base(o.Gateway); err != nil {
		return nil, fmt.Errorf("unionpay: %w", err)
	}
	if o.Test && p.gateway.Hostname() == production {
		return nil, errors.New("unionpay: the test environment is not believed beside the real gateway")
	}
	if o.Files != "" {
		if p.files, err = wire.Base(o.Files); err != nil {
			return nil, fmt.Errorf("unionpay: %w", err)
		}
	}
	if p.trust, err = newTrust(o.Authorities, o.Test, o.SHA1); err != nil {
		return nil, err
	}
	if err := p.takeKey(o); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Provider) takeKey(o Options) error {
	key, err := rsakey.Private(o.Key)
	if err != nil {
		return fmt.Errorf("unionpay: our key: %w", err)
	}
	cert, public, err := rsakey.Certificate(o.Certificate)
	if err != nil {
		return fmt.Errorf("unionpay: our certificate: %w", err)
	}
	if !public.Equal(key.Public()) {
		return errors.New("unionpay: our certificate is of another key")
	}
	p.key, p.certID = key, cert.SerialNumber.String()
	return nil
}

// Name is [payment.UnionPay].
func (p *Provider) Name() payment.Name { return payment.UnionPay }
