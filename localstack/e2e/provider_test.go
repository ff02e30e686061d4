package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

// spoil makes the provider answer badly until the test's end, or until mend is
// called. The test must have the callbacks off, so that no other pays meanwhile.
func spoil(t *testing.T, fault string) (mend func()) {
	t.Helper()
	set := func(to string) {
		must(t, provider.call(http.MethodPut, "defaults", map[string]string{"fault": to}, nil))
	}
	set(fault)
	t.Cleanup(func() { set("") })
	return func() { set("") }
}

// TestProviderFaults: an answer that is lost, or never given, costs nobody money
// or seats; the same request later is the same payment.
func TestProviderFaults(t *testing.T) {
	on := parallelWithout(t, []string{callbacks, askProvider}, relayPayments, relayHolds, projectHolds)
	s, b := shop.open(t, "standard-90"), guest(t)
	pay := func(hold string, into any) error {
		return b.Call(t.Context(), http.MethodPost, "/holds/"+hold+"/payments", "one key "+hold, map[string]string{"provider": "sandbox"}, into)
	}
	for n, fault := range []string{"lost", "unavailable"} {
		h := b.hold(s, s.regular(t, 2, n)...)
		mend := spoil(t, fault)
		err := pay(h.ID, nil)
		code := map[string]string{"lost": "outcome_unknown", "unavailable": "busy"}[fault]
		if p := refused(t, err, 503, code); p.RetryAfter == "" {
			t.Errorf("%s: no Retry-After", fault)
		}
		mend()
		var p apiclient.Payment
		must(t, pay(h.ID, &p))
		if again := b.pay(h.ID, "success"); again.ID != p.ID || len(p.Action) == 0 {
			t.Errorf("%s: %+v, then %+v", fault, p, again)
		}
		defer func() { paidFor(t, b.await(p.OrderID, "PAID", 15*time.Second)) }()
	}
	// One whose answer was lost and who never comes back: asking finds the money.
	lost := b.hold(s, s.regular(t, 1, 10)...)
	mend := spoil(t, "lost")
	refused(t, pay(lost.ID, nil), 503, "outcome_unknown")
	mend()
	must(t, stack.Resume(askProvider))
	holds, err := shop.holds(t.Context(), s)
	must(t, err)
	for _, h := range holds {
		if string(h.ID) == lost.ID {
			paidFor(t, b.await(h.OrderID, "PAID", holdTime))
		}
	}
	on()
}

// TestReleasedWhilePaying: who gives the seats back and pays all the same gets
// them if they are free still, else his money, once.
func TestReleasedWhilePaying(t *testing.T) {
	on := parallelWithout(t, []string{callbacks, askProvider}, relayPayments, relayHolds, projectHolds)
	s, b, other := shop.open(t, "standard-90"), guest(t), guest(t)
	free, taken := b.hold(s, s.regular(t, 2, 0)...), b.hold(s, s.regular(t, 2, 1)...)
	first, second := b.pay(free.ID, "success"), b.pay(taken.ID, "success")
	b.release(free.ID)
	b.release(taken.ID)
	for _, p := range []apiclient.Payment{first, second} {
		if o := read[apiclient.Order](b, "/orders/"+p.OrderID); o.Status != "CANCELLED" {
			t.Errorf("given back, its order is %s", o.Status)
		}
	}
	mine := other.hold(s, taken.Seats[0].ID)
	must(t, provider.call(http.MethodPost, "release", map[string]string{"order": "reverse"}, nil))
	eventually(t, 10*time.Second, func() error { // the callback alone tells that the seats are another's
		p, err := shop.store.PaymentByID(t.Context(), payment.ID(second.ID))
		if err == nil && p.State != payment.Refunding {
			err = yet("the payment is %s", p.State)
		}
		return err
	})
	on()
	o := b.await(first.OrderID, "PAID", 10*time.Second)
	verify(b, string(s.ID), o)
	paidFor(t, o)
	sold, err := shop.store.OrderByID(t.Context(), order.ID(o.ID))
	must(t, err)
	if sold.HoldID == free.ID {
		t.Error("a released hold was sold in place")
	}
	oneRefund(t, second.ID, b.await(second.OrderID, "REFUNDED", 10*time.Second).Total.Amount)
	other.release(mine.ID)
	shop.balanced(t, s)
}
