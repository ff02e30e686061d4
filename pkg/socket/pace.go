package socket

import "time"

// Pace is when the watchers of a show were told of a kind, or will be.
type Pace struct {
	At      time.Time // of the latest telling, or of the next if it is put off
	PutOff  bool      // a message is on its way for At
	Version int64     // the newest that was heard of
	Rev     int64     // what a write conditions on
}

// Turn is what is to be done with a hint. The zero value is invalid.
type Turn uint8

// The turns.
const (
	_        Turn = iota
	TellNow       // everybody, at once
	TellThen      // put it off until the pace's At
	LeaveIt       // one is on its way that will tell this too
)

// Take decides about a hint to all who watch. The first change is told at once;
// one that follows too soon is put off, and with it goes whatever changes until
// then. Without the delayed message the last change of a rush would never be told.
//
// A delayed message that finds another moment in the state was overtaken, or is
// here again; it counts as a change like any other.
func (p Pace) Take(h Hint, now time.Time) (Pace, Turn) {
	every := h.Every()
	next := Pace{At: now, Version: max(p.Version, h.Version), Rev: p.Rev + 1}
	switch due := time.UnixMilli(h.Due); {
	case h.Due != 0 && p.PutOff && p.At.Equal(due):
		return next, TellNow
	case p.Rev == 0, !now.Before(p.At.Add(every)):
		return next, TellNow
	case p.At.Sub(now) > every: // of a clock that was wrong
		return next, TellNow
	case p.PutOff:
		next.At, next.PutOff = p.At, true
		return next, LeaveIt
	}
	next.At, next.PutOff = p.At.Add(every), true
	return next, TellThen
}
