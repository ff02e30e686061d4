package agenda_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/proof/agenda"
)

// TestOrder: by time, then by planning, also of what is planned meanwhile.
func TestOrder(t *testing.T) {
	type thing struct {
		at  time.Time
		seq int
	}
	noon := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 1))
	var a agenda.Agenda[int]
	var all, got []thing
	plan := func(from time.Time) {
		at := from.Add(time.Duration(rng.IntN(5)) * time.Second)
		a.Plan(at, len(all))
		all = append(all, thing{at, len(all)})
	}
	for range 50 {
		plan(noon)
	}
	for a.Len() > 0 {
		next := a.Next()
		at, n := a.Take()
		if !at.Equal(next) || !at.Equal(all[n].at) {
			t.Fatalf("%d at %v, announced for %v, planned for %v", n, at, next, all[n].at)
		}
		if got = append(got, all[n]); len(all) < 200 {
			plan(at)
		}
	}
	if a.Planned() != 200 || len(got) != 200 {
		t.Fatalf("%d planned, %d taken", a.Planned(), len(got))
	}
	if !slices.IsSortedFunc(got, func(x, y thing) int {
		if c := x.at.Compare(y.at); c != 0 {
			return c
		}
		return x.seq - y.seq
	}) {
		t.Error("out of order")
	}
}
