package e2e_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/line"
)

// made is when a place was offered its seats, by the function that offered them; it
// is read from behind, so that nothing here looks after the line.
func (w *waiter) made() time.Time {
	w.t.Helper()
	var at time.Time
	eventually(w.t, 20*time.Second, func() error {
		got, err := shop.store.Waiter(w.ctx(), line.WaiterID(w.Place.ID))
		if err == nil && got.Offer.ExpiresAt.IsZero() {
			err = yet("place %d is %s", w.Number, got.State)
		}
		at = got.Offer.ExpiresAt.Add(-offerTime)
		return err
	})
	return at
}

// several does it for each, side by side.
func several[T any](n int, do func(i int) T) []T {
	all := make([]T, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { all[i] = do(i) })
	}
	wg.Wait()
	return all
}

// tells the times, of which the last but one in twenty is to be within the limit.
func within(t *testing.T, what string, limit time.Duration, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	p95 := took[(len(took)*95+99)/100-1]
	t.Logf("%s: %d offers, median %s, p95 %s, longest %s", what, len(took), took[len(took)/2].Round(time.Millisecond),
		p95.Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	if p95 > limit {
		t.Errorf("%s: p95 %s is over %s", what, p95, limit)
	}
}

// TestReleaseReachesTheLine: by whatever way a seat comes free, it is offered to the
// next in line at once (A15: within a second; the limit leaves room for a machine
// that has more to do). It runs alone, for what it measures is time.
func TestReleaseReachesTheLine(t *testing.T) {
	const n, limit = 10, 8 * time.Second // beside every other test, on two cores
	t.Run("given back", func(t *testing.T) {
		s := small(t, n)
		seats := full(t, s, 1)
		waiting := several(n, func(int) *waiter { return guest(t).join(s, 1) })
		slices.SortFunc(waiting, func(a, b *waiter) int { return a.Number - b.Number })
		var took []time.Duration
		for i, seat := range seats {
			sent := time.Now()
			seat.giveBack()
			took = append(took, waiting[i].made().Sub(sent))
		}
		within(t, "given back", limit, took)
	})
	t.Run("declined", func(t *testing.T) {
		s := small(t, 1)
		seat := full(t, s, 1)[0]
		waiting := several(n+1, func(int) *waiter { return guest(t).join(s, 1) })
		slices.SortFunc(waiting, func(a, b *waiter) int { return a.Number - b.Number })
		seat.giveBack()
		waiting[0].made()
		var took []time.Duration
		for i, w := range waiting[1:] {
			sent := time.Now()
			waiting[i].decline()
			took = append(took, w.made().Sub(sent))
		}
		within(t, "declined", limit, took)
	})
	t.Run("expired, then lapsed", func(t *testing.T) {
		s := small(t, n)
		seats := full(t, s, 1)
		waiting := several(2*n, func(int) *waiter { return guest(t).join(s, 1) })
		slices.SortFunc(waiting, func(a, b *waiter) int { return a.Number - b.Number })
		end := slices.MinFunc(seats, func(a, b held) int { return a.ExpiresAt.Compare(b.ExpiresAt) }).ExpiresAt.Add(graceTime)
		until(t, end)
		ends := make([]time.Time, n)
		for i, h := range seats {
			ends[i] = h.ExpiresAt.Add(graceTime)
		}
		slices.SortFunc(ends, time.Time.Compare)
		first := several(n, func(i int) time.Time { return waiting[i].made() })
		var took []time.Duration
		for i, at := range first {
			took = append(took, at.Sub(ends[i]))
		}
		within(t, "expired", limit, took)
		second := several(n, func(i int) time.Time { return waiting[n+i].made() })
		took = nil
		slices.SortFunc(first, time.Time.Compare)
		for i, at := range second {
			took = append(took, at.Sub(first[i].Add(offerTime+graceTime)))
		}
		within(t, "lapsed", limit, took)
	})
}
