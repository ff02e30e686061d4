package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// short is three days; `make soak` is the month.
var short = plan{Seed: 1, Shows: 30, Days: 3, FaultEvery: 200, LoseEvery: 20}

func played(t *testing.T, p plan) *world {
	t.Helper()
	w, err := newWorld(p)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := w.soak(&out); err != nil {
		t.Fatalf("seed %d: %v\n%s", p.Seed, err, out.String())
	}
	return w
}

// TestShort: three days are sound, and everything that ought to happen in them does.
func TestShort(t *testing.T) {
	w := played(t, short)
	s := w.ledger.sums
	for what, n := range map[string]int{
		"sold": s.sold, "given back": s.released, "expired": s.expired, "joined": s.joined, "offered": s.offered, "accepted": s.accepted, "declined": s.declined,
		"lapsed": s.lapsed, "left": s.left, "infeasible": s.infeasible, "timed out": s.timedOut, "captured": w.bank.Payments, "refunded": w.bank.Refunds,
		"lost": w.lostMessages, "killed": w.killed, "archived": s.archived,
	} {
		if n == 0 {
			t.Errorf("nothing was %s", what)
		}
	}
}

func TestSameSeedSameRun(t *testing.T) {
	p := plan{Seed: 2, Shows: 8, Days: 1, FaultEvery: 200, LoseEvery: 20}
	a, b := played(t, p), played(t, p)
	if a.figures != b.figures || a.ledger.sums != b.ledger.sums {
		t.Errorf("the same seed gave %+v %+v, and then %+v %+v", a.figures, a.ledger.sums, b.figures, b.ledger.sums)
	}
}

// TestGrowthIsSeen: a series that grows is not flat, one that is only noisy is.
func TestGrowthIsSeen(t *testing.T) {
	for name, of := range map[string]struct {
		row  func(i int) int
		flat bool
	}{
		"noisy":   {func(i int) int { return 1000 + 37*i%101 }, true},
		"growing": {func(i int) int { return 1000 + 37*i%101 + 20*i }, false},
		"falling": {func(i int) int { return 1000 - 20*i }, true},
	} {
		l := &ledger{}
		for i := range 32 {
			l.days = append(l.days, day{n: i + 1, rows: map[string]int{"waiter": of.row(i)}})
		}
		if err := l.flat(io.Discard); (err == nil) != of.flat {
			t.Errorf("%s: %v", name, err)
		}
	}
}
