package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

// buyer is one client at one row. What it does next follows from its seed and from
// what it was answered.
type buyer struct {
	*apiclient.Client
	n     int
	row   *row
	dice  *rand.Rand
	tally *tally

	mine   []*claim // holds that were answered, the latest last
	orders []*claim // those of them with an order
}

// claim is a hold as its owner knows it.
type claim struct {
	id, order string
	h         int
	ended     bool // as far as its owner knows
}

const (
	mostMine   = 3   // live holds of one buyer at a row; seats and sales stay far below ten
	giveUp     = 0.4 // how often a request without an answer is not repeated
	saleShare  = 0.5 // of a row's seats that may be sold
	attempts   = 12  // of one request under its key
	breather   = 20 * time.Millisecond
	afterAWait = time.Second
	lateMoney  = 5 * time.Second // the longest that the sandbox keeps it after the grace
)

// answered is what came of a request and its repetitions.
type answered struct {
	op    operation
	known bool
	err   error // a refusal, where known
}

// ask sends a request, and again under the same key while nobody answers and the
// dice say so.
func (b *buyer) ask(ctx context.Context, method, path string, in, out any) answered {
	key := strconv.FormatUint(b.dice.Uint64(), 36)
	a := answered{op: operation{client: b.n, call: now()}}
	for n := 1; ; n++ {
		a.err = b.Call(ctx, method, path, key, in, out)
		a.op.ret = now()
		if a.known = !silent(a.err); a.known {
			return a
		}
		b.tally.unanswered.Add(1)
		if n == attempts || b.dice.Float64() < giveUp || ctx.Err() != nil {
			return a
		}
		pause(ctx, breather)
	}
}

func now() int64 { return time.Now().UnixNano() }

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// silent reports whether an error leaves open what was done: everything but an
// answer of the shop itself, of which busy says that nothing was.
func silent(err error) bool {
	if err == nil {
		return false
	}
	var p *apiclient.Problem
	return !errors.As(err, &p) || p.Status >= 500 && p.Code != "busy"
}

func code(err error) string {
	var p *apiclient.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// act does one thing.
func (b *buyer) act(ctx context.Context) {
	live := b.live()
	switch d := b.dice.IntN(100); {
	case len(live) == 0 && d < 75, len(live) < mostMine && d < 45:
		b.reserve(ctx, b.choose(), nil)
	case len(live) > 0 && d < 58:
		b.release(ctx, live[b.dice.IntN(len(live))])
	case len(live) > 0 && d < 66:
		b.pay(ctx, live[b.dice.IntN(len(live))])
	case len(b.orders) > 0 && d < 80:
		b.readOrder(ctx, b.orders[b.dice.IntN(len(b.orders))])
	case len(b.mine) > 0:
		recent := b.mine[max(0, len(b.mine)-4):]
		b.look(ctx, recent[b.dice.IntN(len(recent))])
	default:
		b.reserve(ctx, b.choose(), nil)
	}
}

func (b *buyer) live() []*claim {
	return slices.DeleteFunc(slices.Clone(b.mine), func(c *claim) bool { return c.ended })
}

// choose is one to three seats, mostly neighbours.
func (b *buyer) choose() []string {
	n := 1 + b.dice.IntN(3)
	if b.dice.IntN(4) == 0 {
		var some []string
		for _, i := range b.dice.Perm(len(b.row.ids))[:n] {
			some = append(some, b.row.ids[i])
		}
		return some
	}
	from := b.dice.IntN(len(b.row.ids) - n + 1)
	return b.row.ids[from : from+n]
}

// reserve tries; a refusal says whether it was busy.
func (b *buyer) reserve(ctx context.Context, ids []string, done func(error)) {
	var got apiclient.Hold
	a := b.ask(ctx, http.MethodPost, "/shows/"+b.row.show+"/holds", map[string]any{"seats": ids}, &got)
	if done != nil {
		defer func() { done(a.err) }()
	}
	var p *apiclient.Problem
	switch {
	case !a.known:
		b.row.lose(a.op, ids)
		b.tally.unknown.Add(1)
	case a.err == nil:
		h := b.row.reserve(a.op, ids, got)
		b.mine = append(b.mine, &claim{id: got.ID, h: h})
	case errors.As(a.err, &p) && p.Code == "seats_unavailable":
		b.row.refuse(a.op, ids, p.Conflicts)
		for _, c := range p.Conflicts {
			b.tally.refuse("seat " + c.Reason)
		}
	default:
		b.refusedOther(a, "seat_limit_reached", "busy")
	}
}

// refusedOther counts refusals that tell nothing of a seat, and objects to any that
// nothing here can cause.
func (b *buyer) refusedOther(a answered, allowed ...string) {
	c := code(a.err)
	b.tally.refuse(c)
	if !slices.Contains(allowed, c) {
		b.row.object("client %d: %v", b.n, a.err)
	}
}

func (b *buyer) release(ctx context.Context, c *claim) {
	a := b.ask(ctx, http.MethodDelete, "/holds/"+c.id, nil, nil)
	o := a.op
	o.verb, o.hold = released, c.h
	switch {
	case !a.known:
		b.row.letGo(c.h, o.call)
		b.tally.unknown.Add(1)
		return
	case a.err == nil:
		c.ended = true
	case code(a.err) == "already_paid":
		o.verb, o.is = looked, isSold
		c.ended = true
		b.tally.refuse("already_paid")
	case code(a.err) == "busy": // it may be another's transaction that was in the way
		b.refusedOther(a, "busy")
		return
	default:
		b.refusedOther(a)
		return
	}
	b.row.add(o)
}

var endings = map[string]standing{"hold_expired": isExpired, "hold_ended": isReleased, "already_paid": isSold}

func (b *buyer) pay(ctx context.Context, c *claim) {
	outcome := []string{"success", "success", "never", "late", "decline"}[b.dice.IntN(5)]
	if outcome != "decline" && !b.row.spend(b.row.seats(c.h), int(saleShare*float64(len(b.row.ids)))) {
		outcome = "decline"
	}
	b.payTo(ctx, c, outcome)
}

func (b *buyer) payTo(ctx context.Context, c *claim, outcome string) {
	var p apiclient.Payment
	a := b.ask(ctx, http.MethodPost, "/holds/"+c.id+"/payments", map[string]string{"provider": "sandbox", "outcome": outcome}, &p)
	o := a.op
	o.verb, o.hold, o.is = payable, c.h, isPending
	if outcome != "decline" && (!a.known || a.err == nil) {
		b.row.money(c.h, o.call, outcome == "late")
	}
	switch {
	case !a.known:
		b.tally.unknown.Add(1)
		return
	case a.err == nil:
		b.tally.pays(outcome)
		if c.order == "" {
			c.order = p.OrderID
			b.orders = append(b.orders, c)
		}
	case endings[code(a.err)] != "":
		o.verb, o.is = looked, endings[code(a.err)]
		c.ended = true
		b.tally.refuse(code(a.err))
	default:
		b.refusedOther(a, "busy")
		return
	}
	b.row.add(o)
}

func (b *buyer) look(ctx context.Context, c *claim) {
	var h apiclient.Hold
	a := b.ask(ctx, http.MethodGet, "/holds/"+c.id, nil, &h)
	if !a.known || a.err != nil {
		b.noRead(a)
		return
	}
	o := a.op
	o.verb, o.hold, o.is = looked, c.h, standing(h.State)
	c.ended = h.State != "held"
	b.row.add(o)
}

func (b *buyer) readOrder(ctx context.Context, c *claim) {
	var got apiclient.Order
	a := b.ask(ctx, http.MethodGet, "/orders/"+c.order, nil, &got)
	if !a.known || a.err != nil {
		b.noRead(a)
		return
	}
	o := a.op
	o.verb, o.hold, o.is = read, c.h, standing(got.Status)
	b.tally.order(got.Status)
	if err := ticketed(got); err != nil {
		b.row.object("client %d: order %s: %v", b.n, got.ID, err)
	}
	b.row.add(o)
}

// noRead: a read without an answer has no effect and says nothing, so it is not
// part of the history.
func (b *buyer) noRead(a answered) {
	if a.known {
		b.refusedOther(a, "busy")
	}
}

// ticketed: a paid order has one ticket a seat, any other has none.
func ticketed(o apiclient.Order) error {
	var seats []string
	for _, t := range o.Tickets {
		seats = append(seats, t.Seat)
	}
	want := o.Seats
	if o.Status != string(isPaid) {
		want = nil
	}
	slices.Sort(seats)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(seats, want) {
		return fmt.Errorf("is %s with tickets for %v of %v", o.Status, seats, o.Seats)
	}
	return nil
}
