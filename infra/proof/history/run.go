package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/localstack/apiclient"
)

// plan of a run.
type plan struct {
	ops      int           // operations to be judged
	limit    time.Duration // after which no more are begun; 0 = none
	groups   int           // rows that are under way at once
	lines    int           // lines that are, each of a show of its own
	crowd    int           // buyers of a row
	perRow   int           // operations of a row, about
	minRow   time.Duration // a row lives long enough to see its holds expire
	maxRow   time.Duration // and no longer, however few operations it could answer
	untimed  time.Duration // how long timers are off, and then on, in turn
	rows     int           // rows of a show
	seats    int           // seats of a row
	kills    time.Duration // between two
	budget   time.Duration // of the clocks
	seed     uint64
	pictures string // folder
	progress io.Writer
}

// mortal are the functions that are killed, the busiest more often.
var mortal = []string{
	"ReserveSeats", "ReserveSeats", "ReserveSeats", "PayHold", "ReleaseHold", "ReadHold", "ReadOrder",
	"ReceiveCallback", "RelayHolds", "RelayPayments", "ProjectSeatmap", "ExpireTimer", "AskProvider", "AuthorizeKey",
	"JoinLine", "AdvanceLine", "AdvanceLine", "RelayLine", "AnswerOffer", "AnswerOffer", "ReadPlace",
}

// run is one under way.
type run struct {
	plan
	stage *stage.Stage
	hall  stage.Hall
	small []stage.Hall
	wire  *http.Client
	*tally

	halt   context.CancelFunc
	began  time.Time
	done   atomic.Int64 // operations of rows that have ended
	judges sync.WaitGroup
	queue  chan judged

	mu       sync.Mutex
	show     string
	next     int // row of the show
	made     uint64
	verdicts []error
}

// judged is what was recorded of one object, at its end.
type judged interface {
	judge(folder string) error
	count() int
}

func newRun(ctx context.Context, p plan, s *stage.Stage) (*run, error) {
	// As many rows again stay empty: where nearly everything is taken, each refusal
	// reads the whole show for what it advises, and the run would measure that.
	h, err := s.Build(ctx, 2*p.rows, p.seats)
	if err != nil {
		return nil, err
	}
	var small []stage.Hall
	for _, row := range smallHalls {
		one, err := s.BuildRows(ctx, row)
		if err != nil {
			return nil, err
		}
		small = append(small, one)
	}
	return &run{
		plan: p, stage: s, hall: h, small: small, tally: newTally(), queue: make(chan judged, 1024),
		wire: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: (p.groups + p.lines) * p.crowd * 2}},
	}, nil
}

// all runs until so many operations are done and judged, or one row is condemned.
func (r *run) all(ctx context.Context) error {
	ctx, r.halt = context.WithCancel(ctx)
	defer r.halt()
	r.began = time.Now()
	for range 2 {
		r.judges.Go(r.judge)
	}
	killing, stop := context.WithCancel(ctx)
	var killer, groups, sweeps sync.WaitGroup
	killer.Go(func() { r.reap(killing) })
	killer.Go(func() { r.tell(killing) })
	var untimed error
	killer.Go(func() { untimed = r.switchTimers(killing, &killer) })
	failed := make([]error, r.groups+r.lines)
	for g := range failed {
		one := r.group
		if g >= r.groups {
			one = r.lineGroup
		}
		groups.Go(func() { failed[g] = one(ctx, &sweeps) })
	}
	groups.Wait()
	sweeps.Wait()
	stop()
	killer.Wait()
	close(r.queue)
	r.judges.Wait()
	if len(r.verdicts) > 0 {
		return violations(r.verdicts)
	}
	return errors.Join(append(failed, untimed)...)
}

// violations are the histories that are not linearizable.
type violations []error

func (v violations) Error() string { return errors.Join(v...).Error() }

// group plays one row after another.
func (r *run) group(ctx context.Context, sweeps *sync.WaitGroup) error {
	for ctx.Err() == nil && !r.enough() {
		w, n, err := r.row(ctx)
		if err != nil {
			return err
		}
		crowd, err := r.play(ctx, w, n)
		if err != nil {
			return err
		}
		r.done.Add(int64(w.count()))
		sweeps.Go(func() { r.sweep(ctx, w, crowd) })
	}
	return ctx.Err()
}

func (r *run) enough() bool {
	return r.done.Load() >= int64(r.ops) || r.limit > 0 && time.Since(r.began) > r.limit
}

// row is the next one that nobody has touched.
func (r *run) row(ctx context.Context) (*row, uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.show == "" || r.next == r.rows {
		id, err := r.stage.Open(ctx, r.hall)
		if err != nil {
			return nil, 0, err
		}
		r.show, r.next = string(id), 0
	}
	n := r.made
	r.made++
	w := newRow(r.show, r.hall.Row(r.next), r.stage.Books.Policy, limits{int64(r.budget)}, r.seed)
	r.next++
	return w, n, nil
}

// play lets the buyers of a row act until it has its operations and its time.
func (r *run) play(ctx context.Context, w *row, n uint64) ([]*buyer, error) {
	crowd := make([]*buyer, r.crowd)
	var all sync.WaitGroup
	errs := make([]error, r.crowd)
	began := time.Now()
	more := func() bool {
		age := time.Since(began)
		return ctx.Err() == nil && !r.enough() && age < r.maxRow && (w.count() < r.perRow || age < r.minRow)
	}
	for i := range crowd {
		all.Go(func() {
			if crowd[i], errs[i] = r.buyer(ctx, w, n, i); errs[i] != nil {
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

func (r *run) buyer(ctx context.Context, w *row, n uint64, i int) (*buyer, error) {
	c, err := stage.Guest(ctx, apiclient.Client{Base: r.stage.URL, Key: stage.DeveloperKey, HTTP: r.wire})
	return &buyer{Client: c, n: i, row: w, dice: rand.New(rand.NewPCG(r.seed, n<<16|uint64(i))), tally: r.tally}, err
}

// sweep waits until the row is at rest and then looks at all that was begun: orders
// that have ended, their holds, which late money must not have sold in place, and
// every seat, which is free or has an owner that a refusal can name. A seat that neither can be had nor has an owner is lost.
func (r *run) sweep(ctx context.Context, w *row, crowd []*buyer) {
	p := r.stage.Books.Policy
	pause(ctx, p.Hold+p.Grace+lateMoney+afterAWait)
	for _, b := range crowd {
		for _, c := range b.orders {
			b.readOrder(ctx, c)
			b.look(ctx, c)
		}
	}
	var b *buyer
	for i, id := range w.ids {
		if b == nil || i%p.MaxSeats == 0 {
			var err error
			if b, err = r.buyer(ctx, w, 1<<40+uint64(i), len(crowd)+i/p.MaxSeats); err != nil {
				return
			}
		}
		if !r.probe(ctx, b, id) {
			break
		}
	}
	if ctx.Err() == nil { // else the row is not at its end, and nothing of it counts
		r.queue <- w
	}
}

// probes of one seat: a hold that ends at this moment may be in the way of one.
const probes = 4

// probe tries until the seat is had or refused with its owner's name, and reports
// whether that came about or was prevented by kills alone.
func (r *run) probe(ctx context.Context, b *buyer, id string) bool {
	var last error
	for range probes {
		b.reserve(ctx, []string{id}, func(err error) { last = err })
		if last == nil || code(last) == "seats_unavailable" || ctx.Err() != nil {
			return true
		}
	}
	if silent(last) {
		return true
	}
	b.row.object("seat %s is lost: it has no owner and cannot be had: %v", id, last)
	return false
}

// timers are the event sources that end holds in time. The buyers must do as well
// without them.
var timers = []string{"ExpireHoldTimers", "ExpireTimerTimers"}

// switchTimers puts them off and on again until the end, and leaves them on. Each
// time that they are off there is a vigil.
func (r *run) switchTimers(ctx context.Context, vigils *sync.WaitGroup) error {
	for n := uint64(0); ctx.Err() == nil; n++ {
		for _, id := range timers {
			if err := r.stage.Pause(ctx, id); err != nil && ctx.Err() == nil {
				return err
			}
		}
		vigils.Go(func() { r.vigil(ctx, 1<<41+n) })
		pause(ctx, r.untimed)
		for _, id := range timers {
			if err := r.stage.Resume(id); err != nil {
				return err
			}
		}
		pause(ctx, r.untimed)
	}
	return nil
}

// vigil is a row of a show of its own where one buyer pays late and nobody else
// comes: without timers the money is what first meets the overdue holds. Where
// others buy, one of them has always ended them by then.
func (r *run) vigil(ctx context.Context, n uint64) {
	show, err := r.stage.Open(ctx, r.hall)
	if err != nil {
		return
	}
	w := newRow(string(show), r.hall.Row(0), r.stage.Books.Policy, limits{int64(r.budget)}, r.seed)
	b, err := r.buyer(ctx, w, n, 0)
	if err != nil {
		return
	}
	for pair := range slices.Chunk(w.ids[:2*mostMine], 2) {
		b.reserve(ctx, pair, nil)
	}
	for _, c := range b.mine {
		b.payTo(ctx, c, "late")
	}
	r.sweep(ctx, w, []*buyer{b})
}

// tell says each minute how far a long run has come.
func (r *run) tell(ctx context.Context) {
	for pause(ctx, time.Minute); ctx.Err() == nil; pause(ctx, time.Minute) {
		r.mu.Lock()
		n, took := r.totalOps, time.Since(r.began)
		r.mu.Unlock()
		fmt.Fprintf(r.progress, "%6v  %d operations judged, %.0f a second\n", took.Round(time.Minute), n, float64(n)/took.Seconds())
	}
}

func (r *run) judge() {
	for w := range r.queue {
		err := w.judge(r.pictures)
		r.mu.Lock()
		r.judged++
		if _, ok := w.(*queue); ok {
			r.queues++
		}
		r.tally.longest = max(r.tally.longest, w.count())
		r.totalOps += w.count()
		if err != nil {
			r.verdicts = append(r.verdicts, err)
			fmt.Fprintln(r.progress, "VIOLATION:", err)
			r.halt()
		}
		r.mu.Unlock()
	}
}

// reap kills one process after another, in the middle of a request if any of its
// function is.
func (r *run) reap(ctx context.Context) {
	dice := rand.New(rand.NewPCG(r.seed, 1<<50))
	tick := time.NewTicker(r.kills)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		f := mortal[dice.IntN(len(mortal))]
		if killed, busy, err := r.stage.KillOne(f); err != nil {
			fmt.Fprintln(r.progress, err)
		} else if killed {
			r.kill(f, busy)
		}
	}
}
