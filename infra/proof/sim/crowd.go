package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// crowd is everybody who acts of himself: buyers, those who wait in a line, the house.
type crowd struct {
	w      *world
	sent   []*request
	line   []*joiner // who has asked to wait, in the order of asking
	holds  []*holding
	orders []*paper
	blocks []booking.HoldID
	left   int // actions to come
	keys   int
	logins map[int]int // guest → account to which he has begun to log in
	full   int         // how often somebody with full hands was seen to
}

// holding is a hold that a buyer was told of, paper an order.
type holding struct {
	id      string
	buyer   int
	show    catalog.ShowID
	seats   []string
	ends    time.Time // true time, about
	lapsing bool      // somebody has plans with its end
}

type paper struct {
	id    string
	buyer int
	hold  string
}

// request is one wish of a buyer, sent once or more often under one key.
type request struct {
	handler string
	buyer   int
	ev      events.APIGatewayProxyRequest
	key     string
	show    catalog.ShowID
	seats   []string
	best    string // type of a single best seat
	hold    string
	order   string
	guest   int  // whose things are adopted
	last    bool // when nothing goes wrong any more
	tries   int
	answer  string // of the first 2xx
}

func newCrowd(w *world) *crowd {
	c := &crowd{w: w, left: 20 + w.tape.pick(60), logins: map[int]int{}}
	w.after(0, c.act)
	return c
}

// act does one thing and appoints the next: at once, soon, or around a moment at
// which a hold ends.
func (c *crowd) act() {
	if c.left == 0 {
		return
	}
	w := c.w
	w.tape.channel = c.left
	c.left--
	c.choose()
	wait := time.Duration(of(w.tape, 0, 1, 3, 10, 50, 200, 1000, 3000, 9000, 30_000, 70_000)) * time.Millisecond
	if len(c.holds) > 0 && w.tape.oneIn(3) {
		h := c.holds[w.tape.pick(len(c.holds))]
		around := time.Duration(of(w.tape, 0, -200, -3000, 1000, 2500, 4900, 5000, 5100, 6000, 7500, 10_000)) * time.Millisecond
		if d := h.ends.Add(around).Sub(w.now); d > 0 {
			wait = d
		}
	}
	if c.full > 0 && c.full < 3 { // let him alone meanwhile
		wait = 40 * time.Second
		if c.full == 2 {
			c.full++
		}
	}
	w.tape.channel = 0
	w.after(wait, c.act)
}

func (c *crowd) choose() {
	t := c.w.tape
	if shows := []catalog.ShowID{evening, closing}; c.w.ofAnswer() && c.full < len(shows) {
		c.fullHanded(shows[c.full])
		c.full++
		return
	}
	if c.w.moody && c.w.ofLane() && t.oneIn(3) {
		c.unattended()
		return
	}
	if c.logsIn() {
		return
	}
	if c.w.lively && t.pick(5) > 1 {
		c.waitInLine()
		return
	}
	if c.w.moody && t.oneIn(2) {
		c.lapse()
		return
	}
	switch t.pick(29) {
	case 0: // nothing
	case 1, 2, 3, 4:
		c.holdNamed()
	case 5, 6:
		c.holdBest()
	case 7:
		c.again()
	case 8:
		c.ofHold("GET", "read-hold")
	case 9:
		c.ofHold("DELETE", "release-hold")
	case 10, 11, 12, 13:
		c.pay()
	case 14:
		c.readOrder()
	case 15, 16:
		c.readMap()
	case 17:
		c.house()
	case 18:
		c.fill(c.someShow())
	case 19:
		c.rush()
	case 20:
		c.sixOrMore()
	case 21, 22, 23, 24:
		c.lapse()
	case 25:
		c.snatch()
	case 26, 27:
		c.logIn()
	case 28:
		c.lateLogIn()
	}
}

func (c *crowd) someShow() catalog.ShowID {
	return of(c.w.tape, evening, evening, evening, tidy, tidy, closing, unlined)
}

// someBuyer is a guest, an account, or a guest who has logged in as either.
func (c *crowd) someBuyer() int {
	i := c.w.tape.pick(buyers - 1 + accounts)
	if i >= buyers-1 {
		return i + 1 // but for the late comer
	}
	return c.as(i, "")
}

// neighbours are n seats from a place on, sometimes with a gap.
func (c *crowd) neighbours(n int) []string {
	t := c.w.tape
	at, step := t.pick(hall.Len()), 1
	if t.oneIn(6) {
		step = 2
	}
	var ids []string
	for i := range n {
		ids = append(ids, string(hall.At((at+i*step)%hall.Len()).ID))
	}
	return ids
}

func (c *crowd) holdNamed() {
	c.named(c.someBuyer(), c.someShow(), c.neighbours(of(c.w.tape, 1, 2, 2, 3, 4, 5)))
}

// snatch: another wants the seats of a hold that he knows of.
func (c *crowd) snatch() {
	if h := c.someHolding(); h != nil {
		c.named(c.someBuyer(), h.show, h.seats)
	}
}

// sixOrMore makes limits of ten be met.
func (c *crowd) sixOrMore() {
	c.named(c.w.tape.pick(2), evening, c.neighbours(6+c.w.tape.pick(5)))
}

// rush: several want the same seats at once.
func (c *crowd) rush() {
	seats, show := c.neighbours(of(c.w.tape, 1, 2, 3)), c.someShow()
	for i := range 2 + c.w.tape.pick(3) {
		c.named(i, show, seats)
	}
}

func (c *crowd) named(buyer int, show catalog.ShowID, seats []string) {
	body, _ := json.Marshal(map[string]any{"seats": seats})
	c.reserve(buyer, show, string(body), seats, "")
}

func (c *crowd) holdBest() {
	t := c.w.tape
	n, typ := of(t, 1, 1, 2, 3, 4), of(t, "regular", "premium")
	best := ""
	if n == 1 {
		best = typ
	}
	c.reserve(c.someBuyer(), c.someShow(), fmt.Sprintf(`{"best":{"count":%d,"type":%q}}`, n, typ), nil, best)
}

func (c *crowd) reserve(buyer int, show catalog.ShowID, body string, seats []string, best string) {
	r := &request{handler: "reserve-seats", buyer: buyer, show: show, seats: seats, best: best, ev: events.APIGatewayProxyRequest{
		HTTPMethod: "POST", Resource: "/shows/{show}/holds", PathParameters: map[string]string{"show": string(show)}, Body: body,
	}}
	c.keyed(r)
}

// keyed gives a request its key and sends it, now and then twice at once.
func (c *crowd) keyed(r *request) {
	c.keys++
	r.key = fmt.Sprintf("key %d", c.keys)
	c.sent = append(c.sent, r)
	c.send(r)
	if c.w.tape.oneIn(10) {
		c.send(r)
	}
}

// again repeats a request of any age, or sends another body under its key.
func (c *crowd) again() {
	if len(c.sent) == 0 {
		return
	}
	r := c.sent[c.w.tape.pick(len(c.sent))]
	if c.w.tape.oneIn(4) && r.answer != "" {
		other := *r
		other.ev.Body = strings.Replace(r.ev.Body, "}", `,"movie_id":"solaris"}`, 1)
		if r.handler == "pay-hold" {
			other.ev.Body = `{"provider":"sandbox","outcome":"never"}`
			if strings.Contains(r.ev.Body, "never") {
				other.ev.Body = `{"provider":"sandbox","outcome":"late"}`
			}
		}
		other.answer = "another body"
		c.send(&other)
		return
	}
	c.send(r)
}

func (c *crowd) someHolding() *holding {
	if len(c.holds) == 0 {
		return nil
	}
	return c.holds[c.w.tape.pick(len(c.holds))]
}

func (c *crowd) ofHold(method, handler string) {
	h := c.someHolding()
	if h == nil {
		return
	}
	if c.w.tape.oneIn(16) {
		other := *h
		other.buyer = (h.buyer + 1) % (buyers - 1) // somebody else's
		h = &other
	}
	c.aboutHold(method, handler, h)
}

func (c *crowd) aboutHold(method, handler string, h *holding) {
	c.send(&request{handler: handler, buyer: c.as(h.buyer, c.w.judge.ownerOf(h.id)), hold: h.id, show: h.show, seats: h.seats, ev: events.APIGatewayProxyRequest{
		HTTPMethod: method, Resource: "/holds/{hold}", PathParameters: map[string]string{"hold": h.id},
	}})
}

func (c *crowd) pay() {
	h := c.someHolding()
	if h == nil {
		return
	}
	c.payFor(h, of(c.w.tape, "success", "success", "decline", "never", "late"))
}

func (c *crowd) payFor(h *holding, outcome string) {
	c.keyed(&request{handler: "pay-hold", buyer: c.as(h.buyer, c.w.judge.ownerOf(h.id)), hold: h.id, show: h.show, ev: events.APIGatewayProxyRequest{
		HTTPMethod: "POST", Resource: "/holds/{hold}/payments", PathParameters: map[string]string{"hold": h.id},
		Body: fmt.Sprintf(`{"provider":"sandbox","outcome":%q}`, outcome),
	}})
}

func (c *crowd) readOrder() {
	if len(c.orders) == 0 {
		return
	}
	c.aboutOrder(c.orders[c.w.tape.pick(len(c.orders))])
}

func (c *crowd) aboutOrder(o *paper) {
	c.send(&request{handler: "read-order", buyer: c.as(o.buyer, c.w.judge.ownerOf(o.id)), order: o.id, ev: events.APIGatewayProxyRequest{
		HTTPMethod: "GET", Resource: "/orders/{order}", PathParameters: map[string]string{"order": o.id},
	}})
}

func (c *crowd) readMap() {
	c.mapOf(c.someShow())
}

func (c *crowd) mapOf(show catalog.ShowID) {
	r := &request{handler: "read-seatmap", buyer: -1, show: show, ev: events.APIGatewayProxyRequest{
		HTTPMethod: "GET", Resource: "/shows/{show}/seatmap", PathParameters: map[string]string{"show": string(show)},
	}}
	if c.w.tape.oneIn(3) {
		r.ev.QueryStringParameters = map[string]string{"expand": "seats"}
	}
	c.send(r)
}

// house blocks seats and lets them go; it has no door in the API yet.
func (c *crowd) house() {
	w := c.w
	if len(c.blocks) > 0 && w.tape.oneIn(2) {
		id := c.blocks[w.tape.pick(len(c.blocks))]
		w.spawn("house", string(booking.House), w.latency(), func(ctx context.Context) { _, _ = w.cur.on.office.End(ctx, id, booking.ByHouse) }, nil)
		return
	}
	c.block(c.someShow(), c.neighbours(of(w.tape, 1, 2, 3)))
}

func (c *crowd) block(show catalog.ShowID, seats []string) {
	w := c.w
	c.keys++
	wish := boxoffice.Wish{Buyer: booking.House, Key: fmt.Sprintf("block %d", c.keys), BodyHash: "b", Show: show}
	for _, id := range seats {
		wish.Seats = append(wish.Seats, seatmap.SeatID(id))
	}
	c.blocks = append(c.blocks, booking.IDFor(wish.Buyer, wish.Key))
	w.spawn("house", string(booking.House), w.latency(), func(ctx context.Context) { _, _ = w.cur.on.office.Block(ctx, wish) }, nil)
}

// send lets the request go once, and once more where no answer comes or a busy one.
func (c *crowd) send(r *request) {
	w := c.w
	ev := r.ev
	ev.Headers = map[string]string{}
	who := ""
	if r.buyer >= 0 {
		who = string(buyerOf(r.buyer))
		ev.Headers["Authorization"] = "Bearer " + w.token(r.buyer)
	}
	if r.key != "" {
		ev.Headers["Idempotency-Key"] = r.key
	}
	if ev.Body != "" {
		ev.Headers["Content-Type"] = "application/json"
	}
	begun := w.now
	switch {
	case r.handler == "adopt-guest":
		w.judge.logsIn(r)
	case r.handler == "reserve-seats" && r.tries == 0:
		w.judge.wished(string(booking.IDFor(booking.Buyer(who), r.key)))
	}
	if w.tell {
		w.note(nil, fmt.Sprintf("%s asks: %s %v %s (%s)", nameOf(who), ev.HTTPMethod, ev.PathParameters, r.said(), r.key))
	}
	w.serve(r.handler, who, ev, func(a *events.APIGatewayProxyResponse) {
		unheard := a == nil || !w.calm && w.tape.oneIn(24)
		if !unheard {
			c.hear(r, begun, a)
		}
		if (unheard || a.StatusCode >= 500) && r.tries < 4 && r.answer != "another body" {
			r.tries++
			w.after(time.Duration(of(w.tape, 100, 700, 3000, 20_000))*time.Millisecond, func() { c.send(r) })
		}
	})
}

// hear is what a buyer makes of an answer; what it claims is judged.
func (c *crowd) hear(r *request, begun time.Time, a *events.APIGatewayProxyResponse) {
	var doc struct {
		ID, Code  string
		Status    any    // a word of an order, a number of a refusal
		OrderID   string `json:"order_id"`
		Conflicts []struct{ Seat string }
		Tickets   []struct{ Seat string }
		Kept      []keptShow
	}
	if a.Body != "" && json.Unmarshal([]byte(a.Body), &doc) != nil {
		c.w.fail("Answer", "%s: not JSON: %s", r.handler, a.Body)
		return
	}
	j := c.w.judge
	if a.StatusCode < 300 && r.key != "" {
		c.sameAnswer(r, doc.ID)
	}
	switch {
	case r.handler == "adopt-guest":
		j.loggedIn(r, begun, a.StatusCode, doc.Code, doc.Kept)
	case a.StatusCode == 404:
		j.denied(r, begun)
	case r.handler == "reserve-seats" && a.StatusCode == 201:
		if j.promised(doc.ID, r.buyer) && !slices.ContainsFunc(c.holds, func(h *holding) bool { return h.id == doc.ID }) {
			c.holds = append(c.holds, &holding{id: doc.ID, buyer: r.buyer, show: r.show, seats: j.seatsOf(doc.ID), ends: c.w.now.Add(c.w.policy.Hold)})
		}
	case r.handler == "reserve-seats" && doc.Code == "seats_unavailable":
		for _, x := range doc.Conflicts {
			j.refusedSeat(r.show, x.Seat, begun)
		}
		if r.best != "" {
			j.refusedBest(r.show, seatmap.SeatType(r.best), begun)
		}
	case r.handler == "pay-hold" && a.StatusCode == 201:
		if !slices.ContainsFunc(c.orders, func(o *paper) bool { return o.id == doc.OrderID }) {
			c.orders = append(c.orders, &paper{doc.OrderID, r.buyer, r.hold})
		}
		j.paymentExists(doc.ID)
	case r.handler == "pay-hold" && doc.Code == "hold_expired":
		j.toldExpired(r.hold)
	case r.handler == "release-hold" && a.StatusCode == 204:
		j.shown(r.hold, r.buyer, begun)
		j.givenBack(r.hold)
	case r.handler == "read-hold" && a.StatusCode == 200:
		j.shown(r.hold, r.buyer, begun)
	case r.handler == "read-order" && a.StatusCode == 200:
		j.shown(r.order, r.buyer, begun)
		j.orderShown(doc.ID, fmt.Sprint(doc.Status), len(doc.Tickets))
	}
}

// sameAnswer: the same key and body give the same thing, however often (OneEffect).
func (c *crowd) sameAnswer(r *request, id string) {
	if r.answer == "" {
		r.answer = id
	}
	if r.answer != id {
		c.w.fail("OneEffect", "%s under %s gave %s first and %s now", r.handler, r.key, r.answer, id)
	}
}
