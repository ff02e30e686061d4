package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// TestUnionPay: a person pays for seats, and for seats that have become another's
// meanwhile, whose money goes back once. What UnionPay did not sign is refused, and what
// it says again changes nothing.
func TestUnionPay(t *testing.T) {
	parallel(t)
	bank := provider.at("/unionpay")
	s, b, other := shop.open(t, "standard-90"), guest(t), guest(t)
	h, gone := b.hold(s, s.regular(t, 2, 0)...), b.hold(s, s.regular(t, 2, 1)...)
	p, page := b.payWith(h.ID, "unionpay")
	late, latePage := b.payWith(gone.ID, "unionpay")
	b.release(gone.ID)
	mine := other.hold(s, gone.Seats[0].ID)
	for body, status := range map[string]int{"": 400, "a": 400, "a=1&a=1": 400, "version=5.1.0&signMethod=01&orderId=" + p.ID: 401} {
		got, err := client().Do(t.Context(), "POST", "/callbacks/unionpay", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, []byte(body))
		must(t, err)
		if got.Status != status || string(got.Body) != "fail" {
			t.Errorf("%q: %d %s", body, got.Status, got.Body)
		}
	}
	visit(t, page, "approve")
	visit(t, latePage, "approve")
	o := b.await(p.OrderID, "PAID", 10*time.Second)
	verify(b, string(s.ID), o)
	paidFor(t, o)
	b.await(late.OrderID, "REFUNDED", 10*time.Second)
	oneRefund(t, late.ID, gone.Total.Amount)
	bank.deliver(t, p.ID, 2, 0)
	eventually(t, 5*time.Second, func() error {
		all := bank.callbacks(t, p.ID)
		if n := len(all); n != 3 || all[1].Progress != sim.Delivered || all[2].Progress != sim.Delivered {
			return yet("%d notices", n)
		}
		return nil
	})
	if after := read[apiclient.Order](b, "/orders/"+p.OrderID); after.Status != "PAID" || len(after.Tickets) != 2 {
		t.Errorf("after the notices the order is %+v", after)
	}
	other.release(mine.ID)
	shop.balanced(t, s)
}
