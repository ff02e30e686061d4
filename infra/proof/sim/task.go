package main

import (
	"context"
	"errors"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// task is one invocation of a handler: a coroutine that gives the processor back
// at every call of the store, a queue or the provider. At any time one goroutine of
// a world runs: the scheduler's, or that of the task to which it handed over.
type task struct {
	n        int
	handler  string
	who      string // the buyer that it works for, if any
	on       *instance
	skew     time.Duration // of the instance's clock
	call     string        // what it is doing now
	clock    time.Time     // as it last read it
	fresh    bool          // the clock was read since the last transaction was refused
	dead     bool          // the instance is gone; nothing that it does has an effect any more
	done     bool
	resume   chan struct{}
	begun    time.Time
	onEnd    func(ok bool) // once: when it ended, or died
	window   int           // of its transaction: yields where so many writes have landed, -1 everywhere
	writes   []store.Write // of the transaction that it waits for
	accepted time.Time     // when the table said yes to its last transaction, which may land later
	sender   string        // of a late request: the handler that sent it
}

var errDead = errors.New("the instance is gone")

// timeouts are those of the template; the others' is 10 s.
var timeouts = map[string]time.Duration{"pay-hold": 15 * time.Second, "receive-callback": 15 * time.Second, "ask-provider": 15 * time.Second, "read-place": 29 * time.Second, "adopt-guest": 29 * time.Second}

// spawn starts an invocation after a while. body runs as the task; onEnd tells
// whether it came to its end.
func (w *world) spawn(handler, who string, wait time.Duration, body func(context.Context), onEnd func(ok bool)) *task {
	w.tasks++
	t := &task{n: w.tasks, handler: handler, who: who, resume: make(chan struct{}), onEnd: onEnd}
	limit, ok := timeouts[handler]
	if !ok {
		limit = 10 * time.Second
	}
	w.live[t.n] = t
	w.after(wait, func() {
		t.begun = w.now
		if handler != network {
			t.on = w.instanceOf(handler)
			t.skew = t.on.skew
		}
		w.note(t, "starts")
		go func() {
			<-t.resume
			body(context.Background())
			t.done = true
			w.back <- struct{}{}
		}()
		if handler != network {
			w.after(limit, func() {
				if !t.done && !t.dead {
					w.note(t, "is killed: out of time")
					w.count(t, crashLate)
					w.kill(t)
				}
			})
		}
		w.hand(t)
	})
	return t
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
	delete(w.live, t.n)
	if !t.dead {
		if t.on != nil {
			w.idle[t.handler] = append(w.idle[t.handler], t.on)
		}
		t.end(true)
	}
}

func (t *task) end(ok bool) {
	if f := t.onEnd; f != nil {
		t.onEnd = nil
		f(ok)
	}
}

// kill loses the task's memory. Its goroutine unwinds when it is resumed, without
// effect; what the database had accepted lands.
func (w *world) kill(t *task) {
	t.dead = true
	t.end(false)
}

// yield lets others run for a while. It is called by the current task alone.
func (w *world) yield(d time.Duration) {
	t := w.cur
	w.after(d, func() { w.hand(t) })
	w.back <- struct{}{}
	<-t.resume
}

// abandon ends what is left of the tasks of a world that nobody looks at any more.
func (w *world) abandon() {
	w.agenda.Clear()
	for len(w.live) > 0 {
		for n, t := range w.live {
			t.dead, t.onEnd = true, nil
			if t.begun.IsZero() {
				delete(w.live, n)
				continue
			}
			w.hand(t)
		}
	}
}

// readClock, pause and chance are what a handler is given of time and chance.
func (w *world) readClock() time.Time {
	t := w.cur
	if t == nil {
		return w.now
	}
	t.clock, t.fresh = w.now.Add(t.skew), true
	return t.clock
}

func (w *world) pause(ctx context.Context, d time.Duration) error {
	if w.cur.dead {
		return errDead
	}
	w.yield(max(d, time.Millisecond).Round(time.Millisecond))
	return ctx.Err()
}

func (w *world) chance() uint64 {
	if w.cur == nil || w.cur.dead {
		return 0
	}
	return uint64(w.tape.pick(1<<16)) * 0x9E3779B97F4A7C15
}
