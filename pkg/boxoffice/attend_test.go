package boxoffice_test

import (
	"context"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// crowded has everything but with the house, and these in ann's hands.
func crowded(t *testing.T) (*desk, booking.Hold) {
	d := newDesk(t)
	d.houseTakes("A-1", "A-2")
	return d, d.hold("ann", "k", "A-1", "A-2")
}

// joins gets a number, the lane being run by the test.
func (d *desk) joins(b booking.Buyer, party int) line.WaiterID {
	d.t.Helper()
	w, err := d.Join(d.ctx(), boxoffice.Join{Buyer: b, Key: "join", BodyHash: "x", Show: matinee, Party: party, Types: []seatmap.SeatType{seatmap.Regular}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.lane(w.Waiter.ID)
	return w.Waiter.ID
}

func (d *desk) wantPlace(id line.WaiterID, want line.WaiterState) {
	d.t.Helper()
	if w, err := d.store.Waiter(d.ctx(), id); err != nil || w.State != want {
		d.t.Errorf("the place is %s, %v; want %s", w.State, err, want)
	}
}

// TestWalkUpRunsTheLine: who is refused a seat of a line that nobody has looked
// after for ten seconds moves it, and only then; whoever waits comes first, and he
// himself has the seat once nobody does.
func TestWalkUpRunsTheLine(t *testing.T) {
	d, h := crowded(t)
	bob := d.joins("bob", 2)
	d.giveBack(h)
	d.clock.advance(10*time.Second - time.Millisecond)
	d.refusal(wish("eve", "1", "A-1"))
	d.wantPlace(bob, line.Waiting)
	d.clock.advance(time.Millisecond)
	if no := d.refusal(wish("eve", "2", "A-1")); no.Conflicts[0].Reason != booking.StandingLine {
		t.Errorf("eve is told %+v", no)
	}
	d.wantPlace(bob, line.Offered)
	if err := d.LeaveLine(d.ctx(), "bob", bob); err != nil {
		t.Fatal(err)
	}
	d.refusal(wish("eve", "3", "A-1"))
	d.clock.advance(10 * time.Second)
	d.hold("eve", "4", "A-1")
	d.wantFree("A-2")
	d.sound()
}

// TestPollLooksAfterTheLine: while it is kept, a poll asks the queue for a run after
// five seconds without one, and runs the lane itself after ten.
func TestPollLooksAfterTheLine(t *testing.T) {
	d, h := crowded(t)
	bob := d.joins("bob", 2)
	began := d.clock.Now()
	var nudged []time.Duration
	d.Nudge = func(context.Context, catalog.ShowID, []line.WaiterID) error {
		nudged = append(nudged, d.clock.Now().Sub(began))
		return nil
	}
	d.Pause = func(_ context.Context, p time.Duration) error { d.clock.advance(p); return nil }
	st, err := d.See(d.ctx(), "bob", bob)
	if err != nil {
		t.Fatal(err)
	}
	d.giveBack(h)
	st, err = d.Await(d.ctx(), "bob", bob, st.Version(), 25*time.Second)
	took := d.clock.Now().Sub(began)
	if err != nil || st.Waiter.State != line.Offered || took < 10*time.Second || took > 12*time.Second {
		t.Errorf("after %s: %s, %v", took, st.Waiter.State, err)
	}
	if len(nudged) == 0 || nudged[0] < 5*time.Second || nudged[0] > 6*time.Second || nudged[len(nudged)-1] >= 10*time.Second {
		t.Errorf("nudged at %v", nudged)
	}
	d.sound()
}

// TestChoiceTellsWhoHasIt: what an offer cannot have is told with its reason, and an
// overdue hold among it is ended first.
func TestChoiceTellsWhoHasIt(t *testing.T) {
	d := newDesk(t)
	d.houseTakes("A-1", "A-2", "A-3", "A-4")
	early := d.hold("ann", "k", "A-1", "A-2")
	d.sell("cat", "A-3")
	d.clock.advance(time.Second)
	held := d.hold("dan", "k", "A-4")
	bob, fay := d.joins("bob", 1), d.joins("fay", 1)
	d.giveBack(early)
	d.lane()
	d.wantPlace(bob, line.Offered)
	d.wantPlace(fay, line.Offered)
	got, err := d.store.Waiter(d.ctx(), fay)
	if err != nil {
		t.Fatal(err)
	}
	choose := func(seat seatmap.SeatID) booking.Conflict {
		_, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "bob", Waiter: bob, Key: "a", BodyHash: string(seat), Seats: []seatmap.SeatID{seat}})
		no, ok := err.(*booking.Refusal)
		if !ok || no.Reason != line.ErrNotYourSeat || len(no.Conflicts) != 1 {
			t.Fatalf("%s: %v", seat, err)
		}
		return no.Conflicts[0]
	}
	for seat, want := range map[seatmap.SeatID]string{got.Offer.Seats[0].Seat: "line", "A-3": "sold", "A-4": "held", "A-5": "blocked"} {
		if c := choose(seat); c.Reason.String() != want || c.Seat != seat {
			t.Errorf("%s: %+v, want %s", seat, c, want)
		}
	}
	if c := choose("A-4"); !c.Until.Equal(held.ExpiresAt.Add(policy.Grace)) {
		t.Errorf("held until %v", c.Until)
	}
}
