package main

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// check judges what the step touched; what it did not touch was judged before.
func (j *judge) check(t *task) {
	for _, id := range once(j.touched.holds) {
		j.checkHold(t, j.holds[id])
	}
	for _, p := range j.touched.places {
		j.checkPlace(p)
	}
	for _, b := range once(j.touched.buyers) {
		j.checkBuyer(b)
	}
	for _, id := range once(j.touched.pays) {
		j.checkPay(j.pays[id])
	}
	for _, id := range once(j.touched.orders) {
		j.checkOrder(j.orders[id])
	}
	j.checkLines(t)
}

func once(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// checkHold: a live hold owns all its seats, another none (AllOrNothing), and a
// deadline that stands is listed.
func (j *judge) checkHold(t *task, h *holdRow) {
	if h == nil {
		return
	}
	owner := h.id
	if h.state == "blocked" {
		owner = "HOUSE#" + h.id
	}
	for _, s := range h.seats {
		if owns := j.claims[place{h.show, s.id}] == owner; owns != h.living() {
			j.w.fail("AllOrNothing", "hold %s is %s, and that seat %s is its own is %v", h.id, h.state, s.id, owns)
		}
	}
	if o := j.orders[h.order]; h.state == "sold" && (o == nil || o.state != "PAID" || o.hold != h.id) {
		j.w.fail("MoneyIsTickets", "hold %s is sold; its order is %+v", h.id, o)
	}
	if t != nil && h.state == "held" && !j.timers[h.id] && h.rev == 1 {
		j.w.fail("HoldLifetime", "hold %s is in no list of deadlines", h.id)
	}
	if t != nil && h.state != "held" && j.timers[h.id] {
		j.w.fail("HoldLifetime", "hold %s is %s and still in a list of deadlines", h.id, h.state)
	}
}

// checkPlace: a claim is of a live hold, of the house, or of the line's pool.
func (j *judge) checkPlace(p place) {
	owner := j.claims[p]
	if (owner == "LINE") != j.pool[p] {
		j.w.fail("NoLostSeat", "seat %s of %s is of %q; that it is in the pool is %v", p.seat, p.show, owner, j.pool[p])
	}
	if owner == "" || owner == "LINE" {
		return
	}
	if h := j.holds[bare(owner)]; !h.living() {
		j.w.fail("NoLostSeat", "seat %s of %s is of hold %s, which does not live", p.seat, p.show, owner)
	}
}

func bare(owner string) string {
	if len(owner) > 6 && owner[:6] == "HOUSE#" {
		return owner[6:]
	}
	return owner
}

// checkBuyer: at most ten seats, and the allowance knows how many.
func (j *judge) checkBuyer(owner string) {
	n := int64(0)
	for _, h := range j.holds {
		if h.show+"|"+h.buyer == owner && h.living() && h.state != "blocked" {
			n += int64(len(h.seats))
		}
	}
	if n > 10 || n != j.caps[owner] {
		j.w.fail("TenAtMost", "%s has %d seats; the allowance counts %d", owner, n, j.caps[owner])
	}
}

// checkPay: money that is ours has bought its order; money that goes back has not.
func (j *judge) checkPay(p *payRow) {
	if p == nil {
		return
	}
	o, d := j.orders[p.order], j.w.bank.book[p.id]
	bought := o != nil && o.state == "PAID" && o.paidBy == p.id
	if (p.state == "captured") != bought {
		j.w.fail("MoneyIsTickets", "payment %s is %s; that it bought its order is %v", p.id, p.state, bought)
	}
	if (p.state == "captured" || p.state == "refunding" || p.state == "refunded") && (d == nil || d.captures == 0) {
		j.w.fail("MoneyIsTickets", "payment %s is %s, and no money came", p.id, p.state)
	}
	if p.state == "refunded" && (d == nil || d.refund == nil || d.refund.times != 1) {
		j.w.fail("MoneyIsTickets", "payment %s is refunded, and no money went back", p.id)
	}
}

// checkOrder: a paid order has one sold hold, one captured payment and a ticket a seat.
func (j *judge) checkOrder(o *orderRow) {
	if o == nil {
		return
	}
	h, p := j.holds[o.hold], j.pays[o.paidBy]
	if h != nil && h.buyer != o.buyer {
		j.w.fail("OwnerAlone", "order %s is of %s, its hold %s of %s", o.id, o.buyer, h.id, h.buyer)
	}
	switch o.state {
	case "PAID":
		ok := h != nil && h.state == "sold" && h.pay == o.paidBy && h.order == o.id && p != nil && p.state == "captured" && p.amount == o.total
		if !ok || o.tickets != o.seats || len(h.seats) != o.seats || price(h) != o.total {
			j.w.fail("MoneyIsTickets", "order %+v, its hold %+v, its payment %+v", *o, h, p)
		}
	case "PENDING":
		if h == nil || h.state != "held" || o.tickets != 0 {
			j.w.fail("MoneyIsTickets", "order %s is pending, its hold %+v", o.id, h)
		}
	default:
		if o.tickets != 0 || h.living() {
			j.w.fail("MoneyIsTickets", "order %s is %s, its hold %+v", o.id, o.state, h)
		}
	}
}

func price(h *holdRow) int64 {
	sum := int64(0)
	for _, s := range h.seats {
		sum += s.price
	}
	return sum
}

// refunded is told by the provider when money moves back.
func (j *judge) refunded(d *deal) {
	if p := j.pays[d.id]; d.refund.times != 1 || d.refund.amount != d.amount || p == nil || p.state == "captured" {
		j.w.fail("MoneyIsTickets", "payment %s was given back: %+v; here it is %+v", d.id, *d.refund, p)
	}
}

// acknowledged: a callback may be answered 200 only when what it says is committed.
func (j *judge) acknowledged(body string) {
	var n struct {
		Payment *dealView
		Refund  *backView
	}
	if json.Unmarshal([]byte(body), &n) != nil {
		return
	}
	switch {
	case n.Payment != nil && j.w.landing(payKey(n.Payment.ID)), n.Refund != nil && j.w.landing(payKey(n.Refund.Payment)):
	case n.Payment != nil && n.Payment.State == "captured":
		if p := j.pays[n.Payment.ID]; p == nil || p.state == "pending" || p.state == "failed" {
			j.w.fail("OneEffect", "a callback about captured money was acknowledged; payment %s is %+v", n.Payment.ID, p)
		}
	case n.Payment != nil && n.Payment.State == "failed":
		if p := j.pays[n.Payment.ID]; p == nil || p.state == "pending" {
			j.w.fail("OneEffect", "a callback about a decline was acknowledged; payment %s is %+v", n.Payment.ID, p)
		}
	case n.Refund != nil && n.Refund.State == "done":
		if p := j.pays[n.Refund.Payment]; p == nil || p.state != "refunded" {
			j.w.fail("OneEffect", "a callback about a refund was acknowledged; payment %s is %+v", n.Refund.Payment, p)
		}
	}
}

func holdKey(id string) store.Key { return store.Key{Table: store.Holds, PK: "HOLD#" + id, SK: "HOLD"} }
func payKey(id string) store.Key  { return store.Key{Table: store.Orders, PK: "PAY#" + id, SK: "PAY"} }
func orderKey(id string) store.Key {
	return store.Key{Table: store.Orders, PK: "ORDER#" + id, SK: "ORDER"}
}

// What clients were told.

func (j *judge) promised(id string, buyer int) bool {
	h := j.holds[id]
	if h == nil {
		if j.w.now.Sub(noon) < 24*time.Hour && !j.w.landing(holdKey(id)) {
			j.w.fail("AllOrNothing", "hold %s was promised and is not there", id)
		}
		return false
	}
	if who := string(buyerOf(buyer)); h.buyer != who && h.first != who {
		j.w.fail("AllOrNothing", "hold %s of %s was promised to %s", id, h.buyer, who)
	}
	return h.state == "held"
}

func (j *judge) seatsOf(id string) []string {
	var ids []string
	for _, s := range j.holds[id].seats {
		ids = append(ids, s.id)
	}
	return ids
}

func (j *judge) paymentExists(id string) {
	if j.pays[id] == nil && !j.w.landing(payKey(id)) {
		j.w.fail("MoneyIsTickets", "payment %s was answered and is not there", id)
	}
}

func (j *judge) givenBack(id string) {
	if h := j.holds[id]; h.living() && !j.w.landing(holdKey(id)) {
		j.w.fail("OneEffect", "hold %s was answered as given back and is %s", id, h.state)
	}
}

func (j *judge) orderShown(id, status string, tickets int) {
	o := j.orders[id]
	if j.w.landing(orderKey(id)) {
		return
	}
	if o == nil || status == "PAID" && (o.state != "PAID" && o.state != "REFUNDED" || tickets != o.seats) || o.state == "PENDING" && status != "PENDING" {
		j.w.fail("MoneyIsTickets", "order %s was shown as %s with %d tickets; it is %+v", id, status, tickets, o)
	}
}

// refusedBest: that no seat of a type is left may be said only where none was free
// for the whole time of the request. A house that refuses gaps may refuse the last.
func (j *judge) refusedBest(show catalog.ShowID, typ seatmap.SeatType, begun time.Time) {
	for i := range hall.Len() {
		s := hall.At(i)
		if s.Type != typ {
			continue
		}
		if busy := j.busyUntil(place{string(show), string(s.ID)}); busy.Before(begun) {
			j.w.fail("NeverTaken", "no %s seat was said to be left in %s; %s could be had from %s on, the request came at %s", typ, show, s.ID, clock(busy), clock(begun))
			return
		}
	}
}

// toldExpired: whose hold is said to have expired has lost it by then.
func (j *judge) toldExpired(id string) {
	if h := j.holds[id]; h.living() && !j.w.landing(holdKey(id)) {
		j.w.fail("HoldLifetime", "hold %s was said to have expired and is %s", id, h.state)
	}
}
