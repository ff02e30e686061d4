package line_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const (
	reg   = seatmap.Regular
	prem  = seatmap.Premium
	love  = seatmap.Loveseat
	wheel = seatmap.Wheelchair
	comp  = seatmap.Companion
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

var policy = line.Policy{
	Offer: 2 * time.Minute, Grace: 5 * time.Second, Wait: time.Hour, CoolDown: 10 * time.Minute, MaxParty: 10, Rule: line.Strict,
}

func bounded(k int) line.Policy {
	p := policy
	p.Rule, p.Passes = line.Bounded, k
	return p
}

// hall has rows A and B of six regular seats, C of four loveseats and two premium
// seats, D of two wheelchair places with a companion's each.
func hall(t testing.TB) *seatmap.Layout {
	t.Helper()
	const text = `{"halls":[{"id":"snug","name":"Snug","kind":"cinema","numbering":"ltr","seats":22,
	"by_type":{"C":2,"L":4,"P":2,"R":12,"W":2},"rows":["A: RRRRRR","B: RRRRRR","C: LLLLPP","D: WC_CW_"]}]}`
	halls, err := seatmap.ParseHalls([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	l, err := seatmap.Expand(halls[0])
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func types(t ...seatmap.SeatType) []seatmap.SeatType { return t }

// set is the seats of a list "A-1 A-2", as a function and as a look-up.
func set(l *seatmap.Layout, ids string) func(i int) bool {
	want := strings.Fields(ids)
	return func(i int) bool { return slices.Contains(want, string(l.At(i).ID)) }
}

func pool(t testing.TB, l *seatmap.Layout, ids string, who line.WaiterID) []line.Aside {
	t.Helper()
	var all []line.Aside
	for _, id := range strings.Fields(ids) {
		at, ok := l.Seat(seatmap.SeatID(id))
		if !ok {
			t.Fatalf("no seat %s", id)
		}
		all = append(all, line.Aside{Seat: at.ID, Type: at.Type, Block: l.Block(at.Block).Name, For: who})
	}
	return all
}

func who(n int, st line.WaiterState, party int, t ...seatmap.SeatType) line.Waiter {
	w := line.Waiter{
		ID: line.WaiterID(fmt.Sprint("w", n)), State: st, Party: party, Types: t, AskedAt: noon.Add(time.Duration(n) * time.Second), ExpiresAt: noon.Add(time.Hour),
	}
	if st != line.Asked {
		w.Number = int64(n)
	}
	return w
}

func offered(t testing.TB, l *seatmap.Layout, n int, until time.Time, ids string) line.Waiter {
	w := who(n, line.Offered, len(strings.Fields(ids)), reg)
	w.Offer = line.Offer{Seats: pool(t, l, ids, w.ID), Choice: types(reg), ExpiresAt: until}
	return w
}

// brief says what a plan does, for tables.
func brief(p line.Plan) string {
	var b strings.Builder
	b.WriteString(p.Act().String())
	seats := func(as []line.Aside) {
		for _, a := range as {
			fmt.Fprintf(&b, " %s", a.Seat)
			if a.For != "" {
				fmt.Fprintf(&b, "=%s", a.For)
			}
		}
	}
	switch {
	case p.Scan != nil:
		fmt.Fprintf(&b, " %v", p.Scan)
	case p.Aside != nil:
		fmt.Fprintf(&b, " %s %s", p.Aside.Waiter.ID, p.Aside.Waiter.State)
		seats(p.Aside.Seats)
		fmt.Fprintf(&b, " dry %v", p.Dry)
	case p.End != nil:
		fmt.Fprintf(&b, " %s refused %v", p.End.Waiter.ID, p.End.Refused)
		seats(p.End.Back)
		for _, e := range p.Along {
			fmt.Fprintf(&b, " along %s", e.Waiter.ID)
		}
	case p.Offer != nil:
		fmt.Fprintf(&b, " %s choice %v", p.Offer.Waiter.ID, p.Offer.Waiter.Offer.Choice)
		seats(p.Offer.Waiter.Offer.Seats)
		for _, w := range p.Offer.Passed {
			fmt.Fprintf(&b, " passes %s(%d)", w.ID, w.Passed)
		}
	case len(p.Number) > 0:
		for _, w := range p.Number {
			fmt.Fprintf(&b, " %s=%d", w.ID, w.Number)
			if w.State != line.Entering {
				fmt.Fprintf(&b, " %s", w.State)
			}
		}
		fmt.Fprintf(&b, " next %d wanted %v dry %v", p.Next, p.Wanted, p.Dry)
	case p.Gates:
		fmt.Fprintf(&b, " %v dry %v", p.Wanted, p.Dry)
	}
	for _, w := range p.Tidy {
		fmt.Fprintf(&b, " tidy %s", w.ID)
	}
	if len(p.Drain) > 0 {
		seats(p.Drain)
	}
	return b.String()
}

func TestStep(t *testing.T) {
	l := hall(t)
	all := func(int) bool { return true }
	late := noon.Add(-time.Second)
	over := noon.Add(-5 * time.Second)
	for _, tt := range []struct {
		name  string
		state line.State
		want  string
	}{
		{"nothing at all", line.State{}, "idle"},

		{"L1 looks first", line.State{Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Entering, 2, reg)}}, "look [regular]"},
		{"L1 looks not for what is dry", line.State{Wanted: types(prem, reg), Dry: types(reg), Waiters: []line.Waiter{who(1, line.Entering, 2, prem, reg)}}, "look [premium]"},
		{"L1 nothing to look for", line.State{Wanted: types(reg), Dry: types(reg), Waiters: []line.Waiter{who(1, line.Entering, 2, reg)}}, "set aside w1 waiting dry [regular]"},
		{"L1 fewer than the party", line.State{
			Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Entering, 3, reg)}, Free: set(l, "A-1 B-6 C-5"),
		}, "set aside w1 waiting A-1 B-6 dry [regular]"},
		{"L1 enough: the best of them at once, no more", line.State{
			Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Entering, 2, reg)}, Free: set(l, "A-1 A-5 A-6 B-3"),
		}, "set aside w1 offered A-5=w1 A-6=w1 dry []"},
		{"L1 before all others", line.State{
			Waiters: []line.Waiter{who(2, line.Entering, 1, reg), offered(t, l, 1, over, "A-1")}, Free: all,
		}, "set aside w2 offered B-3=w2 dry []"},
		{"L1 the first of two", line.State{Waiters: []line.Waiter{who(2, line.Entering, 1, prem), who(1, line.Entering, 1, reg)}}, "look [regular]"},
		{"L1 after the hour", line.State{Waiters: []line.Waiter{func() line.Waiter { w := who(1, line.Entering, 1, reg); w.ExpiresAt = noon; return w }()}}, "time out w1 refused false"},
		{"L1 when closed", line.State{ClosesAt: noon, Waiters: []line.Waiter{who(1, line.Entering, 1, reg)}}, "time out w1 refused false"},

		{"L2 not in its grace", line.State{Wanted: types(reg), Waiters: []line.Waiter{offered(t, l, 1, late, "A-1")}, Pool: pool(t, l, "A-1", "w1")}, "idle"},
		{"L2 after it", line.State{Wanted: types(reg), Waiters: []line.Waiter{offered(t, l, 1, over, "A-1 A-2")}, Pool: pool(t, l, "A-1 A-2", "w1")}, "lapse w1 refused true A-1=w1 A-2=w1"},

		{"L3 the hour", line.State{Wanted: types(reg), Waiters: []line.Waiter{who(2, line.Waiting, 1, reg), func() line.Waiter { w := who(3, line.Waiting, 1, reg); w.ExpiresAt = noon; return w }()}, Pool: pool(t, l, "A-1", "")}, "time out w3 refused false"},
		{"L3 the closing, also who has only asked", line.State{ClosesAt: noon, Waiters: []line.Waiter{who(3, line.Asked, 1, reg)}}, "time out w3 refused false"},
		{"L3 not who is offered", line.State{ClosesAt: noon, Wanted: types(reg), Waiters: []line.Waiter{offered(t, l, 1, noon, "A-1")}, Pool: pool(t, l, "A-1", "w1")}, "idle"},

		{"L3 all whose hour is over together", line.State{ClosesAt: noon, Wanted: types(reg), Waiters: []line.Waiter{
			who(3, line.Waiting, 1, reg), who(9, line.Asked, 1, reg), offered(t, l, 2, noon, "A-1"), who(1, line.Waiting, 1, reg), who(4, line.Left, 1, reg),
		}, Pool: pool(t, l, "A-1", "w2")}, "time out w9 refused false along w1 along w3"},
		{"L4 not while nobody looked", line.State{Wanted: types(prem), Waiters: []line.Waiter{who(1, line.Waiting, 2, prem)}}, "idle"},
		{"L4 fewer unsold than needed", line.State{Wanted: types(prem), Waiters: []line.Waiter{who(1, line.Waiting, 2, prem)}, Unsold: set(l, "C-5 A-1")}, "give up w1 refused false"},
		{"L4 just enough", line.State{Wanted: types(prem), Waiters: []line.Waiter{who(1, line.Waiting, 2, prem)}, Unsold: set(l, "C-5 C-6")}, "idle"},
		{"L4 every such party together", line.State{Wanted: types(prem, reg), Waiters: []line.Waiter{
			who(2, line.Waiting, 2, prem), who(1, line.Waiting, 2, prem, reg), who(3, line.Waiting, 1, prem), who(4, line.Waiting, 2, prem),
		}, Unsold: set(l, "C-5 A-1")}, "give up w2 refused false along w4"},
		{"L4 who has only asked", line.State{Waiters: []line.Waiter{who(1, line.Asked, 2, prem)}, Unsold: set(l, "C-5")}, "give up w1 refused false"},
		{"L4 as many, but none that suit", line.State{Wanted: types(comp, wheel), Waiters: []line.Waiter{who(1, line.Waiting, 2, comp, wheel)}, Unsold: set(l, "D-1 D-4")}, "give up w1 refused false"},

		{"L5 the best block", line.State{
			Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Waiting, 2, reg)}, Pool: pool(t, l, "A-1 B-5 A-4 A-3", ""),
		}, "offer w1 choice [regular] A-3=w1 A-4=w1"},
		{"L5 not what is another's", line.State{
			Wanted: types(reg), Waiters: []line.Waiter{offered(t, l, 1, noon, "A-3"), who(2, line.Waiting, 2, reg)}, Pool: slices.Concat(pool(t, l, "A-3", "w1"), pool(t, l, "A-4", "")),
		}, "idle"},
		{"L5 who does not fit blocks his types", line.State{
			Wanted: types(prem, reg), Waiters: []line.Waiter{who(1, line.Waiting, 3, reg), who(2, line.Waiting, 1, reg), who(3, line.Waiting, 1, prem, reg)}, Pool: pool(t, l, "A-3 A-4 C-5", ""),
		}, "offer w3 choice [premium] C-5=w3"},
		{"L5 several at once: the first is offered already", line.State{
			Wanted: types(reg), Waiters: []line.Waiter{offered(t, l, 1, noon, "A-1"), who(2, line.Waiting, 1, reg)}, Pool: slices.Concat(pool(t, l, "A-1", "w1"), pool(t, l, "B-1", "")),
		}, "offer w2 choice [regular] B-1=w2"},
		{"L5 a pair for two, one place for nobody", line.State{
			Wanted: types(love), Waiters: []line.Waiter{who(1, line.Waiting, 2, love)}, Pool: pool(t, l, "C-1 C-2", ""),
		}, "offer w1 choice [loveseat] C-1=w1 C-2=w1"},
		{"L5 a wheelchair's place and a companion's", line.State{
			Wanted: types(comp, wheel), Waiters: []line.Waiter{who(1, line.Waiting, 2, comp, wheel)}, Pool: pool(t, l, "D-1 D-2 D-3", ""),
		}, "offer w1 choice [companion wheelchair] D-1=w1 D-2=w1"},

		{"L6 to open", line.State{Waiters: []line.Waiter{who(1, line.Waiting, 2, prem, reg)}}, "gates [premium regular] dry []"},
		{"L6 before the drain", line.State{Waiters: []line.Waiter{who(1, line.Waiting, 3, reg)}, Pool: pool(t, l, "A-1", "")}, "gates [regular] dry []"},
		{"L6 to close", line.State{Wanted: types(reg), Dry: types(reg)}, "gates [] dry []"},
		{"L6 to change, and dry with it", line.State{Wanted: types(prem, reg), Dry: types(prem, reg), Waiters: []line.Waiter{who(1, line.Waiting, 2, prem)}}, "gates [premium] dry [premium]"},
		{"L6 order and repetition do not matter", line.State{Wanted: types(reg, prem, reg), Waiters: []line.Waiter{who(1, line.Waiting, 2, prem, reg)}}, "idle"},
		{"L6 the offered count", line.State{Wanted: types(reg), Waiters: []line.Waiter{offered(t, l, 1, noon, "A-1")}, Pool: pool(t, l, "A-1", "w1")}, "idle"},
		{"L6 who only asks does not", line.State{Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Asked, 1, reg)}}, "gates [] dry []"},
		{"L6 entries of the ended", line.State{Waiters: []line.Waiter{who(1, line.Declined, 1, reg), who(2, line.Accepted, 1, reg)}}, "tidy tidy w1 tidy w2"},
		{"L6 both", line.State{Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Left, 1, reg)}}, "gates [] dry [] tidy w1"},

		{"L7", line.State{Pool: pool(t, l, "A-1 C-5", "")}, "drain A-1 C-5"},
		{"L7 after the gates", line.State{Wanted: types(reg), Pool: pool(t, l, "A-1", "")}, "gates [] dry []"},
		{"L7 not what is wanted", line.State{Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Waiting, 3, reg)}, Pool: pool(t, l, "A-1 C-5", "")}, "drain C-5"},
		{"L7 not what is promised", line.State{Pool: slices.Concat(pool(t, l, "A-1", "w9"), pool(t, l, "A-2", ""))}, "drain A-2"},

		{"L8 the longest-waiting first", line.State{
			Next: 5, Wanted: types(reg), Dry: types(reg), Waiters: []line.Waiter{who(1, line.Waiting, 3, reg), who(9, line.Asked, 1, prem), who(8, line.Asked, 1, reg)},
		}, "number w8=5 waiting w9=6 next 7 wanted [premium regular] dry [regular]"},
		{"L8 acknowledges behind open gates of dry types", line.State{
			Next: 5, Wanted: types(prem, reg), Dry: types(prem, reg), Waiters: []line.Waiter{who(1, line.Waiting, 3, prem, reg), who(8, line.Asked, 1, reg)},
		}, "number w8=5 waiting next 6 wanted [premium regular] dry [premium regular]"},
		{"L8 not where one of the types may be free", line.State{
			Next: 5, Wanted: types(prem, reg), Dry: types(reg), Waiters: []line.Waiter{who(1, line.Waiting, 3, prem, reg), who(8, line.Asked, 1, prem, reg)},
		}, "number w8=5 next 6 wanted [premium regular] dry [regular]"},
		{"L8 not behind a gate that it opens itself", line.State{
			Next: 5, Dry: types(reg), Waiters: []line.Waiter{who(8, line.Asked, 1, reg), who(9, line.Asked, 1, reg)},
		}, "number w8=5 w9=6 next 7 wanted [regular] dry [regular]"},
		{"L8 in a line that never was", line.State{Waiters: []line.Waiter{who(4, line.Asked, 1, reg)}}, "number w4=1 next 2 wanted [regular] dry []"},
		{"L8 last of all", line.State{Waiters: []line.Waiter{who(4, line.Asked, 1, reg)}, Pool: pool(t, l, "C-5", "")}, "drain C-5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.state.Layout = l
			p, err := line.Step(tt.state, policy, noon)
			if err != nil {
				t.Fatal(err)
			}
			if got := brief(p); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if p.Idle() != (tt.want == "idle") {
				t.Errorf("idle %v", p.Idle())
			}
		})
	}
}

// TestBounded: so many pass a head that does not fit, and for nothing but what was
// counted.
func TestBounded(t *testing.T) {
	l := hall(t)
	passed := func(n int) line.Waiter {
		w := who(1, line.Waiting, 3, reg)
		w.Passed = n
		return w
	}
	for _, tt := range []struct {
		name    string
		k       int
		waiters []line.Waiter
		pool    string
		want    string
	}{
		{"one may pass", 2, []line.Waiter{passed(1), who(2, line.Waiting, 1, reg)}, "A-3", "offer w2 choice [regular] A-3=w2 passes w1(2)"},
		{"no more may", 2, []line.Waiter{passed(2), who(2, line.Waiting, 1, reg)}, "A-3", "idle"},
		{"the head goes first when it fits", 2, []line.Waiter{passed(1), who(2, line.Waiting, 1, reg)}, "A-3 A-4 A-5", "offer w1 choice [regular] A-3=w1 A-4=w1 A-5=w1"},
		{"both heads count", 3, []line.Waiter{passed(1), who(2, line.Waiting, 2, reg), who(3, line.Waiting, 1, reg)}, "A-3", "offer w3 choice [regular] A-3=w3 passes w1(2) passes w2(1)"},
		{"who wants other seats is not passed, and they stay closed to the choice", 3, []line.Waiter{passed(1), who(3, line.Waiting, 1, prem, reg)}, "C-5", "offer w3 choice [premium] C-5=w3"},
		{"one counted for one type is not passed for his other", 3, []line.Waiter{who(1, line.Waiting, 3, prem, reg), who(3, line.Waiting, 1, prem, reg)}, "A-3", "offer w3 choice [regular] A-3=w3 passes w1(1)"},
		{"strict behind one that was passed enough", 1, []line.Waiter{passed(1), who(2, line.Waiting, 2, prem), who(3, line.Waiting, 1, prem, reg)}, "A-3 C-5", "offer w3 choice [premium] C-5=w3 passes w2(1)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := line.State{Layout: l, Waiters: tt.waiters, Pool: pool(t, l, tt.pool, "")}
			for _, w := range tt.waiters {
				s.Wanted = append(s.Wanted, w.Types...)
			}
			p, err := line.Step(s, bounded(tt.k), noon)
			if got := brief(p); err != nil || got != tt.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, tt.want)
			}
		})
	}
}

// TestStrict: nobody passes, whatever number of passes stands beside the rule.
func TestStrict(t *testing.T) {
	l := hall(t)
	p := bounded(5)
	p.Rule = line.Strict
	s := line.State{Layout: l, Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Waiting, 3, reg), who(2, line.Waiting, 1, reg)}, Pool: pool(t, l, "A-3", "")}
	if plan, err := line.Step(s, p, noon); err != nil || !plan.Idle() {
		t.Errorf("%s, %v", brief(plan), err)
	}
}

// TestDeadline: an offer never passes the closing of the line.
func TestDeadline(t *testing.T) {
	l := hall(t)
	for closes, want := range map[time.Duration]time.Duration{0: 2 * time.Minute, time.Minute: time.Minute, time.Hour: 2 * time.Minute} {
		s := line.State{Layout: l, Wanted: types(reg), Waiters: []line.Waiter{who(1, line.Waiting, 1, reg)}, Pool: pool(t, l, "A-1", "")}
		enter := line.State{Layout: l, Waiters: []line.Waiter{who(1, line.Entering, 1, reg)}, Free: set(l, "A-1")}
		if closes > 0 {
			s.ClosesAt, enter.ClosesAt = noon.Add(closes), noon.Add(closes)
		}
		p, err := line.Step(s, policy, noon)
		if err != nil || !p.Offer.Waiter.Offer.ExpiresAt.Equal(noon.Add(want)) {
			t.Errorf("closing in %v: %+v, %v", closes, p, err)
		}
		p, err = line.Step(enter, policy, noon)
		if err != nil || !p.Aside.Waiter.Offer.ExpiresAt.Equal(noon.Add(want)) {
			t.Errorf("closing in %v: at once %+v, %v", closes, p, err)
		}
	}
}

// TestScanOfOtherTypes: what was read for somebody else, who was the first to enter
// then, tells nothing of the types that this one waits for.
func TestScanOfOtherTypes(t *testing.T) {
	l := hall(t)
	s := line.State{
		Layout: l, Wanted: types(prem, reg), Waiters: []line.Waiter{who(1, line.Entering, 2, prem, reg)},
		Free: set(l, "C-5"), Scanned: types(prem),
	}
	p, err := line.Step(s, policy, noon)
	if err != nil || p.Act() != line.Look || len(p.Scan) != 2 {
		t.Errorf("read for %v: %+v, %v; want a look at both types", s.Scanned, p, err)
	}
	s.Scanned = types(prem, reg)
	if p, err = line.Step(s, policy, noon); err != nil || p.Act() != line.SetAside || len(p.Aside.Seats) != 1 {
		t.Errorf("read for %v: %+v, %v; want C-5 set aside", s.Scanned, p, err)
	}
}

// TestChoiceAtOnce: who is offered at once may not choose what is being collected
// for those ahead.
func TestChoiceAtOnce(t *testing.T) {
	l := hall(t)
	s := line.State{
		Layout: l, Wanted: types(prem, reg), Dry: types(reg), Free: set(l, "C-5"), Pool: pool(t, l, "A-1", ""),
		Waiters: []line.Waiter{who(1, line.Waiting, 2, reg), who(2, line.Entering, 1, prem, reg)},
	}
	p, err := line.Step(s, policy, noon)
	ahead := offered(t, l, 1, noon, "C-6")
	ahead.Types = types(prem)
	s.Waiters = append(s.Waiters, ahead)
	if q, err := line.Step(s, policy, noon); err != nil || !slices.Equal(q.Aside.Waiter.Offer.Choice, types(prem)) {
		t.Errorf("who is offered collects nothing more: %s, %v", brief(q), err)
	}
	if want := "set aside w2 offered C-5=w2 dry [regular]"; err != nil || brief(p) != want || !slices.Equal(p.Aside.Waiter.Offer.Choice, types(prem)) {
		t.Errorf("%s, choice %v, %v; want %s of premium alone", brief(p), p.Aside.Waiter.Offer.Choice, err, want)
	}
	s.More, s.Waiters = true, s.Waiters[1:2] // who waits ahead was not read
	if q, err := line.Step(s, policy, noon); err != nil || !slices.Equal(q.Aside.Waiter.Offer.Choice, types(prem)) {
		t.Errorf("unread: %s, %v", brief(q), err)
	}
}

// TestAcknowledged with the number is only who joins behind gates that stand open for
// all his types, of which nothing was left free.
func TestAcknowledged(t *testing.T) {
	l := hall(t)
	for _, tt := range []struct {
		wanted, dry []seatmap.SeatType
		want        line.WaiterState
	}{
		{types(prem, reg), types(prem, reg), line.Waiting},
		{types(reg), types(prem, reg), line.Entering},
		{types(prem, reg), types(reg), line.Entering},
		{types(reg), types(reg), line.Entering},
		{nil, nil, line.Entering},
	} {
		s := line.State{Layout: l, Wanted: tt.wanted, Dry: tt.dry, Waiters: []line.Waiter{who(3, line.Asked, 1, prem, reg)}, Next: 3}
		if len(tt.wanted) > 0 {
			s.Waiters = append(s.Waiters, who(1, line.Waiting, 2, tt.wanted...))
		}
		p, err := line.Step(s, policy, noon)
		if err != nil || len(p.Number) != 1 || p.Number[0].State != tt.want || p.Gates != (len(tt.wanted) < 2) {
			t.Errorf("wanted %v, dry %v: %s, %v", tt.wanted, tt.dry, brief(p), err)
		}
	}
}

// TestLimits: no plan is larger than its transaction.
func TestLimits(t *testing.T) {
	var rows []string
	for r := range 4 {
		rows = append(rows, fmt.Sprintf("%q", string(rune('A'+r))+": "+strings.Repeat("W", 25)))
	}
	halls, err := seatmap.ParseHalls(fmt.Appendf(nil, `{"halls":[{"id":"h","name":"H","kind":"cinema","numbering":"ltr","seats":100,"by_type":{"W":100},"rows":[%s]}]}`, strings.Join(rows, ",")))
	if err != nil {
		t.Fatal(err)
	}
	l, err := seatmap.Expand(halls[0])
	if err != nil {
		t.Fatal(err)
	}
	step := func(s line.State) line.Plan {
		t.Helper()
		s.Layout = l
		p, err := line.Step(s, policy, noon)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	left := func(n int) func(int) bool { return func(i int) bool { return i >= 100-n } }
	// Hundreds are free, and no two of them suit a party of two.
	two := []line.Waiter{who(1, line.Entering, 2, wheel)}
	p := step(line.State{Wanted: types(wheel), Waiters: two, Free: left(100)})
	if len(p.Aside.Seats) != line.MaxAside || p.Aside.Waiter.State != line.Entering || len(p.Dry) != 0 {
		t.Errorf("the first part: %s", brief(p))
	}
	p = step(line.State{Wanted: types(wheel), Waiters: two, Free: left(line.MaxAside)})
	if len(p.Aside.Seats) != line.MaxAside || p.Aside.Waiter.State != line.Waiting || !slices.Equal(p.Dry, types(wheel)) {
		t.Errorf("the last part: %s", brief(p))
	}
	var all []string
	for i := range l.Len() {
		all = append(all, string(l.At(i).ID))
	}
	if p = step(line.State{Pool: pool(t, l, strings.Join(all, " "), "")}); len(p.Drain) != line.MaxDrain {
		t.Errorf("drains %d", len(p.Drain))
	}
	var asked, ended []line.Waiter
	for n := range 60 {
		asked = append(asked, who(n+1, line.Asked, 1, wheel))
		ended = append(ended, who(n+1, line.Accepted, 1, wheel))
	}
	var crowd []line.Waiter
	for n := range line.MaxPass {
		crowd = append(crowd, who(n+1, line.Waiting, 2, wheel))
	}
	one := pool(t, l, all[0], "")
	few := line.State{Wanted: types(wheel), Waiters: append(slices.Clone(crowd), who(200, line.Waiting, 1, wheel)), Pool: one, Layout: l}
	if p, err := line.Step(few, bounded(1), noon); err != nil || p.Offer == nil || len(p.Offer.Passed) != line.MaxPass {
		t.Errorf("passes %s, %v", brief(p), err)
	}
	few.Waiters = append(few.Waiters, who(100, line.Waiting, 2, wheel))
	if p, err := line.Step(few, bounded(1), noon); err != nil || !p.Idle() {
		t.Errorf("passes one too many: %s, %v", brief(p), err)
	}
	var over []line.Waiter
	for n := range 60 {
		w := who(n+1, line.Waiting, 1, wheel)
		w.ExpiresAt = noon
		over = append(over, w)
	}
	if p = step(line.State{Wanted: types(wheel), Waiters: over}); len(p.Ends()) != line.MaxEnds || p.Ends()[line.MaxEnds-1].Waiter.ID != "w30" {
		t.Errorf("ends %d", len(p.Ends()))
	}
	if p = step(line.State{Waiters: asked}); len(p.Number) != line.MaxJoins || p.Next != line.MaxJoins+1 {
		t.Errorf("numbers %d", len(p.Number))
	}
	if p = step(line.State{Waiters: ended}); len(p.Tidy) != line.MaxTidy {
		t.Errorf("tidies %d", len(p.Tidy))
	}
}

// TestImpossible: nothing is decided from a state that cannot be.
func TestImpossible(t *testing.T) {
	l := hall(t)
	ok := line.State{Layout: l, Waiters: []line.Waiter{who(1, line.Waiting, 1, reg)}}
	bend := func(f func(*line.Waiter)) line.State {
		w := who(1, line.Waiting, 1, reg)
		f(&w)
		return line.State{Layout: l, Waiters: []line.Waiter{w}}
	}
	for _, tt := range []struct {
		name  string
		state line.State
		p     line.Policy
		want  *fault.Error
	}{
		{"no rule", ok, line.Policy{Offer: 1, Wait: 1, MaxParty: 1}, line.ErrPolicy},
		{"an unknown rule", ok, func() line.Policy { p := policy; p.Rule = 9; return p }(), line.ErrPolicy},
		{"no time for an offer", ok, func() line.Policy { p := policy; p.Offer = 0; return p }(), line.ErrPolicy},
		{"negative passes", ok, func() line.Policy { p := bounded(-1); return p }(), line.ErrPolicy},
		{"no hall", line.State{Waiters: ok.Waiters}, policy, line.ErrLayout},
		{"a seat of no hall", line.State{Layout: l, Pool: []line.Aside{{Seat: "Z-1", Type: reg}}}, policy, line.ErrLayout},
		{"a seat of another type", line.State{Layout: l, Pool: []line.Aside{{Seat: "A-1", Type: prem}}}, policy, line.ErrLayout},
		{"no state", bend(func(w *line.Waiter) { w.State = 0 }), policy, line.ErrWaiter},
		{"an unknown state", bend(func(w *line.Waiter) { w.State = 99 }), policy, line.ErrWaiter},
		{"no id", bend(func(w *line.Waiter) { w.ID = "" }), policy, line.ErrWaiter},
		{"nobody", bend(func(w *line.Waiter) { w.Party = 0 }), policy, line.ErrWaiter},
		{"eleven", bend(func(w *line.Waiter) { w.Party = 11 }), policy, line.ErrWaiter},
		{"no types", bend(func(w *line.Waiter) { w.Types = nil }), policy, line.ErrWaiter},
		{"waiting without a number", bend(func(w *line.Waiter) { w.Number = 0 }), policy, line.ErrWaiter},
		{"offered nothing", bend(func(w *line.Waiter) { w.State = line.Offered }), policy, line.ErrWaiter},
		{"offered without a deadline", bend(func(w *line.Waiter) { *w = offered(t, l, 1, time.Time{}, "A-1") }), policy, line.ErrWaiter},
	} {
		if p, err := line.Step(tt.state, tt.p, noon); err != tt.want || !p.Idle() || !fault.Is(err, fault.Internal) {
			t.Errorf("%s: %s, %v", tt.name, brief(p), err)
		}
	}
	if _, err := line.Step(ok, line.Standard, noon); err != nil {
		t.Errorf("the published policy: %v", err)
	}
}

// TestStepIsPure: a decision leaves what it was decided from alone, in any order of
// the waiters.
func TestStepIsPure(t *testing.T) {
	l := hall(t)
	ws := []line.Waiter{who(3, line.Waiting, 1, prem, reg), who(1, line.Waiting, 3, reg), who(2, line.Waiting, 1, prem)}
	s := line.State{Layout: l, Wanted: types(prem, reg), Waiters: ws, Pool: pool(t, l, "C-5 A-1", "")}
	before := fmt.Sprint(s.Waiters, s.Pool, s.Wanted)
	p, err := line.Step(s, policy, noon)
	if want := "offer w2 choice [premium] C-5=w2"; err != nil || brief(p) != want {
		t.Errorf("%s, %v; want %s", brief(p), err, want)
	}
	if after := fmt.Sprint(s.Waiters, s.Pool, s.Wanted); after != before {
		t.Errorf("was %s\nis  %s", before, after)
	}
}
