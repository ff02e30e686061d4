package main

import (
	"context"
	"errors"
	"time"

	"github.com/fairseat/fairseat/pkg/boxoffice"
)

// After plans an event.
func (w *world) After(d time.Duration, do func()) {
	w.agenda.Plan(w.now.Add(max(d, 0)), do)
}

// Now is the true time, Pick chance.
func (w *world) Now() time.Time { return w.now }
func (w *world) Pick(n int) int { return w.rng.IntN(n) }
func (w *world) oneIn(n int) bool {
	return n > 0 && w.rng.IntN(n) == 0
}

// run makes time pass until the moment has come, or something is broken.
func (w *world) run(until time.Time) {
	for w.agenda.Len() > 0 && w.broken == nil && !w.agenda.Next().After(until) {
		at, do := w.agenda.Take()
		w.now = at
		do()
	}
	w.now = until
}

// task is one invocation of a handler. It gives the processor back at every call of
// the store, so that others come in between; at any time one goroutine runs.
type task struct {
	handler string
	office  *boxoffice.Office
	dead    bool // the instance is gone; nothing that it does has an effect any more
	done    bool
	resume  chan struct{}
	onEnd   func(ok bool) // once: when it ended, or died
}

var errDead = errors.New("the instance is gone")

const longest = 30 * time.Second // that a function runs

// spawn runs an invocation. onEnd tells whether it came to its end.
func (w *world) spawn(handler string, body func(ctx context.Context, o *boxoffice.Office), onEnd func(ok bool)) {
	t := &task{handler: handler, resume: make(chan struct{}), onEnd: onEnd}
	w.After(w.latency(), func() {
		t.office = w.officeOf(handler)
		w.invocations++
		go func() {
			<-t.resume
			body(context.Background(), t.office)
			t.done = true
			w.back <- struct{}{}
		}()
		w.After(longest, func() {
			if !t.done && !t.dead {
				w.kill(t)
			}
		})
		w.hand(t)
	})
}

// hand gives a task the processor until it gives it back.
func (w *world) hand(t *task) {
	before := w.cur
	w.cur = t
	t.resume <- struct{}{}
	<-w.back
	w.cur = before
	if !t.done {
		return
	}
	if !t.dead {
		w.idle[t.handler] = append(w.idle[t.handler], t.office)
		t.end(true)
	}
}

func (t *task) end(ok bool) {
	if f := t.onEnd; f != nil {
		t.onEnd = nil
		f(ok)
	}
}

// kill loses a task's memory. Its goroutine unwinds when it is resumed, without effect.
func (w *world) kill(t *task) {
	t.dead = true
	w.killed++
	t.end(false)
}

// yield lets others run for a while. It is called by the current task alone.
func (w *world) yield(d time.Duration) {
	t := w.cur
	w.After(d, func() { w.hand(t) })
	w.back <- struct{}{}
	<-t.resume
}

func (w *world) pause(ctx context.Context, d time.Duration) error {
	if w.cur.dead {
		return errDead
	}
	w.yield(max(d, time.Millisecond))
	if w.cur.dead {
		return errDead
	}
	return ctx.Err()
}
