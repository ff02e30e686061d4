// Package till adds to the box office what money needs: the payment providers and
// the pen for tickets.
package till

import (
	"fmt"
	"net"
	"net/url"

	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/desk"
	"github.com/fairseat/fairseat/pkg/boot/front"
	"github.com/fairseat/fairseat/pkg/boot/pen"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/payment/sandbox"
	"github.com/fairseat/fairseat/pkg/vault"
)

// Edge is that of a function which begins payments: it knows contacts by their blind
// index alone.
func Edge(p *boot.Parts) api.Edge {
	e := front.Guarded(p)
	k, err := vault.New(nil, nil, p.Text("BLIND_SECRET"), boot.Clock)
	if err != nil {
		p.Fail(err)
		return e
	}
	e.Blind = k.Blind
	return e
}

// known are the providers that there may be; each is nil where its address is not set.
var known = []func(*boot.Parts) payment.Provider{sandboxOf, alipayOf, unionpayOf, wechatOf}

// Office is the box office with its payment providers.
func Office(p *boot.Parts) *boxoffice.Office {
	o := desk.Office(p)
	o.Tickets = pen.Tickets(p)
	alone(p)
	providers := map[payment.Name]payment.Provider{}
	for _, of := range known {
		if v := of(p); v != nil {
			providers[v.Name()] = v
		}
	}
	o.Provider = func(n payment.Name) (payment.Provider, bool) { v, ok := providers[n]; return v, ok }
	o.NotifyURL = notifyURL(p)
	return o
}

// alone fails where the sandbox stands beside a provider that moves money: with its
// secret, or by its page, seats could be had for nothing. Real ones that are played on
// this machine may stand there.
func alone(p *boot.Parts) {
	if p.Env("SANDBOX_URL") == "" {
		return
	}
	for _, name := range []string{"ALIPAY_URL", "WECHAT_URL", "UNIONPAY_URL"} {
		u, err := url.Parse(p.Env(name))
		if err != nil {
			p.Fail(fmt.Errorf("%s is no address", name))
			return
		}
		if ip := net.ParseIP(u.Hostname()); u.Host != "" && (ip == nil || !ip.IsLoopback()) {
			p.Fail(fmt.Errorf("SANDBOX_URL and %s are set: the sandbox sells for nothing", name))
		}
	}
}

// notifyURL is where a provider calls back.
func notifyURL(p *boot.Parts) func(payment.Name) string {
	base := p.Env("PUBLIC_URL")
	return func(n payment.Name) string { return base + "/callbacks/" + string(n) }
}

// sandboxOf is the sandbox where SANDBOX_URL is set.
func sandboxOf(p *boot.Parts) payment.Provider {
	at := p.Env("SANDBOX_URL")
	if at == "" {
		return nil
	}
	s, err := sandbox.New(client(), at, p.Text("SANDBOX_SECRET"), boot.Clock)
	if err != nil {
		p.Fail(err)
		return nil
	}
	return s
}
