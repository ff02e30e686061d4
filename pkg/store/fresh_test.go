package store_test

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestReadsSeeWhatWasAcknowledged: on a database whose eventually consistent reads
// are a minute behind, every read that somebody decides by sees all, and only the
// two that decide nothing lag.
func TestReadsSeeWhatWasAcknowledged(t *testing.T) {
	r := newRig(t, memstore.New(memstore.Options{Clock: func() time.Time { return evening }, Lag: time.Minute}))
	ctx := t.Context()
	r.want(seatmap.Premium)
	b := r.pay(r.hold("ann", "C-1"))
	aside := r.hold("bob", "P-1")
	r.must(r.Release(ctx, r.ending(aside, booking.ByOwner, evening, seatmap.Premium), nil))
	r.must(r.SaveSnapshot(ctx, catalog.Show{ID: r.show, City: "c", MovieID: catalog.MovieID(r.show), EndsAt: keep}, r.chart(1), 0, true))

	for name, seen := range map[string]func() (bool, error){
		"a hold":    func() (bool, error) { h, err := r.HoldByID(ctx, b.hold.ID); return h.Rev == 2, err },
		"a payment": func() (bool, error) { p, err := r.PaymentByID(ctx, b.pay.ID); return p.ID == b.pay.ID, err },
		"an order":  func() (bool, error) { o, err := r.OrderByID(ctx, b.ord.ID); return o.ID == b.ord.ID, err },
		"an answer": func() (bool, error) { p, _, err := r.PaymentAnswered(ctx, b.pay.ID); return p.ID == b.pay.ID, err },
		"holds": func() (bool, error) {
			hs, err := r.HoldsByID(ctx, []booking.HoldID{b.hold.ID})
			return hs[b.hold.ID].Rev == 2, err
		},
		"claims": func() (bool, error) {
			c, err := r.Claims(ctx, r.show, []boxoffice.SeatKey{{Seat: "C-1", Block: "0"}})
			return len(c) == 1, err
		},
		"a block":      func() (bool, error) { c, err := r.BlockClaims(ctx, r.show, "0"); return len(c) == 2, err },
		"the gate":     func() (bool, error) { w, err := r.Wanted(ctx, r.show, b.hold.ID); return w.Has(seatmap.Premium), err },
		"an allowance": func() (bool, error) { n, err := r.Allowance(ctx, r.show, "ann"); return n == 1, err },
		"timers":       func() (bool, error) { return len(r.timers(time.Time{})) == 1, nil },
		"the line": func() (bool, error) {
			s, err := r.LineState(ctx, r.show)
			return s.Version == 1 && len(s.Pool) == 1, err
		},
		"the fresh map": func() (bool, error) { m, err := r.FreshSnapshot(ctx, r.show); return m != nil, err },
	} {
		t.Run(name, func(t *testing.T) {
			if ok, err := seen(); !ok || err != nil {
				t.Errorf("does not show what was acknowledged: %v", err)
			}
		})
	}
	if m, err := r.Snapshot(ctx, r.show); m != nil || err != nil {
		t.Errorf("the map that ten thousand read costs a consistent read: %v, %v", m, err)
	}
	if s, err := r.Statuses(ctx, "c", catalog.MovieID(r.show)); len(s) != 0 || err != nil {
		t.Errorf("so do the statuses: %v, %v", s, err)
	}
}
