package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/relay"
)

// joiner is somebody's place in line, as he knows it.
type joiner struct {
	id      string
	buyer   int
	key     string
	show    catalog.ShowID
	party   int
	types   []string
	tries   int
	told    standing        // what he was told last
	polls   []time.Duration // how often he asks; none: he sleeps
	polled  bool            // a poll of his is under way or appointed
	chosen  bool            // he has decided what to do with his offer
	choice  *answer
	gone    bool // he asks no more
	watched bool // somebody has plans with his end
}

// standing is a place in line on the wire, or a refusal.
type standing struct {
	ID, State, Version, Code string
	Number                   int64
	Offer                    struct {
		Proposed []string  `json:"seats_proposed"`
		Free     []string  `json:"seats_free_for_you"`
		Expires  time.Time `json:"expires_at"`
	}
	by int // who was told so
}

func (s standing) ended() bool { return slices.Contains(waiterEnds, s.State) }

// answer is one answer to an offer, sent once or more often under one key.
type answer struct {
	of    *joiner
	how   string // accept, decline, leave
	key   string
	seats []string
	tries int
	hold  string // that the first acceptance gave
}

// waitInLine is what happens most where many wait.
func (c *crowd) waitInLine() {
	t := c.w.tape
	switch t.pick(29) {
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
	case 17, 18, 24:
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
	case 25, 26:
		c.procession()
	case 27, 28:
		c.logIn()
	}
}

// procession: a party of several is the first in a line of small ones, and then seats
// come back one hold after the other.
func (c *crowd) procession() {
	w, show := c.w, of(c.w.tape, tidy, tidy, evening)
	c.fill(show)
	first := w.tape.pick(buyers - 1)
	for i := range 6 {
		party, types := of(w.tape, 1, 1, 2), of(w.tape, nil, []string{"regular"}, []string{"premium", "regular"})
		if i == 0 {
			party, types = of(w.tape, 4, 3, 5), []string{"regular"}
		}
		w.after(time.Duration(2+i*of(w.tape, 3, 1))*time.Second, func() { c.joinAs((first+i)%(buyers-1), show, party, types) })
	}
	for i := range 6 {
		w.after(time.Duration(15+i*of(w.tape, 4, 1, 8))*time.Second, func() {
			if k := slices.IndexFunc(c.holds, func(h *holding) bool { return h.show == show && !h.lapsing && w.judge.holds[h.id].living() }); k >= 0 {
				c.holds[k].lapsing = true
				c.aboutHold("DELETE", "release-hold", c.holds[k])
			}
		})
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
		n := min(len(free), of(t, 2, 3, 4, 1, 10))
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
	party := of(t, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 6, 10, 11)
	c.joinAs(buyer, show, party, of(t, nil, nil, []string{"regular"}, []string{"premium"}, []string{"regular", "premium"}, []string{"loveseat"}))
}

func (c *crowd) joinAs(buyer int, show catalog.ShowID, party int, types []string) {
	t := c.w.tape
	c.keys++
	j := &joiner{buyer: buyer, key: fmt.Sprintf("join %d", c.keys), show: show, party: party, types: types}
	j.id = string(boxoffice.WaiterIDFor(buyerOf(buyer), show, j.key))
	j.polls = of(t, []time.Duration{700 * time.Millisecond, 3 * time.Second, 9 * time.Second}, []time.Duration{20 * time.Second, 45 * time.Second}, nil)
	if c.w.moody && c.w.ofLane() && c.w.focus.handler != "read-place" && t.pick(4) > 0 {
		j.polls = nil // nobody else looks
	}
	c.line = append(c.line, j)
	c.w.judge.asks(j)
	c.ask(j)
	if t.oneIn(10) {
		c.ask(j)
	}
}

func (j *joiner) body(party int) string {
	b, _ := json.Marshal(struct {
		Seats int      `json:"seats"`
		Types []string `json:"types,omitempty"`
	}{party, j.types})
	return string(b)
}

// joinAgain repeats the wish, says another thing under its key, or wishes anew.
func (c *crowd) joinAgain(j *joiner) {
	switch n := c.w.tape.pick(3); {
	case n == 0:
		c.ask(j)
	case n == 1:
		c.join(j.buyer, j.show)
	case j.told.ID != "": // before, either body may be the first
		c.call(j, "join-line", "POST", "/shows/{show}/line", j.key, j.body(j.party%9+1), nil, func(status int, s standing, _ string) {
			if status < 300 {
				c.w.fail("OneEffect", "another body under %s got place %s", j.key, s.ID)
			}
		}, nil)
	}
}

func (c *crowd) ofJoiner(do func(*joiner)) {
	if len(c.line) > 0 {
		do(c.line[c.w.tape.pick(len(c.line))])
	}
}

// call sends a request about a place. heard gets the answer, unheard is called where
// none comes.
func (c *crowd) call(j *joiner, handler, method, path, key, body string, query map[string]string, heard func(status int, s standing, id string), unheard func()) {
	w, by := c.w, j.buyer
	if handler != "join-line" {
		by = c.as(j.buyer, c.w.judge.ownerOf(j.id))
	}
	who := string(buyerOf(by))
	ev := events.APIGatewayProxyRequest{
		HTTPMethod: method, Resource: path, PathParameters: map[string]string{"show": string(j.show)}, QueryStringParameters: query, Body: body,
		Headers: map[string]string{"Authorization": "Bearer " + w.token(by)},
	}
	if handler != "join-line" {
		ev.PathParameters = map[string]string{"waiter": j.id}
	}
	if key != "" {
		ev.Headers["Idempotency-Key"], ev.Headers["Content-Type"] = key, "application/json"
	}
	if w.tell {
		w.note(nil, fmt.Sprintf("%s asks: %s %s of %s %v %s (%s)", nameOf(who), method, path, j.id, query, body, key))
	}
	calm := w.calm && len(w.flying) == 0 // what was accepted before may still be landing, in the way
	w.serve(handler, who, ev, func(a *events.APIGatewayProxyResponse) {
		unsure := a == nil || a.StatusCode >= 500
		switch {
		case a != nil && a.StatusCode >= 500 && calm:
			w.fail("Answer", "%s was answered %d while nothing goes wrong: %s", handler, a.StatusCode, a.Body)
		case unsure || !w.calm && w.tape.oneIn(24):
			if unheard != nil {
				unheard()
			}
		default:
			s := standing{by: by}
			if a.Body != "" && json.Unmarshal([]byte(a.Body), &s) != nil {
				w.fail("Answer", "%s: %s", handler, a.Body)
			}
			heard(a.StatusCode, s, s.ID)
		}
	})
}

var retries = []time.Duration{100 * time.Millisecond, 700 * time.Millisecond, 3 * time.Second, 20 * time.Second}

// ask sends the wish to wait.
func (c *crowd) ask(j *joiner) {
	c.call(j, "join-line", "POST", "/shows/{show}/line", j.key, j.body(j.party), nil, func(status int, s standing, _ string) {
		if status < 300 {
			c.hearPlace(j, s)
		} else {
			c.w.judge.refusedJoin(j, s.Code)
		}
	}, func() {
		if j.tries++; j.tries < 4 {
			c.w.after(of(c.w.tape, retries...), func() { c.ask(j) })
		}
	})
}

// see polls, for so many seconds where it waits for a change.
func (c *crowd) see(j *joiner, seconds int) {
	query, begun := map[string]string{}, c.w.now
	if seconds > 0 && j.told.Version != "" {
		query["since"], query["wait_seconds"] = j.told.Version, strconv.Itoa(seconds)
	}
	c.call(j, "read-place", "GET", "/line/{waiter}", "", "", query, func(status int, s standing, _ string) {
		switch status {
		case 200:
			c.w.judge.shown(j.id, s.by, begun)
			c.hearPlace(j, s)
		case 404:
			c.w.judge.notThere(j, s.by, begun)
		}
	}, nil)
}

// hearPlace is what somebody in line makes of how he stands.
func (c *crowd) hearPlace(j *joiner, s standing) {
	w := c.w
	w.judge.toldPlace(j, s)
	j.told = s
	switch {
	case s.ended():
		j.gone = true
		if !w.calm && w.tape.oneIn(3) {
			w.after(of(w.tape, retries...), func() { c.join(j.buyer, j.show) })
		}
		return
	case s.State == "offered" && !j.chosen:
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
		if w.calm || j.gone || len(j.polls) == 0 {
			return
		}
		c.see(j, of(w.tape, 0, 0, 0, 4))
		if !j.polled {
			c.appoint(j)
		}
	})
}

// decide is what somebody does with his offer: at once, later, around its end, never.
func (c *crowd) decide(j *joiner, s standing) {
	w := c.w
	how := of(w.tape, "accept", "accept", "accept", "choose", "choose", "decline", "leave", "nothing", "nothing")
	if how == "nothing" {
		return
	}
	var seats []string
	if how == "choose" {
		how = "accept"
		seats = s.Offer.Free[w.tape.pick(max(len(s.Offer.Free)-j.party, 0)+1):]
		seats = seats[:min(len(seats), j.party)]
	}
	wait := time.Duration(of(w.tape, 0, 100, 1000, 8000)) * time.Millisecond
	if w.tape.oneIn(4) {
		around := time.Duration(of(w.tape, -100, 0, 2000, 4500, 5000, 5100, 7000, 9000)) * time.Millisecond
		wait = max(s.Offer.Expires.Add(around).Sub(w.now), 0)
	}
	w.after(wait, func() { c.answers(j, how, seats) })
}

// answers sends an answer, now and then twice or a third time later.
func (c *crowd) answers(j *joiner, how string, seats []string) {
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
	w, begun := c.w, c.w.now
	method, path, key, body := "POST", "/line/{waiter}/"+a.how, "", ""
	switch a.how {
	case "leave":
		method, path = "DELETE", "/line/{waiter}"
	case "accept":
		text, _ := json.Marshal(struct {
			Seats []string `json:"seats,omitempty"`
		}{a.seats})
		key, body = a.key, string(text)
	}
	c.call(a.of, "answer-offer", method, path, key, body, nil, func(status int, s standing, id string) {
		if status < 300 {
			w.judge.shown(a.of.id, s.by, begun)
			c.answered(a, id, s.by)
		} else {
			w.judge.refusedAnswer(a, s.by, status, s.Code, begun)
		}
	}, func() { c.answerAgain(a) })
}

func (c *crowd) answerAgain(a *answer) {
	if a.tries++; a.tries < 4 {
		c.w.after(of(c.w.tape, retries...), func() { c.tellAnswer(a) })
	}
}

func (c *crowd) answered(a *answer, hold string, by int) {
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
	if w.judge.promised(hold, by) && !slices.ContainsFunc(c.holds, func(h *holding) bool { return h.id == hold }) {
		c.holds = append(c.holds, &holding{id: hold, buyer: by, show: j.show, seats: w.judge.seatsOf(hold), ends: w.now.Add(w.policy.Hold)})
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
			if w := c.w.judge.waiters[j.id]; w != nil && !w.ended() {
				c.see(j, 0)
			}
		}
		c.w.run(c.w.now.Add(every))
	}
}
