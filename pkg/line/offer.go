package line

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// offer is L5: the first party in order of number that fits into the open pool.
//
// One that does not fit blocks its types for all later ones. Under the bounded
// rule it does not while fewer than Passes have passed it; then whoever is offered
// seats of its types counts as having passed it, and so do the types that he may
// choose from: another's types are open to him only where nobody ahead waits. One
// offer passes no more than MaxPass of them; whoever stands behind so many waits.
func offer(s State, p Policy, now time.Time) (Plan, bool) {
	open := map[seatmap.SeatType]int{}
	there := map[int]bool{}
	for _, a := range s.Pool {
		if a.For != "" || s.Layout == nil {
			continue
		}
		at, _ := s.Layout.Seat(a.Seat)
		open[at.Type]++
		there[at.Index] = true
	}
	if len(open) == 0 {
		return Plan{}, false
	}
	var blocked []seatmap.SeatType
	var lenient []Waiter
	for _, w := range s.Waiters {
		if s.More && w.Number > s.Through {
			break // who stands between them was not read
		}
		if w.State != Waiting {
			continue
		}
		if seats, ok := fit(s.Layout, there, open, w.Party, without(w.Types, blocked)); ok {
			return s.offering(w, seats, blocked, lenient, p, now), true
		}
		if p.Rule == Bounded && w.Passed < p.Passes && len(lenient) < MaxPass {
			lenient = append(lenient, w)
			continue
		}
		blocked = append(blocked, w.Types...)
		if covers(blocked, open) {
			return Plan{}, false
		}
	}
	return Plan{More: s.More}, s.More
}

func covers(blocked []seatmap.SeatType, open map[seatmap.SeatType]int) bool {
	for t := range open {
		if !slices.Contains(blocked, t) {
			return false
		}
	}
	return true
}

func (s State) offering(w Waiter, seats []int, blocked []seatmap.SeatType, lenient []Waiter, p Policy, now time.Time) Plan {
	o := &Offering{Was: w, Waiter: w}
	var proposed, passed []seatmap.SeatType
	for _, i := range seats {
		proposed = append(proposed, s.Layout.At(i).Type)
	}
	for _, v := range lenient {
		if !meet(v.Types, proposed) {
			passed = append(passed, v.Types...)
			continue
		}
		v.Passed++
		o.Passed = append(o.Passed, v)
	}
	o.Waiter.State = Offered
	o.Waiter.Offer = Offer{
		Seats:     asides(s.Layout, seats, w.ID),
		Choice:    without(without(w.Types, blocked), without(passed, proposed)),
		ExpiresAt: s.deadline(p, now),
	}
	// A type that one counted as passed wants beside the proposed ones is closed to
	// the choice too: he may be passed, but only for what was counted.
	for _, v := range o.Passed {
		o.Waiter.Offer.Choice = without(o.Waiter.Offer.Choice, without(v.Types, proposed))
	}
	return Plan{Offer: o}
}

// fit counts first: best seats are dear to look for in a large hall.
func fit(l *seatmap.Layout, there map[int]bool, open map[seatmap.SeatType]int, party int, types []seatmap.SeatType) ([]int, bool) {
	n := 0
	for _, t := range types {
		n += open[t]
	}
	if n < party {
		return nil, false
	}
	return choose(l, func(i int) bool { return there[i] }, party, types)
}

// choose names the best block of the types for a party. Places for wheelchairs are
// tried last and never mixed with others, as seatmap.Best has it.
func choose(l *seatmap.Layout, free func(i int) bool, party int, types []seatmap.SeatType) ([]int, bool) {
	ordinary := without(types, []seatmap.SeatType{seatmap.Wheelchair, seatmap.Companion})
	if len(ordinary) > 0 {
		of := func(i int) bool { return free(i) && slices.Contains(ordinary, l.At(i).Type) }
		if seats, ok := seatmap.Best(l, of, seatmap.Want{Count: party}); ok {
			return seats, true
		}
	}
	if !slices.Contains(types, seatmap.Wheelchair) {
		return nil, false
	}
	of := func(i int) bool { return free(i) && slices.Contains(types, l.At(i).Type) }
	return seatmap.Best(l, of, seatmap.Want{Count: party, Type: seatmap.Wheelchair})
}

func feasible(l *seatmap.Layout, could func(i int) bool, party int, types []seatmap.SeatType) bool {
	_, ok := choose(l, could, party, types)
	return ok
}

func asides(l *seatmap.Layout, seats []int, who WaiterID) []Aside {
	all := make([]Aside, len(seats))
	for k, i := range seats {
		at := l.At(i)
		all[k] = Aside{Seat: at.ID, Type: at.Type, Block: l.Block(at.Block).Name, For: who}
	}
	return all
}
