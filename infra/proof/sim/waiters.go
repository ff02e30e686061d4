package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
)

// lines is the judge's model of who waits: rows as they lie in the table, and what
// people did and heard by their own clock.
type lines struct {
	waiters map[string]*waiterRow
	entries map[string]map[int64]string // show → number → waiter
	inLine  map[string][]int64          // show → numbers, as the state's bits say
	next    map[string]int64
	lives   map[string]string // show|buyer → waiter, as the place says
	aside   map[place]string  // seats of the pool → for whom
	let     map[string]time.Time

	sent  map[string]time.Time // waiter or hold → when its request was first sent
	acked map[string]time.Time // waiter → when his client was first told a number that counts
	gone  map[string][]string  // waiter → who has passed him

	moved []*waiterMove // of this step
	made  []*holdRow
	took  []place // that were for nobody before this step
	lined []string
}

type waiterRow struct {
	id, show, buyer, state, hold string
	made                         time.Time
	number, party                int64
	types, choice, offer         []string
	asked, expires               time.Time // as stored
	offerEnds                    time.Time
	truly                        time.Time // the offer's end by the true clock
	since                        time.Time // true time of the last change of state
}

type waiterMove struct{ was, is *waiterRow }

func newLines() lines {
	return lines{
		waiters: map[string]*waiterRow{}, entries: map[string]map[int64]string{}, inLine: map[string][]int64{}, next: map[string]int64{}, lives: map[string]string{},
		aside: map[place]string{}, let: map[string]time.Time{}, sent: map[string]time.Time{}, acked: map[string]time.Time{}, gone: map[string][]string{},
	}
}

var waiterEnds = []string{"accepted", "declined", "lapsed", "left", "infeasible", "timed_out"}

func (w *waiterRow) ended() bool { return w == nil || slices.Contains(waiterEnds, w.state) }

// active: the gates are open for him.
func (w *waiterRow) active() bool {
	return w != nil && (w.state == "entering" || w.state == "waiting" || w.state == "offered")
}

// moves of a place in line.
var waiterMoves = map[string][]string{
	"":         {"asked"},
	"asked":    {"entering", "waiting", "left", "timed_out", "infeasible"},
	"entering": {"entering", "waiting", "offered", "left", "timed_out"},
	"waiting":  {"waiting", "offered", "left", "timed_out", "infeasible"},
	"offered":  {"accepted", "declined", "lapsed", "left"},
}

// lineItem reads an item of the line's table; it is false for others.
func (j *judge) lineItem(t *task, k store.Key, it store.Item) bool {
	switch {
	case strings.HasPrefix(k.PK, "WAITER#"):
		j.waiter(t, strings.TrimPrefix(k.PK, "WAITER#"), it)
	case strings.HasPrefix(k.PK, "PLACE#"):
		owner := strings.TrimPrefix(k.SK, "SHOW#") + "|" + strings.TrimPrefix(k.PK, "PLACE#")
		j.liveAt[owner] = j.w.now
		if j.lives[owner] = str(it, "live"); j.lives[owner] == "" {
			delete(j.lives, owner)
		}
		j.lined = append(j.lined, owner[:strings.Index(owner, "|")])
	case strings.HasPrefix(k.PK, "LINE#"):
		show := strings.TrimPrefix(k.PK, "LINE#")
		j.lined = append(j.lined, show)
		switch {
		case k.SK == "STATE":
			j.lineState(show, it)
		case strings.HasPrefix(k.SK, "W#"):
			j.entry(show, strings.TrimPrefix(k.SK, "W#"), it)
		case strings.HasPrefix(k.SK, "S#"):
			j.asideItem(place{show, strings.TrimPrefix(k.SK, "S#")}, it)
		}
	default:
		return false
	}
	return true
}

func (j *judge) lineState(show string, it store.Item) {
	if n := num(it, "next"); n < j.next[show] {
		j.w.fail("FirstComeFirstServed", "the next number of %s went from %d to %d", show, j.next[show], n)
	} else {
		j.next[show] = n
	}
	j.inLine[show] = nil
	bits, _ := it["bits"].([]byte)
	for i, b := range bits {
		for k := range 8 {
			if b&(1<<k) != 0 {
				j.inLine[show] = append(j.inLine[show], num(it, "base")+int64(8*i+k))
			}
		}
	}
}

func (j *judge) entry(show, sk string, it store.Item) {
	n, err := strconv.ParseInt(sk, 10, 64)
	if err != nil {
		j.w.fail("Judge", "entry %q", sk)
	}
	if j.entries[show] == nil {
		j.entries[show] = map[int64]string{}
	}
	if it == nil {
		delete(j.entries[show], n)
		return
	}
	if was := j.entries[show][n]; was != "" && was != str(it, "w") {
		j.w.fail("FirstComeFirstServed", "number %d of %s is of %s and of %s", n, show, was, str(it, "w"))
	}
	j.entries[show][n] = str(it, "w")
}

func (j *judge) asideItem(p place, it store.Item) {
	if is, was := it != nil, j.pool[p]; was && !is && j.aside[p] == "" {
		j.took = append(j.took, p)
	}
	j.pool[p], j.aside[p] = it != nil, str(it, "for")
	j.touched.places = append(j.touched.places, p)
}

func texts(it store.Item, attr string) []string {
	set, _ := it[attr].(store.Set)
	all := slices.Clone([]string(set))
	slices.Sort(all)
	return all
}

func (j *judge) waiter(t *task, id string, it store.Item) {
	was := j.waiters[id]
	if it == nil {
		if !was.ended() || j.w.now.Sub(was.since) < 24*time.Hour {
			j.w.fail("WaiterNeverLost", "the item of waiter %s, who is %s, is gone", id, was.state)
		}
		delete(j.waiters, id)
		return
	}
	w := &waiterRow{
		id: id, show: str(it, "show"), buyer: str(it, "buyer"), state: str(it, "state"), hold: str(it, "hold"), number: num(it, "no"), party: num(it, "party"),
		types: texts(it, "types"), choice: texts(it, "choice"), asked: moment0(it, "asked"), expires: moment0(it, "exp"), offerEnds: moment0(it, "oexp"), since: j.w.now, made: j.w.now,
	}
	list, _ := it["offer"].([]any)
	for _, v := range list {
		w.offer = append(w.offer, strings.Split(v.(string), "|")[0])
	}
	from := ""
	if was != nil {
		if from = was.state; from == w.state {
			w.since = was.since
		}
		w.truly, w.made = was.truly, was.made
		if was.number != 0 && was.number != w.number || was.party != w.party || !slices.Equal(was.types, w.types) || !was.expires.Equal(w.expires) {
			j.w.fail("OneEffect", "waiter %s changed from %+v to %+v", id, *was, *w)
		}
	}
	renamed := was != nil && was.buyer != w.buyer
	if renamed {
		j.renamed(t, id, was.buyer, w.buyer, w.state == from && w.number == was.number && w.hold == was.hold &&
			slices.Equal(w.offer, was.offer) && slices.Equal(w.choice, was.choice) && w.offerEnds.Equal(was.offerEnds))
		j.refusalsMove(w.show, was.buyer, w.buyer)
	} else if !slices.Contains(waiterMoves[from], w.state) {
		j.w.fail("OneEffect", "waiter %s went from %q to %q", id, from, w.state)
	}
	if w.state == "offered" && from != w.state {
		w.truly = w.offerEnds.Add(-t.skew)
	}
	j.waiters[id] = w
	if from != w.state {
		j.w.lived[w.state]++
	}
	j.moved = append(j.moved, &waiterMove{was, w})
	j.lined = append(j.lined, w.show)
	if !renamed {
		j.inTime(t, from, w)
	}
	if from == "offered" && (w.state == "declined" || w.state == "lapsed" || w.state == "left") {
		j.refuses(w)
	}
}

func moment0(it store.Item, attr string) time.Time {
	if n := num(it, attr); n != 0 {
		return time.UnixMilli(n).UTC()
	}
	return time.Time{}
}

// inTime: an offer stands until its end for him alone, and from its end and the
// grace on he cannot accept it; nobody is timed out early; only he leaves.
func (j *judge) inTime(t *task, from string, w *waiterRow) {
	who := t.handlerOf()
	switch w.state {
	case "lapsed":
		if j.w.now.Before(w.truly) {
			j.w.fail("HoldLifetime", "the offer of %s lapsed %v before its time by %s", w.id, w.truly.Sub(j.w.now), who)
		}
	case "accepted":
		if !t.clock.Before(w.offerEnds.Add(grace)) {
			j.w.fail("HoldLifetime", "the offer of %s was accepted %v after its time and grace", w.id, t.clock.Sub(w.offerEnds.Add(grace)))
		}
	case "timed_out":
		if early := min(w.expires.Sub(j.w.now), shows[catalog.ShowID(w.show)].StartsAt.Add(-lineCloses).Sub(j.w.now)); early > 2*budget {
			j.w.fail("WaiterNeverLost", "waiter %s was timed out %v before his time by %s", w.id, early, who)
		}
	}
	if slices.Contains([]string{"accepted", "declined", "left"}, w.state) && (who != "answer-offer" || t.who != w.buyer) {
		j.w.fail("WaiterNeverLost", "the place of %s was %s by %s for %q", w.id, w.state, who, t.who)
	}
	if (w.state == "lapsed" || w.state == "accepted" || from == "" || w.state == "offered" && from != w.state) && !t.fresh {
		j.w.fail("HoldLifetime", "%s made waiter %s %s with the time of an attempt that was refused", who, w.id, w.state)
	}
}

// waitsFor: somebody who was acknowledged waits for a seat of the type.
func (j *judge) waitsFor(show, typ string) *waiterRow {
	for _, id := range sorted(j.waiters) {
		if w := j.waiters[id]; w.show == show && slices.Contains(w.types, typ) && j.soon(waiterKey(id), "state", w.state) == "waiting" {
			return w
		}
	}
	return nil
}
