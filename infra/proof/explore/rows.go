package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// rows are tables with what the explored protocol needs no word for, since it
// follows from the holds: the line's version, and the money's rows.
type rows struct {
	tables
	Version uint8
	Pay     [maxHolds]payment.State
	Order   [maxHolds]order.Status
	Anew    uint8 // a bit a hold: the hold that its late money buys exists
	Entry   uint8 // a bit a waiter: it has an entry in the line
	Extra   uint8 // number of an entry that is nobody's; 0 none
	Bits    uint8 // a bit a waiter: the line's state counts it
}

// rowsOf completes tables: every hold but the house's has begun to be paid for, and
// where no gate is open no line ever was.
func (s *scribe) rowsOf(t tables) rows {
	r := rows{tables: t}
	if t.Gate != 0 {
		r.Version = opened
	}
	for i, st := range t.W {
		if t.Num[i] != 0 {
			r.Version = opened
		}
		if st.Active() {
			r.Entry |= 1 << i
		}
		if st == line.Waiting || st == line.Offered {
			r.Bits |= 1 << i
		}
	}
	for h, st := range t.Hold {
		if s.c.isHouse(h) {
			continue
		}
		switch st {
		case booking.Held:
			r.Pay[h], r.Order[h] = payment.Pending, order.Pending
		case booking.Sold:
			r.Pay[h], r.Order[h] = payment.Captured, order.Paid
		case booking.Released, booking.Expired:
			r.Pay[h], r.Order[h] = payment.Pending, order.Cancelled
		case booking.Refunded:
			r.Pay[h], r.Order[h] = payment.Refunded, order.Refunded
		}
	}
	return r
}

// opened is the version of a line that somebody has joined.
const opened = 3

func anewID(h int) booking.HoldID { return holdID(h) + "_anew" }

// recorder is a database that only takes down what it is asked to write: so the
// rows of a state are made by the store itself, and no key is known here.
type recorder struct {
	store.Tables
	ws []store.Write
}

func (r *recorder) Transact(_ context.Context, ws []store.Write, _ string) error {
	r.ws = ws
	return nil
}

// scribe writes states into databases and reads them back.
type scribe struct {
	*world
	rec   recorder
	paper *store.Store // over the recorder
	keep  time.Time
}

func newScribe(w *world) *scribe {
	s := &scribe{world: w, keep: far}
	s.paper = store.New(&s.rec, w.holds)
	return s
}

// wrote is what a call would have written, to be put without its conditions.
func (s *scribe) wrote(err error) []store.Write {
	if err != nil {
		panic(err) // the recorder never refuses
	}
	for i := range s.rec.ws {
		s.rec.ws[i].Where = nil
	}
	return s.rec.ws
}

// load makes a database that holds the rows and nothing else.
func (s *scribe) load(ctx context.Context, r rows) (*store.Store, error) {
	db := memstore.New(memstore.Options{Clock: func() time.Time { return began }, Window: func(memstore.Op, int) {}})
	var ws []store.Write
	past, live := s.placeRows(ctx, r)
	ws = append(s.lineRows(ctx, r), past...)
	for h, st := range r.Hold {
		if st != 0 {
			ws = append(ws, s.holdRows(ctx, h, r)...)
		}
	}
	for x, owner := range r.Claim {
		ws = append(ws, s.seatRows(ctx, x, owner, r.Pool[x])...)
	}
	for b, n := range r.Cap {
		if n > 0 {
			h := booking.Hold{ID: "h", Show: s.show.ID, Buyer: booking.Buyer(fmt.Sprint("buyer-", b)), Seats: make([]booking.Seat, n)}
			w := s.wrote(s.paper.Hold(ctx, h, s.keep, booking.Terms{}))
			ws = append(ws, w[n+1])
		}
	}
	for _, ws := range [][]store.Write{ws, live} {
		if len(ws) == 0 {
			continue
		}
		if err := db.Transact(ctx, ws, ""); err != nil {
			return nil, err
		}
	}
	return store.New(db, s.holds), nil
}

// holdRows are the hold, its timer, its payment and its order.
func (s *scribe) holdRows(ctx context.Context, h int, r rows) []store.Write {
	hold := s.hold(h, r.row(h))
	w := s.wrote(s.paper.Hold(ctx, hold, s.keep, booking.Terms{}))
	n := len(hold.Seats)
	ws := []store.Write{w[n]}
	if has(r.Timer, h) {
		ws = append(ws, w[n+2])
	}
	if has(r.Anew, h) {
		anew := hold
		anew.ID, anew.State, anew.Rev = anewID(h), booking.Sold, 1
		ws = append(ws, s.wrote(s.paper.Hold(ctx, anew, s.keep, booking.Terms{}))[n])
	}
	if r.Order[h] != "" {
		money := s.wrote(s.paper.StartPayment(ctx, hold, hold, s.payment(h, r), s.order(h, r.Order[h], hold), true, began))
		ws = append(ws, money[1], money[3]) // without the receipt of the request to pay, which no transaction here looks at
	}
	return ws
}

// seatRows are a claim and a pool item.
func (s *scribe) seatRows(ctx context.Context, x int, owner, pool uint8) (ws []store.Write) {
	at := uint8(1) << x
	if owner != free && owner != lineClaim {
		h := int(owner - 1)
		ws = append(ws, s.wrote(s.paper.Block(ctx, s.hold(h, row{State: booking.Blocked, Seats: at, Rev: 1})))[0])
	}
	if owner != lineClaim && pool == poolNone {
		return ws
	}
	was := s.hold(0, row{State: booking.Held, Seats: at, Rev: 1})
	w := s.wrote(s.paper.Release(ctx, booking.Ending{Was: was, Hold: was, Line: was.Seats}, nil))
	if owner == lineClaim {
		ws = append(ws, w[1])
	}
	if pool != poolNone {
		item := w[2]
		if pool > poolOpen {
			item.Put["for"] = string(waiterID(int(pool) - 2))
		}
		ws = append(ws, item)
	}
	return ws
}

func (s *scribe) payment(h int, r rows) payment.Payment {
	hold := s.hold(h, r.row(h))
	total, _ := hold.Total()
	return payment.Payment{
		ID: payment.ID(payID(h)), HoldID: string(hold.ID), OrderID: orderID(h), Buyer: string(hold.Buyer), Provider: payment.Sandbox,
		State: r.Pay[h], Amount: total, BodyHash: "body", CreatedAt: began, ExpiresAt: hold.ExpiresAt,
	}
}

// order in a status that it could have come to.
func (s *scribe) order(h int, st order.Status, hold booking.Hold) order.Order {
	total, _ := hold.Total()
	o := order.Order{
		ID: order.ID(orderID(h)), HoldID: string(hold.ID), ShowID: string(hold.Show), Buyer: string(hold.Buyer),
		Status: st, Total: total, CreatedAt: began,
	}
	for _, seat := range hold.Seats {
		o.Seats = append(o.Seats, order.Seat{ID: string(seat.ID), Type: string(seat.Type), Price: seat.Price})
	}
	if st == order.Paid || st == order.Refunded {
		o.PaidBy = payment.ID(payID(h))
	}
	if st == order.Paid {
		o.PaidAt = began
		for _, seat := range hold.Seats {
			o.Tickets = append(o.Tickets, order.Ticket{ID: "T", Seat: string(seat.ID), Code: "code"})
		}
	}
	return o
}

// readBack is load's inverse, by the store's own reads.
func (s *scribe) readBack(ctx context.Context, db *store.Store, like rows) (r rows, err error) {
	st, err := db.LineState(ctx, s.show.ID, line.Reading{Front: -1})
	if err != nil {
		return r, err
	}
	r.Version, r.Gate, r.Dry, r.Last = uint8(st.Version), typeMask(st.Wanted), typeMask(st.Dry), like.Last
	if err := s.readWaiters(ctx, db, st, &r); err != nil {
		return r, err
	}
	if err := s.readGates(ctx, db, &r); err != nil {
		return r, err
	}
	for _, a := range st.Pool {
		at, _ := s.layout.Seat(a.Seat)
		r.Pool[at.Index] = poolOpen
		if a.For != "" {
			r.Pool[at.Index] = uint8(2 + s.c.waiterOf(a.For))
		}
	}
	if err := s.readClaims(ctx, db, &r); err != nil {
		return r, err
	}
	for b := range r.Cap {
		n, err := db.Allowance(ctx, s.show.ID, booking.Buyer(fmt.Sprint("buyer-", b)))
		if err != nil {
			return r, err
		}
		r.Cap[b] = uint8(n)
	}
	return r, s.readHolds(ctx, db, &r)
}

// readGates looks at all eight through holds of many names; one that says other
// than the state makes the gate a mask that no state has.
func (s *scribe) readGates(ctx context.Context, db *store.Store, r *rows) error {
	for _, id := range gateNames {
		wanted, err := db.Wanted(ctx, s.show.ID, id)
		if err != nil {
			return err
		}
		if typeMask(wanted) != r.Gate {
			r.Gate = 0xf0
		}
	}
	return nil
}

// gateNames are enough holds to meet every gate.
var gateNames = func() (ids []booking.HoldID) {
	for n := range 4 * boxoffice.Shards {
		ids = append(ids, booking.HoldID(fmt.Sprint("gate-", n)))
	}
	return ids
}()

func (s *scribe) readClaims(ctx context.Context, db *store.Store, r *rows) error {
	var keys []boxoffice.SeatKey
	for x := range s.c.Seats {
		at := s.layout.At(x)
		keys = append(keys, boxoffice.SeatKey{Seat: at.ID, Block: s.layout.Block(at.Block).Name})
	}
	claims, err := db.Claims(ctx, s.show.ID, keys)
	if err != nil {
		return err
	}
	for id, o := range claims {
		at, _ := s.layout.Seat(id)
		r.Claim[at.Index] = s.ownerOf(o)
	}
	return nil
}

// stranger is a claim that no state has.
const stranger = 200

func (s *scribe) ownerOf(o boxoffice.Owner) uint8 {
	if o.Line() {
		return lineClaim
	}
	for h := range s.c.holds() {
		if (o.Hold == holdID(h) || o.Hold == anewID(h)) && o.House == s.c.isHouse(h) {
			return uint8(1 + h)
		}
	}
	return stranger
}

func (s *scribe) readHolds(ctx context.Context, db *store.Store, r *rows) error {
	var ids []booking.HoldID
	for h := range s.c.holds() {
		ids = append(ids, holdID(h), anewID(h))
	}
	holds, err := db.HoldsByID(ctx, ids)
	if err != nil {
		return err
	}
	timers := map[booking.HoldID]bool{}
	for k := range boxoffice.Shards {
		ts, err := db.Timers(ctx, s.show.ID, k, time.Time{}, 0)
		if err != nil {
			return err
		}
		for _, t := range ts {
			timers[t.Hold] = true
		}
	}
	for h := range s.c.holds() {
		hold, ok := holds[holdID(h)]
		if !ok {
			continue
		}
		r.Hold[h], r.Seats[h], r.Rev[h] = hold.State, s.maskOf(hold.Seats), uint8(hold.Rev)
		if !hold.ExpiresAt.IsZero() {
			r.Exp[h] = units(hold.ExpiresAt)
		}
		if timers[hold.ID] {
			r.Timer |= 1 << h
		}
		if anew, ok := holds[anewID(h)]; ok && anew.State == booking.Sold && s.maskOf(anew.Seats) == r.Seats[h] {
			r.Anew |= 1 << h
		}
		if s.c.isHouse(h) {
			continue
		}
		if err := readMoney(ctx, db, h, r); err != nil {
			return err
		}
	}
	return nil
}

func readMoney(ctx context.Context, db *store.Store, h int, r *rows) error {
	p, err := db.PaymentByID(ctx, payment.ID(payID(h)))
	if err == boxoffice.ErrPaymentNotFound {
		return nil // a hold that was made just now
	}
	if err != nil {
		return err
	}
	o, err := db.OrderByID(ctx, order.ID(orderID(h)))
	r.Pay[h], r.Order[h] = p.State, o.Status
	return err
}
