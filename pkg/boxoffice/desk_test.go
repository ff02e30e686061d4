package boxoffice_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/ticket"
)

const (
	matinee = catalog.ShowID("matinee")
	film    = catalog.MovieID("film")
	town    = catalog.CityID("town")
)

var (
	opening = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	policy  = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
	pen     = must(ticket.NewSigner("a secret of the test's tickets"))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// clock is virtual: it moves when the test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// hall is a catalogue of one movie.
type hall struct {
	shows   map[catalog.ShowID]catalog.Show
	layouts map[catalog.LayoutID]*seatmap.Layout
}

func (h hall) Show(_ context.Context, id catalog.ShowID) (catalog.Show, error) {
	s, ok := h.shows[id]
	if !ok {
		return s, catalog.ErrNoShow
	}
	return s, nil
}

func (h hall) Layout(_ context.Context, id catalog.LayoutID) (*seatmap.Layout, error) {
	return h.layouts[id], nil
}

// studio has rows A and B of six regular seats, C of six premium ones with an
// aisle, D with two loveseats, a wheelchair place and its companion.
const studio = `{"halls":[{"id":"studio","name":"Studio","kind":"cinema","numbering":"ltr","seats":24,
"by_type":{"C":1,"L":4,"P":6,"R":12,"W":1},"rows":["A: RRRRRR_","B: RRRRRR_","C: PPP_PPP","D: LLLLWC_"]}]}`

func layoutOf(text string) *seatmap.Layout {
	return must(seatmap.Expand(must(seatmap.ParseHalls([]byte(text)))[0]))
}

func showIn(l *seatmap.Layout, id catalog.ShowID) catalog.Show {
	s := catalog.Show{
		ID: id, MovieID: film, City: town, LayoutID: catalog.LayoutID(l.ID()), Status: catalog.OnSale,
		StartsAt: opening.Add(48 * time.Hour), EndsAt: opening.Add(50 * time.Hour),
		SaleOpensAt: opening.Add(-time.Hour), SaleClosesAt: opening.Add(47 * time.Hour),
	}
	for i, t := range l.Types() {
		s.Prices = append(s.Prices, catalog.Price{Type: t, Amount: money.Amount{Minor: int64(1000 + 501*i), Currency: "USD"}})
	}
	return s
}

// desk is the box office over the twin of the database, with a virtual clock and
// a bank; streams, timers and TTL are never run by themselves.
type desk struct {
	*boxoffice.Office
	t      testing.TB
	clock  *clock
	db     *memstore.DB
	store  *store.Store
	bank   *bank
	hall   hall
	layout *seatmap.Layout
	faults func(memstore.Op) memstore.Fault // nil: none
	window func(memstore.Op, int)           // nil: nothing happens while a transaction is in flight
	swaps  func(n int) []int                // of a transaction's items before they land, each with the i-th; nil: none
	waits  int                              // pauses between attempts
}

func newDesk(t testing.TB) *desk { return openDesk(t, layoutOf(studio)) }

func openDesk(t testing.TB, l *seatmap.Layout) *desk {
	d := &desk{
		t: t, clock: &clock{now: opening}, layout: l,
		hall: hall{map[catalog.ShowID]catalog.Show{matinee: showIn(l, matinee)}, map[catalog.LayoutID]*seatmap.Layout{catalog.LayoutID(l.ID()): l}},
	}
	d.bank = newBank(d.clock.Now)
	d.db = memstore.New(memstore.Options{
		Clock: d.clock.Now,
		Faults: func(op memstore.Op) memstore.Fault {
			if d.faults == nil {
				return memstore.NoFault
			}
			return d.faults(op)
		},
		Window: func(op memstore.Op, n int) {
			if d.window != nil {
				d.window(op, n)
			}
		},
		Shuffle: func(n int, swap func(i, j int)) {
			if d.swaps == nil {
				return
			}
			for i, j := range d.swaps(n) {
				swap(i, j)
			}
		},
	})
	d.store = store.New(d.db, policy)
	d.Office = d.office(d.store)
	return d
}

func (d *desk) office(s *store.Store) *boxoffice.Office {
	var n uint64
	var mu sync.Mutex
	return &boxoffice.Office{
		Store: s, Lane: s, Catalog: d.hall, Policy: policy, Line: line.Standard, Clock: d.clock.Now, Tickets: pen,
		Pause: func(ctx context.Context, _ time.Duration) error { d.waits++; return ctx.Err() },
		Rand:  func() uint64 { mu.Lock(); defer mu.Unlock(); n += 7; return n },
		Provider: func(name payment.Name) (payment.Provider, bool) {
			return d.bank, name == payment.Sandbox
		},
		NotifyURL: func(payment.Name) string { return "https://shop.example/callbacks/sandbox" },
		Adoptions: s, Past: d.past,
	}
}

// past are the orders that were ever the buyer's, as their stream tells.
func (d *desk) past(_ context.Context, b booking.Buyer) (ids []order.ID, err error) {
	for _, r := range d.db.Records(store.Orders, "") {
		if id, is := strings.CutPrefix(r.Key.PK, "ORDER#"); is && r.New["buyer"] == string(b) && !slices.Contains(ids, order.ID(id)) {
			ids = append(ids, order.ID(id))
		}
	}
	return ids, nil
}

func (d *desk) ctx() context.Context { return d.t.Context() }

func wish(b booking.Buyer, key string, seats ...seatmap.SeatID) boxoffice.Wish {
	return boxoffice.Wish{Buyer: b, Key: key, BodyHash: fmt.Sprint(seats), Show: matinee, Seats: seats}
}

// hold reserves, and fails the test where it is refused.
func (d *desk) hold(b booking.Buyer, key string, seats ...seatmap.SeatID) booking.Hold {
	d.t.Helper()
	h, err := d.Reserve(d.ctx(), wish(b, key, seats...))
	if err != nil {
		d.t.Fatalf("%s reserves %v: %v", b, seats, explain(err))
	}
	return h
}

// refusal reserves and wants to be refused.
func (d *desk) refusal(w boxoffice.Wish) *booking.Refusal {
	d.t.Helper()
	h, err := d.Reserve(d.ctx(), w)
	var no *booking.Refusal
	if !errors.As(err, &no) {
		d.t.Fatalf("got hold %s and error %v, want a refusal", h.ID, err)
	}
	return no
}

func explain(err error) string {
	var no *booking.Refusal
	if errors.As(err, &no) {
		return fmt.Sprintf("%v %+v", err, *no)
	}
	return fmt.Sprint(err)
}

func (d *desk) pay(h booking.Hold, key string) payment.Payment {
	d.t.Helper()
	p, err := d.Pay(d.ctx(), payWish(h, key))
	if err != nil {
		d.t.Fatalf("pay for %s: %v", h.ID, err)
	}
	return p
}

func payWish(h booking.Hold, key string) boxoffice.PayWish {
	return boxoffice.PayWish{Buyer: h.Buyer, Hold: h.ID, Provider: payment.Sandbox, Key: key, BodyHash: "body of " + string(h.ID)}
}

func (d *desk) overdue(h booking.Hold) { d.clock.set(h.ExpiresAt.Add(policy.Grace)) }

func (d *desk) holdNow(id booking.HoldID) booking.Hold {
	d.t.Helper()
	h, err := d.store.HoldByID(d.ctx(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return h
}

func (d *desk) wantHold(id booking.HoldID, want booking.State) {
	d.t.Helper()
	if h := d.holdNow(id); h.State != want {
		d.t.Errorf("hold %s is %v, want %v", id, h.State, want)
	}
}

func (d *desk) orderNow(id string) order.Order {
	d.t.Helper()
	o, err := d.store.OrderByID(d.ctx(), order.ID(id))
	if err != nil {
		d.t.Fatal(err)
	}
	return o
}

func (d *desk) wantOrder(id string, want order.Status) order.Order {
	d.t.Helper()
	o := d.orderNow(id)
	if o.Status != want {
		d.t.Errorf("order %s is %v, want %v", id, o.Status, want)
	}
	return o
}

func (d *desk) wantPayment(id payment.ID, want payment.State) {
	d.t.Helper()
	p, err := d.store.PaymentByID(d.ctx(), id)
	if err != nil || p.State != want {
		d.t.Errorf("payment %s is %v (%v), want %v", id, p.State, err, want)
	}
}

func (d *desk) wantAllowance(b booking.Buyer, want int) {
	d.t.Helper()
	if n, err := d.store.Allowance(d.ctx(), matinee, b); err != nil || n != want {
		d.t.Errorf("%s has %d seats (%v), want %d", b, n, err, want)
	}
}

// wantKind fails unless err carries the kind.
func wantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("error %v of kind %d, want kind %d", err, fault.KindOf(err), kind)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func (d *desk) giveBack(h booking.Hold) {
	d.t.Helper()
	if err := d.GiveBack(d.ctx(), h.Buyer, h.ID); err != nil {
		d.t.Fatalf("give back %s: %v", h.ID, err)
	}
}

func (d *desk) settle(r payment.Report) {
	d.t.Helper()
	if err := d.Settle(d.ctx(), r); err != nil {
		d.t.Fatalf("settle %s %s: %v", r.Payment, r.State, err)
	}
}

// sellHold pays for the hold.
func (d *desk) sellHold(h booking.Hold) payment.Payment {
	d.t.Helper()
	p := d.pay(h, "pay "+string(h.ID))
	d.settle(d.bank.capture(p.ID))
	d.wantHold(h.ID, booking.Sold)
	return p
}

func (d *desk) sell(b booking.Buyer, seats ...seatmap.SeatID) booking.Hold {
	d.t.Helper()
	h := d.hold(b, fmt.Sprint("sell", seats), seats...)
	d.sellHold(h)
	return h
}

// want opens the gates for the types, as the lane would with the first join. Nobody
// waits, which whoever looked after the line would find: it counts as looked after.
func (d *desk) want(types ...seatmap.SeatType) {
	d.t.Helper()
	s, err := d.store.LineState(d.ctx(), matinee, line.Reading{})
	if err == nil {
		seen := line.Stamp{Now: opening.Add(1000 * time.Hour)}
		err = d.store.CommitLine(d.ctx(), matinee, line.State{Version: s.Version}, line.Plan{Gates: true, Wanted: types}, seen)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// setAside makes seats those of the line: released while somebody waited, who has
// gone since.
func (d *desk) setAside(b booking.Buyer, seats ...seatmap.SeatID) {
	d.t.Helper()
	h := d.hold(b, fmt.Sprint("aside", seats), seats...)
	var types []seatmap.SeatType
	for _, s := range h.Seats {
		types = append(types, s.Type)
	}
	d.want(types...)
	d.giveBack(h)
	d.want()
}

// owner is whose claim the seat has; ok is false for a free one.
func (d *desk) owner(id seatmap.SeatID) (o boxoffice.Owner, ok bool) {
	d.t.Helper()
	s, _ := d.layout.Seat(id)
	claims, err := d.store.Claims(d.ctx(), matinee, []boxoffice.SeatKey{{Seat: id, Block: d.layout.Block(s.Block).Name}})
	if err != nil {
		d.t.Fatal(err)
	}
	o, ok = claims[id]
	return o, ok
}

func (d *desk) wantFree(ids ...seatmap.SeatID) {
	d.t.Helper()
	for _, id := range ids {
		if o, ok := d.owner(id); ok {
			d.t.Errorf("seat %s is of %+v, want it free", id, o)
		}
	}
}
