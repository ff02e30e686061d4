package relay

import (
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
)

// Why a lane is woken. All are hints: a run does what the state calls for. Only
// Sold and Swept make it look at more than it would.
const (
	Joined   = "join"
	Released = "released"
	Sold     = "sold"
	Answered = "answered" // accepted, declined or left: an entry is to be tidied
	Deadline = "deadline" // of an offer or a wait
	Swept    = "sweep"    // somebody who looked found the line unattended
)

// LaneWake is the body of a message to the lane.
type LaneWake struct {
	Show   catalog.ShowID `json:"show"`
	Why    string         `json:"why"`
	Waiter line.WaiterID  `json:"waiter,omitempty"`
	Due    int64          `json:"due,omitempty"` // of a deadline, milliseconds
}

// Wake is a message to the lane. The de-duplication id of one that stands for an
// event is the record's sequence number.
func Wake(w LaneWake, dedup string) ([]Message, error) {
	return one(Message{Queue: Lane, Group: string(w.Show), Dedup: dedup}, w)
}

// nudgeEvery is the bucket within which nudges are one. Only they may have one: the
// next bucket repeats them, while an event would be lost for five minutes.
const nudgeEvery = 2 * time.Second

// Nudge asks for a run of a line that is unattended, or for somebody whose message
// to join may be lost.
func Nudge(show catalog.ShowID, waiter line.WaiterID, now time.Time) ([]Message, error) {
	bucket := now.UnixMilli() / nudgeEvery.Milliseconds()
	return Wake(LaneWake{Show: show, Why: Swept, Waiter: waiter}, fmt.Sprintf("nudge-%s-%d", waiter, bucket))
}

// OfWaiter: who asks is to be numbered, who is offered or waits has a deadline, and
// who ended his place himself leaves an entry to be tidied.
func OfWaiter(r Record, grace time.Duration, now time.Time) ([]Message, error) {
	if r.New == nil || !store.IsWaiter(r.New) {
		return nil, nil
	}
	w, err := store.WaiterFromItem(r.New)
	if err != nil {
		return nil, err
	}
	if r.Old != nil && r.Old["state"] == r.New["state"] {
		return nil, nil
	}
	var ms, more []Message
	switch w.State {
	case line.Asked:
		ms, err = Wake(LaneWake{Show: w.Show, Why: Joined, Waiter: w.ID}, r.Sequence)
	case line.Accepted, line.Declined, line.Left:
		ms, err = Wake(LaneWake{Show: w.Show, Why: Answered, Waiter: w.ID}, r.Sequence)
	}
	if err == nil && (w.State == line.Asked || w.State == line.Offered) {
		more, err = WaiterDeadline(w, grace, now)
	}
	return append(ms, more...), err
}

// DueOf is when a place is over if nothing happens; zero when it has ended.
func DueOf(w line.Waiter, grace time.Duration) time.Time {
	switch {
	case w.State.Ended():
		return time.Time{}
	case w.State == line.Offered:
		return w.Offer.ExpiresAt.Add(grace)
	}
	return w.ExpiresAt
}

// WaiterDeadline is the message that comes when the offer or the wait is over, or
// after MaxDelay, whichever is sooner.
func WaiterDeadline(w line.Waiter, grace time.Duration, now time.Time) ([]Message, error) {
	return one(Message{Queue: Timers, Delay: floor(DueOf(w, grace), now)}, TimerDue{Waiter: w.ID})
}

// FreedSeat tells of a record that says that a seat was set aside for nobody, or is
// for nobody again.
func FreedSeat(r Record) (catalog.ShowID, bool) {
	if r.New == nil {
		return "", false
	}
	show, _, ok := store.PoolSeat(r.New)
	return show, ok && r.New["for"] == nil && (r.Old == nil || r.Old["for"] != nil)
}

// OfLineTold is what people are told of a record of the line: who is acknowledged,
// offered or at an end himself, and those who watch the show that places have moved.
func OfLineTold(r Record) ([]Message, error) {
	if r.New == nil {
		return nil, nil
	}
	if show, ok := store.LineShow(r.New); ok {
		if !store.PlacesMoved(r.Old, r.New) {
			return nil, nil
		}
		version, _ := r.New["v"].(int64)
		m, err := Tell(show, "", socket.LinePosition, version, "")
		return []Message{m}, err
	}
	if !store.IsWaiter(r.New) || r.Old != nil && r.Old["state"] == r.New["state"] {
		return nil, nil
	}
	w, err := store.WaiterFromItem(r.New)
	if err != nil {
		return nil, err
	}
	kind := socket.LinePosition
	switch {
	case w.State == line.Asked || w.State == line.Entering:
		return nil, nil
	case w.State == line.Offered:
		kind = socket.LineOffer
	case w.State.Ended():
		kind = socket.LineEnded
	}
	m, err := Tell(w.Show, w.Buyer, kind, int64(w.State), w.ID)
	return []Message{m}, err
}
