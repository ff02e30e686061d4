package main

import (
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// owners is the judge's model of whose a thing is. Things are holds, orders and places
// in line, by their ids.
type owners struct {
	bound   map[string]string    // guest → account, as it lies in the table
	asked   map[string]bool      // guest|account: somebody with both tokens wanted it
	since   map[string]time.Time // thing → when it changed its owner
	from    map[string]string    // and whose it was
	capAt   map[string]time.Time // show|buyer → when the allowance was written last
	liveAt  map[string]time.Time // and the place
	refused map[string]*refusals // show|buyer
}

// refusals are the offers that a buyer declined or let lapse, as his place tells.
type refusals struct {
	n     int
	cool  time.Time // he may not ask before
	was   time.Time // the same, before the place moved away
	moved time.Time
}

func newOwners() owners {
	return owners{
		bound: map[string]string{}, asked: map[string]bool{}, since: map[string]time.Time{}, from: map[string]string{},
		capAt: map[string]time.Time{}, liveAt: map[string]time.Time{}, refused: map[string]*refusals{},
	}
}

// handlerOf a transaction, also of one that came late.
func (t *task) handlerOf() string {
	if t.handler == network {
		return t.sender
	}
	return t.handler
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func bindKey(guest string) store.Key {
	return store.Key{Table: store.Claims, PK: "CAP#" + guest, SK: "TO"}
}

// bind: a guest is one account's for good, and only of one that asked for him.
func (j *judge) bind(guest string, it store.Item) {
	is, was := str(it, "to"), j.bound[guest]
	if it == nil {
		return // forgotten with the guest
	}
	if was != "" && was != is || !j.asked[guest+"|"+is] {
		j.w.fail("OneEffect", "guest %s, who was of %q, is bound to %q", guest, was, is)
	}
	j.bound[guest] = is
}

// renamed: a thing changes its owner from a guest to the account that he is bound to, by
// that account's own request, whole and else as it was. An account's things stay its
// own, so it is at most once. That the allowance moves in the same transaction is
// TenAtMost, judged of both after it.
func (j *judge) renamed(t *task, id, was, is string, whole bool) {
	to := str(j.item(bindKey(was)), "to") // its own transaction may be landing still for others
	if t == nil || t.handlerOf() != "adopt-guest" || t.who != is || !strings.HasPrefix(was, "g_") || to != is || !j.asked[was+"|"+is] || !whole {
		j.w.fail("OwnerAlone", "%s went from %s to %s; he is of %q; else it is as it was: %v", id, was, is, to, whole)
	}
	j.since[id], j.from[id] = j.w.now, was
	switch h := j.holds[id]; {
	case j.waiters[id] != nil:
		j.w.adopted["places moved"]++
	case h == nil:
		j.w.adopted["orders moved"]++
	case h.living():
		j.w.adopted[h.state+" holds moved"]++
	default:
		j.w.adopted["ended holds moved"]++
	}
}

func (j *judge) ownerOf(id string) string {
	switch {
	case j.holds[id] != nil:
		return j.holds[id].buyer
	case j.orders[id] != nil:
		return j.orders[id].buyer
	case j.waiters[id] != nil:
		return j.waiters[id].buyer
	}
	return ""
}

func (j *judge) thingLanding(id string) bool {
	return j.w.landing(holdKey(id)) || j.w.landing(orderKey(id)) || j.w.landing(waiterKey(id))
}

// stays: the thing was the buyer's for the whole time of a request.
func (j *judge) stays(id string, by int, begun time.Time) bool {
	return j.ownerOf(id) == string(buyerOf(by)) && (j.from[id] == "" || j.since[id].Before(begun)) && !j.thingLanding(id)
}

// shown: what somebody is shown, or does something to, is his, or was when he asked.
func (j *judge) shown(id string, by int, begun time.Time) {
	who, owner := string(buyerOf(by)), j.ownerOf(id)
	if owner != "" && owner != who && (j.from[id] != who || j.since[id].Before(begun)) && !j.thingLanding(id) {
		j.w.fail("OwnerAlone", "%s of %s was shown to %s, who asked at %s; his until %s", id, owner, who, clock(begun), clock(j.since[id]))
	}
}

// denied: nobody is told that what is his is not there.
func (j *judge) denied(r *request, begun time.Time) {
	for _, id := range []string{r.hold, r.order} {
		made := noon
		if h := j.holds[id]; h != nil {
			made = h.made
		}
		if id != "" && made.Before(begun) && j.stays(id, r.buyer, begun) {
			j.w.fail("OwnerAlone", "%s was answered that %s, which is his, is not there", nameOf(string(buyerOf(r.buyer))), id)
		}
	}
}

func (j *judge) refusalsOf(owner string) *refusals {
	if j.refused[owner] == nil {
		j.refused[owner] = &refusals{}
	}
	return j.refused[owner]
}

// refuses: the second time, and each after it, he has to cool down.
func (j *judge) refuses(w *waiterRow) {
	r := j.refusalsOf(w.show + "|" + w.buyer)
	if r.n++; r.n >= 2 {
		r.cool = j.w.now.Add(j.w.line.CoolDown)
	}
}

// refusalsMove: who logs in is not forgiven.
func (j *judge) refusalsMove(show, was, is string) {
	from, to := j.refusalsOf(show+"|"+was), j.refusalsOf(show+"|"+is)
	to.n, to.cool = to.n+from.n, later(to.cool, from.cool)
	*from = refusals{was: from.cool, moved: j.w.now}
}

// coolUntil is until when a buyer who refused twice may not ask again; who asked while
// his place moved may be told of what was.
func (j *judge) coolUntil(show, buyer string) time.Time {
	r := j.refusalsOf(show + "|" + buyer)
	if j.w.now.Sub(r.moved) < 15*time.Second {
		return later(r.cool, r.was)
	}
	return r.cool
}

// keptShow is a show of which all stays the guest's.
type keptShow struct {
	Show   string `json:"show_id"`
	Reason string
}

func (j *judge) logsIn(r *request) {
	j.asked[string(buyerOf(r.guest))+"|"+string(buyerOf(r.buyer))] = true
}

// loggedIn judges the answer to a log-in.
func (j *judge) loggedIn(r *request, begun time.Time, status int, code string, kept []keptShow) {
	guest, account := string(buyerOf(r.guest)), string(buyerOf(r.buyer))
	sure := !j.w.landing(bindKey(guest))
	switch {
	case status == 409 && code == "already_adopted":
		j.w.adopted["refused"]++
		if sure && (j.bound[guest] == "" || j.bound[guest] == account) {
			j.w.fail("OneEffect", "%s was told that %s is another's; he is of %q", account, guest, j.bound[guest])
		}
	case status != 200:
		if status < 500 || r.last && len(j.w.flying) == 0 {
			j.w.fail("Answer", "a log-in was answered %d %s", status, code)
		}
	case sure && j.bound[guest] != account:
		j.w.fail("OneEffect", "%s was answered that it has what %s had, who is of %q", account, guest, j.bound[guest])
	default:
		j.w.adopted["answered"]++
		for _, k := range kept {
			j.w.adopted["shows kept for "+k.Reason]++
			j.keptRightly(k, guest, account, begun)
		}
		j.leftBehind(guest, begun, kept, r.last)
	}
}

// keptRightly: what stays the guest's had to, at some moment of the request.
func (j *judge) keptRightly(k keptShow, guest, account string, begun time.Time) {
	g, a := k.Show+"|"+guest, k.Show+"|"+account
	switch changed := func(at map[string]time.Time, table store.Table, pk string) bool {
		return !later(at[g], at[a]).Before(begun) || j.w.landing(store.Key{Table: table, PK: pk + guest, SK: "SHOW#" + k.Show}) ||
			j.w.landing(store.Key{Table: table, PK: pk + account, SK: "SHOW#" + k.Show})
	}; k.Reason {
	case "seat_limit_reached":
		if !changed(j.capAt, store.Claims, "CAP#") && j.caps[g]+j.caps[a] <= 10 {
			j.w.fail("OneEffect", "%s stays %s's for its seats: %d, and the account has %d", k.Show, guest, j.caps[g], j.caps[a])
		}
	case "already_waiting":
		if !changed(j.liveAt, store.Line, "PLACE#") && (j.lives[g] == "" || j.lives[a] == "") {
			j.w.fail("OneEffect", "%s stays %s's for its places: %q, and the account has %q", k.Show, guest, j.lives[g], j.lives[a])
		}
	default:
		j.w.fail("Answer", "%s stays the guest's for %q", k.Show, k.Reason)
	}
}

// leftBehind: what the guest had when he asked to log in, and still is his, is of a show
// that was said to stay. Orders whose holds have ended follow when their list knows them.
func (j *judge) leftBehind(guest string, begun time.Time, kept []keptShow, orders bool) {
	left := func(id, show, buyer string, made time.Time) {
		if buyer == guest && made.Before(begun) && !j.thingLanding(id) && !slices.ContainsFunc(kept, func(k keptShow) bool { return k.Show == show }) {
			j.w.fail("OneEffect", "%s of %s stayed with %s, and nobody said so", id, show, guest)
		}
	}
	for _, id := range sorted(j.holds) {
		if h := j.holds[id]; h.living() {
			left(id, h.show, h.buyer, h.made)
		}
	}
	for _, id := range sorted(j.waiters) {
		if w := j.waiters[id]; !w.ended() {
			left(id, w.show, w.buyer, w.made)
		}
	}
	if orders {
		for _, id := range sorted(j.orders) {
			left(id, j.orders[id].show, j.orders[id].buyer, noon)
		}
	}
}
