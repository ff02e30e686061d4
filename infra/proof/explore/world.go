package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const unit = 5 * time.Second

var began = time.Date(2030, 5, 1, 20, 0, 0, 0, time.UTC)

func at(u uint8) time.Time { return began.Add(time.Duration(u) * unit) }

func units(t time.Time) uint8 { return uint8(t.Sub(began) / unit) }

// far is when a wait ends that never ends.
var far = began.Add(1000 * time.Hour)

// world knows which domain values the rows of a config stand for, and asks the
// project's own functions for every decision. What they answered is kept: the
// decisions are few, the states many.
type world struct {
	c      *config
	layout *seatmap.Layout
	show   catalog.Show
	holds  booking.Policy
	line   line.Policy

	takes    map[takeKey]uint8
	endings  map[endKey]ending
	confirms map[holdKey]booking.State
	regrants map[holdKey]uint8
	steps    map[lineKey]decided
	accepts  map[acceptKey]bool
	leaves   map[leaveKey]line.WaiterState
}

func newWorld(c *config) (*world, error) {
	l, err := hall(c)
	if err != nil {
		return nil, err
	}
	usd := money.Amount{Minor: 1000, Currency: "USD"}
	w := &world{
		c: c, layout: l,
		show: catalog.Show{
			ID: "show", Status: catalog.OnSale, SaleOpensAt: began.Add(-time.Hour), SaleClosesAt: far, EndsAt: far,
			Prices: []catalog.Price{{Type: seatmap.Regular, Amount: usd}, {Type: seatmap.Premium, Amount: usd}},
		},
		holds: booking.Policy{Hold: time.Duration(c.Length) * unit, Grace: time.Duration(c.Grace) * unit, MaxSeats: int(c.Cap)},
		line: line.Policy{
			Offer: time.Duration(c.Offer) * unit, Grace: time.Duration(c.OfferGrace) * unit, Wait: time.Hour, CoolDown: time.Hour, MaxParty: 10,
		},
		takes: map[takeKey]uint8{}, endings: map[endKey]ending{}, confirms: map[holdKey]booking.State{}, regrants: map[holdKey]uint8{},
		steps: map[lineKey]decided{}, accepts: map[acceptKey]bool{}, leaves: map[leaveKey]line.WaiterState{},
	}
	w.line.Rule, w.line.Passes = c.rule()
	if c.Mut == noGrace {
		w.holds.Grace = 0
	}
	return w, nil
}

// hall has one row.
func hall(c *config) (*seatmap.Layout, error) {
	var row strings.Builder
	n := map[uint8]int{}
	for x := range c.Seats {
		n[c.Type[x]]++
		row.WriteByte(map[uint8]byte{reg: 'R', prem: 'P'}[c.Type[x]])
	}
	var kinds []string
	for _, k := range []struct {
		t uint8
		l string
	}{{prem, "P"}, {reg, "R"}} {
		if n[k.t] > 0 {
			kinds = append(kinds, fmt.Sprintf("%q:%d", k.l, n[k.t]))
		}
	}
	text := fmt.Sprintf(`{"halls":[{"id":"h","name":"H","kind":"cinema","numbering":"ltr","seats":%d,"by_type":{%s},"rows":["A: %s"]}]}`,
		c.Seats, strings.Join(kinds, ","), row.String())
	halls, err := seatmap.ParseHalls([]byte(text))
	if err != nil {
		return nil, err
	}
	return seatmap.Expand(halls[0])
}

func typeList(m uint8) []seatmap.SeatType {
	var l []seatmap.SeatType
	if m&prem != 0 {
		l = append(l, seatmap.Premium)
	}
	if m&reg != 0 {
		l = append(l, seatmap.Regular)
	}
	return l
}

func typeMask(l []seatmap.SeatType) (m uint8) {
	for _, t := range l {
		switch t {
		case seatmap.Regular:
			m |= reg
		case seatmap.Premium:
			m |= prem
		}
	}
	return m
}

func (w *world) seatMask(ids []seatmap.SeatID) (m uint8) {
	for _, id := range ids {
		s, _ := w.layout.Seat(id)
		m |= 1 << s.Index
	}
	return m
}

func (w *world) indexes(m uint8) (l []int) {
	for x := range w.c.Seats {
		if has(m, x) {
			l = append(l, x)
		}
	}
	return l
}

func (w *world) buyer(h int) booking.Buyer {
	if w.c.isHouse(h) {
		return booking.House
	}
	return booking.Buyer(fmt.Sprint("buyer-", w.c.buyer(h)))
}

// row is a hold's item as it was read.
type row struct {
	State booking.State
	Seats uint8
	Exp   uint8
	Rev   uint8
}

func (t *tables) row(h int) row { return row{t.Hold[h], t.Seats[h], t.Exp[h], t.Rev[h]} }

func holdID(h int) booking.HoldID { return booking.HoldID(fmt.Sprint("h_", h)) }
func payID(h int) string          { return fmt.Sprint("p_", h) }
func orderID(h int) string        { return fmt.Sprint("o_", h) }

// hold is the domain value of a row.
func (w *world) hold(h int, r row) booking.Hold {
	hold := booking.Hold{ID: holdID(h), Show: w.show.ID, Buyer: w.buyer(h), State: r.State, Rev: int64(r.Rev), BodyHash: "body", MadeAt: began}
	for _, x := range w.indexes(r.Seats) {
		s := w.layout.At(x)
		price, _ := w.show.PriceOf(s.Type)
		hold.Seats = append(hold.Seats, booking.Seat{ID: s.ID, Type: s.Type, Block: w.layout.Block(s.Block).Name, Price: price})
	}
	if !w.c.isHouse(h) && r.State != booking.Blocked {
		hold.ExpiresAt = at(r.Exp)
		hold.PaymentID, hold.OrderID = payID(h), orderID(h)
	}
	return hold
}

type takeKey struct{ seats, now uint8 }

// take asks booking.Take for the deadline of a hold made now.
func (w *world) take(h int, seats, now uint8) uint8 {
	k := takeKey{seats, now}
	exp, ok := w.takes[k]
	if !ok {
		req := booking.Request{ID: holdID(h), Buyer: w.buyer(h), BodyHash: "body"}
		hold, err := booking.Take(req, w.show, w.layout, w.indexes(seats), w.holds, at(now))
		if err != nil {
			panic(err) // the show of a configuration is on sale, and its seats have prices
		}
		exp = units(hold.ExpiresAt)
		w.takes[k] = exp
	}
	return exp
}

type holdKey struct {
	row
	h   int
	now uint8
}

// confirm asks booking.Confirm; 0 is a refusal.
func (w *world) confirm(h int, r row, now uint8) booking.State {
	k := holdKey{r, h, now}
	next, ok := w.confirms[k]
	if !ok {
		p := w.holds
		if w.c.Mut == confirmLate {
			p.Grace = time.Hour
		}
		hold, err := booking.Confirm(w.hold(h, r), p, payID(h), at(now))
		if err == nil {
			next = hold.State
		}
		w.confirms[k] = next
	}
	return next
}

// overdue asks the hold itself.
func (w *world) overdue(r row, now uint8) bool {
	return booking.Hold{State: r.State, ExpiresAt: at(r.Exp)}.Overdue(w.holds, at(now))
}

type endKey struct {
	row
	h         int
	cause     booking.Cause
	gate, now uint8
}

// ending is booking.Ending in small.
type ending struct {
	Next             booking.State // 0 is a refusal
	Free, Line, Gate uint8         // seats, seats, types that the gate must not want
}

// end asks booking.Release.
func (w *world) end(h int, r row, cause booking.Cause, gate, now uint8) ending {
	k := endKey{r, h, cause, gate, now}
	e, ok := w.endings[k]
	if !ok {
		d, err := booking.Release(w.hold(h, r), w.holds, cause, booking.Wanted(typeList(gate)), at(now))
		if err == nil {
			e = ending{d.Hold.State, w.maskOf(d.Free), w.maskOf(d.Line), typeMask(d.FreedTypes())}
		}
		w.endings[k] = e
	}
	return e
}

func (w *world) maskOf(seats []booking.Seat) (m uint8) {
	for _, s := range seats {
		m |= w.seatMask([]seatmap.SeatID{s.ID})
	}
	return m
}

// regrant asks booking.Regrant which seats late money buys; 0 is a refusal.
func (w *world) regrant(h int, r row) uint8 {
	k := holdKey{row: r, h: h}
	seats, ok := w.regrants[k]
	if !ok {
		if w.c.Mut == regrantAlways && r.State == booking.Held {
			r.State = booking.Expired
		}
		hold, err := booking.Regrant(w.hold(h, r), "h_new", payID(h), began)
		if err == nil {
			seats = w.maskOf(hold.Seats)
		}
		w.regrants[k] = seats
	}
	return seats
}
