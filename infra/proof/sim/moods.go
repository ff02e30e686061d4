package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
)

// Each run aims at one cell of the table: there faults are frequent, and the run's
// mood makes the way there frequent too. The aims go round with the seeds, so every
// cell has its runs.

// prepare sets what must be lost for the aim to be met.
func (w *world) prepare() {
	meets := []string{"read-hold", "release-hold", "read-order", "read-seatmap", "pay-hold", "receive-callback", "ask-provider", "reserve-seats", "house"}
	w.moody = w.tape.pick(4) > 0
	switch {
	case slices.Contains(meets, w.focus.handler) && w.moody && !w.ofLane():
		w.losses.timers, w.losses.ttl = true, 0 // whoever is meant meets the hold himself
	case w.focus.handler == "expire-timer":
		w.losses.timers, w.losses.ttl = true, 15*time.Second
	case w.focus.handler == "expire-hold", w.focus.handler == "relay-holds":
		w.losses.timers = false
	case w.focus.handler == "advance-line":
		w.losses.lane = false
	}
	w.prepareLine()
	w.losses.appointments = w.focus.handler == "receive-callback" && w.tape.pick(3) > 0
	if w.focus.call == "WakePayment" || w.focus.handler == "expire-hold" && w.focus.call == "Send" {
		for i := range w.skews {
			w.skews[i] = []time.Duration{-budget, 0, budget}[w.tape.pick(3)] // somebody comes early
		}
	}
}

// prepareLine: where the aim is a call of the line, many wait in it; and where it is
// of a run of the lane by somebody who looks, nobody else runs it.
func (w *world) prepareLine() {
	waits := []string{"join-line", "read-place", "answer-offer", "relay-line", "advance-line"}
	byWhoLooks := w.ofLane()
	w.lively = w.lively || byWhoLooks || slices.Contains(waits, w.focus.handler) || w.focus.call == "Waiter"
	switch {
	case byWhoLooks && w.moody:
		w.losses.lane, w.losses.timers = true, true
		w.line.Offer = 30 * time.Second
		w.line.Wait = 4 * time.Minute
	case w.focus.handler == "advance-line", w.focus.handler == "relay-line":
		w.losses.lane = false
	}
	if w.focus.handler == "advance-line" && slices.Contains(ending, w.focus.call) && w.moody {
		w.lively, w.losses.timers, w.losses.ttl = false, true, 0 // a sweep meets the hold
	}
	if w.ofAnswer() {
		w.lively, w.policy.Hold, w.line.Offer = false, 20*time.Second, 120*time.Second
		w.losses.timers, w.losses.ttl, w.losses.lane, w.losses.deaf = true, 0, false, false
	}
	if slices.Contains([]string{"advance-line", "relay-line", "expire-hold", "expire-timer"}, w.focus.handler) {
		w.losses.deaf = false
	}
}

// ofLane: the aim is a call of a run of the lane by somebody who looks.
func (w *world) ofLane() bool {
	own := map[string][]string{
		"join-line": {"Show", "Layout"}, "read-place": {"Show", "Layout", "LineState"}, "reserve-seats": {"Show", "Layout", "BlockClaims"},
		"expire-timer": {},
	}
	mine, looks := own[w.focus.handler]
	return looks && !slices.Contains(mine, w.focus.call) && (slices.Contains(lane, w.focus.call) || w.focus.call == "LineGlance")
}

// ofAnswer: the aim is what an acceptance does about overdue holds in its way.
func (w *world) ofAnswer() bool {
	return w.focus.handler == "answer-offer" && slices.Contains(slices.Concat([]string{"Claims", "Timers", "HoldsByID"}, ending), w.focus.call)
}

// fullHanded: somebody whose allowance is used up by an overdue hold of his, which
// nobody has met, accepts an offer; or chooses that hold's seats.
func (c *crowd) fullHanded(show catalog.ShowID) {
	w, buyer := c.w, c.someBuyer()
	free := c.free(show)
	if len(free) < 14 {
		return
	}
	mine := free[:10]
	c.named(buyer, show, mine)
	c.block(show, free[10:])
	w.after(2*time.Second, func() {
		c.joinAs(buyer, show, 2, nil)
		j := c.line[len(c.line)-1]
		j.polls, j.chosen = []time.Duration{time.Second}, true
		wait := w.policy.Hold + time.Duration(of(w.tape, 5, 6, 8))*time.Second
		seats := of(w.tape, nil, mine[:2])
		w.after(wait, func() { c.answers(j, "accept", seats) })
	})
	w.after(4*time.Second, func() {
		if i := slices.IndexFunc(c.holds, func(h *holding) bool { return h.buyer == buyer && h.show == show }); i >= 0 && w.focus.call == "OrderByID" {
			c.payFor(c.holds[i], "decline")
		}
		c.letGo()
	})
}

// unattended brings a line to where whoever looks has to move it, and has him look.
func (c *crowd) unattended() {
	w := c.w
	i := slices.IndexFunc(c.line, func(j *joiner) bool { row := w.judge.waiters[j.id]; return row != nil && !row.ended() && !j.watched })
	if i < 0 {
		c.stampede(2)
		return
	}
	j := c.line[i]
	j.watched, j.polls = true, nil
	row := w.judge.waiters[j.id]
	end := row.expires
	if row.state == "offered" {
		end = row.offerEnds
	}
	wait := end.Add(time.Duration(of(w.tape, 8, 6, 12)) * time.Second).Sub(w.now)
	if w.focus.handler == "reserve-seats" && w.focus.call != "Place" || w.tape.oneIn(3) {
		wait = min(wait, 15*time.Second)
	}
	w.after(max(wait, 0), func() { c.lookAt(j) })
}

func (c *crowd) lookAt(j *joiner) {
	switch w := c.w; w.focus.handler {
	case "join-line":
		c.join(j.buyer, j.show)
	case "reserve-seats":
		for _, p := range sortedPlaces(w.judge.claims, string(j.show)) {
			if w.judge.claims[p] == "LINE" {
				c.named(c.someBuyer(), j.show, []string{p.seat})
				return
			}
		}
	default:
		c.see(j, 0)
	}
}

// aimed is the fault of a call in which the run's aim shows; else none.
func (w *world) aimed(t *task) fault {
	switch {
	case w.focus.handler == t.handler && w.focus.call == t.call && (!w.met || w.tape.oneIn(2)):
		w.met = true // it may be the only time
		return w.focus.fault
	case w.calm:
	case w.focus.call == "Look" && w.focus.handler == t.handler && (t.call == "Hold" || t.call == "Block") && w.tape.oneIn(2):
		return conflict // a refusal in part makes somebody look
	case w.focus.call == "BlockClaims" && w.ofLane() && t.call == "BlockClaims" && t.handler != w.focus.handler && t.handler != "reserve-seats" && w.tape.oneIn(2):
		return crashBefore // somebody is left entering
	case w.focus.call == "Close" && t.call == "Create" && w.tape.pick(10) > 0:
		return lost // nobody pays what the provider never heard of: a day later it is closed
	}
	return none
}

// patient calls are made a day later, when nothing else goes wrong any more.
func (w *world) patient(t *task) bool { return t.call == "Close" && w.focus.call == "Close" }

// silent: the provider's callbacks are lost where somebody is to ask.
func (w *world) silent() bool { return w.focus.handler == "ask-provider" && w.tape.pick(3) > 0 }

// lapse lets a hold with an unpaid order become overdue, and then has somebody meet it.
func (c *crowd) lapse() {
	w := c.w
	i := slices.IndexFunc(c.holds, func(h *holding) bool { return !h.lapsing && h.ends.After(w.now) })
	if i < 0 {
		typ := of(w.tape, "regular", "premium")
		c.reserve(c.someBuyer(), of(w.tape, evening, evening, evening, tidy), fmt.Sprintf(`{"best":{"count":1,"type":%q}}`, typ), nil, typ)
		return
	}
	h := c.holds[i]
	if w.focus.call == "Look" {
		c.insist(h)
		return
	}
	h.lapsing = true
	if w.tape.pick(4) > 0 || w.focus.handler == "read-order" {
		c.payFor(h, of(w.tape, "late", "decline", "never", "success"))
	}
	met := time.Duration(of(w.tape, 7500, 5000, 6500, 9000, 12_000)) * time.Millisecond
	if d := h.ends.Add(met).Sub(w.now); d > 0 {
		w.after(d, func() { c.meet(h) })
		return
	}
	c.meet(h)
}

// insist asks for taken seats again while the instance that refused them remembers
// the whole hall, and need look at the seats alone.
func (c *crowd) insist(h *holding) {
	w := c.w
	for n := range 6 {
		w.after(time.Duration(n)*50*time.Millisecond, func() {
			if w.focus.handler == "house" {
				c.block(h.show, h.seats)
			} else {
				c.named((h.buyer+1)%(buyers-1), h.show, h.seats)
			}
		})
	}
}

func (c *crowd) meet(h *holding) {
	switch c.w.focus.handler {
	case "read-hold":
		c.aboutHold("GET", "read-hold", h)
	case "release-hold":
		c.aboutHold("DELETE", "release-hold", h)
	case "read-order":
		for _, o := range c.orders {
			if o.hold == h.id {
				c.aboutOrder(o)
				return
			}
		}
	case "advance-line":
		c.nudge(h.show)
	case "read-seatmap":
		c.mapOf(h.show)
	case "pay-hold":
		c.payFor(h, "success")
	case "house":
		c.block(h.show, h.seats)
	case "receive-callback", "ask-provider":
		if w := c.w; w.focus.call == "HoldsByID" || w.tape.oneIn(4) {
			c.named((h.buyer+1)%(buyers-1), h.show, h.seats) // money comes when another has the seats
		}
	case "expire-timer", "expire-hold":
		// the hold is left alone
	default:
		c.named((h.buyer+1)%(buyers-1), h.show, h.seats)
	}
}
