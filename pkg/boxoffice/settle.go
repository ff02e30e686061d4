package boxoffice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

// Settle carries out what an authentic report means, at most once however often
// it comes (OneEffect): each verdict is one transaction, on the condition of the
// states that it was decided from.
func (o *Office) Settle(ctx context.Context, r payment.Report) error {
	return o.attempt(ctx, func(now time.Time) error {
		c, err := o.loadCase(ctx, r.Payment)
		if err != nil {
			return err
		}
		verdict, err := payment.Settle(c.pay, c.ord.View(), c.view(o.Policy, now), r)
		if err != nil {
			return err
		}
		switch verdict {
		case payment.Confirm:
			return o.confirm(ctx, c, r, now)
		case payment.Regrant:
			return o.regrant(ctx, c, r, now)
		case payment.Refund:
			return o.beginRefund(ctx, c, r, now)
		case payment.MarkFailed:
			return o.markFailed(ctx, c.pay, r, now)
		}
		return nil
	})
}

// markFailed notes that no money came. Until the provider has closed the payment some
// still may, and its one callback be lost, so it is asked about like a silent one.
func (o *Office) markFailed(ctx context.Context, was payment.Payment, r payment.Report, now time.Time) error {
	next := was
	next.State = payment.Failed
	switch {
	case r.State == payment.ReportClosed:
		next.NextAskAt = time.Time{}
	case was.State == payment.Pending:
		next.NextAskAt = payment.NextAsk(next, now, next.ExpiresAt, o.Policy.Grace).At
	}
	if next.State == was.State && next.NextAskAt.Equal(was.NextAskAt) {
		return nil
	}
	return o.Store.ChangePayment(ctx, PaymentChange{Was: was, Next: next}, nil)
}

// moneyCase is a payment with its order and its hold, read one after another; the
// conditions of what follows make up for that.
type moneyCase struct {
	pay  payment.Payment
	ord  order.Order
	hold booking.Hold
}

func (o *Office) loadCase(ctx context.Context, id payment.ID) (c moneyCase, err error) {
	if c.pay, err = o.Store.PaymentByID(ctx, id); err != nil {
		return c, err
	}
	if c.ord, err = o.Store.OrderByID(ctx, order.ID(c.pay.OrderID)); err != nil {
		return c, landing(err)
	}
	c.hold, err = o.Store.HoldByID(ctx, booking.HoldID(c.pay.HoldID))
	return c, err
}

func (c moneyCase) view(p booking.Policy, now time.Time) payment.HoldView {
	switch {
	case c.hold.State == booking.Sold && c.hold.PaymentID == string(c.pay.ID):
		return payment.HoldSoldByThis
	case c.hold.State == booking.Sold:
		return payment.HoldSoldByOther
	case c.hold.Overdue(p, now):
		return payment.HoldOverdue
	case c.hold.State == booking.Held:
		return payment.HoldPayable
	}
	return payment.HoldEnded
}

// captured is the payment after its money has come.
func (c moneyCase) captured(r payment.Report, now time.Time) PaymentChange {
	next := c.pay
	next.State, next.CapturedAt, next.NextAskAt = payment.Captured, now, time.Time{}
	if r.ProviderRef != "" {
		next.ProviderRef = r.ProviderRef
	}
	return PaymentChange{Was: c.pay, Next: next}
}

// paid is the order after the hold was sold to the payment.
func (o *Office) paid(c moneyCase, hold booking.Hold, now time.Time) (OrderChange, error) {
	tickets := make([]order.Ticket, 0, len(hold.Seats))
	for _, s := range hold.Seats {
		t, code, err := o.Tickets.Issue(string(hold.Show), string(c.ord.ID), string(s.ID))
		if err != nil {
			return OrderChange{}, err
		}
		tickets = append(tickets, order.Ticket{ID: t.ID, Seat: t.Seat, Code: code})
	}
	next, err := c.ord.Pay(c.pay.ID, string(hold.ID), tickets, now)
	return OrderChange{Was: c.ord.Status, Next: next}, err
}

func (o *Office) confirm(ctx context.Context, c moneyCase, r payment.Report, now time.Time) error {
	if err := o.takesPlace(ctx, c.hold.Show); errors.Is(err, booking.ErrSalesClosed) {
		return o.callOff(ctx, c)
	} else if err != nil {
		return err
	}
	sold, err := booking.Confirm(c.hold, o.Policy, string(c.pay.ID), now)
	if err != nil {
		return err
	}
	ord, err := o.paid(c, sold, now)
	if err != nil {
		return err
	}
	return o.Store.Confirm(ctx, c.hold, sold, c.captured(r, now), ord, now)
}

// callOff ends a hold of a cancelled show as if its owner gave it back; after that its
// money is money without seats.
func (o *Office) callOff(ctx context.Context, c moneyCase) error {
	if _, err := o.End(ctx, c.hold.ID, booking.ByOwner); err != nil && !errors.Is(err, booking.ErrAlreadyPaid) {
		return err
	}
	return errAgain
}

// regrant is for late money: the overdue hold is ended like any other, and its
// seats are sold anew if all of them are free then and the show is still on sale.
// While somebody waits for them none is, so late money never overtakes the line.
func (o *Office) regrant(ctx context.Context, c moneyCase, r payment.Report, now time.Time) error {
	if c.hold.State == booking.Held {
		if _, err := o.End(ctx, c.hold.ID, booking.ByExpiry); err != nil && !errors.Is(err, booking.ErrAlreadyPaid) {
			return err
		}
		return errAgain
	}
	id := booking.HoldID("h_" + booking.Digest("regrant", string(c.pay.ID)))
	sold, err := booking.Regrant(c.hold, id, string(c.pay.ID), now)
	if errors.Is(err, booking.ErrHoldEnded) {
		return o.beginRefund(ctx, c, r, now)
	}
	if err != nil {
		return err
	}
	show, err := o.Catalog.Show(ctx, sold.Show)
	if err != nil {
		return err
	}
	if err := booking.OnSale(show, now); errors.Is(err, booking.ErrSalesClosed) {
		return o.beginRefund(ctx, c, r, now) // a provider may report money hours after the show
	}
	ord, err := o.paid(c, sold, now)
	if err != nil {
		return err
	}
	err = o.Store.Regrant(ctx, c.hold, sold, sale{show: show}.keepUntil(), c.captured(r, now), ord)
	var t *Taken
	if !errors.As(err, &t) {
		return err
	}
	if _, err := o.conflicts(ctx, sale{show: show}, sold, sight{claims: t.Claims}); err != nil {
		return err // an overdue hold in the way was ended
	}
	return o.beginRefund(ctx, c, r, now)
}

// beginRefund promises the money back. The promise is in the table before the
// provider is asked; its record wakes who asks, as often as it takes.
func (o *Office) beginRefund(ctx context.Context, c moneyCase, r payment.Report, now time.Time) error {
	change := c.captured(r, now)
	change.Next.State, change.Next.NextAskAt, change.Next.Attempt = payment.Refunding, now, 0
	return o.Store.ChangePayment(ctx, change, nil)
}

// Ask keeps an appointment with a provider that is silent: the callback may never
// come. due is the appointment that the message was sent for; one that has been
// moved since needs nothing, one that is still ahead is put back.
func (o *Office) Ask(ctx context.Context, id payment.ID, due time.Time) error {
	p, err := o.Store.PaymentByID(ctx, id)
	if err != nil {
		return err
	}
	if !p.NextAskAt.Equal(due) {
		return nil
	}
	now := o.Clock()
	if now.Before(due) {
		return o.putBack(ctx, p)
	}
	provider, ok := o.Provider(p.Provider)
	if !ok {
		return fmt.Errorf("payment %s: %w", p.ID, ErrNoProvider)
	}
	step := payment.NextAsk(p, due.Add(-time.Millisecond), p.ExpiresAt, o.Policy.Grace).Step
	var asked error
	switch step {
	case payment.AskQuery:
		asked = o.learn(ctx, p, provider.Query)
	case payment.AskClose:
		asked = o.learn(ctx, p, closing(provider))
	case payment.RepeatRefund:
		asked = o.refund(ctx, provider, p)
	}
	return errors.Join(asked, o.nextAppointment(ctx, id, due))
}

// putBack asks for another message about an appointment that is still ahead. One
// that has moved meanwhile has a message of its own.
func (o *Office) putBack(ctx context.Context, p payment.Payment) error {
	return o.attempt(ctx, func(time.Time) error {
		err := o.Store.WakePayment(ctx, p)
		if !fault.Is(err, fault.Stale) {
			return err
		}
		fresh, rerr := o.Store.PaymentByID(ctx, p.ID)
		if rerr != nil || !fresh.NextAskAt.Equal(p.NextAskAt) {
			return rerr
		}
		p = fresh // declined meanwhile, by a clock that left the appointment where it was
		return err
	})
}

// learn asks and settles. That the provider does not know the payment proves
// nothing: it may yet.
func (o *Office) learn(ctx context.Context, p payment.Payment, ask func(context.Context, payment.Ref) (payment.Report, error)) error {
	r, err := ask(ctx, p.Ref())
	if errors.Is(err, payment.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask about payment %s: %w", p.ID, err)
	}
	return o.Settle(ctx, r)
}

// closing reports a payment that the provider does not know a day after it was
// made as closed: no request for it can be under way any more, and nobody would ever
// tell us so. One that was declined and is now to take no money is closed, too. Should
// money come all the same, it is money after a failure.
func closing(provider payment.Provider) func(context.Context, payment.Ref) (payment.Report, error) {
	return func(ctx context.Context, ref payment.Ref) (payment.Report, error) {
		r, err := provider.Close(ctx, ref)
		if errors.Is(err, payment.ErrNotFound) {
			return payment.Report{Payment: ref.ID, Order: ref.OrderID, State: payment.ReportClosed}, nil
		}
		if r.State == payment.ReportFailed {
			r.State = payment.ReportClosed
		}
		return r, err
	}
}

// nextAppointment is made whatever came of this one, unless nothing is left to
// learn or somebody else made it.
func (o *Office) nextAppointment(ctx context.Context, id payment.ID, due time.Time) error {
	return o.attempt(ctx, func(now time.Time) error {
		p, err := o.Store.PaymentByID(ctx, id)
		if err != nil {
			return err
		}
		ask := payment.NextAsk(p, now, p.ExpiresAt, o.Policy.Grace)
		if ask.Step == payment.AskNothing || !p.NextAskAt.Equal(due) {
			return nil
		}
		next := p
		next.NextAskAt, next.Attempt = ask.At.UTC().Truncate(time.Millisecond), p.Attempt+1
		return o.Store.ChangePayment(ctx, PaymentChange{Was: p, Next: next}, nil)
	})
}

// refund moves the money back under one number, however often it is asked.
func (o *Office) refund(ctx context.Context, provider payment.Provider, p payment.Payment) error {
	id := payment.RefundFor(p.ID, 1)
	r, err := provider.Refund(ctx, payment.RefundRequest{
		ID: id, Payment: p.Ref(), Amount: p.Amount, Reason: "seats no longer available", RequestedAt: p.CapturedAt,
	})
	if err != nil {
		return fmt.Errorf("refund payment %s: %w", p.ID, err)
	}
	return o.SettleRefund(ctx, r)
}

// SettleRefund carries out what is heard of a refund: the payment is refunded, and
// so is its order unless another payment has bought it.
func (o *Office) SettleRefund(ctx context.Context, r payment.RefundReport) error {
	return o.attempt(ctx, func(time.Time) error {
		p, err := o.Store.PaymentByID(ctx, r.Payment)
		if err != nil {
			return err
		}
		state, err := payment.SettleRefund(p, payment.RefundFor(p.ID, 1), r)
		if err != nil || state == p.State {
			return err
		}
		next := p
		next.State, next.NextAskAt = state, time.Time{}
		ord, err := o.Store.OrderByID(ctx, order.ID(p.OrderID))
		if err != nil {
			return err
		}
		var change *OrderChange
		if ord.Status == order.Cancelled {
			refunded, err := ord.Refund(p.ID)
			if err != nil {
				return err
			}
			change = &OrderChange{Was: ord.Status, Next: refunded}
		}
		return o.Store.ChangePayment(ctx, PaymentChange{Was: p, Next: next}, change)
	})
}

// Hear takes a callback whose signature was verified.
func (o *Office) Hear(ctx context.Context, n payment.Notice) error {
	switch {
	case n.Payment != nil:
		return o.Settle(ctx, *n.Payment)
	case n.Refund != nil:
		return o.SettleRefund(ctx, *n.Refund)
	}
	return fault.New(fault.Invalid, "bad_request", "a callback about nothing")
}
