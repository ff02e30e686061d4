package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/fairseat/fairseat/infra/proof/bank"
	"github.com/fairseat/fairseat/infra/proof/feed"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
	"github.com/fairseat/fairseat/pkg/ticket"
)

const premiere = catalog.ShowID("premiere")

var (
	doors  = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
)

// house is one show of one hall over tables in memory.
type house struct {
	clock   *clock
	rng     *rand.Rand
	db      *memstore.DB
	sales   *meter.Meter // what the instances that hold seats ask of the tables
	load    *load
	layout  *seatmap.Layout
	show    catalog.Show
	latency Latency
	pen     *ticket.Signer

	idle []*boxoffice.Office // warm instances, the last used is used first
	most int                 // instances that were alive
	desk *boxoffice.Office   // maps and payments, other functions than the holds'
	seen string              // up to where the projector has read
	done bool                // nothing is left to project
}

// cinema has so many rows of so many regular seats.
func cinema(rows, width int) (*seatmap.Layout, error) {
	var lines []string
	for r := range rows {
		name := string(rune('A' + r%26))
		if r >= 26 {
			name = string(rune('A'+r/26-1)) + name
		}
		lines = append(lines, fmt.Sprintf("%q", name+": "+strings.Repeat("R", width)))
	}
	text := fmt.Sprintf(`{"halls":[{"id":"house","name":"House","kind":"cinema","numbering":"ltr","seats":%d,"by_type":{"R":%d},"rows":[%s]}]}`,
		rows*width, rows*width, strings.Join(lines, ","))
	halls, err := seatmap.ParseHalls([]byte(text))
	if err != nil {
		return nil, err
	}
	return seatmap.Expand(halls[0])
}

func open(o Options, l *seatmap.Layout) (*house, error) {
	pen, err := ticket.NewSigner("signs the tickets of a house that does not exist")
	if err != nil {
		return nil, err
	}
	c := newClock(doors)
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	b := &house{clock: c, rng: rng, layout: l, latency: o.Latency, pen: pen, load: &load{second: map[slot]int64{}}}
	b.show = catalog.Show{
		ID: premiere, MovieID: "film", City: "town", LayoutID: catalog.LayoutID(l.ID()), Status: catalog.OnSale,
		StartsAt: doors.Add(48 * time.Hour), EndsAt: doors.Add(50 * time.Hour),
		SaleOpensAt: doors.Add(-o.OnSaleFor), SaleClosesAt: doors.Add(47 * time.Hour),
	}
	for _, t := range l.Types() {
		b.show.Prices = append(b.show.Prices, catalog.Price{Type: t, Amount: money.Amount{Minor: 1500, Currency: "USD"}})
	}
	b.db = memstore.New(memstore.Options{
		Clock: c.Now, Rate: o.Rate,
		Window: func(_ memstore.Op, landed int) {
			if landed == 0 {
				c.wait(spread(rng, b.latency.Flight))
			}
		},
	})
	b.sales = meter.New(b.db)
	b.desk = b.office(b.db)
	for range o.Warm {
		b.idle = append(b.idle, b.office(b.sales))
	}
	b.most = len(b.idle)
	return b, nil
}

func (b *house) office(t store.Tables) *boxoffice.Office {
	s := store.New(&wire{next: t, clock: b.clock, latency: b.latency, rng: b.rng, load: b.load}, policy)
	return &boxoffice.Office{
		Store: s, Lane: s, Catalog: b, Policy: policy, Line: line.Standard, Clock: b.now, Pause: b.clock.pause, Rand: b.rng.Uint64, Tickets: b.pen,
		Provider:  func(n payment.Name) (payment.Provider, bool) { return bank.Till{}, n == payment.Sandbox },
		NotifyURL: func(payment.Name) string { return "https://shop.example/callbacks" },
	}
}

// now is the precision that is stored.
func (b *house) now() time.Time { return b.clock.Now().Truncate(time.Millisecond) }

// Show implements boxoffice.Catalog.
func (b *house) Show(_ context.Context, id catalog.ShowID) (catalog.Show, error) {
	if id != b.show.ID {
		return catalog.Show{}, catalog.ErrNoShow
	}
	return b.show, nil
}

// Layout implements boxoffice.Catalog.
func (b *house) Layout(context.Context, catalog.LayoutID) (*seatmap.Layout, error) {
	return b.layout, nil
}

// instance is a warm one, or a new one after its cold start.
func (b *house) instance() *boxoffice.Office {
	if n := len(b.idle); n > 0 {
		o := b.idle[n-1]
		b.idle = b.idle[:n-1]
		return o
	}
	b.most++
	o := b.office(b.sales)
	b.clock.wait(spread(b.rng, b.latency.Cold))
	return o
}

func (b *house) back(o *boxoffice.Office) { b.idle = append(b.idle, o) }

// project follows the stream of holds, as its function does, until close.
func (b *house) project() {
	ctx := context.Background()
	for !b.done {
		b.clock.wait(100 * time.Millisecond)
		rs := b.db.Records(store.Holds, b.seen)
		touched := feed.Touched(rs)
		if len(touched) > 0 && b.desk.Project(ctx, premiere, touched) != nil {
			continue // the same records again
		}
		if len(rs) > 0 {
			b.seen = rs[len(rs)-1].Sequence
		}
	}
}

// pay buys the hold's seats.
func (b *house) pay(h booking.Hold) error {
	ctx := context.Background()
	p, err := b.desk.Pay(ctx, boxoffice.PayWish{Buyer: h.Buyer, Hold: h.ID, Provider: payment.Sandbox, Key: "p", BodyHash: "p"})
	if err != nil {
		return err
	}
	b.clock.wait(time.Second)
	return b.desk.Settle(ctx, payment.Report{Payment: p.ID, Order: p.OrderID, ProviderRef: string(p.ID), State: payment.ReportCaptured, Amount: p.Amount, At: b.now()})
}
