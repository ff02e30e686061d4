// Package till adds to the box office what money needs: the payment providers and
// the pen for tickets.
package till

import (
	"net/http"
	"time"

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

// Office is the box office with its payment providers. The sandbox is one only
// where SANDBOX_URL is set.
func Office(p *boot.Parts) *boxoffice.Office {
	o := desk.Office(p)
	o.Tickets = pen.Tickets(p)
	providers := map[payment.Name]payment.Provider{}
	if url := p.Env("SANDBOX_URL"); url != "" {
		client := &http.Client{Timeout: 5 * time.Second}
		s, err := sandbox.New(client, url, p.Text("SANDBOX_SECRET"), boot.Clock)
		if err != nil {
			p.Fail(err)
		}
		providers[payment.Sandbox] = s
	}
	o.Provider = func(n payment.Name) (payment.Provider, bool) { v, ok := providers[n]; return v, ok }
	base := p.Env("PUBLIC_URL")
	o.NotifyURL = func(n payment.Name) string { return base + "/callbacks/" + string(n) }
	return o
}
