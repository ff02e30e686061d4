package boxoffice_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestReplay plays the failures of other systems that sell seats, as they were
// reported there, on this one. Each is seen red by a defect of infra/proof/mutants.
// What is about the wire is in localstack/e2e and pkg/api, about a provider's
// signature in pkg/payment/sandbox.
func TestReplay(t *testing.T) {
	for _, r := range []struct {
		name    string
		failure string // what went wrong there
		play    func(*testing.T)
	}{
		{"attendize-473", "availability was read, then inserted without a lock: the last ticket was sold twice", lastSeat},
		{"eventyay-1378", "the lock was left out for speed while a cart had more than two minutes left: oversold", timeLeft},
		{"yoyaku-249", "best seats were chosen before they were claimed: 84 % were refused with thousands free", chosenTogether},
		{"bookmyevent", "an optimistic counter for the whole event: 300 buyers for 299 seats, 8 sold", nearlyAll},
		{"alfio-skip-locked", "rows locked by others counted as gone: \"not enough tickets\", and then they rolled back", rolledBack},
		{"pretix-1575", "each press of \"+\" renewed the cart, for ever", renewal},
		{"hi-events-abandoned-carts", "seats of abandoned carts went to who refreshed, never to the waiting list", abandoned},
		{"hi-events-790", "a buyer's own hold was shown to him as \"sold out\"", ownHold},
		{"open-event-server-6653", "seats of carts that went wrong never came back: sold out with empty seats", lostSeats},
		{"ticketmaster-2022", "seats were chosen and held, and gone from the cart under load", underLoad},

		{"hi-events-1311", "two completions of one order counted twice; sale window and order maximum were not looked at when paid", completedTwice},
		{"alfio-1254", "the provider's key was the reservation's: after one declined card every other try failed", declinedCard},
		{"kompassi-1016", "money after the cancellation mailed a valid ticket of a cancelled order", paidAfterCancelling},
		{"pretix-343", "the refund of a double charge voided the order that was paid", doubleCharge},
		{"pretix-4911", "a refund and the provider's callback met: the money went back and the ticket stayed", refundMeetsCallback},
	} {
		t.Run(r.name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log("elsewhere: " + r.failure)
				}
			}()
			r.play(t)
		})
	}
}

// meanwhile lets somebody act once while the next transaction of this desk is on
// its way: after everything was read for it, and before it is judged.
func (d *desk) meanwhile(act func()) {
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			d.faults = nil
			act()
		}
		return memstore.NoFault
	}
}

func lastSeat(t *testing.T) {
	d := newDesk(t)
	var first booking.Hold
	d.meanwhile(func() { first = d.hold("bob", "k", "A-1") })
	if no := d.refusal(wish("ann", "k", "A-1")); len(no.Conflicts) != 1 || no.Conflicts[0].Reason != booking.StandingHeld {
		t.Errorf("refused with %+v", no)
	}
	d.wantHold(first.ID, booking.Held)
	d.sound()
	synctest.Test(t, func(t *testing.T) {
		d := gather(t, layoutOf(studio))
		won := 0
		d.arrive(60, func(i int) error {
			_, err := d.Reserve(d.ctx(), wish(booking.Buyer(fmt.Sprint("b", i)), "k", "A-1"))
			return err
		}, func(i int, err error) {
			if err == nil {
				won++
			} else if !errors.Is(err, booking.ErrUnavailable) && !errors.Is(err, boxoffice.ErrBusy) {
				t.Errorf("buyer %d: %s", i, explain(err))
			}
		})
		if won != 1 {
			t.Errorf("the last seat is held by %d", won)
		}
		d.sound()
	})
}

func timeLeft(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1", "A-2")
	p := d.pay(h, "p")
	d.clock.advance(time.Minute) // four are left
	var bobs booking.Hold
	d.Office.Store = &between{Store: d.store, confirm: func() {
		d.giveBack(h) // from another window
		bobs = d.sell("bob", "A-1")
	}}
	d.settle(d.bank.capture(p.ID))
	d.wantHold(h.ID, booking.Released)
	d.wantHold(bobs.ID, booking.Sold)
	d.appointments(p.ID, 2)
	d.wantOneRefund(p)
	d.sound()
}

func chosenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const buyers = 160
		d := gather(t, house(80, 100))
		if _, err := d.SeatMap(d.ctx(), matinee); err != nil { // which all choose by, and nobody renews
			t.Fatal(err)
		}
		refused, seats := 0, 0
		d.arrive(buyers, func(i int) error {
			h, err := d.Reserve(d.ctx(), boxoffice.Wish{
				Buyer: booking.Buyer(fmt.Sprint("b", i)), Key: "k", Show: matinee, Best: &seatmap.Want{Count: 2 + i%5},
			})
			if err == nil && len(h.Seats) != 2+i%5 {
				err = fmt.Errorf("%d seats", len(h.Seats))
			}
			return err
		}, func(i int, err error) {
			seats += 2 + i%5
			if err != nil {
				refused++
				t.Logf("buyer %d: %s", i, explain(err))
			}
		})
		if seats > d.layout.Len() || refused*100 > buyers {
			t.Errorf("%d of %d refused, with %d seats for %d", refused, buyers, d.layout.Len(), seats)
		}
		d.sound()
	})
	// "These two" is told which are taken, "any two" is given others, and told of
	// no seat that it never named.
	d := newDesk(t)
	d.hold("bob", "k", "C-1", "C-2")
	if no := d.refusal(wish("ann", "these", "C-1", "C-2")); len(no.Conflicts) != 2 || no.Next != booking.ChooseOther {
		t.Errorf("these two: %+v", no)
	}
	any2 := boxoffice.Wish{Buyer: "ann", Key: "any", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Premium}}
	if h, err := d.Reserve(d.ctx(), any2); err != nil || len(h.Seats) != 2 {
		t.Errorf("any two: %+v, %s", h, explain(err))
	}
	for _, id := range []seatmap.SeatID{"C-3", "C-4", "C-5", "C-6"} {
		if _, taken := d.owner(id); !taken {
			d.hold("cat", string(id), id)
		}
	}
	any2.Buyer = "dan"
	if no := d.refusal(any2); len(no.Conflicts) != 0 || no.Next != booking.ChooseOther {
		t.Errorf("any two, with none left: %+v", no)
	}
}

func nearlyAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seats = 299
		d := gather(t, house(23, 13))
		won, taken, busy := 0, 0, 0
		d.arrive(seats+1, func(i int) error {
			_, err := d.Reserve(d.ctx(), wish(booking.Buyer(fmt.Sprint("b", i)), "k", d.layout.At(i%seats).ID))
			return err
		}, func(i int, err error) {
			switch {
			case err == nil:
				won++
			case errors.Is(err, booking.ErrUnavailable):
				taken++
			default:
				busy++
			}
		})
		if won != seats || taken+busy != 1 {
			t.Errorf("%d of %d seats held, %d told taken, %d busy: buyers of different seats wait for each other", won, seats, taken, busy)
		}
		d.sound()
	})
}

func rolledBack(t *testing.T) {
	d := newDesk(t)
	var keys []store.Key
	for _, id := range rowA {
		keys = append(keys, d.claimKey(id))
	}
	for name, w := range map[string]boxoffice.Wish{
		"this seat": wish("ann", "this", "A-1"),
		"any two":   {Buyer: "eve", Key: "any", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Regular}},
	} {
		release, ok := d.db.Hold(keys...)
		if !ok {
			t.Fatal("not held")
		}
		d.Pause = pauseOnce(release)
		if _, err := d.Reserve(d.ctx(), w); err != nil {
			t.Errorf("%s: %s, while another's transaction was in flight that came to nothing", name, explain(err))
		}
		release()
	}
	// The same one step later: the map still shows what has come back since.
	d = newDesk(t)
	first, second := d.hold("bob", "k1", rowA...), d.hold("cat", "k2", "B-1", "B-2", "B-3", "B-4", "B-5", "B-6")
	d.seatMap()
	d.giveBack(first)
	d.giveBack(second)
	if _, err := d.Reserve(d.ctx(), boxoffice.Wish{Buyer: "eve", Key: "any", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Regular}}); err != nil {
		t.Errorf("by a map that is behind: %s", explain(err))
	}
	d.sound()
}

var rowA = []seatmap.SeatID{"A-1", "A-2", "A-3", "A-4", "A-5", "A-6"}

func renewal(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	d.clock.advance(4 * time.Minute)
	presses := map[string]func(){
		"the same again": func() {
			if again := d.hold("ann", "k", "A-1"); !again.ExpiresAt.Equal(h.ExpiresAt) {
				t.Errorf("the same request ends at %v, the first at %v", again.ExpiresAt, h.ExpiresAt)
			}
		},
		"one more seat": func() { d.hold("ann", "more", "A-2") },
		"a look":        func() { _, _ = d.Look(d.ctx(), "ann", h.ID) },
		"to pay":        func() { d.settle(d.bank.decline(d.pay(h, "p1").ID)) },
		"to pay again":  func() { d.pay(h, "p2") },
	}
	for _, name := range []string{"the same again", "one more seat", "a look", "to pay", "to pay again"} {
		presses[name]()
		if now := d.holdNow(h.ID); !now.ExpiresAt.Equal(h.ExpiresAt) {
			t.Errorf("after %s the hold ends at %v, before at %v", name, now.ExpiresAt, h.ExpiresAt)
		}
	}
	d.overdue(h)
	d.hold("bob", "k", "A-1")
	d.sound()
}

func abandoned(t *testing.T) {
	for name, meet := range map[string]func(*desk, booking.Hold){
		"who refreshes": func(*desk, booking.Hold) {},
		"the sweep":     func(d *desk, _ booking.Hold) { _, _ = d.Sweep(d.ctx(), matinee, 24) },
		"its message":   func(d *desk, h booking.Hold) { d.mustEnd(h, booking.ByExpiry) },
		"the map":       func(d *desk, _ booking.Hold) { d.clock.advance(time.Second); d.seatMap() },
	} {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1", "C-1")
		d.want(seatmap.Regular) // somebody waits
		d.overdue(h)
		meet(d, h)
		no := d.refusal(wish("eve", "refresh", "A-1"))
		if len(no.Conflicts) != 1 || no.Conflicts[0].Reason != booking.StandingLine {
			t.Errorf("met by %s: %+v", name, no.Conflicts)
		}
		if o, ok := d.owner("A-1"); !ok || !o.Line() || d.holdNow(h.ID).Aside != 1 {
			t.Errorf("met by %s: A-1 is of %+v and the lane hears of %d", name, o, d.holdNow(h.ID).Aside)
		}
		d.wantFree("C-1") // nobody waits for it
		d.sound()
	}
}

func ownHold(t *testing.T) {
	d := newDesk(t)
	for i := range d.layout.Len() {
		if at := d.layout.At(i); at.ID != "A-1" && at.ID != "A-2" && at.Partner < 0 {
			d.sell(booking.Buyer(fmt.Sprint("b", i)), at.ID)
		}
	}
	d.sell("pair", "D-1", "D-2")
	d.sell("couple", "D-3", "D-4")
	h := d.hold("ann", "k", "A-1", "A-2")
	if again := d.hold("ann", "k", "A-1", "A-2"); again.ID != h.ID {
		t.Errorf("the same request gets %s", again.ID)
	}
	// Back at the map, she asks anew: the seats are hers, and nothing is sold out.
	no := d.refusal(wish("ann", "again", "A-1", "A-2"))
	if len(no.Conflicts) != 2 || no.Next != booking.Wait {
		t.Fatalf("her own seats: %+v", no)
	}
	for _, c := range no.Conflicts {
		if c.Reason != booking.StandingHeld || c.Own != h.ID || !c.Until.Equal(h.ExpiresAt.Add(policy.Grace)) {
			t.Errorf("her own seat: %+v", c)
		}
	}
	if no := d.refusal(boxoffice.Wish{Buyer: "ann", Key: "any", Show: matinee, Best: &seatmap.Want{Count: 2}}); no.Next != booking.Wait {
		t.Errorf("any two: %+v", no)
	}
	for _, c := range d.refusal(wish("bob", "k", "A-1", "B-1")).Conflicts {
		if c.Own != "" {
			t.Errorf("another is told of %+v", c)
		}
	}
	d.giveBack(h)
	d.hold("ann", "again", "A-1", "A-2") // a refusal is not remembered
}

// lostSeats lets every hold go wrong in another way, then fills the house.
func lostSeats(t *testing.T) {
	d := newDesk(t)
	lost := func(f memstore.Fault, nth int) func(memstore.Op) memstore.Fault {
		n := 0
		return func(op memstore.Op) memstore.Fault {
			if op.Kind != memstore.OpTransact {
				return memstore.NoFault
			}
			if n++; n >= nth {
				return f
			}
			return memstore.NoFault
		}
	}
	ways := []func(b booking.Buyer, seat seatmap.SeatID){
		func(b booking.Buyer, s seatmap.SeatID) { d.hold(b, "k", s) }, // left alone
		func(b booking.Buyer, s seatmap.SeatID) { d.giveBack(d.hold(b, "k", s)) },
		func(b booking.Buyer, s seatmap.SeatID) { d.settle(d.bank.decline(d.pay(d.hold(b, "k", s), "p").ID)) },
		func(b booking.Buyer, s seatmap.SeatID) { d.pay(d.hold(b, "k", s), "p") }, // and never heard of again
		func(b booking.Buyer, s seatmap.SeatID) { // held, but nobody was told
			d.faults = lost(memstore.LoseReply, 1)
			_, _ = d.Reserve(d.ctx(), wish(b, "k", s))
		},
		func(b booking.Buyer, s seatmap.SeatID) { // the request comes when its sender is gone
			d.faults = lost(memstore.DelayRequest, 1)
			_, _ = d.Reserve(d.ctx(), wish(b, "k", s))
		},
		func(b booking.Buyer, s seatmap.SeatID) { // a release that got stuck
			h := d.hold(b, "k", s)
			d.faults = lost(memstore.LoseRequest, 1)
			_ = d.GiveBack(d.ctx(), b, h.ID)
		},
		func(b booking.Buyer, s seatmap.SeatID) { d.setAside(b, s) },
	}
	for i := range 18 {
		ways[i%len(ways)](booking.Buyer(fmt.Sprint("b", i)), d.layout.At(i).ID)
		d.faults = nil
	}
	d.seatMap()
	d.db.Deliver()
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{}); err != nil {
		t.Fatal(err)
	}
	d.clock.advance(policy.Hold + policy.Grace)
	d.sound()
	for i := range d.layout.Len() {
		if at := d.layout.At(i); at.Partner < 0 {
			d.sell(booking.Buyer(fmt.Sprint("honest", i)), at.ID)
		}
	}
	d.sell("pair", "D-1", "D-2")
	d.sell("couple", "D-3", "D-4")
	d.clock.advance(time.Minute)
	m, err := d.SeatMap(d.ctx(), matinee)
	if err != nil || m.Tally() != (booking.Tally{Sold: d.layout.Len()}) && m.Tally().Free != 0 {
		t.Errorf("the house is full, and the map says %+v, %v", m.Tally(), err)
	}
	d.sound()
}

var errOtherHold = errors.New("the same request made two holds")

func underLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := gather(t, layoutOf(studio))
		var first []booking.Hold
		for i := range 6 {
			first = append(first, d.hold(booking.Buyer(fmt.Sprint("first", i)), "k", seatmap.SeatID(fmt.Sprint("A-", i+1))))
		}
		d.trouble = 5 // of a hundred calls
		given := map[string]booking.Hold{}
		d.arrive(300, func(i int) error {
			buyer := booking.Buyer(fmt.Sprint("b", i))
			if i%10 == 0 {
				_, err := d.Sweep(d.ctx(), matinee, 24)
				_, merr := d.SeatMap(d.ctx(), matinee)
				return errors.Join(err, merr)
			}
			w := wish(buyer, "k", d.layout.At(i%18).ID)
			h, err := d.Reserve(d.ctx(), w)
			if err == nil {
				again, aerr := d.insist(w)
				if err = aerr; err == nil && again.ID != h.ID {
					err = fmt.Errorf("%w: %s, then %s", errOtherHold, h.ID, again.ID)
				}
				d.note(func() { given[string(buyer)] = h })
			}
			return err
		}, func(i int, err error) {
			if errors.Is(err, booking.ErrUnavailable) {
				var no *booking.Refusal
				errors.As(err, &no)
				if slices.ContainsFunc(no.Conflicts, func(c booking.Conflict) bool { return c.Own != "" }) {
					t.Errorf("buyer %d is told that what he has is taken", i)
				}
			}
			if errors.Is(err, errOtherHold) {
				t.Error(err)
			}
		})
		d.trouble = 0
		for _, h := range first {
			given[string(h.Buyer)] = h
		}
		for b, h := range given {
			now := d.holdNow(h.ID)
			if now.State != booking.Held || !now.ExpiresAt.Equal(h.ExpiresAt) {
				t.Errorf("%s was given %s until %v, and it is %v until %v", b, h.ID, h.ExpiresAt, now.State, now.ExpiresAt)
			}
		}
		if len(given) < len(first)+6 {
			t.Errorf("only %d holds were given", len(given))
		}
		d.sound()
		d.sellHold(first[0])
		d.sound()
	})
}
