package payment

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/money"
)

var price = money.Amount{Minor: 2998, Currency: "USD"}

func samplePayment(s State) Payment {
	return Payment{ID: "p0000001", HoldID: "h1", OrderID: "o1", Provider: Sandbox, State: s, Amount: price}
}

func sampleReport(s ReportState) Report {
	return Report{Payment: "p0000001", Order: "o1", State: s, Amount: price}
}

var sampleOrder = OrderView{ID: "o1", Total: price}

// The table once more, by hand: state and what is heard, then the hold payable,
// overdue, ended, sold by this, sold by other.
const settleTable = `
pending   pending   Wait Wait Wait Nothing Wait
pending   unknown   Wait Wait Wait Nothing Wait
pending   failed    MarkFailed MarkFailed MarkFailed Nothing MarkFailed
pending   closed    MarkFailed MarkFailed MarkFailed Nothing MarkFailed
pending   captured  Confirm Regrant Regrant Nothing Refund
failed    pending   Nothing Nothing Nothing Nothing Nothing
failed    unknown   Nothing Nothing Nothing Nothing Nothing
failed    failed    MarkFailed MarkFailed MarkFailed Nothing MarkFailed
failed    closed    MarkFailed MarkFailed MarkFailed Nothing MarkFailed
failed    captured  Confirm Regrant Regrant Nothing Refund
captured  pending   Nothing Nothing Nothing Nothing Nothing
captured  unknown   Nothing Nothing Nothing Nothing Nothing
captured  failed    Nothing Nothing Nothing Nothing Nothing
captured  closed    Nothing Nothing Nothing Nothing Nothing
captured  captured  Confirm Regrant Regrant Nothing Refund
refunding pending   Nothing Nothing Nothing Nothing Nothing
refunding unknown   Nothing Nothing Nothing Nothing Nothing
refunding failed    Nothing Nothing Nothing Nothing Nothing
refunding closed    Nothing Nothing Nothing Nothing Nothing
refunding captured  Nothing Nothing Nothing Nothing Nothing
refunded  pending   Nothing Nothing Nothing Nothing Nothing
refunded  unknown   Nothing Nothing Nothing Nothing Nothing
refunded  failed    Nothing Nothing Nothing Nothing Nothing
refunded  closed    Nothing Nothing Nothing Nothing Nothing
refunded  captured  Nothing Nothing Nothing Nothing Nothing
`

var views = []HoldView{HoldPayable, HoldOverdue, HoldEnded, HoldSoldByThis, HoldSoldByOther}

func TestSettleEveryCell(t *testing.T) {
	cells := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(settleTable)) {
		f := strings.Fields(line)
		for i, h := range views {
			p, r := samplePayment(State(f[0])), sampleReport(ReportState(f[1]))
			got, err := Settle(p, sampleOrder, h, r)
			if err != nil || got.String() != f[2+i] {
				t.Errorf("%s, %s, hold %d: %v %v, want %s", f[0], f[1], h, got, err, f[2+i])
			}
			cells[fmt.Sprint(f[0], f[1], h)] = true
		}
	}
	if want := len(States) * len(ReportStates) * len(views); len(cells) != want {
		t.Errorf("%d cells of %d", len(cells), want)
	}
}

func TestSettleReadsTheOrderToo(t *testing.T) {
	for _, c := range []struct {
		name  string
		order OrderView
		hold  HoldView
		want  Verdict
		err   error
	}{
		{"order paid by this, first hold ended: regranted before", OrderView{"o1", price, "p0000001", false}, HoldEnded, Nothing, nil},
		{"order paid by this, hold read before", OrderView{"o1", price, "p0000001", false}, HoldPayable, Nothing, nil},
		{"order paid by another, hold ended", OrderView{"o1", price, "p0000002", false}, HoldEnded, Refund, nil},
		{"order paid by another, hold read before", OrderView{"o1", price, "p0000002", false}, HoldPayable, Refund, nil},
		{"hold sold by this, order read before", OrderView{"o1", price, "", false}, HoldSoldByThis, Nothing, nil},
		{"order refunded", OrderView{"o1", price, "p0000001", true}, HoldEnded, Refund, nil},
		{"two buyers", OrderView{"o1", price, "p0000002", false}, HoldSoldByThis, 0, ErrState},
		{"two buyers, the other way", OrderView{"o1", price, "p0000001", false}, HoldSoldByOther, 0, ErrState},
		{"no view", sampleOrder, 0, 0, ErrState},
		{"view past the last", sampleOrder, HoldSoldByOther + 1, 0, ErrState},
	} {
		got, err := Settle(samplePayment(Pending), c.order, c.hold, sampleReport(ReportCaptured))
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %v %v, want %v %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestSettleRefusesWhatDoesNotFit(t *testing.T) {
	for name, change := range map[string]func(*Payment, *OrderView, *Report){
		"amount":              func(_ *Payment, _ *OrderView, r *Report) { r.Amount.Minor++ },
		"currency":            func(_ *Payment, _ *OrderView, r *Report) { r.Amount.Currency = "EUR" },
		"no amount":           func(_ *Payment, _ *OrderView, r *Report) { r.Amount = money.Amount{} },
		"order":               func(_ *Payment, _ *OrderView, r *Report) { r.Order = "o2" },
		"payment":             func(_ *Payment, _ *OrderView, r *Report) { r.Payment = "p0000002" },
		"provider":            func(_ *Payment, _ *OrderView, r *Report) { r.Provider = Alipay },
		"order of the hold":   func(_ *Payment, o *OrderView, _ *Report) { o.ID = "o2" },
		"total of the order":  func(_ *Payment, o *OrderView, _ *Report) { o.Total.Minor-- },
		"nothing was asked":   func(p *Payment, o *OrderView, r *Report) { p.Amount.Minor, o.Total.Minor, r.Amount.Minor = 0, 0, 0 },
		"amount of a failure": func(_ *Payment, _ *OrderView, r *Report) { r.State, r.Amount.Minor = ReportFailed, 1 },
	} {
		for _, s := range States {
			p, o, r := samplePayment(s), sampleOrder, sampleReport(ReportCaptured)
			change(&p, &o, &r)
			if v, err := Settle(p, o, HoldPayable, r); v != 0 || !errors.Is(err, ErrMismatch) {
				t.Errorf("%s at %s: %v %v", name, s, v, err)
			}
		}
	}
}

// TestSettleReadsWhatIsNamed: what some providers name and others do not must fit
// where it is named.
func TestSettleReadsWhatIsNamed(t *testing.T) {
	made := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	for _, c := range []struct {
		name   string
		change func(*Payment, *Report)
		want   Verdict
	}{
		{"as asked", func(*Payment, *Report) {}, Confirm},
		{"no order", func(_ *Payment, r *Report) { r.Order = "" }, Confirm},
		{"its second", func(_ *Payment, r *Report) { r.CreatedAt = made.Truncate(time.Second) }, Confirm},
		{"another second", func(_ *Payment, r *Report) { r.CreatedAt = made.Truncate(time.Second).Add(time.Second) }, 0},
		{"the same money", func(p *Payment, r *Report) { p.State, p.ProviderRef, r.ProviderRef = Captured, "a", "a" }, Confirm},
		{"money without a number", func(p *Payment, r *Report) { p.State, p.ProviderRef = Captured, "a" }, Confirm},
		{"second money", func(p *Payment, r *Report) { p.State, p.ProviderRef, r.ProviderRef = Captured, "a", "b" }, 0},
		{"second money after the first went back", func(p *Payment, r *Report) { p.State, p.ProviderRef, r.ProviderRef = Refunded, "a", "b" }, 0},
		{"a number told with the QR code", func(p *Payment, r *Report) { p.ProviderRef, r.ProviderRef = "a", "b" }, Confirm},
	} {
		p, r := samplePayment(Pending), sampleReport(ReportCaptured)
		p.CreatedAt = made
		c.change(&p, &r)
		got, err := Settle(p, sampleOrder, HoldPayable, r)
		if got != c.want || (c.want == 0) != errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v %v, want %v", c.name, got, err, c.want)
		}
	}
}

// TestSettleRefundOfWhatIsNotTold: a pending refund claims nothing, so its amount may
// be missing. Its provider must be the payment's.
func TestSettleRefundOfWhatIsNotTold(t *testing.T) {
	p := samplePayment(Refunding)
	if s, err := SettleRefund(p, "r0000001", RefundReport{ID: "r0000001", Payment: p.ID, State: RefundPending}); s != Refunding || err != nil {
		t.Error(s, err)
	}
	good := RefundReport{ID: "r0000001", Payment: p.ID, State: RefundDone, Amount: p.Amount}
	for name, r := range map[string]RefundReport{
		"done without amount": {ID: "r0000001", Payment: p.ID, State: RefundDone},
		"of another provider": *Notice{Refund: &good}.By(Alipay).Refund,
	} {
		if s, err := SettleRefund(p, "r0000001", r); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %s %v", name, s, err)
		}
	}
	if s, err := SettleRefund(p, "r0000001", *Notice{Refund: &good}.By(Sandbox).Refund); s != Refunded || err != nil || good.Provider != "" {
		t.Error(s, err)
	}
}

func TestSettleTakesAnUnknownWithoutAmount(t *testing.T) {
	r := sampleReport(ReportUnknown)
	r.Amount = money.Amount{}
	if v, err := Settle(samplePayment(Pending), sampleOrder, HoldEnded, r); v != Wait || err != nil {
		t.Fatal(v, err)
	}
}

func TestSettleRefusesUnknownStates(t *testing.T) {
	for _, h := range views {
		if v, err := Settle(samplePayment("paid"), sampleOrder, h, sampleReport(ReportCaptured)); v != 0 || !errors.Is(err, ErrState) {
			t.Errorf("payment: %v %v", v, err)
		}
		if v, err := Settle(samplePayment(Pending), sampleOrder, h, sampleReport("paid")); v != 0 || !errors.Is(err, ErrState) {
			t.Errorf("report: %v %v", v, err)
		}
	}
}

func TestSettleRefund(t *testing.T) {
	for _, c := range []struct {
		state State
		said  RefundState
		want  State
		err   error
	}{
		{Refunding, RefundPending, Refunding, nil},
		{Refunding, RefundDone, Refunded, nil},
		{Refunding, RefundFailed, "", ErrRefused},
		{Refunding, "gone", "", ErrState},
		{Refunded, RefundPending, Refunded, nil},
		{Refunded, RefundDone, Refunded, nil},
		{Refunded, RefundFailed, Refunded, nil},
		{Pending, RefundDone, "", ErrMismatch},
		{Captured, RefundDone, "", ErrMismatch},
		{Failed, RefundDone, "", ErrMismatch},
	} {
		p := samplePayment(c.state)
		id := RefundFor(p.ID, 1)
		got, err := SettleRefund(p, id, RefundReport{ID: id, Payment: p.ID, State: c.said, Amount: price})
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s, %s: %q %v", c.state, c.said, got, err)
		}
	}
	p := samplePayment(Refunding)
	id := RefundFor(p.ID, 1)
	for name, r := range map[string]RefundReport{
		"number":  {ID: RefundFor(p.ID, 2), Payment: p.ID, State: RefundDone, Amount: price},
		"payment": {ID: id, Payment: "p0000002", State: RefundDone, Amount: price},
		"amount":  {ID: id, Payment: p.ID, State: RefundDone, Amount: money.Amount{Minor: 1, Currency: "USD"}},
	} {
		if s, err := SettleRefund(p, id, r); s != "" || !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %q %v", name, s, err)
		}
	}
}

// desk is a naive shop: one hold, one order, several payments, and a ledger of
// what was done with each one's money.
type desk struct {
	hold      HoldView // from nobody's view: Payable, Overdue, Ended, or sold
	seatsFree bool
	order     OrderView
	payments  []Payment
	ticketed  map[ID]int
	refunded  map[ID]int
}

func (d *desk) hear(t *rapid.T, i int, said ReportState) {
	p := &d.payments[i]
	h := d.hold
	if h == HoldSoldByOther && d.order.PaidBy == p.ID {
		h = HoldSoldByThis
	}
	v, err := Settle(*p, d.order, h, Report{Payment: p.ID, Order: "o1", State: said, Amount: price})
	if err != nil {
		t.Fatal(err)
	}
	switch v {
	case Confirm:
		d.sell(p)
	case Regrant:
		d.hold = HoldEnded
		if d.seatsFree {
			d.seatsFree = false
			d.sell(p)
		} else {
			d.giveBack(p)
		}
	case Refund:
		d.giveBack(p)
	case MarkFailed:
		p.State = Failed
	}
}

func (d *desk) sell(p *Payment) {
	p.State, d.hold, d.order.PaidBy = Captured, HoldSoldByOther, p.ID
	d.ticketed[p.ID]++
}

func (d *desk) giveBack(p *Payment) {
	p.State = Refunding
	d.refunded[p.ID]++
}

func TestMoneyIsTickets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &desk{
			hold: HoldPayable, seatsFree: rapid.Bool().Draw(t, "free"), order: sampleOrder,
			ticketed: map[ID]int{}, refunded: map[ID]int{},
		}
		for i := range 3 {
			p := samplePayment(Pending)
			p.ID = ID(fmt.Sprintf("p000000%d", i))
			d.payments = append(d.payments, p)
		}
		paid := map[int]bool{}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			if d.hold < HoldEnded && rapid.IntRange(0, 4).Draw(t, "age") == 0 {
				d.hold++
				continue
			}
			i := rapid.IntRange(0, 2).Draw(t, "payment")
			said := rapid.SampledFrom(ReportStates).Draw(t, "said")
			paid[i] = paid[i] || said == ReportCaptured
			d.hear(t, i, said)
		}
		for i, p := range d.payments {
			tickets, refunds := d.ticketed[p.ID], d.refunded[p.ID]
			if want := paid[i]; (tickets+refunds == 1) != want || tickets+refunds > 1 {
				t.Fatalf("payment %d: captured %v, ticketed %d, refunded %d", i, want, tickets, refunds)
			}
		}
		if len(d.ticketed) > 1 {
			t.Fatalf("order sold to %d payments", len(d.ticketed))
		}
	})
}
