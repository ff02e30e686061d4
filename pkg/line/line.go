// Package line decides what the lane of a show does next: one pure [Step] from
// the state that was read, never from the message that woke it. Hence duplicates,
// reordering and a crash after the commit need no rule of their own.
//
// What it decides today is the end of a line: gates that want what nobody waits
// for are closed (protocol L6), and seats that were set aside for nobody are
// drained back to the public (L7). Those who wait are its entries; joining,
// offering and the ends of waiting are further plans of the same Step.
//
// Invariants kept here: NoLostSeat (nothing stays set aside for ever), NoGap (a
// seat of a wanted type is never drained).
package line

import (
	"slices"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// State is one strongly consistent read of a show's line.
type State struct {
	Version int64              // of the line's state item; every commit is fenced by it
	Wanted  []seatmap.SeatType // what the gates say, written together with the version
	Active  []seatmap.SeatType // types of everybody entering, waiting or offered
	Pool    []Aside            // seats set aside
}

// Aside is a seat set aside, for a waiter or for nobody yet.
type Aside struct {
	Seat  seatmap.SeatID
	Type  seatmap.SeatType
	Block string
	For   string
}

// Plan is at most one transaction: either new gates or a drain, or nothing.
type Plan struct {
	Gates  bool
	Wanted []seatmap.SeatType // with Gates: what all eight and the state are to say
	Drain  []Aside
}

// Idle reports that nothing is left to do.
func (p Plan) Idle() bool { return !p.Gates && len(p.Drain) == 0 }

// MaxDrain seats fit one transaction: two items a seat beside the state.
const MaxDrain = 49

// Step decides what one run does. Gates come first: a drain under a gate that
// still wants the type would free a seat that the next release sets aside again.
func Step(s State) Plan {
	if wanted := union(s.Active); !slices.Equal(wanted, union(s.Wanted)) {
		return Plan{Gates: true, Wanted: wanted}
	}
	var p Plan
	for _, a := range s.Pool {
		if a.For == "" && !slices.Contains(s.Wanted, a.Type) && len(p.Drain) < MaxDrain {
			p.Drain = append(p.Drain, a)
		}
	}
	return p
}

func union(types []seatmap.SeatType) []seatmap.SeatType {
	u := slices.Clone(types)
	slices.Sort(u)
	return slices.Compact(u)
}
