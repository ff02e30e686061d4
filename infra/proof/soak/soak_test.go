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

// TestShort: three days are sound, everything that ought to happen in them does, and
// the same seed is the same run.
func TestShort(t *testing.T) {
	played := func() (*world, string) {
		w, err := newWorld(short)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := w.soak(&out); err != nil {
			t.Fatalf("seed %d: %v\n%s", short.Seed, err, out.String())
		}
		return w, out.String()
	}
	w, _ := played()
	s := w.ledger.sums
	for what, n := range map[string]int{
		"sold": s.sold, "given back": s.released, "expired": s.expired, "joined": s.joined, "offered": s.offered, "accepted": s.accepted, "declined": s.declined,
		"lapsed": s.lapsed, "left": s.left, "infeasible": s.infeasible, "captured": w.bank.Payments, "refunded": w.bank.Refunds,
		"lost": w.lostMessages, "killed": w.killed, "archived": s.archived,
	} {
		if n == 0 {
			t.Errorf("nothing was %s", what)
		}
	}
	again, _ := played()
	if again.figures != w.figures || again.ledger.sums != s {
		t.Errorf("the same seed gave %+v %+v, and then %+v %+v", w.figures, s, again.figures, again.ledger.sums)
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
