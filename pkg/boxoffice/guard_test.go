package boxoffice_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/challenge"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/throttle"
)

// guarded is a desk whose show asks for a challenge and a contact, and where two
// holds may be dropped.
func guarded(t testing.TB) *desk {
	d := newDesk(t)
	p := policy
	p.FreeDrops = 2
	d.store = store.New(d.db, p)
	d.Office = d.office(d.store)
	d.Policy, d.Challenges = p, must(challenge.New(rand.Reader, "a secret of the test's challenges"))
	show := d.hall.shows[matinee]
	show.Challenge, show.NeedsContact = true, true
	d.hall.shows[matinee] = show
	return d
}

func (d *desk) solve(b booking.Buyer, seats int) string {
	d.t.Helper()
	c, err := d.ChallengeFor(d.ctx(), matinee, b, seats)
	if err != nil {
		d.t.Fatal(err)
	}
	return challenge.Solve(c.Text, c.Difficulty)
}

func solved(w boxoffice.Wish, solution string) boxoffice.Wish {
	w.Solution = solution
	return w
}

// TestChallengeAskedFor: while the show is on sale nobody holds or joins without one
// of his own, of enough seats, in time; and every such refusal is the same.
func TestChallengeAskedFor(t *testing.T) {
	d := guarded(t)
	old := d.solve("ann", 10)
	d.clock.advance(challenge.Length)
	want := fmt.Sprintf("%+v", booking.Refusal{Reason: booking.ErrNotWorked})
	for name, w := range map[string]boxoffice.Wish{
		"none":          wish("ann", "1", "A-1"),
		"another's":     solved(wish("ann", "1", "A-1"), d.solve("bob", 10)),
		"for fewer":     solved(wish("ann", "1", "A-1", "A-2"), d.solve("ann", 1)),
		"best of more":  {Buyer: "ann", Key: "1", Show: matinee, Best: &seatmap.Want{Count: 2}, Solution: d.solve("ann", 1)},
		"too late":      solved(wish("ann", "1", "A-1"), old),
		"made up":       solved(wish("ann", "1", "A-1"), "fsc1.x.0"),
		"and no excuse": wish("ann", "1", "Z-1"),
	} {
		if no := d.refusal(w); fmt.Sprintf("%+v", *no) != want {
			t.Errorf("%s: %+v", name, *no)
		}
	}
	d.wantFree("A-1", "A-2")
	_, err := d.Join(d.ctx(), boxoffice.Join{Buyer: "ann", Key: "j", Show: matinee, Party: 2})
	wantErr(t, err, booking.ErrNotWorked)
	if _, err := d.Reserve(d.ctx(), solved(wish("ann", "1", "A-1", "A-2"), d.solve("ann", 2))); err != nil {
		t.Fatal(explain(err))
	}
	best := boxoffice.Wish{Buyer: "ann", Key: "b", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Regular}, Solution: d.solve("ann", 2)}
	d.clock.advance(time.Millisecond)
	if _, err := d.Reserve(d.ctx(), best); err == nil {
		t.Error("one made in the same millisecond as that which was used was taken")
	}
	best.Solution = d.solve("ann", 2)
	if _, err := d.Reserve(d.ctx(), best); err != nil {
		t.Error(explain(err))
	}
	show := d.hall.shows[matinee]
	show.SaleOpensAt = d.Clock().Add(time.Hour)
	d.hall.shows[matinee] = show
	if no := d.refusal(wish("ann", "2", "A-3")); no.Reason != booking.ErrSalesClosed {
		t.Errorf("before the sale: %v", no)
	}
	_, err = d.ChallengeFor(d.ctx(), matinee, "ann", 2)
	wantErr(t, err, booking.ErrSalesClosed)
	_, err = d.ChallengeFor(d.ctx(), "no such show", "ann", 2)
	wantErr(t, err, catalog.ErrNoShow)
	_, err = d.ChallengeFor(d.ctx(), matinee, "ann", 11)
	wantErr(t, err, booking.ErrTooMany)
	d.Challenges = nil
	show.SaleOpensAt = opening.Add(-time.Hour)
	d.hall.shows[matinee] = show
	if no := d.refusal(wish("ann", "3", "A-3")); no.Reason != booking.ErrNotWorked {
		t.Errorf("where no challenge can be looked at: %v", no)
	}
}

// TestReplayBots plays what programs did at other systems.
func TestReplayBots(t *testing.T) {
	for _, r := range []struct {
		name    string
		failure string // what went wrong there
		play    func(*testing.T)
	}{
		{"hi-events-1223", "a code with n uses gave more under parallel use", codeInParallel},
		{"hi-events-1311", "the order's maximum was not looked at when it was paid; nor, at Revel, who came as another guest", capOfSessions},
		{"pretix-1575", "a cart was renewed for ever; by dropping and taking anew, it still would be", takenAndDropped},
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

// codeInParallel: one solution makes one hold, however often and in how many
// requests at once it is sent; a refusal has not used it, and the request that it was
// used for has its answer for a day.
func codeInParallel(t *testing.T) {
	d := guarded(t)
	s := d.solve("bob", 1)
	if _, err := d.Reserve(d.ctx(), solved(wish("bob", "1", "A-1"), s)); err != nil {
		t.Fatal(explain(err))
	}
	s = d.solve("ann", 1)
	if no := d.refusal(solved(wish("ann", "0", "A-1"), s)); no.Reason != booking.ErrUnavailable {
		t.Fatal(no)
	}
	var wg sync.WaitGroup
	held := make([]bool, 8)
	for i := range held {
		wg.Go(func() {
			o := d.office(d.store)
			o.Policy, o.Challenges = d.Policy, d.Challenges
			o.Pause = d.Pause
			_, err := o.Reserve(d.ctx(), solved(wish("ann", fmt.Sprint("k", i), seatmap.SeatID(fmt.Sprint("B-", i%6+1))), s))
			held[i] = err == nil
			if err != nil && !errors.Is(err, booking.ErrNotWorked) && !fault.Is(err, fault.Busy) {
				if !errors.Is(err, booking.ErrUnavailable) {
					t.Error(explain(err))
				}
			}
		})
	}
	wg.Wait()
	d.wantAllowance("ann", 1)
	first := -1
	for i, ok := range held {
		if ok {
			first = i
		}
	}
	d.clock.advance(2 * time.Hour)
	again := solved(wish("ann", fmt.Sprint("k", first), seatmap.SeatID(fmt.Sprint("B-", first%6+1))), s)
	if h, err := d.Reserve(d.ctx(), again); err != nil || h.ID != booking.IDFor("ann", again.Key) {
		t.Errorf("the same request again: %v", explain(err))
	}
}

// takenAndDropped: two are free, then he waits, longer each time; others do not, nor he in
// another show; and ten quiet minutes are enough.
func takenAndDropped(t *testing.T) {
	d := guarded(t)
	show := d.hall.shows[matinee]
	show.Challenge = false
	d.hall.shows[matinee] = show
	other := show
	other.ID = "late"
	d.hall.shows["late"] = other
	n := 0
	try := func() error {
		n++
		h, err := d.Reserve(d.ctx(), wish("bot", fmt.Sprint(n), "A-1", "A-2"))
		if err == nil {
			d.giveBack(h)
		}
		return err
	}
	for range 2 {
		if err := try(); err != nil {
			t.Fatal(explain(err))
		}
	}
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		var no *throttle.Refusal
		if err := try(); !errors.As(err, &no) || no.Wait != wait || !fault.Is(err, fault.Limited) {
			t.Fatalf("%v, want to wait %v", err, wait)
		}
		d.clock.advance(wait - time.Millisecond)
		if try() == nil {
			t.Fatal("let through too early")
		}
		d.clock.advance(time.Millisecond)
		if err := try(); err != nil {
			t.Fatal(explain(err))
		}
	}
	if try() == nil {
		t.Error("he may at once")
	}
	best := boxoffice.Wish{Buyer: "bot", Key: "best", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Regular}}
	if _, err := d.Reserve(d.ctx(), best); !fault.Is(err, fault.Limited) {
		t.Errorf("the best seats: %v", err)
	}
	d.hold("ann", "1", "A-1")
	w := wish("bot", "late", "A-1")
	w.Show = "late"
	if _, err := d.Reserve(d.ctx(), w); err != nil {
		t.Errorf("another show: %v", explain(err))
	}
	if h, err := d.Reserve(d.ctx(), wish("bot", "1", "A-1", "A-2")); err != nil || h.ID != booking.IDFor("bot", "1") {
		t.Errorf("an old request again: %v", err)
	}
	d.clock.advance(10 * time.Minute)
	for range 2 {
		n++
		h, err := d.Reserve(d.ctx(), wish("bot", fmt.Sprint(n), "B-1"))
		if err != nil {
			t.Fatalf("after ten quiet minutes: %v", explain(err))
		}
		d.giveBack(h)
	}
}

// capOfSessions: where the house wants one, nobody pays without; and none may have
// more than ten, with any number of sessions.
func capOfSessions(t *testing.T) {
	d := guarded(t)
	show := d.hall.shows[matinee]
	show.Challenge = false
	d.hall.shows[matinee] = show
	a := d.hold("ann", "1", "A-1", "A-2", "A-3", "A-4", "A-5", "A-6")
	_, err := d.Pay(d.ctx(), payWish(a, "p"))
	wantErr(t, err, booking.ErrNoContact)
	with := func(h booking.Hold, key string, c booking.Contact) boxoffice.PayWish {
		w := payWish(h, key)
		w.Contacts = []booking.Contact{c}
		return w
	}
	p, err := d.Pay(d.ctx(), with(a, "p", "c_mail"))
	if err != nil {
		t.Fatal(err)
	}
	b := d.hold("bob", "1", "B-1", "B-2", "B-3", "B-4", "B-5")
	_, err = d.Pay(d.ctx(), with(b, "p", "c_mail"))
	var no *booking.Refusal
	if !errors.As(err, &no) || no.Reason != booking.ErrSeatLimit || no.Holding != 5 || no.Limit != 10 {
		t.Fatalf("eleven of one contact: %v", explain(err))
	}
	d.wantHold(b.ID, booking.Held)
	d.settle(d.bank.capture(p.ID))
	d.wantHold(a.ID, booking.Sold)
	d.wantAllowance("c_mail", 6)
	pb, err := d.Pay(d.ctx(), with(b, "p", "c_other"))
	if err != nil {
		t.Fatal(err)
	}
	d.settle(d.bank.decline(pb.ID))
	if pb, err = d.Pay(d.ctx(), payWish(b, "q")); err != nil {
		t.Errorf("whose contact is known was asked again: %v", err)
	}
	d.overdue(b)
	d.clock.advance(time.Second)
	d.settle(d.bank.capture(pb.ID)) // late, and the seats are free: sold anew, and counted
	d.wantPayment(pb.ID, payment.Captured)
	d.wantAllowance("c_other", 5)
	d.wantAllowance("bob", 5)
}
