package boxoffice_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

// wantOneRefund: the money of the payment went back once, and whole.
func (d *desk) wantOneRefund(p payment.Payment) {
	d.t.Helper()
	if n, sum := d.bank.refunded(p.ID); n != 1 || sum != p.Amount.Minor {
		d.t.Errorf("%d refunds of %d, want one of %d", n, sum, p.Amount.Minor)
	}
	d.wantPayment(p.ID, payment.Refunded)
}

// TestBothPaymentsAreCaptured: the second money goes back, the order stays.
func TestBothPaymentsAreCaptured(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	first := d.pay(h, "p1")
	d.settle(d.bank.decline(first.ID))
	second := d.pay(h, "p2")
	d.settle(d.bank.capture(second.ID))
	for range 2 {
		d.settle(d.bank.capture(first.ID)) // money after a failure is money
	}
	d.wantPayment(first.ID, payment.Refunding)
	d.appointments(first.ID, 3)
	d.wantOneRefund(first)
	if o := d.wantOrder(second.OrderID, order.Paid); o.PaidBy != second.ID || len(o.Tickets) != 1 {
		t.Errorf("order %+v", o)
	}
	d.wantHold(h.ID, booking.Sold)
}

// TestCancelledShow: seats were held, and then the show is cancelled. No payment
// begins; the money of one that had begun goes back, once, and the seats come free.
func TestCancelledShow(t *testing.T) {
	d := newDesk(t)
	paid, unpaid := d.hold("ann", "k", "A-1", "A-2"), d.hold("bob", "k", "B-1")
	p := d.pay(paid, "p")
	show := d.hall.shows[matinee]
	show.Status = catalog.Cancelled
	d.hall.shows[matinee] = show
	_, err := d.Pay(d.ctx(), payWish(unpaid, "p"))
	wantErr(t, err, booking.ErrSalesClosed)
	if again := d.pay(paid, "p"); again.ID != p.ID {
		t.Errorf("the same request again: %+v", again)
	}
	for range 2 {
		d.settle(d.bank.capture(p.ID))
	}
	d.appointments(p.ID, 2)
	d.wantOneRefund(p)
	d.wantOrder(p.OrderID, order.Refunded)
	d.wantHold(paid.ID, booking.Released)
	d.wantFree("A-1", "A-2")
	d.wantAllowance("ann", 0)
	d.overdue(unpaid)
	d.mustEnd(unpaid, booking.ByExpiry)
}

// TestLateMoney: with the seats free it buys them anew, under another hold; with
// one of them gone it goes back, once.
func TestLateMoney(t *testing.T) {
	for _, tt := range []struct {
		name  string
		prior func(*desk, booking.Hold) // what happened before the money came
		sold  bool
	}{
		{"nobody was there", func(*desk, booking.Hold) {}, true},
		{"expired", func(d *desk, h booking.Hold) { d.mustEnd(h, booking.ByExpiry) }, true},
		{"given back", func(d *desk, h booking.Hold) { d.giveBack(h) }, true},
		{"another held and gave back", func(d *desk, h booking.Hold) { d.giveBack(d.hold("eve", "k", "A-1", "B-1")) }, true},
		{"another let it expire", func(d *desk, h booking.Hold) { d.overdue(d.hold("eve", "k", "A-1", "B-1")) }, true},
		{"another holds", func(d *desk, h booking.Hold) { d.hold("eve", "k", "A-2", "B-1") }, false},
		{"another bought", func(d *desk, h booking.Hold) { d.sell("eve", "A-1") }, false},
		{"the line has it", func(d *desk, h booking.Hold) { d.setAside("eve", "A-1") }, false},
		{"somebody waits", func(d *desk, h booking.Hold) { d.want("regular") }, false},
		{"the buyer has ten others", func(d *desk, h booking.Hold) {
			d.mustEnd(h, booking.ByExpiry)
			d.hold("ann", "more", "B-1", "B-2", "B-3", "B-4", "B-5", "B-6", "C-1", "C-2", "C-3")
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			h := d.hold("ann", "k", "A-1", "A-2")
			p := d.pay(h, "p")
			d.overdue(h)
			tt.prior(d, d.holdNow(h.ID))
			report := d.bank.capture(p.ID)
			for range 3 {
				d.settle(report)
			}
			if old := d.holdNow(h.ID); old.State != booking.Expired && old.State != booking.Released {
				t.Errorf("the first hold is %v", old.State)
			}
			if !tt.sold {
				d.wantOrder(p.OrderID, order.Cancelled)
				d.appointments(p.ID, 4)
				d.wantOneRefund(p)
				d.wantOrder(p.OrderID, order.Refunded)
				return
			}
			o := d.wantOrder(p.OrderID, order.Paid)
			again := d.holdNow(booking.HoldID(o.HoldID))
			if again.ID == h.ID || again.State != booking.Sold || len(o.Tickets) != 2 {
				t.Errorf("sold as %+v, order %+v", again, o)
			}
			d.wantAllowance("ann", 2)
			if n, _ := d.bank.refunded(p.ID); n != 0 {
				t.Error("money went back as well")
			}
		})
	}
}

// TestReportsThatDiffer change nothing.
func TestReportsThatDiffer(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	p := d.pay(h, "p")
	good := d.bank.capture(p.ID)
	for name, spoil := range map[string]func(*payment.Report){
		"amount":   func(r *payment.Report) { r.Amount.Minor-- },
		"currency": func(r *payment.Report) { r.Amount.Currency = "EUR" },
		"order":    func(r *payment.Report) { r.Order = "o_other" },
		"nothing":  func(r *payment.Report) { r.Amount = money.Amount{} },
	} {
		r := good
		spoil(&r)
		if err := d.Settle(d.ctx(), r); !errors.Is(err, payment.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
		d.wantPayment(p.ID, payment.Pending)
		d.wantOrder(p.OrderID, order.Pending)
		d.wantHold(h.ID, booking.Held)
	}
	stranger := good
	stranger.Payment = "somebodyelses"
	wantErr(t, d.Settle(d.ctx(), stranger), boxoffice.ErrPaymentNotFound)
	if err := d.Hear(d.ctx(), payment.Notice{}); err == nil {
		t.Error("a callback about nothing was taken")
	}
	if err := d.Hear(d.ctx(), payment.Notice{Payment: &good}); err != nil {
		t.Fatal(err)
	}
	d.wantOrder(p.OrderID, order.Paid)
	err := d.Hear(d.ctx(), payment.Notice{Refund: &payment.RefundReport{ID: payment.RefundFor(p.ID, 1), Payment: p.ID, State: payment.RefundDone, Amount: p.Amount}})
	wantErr(t, err, payment.ErrMismatch) // nobody asked for it
	d.wantOrder(p.OrderID, order.Paid)
}

// TestRefundThatTakesTime is repeated under one number until it is done; its
// callback may come twice.
func TestRefundThatTakesTime(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	p := d.pay(h, "p")
	d.overdue(h)
	d.sell("eve", "A-1")
	d.settle(d.bank.capture(p.ID))
	d.bank.down = true
	wantErr(t, d.due(p.ID), payment.ErrProviderDown)
	d.bank.down, d.bank.slow, d.bank.lose = false, true, true
	wantErr(t, d.due(p.ID), payment.ErrOutcome)
	d.bank.lose = false
	d.appointments(p.ID, 2)
	d.wantPayment(p.ID, payment.Refunding)
	done := payment.RefundReport{ID: payment.RefundFor(p.ID, 1), Payment: p.ID, State: payment.RefundDone, Amount: p.Amount}
	for range 2 {
		if err := d.Hear(d.ctx(), payment.Notice{Refund: &done}); err != nil {
			t.Fatal(err)
		}
	}
	d.wantOneRefund(p)
	d.wantOrder(p.OrderID, order.Refunded)
}

// TestMoneyAfterTheSale: who has a hold may pay until its end, also past the end of the
// sale; money that comes later buys nothing any more.
func TestMoneyAfterTheSale(t *testing.T) {
	d := newDesk(t)
	closes := d.hall.shows[matinee].SaleClosesAt
	d.clock.set(closes.Add(-time.Minute))
	in, late := d.hold("ann", "k", "A-1"), d.hold("bob", "k", "A-2")
	d.clock.set(closes.Add(time.Minute))
	paid, never := d.pay(in, "p"), d.pay(late, "p")
	d.settle(d.bank.capture(paid.ID))
	d.wantOrder(paid.OrderID, order.Paid)
	d.overdue(late)
	d.clock.advance(3 * time.Hour) // the show is over
	d.settle(d.bank.capture(never.ID))
	if o := d.orderNow(never.OrderID); o.Status == order.Paid || len(o.Tickets) != 0 {
		t.Errorf("after the sale had closed, late money bought %+v", o)
	}
	d.appointments(never.ID, 2)
	d.wantOneRefund(never)
	d.wantOrder(never.OrderID, order.Refunded)
	d.sound()
}
