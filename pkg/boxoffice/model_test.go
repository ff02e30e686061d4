package boxoffice_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// naive is the box office as anybody would write it who knows neither failures nor
// races: who has which seat, until when, and whose money it is.
type naive struct {
	holds map[booking.HoldID]*naiveHold
	pays  map[payment.ID]*naivePay
}

type naiveHold struct {
	buyer   booking.Buyer
	seats   []seatmap.SeatID
	expires time.Time
	state   booking.State
	paidBy  payment.ID
	again   bool // sold anew to late money
}

type naivePay struct {
	hold  booking.HoldID
	state payment.State
}

func (m *naive) has(b booking.Buyer, now time.Time) (n int) {
	for _, h := range m.holds {
		if h.buyer == b && m.owns(h, now) {
			n += len(h.seats)
		}
	}
	return n
}

func (m *naive) owns(h *naiveHold, now time.Time) bool {
	return h.again || h.state == booking.Sold || h.state == booking.Held && now.Before(h.expires.Add(policy.Grace))
}

func (m *naive) free(seats []seatmap.SeatID, now time.Time) bool {
	for _, h := range m.holds {
		for _, s := range seats {
			if m.owns(h, now) && slices.Contains(h.seats, s) {
				return false
			}
		}
	}
	return true
}

// machine plays random commands on the box office and on the naive one, with
// faults of the database in between, and compares.
type machine struct {
	*desk
	t     *rapid.T
	naive naive
	line  bool // somebody waits for regular seats
	aside map[seatmap.SeatID]bool
	keys  []boxoffice.Wish
	begun int // requests to pay
}

// TestRandomCommands: after each step the named invariants hold in the tables,
// and every answer is the naive one's.
func TestRandomCommands(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{desk: newDesk(t), t: rt, naive: naive{map[booking.HoldID]*naiveHold{}, map[payment.ID]*naivePay{}}, aside: map[seatmap.SeatID]bool{}}
		rt.Repeat(map[string]func(*rapid.T){
			"reserve": m.reserve, "same again": m.repeat, "best": m.best, "give back": m.release, "pay": m.begin,
			"callback": m.callback, "ask": m.ask, "meet": m.meet, "time passes": m.pass, "project": m.paint,
			"open line": m.openLine, "run lane": m.runLane, "deliver": func(*rapid.T) { m.db.Deliver() }, "ttl": func(*rapid.T) { m.ttl() },
			"": m.check,
		})
	})
}

// trouble arms the database for one command: the faults come at the calls drawn.
// It returns how to disarm it.
func (m *machine) trouble(rt *rapid.T) func() {
	plan := rapid.SliceOfN(rapid.SampledFrom([]memstore.Fault{
		memstore.NoFault, memstore.NoFault, memstore.NoFault, memstore.NoFault, memstore.NoFault, memstore.NoFault,
		memstore.Conflict, memstore.LoseRequest, memstore.LoseReply, memstore.Throttle,
	}), 0, 12).Draw(rt, "faults")
	m.faults = func(memstore.Op) memstore.Fault {
		if len(plan) == 0 {
			return memstore.NoFault
		}
		f := plan[0]
		plan = plan[1:]
		return f
	}
	return func() { m.faults = nil }
}

// insist does it with faults, and again without them until it is answered.
func (m *machine) insist(rt *rapid.T, do func() error) error {
	rt.Helper()
	disarm := m.trouble(rt)
	err := do()
	disarm()
	if m.lost(err) {
		err = do()
	}
	if m.lost(err) {
		rt.Fatalf("no answer without faults: %v", err)
	}
	return err
}

// lost are the errors that leave the outcome to be learned.
func (m *machine) lost(err error) bool {
	if err == nil {
		return false
	}
	switch fault.KindOf(err) {
	case fault.Internal, fault.Busy, fault.Unknown:
		return true
	}
	return false
}

var crowd = []booking.Buyer{"ann", "bob", "cat"}

// row A and premium seats: few, so that they meet.
var wanted = []seatmap.SeatID{"A-1", "A-2", "A-3", "A-4", "A-5", "A-6", "B-1", "B-2", "B-3", "B-4", "C-1", "C-2", "C-3"}

func (m *machine) reserve(rt *rapid.T) {
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(wanted), 1, 8, rapid.ID[seatmap.SeatID]).Draw(rt, "seats")
	m.ask1(rt, wish(rapid.SampledFrom(crowd).Draw(rt, "buyer"), fmt.Sprint("k", len(m.keys)), ids...))
}

func (m *machine) repeat(rt *rapid.T) {
	if len(m.keys) == 0 {
		return
	}
	m.ask1(rt, rapid.SampledFrom(m.keys).Draw(rt, "wish"))
}

func (m *machine) ask1(rt *rapid.T, w boxoffice.Wish) {
	id := booking.IDFor(w.Buyer, w.Key)
	old, now := m.naive.holds[id], m.clock.Now()
	fits := m.naive.free(w.Seats, now) && !m.isAside(w.Seats)
	limit := m.naive.has(w.Buyer, now)+len(w.Seats) > policy.MaxSeats
	var h booking.Hold
	err := m.insist(rt, func() (err error) { h, err = m.Reserve(m.ctx(), w); return err })
	switch {
	case old != nil:
		if err != nil || h.ID != id {
			rt.Fatalf("the same request again: %s, %v", h.ID, explain(err))
		}
	case !fits:
		if !errors.Is(err, booking.ErrUnavailable) {
			rt.Fatalf("taken seats %v: %v", w.Seats, explain(err))
		}
		m.exact(rt, w, err, now)
	case limit:
		if !errors.Is(err, booking.ErrSeatLimit) {
			rt.Fatalf("past ten: %v", explain(err))
		}
	case err != nil:
		rt.Fatalf("free seats %v: %v", w.Seats, explain(err))
	default:
		m.keys = append(m.keys, w)
		m.naive.holds[id] = &naiveHold{buyer: w.Buyer, seats: w.Seats, expires: h.ExpiresAt, state: booking.Held}
	}
}

// exact: the conflicts are all the wanted seats that are not free, no other.
func (m *machine) exact(rt *rapid.T, w boxoffice.Wish, err error, now time.Time) {
	var no *booking.Refusal
	errors.As(err, &no)
	var told, want []seatmap.SeatID
	for _, c := range no.Conflicts {
		told = append(told, c.Seat)
	}
	for _, s := range w.Seats {
		if one := []seatmap.SeatID{s}; !m.naive.free(one, now) || m.isAside(one) {
			want = append(want, s)
		}
	}
	if !slices.Equal(told, want) || no.Next == 0 {
		rt.Fatalf("conflicts %v, want %v; next %v", told, want, no.Next)
	}
}

// isAside: of the line already, or of a hold that nobody has met since it became
// overdue, whose regular seats go to those who wait.
func (m *machine) isAside(ids []seatmap.SeatID) bool {
	return slices.ContainsFunc(ids, func(s seatmap.SeatID) bool {
		if m.aside[s] {
			return true
		}
		seat, _ := m.layout.Seat(s)
		for _, h := range m.naive.holds {
			if h.state == booking.Held && !m.naive.owns(h, m.clock.Now()) && slices.Contains(h.seats, s) {
				return m.line && seat.Type == seatmap.Regular
			}
		}
		return false
	})
}

func (m *machine) best(rt *rapid.T) {
	b := rapid.SampledFrom(crowd).Draw(rt, "buyer")
	w := boxoffice.Wish{Buyer: b, Key: fmt.Sprint("best", len(m.keys)), Show: matinee, BodyHash: "best", Best: &seatmap.Want{Count: rapid.IntRange(1, 4).Draw(rt, "count"), Type: seatmap.Premium}}
	var h booking.Hold
	err := m.insist(rt, func() (err error) { h, err = m.Reserve(m.ctx(), w); return err })
	if err == nil {
		m.keys = append(m.keys, w)
		var ids []seatmap.SeatID
		for _, s := range h.Seats {
			ids = append(ids, s.ID)
		}
		if !m.naive.free(ids, m.clock.Now()) {
			rt.Fatalf("best seats %v are taken", ids)
		}
		m.naive.holds[h.ID] = &naiveHold{buyer: b, seats: ids, expires: h.ExpiresAt, state: booking.Held}
	} else if !errors.Is(err, booking.ErrUnavailable) && !errors.Is(err, booking.ErrSeatLimit) {
		rt.Fatalf("best: %v", explain(err))
	}
}

// some draws one of the holds, or none while there is none.
func (m *machine) some(rt *rapid.T) (booking.HoldID, *naiveHold) {
	ids := make([]booking.HoldID, 0, len(m.naive.holds))
	for id := range m.naive.holds {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return "", nil
	}
	slices.Sort(ids)
	id := rapid.SampledFrom(ids).Draw(rt, "hold")
	return id, m.naive.holds[id]
}

// over marks the naive hold as ended and, while somebody waits, its regular seats as the line's.
func (m *machine) over(h *naiveHold, s booking.State) {
	if h.state != booking.Held {
		return
	}
	h.state = s
	m.toLine(h.seats)
}

func (m *machine) toLine(ids []seatmap.SeatID) {
	for _, id := range ids {
		if seat, _ := m.layout.Seat(id); m.line && seat.Type == seatmap.Regular {
			m.aside[id] = true
		}
	}
}

func (m *machine) release(rt *rapid.T) {
	id, h := m.some(rt)
	if h == nil {
		return
	}
	sold := h.state == booking.Sold
	err := m.insist(rt, func() error { return m.GiveBack(m.ctx(), h.buyer, id) })
	if sold != errors.Is(err, booking.ErrAlreadyPaid) || !sold && err != nil {
		rt.Fatalf("give back a %v hold: %v", h.state, err)
	}
	if !sold {
		m.learn(id, h)
	}
}

// meet: a look at a hold, an order, the map, or a sweep.
func (m *machine) meet(rt *rapid.T) {
	id, h := m.some(rt)
	if h == nil {
		return
	}
	err := m.insist(rt, func() (err error) {
		switch rapid.IntRange(0, 3).Draw(rt, "how") {
		case 0:
			_, err = m.Look(m.ctx(), h.buyer, id)
		case 1:
			_, err = m.SeatMap(m.ctx(), matinee)
		case 2:
			_, err = m.Sweep(m.ctx(), matinee, 24)
		case 3:
			_, err = m.End(m.ctx(), id, booking.ByExpiry)
			if errors.Is(err, booking.ErrAlreadyPaid) || errors.Is(err, booking.ErrNotOverdue) {
				err = nil
			}
		}
		return err
	})
	if err != nil {
		rt.Fatalf("meet: %v", err)
	}
}

func (m *machine) pass(rt *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, policy.Grace, time.Minute, policy.Hold - time.Millisecond, policy.Hold}).Draw(rt, "time")
	if m.clock.Now().Add(d).Before(opening.Add(20 * time.Hour)) { // while the stream remembers everything
		m.clock.advance(d)
	}
}

func (m *machine) openLine(rt *rapid.T) {
	if m.line = rapid.Bool().Draw(rt, "somebody waits"); m.line {
		m.want(seatmap.Regular)
	} else {
		m.want()
	}
}

// runLane: nobody's entry is in the line, so it closes and everything is drained.
func (m *machine) runLane(rt *rapid.T) {
	if err := m.insist(rt, func() error { return m.RunLane(m.ctx(), matinee, boxoffice.Wake{}) }); err != nil {
		rt.Fatalf("lane: %v", err)
	}
	m.line = false
	clear(m.aside)
}

// ttl removes timers as the service does, and runs what that causes.
func (m *machine) ttl() {
	for _, k := range m.db.Expire(m.clock.Now()) {
		if k.Table != store.Timers {
			continue
		}
		t, err := store.TimerFromItem(store.Item{"pk": k.PK, "sk": k.SK})
		if err == nil {
			_, err = m.End(m.ctx(), t.Hold, booking.ByExpiry)
		}
		if err != nil && !errors.Is(err, booking.ErrAlreadyPaid) {
			m.t.Fatalf("ttl of %v: %v", k, err)
		}
	}
}

func (m *machine) paint(rt *rapid.T) {
	ids := rapid.SliceOfN(rapid.SampledFrom(wanted), 1, 4).Draw(rt, "seats")
	if err := m.insist(rt, func() error { return m.Project(m.ctx(), matinee, ids) }); err != nil {
		rt.Fatalf("project: %v", err)
	}
}

// check: the named invariants, and that tables and naive office agree on each hold.
func (m *machine) check(rt *rapid.T) {
	w, err := m.look()
	if err == nil {
		err = m.broken(w)
	}
	if err != nil {
		rt.Fatal(err)
	}
	for id, h := range m.naive.holds {
		got := w.holds[id]
		m.learn(id, h)
		if got.State != h.state && !(h.state == booking.Held && got.State == booking.Expired) {
			rt.Fatalf("hold %s is %v, want %v", id, got.State, h.state)
		}
		if h.again {
			if o := w.orders[order.ID(got.OrderID)]; o.Status != order.Paid || o.PaidBy != h.paidBy {
				rt.Fatalf("late payment %s: order %+v", h.paidBy, o)
			}
		}
	}
	var aside []seatmap.SeatID
	for id := range m.aside {
		aside = append(aside, id)
	}
	for _, id := range aside {
		if !w.pool[id] {
			rt.Fatalf("NoGap: seat %s was freed while somebody waited", id)
		}
	}
	if len(w.pool) != len(aside) {
		rt.Fatalf("pool %v, want %v", w.pool, aside)
	}
}
