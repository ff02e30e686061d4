package main

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/adoption"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// named is the real store; each of its calls tells the task what it is doing, so
// that faults can be chosen and counted by call.
type named struct {
	*store.Store
	w *world
}

var (
	_ boxoffice.Store     = named{}
	_ boxoffice.LineStore = named{}

	_ boxoffice.AdoptionStore = named{}
)

func (s named) as(call string) *store.Store {
	s.w.cur.call = call
	return s.Store
}

func (s named) Hold(ctx context.Context, h booking.Hold, keep time.Time, terms booking.Terms) error {
	return s.as("Hold").Hold(ctx, h, keep, terms)
}

func (s named) Block(ctx context.Context, h booking.Hold) error { return s.as("Block").Block(ctx, h) }

func (s named) Release(ctx context.Context, e booking.Ending, o *boxoffice.OrderChange) error {
	return s.as("Release").Release(ctx, e, o)
}

func (s named) HoldByID(ctx context.Context, id booking.HoldID) (booking.Hold, error) {
	return s.as("HoldByID").HoldByID(ctx, id)
}

func (s named) HoldsByID(ctx context.Context, ids []booking.HoldID) (map[booking.HoldID]booking.Hold, error) {
	return s.as("HoldsByID").HoldsByID(ctx, ids)
}

func (s named) Claims(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey) (map[seatmap.SeatID]boxoffice.Owner, error) {
	return s.as("Claims").Claims(ctx, show, seats)
}

func (s named) ClaimsAtOnce(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey) (map[seatmap.SeatID]boxoffice.Owner, error) {
	return s.as("ClaimsAtOnce").ClaimsAtOnce(ctx, show, seats)
}

func (s named) Look(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey, ids []booking.HoldID) (map[seatmap.SeatID]boxoffice.Owner, map[booking.HoldID]booking.Hold, error) {
	return s.as("Look").Look(ctx, show, seats, ids)
}

func (s named) BlockClaims(ctx context.Context, show catalog.ShowID, block string) (map[seatmap.SeatID]boxoffice.Owner, error) {
	return s.as("BlockClaims").BlockClaims(ctx, show, block)
}

func (s named) Wanted(ctx context.Context, show catalog.ShowID, id booking.HoldID) (booking.Wanted, error) {
	return s.as("Wanted").Wanted(ctx, show, id)
}

func (s named) Timers(ctx context.Context, show catalog.ShowID, shard int, upTo time.Time, most int) ([]boxoffice.Timer, error) {
	return s.as("Timers").Timers(ctx, show, shard, upTo, most)
}

func (s named) StartPayment(ctx context.Context, was, next booking.Hold, p payment.Payment, o order.Order, fresh bool, now time.Time) error {
	return s.as("StartPayment").StartPayment(ctx, was, next, p, o, fresh, now)
}

func (s named) Confirm(ctx context.Context, was, next booking.Hold, p boxoffice.PaymentChange, o boxoffice.OrderChange, now time.Time) error {
	return s.as("Confirm").Confirm(ctx, was, next, p, o, now)
}

func (s named) Regrant(ctx context.Context, old, h booking.Hold, keep time.Time, p boxoffice.PaymentChange, o boxoffice.OrderChange) error {
	return s.as("Regrant").Regrant(ctx, old, h, keep, p, o)
}

func (s named) ChangePayment(ctx context.Context, p boxoffice.PaymentChange, o *boxoffice.OrderChange) error {
	return s.as("ChangePayment").ChangePayment(ctx, p, o)
}

func (s named) NoteAnswer(ctx context.Context, id, with payment.ID, hash string, keep time.Time) error {
	return s.as("NoteAnswer").NoteAnswer(ctx, id, with, hash, keep)
}

func (s named) PaymentAnswered(ctx context.Context, id payment.ID) (payment.Payment, string, error) {
	return s.as("PaymentAnswered").PaymentAnswered(ctx, id)
}

func (s named) WakePayment(ctx context.Context, p payment.Payment) error {
	return s.as("WakePayment").WakePayment(ctx, p)
}

func (s named) PaymentByID(ctx context.Context, id payment.ID) (payment.Payment, error) {
	return s.as("PaymentByID").PaymentByID(ctx, id)
}

func (s named) OrderByID(ctx context.Context, id order.ID) (order.Order, error) {
	return s.as("OrderByID").OrderByID(ctx, id)
}

func (s named) Snapshot(ctx context.Context, show catalog.ShowID) (*boxoffice.Map, error) {
	return s.as("Snapshot").Snapshot(ctx, show)
}

func (s named) FreshSnapshot(ctx context.Context, show catalog.ShowID) (*boxoffice.Map, error) {
	return s.as("FreshSnapshot").FreshSnapshot(ctx, show)
}

func (s named) SaveSnapshot(ctx context.Context, show catalog.Show, m boxoffice.Map, was int64, changed bool) error {
	return s.as("SaveSnapshot").SaveSnapshot(ctx, show, m, was, changed)
}

func (s named) PostponeDue(ctx context.Context, show catalog.ShowID, was, next time.Time) error {
	return s.as("PostponeDue").PostponeDue(ctx, show, was, next)
}

func (s named) LineState(ctx context.Context, show catalog.ShowID, r line.Reading) (line.State, error) {
	return s.as("LineState").LineState(ctx, show, r)
}

func (s named) LineHead(ctx context.Context, show catalog.ShowID) (line.State, error) {
	return s.as("LineHead").LineHead(ctx, show)
}

func (s named) LineGlance(ctx context.Context, show catalog.ShowID) (line.State, error) {
	return s.as("LineGlance").LineGlance(ctx, show)
}

func (s named) CommitLine(ctx context.Context, show catalog.ShowID, was line.State, p line.Plan, at line.Stamp) error {
	return s.as("CommitLine").CommitLine(ctx, show, was, p, at)
}

func (s named) SawLine(ctx context.Context, show catalog.ShowID, at line.Stamp) error {
	return s.as("SawLine").SawLine(ctx, show, at)
}

func (s named) Ask(ctx context.Context, w line.Waiter, keepUntil, workedAt time.Time) error {
	return s.as("Ask").Ask(ctx, w, keepUntil, workedAt)
}

func (s named) Accept(ctx context.Context, a line.Acceptance, keepUntil time.Time) error {
	return s.as("Accept").Accept(ctx, a, keepUntil)
}

func (s named) Leave(ctx context.Context, l line.Leaving, place *line.Place) error {
	return s.as("Leave").Leave(ctx, l, place)
}

func (s named) Waiter(ctx context.Context, id line.WaiterID) (line.Waiter, error) {
	return s.as("Waiter").Waiter(ctx, id)
}

func (s named) InLine(ctx context.Context, show catalog.ShowID, id line.WaiterID) (line.Waiter, line.State, error) {
	return s.as("InLine").InLine(ctx, show, id)
}

func (s named) Joining(ctx context.Context, show catalog.ShowID, b booking.Buyer, id line.WaiterID) (line.Waiter, bool, line.Place, error) {
	return s.as("Joining").Joining(ctx, show, b, id)
}

func (s named) Place(ctx context.Context, show catalog.ShowID, b booking.Buyer) (line.Place, error) {
	return s.as("Place").Place(ctx, show, b)
}

func (s named) Pool(ctx context.Context, show catalog.ShowID) ([]line.Aside, error) {
	return s.as("Pool").Pool(ctx, show)
}

func (s named) PoolSeats(ctx context.Context, show catalog.ShowID, seats []seatmap.SeatID) ([]line.Aside, error) {
	return s.as("PoolSeats").PoolSeats(ctx, show, seats)
}

func (s named) Bind(ctx context.Context, guest, account booking.Buyer, until time.Time) error {
	return s.as("Bind").Bind(ctx, guest, account, until)
}

func (s named) Marks(ctx context.Context, b booking.Buyer) ([]adoption.Mark, error) {
	return s.as("Marks").Marks(ctx, b)
}

func (s named) MarkOf(ctx context.Context, show catalog.ShowID, guest, account booking.Buyer) (had, has adoption.Mark, err error) {
	return s.as("MarkOf").MarkOf(ctx, show, guest, account)
}

func (s named) Adopt(ctx context.Context, m adoption.Move) error { return s.as("Adopt").Adopt(ctx, m) }

func (s named) AdoptPast(ctx context.Context, h booking.Hold, o order.Order, account booking.Buyer) error {
	return s.as("AdoptPast").AdoptPast(ctx, h, o, account)
}

// diary is the real store of what buyers are shown of their orders.
type diary struct {
	*store.Histories
	w *world
}

func (d diary) Entry(ctx context.Context, b booking.Buyer, id order.ID, made time.Time) (*history.Entry, error) {
	d.w.cur.call = "Entry"
	return d.Histories.Entry(ctx, b, id, made)
}

func (d diary) Keep(ctx context.Context, moves []history.Move) error {
	d.w.cur.call = "Keep"
	return d.Histories.Keep(ctx, moves)
}

func (d diary) Orders(ctx context.Context, b booking.Buyer, status order.Status, after string, most int) ([]history.Entry, string, error) {
	d.w.cur.call = "Orders"
	return d.Histories.Orders(ctx, b, status, after, most)
}

// programme is the catalogue: two shows that nobody changes, asked for over the
// same line.
type programme struct{ w *world }

func (p programme) Show(ctx context.Context, id catalog.ShowID) (catalog.Show, error) {
	p.w.cur.call = "Show"
	return look(p.w, ctx, func() (catalog.Show, error) {
		s, ok := shows[id]
		if !ok {
			return s, catalog.ErrNoShow
		}
		return s, nil
	})
}

func (p programme) Layout(ctx context.Context, _ catalog.LayoutID) (*seatmap.Layout, error) {
	p.w.cur.call = "Layout"
	return look(p.w, ctx, func() (*seatmap.Layout, error) { return hall, nil })
}
