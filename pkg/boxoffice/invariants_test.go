package boxoffice_test

import (
	"fmt"
	"strings"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// world is everything that the tables hold of the show.
type world struct {
	claims map[seatmap.SeatID]boxoffice.Owner
	holds  map[booking.HoldID]booking.Hold
	pays   map[payment.ID]payment.Payment
	orders map[order.ID]order.Order
	pool   map[seatmap.SeatID]bool
	timers map[booking.HoldID]bool
}

// look reads the tables; no fault disturbs it.
func (d *desk) look() (world, error) {
	faults := d.faults
	d.faults = nil
	defer func() { d.faults = faults }()
	w := world{
		claims: map[seatmap.SeatID]boxoffice.Owner{}, holds: map[booking.HoldID]booking.Hold{}, pays: map[payment.ID]payment.Payment{},
		orders: map[order.ID]order.Order{}, pool: map[seatmap.SeatID]bool{}, timers: map[booking.HoldID]bool{},
	}
	for _, b := range d.layout.Blocks() {
		claims, err := d.store.BlockClaims(d.ctx(), matinee, b.Name)
		if err != nil {
			return w, err
		}
		for id, o := range claims {
			w.claims[id] = o
		}
	}
	s, err := d.store.LineState(d.ctx(), matinee, line.Reading{})
	if err != nil {
		return w, err
	}
	for _, a := range s.Pool {
		w.pool[a.Seat] = true
	}
	for shard := range boxoffice.Shards {
		timers, err := d.store.Timers(d.ctx(), matinee, shard, opening.AddDate(1, 0, 0), 0)
		if err != nil {
			return w, err
		}
		for _, t := range timers {
			w.timers[t.Hold] = true
		}
	}
	return w, d.lookAtMoney(&w)
}

// lookAtMoney finds holds, payments and orders by the keys of their streams.
func (d *desk) lookAtMoney(w *world) error {
	for _, r := range d.db.Records(store.Holds, "") {
		id := booking.HoldID(strings.TrimPrefix(r.Key.PK, "HOLD#"))
		h, err := d.store.HoldByID(d.ctx(), id)
		if err != nil {
			return err
		}
		w.holds[id] = h
	}
	for _, r := range d.db.Records(store.Orders, "") {
		if id, ok := strings.CutPrefix(r.Key.PK, "PAY#"); ok {
			p, err := d.store.PaymentByID(d.ctx(), payment.ID(id))
			if err != nil {
				return err
			}
			w.pays[p.ID] = p
			continue
		}
		id, ok := strings.CutPrefix(r.Key.PK, "ORDER#")
		if !ok {
			continue
		}
		o, err := d.store.OrderByID(d.ctx(), order.ID(id))
		if err != nil {
			return err
		}
		w.orders[o.ID] = o
	}
	return nil
}

// broken names the invariant that does not hold, or is nil.
func (d *desk) broken(w world) error {
	for _, check := range []func(world) error{d.noDoubleSell, d.allOrNothing, d.noLostSeat, d.holdLifetime, d.tenAtMost, d.moneyIsTickets, d.oneEffect} {
		if err := check(w); err != nil {
			return err
		}
	}
	return nil
}

func (d *desk) noDoubleSell(w world) error {
	by := map[seatmap.SeatID]booking.HoldID{}
	for id, h := range w.holds {
		for _, s := range h.Seats {
			if !h.State.Live() {
				continue
			}
			if other, ok := by[s.ID]; ok {
				return fmt.Errorf("NoDoubleSell: seat %s is of %s and %s", s.ID, other, id)
			}
			by[s.ID] = id
		}
	}
	return nil
}

func (d *desk) allOrNothing(w world) error {
	for id, h := range w.holds {
		for _, s := range h.Seats {
			if owns := w.claims[s.ID].Hold == id; owns != h.State.Live() {
				return fmt.Errorf("AllOrNothing: hold %s is %v, and that seat %s is its own is %v", id, h.State, s.ID, owns)
			}
		}
	}
	return nil
}

func (d *desk) noLostSeat(w world) error {
	for id, o := range w.claims {
		if _, ok := d.layout.Seat(id); !ok {
			return fmt.Errorf("NoLostSeat: a claim on %s", id)
		}
		if o.Line() != w.pool[id] {
			return fmt.Errorf("NoLostSeat: seat %s is of the line: %v; in its pool: %v", id, o.Line(), w.pool[id])
		}
		if h, ok := w.holds[o.Hold]; !o.Line() && (!ok || !h.State.Live()) {
			return fmt.Errorf("NoLostSeat: seat %s is of hold %s, which is %v", id, o.Hold, h.State)
		}
	}
	for id := range w.pool {
		if _, ok := w.claims[id]; !ok {
			return fmt.Errorf("NoLostSeat: seat %s is in the pool and free", id)
		}
	}
	return nil
}

// holdLifetime: nobody ended a hold for being late before it was, none was sold
// after, and every deadline that stands is listed.
func (d *desk) holdLifetime(w world) error {
	for id, h := range w.holds {
		due := h.ExpiresAt.Add(policy.Grace)
		if h.State == booking.Expired && h.EndedAt.Before(due) {
			return fmt.Errorf("HoldLifetime: %s ended at %v, due %v", id, h.EndedAt, due)
		}
		if p := w.pays[payment.ID(h.PaymentID)]; h.State == booking.Sold && p.HoldID == string(id) && !p.CapturedAt.Before(due) {
			return fmt.Errorf("HoldLifetime: %s was sold at %v, due %v", id, p.CapturedAt, due)
		}
		if w.timers[id] != (h.State == booking.Held) {
			return fmt.Errorf("HoldLifetime: %s is %v; in the list of deadlines: %v", id, h.State, w.timers[id])
		}
	}
	return nil
}

func (d *desk) tenAtMost(w world) error {
	has := map[booking.Buyer]int{}
	for _, h := range w.holds {
		has[h.Buyer] += 0
		if h.State.Live() && h.Buyer != booking.House {
			has[h.Buyer] += len(h.Seats)
		}
	}
	faults := d.faults
	d.faults = nil
	defer func() { d.faults = faults }()
	for b, n := range has {
		counted, err := d.store.Allowance(d.ctx(), matinee, b)
		if err != nil {
			return err
		}
		if n > policy.MaxSeats || b != booking.House && counted != n {
			return fmt.Errorf("TenAtMost: %s has %d seats, counted as %d", b, n, counted)
		}
	}
	return nil
}

// moneyIsTickets: a captured payment has its tickets, an order that is paid has
// its one payment, and money that is promised back has none.
func (d *desk) moneyIsTickets(w world) error {
	for _, o := range w.orders {
		if err := o.Check(); err != nil {
			return fmt.Errorf("MoneyIsTickets: %w", err)
		}
		h, p := w.holds[booking.HoldID(o.HoldID)], w.pays[o.PaidBy]
		if o.Status == order.Paid && (h.State != booking.Sold || h.PaymentID != string(o.PaidBy) || p.State != payment.Captured || p.Amount != o.Total || len(o.Tickets) != len(h.Seats)) {
			return fmt.Errorf("MoneyIsTickets: order %+v, hold %+v, payment %+v", o, h, p)
		}
		if o.Status == order.Pending && h.State != booking.Held || o.Status == order.Cancelled && h.State.Live() {
			return fmt.Errorf("MoneyIsTickets: order %s is %s, hold %s %v", o.ID, o.Status, h.ID, h.State)
		}
	}
	for _, p := range w.pays {
		o := w.orders[order.ID(p.OrderID)]
		if (p.State == payment.Captured) != (o.PaidBy == p.ID && o.Status == order.Paid) {
			return fmt.Errorf("MoneyIsTickets: payment %s is %s, order %s %s by %q", p.ID, p.State, o.ID, o.Status, o.PaidBy)
		}
	}
	for id, h := range w.holds {
		if h.State == booking.Sold && w.orders[order.ID(h.OrderID)].HoldID != string(id) {
			return fmt.Errorf("MoneyIsTickets: hold %s is sold without its order", id)
		}
		if o, ok := w.orders[order.ID(h.OrderID)]; ok && h.State.Live() && o.Buyer != string(h.Buyer) {
			return fmt.Errorf("MoneyIsTickets: hold %s is of %s, its order of %s", id, h.Buyer, o.Buyer)
		}
	}
	return nil
}

// oneEffect: no payment is given back twice, none that bought seats, and none
// that was given back counts as anything else.
func (d *desk) oneEffect(w world) error {
	for id, p := range w.pays {
		n, sum := d.bank.refunded(id)
		if n > 1 || n == 1 && (sum != p.Amount.Minor || p.State != payment.Refunding && p.State != payment.Refunded) || n == 0 && p.State == payment.Refunded {
			return fmt.Errorf("OneEffect: payment %s is %s, %d refunds of %d", id, p.State, n, sum)
		}
	}
	return nil
}

// sound fails the test where an invariant is broken.
func (d *desk) sound() {
	d.t.Helper()
	w, err := d.look()
	if err == nil {
		err = d.broken(w)
	}
	if err != nil {
		d.t.Error(err)
	}
}
