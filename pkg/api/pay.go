package api

import (
	"context"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/vault"
)

// PayHold answers POST /holds/{hold}/payments (A20).
func PayHold(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opPayHold: till{o}.pay})
}

// ReadOrder answers GET /orders/{order} (B9).
func ReadOrder(e Edge, o *boxoffice.Office) Handler {
	return e.handle(map[string]operation{opReadOrder: till{o}.order})
}

type till struct{ office *boxoffice.Office }

// payBody is the request; as JSON it is the canonical form.
type payBody struct {
	Provider string `json:"provider"`
	Outcome  string `json:"outcome,omitempty"`

	Contact *contactBody `json:"contact,omitempty"`
}

// contactBody is who pays, by the blind index: what was sent is kept nowhere, not
// even in the hash of the request.
type contactBody struct {
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// outcomes are what the sandbox can be asked to do; the first when nothing is said.
var outcomes = []string{"success", "decline", "never", "late"}

type paymentDoc struct {
	ID      string          `json:"id"`
	OrderID string          `json:"order_id"`
	State   string          `json:"state"`
	Action  *payment.Action `json:"action"`
}

func (t till) pay(ctx context.Context, c *call) (reply, error) {
	b, err := decodePay(c.body, c.edge.Blind)
	if err != nil {
		return reply{}, err
	}
	w := boxoffice.PayWish{
		Buyer: c.buyer, Hold: booking.HoldID(c.id("hold")), Provider: payment.Name(b.Provider),
		Key: c.key, BodyHash: c.digest(canonical(b)),
	}
	if b.Contact != nil {
		for _, name := range []string{b.Contact.Email, b.Contact.Phone} {
			if name != "" {
				w.Contacts = append(w.Contacts, booking.Contact("c_"+name))
			}
		}
	}
	if w.Provider == payment.Sandbox {
		w.Hints = map[string]string{"outcome": outcomes[0]}
		if b.Outcome != "" {
			w.Hints["outcome"] = b.Outcome
		}
	}
	if _, offered := t.office.Provider(w.Provider); !offered {
		return reply{}, bad("provider: not offered here")
	}
	p, err := t.office.Pay(ctx, w)
	if err != nil {
		return reply{}, err
	}
	d := paymentDoc{ID: string(p.ID), OrderID: p.OrderID, State: paymentState(p.State), Action: optional(p.Action)}
	return reply{status: 201, doc: d, location: "/v1/orders/" + p.OrderID}, nil
}

// paymentState is one of the three that a buyer's device can act on. That money
// was given back again, the order tells.
func paymentState(s payment.State) string {
	switch s {
	case payment.Refunding, payment.Refunded:
		s = payment.Captured
	}
	return string(s)
}

func decodePay(body string, blind func(vault.Kind, string) (string, bool)) (payBody, error) {
	var b payBody
	v, err := parse(body)
	if err != nil {
		return b, err
	}
	m, err := v.object("provider", "outcome", "contact")
	if err != nil {
		return b, err
	}
	if contact, given := m["contact"]; given {
		if b.Contact, err = decodeContact(contact, blind); err != nil {
			return b, err
		}
	}
	provider, given := m["provider"]
	if !given {
		return b, bad("provider: required")
	}
	if b.Provider, err = provider.text(); err != nil {
		return b, err
	}
	outcome, given := m["outcome"]
	if !given {
		return b, nil
	}
	if b.Outcome, err = outcome.text(); err != nil {
		return b, err
	}
	if payment.Name(b.Provider) != payment.Sandbox {
		return b, bad("outcome: only the sandbox takes one")
	}
	if !slices.Contains(outcomes, b.Outcome) {
		return b, bad("outcome: must be success, decline, never or late")
	}
	return b, nil
}

// decodeContact reads an address, a number, or both.
func decodeContact(v value, blind func(vault.Kind, string) (string, bool)) (*contactBody, error) {
	m, err := v.object("email", "phone")
	if err != nil {
		return nil, err
	}
	if len(m) == 0 || blind == nil {
		return nil, bad("contact: must have an email or a phone")
	}
	var c contactBody
	for name, of := range map[string]struct {
		kind vault.Kind
		to   *string
	}{"email": {vault.Email, &c.Email}, "phone": {vault.Phone, &c.Phone}} {
		given, is := m[name]
		if !is {
			continue
		}
		text, err := given.text()
		if err != nil {
			return nil, err
		}
		index, ok := blind(of.kind, inbox(of.kind, text))
		if !ok {
			return nil, bad(given.path() + ": not what it should be")
		}
		*of.to = index
	}
	return &c, nil
}

// inbox is where a letter lands: what follows a plus in an address is the owner's
// own note, and would make any number of people of one.
func inbox(kind vault.Kind, text string) string {
	name, domain, ok := strings.Cut(text, "@")
	if note := strings.IndexByte(name, '+'); kind == vault.Email && ok && note > 0 {
		return name[:note] + "@" + domain
	}
	return text
}

type orderDoc struct {
	ID      string       `json:"id"`
	Status  string       `json:"status"`
	Total   money.Amount `json:"total"`
	Seats   []string     `json:"seats"`
	Tickets []ticketDoc  `json:"tickets"`
}

type ticketDoc struct {
	ID   string `json:"id"`
	Seat string `json:"seat"`
	Code string `json:"code"`
}

func (t till) order(ctx context.Context, c *call) (reply, error) {
	o, err := t.office.OrderFor(ctx, c.buyer, order.ID(c.id("order")))
	if err != nil {
		return reply{}, err
	}
	d := orderDoc{
		ID: string(o.ID), Status: string(o.Status), Total: o.Total,
		Seats: make([]string, len(o.Seats)), Tickets: make([]ticketDoc, len(o.Tickets)),
	}
	for i, s := range o.Seats {
		d.Seats[i] = s.ID
	}
	for i, tk := range o.Tickets {
		d.Tickets[i] = ticketDoc{string(tk.ID), tk.Seat, tk.Code}
	}
	return ok(d), nil
}
