// Package wechat speaks WeChat Pay's APIv3 as a merchant of its own, by Native orders:
// a QR code that the buyer scans.
//
// It decides which messages are WeChat's: RSA with SHA-256 and nothing else, by the
// platform key whose serial the message names and no other, within five minutes either
// way, over the bytes as they came. What a callback says is sealed a second time, with
// AES-256-GCM under the APIv3 key. Whether an authentic report fits our payment is not
// decided here but by [payment.Settle].
//
// The rules are WeChat's own: its guide to APIv3 at github.com/wechatpay-apiv3/wechatpay-skills
// (signing and verification, callbacks, states of an order, results of refunds), and on
// pay.weixin.qq.com the documents 4013070356 (query), 4013071200 (states), 4012556398
// (close), 4013071031 (refunds), 4013059030 (repeated callbacks) and
// docs/merchant/products/bill-download/format-trade (bills). Where they spell a code in
// two ways both are read. WeChat has no test environment, and was never contacted; the
// simulator is localstack/sandbox/wechat.
//
// Start with [New], [Provider.ParseCallback], and keys.go for how platform keys change.
package wechat

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/internal/wire"
)

// Options of a provider. All are required.
type Options struct {
	Client    *http.Client // its limits and the context's bound each call
	Base      string       // https://api.mch.weixin.qq.com; what goes before /v3
	Merchant  string       // mchid, e.g. 1900000001
	App       string       // appid that the merchant is bound to
	Keys      Keys
	NotifyURL string           // for refunds, which have no address of their own in the port
	Now       func() time.Time // read for each request, to sign it
	Nonce     func() string    // fresh for each request, 16 to 32 letters and digits
}

// Provider is a [payment.Provider].
type Provider struct {
	opt    Options
	base   *url.URL
	prefix string // of paths; none at WeChat itself
	ring   ring

	renewing sync.Mutex // one download at a time
}

var (
	_ payment.Provider = (*Provider)(nil)
	_ payment.Biller   = (*Provider)(nil)
	_ payment.Keyed    = (*Provider)(nil)
)

const currency = "CNY" // Native orders of merchants in China know no other

// New makes a provider; it calls nobody.
func New(opt Options) (*Provider, error) {
	u, err := wire.Base(opt.Base)
	if err != nil {
		return nil, fmt.Errorf("wechat: %w", err)
	}
	switch {
	case opt.Client == nil || opt.Now == nil || opt.Nonce == nil:
		return nil, errors.New("wechat: client, clock or nonce is missing")
	case opt.Merchant == "" || opt.App == "":
		return nil, errors.New("wechat: merchant or app is missing")
	case !bare(opt.NotifyURL):
		return nil, fmt.Errorf("wechat: %q cannot be called back, it must be an address without a query", opt.NotifyURL)
	}
	if err := opt.Keys.check(); err != nil {
		return nil, fmt.Errorf("wechat: %w", err)
	}
	opt.Client = wire.Still(opt.Client)
	p := &Provider{opt: opt, base: u, prefix: strings.TrimRight(u.Path, "/")}
	p.ring.start(opt.Keys, opt.Now())
	return p, nil
}

// Name is [payment.WeChat].
func (p *Provider) Name() payment.Name { return payment.WeChat }

// bare reports whether WeChat would call it: a full address, without a query.
func bare(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && u.User == nil
}

// payable refuses what WeChat could not be asked for.
func payable(id interface{ Valid() bool }, a money.Amount) error {
	if !id.Valid() {
		return fmt.Errorf("%w: number %q", payment.ErrMalformed, id)
	}
	if a.Currency != currency || a.Minor < 1 {
		return fmt.Errorf("%w: WeChat Pay takes no %v", payment.ErrRefused, a)
	}
	return nil
}

// cut shortens text to at most n bytes of whole letters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// same reports whether a platform key is the merchant's own: keys mixed up when they
// were set would let us, and whoever has our key, sign callbacks.
func same(private *rsa.PrivateKey, public *rsa.PublicKey) bool {
	return private.PublicKey.Equal(public)
}
