package line_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// TestAsk: the refusals in the contract's order, each row with all later reasons
// standing too.
func TestAsk(t *testing.T) {
	l := hall(t)
	none, all := func(int) bool { return false }, func(int) bool { return true }
	shut := line.View{Layout: l, Place: line.Place{CoolUntil: noon.Add(time.Second)}, ClosesAt: noon, Free: none}
	with := func(v line.View, f func(*line.View)) line.View { f(&v); return v }
	for _, tt := range []struct {
		name string
		join line.Join
		view line.View
		want *fault.Error
		wait time.Duration
	}{
		{"nobody", line.Join{}, shut, line.ErrParty, 0},
		{"eleven", line.Join{Party: 11}, shut, line.ErrParty, 0},
		{"negative", line.Join{Party: -1}, shut, line.ErrParty, 0},
		{"a type that the hall has not", line.Join{Party: 1, Types: types(seatmap.Standing)}, shut, line.ErrUnknownType, 0},
		{"no type at all", line.Join{Party: 1, Types: types("")}, shut, line.ErrUnknownType, 0},
		{"waiting already", line.Join{Party: 5, Types: types(prem)}, with(shut, func(v *line.View) { v.Place.Live = "w" }), line.ErrAlreadyWaiting, 0},
		{"more than the hall has", line.Join{Party: 3, Types: types(prem)}, with(shut, func(v *line.View) { v.Free = all }), line.ErrInfeasible, 0},
		{"half a loveseat", line.Join{Party: 1, Types: types(love)}, shut, line.ErrInfeasible, 0},
		{"a companion alone", line.Join{Party: 1, Types: types(comp)}, shut, line.ErrInfeasible, 0},
		{"all sold", line.Join{Party: 1}, with(shut, func(v *line.View) { v.Unsold = none }), line.ErrInfeasible, 0},
		{"enough is free", line.Join{Party: 2, Types: types(prem)}, with(shut, func(v *line.View) { v.Free = all }), line.ErrSeatsFree, 0},
		{"cooling down", line.Join{Party: 2}, shut, line.ErrCoolDown, 0},
		{"closed", line.Join{Party: 2}, with(shut, func(v *line.View) { v.Place.CoolUntil = noon }), booking.ErrSalesClosed, 0},
		{"before the sale", line.Join{Party: 2}, line.View{Layout: l, OpensAt: noon.Add(1)}, booking.ErrSalesClosed, 0},
		{"in time: no longer than the line is open", line.Join{Party: 2}, line.View{Layout: l, OpensAt: noon, ClosesAt: noon.Add(1)}, nil, 1},
		{"an hour before the closing", line.Join{Party: 2}, line.View{Layout: l, ClosesAt: noon.Add(time.Hour)}, nil, time.Hour},
		{"long before the closing", line.Join{Party: 2}, line.View{Layout: l, ClosesAt: noon.Add(2 * time.Hour)}, nil, time.Hour},
		{"never closing", line.Join{Party: 10}, line.View{Layout: l}, nil, time.Hour},
		{"too few are free", line.Join{Party: 2, Types: types(prem)}, line.View{Layout: l, Free: set(l, "C-5 A-1 A-2")}, nil, time.Hour},
	} {
		w, err := line.Ask(tt.join, tt.view, policy, noon)
		if tt.want != nil {
			if !errors.Is(err, tt.want) || !reflect.DeepEqual(w, line.Waiter{}) {
				t.Errorf("%s: %+v, %v; want %v", tt.name, w, err, tt.want)
			}
			continue
		}
		if err != nil || w.State != line.Asked || w.Number != 0 || !w.AskedAt.Equal(noon) || !w.ExpiresAt.Equal(noon.Add(tt.wait)) || w.Party != tt.join.Party {
			t.Errorf("%s: %+v, %v", tt.name, w, err)
		}
	}
	if _, err := line.Ask(line.Join{Party: 1}, line.View{Layout: l}, line.Policy{}, noon); err != line.ErrPolicy {
		t.Errorf("without a policy: %v", err)
	}
}

func TestTypes(t *testing.T) {
	l := hall(t)
	for _, tt := range []struct {
		wish  []seatmap.SeatType
		party int
		want  []seatmap.SeatType
	}{
		{nil, 2, types(love, prem, reg)},
		{nil, 3, types(prem, reg)},
		{types(reg, prem, reg), 2, types(prem, reg)},
		{types(love), 1, types(love)},
		{types(love, reg), 1, types(reg)},
		{types(love, reg), 2, types(love, reg)},
		{types(wheel), 1, types(wheel)},
		{types(wheel), 2, types(comp, wheel)},
		{types(wheel, reg), 3, types(comp, reg, wheel)},
	} {
		got, err := line.Types(l, tt.wish, tt.party)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%v for %d: %v, %v; want %v", tt.wish, tt.party, got, err, tt.want)
		}
	}
}

func TestSame(t *testing.T) {
	w := line.Waiter{Buyer: "ann", BodyHash: "x"}
	if err := w.Same(line.Join{Buyer: "ann", BodyHash: "x"}); err != nil {
		t.Error(err)
	}
	if err := w.Same(line.Join{Buyer: "bob", BodyHash: "x"}); err != nil { // ann logged in as bob since
		t.Error(err)
	}
	for _, j := range []line.Join{{Buyer: "ann", BodyHash: "y"}} {
		if err := w.Same(j); !errors.Is(err, booking.ErrOtherBody) {
			t.Errorf("%+v: %v", j, err)
		}
	}
}

var sale = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}

func usd(n int64) money.Amount { return money.Amount{Minor: n, Currency: "USD"} }

func show() catalog.Show {
	return catalog.Show{ID: "show", Status: catalog.OnSale, SaleOpensAt: noon.Add(-time.Hour), SaleClosesAt: noon, Prices: []catalog.Price{
		{Type: reg, Amount: usd(1000)}, {Type: prem, Amount: usd(2000)}, {Type: love, Amount: usd(1500)},
	}}
}

func seatIDs(ids ...seatmap.SeatID) []seatmap.SeatID { return ids }

func TestAccept(t *testing.T) {
	l := hall(t)
	deadline := noon.Add(2 * time.Minute)
	w := offered(t, l, 7, deadline, "A-1 A-2")
	w.Buyer, w.BodyHash, w.Show = "ann", "x", "show"
	state := func(st line.WaiterState) line.Waiter { v := w; v.State = st; return v }
	// Set aside: one open of a type to choose, one open of another, one for somebody else.
	aside := slices.Concat(pool(t, l, "A-1 A-2", "w7"), pool(t, l, "A-4 C-1 C-2 C-5", ""), pool(t, l, "A-5", "w8"))
	late := deadline.Add(policy.Grace)
	for _, tt := range []struct {
		name    string
		w       line.Waiter
		seats   []seatmap.SeatID
		holding int
		now     time.Time
		want    *fault.Error
		about   string
		mine    string
		open    string
		back    string
	}{
		{name: "the proposal", w: w, now: noon, mine: "A-1 A-2"},
		{name: "the proposal by name", w: w, seats: seatIDs("A-2", "A-1"), now: noon, mine: "A-2 A-1"},
		{name: "one of it and one open", w: w, seats: seatIDs("A-2", "A-4"), now: noon, mine: "A-2", open: "A-4", back: "A-1"},
		{name: "at the last moment of the grace", w: w, now: late.Add(-time.Millisecond), mine: "A-1 A-2"},
		{name: "at its end", w: w, now: late, want: booking.ErrHoldExpired},
		{name: "lapsed", w: state(line.Lapsed), now: noon, want: booking.ErrHoldExpired},
		{name: "waiting", w: state(line.Waiting), now: noon, want: line.ErrNoOffer},
		{name: "entering", w: state(line.Entering), now: noon, want: line.ErrNoOffer},
		{name: "asked", w: state(line.Asked), now: noon, want: line.ErrNoOffer},
		{name: "accepted already", w: state(line.Accepted), now: noon, want: line.ErrNoOffer},
		{name: "declined", w: state(line.Declined), now: noon, want: line.ErrNoOffer},
		{name: "one of two", w: w, seats: seatIDs("A-1"), now: noon, want: line.ErrPartySize},
		{name: "three of two", w: w, seats: seatIDs("A-1", "A-2", "A-4"), now: noon, want: line.ErrPartySize},
		{name: "one twice", w: w, seats: seatIDs("A-1", "A-1"), now: noon, want: booking.ErrDuplicate},
		{name: "a seat of no hall", w: w, seats: seatIDs("A-1", "Z-1"), now: noon, want: booking.ErrUnknownSeat},
		{name: "half a loveseat", w: w, seats: seatIDs("A-1", "C-1"), now: noon, want: booking.ErrPairSplit},
		{name: "another's", w: w, seats: seatIDs("A-1", "A-5"), now: noon, want: line.ErrNotYourSeat, about: "[A-5]"},
		{name: "not set aside", w: w, seats: seatIDs("A-1", "B-1"), now: noon, want: line.ErrNotYourSeat, about: "[B-1]"},
		{name: "of a type that is collected for another", w: w, seats: seatIDs("C-1", "C-2"), now: noon, want: line.ErrNotYourSeat, about: "[C-1 C-2]"},
		{name: "up to ten", w: w, holding: 8, now: noon, mine: "A-1 A-2"},
		{name: "past ten", w: w, holding: 9, now: noon, want: booking.ErrSeatLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := line.Accepting{Seats: tt.seats, Pool: aside, Holding: tt.holding, Hold: "h", Show: show(), Layout: l}
			a, err := line.Accept(tt.w, req, policy, sale, tt.now)
			if tt.want != nil {
				var no *booking.Refusal
				if !errors.Is(err, tt.want) || tt.about != "" && (!errors.As(err, &no) || fmt.Sprint(no.Seats) != tt.about) {
					t.Errorf("%v, want %v about %s", err, tt.want, tt.about)
				}
				if !reflect.DeepEqual(a, line.Acceptance{}) {
					t.Errorf("and still %+v", a)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a.Mine, pool(t, l, tt.mine, "w7")) || !slices.Equal(a.Open, pool(t, l, tt.open, "")) || !slices.Equal(a.Back, pool(t, l, tt.back, "w7")) {
				t.Errorf("mine %v, open %v, back %v", a.Mine, a.Open, a.Back)
			}
			h := a.Hold
			if h.ID != "h" || h.Buyer != "ann" || h.State != booking.Held || !h.ExpiresAt.Equal(tt.now.Add(sale.Hold)) || len(h.Seats) != 2 || h.Rev != 1 {
				t.Errorf("hold %+v", h)
			}
			if v := a.Waiter; v.State != line.Accepted || v.Hold != "h" || !v.EndedAt.Equal(tt.now) || a.Was.State != line.Offered {
				t.Errorf("waiter %+v", v)
			}
		})
	}
}

// TestLeaving: what a place may do about itself in each state, and whether an offer
// was refused by it.
func TestLeaving(t *testing.T) {
	l := hall(t)
	for st := line.Asked; st <= line.TimedOut; st++ {
		w := who(1, st, 1, reg)
		if st == line.Offered {
			w = offered(t, l, 1, noon, "A-1")
		}
		var declined, left *fault.Error
		switch {
		case st.Ended():
			declined, left = line.ErrPlaceEnded, line.ErrPlaceEnded
		case st != line.Offered:
			declined = line.ErrNoOffer
		}
		for _, tt := range []struct {
			name string
			act  func(line.Waiter, time.Time) (line.Leaving, error)
			want *fault.Error
			to   line.WaiterState
		}{{"decline", line.Decline, declined, line.Declined}, {"leave", line.Leave, left, line.Left}} {
			got, err := tt.act(w, noon)
			if tt.want != nil {
				if err != tt.want {
					t.Errorf("%s when %s: %v", tt.name, st, err)
				}
				continue
			}
			if err != nil || got.Waiter.State != tt.to || !got.Waiter.EndedAt.Equal(noon) || got.Refused != (st == line.Offered) || len(got.Back) != len(w.Offer.Seats) || got.Was.State != st {
				t.Errorf("%s when %s: %+v, %v", tt.name, st, got, err)
			}
		}
	}
}

// TestCoolDown: the second offer refused cools, and every further one.
func TestCoolDown(t *testing.T) {
	var p line.Place
	p.Live = "w"
	for _, tt := range []struct {
		refused bool
		lapses  int
		cools   bool
	}{{false, 0, false}, {true, 1, false}, {false, 1, false}, {true, 2, true}, {true, 3, true}} {
		p.Live, p.CoolUntil = "w", time.Time{}
		p = p.Close(tt.refused, policy, noon)
		if p.Live != "" || p.Lapses != tt.lapses || p.CoolUntil.Equal(noon.Add(policy.CoolDown)) != tt.cools {
			t.Errorf("%+v, want %+v", p, tt)
		}
	}
}

func TestWaiterStates(t *testing.T) {
	for st := line.WaiterState(0); st < 14; st++ {
		back, ok := line.ParseWaiterState(st.String())
		if ok != st.Valid() || ok && back != st || st.Valid() != (st >= line.Asked && st <= line.TimedOut) {
			t.Errorf("%d %s comes back as %d, %v", st, st, back, ok)
		}
		if st.Active() && st.Ended() || (st == line.Offered) != (st.Active() && !st.Ended() && st > line.Waiting) {
			t.Errorf("%s: active %v, ended %v", st, st.Active(), st.Ended())
		}
	}
	if _, ok := line.ParseWaiterState(""); ok {
		t.Error("the empty word is a state")
	}
	for _, s := range []fmt.Stringer{line.Rule(0), line.Rule(9), line.Act(0), line.Act(99), line.WaiterState(0)} {
		if s.String() != "invalid" {
			t.Errorf("%T says %s", s, s)
		}
	}
	if line.Strict.String() != "strict" || line.Bounded.String() != "bounded" {
		t.Error("the published names of the rules")
	}
}

// TestUnsold: sold under one revision in both reads is sold; all else could still
// come free.
func TestUnsold(t *testing.T) {
	l := hall(t)
	sold := line.Fate{Hold: "h", State: booking.Sold, Rev: 2}
	held := line.Fate{Hold: "h", State: booking.Held, Rev: 1}
	anew := line.Fate{Hold: "h2", State: booking.Sold, Rev: 2}
	later := line.Fate{Hold: "h", State: booking.Sold, Rev: 3}
	house := line.Fate{Hold: "b", State: booking.Blocked, Rev: 1}
	for _, tt := range []struct {
		name          string
		first, second line.Fate
		could         bool
	}{
		{"sold twice", sold, sold, false},
		{"blocked twice", house, house, false},
		{"free", line.Fate{}, line.Fate{}, true},
		{"held", held, held, true},
		{"sold since", held, sold, true},
		{"given back since", sold, line.Fate{}, true},
		{"sold, given back and sold", sold, anew, true},
		{"changed in between", sold, later, true},
	} {
		id := l.At(3).ID
		could := line.Unsold(l, map[seatmap.SeatID]line.Fate{id: tt.first}, map[seatmap.SeatID]line.Fate{id: tt.second})
		if could(3) != tt.could || !could(2) {
			t.Errorf("%s: could come free %v", tt.name, could(3))
		}
	}
}
