package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/session"
)

// accounts are numbered after the guests; several guests may log in to one.
const accounts = 2

func accountOf(i int) session.AccountID { return session.AccountID{byte(1 + i - buyers)} }

func buyerOf(i int) booking.Buyer {
	if i < buyers {
		return guests[i].Buyer
	}
	return accountOf(i).Buyer()
}

func personOf(buyer string) (i int, ok bool) {
	for i := range buyers + accounts {
		if string(buyerOf(i)) == buyer {
			return i, true
		}
	}
	return 0, false
}

// token is what a buyer shows: an account's is new each time, for it is good for
// minutes alone.
func (w *world) token(i int) string {
	if i < buyers {
		return guests[i].Token
	}
	token, _ := keeper.Access(accountOf(i), session.LoginID{1}, w.now)
	return token
}

// as is who asks about a thing of the owner's that the buyer came by. Once he has begun
// to log in he is two: as a rule the one whose it is, now and then the other.
func (c *crowd) as(buyer int, owner string) int {
	account, begun := c.logins[buyer]
	if !begun {
		return buyer
	}
	likely, other := account, buyer
	if i, ok := personOf(owner); ok && i == buyer {
		likely, other = buyer, account
	} else if ok && i >= buyers {
		likely = i
	}
	if c.w.calm {
		return likely // whoever looks moves things on; the other only would be refused
	}
	return of(c.w.tape, likely, likely, likely, other)
}

// logsIn makes the way to the aim frequent where that is of a log-in.
func (c *crowd) logsIn() bool {
	w := c.w
	switch {
	case w.focus.handler != "adopt-guest" || !w.moody || w.tape.pick(3) < 2:
		return false
	case slices.Contains([]string{"AdoptPast", "HoldByID", "OrderByID", "Orders"}, w.focus.call) && w.tape.pick(3) > 0:
		c.lateLogIn()
	default:
		c.logIn()
	}
	return true
}

// logIn: a guest logs in to an account, perhaps twice at once, perhaps to another than
// before; and the account may have something of the same show already.
func (c *crowd) logIn() {
	w, guest := c.w, c.w.tape.pick(buyers-1)
	if i := slices.IndexFunc(c.line, func(j *joiner) bool { return j.buyer < buyers-1 && !j.gone }); i >= 0 && w.tape.oneIn(3) {
		guest = c.line[i].buyer
	} else if h := c.someHolding(); h != nil && h.buyer < buyers-1 && w.tape.pick(3) > 0 {
		guest = h.buyer
	}
	account := c.accountFor(guest)
	wait := time.Duration(0)
	if w.tape.oneIn(4) {
		c.atHome(guest, account)
		wait = of(w.tape, 0, 50*time.Millisecond, 2*time.Second)
	}
	w.after(wait, func() { c.adopt(guest, account) })
	if w.tape.oneIn(4) {
		again := c.accountFor(guest)
		w.after(wait+of(w.tape, 0, 5*time.Millisecond, 60*time.Millisecond, 9*time.Second), func() { c.adopt(guest, again) })
	}
}

func (c *crowd) accountFor(guest int) int {
	if a, ok := c.logins[guest]; ok && c.w.tape.pick(6) < 5 {
		return a
	}
	return buyers + c.w.tape.pick(accounts)
}

// atHome: the account does something of its own where the guest has something.
func (c *crowd) atHome(guest, account int) {
	w := c.w
	i := slices.IndexFunc(c.line, func(j *joiner) bool { return j.buyer == guest && !j.gone })
	if i >= 0 && w.tape.oneIn(2) {
		c.join(account, c.line[i].show)
		return
	}
	show := c.someShow()
	if k := slices.IndexFunc(c.holds, func(h *holding) bool { return h.buyer == guest }); k >= 0 {
		show = c.holds[k].show
	}
	if free := c.free(show); len(free) > 0 {
		c.named(account, show, free[:min(len(free), of(w.tape, 1, 2, 5, 8, 10))])
	}
}

// lateLogIn: what a guest has given back while it was being paid, or lost, is history
// when he logs in.
func (c *crowd) lateLogIn() {
	w := c.w
	i := slices.IndexFunc(c.holds, func(h *holding) bool {
		return !h.lapsing && h.buyer < buyers-1 && h.ends.After(w.now) && w.judge.ownerOf(h.id) == string(buyerOf(h.buyer))
	})
	if i < 0 {
		c.holdNamed()
		return
	}
	h := c.holds[i]
	h.lapsing = true
	c.payFor(h, of(w.tape, "late", "never", "decline", "late", "success"))
	w.after(of(w.tape, 2*time.Second, time.Second, 5*time.Second), func() { c.aboutHold("DELETE", "release-hold", h) })
	if w.tape.oneIn(3) {
		w.after(6*time.Second, func() { c.named((h.buyer+1)%(buyers-1), h.show, h.seats) }) // late money finds them taken
	}
	w.after(of(w.tape, 8*time.Second, 4*time.Second, 12*time.Second, 40*time.Second), func() { c.adopt(h.buyer, c.accountFor(h.buyer)) })
}

func (c *crowd) adopt(guest, account int) {
	if _, ok := c.logins[guest]; !ok {
		c.logins[guest] = account
	}
	r := logInOf(guest, account)
	c.sent = append(c.sent, r)
	c.send(r)
}

func logInOf(guest, account int) *request {
	return &request{handler: "adopt-guest", buyer: account, guest: guest, ev: events.APIGatewayProxyRequest{
		HTTPMethod: "POST", Resource: "/me/adoptions", Body: fmt.Sprintf(`{"guest_token":%q}`, guests[guest].Token),
	}}
}

// said is a request's body as a story tells it.
func (r *request) said() string {
	if r.handler == "adopt-guest" {
		return "what " + nameOf(string(guests[r.guest].Buyer)) + " has"
	}
	return r.ev.Body
}

// lastLogIns: each who has logged in does so once more while nothing goes wrong, and
// all that can move has moved.
func (c *crowd) lastLogIns() {
	for _, guest := range sorted(c.logins) {
		if i, ok := personOf(c.w.judge.bound[string(buyerOf(guest))]); ok && c.w.broken == nil {
			r := logInOf(guest, i)
			r.last = true
			c.send(r)
			c.w.run(c.w.now.Add(10 * time.Second))
		}
	}
}
