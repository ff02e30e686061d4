package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// judge is a naive model of what the tables say, read item by item as they lie
// there, and the invariants over it. It shares no code with the product: key
// formats and attributes are spelt out here a second time, on purpose.
type judge struct {
	w      *world
	claims map[place]string // owner
	freed  map[place]time.Time
	holds  map[string]*holdRow
	live   map[place]string // the live hold of a seat
	timers map[string]bool
	caps   map[string]int64 // by show|buyer
	gates  map[string]map[int][]string
	pool   map[place]bool
	orders map[string]*orderRow
	pays   map[string]*payRow

	touched touched
	lines
	owners
	diaries
}

// place is a seat of a show.
type place struct{ show, seat string }

type holdRow struct {
	id, show, buyer, state, order, pay string
	first                              string // whose it was when it was made
	made                               time.Time
	seats                              []seatRow
	expires                            time.Time // as stored, by the clock of the writer
	truly                              time.Time // the same moment by the true clock
	rev                                int64
}

type seatRow struct {
	id, typ string
	price   int64
}

func (h *holdRow) living() bool {
	return h != nil && (h.state == "held" || h.state == "sold" || h.state == "blocked")
}

type orderRow struct {
	id, show, buyer, state, hold, paidBy string
	total, made, rev                     int64
	seats, tickets                       int
}

type payRow struct {
	id, state, order, hold string
	amount                 int64
}

// touched is what one step may have changed.
type touched struct {
	holds, orders, pays []string
	places              []place
	buyers              []string
}

func newJudge(w *world) *judge {
	return &judge{
		w: w, claims: map[place]string{}, freed: map[place]time.Time{}, holds: map[string]*holdRow{}, live: map[place]string{}, timers: map[string]bool{},
		caps: map[string]int64{}, gates: map[string]map[int][]string{}, pool: map[place]bool{}, orders: map[string]*orderRow{}, pays: map[string]*payRow{}, lines: newLines(), owners: newOwners(), diaries: diaries{},
	}
}

func (j *judge) item(k store.Key) store.Item {
	it, err := j.w.db.Get(context.Background(), k, true)
	if err != nil {
		j.w.fail("Judge", "cannot read %v: %v", k, err)
	}
	return it
}

func str(it store.Item, attr string) string { s, _ := it[attr].(string); return s }
func num(it store.Item, attr string) int64  { n, _ := it[attr].(int64); return n }

// step looks at the items of one transaction (t), or of one round of TTL (nil),
// after all of it has landed.
func (j *judge) step(t *task, keys []store.Key) {
	j.touched = touched{}
	j.moved, j.made, j.took, j.lined = nil, nil, nil, nil
	for _, k := range keys {
		it := j.item(k)
		switch {
		case strings.HasPrefix(k.PK, "SHOW#"):
			j.claim(k, it)
		case k.SK == "TO":
			j.bind(strings.TrimPrefix(k.PK, "CAP#"), it)
		case strings.HasPrefix(k.PK, "BUYER#"):
			j.shelve(k, it)
		case strings.HasPrefix(k.PK, "CAP#"):
			owner := strings.TrimPrefix(k.SK, "SHOW#") + "|" + strings.TrimPrefix(k.PK, "CAP#")
			j.caps[owner], j.capAt[owner] = num(it, "n"), j.w.now
			j.touched.buyers = append(j.touched.buyers, owner)
		case strings.HasPrefix(k.PK, "HOLD#"):
			j.hold(t, strings.TrimPrefix(k.PK, "HOLD#"), it)
		case strings.HasPrefix(k.PK, "EXP#"):
			_, id, _ := strings.Cut(k.SK, "#")
			if it != nil {
				j.timers[id] = true
			} else {
				delete(j.timers, id)
			}
			if t != nil {
				j.touched.holds = append(j.touched.holds, id)
			}
		case strings.HasPrefix(k.PK, "GATE#"):
			j.gate(k, it)
		case j.lineItem(t, k, it):
		case strings.HasPrefix(k.PK, "ORDER#"):
			j.order(t, strings.TrimPrefix(k.PK, "ORDER#"), it)
		case strings.HasPrefix(k.PK, "PAY#"):
			j.pay(strings.TrimPrefix(k.PK, "PAY#"), it)
		}
	}
	j.check(t)
}

func (j *judge) claim(k store.Key, it store.Item) {
	show := strings.TrimPrefix(k.PK, "SHOW#")
	show = show[:strings.LastIndex(show, "#")]
	p := place{show, k.SK}
	was := j.claims[p]
	is := str(it, "owner")
	if was == is {
		return
	}
	j.claims[p] = is
	if is == "" {
		delete(j.claims, p)
		j.freed[p] = j.w.now
		if typ := typeOf(p.seat); j.wanted(show, typ) || j.waitsFor(show, typ) != nil {
			j.w.fail("NoGap", "seat %s of %s became free while somebody waits for %s", p.seat, show, typ)
		}
	}
	j.touched.places = append(j.touched.places, p)
	for _, o := range []string{was, is} {
		if o != "" && o != "LINE" {
			j.touched.holds = append(j.touched.holds, strings.TrimPrefix(o, "HOUSE#"))
		}
	}
}

func claimKey(p place) store.Key {
	at, _ := hall.Seat(seatmap.SeatID(p.seat))
	return store.Key{Table: store.Claims, PK: "SHOW#" + p.show + "#" + hall.Block(at.Block).Name, SK: p.seat}
}

func typeOf(seat string) string {
	for i := range hall.Len() {
		if s := hall.At(i); string(s.ID) == seat {
			return string(s.Type)
		}
	}
	return ""
}

func (j *judge) gate(k store.Key, it store.Item) {
	parts := strings.Split(k.PK, "#")
	n, _ := strconv.Atoi(parts[2])
	if j.gates[parts[1]] == nil {
		j.gates[parts[1]] = map[int][]string{}
	}
	set, _ := it["wanted"].(store.Set)
	j.gates[parts[1]][n] = set
}

// wanted: all eight gates change in one transaction, so one that wants the type
// means that all do.
func (j *judge) wanted(show, typ string) bool {
	for _, set := range j.gates[show] {
		if slices.Contains(set, typ) {
			return true
		}
	}
	return false
}

// moves of a hold; any other is a second effect of something (OneEffect).
var moves = map[string][]string{"": {"held", "sold", "blocked"}, "held": {"held", "sold", "released", "expired"}, "sold": {"refunded"}, "blocked": {"released"}}

func (j *judge) hold(t *task, id string, it store.Item) {
	was := j.holds[id]
	if it == nil {
		if was.living() {
			j.w.fail("NoLostSeat", "the item of hold %s, which is %s, is gone", id, was.state)
		}
		delete(j.holds, id)
		return
	}
	h := &holdRow{
		id: id, show: str(it, "show"), buyer: str(it, "buyer"), state: str(it, "state"), order: str(it, "ord"), pay: str(it, "pay"),
		expires: time.UnixMilli(num(it, "exp")).UTC(), rev: num(it, "rev"),
	}
	list, _ := it["seats"].([]any)
	for _, v := range list {
		parts := strings.Split(v.(string), "|")
		price, _ := strconv.ParseInt(parts[3], 10, 64)
		h.seats = append(h.seats, seatRow{parts[0], parts[1], price})
	}
	from := ""
	h.truly, h.first, h.made = h.expires.Add(-t.skew), h.buyer, j.w.now
	if was != nil {
		from, h.truly, h.first, h.made = was.state, was.truly, was.first, was.made
		if h.rev != was.rev+1 || !h.expires.Equal(was.expires) || !slices.Equal(h.seats, was.seats) {
			j.w.fail("OneEffect", "hold %s changed from %+v to %+v", id, *was, *h)
		}
		if h.pay != was.pay && t.handlerOf() == "pay-hold" && t.who != h.buyer {
			j.w.fail("OwnerAlone", "hold %s of %s is being paid by %s", id, h.buyer, t.who)
		}
	}
	renamed := was != nil && was.buyer != h.buyer
	if renamed {
		j.renamed(t, id, was.buyer, h.buyer, h.state == from && h.order == was.order && h.pay == was.pay)
		j.touched.buyers = append(j.touched.buyers, h.show+"|"+was.buyer)
	} else if !slices.Contains(moves[from], h.state) {
		j.w.fail("OneEffect", "hold %s went from %q to %q", id, from, h.state)
	}
	j.holds[id] = h
	if from == "" {
		j.made = append(j.made, h)
	}
	if (from == "sold" || from == "blocked") && !h.living() {
		j.let[h.show] = j.w.now
	}
	if !renamed {
		j.lifetime(t, from, h)
	}
	for _, s := range h.seats {
		p := place{h.show, s.id}
		j.touched.places = append(j.touched.places, p)
		if h.living() {
			if other := j.live[p]; other != "" && other != id && j.holds[other].living() {
				j.w.fail("NoDoubleSell", "seat %s of %s is of hold %s and of hold %s", s.id, h.show, other, id)
			}
			j.live[p] = id
		} else if j.live[p] == id {
			delete(j.live, p)
		}
	}
	j.touched.holds = append(j.touched.holds, id)
	j.touched.buyers = append(j.touched.buyers, h.show+"|"+h.buyer)
	if h.order != "" {
		j.touched.orders = append(j.touched.orders, h.order)
	}
}

// lifetime: until expiresAt nobody ends a hold for its age, from expiresAt + grace
// nobody sells it, and before that only its owner gives it back.
func (j *judge) lifetime(t *task, from string, h *holdRow) {
	who := t.handlerOf()
	switch {
	case h.state == "expired" && j.w.now.Before(h.truly):
		j.w.fail("HoldLifetime", "hold %s was ended %v before its time by %s", h.id, h.truly.Sub(j.w.now), who)
	case h.state == "sold" && from == "held" && !t.clock.Before(h.expires.Add(grace)):
		j.w.fail("HoldLifetime", "hold %s was sold %v after its time and grace by the clock of %s", h.id, t.clock.Sub(h.expires.Add(grace)), who)
	case h.state == "released" && from == "held" && (who != "release-hold" || t.who != h.buyer):
		j.w.fail("HoldLifetime", "hold %s was given back by %s for %q", h.id, who, t.who)
	case h.state == "released" && from == "blocked" && who != "house":
		j.w.fail("HoldLifetime", "blocked seats %s were let go by %s", h.id, who)
	case (h.state == "expired" || h.state == "sold" && from == "held" || h.state == "held" && from == "") && !t.fresh:
		j.w.fail("HoldLifetime", "%s made hold %s %s with the time of an attempt that was refused", who, h.id, h.state)
	}
}

func (j *judge) order(t *task, id string, it store.Item) {
	if it == nil {
		delete(j.orders, id)
		return
	}
	o := &orderRow{
		id: id, show: str(it, "show"), buyer: str(it, "buyer"), state: str(it, "state"), hold: str(it, "hold"), paidBy: str(it, "paidby"),
		total: num(it, "amount"), made: num(it, "made"), rev: num(it, "rev"),
	}
	seats, _ := it["seats"].([]any)
	tickets, _ := it["tickets"].([]any)
	o.seats, o.tickets = len(seats), len(tickets)
	was := j.orders[id]
	if was != nil && was.state != o.state && !slices.Contains(orderMoves[was.state], o.state) {
		j.w.fail("OneEffect", "order %s went from %s to %s", id, was.state, o.state)
	}
	if was != nil && was.buyer != o.buyer {
		j.renamed(t, id, was.buyer, o.buyer, o.state == was.state && o.hold == was.hold && o.paidBy == was.paidBy && o.tickets == was.tickets)
	}
	j.orders[id] = o
	j.touched.orders = append(j.touched.orders, id)
}

var (
	orderMoves = map[string][]string{"PENDING": {"PAID", "CANCELLED"}, "CANCELLED": {"PAID", "REFUNDED"}, "PAID": {"REFUNDED"}}
	payMoves   = map[string][]string{"pending": {"captured", "failed", "refunding"}, "failed": {"captured", "refunding"}, "refunding": {"refunded"}}
)

func (j *judge) pay(id string, it store.Item) {
	if it == nil {
		delete(j.pays, id)
		return
	}
	p := &payRow{id: id, state: str(it, "state"), order: str(it, "ord"), hold: str(it, "hold"), amount: num(it, "amount")}
	if was := j.pays[id]; was != nil && was.state != p.state && !slices.Contains(payMoves[was.state], p.state) {
		j.w.fail("OneEffect", "payment %s went from %s to %s", id, was.state, p.state)
	}
	j.pays[id] = p
	j.touched.pays = append(j.touched.pays, id)
	j.touched.orders = append(j.touched.orders, p.order)
}

// busyUntil is the last moment at which the seat could rightly be refused to
// somebody: an overdue hold is ended by who meets it, by the slowest clock.
func (j *judge) busyUntil(p place) time.Time {
	now := j.w.now
	owner := j.claims[p]
	if owner == "" {
		if j.w.landing(claimKey(p)) {
			return now
		}
		return j.freed[p]
	}
	if h := j.holds[owner]; h != nil && h.state == "held" && !j.w.landing(holdKey(h.id)) {
		if end := h.expires.Add(grace + budget); end.Before(now) {
			return end
		}
	}
	return now
}

func (j *judge) refusedSeat(show catalog.ShowID, id string, begun time.Time) {
	if busy := j.busyUntil(place{string(show), id}); busy.Before(begun) {
		j.w.fail("NeverTaken", "%q was said of seat %s of %s, which could be had from %s on; the request came at %s", "taken", id, show, clock(busy), clock(begun))
	}
}
