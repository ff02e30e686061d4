package store_test

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestFreshLine: whoever decides about a line reads what was acknowledged, though
// plain reads are a minute behind; only a look whether anybody tends it need not.
func TestFreshLine(t *testing.T) {
	r := newRig(t, memstore.New(memstore.Options{Clock: func() time.Time { return evening }, Lag: time.Minute}))
	ctx := t.Context()
	ann := r.offered("ann", "C-1")
	bob := r.in(line.Waiting, "bob", 1)
	r.pooled("C-2")
	for name, seen := range map[string]func() (bool, error){
		"a waiter": func() (bool, error) { w, err := r.Waiter(ctx, ann.ID); return w.State == line.Offered, err },
		"waiters": func() (bool, error) {
			ws, err := r.Waiters(ctx, []line.WaiterID{ann.ID, bob.ID})
			return len(ws) == 2, err
		},
		"a waiter in line": func() (bool, error) {
			w, s, err := r.InLine(ctx, r.show, bob.ID)
			return w.State == line.Waiting && s.Places.Ahead(w.Number) == 1, err
		},
		"a receipt and a place": func() (bool, error) {
			_, ok, p, err := r.Joining(ctx, r.show, "ann", ann.ID)
			return ok && p.Live == ann.ID, err
		},
		"a place":  func() (bool, error) { p, err := r.Place(ctx, r.show, "bob"); return p.Live == bob.ID, err },
		"the pool": func() (bool, error) { p, err := r.Pool(ctx, r.show); return len(p) == 2, err },
		"seats of the pool": func() (bool, error) {
			p, err := r.PoolSeats(ctx, r.show, []seatmap.SeatID{"C-1", "C-2"})
			return len(p) == 2 && p[0].For == ann.ID && p[1].For == "", err
		},
		"the line": func() (bool, error) {
			s, err := r.LineState(ctx, r.show, line.Reading{})
			return len(s.Waiters) == 2 && len(s.Pool) == 2 && s.Places.Count() == 2, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if ok, err := seen(); !ok || err != nil {
				t.Errorf("does not show what was acknowledged: %v", err)
			}
		})
	}
	if s, err := r.LineGlance(ctx, r.show); s.Version != 0 || err != nil {
		t.Errorf("a look of every poll costs a consistent read: %+v, %v", s, err)
	}
}
