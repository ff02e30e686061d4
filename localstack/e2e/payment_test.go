package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

// paidFor: the provider has captured the order's price once and given nothing back.
func paidFor(t *testing.T, o apiclient.Order) {
	t.Helper()
	ps, err := provider.Payments(o.ID)
	must(t, err)
	var captured, refunded int64
	for _, p := range ps {
		if p.State == sim.Captured {
			captured += p.Amount.Minor
		}
		refunded += p.Refunded
	}
	if captured != o.Total.Amount || refunded != 0 || captured == 0 {
		t.Errorf("for order %s of %d the provider has captured %d and refunded %d", o.ID, o.Total.Amount, captured, refunded)
	}
}

// TestSuccess; while a payment is pending the same one comes back.
func TestSuccess(t *testing.T) {
	on := parallelWithout(t, []string{callbacks, askProvider}, relayPayments, relayHolds, projectHolds)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 3, 0)...)
	p := b.pay(h.ID, "success")
	for range 2 {
		if again := b.pay(h.ID, "decline"); again.ID != p.ID || again.State != "pending" || string(again.Action) != string(p.Action) {
			t.Errorf("while %+v is pending, another request gets %+v", p, again)
		}
	}
	if o := read[apiclient.Order](b, "/orders/"+p.OrderID); o.Status != "PENDING" || len(o.Tickets) != 0 {
		t.Errorf("before the callback the order is %+v", o)
	}
	on()
	o := b.await(p.OrderID, "PAID", 10*time.Second)
	verify(b, string(s.ID), o)
	paidFor(t, o)
	shop.balanced(t, s)
}

// TestDecline: the hold stays held and payable until it expires.
func TestDecline(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	first := b.pay(h.ID, "decline")
	var second apiclient.Payment
	eventually(t, 5*time.Second, func() error { // until the refusal was heard, the first comes back
		if second = b.pay(h.ID, "success"); second.ID == first.ID {
			return yet("the declined payment is pending")
		}
		return nil
	})
	if second.OrderID != first.OrderID {
		t.Errorf("the second payment is of order %s, the first of %s", second.OrderID, first.OrderID)
	}
	paidFor(t, b.await(second.OrderID, "PAID", 10*time.Second))
	shop.balanced(t, s)
}

// TestDeclineAlone: without another try the order is cancelled with its hold.
func TestDeclineAlone(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "decline")
	if got := read[apiclient.Hold](b, "/holds/"+h.ID); got.State != "held" || !got.ExpiresAt.Equal(h.ExpiresAt) {
		t.Errorf("after a decline the hold is %+v", got)
	}
	b.await(p.OrderID, "CANCELLED", holdTime+graceTime+3*time.Second)
	guest(t).hold(s, seatsOf(h)...)
	shop.balanced(t, s)
}

// TestSilentProvider: no callback ever comes; asking settles the order while the
// hold lives.
func TestSilentProvider(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "never")
	o := b.await(p.OrderID, "PAID", holdTime-time.Second)
	for _, c := range provider.callbacks(t, p.ID) {
		if c.Progress != sim.Dropped {
			t.Errorf("callback %d of a silent provider is %s", c.N, c.Progress)
		}
	}
	if got := read[apiclient.Hold](b, "/holds/"+h.ID); got.State != "sold" {
		t.Errorf("the hold is %s", got.State)
	}
	verify(b, string(s.ID), o)
	paidFor(t, o)
	shop.balanced(t, s)
}

// lateBy is when the money of a late payment has come and been settled at the latest.
const lateBy = holdTime + graceTime + 5*time.Second + 8*time.Second

// TestLateMoneySeatsFree: the seats are sold anew, under a hold of their own.
func TestLateMoneySeatsFree(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "late")
	o := b.await(p.OrderID, "PAID", lateBy)
	verify(b, string(s.ID), o)
	paidFor(t, o)
	if old := read[apiclient.Hold](b, "/holds/"+h.ID); old.State != "expired" {
		t.Errorf("the old hold is %s", old.State)
	}
	sold, err := shop.store.OrderByID(t.Context(), order.ID(o.ID))
	must(t, err)
	if sold.HoldID == h.ID {
		t.Fatal("an overdue hold was sold in place")
	}
	if now := read[apiclient.Hold](b, "/holds/"+sold.HoldID); now.State != "sold" || !slices.Equal(seatsOf(now), seatsOf(h)) {
		t.Errorf("the new hold is %+v", now)
	}
	shop.balanced(t, s)
	awaitMap(b, string(s.ID), func(m apiclient.Seatmap) bool { return m.Sold == 2 && m.Held == 0 })
}

// TestLateMoneySeatsTaken: the money goes back, once, and the seats stay whose
// they are.
func TestLateMoneySeatsTaken(t *testing.T) {
	on := parallelWithout(t, []string{callbacks, askProvider}, relayPayments, expireHold, relayHolds)
	s, b, other := shop.open(t, "standard-90"), guest(t), guest(t)
	h := b.hold(s, s.regular(t, 3, 0)...)
	p := b.pay(h.ID, "late")
	until(t, h.ExpiresAt.Add(graceTime))
	taken := other.hold(s, h.Seats[1].ID) // one is enough
	if o := read[apiclient.Order](b, "/orders/"+p.OrderID); o.Status != "CANCELLED" {
		t.Errorf("before the money the order is %s", o.Status)
	}
	until(t, h.ExpiresAt.Add(graceTime+5*time.Second)) // the money has come, and is not known
	on()
	o := b.await(p.OrderID, "REFUNDED", 10*time.Second)
	if len(o.Tickets) != 0 {
		t.Errorf("a refunded order has tickets: %+v", o)
	}
	oneRefund(t, p.ID, o.Total.Amount)
	ours, err := shop.store.PaymentByID(t.Context(), payment.ID(p.ID))
	must(t, err)
	if ours.State != payment.Refunded {
		t.Errorf("the payment is %s", ours.State)
	}
	// Whatever comes again changes nothing.
	awaitDelivered(t, provider.deliver(t, p.ID, 5, 0), p.ID)
	oneRefund(t, p.ID, o.Total.Amount)
	if got := read[apiclient.Hold](other, "/holds/"+taken.ID); got.State != "held" {
		t.Errorf("the other's hold is %s", got.State)
	}
	paidFor(t, other.await(other.pay(taken.ID, "success").OrderID, "PAID", 10*time.Second))
	shop.balanced(t, s)
}

func oneRefund(t *testing.T, payment string, minor int64) {
	t.Helper()
	rs, err := provider.Refunds(payment)
	must(t, err)
	if len(rs) != 1 || rs[0].Amount.Minor != minor || rs[0].State != sim.Done {
		t.Errorf("refunds are %+v, not one of %d", rs, minor)
	}
}

// awaitDelivered waits until all of the callbacks were taken.
func awaitDelivered(t *testing.T, sent []sim.Callback, payment string) {
	t.Helper()
	eventually(t, 10*time.Second, func() error {
		for _, c := range provider.callbacks(t, payment) {
			mine := slices.ContainsFunc(sent, func(s sim.Callback) bool { return s.N == c.N })
			if mine && c.Progress != sim.Delivered {
				return yet("callback %d is %s after %+v", c.N, c.Progress, c.Tries)
			}
		}
		return nil
	})
}

// TestPaidInTheGrace: a client that is late by its own clock is not late (A7).
func TestPaidInTheGrace(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	until(t, h.ExpiresAt.Add(100*time.Millisecond))
	p := b.pay(h.ID, "success")
	o := b.await(p.OrderID, "PAID", 10*time.Second)
	verify(b, string(s.ID), o)
	sold, err := shop.store.OrderByID(t.Context(), order.ID(o.ID))
	must(t, err)
	if end := h.ExpiresAt.Add(graceTime); sold.PaidAt.Before(end) != (sold.HoldID == h.ID) {
		t.Errorf("paid at %s, grace until %s: the sold hold is %s, was %s", sold.PaidAt, end, sold.HoldID, h.ID)
	}
	paidFor(t, o)
	shop.balanced(t, s)
}

// TestPaidAfterTheGrace is refused, and the seats are free at once.
func TestPaidAfterTheGrace(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	until(t, h.ExpiresAt.Add(graceTime))
	_, err := b.tryPay(h.ID, "success")
	refused(t, err, 409, "hold_expired")
	_, err = b.tryPay(h.ID, "success")
	refused(t, err, 409, "hold_expired")
	ended, err := shop.store.HoldByID(t.Context(), booking.HoldID(h.ID))
	must(t, err)
	if ended.State != booking.Expired || ended.OrderID != "" {
		t.Errorf("the hold is %s with order %q", ended.State, ended.OrderID)
	}
	guest(t).hold(s, seatsOf(h)...)
	shop.balanced(t, s)
}
