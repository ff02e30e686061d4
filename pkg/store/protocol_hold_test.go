package store_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

func hold(r *rig) {
	h := r.hold("ann", "C-7", "P-1")
	r.wantHold(h)
	r.wantClaims(ownedBy(h), "C-7", "P-1", "C-8")
	r.wantAllowance("ann", 2)
	r.wantTimers(h.ID)
	if got := r.timers(time.Time{})[0].ExpiresAt; !got.Equal(h.ExpiresAt) {
		r.t.Errorf("timer at %v, want %v", got, h.ExpiresAt)
	}
	block, err := r.BlockClaims(r.t.Context(), r.show, "0")
	r.must(err)
	if diff := cmp.Diff(ownedBy(h), block); diff != "" {
		r.t.Errorf("claims of the block (-want +got):\n%s", diff)
	}
	holds, err := r.HoldsByID(r.t.Context(), []booking.HoldID{h.ID, "h_none"})
	r.must(err)
	if diff := cmp.Diff(map[booking.HoldID]booking.Hold{h.ID: h}, holds); diff != "" {
		r.t.Errorf("holds (-want +got):\n%s", diff)
	}
}

func holdTwice(r *rig) {
	h := r.hold("ann", "C-7")
	again := h
	again.ExpiresAt, again.MadeAt = h.ExpiresAt.Add(time.Second), h.MadeAt.Add(time.Second)
	tk := r.taken(r.Hold(r.t.Context(), again, keep, booking.Terms{}))
	if tk.Existing == nil || !cmp.Equal(*tk.Existing, h) {
		r.t.Errorf("existing %+v, want the hold as it was made", tk.Existing)
	}
	r.wantAllowance("ann", 1)
	r.wantTimers(h.ID)
	// Also after its end, and although its seat is free then.
	e := r.ending(h, booking.ByOwner, evening)
	r.must(r.Release(r.t.Context(), e, nil))
	tk = r.taken(r.Hold(r.t.Context(), again, keep, booking.Terms{}))
	if tk.Existing == nil || tk.Existing.State != booking.Released {
		r.t.Errorf("existing %+v, want the released one", tk.Existing)
	}
	r.wantClaims(nil, "C-7")
}

func holdTaken(r *rig) {
	held := r.hold("ann", "C-1", "C-2")
	aside := r.hold("bob", "C-3")
	r.must(r.Release(r.t.Context(), r.ending(aside, booking.ByOwner, evening, seatmap.Regular), nil))
	house := r.draft(booking.House, "C-4")
	house.State, house.ExpiresAt = booking.Blocked, time.Time{}
	r.must(r.Block(r.t.Context(), house))
	tk := r.taken(r.Hold(r.t.Context(), r.draft("cat", "C-0", "C-2", "C-3", "C-4"), keep, booking.Terms{}))
	want := map[seatmap.SeatID]boxoffice.Owner{"C-2": {Hold: held.ID}, "C-3": {}, "C-4": {Hold: house.ID, House: true}}
	if diff := cmp.Diff(want, tk.Claims); diff != "" || tk.Existing != nil || tk.Full || tk.Partial {
		r.t.Errorf("taken %+v (-want +got claims):\n%s", tk, diff)
	}
	if !tk.Claims["C-3"].Line() || tk.Claims["C-2"].Line() {
		r.t.Error("whose seat is set aside is not told")
	}
}

func holdFull(r *rig) {
	h := r.hold("ann", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	tk := r.taken(r.Hold(r.t.Context(), r.draft("ann", "10", "11"), keep, booking.Terms{}))
	if !tk.Full || tk.Holding != 9 || len(tk.Claims) != 0 || tk.Existing != nil {
		r.t.Errorf("taken %+v, want full with 9", tk)
	}
	// Claims and allowance are told at once.
	tk = r.taken(r.Hold(r.t.Context(), r.draft("ann", "9", "10"), keep, booking.Terms{}))
	if !tk.Full || tk.Claims["9"].Hold != h.ID || len(tk.Claims) != 1 {
		r.t.Errorf("taken %+v, want full and seat 9", tk)
	}
	r.hold("ann", "10")
	r.wantAllowance("ann", 10)
	r.hold("bob", "11") // everybody has an allowance of his own
	r.taken(r.Hold(r.t.Context(), r.draft("ann", "12"), keep, booking.Terms{}))
}

func holdNothing(r *rig) {
	r.hold("ann", "C-2")
	h := r.draft("bob", "C-1", "C-2", "C-3")
	r.taken(r.Hold(r.t.Context(), h, keep, booking.Terms{}))
	r.wantClaims(nil, "C-1", "C-3")
	r.wantAllowance("bob", 0)
	if _, err := r.HoldByID(r.t.Context(), h.ID); !errors.Is(err, booking.ErrHoldNotFound) {
		r.t.Errorf("hold: %v, want not found", err)
	}
	if n := len(r.timers(time.Time{})); n != 1 {
		r.t.Errorf("%d timers, want ann's alone", n)
	}
}

// holdInTwoBlocks: each claim lies in the block of its own seat, where readers of a
// block look for it.
func holdInTwoBlocks(r *rig) {
	h := r.draft("ann", "C-1", "C-2", "C-3")
	h.Seats[1].Block = "1"
	r.must(r.Hold(r.t.Context(), h, keep, booking.Terms{}))
	for name, want := range map[string]int{"0": 2, "1": 1} {
		if claims, err := r.BlockClaims(r.t.Context(), r.show, name); err != nil || len(claims) != want {
			r.t.Errorf("block %s has %d claims (%v), want %d", name, len(claims), err, want)
		}
	}
}

func block(r *rig) {
	h := r.draft(booking.House, "C-1", "P-2")
	h.State, h.ExpiresAt = booking.Blocked, time.Time{}
	r.must(r.Block(r.t.Context(), h))
	r.wantHold(h)
	r.wantClaims(ownedBy(h), "C-1", "P-2")
	r.wantAllowance(booking.House, 0)
	r.wantTimers()
	if tk := r.taken(r.Block(r.t.Context(), h)); tk.Existing == nil {
		r.t.Errorf("blocked twice: %+v", tk)
	}
	other := r.draft(booking.House, "P-2", "P-3")
	other.State = booking.Blocked
	if tk := r.taken(r.Block(r.t.Context(), other)); tk.Claims["P-2"] != (boxoffice.Owner{Hold: h.ID, House: true}) {
		r.t.Errorf("blocked by another: %+v", tk)
	}
	r.want(seatmap.Premium)
	e := r.ending(h, booking.ByHouse, evening, seatmap.Premium)
	r.must(r.Release(r.t.Context(), e, nil))
	r.wantHold(e.Hold)
	r.wantClaims(map[seatmap.SeatID]boxoffice.Owner{"P-2": {}}, "C-1", "P-2")
	r.wantAllowance(booking.House, 0)
}

func releaseOwner(r *rig) {
	h := r.hold("ann", "C-1", "C-2")
	other := r.hold("ann", "C-3")
	e := r.ending(h, booking.ByOwner, evening.Add(time.Minute))
	r.must(r.Release(r.t.Context(), e, nil))
	r.wantHold(e.Hold)
	r.wantClaims(ownedBy(other), "C-1", "C-2", "C-3")
	r.wantAllowance("ann", 1)
	r.wantTimers(other.ID)
	ttl := r.item(store.Holds, "HOLD#"+string(h.ID), "HOLD")["ttl"]
	if want := evening.Add(time.Minute + booking.Receipt).Unix(); ttl != want {
		r.t.Errorf("the receipt goes at %v, want %v", ttl, want)
	}
	r.stale(r.Release(r.t.Context(), e, nil))
	r.wantAllowance("ann", 1)
}

func releaseExpiry(r *rig) {
	h := r.hold("ann", "C-1")
	due := h.ExpiresAt.Add(policy.Grace)
	e := r.ending(h, booking.ByExpiry, due)
	// Whatever the writer decided, the table knows when the hold ends.
	early := e
	early.Hold.EndedAt = due.Add(-time.Millisecond)
	r.stale(r.Release(r.t.Context(), early, nil))
	r.wantHold(h)
	r.must(r.Release(r.t.Context(), e, nil))
	r.wantHold(e.Hold)
	r.wantClaims(nil, "C-1")
	r.wantAllowance("ann", 0)
	r.wantTimers()
}

func releaseRefund(r *rig) {
	h := r.hold("ann", "C-1", "C-2")
	b := r.pay(h)
	sold, err := booking.Confirm(b.hold, policy, string(b.pay.ID), evening)
	r.must(err)
	p, o := r.sale(b, sold)
	r.must(r.Confirm(r.t.Context(), b.hold, sold, p, o, evening))
	e := r.ending(sold, booking.ByRefund, evening.Add(time.Hour))
	back, err := o.Next.Refund(p.Next.ID)
	r.must(err)
	change := boxoffice.OrderChange{Was: order.Paid, Next: back}
	r.must(r.Release(r.t.Context(), e, &change))
	r.wantHold(e.Hold)
	r.wantOrder(back)
	r.wantClaims(nil, "C-1", "C-2")
	r.wantAllowance("ann", 0)
	r.stale(r.Release(r.t.Context(), e, &change))
}

func releaseLine(r *rig) {
	h := r.hold("ann", "C-1", "P-1", "C-2")
	r.want(seatmap.Regular)
	wanted, err := r.Wanted(r.t.Context(), r.show, h.ID)
	r.must(err)
	e := r.ending(h, booking.ByOwner, evening, wanted...)
	r.must(r.Release(r.t.Context(), e, nil))
	r.wantHold(e.Hold)
	r.wantClaims(map[seatmap.SeatID]boxoffice.Owner{"C-1": {}, "C-2": {}}, "C-1", "P-1", "C-2")
	r.wantAllowance("ann", 0)
	r.wantTimers()
	s, err := r.LineState(r.t.Context(), r.show, line.Reading{})
	r.must(err)
	want := []line.Aside{{Seat: "C-1", Type: seatmap.Regular, Block: "0"}, {Seat: "C-2", Type: seatmap.Regular, Block: "0"}}
	if diff := cmp.Diff(want, s.Pool); diff != "" {
		r.t.Errorf("pool (-want +got):\n%s", diff)
	}
	show, seat, ok := store.PoolSeat(r.pool("C-1"))
	if show != r.show || seat != "C-1" || !ok {
		r.t.Errorf("pool item of %s %s %v", show, seat, ok)
	}
}

func releaseGate(r *rig) {
	h := r.hold("ann", "C-1", "P-1")
	stale := r.ending(h, booking.ByOwner, evening) // decided before the line opened
	r.want(seatmap.Premium)
	r.stale(r.Release(r.t.Context(), stale, nil))
	r.wantHold(h)
	r.wantClaims(ownedBy(h), "C-1", "P-1")
	r.want() // opened and closed in between: no matter
	r.must(r.Release(r.t.Context(), stale, nil))
	r.wantClaims(nil, "C-1", "P-1")
	// A line for other types stops nothing; a gate said to be wanted is not checked.
	r.want(seatmap.Premium)
	regular := r.hold("bob", "C-2")
	r.must(r.Release(r.t.Context(), r.ending(regular, booking.ByOwner, evening), nil))
	premium := r.hold("bob", "P-2")
	aside := r.ending(premium, booking.ByOwner, evening, seatmap.Premium)
	r.want()
	r.must(r.Release(r.t.Context(), aside, nil))
	r.wantClaims(map[seatmap.SeatID]boxoffice.Owner{"P-2": {}}, "C-2", "P-2")
}

func releaseRefused(r *rig) {
	h := r.hold("ann", "C-1", "C-2")
	good := r.ending(h, booking.ByOwner, evening)
	try := func(name string, spoil func(*booking.Ending), o *boxoffice.OrderChange) {
		r.t.Helper()
		e := good
		spoil(&e)
		err := r.Release(r.t.Context(), e, o)
		r.stale(err)
		r.wantHold(h)
		r.wantClaims(ownedBy(h), "C-1", "C-2")
		r.wantAllowance("ann", 2)
		if r.t.Failed() {
			r.t.Fatalf("after %s", name)
		}
	}
	try("another revision", func(e *booking.Ending) { e.Was.Rev = 2 }, nil)
	try("another state", func(e *booking.Ending) { e.Was.State = booking.Sold }, nil)
	try("another's claim", func(e *booking.Ending) {
		e.Free = append(slices.Clone(e.Free), seats("C-3")...)
	}, nil)
	try("another buyer's allowance", func(e *booking.Ending) { e.Was.Buyer = "bob" }, nil)
	try("another order", func(*booking.Ending) {}, &boxoffice.OrderChange{Was: order.Pending, Next: order.Order{ID: "o_none", Status: order.Cancelled}})
	// With an order: it is cancelled with the hold, if it is as read.
	b := r.pay(h)
	e := r.ending(b.hold, booking.ByOwner, evening)
	cancelled, err := b.ord.Cancel()
	r.must(err)
	r.stale(r.Release(r.t.Context(), e, &boxoffice.OrderChange{Was: order.Paid, Next: cancelled}))
	r.must(r.Release(r.t.Context(), e, &boxoffice.OrderChange{Was: order.Pending, Next: cancelled}))
	r.wantOrder(cancelled)
	r.wantHold(e.Hold)
}

func timersInOrder(r *rig) {
	var want []booking.HoldID
	for i, after := range []int{7, 1, 12, 3, 5, 2, 30, 4, 11, 6, 29, 9, 8, 10} {
		h := r.draft("ann", string(rune('a'+i)))
		h.Buyer = booking.Buyer(string(rune('a' + i)))
		h.ExpiresAt = evening.Add(time.Duration(after) * time.Second)
		r.must(r.Hold(r.t.Context(), h, keep, booking.Terms{}))
		want = append(want, h.ID)
	}
	all := r.timers(time.Time{})
	if len(all) != len(want) {
		r.t.Fatalf("%d timers, want %d", len(all), len(want))
	}
	for i, at := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 29, 30} {
		if !all[i].ExpiresAt.Equal(evening.Add(time.Duration(at)*time.Second)) || !slices.Contains(want, all[i].Hold) {
			r.t.Errorf("timer %d is %+v", i, all[i])
		}
	}
	for _, tt := range []struct {
		upTo time.Duration
		want int
	}{{time.Second - time.Millisecond, 0}, {time.Second, 1}, {7 * time.Second, 7}, {time.Hour, 14}} {
		if n := len(r.timers(evening.Add(tt.upTo))); n != tt.want {
			r.t.Errorf("%d timers within %v, want %d", n, tt.upTo, tt.want)
		}
	}
}

// releaseLineRefused: a seat that is not the hold's own is not set aside.
func releaseLineRefused(r *rig) {
	h, other := r.hold("ann", "C-1"), r.hold("bob", "C-2")
	for _, seat := range []string{"C-2", "C-3"} { // another's, and nobody's
		e := r.ending(h, booking.ByOwner, evening, seatmap.Regular)
		e.Line = append(slices.Clone(e.Line), seats(seat)...)
		r.stale(r.Release(r.t.Context(), e, nil))
	}
	r.wantHold(h)
	want := ownedBy(h)
	want["C-2"] = boxoffice.Owner{Hold: other.ID}
	r.wantClaims(want, "C-1", "C-2", "C-3")
	if it := r.pool("C-1"); it != nil {
		r.t.Errorf("in the pool: %v", it)
	}
}

// timersOutlive: TTL is the last net, so it lies after whoever is prompt.
func timersOutlive(r *rig) {
	h := r.hold("ann", "C-1")
	for k := range boxoffice.Shards {
		it := r.item(store.Timers, fmt.Sprintf("EXP#%s#%d", r.show, k), fmt.Sprintf("%013d#%s", h.ExpiresAt.UnixMilli(), h.ID))
		if it == nil {
			continue
		}
		ttl, _ := it["ttl"].(int64)
		if after := time.Unix(ttl, 0).Sub(h.ExpiresAt.Add(policy.Grace)); after <= 0 || after > time.Minute {
			r.t.Errorf("the timer goes %v after the grace", after)
		}
		return
	}
	r.t.Error("no timer")
}
