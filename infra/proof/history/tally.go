package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// tally counts what a run did.
type tally struct {
	unanswered                atomic.Int64 // requests that got no answer, each repetition too
	unknown                   atomic.Int64 // writes whose effect nobody was ever told
	deaths, midway            atomic.Int64 // processes killed, and those of them that had a request
	judged, longest, totalOps int

	mu       sync.Mutex
	refusals map[string]int
	orders   map[string]int
	outcomes map[string]int
	killed   map[string]int
	ends     map[string]int // of places in line
	answers  map[string]int // to offers
	queues   int            // of the histories
}

func newTally() *tally {
	return &tally{
		refusals: map[string]int{}, orders: map[string]int{}, outcomes: map[string]int{}, killed: map[string]int{},
		ends: map[string]int{}, answers: map[string]int{},
	}
}

func (t *tally) inc(m map[string]int, key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m[key]++
}

func (t *tally) refuse(kind string)  { t.inc(t.refusals, kind) }
func (t *tally) order(status string) { t.inc(t.orders, status) }
func (t *tally) pays(outcome string) { t.inc(t.outcomes, outcome) }
func (t *tally) end(state string)    { t.inc(t.ends, state) }
func (t *tally) answer(how string)   { t.inc(t.answers, how) }

func (t *tally) kill(function string, busy bool) {
	t.deaths.Add(1)
	if busy {
		t.midway.Add(1)
	}
	t.inc(t.killed, function)
}

func counted(m map[string]int) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		words = append(words, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(words, ", ")
}
