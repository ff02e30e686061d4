// Package line decides what the lane of a show does next, one pure [Step] from
// the state that was read, never from the message that woke it; and what those
// who wait may do themselves: [Ask], [Accept], [Decline] and [Leave]. Hence
// duplicates, reordering and a crash after the commit need no rule of their own.
//
// Seats are offered in order of number (A15). A party that does not fit yet blocks
// its seat types for all later ones: for good under the [Strict] rule, until so
// many have passed it under the [Bounded] one. A seat of a type that somebody
// waits for is set aside before the public sees it.
//
// Joining is: a number and open gates; then a look at what is free; then setting
// that aside. Never another order, for only behind open gates do the free seats
// get fewer and fewer.
//
// Invariants kept here: FirstComeFirstServed, NoGap (a seat of a wanted type is
// never drained, nobody is acknowledged before what is free is set aside),
// WaiterNeverLost, NoLostSeat (nothing stays set aside for ever). Start with
// [State], [Step] and [Waiter].
package line

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// State is what one run of the lane has read, its version first and strongly
// consistent, so that a commit under the version vouches for the rest.
type State struct {
	Version  int64              // of the line's state item; every commit is fenced by it
	Next     int64              // the next number; 0 in a line that was never opened counts as 1
	Wanted   []seatmap.SeatType // what the gates say, written together with the version
	Dry      []seatmap.SeatType // of these nothing was left free when somebody last joined for them
	ClosesAt time.Time          // from then on nobody waits; zero when the line never closes

	// Waiters are those who have an entry, also those who have ended since, in any
	// order; and of those who have only asked the ones whom a message or a poll names.
	// Where More is set, entries follow behind number Through; then of these Waiters
	// has those alone who are entering, offered or named.
	Waiters []Waiter
	Through int64
	More    bool
	Pool    []Aside // seats set aside

	Last   []WaiterID // to whom numbers were given last; only they can be entering
	Places Places     // who is in line, for those who ask how many are ahead
	Seen   time.Time  // when a run last found nothing left to do, or committed

	// Layout is the hall; it may be nil while nobody waits.
	Layout *seatmap.Layout
	// Free tells the seats without a claim. It is nil until a plan has asked for a
	// Scan; the reading of it must begin after the reading of this state. Scanned are
	// the types that it was read for, nil when all: another may have become the first
	// who is entering since the plan asked.
	Free    func(i int) bool
	Scanned []seatmap.SeatType
	// Unsold tells the seats that are neither sold nor blocked, exactly (see
	// [Unsold]). It is nil while it is not worth looking; then nobody is infeasible.
	Unsold func(i int) bool
}

// Aside is a seat set aside, for a waiter or for nobody yet.
type Aside struct {
	Seat  seatmap.SeatID
	Type  seatmap.SeatType
	Block string
	For   WaiterID
}

// Rule is what happens behind a party that does not fit. The zero value is invalid.
type Rule uint8

const (
	_       Rule = iota
	Strict       // nobody passes it
	Bounded      // so many later parties may, see Policy.Passes
)

var ruleNames = [...]string{Strict: "strict", Bounded: "bounded"}

func (r Rule) String() string {
	if r == 0 || int(r) >= len(ruleNames) {
		return "invalid"
	}
	return ruleNames[r]
}

// Policy holds what the deployment and the organiser set (api.md "Policy numbers").
type Policy struct {
	Offer    time.Duration // an offer stands so long, but never past the line's closing
	Grace    time.Duration // after it; two clocks must differ by less
	Wait     time.Duration // at most (A15: one hour)
	CoolDown time.Duration // after the second offer of a show that was declined or lapsed
	MaxParty int           // ten (A10)
	Rule     Rule          // told to everybody who waits
	Passes   int           // with Bounded: how many later parties may pass one that does not fit
}

// Standard is the published policy where nothing else is set.
var Standard = Policy{
	Offer: 2 * time.Minute, Grace: 5 * time.Second, Wait: time.Hour, CoolDown: 10 * time.Minute, MaxParty: 10, Rule: Strict,
}

// Limits of one transaction: 100 writes.
const (
	MaxDrain = 49 // two items a seat beside the state
	MaxAside = 40 // two items a seat beside state, waiter, entry and timer
	MaxEnds  = 30 // three items each beside the state
	MaxJoins = 10 // two items each beside the state and eight gates
	MaxTidy  = 40 // entries beside the state and eight gates
	MaxPass  = 80 // of whom one offer passes: an item each beside state, waiter, timer and ten seats
)

// Errors of a state that cannot be: nothing is decided from it.
var (
	ErrPolicy = fault.New(fault.Internal, "", "line: a policy without a rule or without its times")
	ErrLayout = fault.New(fault.Internal, "", "line: somebody waits in no known hall, or a seat is in none")
	ErrWaiter = fault.New(fault.Internal, "", "line: a waiter in an impossible state")
)

func (p Policy) check() error {
	bad := p.Rule != Strict && p.Rule != Bounded || p.Offer <= 0 || p.Grace < 0 || p.Wait <= 0 || p.MaxParty < 1 || p.Passes < 0
	if bad {
		return ErrPolicy
	}
	return nil
}

func (s State) check(p Policy) error {
	if err := p.check(); err != nil {
		return err
	}
	for _, w := range s.Waiters {
		if err := w.check(p); err != nil {
			return err
		}
	}
	if s.Layout == nil {
		if len(s.Waiters) > 0 {
			return ErrLayout
		}
		return nil
	}
	for _, a := range s.Pool {
		if at, ok := s.Layout.Seat(a.Seat); !ok || at.Type != a.Type {
			return ErrLayout
		}
	}
	return nil
}

// closed: nobody waits any more.
func (s State) closed(now time.Time) bool { return !s.ClosesAt.IsZero() && !now.Before(s.ClosesAt) }

// deadline of an offer that is made now.
func (s State) deadline(p Policy, now time.Time) time.Time {
	at := now.Add(p.Offer)
	if !s.ClosesAt.IsZero() && s.ClosesAt.Before(at) {
		return s.ClosesAt
	}
	return at
}

func union(types ...[]seatmap.SeatType) []seatmap.SeatType {
	u := slices.Concat(types...)
	slices.Sort(u)
	return slices.Compact(u)
}

// without is a less b, in a's order.
func without(a, b []seatmap.SeatType) []seatmap.SeatType {
	return slices.DeleteFunc(slices.Clone(a), func(t seatmap.SeatType) bool { return slices.Contains(b, t) })
}

func meet(a, b []seatmap.SeatType) bool {
	return slices.ContainsFunc(a, func(t seatmap.SeatType) bool { return slices.Contains(b, t) })
}
