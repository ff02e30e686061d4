package boxoffice_test

import (
	"testing"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

func TestHoldPayTicket(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k1", "A-1", "A-2")
	if h.State != booking.Held || !h.ExpiresAt.Equal(opening.Add(policy.Hold)) || len(h.Seats) != 2 {
		t.Fatalf("hold %+v", h)
	}
	d.wantAllowance("ann", 2)
	p := d.pay(h, "p1")
	if p.State != payment.Pending || p.Action.Value == "" {
		t.Fatalf("payment %+v", p)
	}
	if err := d.Settle(d.ctx(), d.bank.capture(p.ID)); err != nil {
		t.Fatal(err)
	}
	d.wantHold(h.ID, booking.Sold)
	o := d.wantOrder(p.OrderID, order.Paid)
	if len(o.Tickets) != 2 {
		t.Fatalf("tickets %+v", o.Tickets)
	}
}
