package main

import (
	"time"
)

// fault is what goes wrong with one call. The zero value is nothing.
type fault uint8

const (
	none        fault = iota
	crashBefore       // the instance dies before the call is sent
	crashAfter        // it dies after the call took effect, before it hears of it
	throttle          // refused for being too much, without effect
	lost              // the request never arrives
	replyLost         // the request takes effect, the answer is lost
	late              // no answer, and the request arrives later
	conflict          // another transaction has an item in hand
	crashLate         // the invocation runs out of its time
	numFaults
)

var faultNames = [numFaults]string{"none", "crash before", "crash after", "throttled", "lost", "reply lost", "late", "conflict", "timeout"}

// nature of a call decides what can go wrong with it.
type nature uint8

const (
	transact nature = iota
	read
	moment // a read that a transaction refuses
	send   // a message to a queue
	bank   // a request to the provider
)

// possible lists what can be made to go wrong, by nature; cannot says why the rest
// is missing, and a cell that occurs all the same fails the run.
var possible = [...][]fault{
	transact: {crashBefore, crashAfter, throttle, lost, replyLost, late, conflict},
	read:     {crashBefore, crashAfter, throttle, lost},
	moment:   {crashBefore, crashAfter, throttle, lost, conflict},
	send:     {crashBefore, crashAfter, throttle, lost, replyLost},
	bank:     {crashBefore, crashAfter, throttle, lost, replyLost, late},
}

var cannot = map[nature]map[fault]string{
	read: {
		conflict:  "a plain read meets no lock",
		replyLost: "a read has no effect: to lose its answer is to lose it",
		late:      "a read that arrives later tells nobody anything",
	},
	moment: {
		replyLost: "a read has no effect: to lose its answer is to lose it",
		late:      "a read that arrives later tells nobody anything",
	},
	send: {
		conflict: "a queue has no transactions",
		late:     "a message that arrives later is a delay, which every message may have",
	},
	bank: {conflict: "the provider has no transactions"},
}

// latencies in milliseconds: mostly a few, seldom seconds, now and then longer than
// the function may run.
var latencies = [...]int{
	1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 7, 7, 8, 8,
	9, 9, 10, 11, 12, 13, 14, 15, 17, 19, 22, 25, 28, 32, 36, 40, 45, 50, 60, 70, 80, 95, 110, 130, 160, 200, 250, 320, 450, 700, 1500, 6500,
}

func (w *world) latency() time.Duration {
	n := len(latencies)
	switch {
	case w.calm:
		n = 32
	case w.focus.call == "Look":
		n = 16 // what an instance remembers is good for a tenth of a second
	}
	return time.Duration(latencies[w.tape.pick(n)]) * time.Millisecond
}

// enter is the first half of every call: the fault is chosen and the request is on
// its way for a while. alive is false where nothing must happen.
func (w *world) enter(k nature) (f fault, alive bool) {
	t := w.cur
	if t.dead {
		return 0, false
	}
	if t.handler == network {
		return none, true
	}
	w.calls++
	w.count(t, none)
	f = w.choose(t, k)
	if f != none {
		w.count(t, f)
	}
	if f == crashBefore {
		w.note(t, "dies before the call")
		w.kill(t)
		return f, false
	}
	w.yield(w.latency())
	return f, !t.dead
}

func (w *world) choose(t *task, k nature) fault {
	if w.calm && !w.patient(t) {
		return none
	}
	if f := w.aimed(t); f != none || w.calm {
		return f
	}
	if w.tape.pick(128) < 128-w.rate {
		return none
	}
	return of(w.tape, possible[k]...)
}

// leave is the second half: the answer is on its way. It is false where nobody is
// left to hear it.
func (w *world) leave(f fault) bool {
	t := w.cur
	if t.dead {
		return false
	}
	if t.handler == network {
		return true
	}
	if f == crashAfter {
		w.note(t, "dies after the call")
		w.kill(t)
		return false
	}
	w.yield(w.latency())
	return !t.dead
}
