package till

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/alipay"
)

// alipayKeys is the secret ALIPAY_SECRET: our private key, and the one or two public
// ones of Alipay that are good now.
type alipayKeys struct {
	App    string   `json:"app_private_key"`
	Alipay []string `json:"alipay_public_keys"`
}

// alipayOf is Alipay where ALIPAY_URL is set.
func alipayOf(p *boot.Parts) payment.Provider {
	gateway := p.Env("ALIPAY_URL")
	if gateway == "" {
		return nil
	}
	app, seller := p.Text("ALIPAY_APP_ID"), p.Text("ALIPAY_SELLER_ID")
	return fromSecret(p, payment.Alipay, p.Text("ALIPAY_SECRET"), func(k alipayKeys) (payment.Provider, error) {
		return alipay.New(alipay.Options{
			Client: client(), Gateway: gateway, AppID: app, Seller: seller, Key: k.App, Theirs: k.Alipay, Now: boot.Clock,
		})
	})
}
