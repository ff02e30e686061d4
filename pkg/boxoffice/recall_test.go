package boxoffice_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// houseTakes blocks every seat but some, so that nothing of it comes free by itself.
func (d *desk) houseTakes(but ...seatmap.SeatID) (blocks []booking.Hold) {
	d.t.Helper()
	var ids []seatmap.SeatID
	for i := range d.layout.Len() {
		if id := d.layout.At(i).ID; !slices.Contains(but, id) {
			ids = append(ids, id)
		}
	}
	for part := range slices.Chunk(ids, 40) {
		h, err := d.Block(d.ctx(), boxoffice.Wish{Key: string(part[0]), Show: matinee, Seats: part})
		if err != nil {
			d.t.Fatal(explain(err))
		}
		blocks = append(blocks, h)
	}
	return blocks
}

// nextAt refuses a seat at an instance of its own, and gives what comes next.
func (d *desk) nextAt(o *boxoffice.Office, key string, seat seatmap.SeatID) booking.Next {
	d.t.Helper()
	_, err := o.Reserve(d.ctx(), wish("eve", key, seat))
	no, ok := err.(*booking.Refusal)
	if !ok {
		d.t.Fatalf("%s: %s, want a refusal", seat, explain(err))
	}
	return no.Next
}

// TestStandingIsReadAnew: what an instance remembers of a hold is no answer; only
// that it was sold can be, while its claim stands.
func TestStandingIsReadAnew(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	o, _ := d.counted()
	for i, want := range []booking.Standing{booking.StandingHeld, booking.StandingHeld, booking.StandingSold} {
		if i == 2 {
			d.sellHold(h)
		}
		_, err := o.Reserve(d.ctx(), wish("bob", fmt.Sprint(i), "A-1"))
		if c := refusalOf(t, err).Conflicts[0]; c.Reason != want || c.Until.IsZero() != (want == booking.StandingSold) {
			t.Errorf("refusal %d: %+v, want %v", i, c, want)
		}
	}
}

// TestNoneFreeIsOfOneMoment: that each of two seats was seen taken does not mean that
// both were at once.
func TestNoneFreeIsOfOneMoment(t *testing.T) {
	d := newDesk(t)
	d.houseTakes("A-1", "A-2")
	o, _ := d.counted()
	d.nextAt(o, "1", "A-3") // looks at all: two are free
	h := d.hold("cat", "1", "A-1")
	d.nextAt(o, "2", "A-1")
	d.giveBack(h)
	d.hold("cat", "2", "A-2")
	if n := d.nextAt(o, "3", "A-2"); n != booking.ChooseOther {
		t.Errorf("with A-1 free: %v", n)
	}
}

// TestFewFreeAreToldBriefly: where one seat is free the next moment none is.
func TestFewFreeAreToldBriefly(t *testing.T) {
	d := newDesk(t)
	d.houseTakes("A-1")
	o, _ := d.counted()
	if n := d.nextAt(o, "1", "A-3"); n != booking.ChooseOther {
		t.Errorf("with A-1 free: %v", n)
	}
	d.hold("cat", "k", "A-1")
	d.clock.advance(100 * time.Millisecond)
	if n := d.nextAt(o, "2", "A-3"); n != booking.Wait {
		t.Errorf("with A-1 held: %v", n)
	}
}

// TestSnapshotTellsOnlyPlenty: neither that nothing is left nor that a few are may
// be said by a map that is behind.
func TestSnapshotTellsOnlyPlenty(t *testing.T) {
	large := house(45, 12)
	if len(large.Blocks()) < 3 {
		t.Fatalf("%d blocks, small enough to be looked at as a whole", len(large.Blocks()))
	}
	d := openDesk(t, large)
	blocks := d.houseTakes()
	d.seatMap()
	d.mustEnd(blocks[0], booking.ByHouse)
	o, _ := d.counted()
	if n := d.nextAt(o, "k", blocks[1].Seats[0].ID); n != booking.ChooseOther {
		t.Errorf("by a map from before 40 seats came free: %v", n)
	}
	d = openDesk(t, large)
	few := []seatmap.SeatID{"1-1", "1-2", "1-3", "1-4"}
	d.houseTakes(few...)
	d.seatMap()
	d.sell("ann", few...)
	o, _ = d.counted()
	if n := d.nextAt(o, "k", "2-1"); n != booking.ShowFull {
		t.Errorf("by a map from before the last four were sold: %v", n)
	}
}

// TestUnseenOverdueHoldIsMet: an instance that has never seen a hold asks whether it
// is overdue before it says that there are no seats.
func TestUnseenOverdueHoldIsMet(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	d.houseTakes("A-1")
	d.overdue(h)
	o, _ := d.counted()
	got, err := o.Reserve(d.ctx(), boxoffice.Wish{Buyer: "eve", Key: "k", Show: matinee, Best: &seatmap.Want{Count: 1}})
	if err != nil || got.Seats[0].ID != "A-1" {
		t.Errorf("any seat: %s", explain(err))
	}
}

// TestSharedReadOutlivesWhoCameFirst: a read that several wait for does not end with
// the request that happened to begin it.
func TestSharedReadOutlivesWhoCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rush(t)
		d.hold("ann", "k", "A-1")
		g := &gatedReads{Store: d.store, gate: make(chan struct{})}
		o := d.office(d.store)
		o.Store, o.Clock, o.Pause = g, d.Clock, d.Pause
		first, leave := context.WithCancel(d.ctx())
		var wg sync.WaitGroup
		for _, c := range []struct {
			buyer booking.Buyer
			ctx   context.Context
		}{{"bob", first}, {"cat", d.ctx()}} {
			wg.Go(func() {
				_, err := o.Reserve(c.ctx, wish(c.buyer, "k", "A-1"))
				refusalOf(t, err)
			})
			synctest.Wait()
		}
		g.gate <- struct{}{} // bob's own read; then the one that cat waits for begins
		synctest.Wait()
		leave()
		synctest.Wait()
		close(g.gate)
		wg.Wait()
	})
}

// TestReceiptIsInEveryLook: whoever asks again gets the answer that he got before,
// also when others have his seats since and an instance that never met him looks.
func TestReceiptIsInEveryLook(t *testing.T) {
	for name, at := range map[string]seatmap.SeatID{"at the hall": "", "at the seats": "A-3"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			h := d.hold("ann", "k", "A-1")
			d.giveBack(h)
			d.hold("bob", "k", "A-1")
			d.hold("cat", "k", "A-3")
			o, _ := d.counted()
			if at != "" {
				d.nextAt(o, "k", at) // looks at the hall, so that the next look is at the seats
			}
			show := d.hall.shows[matinee]
			show.SaleOpensAt = opening // where everybody looks first
			d.hall.shows[matinee] = show
			if again, err := o.Reserve(d.ctx(), wish("ann", "k", "A-1")); err != nil || again.ID != h.ID || again.State != booking.Released {
				t.Errorf("%+v, %s", again, explain(err))
			}
		})
	}
}

// TestNextOfTheLine: what is set aside for the line may come free: it is not sold.
func TestNextOfTheLine(t *testing.T) {
	d := newDesk(t)
	d.setAside("ann", "A-1")
	d.houseTakes("A-1")
	o, _ := d.counted()
	if n := d.nextAt(o, "k", "A-3"); n != booking.Wait {
		t.Errorf("with A-1 set aside: %v", n)
	}
}

// TestReplayIsOneTransaction: what refuses a request that was carried out before is
// its answer, and nobody reads it again.
func TestReplayIsOneTransaction(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	d.giveBack(h)
	o, m := d.counted()
	if again, err := o.Reserve(d.ctx(), wish("ann", "k", "A-1")); err != nil || again.ID != h.ID {
		t.Errorf("%+v, %s", again, explain(err))
	}
	wantRequests(t, "the same request again", m, map[meter.Op]int64{meter.Transact: 1})
}

// TestLoserRunsElsewhere: whose map is behind loses once, looks, and wins.
func TestLoserRunsElsewhere(t *testing.T) {
	d := newDesk(t)
	d.hold("ann", "k", "C-1") // a show that nobody has touched has no map
	d.seatMap()
	d.houseTakes("A-1", "A-2", "C-1")
	o, m := d.counted()
	_, err := o.Reserve(d.ctx(), boxoffice.Wish{Buyer: "eve", Key: "k", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Regular}})
	if n := m.Snapshot().Requests[meter.Transact]; err != nil || n > 2 {
		t.Errorf("%s after %d transactions", explain(err), n)
	}
}
