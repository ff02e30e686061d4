package main

import (
	"container/heap"
	"time"
)

// event is something that happens at a moment. Of two at one moment the one that
// was planned first comes first.
type event struct {
	at      time.Time
	seq     int
	channel int // of the choices of who planned it
	do      func()
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].seq < a[j].seq
	}
	return a[i].at.Before(a[j].at)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	(*a)[last] = event{}
	*a = (*a)[:last]
	return e
}

func (w *world) after(d time.Duration, do func()) {
	w.planned++
	heap.Push(&w.agenda, event{w.now.Add(d), w.planned, w.tape.channel, do})
}

// run makes time pass until the agenda is empty, the moment has come, or an
// invariant is broken. A zero moment is never.
func (w *world) run(until time.Time) {
	for len(w.agenda) > 0 && w.broken == nil {
		if !until.IsZero() && w.agenda[0].at.After(until) {
			break
		}
		e := heap.Pop(&w.agenda).(event)
		w.now, w.tape.channel = e.at, e.channel
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
