package store_test

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestNumberingLands: whoever reads a line between the writes of a numbering sees it
// before or after, or is told to read again; never the version without the waiter.
func TestNumberingLands(t *testing.T) {
	var r *rig
	met := 0
	look := func(op memstore.Op, done int) {
		if r == nil || done == 0 {
			return
		}
		s, err := r.LineState(t.Context(), r.show, line.Reading{})
		switch {
		case fault.Is(err, fault.Contended):
			met++
		case err != nil:
			t.Error(err)
		case s.Version > 0 && (len(s.Waiters) == 0 || !s.Waiters[0].State.Active()):
			t.Errorf("after %d writes the line of version %d has %+v", done, s.Version, s.Waiters)
		}
	}
	for seed := range 20 {
		r = nil
		db := memstore.New(memstore.Options{Clock: func() time.Time { return evening }, Window: look, Shuffle: func(n int, swap func(i, j int)) {
			for i := range n {
				swap(i, (i+seed)%n)
			}
		}})
		q := newRig(t, store.Tables(db))
		plan := q.plan(q.numbering(line.Entering, q.asked("ann", 1)), nil)
		r = q
		if err := plan(); err != nil {
			t.Fatal(err)
		}
	}
	if met == 0 {
		t.Error("no read met a numbering")
	}
}
