package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// wantCost wants that many requests in all and that many write units.
func (r *rig) wantCost(what string, requests int64, writes int64) {
	r.t.Helper()
	c := r.tables.Snapshot()
	var all int64
	for _, n := range c.Requests {
		all += n
	}
	if all != requests || c.Of(meter.Transact) != meter.Units(writes) {
		r.t.Errorf("%s: %d requests and %v write units, want %d and %d; %v", what, all, c.Of(meter.Transact), requests, writes, c.Units)
	}
	r.tables.Reset()
}

// long is a hold with names as long as they get: a show of 128 characters, a
// guest, seats of a theatre's gallery.
func (r *rig) long(n int) booking.Hold {
	r.show = catalog.ShowID(strings.Repeat("s", 128-len(r.show)) + string(r.show))
	b := booking.Buyer("g_" + booking.Digest("guest", string(r.show)))
	h := r.draft(b)
	h.BodyHash = booking.Digest("body")
	for i := range n {
		h.Seats = append(h.Seats, booking.Seat{
			ID: seatmap.SeatID(fmt.Sprintf("upper-circle-AA-%d", 101+i)), Type: seatmap.Wheelchair, Block: "upper-circle-12", Price: usd(1234567),
		})
	}
	return h
}

// TestCostOfAHold: n seats are one request and 2(n+3) write units to hold, and
// every end of them is one request too.
func TestCostOfAHold(t *testing.T) {
	for n := 1; n <= 10; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRig(t, memory())
			h := r.long(n)
			ctx, u := t.Context(), int64(n)
			r.must(r.Hold(ctx, h, keep, booking.Terms{}))
			r.wantCost("hold", 1, 2*(u+3))

			// A hold, its claims, the allowance, the timer, the gate.
			released := r.ending(h, booking.ByOwner, evening)
			r.must(r.Release(ctx, released, nil))
			r.wantCost("release", 1, 2*(u+4))

			again := h
			again.ID = booking.IDFor(h.Buyer, "again")
			r.must(r.Hold(ctx, again, keep, booking.Terms{}))
			r.tables.Reset()
			b := r.pay(again)
			r.wantCost("start a payment", 1, 2*4)
			sold, err := booking.Confirm(b.hold, policy, string(b.pay.ID), evening)
			r.must(err)
			p, o := r.sale(b, sold)
			r.must(r.Confirm(ctx, b.hold, sold, p, o, evening))
			if c := r.tables.Snapshot(); c.Requests[meter.Transact] != 1 || len(c.Requests) != 1 {
				t.Errorf("confirm: %v, want one transaction", c.Requests)
			}
			for place, cost := range r.tables.Snapshot().Units {
				if place.Table == store.Claims {
					t.Errorf("confirm touches seats for %v units", cost)
				}
			}
		})
	}
}

// TestCostIsTheSameOnTheService: an emulator's own figures are wrong, so only the
// requests are compared.
func TestCostIsTheSameOnTheService(t *testing.T) {
	r := newRig(t, service)
	h := r.long(10)
	r.must(r.Hold(t.Context(), h, keep, booking.Terms{}))
	r.must(r.Release(t.Context(), r.ending(h, booking.ByOwner, evening), nil))
	if c := r.tables.Snapshot(); c.Requests[meter.Transact] != 2 || len(c.Requests) != 1 {
		t.Errorf("%v, want two transactions", c.Requests)
	}
}

// TestCostOfASeatMap: 20,000 seats are one request, one read unit, 8 KB.
func TestCostOfASeatMap(t *testing.T) {
	const n = 20000
	db := memory()
	r := newRig(t, db)
	r.long(1)
	m := boxoffice.Map{
		Show: r.show, Version: evening.UnixMilli(), Seats: seatmap.NewPacked(n), Line: seatmap.NewLineSeats(n), Due: evening.Add(time.Hour),
		Tallies: map[seatmap.SeatType]booking.Tally{},
	}
	for i := range n { // the worst: every third seat is set aside, none is free
		m.Seats.Set(i, seatmap.State(1+i%3))
		m.Line.Set(i, i%3 == 0)
	}
	for _, typ := range []seatmap.SeatType{seatmap.Regular, seatmap.Premium, seatmap.Wheelchair, seatmap.Companion, seatmap.Loveseat, seatmap.Standing} {
		m.Tallies[typ] = booking.Tally{Free: n, Held: n, Line: n, Sold: n, Blocked: n}
	}
	show := catalog.Show{ID: r.show, City: "a-city", MovieID: "a-movie", EndsAt: keep}
	r.must(r.SaveSnapshot(t.Context(), show, m, 0, true))
	r.tables.Reset()
	got, err := r.Snapshot(t.Context(), r.show)
	if err != nil || got.Seats.Len() != n {
		t.Fatal(err)
	}
	c := r.tables.Snapshot()
	if c.Requests[meter.Get] != 1 || len(c.Requests) != 1 || c.Of(meter.Get) != meter.Units(1) {
		t.Errorf("%v requests, %v units, want one and 1", c.Requests, c.Of(meter.Get))
	}
	it, err := db.Get(t.Context(), store.Key{Table: store.Snapshots, PK: "MAP#" + string(r.show), SK: "MAP"}, true)
	if size := meter.Size(it); err != nil || size > 8<<10 {
		t.Errorf("item of %d bytes (%v), want at most 8 KB", size, err)
	}
}

// TestCostOfLateMoney: T4 is one request too.
func TestCostOfLateMoney(t *testing.T) {
	r := newRig(t, memory())
	b, sold := r.late("C-1", "C-2")
	p, o := r.sale(b, sold)
	r.tables.Reset()
	r.must(r.Regrant(t.Context(), b.hold, sold, keep, p, o))
	r.wantCost("regrant", 1, 2*(2+5)) // claims; new hold, allowance, old hold, payment, order
	r.wantOrder(o.Next)
	if o.Next.Status != order.Paid {
		t.Errorf("order %v", o.Next.Status)
	}
}

// TestCostOfTheRest is the remaining lines of the package comment.
func TestCostOfTheRest(t *testing.T) {
	r := newRig(t, memory())
	ctx := t.Context()
	house := r.draft(booking.House, "C-1", "C-2")
	house.State = booking.Blocked
	r.must(r.Block(ctx, house))
	r.wantCost("block", 1, 2*(2+1))
	h := r.hold("ann", "C-3", "C-4", "C-5")
	r.tables.Reset()
	r.must(r.Release(ctx, r.ending(h, booking.ByOwner, evening, seatmap.Regular), nil))
	r.wantCost("release into the line", 1, 2*(3+3)+2*3) // nothing is freed, so no gate
	r.must(r.CommitLine(ctx, r.show, line.State{Version: 0}, line.Plan{Gates: true, Wanted: []seatmap.SeatType{seatmap.Premium}}, line.Stamp{}))
	r.wantCost("gates", 1, 18)
	s, err := r.LineState(ctx, r.show, line.Reading{})
	r.must(err)
	r.tables.Reset()
	r.must(r.CommitLine(ctx, r.show, line.State{Version: 1}, line.Plan{Drain: s.Pool}, line.Stamp{}))
	r.wantCost("drain", 1, 2*(2*3+1))
	r.timers(time.Time{})
	if c := r.tables.Snapshot(); c.Requests[meter.Query] != 8 {
		t.Errorf("deadlines: %v requests", c.Requests)
	}
}
