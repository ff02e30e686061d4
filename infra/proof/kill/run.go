package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/pkg/catalog"
)

const (
	hallRows, hallSeats = 24, 24
	mostSold            = hallRows * hallSeats / 2 // holds of a show before the next one opens
)

// run is one under way.
type run struct {
	plan
	deaths     *deaths
	wire       *http.Client
	group      process.Group
	provider   stage.Provider
	log        *os.File
	port       int
	hall       stage.Hall
	unanswered atomic.Int64
	lookedBack atomic.Int64
	toRest     time.Duration
	lookTook   time.Duration
	started    []time.Duration // of the cloud, again
	final      map[string]int  // orders by their status at the end
	purges     int             // of the lane's queue
	lined      lines

	mu       sync.Mutex
	victim   *victim
	url      string
	world    stage.World
	shows    []catalog.ShowID
	made     int // holds of the latest show
	promises []*promise
	seats    map[string]string // sold by show and seat, to an order
	objects  []error
}

func newRun(p plan) *run {
	return &run{
		plan: p, seats: map[string]string{}, final: map[string]int{},
		deaths: &deaths{killed: map[string]int{}, waiting: map[string][]time.Time{}},
		wire:   &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4 * (p.buyers + p.waiters)}},
	}
}

func (r *run) close() {
	if r.victim != nil {
		r.victim.close()
	}
	r.group.Close()
	if r.log != nil {
		r.log.Close()
	}
}

// start brings up the provider, which does not die, and the cloud, which does.
func (r *run) start(ctx context.Context) (err error) {
	fmt.Fprintf(r.progress, "seed %d: %d kills of functions and %d of the whole cloud, %d buyers, %s\n",
		r.seed, r.kills, r.restarts, r.buyers, stage.StoreName(""))
	if r.log, err = os.Create(filepath.Join(filepath.Dir(r.data), "kill.log")); err != nil {
		return err
	}
	if r.port, err = stage.FreePort(); err != nil {
		return err
	}
	if r.provider, err = stage.StartProvider(ctx, &r.group, r.root, filepath.Join(r.data, "provider.jsonl"), policy, r.log); err != nil {
		return err
	}
	if err := r.restart(r.seed, r.restarts == 0); err != nil {
		return err
	}
	if r.lined.hall, err = r.world.Build(ctx, 1, lineSeats); err != nil {
		return err
	}
	r.hall, err = r.world.Build(ctx, hallRows, hallSeats)
	return err
}

// restart lets the cloud live again; in its last life the lane's queue is lost once.
func (r *run) restart(seed uint64, last bool) error {
	began := time.Now()
	data := filepath.Join(r.data, "cloud")
	if r.forgets {
		data += fmt.Sprint(seed)
	}
	t := task{
		Stage: stage.Config{Root: r.root, Template: r.template, Policy: policy, Line: terms, Port: r.port, Data: data, Provider: r.provider.URL},
		Every: r.every, Seed: seed,
	}
	if last {
		t.Purge = max(r.kills/(r.restarts+1)/2, 1)
	}
	v, err := summon(t, r.log)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.victim = v
	r.mu.Unlock()
	w, err := v.ready()
	if err != nil {
		return err
	}
	r.started = append(r.started, time.Since(began))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.url = w.URL
	r.world, err = stage.NewWorld(w.Env, policy)
	return err
}

func (r *run) base() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

// onSale is the show that sells now; one that is well filled is followed by another.
func (r *run) onSale(ctx context.Context) (catalog.ShowID, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := len(r.shows); n == 0 || r.made >= mostSold; {
		open, stop := context.WithTimeout(ctx, 5*time.Second)
		id, err := r.world.Open(open, r.hall)
		stop()
		switch {
		case err == nil:
			r.shows, r.made = append(r.shows, id), 0
			return id, nil
		case n > 0: // the cloud is away; the old show has seats left
			return r.shows[n-1], nil
		default:
			return "", err
		}
	}
	return r.shows[len(r.shows)-1], nil
}

func (r *run) keep(p *promise) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.promises = append(r.promises, p)
	r.made++
}

func (r *run) object(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := fmt.Errorf(format, args...)
	r.objects = append(r.objects, err)
	fmt.Fprintln(r.progress, "VIOLATION:", err)
}

// compare: tickets that were shown are shown for ever, one a seat, and no seat is
// another order's.
func (r *run) compare(p *promise, o apiclient.Order) {
	var tickets []string
	for _, t := range o.Tickets {
		tickets = append(tickets, t.Seat+" "+t.ID+" "+t.Code)
	}
	slices.Sort(tickets)
	r.mu.Lock()
	first := p.tickets == nil && len(tickets) > 0
	lost := p.tickets != nil && !slices.Equal(p.tickets, tickets)
	var twice string
	if first {
		p.tickets = tickets
		for _, t := range o.Tickets {
			at := string(p.show) + " " + t.Seat
			if other := r.seats[at]; other != "" && other != o.ID {
				twice = other
			}
			r.seats[at] = o.ID
		}
	}
	r.mu.Unlock()
	switch {
	case lost:
		r.object("order %s is %s with tickets %v, and had %v", o.ID, o.Status, tickets, p.tickets)
	case twice != "":
		r.object("orders %s and %s have tickets for one seat of show %s", o.ID, twice, p.show)
	case (o.Status == "PAID") != (len(tickets) == len(o.Seats)), o.Status != "PAID" && len(tickets) > 0:
		r.object("order %s is %s with %d tickets for %d seats", o.ID, o.Status, len(tickets), len(o.Seats))
	}
}

// play lets buyers buy while everything dies, and then reckons.
func (r *run) play(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	var all sync.WaitGroup
	errs := make([]error, r.buyers)
	for i := range r.buyers {
		all.Go(func() {
			b := &buyer{run: r, n: i, dice: rand.New(rand.NewPCG(r.seed, uint64(i)+1))}
			errs[i] = b.shop(ctx, stop)
		})
	}
	waits := make([]error, r.waiters)
	for i := range waits {
		all.Go(func() {
			b := &buyer{run: r, n: r.buyers + i, dice: rand.New(rand.NewPCG(r.seed, uint64(r.buyers+i)+1))}
			waits[i] = b.queue(ctx, stop)
		})
	}
	err := r.slaughter(ctx)
	close(stop)
	if err != nil {
		cancel()
	}
	all.Wait()
	if err != nil {
		return err
	}
	if err := judged(errors.Join(append(errs, waits...)...)); err != nil {
		return err
	}
	return r.all(r.reckon(ctx))
}

// all is what was objected to meanwhile, and what came at the end.
func (r *run) all(last error) error {
	if len(r.objects) == 0 {
		return last
	}
	return verdict{errors.Join(append(r.objects, last)...)}
}

// slaughter ends when all kills are done and the cloud lives.
func (r *run) slaughter(ctx context.Context) error {
	dice := rand.New(rand.NewPCG(r.seed, 0))
	share := r.kills / (r.restarts + 1)
	for n := range r.restarts + 1 {
		until := n*share + dice.IntN(max(share, 1)) + 1
		if n == r.restarts {
			until = r.kills
		}
		if err := r.listen(ctx, until); err != nil {
			return err
		}
		if n == r.restarts {
			return r.victim.calm()
		}
		at := time.Now()
		if err := r.victim.kill(); err != nil {
			return err
		}
		r.hear()
		r.deaths.note(wholeCloud, true, at)
		if err := r.restart(r.seed+uint64(n)+1, n+1 == r.restarts); err != nil {
			return err
		}
	}
	return nil
}

// listen notes kills until so many functions have died.
func (r *run) listen(ctx context.Context, until int) error {
	for r.deaths.functions() < until {
		select {
		case w, ok := <-r.victim.words:
			if !ok {
				return errors.New("the cloud has ended by itself; see .build/kill/kill.log")
			}
			if w.Failed != "" {
				return errors.New(w.Failed)
			}
			if w.Purged {
				r.purges++
				continue
			}
			r.deaths.note(w.Function, w.Busy, w.At)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// hear notes what a killed process had said.
func (r *run) hear() {
	for w := range r.victim.words {
		if w.Function != "" {
			r.deaths.note(w.Function, w.Busy, w.At)
		}
	}
	r.victim.ended.Wait()
}
