package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
)

// terms of the lines: short offers, so that many lapse, and waits that some do not
// see the end of.
var terms = stage.Line{Offer: 2 * time.Second, Wait: 15 * time.Second, CoolDown: 5 * time.Second}

// smallHalls are where people wait: few seats, so that they must.
var smallHalls = []string{"RRR", "RRPP", "RRRP"}

const (
	perLine    = 150 // operations of a line, about
	toTheEnd   = 45 * time.Second
	drainLimit = 30 * time.Second // an unattended line is run by who is refused after ten
)

// lineGroup plays one line after another, each the line of a show of its own.
func (r *run) lineGroup(ctx context.Context, sweeps *sync.WaitGroup) error {
	for ctx.Err() == nil && !r.enough() {
		q, n, err := r.openLine(ctx)
		if err != nil {
			return err
		}
		crowd, err := r.wait(ctx, q, n)
		if err != nil {
			return err
		}
		r.done.Add(int64(q.count()))
		sweeps.Go(func() { r.closeLine(ctx, q, crowd) })
	}
	return ctx.Err()
}

func (r *run) openLine(ctx context.Context) (*queue, uint64, error) {
	r.mu.Lock()
	n := r.made
	r.made++
	r.mu.Unlock()
	h := r.small[n%uint64(len(r.small))]
	id, err := r.stage.Open(ctx, h)
	if err != nil {
		return nil, 0, err
	}
	return newQueue(string(id), h, h.Row(0), r.stage.Books.Policy, terms, limits{int64(r.budget)}, r.seed), n, nil
}

// wait lets the guests of a line act until it has its operations and its time.
func (r *run) wait(ctx context.Context, q *queue, n uint64) ([]*guest, error) {
	crowd := make([]*guest, r.crowd)
	errs := make([]error, r.crowd)
	began := time.Now()
	more := func() bool {
		age := time.Since(began)
		return ctx.Err() == nil && !r.enough() && age < r.maxRow && (q.count() < perLine || age < r.minRow)
	}
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			if crowd[i], errs[i] = r.guest(ctx, q, n, i); errs[i] != nil {
				return
			}
			for more() {
				crowd[i].act(ctx)
			}
		})
	}
	all.Wait()
	return crowd, errors.Join(errs...)
}

func (r *run) guest(ctx context.Context, q *queue, n uint64, i int) (*guest, error) {
	fresh := func(ctx context.Context) (*apiclient.Client, error) {
		return stage.Guest(ctx, apiclient.Client{Base: r.stage.URL, Key: stage.DeveloperKey, HTTP: r.wire})
	}
	c, err := fresh(ctx)
	return &guest{Client: c, n: i, queue: q, dice: rand.New(rand.NewPCG(r.seed, n<<16|uint64(i))), tally: r.tally, fresh: fresh}, err
}

// closeLine waits for the end of every place and hold, and then wants each seat: one
// that is still set aside while nobody waits is lost.
func (r *run) closeLine(ctx context.Context, q *queue, crowd []*guest) {
	var all sync.WaitGroup
	known := make([]bool, len(crowd))
	for i, g := range crowd {
		all.Go(func() { known[i] = g.settle(ctx, toTheEnd) })
	}
	all.Wait()
	p := r.stage.Books.Policy
	pause(ctx, p.Hold+p.Grace+afterAWait)
	last, err := r.guest(ctx, q, 1<<40, len(crowd))
	if err != nil {
		return
	}
	for _, id := range q.ids {
		r.wantBack(ctx, last, id)
	}
	for _, k := range known {
		if !k {
			return
		}
	}
	if ctx.Err() == nil {
		r.queue <- q
	}
}

// wantBack tries until the seat is had.
func (r *run) wantBack(ctx context.Context, g *guest, id string) {
	for end := time.Now().Add(drainLimit); ; pause(ctx, time.Second/4) {
		err := g.reserve(ctx, []string{id})
		switch {
		case err == nil, ctx.Err() != nil:
			return
		case time.Now().After(end):
			if !silent(err) {
				g.queue.object("seat %s is lost: nobody waits, all holds are over, and it cannot be had: %v", id, err)
			}
			return
		}
	}
}
