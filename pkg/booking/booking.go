// Package booking decides what may happen to a hold: Take, Confirm, Release and
// Regrant, each a pure function of the state, the request and now.
//
// A hold is one buyer's seats of one show, all or nothing, for five minutes
// (A7, A10). The claim of each seat points at its hold and the hold alone says
// what the claim is worth, so nothing here ever looks at a single seat's fate
// except Release, which decides seat by seat whether it becomes free or goes to
// the line (NoGap).
//
// Invariants kept here: HoldLifetime, AllOrNothing, TenAtMost, OneEffect. Start
// with [Hold], [Policy] and [Release].
package booking

import (
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// HoldID names a hold. It is derived from the buyer and the Idempotency-Key, so
// that the same request makes the same hold.
type HoldID string

// Buyer is a guest session or an account.
type Buyer string

// Guest reports whether the buyer is a guest session, Account whether an account
// (package session has the forms); the house is neither.
func (b Buyer) Guest() bool { return strings.HasPrefix(string(b), "g_") }

// Account: see Guest.
func (b Buyer) Account() bool { return strings.HasPrefix(string(b), "u_") }

// State of a hold. The zero value is invalid.
type State uint8

const (
	_        State = iota
	Held           // A14's Reserved
	Sold           // A14's Booked
	Released       // given back by its owner
	Expired        // A14's Expired
	Refunded       // sold once, money returned
	Blocked        // kept by the house: no deadline, no allowance
)

var stateNames = [...]string{Held: "held", Sold: "sold", Released: "released", Expired: "expired", Refunded: "refunded", Blocked: "blocked"}

func (s State) String() string {
	if s == 0 || int(s) >= len(stateNames) {
		return "invalid"
	}
	return stateNames[s]
}

// ParseState is String's inverse; ok is false for anything else.
func ParseState(s string) (State, bool) {
	for i, n := range stateNames {
		if n == s && i != 0 {
			return State(i), true
		}
	}
	return 0, false
}

// Live reports whether the hold owns its seats.
func (s State) Live() bool { return s == Held || s == Sold || s == Blocked }

// Seat is one seat of a hold, with all that ends of holds need to know of it.
type Seat struct {
	ID    seatmap.SeatID
	Type  seatmap.SeatType
	Block string // names the partition of its claim
	Price money.Amount
}

// Hold is the receipt of a request for seats; it outlives its end by a day at least.
type Hold struct {
	ID        HoldID
	Show      catalog.ShowID
	Buyer     Buyer
	Seats     []Seat
	State     State
	ExpiresAt time.Time // zero for Blocked
	Rev       int64     // grows with every write; what was read is what a write conditions on
	BodyHash  string    // of the request; the same key with another body is refused
	OrderID   string    // set when its payment first starts
	PaymentID string    // the latest payment
	MadeAt    time.Time
	EndedAt   time.Time // zero while live
	Aside     int       // seats that its end set aside for the line, which must hear of it
	Contacts  []Contact // of who pays; each has the seats in its allowance while the hold lives
}

// Total is the price of all seats.
func (h Hold) Total() (money.Amount, error) {
	if len(h.Seats) == 0 {
		return money.Amount{}, ErrNoSeats
	}
	sum := h.Seats[0].Price
	for _, s := range h.Seats[1:] {
		var err error
		if sum, err = sum.Add(s.Price); err != nil {
			return money.Amount{}, err
		}
	}
	return sum, nil
}

// Policy holds the numbers that the deployment sets (api.md "Policy numbers").
type Policy struct {
	Hold     time.Duration // five minutes (A7)
	Grace    time.Duration // five seconds (A7); two clocks must differ by less
	MaxSeats int           // ten (A10), of one show, held and owned together

	// FreeDrops is how many holds of a show a buyer may take and let go before he
	// waits between them ([Drops]); 0 is any number.
	FreeDrops int
}

// Receipt is how long a hold outlives its end: Idempotency-Keys are kept 24 hours.
const Receipt = 25 * time.Hour

// Refusals.
var (
	ErrNoSeats      = fault.New(fault.Invalid, "no_seats", "no seats were asked for")
	ErrTooMany      = fault.New(fault.Invalid, "too_many_seats", "more seats than one buyer may take")
	ErrDuplicate    = fault.New(fault.Invalid, "duplicate_seat", "a seat is named twice")
	ErrUnknownSeat  = fault.New(fault.Invalid, "unknown_seat", "the hall has no such seat")
	ErrWrongMovie   = fault.New(fault.Invalid, "wrong_movie", "the show is of another movie")
	ErrPairSplit    = fault.New(fault.Invalid, "pair_split", "a loveseat is sold as a pair")
	ErrSalesClosed  = fault.New(fault.Conflict, "sales_closed", "the show is not on sale now")
	ErrSeatLimit    = fault.New(fault.Conflict, "seat_limit_reached", "more than the seats one buyer may have in this show")
	ErrUnavailable  = fault.New(fault.Conflict, "seats_unavailable", "some of the seats are taken")
	ErrSingleGap    = fault.New(fault.Conflict, "single_gap", "the choice leaves a single seat alone")
	ErrHoldExpired  = fault.New(fault.Conflict, "hold_expired", "the hold has expired")
	ErrAlreadyPaid  = fault.New(fault.Conflict, "already_paid", "the hold is paid for")
	ErrHoldEnded    = fault.New(fault.Conflict, "hold_ended", "the hold was given back")
	ErrNotOverdue   = fault.New(fault.Stale, "", "booking: the hold is not overdue")
	ErrOtherBody    = fault.New(fault.Invalid, "idempotency_mismatch", "the Idempotency-Key was used with another request")
	ErrNotWorked    = fault.New(fault.Conflict, "challenge_required", "the show asks for a solved challenge")
	ErrNoContact    = fault.New(fault.Invalid, "contact_required", "the show asks for a contact with the payment")
	ErrHoldNotFound = fault.New(fault.NotFound, "not_found", "no such hold")
)

// Overdue reports whether anybody may end the hold: from ExpiresAt + Grace on
// (HoldLifetime), by the clock of who asks.
func (h Hold) Overdue(p Policy, now time.Time) bool {
	return h.State == Held && !now.Before(h.ExpiresAt.Add(p.Grace))
}

// Payable says whether the hold can still be paid for: in its time or its grace, not after.
func (h Hold) Payable(p Policy, now time.Time) error {
	switch h.State {
	case Held:
		if h.Overdue(p, now) {
			return ErrHoldExpired
		}
		return nil
	case Sold:
		return ErrAlreadyPaid
	case Expired:
		return ErrHoldExpired
	case Released, Refunded:
		return ErrHoldEnded
	}
	return ErrHoldNotFound
}

// Confirm makes the hold sold by the payment.
func Confirm(h Hold, p Policy, payment string, now time.Time) (Hold, error) {
	if err := h.Payable(p, now); err != nil {
		return Hold{}, err
	}
	h.State, h.PaymentID = Sold, payment
	h.Rev++
	return h, nil
}

// StartPayment ties an order and a payment to the hold. The new revision keeps a
// release that was decided before from ending the hold without its order. Contacts
// that are given take the place of those before; the seats count for them from now on.
func StartPayment(h Hold, p Policy, order, payment string, contacts []Contact, now time.Time) (Hold, error) {
	if err := h.Payable(p, now); err != nil {
		return Hold{}, err
	}
	if len(contacts) > 0 {
		h.Contacts = contacts
	}
	h.OrderID, h.PaymentID = order, payment
	h.Rev++
	return h, nil
}

// Regrant is the hold that late money buys: the seats of the ended hold, sold at
// once, under an id of its own. Whether every seat is still free is the
// transaction's condition, not decided here.
func Regrant(old Hold, id HoldID, payment string, now time.Time) (Hold, error) {
	if old.State != Expired && old.State != Released || old.PaymentID != payment {
		return Hold{}, ErrHoldEnded
	}
	return Hold{
		ID: id, Show: old.Show, Buyer: old.Buyer, Seats: old.Seats, State: Sold,
		ExpiresAt: old.ExpiresAt, Rev: 1, OrderID: old.OrderID, PaymentID: payment, MadeAt: now, Contacts: old.Contacts,
	}, nil
}
