package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
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
		"claims at once": func() (bool, error) {
			c, err := r.ClaimsAtOnce(ctx, r.show, []boxoffice.SeatKey{{Seat: "C-1", Block: "0"}, {Seat: "C-2", Block: "0"}, {Seat: "P-1", Block: "0"}})
			return len(c) == 2 && c["C-1"].Hold == b.hold.ID && c["P-1"].Line(), err
		},
		"a block":      func() (bool, error) { c, err := r.BlockClaims(ctx, r.show, "0"); return len(c) == 2, err },
		"the gate":     func() (bool, error) { w, err := r.Wanted(ctx, r.show, b.hold.ID); return w.Has(seatmap.Premium), err },
		"an allowance": func() (bool, error) { n, err := r.Allowance(ctx, r.show, "ann"); return n == 1, err },
		"timers":       func() (bool, error) { return len(r.timers(time.Time{})) == 1, nil },
		"the line": func() (bool, error) {
			s, err := r.LineState(ctx, r.show, line.Reading{})
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

// TestClaimsAtOnce: a hundred at a time, and none while a transaction has one of them
// in hand, which a plain read cannot tell.
func TestClaimsAtOnce(t *testing.T) {
	db := memstore.New(memstore.Options{Clock: func() time.Time { return evening }})
	r := newRig(t, db)
	ctx := t.Context()
	h := r.hold("ann", "C-1")
	var seats []boxoffice.SeatKey
	for i := range 250 {
		seats = append(seats, boxoffice.SeatKey{Seat: seatmap.SeatID(fmt.Sprint("C-", i)), Block: "0"})
	}
	r.tables.Reset()
	if c, err := r.ClaimsAtOnce(ctx, r.show, seats); err != nil || len(c) != 1 || c["C-1"].Hold != h.ID {
		t.Errorf("%v, %v", c, err)
	}
	if n := r.tables.Snapshot().Requests[meter.TransactGet]; n != 3 {
		t.Errorf("%d requests for 250 claims", n)
	}
	release, _ := db.Hold(store.Key{Table: store.Claims, PK: "SHOW#" + string(r.show) + "#0", SK: "C-240"})
	if _, err := r.ClaimsAtOnce(ctx, r.show, seats); !fault.Is(err, fault.Contended) {
		t.Errorf("in hand: %v", err)
	}
	if _, err := r.Claims(ctx, r.show, seats); err != nil {
		t.Error(err)
	}
	release()
}

// TestPaymentOutlivesItsReceipt: a day after a payment was begun the receipt of its
// request is gone, and no other payment may take its number.
func TestPaymentOutlivesItsReceipt(t *testing.T) {
	db := memory()
	r := newRig(t, db)
	b := r.pay(r.hold("ann", "C-1"))
	db.Expire(evening.Add(booking.Receipt + time.Hour))
	next, again := r.draftBill(b.hold, 1)
	again.pay.BodyHash = "another body"
	r.stale(r.StartPayment(t.Context(), b.hold, next, again.pay, again.ord, false, evening))
	r.wantPayment(b.pay)
}

// TestReadsOfManyPages: a list is read to its end, also where it does not come at
// once: the pool of a large house is more than a page.
func TestReadsOfManyPages(t *testing.T) {
	r := newRig(t, shortPages{memory()})
	ctx := t.Context()
	for i, b := range []booking.Buyer{"ann", "bob", "cat", "dan", "eve"} {
		r.hold(b, string(rune('1'+i)))
		aside := r.hold(b, "P-"+string(rune('1'+i)))
		r.must(r.Release(ctx, r.ending(aside, booking.ByOwner, evening, seatmap.Premium), nil))
	}
	if claims, err := r.BlockClaims(ctx, r.show, "0"); err != nil || len(claims) != 10 {
		t.Errorf("%d claims of a block (%v), want 10", len(claims), err)
	}
	if s, err := r.LineState(ctx, r.show, line.Reading{}); err != nil || len(s.Pool) != 5 {
		t.Errorf("%d seats in the pool (%v), want 5", len(s.Pool), err)
	}
	if n := len(r.timers(time.Time{})); n != 5 {
		t.Errorf("%d timers, want 5", n)
	}
}

// shortPages gives two items at a time to who asks for all.
type shortPages struct{ store.Tables }

func (s shortPages) Query(ctx context.Context, q store.Query) ([]store.Item, string, error) {
	if q.Limit == 0 {
		q.Limit = 2
	}
	return s.Tables.Query(ctx, q)
}
