package store_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

func ask(r *rig) {
	w := r.asked("ann", 3)
	r.wantWaiter(w)
	r.wantPlace("ann", line.Place{Live: w.ID})
	r.wantWaits("ann@3600")
	got, ok, place, err := r.Joining(r.t.Context(), r.show, "ann", w.ID)
	if err != nil || !ok || !cmp.Equal(got, w) || place.Live != w.ID {
		r.t.Errorf("joining %+v, %v, %+v, %v", got, ok, place, err)
	}
	_, ok, place, err = r.Joining(r.t.Context(), r.show, "ann", r.wid("other"))
	if err != nil || ok || place.Live != w.ID {
		r.t.Errorf("of another key: %v, %+v, %v", ok, place, err)
	}
	r.wantGates() // who only asks opens no gate
	r.wantLine(0)
}

func number(r *rig) {
	ann, bob := r.asked("ann", 1), r.asked("bob", 2)
	p := r.numbering(line.Entering, ann, bob)
	r.must(r.plan(p, nil)())
	r.wantGates(seatmap.Regular)
	s := r.wantLine(1, seatmap.Regular)
	if s.Next != 3 || !slices.Equal(s.Last, []line.WaiterID{ann.ID, bob.ID}) || s.Places.Count() != 0 || !s.Seen.Equal(evening) {
		r.t.Errorf("state %+v", s)
	}
	r.wantWaiter(p.Number[0])
	r.wantWaiter(p.Number[1])
	if len(s.Waiters) != 2 || s.Through != 2 || s.More {
		r.t.Errorf("read %+v", s)
	}
	// Acknowledged with the number: in line at once, gates as they are.
	p = r.numbering(line.Waiting, r.asked("cat", 1))
	p.Gates = false
	r.must(r.plan(p, nil)())
	s = r.wantLine(2, seatmap.Regular)
	if !s.Places.Has(3) || s.Places.Count() != 1 || s.Next != 4 || !slices.Equal(s.Last, []line.WaiterID{r.wid("cat")}) {
		r.t.Errorf("state %+v", s)
	}
	r.wantWaiter(p.Number[0])
}

func setAside(r *rig) {
	w := r.in(line.Entering, "ann", 3)
	next := w
	next.State = line.Waiting
	r.must(r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: next, Seats: asides("", "C-1", "C-2")}, Dry: regular}, nil)())
	r.wantPool("C-1 C-2")
	r.wantClaims(map[seatmap.SeatID]boxoffice.Owner{"C-1": {}, "C-2": {}}, "C-1", "C-2", "C-3")
	r.wantWaiter(next)
	r.wantWaits("ann@3600")
	if s := r.line(); !s.Places.Has(1) || !slices.Equal(s.Dry, regular) {
		r.t.Errorf("state %+v", s)
	}
	// The gates stay as they are when dry changes, and dry goes with the gates.
	r.wantGates(seatmap.Regular)
	r.must(r.plan(line.Plan{Gates: true}, nil)())
	if s := r.line(); len(s.Dry) != 0 || len(s.Wanted) != 0 {
		r.t.Errorf("state %+v", s)
	}
}

func offeredAtOnce(r *rig) {
	w := r.in(line.Entering, "ann", 2)
	next := r.offering(w, "C-1", "C-2").Offer.Waiter
	r.must(r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: next, Seats: next.Offer.Seats}}, nil)())
	r.wantPool("C-1=ann C-2=ann")
	r.wantWaiter(next)
	r.wantWaits("ann@120", "ann@3600")
	if s := r.line(); !s.Places.Has(1) || len(s.Dry) != 0 {
		r.t.Errorf("state %+v", s)
	}
}

func offer(r *rig) {
	w := r.in(line.Waiting, "ann", 2)
	r.pooled("C-1", "C-2", "C-3")
	p := r.offering(w, "C-1", "C-3")
	r.must(r.plan(p, nil)())
	r.wantPool("C-1=ann C-2 C-3=ann")
	r.wantWaiter(p.Offer.Waiter)
	r.wantWaits("ann@120", "ann@3600")
	r.wantClaims(map[seatmap.SeatID]boxoffice.Owner{"C-1": {}, "C-2": {}, "C-3": {}}, "C-1", "C-2", "C-3")
}

func offerPassing(r *rig) {
	big, small := r.in(line.Waiting, "big", 3), r.in(line.Waiting, "small", 1)
	r.pooled("C-1")
	p := r.offering(small, "C-1")
	passed := big
	passed.Passed = 1
	p.Offer.Passed = []line.Waiter{passed}
	r.must(r.plan(p, nil)())
	r.wantWaiter(passed)
	r.wantWaiter(p.Offer.Waiter)
}

func lapse(r *rig) {
	w := r.offered("ann", "C-1", "C-2")
	e := r.ended(w, line.Lapsed)
	cool := evening.Add(10 * time.Minute)
	r.must(r.plan(line.Plan{End: &e}, &line.Place{Lapses: 2, CoolUntil: cool})())
	r.wantPool("C-1 C-2")
	r.wantWaiter(e.Waiter)
	r.wantPlace("ann", line.Place{Lapses: 2, CoolUntil: cool})
	if s := r.line(); s.Places.Count() != 0 || len(s.Waiters) != 0 {
		r.t.Errorf("state %+v", s)
	}
	it := r.item(store.Line, "WAITER#"+string(w.ID), "WAITER")
	if ttl, _ := it["ttl"].(int64); ttl < e.Waiter.EndedAt.Add(24*time.Hour).Unix() {
		r.t.Errorf("the receipt goes at %d", ttl)
	}
}

func endMany(r *rig) {
	ann, bob, cat := r.in(line.Waiting, "ann", 1), r.in(line.Waiting, "bob", 1), r.asked("cat", 1)
	first := r.ended(ann, line.TimedOut)
	p := line.Plan{End: &first, Along: []line.End{r.ended(cat, line.TimedOut), r.ended(bob, line.TimedOut)}}
	r.must(r.plan(p, nil)())
	for _, e := range p.Ends() {
		r.wantWaiter(e.Waiter)
		r.wantPlace(string(e.Was.Buyer), line.Place{})
	}
	if s := r.line(); s.Places.Count() != 0 || len(s.Waiters) != 0 || s.Through != 0 {
		r.t.Errorf("state %+v", s)
	}
}

func tidy(r *rig) {
	w, stays := r.in(line.Waiting, "ann", 1), r.in(line.Waiting, "bob", 1)
	r.must(r.Leave(r.t.Context(), line.Leaving{Was: w, Waiter: r.ended(w, line.Left).Waiter}, nil))
	s := r.line()
	if len(s.Waiters) != 2 || s.Waiters[0].State != line.Left && s.Waiters[1].State != line.Left || !s.Places.Has(1) {
		r.t.Fatalf("who has left is to be tidied: %+v", s)
	}
	w.State = line.Left
	r.must(r.plan(line.Plan{Tidy: []line.Waiter{w}}, nil)())
	s = r.line()
	if len(s.Waiters) != 1 || s.Waiters[0].ID != stays.ID || s.Places.Has(1) || !s.Places.Has(2) {
		r.t.Errorf("state %+v", s)
	}
}

func accept(r *rig) {
	w := r.offered("ann", "C-1", "C-2")
	a := r.accepting(w, evening, []string{"C-1", "C-2"}, nil)
	r.must(r.Accept(r.t.Context(), a, keep))
	r.wantHold(a.Hold)
	r.wantWaiter(a.Waiter)
	r.wantClaims(ownedBy(a.Hold), "C-1", "C-2")
	r.wantPool("")
	r.wantPlace("ann", line.Place{})
	r.wantAllowance("ann", 2)
	r.wantTimers(a.Hold.ID)
	if s := r.line(); len(s.Waiters) != 1 || s.Waiters[0].State != line.Accepted {
		r.t.Errorf("the lane is to tidy: %+v", s)
	}
}

// acceptOthers than proposed: they are his, and the proposed ones anybody's again.
func acceptOthers(r *rig) {
	w := r.offered("ann", "C-1", "C-2")
	r.pooled("C-3", "C-4")
	a := r.accepting(w, evening, []string{"C-2"}, []string{"C-4"})
	r.must(r.Accept(r.t.Context(), a, keep))
	r.wantPool("C-1 C-3")
	want := ownedBy(a.Hold)
	want["C-1"], want["C-3"] = boxoffice.Owner{}, boxoffice.Owner{}
	r.wantClaims(want, "C-1", "C-2", "C-3", "C-4")
	r.wantHold(a.Hold)
}

func leave(r *rig) {
	ctx := r.t.Context()
	for i, st := range []line.WaiterState{line.Asked, line.Entering, line.Waiting} {
		who := fmt.Sprint("w", i)
		w := r.asked(who, 1)
		if st != line.Asked {
			w = r.numbered(st, w)[0]
		}
		l, err := line.Leave(w, evening)
		r.must(err)
		r.must(r.Leave(ctx, l, nil))
		r.wantWaiter(l.Waiter)
		r.wantPlace(who, line.Place{})
	}
	w := r.offered("ann", "C-1", "C-2")
	l, err := line.Decline(w, evening)
	r.must(err)
	place := line.Place{Live: w.ID}.Close(l.Refused, line.Standard, evening)
	r.must(r.Leave(ctx, l, &place))
	r.wantWaiter(l.Waiter)
	r.wantPool("C-1 C-2")
	r.wantPlace("ann", line.Place{Lapses: 1})
}

// coolDown: who has refused twice joins again when it is over, and not before.
func coolDown(r *rig) {
	ctx := r.t.Context()
	var place line.Place
	for n := range 2 {
		w := r.asking("ann", 1)
		w.ID += line.WaiterID(fmt.Sprint(n))
		r.must(r.Ask(ctx, w, keep, time.Time{}))
		place = line.Place{Live: w.ID, Lapses: place.Lapses}.Close(true, line.Standard, evening)
		e := r.ended(w, line.Left)
		r.must(r.Leave(ctx, line.Leaving{Was: w, Waiter: e.Waiter, Refused: true}, &place))
	}
	r.wantPlace("ann", line.Place{Lapses: 2, CoolUntil: evening.Add(line.Standard.CoolDown)})
	w := r.asking("ann", 1)
	w.AskedAt = place.CoolUntil.Add(-time.Millisecond)
	r.stale(r.Ask(ctx, w, keep, time.Time{}))
	w.AskedAt = place.CoolUntil
	r.must(r.Ask(ctx, w, keep, time.Time{}))
	r.wantPlace("ann", line.Place{Live: w.ID, Lapses: 2, CoolUntil: place.CoolUntil})
}

// readLine reads as much as it is asked for: a stretch from the head, whom it is
// named, who is offered and who was numbered last.
func readLine(r *rig) {
	ctx := r.t.Context()
	offered := r.offered("ann", "C-1")
	defer func() { // who is offered is read wherever he stands
		w := r.offered("last", "C-2")
		r.in(line.Waiting, "after", 1)
		s, err := r.LineState(ctx, r.show, line.Reading{Front: 1})
		if err != nil || !slices.ContainsFunc(s.Waiters, func(v line.Waiter) bool { return cmp.Equal(v, w) }) {
			r.t.Errorf("read %+v, %v", s.Waiters, err)
		}
	}()
	var ws []line.Waiter
	for n := range 20 {
		ws = append(ws, r.asked(fmt.Sprint("w", n), 1))
	}
	ws = slices.Concat([]line.Waiter{offered}, r.numbered(line.Waiting, ws[:9]...), r.numbered(line.Waiting, ws[9:18]...), r.numbered(line.Entering, ws[18:]...))
	read := func(q line.Reading) (s line.State, got []int) {
		r.t.Helper()
		s, err := r.LineState(ctx, r.show, q)
		r.must(err)
		for _, w := range s.Waiters {
			got = append(got, int(w.Number))
			if !cmp.Equal(w, ws[w.Number-1]) {
				r.t.Errorf("read %+v, want %+v", w, ws[w.Number-1])
			}
		}
		slices.Sort(got)
		return s, got
	}
	for _, tt := range []struct {
		q       line.Reading
		through int64
		more    bool
		want    []int
	}{
		{line.Reading{}, 16, true, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21}},
		{line.Reading{Front: 3}, 3, true, []int{1, 2, 3, 20, 21}},
		{line.Reading{Front: 2, Named: []line.WaiterID{ws[6].ID, "w_nobody", ws[0].ID}}, 2, true, []int{1, 2, 7, 20, 21}},
		{line.Reading{Front: -1}, 21, false, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21}},
	} {
		s, got := read(tt.q)
		if s.Through != tt.through || s.More != tt.more || !slices.Equal(got, tt.want) {
			r.t.Errorf("%+v: through %d, more %v, %v", tt.q, s.Through, s.More, got)
		}
	}
	// The last stretch may say that there is more; never the other way round.
	if s, _ := read(line.Reading{Front: 21}); s.Through != 21 {
		r.t.Errorf("through %d", s.Through)
	}
	// Who has asked is read when he is named, and alone.
	w := r.asked("new", 1)
	ws = append(ws, w)
	s, err := r.LineState(ctx, r.show, line.Reading{Front: 1, Named: []line.WaiterID{w.ID}})
	if err != nil || !slices.ContainsFunc(s.Waiters, func(v line.Waiter) bool { return cmp.Equal(v, w) }) {
		r.t.Errorf("read %+v, %v", s.Waiters, err)
	}
	// Of another show nobody is read, whoever is named.
	other := *r
	other.show += "-other"
	stranger := other.asked("stranger", 1)
	if s, err = r.LineState(ctx, r.show, line.Reading{Front: 1, Named: []line.WaiterID{stranger.ID}}); err != nil || slices.ContainsFunc(s.Waiters, func(v line.Waiter) bool { return v.ID == stranger.ID }) {
		r.t.Errorf("read %+v, %v", s.Waiters, err)
	}
	// Who has ended far behind is read when he is named, so that his entry goes.
	gone := ws[9]
	e := r.ended(gone, line.Left)
	r.must(r.Leave(ctx, line.Leaving{Was: gone, Waiter: e.Waiter}, nil))
	ws[9] = e.Waiter
	if _, got := read(line.Reading{Front: 1, Named: []line.WaiterID{gone.ID}}); !slices.Contains(got, 10) {
		r.t.Errorf("read %v", got)
	}
	r.must(r.plan(line.Plan{Tidy: []line.Waiter{e.Waiter}}, nil)())
	if _, got := read(line.Reading{Front: 1, Named: []line.WaiterID{gone.ID}}); slices.Contains(got, 10) {
		r.t.Errorf("read %v: he has nothing in the line", got)
	}
	v, glance, err := r.InLine(ctx, r.show, offered.ID)
	if err != nil || !cmp.Equal(v, offered) || glance.Places.Ahead(21) != 18 || glance.Version != s.Version+1 {
		r.t.Errorf("in line %+v, %d ahead, %v", v, glance.Places.Ahead(21), err)
	}
}

// readNoLine: a line that never was has nobody, and an entry without its waiter is
// one to be tidied.
func readNoLine(r *rig) {
	ctx := r.t.Context()
	if _, err := r.Waiter(ctx, r.wid("ann")); !errors.Is(err, line.ErrNotFound) {
		r.t.Errorf("waiter: %v", err)
	}
	if _, _, err := r.InLine(ctx, r.show, r.wid("ann")); !errors.Is(err, line.ErrNotFound) {
		r.t.Errorf("in line: %v", err)
	}
	if s, err := r.LineGlance(ctx, r.show); err != nil || s.Version != 0 || !s.Seen.IsZero() {
		r.t.Errorf("glance %+v, %v", s, err)
	}
	r.stale(r.SawLine(ctx, r.show, line.Stamp{Now: evening}))
	r.wantLine(0)
	if pool, err := r.PoolSeats(ctx, r.show, []seatmap.SeatID{"C-1"}); err != nil || len(pool) != 0 {
		r.t.Errorf("pool %v, %v", pool, err)
	}
	w := r.in(line.Waiting, "ann", 1)
	r.must(r.tables.Transact(ctx, []store.Write{{Key: store.Key{Table: store.Line, PK: "WAITER#" + string(w.ID), SK: "WAITER"}, Delete: true}}, ""))
	s := r.line()
	if len(s.Waiters) != 1 || !s.Waiters[0].State.Ended() || s.Waiters[0].Number != 1 {
		r.t.Fatalf("state %+v", s)
	}
	r.must(r.plan(line.Plan{Tidy: s.Waiters}, nil)())
	if s = r.line(); len(s.Waiters) != 0 || s.Places.Count() != 0 {
		r.t.Errorf("state %+v", s)
	}
}

func sawLine(r *rig) {
	w := r.in(line.Waiting, "ann", 1)
	was := r.line()
	at := evening.Add(7 * time.Second)
	r.must(r.SawLine(r.t.Context(), r.show, line.Stamp{Now: at}))
	is := r.line()
	if !is.Seen.Equal(at) || is.Version != was.Version {
		r.t.Errorf("seen %v in version %d", is.Seen, is.Version)
	}
	r.pooled("C-1", "C-2")
	pool, err := r.PoolSeats(r.t.Context(), r.show, []seatmap.SeatID{"C-2", "C-9"})
	if err != nil || !cmp.Equal(pool, asides("", "C-2")) {
		r.t.Errorf("pool %v, %v", pool, err)
	}
	// A note hinders nobody who has read before it.
	r.must(r.CommitLine(r.t.Context(), r.show, is, r.offering(w, "C-1"), line.Stamp{Now: at}))
}
