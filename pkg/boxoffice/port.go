package boxoffice

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/adoption"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Store is what the use cases need of the database: one method a transaction of
// the protocol, and the reads from which they decide.
//
// Contract: every method that writes is one conditional transaction, applied
// whole or not at all. Its errors carry a kind: Stale (a condition failed: read
// again), Contended (the same again after a pause), Busy (throttled, nothing was
// done), Unknown (read the truth). Reads see every transaction that was
// acknowledged before they began, but for Snapshot and Order listings.
type Store interface {
	HoldStore
	PaymentStore
	MapStore
}

// HoldStore keeps claims, holds, allowances, gates and timers.
type HoldStore interface {
	// Hold is T1. A refusal by condition is *Taken.
	Hold(ctx context.Context, h booking.Hold, keepUntil time.Time, terms booking.Terms) error
	// Block is T8's first half: claims and hold, no allowance, no timer.
	Block(ctx context.Context, h booking.Hold) error
	// Release is T3; o, when not nil, is the hold's order as it becomes, on the
	// condition that it still stands at was.
	Release(ctx context.Context, e booking.Ending, o *OrderChange) error

	// HoldByID fails with booking.ErrHoldNotFound.
	HoldByID(ctx context.Context, id booking.HoldID) (booking.Hold, error)
	HoldsByID(ctx context.Context, ids []booking.HoldID) (map[booking.HoldID]booking.Hold, error)
	// Claims of some seats; a free seat is absent from the map.
	Claims(ctx context.Context, show catalog.ShowID, seats []SeatKey) (map[seatmap.SeatID]Owner, error)
	// ClaimsAtOnce reads them at one moment for each hundred. It is Contended while a
	// transaction has one of them in hand.
	ClaimsAtOnce(ctx context.Context, show catalog.ShowID, seats []SeatKey) (map[seatmap.SeatID]Owner, error)
	// Look is both in one request, not at one moment.
	Look(ctx context.Context, show catalog.ShowID, seats []SeatKey, ids []booking.HoldID) (map[seatmap.SeatID]Owner, map[booking.HoldID]booking.Hold, error)
	// BlockClaims are all claims of one block of the hall.
	BlockClaims(ctx context.Context, show catalog.ShowID, block string) (map[seatmap.SeatID]Owner, error)
	// Wanted reads the gate that a release of the hold checks.
	Wanted(ctx context.Context, show catalog.ShowID, id booking.HoldID) (booking.Wanted, error)
	// Allowance is how many seats the buyer holds and owns in the show.
	Allowance(ctx context.Context, show catalog.ShowID, b booking.Buyer) (int, error)
	// Timers lists one shard's live deadlines up to and including the moment, in
	// order of expiry (A14). A zero moment means all, and so does most = 0.
	Timers(ctx context.Context, show catalog.ShowID, shard int, upTo time.Time, most int) ([]Timer, error)
}

// PaymentStore keeps orders and payments.
type PaymentStore interface {
	// StartPayment ties a new payment to a hold: hold as it was read, payment
	// absent, order absent (fresh) or as it was. A contact whose allowance does not
	// permit it is *Taken.
	StartPayment(ctx context.Context, was, next booking.Hold, p payment.Payment, o order.Order, fresh bool, now time.Time) error
	// Confirm is T2.
	Confirm(ctx context.Context, was, next booking.Hold, p PaymentChange, o OrderChange, now time.Time) error
	// Regrant is T4.
	Regrant(ctx context.Context, old, h booking.Hold, keepUntil time.Time, p PaymentChange, o OrderChange) error
	// ChangePayment moves a payment alone, or together with its order.
	ChangePayment(ctx context.Context, p PaymentChange, o *OrderChange) error
	// NoteAnswer keeps that the request of number id was answered with a payment
	// that was pending already. Stale when the request was answered before.
	NoteAnswer(ctx context.Context, id, with payment.ID, bodyHash string, keepUntil time.Time) error
	// PaymentAnswered finds the payment that the request of number id was answered
	// with, and the hash of its body. It fails with ErrPaymentNotFound.
	PaymentAnswered(ctx context.Context, id payment.ID) (p payment.Payment, bodyHash string, err error)
	// WakePayment asks for another message about the appointment that stands.
	WakePayment(ctx context.Context, p payment.Payment) error

	// PaymentByID fails with ErrPaymentNotFound, OrderByID with ErrOrderNotFound.
	PaymentByID(ctx context.Context, id payment.ID) (payment.Payment, error)
	OrderByID(ctx context.Context, id order.ID) (order.Order, error)
}

// MapStore keeps the packed seat map of each show.
type MapStore interface {
	// Snapshot may be as far behind as an eventually consistent read; a show of
	// which none exists gives a nil Map.
	Snapshot(ctx context.Context, show catalog.ShowID) (*Map, error)
	// FreshSnapshot is the same, strongly consistent.
	FreshSnapshot(ctx context.Context, show catalog.ShowID) (*Map, error)
	// SaveSnapshot replaces the map of version was (0 for none); changed tells
	// that the statuses by type and Together are to be listed anew. Stale when another came first.
	SaveSnapshot(ctx context.Context, s catalog.Show, m Map, was int64, changed bool) error
	// PostponeDue moves the map's deadline, on the condition that it is was; a zero
	// next removes it. It is Stale when another was faster.
	PostponeDue(ctx context.Context, show catalog.ShowID, was, next time.Time) error
	// Statuses of all touched shows of a movie in a city; an untouched show is absent.
	Statuses(ctx context.Context, city catalog.CityID, movie catalog.MovieID) (map[catalog.ShowID]map[seatmap.SeatType]seatmap.Availability, error)
}

// LineStore keeps the line of a show: who waits, what is set aside, who has which
// place.
type LineStore interface {
	// LineState reads the version first, then the rest, strongly consistent.
	LineState(ctx context.Context, show catalog.ShowID, r line.Reading) (line.State, error)
	// CommitLine is fenced by the version; Stale when another run came first or what
	// was read has changed. A plan that is no transaction is an error.
	CommitLine(ctx context.Context, show catalog.ShowID, was line.State, p line.Plan, at line.Stamp) error
	// LineHead is what is set aside and the first few in line, to tell why somebody
	// waits: no version, nothing to decide from.
	LineHead(ctx context.Context, show catalog.ShowID) (line.State, error)
	// LineGlance is the state item alone, eventually consistent.
	LineGlance(ctx context.Context, show catalog.ShowID) (line.State, error)
	// SawLine notes that a run found nothing left to do; Stale where no line ever was.
	SawLine(ctx context.Context, show catalog.ShowID, at line.Stamp) error

	// Ask is T7 (booking.ErrNotWorked when the challenge made at workedAt was used
	// before), Accept T5 (*Taken when the allowance does not permit it), Leave T6.
	Ask(ctx context.Context, w line.Waiter, keepUntil, workedAt time.Time) error
	Accept(ctx context.Context, a line.Acceptance, keepUntil time.Time) error
	Leave(ctx context.Context, l line.Leaving, place *line.Place) error

	// Waiter fails with line.ErrNotFound, and so does InLine, which reads the state of
	// its line with it.
	Waiter(ctx context.Context, id line.WaiterID) (line.Waiter, error)
	InLine(ctx context.Context, show catalog.ShowID, id line.WaiterID) (line.Waiter, line.State, error)
	// Joining reads the receipt of a request to wait, ok where there is one, and the place.
	Joining(ctx context.Context, show catalog.ShowID, b booking.Buyer, id line.WaiterID) (w line.Waiter, ok bool, p line.Place, err error)
	Place(ctx context.Context, show catalog.ShowID, b booking.Buyer) (line.Place, error)
	// Pool are all seats set aside, PoolSeats some of them.
	Pool(ctx context.Context, show catalog.ShowID) ([]line.Aside, error)
	PoolSeats(ctx context.Context, show catalog.ShowID, seats []seatmap.SeatID) ([]line.Aside, error)
}

// AdoptionStore moves what a guest has to his account.
type AdoptionStore interface {
	// Bind notes whose a guest's things are to be; adoption.ErrBound when they are
	// another account's already.
	Bind(ctx context.Context, guest, account booking.Buyer, until time.Time) error
	// Marks tell what a buyer has in every show, MarkOf what two have in one.
	Marks(ctx context.Context, b booking.Buyer) ([]adoption.Mark, error)
	MarkOf(ctx context.Context, show catalog.ShowID, guest, account booking.Buyer) (had, has adoption.Mark, err error)
	// Adopt is T10, AdoptPast the same for an order whose hold has ended; a zero hold is
	// one that is gone.
	Adopt(ctx context.Context, m adoption.Move) error
	AdoptPast(ctx context.Context, h booking.Hold, o order.Order, account booking.Buyer) error
}

// Owner is what a claim says: a hold's id, Line or a house hold.
type Owner struct {
	Hold  booking.HoldID // "" when the seat is set aside for the line
	House bool
}

// Line reports whether the seat is set aside.
func (o Owner) Line() bool { return o.Hold == "" }

// SeatKey finds a claim.
type SeatKey struct {
	Seat  seatmap.SeatID
	Block string
}

// Timer is one entry of a show's list of deadlines, of a hold or of somebody who
// waits.
type Timer struct {
	Hold      booking.HoldID
	Waiter    line.WaiterID
	Show      catalog.ShowID
	ExpiresAt time.Time
}

// OrderChange moves an order from one status to the next.
type OrderChange struct {
	Was  order.Status
	Next order.Order
}

// PaymentChange moves a payment, on the condition of the state that was read.
// Only what differs is written, so a change of state and the note of what the
// buyer must do cannot undo each other.
type PaymentChange struct {
	Was  payment.Payment
	Next payment.Payment
}

// Taken is a Hold refused by condition: all that stood in its way at one moment.
type Taken struct {
	Existing *booking.Hold            // this very hold exists already
	Claims   map[seatmap.SeatID]Owner // wanted seats that are not free
	Full     bool                     // the buyer's allowance does not permit it
	Holding  int                      // what the buyer has, where his allowance was read
	Drops    booking.Drops            // what he dropped, the same
	WorkedAt time.Time                // when the last challenge was made that he used, the same
	Used     bool                     // that of this hold was used before
	Partial  bool                     // other items were in conflict: Claims may lack some
}

func (*Taken) Error() string { return "boxoffice: the hold was refused" }
