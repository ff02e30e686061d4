package till

import (
	"errors"
	"slices"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/unionpay"
)

// unionpayKeys is the secret UNIONPAY_SECRET: our key and its certificate, and the root
// and middle certificates above UnionPay's own.
type unionpayKeys struct {
	Ours struct {
		Key         string `json:"key"`
		Certificate string `json:"certificate"`
	} `json:"ours"`
	Authorities []string `json:"authorities"`
}

// unionpayOf is UnionPay where UNIONPAY_URL is set. What else is trusted than a chain of
// today is UNIONPAY_TRUST: sha1, or test, which is UnionPay's test environment.
func unionpayOf(p *boot.Parts) payment.Provider {
	gateway := p.Env("UNIONPAY_URL")
	if gateway == "" {
		return nil
	}
	merchant, trust, notify := p.Text("UNIONPAY_MERCHANT"), p.Env("UNIONPAY_TRUST"), notifyURL(p)(payment.UnionPay)
	if !slices.Contains([]string{"", "strict", "sha1", "test"}, trust) {
		p.Fail(errors.New("UNIONPAY_TRUST is strict, sha1 or test"))
		return nil
	}
	return fromSecret(p, payment.UnionPay, p.Text("UNIONPAY_SECRET"), func(k unionpayKeys) (payment.Provider, error) {
		return unionpay.New(unionpay.Options{
			Client: client(), Gateway: gateway, Merchant: merchant, Key: k.Ours.Key, Certificate: k.Ours.Certificate, Authorities: k.Authorities,
			NotifyURL: notify, Test: trust == "test", SHA1: trust == "sha1" || trust == "test", Now: boot.Clock,
		})
	})
}
