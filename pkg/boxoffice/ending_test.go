package boxoffice_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// TestOverdueHoldIsMet: whoever meets an overdue hold ends it, with every stream,
// timer and TTL switched off; a millisecond before nobody does.
func TestOverdueHoldIsMet(t *testing.T) {
	meetings := map[string]func(*desk, booking.Hold) error{
		"a walk-up": func(d *desk, _ booking.Hold) error {
			_, err := d.Reserve(d.ctx(), wish("eve", "k", "A-2", "A-3"))
			if errors.Is(err, booking.ErrUnavailable) {
				err = nil
			}
			return err
		},
		"best seats": func(d *desk, _ booking.Hold) error {
			_, err := d.Reserve(d.ctx(), boxoffice.Wish{Buyer: "eve", Key: "k", Show: matinee, Best: &seatmap.Want{Count: 10, Type: seatmap.Regular}})
			if errors.Is(err, booking.ErrUnavailable) {
				err = nil
			}
			return err
		},
		"its buyer's look": func(d *desk, h booking.Hold) error { _, err := d.Look(d.ctx(), "ann", h.ID); return err },
		"its buyer's wish for more": func(d *desk, _ booking.Hold) error {
			_, err := d.Reserve(d.ctx(), wish("ann", "k2", "B-1", "B-2", "B-3", "B-4", "B-5"))
			if errors.Is(err, booking.ErrSeatLimit) {
				err = nil
			}
			return err
		},
		"the seat map": func(d *desk, h booking.Hold) error {
			if h.Overdue(policy, d.clock.Now()) {
				d.clock.advance(time.Second) // a reader leaves that second to the message
			}
			_, err := d.SeatMap(d.ctx(), matinee)
			return err
		},
		"a sweep": func(d *desk, _ booking.Hold) error { _, err := d.Sweep(d.ctx(), matinee, 24); return err },
		"its order": func(d *desk, h booking.Hold) error {
			_, err := d.OrderFor(d.ctx(), "ann", order.ID(h.OrderID))
			return err
		},
		"an attempt to pay": func(d *desk, h booking.Hold) error {
			return expired(d.Pay(d.ctx(), payWish(h, d.clock.Now().String())))
		},
		"its timer's message": func(d *desk, h booking.Hold) error { return early(d.End(d.ctx(), h.ID, booking.ByExpiry)) },
	}
	for name, meet := range meetings {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			h := d.hold("ann", "k", "A-1", "A-2", "B-6", "C-1", "C-2", "C-3")
			p := d.pay(h, "p1")
			d.settle(d.bank.decline(p.ID))
			h = d.holdNow(h.ID)
			if _, err := d.SeatMap(d.ctx(), matinee); err != nil { // so that there is one to be overdue
				t.Fatal(err)
			}
			d.clock.set(h.ExpiresAt.Add(policy.Grace - time.Millisecond))
			if err := meet(d, h); err != nil && name != "an attempt to pay" {
				t.Fatalf("before: %v", explain(err))
			}
			d.wantHold(h.ID, booking.Held)
			d.clock.advance(time.Millisecond)
			if name == "an attempt to pay" {
				h = d.holdNow(h.ID)
			}
			if err := meet(d, h); err != nil {
				t.Fatalf("after: %v", explain(err))
			}
			d.wantHold(h.ID, booking.Expired)
			d.wantOrder(h.OrderID, order.Cancelled)
			for _, id := range []seatmap.SeatID{"A-1", "B-6"} {
				if o, _ := d.owner(id); o.Hold == h.ID {
					t.Errorf("seat %s is still the ended hold's", id)
				}
			}
			for shard := range boxoffice.Shards {
				ts, err := d.store.Timers(d.ctx(), matinee, shard, h.ExpiresAt, 0)
				if err != nil || len(ts) != 0 {
					t.Errorf("timers left: %v, %v", ts, err)
				}
			}
		})
	}
}

func expired(_ payment.Payment, err error) error {
	if errors.Is(err, booking.ErrHoldExpired) {
		return nil
	}
	return fmt.Errorf("error %w, want hold_expired", err)
}

func early(_ booking.Hold, err error) error {
	if errors.Is(err, booking.ErrNotOverdue) {
		return nil
	}
	return err
}

// TestAllowanceReturns on every path, once.
func TestAllowanceReturns(t *testing.T) {
	for name, end := range map[string]func(*desk, booking.Hold){
		"owner": func(d *desk, h booking.Hold) { d.giveBack(h); d.giveBack(h) },
		"expiry": func(d *desk, h booking.Hold) {
			d.overdue(h)
			d.mustEnd(h, booking.ByExpiry)
			d.mustEnd(h, booking.ByExpiry)
		},
		"late owner": func(d *desk, h booking.Hold) { d.overdue(h); d.giveBack(h) },
		"his next wish": func(d *desk, h booking.Hold) {
			d.hold("ann", "k1", "B-1", "B-2", "B-3", "B-4", "B-5", "B-6", "C-1")
			d.overdue(h)
			d.giveBack(d.hold("ann", "k3", "C-1", "C-2", "C-3", "C-4", "C-5", "C-6", "A-4", "A-5"))
		},
		"to the line": func(d *desk, h booking.Hold) { d.want(seatmap.Regular); d.giveBack(h) },
		"refund": func(d *desk, h booking.Hold) {
			d.sellHold(h)
			d.mustEnd(h, booking.ByRefund)
			d.mustEnd(h, booking.ByRefund)
		},
		"sweep": func(d *desk, h booking.Hold) {
			d.overdue(h)
			for range 2 {
				if swept, err := d.Sweep(d.ctx(), matinee, 24); err != nil || !swept.Next.IsZero() {
					d.t.Errorf("swept %+v, %v", swept, err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			h := d.hold("ann", "k", "A-1", "A-2", "A-3")
			d.wantAllowance("ann", 3)
			end(d, h)
			d.wantAllowance("ann", 0)
			d.hold("ann", "k2", "B-1", "B-2", "B-3", "B-4", "B-5", "B-6", "C-1", "C-2", "C-3", "C-4")
			d.wantAllowance("ann", 10)
		})
	}
}

func (d *desk) mustEnd(h booking.Hold, cause booking.Cause) booking.Hold {
	d.t.Helper()
	ended, err := d.End(d.ctx(), h.ID, cause)
	if err != nil {
		d.t.Fatalf("end %s: %v", h.ID, err)
	}
	return ended
}

func TestOwnersRelease(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	wantErr(t, d.GiveBack(d.ctx(), "bob", h.ID), booking.ErrHoldNotFound)
	wantErr(t, d.GiveBack(d.ctx(), "ann", "h_none"), booking.ErrHoldNotFound)
	_, err := d.Look(d.ctx(), "bob", h.ID)
	wantErr(t, err, booking.ErrHoldNotFound)
	d.wantHold(h.ID, booking.Held)
	p := d.pay(h, "p")
	d.giveBack(h)
	d.wantHold(h.ID, booking.Released)
	d.wantOrder(p.OrderID, order.Cancelled)
	d.wantFree("A-1")
	d.giveBack(h)
	late := d.hold("ann", "k2", "A-1")
	d.overdue(late)
	d.giveBack(late)
	d.wantHold(late.ID, booking.Expired)
	sold := d.sell("bob", "A-2")
	wantErr(t, d.GiveBack(d.ctx(), "bob", sold.ID), booking.ErrAlreadyPaid)
	d.wantHold(sold.ID, booking.Sold)
}

// TestSweep ends what is overdue and tells when to look again.
func TestSweep(t *testing.T) {
	d := newDesk(t)
	var holds []booking.Hold
	for i := range 12 {
		holds = append(holds, d.hold(booking.Buyer(fmt.Sprint("b", i)), "k", seatmap.SeatID(fmt.Sprintf("%c-%d", 'A'+i/6, i%6+1))))
		d.clock.advance(time.Second)
	}
	d.overdue(holds[6])
	swept, err := d.Sweep(d.ctx(), matinee, 24)
	if err != nil || !swept.Next.Equal(holds[7].ExpiresAt) || swept.More || len(swept.Ended) != 7 {
		t.Errorf("swept %+v, %v; want the next deadline %v", swept, err, holds[7].ExpiresAt)
	}
	for i, h := range holds {
		want := booking.Held
		if i <= 6 {
			want = booking.Expired
		}
		d.wantHold(h.ID, want)
	}
}

func TestHouseBlocks(t *testing.T) {
	d := newDesk(t)
	w := boxoffice.Wish{Key: "k", BodyHash: "x", Show: matinee, Seats: []seatmap.SeatID{"A-1", "A-2", "C-1"}}
	h, err := d.Block(d.ctx(), w)
	if err != nil || h.State != booking.Blocked {
		t.Fatal(h, err)
	}
	if again, err := d.Block(d.ctx(), w); err != nil || again.ID != h.ID {
		t.Errorf("the same again: %v, %v", again.ID, err)
	}
	other := w
	other.Key = "k2"
	if _, err := d.Block(d.ctx(), other); !errors.Is(err, booking.ErrUnavailable) {
		t.Errorf("blocked twice: %v", err)
	}
	if no := d.refusal(wish("ann", "k", "A-1")); no.Conflicts[0].Reason != booking.StandingBlocked {
		t.Errorf("conflicts %+v", no.Conflicts)
	}
	d.clock.advance(100 * time.Hour) // it has no deadline
	if _, err := d.Sweep(d.ctx(), matinee, 24); err != nil {
		t.Fatal(err)
	}
	d.wantHold(h.ID, booking.Blocked)
	d.want(seatmap.Premium)
	for range 2 {
		d.mustEnd(h, booking.ByHouse)
	}
	d.wantHold(h.ID, booking.Released)
	d.wantFree("A-1", "A-2")
	if o, ok := d.owner("C-1"); !ok || !o.Line() {
		t.Errorf("C-1 is of %+v, want the line", o)
	}
}

// TestGates: under a wanted gate a seat goes to the line; a gate that was read too
// early refuses, is read again, and the seat goes to the line all the same.
func TestGates(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1", "C-1")
	d.want(seatmap.Regular)
	d.giveBack(h)
	d.wantFree("C-1")
	if o, ok := d.owner("A-1"); !ok || !o.Line() {
		t.Errorf("A-1 is of %+v, want the line", o)
	}
	if h := d.holdNow(h.ID); h.Aside != 1 {
		t.Errorf("the lane is to hear of %d seats", h.Aside)
	}
	d.want()

	raced := newDesk(t)
	h = raced.hold("ann", "k", "A-1", "C-1")
	raced.Office.Store = lateGate{raced.store, func() { raced.want(seatmap.Regular) }, new(bool)}
	raced.giveBack(h)
	raced.wantFree("C-1")
	if o, ok := raced.owner("A-1"); !ok || !o.Line() {
		t.Errorf("A-1 is of %+v although the line opened before", o)
	}
	if raced.waits == 0 {
		t.Error("the stale gate was not met")
	}
}

// lateGate opens the line just after its gate was read for the first time.
type lateGate struct {
	boxoffice.Store
	open func()
	done *bool
}

func (s lateGate) Release(ctx context.Context, e booking.Ending, o *boxoffice.OrderChange) error {
	if !*s.done {
		*s.done = true
		s.open()
	}
	return s.Store.Release(ctx, e, o)
}

// TestLaneDrains: seats that were set aside for nobody come back to the public,
// and any number of runs does it once.
func TestLaneDrains(t *testing.T) {
	d := newDesk(t)
	d.want(seatmap.Regular, seatmap.Premium)
	for i, ids := range [][]seatmap.SeatID{{"A-1", "A-2", "A-3", "A-4", "A-5", "A-6"}, {"B-1", "B-2", "B-3", "B-4", "B-5", "B-6"}, {"C-1", "C-2", "C-3", "C-4", "C-5", "C-6"}, {"D-1", "D-2"}} {
		d.giveBack(d.hold(booking.Buyer(fmt.Sprint("b", i)), "k", ids...))
	}
	d.wantFree("D-1", "D-2") // nobody waits for loveseats
	if no := d.refusal(wish("eve", "k", "A-1")); no.Conflicts[0].Reason != booking.StandingLine || no.Next != booking.ChooseOther {
		t.Errorf("refusal %+v", no)
	}
	for range 2 {
		if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{}); err != nil {
			t.Fatal(err)
		}
	}
	d.wantFree("A-1", "B-6", "C-3")
	s, err := d.store.LineState(d.ctx(), matinee, line.Reading{})
	if err != nil || len(s.Pool) != 0 || len(s.Wanted) != 0 {
		t.Errorf("line %+v, %v", s, err)
	}
	d.hold("eve", "k", "A-1", "B-6")
}

// TestLaneRunsToTheEnd: one wake-up closes the gates and drains what they kept,
// for no other may come.
func TestLaneRunsToTheEnd(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1", "A-2")
	d.want(seatmap.Regular)
	d.giveBack(h)
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{}); err != nil {
		t.Fatal(err)
	}
	d.wantFree("A-1", "A-2")
	d.giveBack(d.hold("bob", "k", "A-1"))
	d.wantFree("A-1") // and no gate keeps it
	d.sound()
}
