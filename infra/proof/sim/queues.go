package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/work"
)

// queue is one of SQS: at least once and in any order, or, as FIFO, in order within
// a group with repeats of a de-duplication id swallowed for five minutes.
type queue struct {
	name    string
	handler string
	run     func(*boxoffice.Office) work.QueueHandler
	hidden  time.Duration // how long a message that was received stays invisible
	fifo    bool
	loses   bool // everything that is sent, as long as the world is not calm

	waiting []*message
	heard   map[string]time.Time // de-duplication ids
	dead    []*message
	sent    int
}

type message struct {
	n           int
	body        string
	group       string
	at          time.Time // visible from then on
	receives    int
	outstanding bool
}

const maxReceives = 5 // of the template; then a message is a dead letter

// sender is work.Sender over the simulated line.
type sender struct{ w *world }

func (s sender) Send(ctx context.Context, m relay.Message) error {
	w := s.w
	if m.Queue == relay.Hints {
		return nil // a word to people, on which nothing of the world depends
	}
	w.cur.call = "Send"
	f, alive := w.enter(send)
	if !alive {
		return errDead
	}
	switch f {
	case throttle:
		return errors.New("throttled")
	case lost:
		return errNoAnswer
	}
	w.note(w.cur, fmt.Sprintf("sends %s in %v", m.Body, m.Delay))
	w.trace(w.cur, m.Body, nil)
	w.queues[m.Queue].put(w, m)
	if !w.leave(f) {
		return errDead
	}
	if f == replyLost {
		return errNoAnswer
	}
	return nil
}

func (q *queue) put(w *world, m relay.Message) {
	if q.loses && (!w.calm || w.losses.deaf) {
		w.note(nil, q.name+" loses "+m.Body)
		return
	}
	if q.fifo {
		if q.heard == nil {
			q.heard = map[string]time.Time{}
		}
		if at, ok := q.heard[m.Dedup]; ok && w.now.Sub(at) < 5*time.Minute {
			return
		}
		q.heard[m.Dedup] = w.now
	}
	q.add(w, m.Body, m.Group, m.Delay)
	if !q.fifo && !w.calm && w.tape.oneIn(16) {
		q.add(w, m.Body, m.Group, m.Delay) // delivered twice
	}
}

func (q *queue) add(w *world, body, group string, delay time.Duration) {
	q.sent++
	q.waiting = append(q.waiting, &message{n: q.sent, body: body, group: group, at: w.now.Add(delay)})
	q.wake(w, delay)
}

func (q *queue) wake(w *world, d time.Duration) {
	w.after(d+w.latency(), func() { q.receive(w) })
}

// receive takes a batch of what is visible. Of a FIFO group nothing is visible
// while an earlier message of it is out.
func (q *queue) receive(w *world) {
	var batch []*message
	most := 1
	if !w.calm {
		most += w.tape.pick(4)
	}
	blocked := map[string]bool{}
	for _, m := range q.waiting {
		switch {
		case q.fifo && blocked[m.group]:
		case m.outstanding || m.at.After(w.now):
			blocked[m.group] = true
		case len(batch) < most:
			batch = append(batch, m)
		}
	}
	if len(batch) == 0 {
		return
	}
	if !q.fifo && len(batch) > 1 && w.tape.oneIn(2) {
		slices.Reverse(batch)
	}
	q.deliver(w, batch)
}

func (q *queue) deliver(w *world, batch []*message) {
	var e events.SQSEvent
	for _, m := range batch {
		m.outstanding = true
		m.receives++
		e.Records = append(e.Records, events.SQSMessage{MessageId: strconv.Itoa(m.n), Body: m.body})
	}
	out := w.now.Add(q.hidden)
	var answer events.SQSEventResponse
	w.spawn(q.handler, "", w.latency(), func(ctx context.Context) {
		answer, _ = q.run(w.cur.on.office)(ctx, e)
	}, func(ok bool) {
		failed := map[string]bool{}
		for _, f := range answer.BatchItemFailures {
			failed[f.ItemIdentifier] = true
		}
		// That they are deleted may get lost, too.
		undone := !ok || !w.calm && w.tape.oneIn(32)
		for _, m := range batch {
			if undone || failed[strconv.Itoa(m.n)] {
				q.comeBack(w, m, out.Sub(w.now))
			} else {
				q.drop(m)
			}
		}
		q.wake(w, 0)
	})
}

// comeBack makes a message visible again when its time is over, or a dead letter.
func (q *queue) comeBack(w *world, m *message, d time.Duration) {
	if m.receives >= maxReceives {
		q.drop(m)
		q.dead = append(q.dead, m)
		w.note(nil, q.name+": a dead letter: "+m.body)
		return
	}
	w.after(max(d, 0), func() {
		m.outstanding, m.at = false, w.now
		q.receive(w)
	})
}

func (q *queue) drop(m *message) {
	q.waiting = slices.DeleteFunc(q.waiting, func(x *message) bool { return x == m })
}

// redrive is what an operator does with dead letters.
func (q *queue) redrive(w *world) {
	dead := q.dead
	q.dead = nil
	for _, m := range dead {
		q.add(w, m.body, m.group, 0)
	}
}
