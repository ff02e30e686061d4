package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/order"
)

const (
	contested = 10 // seats that all want
	crowd     = 200
)

// contest has a crowd go for the same few seats, round after round, while functions
// are killed, and looks at the orders all the time: no seat ever has two live tickets.
func contest(ctx context.Context, p plan, rounds, clients int) error {
	c := stage.Config{Root: p.root, Template: p.template, Policy: policy}
	fmt.Fprintf(p.progress, "seed %d: %d clients for the same %d seats, %d rounds, %s\n", p.seed, clients, contested, rounds, stage.StoreName(""))
	start, stop := context.WithTimeout(ctx, stage.StartLimit)
	defer stop()
	s, err := stage.Start(start, c)
	if err != nil {
		return err
	}
	defer s.Close()
	r := newRun(p)
	r.url, r.world = s.URL, s.World
	r.provider, _ = s.Books.Provider.(stage.Provider)
	r.wire.Transport = &http.Transport{MaxIdleConnsPerHost: clients}
	if r.hall, err = s.Build(ctx, 1, contested); err != nil {
		return err
	}
	began := time.Now()
	tally, err := r.rounds(ctx, s, rounds, clients)
	if err == nil {
		err = r.rest(ctx, func() error { return r.audit(ctx) })
	}
	fmt.Fprintf(p.progress, "rounds             %d in %v, %d kills, in mid-request %d, %d requests without an answer\n",
		tally.rounds, time.Since(began).Round(time.Second), r.deaths.functions(), r.deaths.midway, r.unanswered.Load())
	fmt.Fprintf(p.progress, "requests to hold   %d, %d refused; %d orders, %d seats with tickets of %d\n",
		tally.tries, tally.refused, len(tally.orders), len(r.seats), contested*tally.rounds)
	fmt.Fprintf(p.progress, "instants sampled   %d, with %d orders read in all\n", tally.samples, tally.looks)
	fmt.Fprintf(p.progress, "violations         %d\n", len(r.objects))
	return r.all(err)
}

// fray is what happens in a contest.
type fray struct {
	mu                                     sync.Mutex
	rounds, tries, refused, samples, looks int
	orders                                 []*promise
}

func (f *fray) try(p *promise) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries++
	if p == nil {
		f.refused++
	}
}

func (f *fray) begun(p *promise) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, p)
}

// since are the orders from the n-th on.
func (f *fray) since(n int) []*promise {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*promise(nil), f.orders[n:]...)
}

func (r *run) rounds(ctx context.Context, s *stage.Stage, rounds, clients int) (*fray, error) {
	killing, stop := context.WithCancel(ctx)
	var killer sync.WaitGroup
	killer.Go(func() { r.execute(killing, s) })
	defer killer.Wait()
	defer stop()
	f := &fray{}
	all := make([]*buyer, clients)
	for i := range all {
		all[i] = &buyer{run: r, n: i, dice: rand.New(rand.NewPCG(r.seed, uint64(i)+1))}
	}
	for range rounds {
		show, err := s.Open(ctx, r.hall)
		if err != nil {
			return f, err
		}
		r.mu.Lock()
		r.shows, r.made = append(r.shows, show), 0
		r.mu.Unlock()
		if err := r.round(ctx, show, all, f); err != nil || len(r.objects) > 0 {
			return f, err
		}
		f.rounds++
	}
	return f, nil
}

// execute kills one process after another.
func (r *run) execute(ctx context.Context, s *stage.Stage) {
	dice := rand.New(rand.NewPCG(r.seed, 0))
	for pause(ctx, r.every); ctx.Err() == nil; pause(ctx, r.every) {
		f := mortal[dice.IntN(len(mortal))]
		at := time.Now()
		if killed, busy, err := s.KillOne(f); err == nil && killed {
			r.deaths.note(f, busy, at)
		}
	}
}

func (r *run) round(ctx context.Context, show catalog.ShowID, all []*buyer, f *fray) error {
	first := len(f.orders)
	sampling, stop := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() {
		for sampling.Err() == nil {
			r.sample(sampling, show, f, first)
			pause(sampling, again)
		}
	})
	var g errgroup.Group
	for _, b := range all {
		g.Go(func() error { return b.contend(ctx, f) })
	}
	err := g.Wait()
	stop()
	sampler.Wait()
	r.sample(ctx, show, f, first)
	return err
}

// contend tries for some of the seats, and buys what it gets.
func (b *buyer) contend(ctx context.Context, f *fray) error {
	if err := b.join(ctx); err != nil {
		return err
	}
	p, err := b.reserve(ctx)
	if err != nil {
		return err
	}
	if f.try(p); p == nil {
		return nil
	}
	if err := b.pay(ctx, p); err != nil || p.payment.OrderID == "" {
		return err
	}
	f.begun(p)
	if p.outcome != "success" {
		return nil
	}
	return b.await(ctx, p)
}

// join is for the show of this round; one session serves all rounds.
func (b *buyer) join(ctx context.Context) error {
	if b.client != nil {
		b.left = 1
		var err error
		b.show, err = b.onSale(ctx)
		return err
	}
	return b.enter(ctx)
}

// sample reads the orders of a round straight from the table: an instant, as nearly
// as there is one. A ticket that is there stays, so two of one seat would be seen.
func (r *run) sample(ctx context.Context, show catalog.ShowID, f *fray, first int) {
	owner := map[string]order.ID{}
	looks := 0
	for _, p := range f.since(first) {
		o, err := r.world.Books.Store.OrderByID(ctx, order.ID(p.payment.OrderID))
		if err != nil {
			continue
		}
		looks++
		for _, t := range o.Tickets {
			if other, taken := owner[t.Seat]; taken && other != o.ID && o.Status == order.Paid {
				r.object("show %s: seat %s has live tickets of orders %s and %s", show, t.Seat, other, o.ID)
			}
			owner[t.Seat] = o.ID
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.samples++
	f.looks += looks
}
