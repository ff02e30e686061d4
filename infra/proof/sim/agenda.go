package main

import "time"

// step is something that happens at a moment.
type step struct {
	channel int // of the choices of who planned it
	do      func()
}

func (w *world) after(d time.Duration, do func()) {
	w.agenda.Plan(w.now.Add(d), step{w.tape.channel, do})
}

// run makes time pass until the agenda is empty, the moment has come, or an
// invariant is broken. A zero moment is never.
func (w *world) run(until time.Time) {
	for w.agenda.Len() > 0 && w.broken == nil {
		if !until.IsZero() && w.agenda.Next().After(until) {
			break
		}
		at, e := w.agenda.Take()
		w.now, w.tape.channel = at, e.channel
		w.steps++
		if w.steps > mostSteps {
			w.fail("Progress", "the run does not end: something is repeated for ever")
			return
		}
		e.do()
	}
	if !until.IsZero() && w.now.Before(until) && w.broken == nil {
		w.now = until
	}
}

const mostSteps = 400_000
