package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
)

// checkLines judges what the step did to lines.
func (j *judge) checkLines(t *task) {
	for _, m := range j.moved {
		j.checkMove(m)
	}
	for _, h := range j.made {
		j.walkedUp(h, t.accepted)
	}
	for _, show := range once(j.lined) {
		j.checkLine(show)
	}
}

// checkLine: all that the rows of a line must agree about at any time.
func (j *judge) checkLine(show string) {
	for _, id := range sorted(j.waiters) {
		w := j.waiters[id]
		if w.show != show || j.w.landing(waiterKey(id)) {
			continue // some see already what he is going to be
		}
		if live := j.lives[show+"|"+w.buyer] == id; live == w.ended() {
			j.w.fail("OneEffect", "waiter %s is %s; that his buyer's place is his is %v", id, w.state, live)
		}
		if w.active() && j.entries[show][w.number] != id {
			j.w.fail("WaiterNeverLost", "waiter %s is %s with number %d; the entry of it is of %q", id, w.state, w.number, j.entries[show][w.number])
		}
		if (w.state == "waiting" || w.state == "offered") && !slices.Contains(j.inLine[show], w.number) {
			j.w.fail("WaiterNeverLost", "waiter %s is %s and his number %d is not in line", id, w.state, w.number)
		}
		for _, typ := range w.types {
			if w.active() && !j.wanted(show, typ) {
				j.w.fail("NoGap", "waiter %s is %s, and no gate wants %s", id, w.state, typ)
			}
		}
		j.checkOffer(w)
	}
	for _, owner := range sorted(j.lives) {
		id := j.lives[owner]
		of, buyer, _ := strings.Cut(owner, "|")
		if w := j.waiters[id]; of == show && !j.w.landing(waiterKey(id)) && (w.ended() || w.buyer != buyer) {
			j.w.fail("OneEffect", "the place of %s in %s is that of waiter %s, who is %+v", buyer, show, id, w)
		}
	}
	for _, p := range sortedPlaces(j.aside, show) {
		if j.w.landing(waiterKey(j.aside[p])) {
			continue
		}
		if w := j.waiters[j.aside[p]]; j.aside[p] != "" && (w == nil || w.state != "offered" || !slices.Contains(w.offer, p.seat)) {
			j.w.fail("NoLostSeat", "seat %s of %s is set aside for %s, who is %+v", p.seat, show, j.aside[p], w)
		}
	}
}

func sortedPlaces(m map[place]string, show string) (ps []place) {
	for i := range hall.Len() {
		p := place{show, string(hall.At(i).ID)}
		if m[p] != "" {
			ps = append(ps, p)
		}
	}
	return ps
}

// checkOffer: an offer has all its seats, as many as the party, for it alone.
func (j *judge) checkOffer(w *waiterRow) {
	if w.state != "offered" {
		return
	}
	if int64(len(w.offer)) != w.party {
		j.w.fail("AllOrNothing", "waiter %s of %d was offered %v", w.id, w.party, w.offer)
	}
	for _, s := range w.offer {
		if p := (place{w.show, s}); !j.pool[p] || j.aside[p] != w.id {
			j.w.fail("AllOrNothing", "seat %s was offered to %s; it is for %q", s, w.id, j.aside[p])
		}
	}
}

// checkMove judges one change of a place in line.
func (j *judge) checkMove(m *waiterMove) {
	w, from := m.is, ""
	if m.was != nil {
		from = m.was.state
	}
	if from == w.state {
		return
	}
	switch w.state {
	case "asked":
		if until := j.coolUntil(w.show, w.buyer); w.asked.Before(until.Add(-2 * budget)) {
			j.w.fail("CoolDown", "waiter %s asked at %s and was to cool down until %s", w.id, clock(w.asked), clock(until))
		}
	case "waiting":
		for i := range hall.Len() {
			s := hall.At(i)
			p := place{w.show, string(s.ID)}
			if j.claims[p] == "" && slices.Contains(w.types, string(s.Type)) && !j.w.landing(claimKey(p)) {
				j.w.fail("NoGap", "waiter %s is acknowledged while seat %s of %s is free to everybody", w.id, s.ID, w.show)
			}
		}
	case "offered":
		j.passedBy(w.id, w.show, w.offer)
	case "accepted":
		j.checkAccepted(w)
	case "infeasible":
		j.checkInfeasible(w, from)
	}
	if w.number > 0 && from == "asked" {
		j.numbered(w)
	}
}

// numbered: who was told of his place before another asked has the smaller number.
func (j *judge) numbered(w *waiterRow) {
	for id, told := range j.acked {
		if a := j.waiters[id]; a != nil && a.show == w.show && a.number > w.number && told.Before(j.sent[w.id]) {
			j.w.fail("FirstComeFirstServed", "%s asked after %s was told number %d, and got %d", w.id, id, a.number, w.number)
		}
	}
}

// ahead: a waits, and came before b by the clocks of both or by number.
func (j *judge) ahead(a *waiterRow, b string) bool {
	told, ok := j.acked[a.id]
	w := j.waiters[b]
	return a.state == "waiting" && a.id != b && (ok && told.Before(j.sent[b]) || w != nil && a.number < w.number)
}

// passedBy: b gets seats. Nobody who came before and waits for such may be passed,
// but by so many where the organiser has said so.
func (j *judge) passedBy(b, show string, seats []string) {
	for _, id := range sorted(j.waiters) {
		a := j.waiters[id]
		i := slices.IndexFunc(seats, func(s string) bool { return slices.Contains(a.types, typeOf(s)) })
		if a.show != show || i < 0 || !j.ahead(a, b) {
			continue
		}
		if !slices.Contains(j.gone[id], b) {
			j.gone[id] = append(j.gone[id], b)
		}
		if len(j.gone[id]) > shows[catalog.ShowID(show)].LinePasses {
			j.w.fail("FirstComeFirstServed", "%s gets seat %s of %s before %s, who came first and waits for %v; passed by %v", b, seats[i], show, id, a.types, j.gone[id])
		}
	}
}

// walkedUp: a hold that is nobody's acceptance took seats that were free to all.
func (j *judge) walkedUp(h *holdRow, accepted time.Time) {
	for _, m := range j.moved {
		if m.is.hold == h.id {
			return
		}
	}
	asked, ok := j.sent[h.id]
	if !ok { // late money, and the house: they had the seats from when the table had said yes
		asked = accepted
	}
	for _, s := range h.seats {
		for _, id := range sorted(j.acked) {
			if a := j.waiters[id]; a != nil && a.show == h.show && j.soon(waiterKey(id), "state", a.state) == "waiting" && slices.Contains(a.types, s.typ) && j.acked[id].Before(asked) {
				j.w.fail("FirstComeFirstServed", "hold %s takes seat %s of %s, asked for after %s was told that he waits for such", h.id, s.id, h.show, id)
			}
		}
	}
}

// checkAccepted: the hold has the party's seats, and what was chosen beside the
// proposal was nobody's who came before.
func (j *judge) checkAccepted(w *waiterRow) {
	h := j.holds[w.hold]
	if h == nil || h.state != "held" || h.buyer != w.buyer || h.show != w.show || int64(len(h.seats)) != w.party {
		j.w.fail("AllOrNothing", "waiter %s of %d accepted; his hold is %+v", w.id, w.party, h)
		return
	}
	var chosen []string
	for _, s := range h.seats {
		if !slices.Contains(w.offer, s.id) {
			chosen = append(chosen, s.id)
		}
		if !slices.Contains(w.types, s.typ) {
			j.w.fail("AllOrNothing", "waiter %s accepted seat %s, not of his types", w.id, s.id)
		}
	}
	j.passedBy(w.id, w.show, chosen)
}

// checkInfeasible: of his types fewer seats were neither sold nor blocked than his
// party has. Pairs are left out of the count, and so is a moment after seats came
// back, for the lane looks twice before it says so.
func (j *judge) checkInfeasible(w *waiterRow, from string) {
	n := j.couldCome(w)
	if n >= w.party && !slices.Contains(w.types, "loveseat") && j.w.now.Sub(j.let[w.show]) > 30*time.Second {
		j.w.fail("WaiterNeverLost", "waiter %s of %d, %s, was told infeasible while %d seats of %v may come free", w.id, w.party, from, n, w.types)
	}
}

// couldCome counts the seats of his types that are neither sold nor blocked. A sale that
// the table has accepted counts, for the lane may have read of it what has landed.
func (j *judge) couldCome(w *waiterRow) (n int64) {
	for i := range hall.Len() {
		s := hall.At(i)
		at := place{w.show, string(s.ID)}
		id := bare(j.soon(claimKey(at), "owner", j.claims[at]))
		state := ""
		if h := j.holds[id]; h != nil {
			state = h.state
		}
		state = j.soon(holdKey(id), "state", state)
		if slices.Contains(w.types, string(s.Type)) && state != "sold" && state != "blocked" {
			n++
		}
	}
	return n
}

// soon is what an attribute is when all has landed that puts its item, or is now.
func (j *judge) soon(k store.Key, attr, now string) string {
	if x, is := j.w.inHand(k); is && x.Put != nil {
		now, _ = x.Put[attr].(string)
	}
	return now
}

// What people did and heard.

func (j *judge) wished(hold string) { j.sent[hold] = j.w.now }

func (j *judge) asks(v *joiner) { j.sent[v.id] = j.w.now }

func waiterKey(id string) store.Key {
	return store.Key{Table: store.Line, PK: "WAITER#" + id, SK: "WAITER"}
}

func placeKey(v *joiner) store.Key {
	return store.Key{Table: store.Line, PK: "PLACE#" + string(buyerOf(v.buyer)), SK: "SHOW#" + string(v.show)}
}

// toldPlace: what somebody is told is so, and from now on he counts.
func (j *judge) toldPlace(v *joiner, s standing) {
	w := j.waiters[v.id]
	if w == nil {
		if s.ID != v.id || j.w.now.Sub(noon) < 24*time.Hour && !j.w.landing(waiterKey(v.id)) {
			j.w.fail("WaiterNeverLost", "waiter %s was told %s of %s and is not there", v.id, s.State, s.ID)
		}
		return
	}
	if s.State == "waiting" || s.State == "offered" {
		if j.acked[w.id].IsZero() {
			j.acked[w.id] = j.w.now
		}
		if w.number != s.Number && !j.w.landing(waiterKey(w.id)) {
			j.w.fail("WaiterNeverLost", "waiter %s was told number %d; he has %d", w.id, s.Number, w.number)
		}
	}
	if s.ended() && s.State != w.state && !j.w.landing(waiterKey(w.id)) {
		j.w.fail("WaiterNeverLost", "waiter %s was told %s and is %s", w.id, s.State, w.state)
	}
	if want := typesOf(v); !slices.Equal(want, w.types) {
		j.w.fail("WaiterNeverLost", "waiter %s asked for %v; he waits for %v", w.id, want, w.types)
	}
}

// typesOf a wish, by the words of the API: any that is sold to everybody; an odd
// party takes no pairs beside other types.
func typesOf(v *joiner) []string {
	types := slices.Clone(v.types)
	if types == nil {
		types = []string{"loveseat", "premium", "regular"}
	}
	slices.Sort(types)
	if v.party%2 == 1 && len(types) > 1 {
		types = slices.DeleteFunc(types, func(t string) bool { return t == "loveseat" })
	}
	return types
}

// notThere: who had been told of his place when he asked for it is there.
func (j *judge) notThere(v *joiner, by int, begun time.Time) {
	w := j.waiters[v.id]
	if w == nil || !j.stays(w.id, by, begun) {
		return
	}
	if told, ok := j.acked[w.id]; ok && told.Before(begun) {
		j.w.fail("WaiterNeverLost", "waiter %s, who is %s, was answered that he is not there", w.id, w.state)
	}
}

// refusedJoin: nobody is turned away for a place that he has not.
func (j *judge) refusedJoin(v *joiner, code string) {
	now, who := j.w.now, string(buyerOf(v.buyer))
	switch {
	case code == "already_waiting" && !j.w.landing(placeKey(v)):
		for _, w := range j.waiters {
			his := w.buyer == who && !w.ended() || (w.buyer == who || j.from[w.id] == who) && now.Sub(later(w.since, j.since[w.id])) < 15*time.Second
			if his && w.show == string(v.show) {
				return
			}
		}
		j.w.fail("OneEffect", "%s was refused for waiting already, and does not", v.id)
	case code == "cool_down" && !j.w.landing(placeKey(v)):
		if until := j.coolUntil(string(v.show), who); now.After(until.Add(2*budget + 15*time.Second)) {
			j.w.fail("CoolDown", "%s was told to cool down until %s", v.id, clock(until))
		}
	case code == "idempotency_mismatch":
		j.w.fail("OneEffect", "%s was told of another body; he sent the same", v.id)
	}
}

// answered: what was answered with success has its effect.
func (j *judge) answered(a *answer) {
	w := j.waiters[a.of.id]
	if w == nil || j.w.landing(waiterKey(w.id)) {
		return
	}
	if !w.ended() || a.how == "accept" && w.state != "accepted" {
		j.w.fail("OneEffect", "%s of %s was answered with success; he is %s", a.how, w.id, w.state)
	}
}

// refusedAnswer: until its end an offer is his, and the proposal is safe.
func (j *judge) refusedAnswer(a *answer, by, status int, code string, begun time.Time) {
	w := j.waiters[a.of.id]
	if w == nil || !j.stays(w.id, by, begun) || w.state != "offered" || !w.since.Before(begun) || !j.w.now.Before(w.truly) || j.w.landing(waiterKey(w.id)) {
		return // what lands may be seen in part already: another answer of his own
	}
	switch {
	case status == 404, code == "hold_expired", code == "no_offer", code == "place_ended":
		j.w.fail("HoldLifetime", "%s of %s was refused with %s %v before the offer's end", a.how, w.id, code, w.truly.Sub(j.w.now))
	case a.how == "accept" && a.seats == nil && code == "seats_unavailable":
		j.w.fail("AllOrNothing", "the proposal itself was refused to %s", w.id)
	}
}

// served: nobody waits for what is set aside for nobody and would do.
func (j *judge) served(when string) {
	for _, show := range all {
		blocked := map[string]bool{}
		for _, n := range sorted(j.entries[string(show)]) {
			w := j.waiters[j.entries[string(show)][n]]
			if w == nil || w.state != "waiting" {
				continue
			}
			have := int64(0)
			for p, is := range j.pool {
				if typ := typeOf(p.seat); is && p.show == string(show) && j.aside[p] == "" && slices.Contains(w.types, typ) && !blocked[typ] && typ != "loveseat" {
					have++
				}
			}
			if have >= w.party {
				j.w.fail("Promptness", "%s: %d seats of %s are set aside for nobody, and %s of %d waits for %v", when, have, show, w.id, w.party, w.types)
			}
			for _, typ := range w.types {
				blocked[typ] = true
			}
		}
	}
}

// endedInTime: no offer and no wait stands long after its end. Whose request never
// came through, for the queue lost it, is nobody's business before he or TTL asks.
func (j *judge) endedInTime(when string, asked bool) {
	for _, id := range sorted(j.waiters) {
		w := j.waiters[id]
		end := w.expires
		if w.state == "offered" {
			end = w.truly
		}
		if !w.ended() && j.w.now.Sub(end) > time.Minute && (asked || w.state != "asked") {
			j.w.fail("Promptness", "%s: waiter %s is %s; it was to end at %s", when, id, w.state, clock(end))
		}
	}
}

func (j *judge) somebodyWaits(show string) bool {
	for _, w := range j.waiters {
		if w.show == show && !w.ended() {
			return true
		}
	}
	return false
}

// answeredSince reports whether somebody answered an offer or left the line.
func (j *judge) answeredSince(t time.Time) bool {
	for _, w := range j.waiters {
		if (w.state == "accepted" || w.state == "declined" || w.state == "left") && w.since.After(t) {
			return true
		}
	}
	return false
}

// inVain: somebody is let wait though so many seats cannot come any more.
func (j *judge) inVain(when string) {
	for _, id := range sorted(j.waiters) {
		if w := j.waiters[id]; w.state == "waiting" && j.couldCome(w) < w.party {
			j.w.fail("Promptness", "%s: %s of %d waits in vain: %d seats of %v could come", when, id, w.party, j.couldCome(w), w.types)
		}
	}
}

// someJoin: somebody was not told a number; his poll is what brings him on.
func (j *judge) someJoin() bool {
	for _, w := range j.waiters {
		if w.state == "asked" || w.state == "entering" {
			return true
		}
	}
	return false
}

// linesAtRest: all time has run out, so everybody's place has ended and nothing is left.
func (j *judge) linesAtRest() {
	for _, id := range sorted(j.waiters) {
		if w := j.waiters[id]; !w.ended() {
			j.w.fail("WaiterNeverLost", "waiter %s is %s for ever", id, w.state)
		}
	}
	for _, show := range all {
		if n := j.entries[string(show)]; len(n) > 0 {
			j.w.fail("WaiterNeverLost", "entries are left in the line of %s: %v", show, fmt.Sprint(n))
		}
		if n := j.inLine[string(show)]; len(n) > 0 {
			j.w.fail("WaiterNeverLost", "numbers %v are left in the line of %s", n, show)
		}
	}
}
