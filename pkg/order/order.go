// Package order decides which states an order may pass through: PENDING, PAID,
// CANCELLED, REFUNDED (B9), each move conditional on the one before.
//
// It keeps a part of MoneyIsTickets: tickets exist exactly while the order is
// PAID, one a seat, and the seats' prices sum up to the total. Start with [Order]
// and its three moves: Pay, Cancel, Refund.
package order

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// ID names an order.
type ID string

// Status is where an order stands. The zero value is invalid.
type Status string

// The states of requirement B9. An expired, unpaid order is Cancelled.
const (
	Pending   Status = "PENDING"
	Paid      Status = "PAID"
	Cancelled Status = "CANCELLED"
	Refunded  Status = "REFUNDED"
)

// Statuses lists every valid one.
var Statuses = []Status{Pending, Paid, Cancelled, Refunded}

// Refusals of a move.
var (
	ErrPaid   = fault.New(fault.Conflict, "already_paid", "order: paid already")
	ErrMove   = fault.New(fault.Conflict, "order_state", "order: its state does not allow this")
	ErrBroken = fault.New(fault.Internal, "", "order: contradicts itself")
)

// ParseStatus refuses what is not one of [Statuses] with [ErrBroken].
func ParseStatus(s string) (Status, error) {
	if slices.Contains(Statuses, Status(s)) {
		return Status(s), nil
	}
	return "", fmt.Errorf("%w: status %q", ErrBroken, s)
}

// Seat is what was ordered and at what price.
type Seat struct {
	ID    string
	Type  string
	Price money.Amount
}

// Ticket is a seat that was paid for. Code is what is shown at the door.
type Ticket struct {
	ID   ticket.ID
	Seat string
	Code string
}

// Order is the buyer's paper about one hold.
type Order struct {
	ID        ID
	HoldID    string
	ShowID    string
	Buyer     string
	Status    Status
	Total     money.Amount
	Seats     []Seat
	Tickets   []Ticket   // in the order of Seats; none unless Paid
	PaidBy    payment.ID // stays after a refund
	CreatedAt time.Time
	PaidAt    time.Time
	Rev       int64 // grows with every write; who follows the table's stream knows by it what is old
}

// View is what a payment must know of the order.
func (o Order) View() payment.OrderView {
	return payment.OrderView{ID: string(o.ID), Total: o.Total, PaidBy: o.PaidBy, Shut: o.Status == Refunded}
}

// moves is the whole table; what is not in it is refused.
//
//	from \ to  | PAID                        | CANCELLED | REFUNDED
//	PENDING    | in time                     | expired   | no: nothing was taken
//	CANCELLED  | late money, seats still free | no        | late money given back
//	PAID       | no: already paid            | no        | refund of the order
//	REFUNDED   | no                          | no        | no
var moves = map[Status][]Status{
	Pending:   {Paid, Cancelled},
	Cancelled: {Paid, Refunded},
	Paid:      {Refunded},
	Refunded:  {},
}

// Pay turns a pending or cancelled order into a paid one. tickets are one a seat,
// in the order of the seats; HoldID becomes that of the hold that was sold, which
// after late money is a new one. [ErrPaid] when it is paid, also by the same
// payment: that this happened before is for the caller to know.
func (o Order) Pay(by payment.ID, hold string, tickets []Ticket, at time.Time) (Order, error) {
	if o.Status == Paid {
		return Order{}, fmt.Errorf("order %s by payment %s: %w", o.ID, o.PaidBy, ErrPaid)
	}
	if err := o.may(Paid); err != nil {
		return Order{}, err
	}
	o.Status, o.HoldID, o.PaidBy, o.PaidAt = Paid, hold, by, at
	o.Tickets = slices.Clone(tickets)
	o.Rev++
	return o, o.Check()
}

// Cancel ends an order that was never paid.
func (o Order) Cancel() (Order, error) {
	if err := o.may(Cancelled); err != nil {
		return Order{}, err
	}
	o.Status = Cancelled
	o.Rev++
	return o, nil
}

// Refund ends an order whose money went back. Its tickets are void and leave it;
// [ticket.IDFor] makes their ids again. A cancelled order remembers as PaidBy the
// payment that came too late.
func (o Order) Refund(of payment.ID) (Order, error) {
	if err := o.may(Refunded); err != nil {
		return Order{}, err
	}
	if o.Status == Paid && o.PaidBy != of {
		return Order{}, fmt.Errorf("order %s was paid by %s, not %s: %w", o.ID, o.PaidBy, of, ErrMove)
	}
	o.Status, o.PaidBy, o.Tickets = Refunded, of, nil
	o.Rev++
	return o, nil
}

func (o Order) may(to Status) error {
	if !slices.Contains(moves[o.Status], to) {
		return fmt.Errorf("order %s from %s to %s: %w", o.ID, o.Status, to, ErrMove)
	}
	return nil
}

// Check finds what no order may be, with [ErrBroken].
func (o Order) Check() error {
	if err := o.check(); err != nil {
		return fmt.Errorf("order %s: %w", o.ID, err)
	}
	return nil
}

func (o Order) check() error {
	if _, err := ParseStatus(string(o.Status)); err != nil {
		return err
	}
	if len(o.Seats) == 0 || !o.Total.Valid() {
		return fmt.Errorf("%w: no seats or no total", ErrBroken)
	}
	if sum, err := Sum(o.Seats); err != nil || sum != o.Total {
		return fmt.Errorf("%w: seats do not sum up to %v", ErrBroken, o.Total)
	}
	bought := o.Status == Paid || o.Status == Refunded
	if bought != (o.PaidBy != "") {
		return fmt.Errorf("%w: %s with payment %q", ErrBroken, o.Status, o.PaidBy)
	}
	return o.checkTickets()
}

func (o Order) checkTickets() error {
	if o.Status != Paid {
		if len(o.Tickets) != 0 {
			return fmt.Errorf("%w: tickets of a %s order", ErrBroken, o.Status)
		}
		return nil
	}
	if len(o.Tickets) != len(o.Seats) || o.PaidAt.IsZero() {
		return fmt.Errorf("%w: %d tickets for %d seats", ErrBroken, len(o.Tickets), len(o.Seats))
	}
	for i, t := range o.Tickets {
		if t.Seat != o.Seats[i].ID || t.ID == "" || t.Code == "" {
			return fmt.Errorf("%w: ticket %q for seat %s", ErrBroken, t.ID, o.Seats[i].ID)
		}
	}
	return nil
}

// Sum is the price of the seats; they must be of one currency and at least one.
func Sum(seats []Seat) (money.Amount, error) {
	if len(seats) == 0 {
		return money.Amount{}, fmt.Errorf("%w: no seats", ErrBroken)
	}
	sum := money.Amount{Currency: seats[0].Price.Currency}
	for _, s := range seats {
		if !s.Price.Valid() {
			return money.Amount{}, fmt.Errorf("%w: price of seat %s", ErrBroken, s.ID)
		}
		var err error
		if sum, err = sum.Add(s.Price); err != nil {
			return money.Amount{}, fmt.Errorf("seat %s: %w", s.ID, err)
		}
	}
	return sum, nil
}
