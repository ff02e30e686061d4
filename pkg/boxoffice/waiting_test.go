package boxoffice_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// soldOut is a desk whose regular seats are all held by "early", two by two.
func soldOut(t testing.TB) (*desk, []booking.Hold) {
	t.Helper()
	d := newDesk(t)
	d.LineCloses = 15 * time.Minute
	var holds []booking.Hold
	for i := 0; i < 12; i += 2 {
		a, b := d.layout.At(i).ID, d.layout.At(i+1).ID
		holds = append(holds, d.hold(booking.Buyer(fmt.Sprint("early-", i)), "k", a, b))
	}
	return d, holds
}

func wait(b booking.Buyer, key string, party int, types ...seatmap.SeatType) boxoffice.Join {
	return boxoffice.Join{Buyer: b, Key: key, BodyHash: fmt.Sprint(party, types), Show: matinee, Party: party, Types: types}
}

// join asks, and lets the lane write the number.
func (d *desk) join(b booking.Buyer, key string, party int, types ...seatmap.SeatType) boxoffice.Standing {
	d.t.Helper()
	st, err := d.Join(d.ctx(), wait(b, key, party, types...))
	if err != nil {
		d.t.Fatalf("%s joins: %v", b, explain(err))
	}
	d.lane(st.Waiter.ID)
	return d.see(st.Waiter)
}

func (d *desk) lane(named ...line.WaiterID) {
	d.t.Helper()
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{Named: named}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) see(w line.Waiter) boxoffice.Standing {
	d.t.Helper()
	st, err := d.See(d.ctx(), w.Buyer, w.ID)
	if err != nil {
		d.t.Fatalf("%s looks: %v", w.Buyer, err)
	}
	return st
}

func (d *desk) wantState(w line.Waiter, want line.WaiterState) boxoffice.Standing {
	d.t.Helper()
	st := d.see(w)
	if st.Waiter.State != want {
		d.t.Fatalf("%s is %s, want %s", w.Buyer, st.Waiter.State, want)
	}
	return st
}

// TestLineInOrder: who came first is offered first, all or nothing, and nobody
// passes a party that does not fit (FirstComeFirstServed, A15).
func TestLineInOrder(t *testing.T) {
	d, holds := soldOut(t)
	a, b, c := d.join("a", "1", 3, seatmap.Regular), d.join("b", "1", 1, seatmap.Regular), d.join("c", "1", 2, seatmap.Regular)
	for i, st := range []boxoffice.Standing{a, b, c} {
		if st.Waiter.State != line.Waiting || st.Waiter.Number != int64(i+1) || st.Ahead != i || st.Policy.Rule != line.Strict {
			t.Fatalf("place %d: %+v", i, st)
		}
	}
	d.giveBack(holds[0])
	d.lane()
	why := d.wantState(b.Waiter, line.Waiting).Why
	if why == nil || *why != (line.Because{Number: 1, Needs: 3, Aside: 2}) {
		t.Errorf("b waits because %+v", why)
	}
	if no := d.refusal(wish("walk-up", "1", "A-1")); no.Conflicts[0].Reason != booking.StandingLine || no.Next != booking.ChooseOther {
		t.Errorf("a walk-up is told %+v", *no)
	}
	d.giveBack(holds[1])
	d.lane()
	offer := d.wantState(a.Waiter, line.Offered)
	if len(offer.Waiter.Offer.Seats) != 3 || len(offer.Choice) != 3 {
		t.Errorf("a is offered %+v", offer.Choice)
	}
	d.wantState(b.Waiter, line.Offered)
	if st := d.wantState(c.Waiter, line.Waiting); st.Ahead != 2 {
		t.Errorf("%d ahead of c", st.Ahead)
	}
	h, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "x", BodyHash: "{}"})
	if err != nil || len(h.Seats) != 3 || h.State != booking.Held {
		t.Fatalf("a accepts: %+v, %v", h, err)
	}
	again, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "x", BodyHash: "{}"})
	if err != nil || again.ID != h.ID {
		t.Errorf("a accepts again: %+v, %v", again, err)
	}
	_, err = d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "x", BodyHash: "other"})
	wantErr(t, err, booking.ErrOtherBody)
	d.lane(a.Waiter.ID)
	if st := d.see(c.Waiter); st.Ahead != 1 {
		t.Errorf("%d ahead of c after a's end", st.Ahead)
	}
	d.sellHold(h)
}

// TestDeclineReachesTheNext, and so does a lapse; what was proposed is never the
// public's in between (NoGap).
func TestDeclineReachesTheNext(t *testing.T) {
	d, holds := soldOut(t)
	a, b, c := d.join("a", "1", 2, seatmap.Regular), d.join("b", "1", 2, seatmap.Regular), d.join("c", "1", 2, seatmap.Regular)
	d.giveBack(holds[0])
	d.lane()
	d.wantState(a.Waiter, line.Offered)
	for range 2 {
		if err := d.DeclineOffer(d.ctx(), "a", a.Waiter.ID); err != nil {
			t.Fatal(err)
		}
	}
	d.refusal(wish("walk-up", "1", "A-1"))
	d.lane(a.Waiter.ID)
	st := d.wantState(b.Waiter, line.Offered)
	d.clock.set(st.Waiter.Offer.ExpiresAt.Add(policy.Grace - time.Millisecond))
	d.lane(b.Waiter.ID)
	d.wantState(b.Waiter, line.Offered)
	d.clock.set(st.Waiter.Offer.ExpiresAt.Add(policy.Grace))
	d.wantState(b.Waiter, line.Lapsed) // by his own look
	_, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "b", Waiter: b.Waiter.ID, Key: "x"})
	wantErr(t, err, booking.ErrHoldExpired)
	d.wantState(c.Waiter, line.Offered)
	if err := d.LeaveLine(d.ctx(), "c", c.Waiter.ID); err != nil {
		t.Fatal(err)
	}
	d.refusal(wish("walk-up", "2", "A-1"))
	d.lane(c.Waiter.ID) // nobody wants them any more
	d.hold("walk-up", "3", "A-1", "A-2")
	if s, err := d.store.LineState(d.ctx(), matinee, line.Reading{}); err != nil || len(s.Wanted)+len(s.Pool)+len(s.Waiters)+s.Places.Count() != 0 {
		t.Errorf("left behind: %+v, %v", s, err)
	}
}

// TestCoolDown: who declined or let lapse twice waits before he joins again.
func TestCoolDown(t *testing.T) {
	d, holds := soldOut(t)
	for i := range 2 {
		a := d.join("a", fmt.Sprint(i), 2, seatmap.Regular)
		d.giveBack(holds[i])
		d.lane()
		d.wantState(a.Waiter, line.Offered)
		if err := d.LeaveLine(d.ctx(), "a", a.Waiter.ID); err != nil {
			t.Fatal(err)
		}
		d.join("b", fmt.Sprint(i), 2, seatmap.Regular) // takes what a left
		if i == 0 {
			w := boxoffice.WaiterIDFor("b", matinee, "0")
			if _, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "b", Waiter: w, Key: "x"}); err != nil {
				t.Fatal(explain(err))
			}
		}
	}
	_, err := d.Join(d.ctx(), wait("a", "3", 2, seatmap.Regular))
	wantErr(t, err, line.ErrCoolDown)
	d.clock.set(d.clock.Now().Add(line.Standard.CoolDown))
	if _, err := d.Join(d.ctx(), wait("a", "3", 2, seatmap.Regular)); errors.Is(err, line.ErrCoolDown) {
		t.Error("the cool-down does not end")
	}
}

// TestJoinRefused in the contract's order, and a repeated request has its answer.
func TestJoinRefused(t *testing.T) {
	d, holds := soldOut(t)
	_, err := d.Join(d.ctx(), wait("a", "0", 2, seatmap.Premium))
	wantErr(t, err, line.ErrSeatsFree)
	_, err = d.Join(d.ctx(), wait("a", "0", 11))
	wantErr(t, err, line.ErrParty)
	a := d.join("a", "1", 2, seatmap.Regular)
	if again := d.join("a", "1", 2, seatmap.Regular); again.Waiter.ID != a.Waiter.ID || again.Waiter.Number != 1 {
		t.Errorf("again: %+v", again)
	}
	_, err = d.Join(d.ctx(), boxoffice.Join{Buyer: "a", Key: "1", BodyHash: "other", Show: matinee, Party: 1})
	wantErr(t, err, booking.ErrOtherBody)
	_, err = d.Join(d.ctx(), wait("a", "2", 2, seatmap.Regular))
	wantErr(t, err, line.ErrAlreadyWaiting)
	_, err = d.See(d.ctx(), "b", a.Waiter.ID)
	wantErr(t, err, line.ErrNotFound)
	show := d.hall.shows[matinee]
	show.NoLine = true
	d.hall.shows[matinee] = show
	_, err = d.Join(d.ctx(), wait("b", "1", 2, seatmap.Regular))
	wantErr(t, err, boxoffice.ErrNoLine)
	show.NoLine = false
	d.hall.shows[matinee] = show
	d.clock.set(show.StartsAt.Add(-15 * time.Minute))
	_, err = d.Join(d.ctx(), wait("b", "1", 2, seatmap.Regular))
	if !errors.Is(err, line.ErrSeatsFree) && !errors.Is(err, booking.ErrSalesClosed) {
		t.Errorf("after the line has closed: %v", err)
	}
	_ = holds
}

// TestInVain: who needs more than can still come free is told with the sale that
// makes it so (A15).
func TestInVain(t *testing.T) {
	d, holds := soldOut(t)
	big, small := d.join("big", "1", 3, seatmap.Regular), d.join("small", "1", 2, seatmap.Regular)
	for _, h := range holds[:4] {
		d.sellHold(h)
	}
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{Sold: true}); err != nil {
		t.Fatal(err)
	}
	d.wantState(big.Waiter, line.Waiting)
	d.sellHold(holds[4])
	all := make([]seatmap.SeatID, d.layout.Len())
	for i := range all {
		all[i] = d.layout.At(i).ID
	}
	if err := d.Project(d.ctx(), matinee, all); err != nil {
		t.Fatal(err)
	}
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{Sold: true}); err != nil {
		t.Fatal(err)
	}
	d.wantState(big.Waiter, line.Infeasible)
	d.wantState(small.Waiter, line.Waiting)
	d.overdue(holds[5])
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{Sweep: true}); err != nil {
		t.Fatal(err)
	}
	d.wantState(small.Waiter, line.Offered)
}

// TestInVainFromTheStart: who asks before the sale that leaves too few, and is
// numbered after it, is told at once too: nothing was wanted when it was sold.
func TestInVainFromTheStart(t *testing.T) {
	d, holds := soldOut(t)
	for _, h := range holds[:4] {
		d.sellHold(h)
	}
	st, err := d.Join(d.ctx(), wait("big", "1", 3, seatmap.Regular))
	if err != nil || st.Waiter.State != line.Asked {
		t.Fatalf("%+v, %v", st, err)
	}
	d.sellHold(holds[4])
	all := make([]seatmap.SeatID, d.layout.Len())
	for i := range all {
		all[i] = d.layout.At(i).ID
	}
	if err := d.Project(d.ctx(), matinee, all); err != nil {
		t.Fatal(err)
	}
	if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{Named: []line.WaiterID{st.Waiter.ID}, Joined: true}); err != nil {
		t.Fatal(err)
	}
	d.wantState(st.Waiter, line.Infeasible)
}

// TestChoice: any seat set aside for nobody of the offer's types may be chosen
// instead, and the proposal is safe when it goes to another.
func TestChoice(t *testing.T) {
	d, holds := soldOut(t)
	a, b := d.join("a", "1", 1, seatmap.Regular), d.join("b", "1", 5, seatmap.Regular)
	d.giveBack(holds[0])
	d.giveBack(holds[1])
	d.lane()
	st := d.wantState(a.Waiter, line.Offered)
	if len(st.Choice) != 4 || st.Choice[0].Seat != st.Waiter.Offer.Seats[0].Seat {
		t.Fatalf("a may choose from %+v", st.Choice)
	}
	other := st.Choice[2].Seat
	_, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "1", Seats: []seatmap.SeatID{"C-1"}})
	wantErr(t, err, line.ErrNotYourSeat)
	_, err = d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "1", Seats: []seatmap.SeatID{other, st.Choice[1].Seat}})
	wantErr(t, err, line.ErrPartySize)
	h, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "1", Seats: []seatmap.SeatID{other}})
	if err != nil || h.Seats[0].ID != other {
		t.Fatalf("%+v, %v", h, explain(err))
	}
	d.lane(a.Waiter.ID)
	d.wantState(b.Waiter, line.Waiting)
	d.giveBack(h)
	d.giveBack(holds[2])
	d.lane()
	st = d.wantState(b.Waiter, line.Offered)
	if len(st.Waiter.Offer.Seats) != 5 {
		t.Fatalf("%+v", st)
	}
	var four []seatmap.SeatID
	for _, a := range st.Waiter.Offer.Seats[:4] {
		four = append(four, a.Seat)
	}
	_, err = d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "b", Waiter: b.Waiter.ID, Key: "1", Seats: four})
	wantErr(t, err, line.ErrPartySize)
}

// TestLineOfItself: with every queue dead a poll, and a refused walk-up, move the
// line (WaiterNeverLost).
func TestLineOfItself(t *testing.T) {
	d, holds := soldOut(t)
	st, err := d.Join(d.ctx(), wait("a", "1", 2, seatmap.Regular))
	if err != nil || st.Waiter.State != line.Asked {
		t.Fatalf("%+v, %v", st, err)
	}
	d.clock.set(d.clock.Now().Add(10 * time.Second))
	if got := d.see(st.Waiter); got.Waiter.State != line.Waiting || got.Waiter.Number != 1 {
		t.Fatalf("after ten seconds: %+v", got)
	}
	d.giveBack(holds[3])
	d.clock.set(d.clock.Now().Add(11 * time.Second))
	d.wantState(st.Waiter, line.Offered)
}

// TestLineCloses: then nobody waits, and what was set aside is the public's.
func TestLineCloses(t *testing.T) {
	d, holds := soldOut(t)
	show := d.hall.shows[matinee]
	show.StartsAt = opening.Add(40 * time.Minute)
	show.SaleClosesAt = show.StartsAt
	d.hall.shows[matinee] = show
	var all []boxoffice.Standing
	for i := range 40 {
		all = append(all, d.join(booking.Buyer(fmt.Sprint("b", i)), "1", 3, seatmap.Regular))
	}
	d.giveBack(holds[0])
	d.lane()
	d.clock.set(d.hall.shows[matinee].StartsAt.Add(-d.LineCloses))
	d.lane()
	for _, st := range all {
		d.wantState(st.Waiter, line.TimedOut)
	}
	if _, taken := d.owner("A-1"); taken {
		t.Error("A-1 is not free")
	}
	s, err := d.store.LineState(d.ctx(), matinee, line.Reading{Front: -1})
	if err != nil || len(s.Wanted)+len(s.Pool)+len(s.Waiters) != 0 || s.Places.Count() != 0 {
		t.Errorf("left behind: %+v, %v", s, err)
	}
}

// TestLongLine: an advance reads and writes as much before ten as before a thousand.
func TestLongLine(t *testing.T) {
	cost := func(n int) meter.Counts {
		d, holds := soldOut(t)
		var ids []line.WaiterID
		for i := range n {
			st, err := d.Join(d.ctx(), wait(booking.Buyer(fmt.Sprint("b", i)), "1", 2, seatmap.Regular))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, st.Waiter.ID)
		}
		for some := range slices.Chunk(ids, 10) {
			d.lane(some...)
		}
		d.giveBack(holds[0])
		m := meter.New(d.db)
		o := d.office(store.New(m, policy))
		if err := o.RunLane(d.ctx(), matinee, boxoffice.Wake{}); err != nil {
			t.Fatal(err)
		}
		st, err := d.store.LineState(d.ctx(), matinee, line.Reading{Front: -1})
		if i := slices.IndexFunc(st.Waiters, func(w line.Waiter) bool { return w.State == line.Offered }); err != nil || i < 0 || st.Waiters[i].Number != 1 {
			t.Fatalf("waiter %d is offered, %v", i, err)
		}
		return m.Snapshot()
	}
	ten, thousand := cost(20), cost(1000)
	if !maps.Equal(ten.Requests, thousand.Requests) || ten.Of(meter.Transact) != thousand.Of(meter.Transact) {
		t.Errorf("an advance costs %+v before twenty, %+v before a thousand", ten, thousand)
	}
}

// TestSeatsFreeIsReadAnew: a snapshot of before the rush sends nobody back to a map
// with nothing on it.
func TestSeatsFreeIsReadAnew(t *testing.T) {
	d := newDesk(t)
	d.hold("first", "k", "A-1", "A-2")
	if err := d.Project(d.ctx(), matinee, []seatmap.SeatID{"A-1", "A-2"}); err != nil {
		t.Fatal(err)
	}
	for i := 2; i < 12; i += 2 {
		d.hold(booking.Buyer(fmt.Sprint("rush-", i)), "k", d.layout.At(i).ID, d.layout.At(i+1).ID)
	}
	if st := d.join("a", "1", 2, seatmap.Regular); st.Waiter.State != line.Waiting {
		t.Errorf("a is %s", st.Waiter.State)
	}
}

// TestLapsesCoolDown: two offers that lapsed do as two that were declined.
func TestLapsesCoolDown(t *testing.T) {
	d, holds := soldOut(t)
	for i := range 2 {
		a := d.join("a", fmt.Sprint(i), 2, seatmap.Regular)
		d.join("b", fmt.Sprint(i), 9, seatmap.Regular) // keeps the gates open
		d.giveBack(holds[i])
		d.lane()
		st := d.wantState(a.Waiter, line.Offered)
		d.clock.set(st.Waiter.Offer.ExpiresAt.Add(policy.Grace))
		d.lane()
		d.wantState(a.Waiter, line.Lapsed)
		if err := d.LeaveLine(d.ctx(), "b", boxoffice.WaiterIDFor("b", matinee, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		d.lane(boxoffice.WaiterIDFor("b", matinee, fmt.Sprint(i)))
		d.hold("c", fmt.Sprint(i), holds[i].Seats[0].ID, holds[i].Seats[1].ID)
	}
	_, err := d.Join(d.ctx(), wait("a", "3", 2, seatmap.Regular))
	wantErr(t, err, line.ErrCoolDown)
}
