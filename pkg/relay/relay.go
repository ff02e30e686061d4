// Package relay decides which messages a stream record causes. The record is the
// event: what is sent here was committed before, and nothing else sends it.
//
// A message that stands for an event carries the record's sequence number as its
// de-duplication id, so a record that comes twice is one message. It is only a
// hint when it arrives: the state decides. Start with [OfHold], [OfPayment] and [Tell].
package relay

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/store"
)

// Queue names where a message goes. The zero value is invalid.
type Queue uint8

const (
	_        Queue = iota
	Timers         // standard, with delay: deadlines of holds
	Payments       // standard, with delay: appointments with providers
	Lane           // FIFO, the show as group
	Hints          // standard, with delay: what people are told over sockets
	Letters        // standard: ids of what is told by e-mail
)

// MaxDelay is the longest delay that SQS gives a message. Who gets one before its
// time puts it back.
const MaxDelay = 15 * time.Minute

// Message is one message to send.
type Message struct {
	Queue Queue
	Body  string
	Delay time.Duration // whole seconds; never on the lane
	Group string        // lane only
	Dedup string        // lane only
}

// Record is what a stream tells of one item. Old is nil for a new item, New for
// one that is gone.
type Record struct {
	Old, New store.Item
	Sequence string
	Service  bool // the database's own TTL did it
}

// TimerDue is the body of a timer message: of a hold, or of somebody who waits.
type TimerDue struct {
	Hold   booking.HoldID `json:"hold,omitempty"`
	Waiter line.WaiterID  `json:"waiter,omitempty"`
}

// AskDue is the body of an appointment: Due tells which one, in milliseconds.
type AskDue struct {
	Payment payment.ID `json:"payment"`
	Due     int64      `json:"due"`
}

// OfHold: a new hold sets its timer.
func OfHold(r Record, p booking.Policy, now time.Time) ([]Message, error) {
	if r.New == nil || r.Old != nil {
		return nil, nil
	}
	h, err := store.HoldFromItem(r.New)
	if err != nil || h.State != booking.Held {
		return nil, err
	}
	return HoldDeadline(h, p, now)
}

// SoldHold tells of a record that says that a hold was sold: who waits for its types
// may wait in vain.
func SoldHold(r Record) (booking.Hold, bool, error) {
	if r.New == nil || r.New["state"] != booking.Sold.String() || r.Old != nil && r.Old["state"] == r.New["state"] {
		return booking.Hold{}, false, nil
	}
	h, err := store.HoldFromItem(r.New)
	return h, err == nil, err
}

// HoldDeadline is the message that comes when the hold's time and grace are over,
// or after MaxDelay, whichever is sooner.
func HoldDeadline(h booking.Hold, p booking.Policy, now time.Time) ([]Message, error) {
	return one(Message{Queue: Timers, Delay: floor(h.ExpiresAt.Add(p.Grace), now)}, TimerDue{Hold: h.ID})
}

// OfPayment: an appointment that was made, or asked for again, gets its message.
func OfPayment(r Record, now time.Time) ([]Message, error) {
	if r.New == nil || !store.IsPayment(r.New) {
		return nil, nil
	}
	p, err := store.PaymentFromItem(r.New)
	if err != nil {
		return nil, err
	}
	if p.NextAskAt.IsZero() || r.Old != nil && !store.AppointmentMoved(r.Old, r.New) {
		return nil, nil
	}
	return one(Message{Queue: Payments, Delay: delay(p.NextAskAt, now)}, AskDue{p.ID, p.NextAskAt.UnixMilli()})
}

// floor rounds down: who gets the message waits the rest of the second, and the next
// in line is offered the seats at once.
func floor(due, now time.Time) time.Duration {
	return min(max(due.Sub(now), 0).Truncate(time.Second), MaxDelay)
}

// delay rounds up: a message a second late is a second late, one that is early
// has to be put back.
func delay(due, now time.Time) time.Duration {
	d := due.Sub(now)
	if d <= 0 {
		return 0
	}
	return min((d + time.Second - 1).Truncate(time.Second), MaxDelay)
}

func one(m Message, body any) ([]Message, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	m.Body = string(b)
	return []Message{m}, nil
}
