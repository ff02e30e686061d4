package line

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Step decides what one run does: the first of L1 to L8 that there is to do, in
// this order. Who is entering comes first, since the public may take what he was
// numbered for. Gates come before the drain: a drain under a gate that still wants
// the type would free a seat that the next release sets aside again.
//
// It fails only where the state cannot be.
func Step(s State, p Policy, now time.Time) (Plan, error) {
	if err := s.check(p); err != nil {
		return Plan{}, err
	}
	s.Waiters = slices.Clone(s.Waiters)
	slices.SortFunc(s.Waiters, func(a, b Waiter) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), a.AskedAt.Compare(b.AskedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, decide := range []func(State, Policy, time.Time) (Plan, bool){
		enter, lapse, timeOut, giveUp, offer, gates, drain, number,
	} {
		if plan, ok := decide(s, p, now); ok {
			return plan, nil
		}
	}
	return Plan{}, nil
}

// first waiter in order of number for whom it is true.
func (s State) first(is func(Waiter) bool) (Waiter, bool) {
	i := slices.IndexFunc(s.Waiters, is)
	if i < 0 {
		return Waiter{}, false
	}
	return s.Waiters[i], true
}

// enter is L1. Enough free seats are offered at once, and no more than that is set
// aside; else all that is free is, and the waiter is acknowledged.
func enter(s State, p Policy, now time.Time) (Plan, bool) {
	w, ok := s.first(func(w Waiter) bool { return w.State == Entering })
	if !ok {
		return Plan{}, false
	}
	if s.closed(now) || !now.Before(w.ExpiresAt) {
		return ending(w, TimedOut, now), true
	}
	scan := without(w.Types, s.Dry)
	if len(scan) > 0 && !s.scanned(scan) {
		return Plan{Scan: scan}, true
	}
	free := func(i int) bool { return len(scan) > 0 && s.Free(i) && slices.Contains(scan, s.Layout.At(i).Type) }
	a := &SettingAside{Was: w, Waiter: w}
	if seats, ok := choose(s.Layout, free, w.Party, w.Types); ok {
		a.Seats = asides(s.Layout, seats, w.ID)
		a.Waiter.State = Offered
		a.Waiter.Offer = Offer{Seats: a.Seats, Choice: without(w.Types, s.ahead(w)), ExpiresAt: s.deadline(p, now)}
		return Plan{Aside: a, Dry: s.Dry}, true
	}
	var all []int
	for i := range s.Layout.Len() {
		if free(i) {
			all = append(all, i)
		}
	}
	// More than a transaction takes are free only where their kind does not suit
	// the party, such as wheelchair places without a companion's.
	a.Seats = asides(s.Layout, all[:min(len(all), MaxAside)], "")
	if len(all) > MaxAside {
		return Plan{Aside: a, Dry: s.Dry}, true
	}
	a.Waiter.State = Waiting
	return Plan{Aside: a, Dry: union(s.Dry, w.Types)}, true
}

// scanned: it was read which seats of the types are free.
func (s State) scanned(types []seatmap.SeatType) bool {
	return s.Free != nil && (s.Scanned == nil || len(without(types, s.Scanned)) == 0)
}

// ahead are the types of all that wait before w, and may be more where not all of
// the line was read: each who waits made his types dry.
func (s State) ahead(w Waiter) (types []seatmap.SeatType) {
	if s.More {
		return s.Dry
	}
	for _, v := range s.Waiters {
		if v.State == Waiting && v.Number < w.Number {
			types = append(types, v.Types...)
		}
	}
	return types
}

// lapse is L2.
func lapse(s State, p Policy, now time.Time) (Plan, bool) {
	w, ok := s.first(func(w Waiter) bool { return w.Overdue(p, now) })
	return ending(w, Lapsed, now), ok
}

// timeOut is L3. Who is offered is not timed out: no offer passes the closing.
func timeOut(s State, _ Policy, now time.Time) (Plan, bool) {
	return s.endAll(TimedOut, now, func(w Waiter) bool {
		return (w.State == Waiting || w.State == Asked) && (s.closed(now) || !now.Before(w.ExpiresAt))
	})
}

// endAll ends as many as fit, in order of number.
func (s State) endAll(to WaiterState, now time.Time, is func(Waiter) bool) (p Plan, ok bool) {
	for _, w := range s.Waiters {
		if !is(w) {
			continue
		}
		end := ending(w, to, now)
		if !ok {
			p, ok = end, true
			continue
		}
		if p.Along = append(p.Along, *end.End); 1+len(p.Along) == MaxEnds {
			break
		}
	}
	return p, ok
}

// giveUp is L4: of all seats that are neither sold nor blocked none suit.
func giveUp(s State, _ Policy, now time.Time) (Plan, bool) {
	if s.Unsold == nil {
		return Plan{}, false
	}
	known := map[string]bool{} // a line of thousands has few kinds of party
	return s.endAll(Infeasible, now, func(w Waiter) bool {
		if w.State != Waiting && w.State != Asked {
			return false
		}
		kind := fmt.Sprint(w.Party, w.Types)
		could, ok := known[kind]
		if !ok {
			could = feasible(s.Layout, s.Unsold, w.Party, w.Types)
			known[kind] = could
		}
		return !could
	})
}

func ending(w Waiter, to WaiterState, now time.Time) Plan {
	next, back := w.end(to, now)
	return Plan{End: &End{Was: w, Waiter: next, Refused: to == Lapsed, Back: back}}
}

// gates is L6: they say what those want who are entering, waiting or offered.
// The offered count, for surplus seats stay set aside while anyone is offered.
func gates(s State, _ Policy, _ time.Time) (Plan, bool) {
	var types [][]seatmap.SeatType
	var gone []Waiter
	for _, w := range s.Waiters {
		switch {
		case w.State.Active():
			types = append(types, w.Types)
		case w.State.Ended() && w.Number > 0 && len(gone) < MaxTidy:
			gone = append(gone, w)
		}
	}
	plan := Plan{Tidy: gone}
	wanted := union(types...)
	if s.More && len(without(s.Wanted, wanted)) > 0 {
		return Plan{More: true}, true
	}
	if !slices.Equal(wanted, union(s.Wanted)) {
		plan.Gates, plan.Wanted = true, wanted
		plan.Dry = without(s.Dry, without(s.Dry, wanted))
	}
	return plan, plan.Gates || len(gone) > 0
}

// drain is L7.
func drain(s State, _ Policy, _ time.Time) (Plan, bool) {
	var p Plan
	for _, a := range s.Pool {
		if a.For == "" && !slices.Contains(s.Wanted, a.Type) && len(p.Drain) < MaxDrain {
			p.Drain = append(p.Drain, a)
		}
	}
	return p, len(p.Drain) > 0
}

// number is L8: the longest-waiting of those who are named come first. Behind gates
// that stand open for all his types, of which nothing was left free since, there is
// nothing to look for: he is acknowledged in the same transaction.
func number(s State, _ Policy, _ time.Time) (Plan, bool) {
	p := Plan{Wanted: union(s.Wanted), Dry: s.Dry, Next: max(s.Next, 1)}
	for _, w := range s.Waiters {
		if w.State != Asked || len(p.Number) == MaxJoins {
			continue
		}
		w.State, w.Number = Entering, p.Next
		if len(without(w.Types, s.Wanted)) == 0 && len(without(w.Types, s.Dry)) == 0 {
			w.State = Waiting
		}
		p.Next++
		p.Number = append(p.Number, w)
		p.Wanted = union(p.Wanted, w.Types)
	}
	p.Gates = !slices.Equal(p.Wanted, union(s.Wanted))
	return p, len(p.Number) > 0
}
