package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
)

// queue records what is done to one line and the seats of its show.
type queue struct {
	show   string
	ids    []string
	policy booking.Policy
	terms  stage.Line

	mu       sync.Mutex
	l        line
	byHold   map[string]int
	until    map[seats][]int64 // deadlines that were told in refusals, by single seat
	letGo    map[int]int64     // by place, when it was first asked to end: leave
	declined map[int]int64     // decline
	wanted   map[int]int64     // accept
	expires  map[int]int64     // of the wait
	requests int
}

func newQueue(show string, hall stage.Hall, ids []string, p booking.Policy, terms stage.Line, l limits, seed uint64) *queue {
	q := &queue{
		show: show, ids: ids, policy: p, terms: terms, l: line{name: show, seed: seed, limits: l},
		byHold: map[string]int{}, until: map[seats][]int64{}, letGo: map[int]int64{}, declined: map[int]int64{},
		wanted: map[int]int64{}, expires: map[int]int64{},
	}
	for i := range ids {
		k := regular
		if hall.Layout.At(i).Type == "premium" {
			k = premium
		}
		q.l.types = append(q.l.types, k)
	}
	return q
}

func (q *queue) set(ids []string) (s seats) {
	for _, id := range ids {
		if i := slices.Index(q.ids, id); i >= 0 {
			s |= 1 << i
		}
	}
	return s
}

// kinds are the types of the hall; many counts the seats of some.
func (q *queue) kinds() (all kinds) {
	for _, k := range q.l.types {
		all |= k
	}
	return all
}

func (q *queue) many(of kinds) (n int) {
	for _, k := range q.l.types {
		if k&of != 0 {
			n++
		}
	}
	return n
}

func (q *queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.requests
}

func (q *queue) object(format string, args ...any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.l.objects = append(q.l.objects, fmt.Sprintf(format, args...))
}

// add notes an operation that is a request.
func (q *queue) add(o turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests++
	q.l.ops = append(q.l.ops, o)
}

// hold notes one that was answered; again gives the same.
func (q *queue) hold(got apiclient.Hold) (h int, known bool) {
	if h, known := q.byHold[got.ID]; known {
		return h, true
	}
	var names []string
	for _, s := range got.Seats {
		names = append(names, s.ID)
	}
	h = len(q.l.holds)
	q.byHold[got.ID] = h
	q.l.holds = append(q.l.holds, hold{
		seats: q.set(names), made: got.ExpiresAt.Add(-q.policy.Hold).UnixNano(), until: got.ExpiresAt.Add(q.policy.Grace).UnixNano(),
	})
	return h, false
}

// take notes a walk-up's hold.
func (q *queue) take(o turn, asked []string, got apiclient.Hold) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests++
	h, known := q.hold(got)
	facts := q.l.holds[h]
	b := q.l.limits.budget
	if known || facts.seats != q.set(asked) || len(got.Seats) != len(asked) || facts.made < o.call-b || facts.made > o.ret+b {
		q.l.objects = append(q.l.objects, fmt.Sprintf("client %d asked for %v and was given hold %s of %v", o.client, asked, got.ID, got.Seats))
	}
	o.deed, o.hold, o.wanted, o.call = took, h, facts.seats, max(o.call, min(facts.made-b, o.ret))
	q.l.ops = append(q.l.ops, o)
	return h
}

// lose notes a reserve that nobody answered.
func (q *queue) lose(o turn, asked []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests++
	o.wanted = q.set(asked)
	q.l.lost = append(q.l.lost, o)
}

// refuse notes what a walk-up was told of the seats.
func (q *queue) refuse(o turn, asked []string, conflicts []apiclient.Conflict) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests++
	o.deed = barred
	free := q.set(asked)
	if len(conflicts) == 0 {
		q.l.objects = append(q.l.objects, fmt.Sprintf("client %d asked for %v and is refused for nothing", o.client, asked))
	}
	for _, c := range conflicts {
		one := turn{client: o.client, call: o.call, ret: o.ret, taken: q.set([]string{c.Seat})}
		switch {
		case one.taken&^free != 0 || one.taken == 0:
			q.l.objects = append(q.l.objects, fmt.Sprintf("client %d asked for %v and is told of %s", o.client, asked, c.Seat))
			continue
		case c.Reason == string(isHeld):
			one.deed = heldBy
			o.taken |= one.taken
			if at, err := time.Parse(time.RFC3339, c.Until); err == nil {
				one.until = at.UnixNano()
				q.until[one.taken] = append(q.until[one.taken], one.until)
			}
		case c.Reason == "line":
			one.deed = isAside
		default:
			q.l.objects = append(q.l.objects, fmt.Sprintf("client %d: seat %s is said to be %q", o.client, c.Seat, c.Reason))
			continue
		}
		free &^= one.taken
		q.l.ops = append(q.l.ops, one)
	}
	o.wanted = free | o.taken
	q.l.ops = append(q.l.ops, o)
}

// join notes a place that was given.
func (q *queue) join(o turn, party int, types kinds, got apiclient.Place) int {
	q.mu.Lock()
	w := len(q.l.places)
	q.l.places = append(q.l.places, place{party: party, types: types, asked: o.call, hold: -1})
	q.expires[w] = got.ExpiresAt.UnixNano()
	q.mu.Unlock()
	o.place = w
	q.saw(o, got)
	return w
}

// saw notes how a place stands, as its owner was told.
func (q *queue) saw(o turn, got apiclient.Place) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests++
	o.deed, o.is = stood, standing(got.State)
	q.l.ops = append(q.l.ops, o)
	p := &q.l.places[o.place]
	wrong := func(format string, args ...any) {
		q.l.objects = append(q.l.objects, fmt.Sprintf("client %d, place %d: ", o.client, o.place)+fmt.Sprintf(format, args...))
	}
	if got.Number != 0 {
		if p.number != 0 && p.number != got.Number {
			wrong("number %d was told, and now %d", p.number, got.Number)
		}
		if p.number = got.Number; p.acked == 0 || o.ret < p.acked {
			p.acked = o.ret
		}
	}
	switch o.is {
	case isJoining:
	case isWaiting, isOffered:
		if got.Number == 0 || got.Ahead < 0 || got.Ahead >= got.Number {
			wrong("is %s with number %d and %d ahead", o.is, got.Number, got.Ahead)
		}
		if o.is == isOffered {
			q.offered(p, got, wrong)
		}
	default:
		q.ended(o, p, got, wrong)
	}
}

func (q *queue) offered(p *place, got apiclient.Place, wrong func(string, ...any)) {
	if got.Offer == nil {
		wrong("is offered nothing")
		return
	}
	proposed, until := q.set(got.Offer.Proposed), got.Offer.ExpiresAt.Add(q.policy.Grace).UnixNano()
	switch {
	case len(got.Offer.Proposed) != p.party || (queueJudge{q.l}).kindsOf(proposed)&^p.types != 0:
		wrong("a party of %d for types %d is offered %v", p.party, p.types, got.Offer.Proposed)
	case p.offer != 0 && (p.offer != proposed || p.until != until):
		wrong("is offered %v, and was offered %v", proposed, p.offer)
	case q.set(got.Offer.Free)&proposed != proposed || len(got.Offer.Free) < p.party:
		wrong("may choose from %v without %v", got.Offer.Free, got.Offer.Proposed)
	}
	p.offer, p.until, p.offered = proposed, until, got.Offer.ExpiresAt.Add(-q.terms.Offer).UnixNano()
}

// ended notes an end, and from when on it may have come.
func (q *queue) ended(o turn, p *place, got apiclient.Place, wrong func(string, ...any)) {
	if p.end != "" && p.end != o.is {
		wrong("is %s after it was %s", o.is, p.end)
		return
	}
	p.end = o.is
	asked := map[standing]map[int]int64{isLeft: q.letGo, isDeclined: q.declined, isAccepted: q.wanted}[o.is]
	switch {
	case asked != nil:
		if p.ended = asked[o.place]; p.ended == 0 {
			wrong("is %s, which nobody asked for", o.is)
		}
	case o.is == isLapsed && p.offer == 0:
		p.ended = p.asked
	case o.is == isLapsed:
		p.ended = p.until - q.l.limits.budget
	case o.is == isTimedOut:
		p.ended = q.expires[o.place] - q.l.limits.budget
	default: // nothing is ever sold
		wrong("is %s", o.is)
	}
}

// request notes when an end was first asked for.
func (q *queue) request(how standing, w int, call int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := map[standing]map[int]int64{isLeft: q.letGo, isDeclined: q.declined, isAccepted: q.wanted}[how]
	if was, ok := all[w]; !ok || call < was {
		all[w] = call
	}
}

// takeOffer notes the hold of an acceptance, by its own answer or by a later look.
func (q *queue) takeOffer(o turn, got apiclient.Hold, answered bool) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	h, _ := q.hold(got)
	p := &q.l.places[o.place]
	if p.hold < 0 {
		p.hold = h
	}
	if len(got.Seats) != p.party || (queueJudge{q.l}).kindsOf(q.l.holds[h].seats)&^p.types != 0 {
		q.l.objects = append(q.l.objects, fmt.Sprintf("place %d, a party of %d for types %d, holds %v", o.place, p.party, p.types, got.Seats))
	}
	if answered {
		q.requests++
		o.deed, o.hold = accepted, h
		q.l.ops = append(q.l.ops, o)
		if p.end != "" && p.end != isAccepted {
			q.l.objects = append(q.l.objects, fmt.Sprintf("place %d was accepted after it was %s", o.place, p.end))
		}
		p.end, p.ended = isAccepted, q.wanted[o.place]
	}
	return h
}

// release notes a release without an answer.
func (q *queue) release(h int, call int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests++
	if f := &q.l.holds[h]; f.letGo == 0 || call < f.letGo {
		f.letGo = call
	}
}

// judge implements judged. An unanswered reserve becomes a hold for each deadline that
// was told of its seats and belongs to no hold that is known.
func (q *queue) judge(folder string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	known := len(q.l.holds)
	for n, l := range q.l.lost {
		var deadlines []int64
		for seat, all := range q.until {
			for _, at := range all {
				made := at - int64(q.policy.Hold+q.policy.Grace)
				mine := slices.ContainsFunc(q.l.holds[:known], func(h hold) bool { return h.until == at && h.seats&seat != 0 })
				if !mine && seat&l.wanted != 0 && made >= l.call-q.l.limits.budget && !slices.Contains(deadlines, at) {
					deadlines = append(deadlines, at)
				}
			}
		}
		slices.Sort(deadlines)
		for _, at := range deadlines {
			q.l.holds = append(q.l.holds, hold{seats: l.wanted, made: at - int64(q.policy.Hold+q.policy.Grace), until: at, unsure: n + 1})
		}
	}
	return q.l.verdict(folder)
}

func kindsNamed(types []string) (k kinds) {
	for _, t := range types {
		if strings.HasPrefix(t, "premium") {
			k |= premium
		} else {
			k |= regular
		}
	}
	return k
}
