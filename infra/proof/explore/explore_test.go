package main

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func find(t *testing.T, name string) config {
	t.Helper()
	for _, c := range runs(true) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no configuration %s", name)
	return config{}
}

func walk(t *testing.T, c config) result {
	t.Helper()
	w, err := newWorld(&c)
	if err != nil {
		t.Fatal(err)
	}
	return w.explore(nil)
}

// TestWhole: small shows, every state of them.
func TestWhole(t *testing.T) {
	for _, tt := range []struct {
		name  string
		until uint8
	}{{"small", 1}, {"small-calm", 3}, {"bounded", 2}} {
		t.Run(tt.name, func(t *testing.T) {
			c := find(t, tt.name)
			c.TMax = tt.until
			r := walk(t, c)
			if r.Bad != "" || !r.Whole {
				t.Fatalf("%s\n%s", r.Bad, strings.Join(r.Trace, "\n"))
			}
			for i, ends := range r.Ends {
				for st, n := range ends {
					t.Logf("waiter %d %s in %d states", i, st, n)
				}
			}
			t.Logf("%d states, %d edges, settles within %d", r.States, r.Edges, r.Worst)
		})
	}
}

// TestPlanted: the bugs whose history is short are found as what they are. The rest
// of the table takes minutes.
func TestPlanted(t *testing.T) {
	for _, name := range []string{"free", "money"} {
		c := find(t, name)
		c.MaxStates = 20_000
		if r := walk(t, c); r.Bad != "" {
			t.Errorf("%s without any: %s", name, r.Bad)
		}
	}
	for _, tt := range []struct {
		m      mutant
		config string
		as     string
	}{
		{ackEarly, "free", "NoGap"}, {scanBeforeGate, "free", "NoGap"}, {noRedo, "free", "liveness"}, {takeoverNoGate, "free", "liveness"},
		{refundNoGate, "money", "NoGap"}, {noGrace, "free", "HoldLifetime: taken"}, {confirmLate, "free", "HoldLifetime: confirmed"},
		{capLeak, "free", "TenAtMost: the allowance"}, {capNoCond, "money", "TenAtMost: over"}, {ttlOnHold, "free", "OneEffect"},
		{placeNoCond, "again", "OneEffect: two"}, {placeKept, "again", "WaiterNeverLost: the place"}, {wakeJoin, "wakes", "liveness"},
		{wakePool, "wakes", "liveness"}, {wakeOffer, "wakes", "liveness"}, {wakeAck, "wakes", "liveness"}, {dropEarly, "money", "NoLostSeat"}, {regrantAlways, "money", "HoldLifetime: an overdue"}, {offerNoTimer, "free", "liveness"},
	} {
		t.Run(tt.m.String(), func(t *testing.T) {
			c := find(t, tt.config)
			c.Mut, c.MaxStates = tt.m, 100_000
			r := walk(t, c)
			if !strings.HasPrefix(r.Bad, tt.as) || len(r.Trace) == 0 {
				t.Errorf("found as %q, want %q, after %v", r.Bad, tt.as, r.Trace)
			}
		})
	}
}

// TestDropsApply: each condition that is dropped to be found stands in the store,
// once.
func TestDropsApply(t *testing.T) {
	dir, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drops {
		if _, err := d.apply(dir); err != nil {
			t.Error(err)
		}
	}
}

// TestHashes: the set is a set.
func TestHashes(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	var set hashes
	twin := map[uint64]bool{}
	for i := range 200_000 {
		v := r.Uint64N(100_000)
		if v == 0 {
			v = 1
		}
		if set.add(v) == twin[v] {
			t.Fatalf("seed %d: value %d at step %d", seed, v, i)
		}
		twin[v] = true
	}
	if set.n != len(twin) {
		t.Errorf("%d of %d", set.n, len(twin))
	}
}
