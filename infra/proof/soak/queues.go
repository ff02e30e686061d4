package main

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/infra/proof/feed"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/work"
)

// queue is one of SQS: at least once, sometimes late, sometimes never; as FIFO in
// order within a group, with repeats of a de-duplication id swallowed for five minutes.
type queue struct {
	handler string
	run     func(*boxoffice.Office) work.QueueHandler
	fifo    bool
	loses   bool // one message in so many never arrives
	groups  map[string]*group
	heard   map[string]time.Time
}

// group is what a FIFO queue keeps of one show.
type group struct {
	waiting []string
	busy    bool
}

// Send is work.Sender over a network that loses.
type sender struct{ w *world }

func (s sender) Send(_ context.Context, m relay.Message) error {
	w := s.w
	if m.Queue == relay.Hints {
		w.hint(m)
		return nil
	}
	if !w.enter() {
		return errDead
	}
	if w.oneIn(w.faultEvery) {
		w.faulted++
		return errors.New("throttled")
	}
	w.queues[m.Queue].put(w, m)
	return nil
}

func (q *queue) put(w *world, m relay.Message) {
	w.messages++
	if q.loses && w.oneIn(w.loseEvery) {
		w.lostMessages++
		if e := w.shows[catalog.ShowID(m.Group)]; e != nil {
			e.deaf = true
		}
		return
	}
	if e := w.shows[catalog.ShowID(m.Group)]; e != nil {
		e.deaf = false // this one makes up for those before it
	}
	late := time.Duration(0)
	if w.oneIn(w.loseEvery) {
		late = time.Duration(w.Pick(180)) * time.Second
	}
	if q.fifo {
		if at, ok := q.heard[m.Dedup]; ok && w.now.Sub(at) < 5*time.Minute {
			return
		}
		q.heard[m.Dedup] = w.now
		w.After(5*time.Minute, func() {
			if at, ok := q.heard[m.Dedup]; ok && w.now.Sub(at) >= 5*time.Minute {
				delete(q.heard, m.Dedup)
			}
		})
		w.After(late+w.latency(), func() { q.line(w, m) })
		return
	}
	copies := 1
	if w.oneIn(w.loseEvery) {
		copies = 2
	}
	for range copies {
		w.After(m.Delay+late+w.latency(), func() { q.deliver(w, []string{m.Body}, 1, nil) })
	}
}

// line adds a message to its group, one batch of which is out at a time.
func (q *queue) line(w *world, m relay.Message) {
	g := q.groups[m.Group]
	if g == nil {
		g = &group{}
		q.groups[m.Group] = g
	}
	g.waiting = append(g.waiting, m.Body)
	q.pump(w, m.Group, g)
}

func (q *queue) pump(w *world, name string, g *group) {
	if g.busy {
		return
	}
	if len(g.waiting) == 0 {
		delete(q.groups, name)
		return
	}
	g.busy = true
	batch := slices.Clone(g.waiting[:min(len(g.waiting), 10)])
	g.waiting = g.waiting[len(batch):]
	q.deliver(w, batch, 1, func() {
		g.busy = false
		q.pump(w, name, g)
	})
}

const maxReceives = 5 // of the template; then a message is a dead letter

func (q *queue) deliver(w *world, bodies []string, receives int, done func()) {
	var e events.SQSEvent
	for i, b := range bodies {
		e.Records = append(e.Records, events.SQSMessage{MessageId: strconv.Itoa(i), Body: b})
	}
	var answer events.SQSEventResponse
	w.spawn(q.handler, func(ctx context.Context, o *boxoffice.Office) { answer, _ = q.run(o)(ctx, e) }, func(ok bool) {
		var again []string
		for i, b := range bodies {
			failed := slices.ContainsFunc(answer.BatchItemFailures, func(f events.SQSBatchItemFailure) bool { return f.ItemIdentifier == strconv.Itoa(i) })
			if !ok || failed {
				again = append(again, b)
			}
		}
		if len(again) == 0 && !w.oneIn(w.loseEvery*4) || receives >= maxReceives {
			w.deadLetters += len(again)
			if done != nil {
				done()
			}
			return
		}
		if len(again) == 0 {
			again = bodies // that they are deleted got lost
		}
		w.After(time.Minute, func() { q.deliver(w, again, receives+1, done) })
	})
}

// hint wakes who is told of an offer or an end, unless the word gets lost.
func (w *world) hint(m relay.Message) {
	var h socket.Hint
	if json.Unmarshal([]byte(m.Body), &h) != nil || h.Waiter == "" || h.Kind != socket.LineOffer && h.Kind != socket.LineEnded || w.oneIn(5) {
		return
	}
	if p := w.people[string(h.Waiter)]; p != nil {
		w.After(time.Duration(500+w.Pick(3000))*time.Millisecond, p.poll)
	}
}

// mapping is one shard of a table's stream with one function behind it: records in
// order, a batch at a time, from the failed one again.
type mapping struct {
	handler string
	table   store.Table
	run     func(*boxoffice.Office) work.StreamHandler
	wants   func(memstore.Record) bool

	pending []memstore.Record
	busy    bool
	shard   uint32
	tries   int
}

const streamShards = 4

// collect hands new records to the ledger, which sees all tables, and to the mappings.
func (w *world) collect() {
	var step []memstore.Record
	for _, name := range store.Names {
		for _, r := range w.db.Records(name, w.seen[name]) {
			w.seen[name] = r.Sequence
			step = append(step, r)
		}
	}
	if len(step) == 0 {
		return
	}
	w.ledger.step(step)
	for _, r := range step {
		h := fnv.New32a()
		h.Write([]byte(r.Key.PK))
		shard := h.Sum32() % streamShards
		for _, m := range w.mappings {
			if m.table == r.Key.Table && m.shard == shard && m.wants(r) {
				m.pending = append(m.pending, r)
				m.wake(w, w.latency())
			}
		}
	}
}

func (m *mapping) wake(w *world, d time.Duration) {
	if !m.busy && len(m.pending) > 0 {
		m.busy = true
		w.After(d, func() { m.poll(w) })
	}
}

func (m *mapping) poll(w *world) {
	n := min(len(m.pending), 10)
	var e events.DynamoDBEvent
	for _, r := range m.pending[:n] {
		e.Records = append(e.Records, feed.Record(r))
	}
	var answer events.DynamoDBEventResponse
	w.spawn(m.handler, func(ctx context.Context, o *boxoffice.Office) { answer, _ = m.run(o)(ctx, e) }, func(ok bool) {
		done := n
		if !ok || w.oneIn(w.loseEvery) {
			done = 0 // the whole batch again, also where only the news of its end got lost
		}
		for i, r := range m.pending[:done] {
			if len(answer.BatchItemFailures) > 0 && answer.BatchItemFailures[0].ItemIdentifier == r.Sequence {
				done = i
				break
			}
		}
		if m.tries++; done > 0 {
			m.tries = 0
		}
		if m.tries > 100 {
			w.fail("Progress", "%s gives a record of %s up", m.handler, m.pending[0].Key.PK)
		}
		m.pending = slices.Delete(m.pending, 0, done)
		m.busy = false
		m.wake(w, w.latency()+time.Duration(m.tries)*200*time.Millisecond)
	})
}

func prefixed(prefixes ...string) func(memstore.Record) bool {
	return func(r memstore.Record) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(r.Key.PK+"|"+r.Key.SK, p) })
	}
}
