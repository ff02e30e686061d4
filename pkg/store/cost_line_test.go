package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// cost of one call in requests and write units.
func (r *rig) cost(call func() error) (requests, units int64) {
	r.t.Helper()
	r.tables.Reset()
	r.must(call())
	c := r.tables.Snapshot()
	for _, n := range c.Requests {
		requests += n
	}
	r.tables.Reset()
	return requests, int64(c.Of(meter.Transact)) / 2
}

// TestCostOfTheLine beside the least that the protocol permits: two write units for
// each item that a transaction has to write or to look at, in one request.
func TestCostOfTheLine(t *testing.T) {
	const (
		state  = 1
		gates  = 8
		waiter = 1
		place  = 1
		entry  = 1
		timer  = 1
		hold   = 1
		share  = 1 // the allowance
	)
	for _, tt := range []struct {
		name  string
		items int64 // that the protocol names
		given func(*rig) func() error
	}{
		{"ask (T7)", waiter + place + timer, func(r *rig) func() error {
			w := r.asking("ann", 10)
			return func() error { return r.Ask(r.t.Context(), w, keep, time.Time{}) }
		}},
		{"number the first (L8)", state + gates + waiter + entry, func(r *rig) func() error {
			return r.plan(r.numbering(line.Entering, r.asked("ann", 1)), nil)
		}},
		{"acknowledge one more (L8)", state + waiter + entry, func(r *rig) func() error {
			r.in(line.Waiting, "first", 1)
			p := r.numbering(line.Waiting, r.asked("ann", 1))
			p.Gates = false
			return r.plan(p, nil)
		}},
		{"acknowledge ten more (L8)", state + 10*(waiter+entry), func(r *rig) func() error {
			r.in(line.Waiting, "first", 1)
			p := r.numbering(line.Waiting, r.askedMany(10)...)
			p.Gates = false
			return r.plan(p, nil)
		}},
		{"acknowledge who found nothing free (L1)", state + waiter, func(r *rig) func() error {
			w := r.in(line.Entering, "ann", 1)
			next := w
			next.State = line.Waiting
			return r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: next}, Dry: regular}, nil)
		}},
		{"set nine aside (L1)", state + waiter + 9*2, func(r *rig) func() error {
			w := r.in(line.Entering, "ann", 10)
			next := w
			next.State = line.Waiting
			return r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: next, Seats: asides("", tenSeats[:9]...)}, Dry: regular}, nil)
		}},
		{"offer ten at once (L1)", state + waiter + timer + 10*2, func(r *rig) func() error {
			w := r.in(line.Entering, "ann", 10)
			next := r.offering(w, tenSeats...).Offer.Waiter
			return r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: next, Seats: next.Offer.Seats}}, nil)
		}},
		{"offer ten (L5)", state + waiter + timer + 10, func(r *rig) func() error {
			w := r.in(line.Waiting, "ann", 10)
			r.pooled(tenSeats...)
			return r.plan(r.offering(w, tenSeats...), nil)
		}},
		{"accept ten (T5)", waiter + place + hold + share + timer + 10*2, func(r *rig) func() error {
			a := r.accepting(r.offered("ann", tenSeats...), evening, tenSeats, nil)
			return func() error { return r.Accept(r.t.Context(), a, keep) }
		}},
		{"accept ten others (T5)", waiter + place + hold + share + timer + 10*2 + 10, func(r *rig) func() error {
			w := r.offered("ann", tenSeats...)
			r.pooled(others...)
			a := r.accepting(w, evening, nil, others)
			return func() error { return r.Accept(r.t.Context(), a, keep) }
		}},
		{"decline ten (T6)", waiter + place + 10, func(r *rig) func() error {
			w := r.offered("ann", tenSeats...)
			e := r.ended(w, line.Declined)
			return func() error {
				return r.Leave(r.t.Context(), line.Leaving{Was: w, Waiter: e.Waiter, Refused: true, Back: e.Back}, &line.Place{Lapses: 1})
			}
		}},
		{"leave (T6)", waiter + place, func(r *rig) func() error {
			w := r.in(line.Waiting, "ann", 1)
			return func() error {
				return r.Leave(r.t.Context(), line.Leaving{Was: w, Waiter: r.ended(w, line.Left).Waiter}, nil)
			}
		}},
		{"lapse of ten (L2)", state + waiter + place + entry + 10, func(r *rig) func() error {
			e := r.ended(r.offered("ann", tenSeats...), line.Lapsed)
			return r.plan(line.Plan{End: &e}, &line.Place{Lapses: 1})
		}},
		{"time out (L3)", state + waiter + place + entry, func(r *rig) func() error {
			e := r.ended(r.in(line.Waiting, "ann", 1), line.TimedOut)
			return r.plan(line.Plan{End: &e}, nil)
		}},
		{"gates (L6)", state + gates, func(r *rig) func() error {
			r.in(line.Waiting, "ann", 1)
			return r.plan(line.Plan{Gates: true}, nil)
		}},
		{"tidy forty (L6)", state + 40, func(r *rig) func() error { return r.plan(line.Plan{Tidy: r.crowd(line.Waiting, 40)}, nil) }},
		{"drain ten (L7)", state + 10*2, func(r *rig) func() error {
			r.in(line.Waiting, "ann", 1)
			return r.plan(line.Plan{Drain: r.pooled(tenSeats...)}, nil)
		}},
		{"see the line (a note)", state, func(r *rig) func() error {
			r.in(line.Waiting, "ann", 1)
			return func() error { return r.SawLine(r.t.Context(), r.show, line.Stamp{Now: evening}) }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, memory())
			requests, units := r.cost(tt.given(r))
			if requests != 1 || units != 2*tt.items {
				t.Errorf("%d requests and %d write units, want 1 and %d", requests, units, 2*tt.items)
			}
		})
	}
}

var tenSeats, others = func() (a, b []string) {
	for i := range 10 {
		a, b = append(a, fmt.Sprint("C-", 11+i)), append(b, fmt.Sprint("D-", 11+i))
	}
	return a, b
}()

func (r *rig) askedMany(n int) (ws []line.Waiter) {
	r.t.Helper()
	for i := range n {
		ws = append(ws, r.asked(fmt.Sprint("many", i), 1))
	}
	return ws
}

// crowd has numbers, ten in a transaction.
func (r *rig) crowd(st line.WaiterState, n int) (ws []line.Waiter) {
	r.t.Helper()
	for ten := range slices.Chunk(r.askedMany(n), line.MaxJoins) {
		ws = append(ws, r.numbered(st, ten...)...)
	}
	return ws
}

// TestLargest: the largest transaction of each kind is taken by both databases, of
// which one refuses more than a hundred writes.
func TestLargest(t *testing.T) {
	many := func(n int) (ids []string) {
		for i := range n {
			ids = append(ids, fmt.Sprint("E-", 101+i))
		}
		return ids
	}
	pools := func(r *rig, n int) (all []line.Aside) {
		for ids := range slices.Chunk(many(n), 10) {
			all = append(all, r.pooled(ids...)...)
		}
		return all
	}
	for _, tt := range []struct {
		name  string
		given func(*rig) func() error
	}{
		{"thirty ends", func(r *rig) func() error {
			ws := r.crowd(line.Waiting, line.MaxEnds)
			first := r.ended(ws[0], line.TimedOut)
			p := line.Plan{End: &first}
			for _, w := range ws[1:] {
				p.Along = append(p.Along, r.ended(w, line.TimedOut))
			}
			return r.plan(p, nil)
		}},
		{"ten joins and the gates", func(r *rig) func() error {
			return r.plan(r.numbering(line.Entering, r.askedMany(line.MaxJoins)...), nil)
		}},
		{"forty set aside", func(r *rig) func() error {
			w := r.in(line.Entering, "ann", 10)
			return r.plan(line.Plan{Aside: &line.SettingAside{Was: w, Waiter: w, Seats: asides("", many(line.MaxAside)...)}}, nil)
		}},
		{"an offer that passes eighty", func(r *rig) func() error {
			crowd := r.crowd(line.Waiting, line.MaxPass)
			for i := range crowd {
				crowd[i].Passed = 1
			}
			w := r.in(line.Waiting, "ann", 10)
			pools(r, 10)
			p := r.offering(w, many(10)...)
			p.Offer.Passed = crowd
			return r.plan(p, nil)
		}},
		{"gates and forty entries", func(r *rig) func() error {
			return r.plan(line.Plan{Gates: true, Tidy: r.crowd(line.Waiting, line.MaxTidy)}, nil)
		}},
		{"a drain of forty-nine", func(r *rig) func() error {
			r.in(line.Waiting, "ann", 1)
			return r.plan(line.Plan{Drain: pools(r, line.MaxDrain)}, nil)
		}},
		{"ten accepted and ten given back", func(r *rig) func() error {
			w := r.offered("ann", tenSeats...)
			r.pooled(others...)
			a := r.accepting(w, evening, nil, others)
			return func() error { return r.Accept(r.t.Context(), a, keep) }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(r *rig) {
				commit := tt.given(r)
				r.must(commit())
				r.stale(commit())
			})
		})
	}
}

// longLine is a line under the longest names, with a waiter of ten seats in it.
func longLine(t *testing.T) (*memstore.DB, *rig, line.Waiter) {
	t.Helper()
	db := memory()
	r := newRig(t, db)
	r.long(0)
	b := booking.Buyer("g_" + booking.Digest("guest", string(r.show)))
	w := line.Waiter{
		ID: line.WaiterID("w_" + booking.Digest(string(b), string(r.show), "key")), Show: r.show, Buyer: b, State: line.Asked, Party: 10,
		Types:    []seatmap.SeatType{seatmap.Companion, seatmap.Loveseat, seatmap.Premium, seatmap.Regular, seatmap.Standing, seatmap.Wheelchair},
		BodyHash: booking.Digest("body"), AskedAt: evening, ExpiresAt: evening.Add(time.Hour), Passed: 10,
	}
	return db, r, w
}

// TestSizes: a waiter of ten seats is one kilobyte at most, and so are an entry, a
// place and a pool item; the state of a line in which ten thousand stand is two.
func TestSizes(t *testing.T) {
	db, r, w := longLine(t)
	r.must(r.Ask(t.Context(), w, keep, time.Time{}))
	p := r.numbering(line.Waiting, w)
	p.Wanted = w.Types
	r.must(r.plan(p, nil)())
	w = p.Number[0]
	h := r.long(10)
	r.show = w.Show
	h.Show = w.Show
	var seats []line.Aside
	for _, s := range h.Seats {
		seats = append(seats, line.Aside{Seat: s.ID, Type: s.Type, Block: s.Block, For: w.ID})
	}
	o := &line.Offering{Was: w, Waiter: w}
	o.Waiter.State, o.Waiter.Offer = line.Offered, line.Offer{Seats: seats, Choice: w.Types, ExpiresAt: evening.Add(2 * time.Minute)}
	r.must(r.Hold(t.Context(), h, keep, booking.Terms{}))
	r.must(r.Release(t.Context(), r.ending(h, booking.ByOwner, evening, seatmap.Wheelchair), nil))
	r.must(r.plan(line.Plan{Offer: o}, nil)())
	l, err := line.Decline(o.Waiter, evening.Add(time.Minute))
	r.must(err)
	r.must(r.Leave(t.Context(), l, &line.Place{Lapses: 9, CoolUntil: evening.Add(time.Hour)}))
	for _, rec := range db.Records(store.Line, "") {
		if size := meter.Size(rec.New); size > 1<<10 {
			t.Errorf("%s %s has %d bytes", rec.Key.PK[:6], rec.Key.SK, size)
		}
	}
	var places line.Places
	for n := int64(1); n <= 10_000; n++ {
		places = line.Plan{Number: []line.Waiter{{Number: n, State: line.Waiting}}}.Places(places)
	}
	s := r.line()
	s.Places = places
	p = line.Plan{Gates: true, Wanted: w.Types, Dry: w.Types, Next: 10_002}
	for i := range line.MaxJoins {
		v := w
		v.ID, v.State, v.Number = line.WaiterID("w_"+booking.Digest(fmt.Sprint(i))), line.Waiting, int64(10_001+i)
		r.set(store.Key{Table: store.Line, PK: "WAITER#" + string(v.ID), SK: "WAITER"}, "state", "asked")
		r.set(store.Key{Table: store.Line, PK: "WAITER#" + string(v.ID), SK: "WAITER"}, "buyer", string(v.Buyer))
		p.Number = append(p.Number, v)
	}
	r.must(r.CommitLine(t.Context(), w.Show, s, p, line.Stamp{Now: evening, KeepUntil: keep}))
	it := r.item(store.Line, "LINE#"+string(w.Show), "STATE")
	if size := meter.Size(it); size > 2<<10 || len(it["bits"].([]byte)) != 1252 {
		t.Errorf("the state has %d bytes", size)
	}
}

// TestCostOfReadingALine: what a run, a poll and a join read. A run reads the state,
// then pool and head in one, then the waiters; a poll is one request of two items.
func TestCostOfReadingALine(t *testing.T) {
	r := newRig(t, memory())
	ws := r.crowd(line.Waiting, 20)
	r.pooled("C-1", "C-2")
	ctx := t.Context()
	for _, tt := range []struct {
		name     string
		call     func() error
		requests int64
		halves   meter.Halves
	}{
		{"a run", func() error { _, err := r.LineState(ctx, r.show, line.Reading{}); return err }, 3, meter.Units(1 + 1 + 20)},
		{"why somebody waits", func() error { _, err := r.LineHead(ctx, r.show); return err }, 2, meter.Units(1 + 8)},
		{"a poll", func() error { _, _, err := r.InLine(ctx, r.show, ws[7].ID); return err }, 1, meter.Units(2)},
		{"a look whether anybody tends", func() error { _, err := r.LineGlance(ctx, r.show); return err }, 1, 1},
		{"a join", func() error { _, _, _, err := r.Joining(ctx, r.show, "ann", "w_new"); return err }, 1, meter.Units(2)},
		{"a choice of ten", func() error { _, err := r.PoolSeats(ctx, r.show, seatIDs(tenSeats)); return err }, 1, meter.Units(10)},
	} {
		r.tables.Reset()
		r.must(tt.call())
		c := r.tables.Snapshot()
		var requests int64
		for _, n := range c.Requests {
			requests += n
		}
		if units := c.Of(meter.Get) + c.Of(meter.BatchGet) + c.Of(meter.Query); requests != tt.requests || units > tt.halves {
			t.Errorf("%s: %d requests and %v read units, want %d and at most %v", tt.name, requests, units, tt.requests, tt.halves)
		}
	}
}

func seatIDs(ids []string) (all []seatmap.SeatID) {
	for _, id := range ids {
		all = append(all, seatmap.SeatID(id))
	}
	return all
}
