// Package postgres measures our hold beside the same work as PostgreSQL does it:
// two named seats, both or none, for the same wishes in the same order.
//
// PostgreSQL sells in three ways: the textbook (serialisable, select, update,
// insert), the best that is known for named seats (one statement under a unique
// key), and SKIP LOCKED, which is usual and may refuse a seat that becomes free
// again. Ours sells on the store in memory and on the emulators. Start with [Run].
package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fairseat/fairseat/infra/bench/cluster"
	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// Options of a run.
type Options struct {
	Place  venue.Place
	Rounds int           // of each scene by each seller
	Span   time.Duration // of one round, about
	Seed   uint64
}

// scene is how many ask and for what.
type scene struct {
	clients int
	rush    bool
}

func (s scene) String() string {
	if s.rush {
		return fmt.Sprintf("contended, %d clients", s.clients)
	}
	return fmt.Sprintf("calm, %d clients", s.clients)
}

var clientCounts = []int{1, 8, 64}

// A calm hall has a pair for everybody. In a rush everybody wants one of the pairs
// in the two front rows, twelve wishes for each pair, and the hall is sold anew as
// often as the round lasts.
const (
	calmSeats = 20000
	rushSeats = 200
	wanted    = 2 * width
	demand    = 12 * wanted / 2
)

// got is what one round gave.
type got struct {
	held, refused, busy int64
	seconds             float64
	tally
	there, sold int // seats wanted in a rush, and those sold at its end
}

// Run measures every scene by every seller, in turns.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	rep := report.New("postgres", "A hold of two seats beside PostgreSQL")
	sellers, closeAll, err := open(ctx, o, rep)
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	results := map[scene]map[string][]got{}
	for round := range o.Rounds {
		for _, rush := range []bool{false, true} {
			for _, n := range clientCounts {
				sc := scene{n, rush}
				if results[sc] == nil {
					results[sc] = map[string][]got{}
				}
				for i := range sellers {
					s := sellers[(i+round)%len(sellers)]
					g, err := play(ctx, o, s, sc, round)
					if err != nil {
						return nil, errors.Join(fmt.Errorf("%s, %v, seed %d: %w", s.name(), sc, o.Seed, err), closeAll())
					}
					results[sc][s.name()] = append(results[sc][s.name()], g)
				}
			}
		}
	}
	publish(rep, sellers, results)
	return rep, closeAll()
}

// open makes ready every seller that can be had.
func open(ctx context.Context, o Options, rep *report.Report) (all []seller, closeAll func() error, err error) {
	var ends []func() error
	closeAll = func() error {
		var errs []error
		for _, f := range slices.Backward(ends) {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	c, err := cluster.Start(ctx)
	if err != nil {
		return nil, closeAll, err
	}
	ends = append(ends, c.Close)
	for i, w := range []way{classic, unique, skipping} {
		s := &server{way: w, trips: &atomic.Int64{}}
		space := fmt.Sprintf("way%d", i) // tables of its own
		if s.free, err = c.Connect(ctx, slices.Max(clientCounts), space, s.trips); err != nil {
			return nil, closeAll, err
		}
		ends = append(ends, s.close)
		err := s.use(ctx, func(c *pgx.Conn) error {
			_, err := c.Exec(ctx, "CREATE SCHEMA "+space+";"+schema)
			return err
		})
		if err == nil {
			err = s.warm(ctx)
		}
		if err != nil {
			return nil, closeAll, err
		}
		all = append(all, s)
	}
	mem, err := newCore("fairseat on memstore", memstore.New(memstore.Options{Clock: time.Now}), func() error { return nil })
	if err != nil {
		return nil, closeAll, err
	}
	all = append(all, mem)
	for _, kind := range []emulators.Store{emulators.DynamoDBLocal, emulators.Dynoxide} {
		if !o.Place.Built(kind) {
			rep.Note("%s is not built here and was left out", kind)
			continue
		}
		e, err := o.Place.Emulate(ctx, kind)
		if err != nil {
			return nil, closeAll, err
		}
		ends = append(ends, func() error { e.Close(); return nil })
		s, err := newCore("fairseat on "+kind.String(), e.Tables, func() error { return nil })
		if err != nil {
			return nil, closeAll, err
		}
		all = append(all, s)
	}
	return all, closeAll, nil
}

// play is one round of a scene. All sellers of a round get the same wishes.
func play(ctx context.Context, o Options, s seller, sc scene, round int) (got, error) {
	r := rand.New(rand.NewPCG(o.Seed, uint64(round)))
	var g got
	for part := 0; g.seconds < o.Span.Seconds(); part++ {
		show := fmt.Sprintf("%v-%d-%d-%d", sc.rush, sc.clients, round, part)
		seats := calmSeats
		wishes := calmWishes(r)
		if sc.rush {
			seats, wishes = rushSeats, rushWishes(r)
		}
		if err := s.open(ctx, show, seats); err != nil {
			return g, err
		}
		if part == 0 { // connections, plans and caches are warm before the clock runs
			if err := s.hold(ctx, show, "first", [2]int{seats - 2, seats - 1}); err != nil {
				return g, err
			}
		}
		s.take()
		deadline := time.Now().Add(o.Span)
		if err := sell(ctx, &g, s, sc, show, wishes, deadline); err != nil {
			return g, err
		}
		t := s.take()
		g.trips, g.aborts = g.trips+t.trips, g.aborts+t.aborts
		if sc.rush {
			n, err := s.sold(ctx, show, wanted)
			if err != nil {
				return g, err
			}
			g.there, g.sold = g.there+wanted, g.sold+n
			s.take()
		}
	}
	return g, nil
}

func calmWishes(r *rand.Rand) [][2]int {
	wishes := make([][2]int, (calmSeats-width)/2)
	for i, p := range r.Perm(len(wishes)) {
		wishes[i] = [2]int{2 * p, 2*p + 1}
	}
	return wishes
}

func rushWishes(r *rand.Rand) [][2]int {
	wishes := make([][2]int, demand)
	for i := range wishes {
		p := i % (wanted / 2) // every pair is wanted equally often
		wishes[i] = [2]int{2 * p, 2*p + 1}
	}
	r.Shuffle(len(wishes), func(i, j int) { wishes[i], wishes[j] = wishes[j], wishes[i] })
	return wishes
}

// sell lets the clients work through the wishes, at most until the deadline where
// there is no rush.
func sell(ctx context.Context, g *got, s seller, sc scene, show string, wishes [][2]int, deadline time.Time) error {
	var next, held, refused, busy atomic.Int64
	errs := make([]error, sc.clients)
	var wg sync.WaitGroup
	start := time.Now()
	for c := range sc.clients {
		wg.Go(func() {
			for sc.rush || time.Now().Before(deadline) {
				i := int(next.Add(1)) - 1
				if i >= len(wishes) {
					return
				}
				one, cancel := context.WithTimeout(ctx, limit)
				err := s.hold(one, show, fmt.Sprintf("%s-%d", show, i), wishes[i])
				cancel()
				switch {
				case err == nil:
					held.Add(1)
				case errors.Is(err, errTaken):
					refused.Add(1)
				case errors.Is(err, errBusy):
					busy.Add(1)
				default:
					errs[c] = err
					return
				}
			}
		})
	}
	wg.Wait()
	g.seconds += time.Since(start).Seconds()
	g.held, g.refused, g.busy = g.held+held.Load(), g.refused+refused.Load(), g.busy+busy.Load()
	return errors.Join(errs...)
}
