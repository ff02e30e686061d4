package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
	"github.com/fairseat/fairseat/pkg/throttle"
)

var limitKeys atomic.Int64

func limitKey() throttle.Key {
	return throttle.Key(fmt.Sprintf("test#%d-%d", time.Now().UnixNano(), limitKeys.Add(1)))
}

// TestLimits: on both databases a table decides as the rule does.
func TestLimits(t *testing.T) {
	for where, tables := range map[string]store.Tables{"memory": memory(), "service": service} {
		for name, run := range map[string]func(*testing.T, store.Tables){"rule": limitRule, "parallel": limitParallel, "costs": limitCosts} {
			t.Run(where+"/"+name, func(t *testing.T) { run(t, tables) })
		}
	}
}

func limitRule(t *testing.T, tables store.Tables) {
	l, seeds := store.NewLimiter(tables), uint64(200)
	if tables == service {
		seeds = 10
	}
	for seed := range seeds {
		chance := rand.New(rand.NewPCG(seed, 1))
		r := throttle.Rate{Burst: 1 + chance.IntN(4), Every: time.Duration(1+chance.IntN(900)) * time.Millisecond}
		k, now := limitKey(), evening
		var s throttle.State
		for i := range 12 {
			now = now.Add(time.Duration(chance.IntN(1200)) * time.Millisecond)
			n := 1 + chance.IntN(r.Burst)
			next, want := r.Take(s, n, now)
			err := l.Take(t.Context(), k, r, n, now)
			var no *throttle.Refusal
			if errors.As(err, &no) == want.OK || err != nil && no.Wait != want.Wait {
				t.Fatalf("seed %d, attempt %d: %v (%+v), want %+v", seed, i, err, no, want)
			}
			s = next
		}
	}
}

// Of a hundred at once exactly the burst passes, however they meet.
func limitParallel(t *testing.T, tables store.Tables) {
	l, k := store.NewLimiter(tables), limitKey()
	r := throttle.Rate{Burst: 10, Every: time.Minute}
	var passed atomic.Int64
	try := func() {
		err := l.Take(t.Context(), k, r, 1, evening)
		if err == nil {
			passed.Add(1)
		} else if !fault.Is(err, fault.Limited) {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(try)
	}
	all.Wait()
	if n := passed.Load(); n > 10 {
		t.Errorf("%d passed", n)
	}
	for range 11 { // those who were refused only because others came between
		try()
	}
	if n := passed.Load(); n != 10 {
		t.Errorf("%d passed, want 10", n)
	}
}

func limitCosts(t *testing.T, tables store.Tables) {
	m := meter.New(tables)
	l, k := store.NewLimiter(m), limitKey()
	r := throttle.Rate{Burst: 2, Every: time.Minute}
	for i, want := range []int{1, 2, 1 + 0} { // at rest; in use; refused, as the first write says
		m.Reset()
		_ = l.Take(t.Context(), k, r, 1, evening)
		if got := int(m.Snapshot().Requests[meter.Transact]); got != want {
			t.Errorf("attempt %d: %d requests, want %d", i, got, want)
		}
	}
}

// TestLimitUnderConflict: whoever cannot be decided on is refused, and nobody is
// answered that we failed.
func TestLimitUnderConflict(t *testing.T) {
	r := throttle.Rate{Burst: 2, Every: time.Minute}
	err := store.NewLimiter(memoryThat(memstore.Conflict)).Take(t.Context(), limitKey(), r, 1, evening)
	if !errors.Is(err, throttle.ErrLimited) {
		t.Errorf("%v", err)
	}
	err = store.NewLimiter(memoryThat(memstore.Throttle)).Take(t.Context(), limitKey(), r, 1, evening)
	if !fault.Is(err, fault.Busy) {
		t.Errorf("%v", err)
	}
}
