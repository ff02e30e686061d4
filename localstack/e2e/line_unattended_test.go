package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/rights"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// unattendedFor is how long nobody has looked after a line when whoever meets it
// runs it himself.
const unattendedFor = 10 * time.Second

func pauseAll(t *testing.T, sources ...string) {
	t.Helper()
	for _, id := range sources {
		must(t, stack.Pause(t.Context(), id))
	}
}

// TestLineUnattended: with the lane's function and every timer dead the line moves
// by those who look at it: who waits, who is refused a seat of it, who comes back.
func TestLineUnattended(t *testing.T) {
	dead := []string{advanceLine, expireHold, expireTimer}
	on := parallelWithout(t, dead, relayHolds, relayLine, projectHolds, projectPool)
	must(t, stack.Resume(advanceLine))
	cases := []func(*testing.T){unattendedPoll(t), unattendedWalkUp(t), unattendedReturn(t), unattendedLimit(t)}
	pauseAll(t, advanceLine)
	// Side by side, for they wait for the same ends; not as parallel tests, of which
	// those that wait for this one to end may have taken all places.
	several(len(cases), func(i int) bool { cases[i](t); return true })
	on()
}

// abandonedHold takes the seats, and has an order that is never paid.
func abandonedHold(t *testing.T, s *show, seats ...string) apiclient.Hold {
	t.Helper()
	b := guest(t)
	h := b.hold(s, seats...)
	b.pay(h.ID, "decline")
	return h
}

// unattendedPoll: he is numbered, what is free is set aside for him, what has
// expired comes to him, he is offered it, and who has left is tidied away, all by
// his own polls and those of one behind him.
func unattendedPoll(t *testing.T) func(*testing.T) {
	s := shop.row(t, "RRRP")
	return func(t *testing.T) {
		guest(t).hold(s, "A-3")
		h := abandonedHold(t, s, "A-2", "A-4")
		w := guest(t).asks(s, 2, "regular")
		if w.State != "joining" || w.Number != 0 {
			t.Errorf("without a lane the place is %s", w.State)
		}
		x := guest(t).asks(s, 2, "regular")
		w.awaits("waiting").stands(1, 0)
		x.awaits("waiting", "offered")
		x.leave() // whose entry the next run tidies
		until(t, h.ExpiresAt.Add(graceTime))
		end := time.Now().Add(unattendedFor + 15*time.Second)
		for w.State == "waiting" && time.Now().Before(end) {
			w.Place = read[apiclient.Place](w.buyer, w.path()+"?wait_seconds=25&since="+w.Version)
		}
		if w.State != "offered" || len(w.Offer.Proposed) != 2 {
			t.Fatalf("%+v", w.Place)
		}
		w.accept()
	}
}

// unattendedWalkUp: who meets a seat of the line runs it, and gets the seat once
// nobody waits any more.
func unattendedWalkUp(t *testing.T) func(*testing.T) {
	s := shop.row(t, "RRRP")
	guest(t).hold(s, "A-3")
	h := abandonedHold(t, s, "A-2", "A-4")
	w := guest(t).join(s, 2, "regular")
	return func(t *testing.T) {
		b := guest(t)
		_, err := b.try(s, "A-1")
		refused(t, err, 409, "seats_unavailable")
		until(t, h.ExpiresAt.Add(graceTime))
		eventually(t, unattendedFor+5*time.Second, func() error {
			_, err := b.try(s, "A-1")
			if p := refused(t, err, 409, "seats_unavailable"); p.Conflicts[0].Reason != "line" {
				t.Fatalf("he is told %+v", p)
			}
			got, err := shop.store.Waiter(t.Context(), line.WaiterID(w.Place.ID))
			if err == nil && got.State != line.Offered {
				err = yet("who waits is %s", got.State)
			}
			return err
		})
		w.leave()
		eventually(t, unattendedFor+5*time.Second, func() error { _, err := b.try(s, "A-1"); return err })
	}
}

// unattendedReturn: his offer has lapsed, and nobody has said so; he joins again.
// The run that this is finds one beside him whom a run had numbered and then died.
func unattendedReturn(t *testing.T) func(*testing.T) {
	a, c := lapsedBeside(t)
	return func(t *testing.T) {
		until(t, a.Offer.ExpiresAt.Add(graceTime))
		c.interrupted(t, a)
		eventually(t, 10*time.Second, func() error { // his seats may be free, or the map may not tell yet
			p, err := a.tryJoin(c.show, 1, "premium")
			if err == nil && p.State != "joining" {
				err = yet("he is %s", p.State)
			}
			if problem, ok := err.(*apiclient.Problem); ok && problem.Code == "seats_free" {
				err = nil
			}
			return err
		})
		got, err := shop.store.Waiter(t.Context(), line.WaiterID(a.Place.ID))
		must(t, err)
		if got.State != line.Lapsed {
			t.Errorf("the first place is %s", got.State)
		}
		c.reached(t)
	}
}

// beside waits for another type than somebody whose offer is about to lapse.
type beside struct {
	*show
	*waiter
}

// lapsedBeside: the first is offered a premium seat and lets it lapse.
func lapsedBeside(t *testing.T) (*waiter, *beside) {
	t.Helper()
	s := shop.row(t, "RRP")
	p := guest(t)
	h := held{p, p.hold(s, "A-3")}
	a := guest(t).join(s, 1, "premium")
	h.giveBack()
	a.awaits("offered")
	return a, &beside{show: s}
}

// interrupted: one joins for regular seats, of which one is free, and the run that
// gave him his number died before it looked what was free.
func (c *beside) interrupted(t *testing.T, first *waiter) {
	t.Helper()
	guest(t).hold(c.show, "A-2")
	b := guest(t)
	c.waiter = b.asks(c.show, 2, "regular")
	ctx := t.Context()
	st, err := shop.store.LineState(ctx, c.show.ID, line.Reading{})
	must(t, err)
	w, err := shop.store.Waiter(ctx, line.WaiterID(c.Place.ID))
	must(t, err)
	if w.State != line.Asked {
		t.Fatalf("without a lane he is %s", w.State)
	}
	w.State, w.Number = line.Entering, st.Next
	wanted := []seatmap.SeatType{seatmap.Premium, seatmap.Regular}
	plan := line.Plan{Gates: true, Wanted: wanted, Dry: st.Dry, Number: []line.Waiter{w}, Next: st.Next + 1}
	must(t, shop.store.CommitLine(ctx, c.show.ID, st, plan, line.Stamp{Now: time.Now()}))
}

// reached: what was free has been set aside for him, and he waits for the rest.
func (c *beside) reached(t *testing.T) {
	t.Helper()
	got, err := shop.store.Waiter(t.Context(), line.WaiterID(c.Place.ID))
	must(t, err)
	st, err := shop.store.LineState(t.Context(), c.show.ID, line.Reading{})
	must(t, err)
	if got.State != line.Waiting || len(st.Pool) != 1 || st.Pool[0].Seat != "A-1" {
		t.Errorf("he is %s, set aside is %+v", got.State, st.Pool)
	}
}

// unattendedLimit: his own overdue hold stood in the way of his offer.
func unattendedLimit(t *testing.T) func(*testing.T) {
	s := shop.row(t, "RRRRRRRRRRP")
	b, other := guest(t), guest(t)
	own := []string{"A-11"}
	for i := range 9 {
		own = append(own, fmt.Sprintf("A-%d", i+1))
	}
	last := held{other, other.hold(s, "A-10")}
	mine := b.hold(s, own...)
	b.pay(mine.ID, "decline")
	w := b.join(s, 1, "regular")
	return func(t *testing.T) {
		until(t, mine.ExpiresAt.Add(graceTime-offerTime+time.Second))
		last.giveBack()
		// Nobody runs the lane: the offer is made by a look of his own.
		eventually(t, unattendedFor+10*time.Second, func() error {
			if w.look().State != "offered" {
				return yet("he is %s", w.State)
			}
			return nil
		})
		until(t, mine.ExpiresAt.Add(graceTime))
		w.accept()
	}
}

// TestLineSwept: the run that a poll asks for ends what is overdue, though no timer
// tells of it, and offers it.
func TestLineSwept(t *testing.T) {
	on := parallelWithout(t, []string{expireHold, expireTimer}, advanceLine, relayHolds, relayLine, projectHolds, projectPool)
	s := shop.row(t, "RRP")
	guest(t).buy(s, "A-2")
	h := abandonedHold(t, s, "A-1", "A-3")
	w := guest(t).join(s, 1, "regular")
	w.awaits("offered")
	if made := w.made(); made.Before(h.ExpiresAt.Add(graceTime)) {
		t.Errorf("offered at %s, before the hold's end", made)
	}
	w.accept()
	if !slices.ContainsFunc(slices.Collect(maps.Keys(stack.Rights().Used)), func(u rights.Use) bool {
		return u.Function == "AdvanceLine" && u.Action == "dynamodb:PutItem" && strings.HasSuffix(u.Resource, "Holds")
	}) {
		t.Error("the lane has ended no hold: another than the poll's run was faster")
	}
	on()
}

// TestLineQueueIsLost: what was in the lane's queue is gone; those who wait ask for
// another run, and are served in their order.
func TestLineQueueIsLost(t *testing.T) {
	on := parallelWithout(t, []string{advanceLine}, expireHold, relayHolds, relayLine)
	must(t, stack.Resume(advanceLine))
	s := small(t, 2)
	seats := full(t, s, 1)
	a, b := guest(t).join(s, 1), guest(t).join(s, 1)
	pauseAll(t, advanceLine)
	c := guest(t).asks(s, 1)
	seats[0].giveBack()
	url := variable("QUEUE_LaneQueue")
	eventually(t, 10*time.Second, func() error { // the release's message is there
		st, err := shop.store.LineState(t.Context(), s.ID, line.Reading{})
		if err == nil && len(st.Pool) != 1 {
			err = yet("%d seats are set aside", len(st.Pool))
		}
		return err
	})
	_, err := stack.Clients().Queues.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
	must(t, err)
	on()
	a.awaits("offered")
	c.awaits("waiting")
	if b.look().State != "waiting" {
		t.Errorf("the second is %s", b.State)
	}
	seats[1].giveBack()
	b.awaits("offered").accept()
	if c.look().State != "waiting" || c.Number != 3 {
		t.Errorf("the last one is %s with number %d", c.State, c.Number)
	}
	a.accept()
	c.leave()
	shop.balanced(t, s)
}
