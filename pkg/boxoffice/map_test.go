package boxoffice_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// draw shows the four rows of the studio: . free, h held, l line, s sold, b blocked.
func (d *desk) draw(m *boxoffice.Map) string {
	var out []byte
	for i := range d.layout.Len() {
		if i > 0 && d.layout.At(i).Row != d.layout.At(i-1).Row {
			out = append(out, ' ')
		}
		c := m.StandingOf(i).String()[0]
		if m.StandingOf(i) == booking.StandingFree {
			c = '.'
		}
		out = append(out, c)
	}
	return string(out)
}

func (d *desk) seatMap() *boxoffice.Map {
	d.t.Helper()
	m, err := d.SeatMap(d.ctx(), matinee)
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

func (d *desk) wantMap(want string) *boxoffice.Map {
	d.t.Helper()
	m := d.seatMap()
	if got := d.draw(m); got != want {
		d.t.Errorf("map %s, want %s", got, want)
	}
	return m
}

func (d *desk) project(ids ...seatmap.SeatID) {
	d.t.Helper()
	if err := d.Project(d.ctx(), matinee, ids); err != nil {
		d.t.Fatal(err)
	}
}

// TestMapOfEverything: each standing, the tallies and the statuses by type.
func TestMapOfEverything(t *testing.T) {
	d := newDesk(t)
	d.hold("ann", "k", "A-1", "A-2")
	d.sell("bob", "B-1")
	d.setAside("cat", "B-3")
	if _, err := d.Block(d.ctx(), boxoffice.Wish{Key: "h", Show: matinee, Seats: []seatmap.SeatID{"C-1"}}); err != nil {
		t.Fatal(err)
	}
	d.sell("dan", "C-2", "C-3", "C-4", "C-5", "C-6")
	m := d.wantMap("hh.... s.l... bsssss ......")
	want := map[seatmap.SeatType]booking.Tally{
		seatmap.Regular: {Free: 8, Held: 2, Line: 1, Sold: 1}, seatmap.Premium: {Sold: 5, Blocked: 1},
		seatmap.Loveseat: {Free: 4}, seatmap.Wheelchair: {Free: 1}, seatmap.Companion: {Free: 1},
	}
	if diff := cmp.Diff(want, m.Tallies); diff != "" {
		t.Errorf("tallies (-want +got):\n%s", diff)
	}
	if sum := m.Tally(); sum != (booking.Tally{Free: 14, Held: 2, Line: 1, Sold: 6, Blocked: 1}) {
		t.Errorf("sum %+v", sum)
	}
	listed, err := d.store.Statuses(d.ctx(), town, film)
	if err != nil || listed[matinee][seatmap.Premium] != seatmap.Full || listed[matinee][seatmap.Regular] != seatmap.Available {
		t.Errorf("listed %v, %v", listed, err)
	}
}

// TestProjectReadsTheTruth: records that come late, twice or in another order
// leave what is true now, however many came before.
func TestProjectReadsTheTruth(t *testing.T) {
	d := newDesk(t)
	d.wantMap("...... ...... ...... ......")
	first := d.hold("ann", "k1", "A-1", "A-2")
	d.giveBack(first)
	second := d.hold("bob", "k", "A-2", "A-3")
	d.project("A-2", "A-3") // of the second's beginning
	d.wantMap(".hh... ...... ...... ......")
	d.project("A-1", "A-2") // of the first's end, and then of its beginning
	d.project("A-1", "A-2")
	d.wantMap(".hh... ...... ...... ......")
	d.sellHold(second)
	d.project("A-2", "A-3")
	d.wantMap(".ss... ...... ...... ......")
	d.mustEnd(second, booking.ByRefund)
	d.project("A-2", "A-3")
	d.wantMap("...... ...... ...... ......")
	d.project("Z-9") // a seat that the hall does not have
	if err := d.Project(d.ctx(), "none", []seatmap.SeatID{"A-1"}); err != nil {
		t.Errorf("a show that is gone stops the others: %v", err)
	}
}

// TestProjectionRace: another projector saves in between; nobody's news is lost.
func TestProjectionRace(t *testing.T) {
	d := newDesk(t)
	d.wantMap("...... ...... ...... ......")
	d.hold("ann", "k", "A-1")
	d.hold("bob", "k", "B-1")
	race := &raceMap{Store: d.store, before: func() { d.office(d.store).Project(d.ctx(), matinee, []seatmap.SeatID{"B-1"}) }}
	d.Office.Store = race
	d.project("A-1")
	d.wantMap("h..... h..... ...... ......")
}

type raceMap struct {
	boxoffice.Store
	before func()
}

// TestOldLookIsNotLeft: somebody who looks for seats sees a hold whose beginning has
// not been projected. It ends, both records are projected, and nothing in the map had
// to change; what he saw must not be left there, for no record would ever correct it.
func TestOldLookIsNotLeft(t *testing.T) {
	d := newDesk(t)
	d.wantMap("...... ...... ...... ......")
	h := d.hold("ann", "k", "A-1")
	d.Office.Store = &raceSave{raceMap{Store: d.store, before: func() {
		o := d.office(d.store)
		if err := o.GiveBack(d.ctx(), "ann", h.ID); err != nil {
			t.Error(err)
		}
		if err := o.Project(d.ctx(), matinee, []seatmap.SeatID{"A-1"}); err != nil {
			t.Error(err)
		}
	}}}
	d.refusal(boxoffice.Wish{Buyer: "bob", Key: "k", Show: matinee, Seats: []seatmap.SeatID{"A-1"}})
	d.wantMap("...... ...... ...... ......")
}

// TestMapNeverShowsPartOfAHold: whatever seats a record names, a live hold is
// shown whole.
func TestMapNeverShowsPartOfAHold(t *testing.T) {
	d := newDesk(t)
	d.wantMap("...... ...... ...... ......")
	d.giveBack(d.hold("ann", "k", "A-1", "B-2"))
	d.hold("bob", "k", "A-1", "C-1", "C-2")
	d.project("A-1", "B-2") // ann's records, after bob was there
	d.wantMap("h..... ...... hh.... ......")
	// While a hold's transaction lands, its claims come one after another.
	shows := map[string]bool{}
	d.window = func(memstore.Op, int) {
		d.window = nil
		d.project("B-4", "B-5")
		shows[d.draw(must(d.store.FreshSnapshot(d.ctx(), matinee)))] = true
	}
	d.hold("cat", "k", "B-4", "B-5")
	for s := range shows {
		if s != "h..... ...... hh.... ......" && s != "h..... ...hh. hh.... ......" {
			t.Errorf("map %s", s)
		}
	}
	d.project("B-4", "B-5")
	d.wantMap("h..... ...hh. hh.... ......")
}

// TestLostMap is rebuilt from the claims alone, with a version that still grows.
func TestLostMap(t *testing.T) {
	d := newDesk(t)
	d.hold("ann", "k", "A-1")
	d.sell("bob", "B-1")
	before := d.wantMap("h..... s..... ...... ......")
	d.clock.advance(time.Second)
	if err := d.db.Transact(d.ctx(), []store.Write{{Key: store.Key{Table: store.Snapshots, PK: "MAP#" + string(matinee), SK: "MAP"}, Delete: true}}, ""); err != nil {
		t.Fatal(err)
	}
	after := d.wantMap("h..... s..... ...... ......")
	if after.Version <= before.Version {
		t.Errorf("version %d after %d", after.Version, before.Version)
	}
}

func TestMapVersionGrows(t *testing.T) {
	d := newDesk(t)
	last := int64(0)
	for i := range 12 { // within one millisecond, and with a clock that goes back
		d.hold(booking.Buyer(fmt.Sprint(i)), "k", seatmap.SeatID(fmt.Sprintf("%c-%d", 'A'+i/6, i%6+1)))
		if i == 6 {
			d.clock.advance(-time.Second)
		}
		d.project(seatmap.SeatID(fmt.Sprintf("%c-%d", 'A'+i/6, i%6+1)))
		if v := d.seatMap().Version; v <= last {
			t.Errorf("version %d after %d", v, last)
		} else {
			last = v
		}
	}
}

// TestAlmostFull: at fifteen percent free and below.
func TestAlmostFull(t *testing.T) {
	d := newDesk(t)
	status := func() seatmap.Availability { return d.seatMap().Statuses()[seatmap.Regular] }
	for i, want := range []seatmap.Availability{
		seatmap.Available, seatmap.Available, seatmap.Available, seatmap.Available, seatmap.Available, seatmap.Available,
		seatmap.Available, seatmap.Available, seatmap.Available, seatmap.Available, seatmap.AlmostFull, seatmap.Full,
	} {
		id := seatmap.SeatID(fmt.Sprintf("%c-%d", 'A'+i/6, i%6+1))
		d.hold(booking.Buyer(fmt.Sprint(i)), "k", id)
		d.seatMap()
		d.project(id)
		if got := status(); got != want {
			t.Errorf("%d of 12 held: %v, want %v", i+1, got, want)
		}
		listed, err := d.store.Statuses(d.ctx(), town, film)
		if err != nil || listed[matinee][seatmap.Regular] != want {
			t.Errorf("listed %v, %v", listed, err)
		}
	}
}

// TestMapKnowsTheNextDeadline: a map whose overdue hold nobody has ended within a
// second is not handed out, any other costs a single read.
func TestMapKnowsTheNextDeadline(t *testing.T) {
	d := newDesk(t)
	first := d.hold("ann", "k", "A-1")
	d.clock.advance(time.Minute)
	d.hold("bob", "k", "B-1")
	d.wantMap("h..... h..... ...... ......")
	reads := 0
	d.faults = func(op memstore.Op) memstore.Fault { reads++; return memstore.NoFault }
	d.clock.set(first.ExpiresAt.Add(policy.Grace + time.Second - time.Millisecond))
	d.seatMap()
	if reads != 1 {
		t.Errorf("%d calls for a map that stands", reads)
	}
	d.clock.advance(time.Millisecond)
	d.wantMap("...... h..... ...... ......")
	d.wantHold(first.ID, booking.Expired)
	reads = 0
	d.seatMap()
	if reads != 1 {
		t.Errorf("%d calls after it was renewed", reads)
	}
}

// TestManyOverdue: one reader at a time ends some of the overdue holds, the others
// get the map as it is, and with nobody but readers all are ended at last.
func TestManyOverdue(t *testing.T) {
	d := newDesk(t)
	var last booking.Hold
	for i := range 24 {
		seat := d.layout.At(i)
		if seat.Partner >= 0 {
			continue
		}
		last = d.hold(booking.Buyer(fmt.Sprint("b", i)), "k", seat.ID)
	}
	d.seatMap()
	d.overdue(last)
	d.clock.advance(time.Second)
	during := 0
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpQuery && during == 0 {
			during++
			m, err := d.SeatMap(d.ctx(), matinee)
			if err != nil || m.Tally().Held != 20 {
				t.Errorf("a second reader: %+v, %v", m, err)
			}
		}
		return memstore.NoFault
	}
	m := d.seatMap()
	d.faults = nil
	if during != 1 || m.Tally().Held != 0 {
		t.Errorf("%d readers beside; map %+v", during, m.Tally())
	}
}

// TestArena is the map of twenty thousand places.
func TestArena(t *testing.T) {
	text, err := os.ReadFile("../../infra/catalogue/halls.json")
	if err != nil {
		t.Fatal(err)
	}
	halls := must(seatmap.ParseHalls(text))
	d := openDesk(t, must(seatmap.Expand(halls[len(halls)-1])))
	if d.layout.Len() != 20000 {
		t.Fatalf("%d places", d.layout.Len())
	}
	ids := []seatmap.SeatID{d.layout.At(0).ID, d.layout.At(9999).ID, d.layout.At(19999).ID}
	d.hold("ann", "k", ids...)
	m := d.seatMap()
	if sum := m.Tally(); sum.Held != 3 || sum.Free != 19997 || len(m.Seats.Bytes()) != 5000 {
		t.Errorf("tally %+v", sum)
	}
	h, err := d.Reserve(d.ctx(), boxoffice.Wish{Buyer: "bob", Key: "k", Show: matinee, Best: &seatmap.Want{Count: 10}})
	if err != nil || len(h.Seats) != 10 {
		t.Fatalf("best ten: %v", explain(err))
	}
}

// raceSave races with who saves a map.
type raceSave struct{ raceMap }

func (s *raceSave) SaveSnapshot(ctx context.Context, show catalog.Show, m boxoffice.Map, was int64, changed bool) error {
	once(&s.before)
	return s.Store.SaveSnapshot(ctx, show, m, was, changed)
}

func (s *raceMap) Claims(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey) (map[seatmap.SeatID]boxoffice.Owner, error) {
	once(&s.before)
	return s.Store.Claims(ctx, show, seats)
}

// TestMapShowsNoEndedHold: a hold that ends after its claim was read has no seat.
func TestMapShowsNoEndedHold(t *testing.T) {
	d := newDesk(t)
	d.wantMap("...... ...... ...... ......")
	h := d.hold("ann", "k", "A-1", "B-1")
	gets := 0
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind != memstore.OpBatchGet {
			return memstore.NoFault
		}
		if gets++; gets == 2 { // the claims, then their holds
			d.faults = nil
			d.giveBack(h)
		}
		return memstore.NoFault
	}
	d.project("A-1")
	d.wantMap("...... ...... ...... ......")

	d = newDesk(t) // and of a map that its first reader makes
	h = d.hold("ann", "k", "A-1", "B-1")
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpBatchGet {
			d.faults = nil
			d.giveBack(h)
		}
		return memstore.NoFault
	}
	d.wantMap("...... ...... ...... ......")
}

// TestProjectionIsNotLateNews: what was read before another projector saved is not
// saved over what he saw after.
func TestProjectionIsNotLateNews(t *testing.T) {
	d := newDesk(t)
	d.wantMap("...... ...... ...... ......")
	h := d.hold("ann", "k", "A-1")
	d.Office.Store = &lateNews{Store: d.store, after: func() {
		d.giveBack(h)
		other := d.office(d.store)
		if err := other.Project(d.ctx(), matinee, []seatmap.SeatID{"A-1", "B-1"}); err != nil {
			t.Error(err)
		}
		d.hold("bob", "k", "B-1")
		if err := other.Project(d.ctx(), matinee, []seatmap.SeatID{"B-1"}); err != nil {
			t.Error(err)
		}
	}}
	d.project("A-1")
	d.wantMap("...... h..... ...... ......")
}

// lateNews does something once, just after the truth was read.
type lateNews struct {
	boxoffice.Store
	after func()
}

func (s *lateNews) HoldsByID(ctx context.Context, ids []booking.HoldID) (map[booking.HoldID]booking.Hold, error) {
	holds, err := s.Store.HoldsByID(ctx, ids)
	once(&s.after)
	return holds, err
}
