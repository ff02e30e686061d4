// Package adoption decides what of a guest's becomes an account's when he logs in: in
// one show, all that he holds, owns and waits for, or nothing.
//
// Invariants kept here: TenAtMost (what would exceed the account's allowance stays the
// guest's), OneEffect (a thing moves on the condition that it is as it was read, and
// still the guest's), WaiterNeverLost (a place keeps its number; two places of one buyer
// there never are). Start with [Decide].
package adoption

import (
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
)

// Errors. ErrAgain is of what was read one after another and does not fit together.
var (
	ErrAgain = fault.New(fault.Stale, "", "adoption: what was read has changed meanwhile")
	ErrBound = fault.New(fault.Conflict, "already_adopted", "the guest's things belong to another account")
)

// Reason is why a show's things stay the guest's. The zero value is that they need not.
type Reason uint8

// The reasons.
const (
	_         Reason = iota
	SeatLimit        // together they would be more seats than one buyer may have
	TwoPlaces        // both wait in the show's line
)

// Mark is what is known of a buyer's things in a show without a look at any of them.
type Mark struct {
	Show    catalog.ShowID
	Holding int              // seats that he holds and owns
	Holds   []booking.HoldID // the living holds that they are of
	Place   line.Place
	To      booking.Buyer // the account that has had things of this show from him; "" none
	Until   time.Time     // when nobody needs to know this any more
}

// Empty says that there is nothing to move.
func (m Mark) Empty() bool { return m.Holding == 0 && m.Place.Live == "" }

// Things are a buyer's in a show: the mark, and what it names.
type Things struct {
	Mark
	Living []booking.Hold
	Orders []order.Order // of the living holds, those that have one
	Waiter *line.Waiter  // where the place is live
}

// Move is T10, decided. It stands on the conditions that the guest's allowance is what
// Had says and no other account has had from it, that the account's permits it, that
// each hold, order and place is as it is here.
type Move struct {
	Guest, Account booking.Buyer
	Had            Things // the guest's
	There          line.Place
	Place          line.Place // the account's, as it becomes; There where no place moves
	Until          time.Time
}

// MovesPlace says that the guest's place in line is among what moves.
func (m Move) MovesPlace() bool { return m.Had.Waiter != nil }

// Decide is what moves of the guest's to the account, which has what the mark says. A
// Reason other than 0 keeps all of it with the guest.
func Decide(guest booking.Buyer, had Things, account booking.Buyer, has Mark, p booking.Policy) (Move, Reason, error) {
	if err := had.fit(guest); err != nil {
		return Move{}, 0, err
	}
	switch {
	case had.Waiter != nil && has.Place.Live != "":
		return Move{}, TwoPlaces, nil
	case had.Holding > 0 && had.Holding+has.Holding > p.MaxSeats:
		return Move{}, SeatLimit, nil
	}
	m := Move{Guest: guest, Account: account, Had: had, There: has.Place, Place: has.Place, Until: later(had.Until, has.Until)}
	if had.Waiter != nil { // what he has refused comes with him, or logging in would forget it
		m.Place = line.Place{
			Live: had.Place.Live, Lapses: had.Place.Lapses + has.Place.Lapses, CoolUntil: later(had.Place.CoolUntil, has.Place.CoolUntil),
		}
	}
	return m, 0, nil
}

// fit: the allowance counts exactly the living holds that were found, and they, their
// orders and the place are the guest's.
func (t Things) fit(guest booking.Buyer) error {
	seats := 0
	for _, h := range t.Living {
		if !h.State.Live() || h.Buyer != guest || h.Show != t.Show {
			return ErrAgain
		}
		seats += len(h.Seats)
	}
	for _, o := range t.Orders {
		if o.Buyer != string(guest) {
			return ErrAgain
		}
	}
	if seats != t.Holding || len(t.Living) != len(t.Holds) || (t.Waiter != nil) != (t.Place.Live != "") {
		return ErrAgain
	}
	if w := t.Waiter; w != nil && (w.State.Ended() || w.Buyer != guest || w.ID != t.Place.Live) {
		return ErrAgain
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
