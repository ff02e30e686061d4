package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/infra/proof/feed"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/work"
)

// mapping is one shard of a table's stream with one function behind it: records in
// order, a batch at a time, from the failed one again.
type mapping struct {
	handler string
	table   store.Table
	run     func(*boxoffice.Office) work.StreamHandler
	wants   func(memstore.Record) bool
	shard   int
	of      int

	pending []memstore.Record
	busy    bool
	tries   int // of the first pending record
}

// patience is after how many tries the template gives a record up.
const patience = 100

// collect hands new records to the mappings. Those of one item go to one shard;
// those of one transaction go apart where their items do. A record may be told while
// other items of its transaction are still landing: the service promises no more.
func (w *world) collect() {
	for _, name := range []store.Table{store.Holds, store.Timers, store.Line, store.Orders} {
		for _, r := range w.db.Records(name, w.seen[name]) {
			w.seen[name] = r.Sequence
			w.publish(name, r)
		}
	}
}

func (w *world) publish(name store.Table, r memstore.Record) {
	w.trace(&task{call: r.Key.PK + r.Key.SK}, r.Event.String(), nil)
	h := fnv.New32a()
	h.Write([]byte(r.Key.PK))
	for _, m := range w.mappings {
		if m.table == name && int(h.Sum32()%uint32(m.of)) == m.shard && m.wants(r) {
			m.pending = append(m.pending, r)
			m.wake(w, w.latency())
		}
	}
}

func (m *mapping) wake(w *world, d time.Duration) { w.after(d, func() { m.poll(w) }) }

func (m *mapping) poll(w *world) {
	if m.busy || len(m.pending) == 0 {
		return
	}
	if m.handler == "relay-payments" && w.losses.appointments && !w.calm {
		m.wake(w, time.Minute)
		return
	}
	if up := noon.Add(w.losses.outage); w.now.Before(up) {
		m.wake(w, up.Sub(w.now))
		return
	}
	if m.tries >= patience {
		w.fail("Progress", "%s gave a record of %s up after %d tries", m.handler, m.pending[0].Key.PK, m.tries)
		return
	}
	n := min(len(m.pending), 1+w.tape.pick(8))
	n = max(1, n>>min(m.tries, 3)) // the template has a batch bisected that fails
	var e events.DynamoDBEvent
	for _, r := range m.pending[:n] {
		e.Records = append(e.Records, feed.Record(r))
	}
	m.busy = true
	var answer events.DynamoDBEventResponse
	w.spawn(m.handler, "", w.latency(), func(ctx context.Context) {
		answer, _ = m.run(w.cur.on.office)(ctx, e)
	}, func(ok bool) {
		m.busy = false
		done := n
		if !ok || !w.calm && w.tape.oneIn(12) {
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
		if done < n {
			w.note(nil, fmt.Sprintf("%s: %d of %d records come again", m.handler, n-done, n))
		}
		m.pending = m.pending[done:]
		m.wake(w, w.latency()+min(time.Duration(m.tries)*200*time.Millisecond, 10*time.Second))
	})
}
