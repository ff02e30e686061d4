package api

import (
	"context"
	"net/http"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/payment"
)

// ReceiveCallback answers POST /callbacks/{provider} (B3) in the provider's own
// words, and only when what it said is committed: a provider stops repeating what
// was acknowledged.
func ReceiveCallback(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opReceiveCallback: func(ctx context.Context, c *call) (reply, error) {
		p, ok := o.Provider(payment.Name(c.id("provider")))
		if !ok {
			return reply{}, errNotFound
		}
		err := hear(ctx, o, p, c)
		if err != nil {
			c.reportCallback(ctx, err)
		}
		ack := p.Acknowledge(err)
		return reply{status: ack.Status, raw: ack.Body, typ: ack.ContentType}, nil
	}})
}

func hear(ctx context.Context, o *boxoffice.Office, p payment.Provider, c *call) error {
	h := http.Header{}
	for name, values := range c.event.MultiValueHeaders {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	if len(h) == 0 {
		for name, v := range c.event.Headers {
			h.Add(name, v)
		}
	}
	if k, ok := p.(payment.Keyed); ok {
		if err := k.Ready(ctx); err != nil {
			return err
		}
	}
	n, err := p.ParseCallback(h, []byte(c.body), c.now)
	if err != nil {
		return err
	}
	n = n.By(p.Name())
	return o.Hear(ctx, n)
}

// reportCallback tells apart what anybody can cause from what is about money: an
// authentic report that was not carried out needs a person if it stays so.
func (c *call) reportCallback(ctx context.Context, err error) {
	log := c.edge.Log.ErrorContext
	if k := fault.KindOf(err); k == fault.Forbidden || k == fault.Invalid {
		log = c.edge.Log.WarnContext
	}
	log(ctx, "callback not carried out", "provider", c.id("provider"),
		"request", c.event.RequestContext.RequestID, "err", err.Error())
}
