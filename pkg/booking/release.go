package booking

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Cause is why a hold ends. The zero value is invalid.
type Cause uint8

const (
	_        Cause = iota
	ByOwner        // its buyer gave it back
	ByExpiry       // its time and grace are over
	ByRefund       // it was sold, and the money goes back
	ByHouse        // the house lets go of blocked seats
)

// Wanted is the set of seat types that somebody waits for, as a gate was read.
type Wanted []seatmap.SeatType

// Has reports whether the type is wanted.
func (w Wanted) Has(t seatmap.SeatType) bool { return slices.Contains(w, t) }

// Ending is the end of a hold, decided: what its item becomes and where each seat
// goes. It stands only under the conditions that protocol T3 names: the hold as
// read, every claim still its own, and, if any seat becomes free, a gate that
// wants none of the freed types.
type Ending struct {
	Was  Hold // as read; its Rev and State are the condition
	Hold Hold // as it becomes
	Free []Seat
	Line []Seat // set aside for the line, for nobody yet
}

// FreedTypes are the types that must still be unwanted at commit, each once.
func (e Ending) FreedTypes() []seatmap.SeatType {
	var types []seatmap.SeatType
	for _, s := range e.Free {
		if !slices.Contains(types, s.Type) {
			types = append(types, s.Type)
		}
	}
	return types
}

// Release ends a hold. It is the only function that does, on every path: the
// owner's, the timer's, the service's TTL, a walk-up who meets an overdue hold, a
// refund, the house. A seat of a type that somebody waits for goes to the line,
// any other becomes free (NoGap).
//
// A hold that has ended already is ErrHoldEnded, one that is not yet overdue
// ErrNotOverdue, a sold one (other than by refund) ErrAlreadyPaid.
func Release(h Hold, p Policy, cause Cause, wanted Wanted, now time.Time) (Ending, error) {
	next, err := endState(h, p, cause, now)
	if err != nil {
		return Ending{}, err
	}
	e := Ending{Was: h, Hold: h}
	e.Hold.State, e.Hold.EndedAt = next, now
	e.Hold.Rev++
	for _, s := range h.Seats {
		if wanted.Has(s.Type) {
			e.Line = append(e.Line, s)
		} else {
			e.Free = append(e.Free, s)
		}
	}
	e.Hold.Aside = len(e.Line)
	return e, nil
}

func endState(h Hold, p Policy, cause Cause, now time.Time) (State, error) {
	if !h.State.Live() {
		return 0, ErrHoldEnded
	}
	switch {
	case cause == ByOwner && h.State == Held:
		return Released, nil
	case cause == ByExpiry && h.State == Held:
		if !h.Overdue(p, now) {
			return 0, ErrNotOverdue
		}
		return Expired, nil
	case cause == ByRefund && h.State == Sold:
		return Refunded, nil
	case cause == ByHouse && h.State == Blocked:
		return Released, nil
	case h.State == Sold:
		return 0, ErrAlreadyPaid
	}
	return 0, ErrHoldEnded
}
