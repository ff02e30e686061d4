package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
	"github.com/fairseat/fairseat/pkg/store"
)

// TestCallbacksTwice: what was heard once changes nothing again (OneEffect).
func TestCallbacksTwice(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "success")
	o := b.await(p.OrderID, "PAID", 10*time.Second)
	before := rows(t, h.ID, p)
	awaitDelivered(t, provider.deliver(t, p.ID, 10, 0), p.ID)
	awaitDelivered(t, provider.deliver(t, p.ID, 1, 4*time.Minute), p.ID) // old, but within its window
	unchanged(t, before, rows(t, h.ID, p))
	paidFor(t, o)
	shop.balanced(t, s)
}

// TestCallbacksOutOfOrder: a refusal that arrives after the money of the next try
// is out of date.
func TestCallbacksOutOfOrder(t *testing.T) {
	on := parallelWithout(t, []string{callbacks}, relayPayments, askProvider, relayHolds)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	first := b.pay(h.ID, "decline")
	var second apiclient.Payment
	eventually(t, 6*time.Second, func() error { // the decline is learned by asking
		if second = b.pay(h.ID, "success"); second.ID == first.ID {
			return yet("the declined payment is pending")
		}
		return nil
	})
	on() // in reverse order: the money first
	o := b.await(second.OrderID, "PAID", 10*time.Second)
	for _, p := range []string{first.ID, second.ID} {
		awaitDelivered(t, provider.callbacks(t, p), p)
	}
	if again := read[apiclient.Order](b, "/orders/"+o.ID); again.Status != "PAID" || len(again.Tickets) != 2 {
		t.Errorf("after the refusal the order is %+v", again)
	}
	paidFor(t, o)
	shop.balanced(t, s)
}

// TestCallbackDelayed: it comes seconds late, but before the end of the hold.
func TestCallbackDelayed(t *testing.T) {
	on := parallelWithout(t, []string{callbacks, askProvider}, relayPayments, relayHolds)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "success")
	until(t, h.ExpiresAt.Add(-3*time.Second))
	if o := read[apiclient.Order](b, "/orders/"+p.OrderID); o.Status != "PENDING" {
		t.Errorf("before its callback the order is %s", o.Status)
	}
	on()
	b.await(p.OrderID, "PAID", 10*time.Second)
	if got := read[apiclient.Hold](b, "/holds/"+h.ID); got.State != "sold" {
		t.Errorf("the hold is %s", got.State)
	}
	shop.balanced(t, s)
}

// rows are the items that a callback can change, as they are stored.
func rows(t *testing.T, hold string, p apiclient.Payment) []store.Item {
	t.Helper()
	var items []store.Item
	for _, k := range []store.Key{
		{Table: store.Holds, PK: "HOLD#" + hold, SK: "HOLD"},
		{Table: store.Orders, PK: "ORDER#" + p.OrderID, SK: "ORDER"},
		{Table: store.Orders, PK: "PAY#" + p.ID, SK: "PAY"},
	} {
		it, err := shop.tables.Get(t.Context(), k, true)
		must(t, err)
		if it == nil {
			t.Fatalf("no item %v", k)
		}
		delete(it, "ask") // appointments go on meanwhile
		delete(it, "attempt")
		delete(it, "woken")
		items = append(items, it)
	}
	return items
}

func unchanged(t *testing.T, before, after []store.Item) {
	t.Helper()
	for i := range before {
		if !before[i].Equal(after[i]) {
			t.Errorf("changed:\n%v\n%v", before[i], after[i])
		}
	}
}

// TestForgedCallbacks: nobody but the provider is believed, and he only of the
// very payment, order, amount and currency; the right words are believed at last,
// which shows that the wrong ones were refused for what was wrong with them.
func TestForgedCallbacks(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "late") // pending until long after
	other := b.pay(b.hold(s, s.regular(t, 1, 5)...).ID, "decline")
	theirs, err := provider.Payments(p.OrderID)
	must(t, err)
	right := payView{ID: p.ID, Order: p.OrderID, Ref: theirs[0].Ref, State: "captured", At: time.Now().UTC().Format("2006-01-02T15:04:05.000Z")}
	right.Amount = amount{h.Total.Amount, h.Total.Currency}
	say := func(change func(*payView)) []byte {
		v := right
		change(&v)
		body, err := json.Marshal(notice{ID: "ev-forged", Event: "payment", Payment: &v})
		must(t, err)
		return body
	}
	now, good := time.Now(), say(func(*payView) {})
	with := func(name, value string) http.Header {
		h := signed(sandboxSecret, now, good)
		h[http.CanonicalHeaderKey(name)] = strings.Split(value, "|")
		if value == "" {
			delete(h, http.CanonicalHeaderKey(name))
		}
		return h
	}
	own := func(body []byte) http.Header { return signed(sandboxSecret, now, body) }
	type lie struct {
		name   string
		header http.Header
		body   []byte
		status int
	}
	lies := []lie{
		{"unsigned", http.Header{"Content-Type": {"application/json"}}, good, 401},
		{"without signature", with("X-Sandbox-Signature", ""), good, 401},
		{"without timestamp", with("X-Sandbox-Timestamp", ""), good, 401},
		{"two signatures", with("X-Sandbox-Signature", "a|b"), good, 401},
		{"other secret", signed("some-other-secret-0123456789", now, good), good, 401},
		{"other body", own([]byte("{}")), good, 401},
		{"one more blank", own(good), append([]byte(" "), good...), 401},
		{"other time", with("X-Sandbox-Timestamp", fmt.Sprint(now.Unix()+1)), good, 401},
		{"old", signed(sandboxSecret, now.Add(-6*time.Minute), good), good, 401},
		{"from the future", signed(sandboxSecret, now.Add(6*time.Minute), good), good, 401},
		{"no JSON", own([]byte("{")), []byte("{"), 400},
		{"nothing", own(nil), nil, 400},
	}
	for _, m := range []struct {
		name   string
		change func(*payView)
		status int
	}{
		{"less money", func(v *payView) { v.Amount.Amount-- }, 409},
		{"more money", func(v *payView) { v.Amount.Amount++ }, 409},
		{"other money", func(v *payView) { v.Amount.Currency = "JPY" }, 409},
		{"no money", func(v *payView) { v.Amount.Amount = 0 }, 400},
		{"another order", func(v *payView) { v.Order = other.OrderID }, 409},
		{"no such order", func(v *payView) { v.Order = "o_none" }, 409},
		{"another payment", func(v *payView) { v.ID = other.ID }, 409},
		{"no such payment", func(v *payView) { v.ID = "aaaaaaaaaaaaaaaaaaaaaaaaaa" }, 404},
		{"no such state", func(v *payView) { v.State = "bought" }, 400},
	} {
		body := say(m.change)
		lies = append(lies, lie{m.name, own(body), body, m.status})
	}
	before, beforeOther := rows(t, h.ID, p), rows(t, b.holdOf(other), other)
	nobody := &apiclient.Client{Base: stack.URL, HTTP: wire}
	for _, l := range lies {
		got, err := nobody.Do(t.Context(), "POST", "/callbacks/sandbox", l.header, l.body)
		must(t, err)
		if got.Status != l.status {
			t.Errorf("%s: %d %s, wanted %d", l.name, got.Status, got.Body, l.status)
		}
	}
	unchanged(t, before, rows(t, h.ID, p))
	unchanged(t, beforeOther, rows(t, b.holdOf(other), other))

	got, err := nobody.Do(t.Context(), "POST", "/callbacks/sandbox", own(good), good)
	must(t, err)
	if o := read[apiclient.Order](b, "/orders/"+p.OrderID); got.Status != 200 || o.Status != "PAID" {
		t.Errorf("the right words are answered %d, the order is %s", got.Status, o.Status)
	}
	oldOnes(t, p.ID)
	eventually(t, lateBy, func() error { // the money that was only claimed comes
		ps, err := provider.Payments(p.OrderID)
		if err == nil && ps[0].State != sim.Captured {
			err = yet("the late payment is %s", ps[0].State)
		}
		return err
	})
	shop.balanced(t, s)
}

// oldOnes: even the provider's own callback is refused outside its window.
func oldOnes(t *testing.T, payment string) {
	t.Helper()
	eventually(t, lateBy, func() error {
		if len(provider.callbacks(t, payment)) == 0 {
			return yet("no callback")
		}
		return nil
	})
	sent := provider.deliver(t, payment, 1, 10*time.Minute)
	eventually(t, 5*time.Second, func() error {
		for _, c := range provider.callbacks(t, payment) {
			if c.N != sent[0].N {
				continue
			}
			if len(c.Tries) == 0 {
				return yet("not tried")
			}
			if c.Tries[0].Status != 401 {
				t.Errorf("a callback of ten minutes ago is answered %d", c.Tries[0].Status)
			}
		}
		return nil
	})
}

// holdOf finds the hold that a payment is for.
func (b *buyer) holdOf(p apiclient.Payment) string {
	b.t.Helper()
	it, err := shop.tables.Get(b.ctx(), store.Key{Table: store.Orders, PK: "PAY#" + p.ID, SK: "PAY"}, true)
	must(b.t, err)
	id, _ := it["hold"].(string)
	return id
}
