// Package waiting measures the line: what its steps ask of the tables, the time from
// a release to the offer in a short line and in a long one, and how many can join in
// a second. The floor of joins are the same transactions, sent bare.
//
// Start with [Run].
package waiting

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fairseat/fairseat/infra/bench/counts"
	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// Options of a run.
type Options struct {
	Place  venue.Place
	Rounds int // releases in each line
	Joins  int // in the long line
	Slow   int // the same on DynamoDB Local
}

const (
	memory      = "memory"
	party       = 2
	short       = 10
	clients     = 8
	mostOfShort = 1.5
)

// hall has seats for the releases of every round.
var hall = venue.Hall{Rows: 40, Width: 20}

// Run measures and reports.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	rep := report.New("line", "Who waits: counts, from release to offer, joins a second")
	figures, err := counts.MeasureLine(ctx)
	if err != nil {
		return nil, err
	}
	counts.LineCounts(rep, figures)
	db := memstore.New(memstore.Options{Clock: time.Now})
	if err := o.on(ctx, rep, memory, db, o.Joins); err != nil {
		return nil, fmt.Errorf("waiting: memory: %w", err)
	}
	for _, kind := range []emulators.Store{emulators.Dynoxide, emulators.DynamoDBLocal} {
		joins := o.Joins
		if kind == emulators.DynamoDBLocal {
			joins = o.Slow
		}
		if !o.Place.Built(kind) {
			rep.Note("%s is not built here, so nothing was measured on it", kind)
			continue
		}
		e, err := o.Place.Emulate(ctx, kind)
		if err != nil {
			return nil, err
		}
		err = o.on(ctx, rep, kind.String(), e.Tables, joins)
		e.Close()
		if err != nil {
			return nil, fmt.Errorf("waiting: %s: %w", kind, err)
		}
	}
	return rep, nil
}

func (o Options) on(ctx context.Context, rep *report.Report, name string, tables store.Tables, joins int) error {
	ours, held, err := o.join(ctx, tables, "long", joins)
	if err != nil {
		return err
	}
	bare, err := o.bare(ctx, tables, joins)
	if err != nil {
		return err
	}
	rep.Ratio(report.Ratio{
		Name: fmt.Sprintf("joins a second on %s, %d at once", name, joins), Unit: "1/s", Floor: "the same transactions, bare",
		Ours: []float64{ours}, Theirs: []float64{bare}, Better: report.Higher,
	})
	v, err := venue.Open(tables, nil)
	if err != nil {
		return err
	}
	if err := v.Announce(ctx, hall, "short"); err != nil {
		return err
	}
	few, err := v.FillUp(ctx, hall, "short", o.Rounds+1, party)
	if err != nil {
		return err
	}
	if _, err := v.LineUp(ctx, "short", 1, short, party); err != nil {
		return err
	}
	r := report.Ratio{
		Name: fmt.Sprintf("from a release to the offer on %s, %d wait", name, joins), Unit: "ms", Floor: fmt.Sprintf("the same where %d wait", short),
		Better: report.Lower, Goal: mostOfShort,
	}
	if name == memory {
		r.Goal = 0 // a tenth of a millisecond, all of it the six waiters that the short line lacks of a first reading
	}
	for i := range o.Rounds + 1 {
		a, err := offered(ctx, v, "short", few[i])
		if err != nil {
			return err
		}
		b, err := offered(ctx, v, "long", held[i])
		if err != nil {
			return err
		}
		if _, err := v.LineUp(ctx, "short", short+1+i, 1, party); err != nil { // one was served
			return err
		}
		if i > 0 { // the first warms
			r.Theirs, r.Ours = append(r.Theirs, a), append(r.Ours, b)
		}
	}
	rep.Ratio(r)
	return nil
}

// offered is the time from a release until the lane has offered its seats to the first.
func offered(ctx context.Context, v *venue.Venue, show catalog.ShowID, h booking.Hold) (float64, error) {
	start := time.Now()
	if err := v.Office.GiveBack(ctx, h.Buyer, h.ID); err != nil {
		return 0, err
	}
	if err := v.Office.RunLane(ctx, show, boxoffice.Wake{}); err != nil {
		return 0, err
	}
	took := float64(time.Since(start).Microseconds()) / 1000
	return took, accepted(ctx, v, show)
}

// accepted has him who was offered seats take them, so that the line stands as before.
func accepted(ctx context.Context, v *venue.Venue, show catalog.ShowID) error {
	st, err := v.Store.LineState(ctx, show, line.Reading{})
	if err != nil {
		return err
	}
	n := 0
	for _, w := range st.Waiters {
		if w.State != line.Offered {
			continue
		}
		n++
		if _, err := v.Office.AcceptOffer(ctx, boxoffice.Choose{Buyer: w.Buyer, Waiter: w.ID, Key: "key", BodyHash: "body"}); err != nil {
			return err
		}
		if err := v.Office.RunLane(ctx, show, boxoffice.Wake{Named: []line.WaiterID{w.ID}}); err != nil {
			return err
		}
	}
	if n != 1 {
		return fmt.Errorf("waiting: %d are offered seats of %s", n, show)
	}
	return nil
}

// join has so many ask at once, eight at a time, while the lane numbers those who
// have asked; then all have numbers of their own, in the order of their requests.
func (o Options) join(ctx context.Context, tables store.Tables, show catalog.ShowID, n int) (float64, []booking.Hold, error) {
	v, err := venue.Open(tables, nil)
	if err != nil {
		return 0, nil, err
	}
	if err := v.Announce(ctx, hall, show); err != nil {
		return 0, nil, err
	}
	held, err := v.FillUp(ctx, hall, show, o.Rounds+1, party)
	if err != nil {
		return 0, nil, err
	}
	asked, errs := make(chan line.WaiterID, n), make([]error, clients)
	var wg sync.WaitGroup
	start := time.Now()
	for c := range clients {
		wg.Go(func() {
			for i := c + 1; i <= n && errs[c] == nil; i += clients {
				w, err := v.AskFor(ctx, venue.Joiner(show, i, party))
				if errs[c] = err; err == nil {
					asked <- w.ID
				}
			}
		})
	}
	go func() { wg.Wait(); close(asked) }()
	var order []line.WaiterID
	for id := range asked {
		named := []line.WaiterID{id}
		for len(named) < line.MaxJoins {
			next, ok := <-asked
			if !ok {
				break
			}
			named = append(named, next)
		}
		order = append(order, named...)
		if err := v.Office.RunLane(ctx, show, boxoffice.Wake{Named: named, Joined: true}); err != nil {
			return 0, nil, err
		}
	}
	rate := float64(n) / time.Since(start).Seconds()
	if err := errors.Join(errs...); err != nil {
		return 0, nil, err
	}
	return rate, held, inOrder(ctx, v, show, order)
}

// inOrder: numbers 1 to n, each once, and those of a later run are larger.
func inOrder(ctx context.Context, v *venue.Venue, show catalog.ShowID, order []line.WaiterID) error {
	found, err := v.Store.Waiters(ctx, order)
	if err != nil {
		return err
	}
	taken := map[int64]bool{}
	for i, id := range order {
		n := found[id].Number
		if taken[n] || (n-1)/line.MaxJoins != int64(i)/line.MaxJoins {
			return fmt.Errorf("waiting: who was numbered in turn %d has number %d", i+1, n)
		}
		taken[n] = true
	}
	return nil
}

// sent keeps what passes to tables, in order.
type sent struct {
	store.Tables
	asks, lane [][]store.Write
}

func (s *sent) Transact(ctx context.Context, ws []store.Write, token string) error {
	err := s.Tables.Transact(ctx, ws, token)
	switch {
	case err != nil:
	case ws[0].Key.SK == "STATE":
		s.lane = append(s.lane, ws)
	case ws[0].Key.SK == "WAITER":
		s.asks = append(s.asks, ws)
	}
	return err
}

// bare sends the transactions of so many joins, then those of the lane.
func (o Options) bare(ctx context.Context, tables store.Tables, n int) (float64, error) {
	s := &sent{Tables: memstore.New(memstore.Options{Clock: time.Now})}
	v, err := venue.Open(s, nil)
	if err != nil {
		return 0, err
	}
	if err := v.Announce(ctx, hall, "bare"); err != nil {
		return 0, err
	}
	if _, err := v.FillUp(ctx, hall, "bare", o.Rounds+1, party); err != nil {
		return 0, err
	}
	if _, err := v.LineUp(ctx, "bare", 1, n, party); err != nil {
		return 0, err
	}
	errs := make([]error, clients+1)
	var wg sync.WaitGroup
	start := time.Now()
	for c := range clients {
		wg.Go(func() {
			for i := c; i < len(s.asks) && errs[c] == nil; i += clients {
				errs[c] = tables.Transact(ctx, s.asks[i], "")
			}
		})
	}
	wg.Wait()
	for i := 0; i < len(s.lane) && errs[clients] == nil; i++ {
		errs[clients] = tables.Transact(ctx, s.lane[i], "")
	}
	return float64(n) / time.Since(start).Seconds(), errors.Join(errs...)
}
