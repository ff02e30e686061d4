package boxoffice

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Map is the packed seat map of a show: what ten thousand readers get for one
// write. It lags behind the claims and decides nothing.
type Map struct {
	Show    catalog.ShowID
	Version int64 // grows with every change, also over a loss
	Seats   seatmap.Packed
	Line    seatmap.LineSeats // which of the held ones are set aside for the line
	Due     time.Time         // no live hold expires before; zero when none is live
	Tallies map[seatmap.SeatType]booking.Tally

	// Together is the longest run of free seats, ten at most: what a search for
	// seats side by side goes by. It is listed, not kept with the map.
	Together int
}

// Tally sums over all types.
func (m *Map) Tally() booking.Tally {
	var sum booking.Tally
	for _, t := range m.Tallies {
		sum = plus(sum, t)
	}
	return sum
}

// Statuses of each type of seat.
func (m *Map) Statuses() map[seatmap.SeatType]seatmap.Availability {
	st := make(map[seatmap.SeatType]seatmap.Availability, len(m.Tallies))
	for typ, t := range m.Tallies {
		st[typ] = seatmap.Status(t.Free, t.Free+t.Held+t.Line+t.Sold+t.Blocked)
	}
	return st
}

// general tallies what somebody who asked for the types could use instead: these
// types and those of general sale. A free wheelchair place is no seat for others.
func (m *Map) general(types []seatmap.SeatType) booking.Tally {
	var sum booking.Tally
	for typ, t := range m.Tallies {
		if serves(typ, types) {
			sum = plus(sum, t)
		}
	}
	return sum
}

func plus(a, b booking.Tally) booking.Tally {
	return booking.Tally{Free: a.Free + b.Free, Held: a.Held + b.Held, Line: a.Line + b.Line, Sold: a.Sold + b.Sold, Blocked: a.Blocked + b.Blocked}
}

// What a read of the map does about deadlines that have passed.
const (
	promptly  = time.Second     // after its grace a hold is usually ended by its message; until then a reader waits for that
	lease     = 2 * time.Second // one reader at a time looks after the overdue; if he dies, the next one does
	sweepMost = 24              // holds that one reader ends; the next one goes on
)

// SeatMap is one read. A lost map is rebuilt from the claims. One that knows of a
// deadline gone by makes its reader end what is overdue, as whoever meets it does;
// of many readers one does, and the others get the map as it is.
func (o *Office) SeatMap(ctx context.Context, id catalog.ShowID) (*Map, error) {
	m, err := o.Store.Snapshot(ctx, id)
	if err != nil {
		return nil, err
	}
	now := o.Clock()
	if m != nil && (m.Due.IsZero() || now.Before(m.Due.Add(o.Policy.Grace+promptly))) {
		return m, nil
	}
	s, err := o.saleOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return o.freshMap(ctx, s)
	}
	renewed, err := o.renew(ctx, s, m, now.Add(lease-o.Policy.Grace-promptly))
	switch fault.KindOf(err) {
	case fault.Stale, fault.Contended, fault.Busy, fault.Unknown:
		return m, nil
	}
	return renewed, err
}

// renew takes the lease by moving the map's deadline, ends what is overdue, looks
// at those seats anew and notes the next deadline.
func (o *Office) renew(ctx context.Context, s sale, m *Map, until time.Time) (*Map, error) {
	if err := o.Store.PostponeDue(ctx, m.Show, m.Due, until); err != nil {
		return nil, err
	}
	swept, err := o.Sweep(ctx, m.Show, sweepMost)
	if err != nil {
		return nil, err
	}
	if len(swept.Ended) > 0 {
		v, err := o.survey(ctx, s, seatsOf(swept.Ended), o.Clock())
		if err != nil {
			return nil, err
		}
		if err := o.leaveIfFirst(ctx, s, v); err != nil {
			return nil, err
		}
		m = v.next
	}
	if swept.More {
		return m, nil
	}
	if len(swept.Ended) == 0 && swept.Next.IsZero() && m.Tally().Held > 0 {
		return o.freshMap(ctx, s) // a held seat without a deadline: a timer was lost
	}
	err = o.Store.PostponeDue(ctx, m.Show, until, swept.Next)
	if fault.Is(err, fault.Stale) {
		err = nil // a newer hold's deadline stands there
	}
	return m, err
}

func seatsOf(holds []booking.Hold) []SeatKey {
	var ks []SeatKey
	for _, h := range holds {
		ks = append(ks, keys(h.Seats)...)
	}
	return ks
}

func (o *Office) saleOf(ctx context.Context, id catalog.ShowID) (sale, error) {
	return o.sale(ctx, Wish{Show: id})
}

// freshMap looks at every claim, for who finds no map or one that is wrong. Of many overdue holds it ends some and draws the others as free:
// who picks such a seat meets its hold and ends it. That another was faster to leave
// the snapshot is no reason to turn anybody away.
func (o *Office) freshMap(ctx context.Context, s sale) (*Map, error) {
	v, err := o.survey(ctx, s, nil, o.Clock())
	if err != nil {
		return nil, err
	}
	if some := v.overdue[:min(len(v.overdue), sweepMost)]; len(some) > 0 {
		if _, err := o.endAll(ctx, some); err != nil {
			return nil, err
		}
		if v, err = o.survey(ctx, s, nil, o.Clock()); err != nil {
			return nil, err
		}
	}
	if err := o.leaveIfFirst(ctx, s, v); err != nil {
		return nil, err
	}
	if len(v.overdue) == 0 {
		return v.next, nil
	}
	return v.withoutOverdue(s.layout), nil
}

func (v view) withoutOverdue(l *seatmap.Layout) *Map {
	m := *v.next
	m.Seats, m.Line = m.Seats.Clone(), m.Line.Clone()
	for _, id := range v.overdue {
		for _, seat := range v.holds[id].Seats {
			if at, ok := l.Seat(seat.ID); ok {
				m.set(at.Index, seatmap.Free, false)
			}
		}
	}
	m.Tallies = tallies(&m, l)
	return &m
}

// leaveIfFirst saves what was seen, unless somebody else just did.
func (o *Office) leaveIfFirst(ctx context.Context, s sale, v view) error {
	err := o.leave(ctx, s, v)
	switch fault.KindOf(err) {
	case fault.Stale, fault.Contended, fault.Busy, fault.Unknown:
		return nil
	}
	return err
}

// view is a seat map before and after a look at the truth.
type view struct {
	prev, next *Map // prev is nil where there was none
	claims     map[seatmap.SeatID]Owner
	holds      map[booking.HoldID]booking.Hold
	overdue    []booking.HoldID
}

// survey reads the snapshot first, then the claims, then the holds that they
// point at, and leave saves on the condition that nobody saved in between; hence
// a seat never goes back in time. A live hold brings all its seats, so that no map
// shows a part of one (AllOrNothing); so do those alive, whose claims may be on
// their way.
func (o *Office) survey(ctx context.Context, s sale, look []SeatKey, now time.Time, alive ...booking.HoldID) (view, error) {
	prev, err := o.Store.FreshSnapshot(ctx, s.show.ID)
	if err != nil {
		return view{}, err
	}
	if prev == nil || prev.Seats.Len() != s.layout.Len() {
		look = nil
	}
	claims, err := o.claims(ctx, s, look)
	if err != nil {
		return view{}, err
	}
	ids := append(owners(claims), alive...)
	slices.Sort(ids)
	holds, err := o.Store.HoldsByID(ctx, slices.Compact(ids))
	if err != nil {
		return view{}, err
	}
	v := view{prev: prev, claims: claims, next: fold(prev, s.layout, look, claims, holds), holds: holds, overdue: overdueOf(holds, o.Policy, now)}
	v.next.Show, v.next.Version = s.show.ID, now.UnixMilli()
	if prev != nil {
		v.next.Version = max(prev.Version+1, v.next.Version)
	}
	if prev != nil && same(prev, v.next) {
		v.next = prev
	}
	return v, nil
}

func (o *Office) leave(ctx context.Context, s sale, v view) error {
	if v.next == v.prev {
		return nil
	}
	var was int64
	if v.prev != nil {
		was = v.prev.Version
	}
	changed := v.prev == nil || !maps.Equal(v.prev.Statuses(), v.next.Statuses())
	v.next.Together = v.next.together(s.layout)
	changed = changed || v.prev.together(s.layout) != v.next.Together
	return o.Store.SaveSnapshot(ctx, s.show, *v.next, was, changed)
}

func (o *Office) claims(ctx context.Context, s sale, look []SeatKey) (map[seatmap.SeatID]Owner, error) {
	if look != nil {
		return o.Store.Claims(ctx, s.show.ID, look)
	}
	blocks := make([]int, len(s.layout.Blocks()))
	for i := range blocks {
		blocks[i] = i
	}
	return o.claimsOf(ctx, s, blocks)
}

// claimsOf reads all claims of some blocks.
func (o *Office) claimsOf(ctx context.Context, s sale, blocks []int) (map[seatmap.SeatID]Owner, error) {
	var mu sync.Mutex
	all := map[seatmap.SeatID]Owner{}
	g, ctx := o.group(ctx)
	for _, b := range blocks {
		g.Go(func() error {
			claims, err := o.blockClaims(ctx, s, s.layout.Block(b).Name)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, claims)
			return err
		})
	}
	return all, g.Wait()
}

// blockClaims is a read that began after the call.
func (o *Office) blockClaims(ctx context.Context, s sale, name string) (map[seatmap.SeatID]Owner, error) {
	return o.reads.share(ctx, block{s.show.ID, name}, func(ctx context.Context) (map[seatmap.SeatID]Owner, error) {
		return o.Store.BlockClaims(ctx, s.show.ID, name)
	})
}

// fold is pure: the map after the looked-at seats (nil: all) stand as read.
func fold(prev *Map, l *seatmap.Layout, look []SeatKey, claims map[seatmap.SeatID]Owner, holds map[booking.HoldID]booking.Hold) *Map {
	m := &Map{Seats: seatmap.NewPacked(l.Len()), Line: seatmap.NewLineSeats(l.Len())}
	if look != nil {
		m.Seats, m.Line, m.Due = prev.Seats.Clone(), prev.Line.Clone(), prev.Due
		for _, k := range look {
			if s, ok := l.Seat(k.Seat); ok {
				m.set(s.Index, seatmap.Free, false)
			}
		}
	}
	for id, owner := range claims {
		if s, ok := l.Seat(id); ok && owner.Line() {
			m.set(s.Index, seatmap.Held, true)
		}
	}
	for _, h := range holds {
		if !h.State.Live() {
			continue
		}
		if h.State == booking.Held && (m.Due.IsZero() || h.ExpiresAt.Before(m.Due)) {
			m.Due = h.ExpiresAt
		}
		for _, seat := range h.Seats {
			if s, ok := l.Seat(seat.ID); ok {
				m.set(s.Index, packedState(h.State), false)
			}
		}
	}
	m.Tallies = tallies(m, l)
	return m
}

func (m *Map) set(i int, s seatmap.State, line bool) {
	m.Seats.Set(i, s)
	m.Line.Set(i, line)
}

// most seats side by side are listed: nobody may have more (A10).
const mostTogether = 10

// together is -1 for a map of another layout.
func (m *Map) together(l *seatmap.Layout) int {
	if m.Seats.Len() != l.Len() {
		return -1
	}
	return seatmap.Together(l, func(i int) bool { return m.Seats.Get(i) == seatmap.Free }, mostTogether)
}

func packedState(s booking.State) seatmap.State {
	switch s {
	case booking.Sold:
		return seatmap.Sold
	case booking.Blocked:
		return seatmap.Blocked
	}
	return seatmap.Held
}

func tallies(m *Map, l *seatmap.Layout) map[seatmap.SeatType]booking.Tally {
	by := map[seatmap.SeatType]booking.Tally{}
	for i := range l.Len() {
		typ := l.At(i).Type
		t := by[typ]
		switch m.Seats.Get(i) {
		case seatmap.Free:
			t.Free++
		case seatmap.Held:
			if m.Line.Has(i) {
				t.Line++
			} else {
				t.Held++
			}
		case seatmap.Sold:
			t.Sold++
		case seatmap.Blocked:
			t.Blocked++
		}
		by[typ] = t
	}
	return by
}

func same(a, b *Map) bool {
	return a.Due.Equal(b.Due) && bytes.Equal(a.Seats.Bytes(), b.Seats.Bytes()) && bytes.Equal(a.Line.Bytes(), b.Line.Bytes())
}

func overdueOf(holds map[booking.HoldID]booking.Hold, p booking.Policy, now time.Time) []booking.HoldID {
	var ids []booking.HoldID
	for id, h := range holds {
		if h.Overdue(p, now) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// StandingOf a seat of the map, in api.md's words.
func (m *Map) StandingOf(i int) booking.Standing {
	switch m.Seats.Get(i) {
	case seatmap.Sold:
		return booking.StandingSold
	case seatmap.Blocked:
		return booking.StandingBlocked
	case seatmap.Held:
		if m.Line.Has(i) {
			return booking.StandingLine
		}
		return booking.StandingHeld
	}
	return booking.StandingFree
}
