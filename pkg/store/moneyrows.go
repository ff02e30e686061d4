package store

import (
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// Attributes of orders and payments.
const (
	aAmount      = "amount" // minor units
	aHold        = "hold"
	aProvider    = "provider"
	aHints       = "hints"
	aAsk         = "ask" // the next appointment with the provider, milliseconds since 1970
	aWoken       = "woken"
	aAttempt     = "attempt"
	aRef         = "ref"
	aActionKind  = "akind"
	aActionValue = "avalue"
	aCaptured    = "captured"
	aTickets     = "tickets"
	aPaidBy      = "paidby"
	aPaidAt      = "paidat"
)

func paymentItem(p payment.Payment) Item {
	it := Item{
		aState: string(p.State), aHold: p.HoldID, aOrder: p.OrderID, aBuyer: p.Buyer, aProvider: string(p.Provider),
		aAmount: p.Amount.Minor, aCurrency: p.Amount.Currency, aHash: p.BodyHash,
		aMade: p.CreatedAt.UnixMilli(), aExpires: p.ExpiresAt.UnixMilli(), aAttempt: int64(p.Attempt), aTTL: agesAt(p.CreatedAt),
	}
	hints := map[string]any{}
	for k, v := range p.Hints {
		hints[k] = v
	}
	it[aHints] = hints
	setText(it, aRef, p.ProviderRef)
	setText(it, aActionKind, string(p.Action.Kind))
	setText(it, aActionValue, p.Action.Value)
	setTime(it, aAsk, p.NextAskAt)
	setTime(it, aCaptured, p.CapturedAt)
	return it
}

func setText(it Item, attr, v string) {
	if v != "" {
		it[attr] = v
	}
}

func setTime(it Item, attr string, t time.Time) {
	if !t.IsZero() {
		it[attr] = t.UnixMilli()
	}
}

// PaymentFromItem reads a payment as the table and its stream show it.
func PaymentFromItem(it Item) (payment.Payment, error) {
	r := row{item: it}
	p := payment.Payment{
		ID: payment.ID(strings.TrimPrefix(r.str("pk"), paymentPrefix)), HoldID: r.str(aHold), OrderID: r.str(aOrder),
		Buyer: r.str(aBuyer), Provider: payment.Name(r.str(aProvider)),
		Amount:   money.Amount{Minor: r.num(aAmount), Currency: r.str(aCurrency)},
		BodyHash: r.optional(aHash), CreatedAt: r.time(aMade), ExpiresAt: r.time(aExpires),
		ProviderRef: r.optional(aRef), Attempt: int(r.num(aAttempt)), NextAskAt: r.time(aAsk), CapturedAt: r.time(aCaptured),
		Action: payment.Action{Kind: payment.ActionKind(r.optional(aActionKind)), Value: r.optional(aActionValue)},
	}
	if hints, ok := it[aHints].(map[string]any); ok && len(hints) > 0 {
		p.Hints = map[string]string{}
		for k, v := range hints {
			p.Hints[k], _ = v.(string)
		}
	}
	var err error
	if p.State, err = payment.ParseState(r.str(aState)); err != nil && r.err == nil {
		r.err = err
	}
	return p, r.err
}

func orderItem(o order.Order) Item {
	it := Item{
		aState: string(o.Status), aHold: o.HoldID, aShow: o.ShowID, aBuyer: o.Buyer,
		aAmount: o.Total.Minor, aCurrency: o.Total.Currency, aMade: o.CreatedAt.UnixMilli(), aTTL: agesAt(o.CreatedAt),
	}
	seats := make([]any, len(o.Seats))
	for i, s := range o.Seats {
		seats[i] = map[string]any{"id": s.ID, aType: s.Type, aAmount: s.Price.Minor}
	}
	it[aSeats] = seats
	if len(o.Tickets) > 0 {
		tickets := make([]any, len(o.Tickets))
		for i, t := range o.Tickets {
			tickets[i] = map[string]any{"id": string(t.ID), "seat": t.Seat, "code": t.Code}
		}
		it[aTickets] = tickets
	}
	if o.Rev > 0 {
		it[aRev] = o.Rev
	}
	setText(it, aPaidBy, string(o.PaidBy))
	setTime(it, aPaidAt, o.PaidAt)
	return it
}

const orderPrefix = "ORDER#"

func orderFromItem(it Item) (order.Order, error) {
	r := row{item: it}
	o := order.Order{
		ID: order.ID(strings.TrimPrefix(r.str("pk"), orderPrefix)), HoldID: r.str(aHold), ShowID: r.str(aShow), Buyer: r.str(aBuyer),
		Status: order.Status(r.str(aState)), Total: money.Amount{Minor: r.num(aAmount), Currency: r.str(aCurrency)},
		PaidBy: payment.ID(r.optional(aPaidBy)), CreatedAt: r.time(aMade), PaidAt: r.time(aPaidAt),
	}
	o.Rev, _ = it[aRev].(int64) // absent before there was one
	for _, sub := range r.maps(aSeats) {
		o.Seats = append(o.Seats, order.Seat{
			ID: sub.str("id"), Type: sub.str(aType),
			Price: money.Amount{Minor: sub.num(aAmount), Currency: o.Total.Currency},
		})
		r.join(sub)
	}
	for _, sub := range r.maps(aTickets) {
		o.Tickets = append(o.Tickets, order.Ticket{ID: ticket.ID(sub.str("id")), Seat: sub.str("seat"), Code: sub.str("code")})
		r.join(sub)
	}
	if r.err != nil {
		return order.Order{}, r.err
	}
	return o, o.Check()
}

// maps reads a list of maps; an absent one is empty.
func (r *row) maps(attr string) []*row {
	list, _ := r.item[attr].([]any)
	rows := make([]*row, 0, len(list))
	for _, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			r.fail(attr)
			return nil
		}
		rows = append(rows, &row{item: m})
	}
	return rows
}

func (r *row) join(sub *row) {
	if r.err == nil {
		r.err = sub.err
	}
}

// IsPayment tells a payment's item from an order's in their common stream.
func IsPayment(it Item) bool {
	pk, _ := it["pk"].(string)
	return strings.HasPrefix(pk, paymentPrefix)
}

// AppointmentMoved reports whether a change of a payment is one that somebody
// must be woken for.
func AppointmentMoved(old, next Item) bool {
	return old[aAsk] != next[aAsk] || old[aWoken] != next[aWoken]
}
