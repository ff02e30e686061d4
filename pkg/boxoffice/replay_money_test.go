package boxoffice_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

func completedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := gather(t, layoutOf(studio))
		h := c.hold("ann", "k", "A-1", "A-2")
		p := c.pay(h, "p")
		report := c.bank.capture(p.ID)
		c.arrive(8, func(int) error { return c.Settle(c.ctx(), report) }, func(i int, err error) {
			if err != nil {
				t.Errorf("completion %d: %v", i, err)
			}
		})
		once := c.wantOrder(p.OrderID, order.Paid)
		c.settle(report)
		if twice := c.wantOrder(p.OrderID, order.Paid); len(twice.Tickets) != 2 || !slices.Equal(once.Tickets, twice.Tickets) {
			t.Errorf("tickets %+v, then %+v", once.Tickets, twice.Tickets)
		}
		c.wantPayment(p.ID, payment.Captured)
		c.wantAllowance("ann", 2)
		c.sound()
	})
	maximumWhenPaid(t)
	TestMoneyAfterTheSale(t)
}

// maximumWhenPaid: late money finds its buyer with nine others.
func maximumWhenPaid(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1", "A-2")
	p := d.pay(h, "p")
	d.overdue(h)
	d.mustEnd(h, booking.ByExpiry)
	d.hold("ann", "more", "B-1", "B-2", "B-3", "B-4", "B-5", "B-6", "C-1", "C-2", "C-3")
	d.settle(d.bank.capture(p.ID))
	d.appointments(p.ID, 2)
	d.wantOneRefund(p)
	d.wantAllowance("ann", 9)
	d.sound()
}

func declinedCard(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	seen := map[payment.ID]bool{}
	for _, key := range []string{"first card", "second card", "third card"} {
		p := d.pay(h, key)
		if seen[p.ID] {
			t.Fatalf("%s is asked for under a number that was declined", key)
		}
		seen[p.ID] = true
		d.settle(d.bank.decline(p.ID))
		d.wantHold(h.ID, booking.Held)
	}
	p := d.pay(h, "at last")
	d.settle(d.bank.capture(p.ID))
	d.wantOrder(p.OrderID, order.Paid)
	d.sound()
}

func paidAfterCancelling(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1", "A-2")
	p := d.pay(h, "p")
	d.giveBack(h)
	d.wantOrder(p.OrderID, order.Cancelled)
	bobs := d.sell("bob", "A-1")
	d.settle(d.bank.capture(p.ID))
	if o := d.wantOrder(p.OrderID, order.Cancelled); len(o.Tickets) != 0 {
		t.Errorf("a cancelled order has tickets %+v", o.Tickets)
	}
	d.appointments(p.ID, 2)
	d.wantOneRefund(p)
	d.wantOrder(p.OrderID, order.Refunded)
	d.wantHold(bobs.ID, booking.Sold)
	d.wantFree("A-2")
	d.sound()
}

func doubleCharge(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	first := d.pay(h, "p1")
	d.settle(d.bank.decline(first.ID)) // says the provider, and takes the money after all
	second := d.pay(h, "p2")
	d.settle(d.bank.capture(second.ID))
	d.settle(d.bank.capture(first.ID))
	d.appointments(first.ID, 3)
	done := payment.RefundReport{ID: payment.RefundFor(first.ID, 1), Payment: first.ID, State: payment.RefundDone, Amount: first.Amount}
	for range 2 { // and calls back about it
		if err := d.Hear(d.ctx(), payment.Notice{Refund: &done}); err != nil {
			t.Fatal(err)
		}
	}
	d.wantOneRefund(first)
	if o := d.wantOrder(second.OrderID, order.Paid); o.PaidBy != second.ID || len(o.Tickets) != 1 {
		t.Errorf("the paid order is %+v", o)
	}
	if n, _ := d.bank.refunded(second.ID); n != 0 {
		t.Error("the money that bought the ticket went back")
	}
	d.wantHold(h.ID, booking.Sold)
	d.sound()
}

// refundMeetsCallback: late money whose seats are just becoming free, or just going.
func refundMeetsCallback(t *testing.T) {
	begin := func(t *testing.T) (*desk, *racing, payment.Report, func()) {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1")
		p := d.pay(h, "p")
		d.overdue(h)
		report := d.bank.capture(p.ID)
		r := &racing{Store: d.store}
		d.Office.Store = r
		return d, r, report, func() {
			for range 3 {
				d.settle(report)
			}
			d.appointments(p.ID, 3)
			d.sound()
		}
	}
	// The refund was decided, then the seat came back and the callback again.
	d, r, report, end := begin(t)
	eve := d.hold("eve", "k", "A-1")
	r.change = func() { d.giveBack(eve); d.settle(report) }
	d.settle(report)
	end()
	d.wantPayment(report.Payment, payment.Captured)
	if n, _ := d.bank.refunded(report.Payment); n != 0 {
		t.Errorf("it bought the seat, and went back %d times", n)
	}
	// The sale was decided, then the seat went, the refund began, and the seat came back.
	d, r, report, end = begin(t)
	r.regrant = func() {
		eve := d.hold("eve", "k", "A-1")
		d.settle(report)
		d.giveBack(eve)
	}
	d.settle(report)
	end()
	d.wantPayment(report.Payment, payment.Refunded)
	d.wantFree("A-1")
}

// racing does something once, just before the money is moved.
type racing struct {
	boxoffice.Store
	change, regrant func()
}

func (s *racing) ChangePayment(ctx context.Context, p boxoffice.PaymentChange, o *boxoffice.OrderChange) error {
	once(&s.change)
	return s.Store.ChangePayment(ctx, p, o)
}

func (s *racing) Regrant(ctx context.Context, old, h booking.Hold, keepUntil time.Time, p boxoffice.PaymentChange, o boxoffice.OrderChange) error {
	once(&s.regrant)
	return s.Store.Regrant(ctx, old, h, keepUntil, p, o)
}
