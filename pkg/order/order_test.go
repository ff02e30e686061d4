package order

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/ticket"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func usd(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }

// sample is a valid order in a state.
func sample(s Status) Order {
	o := Order{
		ID: "o1", HoldID: "h1", ShowID: "s1", Buyer: "b1", Status: s, Total: usd(2998), CreatedAt: t0,
		Seats: []Seat{{"C-7", "regular", usd(1499)}, {"C-8", "regular", usd(1499)}},
	}
	switch s {
	case Paid:
		o.PaidBy, o.PaidAt, o.Tickets = "p0000001", t0, tickets(o)
	case Refunded:
		o.PaidBy, o.PaidAt = "p0000001", t0
	}
	return o
}

func tickets(o Order) []Ticket {
	var out []Ticket
	for _, s := range o.Seats {
		out = append(out, Ticket{ID: ticket.IDFor(string(o.ID), s.ID), Seat: s.ID, Code: "code"})
	}
	return out
}

func move(o Order, to Status) (Order, error) {
	switch to {
	case Paid:
		return o.Pay("p0000001", "h2", tickets(o), t0)
	case Cancelled:
		return o.Cancel()
	}
	return o.Refund("p0000001")
}

func TestEveryMove(t *testing.T) {
	for _, c := range []struct {
		from, to Status
		err      error
	}{
		{Pending, Paid, nil},
		{Pending, Cancelled, nil},
		{Pending, Refunded, ErrMove},
		{Paid, Paid, ErrPaid},
		{Paid, Cancelled, ErrMove},
		{Paid, Refunded, nil},
		{Cancelled, Paid, nil},
		{Cancelled, Cancelled, ErrMove},
		{Cancelled, Refunded, nil},
		{Refunded, Paid, ErrMove},
		{Refunded, Cancelled, ErrMove},
		{Refunded, Refunded, ErrMove},
		{"", Paid, ErrMove},
		{"", Cancelled, ErrMove},
		{"", Refunded, ErrMove},
	} {
		got, err := move(sample(c.from), c.to)
		if !errors.Is(err, c.err) || err == nil && got.Status != c.to {
			t.Errorf("%s to %s: %s %v", c.from, c.to, got.Status, err)
		}
		if err == nil && got.Check() != nil {
			t.Errorf("%s to %s: %v", c.from, c.to, got.Check())
		}
	}
}

func TestPayTakesOneTicketASeat(t *testing.T) {
	o := sample(Pending)
	good := tickets(o)
	paid, err := o.Pay("p0000001", "h2", good, t0)
	if err != nil || paid.HoldID != "h2" || paid.PaidBy != "p0000001" || !paid.PaidAt.Equal(t0) {
		t.Fatalf("%+v %v", paid, err)
	}
	if o.Status != Pending || o.Tickets != nil {
		t.Error("the order given was changed")
	}
	for name, bad := range map[string][]Ticket{
		"none":        nil,
		"one missing": good[:1],
		"one more":    append(slices.Clone(good), good[0]),
		"other order": {good[1], good[0]},
		"one twice":   {good[0], good[0]},
		"no code":     {good[0], {ID: good[1].ID, Seat: good[1].Seat}},
	} {
		if _, err := o.Pay("p0000001", "h2", bad, t0); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRefundOfAnotherPaymentLeavesThePaidOrder(t *testing.T) {
	if _, err := sample(Paid).Refund("p0000002"); !errors.Is(err, ErrMove) {
		t.Errorf("paid by 1, refunded by 2: %v", err)
	}
	o, err := sample(Paid).Refund("p0000001")
	if err != nil || len(o.Tickets) != 0 {
		t.Errorf("%v, %d tickets live", err, len(o.Tickets))
	}
}

func TestView(t *testing.T) {
	for s, want := range map[Status]payment.OrderView{
		Pending:   {ID: "o1", Total: usd(2998)},
		Cancelled: {ID: "o1", Total: usd(2998)},
		Paid:      {ID: "o1", Total: usd(2998), PaidBy: "p0000001"},
		Refunded:  {ID: "o1", Total: usd(2998), PaidBy: "p0000001", Shut: true},
	} {
		if got := sample(s).View(); got != want {
			t.Errorf("%s: %+v", s, got)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, s := range Statuses {
		if err := sample(s).Check(); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if got, err := ParseStatus(string(s)); got != s || err != nil {
			t.Errorf("%s: %q %v", s, got, err)
		}
	}
	for name, change := range map[string]func(*Order){
		"status":             func(o *Order) { o.Status = "paid" },
		"no status":          func(o *Order) { o.Status = "" },
		"total":              func(o *Order) { o.Total.Minor++ },
		"currency of total":  func(o *Order) { o.Total.Currency = "EUR" },
		"currency of a seat": func(o *Order) { o.Seats[1].Price.Currency = "EUR" },
		"price":              func(o *Order) { o.Seats[0].Price.Minor, o.Seats[1].Price.Minor = -1, 2999 },
		"no seats":           func(o *Order) { o.Seats, o.Tickets, o.Total.Minor = nil, nil, 0 },
		"unpaid with payer":  func(o *Order) { o.Status, o.Tickets = Pending, nil },
		"paid by nobody":     func(o *Order) { o.PaidBy = "" },
		"paid at no time":    func(o *Order) { o.PaidAt = time.Time{} },
		"tickets refunded":   func(o *Order) { o.Status = Refunded },
		"ticket without id":  func(o *Order) { o.Tickets[0].ID = "" },
	} {
		o := sample(Paid)
		change(&o)
		if err := o.Check(); !errors.Is(err, ErrBroken) && !errors.Is(err, money.ErrCurrency) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSum(t *testing.T) {
	if _, err := Sum(nil); !errors.Is(err, ErrBroken) {
		t.Error(err)
	}
	most := usd(1<<63 - 1)
	if _, err := Sum([]Seat{{Price: most}, {Price: usd(1)}}); !errors.Is(err, money.ErrOverflow) {
		t.Error(err)
	}
	if got, err := Sum([]Seat{{Price: usd(1)}, {Price: usd(2)}}); got != usd(3) || err != nil {
		t.Error(got, err)
	}
}

// Whatever is tried in whatever order, the order is whole, is paid at most once
// and never leaves REFUNDED.
func TestMovesKeepTheOrderWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, payers := sample(Pending), map[payment.ID]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			by := rapid.SampledFrom([]payment.ID{"p0000001", "p0000002"}).Draw(t, "by")
			next, err := o, error(nil)
			switch rapid.IntRange(0, 2).Draw(t, "move") {
			case 0:
				next, err = o.Pay(by, "h2", tickets(o), t0)
			case 1:
				next, err = o.Cancel()
			case 2:
				next, err = o.Refund(by)
			}
			if err != nil {
				continue
			}
			if o.Status == Refunded || next.Status == o.Status {
				t.Fatalf("%s became %s", o.Status, next.Status)
			}
			if next.Status == Paid {
				payers[by] = true
			}
			if o = next; o.Check() != nil {
				t.Fatal(o.Check())
			}
		}
		if len(payers) > 1 {
			t.Fatal("paid twice")
		}
	})
}
