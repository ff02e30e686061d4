// Package counts takes the requests and capacity units of each step of a sale
// from the real use cases, and says what they cost in dollars.
//
// A figure stands beside what its steps must take by the protocol, which is
// asserted, and beside the arithmetic minimum: what no implementation of the same
// promises on DynamoDB could go below. Start with [Measure] and [Month].
package counts

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/infra/bench/visit"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// Use is what a step asks of the tables: requests, and units in halves.
type Use struct {
	Requests      int64
	Writes, Reads meter.Halves
}

func (u Use) String() string {
	return fmt.Sprintf("%d requests, %v WU, %v RU", u.Requests, u.Writes, u.Reads)
}

// of whole units.
func use(requests, writes int64, reads float64) Use {
	return Use{requests, meter.Units(writes), meter.Halves(2 * reads)}
}

// Figure is one step as it was counted.
type Figure struct {
	Name  string
	Got   Use
	Must  Use    // by the protocol as it is built
	Least Use    // the arithmetic minimum
	Why   string // the minimum, and what is above it
}

// Seats of a hold in every figure but those that name another number.
const Seats = 2

// hall is that of A19: 2,000 seats.
var hall = venue.Hall{Rows: 40, Width: 50}

const show = "metropolis-bern-ch-01-2030-05-01-2000"

// stage is a box office in memory that stands at one moment.
type stage struct {
	*venue.Venue
	ctx   context.Context
	now   time.Time
	meter *meter.Meter
	buyer int
	row   int
}

func newStage(ctx context.Context) (*stage, error) {
	s := &stage{ctx: ctx, now: time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return s.now }
	s.meter = meter.New(memstore.New(memstore.Options{Clock: clock}))
	var err error
	if s.Venue, err = venue.Open(s.meter, clock); err != nil {
		return nil, err
	}
	s.Office.Provider = func(payment.Name) (payment.Provider, bool) { return bank{}, true }
	s.Office.NotifyURL = func(payment.Name) string { return "https://api.example.org/v1/callbacks/sandbox" }
	if err := s.Announce(ctx, hall, show); err != nil {
		return nil, err
	}
	h, err := s.hold(Seats) // warms the catalogue, and gives the show a map
	if err != nil {
		return nil, err
	}
	return s, s.project(h)
}

func (s *stage) wish(n int) boxoffice.Wish {
	s.buyer++
	w := boxoffice.Wish{Buyer: booking.Buyer(fmt.Sprintf("g_%026d", s.buyer)), Key: "key", BodyHash: booking.Digest("body"), Show: show}
	for i := range n {
		w.Seats = append(w.Seats, hall.Seat(s.row*hall.Width+i))
	}
	s.row++
	return w
}

func (s *stage) hold(n int) (booking.Hold, error) { return s.Office.Reserve(s.ctx, s.wish(n)) }

func (s *stage) project(h booking.Hold) error {
	var seats []seatmap.SeatID
	for _, seat := range h.Seats {
		seats = append(seats, seat.ID)
	}
	return s.Office.Project(s.ctx, h.Show, seats)
}

func (s *stage) pay(h booking.Hold) (payment.Payment, error) {
	return s.Office.Pay(s.ctx, boxoffice.PayWish{Buyer: h.Buyer, Hold: h.ID, Provider: payment.Sandbox, Key: "key", BodyHash: "body"})
}

func (s *stage) captured(p payment.Payment) error {
	return s.Office.Settle(s.ctx, payment.Report{Payment: p.ID, Order: p.OrderID, ProviderRef: "r-1", State: payment.ReportCaptured, Amount: p.Amount, At: s.now})
}

// count what f asks of the tables.
func (s *stage) count(f func() error) (Use, error) {
	s.meter.Reset()
	if err := f(); err != nil {
		return Use{}, err
	}
	c := s.meter.Snapshot()
	var u Use
	for _, n := range c.Requests {
		u.Requests += n
	}
	for place, h := range c.Units {
		if place.Op == meter.Transact {
			u.Writes += h
		} else {
			u.Reads += h
		}
	}
	return u, nil
}

// bank takes every payment on; what becomes of it the caller says.
type bank struct{ payment.Provider }

func (bank) Create(_ context.Context, in payment.Intent) (payment.Created, error) {
	return payment.Created{
		Action: payment.Action{Kind: payment.ActionURL, Value: "https://bank.example/pay/" + string(in.ID)},
		Report: payment.Report{Payment: in.ID, Order: in.OrderID, State: payment.ReportPending, Amount: in.Amount},
	}, nil
}

// Bytes are the sizes of answers, by call.
type Bytes map[string]int

// Answers are what calls answered: how much, and for how long it may be kept.
type Answers struct {
	Bytes Bytes
	Kept  map[visit.Call]Kept
}

// bodies asks the handlers for answers as they go over the wire.
func (s *stage) bodies() (Bytes, error) {
	token, err := s.Guest()
	if err != nil {
		return nil, err
	}
	sizes := Bytes{}
	w := s.wish(Seats)
	for name, want := range map[string]int{"hold": http.StatusCreated, "hold refused": http.StatusConflict} {
		seats := w.Seats
		if want == http.StatusConflict {
			seats = []seatmap.SeatID{hall.Seat(0), hall.Seat(1)}
		}
		ev, err := venue.HoldEvent(show, token, name, seats...)
		if err != nil {
			return nil, err
		}
		got, err := s.Reserve()(s.ctx, ev)
		if err != nil || got.StatusCode != want {
			return nil, fmt.Errorf("counts: %s: %d %s, %w", name, got.StatusCode, got.Body, err)
		}
		sizes[name] = len(got.Body)
	}
	m, err := s.Office.SeatMap(s.ctx, show)
	if err != nil {
		return nil, err
	}
	sizes["seat map"] = (len(m.Seats.Bytes())+2)/3*4 + 120 // base64 and the counts beside it
	return sizes, nil
}

// Report shows the figures and fails on what is not exact.
func Report(figures []Figure) *report.Report {
	rep := report.New("counts", "Requests and capacity units of each step, beside the arithmetic minimum")
	var rows [][]string
	for _, f := range figures {
		exact(rep, f)
		rows = append(rows, []string{f.Name, f.Got.String(), f.Least.String(), f.Why})
	}
	rep.Table(report.Table{Title: "Beside the minimum", Header: []string{"step", "counted", "minimum", "why"}, Rows: rows})
	return rep
}

// exact adds what must be exact.
func exact(rep *report.Report, f Figure) {
	for _, c := range []struct {
		what      string
		got, must float64
	}{
		{"requests", float64(f.Got.Requests), float64(f.Must.Requests)},
		{"write units", float64(f.Got.Writes) / 2, float64(f.Must.Writes) / 2},
		{"read units", float64(f.Got.Reads) / 2, float64(f.Must.Reads) / 2},
	} {
		rep.Count(report.Count{Name: f.Name, Unit: c.what, Got: c.got, Want: c.must, Floor: "the protocol"})
	}
}

var _ store.Tables = (*meter.Meter)(nil)
