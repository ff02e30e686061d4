package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/infra/proof/audit"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// deaths counts kills, and how long it took from each to the next good answer to a
// request that was sent after it.
type deaths struct {
	mu       sync.Mutex
	killed   map[string]int
	midway   int
	waiting  map[string][]time.Time
	function []time.Duration // recoveries
	cloud    []time.Duration
	last     time.Time
}

const wholeCloud = "the whole cloud"

// answering is which functions an answer to a buyer shows alive.
var answering = []string{"ReserveSeats", "PayHold", "ReadOrder", "AuthorizeKey"}

func (d *deaths) note(function string, busy bool, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.killed[function]++
	d.last = at
	switch {
	case function == wholeCloud: // who waits for a function now waits for the cloud
		clear(d.waiting)
	case busy:
		d.midway++
	}
	if function == wholeCloud || slices.Contains(answering, function) {
		d.waiting[function] = append(d.waiting[function], at)
	}
}

func (d *deaths) answered(function string, sent, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range []string{function, "AuthorizeKey", wholeCloud} {
		var still []time.Time
		for _, killed := range d.waiting[f] {
			switch {
			case sent.Before(killed):
				still = append(still, killed)
			case f == wholeCloud:
				d.cloud = append(d.cloud, at.Sub(killed))
			default:
				d.function = append(d.function, at.Sub(killed))
			}
		}
		d.waiting[f] = still
	}
}

// functions is how many processes of functions were killed.
func (d *deaths) functions() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for f, k := range d.killed {
		if f != wholeCloud {
			n += k
		}
	}
	return n
}

func quantiles(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	s := slices.Sorted(slices.Values(all))
	at := func(q float64) time.Duration { return s[int(q*float64(len(s)-1))].Round(time.Millisecond) }
	return fmt.Sprintf("p50 %v, p95 %v, max %v (of %d)", at(.5), at(.95), at(1), len(s))
}

func counted(m map[string]int) string {
	var words []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		words = append(words, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(words, ", ")
}

// journal is the provider's, read once: an audit of thousands of orders asks for
// each of them.
type journal struct {
	payments map[string][]sim.Payment
	refunds  map[string][]sim.Refund
}

func readJournal(p audit.Provider) (journal, error) {
	j := journal{map[string][]sim.Payment{}, map[string][]sim.Refund{}}
	payments, err := p.Payments("")
	if err != nil {
		return j, err
	}
	refunds, err := p.Refunds("")
	if err != nil {
		return j, err
	}
	for _, x := range payments {
		j.payments[x.Order] = append(j.payments[x.Order], x)
	}
	for _, x := range refunds {
		j.refunds[x.Payment] = append(j.refunds[x.Payment], x)
	}
	return j, nil
}

// Payments implements audit.Provider.
func (j journal) Payments(order string) ([]sim.Payment, error) { return j.payments[order], nil }

// Refunds implements audit.Provider.
func (j journal) Refunds(payment string) ([]sim.Refund, error) { return j.refunds[payment], nil }
