package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	kinds "github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// joiner is somebody's place in line, as he knows it.
type joiner struct {
	wish   boxoffice.Join
	id     line.WaiterID
	buyer  int
	tries  int
	told   boxoffice.Standing // what he was told last
	polls  []time.Duration    // how often he asks; none: he sleeps
	polled bool               // a poll of his is under way or appointed
	chosen bool               // he has decided what to do with his offer
	choice *answer
	gone   bool // he asks no more
}

// answer is one answer to an offer, sent once or more often under one key.
type answer struct {
	of    *joiner
	how   string // accept, decline, leave
	key   string
	seats []seatmap.SeatID
	tries int
	hold  string // that the first acceptance gave
}

// waitInLine is what happens most where many wait.
func (c *crowd) waitInLine() {
	t := c.w.tape
	switch t.pick(24) {
	case 0, 1, 2:
		c.fill(c.lineShow())
	case 3, 4, 5, 6, 7, 8, 9:
		c.stampede(1)
	case 10:
		c.stampede(2 + t.pick(4))
	case 11, 12:
		c.ofJoiner(func(j *joiner) { c.see(j, of(t, 0, 0, 5, 25)) })
	case 13, 14:
		c.ofJoiner(func(j *joiner) { c.answers(j, "leave", nil) })
	case 15:
		c.ofJoiner(func(j *joiner) { c.answers(j, of(t, "accept", "decline"), nil) })
	case 16:
		c.ofJoiner(c.joinAgain)
	case 17, 18:
		c.ofHold("DELETE", "release-hold")
	case 19:
		c.letGo()
	case 20:
		c.pay()
	case 21:
		c.purge()
	case 22:
		c.nudge(c.lineShow())
	case 23:
		c.snatch()
	}
}

// stampede: so many want to wait, as a rule because little is left.
func (c *crowd) stampede(n int) {
	w, show := c.w, c.lineShow()
	wait := time.Duration(0)
	if len(c.free(show)) > of(w.tape, 0, 0, 1, 3, hall.Len()) {
		c.fill(show)
		wait = time.Second
	}
	for range n {
		buyer := c.someBuyer()
		w.after(wait, func() { c.join(buyer, show) })
	}
}

func (c *crowd) lineShow() catalog.ShowID {
	return of(c.w.tape, evening, evening, evening, tidy, tidy, closing, unlined)
}

// fill sells a show out, or nearly so: to buyers, or to the house.
func (c *crowd) fill(show catalog.ShowID) {
	t, free := c.w.tape, c.free(show)
	free = free[:max(len(free)-of(t, 0, 0, 1, 3), 0)]
	if n := len(free); n > 0 && free[n-1] == "balcony-B-1" {
		free = free[:n-1] // a loveseat is sold as a pair
	}
	if t.oneIn(4) && len(free) > 0 {
		c.block(show, free)
		return
	}
	for buyer := t.pick(buyers - 1); len(free) > 0; buyer++ {
		n := min(len(free), of(t, 4, 2, 6, 10))
		if n < len(free) && free[n-1] == "balcony-B-1" {
			n--
		}
		c.named(buyer%(buyers-1), show, free[:max(n, 1)])
		free = free[max(n, 1):]
	}
}

func (c *crowd) free(show catalog.ShowID) (ids []string) {
	for i := range hall.Len() {
		if id := string(hall.At(i).ID); c.w.judge.claims[place{string(show), id}] == "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// letGo frees what the house has blocked.
func (c *crowd) letGo() {
	if len(c.blocks) == 0 {
		return
	}
	w, id := c.w, c.blocks[c.w.tape.pick(len(c.blocks))]
	w.spawn("house", string(booking.House), w.latency(), func(ctx context.Context) { _, _ = w.cur.on.office.End(ctx, id, booking.ByHouse) }, nil)
}

func (c *crowd) join(buyer int, show catalog.ShowID) {
	t := c.w.tape
	c.keys++
	j := &joiner{buyer: buyer, wish: boxoffice.Join{
		Buyer: guests[buyer].Buyer, Key: fmt.Sprintf("join %d", c.keys), BodyHash: "a body", Show: show, Party: of(t, 1, 1, 2, 2, 2, 3, 4, 6, 10, 11),
		Types: of(t, nil, nil, []seatmap.SeatType{seatmap.Regular}, []seatmap.SeatType{seatmap.Premium}, []seatmap.SeatType{seatmap.Regular, seatmap.Premium}, []seatmap.SeatType{seatmap.Loveseat}),
	}}
	j.id = boxoffice.WaiterIDFor(j.wish.Buyer, show, j.wish.Key)
	j.polls = of(t, []time.Duration{700 * time.Millisecond, 3 * time.Second, 9 * time.Second}, []time.Duration{20 * time.Second, 45 * time.Second}, nil)
	c.line = append(c.line, j)
	c.w.judge.asks(j)
	c.ask(j)
	if t.oneIn(10) {
		c.ask(j)
	}
}

// joinAgain repeats the wish, says another thing under its key, or wishes anew.
func (c *crowd) joinAgain(j *joiner) {
	switch n := c.w.tape.pick(3); {
	case n == 0:
		c.ask(j)
	case n == 1:
		c.join(j.buyer, j.wish.Show)
	case j.told.Waiter.ID != "": // before, either body may be the first
		wish := j.wish
		wish.BodyHash, wish.Party = "another body", j.wish.Party%9+1
		visit(c.w, "join-line", j.buyer, func(ctx context.Context, o *boxoffice.Office) (boxoffice.Standing, error) { return o.Join(ctx, wish) },
			tellStanding, func(s boxoffice.Standing, err error) {
				if err == nil {
					c.w.fail("OneEffect", "another body under %s got place %s", wish.Key, s.Waiter.ID)
				}
			}, nil)
	}
}

func (c *crowd) ofJoiner(do func(*joiner)) {
	if len(c.line) > 0 {
		do(c.line[c.w.tape.pick(len(c.line))])
	}
}

// visit runs a use case as a function's invocation. heard gets the answer, unheard
// is called where none comes.
func visit[T any](w *world, handler string, buyer int, do func(context.Context, *boxoffice.Office) (T, error), tell func(T) string, heard func(T, error), unheard func()) {
	var v T
	var err error
	var t *task
	t = w.spawn(handler, string(guests[buyer].Buyer), w.latency(), func(ctx context.Context) {
		v, err = do(ctx, w.cur.on.office)
	}, func(ok bool) {
		t.call = ""
		if ok {
			text := ""
			if err == nil {
				text = tell(v)
			}
			w.trace(t, text, err)
			if w.tell {
				w.note(t, fmt.Sprintf("answers %s %v", text, err))
			}
			ok = w.calm || !w.tape.oneIn(24)
		} else {
			w.note(t, "gives no answer")
		}
		switch {
		case ok:
			heard(v, err)
		case unheard != nil:
			unheard()
		}
	})
}

func tellStanding(s boxoffice.Standing) string {
	return fmt.Sprint(s.Waiter.State, " ", s.Waiter.Number, " ", s.Ahead, " ", len(s.Choice))
}

// unsure: the client has to ask again to know.
func unsure(err error) bool {
	switch kinds.KindOf(err) {
	case kinds.Invalid, kinds.NotFound, kinds.Conflict:
		return false
	}
	return err != nil
}

var retries = []time.Duration{100 * time.Millisecond, 700 * time.Millisecond, 3 * time.Second, 20 * time.Second}

// ask sends the wish to wait.
func (c *crowd) ask(j *joiner) {
	w := c.w
	again := func() {
		if j.tries++; j.tries < 4 {
			w.after(of(w.tape, retries...), func() { c.ask(j) })
		}
	}
	visit(w, "join-line", j.buyer, func(ctx context.Context, o *boxoffice.Office) (boxoffice.Standing, error) { return o.Join(ctx, j.wish) },
		tellStanding, func(s boxoffice.Standing, err error) {
			switch {
			case unsure(err):
				c.reasonable(err)
				again()
			case err == nil:
				c.hearPlace(j, s)
			default:
				w.judge.refusedJoin(j, err)
			}
		}, again)
}

// reasonable: no wish may meet a state that cannot be.
func (c *crowd) reasonable(err error) {
	for _, bad := range []error{line.ErrPolicy, line.ErrLayout, line.ErrWaiter} {
		if errors.Is(err, bad) {
			c.w.fail("Answer", "somebody in line was answered %v", err)
		}
	}
}

// see polls, for so many seconds where it waits for a change.
func (c *crowd) see(j *joiner, seconds int) {
	w := c.w
	since := ""
	if seconds > 0 {
		since = j.told.Version()
	}
	visit(w, "read-place", j.buyer, func(ctx context.Context, o *boxoffice.Office) (boxoffice.Standing, error) {
		return o.Await(ctx, j.wish.Buyer, j.id, since, time.Duration(seconds)*time.Second)
	}, tellStanding, func(s boxoffice.Standing, err error) {
		c.reasonable(err)
		if err == nil {
			c.hearPlace(j, s)
		} else if errors.Is(err, line.ErrNotFound) {
			w.judge.notThere(j)
		}
	}, nil)
}

// hearPlace is what somebody in line makes of how he stands.
func (c *crowd) hearPlace(j *joiner, s boxoffice.Standing) {
	w := c.w
	w.judge.toldPlace(j, s)
	j.told = s
	switch {
	case s.Waiter.State.Ended():
		j.gone = true
		if !w.calm && w.tape.oneIn(3) {
			w.after(of(w.tape, retries...), func() { c.join(j.buyer, j.wish.Show) })
		}
		return
	case s.Waiter.State == line.Offered && !j.chosen:
		j.chosen = true
		c.decide(j, s)
	}
	if len(j.polls) > 0 && !j.polled && !w.calm {
		c.appoint(j)
	}
}

// appoint is the next poll of somebody who does not sleep.
func (c *crowd) appoint(j *joiner) {
	j.polled = true
	w := c.w
	w.after(of(w.tape, j.polls...), func() {
		j.polled = false
		if w.calm || j.gone {
			return
		}
		c.see(j, of(w.tape, 0, 0, 0, 4))
		if !j.polled {
			c.appoint(j)
		}
	})
}

// decide is what somebody does with his offer: at once, later, around its end, never.
func (c *crowd) decide(j *joiner, s boxoffice.Standing) {
	w := c.w
	how := of(w.tape, "accept", "accept", "accept", "choose", "choose", "decline", "leave", "nothing", "nothing")
	if how == "nothing" {
		return
	}
	var seats []seatmap.SeatID
	if how == "choose" {
		how = "accept"
		for _, a := range s.Choice {
			seats = append(seats, a.Seat)
		}
		seats = seats[w.tape.pick(max(len(seats)-j.wish.Party, 0)+1):]
		seats = slices.Clone(seats[:min(len(seats), j.wish.Party)])
	}
	wait := time.Duration(of(w.tape, 0, 100, 1000, 8000)) * time.Millisecond
	if w.tape.oneIn(4) {
		around := time.Duration(of(w.tape, -100, 0, 2000, 4500, 5000, 5100, 7000, 9000)) * time.Millisecond
		wait = max(s.Waiter.Offer.ExpiresAt.Add(around).Sub(w.now), 0)
	}
	w.after(wait, func() { c.answers(j, how, seats) })
}

// answers sends an answer, now and then twice or a third time later.
func (c *crowd) answers(j *joiner, how string, seats []seatmap.SeatID) {
	w := c.w
	c.keys++
	a := &answer{of: j, how: how, key: fmt.Sprintf("answer %d", c.keys), seats: seats}
	if w.tape.oneIn(8) && j.choice != nil {
		a = j.choice
	}
	j.choice = a
	c.tellAnswer(a)
	if w.tape.oneIn(8) {
		w.after(of(w.tape, retries...), func() { c.tellAnswer(a) })
	}
}

func (c *crowd) tellAnswer(a *answer) {
	w, j := c.w, a.of
	begun := w.now
	visit(w, "answer-offer", j.buyer, func(ctx context.Context, o *boxoffice.Office) (booking.Hold, error) {
		switch a.how {
		case "decline":
			return booking.Hold{}, o.DeclineOffer(ctx, j.wish.Buyer, j.id)
		case "leave":
			return booking.Hold{}, o.LeaveLine(ctx, j.wish.Buyer, j.id)
		}
		return o.AcceptOffer(ctx, boxoffice.Choose{Buyer: j.wish.Buyer, Waiter: j.id, Key: a.key, BodyHash: "a body", Seats: a.seats})
	}, func(h booking.Hold) string { return fmt.Sprint(a.how, " ", h.ID) }, func(h booking.Hold, err error) {
		switch {
		case unsure(err):
			c.reasonable(err)
			c.answerAgain(a)
		case err == nil:
			c.answered(a, string(h.ID))
		default:
			w.judge.refusedAnswer(a, err, begun)
		}
	}, func() { c.answerAgain(a) })
}

func (c *crowd) answerAgain(a *answer) {
	if a.tries++; a.tries < 4 {
		c.w.after(of(c.w.tape, retries...), func() { c.tellAnswer(a) })
	}
}

func (c *crowd) answered(a *answer, hold string) {
	w, j := c.w, a.of
	w.judge.answered(a)
	if a.how != "accept" {
		return
	}
	if a.hold == "" {
		a.hold = hold
	}
	if a.hold != hold {
		w.fail("OneEffect", "%s under %s gave %s first and %s now", a.how, a.key, a.hold, hold)
	}
	if w.judge.promised(hold, j.buyer) && !slices.ContainsFunc(c.holds, func(h *holding) bool { return h.id == hold }) {
		c.holds = append(c.holds, &holding{id: hold, buyer: j.buyer, show: j.wish.Show, seats: w.judge.seatsOf(hold), ends: w.now.Add(w.policy.Hold)})
	}
}

// purge empties the lane's queue of what nobody has received yet.
func (c *crowd) purge() {
	q := c.w.queues[relay.Lane]
	c.w.note(nil, fmt.Sprintf("the lane's queue is purged of %d messages at most", len(q.waiting)))
	q.waiting = slices.DeleteFunc(q.waiting, func(m *message) bool { return !m.outstanding })
}

// nudge asks for a run of the lane as somebody may who finds it unattended.
func (c *crowd) nudge(show catalog.ShowID) {
	c.keys++
	ms, _ := relay.Wake(relay.LaneWake{Show: show, Why: relay.Swept}, fmt.Sprintf("nudge %d", c.keys))
	c.w.queues[relay.Lane].put(c.w, ms[0])
}

// nudge is the office's own: the same message over the simulated line.
func (w *world) nudge(ctx context.Context, show catalog.ShowID, named []line.WaiterID) error {
	var first line.WaiterID
	if len(named) > 0 {
		first = named[0]
	}
	ms, err := relay.Nudge(show, first, w.readClock())
	for _, m := range ms {
		if err == nil {
			err = sender{w}.Send(ctx, m)
		}
	}
	return err
}

// pollAll lets all who are not told of an end ask how they stand, several times.
func (c *crowd) pollAll(times int, every time.Duration) {
	for range times {
		for _, j := range c.line {
			if w := c.w.judge.waiters[string(j.id)]; w != nil && !w.ended() {
				c.see(j, 0)
			}
		}
		c.w.run(c.w.now.Add(every))
	}
}
