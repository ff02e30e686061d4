package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

// StartPayment ties a new payment, and with the first one a new order, to a hold
// that can still be paid for.
func (s *Store) StartPayment(ctx context.Context, was, next booking.Hold, p payment.Payment, o order.Order, fresh bool, now time.Time) error {
	ws := []Write{
		{Key: holdKey(was.ID), Put: holdItem(next), Where: s.payable(was, now)},
		{Key: paymentKey(p.ID), Put: paymentItem(p), Where: Absent{}},
		answerWrite(p.ID, p.ID, p.BodyHash, now.Add(booking.Receipt)),
	}
	if fresh {
		ws = append(ws, Write{Key: orderKey(o.ID), Put: orderItem(o), Where: Absent{}})
	}
	first := len(ws)
	ws = append(ws, s.contactWrites(was, next, now.Add(contactKept))...)
	return contactFull(first, s.t.Transact(ctx, ws, ""))
}

// contactKept is how long a contact's allowance outlives its last payment. It must
// outlive the latest end of the hold, and a show is not sold a year ahead.
const contactKept = 400 * 24 * time.Hour

// contactWrites move the seats of a hold from the contacts that it had to those that
// it gets: first those that must have room.
func (s *Store) contactWrites(was, next booking.Hold, keepUntil time.Time) (ws []Write) {
	for _, c := range next.Contacts {
		if !slices.Contains(was.Contacts, c) {
			ws = append(ws, s.allowTo(next, booking.Buyer(c), keepUntil))
		}
	}
	for _, c := range was.Contacts {
		if !slices.Contains(next.Contacts, c) {
			ws = append(ws, disallow(was, booking.Buyer(c)))
		}
	}
	return ws
}

// contactFull is *boxoffice.Taken where nothing but a contact's allowance, from the
// write of this number on, refused.
func contactFull(first int, err error) error {
	var c *Canceled
	if !errors.As(err, &c) || !c.Has(ReasonCondition) {
		return classify(err)
	}
	failed := func(r Reason) bool { return r.Code == ReasonCondition }
	if slices.ContainsFunc(c.Reasons[:min(first, len(c.Reasons))], failed) {
		return classify(c)
	}
	return &boxoffice.Taken{Full: true}
}

// payable: the hold as read, and not past its grace by the writer's clock.
func (s *Store) payable(h booking.Hold, now time.Time) Cond {
	return All{asRead(h), AtLeast{aExpires, now.Add(-s.policy.Grace).UnixMilli() + 1}}
}

// Confirm is T2: it touches no seat.
func (s *Store) Confirm(ctx context.Context, was, next booking.Hold, p boxoffice.PaymentChange, o boxoffice.OrderChange, now time.Time) error {
	return classify(s.t.Transact(ctx, []Write{
		{Key: holdKey(was.ID), Put: holdItem(next), Where: s.payable(was, now)},
		{Key: timerKey(was), Delete: true},
		paymentWrite(p),
		orderWrite(o),
	}, ""))
}

// Regrant is T4. Seats or allowance that stand in the way are *boxoffice.Taken;
// anything else that changed is ErrStale, for then the money may be settled already.
func (s *Store) Regrant(ctx context.Context, old, h booking.Hold, keepUntil time.Time, p boxoffice.PaymentChange, o boxoffice.OrderChange) error {
	ws := claimWrites(h)
	ws = append(ws,
		Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},
		s.allow(h, keepUntil),
		Write{Key: holdKey(old.ID), Check: true, Where: asRead(old)},
		paymentWrite(p),
		orderWrite(o),
	)
	for _, c := range h.Contacts {
		ws = append(ws, s.allowTo(h, booking.Buyer(c), keepUntil))
	}
	err := s.t.Transact(ctx, ws, "")
	var c *Canceled
	if !errors.As(err, &c) {
		return err
	}
	n := len(h.Seats)
	for i, r := range c.Reasons {
		if r.Code == ReasonCondition && i != n+1 && i >= n && i < n+5 {
			return ErrStale
		}
	}
	return s.taken(h, err)
}

// ChangePayment moves a payment, and its order where o is not nil.
func (s *Store) ChangePayment(ctx context.Context, p boxoffice.PaymentChange, o *boxoffice.OrderChange) error {
	ws := []Write{paymentWrite(p)}
	if o != nil {
		ws = append(ws, orderWrite(*o))
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// WakePayment makes a stream record about an appointment that stands.
func (s *Store) WakePayment(ctx context.Context, p payment.Payment) error {
	return classify(s.t.Transact(ctx, []Write{{
		Key:    paymentKey(p.ID),
		Update: []Change{{Attr: aWoken, Op: Add, To: int64(1)}},
		Where:  All{Equal{aState, string(p.State)}, Equal{aAsk, p.NextAskAt.UnixMilli()}},
	}}, ""))
}

// NoteAnswer keeps a receipt for a request that made no payment of its own.
func (s *Store) NoteAnswer(ctx context.Context, id, with payment.ID, bodyHash string, keepUntil time.Time) error {
	return classify(s.t.Transact(ctx, []Write{answerWrite(id, with, bodyHash, keepUntil)}, ""))
}

// answerWrite stands in both answers to a request to pay, a payment of its own and
// one that was pending: of two tries at once, one would otherwise get the one and
// the other the other.
func answerWrite(id, with payment.ID, bodyHash string, keepUntil time.Time) Write {
	return Write{
		Key: answerKey(id), Put: Item{aPayment: string(with), aHash: bodyHash, aTTL: keepUntil.Unix()}, Where: Absent{},
	}
}

// PaymentAnswered looks for the request's own payment and for its receipt at once.
func (s *Store) PaymentAnswered(ctx context.Context, id payment.ID) (payment.Payment, string, error) {
	own, receipt := paymentKey(id), answerKey(id)
	items, err := s.t.BatchGet(ctx, []Key{own, receipt}, true)
	if err != nil {
		return payment.Payment{}, "", fmt.Errorf("read payment %s: %w", id, err)
	}
	if it := items[own]; it != nil {
		p, err := PaymentFromItem(it)
		return p, p.BodyHash, err
	}
	it := items[receipt]
	if it == nil {
		return payment.Payment{}, "", boxoffice.ErrPaymentNotFound
	}
	r := row{item: it}
	with, hash := payment.ID(r.str(aPayment)), r.str(aHash)
	if r.err != nil {
		return payment.Payment{}, "", r.err
	}
	p, err := s.PaymentByID(ctx, with)
	return p, hash, err
}

func orderWrite(o boxoffice.OrderChange) Write {
	return Write{Key: orderKey(o.Next.ID), Put: orderItem(o.Next), Where: stands(o)}
}

// stands: the order is where it was read, and still that buyer's.
func stands(o boxoffice.OrderChange) Cond {
	return All{Equal{aState, string(o.Was)}, Equal{aBuyer, o.Next.Buyer}}
}

// paymentWrite sets what differs, on the condition of the state and, where the
// appointment moves, of the appointment that was read.
func paymentWrite(c boxoffice.PaymentChange) Write {
	before, after := paymentItem(c.Was), paymentItem(c.Next)
	where := All{Equal{aState, string(c.Was.State)}}
	var changes []Change
	for _, attr := range []string{aState, aAsk, aAttempt, aRef, aActionKind, aActionValue, aCaptured} {
		was, is := before[attr], after[attr]
		switch {
		case was == is:
		case is == nil:
			changes = append(changes, Change{Attr: attr, Op: Unset})
		default:
			changes = append(changes, Change{Attr: attr, Op: SetTo, To: is})
		}
	}
	if c.Was.State == c.Next.State && before[aAsk] != nil && before[aAsk] != after[aAsk] {
		where = append(where, Equal{aAsk, before[aAsk]})
	}
	return Write{Key: paymentKey(c.Next.ID), Update: changes, Where: where}
}

// PaymentByID reads a payment, strongly consistent.
func (s *Store) PaymentByID(ctx context.Context, id payment.ID) (payment.Payment, error) {
	return one(ctx, s.t, paymentKey(id), PaymentFromItem, boxoffice.ErrPaymentNotFound)
}

// OrderByID reads an order, strongly consistent.
func (s *Store) OrderByID(ctx context.Context, id order.ID) (order.Order, error) {
	return one(ctx, s.t, orderKey(id), orderFromItem, boxoffice.ErrOrderNotFound)
}
