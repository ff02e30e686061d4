package booking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const snug = `{"halls":[{"id":"snug","name":"Snug","kind":"cinema","numbering":"ltr","seats":18,
"by_type":{"L":4,"P":2,"R":12},"rows":["A: RRRRRR","B: RRRRRR","C: LLLLPP"]}]}`

func hall(t *testing.T) *seatmap.Layout {
	t.Helper()
	halls, err := seatmap.ParseHalls([]byte(snug))
	if err != nil {
		t.Fatal(err)
	}
	l, err := seatmap.Expand(halls[0])
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func ids(s ...seatmap.SeatID) []seatmap.SeatID { return s }

func TestChoose(t *testing.T) {
	l := hall(t)
	row := func(r string, n int) (all []seatmap.SeatID) {
		for i := range n {
			all = append(all, seatmap.SeatID(fmt.Sprintf("%s-%d", r, i+1)))
		}
		return all
	}
	for _, tt := range []struct {
		name   string
		ids    []seatmap.SeatID
		reason *fault.Error
		about  []seatmap.SeatID
	}{
		{"one", ids("A-1"), nil, nil},
		{"ten", append(row("A", 6), row("B", 4)...), nil, nil},
		{"a pair", ids("C-1", "C-2"), nil, nil},
		{"none", nil, booking.ErrNoSeats, nil},
		{"eleven", append(row("A", 6), row("B", 5)...), booking.ErrTooMany, append(row("A", 6), row("B", 5)...)},
		{"twice", ids("A-1", "A-2", "A-1"), booking.ErrDuplicate, ids("A-1")},
		{"unknown", ids("A-1", "Z-9", "A-99"), booking.ErrUnknownSeat, ids("Z-9", "A-99")},
		{"empty name", ids(""), booking.ErrUnknownSeat, ids("")},
		{"twice and unknown", ids("Z-9", "Z-9"), booking.ErrDuplicate, ids("Z-9")},
		{"half a pair", ids("C-1", "C-3", "C-4"), booking.ErrPairSplit, ids("C-2")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chosen, err := booking.Choose(l, tt.ids, policy.MaxSeats)
			if tt.reason == nil {
				if err != nil || fmt.Sprint(l.IDs(chosen)) != fmt.Sprint(tt.ids) {
					t.Errorf("chosen %v, %v", chosen, err)
				}
				return
			}
			var no *booking.Refusal
			if !errors.As(err, &no) || no.Reason != tt.reason || fmt.Sprint(no.Seats) != fmt.Sprint(tt.about) {
				t.Errorf("%v %+v, want %v about %v", err, no, tt.reason, tt.about)
			}
			if !errors.Is(err, tt.reason) || !fault.Is(err, fault.Invalid) || no.Error() != tt.reason.Text {
				t.Errorf("%v is not of its kind", err)
			}
		})
	}
}

func TestTakeAndBlock(t *testing.T) {
	l := hall(t)
	show := catalog.Show{
		ID: "show", Status: catalog.OnSale, SaleOpensAt: noon, SaleClosesAt: noon.Add(time.Hour),
		Prices: []catalog.Price{{Type: seatmap.Regular, Amount: usd(1000)}, {Type: seatmap.Loveseat, Amount: usd(3001)}},
	}
	req := booking.Request{ID: "h", Buyer: "ann", BodyHash: "x"}
	chosen, err := booking.Choose(l, ids("A-1", "C-1", "C-2"), 10)
	if err != nil {
		t.Fatal(err)
	}
	h, err := booking.Take(req, show, l, chosen, policy, noon)
	if err != nil || h.State != booking.Held || !h.ExpiresAt.Equal(end) || h.Rev != 1 || h.Buyer != "ann" || h.BodyHash != "x" || !h.MadeAt.Equal(noon) {
		t.Fatalf("%+v, %v", h, err)
	}
	if sum, err := h.Total(); err != nil || sum != usd(7002) || h.Seats[1].Price != usd(3001) {
		t.Errorf("total %v, %v: every seat has its price", sum, err)
	}
	if h.Seats[0].Block != l.Block(0).Name || h.Seats[1].Type != seatmap.Loveseat {
		t.Errorf("seats %+v", h.Seats)
	}
	if _, err := booking.Take(req, show, l, chosen, policy, noon.Add(time.Hour)); !errors.Is(err, booking.ErrSalesClosed) {
		t.Errorf("after the sale: %v", err)
	}
	if h, err := booking.Allot(req, show, l, chosen, policy, noon.Add(time.Hour)); err != nil || !h.ExpiresAt.Equal(end.Add(time.Hour)) || len(h.Seats) != 3 {
		t.Errorf("promised before the sale ended: %+v, %v", h, err)
	}
	premium, _ := booking.Choose(l, ids("C-5"), 10)
	if _, err := booking.Take(req, show, l, premium, policy, noon); err == nil {
		t.Error("a seat without a price was taken")
	}
	b, err := booking.Block("h2", show, l, chosen, noon.Add(48*time.Hour))
	if err != nil || b.State != booking.Blocked || b.Buyer != booking.House || !b.ExpiresAt.IsZero() || len(b.Seats) != 3 {
		t.Errorf("blocked %+v, %v", b, err)
	}
}
