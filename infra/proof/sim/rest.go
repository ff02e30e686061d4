package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
)

// play is a whole run: the active part, then everything is delivered and time runs
// out, then those who come later look at what is left, then the books are closed.
func (w *world) play() *violation {
	w.active()
	if w.broken == nil {
		w.settle()
	}
	if w.broken == nil {
		w.judge.atRest()
	}
	w.abandon()
	return w.broken
}

func (w *world) active() {
	for w.crowd.left > 0 && w.broken == nil {
		w.run(w.now.Add(time.Minute))
	}
	w.run(w.now.Add(w.policy.Hold + 30*time.Second))
	w.losses.duration = w.now.Sub(noon)
}

func (w *world) settle() {
	w.calm, w.tape.channel = true, 0
	w.note(nil, "from here on nothing goes wrong any more")
	w.losses.outage = 0
	for _, m := range w.mappings {
		m.wake(w, 0)
	}
	for _, q := range []relay.Queue{relay.Timers, relay.Payments, relay.Lane} {
		w.queues[q].redrive(w)
	}
	for _, id := range all {
		w.crowd.nudge(id)
	}
	w.run(w.now.Add(w.policy.Hold + time.Minute))
	w.prompt()
	w.late()
	w.crowd.maps()
	w.crowd.lastLogIns()
	w.waitsEnd()
	w.run(time.Time{}) // the last appointment with the provider is a day ahead
	for q := w.queues[relay.Payments]; len(q.dead) > 0 && w.broken == nil; {
		q.redrive(w)
		w.run(time.Time{})
	}
	for range 2 {
		w.now = w.now.Add(10 * time.Minute)
		w.expireItems()
		w.run(time.Time{})
	}
}

// waitsEnd: those who look move the line where nothing else does, and after the
// longest wait nobody waits. What is left of a line that nobody looks at any more is
// tidied by the next message, whatever it is about.
func (w *world) waitsEnd() {
	if w.losses.deaf || w.judge.someJoin() {
		w.pollUntilQuiet()
		w.judge.served("by polls")
		if w.losses.deaf {
			w.judge.inVain("by polls")
		}
		if w.judge.someJoin() {
			w.fail("Promptness", "by polls: somebody who asked to wait has no number yet")
		}
	}
	if w.losses.deaf {
		w.run(w.now.Add(w.line.Wait + w.line.Offer))
		w.crowd.pollAll(4, 7*time.Second)
		w.judge.endedInTime("by polls alone", true)
		w.late() // nobody looks after a line that nobody waits in but who wants its seats
	}
	w.losses.deaf = false
	w.run(w.now.Add(w.line.Wait + w.line.Offer + time.Minute))
	for _, show := range all {
		w.crowd.nudge(show)
	}
}

// pollUntilQuiet lets all look until nobody has answered an offer or left for longer
// than a line stays unattended: before, a look leaves it to those who run it.
func (w *world) pollUntilQuiet() {
	for range 20 {
		since := w.now
		w.crowd.pollAll(4, 7*time.Second)
		if !w.judge.answeredSince(since) {
			return
		}
	}
	w.fail("Promptness", "people answer offers for ever")
}

// prompt: the timers make things prompt where they are not lost, and TTL where they
// are. Nobody has met the holds since.
func (w *world) prompt() {
	if !w.losses.deaf {
		w.judge.served("by messages")
	}
	if w.losses.timers && w.losses.ttl == 0 {
		return
	}
	if w.losses.timers {
		w.expireItems()
		w.run(w.now.Add(30 * time.Second))
	}
	for _, id := range sorted(w.judge.holds) {
		if h := w.judge.holds[id]; h.state == "held" && w.now.Sub(h.truly) > time.Minute/2 {
			w.fail("Promptness", "hold %s was to end at %s, and nobody was told", id, clock(h.truly))
		}
	}
	w.judge.endedInTime("by messages", false)
}

// late comers want every seat of the evening that is nobody's by rights, also where
// no timer, stream or TTL has ended its hold, and give it back. Late money may be
// faster than they.
func (w *world) late() {
	c := w.crowd
	had, missed := map[string]bool{}, 0
	for range 2 * hall.Len() {
		ids := w.unowned(had)
		if len(ids) == 0 || w.broken != nil {
			return
		}
		before := c.lastOf(buyers - 1)
		c.named(buyers-1, evening, ids)
		w.run(w.now.Add(20 * time.Second))
		got := c.lastOf(buyers - 1)
		if got == before {
			missed++ // once may be a moment before the line has let them go
			if missed > 1 && slices.Equal(ids, w.unowned(had)) {
				w.fail("HoldLifetime", "seats %v are nobody's by rights and cannot be had", ids)
				return
			}
			continue
		}
		missed = 0
		for _, id := range ids {
			had[id] = true
		}
		c.aboutHold("DELETE", "release-hold", got)
		w.run(w.now.Add(20 * time.Second))
	}
}

// lastOf is the hold that the buyer was told of last; nil when none.
func (c *crowd) lastOf(buyer int) (last *holding) {
	for _, h := range c.holds {
		if h.buyer == buyer {
			last = h
		}
	}
	return last
}

// unowned are at most ten seats that nobody has by rights, without those that were
// had. A loveseat is one place to sit.
func (w *world) unowned(had map[string]bool) []string {
	var ids []string
	for i := range hall.Len() {
		id := string(hall.At(i).ID)
		p := place{string(evening), id}
		h := w.judge.holds[bare(w.judge.claims[p])]
		left := w.judge.claims[p] == "LINE" && !w.judge.somebodyWaits(string(evening))
		if (left || w.judge.claims[p] == "" || h != nil && h.state == "held" && w.now.After(h.truly.Add(grace+budget))) && !had[id] && len(ids) < 10 {
			ids = append(ids, id)
		}
	}
	if n := len(ids); n == 10 && ids[n-1] == "balcony-B-1" {
		ids = ids[:n-1]
	}
	return ids
}

// maps are read by everybody, which ends what is overdue.
func (c *crowd) maps() {
	for range 4 {
		for _, show := range all {
			c.mapOf(show)
		}
		c.w.run(c.w.now.Add(10 * time.Second))
	}
}

// atRest: everything was delivered and all time has run out.
func (j *judge) atRest() {
	w := j.w
	for _, id := range sorted(j.holds) {
		if j.holds[id].state == "held" {
			w.fail("NoLostSeat", "hold %s is still held, a day after its time", id)
		}
	}
	for _, show := range all {
		for _, s := range hall.IDs(everySeat()) {
			p := place{string(show), string(s)}
			if j.checkPlace(p); j.pool[p] {
				w.fail("NoLostSeat", "seat %s of %s is set aside, and nobody waits", s, show)
			}
		}
		for _, typ := range hall.Types() {
			if j.wanted(string(show), string(typ)) {
				w.fail("NoLostSeat", "a gate of %s wants %s, and nobody waits", show, typ)
			}
		}
	}
	for _, id := range sorted(j.holds) {
		h := j.holds[id]
		j.checkHold(nil, h)
		j.checkBuyer(h.show + "|" + h.buyer)
	}
	j.linesAtRest()
	j.booksBalance()
	j.listsAreTrue()
	for _, show := range all {
		j.mapIsTrue(show)
	}
}

// booksBalance: each captured payment is ticketed or given back, and never both;
// by order, captured − refunded is the price of its live tickets.
func (j *judge) booksBalance() {
	w := j.w
	kept := map[string]int64{}
	for _, d := range w.bank.order {
		p := j.pays[d.id]
		if d.captures > 1 || d.refund != nil && d.refund.times != 1 {
			w.fail("OneEffect", "the provider's deal %+v, its refund %+v", *d, d.refund)
		}
		ticketed := p != nil && p.state == "captured"
		back := d.refund != nil
		if d.captures == 1 && ticketed == back || d.captures == 0 && (ticketed || back) {
			w.fail("MoneyIsTickets", "payment %s: captured %d times, ticketed %v, given back %v; here it is %+v", d.id, d.captures, ticketed, back, p)
		}
		if d.captures == 1 && !back {
			kept[d.order] += d.amount.Minor
		}
	}
	for _, id := range sorted(j.pays) {
		p := j.pays[id]
		if p.state == "pending" || p.state == "refunding" {
			w.fail("MoneyIsTickets", "payment %s is %s for ever", id, p.state)
		}
	}
	for _, id := range sorted(j.orders) {
		o := j.orders[id]
		worth := int64(0)
		if o.state == "PAID" {
			worth = o.total
		}
		if o.state == "PENDING" || kept[id] != worth {
			w.fail("MoneyIsTickets", "order %s is %s, worth %d; kept of its payments: %d", id, o.state, worth, kept[id])
		}
	}
}

// mapIsTrue compares the projected map with a naive fold of the claims.
func (j *judge) mapIsTrue(show catalog.ShowID) {
	it := j.item(store.Key{Table: store.Snapshots, PK: "MAP#" + string(show), SK: "MAP"})
	packed, _ := it["map"].([]byte)
	var is, want strings.Builder
	for i := range hall.Len() {
		if i/4 < len(packed) {
			fmt.Fprint(&is, packed[i/4]>>(2*(i%4))&3)
		}
		n := 0
		owner := j.claims[place{string(show), string(hall.At(i).ID)}]
		if h := j.holds[bare(owner)]; h != nil {
			n = map[string]int{"held": 1, "sold": 2, "blocked": 3}[h.state]
		} else if owner == "LINE" {
			n = 1
		}
		fmt.Fprint(&want, n)
	}
	if is.String() != want.String() {
		j.w.fail("MapAtRest", "the map of %s says %s, the claims say %s", show, is.String(), want.String())
	}
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func everySeat() []int {
	all := make([]int, hall.Len())
	for i := range all {
		all[i] = i
	}
	return all
}
