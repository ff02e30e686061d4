// Package history decides what a buyer is shown of what he bought: his orders, the
// newest first, and his tickets by the time of their shows.
//
// It follows the stream of orders, one entry an order and buyer. The order itself
// stays the authority: an entry says where it is to be found and what it was when the
// record came, a second or two ago. Invariant kept here: OneEffect, for an entry goes by
// the order's revision, so that a record which comes twice, late or from a run that
// was overtaken changes nothing.
//
// Start with [Follow] and [Book].
package history

import (
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
)

// GuestKept is how long after its making an entry of a guest's is kept: twice as long as
// the session by which alone anybody could ask for it.
const GuestKept = 48 * time.Hour

// Entry is an order as its buyer's list shows it.
type Entry struct {
	Order    order.ID
	Show     catalog.ShowID
	Status   order.Status
	Total    money.Amount
	Seats    []string
	MadeAt   time.Time
	StartsAt time.Time // of the show as it was when the record came; zero where the catalogue has forgotten it
	EndsAt   time.Time
	Rev      int64 // of the order
	Gone     bool  // the order is another buyer's by now; kept so that no late record brings it back
}

// Move replaces a buyer's entry, on the condition that it is Was (nil: that there is none).
type Move struct {
	Buyer booking.Buyer
	Was   *Entry
	Next  Entry
	Until time.Time // when it may go; zero: never
}

// Of is the order's entry.
func Of(o order.Order, s catalog.Show) Entry {
	e := Entry{
		Order: o.ID, Show: catalog.ShowID(o.ShowID), Status: o.Status, Total: o.Total,
		MadeAt: o.CreatedAt, StartsAt: s.StartsAt, EndsAt: s.EndsAt, Rev: o.Rev,
	}
	for _, seat := range o.Seats {
		e.Seats = append(e.Seats, seat.ID)
	}
	return e
}

// Follow decides what a record of an order changes: its entry with its buyer, was as
// it stands there, and, where the order came from another, the entry with him. None
// where the entry is of that revision or a later one.
func Follow(o order.Order, s catalog.Show, was *Entry, from booking.Buyer, there *Entry) []Move {
	buyer, next := booking.Buyer(o.Buyer), Of(o, s)
	var moves []Move
	if newer(next, was) {
		moves = append(moves, Move{Buyer: buyer, Was: was, Next: next, Until: until(buyer, next)})
	}
	if from != "" && from != buyer && newer(next, there) {
		gone := next
		gone.Gone = true
		moves = append(moves, Move{Buyer: from, Was: there, Next: gone, Until: until(from, gone)})
	}
	return moves
}

func newer(next Entry, was *Entry) bool { return was == nil || was.Rev < next.Rev }

func until(b booking.Buyer, e Entry) time.Time {
	if b.Guest() {
		return e.MadeAt.Add(GuestKept)
	}
	return time.Time{}
}

// HasTickets says that the entry is among its buyer's tickets, too.
func (e Entry) HasTickets() bool { return e.Status == order.Paid && !e.Gone }
