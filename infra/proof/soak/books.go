package main

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// shutAfter the start of a show all its receipts have aged out, and what a provider
// kept silent about has been settled.
const shutAfter = 32 * time.Hour

// Rows by how long they stay. What ages out must not grow; what is kept a month past
// its show is bounded by shows; what is sold is kept by design.
var (
	agesOut = []string{"hold", "exp", "wait", "entry", "pool", "waiter", "status"}
	month   = []string{"cap", "gate", "line state", "place", "answer"}
	kept    = []string{"claim", "hold sold", "order", "pay", "map"}
)

// day is the state of the ledger when a day is over.
type day struct {
	n          int
	figures    figures
	sums       sums
	rows       map[string]int
	bank       [4]int64 // payments, refunds, and the money of both
	tickets    int64    // price of all live tickets
	heap       uint64
	goroutines int
	agenda     int
}

// close ends a day: the sums must be those of the rows, and the books balance.
func (l *ledger) close(n int) {
	s := l.sums
	living, aside, seats, live := 0, 0, 0, 0
	tickets := s.kept
	for _, h := range l.holds {
		if h.state == "held" {
			live++
		}
		if h.living() {
			living += len(h.seats)
		}
		for _, x := range h.seats {
			if h.state == "sold" {
				tickets += x.price
			}
		}
	}
	for _, m := range l.claims {
		seats += len(m)
	}
	for _, m := range l.pool {
		aside += len(m)
	}
	waiting := 0
	for _, m := range l.lines {
		waiting += len(m)
	}
	if s.held != s.sold+s.released+s.expired+live {
		l.w.fail("Sums", "%d held ≠ %d sold + %d released + %d expired + %d live", s.held, s.sold, s.released, s.expired, live)
	}
	if s.joined != s.ended()+waiting {
		l.w.fail("WaiterNeverLost", "%d joined ≠ %d ended + %d in line", s.joined, s.ended(), waiting)
	}
	if seats != living+aside {
		l.w.fail("NoLostSeat", "%d claims ≠ %d seats of living holds + %d set aside", seats, living, aside)
	}
	l.allowances()
	l.balance(tickets)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	l.days = append(l.days, day{
		n: n, figures: l.w.figures, sums: s, rows: maps.Clone(l.rows), tickets: tickets, heap: m.HeapAlloc, goroutines: runtime.NumGoroutine(), agenda: l.w.agenda.Len(),
		bank: [4]int64{int64(l.w.bank.Payments), int64(l.w.bank.Refunds), l.w.bank.Captured, l.w.bank.Refunded},
	})
}

// allowances: each buyer's is what his living holds have.
func (l *ledger) allowances() {
	has := map[string]int64{}
	for _, h := range l.holds {
		if h.living() && h.state != "blocked" {
			has["CAP#"+h.buyer+"/SHOW#"+h.show] += int64(len(h.seats))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(has)) {
		if has[k] != l.caps[k] || has[k] > 10 {
			l.w.fail("TenAtMost", "%s has %d seats; the allowance says %d", k, has[k], l.caps[k])
		}
	}
	for k, n := range l.caps {
		if n != has[k] {
			l.w.fail("TenAtMost", "%s has %d seats; the allowance says %d", k, has[k], n)
		}
	}
}

// balance: captured − refunded is the price of the live tickets, and of money of
// which the news is still under way.
func (l *ledger) balance(tickets int64) {
	paid, way := l.sums.kept, int64(0)
	for _, o := range l.orders {
		if o.state == "PAID" {
			paid += o.total
		}
	}
	for id, d := range l.w.bank.Deals {
		p := l.pays[id]
		if d.Captures > 1 || d.Refund != nil && d.Refund.Times > 1 {
			l.w.fail("OneEffect", "payment %s was captured %d times, its refund is %+v", id, d.Captures, d.Refund)
		}
		back := d.Refund != nil && d.Refund.Times == 1
		if d.Captures == 1 && !back && (p == nil || p.state != "captured") {
			way += d.Amount.Minor
		}
		if back && p != nil && p.state == "captured" {
			l.w.fail("MoneyIsTickets", "payment %s is ticketed and was given back", id)
		}
	}
	if net := l.w.bank.Captured - l.w.bank.Refunded; net != paid+way || paid != tickets {
		l.w.fail("MoneyIsTickets", "captured − refunded = %d; paid orders %d, tickets %d, under way %d", net, paid, tickets, way)
	}
}

// shut looks at a show long after it was, and archives it as the export will: what
// is kept by design goes from memory and stays in the sums.
func (l *ledger) shut(e *evening) {
	id := string(e.show.ID)
	l.atRest(e, id)
	keys := slices.SortedFunc(maps.Keys(l.byShow[id]), func(a, b store.Key) int { return strings.Compare(a.PK+a.SK, b.PK+b.SK) })
	for _, k := range keys {
		kind := l.byShow[id][k]
		if slices.Contains(agesOut, kind) && !(e.deaf && (kind == "entry" || kind == "pool")) {
			it, _ := l.w.db.Get(context.Background(), k, true)
			l.w.fail("AgesOut", "%v of show %s, over for %v, is still there: %v", k, id, shutAfter, it)
		}
		l.keptAs(e, k, kind)
	}
	for _, o := range l.orders {
		if o.state == "PAID" && l.byShow[id][store.Key{Table: store.Orders, PK: "ORDER#" + o.id, SK: "ORDER"}] != "" {
			l.sums.kept += o.total
		}
	}
	for _, k := range keys {
		if pay, ok := strings.CutPrefix(k.PK, "PAY#"); ok {
			delete(l.w.bank.Deals, pay)
		}
	}
	l.sums.archived += len(keys)
	for batch := range slices.Chunk(keys, 100) {
		var ws []store.Write
		for _, k := range batch {
			ws = append(ws, store.Write{Key: k, Delete: true})
		}
		if err := l.w.db.Transact(context.Background(), ws, ""); err != nil {
			l.w.fail("Archive", "%v", err)
		}
	}
	l.w.collect()
	delete(l.byShow, id)
	delete(l.claims, id)
	delete(l.pool, id)
	delete(l.lines, id)
	delete(l.w.shows, e.show.ID)
}

// keptAs: what stays of a show has a time to go, or is kept for good by design.
func (l *ledger) keptAs(e *evening, k store.Key, kind string) {
	if slices.Contains(kept, kind) {
		return
	}
	it, _ := l.w.db.Get(context.Background(), k, true)
	ttl := time.Unix(num(it, "ttl"), 0)
	if _, ok := it["ttl"]; !ok || ttl.After(e.show.EndsAt.Add(31*24*time.Hour)) {
		l.w.fail("AgesOut", "%v of show %s has no end, or a late one: %v", k, e.show.ID, it["ttl"])
	}
}

// atRest: of a show that is over nothing is held or set aside, nobody waits, every
// seat is free, sold or blocked, the map says the same, and all money is settled.
func (l *ledger) atRest(e *evening, show string) {
	hall := halls[e.show.LayoutID]
	sold, blocked, untidy := 0, 0, false
	for seat, owner := range l.claims[show] {
		h := l.holds[strings.TrimPrefix(owner, "HOUSE#")]
		switch {
		case owner == "LINE" && e.deaf:
			untidy = true
		case owner == "LINE":
			l.w.fail("NoLostSeat", "seat %s of %s is set aside, long after the show", seat, show)
		case h != nil && h.state == "sold":
			sold++
		case h != nil && h.state == "blocked":
			blocked++
		default:
			l.w.fail("NoLostSeat", "seat %s of %s is of %s: %+v", seat, show, owner, h)
		}
	}
	soldOf, blockedOf := 0, 0
	for _, h := range l.holds {
		if h.show != show {
			continue
		}
		switch h.state {
		case "sold":
			soldOf += len(h.seats)
		case "blocked":
			blockedOf += len(h.seats)
		case "held":
			l.w.fail("NoLostSeat", "hold %s of %s is held for ever", h.id, show)
		}
	}
	if soldOf != sold || blockedOf != blocked || sold+blocked > hall.Len() {
		l.w.fail("NoLostSeat", "%s: of %d seats %d are sold by their claims and %d by their holds, %d and %d blocked", show, hall.Len(), sold, soldOf, blocked, blockedOf)
	}
	l.mapIsTrue(e, show)
	if n := len(l.lines[show]); n > 0 {
		l.w.fail("WaiterNeverLost", "%d wait for %s, long after the show: %+v", n, show, l.lines[show])
	}
	untidy = l.settled(e, show) || untidy
	if untidy {
		l.sums.untidy++
	}
}

// settled: no row of the show waits for anything. Where a message to the lane was
// lost, its gates may stand open and entries of those who have ended lie there, until
// somebody looks; nobody does once the show is over. It reports that.
func (l *ledger) settled(e *evening, show string) (untidy bool) {
	for k, kind := range l.byShow[show] {
		it, _ := l.w.db.Get(context.Background(), k, true)
		switch {
		case kind == "entry" || len(texts(it, "wanted")) > 0:
			if untidy = true; e.deaf {
				continue
			}
			l.w.fail("NoLostSeat", "%v of %s is left, or wants something: %v", k, show, it)
		case kind == "pay" && (str(it, "state") == "pending" || str(it, "state") == "refunding"):
			l.w.fail("MoneyIsTickets", "payment %v of %s is %s for ever", k, show, it["state"])
		case kind == "order" && str(it, "state") == "PENDING":
			l.w.fail("MoneyIsTickets", "order %v of %s is pending for ever", k, show)
		}
	}
	return untidy
}

// mapIsTrue compares the drawn map with the claims.
func (l *ledger) mapIsTrue(e *evening, show string) {
	it, _ := l.w.db.Get(context.Background(), store.Key{Table: store.Snapshots, PK: "MAP#" + show, SK: "MAP"}, true)
	if it == nil {
		return
	}
	packed, _ := it["map"].([]byte)
	hall := halls[e.show.LayoutID]
	for i := range hall.Len() {
		want := byte(0)
		owner := l.claims[show][string(hall.At(i).ID)]
		if h := l.holds[strings.TrimPrefix(owner, "HOUSE#")]; h != nil {
			want = map[string]byte{"held": 1, "sold": 2, "blocked": 3}[h.state]
		}
		if owner == "LINE" {
			want = 1
		}
		if i/4 >= len(packed) || packed[i/4]>>(2*(i%4))&3 != want {
			l.w.fail("MapAtRest", "the map of %s is wrong at seat %s, which is of %q", show, hall.At(i).ID, owner)
			return
		}
	}
}

func (d day) total(kinds []string) (n int) {
	for _, k := range kinds {
		n += d.rows[k]
	}
	return n
}

func cents(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }
