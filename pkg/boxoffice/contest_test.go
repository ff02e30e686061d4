package boxoffice_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// counted is another instance over the desk's tables, whose requests are counted.
func (d *desk) counted() (*boxoffice.Office, *meter.Meter) {
	m := meter.New(d.db)
	return d.office(store.New(m, policy)), m
}

func wantRequests(t *testing.T, what string, m *meter.Meter, want map[meter.Op]int64) {
	t.Helper()
	got := m.Snapshot().Requests
	for op := meter.Transact; op <= meter.Query; op++ {
		if got[op] != want[op] {
			t.Errorf("%s: %v, want %v", what, got, want)
			break
		}
	}
	m.Reset()
}

// TestCalmHoldIsOneTransaction: who meets nobody pays for no look, also on an
// instance that remembers others' seats.
func TestCalmHoldIsOneTransaction(t *testing.T) {
	d := newDesk(t)
	o, m := d.counted()
	for i := range 6 {
		if _, err := o.Reserve(d.ctx(), wish(booking.Buyer(fmt.Sprint("b", i)), "k", seatmap.SeatID(fmt.Sprint("A-", i+1)))); err != nil {
			t.Fatal(err)
		}
		if units := m.Snapshot().Of(meter.Transact); units != meter.Units(2*(1+3)) {
			t.Errorf("%v write units", units)
		}
		wantRequests(t, "a calm hold", m, map[meter.Op]int64{meter.Transact: 1})
	}
}

// TestRefusalIsOneRead: an instance that has met the seats refuses by one request,
// which brings the claims, their holds and the receipt.
func TestRefusalIsOneRead(t *testing.T) {
	d := newDesk(t)
	d.hold("ann", "k", "A-1", "A-2")
	o, m := d.counted()
	ask := func(buyer booking.Buyer, key string) *booking.Refusal {
		t.Helper()
		_, err := o.Reserve(d.ctx(), wish(buyer, key, "A-1", "A-2", "A-3"))
		return refusalOf(t, err)
	}
	ask("bob", "1")
	wantRequests(t, "the first refusal of a calm sale", m, map[meter.Op]int64{meter.Transact: 1, meter.BatchGet: 1, meter.Query: 1})
	for i := range 5 {
		if no := ask("cat", fmt.Sprint(i)); len(no.Conflicts) != 2 || no.Next != booking.ChooseOther || no.Conflicts[0].Until.IsZero() {
			t.Errorf("refused with %+v", no)
		}
		wantRequests(t, "a refusal", m, map[meter.Op]int64{meter.BatchGet: 1})
		d.clock.advance(10 * time.Millisecond)
	}
}

func refusalOf(t *testing.T, err error) *booking.Refusal {
	t.Helper()
	no, ok := err.(*booking.Refusal)
	if !ok {
		t.Fatalf("error %v, want a refusal", err)
	}
	return no
}

// TestOpeningLooksFirst: in the first minute of a sale nobody sends a transaction
// for what is gone.
func TestOpeningLooksFirst(t *testing.T) {
	d := newDesk(t)
	show := d.hall.shows[matinee]
	show.SaleOpensAt = opening
	d.hall.shows[matinee] = show
	d.hold("ann", "k", "A-1")
	o, m := d.counted()
	_, err := o.Reserve(d.ctx(), wish("bob", "k", "A-1"))
	refusalOf(t, err)
	wantRequests(t, "at the opening", m, map[meter.Op]int64{meter.Query: 1, meter.BatchGet: 1})
}

// TestMemoryRefusesNobody: what an instance remembers is over; it looks, and sells.
func TestMemoryRefusesNobody(t *testing.T) {
	for name, was := range map[string]struct{ seen, end func(*desk, booking.Hold) }{
		"given back": {end: func(d *desk, h booking.Hold) { d.giveBack(h) }},
		"overdue":    {end: func(d *desk, h booking.Hold) { d.overdue(h) }},
		"refunded":   {end: func(d *desk, h booking.Hold) { d.sellHold(h); d.mustEnd(h, booking.ByRefund) }},
		"seen sold, and refunded": {
			func(d *desk, h booking.Hold) { d.sellHold(h) }, func(d *desk, h booking.Hold) { d.mustEnd(h, booking.ByRefund) },
		},
	} {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1", "A-2")
		if was.seen != nil {
			was.seen(d, h)
		}
		o, _ := d.counted()
		_, err := o.Reserve(d.ctx(), wish("bob", "1", "A-1"))
		refusalOf(t, err)
		was.end(d, h)
		if got, err := o.Reserve(d.ctx(), wish("bob", "2", "A-1", "A-2")); err != nil || got.State != booking.Held {
			t.Errorf("%s: %v", name, explain(err))
		}
	}
}

// TestFullIsReadAnew: an instance that saw the show full a moment ago looks again
// before it says so.
func TestFullIsReadAnew(t *testing.T) {
	d := newDesk(t)
	o, _ := d.counted()
	var last booking.Hold
	for _, row := range "ABC" {
		var ids []seatmap.SeatID
		for i := range 6 {
			ids = append(ids, seatmap.SeatID(fmt.Sprintf("%c-%d", row, i+1)))
		}
		d.sell(booking.Buyer(row), ids...)
	}
	last = d.sell("D", "D-1", "D-2", "D-3", "D-4")
	ask := func(key string) booking.Next {
		t.Helper()
		_, err := o.Reserve(d.ctx(), wish("eve", key, "A-1"))
		return refusalOf(t, err).Next
	}
	if n := ask("1"); n != booking.ShowFull {
		t.Errorf("all sold: %v", n)
	}
	d.mustEnd(last, booking.ByRefund)
	if n := ask("2"); n != booking.ChooseOther {
		t.Errorf("four seats came free: %v", n)
	}
}

// gatedReads lets the test hold up reads of a block.
type gatedReads struct {
	boxoffice.Store
	began atomic.Int32
	gate  chan struct{}
}

func (g *gatedReads) BlockClaims(ctx context.Context, show catalog.ShowID, block string) (map[seatmap.SeatID]boxoffice.Owner, error) {
	g.began.Add(1)
	select {
	case <-g.gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return g.Store.BlockClaims(ctx, show, block)
}

// TestNextReadIsShared: requests that come while a block is read wait for the read
// after it, all for the same, and see what was committed before they came.
func TestNextReadIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rush(t)
		d.hold("ann", "k", "A-1")
		g := &gatedReads{Store: d.store, gate: make(chan struct{})}
		o := d.office(d.store)
		o.Store, o.Clock, o.Pause = g, d.Clock, d.Pause
		var wg sync.WaitGroup
		ask := func(i int, seat seatmap.SeatID) {
			wg.Go(func() {
				_, err := o.Reserve(d.ctx(), wish(booking.Buyer(fmt.Sprint("b", i)), "k", seat))
				if no := refusalOf(t, err); len(no.Conflicts) != 1 {
					t.Errorf("request %d: %+v", i, no)
				}
			})
		}
		ask(0, "A-1")
		synctest.Wait()
		d.hold("bob", "k", "A-2") // after the first read began, before the others came
		for i := range 20 {
			ask(1+i, "A-2")
		}
		synctest.Wait()
		if n := g.began.Load(); n != 1 {
			t.Errorf("%d reads at once", n)
		}
		g.gate <- struct{}{}
		g.gate <- struct{}{}
		synctest.Wait()
		if n := g.began.Load(); n != 2 {
			t.Errorf("%d reads for 21 requests, want 2", n)
		}
		close(g.gate)
		wg.Wait()
	})
}

// slowReads holds up answers that have been read already.
type slowReads struct {
	boxoffice.Store
	gate chan struct{}
}

func (g *slowReads) BlockClaims(ctx context.Context, show catalog.ShowID, block string) (map[seatmap.SeatID]boxoffice.Owner, error) {
	claims, err := g.Store.BlockClaims(ctx, show, block)
	<-g.gate
	return claims, err
}

// TestReadInFlightRefusesNobody: what a read shows that began before a request came
// is no reason to refuse it: the seat, sold when the read began, has come free since.
func TestReadInFlightRefusesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rush(t)
		sold := d.sell("ann", "A-1")
		g := &slowReads{Store: d.store, gate: make(chan struct{}, 1)}
		o := d.office(d.store)
		o.Store, o.Clock, o.Pause = g, d.Clock, d.Pause
		g.gate <- struct{}{}
		_, err := o.Reserve(d.ctx(), wish("bob", "k", "A-1"))
		if no := refusalOf(t, err); no.Conflicts[0].Reason != booking.StandingSold {
			t.Fatalf("refused with %+v", no)
		}
		if err := d.Pause(d.ctx(), 2*time.Second); err != nil { // the look at the hall is forgotten, the sale is not
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := o.Reserve(d.ctx(), wish("cat", "k", "A-1"))
			refusalOf(t, err)
		})
		synctest.Wait()
		d.mustEnd(sold, booking.ByRefund)
		wg.Go(func() {
			if _, err := o.Reserve(d.ctx(), wish("dan", "k", "A-1")); err != nil {
				t.Errorf("refused a seat that was free before he came: %v", explain(err))
			}
		})
		synctest.Wait()
		close(g.gate)
		wg.Wait()
	})
}

// TestConflictsNameAWholeHold: while a hold's claims land one after another, who is
// refused is told of all of its seats that he wanted.
func TestConflictsNameAWholeHold(t *testing.T) {
	d := newDesk(t)
	var met *booking.Refusal
	landing := true
	db := memstore.New(memstore.Options{
		Clock: d.clock.Now,
		Shuffle: func(n int, swap func(i, j int)) { // the hold first, its claims last
			for i := range n / 2 {
				swap(i, n-1-i)
			}
		},
		Window: func(_ memstore.Op, landed int) {
			if landing && landed == 4 { // of timer, allowance, hold and two claims
				landing = false
				_, err := d.Reserve(d.ctx(), wish("eve", "k", "A-1", "A-2", "A-3"))
				met = refusalOf(t, err)
			}
		},
	})
	d.db, d.store = db, store.New(db, policy)
	d.Office = d.office(d.store)
	d.hold("ann", "k", "A-1", "A-2")
	if met == nil || len(met.Conflicts) != 2 {
		t.Errorf("refused with %+v", met)
	}
}

// TestThrottledLoserLearnsTheTruth: where the table is over its rate, who wants what
// is gone is told so, and does not come again.
func TestThrottledLoserLearnsTheTruth(t *testing.T) {
	d := newDesk(t)
	d.hold("ann", "k", "A-1")
	o, _ := d.counted()
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			return memstore.Throttle
		}
		return memstore.NoFault
	}
	_, err := o.Reserve(d.ctx(), wish("bob", "k", "A-1", "A-2"))
	if no := refusalOf(t, err); len(no.Conflicts) != 1 {
		t.Errorf("refused with %+v", no)
	}
	_, err = o.Reserve(d.ctx(), wish("bob", "l", "A-3"))
	wantKind(t, err, fault.Busy)
}
