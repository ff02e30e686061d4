package counts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// waitingStage is a show of which all is held, with a line. Its lane is run by a box
// office of its own, as another function does it, so that each is counted alone.
type waitingStage struct {
	*stage
	lane      *venue.Venue
	laneMeter *meter.Meter
	holds     []booking.Hold
	line      []line.WaiterID
	slept     func() // what happens while somebody waits
}

// newWaitingStage has parties of n hold every seat, and so many of n wait.
func newWaitingStage(ctx context.Context, waiting, n int) (*waitingStage, error) {
	w := &waitingStage{stage: &stage{ctx: ctx, now: time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)}, slept: func() {}}
	clock := func() time.Time { return w.now }
	db := memstore.New(memstore.Options{Clock: clock})
	w.meter, w.laneMeter = meter.New(db), meter.New(db)
	var err error
	if w.Venue, err = venue.Open(w.meter, clock); err != nil {
		return nil, err
	}
	if w.lane, err = venue.Open(w.laneMeter, clock); err != nil {
		return nil, err
	}
	for _, o := range []*boxoffice.Office{w.Office, w.lane.Office} {
		o.Rand = func() uint64 { return 1 } // of a crowd in line one at most looks after it
		o.Pause = func(_ context.Context, d time.Duration) error {
			w.now = w.now.Add(d)
			w.slept()
			return nil
		}
	}
	if err := w.Announce(ctx, hall, show); err != nil {
		return nil, err
	}
	if w.holds, err = w.FillUp(ctx, hall, show, 1, n); err != nil {
		return nil, err
	}
	if w.line, err = w.lane.LineUp(ctx, show, 1, waiting, n); err != nil {
		return nil, err
	}
	w.buyer = waiting
	_, err = w.AskFor(ctx, w.joiner(n)) // warms the catalogue of the handlers
	return w, err
}

func (w *waitingStage) joiner(n int) boxoffice.Join {
	w.buyer++
	return venue.Joiner(show, w.buyer, n)
}

// runs the lane for those named.
func (w *waitingStage) runs(named ...line.WaiterID) error {
	return w.lane.Office.RunLane(w.ctx, show, boxoffice.Wake{Named: named})
}

// numbers runs the lane for those who have asked.
func (w *waitingStage) numbers(named ...line.WaiterID) error {
	return w.lane.Office.RunLane(w.ctx, show, boxoffice.Wake{Named: named, Joined: true})
}

// frees the i-th hold's seats.
func (w *waitingStage) frees(i int) error {
	h := w.holds[i]
	return w.Office.GiveBack(w.ctx, h.Buyer, h.ID)
}

// offered has the head of the line offered seats.
func (w *waitingStage) offered() (line.Waiter, error) {
	if err := w.frees(0); err != nil {
		return line.Waiter{}, err
	}
	if err := w.runs(); err != nil {
		return line.Waiter{}, err
	}
	return w.in(0, line.Offered)
}

// in checks the i-th in line.
func (w *waitingStage) in(i int, want line.WaiterState) (line.Waiter, error) {
	got, err := w.Store.Waiter(w.ctx, w.line[i])
	if err == nil && got.State != want {
		err = fmt.Errorf("counts: number %d is %s, not %s", i+1, got.State, want)
	}
	return got, err
}

// lineStep is one step in a line of so many, of parties of n.
type lineStep struct {
	step
	waiting, n int
	lane       bool // it is the lane's, not a handler's
	do         func(w *waitingStage) (func() error, error)
}

func (s lineStep) figure(ctx context.Context) (Figure, error) {
	w, err := newWaitingStage(ctx, s.waiting, s.n)
	if err != nil {
		return Figure{}, err
	}
	f, err := s.do(w)
	if err != nil {
		return Figure{}, err
	}
	if s.lane {
		w.meter = w.laneMeter
	}
	got, err := w.count(f)
	return Figure{s.name, got, s.must, s.least, s.why}, err
}

// MeasureLine counts every step of who waits.
func MeasureLine(ctx context.Context) ([]Figure, error) {
	var figures []Figure
	for _, s := range lineSteps {
		f, err := s.figure(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// mostOfLeast is the goal: a step takes no more than so many times the minimum.
const mostOfLeast = 1.15

// readsAWrite is what a write unit costs in read units, by the price list.
const readsAWrite = 5

// Times is how many times the minimum the step takes: of requests, and of units by
// their price.
func (f Figure) Times() (requests, units float64) {
	price := func(u Use) float64 { return readsAWrite*float64(u.Writes) + float64(u.Reads) }
	return float64(f.Got.Requests) / float64(f.Least.Requests), price(f.Got) / price(f.Least)
}

// Met tells whether the goal is met.
func (f Figure) Met() bool {
	requests, units := f.Times()
	return requests <= mostOfLeast && units <= mostOfLeast
}

// verdict stands beside the figure.
func (f Figure) verdict() string {
	requests, units := f.Times()
	if f.Met() {
		return fmt.Sprintf("%.2f, %.2f", requests, units)
	}
	return fmt.Sprintf("%.2f, %.2f MISSED", requests, units)
}

var errNotAsWanted = errors.New("counts: the line is not as wanted")
