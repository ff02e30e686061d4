// Package quota decides whether a call of a developer may pass (A13), in a function
// instance that shares the developer's quotas with others and asks the store seldom.
//
// A window of time (the minute, the month, UTC) has one number in the store: how
// many calls instances have taken for it. An instance takes a portion, adds it to
// that number under the condition that the limit holds, and lets as many calls pass
// from memory. What was taken and not spent is gone with the window.
//
// NeverExceeded: the calls that pass in a window are at most its limit, whatever
// instances do, forget or repeat, for nobody spends what he did not take.
//
// FewWrites: a portion is an eighth of what the instance let pass in this minute
// and the last, so that a steady instance takes about eight a minute, however many
// calls that is; and a quarter at the most of what is left before the last units.
//
// LastOnes: the last units of a window, an eighth of the limit or 512 of it, are
// taken one by one. Whoever is asked gets them: with as many calls, at any number of
// instances, exactly these pass.
//
// LittleIdle: an instance that gets no calls any more sits on less than an eighth of
// what it let pass in two minutes, or on one call. So of a minute's limit seven ninths pass at
// least where calls are wanted, of a month's eight ninths, all of it where those
// who hold something are asked for it; [Held] is the bound.
//
// Start with [Ledger.Decide].
package quota

import "time"

// Window is a stretch of time that has a limit. The zero value is invalid.
type Window uint8

// The windows.
const (
	_ Window = iota
	Minute
	Month
)

var both = [...]Window{Minute, Month}

func (w Window) String() string { return [...]string{"invalid", "minute", "month"}[w] }

// Start is when the window that holds now began, UTC.
func (w Window) Start(now time.Time) time.Time {
	now = now.UTC()
	if w == Minute {
		return now.Truncate(time.Minute)
	}
	return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// End is when the window that began at start is over.
func (w Window) End(start time.Time) time.Time {
	if w == Minute {
		return start.Add(time.Minute)
	}
	return start.AddDate(0, 1, 0)
}

// Limits are how many calls may pass in each window.
type Limits struct{ Minute, Month int64 }

// Of is the limit of a window.
func (l Limits) Of(w Window) int64 {
	if w == Minute {
		return l.Minute
	}
	return l.Month
}

// Purse is what an instance holds of one window.
type Purse struct {
	Start time.Time
	Left  int64 // taken by this instance and not spent
	Taken int64 // by all instances, as this one last heard
}

// Ledger is what an instance knows of one developer. The zero value knows nothing.
type Ledger struct {
	purses       [3]Purse // by window
	minute       time.Time
	recent, past int64 // calls that passed in this minute and in the one before
}

// Verb is what to do with a call. The zero value is invalid.
type Verb uint8

// What to do.
const (
	_      Verb = iota
	Pass        // it is paid for
	Refuse      // the window is used up
	Take        // take a portion of the window, tell the ledger, and decide again
)

// Decision is what to do with a call.
type Decision struct {
	Verb   Verb
	Window Window    // of Refuse and Take
	Start  time.Time // of the window
	N      int64     // units to take
}

const (
	portionOf = 8 // of what passed lately
	slopeOf   = 4 // of what is left before the last units
	lastOf    = 8 // of the limit
	lastMost  = 512
)

// portion is at least one and never more than is left.
func portion(lately, left, limit int64) int64 {
	last := min(limit/lastOf, lastMost)
	return max(1, min(lately/portionOf, (left-last)/slopeOf))
}

// Decide says what to do with one call now, and what the instance knows then.
func (l Ledger) Decide(limits Limits, now time.Time) (Ledger, Decision) {
	l = l.turn(now)
	for _, w := range both {
		if p := l.purses[w]; p.Left == 0 && p.Taken >= limits.Of(w) {
			return l, Decision{Refuse, w, p.Start, 0}
		}
	}
	// The minute first: what its refusal leaves unspent of the month would be missed
	// for longer than the other way round.
	for _, w := range both {
		if p, limit := l.purses[w], limits.Of(w); p.Left == 0 {
			return l, Decision{Take, w, p.Start, portion(l.recent+l.past, limit-p.Taken, limit)}
		}
	}
	for _, w := range both {
		l.purses[w].Left--
	}
	l.recent++
	return l, Decision{Verb: Pass}
}

// turn leaves windows that are over. A clock that went back is in the later window
// still: what was taken there may be spent.
func (l Ledger) turn(now time.Time) Ledger {
	for _, w := range both {
		if start := w.Start(now); start.After(l.purses[w].Start) {
			l.purses[w] = Purse{Start: start}
		}
	}
	if m := Minute.Start(now); m.After(l.minute) {
		l.past = 0
		if m.Equal(Minute.End(l.minute)) {
			l.past = l.recent
		}
		l.minute, l.recent = m, 0
	}
	return l
}

// Took is the ledger when a portion was taken, after which all have taken taken.
func (l Ledger) Took(d Decision, taken int64) Ledger {
	if p := &l.purses[d.Window]; p.Start.Equal(d.Start) {
		p.Left += d.N
		p.Taken = max(p.Taken, taken)
	}
	return l
}

// Missed is the ledger when a portion was refused, for all have taken taken.
func (l Ledger) Missed(d Decision, taken int64) Ledger {
	if p := &l.purses[d.Window]; p.Start.Equal(d.Start) {
		p.Taken = max(p.Taken, taken)
	}
	return l
}

// Held is what the instance holds of a window, unspent.
func (l Ledger) Held(w Window) int64 { return l.purses[w].Left }

// Standing is how far a window is used, as far as an instance can tell.
type Standing struct {
	Limit, Remaining int64
	Length, Reset    time.Duration // of the window; until it ends
}

// Stand tells how a window stands. Others may have taken more since this instance
// heard of it; a window that refused has nothing remaining.
func (l Ledger) Stand(w Window, limits Limits, now time.Time) Standing {
	p, limit := l.turn(now).purses[w], limits.Of(w)
	end := w.End(p.Start)
	return Standing{
		Limit: limit, Remaining: max(0, limit-p.Taken+p.Left),
		Length: end.Sub(p.Start), Reset: max(0, end.Sub(now)),
	}
}
