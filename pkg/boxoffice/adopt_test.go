package boxoffice_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/adoption"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const (
	stranger = booking.Buyer("g_guest")
	member   = booking.Buyer("u_member")
)

func (d *desk) adopt(guest, account booking.Buyer) boxoffice.Adopted {
	d.t.Helper()
	a, err := d.Adopt(d.ctx(), guest, account)
	if err != nil {
		d.t.Fatalf("%s adopts what %s has: %v", account, guest, explain(err))
	}
	return a
}

var allMoved = boxoffice.Adopted{Moved: []catalog.ShowID{matinee}}

// TestAdopt: what the guest held, owned and waited for is the account's, under the same
// ids and with the same number; for the guest it is not there.
func TestAdopt(t *testing.T) {
	d, holds := soldOut(t)
	held := d.hold(stranger, "held", "C-1", "C-2")
	sold := d.sell(stranger, "D-1", "D-2")
	pending := d.pay(held, "pay")
	place := d.join(stranger, "place", 2, seatmap.Regular)

	for range 2 { // repeated, it is answered the same
		if diff := cmp.Diff(allMoved, d.adopt(stranger, member)); diff != "" {
			t.Fatal(diff)
		}
	}
	d.wantAllowance(stranger, 0)
	d.wantAllowance(member, 4)
	d.sound()
	for _, h := range []booking.Hold{held, sold} {
		if _, err := d.Look(d.ctx(), member, h.ID); err != nil {
			t.Errorf("hold %s: %v", h.ID, err)
		}
		_, err := d.Look(d.ctx(), stranger, h.ID)
		wantErr(t, err, booking.ErrHoldNotFound)
		wantErr(t, d.GiveBack(d.ctx(), stranger, h.ID), booking.ErrHoldNotFound)
	}
	order1 := d.orderNow(d.holdNow(sold.ID).OrderID)
	if o, err := d.OrderFor(d.ctx(), member, order1.ID); err != nil || len(o.Tickets) != 2 {
		t.Errorf("order %+v, %v", o, err)
	}
	_, err := d.OrderFor(d.ctx(), stranger, order1.ID)
	wantErr(t, err, boxoffice.ErrOrderNotFound)

	d.settle(d.bank.capture(pending.ID)) // begun by the guest, it buys for the account
	d.wantHold(held.ID, booking.Sold)
	st, err := d.See(d.ctx(), member, place.Waiter.ID)
	if err != nil || st.Waiter.Number != place.Waiter.Number || st.Waiter.State != line.Waiting {
		t.Fatalf("place %+v, %v", st, err)
	}
	_, err = d.See(d.ctx(), stranger, place.Waiter.ID)
	wantErr(t, err, line.ErrNotFound)
	d.giveBack(holds[0])
	d.lane()
	h, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: member, Waiter: place.Waiter.ID, Key: "accept", BodyHash: "{}"})
	if err != nil || h.Buyer != member {
		t.Fatalf("accepted %+v, %v", h, err)
	}
	d.wantAllowance(member, 6)
	d.sound()
}

// TestAdoptSeatLimit: what would be more than ten stays the guest's, whole, until there
// is room; what is overdue takes it until somebody has ended it.
func TestAdoptSeatLimit(t *testing.T) {
	d := newDesk(t)
	kept := boxoffice.Adopted{Kept: []boxoffice.Kept{{Show: matinee, Why: adoption.SeatLimit}}}
	five, three := d.hold(member, "five", "A-1", "A-2", "A-3", "A-4", "A-5"), d.hold(member, "three", "B-1", "B-2", "B-3")
	d.hold(stranger, "one", "C-1")
	two := d.hold(stranger, "two", "C-2", "C-3")
	if diff := cmp.Diff(kept, d.adopt(stranger, member)); diff != "" {
		t.Fatal(diff)
	}
	d.wantAllowance(stranger, 3)
	d.wantAllowance(member, 8)
	if _, err := d.Look(d.ctx(), stranger, two.ID); err != nil {
		t.Errorf("the guest's own: %v", err)
	}
	d.giveBack(three)
	if diff := cmp.Diff(allMoved, d.adopt(stranger, member)); diff != "" {
		t.Fatal(diff)
	}
	d.wantAllowance(member, 8)

	d.overdue(five)
	d.hold(stranger, "more", "B-1", "B-2", "B-3", "B-4", "B-5", "B-6")
	if a := d.adopt(stranger, member); len(a.Kept) != 1 {
		t.Fatalf("adopted %+v beside an overdue hold", a)
	}
	if _, err := d.Look(d.ctx(), member, five.ID); err != nil {
		t.Fatal(err)
	}
	d.adopt(stranger, member)
	d.wantAllowance(stranger, 0)
	d.wantAllowance(member, 9)
	d.sound()
}

// TestAdoptTwoPlaces: nobody waits twice; the guest goes on waiting.
func TestAdoptTwoPlaces(t *testing.T) {
	d, _ := soldOut(t)
	first := d.join(stranger, "k", 2, seatmap.Regular)
	second := d.join(member, "k", 1, seatmap.Regular)
	d.hold(stranger, "held", "C-1")
	want := boxoffice.Adopted{Kept: []boxoffice.Kept{{Show: matinee, Why: adoption.TwoPlaces}}}
	if diff := cmp.Diff(want, d.adopt(stranger, member)); diff != "" {
		t.Fatal(diff)
	}
	d.wantAllowance(stranger, 1)
	d.wantState(first.Waiter, line.Waiting)
	if err := d.LeaveLine(d.ctx(), member, second.Waiter.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(allMoved, d.adopt(stranger, member)); diff != "" {
		t.Fatal(diff)
	}
	_, err := d.Join(d.ctx(), wait(member, "again", 1, seatmap.Regular))
	wantErr(t, err, line.ErrAlreadyWaiting)
	if p, err := d.store.Place(d.ctx(), matinee, stranger); err != nil || p.Live != "" {
		t.Errorf("the guest's place %+v, %v", p, err)
	}
}

// TestAdoptForgetsNoRefusal: who has refused an offer as a guest has refused it.
func TestAdoptForgetsNoRefusal(t *testing.T) {
	d, holds := soldOut(t)
	for n, who := range []booking.Buyer{stranger, member} {
		w := d.join(who, "first", 1, seatmap.Regular)
		d.giveBack(holds[n])
		d.lane()
		if err := d.DeclineOffer(d.ctx(), who, w.Waiter.ID); err != nil {
			t.Fatal(err)
		}
		d.lane()
		d.hold(booking.Buyer(fmt.Sprint("late-", n)), "k", d.layout.At(2*n).ID, d.layout.At(2*n+1).ID)
	}
	d.join(stranger, "second", 1, seatmap.Regular)
	d.adopt(stranger, member)
	if p, err := d.store.Place(d.ctx(), matinee, member); err != nil || p.Lapses != 2 || p.Live == "" {
		t.Errorf("place %+v, %v", p, err)
	}
}

// TestAdoptOnce: a guest is one account's and no other's, also in what he does later.
func TestAdoptOnce(t *testing.T) {
	d := newDesk(t)
	d.hold(stranger, "k", "A-1")
	d.adopt(stranger, member)
	d.hold(stranger, "later", "A-2")
	_, err := d.Adopt(d.ctx(), stranger, "u_thief")
	wantErr(t, err, adoption.ErrBound)
	d.wantAllowance(stranger, 1)
	d.adopt(stranger, member)
	d.wantAllowance(member, 2)
	d.sound()
}

// TestAdoptedReplays: under the guest's token a request still has its answer; under the
// account's the same seats are refused by his own hold, and there is no second one.
func TestAdoptedReplays(t *testing.T) {
	d, _ := soldOut(t)
	h := d.hold(stranger, "k", "C-1")
	p := d.pay(h, "pay")
	place := d.join(stranger, "place", 1, seatmap.Regular)
	d.adopt(stranger, member)
	if again := d.hold(stranger, "k", "C-1"); again.ID != h.ID {
		t.Errorf("again %+v", again)
	}
	if again, err := d.Pay(d.ctx(), payWish(h, "pay")); err != nil || again.ID != p.ID {
		t.Errorf("paid again %+v, %v", again, err)
	}
	if again, err := d.Join(d.ctx(), wait(stranger, "place", 1, seatmap.Regular)); err != nil || again.Waiter.ID != place.Waiter.ID {
		t.Errorf("joined again %+v, %v", again, err)
	}
	no := d.refusal(wish(member, "k", "C-1"))
	if no.Reason != booking.ErrUnavailable || len(no.Conflicts) != 1 || no.Conflicts[0].Own != h.ID {
		t.Errorf("refused %+v", no)
	}
	_, err := d.Pay(d.ctx(), payWish(h, "another"))
	wantErr(t, err, booking.ErrHoldNotFound)
	mine := payWish(h, "mine")
	mine.Buyer = member
	if again, err := d.Pay(d.ctx(), mine); err != nil || again.ID != p.ID {
		t.Errorf("the account pays %+v, %v", again, err)
	}
	d.wantAllowance(member, 1)
	d.sound()
}

// TestAdoptMeets: whatever happens to the guest's things between the look at them and
// the transaction, each of the two has its whole effect or none.
func TestAdoptMeets(t *testing.T) {
	type scene struct {
		held, paying booking.Hold
		due          string
		offered      line.Waiter
	}
	for name, act := range map[string]func(*desk, scene) error{
		"given back": func(d *desk, s scene) error { return d.GiveBack(d.ctx(), stranger, s.held.ID) },
		"expired": func(d *desk, s scene) error {
			d.overdue(s.held)
			_, err := d.End(d.ctx(), s.held.ID, booking.ByExpiry)
			return err
		},
		"a payment begun": func(d *desk, s scene) error { _, err := d.Pay(d.ctx(), payWish(s.held, "now")); return err },
		"paid": func(d *desk, s scene) error {
			return d.Settle(d.ctx(), d.bank.capture(payment.ID(d.holdNow(s.paying.ID).PaymentID)))
		},
		"another hold": func(d *desk, _ scene) error {
			_, err := d.Reserve(d.ctx(), wish(stranger, "new", "D-1", "D-2"))
			return err
		},
		"the account's hold": func(d *desk, _ scene) error {
			_, err := d.Reserve(d.ctx(), wish(member, "new", "C-3", "C-4", "C-5", "C-6", "D-1", "D-2", "D-3", "D-4", "D-5", "D-6"))
			return err
		},
		"accepted": func(d *desk, s scene) error {
			_, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: stranger, Waiter: s.offered.ID, Key: "a", BodyHash: "{}"})
			return err
		},
		"declined": func(d *desk, s scene) error { return d.DeclineOffer(d.ctx(), stranger, s.offered.ID) },
		"lapsed": func(d *desk, _ scene) error {
			d.clock.advance(line.Standard.Offer + line.Standard.Grace)
			return d.RunLane(d.ctx(), matinee, boxoffice.Wake{})
		},
		"the account joins": func(d *desk, _ scene) error {
			_, err := d.Join(d.ctx(), wait(member, "j", 1, seatmap.Regular))
			return err
		},
		"adopted twice": func(d *desk, _ scene) error { _, err := d.Adopt(d.ctx(), stranger, member); return err },
	} {
		t.Run(name, func(t *testing.T) {
			d, holds := soldOut(t)
			s := scene{held: d.hold(stranger, "held", "C-1"), paying: d.hold(stranger, "paying", "C-2")}
			s.due = d.pay(s.paying, "pay").OrderID
			s.offered = d.join(stranger, "place", 2, seatmap.Regular).Waiter
			d.giveBack(holds[0])
			d.lane()
			d.wantState(s.offered, line.Offered)
			meets := func() { // of the first transaction that is the adoption's
				if err := act(d, s); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
					t.Errorf("%s: %v", name, explain(err))
				}
			}
			d.Adoptions = &meeting{AdoptionStore: d.store, before: meets}
			a, err := d.Adopt(d.ctx(), stranger, member)
			if err != nil {
				t.Fatal(explain(err))
			}
			d.sound()
			d.onePlaceEach(stranger, member)
			if len(a.Kept) == 0 {
				d.wantAllowance(stranger, 0)
				if p, err := d.store.Place(d.ctx(), matinee, stranger); err != nil || p.Live != "" {
					t.Errorf("the guest's place %+v, %v", p, err)
				}
			}
			d.lane()
			d.sound()
		})
	}
}

// meeting lets something happen before the first transaction of an adoption.
type meeting struct {
	boxoffice.AdoptionStore
	before func()
}

func (m *meeting) Adopt(ctx context.Context, move adoption.Move) error {
	once(&m.before)
	return m.AdoptionStore.Adopt(ctx, move)
}

// onePlaceEach: a place names a living waiter of its buyer, and no waiter lives without.
func (d *desk) onePlaceEach(buyers ...booking.Buyer) {
	d.t.Helper()
	st, err := d.store.LineState(d.ctx(), matinee, line.Reading{})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, b := range buyers {
		p, err := d.store.Place(d.ctx(), matinee, b)
		if err != nil {
			d.t.Fatal(err)
		}
		var alive []line.WaiterID
		for _, w := range st.Waiters {
			if w.Buyer == b && !w.State.Ended() {
				alive = append(alive, w.ID)
			}
		}
		if p.Live == "" && len(alive) > 0 || p.Live != "" && (len(alive) > 1 || len(alive) == 1 && alive[0] != p.Live) {
			d.t.Errorf("WaiterNeverLost: the place of %s is of %q; alive are %v", b, p.Live, alive)
		}
		if p.Live == "" {
			continue
		}
		if w, err := d.store.Waiter(d.ctx(), p.Live); err != nil || w.Buyer != b || w.State.Ended() {
			d.t.Errorf("WaiterNeverLost: the place of %s is of %+v, %v", b, w, err)
		}
	}
}

// TestAdoptInAThrong: guests who hold, pay, give back, wait and answer log in while they
// do, twice and from two devices, over a network that loses and repeats; nobody has more
// than ten, and all is whose it was or whose it became.
func TestAdoptInAThrong(t *testing.T) {
	for range 12 {
		synctest.Test(t, func(t *testing.T) {
			c := gather(t, house(4, 8))
			c.trouble = 8
			const people = 4
			guests, accounts := make([]booking.Buyer, people), make([]booking.Buyer, people)
			for i := range people {
				guests[i], accounts[i] = booking.Buyer(fmt.Sprint("g_", i)), booking.Buyer(fmt.Sprint("u_", i%3)) // two guests are one person
			}
			c.arrive(5*people, func(i int) error { return c.live(i, guests[i%people], accounts[i%people]) }, func(_ int, err error) {
				if err != nil {
					t.Error(err)
				}
			})
			c.trouble = 0
			c.sleep(time.Minute)
			for i := range people {
				for range 2 {
					if _, err := c.Adopt(c.ctx(), guests[i], accounts[i]); err != nil {
						t.Errorf("%s at rest: %v", guests[i], err)
					}
				}
			}
			c.sound()
			c.onePlaceEach(append(slices.Clone(guests), accounts...)...)
			c.sleep(policy.Hold + policy.Grace + line.Standard.Offer + line.Standard.Grace + time.Minute)
			for range 10 {
				if _, err := c.Sweep(c.ctx(), matinee, 100); err != nil {
					t.Error(err)
				}
				c.lane()
			}
			c.sound()
		})
	}
}

// live is what one device does: a guest's if the number is odd, or the account's. A
// device gives up what it cannot have.
func (c *throng) live(i int, guest, account booking.Buyer) error {
	own := rand.New(rand.NewPCG(c.seed, uint64(i)+100))
	who := []booking.Buyer{guest, account}[i%2]
	var mine []booking.Hold
	for n := range 12 {
		key := fmt.Sprint(i, " ", n)
		var err error
		switch own.IntN(8) {
		case 0, 1:
			at := own.IntN(c.layout.Len() - 4)
			var seats []seatmap.SeatID
			for k := range 1 + own.IntN(4) {
				seats = append(seats, c.layout.At(at+k).ID)
			}
			var h booking.Hold
			if h, err = c.Reserve(c.ctx(), wish(who, key, seats...)); err == nil {
				mine = append(mine, h)
			}
		case 2:
			if len(mine) > 0 {
				err = c.GiveBack(c.ctx(), who, mine[own.IntN(len(mine))].ID)
			}
		case 3, 4:
			if len(mine) > 0 {
				err = c.buy(payWish(mine[own.IntN(len(mine))], key), who, own.IntN(2) == 0)
			}
		case 5:
			var st boxoffice.Standing
			if st, err = c.Join(c.ctx(), wait(who, key, 1+own.IntN(3), seatmap.Regular)); err == nil {
				_ = c.RunLane(c.ctx(), matinee, boxoffice.Wake{Named: []line.WaiterID{st.Waiter.ID}})
				if st, err = c.See(c.ctx(), who, st.Waiter.ID); err == nil && st.Waiter.State == line.Offered {
					_, err = c.AcceptOffer(c.ctx(), boxoffice.Choose{Buyer: who, Waiter: st.Waiter.ID, Key: key, BodyHash: "{}"})
				}
			}
		case 6, 7:
			_, err = c.Adopt(c.ctx(), guest, account)
		}
		switch fault.KindOf(err) {
		case fault.Stale, fault.Contended: // which are for the office to repeat
			return fmt.Errorf("device %d, act %d: %w", i, n, err)
		}
		c.wait(20 * time.Millisecond)
	}
	return nil
}

// buy begins to pay, and the money comes at once where it is said to.
func (c *throng) buy(w boxoffice.PayWish, who booking.Buyer, comes bool) error {
	w.Buyer = who
	p, err := c.Pay(c.ctx(), w)
	if err != nil || !comes {
		return err
	}
	return c.Settle(c.ctx(), c.bank.capture(p.ID))
}
