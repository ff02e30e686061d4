package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// ledger is a naive model of all rows, kept from the records of every table, with
// sums of what happened. It shares no code with the product: keys and attributes are
// spelt out here once more, on purpose.
type ledger struct {
	w      *world
	rows   map[string]int // by kind
	byShow map[string]map[store.Key]string
	showOf map[string]string // of holds and payments
	holds  map[string]*holdRow
	wait   map[string]*waiterRow
	lines  map[string]map[string]*waiterRow // by show: who lives in line
	claims map[string]map[string]string     // by show: seat → owner
	pool   map[string]map[string]bool
	pays   map[string]*payRow
	orders map[string]*orderRow
	caps   map[string]int64
	sums   sums
	days   []day
}

// sums are of everything since the beginning.
type sums struct {
	held, sold, released, expired, regranted, blocked, letGo                      int
	joined, offered, accepted, declined, lapsed, left, infeasible, timedOut, past int
	archived                                                                      int
	untidy                                                                        int   // shows whose line nobody tidied, for the word of it was lost
	kept                                                                          int64 // money of archived orders
	gaps                                                                          int   // FirstComeFirstServed and NoGap, broken
}

func (s sums) ended() int {
	return s.accepted + s.declined + s.lapsed + s.left + s.infeasible + s.timedOut
}

type holdRow struct {
	id, show, buyer, state string
	seats                  []seatRow
}

type seatRow struct {
	id, typ string
	price   int64
}

func (h *holdRow) living() bool {
	return h != nil && (h.state == "held" || h.state == "sold" || h.state == "blocked")
}

type waiterRow struct {
	id, show, buyer, state, hold string
	number, party                int64
	types, offer                 []string
	gone                         []string // who has passed
}

type payRow struct {
	id, state, order string
	amount           int64
}

type orderRow struct {
	id, state string
	total     int64
}

func newLedger(w *world) *ledger {
	return &ledger{
		w: w, rows: map[string]int{}, byShow: map[string]map[store.Key]string{}, showOf: map[string]string{}, holds: map[string]*holdRow{}, wait: map[string]*waiterRow{},
		lines: map[string]map[string]*waiterRow{}, claims: map[string]map[string]string{}, pool: map[string]map[string]bool{}, pays: map[string]*payRow{}, orders: map[string]*orderRow{}, caps: map[string]int64{},
	}
}

func str(it store.Item, attr string) string { s, _ := it[attr].(string); return s }
func num(it store.Item, attr string) int64  { n, _ := it[attr].(int64); return n }

func isPool(r memstore.Record) bool {
	return strings.HasPrefix(r.Key.PK, "LINE#") && strings.HasPrefix(r.Key.SK, "S#")
}

// kindOf an item, and the show that it belongs to.
func (l *ledger) kindOf(k store.Key, it store.Item) (kind, show string) {
	kind, rest, _ := strings.Cut(k.PK, "#")
	show, _, _ = strings.Cut(rest, "#")
	switch kind {
	case "SHOW":
		kind = "claim"
	case "CAP", "PLACE":
		show = strings.TrimPrefix(k.SK, "SHOW#")
	case "LINE":
		kind = map[byte]string{'S': "pool", 'W': "entry"}[k.SK[0]]
		if k.SK == "STATE" {
			kind = "line state"
		}
	case "HOLD":
		kind, show = "hold", str(it, "show")
		if str(it, "state") == "sold" || str(it, "state") == "blocked" {
			kind = "hold sold"
		}
	case "WAITER", "ORDER":
		show = str(it, "show")
	case "PAY":
		show = l.showOf[str(it, "hold")]
	case "ANSWER":
		show = l.showOf[str(it, "pay")]
	case "STATUS":
		_, movie, _ := strings.Cut(rest, "#")
		show = "s" + strings.TrimPrefix(movie, "m")
	}
	return strings.ToLower(kind), show
}

// step reads the records of one transaction, or of one round of TTL.
func (l *ledger) step(records []memstore.Record) {
	var moved []*waiterRow
	var made []*holdRow
	for _, r := range records {
		l.count(r)
		switch {
		case strings.HasPrefix(r.Key.PK, "HOLD#"):
			if h := l.hold(r); h != nil {
				made = append(made, h)
			}
		case strings.HasPrefix(r.Key.PK, "WAITER#"):
			if v := l.waiter(r); v != nil {
				moved = append(moved, v)
			}
		case strings.HasPrefix(r.Key.PK, "PAY#"):
			l.pay(r)
		case strings.HasPrefix(r.Key.PK, "ORDER#"):
			l.order(r)
		case strings.HasPrefix(r.Key.PK, "CAP#"):
			owner := r.Key.PK + "/" + r.Key.SK
			if l.caps[owner] = num(r.New, "n"); r.New == nil || l.caps[owner] == 0 {
				delete(l.caps, owner)
			}
		}
	}
	l.fair(moved, made)
}

// count keeps how many rows there are of each kind, and which a show has.
func (l *ledger) count(r memstore.Record) {
	if r.Old != nil {
		kind, show := l.kindOf(r.Key, r.Old)
		l.rows[kind]--
		delete(l.byShow[show], r.Key)
	}
	if r.New == nil {
		l.place(r, "")
		return
	}
	kind, show := l.kindOf(r.Key, r.New)
	l.rows[kind]++
	if l.byShow[show] == nil {
		l.byShow[show] = map[store.Key]string{}
	}
	l.byShow[show][r.Key] = kind
	l.place(r, show)
}

// place keeps whose each seat is.
func (l *ledger) place(r memstore.Record, _ string) {
	_, rest, _ := strings.Cut(r.Key.PK, "#")
	show, _, _ := strings.Cut(rest, "#")
	switch {
	case strings.HasPrefix(r.Key.PK, "SHOW#") && r.New != nil:
		if l.claims[show] == nil {
			l.claims[show] = map[string]string{}
		}
		l.claims[show][r.Key.SK] = str(r.New, "owner")
	case strings.HasPrefix(r.Key.PK, "SHOW#"):
		delete(l.claims[show], r.Key.SK)
	case isPool(r) && r.New != nil:
		if l.pool[show] == nil {
			l.pool[show] = map[string]bool{}
		}
		l.pool[show][strings.TrimPrefix(r.Key.SK, "S#")] = true
	case isPool(r):
		delete(l.pool[show], strings.TrimPrefix(r.Key.SK, "S#"))
	}
}

// hold reads one; it is returned where it is new.
func (l *ledger) hold(r memstore.Record) *holdRow {
	id := strings.TrimPrefix(r.Key.PK, "HOLD#")
	was := l.holds[id]
	if r.New == nil {
		delete(l.holds, id)
		delete(l.showOf, id)
		return nil
	}
	h := &holdRow{id: id, show: str(r.New, "show"), buyer: str(r.New, "buyer"), state: str(r.New, "state")}
	list, _ := r.New["seats"].([]any)
	for _, v := range list {
		parts := strings.Split(v.(string), "|")
		price, _ := strconv.ParseInt(parts[3], 10, 64)
		h.seats = append(h.seats, seatRow{parts[0], parts[1], price})
	}
	l.holds[id], l.showOf[id] = h, h.show
	from := ""
	if was != nil {
		from = was.state
	}
	s := &l.sums
	switch {
	case from == h.state:
	case from == "" && h.state == "held":
		s.held++
	case from == "" && h.state == "sold":
		s.regranted++
	case h.state == "sold":
		s.sold++
	case h.state == "blocked":
		s.blocked++
	case from == "blocked":
		s.letGo++
	case h.state == "released":
		s.released++
	case h.state == "expired":
		s.expired++
	default:
		l.w.fail("OneEffect", "hold %s went from %q to %q", id, from, h.state)
	}
	if from == "" {
		return h
	}
	return nil
}

func texts(it store.Item, attr string) []string {
	set, _ := it[attr].(store.Set)
	return slices.Clone([]string(set))
}

// waiter reads one; it is returned where its state has changed.
func (l *ledger) waiter(r memstore.Record) *waiterRow {
	id := strings.TrimPrefix(r.Key.PK, "WAITER#")
	was := l.wait[id]
	if r.New == nil {
		if was != nil && l.lines[was.show][id] != nil {
			l.w.fail("WaiterNeverLost", "waiter %s, who is %s, is gone", id, was.state)
		}
		delete(l.wait, id)
		return nil
	}
	v := &waiterRow{
		id: id, show: str(r.New, "show"), buyer: str(r.New, "buyer"), state: str(r.New, "state"), hold: str(r.New, "hold"), number: num(r.New, "no"), party: num(r.New, "party"), types: texts(r.New, "types"),
	}
	list, _ := r.New["offer"].([]any)
	for _, x := range list {
		v.offer = append(v.offer, strings.Split(x.(string), "|")[0])
	}
	from := ""
	if was != nil {
		from, v.gone = was.state, was.gone
	}
	l.wait[id] = v
	if from == v.state {
		if from == "waiting" {
			l.lines[v.show][id] = v
		}
		return nil
	}
	if l.lines[v.show] == nil {
		l.lines[v.show] = map[string]*waiterRow{}
	}
	l.lines[v.show][id] = v
	if n := l.sums.of(v.state); n != nil {
		*n++
	}
	switch v.state {
	case "asked", "entering", "waiting", "offered":
	default:
		delete(l.lines[v.show], id)
	}
	return v
}

// of a state: the sum that it adds to.
func (s *sums) of(state string) *int {
	return map[string]*int{
		"asked": &s.joined, "offered": &s.offered, "accepted": &s.accepted, "declined": &s.declined, "lapsed": &s.lapsed, "left": &s.left,
		"infeasible": &s.infeasible, "timed_out": &s.timedOut,
	}[state]
}

func (l *ledger) pay(r memstore.Record) {
	id := strings.TrimPrefix(r.Key.PK, "PAY#")
	if r.New == nil {
		delete(l.pays, id)
		delete(l.showOf, id)
		return
	}
	l.pays[id] = &payRow{id: id, state: str(r.New, "state"), order: str(r.New, "ord"), amount: num(r.New, "amount")}
	l.showOf[id] = l.showOf[str(r.New, "hold")]
}

func (l *ledger) order(r memstore.Record) {
	id := strings.TrimPrefix(r.Key.PK, "ORDER#")
	if r.New == nil {
		delete(l.orders, id)
		return
	}
	l.orders[id] = &orderRow{id: id, state: str(r.New, "state"), total: num(r.New, "amount")}
}

// fair judges who got seats: nobody who waits for such and came before is passed,
// but by so many as the organiser allows; no walk-up takes what somebody waits for.
func (l *ledger) fair(moved []*waiterRow, made []*holdRow) {
	accepted := map[string]bool{}
	for _, v := range moved {
		switch v.state {
		case "offered":
			l.passed(v, v.offer)
		case "accepted":
			accepted[v.hold] = true
			if h := l.holds[v.hold]; h != nil {
				var chosen []string
				for _, s := range h.seats {
					if !slices.Contains(v.offer, s.id) {
						chosen = append(chosen, s.id)
					}
				}
				l.passed(v, chosen)
			}
		}
	}
	for _, h := range made {
		if accepted[h.id] || h.buyer == "house" || h.state == "blocked" {
			continue
		}
		for _, s := range h.seats {
			for _, a := range l.lines[h.show] {
				if a.state == "waiting" && slices.Contains(a.types, s.typ) {
					l.sums.gaps++
					l.w.fail("FirstComeFirstServed", "hold %s took seat %s of %s, for which %s waits", h.id, s.id, h.show, a.id)
				}
			}
		}
	}
}

func (l *ledger) passed(b *waiterRow, seats []string) {
	if len(seats) == 0 {
		return
	}
	show := l.w.shows[catalog.ShowID(b.show)].show
	hall := halls[show.LayoutID]
	for _, a := range l.lines[b.show] {
		if a.state != "waiting" || a.number >= b.number {
			continue
		}
		for i := range hall.Len() {
			s := hall.At(i)
			if !slices.Contains(seats, string(s.ID)) || !slices.Contains(a.types, string(s.Type)) {
				continue
			}
			if !slices.Contains(a.gone, b.id) {
				a.gone = append(a.gone, b.id)
				l.sums.past++
			}
			if len(a.gone) > show.LinePasses {
				l.sums.gaps++
				l.w.fail("FirstComeFirstServed", "%s, number %d, got %s of %s before number %d, who waits for %v; passed by %v", b.id, b.number, s.ID, b.show, a.number, a.types, a.gone)
			}
		}
	}
}
