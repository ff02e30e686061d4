package till

import (
	"crypto/rand"
	"encoding/json"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/wechat"
)

// wechatOf is WeChat Pay where WECHAT_URL is set; its keys are the secret WECHAT_SECRET,
// see [wechat.ParseKeys].
func wechatOf(p *boot.Parts) payment.Provider {
	base := p.Env("WECHAT_URL")
	if base == "" {
		return nil
	}
	merchant, app := p.Text("WECHAT_MERCHANT_ID"), p.Text("WECHAT_APP_ID")
	return fromSecret(p, payment.WeChat, p.Text("WECHAT_SECRET"), func(secret json.RawMessage) (payment.Provider, error) {
		keys, err := wechat.ParseKeys(string(secret))
		if err != nil {
			return nil, err
		}
		return wechat.New(wechat.Options{
			Client: client(), Base: base, Merchant: merchant, App: app, Keys: keys,
			NotifyURL: notifyURL(p)(payment.WeChat), Now: boot.Clock, Nonce: rand.Text,
		})
	})
}
