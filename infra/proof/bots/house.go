package main

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
	"github.com/fairseat/fairseat/pkg/challenge"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/throttle"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
	"github.com/fairseat/fairseat/pkg/ticket"
)

const (
	premiere = catalog.ShowID("premiere")
	rows     = 20
	width    = 20

	service = 15 * time.Millisecond // that a request occupies an instance
	easy    = 1                     // bits of the puzzles that are really solved
)

// opening is when the sale begins; people and programs know it.
var opening = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

// numbers are the template's.
var numbers = turnstile.Numbers{Sessions: 60, Holds: 240, BuyerHolds: 40, AddressSeats: 40}

// house is one hall over tables in memory, and what was seen there.
type house struct {
	evening
	clock  *clock
	rng    *rand.Rand
	db     *memstore.DB
	layout *seatmap.Layout
	show   catalog.Show
	policy booking.Policy
	pen    *ticket.Signer
	names  *throttle.Namer
	keeper *challenge.Keeper

	idle map[turnstile.Act][]*instance // the last used is used first
	desk *boxoffice.Office             // maps and payments
	seen string                        // up to where the projector has read
	tally
	fault error // what nobody expected; the first
}

// instance is one of a function, with its own memory.
type instance struct {
	office *boxoffice.Office
	stile  *turnstile.Stile
}

func open(e evening) (*house, error) {
	text := fmt.Sprintf(`{"halls":[{"id":"house","name":"House","kind":"cinema","numbering":"ltr","seats":%d,"by_type":{"R":%d},"rows":[`, rows*width, rows*width)
	for r := range rows {
		text += fmt.Sprintf(`"%c: %s",`, 'A'+r, strings.Repeat("R", width))
	}
	halls, err := seatmap.ParseHalls([]byte(strings.TrimSuffix(text, ",") + "]}]}"))
	if err != nil {
		return nil, err
	}
	h := &house{evening: e, clock: &clock{now: opening.Add(-lead)}, rng: rand.New(rand.NewPCG(e.seed, 1)), idle: map[turnstile.Act][]*instance{}}
	if h.layout, err = seatmap.Expand(halls[0]); err != nil {
		return nil, err
	}
	if h.pen, err = ticket.NewSigner("signs the tickets of a house that does not exist"); err != nil {
		return nil, err
	}
	if h.names, err = throttle.NewNamer("names the limits of a house that does not exist"); err != nil {
		return nil, err
	}
	random := rand.NewChaCha8([32]byte{byte(e.seed), byte(e.seed >> 8)})
	if h.keeper, err = challenge.New(random, "poses the puzzles of a house that does not exist"); err != nil {
		return nil, err
	}
	h.policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
	if e.drops {
		h.policy.FreeDrops = 10 // the template's
	}
	h.show = catalog.Show{
		ID: premiere, MovieID: "film", City: "town", LayoutID: catalog.LayoutID(h.layout.ID()), Status: catalog.OnSale,
		StartsAt: opening.Add(48 * time.Hour), EndsAt: opening.Add(50 * time.Hour), SaleOpensAt: opening, SaleClosesAt: opening.Add(47 * time.Hour),
		Challenge: e.challenge, NeedsContact: e.contact, NoLine: true,
	}
	for _, t := range h.layout.Types() {
		h.show.Prices = append(h.show.Prices, catalog.Price{Type: t, Amount: money.Amount{Minor: 1500, Currency: "USD"}})
	}
	h.db = memstore.New(memstore.Options{Clock: h.now, Rate: 1000, Window: func(memstore.Op, int) {}})
	h.desk = h.office()
	h.tally = newTally(h.layout.Len())
	return h, nil
}

// now has the precision that is stored.
func (h *house) now() time.Time { return h.clock.now.Truncate(time.Millisecond) }

func (h *house) office() *boxoffice.Office {
	s := store.New(h.db, h.policy)
	return &boxoffice.Office{
		Store: s, Lane: s, Catalog: h, Policy: h.policy, Line: line.Standard, Clock: h.now, Rand: h.rng.Uint64, Tickets: h.pen, Challenges: h.keeper,
		Pause:     func(context.Context, time.Duration) error { return nil }, // a call is one moment
		Provider:  func(n payment.Name) (payment.Provider, bool) { return bank.Till{}, n == payment.Sandbox },
		NotifyURL: func(payment.Name) string { return "https://shop.example/callbacks" },
	}
}

// Show implements boxoffice.Catalog.
func (h *house) Show(context.Context, catalog.ShowID) (catalog.Show, error) { return h.show, nil }

// Layout implements boxoffice.Catalog.
func (h *house) Layout(context.Context, catalog.LayoutID) (*seatmap.Layout, error) {
	return h.layout, nil
}

// at is one request to an instance of the function of an act: the way there, the
// service, in whose midst everything is decided, and the way back.
func (h *house) at(w wait, way time.Duration, a turnstile.Act, f func(*instance) error) error {
	w(h.about(way) / 2)
	var in *instance
	if n := len(h.idle[a]); n > 0 {
		in, h.idle[a] = h.idle[a][n-1], h.idle[a][:n-1]
	} else {
		n := turnstile.Numbers{}
		if h.limits {
			n = numbers
		}
		in = &instance{office: h.office(), stile: turnstile.New(store.NewLimiter(h.db), h.names, n, h.now)}
	}
	w(h.about(service) / 2)
	err := f(in)
	w(h.about(service) / 2)
	h.idle[a] = append(h.idle[a], in)
	w(h.about(way) / 2)
	return err
}

// about is half to one and a half times as long.
func (h *house) about(d time.Duration) time.Duration { return h.between(d/2, d+d/2) }

func (h *house) between(from, to time.Duration) time.Duration {
	return from + time.Duration(h.rng.Int64N(int64(to-from)+1))
}

// project follows the stream of holds, as its function does.
func (h *house) project(w wait) {
	for ; ; w(100 * time.Millisecond) {
		rs := h.db.Records(store.Holds, h.seen)
		touched := feed.Touched(rs)
		if len(rs) == 0 || len(touched) > 0 && h.desk.Project(context.Background(), premiere, touched) != nil {
			continue
		}
		h.seen = rs[len(rs)-1].Sequence
	}
}

// free are the seats that the map shows free, in the order of the hall.
func (h *house) free() (open []int) {
	m, err := h.desk.SeatMap(context.Background(), premiere)
	if err != nil {
		if !fault.Is(err, fault.Busy) {
			h.fail(err)
		}
		return nil
	}
	for i := range h.layout.Len() {
		if m.Seats.Get(i) == seatmap.Free {
			open = append(open, i)
		}
	}
	return open
}

// surely does what a busy table may refuse for a while.
func (h *house) surely(w wait, do func() error) {
	err := do()
	for ; fault.Is(err, fault.Busy); err = do() {
		w(time.Second)
	}
	if err != nil {
		h.fail(err)
	}
}

func (h *house) fail(err error) {
	if h.fault == nil {
		h.fault = fmt.Errorf("seed %d, %v after the opening: %w", h.seed, h.clock.now.Sub(opening), err)
	}
}
