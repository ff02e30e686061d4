package store_test

import (
	"errors"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

func startPayment(r *rig) {
	ctx := r.t.Context()
	h := r.hold("ann", "C-1", "C-2")
	next, b := r.draftBill(h, 1)
	last := h.ExpiresAt.Add(policy.Grace)
	r.stale(r.StartPayment(ctx, h, next, b.pay, b.ord, true, last))
	moved := h
	moved.Rev = 2
	r.stale(r.StartPayment(ctx, moved, next, b.pay, b.ord, true, evening))
	r.must(r.StartPayment(ctx, h, next, b.pay, b.ord, true, last.Add(-time.Millisecond)))
	r.wantHold(next)
	r.wantPayment(b.pay)
	r.wantOrder(b.ord)
	r.wantTimers(h.ID)
	r.stale(r.StartPayment(ctx, h, next, b.pay, b.ord, true, evening))
	// The same payment again, on the hold as it is now; a new order beside the old one.
	again, second := r.draftBill(next, 1)
	r.stale(r.StartPayment(ctx, next, again, second.pay, second.ord, false, evening))
	again, second = r.draftBill(next, 2)
	r.stale(r.StartPayment(ctx, next, again, second.pay, second.ord, true, evening))
	r.wantHold(next)
	r.must(r.StartPayment(ctx, next, again, second.pay, second.ord, false, evening))
	r.wantHold(again)
	r.wantPayment(second.pay)
}

func confirm(r *rig) {
	h := r.hold("ann", "C-1", "C-2")
	b := r.pay(h)
	sold, err := booking.Confirm(b.hold, policy, string(b.pay.ID), evening)
	r.must(err)
	p, o := r.sale(b, sold)
	inGrace := h.ExpiresAt.Add(policy.Grace - time.Millisecond)
	r.must(r.Confirm(r.t.Context(), b.hold, sold, p, o, inGrace))
	r.wantHold(sold)
	r.wantPayment(p.Next)
	r.wantOrder(o.Next)
	r.wantTimers()
	r.wantClaims(ownedBy(h), "C-1", "C-2")
	r.wantAllowance("ann", 2)
	r.stale(r.Confirm(r.t.Context(), b.hold, sold, p, o, inGrace))
}

func confirmRefused(r *rig) {
	ctx := r.t.Context()
	h := r.hold("ann", "C-1")
	b := r.pay(h)
	sold, err := booking.Confirm(b.hold, policy, string(b.pay.ID), evening)
	r.must(err)
	p, o := r.sale(b, sold)
	unmoved := func() {
		r.t.Helper()
		r.wantHold(b.hold)
		r.wantPayment(b.pay)
		r.wantOrder(b.ord)
		r.wantTimers(h.ID)
	}
	r.stale(r.Confirm(ctx, b.hold, sold, p, o, h.ExpiresAt.Add(policy.Grace)))
	unmoved()
	r.stale(r.Confirm(ctx, h, sold, p, o, evening)) // as it was before the payment began
	unmoved()
	failed := p
	failed.Was.State = payment.Failed
	r.stale(r.Confirm(ctx, b.hold, sold, failed, o, evening))
	unmoved()
	cancelled := o
	cancelled.Was = order.Cancelled
	r.stale(r.Confirm(ctx, b.hold, sold, p, cancelled, evening))
	unmoved()
	e := r.ending(b.hold, booking.ByExpiry, h.ExpiresAt.Add(policy.Grace))
	r.must(r.Release(ctx, e, nil))
	r.stale(r.Confirm(ctx, b.hold, sold, p, o, evening))
	r.wantHold(e.Hold)
}

// late is a bill whose hold has expired with its order.
func (r *rig) late(ids ...string) (bill, booking.Hold) {
	r.t.Helper()
	b := r.pay(r.hold("ann", ids...))
	e := r.ending(b.hold, booking.ByExpiry, b.hold.ExpiresAt.Add(policy.Grace))
	cancelled, err := b.ord.Cancel()
	r.must(err)
	r.must(r.Release(r.t.Context(), e, &boxoffice.OrderChange{Was: order.Pending, Next: cancelled}))
	b.hold, b.ord = e.Hold, cancelled
	sold, err := booking.Regrant(b.hold, booking.HoldID("again-"+string(b.hold.ID)), string(b.pay.ID), evening)
	r.must(err)
	return b, sold
}

func regrant(r *rig) {
	b, sold := r.late("C-1", "C-2")
	p, o := r.sale(b, sold)
	r.must(r.Regrant(r.t.Context(), b.hold, sold, keep, p, o))
	r.wantHold(b.hold) // the receipt of what was
	r.wantHold(sold)
	r.wantClaims(ownedBy(sold), "C-1", "C-2")
	r.wantAllowance("ann", 2)
	r.wantPayment(p.Next)
	r.wantOrder(o.Next)
	r.wantTimers()
	r.stale(r.Regrant(r.t.Context(), b.hold, sold, keep, p, o))
	r.wantAllowance("ann", 2)
}

func regrantRefused(r *rig) {
	ctx := r.t.Context()
	b, sold := r.late("C-1", "C-2")
	p, o := r.sale(b, sold)
	unmoved := func() {
		r.t.Helper()
		r.wantHold(b.hold)
		r.wantPayment(b.pay)
		r.wantOrder(b.ord)
		if _, err := r.HoldByID(ctx, sold.ID); !errors.Is(err, booking.ErrHoldNotFound) {
			r.t.Fatalf("the new hold: %v", err)
		}
	}
	moved := b.hold
	moved.Rev++
	r.stale(r.Regrant(ctx, moved, sold, keep, p, o))
	unmoved()
	captured := p
	captured.Was.State = payment.Captured
	r.stale(r.Regrant(ctx, b.hold, sold, keep, captured, o))
	unmoved()
	pending := o
	pending.Was = order.Pending
	r.stale(r.Regrant(ctx, b.hold, sold, keep, p, pending))
	unmoved()
	// Seats in other hands, then no allowance left, then both.
	bob := r.hold("bob", "C-2")
	tk := r.taken(r.Regrant(ctx, b.hold, sold, keep, p, o))
	if tk.Claims["C-2"] != (boxoffice.Owner{Hold: bob.ID}) || len(tk.Claims) != 1 || tk.Full {
		r.t.Errorf("taken %+v", tk)
	}
	unmoved()
	// If the payment was settled meanwhile, that is what counts.
	r.stale(r.Regrant(ctx, b.hold, sold, keep, captured, o))
	r.must(r.Release(ctx, r.ending(bob, booking.ByOwner, evening), nil))
	r.hold("ann", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	tk = r.taken(r.Regrant(ctx, b.hold, sold, keep, p, o))
	if !tk.Full || tk.Holding != 9 || len(tk.Claims) != 0 {
		r.t.Errorf("taken %+v, want full", tk)
	}
	unmoved()
	// While somebody waits nothing is free: the claim of the line stands in the way.
	carl := r.hold("carl", "C-1")
	r.must(r.Release(ctx, r.ending(carl, booking.ByOwner, evening, seatmap.Regular), nil))
	if tk = r.taken(r.Regrant(ctx, b.hold, sold, keep, p, o)); !tk.Claims["C-1"].Line() || len(tk.Claims) != 1 {
		r.t.Errorf("taken %+v, want the line", tk)
	}
}

func changePayment(r *rig) {
	ctx := r.t.Context()
	b := r.pay(r.hold("ann", "C-1"))
	noted := b.pay
	noted.Action, noted.ProviderRef = payment.Action{Kind: payment.ActionQR, Value: "text"}, "ref"
	failed := b.pay
	failed.State, failed.NextAskAt = payment.Failed, time.Time{}
	// Both were decided from the same read; neither undoes the other.
	r.must(r.ChangePayment(ctx, boxoffice.PaymentChange{Was: b.pay, Next: noted}, nil))
	r.must(r.ChangePayment(ctx, boxoffice.PaymentChange{Was: b.pay, Next: failed}, nil))
	both := noted
	both.State, both.NextAskAt = payment.Failed, time.Time{}
	r.wantPayment(both)
	r.stale(r.ChangePayment(ctx, boxoffice.PaymentChange{Was: b.pay, Next: failed}, nil))
	// An appointment moves once.
	b = r.pay(r.hold("bob", "C-2"))
	moved := b.pay
	moved.NextAskAt, moved.Attempt = b.pay.NextAskAt.Add(2*time.Second), 1
	r.must(r.ChangePayment(ctx, boxoffice.PaymentChange{Was: b.pay, Next: moved}, nil))
	r.stale(r.ChangePayment(ctx, boxoffice.PaymentChange{Was: b.pay, Next: moved}, nil))
	r.wantPayment(moved)
	// With the order: both or none.
	cancelled, err := b.ord.Cancel()
	r.must(err)
	done := moved
	done.State, done.NextAskAt = payment.Failed, time.Time{}
	r.stale(r.ChangePayment(ctx, boxoffice.PaymentChange{Was: moved, Next: done}, &boxoffice.OrderChange{Was: order.Paid, Next: cancelled}))
	r.wantPayment(moved)
	r.wantOrder(b.ord)
	r.must(r.ChangePayment(ctx, boxoffice.PaymentChange{Was: moved, Next: done}, &boxoffice.OrderChange{Was: order.Pending, Next: cancelled}))
	r.wantPayment(done)
	r.wantOrder(cancelled)
}

func wakePayment(r *rig) {
	b := r.pay(r.hold("ann", "C-1"))
	r.must(r.WakePayment(r.t.Context(), b.pay))
	r.must(r.WakePayment(r.t.Context(), b.pay))
	r.wantPayment(b.pay)
	other := b.pay
	other.NextAskAt = other.NextAskAt.Add(time.Millisecond)
	r.stale(r.WakePayment(r.t.Context(), other))
	other = b.pay
	other.State = payment.Captured
	r.stale(r.WakePayment(r.t.Context(), other))
}

func answerPayment(r *rig) {
	ctx := r.t.Context()
	b := r.pay(r.hold("ann", "C-1"))
	answered := func(id, want payment.ID, hash string) {
		r.t.Helper()
		p, got, err := r.PaymentAnswered(ctx, id)
		if err != nil || p.ID != want || got != hash {
			r.t.Errorf("%s was answered with %s and %q, %v; want %s and %q", id, p.ID, got, err, want, hash)
		}
	}
	answered(b.pay.ID, b.pay.ID, "body")
	other := payment.IDFor("another key", string(r.show))
	if _, _, err := r.PaymentAnswered(ctx, other); !errors.Is(err, boxoffice.ErrPaymentNotFound) {
		r.t.Errorf("nothing was answered: %v", err)
	}
	r.must(r.NoteAnswer(ctx, other, b.pay.ID, "other body", keep))
	answered(other, b.pay.ID, "other body")
	r.stale(r.NoteAnswer(ctx, other, b.pay.ID, "third body", keep))
	answered(other, b.pay.ID, "other body")

	// Two tries of one request at once have one answer, whichever it is.
	r.stale(r.NoteAnswer(ctx, b.pay.ID, b.pay.ID, "body", keep))
	was := r.hold("ann", "C-3")
	next, late := r.draftBill(was, 1)
	r.must(r.NoteAnswer(ctx, late.pay.ID, b.pay.ID, "body", keep))
	r.stale(r.StartPayment(ctx, was, next, late.pay, late.ord, true, evening))
	answered(late.pay.ID, b.pay.ID, "body")
}

// regrantOverItself: what late money bought once is not bought again, whatever
// became of the seats and the order since.
func regrantOverItself(r *rig) {
	ctx := r.t.Context()
	b, sold := r.late("C-1", "C-2")
	p, o := r.sale(b, sold)
	r.must(r.Regrant(ctx, b.hold, sold, keep, p, o))
	e := r.ending(sold, booking.ByRefund, evening)
	back, err := o.Next.Refund(p.Next.ID)
	r.must(err)
	r.must(r.Release(ctx, e, &boxoffice.OrderChange{Was: order.Paid, Next: back}))
	p.Was, o.Was = p.Next, order.Refunded
	p.Next.ProviderRef = "another"
	r.stale(r.Regrant(ctx, b.hold, sold, keep, p, o))
	r.wantHold(e.Hold)
	r.wantClaims(nil, "C-1", "C-2")
	r.wantAllowance("ann", 0)
}
