package boxoffice_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// story is a use case with its end; do may be repeated, as a client or a queue does.
type story struct {
	name  string
	given func(*desk)
	do    func(*desk) error
	then  func(*desk)
}

func stories() []story {
	ann := booking.IDFor("ann", "k")
	return []story{
		{"hold", func(*desk) {}, func(d *desk) error {
			_, err := d.Reserve(d.ctx(), wish("ann", "k", "A-1", "A-2"))
			return err
		}, func(d *desk) { d.wantHold(ann, booking.Held); d.wantAllowance("ann", 2) }},
		{"best seats", func(d *desk) { d.hold("eve", "k", "A-3", "A-4") }, func(d *desk) error {
			_, err := d.Reserve(d.ctx(), boxoffice.Wish{Buyer: "ann", Key: "k", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Regular}})
			return err
		}, func(d *desk) { d.wantHold(ann, booking.Held); d.wantAllowance("ann", 2) }},
		{"hold over an overdue one", func(d *desk) { d.overdue(d.hold("eve", "k", "A-2", "A-3")) }, func(d *desk) error {
			_, err := d.Reserve(d.ctx(), wish("ann", "k", "A-1", "A-2"))
			return err
		}, func(d *desk) { d.wantHold(ann, booking.Held); d.wantHold(booking.IDFor("eve", "k"), booking.Expired) }},
		{"give back", func(d *desk) { d.hold("ann", "k", "A-1", "A-2") }, func(d *desk) error {
			return d.GiveBack(d.ctx(), "ann", ann)
		}, func(d *desk) { d.wantHold(ann, booking.Released); d.wantAllowance("ann", 0); d.wantFree("A-1") }},
		{"pay", func(d *desk) { d.hold("ann", "k", "A-1", "A-2") }, func(d *desk) error {
			p, err := d.Pay(d.ctx(), payWish(booking.Hold{ID: ann, Buyer: "ann"}, "p"))
			if err == nil && p.Action.Value == "" {
				err = errors.New("no action")
			}
			return err
		}, func(d *desk) { d.wantPayment(payment.IDFor("ann", "p"), payment.Pending) }},
		{"money in time", func(d *desk) { d.pay(d.hold("ann", "k", "A-1", "A-2"), "p") }, func(d *desk) error {
			return d.Settle(d.ctx(), d.bank.capture(payment.IDFor("ann", "p")))
		}, func(d *desk) {
			d.wantHold(ann, booking.Sold)
			d.wantPayment(payment.IDFor("ann", "p"), payment.Captured)
		}},
		{"late money", func(d *desk) {
			h := d.hold("ann", "k", "A-1", "A-2")
			d.pay(h, "p")
			d.overdue(h)
		}, func(d *desk) error {
			return d.Settle(d.ctx(), d.bank.capture(payment.IDFor("ann", "p")))
		}, func(d *desk) {
			d.wantHold(ann, booking.Expired)
			d.wantPayment(payment.IDFor("ann", "p"), payment.Captured)
			d.wantAllowance("ann", 2)
		}},
		{"too late money", func(d *desk) {
			h := d.hold("ann", "k", "A-1", "A-2")
			d.pay(h, "p")
			d.overdue(h)
			d.sell("eve", "A-1")
		}, func(d *desk) error {
			id := payment.IDFor("ann", "p")
			if err := d.Settle(d.ctx(), d.bank.capture(id)); err != nil {
				return err
			}
			for range 2 {
				p, err := d.Office.Store.PaymentByID(d.ctx(), id)
				if err != nil || p.NextAskAt.IsZero() {
					return err
				}
				d.clock.set(p.NextAskAt)
				if err := d.Ask(d.ctx(), id, p.NextAskAt); err != nil {
					return err
				}
			}
			return nil
		}, func(d *desk) {
			d.wantPayment(payment.IDFor("ann", "p"), payment.Refunded)
			d.wantOrder(d.holdNow(ann).OrderID, order.Refunded)
			d.wantAllowance("ann", 0)
		}},
		{"block", func(*desk) {}, func(d *desk) error {
			_, err := d.Block(d.ctx(), boxoffice.Wish{Key: "k", BodyHash: "b", Show: matinee, Seats: []seatmap.SeatID{"A-1", "A-2"}})
			return err
		}, func(d *desk) { d.wantHold(booking.IDFor(booking.House, "k"), booking.Blocked) }},
		{"lane", func(d *desk) { d.setAside("ann", "A-1", "A-2") }, func(d *desk) error {
			return d.RunLane(d.ctx(), matinee, boxoffice.Wake{})
		}, func(d *desk) { d.wantFree("A-1", "A-2") }},
		{"seat map", func(d *desk) { d.hold("ann", "k", "A-1", "A-2") }, func(d *desk) error {
			m, err := d.SeatMap(d.ctx(), matinee)
			if err == nil && m.Tally().Held != 2 {
				err = fmt.Errorf("tally %+v", m.Tally())
			}
			return err
		}, func(*desk) {}},
	}
}

// TestEveryCallMayFail: at each call to the database something goes wrong once.
// Whoever asked asks again, and everything ends as if nothing had been.
func TestEveryCallMayFail(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			calls := s.play(t, -1, memstore.NoFault)
			for at := range calls {
				for _, f := range []memstore.Fault{memstore.Conflict, memstore.LoseRequest, memstore.LoseReply, memstore.DelayRequest, memstore.Throttle} {
					s.play(t, at, f)
					if t.Failed() {
						t.Fatalf("fault %d at call %d of %d", f, at, calls)
					}
				}
			}
		})
	}
}

// play tells the story with a fault at one call, and counts the calls.
func (s story) play(t *testing.T, at int, f memstore.Fault) (calls int) {
	d := newDesk(t)
	s.given(d)
	d.sound()
	var hit memstore.OpKind
	d.faults = func(op memstore.Op) memstore.Fault {
		calls++
		if calls-1 == at {
			hit = op.Kind
			return f
		}
		return memstore.NoFault
	}
	err := s.do(d)
	first := calls
	if err != nil && hit == memstore.OpTransact && f != memstore.Throttle {
		t.Errorf("a transaction that went wrong once is no reason to turn anybody away: %v", err)
	}
	var tried int
	for tried = 0; err != nil && tried < 3; tried++ {
		if k := fault.KindOf(err); k == fault.NotFound || k == fault.Invalid || k == fault.Conflict {
			t.Errorf("a fault of the database is told as %v", err)
		}
		err = s.do(d)
	}
	if err != nil {
		t.Errorf("still after %d times: %v", tried, err)
	}
	d.faults = nil
	d.db.Deliver()
	d.sound()
	s.then(d)
	return first
}

// TestPartialConflict: a seat that another transaction has in hand is looked at
// again, so that the list of what is taken lacks none.
func TestPartialConflict(t *testing.T) {
	d := newDesk(t)
	d.hold("ann", "k", "A-1")
	d.hold("bob", "k", "A-2")
	seat, _ := d.layout.Seat("A-2")
	key := store.Key{Table: store.Claims, PK: fmt.Sprintf("SHOW#%s#%s", matinee, d.layout.Block(seat.Block).Name), SK: "A-2"}
	release, ok := d.db.Hold(key)
	if !ok {
		t.Fatal("not held")
	}
	defer release()
	stranger, _ := d.counted() // who has met neither hold tries before it looks
	_, err := stranger.Reserve(d.ctx(), wish("eve", "k", "A-1", "A-2", "A-3"))
	if no := refusalOf(t, err); len(no.Conflicts) != 2 {
		t.Errorf("conflicts %+v, want both seats", no.Conflicts)
	}
}

// TestAlwaysContended: a transaction that never gets through is busy, after a
// limited number of attempts, and nothing is taken.
func TestAlwaysContended(t *testing.T) {
	for _, f := range []memstore.Fault{memstore.Conflict, memstore.Throttle} {
		d := newDesk(t)
		tries := 0
		d.faults = func(op memstore.Op) memstore.Fault {
			if op.Kind != memstore.OpTransact {
				return memstore.NoFault
			}
			tries++
			return f
		}
		_, err := d.Reserve(d.ctx(), wish("ann", "k", "A-1"))
		wantKind(t, err, fault.Busy)
		if f == memstore.Conflict && tries != 8 || f == memstore.Throttle && tries != 1 {
			t.Errorf("%d attempts with fault %d", tries, f)
		}
		d.faults = nil
		d.wantFree("A-1")
		d.hold("ann", "k", "A-1")
	}
}

// TestClockOfEachAttempt: a transaction that waited carries a new now, so a payment
// that was in time when it came and waited past the grace is refused.
func TestClockOfEachAttempt(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	p := d.pay(h, "p")
	report := d.bank.capture(p.ID)
	d.clock.set(h.ExpiresAt.Add(policy.Grace - time.Second))
	n := 0
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			if n++; n == 1 {
				return memstore.Conflict
			}
		}
		return memstore.NoFault
	}
	d.Pause = func(context.Context, time.Duration) error { d.clock.advance(time.Second); return nil }
	d.settle(report)
	d.wantHold(h.ID, booking.Expired)
	d.faults = nil
	d.sound()
}

// TestCanceledWhileUnknown: nobody is told that nothing was taken when it may be.
func TestCanceledWhileUnknown(t *testing.T) {
	d := newDesk(t)
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			return memstore.LoseReply
		}
		return memstore.NoFault
	}
	d.Pause = func(context.Context, time.Duration) error { return context.Canceled }
	_, err := d.Reserve(d.ctx(), wish("ann", "k", "A-1"))
	wantKind(t, err, fault.Unknown)
	d.faults = nil
	if h := d.hold("ann", "k", "A-1"); h.State != booking.Held {
		t.Errorf("hold %+v", h)
	}
	d.wantAllowance("ann", 1)
}
