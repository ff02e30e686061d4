package line

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// WaiterID names a place in line; it is derived from the buyer and the
// Idempotency-Key. A place gets at most one offer, so it names the offer too.
type WaiterID string

// WaiterState is how far a place in line has come. The zero value is invalid.
type WaiterState uint8

const (
	_          WaiterState = iota
	Asked                  // the receipt is written; its client is told "joining"
	Entering               // numbered, gates open, nothing set aside yet: still "joining"
	Waiting                // acknowledged
	Offered                // seats are reserved for it alone
	Accepted               // the rest are ends
	Declined               //
	Lapsed                 // the offer's time and grace are over
	Left                   //
	Infeasible             // fewer seats can still come free than it needs (A15)
	TimedOut               // its hour is over, or the line has closed
)

var waiterStateNames = [...]string{
	Asked: "asked", Entering: "entering", Waiting: "waiting", Offered: "offered", Accepted: "accepted", Declined: "declined",
	Lapsed: "lapsed", Left: "left", Infeasible: "infeasible", TimedOut: "timed_out",
}

func (s WaiterState) String() string {
	if !s.Valid() {
		return "invalid"
	}
	return waiterStateNames[s]
}

// ParseWaiterState is String's inverse; ok is false for anything else.
func ParseWaiterState(s string) (WaiterState, bool) {
	i := slices.Index(waiterStateNames[:], s)
	return WaiterState(max(i, 0)), i > 0
}

// Valid reports whether s is one of the ten.
func (s WaiterState) Valid() bool { return s >= Asked && s <= TimedOut }

// Active reports whether the gates are kept open for it.
func (s WaiterState) Active() bool { return s >= Entering && s <= Offered }

// Ended reports whether the place is closed for good.
func (s WaiterState) Ended() bool { return s >= Accepted }

// Waiter is a place in line; it is the receipt of a request to join and outlives
// its end by a day at least.
type Waiter struct {
	ID        WaiterID
	Show      catalog.ShowID
	Buyer     booking.Buyer
	State     WaiterState
	Party     int                // seats, 1 to Policy.MaxParty, all or none
	Types     []seatmap.SeatType // that it waits for, sorted; never empty
	BodyHash  string             // of the request
	AskedAt   time.Time
	ExpiresAt time.Time      // of the wait
	Number    int64          // place in the order, from 1; 0 until numbered
	Passed    int            // later parties that were offered seats of its types before it
	Offer     Offer          // from Offered on
	Hold      booking.HoldID // when accepted
	EndedAt   time.Time      // zero while it lives
}

// Offer is seats reserved for one waiter, and what it may choose from instead.
type Offer struct {
	Seats     []Aside
	Choice    []seatmap.SeatType // any open seat of these types may be chosen
	ExpiresAt time.Time
}

// Overdue reports whether the lane may let the offer lapse: from its deadline and
// the grace on, by the clock of who asks (HoldLifetime).
func (w Waiter) Overdue(p Policy, now time.Time) bool {
	return w.State == Offered && !now.Before(w.Offer.ExpiresAt.Add(p.Grace))
}

func (w Waiter) check(p Policy) error {
	switch {
	case !w.State.Valid(), w.ID == "", w.Party < 1, w.Party > p.MaxParty, len(w.Types) == 0:
		return ErrWaiter
	case w.State.Active() && w.Number < 1:
		return ErrWaiter
	case w.State == Offered && (len(w.Offer.Seats) != w.Party || w.Offer.ExpiresAt.IsZero()):
		return ErrWaiter
	}
	return nil
}

// end closes the place; back are the seats that were reserved for it.
func (w Waiter) end(to WaiterState, now time.Time) (next Waiter, back []Aside) {
	next = w
	next.State, next.EndedAt = to, now
	if w.State == Offered {
		back = w.Offer.Seats
	}
	return next, back
}

// Place is what a buyer has in a show: at most one live waiter.
type Place struct {
	Live      WaiterID // "" when none
	Lapses    int      // offers declined or let lapse
	CoolUntil time.Time
}

// coolAfter offers that were declined or lapsed a buyer may not join again at once
// (api.md); every further one cools again.
const coolAfter = 2

// Close is the place after its waiter ended; refused says that an offer was
// declined, left or let lapse.
func (p Place) Close(refused bool, pol Policy, now time.Time) Place {
	p.Live = ""
	if !refused {
		return p
	}
	if p.Lapses++; p.Lapses >= coolAfter {
		p.CoolUntil = now.Add(pol.CoolDown)
	}
	return p
}
