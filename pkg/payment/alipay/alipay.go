// Package alipay speaks to Alipay's open platform, API 2.0 at the gateway: QR code,
// query, close, refund, bill, and the notices.
//
// It decides which of Alipay's messages are authentic, and what they say. Requests
// are signed with the application's key, answers and notices verified with Alipay's,
// both always with SHA-256 (RSA2): the algorithm is never read from a message. Two
// keys of Alipay's may be valid at once, so that a new one is known before it is used.
//
// A QR code makes no trade: Alipay knows one only when somebody has scanned it, and
// until then answers that it does not exist, while it can still be paid. So "does not
// exist" is [payment.ErrNotFound] and proves nothing; the code's own end, which is the
// hold's, is what makes an end of it.
//
// Sources: Alipay's Java SDK 4.40 (AlipaySignature, domain and response classes), its
// Node SDK 4.14, and its notes as Aliyun republished them (707486, 707647, 710931,
// 710933, ask 285129, 285132). Start with [New].
package alipay

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/rsakey"
	"github.com/fairseat/fairseat/pkg/payment/internal/wire"
)

// Options of a provider. All are required.
type Options struct {
	Client  *http.Client // its limits and the context's bound each call
	Gateway string       // https://openapi.alipay.com/gateway.do, or another
	AppID   string       // of our application
	Seller  string       // 2088…, who gets the money: notices for another are not ours
	Key     string       // private, of our application: PEM or bare base64, PKCS#8 or PKCS#1
	Theirs  []string     // public, of Alipay, never our own: the present one, the next one
	Now     func() time.Time
}

// Provider is a [payment.Provider] and a [payment.Biller].
type Provider struct {
	client      *http.Client
	gateway     string
	app, seller string
	key         *rsa.PrivateKey
	theirs      []*rsa.PublicKey
	now         func() time.Time
}

var _ payment.Provider = (*Provider)(nil)

// New makes a provider; it calls nobody. No error quotes a key.
func New(opt Options) (*Provider, error) {
	base, err := wire.Base(opt.Gateway)
	if err != nil {
		return nil, fmt.Errorf("alipay: %w", err)
	}
	if opt.Client == nil || opt.Now == nil || opt.AppID == "" || opt.Seller == "" {
		return nil, errors.New("alipay: client, clock, application or seller is missing")
	}
	p := &Provider{client: wire.Still(opt.Client), gateway: base.String(), app: opt.AppID, seller: opt.Seller, now: opt.Now}
	if p.key, err = rsakey.Private(opt.Key); err != nil {
		return nil, fmt.Errorf("alipay: our key: %w", err)
	}
	if n := len(opt.Theirs); n < 1 || n > 2 {
		return nil, fmt.Errorf("alipay: %d keys of Alipay's, not one or two", n)
	}
	for _, text := range opt.Theirs {
		k, err := rsakey.Public(text)
		if err != nil {
			return nil, fmt.Errorf("alipay: Alipay's key: %w", err)
		}
		if k.Equal(&p.key.PublicKey) {
			return nil, errors.New("alipay: the key given as Alipay's is our own")
		}
		p.theirs = append(p.theirs, k)
	}
	return p, nil
}

// Name is [payment.Alipay].
func (p *Provider) Name() payment.Name { return payment.Alipay }
