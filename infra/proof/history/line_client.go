package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

// guest is one client at one line: he walks up, waits, answers, gives back.
type guest struct {
	*apiclient.Client
	n     int
	queue *queue
	dice  *rand.Rand
	tally *tally
	fresh func(context.Context) (*apiclient.Client, error) // another person

	at      *spot   // his place in line, nil when he has none
	spots   []*spot // all that he had
	mine    []*claim
	refused int  // offers that he declined, let lapse or left
	lost    bool // a join of his had no answer: he may have a place that he does not know of
}

// spot is a place as its owner knows it.
type spot struct {
	id    string
	owner *apiclient.Client
	w     int
	last  apiclient.Place
	ended bool
}

func (s *spot) path() string { return "/line/" + s.id }

// ask sends a request and repeats it while nobody answers: so long as the dice say,
// or, where it must be known, until somebody does.
func (g *guest) ask(ctx context.Context, dice *rand.Rand, must bool, method, path string, in, out any) (turn, bool, error) {
	key := strconv.FormatUint(dice.Uint64(), 36)
	o := turn{client: g.n, call: now()}
	for n := 1; ; n++ {
		err := g.Call(ctx, method, path, key, in, out)
		o.ret = now()
		if !silent(err) {
			return o, true, err
		}
		g.tally.unanswered.Add(1)
		if ctx.Err() != nil || !must && (n == attempts || dice.Float64() < giveUp) {
			return o, false, err
		}
		pause(ctx, breather)
	}
}

func (g *guest) odd(what string, err error, allowed ...string) {
	c := code(err)
	g.tally.refuse(c)
	if !slices.Contains(allowed, c) && c != "busy" {
		g.queue.object("client %d: %s: %v", g.n, what, err)
	}
}

// act does one thing.
func (g *guest) act(ctx context.Context) {
	live := slices.DeleteFunc(slices.Clone(g.mine), func(c *claim) bool { return c.ended })
	d := g.dice.IntN(100)
	switch {
	case g.at != nil && g.at.last.State == "offered":
		g.answer(ctx, d)
	case g.at != nil && d < 4:
		g.leave(ctx, g.dice, g.at)
	case g.at != nil && d < 55:
		g.look(ctx, g.at, d < 25)
	case g.at != nil && d < 65:
		g.walkUp(ctx)
	case len(live) > 0 && (d < 75 || len(live) >= mostMine):
		g.release(ctx, live[g.dice.IntN(len(live))])
	case len(live) > 0 && d < 80:
		g.lookAt(ctx, live[g.dice.IntN(len(live))])
	case g.at == nil && d%2 == 0:
		g.join(ctx)
	default:
		g.walkUp(ctx)
	}
}

// answer does something about an offer: one thing, two at once, or nothing, so that
// it lapses.
func (g *guest) answer(ctx context.Context, d int) {
	s := g.at
	switch {
	case d < 30:
		g.accept(ctx, g.dice, s, nil)
	case d < 38:
		g.accept(ctx, g.dice, s, g.choose(s))
	case d < 48:
		g.decline(ctx, g.dice, s)
	case d < 54:
		g.leave(ctx, g.dice, s)
	case d < 70:
		g.both(ctx, s)
	case d < 73:
		g.walkUp(ctx)
	default:
		g.look(ctx, s, d < 85)
	}
}

// both gives two answers at once, of which one can count.
func (g *guest) both(ctx context.Context, s *spot) {
	dice := [2]*rand.Rand{rand.New(rand.NewPCG(g.dice.Uint64(), 0)), rand.New(rand.NewPCG(g.dice.Uint64(), 1))}
	second := g.dice.IntN(4)
	var all sync.WaitGroup
	one, two := *g, *g
	all.Go(func() { one.accept(ctx, dice[0], s, nil) })
	all.Go(func() {
		switch second {
		case 0:
			two.decline(ctx, dice[1], s)
		case 1:
			two.leave(ctx, dice[1], s)
		default:
			two.accept(ctx, dice[1], s, nil)
		}
	})
	all.Wait()
	for _, c := range slices.Concat(one.mine, two.mine) {
		if !slices.ContainsFunc(g.mine, func(m *claim) bool { return m.id == c.id }) {
			g.mine = append(g.mine, c)
		}
	}
}

// choose is the party's number of the seats that may be chosen.
func (g *guest) choose(s *spot) []string {
	free := slices.Clone(s.last.Offer.Free)
	g.dice.Shuffle(len(free), func(i, k int) { free[i], free[k] = free[k], free[i] })
	return free[:min(len(free), s.last.Seats)]
}

// wish is a party of one or two for some types of the hall, that could be served.
func (g *guest) wish() (party int, types []string, k kinds) {
	party = 1 + g.dice.IntN(2)
	for {
		types = [][]string{nil, {"regular"}, {"premium"}, {"regular", "premium"}}[g.dice.IntN(4)]
		if k = kindsNamed(types); types == nil {
			k = g.queue.kinds()
		}
		if k&^g.queue.kinds() == 0 && g.queue.many(k) >= party {
			return party, types, k
		}
	}
}

// replace has somebody else come in his stead.
func (g *guest) replace(ctx context.Context) {
	if c, err := g.fresh(ctx); err == nil {
		g.Client, g.refused, g.mine, g.lost = c, 0, nil, false
	}
}

func (g *guest) join(ctx context.Context) {
	party, types, kinds := g.wish()
	body := map[string]any{"seats": party}
	if types != nil {
		body["types"] = types
	}
	var got apiclient.Place
	o, known, err := g.ask(ctx, g.dice, true, http.MethodPost, "/shows/"+g.queue.show+"/line", body, &got)
	if !known {
		g.lost = true
		return
	}
	switch code(err) {
	case "":
		if err != nil {
			g.odd("join", err)
			return
		}
		w := g.queue.join(o, party, kinds, got)
		g.at = &spot{id: got.ID, owner: g.Client, w: w}
		g.spots = append(g.spots, g.at)
		g.stands(g.at, got)
	case "seats_free":
		g.tally.refuse("seats_free")
		o.deed, o.types = spared, kinds
		g.queue.add(o)
	case "cool_down":
		g.odd("join", err, "cool_down")
		if g.refused < 2 {
			g.queue.object("client %d is to cool down after %d offers", g.n, g.refused)
		}
		g.replace(ctx)
	case "already_waiting":
		if !g.lost { // by a join that nobody answered
			g.odd("join", err)
			return
		}
		g.tally.refuse("already_waiting")
		g.replace(ctx)
	default:
		g.odd("join", err)
	}
}

// stands notes what he knows of his place.
func (g *guest) stands(s *spot, got apiclient.Place) {
	s.last = got
	switch got.State {
	case "joining", "waiting", "offered":
		return
	}
	if s.ended {
		return
	}
	s.ended = true
	g.tally.end(got.State)
	if g.at == s {
		g.at = nil
	}
	if got.State == "declined" || got.State == "lapsed" || got.State == "left" {
		g.refused++
	}
}

func (g *guest) look(ctx context.Context, s *spot, wait bool) bool {
	path := s.path()
	if wait {
		path += "?wait_seconds=1&since=" + s.last.Version
	}
	var got apiclient.Place
	was := g.Client
	g.Client = s.owner
	o, known, err := g.ask(ctx, g.dice, false, http.MethodGet, path, nil, &got)
	g.Client = was
	if !known {
		return false
	}
	if err != nil {
		g.odd("look", err)
		return false
	}
	o.place = s.w
	g.queue.saw(o, got)
	g.stands(s, got)
	if got.State == "accepted" && !slices.ContainsFunc(g.mine, func(c *claim) bool { return c.id == got.HoldID }) {
		return g.lookUp(ctx, s, got.HoldID)
	}
	return true
}

// lookUp reads the hold of an acceptance whose answer he may never have heard.
func (g *guest) lookUp(ctx context.Context, s *spot, id string) bool {
	var h apiclient.Hold
	was := g.Client
	g.Client = s.owner
	o, known, err := g.ask(ctx, g.dice, true, http.MethodGet, "/holds/"+id, nil, &h)
	g.Client = was
	if !known || err != nil {
		if known {
			g.odd("look at what was accepted", err)
		}
		return false
	}
	o.place = s.w
	c := &claim{id: id, h: g.queue.takeOffer(o, h, false)}
	g.sawHold(o, c, h)
	if g.Client == s.owner {
		g.mine = append(g.mine, c)
	}
	return true
}

func (g *guest) accept(ctx context.Context, dice *rand.Rand, s *spot, chosen []string) {
	body := map[string]any{}
	if chosen != nil {
		body["seats"] = chosen
	}
	g.queue.request(isAccepted, s.w, now())
	var h apiclient.Hold
	o, known, err := g.ask(ctx, dice, false, http.MethodPost, s.path()+"/accept", body, &h)
	o.place = s.w
	switch {
	case !known:
		g.tally.unknown.Add(1)
	case err == nil:
		g.tally.answer("accept")
		g.mine = append(slices.Clone(g.mine), &claim{id: h.ID, h: g.queue.takeOffer(o, h, true)})
	case code(err) == "no_offer", code(err) == "hold_expired":
		g.tally.refuse(code(err))
		o.deed = map[string]deed{"no_offer": noOffer, "hold_expired": tooLate}[code(err)]
		g.queue.add(o)
	case chosen != nil:
		g.odd("accept", err, "seats_unavailable", "seat_limit_reached")
	default:
		g.odd("accept", err, "seat_limit_reached")
	}
}

func (g *guest) decline(ctx context.Context, dice *rand.Rand, s *spot) {
	g.queue.request(isDeclined, s.w, now())
	g.giveUp(ctx, dice, s, http.MethodPost, s.path()+"/decline")
}

func (g *guest) leave(ctx context.Context, dice *rand.Rand, s *spot) {
	g.queue.request(isLeft, s.w, now())
	g.giveUp(ctx, dice, s, http.MethodDelete, s.path())
}

func (g *guest) giveUp(ctx context.Context, dice *rand.Rand, s *spot, method, path string) {
	o, known, err := g.ask(ctx, dice, false, method, path, nil, nil)
	o.place = s.w
	switch {
	case !known:
		g.tally.unknown.Add(1)
	case err == nil:
		g.tally.answer(method)
		o.deed = over
		g.queue.add(o)
	case code(err) == "no_offer" && method == http.MethodPost:
		g.tally.refuse("no_offer")
		o.deed = noOffer
		g.queue.add(o)
	default:
		g.odd("give up", err)
	}
}

// walkUp tries for one or two seats; a refusal tells of them.
func (g *guest) walkUp(ctx context.Context) {
	n := 1 + g.dice.IntN(2)
	var ids []string
	for _, i := range g.dice.Perm(len(g.queue.ids))[:n] {
		ids = append(ids, g.queue.ids[i])
	}
	_ = g.reserve(ctx, ids)
}

func (g *guest) reserve(ctx context.Context, ids []string) error {
	var got apiclient.Hold
	o, known, err := g.ask(ctx, g.dice, false, http.MethodPost, "/shows/"+g.queue.show+"/holds", map[string]any{"seats": ids}, &got)
	var p *apiclient.Problem
	switch {
	case !known:
		g.queue.lose(o, ids)
		g.tally.unknown.Add(1)
	case err == nil:
		g.mine = append(g.mine, &claim{id: got.ID, h: g.queue.take(o, ids, got)})
	case errors.As(err, &p) && p.Code == "seats_unavailable":
		g.queue.refuse(o, ids, p.Conflicts)
		for _, c := range p.Conflicts {
			g.tally.refuse("seat " + c.Reason)
		}
	default:
		g.odd("reserve", err, "seat_limit_reached")
	}
	return err
}

func (g *guest) release(ctx context.Context, c *claim) {
	o, known, err := g.ask(ctx, g.dice, false, http.MethodDelete, "/holds/"+c.id, nil, nil)
	o.deed, o.hold = gaveBack, c.h
	switch {
	case !known:
		g.queue.release(c.h, o.call)
		g.tally.unknown.Add(1)
	case err == nil:
		c.ended = true
		g.queue.add(o)
	default:
		g.odd("release", err)
	}
}

func (g *guest) lookAt(ctx context.Context, c *claim) {
	var h apiclient.Hold
	o, known, err := g.ask(ctx, g.dice, false, http.MethodGet, "/holds/"+c.id, nil, &h)
	if !known || err != nil {
		if known {
			g.odd("look at hold", err)
		}
		return
	}
	g.sawHold(o, c, h)
}

func (g *guest) sawHold(o turn, c *claim, h apiclient.Hold) {
	o.deed, o.hold, o.is = sawHold, c.h, standing(h.State)
	c.ended = h.State != "held"
	g.queue.add(o)
}

// settle brings all of his places to their end and looks at each; it reports whether
// all are known.
func (g *guest) settle(ctx context.Context, limit time.Duration) bool {
	for end := time.Now().Add(limit); ; pause(ctx, time.Second/4) {
		open := false
		for _, s := range g.spots {
			if s.ended && (s.last.State != "accepted" || g.known(s)) {
				continue
			}
			if s.last.State == "waiting" || s.last.State == "joining" {
				was := g.Client
				g.Client = s.owner
				g.leave(ctx, g.dice, s)
				g.Client = was
			}
			g.look(ctx, s, false)
			open = open || !s.ended
		}
		switch {
		case !open:
			return true
		case ctx.Err() != nil:
			return false
		case time.Now().After(end):
			g.queue.object("client %d: a place has no end after %v", g.n, limit)
			return true
		}
	}
}

// known: the hold of an accepted place is in the records.
func (g *guest) known(s *spot) bool {
	g.queue.mu.Lock()
	defer g.queue.mu.Unlock()
	_, ok := g.queue.byHold[s.last.HoldID]
	return ok
}
