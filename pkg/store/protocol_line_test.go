package store_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

func (r *rig) wantLine(version int64, wanted ...seatmap.SeatType) line.State {
	r.t.Helper()
	s, err := r.LineState(r.t.Context(), r.show, line.Reading{})
	r.must(err)
	slices.Sort(s.Wanted)
	if s.Version != version || !slices.Equal(s.Wanted, wanted) {
		r.t.Errorf("line of version %d wants %v, want %d and %v", s.Version, s.Wanted, version, wanted)
	}
	return s
}

func (r *rig) step(s line.State) line.Plan {
	r.t.Helper()
	p, err := line.Step(s, line.Standard, evening)
	r.must(err)
	return p
}

// noTransaction: a plan that is none is refused, never taken for one.
func noTransaction(r *rig) {
	ctx := r.t.Context()
	for name, p := range map[string]line.Plan{
		"idle": {}, "scan": {Scan: regular}, "more": {More: true}, "an end of nothing": {End: &line.End{}},
		"a scan with an offer": {Scan: regular, Offer: &line.Offering{}},
	} {
		if err := r.CommitLine(ctx, r.show, line.State{Version: 0}, p, line.Stamp{}); !fault.Is(err, fault.Internal) {
			r.t.Errorf("%s: %v", name, err)
		}
	}
	r.wantLine(0)
	r.wantGates()
}

func (r *rig) wantGates(want ...seatmap.SeatType) {
	r.t.Helper()
	for n := range 8 * boxoffice.Shards {
		got, err := r.Wanted(r.t.Context(), r.show, booking.HoldID(fmt.Sprint("h", n)))
		r.must(err)
		slices.Sort(got)
		if !slices.Equal([]seatmap.SeatType(got), want) {
			r.t.Fatalf("a gate wants %v, want %v", got, want)
		}
	}
	for k := range boxoffice.Shards {
		it := r.item(store.Line, fmt.Sprintf("GATE#%s#%d", r.show, k), "GATE")
		set, _ := it["wanted"].(store.Set)
		if len(set) != len(want) {
			r.t.Errorf("gate %d is %v, want %v", k, it, want)
		}
	}
}

func gates(r *rig) {
	ctx := r.t.Context()
	r.wantLine(0)
	r.wantGates()
	open := line.Plan{Gates: true, Wanted: []seatmap.SeatType{seatmap.Premium, seatmap.Regular}}
	r.must(r.CommitLine(ctx, r.show, line.State{Version: 0}, open, line.Stamp{}))
	r.wantLine(1, seatmap.Premium, seatmap.Regular)
	r.wantGates(seatmap.Premium, seatmap.Regular)
	shut := line.Plan{Gates: true}
	for _, v := range []int64{0, 2} {
		r.stale(r.CommitLine(ctx, r.show, line.State{Version: v}, shut, line.Stamp{}))
	}
	r.wantGates(seatmap.Premium, seatmap.Regular)
	r.must(r.CommitLine(ctx, r.show, line.State{Version: 1}, shut, line.Stamp{}))
	r.wantLine(2)
	r.wantGates()
}

func drain(r *rig) {
	ctx := r.t.Context()
	var ids []string
	for b := range 5 {
		var its []string
		for i := range 10 {
			its = append(its, fmt.Sprintf("C-%d", 10*b+i))
		}
		h := r.hold(booking.Buyer(fmt.Sprint("b", b)), its...)
		r.must(r.Release(ctx, r.ending(h, booking.ByOwner, evening, seatmap.Regular), nil))
		ids = append(ids, its...)
	}
	s := r.wantLine(0)
	p := r.step(s)
	if len(s.Pool) != 50 || len(p.Drain) != line.MaxDrain {
		r.t.Fatalf("%d in the pool, %d to drain", len(s.Pool), len(p.Drain))
	}
	r.must(r.CommitLine(ctx, r.show, line.State{Version: 0}, p, line.Stamp{}))
	s = r.wantLine(1)
	if len(s.Pool) != 1 {
		r.t.Fatalf("%d left", len(s.Pool))
	}
	r.must(r.CommitLine(ctx, r.show, line.State{Version: 1}, r.step(s), line.Stamp{}))
	s = r.wantLine(2)
	if len(s.Pool) != 0 {
		r.t.Errorf("left: %v", s.Pool)
	}
	r.wantClaims(nil, ids...)
}

func drainRefused(r *rig) {
	ctx := r.t.Context()
	h := r.hold("ann", "C-1", "C-2")
	r.must(r.Release(ctx, r.ending(h, booking.ByOwner, evening, seatmap.Regular), nil))
	p := r.step(r.wantLine(0))
	aside := map[seatmap.SeatID]boxoffice.Owner{"C-1": {}, "C-2": {}}
	r.stale(r.CommitLine(ctx, r.show, line.State{Version: 7}, p, line.Stamp{}))
	r.wantClaims(aside, "C-1", "C-2")
	// Promised to somebody since.
	key := store.Key{Table: store.Line, PK: "LINE#" + string(r.show), SK: "S#C-2"}
	r.must(r.tables.Transact(ctx, []store.Write{{Key: key, Update: []store.Change{{Attr: "for", Op: store.SetTo, To: "w_1"}}}}, ""))
	r.stale(r.CommitLine(ctx, r.show, line.State{Version: 0}, p, line.Stamp{}))
	r.wantClaims(aside, "C-1", "C-2")
	s := r.wantLine(0)
	if i := slices.IndexFunc(s.Pool, func(a line.Aside) bool { return a.For == "w_1" }); i < 0 {
		r.t.Errorf("pool %v does not tell for whom", s.Pool)
	}
	// Gone since, and gone to a buyer.
	r.must(r.tables.Transact(ctx, []store.Write{{Key: key, Delete: true}}, ""))
	r.stale(r.CommitLine(ctx, r.show, line.State{Version: 0}, p, line.Stamp{}))
	claim := store.Key{Table: store.Claims, PK: "SHOW#" + string(r.show) + "#0", SK: "C-1"}
	r.must(r.tables.Transact(ctx, []store.Write{{Key: claim, Put: store.Item{"owner": "h_x"}}}, ""))
	p.Drain = p.Drain[:1]
	r.stale(r.CommitLine(ctx, r.show, line.State{Version: 0}, p, line.Stamp{}))
	r.wantLine(0)
}

// chart is a map of six seats: two free, one held, one set aside, one sold, one blocked.
func (r *rig) chart(version int64) boxoffice.Map {
	m := boxoffice.Map{
		Show: r.show, Version: version, Seats: seatmap.NewPacked(6), Line: seatmap.NewLineSeats(6), Due: evening.Add(time.Minute),
		Tallies: map[seatmap.SeatType]booking.Tally{
			seatmap.Regular: {Free: 2, Held: 1, Line: 1}, seatmap.Premium: {Sold: 1, Blocked: 1},
		},
	}
	m.Seats.Set(1, seatmap.Held)
	m.Seats.Set(2, seatmap.Held)
	m.Line.Set(2, true)
	m.Seats.Set(4, seatmap.Sold)
	m.Seats.Set(5, seatmap.Blocked)
	return m
}

func snapshot(r *rig) {
	ctx := r.t.Context()
	show := catalog.Show{ID: r.show, City: "c", MovieID: catalog.MovieID(r.show), EndsAt: keep}
	same := func(got *boxoffice.Map, err error, want boxoffice.Map) {
		r.t.Helper()
		r.must(err)
		if got.Version != want.Version || !slices.Equal(got.Seats.Bytes(), want.Seats.Bytes()) || !slices.Equal(got.Line.Bytes(), want.Line.Bytes()) ||
			!got.Due.Equal(want.Due) || !cmp.Equal(got.Tallies, want.Tallies) || got.Show != want.Show {
			r.t.Errorf("map %+v, want %+v", got, want)
		}
	}
	first := r.chart(5)
	r.stale(r.SaveSnapshot(ctx, show, first, 4, false)) // nothing there to replace
	r.must(r.SaveSnapshot(ctx, show, first, 0, false))
	got, err := r.FreshSnapshot(ctx, r.show)
	same(got, err, first)
	got, err = r.Snapshot(ctx, r.show)
	same(got, err, first)
	second := r.chart(6)
	second.Due, second.Line = time.Time{}, seatmap.NewLineSeats(6)
	for _, was := range []int64{0, 4, 6} {
		r.stale(r.SaveSnapshot(ctx, show, second, was, false))
	}
	r.must(r.SaveSnapshot(ctx, show, second, 5, true))
	got, err = r.FreshSnapshot(ctx, r.show)
	same(got, err, second)
}

func statuses(r *rig) {
	ctx := r.t.Context()
	film := catalog.MovieID(r.show)
	want := map[catalog.ShowID]map[seatmap.SeatType]seatmap.Availability{}
	for _, id := range []catalog.ShowID{"1", "2"} {
		show := catalog.Show{ID: r.show + "-" + id, City: "c", MovieID: film, EndsAt: keep}
		r.must(r.SaveSnapshot(ctx, show, r.chart(1), 0, true))
		want[show.ID] = map[seatmap.SeatType]seatmap.Availability{seatmap.Regular: seatmap.Available, seatmap.Premium: seatmap.Full}
	}
	quiet := catalog.Show{ID: r.show + "-3", City: "c", MovieID: film, EndsAt: keep}
	r.must(r.SaveSnapshot(ctx, quiet, r.chart(1), 0, false))
	got, err := r.Statuses(ctx, "c", film)
	r.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("statuses (-want +got):\n%s", diff)
	}
	got, err = r.Statuses(ctx, "other", film)
	if err != nil || len(got) != 0 {
		r.t.Errorf("of another city: %v, %v", got, err)
	}
}

func nothingThere(r *rig) {
	ctx := r.t.Context()
	if _, err := r.HoldByID(ctx, "h_none"); !errors.Is(err, booking.ErrHoldNotFound) {
		r.t.Errorf("hold: %v", err)
	}
	if _, err := r.PaymentByID(ctx, "none"); !errors.Is(err, boxoffice.ErrPaymentNotFound) {
		r.t.Errorf("payment: %v", err)
	}
	if _, err := r.OrderByID(ctx, "o_none"); !errors.Is(err, boxoffice.ErrOrderNotFound) {
		r.t.Errorf("order: %v", err)
	}
	m, err := r.Snapshot(ctx, r.show)
	if m != nil || err != nil {
		r.t.Errorf("map %v, %v", m, err)
	}
	holds, err := r.HoldsByID(ctx, nil)
	if len(holds) != 0 || err != nil {
		r.t.Errorf("holds %v, %v", holds, err)
	}
	r.wantAllowance("nobody", 0)
	r.wantTimers()
	r.wantClaims(nil, "C-1")
}

// postpone: of two readers one moves the deadline, and nobody moves one that has
// been set anew.
func postpone(r *rig) {
	ctx := r.t.Context()
	show := catalog.Show{ID: r.show, City: "c", MovieID: catalog.MovieID(r.show), EndsAt: keep}
	m := r.chart(5)
	later := m.Due.Add(time.Second)
	r.stale(r.PostponeDue(ctx, r.show, m.Due, later)) // no map, no deadline
	r.must(r.SaveSnapshot(ctx, show, m, 0, false))
	r.must(r.PostponeDue(ctx, r.show, m.Due, later))
	r.stale(r.PostponeDue(ctx, r.show, m.Due, later.Add(time.Second)))
	got, err := r.FreshSnapshot(ctx, r.show)
	r.must(err)
	if !got.Due.Equal(later) || got.Version != m.Version {
		r.t.Errorf("due %v of version %d, want %v of %d", got.Due, got.Version, later, m.Version)
	}
	r.must(r.PostponeDue(ctx, r.show, later, time.Time{}))
	r.stale(r.PostponeDue(ctx, r.show, later, later))
	got, err = r.FreshSnapshot(ctx, r.show)
	r.must(err)
	if !got.Due.IsZero() {
		r.t.Errorf("due %v, want none", got.Due)
	}
}
