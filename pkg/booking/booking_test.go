package booking_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

var (
	policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
	noon   = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	end    = noon.Add(policy.Hold)
	states = []booking.State{booking.Held, booking.Sold, booking.Released, booking.Expired, booking.Refunded, booking.Blocked}
)

func usd(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }

func holdIn(s booking.State) booking.Hold {
	return booking.Hold{
		ID: "h", Show: "show", Buyer: "ann", State: s, ExpiresAt: end, Rev: 3, MadeAt: noon, OrderID: "o", PaymentID: "p1",
		Seats: []booking.Seat{
			{ID: "A-1", Type: seatmap.Regular, Block: "0", Price: usd(1000)},
			{ID: "A-2", Type: seatmap.Premium, Block: "0", Price: usd(1500)},
			{ID: "A-3", Type: seatmap.Regular, Block: "0", Price: usd(1000)},
		},
	}
}

// TestHoldLifetime: until expiresAt + grace the buyer can pay and nobody can end
// the hold for being late; from then on it is the other way round.
func TestHoldLifetime(t *testing.T) {
	for _, tt := range []struct {
		name string
		now  time.Time
		over bool
	}{
		{"at once", noon, false},
		{"at the end", end, false},
		{"in the grace", end.Add(policy.Grace - time.Millisecond), false},
		{"at the end of the grace", end.Add(policy.Grace), true},
		{"after it", end.Add(policy.Grace + time.Millisecond), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := holdIn(booking.Held)
			if h.Overdue(policy, tt.now) != tt.over {
				t.Errorf("overdue %v", !tt.over)
			}
			want := error(nil)
			if tt.over {
				want = booking.ErrHoldExpired
			}
			if err := h.Payable(policy, tt.now); err != want {
				t.Errorf("payable: %v, want %v", err, want)
			}
			if _, err := booking.Confirm(h, policy, "p1", tt.now); err != want {
				t.Errorf("confirm: %v, want %v", err, want)
			}
			if _, err := booking.StartPayment(h, policy, "o", "p2", nil, tt.now); err != want {
				t.Errorf("start: %v, want %v", err, want)
			}
			want = booking.ErrNotOverdue
			if tt.over {
				want = nil
			}
			if _, err := booking.Release(h, policy, booking.ByExpiry, nil, tt.now); err != want {
				t.Errorf("expiry: %v, want %v", err, want)
			}
		})
	}
	for _, s := range states[1:] {
		if holdIn(s).Overdue(policy, end.Add(time.Hour)) {
			t.Errorf("a %v hold is overdue", s)
		}
	}
}

func TestPayable(t *testing.T) {
	for s, want := range map[booking.State]error{
		booking.Held: nil, booking.Sold: booking.ErrAlreadyPaid, booking.Expired: booking.ErrHoldExpired,
		booking.Released: booking.ErrHoldEnded, booking.Refunded: booking.ErrHoldEnded,
		booking.Blocked: booking.ErrHoldNotFound, 0: booking.ErrHoldNotFound,
	} {
		if err := holdIn(s).Payable(policy, noon); err != want {
			t.Errorf("%v: %v, want %v", s, err, want)
		}
	}
}

func TestConfirmAndStartPayment(t *testing.T) {
	h, err := booking.Confirm(holdIn(booking.Held), policy, "p2", noon)
	if err != nil || h.State != booking.Sold || h.PaymentID != "p2" || h.Rev != 4 || h.OrderID != "o" {
		t.Errorf("confirmed %+v, %v", h, err)
	}
	h, err = booking.StartPayment(holdIn(booking.Held), policy, "o2", "p2", nil, noon)
	if err != nil || h.State != booking.Held || h.PaymentID != "p2" || h.Rev != 4 || h.OrderID != "o2" || !h.ExpiresAt.Equal(end) {
		t.Errorf("started %+v, %v", h, err)
	}
}

// TestRelease is the whole table of causes and states.
func TestRelease(t *testing.T) {
	late := end.Add(policy.Grace)
	ended, paid := booking.ErrHoldEnded, booking.ErrAlreadyPaid
	for _, tt := range []struct {
		state                        booking.State
		owner, expiry, refund, house error
	}{
		{booking.Held, nil, nil, ended, ended},
		{booking.Sold, paid, paid, nil, paid},
		{booking.Blocked, ended, ended, ended, nil},
		{booking.Released, ended, ended, ended, ended},
		{booking.Expired, ended, ended, ended, ended},
		{booking.Refunded, ended, ended, ended, ended},
		{0, ended, ended, ended, ended},
	} {
		becomes := map[booking.Cause]booking.State{
			booking.ByOwner: booking.Released, booking.ByExpiry: booking.Expired,
			booking.ByRefund: booking.Refunded, booking.ByHouse: booking.Released,
		}
		for cause, want := range map[booking.Cause]error{
			booking.ByOwner: tt.owner, booking.ByExpiry: tt.expiry, booking.ByRefund: tt.refund, booking.ByHouse: tt.house,
		} {
			h := holdIn(tt.state)
			e, err := booking.Release(h, policy, cause, nil, late)
			if err != want {
				t.Errorf("%v by cause %d: %v, want %v", tt.state, cause, err, want)
			}
			if err == nil && (e.Hold.State != becomes[cause] || e.Hold.Rev != h.Rev+1 || !e.Hold.EndedAt.Equal(late) || e.Was.Rev != h.Rev) {
				t.Errorf("%v by cause %d: %+v", tt.state, cause, e.Hold)
			}
		}
		if _, err := booking.Release(holdIn(tt.state), policy, 0, nil, late); err == nil {
			t.Errorf("%v ended for no cause", tt.state)
		}
	}
}

// TestNoGap: each seat goes to the line if its type is wanted, else it is free.
func TestNoGap(t *testing.T) {
	for _, tt := range []struct {
		wanted     booking.Wanted
		free, line string
		types      []seatmap.SeatType
	}{
		{nil, "A-1 A-2 A-3", "", []seatmap.SeatType{seatmap.Regular, seatmap.Premium}},
		{booking.Wanted{seatmap.Regular}, "A-2", "A-1 A-3", []seatmap.SeatType{seatmap.Premium}},
		{booking.Wanted{seatmap.Premium, seatmap.Wheelchair}, "A-1 A-3", "A-2", []seatmap.SeatType{seatmap.Regular}},
		{booking.Wanted{seatmap.Regular, seatmap.Premium}, "", "A-1 A-2 A-3", nil},
		{booking.Wanted{seatmap.Loveseat}, "A-1 A-2 A-3", "", []seatmap.SeatType{seatmap.Regular, seatmap.Premium}},
	} {
		e, err := booking.Release(holdIn(booking.Held), policy, booking.ByOwner, tt.wanted, noon)
		if err != nil || names(e.Free) != tt.free || names(e.Line) != tt.line {
			t.Errorf("%v: free %s, line %s, %v", tt.wanted, names(e.Free), names(e.Line), err)
		}
		if fmt.Sprint(e.FreedTypes()) != fmt.Sprint(tt.types) {
			t.Errorf("%v: freed types %v, want %v", tt.wanted, e.FreedTypes(), tt.types)
		}
		if e.Hold.Aside != len(e.Line) || len(e.Free)+len(e.Line) != 3 {
			t.Errorf("%v: a seat is lost or twice: %+v", tt.wanted, e)
		}
	}
}

func names(seats []booking.Seat) string {
	var ids []string
	for _, s := range seats {
		ids = append(ids, string(s.ID))
	}
	return strings.Join(ids, " ")
}

func TestRegrant(t *testing.T) {
	for _, s := range states {
		h, err := booking.Regrant(holdIn(s), "h2", "p1", noon)
		if s == booking.Expired || s == booking.Released {
			if err != nil || h.ID != "h2" || h.State != booking.Sold || h.Rev != 1 || h.Buyer != "ann" || h.PaymentID != "p1" || h.OrderID != "o" || names(h.Seats) != "A-1 A-2 A-3" {
				t.Errorf("%v: %+v, %v", s, h, err)
			}
			if _, err := booking.Regrant(holdIn(s), "h2", "p2", noon); err != booking.ErrHoldEnded {
				t.Errorf("%v for another payment: %v", s, err)
			}
			continue
		}
		if err != booking.ErrHoldEnded {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestTotal(t *testing.T) {
	if sum, err := holdIn(booking.Held).Total(); err != nil || sum != usd(3500) {
		t.Errorf("%v, %v", sum, err)
	}
	if _, err := (booking.Hold{}).Total(); err != booking.ErrNoSeats {
		t.Errorf("of nothing: %v", err)
	}
	h := holdIn(booking.Held)
	h.Seats[1].Price.Currency = "EUR"
	if _, err := h.Total(); err != money.ErrCurrency {
		t.Errorf("of two currencies: %v", err)
	}
	h = holdIn(booking.Held)
	h.Seats[1].Price.Minor = math.MaxInt64
	if _, err := h.Total(); err != money.ErrOverflow {
		t.Errorf("of too much: %v", err)
	}
}

func TestStates(t *testing.T) {
	for _, s := range states {
		if got, ok := booking.ParseState(s.String()); got != s || !ok {
			t.Errorf("%v is read as %v", s, got)
		}
		if live := s == booking.Held || s == booking.Sold || s == booking.Blocked; s.Live() != live {
			t.Errorf("%v live: %v", s, s.Live())
		}
	}
	for _, bad := range []string{"", "invalid", "HELD", "held "} {
		if s, ok := booking.ParseState(bad); ok {
			t.Errorf("%q is read as %v", bad, s)
		}
	}
	if booking.State(0).String() != "invalid" || booking.State(99).String() != "invalid" || booking.State(0).Live() {
		t.Error("the zero state is valid")
	}
}

func TestIDs(t *testing.T) {
	a := booking.IDFor("ann", "key")
	if a != booking.IDFor("ann", "key") || !strings.HasPrefix(string(a), "h_") || len(a) != 28 {
		t.Errorf("id %s", a)
	}
	for _, other := range []booking.HoldID{booking.IDFor("ann", "key2"), booking.IDFor("bob", "key"), booking.IDFor("annk", "ey"), booking.IDFor("", "annkey")} {
		if other == a {
			t.Errorf("two requests share %s", a)
		}
	}
}

func TestDigestsDiffer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SliceOf(rapid.String())
		x, y := parts.Draw(rt, "x"), parts.Draw(rt, "y")
		if same := fmt.Sprintf("%q", x) == fmt.Sprintf("%q", y); same != (booking.Digest(x...) == booking.Digest(y...)) {
			rt.Fatalf("digests of %q and %q", x, y)
		}
	})
}

func TestOwns(t *testing.T) {
	h := booking.Hold{Buyer: "ann", BodyHash: "x"}
	for _, tt := range []struct {
		buyer booking.Buyer
		hash  string
		want  error
	}{{"ann", "x", nil}, {"bob", "x", nil}, {"ann", "y", booking.ErrOtherBody}} {
		if err := h.Owns(booking.Request{Buyer: tt.buyer, BodyHash: tt.hash}); err != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestWords(t *testing.T) {
	for next, word := range map[booking.Next]string{
		booking.ChooseOther: "choose_other_seats", booking.Wait: "wait", booking.ShowFull: "show_full",
	} {
		if next.String() != word {
			t.Errorf("next %d is %q, want %q", next, next, word)
		}
	}
	if booking.Next(0).String() != "" || booking.Next(9).String() != "" {
		t.Error("the zero Next has a word")
	}
	for s, word := range map[booking.Standing]string{
		booking.StandingFree: "free", booking.StandingHeld: "held", booking.StandingSold: "sold",
		booking.StandingLine: "line", booking.StandingBlocked: "blocked", 0: "invalid", 77: "invalid",
	} {
		if s.String() != word {
			t.Errorf("standing %d is %q, want %q", s, s, word)
		}
	}
}

func TestOnSale(t *testing.T) {
	show := catalog.Show{Status: catalog.OnSale, SaleOpensAt: noon, SaleClosesAt: noon.Add(time.Hour)}
	gone := show
	gone.Status = catalog.Cancelled
	for _, tt := range []struct {
		name    string
		show    catalog.Show
		now     time.Time
		open    bool
		opensAt time.Time
	}{
		{"before", show, noon.Add(-time.Millisecond), false, noon},
		{"first moment", show, noon, true, time.Time{}},
		{"last moment", show, noon.Add(time.Hour - time.Millisecond), true, time.Time{}},
		{"closed", show, noon.Add(time.Hour), false, time.Time{}},
		{"cancelled", gone, noon, false, time.Time{}},
		{"cancelled before", gone, noon.Add(-time.Hour), false, time.Time{}},
	} {
		err := booking.OnSale(tt.show, tt.now)
		var no *booking.Refusal
		if (err == nil) != tt.open || !tt.open && (!errors.As(err, &no) || no.Reason != booking.ErrSalesClosed || !no.OpensAt.Equal(tt.opensAt)) {
			t.Errorf("%s: %v %+v", tt.name, err, no)
		}
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: kind %d", tt.name, fault.KindOf(err))
		}
	}
}
