package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Attributes of waiters, places and entries.
const (
	aNumber  = "no"
	aParty   = "party"
	aTypes   = "types"
	aAsked   = "asked"
	aPassed  = "passed"
	aOffer   = "offer"  // seats
	aChoice  = "choice" // types
	aOffered = "oexp"   // the offer's deadline
	aWaiter  = "w"
	aLive    = "live"
	aLapses  = "lapses"
	aCool    = "cool"
)

// Waiters reads several waiters, strongly consistent, not at one moment.
func (s *Store) Waiters(ctx context.Context, ids []line.WaiterID) (map[line.WaiterID]line.Waiter, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ks := make([]Key, len(ids))
	for i, id := range ids {
		ks[i] = waiterKey(id)
	}
	items, err := s.t.BatchGet(ctx, ks, true)
	if err != nil {
		return nil, fmt.Errorf("read %d waiters: %w", len(ids), err)
	}
	all := make(map[line.WaiterID]line.Waiter, len(items))
	for _, it := range items {
		w, err := WaiterFromItem(it)
		if err != nil {
			return nil, err
		}
		all[w.ID] = w
	}
	return all, nil
}

// Waiter reads one waiter, strongly consistent.
func (s *Store) Waiter(ctx context.Context, id line.WaiterID) (line.Waiter, error) {
	return one(ctx, s.t, waiterKey(id), WaiterFromItem, line.ErrNotFound)
}

// InLine reads a waiter and the state of its line in one request, strongly
// consistent, not at one moment.
func (s *Store) InLine(ctx context.Context, show catalog.ShowID, id line.WaiterID) (line.Waiter, line.State, error) {
	w, st := waiterKey(id), stateKey(show)
	items, err := s.t.BatchGet(ctx, []Key{w, st}, true)
	if err != nil {
		return line.Waiter{}, line.State{}, fmt.Errorf("read waiter %s: %w", id, err)
	}
	if items[w] == nil {
		return line.Waiter{}, line.State{}, line.ErrNotFound
	}
	v, err := WaiterFromItem(items[w])
	return v, lineOf(items[st]), err
}

// Joining reads what somebody has who asks to wait: the receipt of this request, and
// his place. ok is false when there is no receipt.
func (s *Store) Joining(ctx context.Context, show catalog.ShowID, b booking.Buyer, id line.WaiterID) (w line.Waiter, ok bool, p line.Place, err error) {
	receipt, place := waiterKey(id), placeKey(show, b)
	items, err := s.t.BatchGet(ctx, []Key{receipt, place}, true)
	if err != nil {
		return w, false, p, fmt.Errorf("read waiter %s: %w", id, err)
	}
	if it := items[receipt]; it != nil {
		w, err = WaiterFromItem(it)
		ok = true
	}
	return w, ok, placeOf(items[place]), err
}

// Place reads what a buyer has in a show's line, strongly consistent.
func (s *Store) Place(ctx context.Context, show catalog.ShowID, b booking.Buyer) (line.Place, error) {
	it, err := s.t.Get(ctx, placeKey(show, b), true)
	if err != nil {
		return line.Place{}, fmt.Errorf("read place in %s: %w", show, err)
	}
	return placeOf(it), nil
}

// Pool reads all seats that are set aside, strongly consistent.
func (s *Store) Pool(ctx context.Context, show catalog.ShowID) ([]line.Aside, error) {
	var pool []line.Aside
	err := s.each(ctx, Query{Table: Line, PK: linePK(show), Prefix: poolPrefix, Consistent: true}, func(it Item) error {
		a, err := asideOf(it)
		pool = append(pool, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read pool of %s: %w", show, err)
	}
	return pool, nil
}

// PoolSeats reads some of them; one that is not set aside is missing.
func (s *Store) PoolSeats(ctx context.Context, show catalog.ShowID, seats []seatmap.SeatID) ([]line.Aside, error) {
	ks := make([]Key, len(seats))
	for i, id := range seats {
		ks[i] = poolKey(show, id)
	}
	items, err := s.t.BatchGet(ctx, ks, true)
	if err != nil {
		return nil, fmt.Errorf("read %d seats of the pool of %s: %w", len(seats), show, err)
	}
	var pool []line.Aside
	for _, k := range ks {
		if it := items[k]; it != nil {
			a, err := asideOf(it)
			if err != nil {
				return nil, err
			}
			pool = append(pool, a)
		}
	}
	return pool, nil
}

func asideOf(it Item) (line.Aside, error) {
	r := row{item: it}
	a := line.Aside{
		Seat: seatmap.SeatID(strings.TrimPrefix(r.str("sk"), poolPrefix)),
		Type: seatmap.SeatType(r.str(aType)), Block: r.str(aBlock), For: line.WaiterID(r.optional(aFor)),
	}
	return a, r.err
}

// Ask is T7: the waiter is absent, and his place has no live waiter and no cool-down.
// workedAt, unless zero, is of the challenge that he solved, which is used with it.
func (s *Store) Ask(ctx context.Context, w line.Waiter, keepUntil, workedAt time.Time) error {
	place := Write{
		Key: placeKey(w.Show, w.Buyer),
		Update: []Change{
			{Attr: aLive, Op: SetTo, To: string(w.ID)},
			{Attr: aTTL, Op: SetTo, To: keepUntil.Unix()},
		},
		Where: All{NoAttr{aLive}, Any{NoAttr{aCool}, AtMost{aCool, w.AskedAt.UnixMilli()}}},
	}
	ws := []Write{
		{Key: waiterKey(w.ID), Put: waiterItem(w), Where: Absent{}},
		place,
		s.waiterTimer(w, "wait", w.ExpiresAt),
	}
	if !workedAt.IsZero() {
		ws = append(ws, useWork(w.Show, w.Buyer, workedAt, keepUntil))
	}
	err := s.t.Transact(ctx, ws, "")
	var c *Canceled
	if errors.As(err, &c) && len(c.Reasons) == 4 && c.Reasons[3].Code == ReasonCondition && c.Reasons[0].Code != ReasonCondition {
		return booking.ErrNotWorked
	}
	return classify(err)
}

// Accept is T5. What refuses it by the allowance is *boxoffice.Taken.
func (s *Store) Accept(ctx context.Context, a line.Acceptance, keepUntil time.Time) error {
	show, me := a.Was.Show, a.Was.ID
	claim := Item{aOwner: string(a.Hold.ID)}
	ws := []Write{
		s.allow(a.Hold, keepUntil),
		{Key: holdKey(a.Hold.ID), Put: holdItem(a.Hold), Where: Absent{}},
		{Key: timerKey(a.Hold), Put: s.timerItem(a.Hold)},
		{Key: waiterKey(me), Put: waiterItem(a.Waiter), Where: All{
			inState(a.Was), AtLeast{aOffered, a.Waiter.EndedAt.Add(-s.policy.Grace).UnixMilli() + 1},
		}},
		closeWrite(a.Was, nil),
	}
	take := func(chosen []line.Aside, where Cond) {
		for _, seat := range chosen {
			ws = append(ws,
				Write{Key: asideKey(show, seat), Put: claim, Where: Equal{aOwner, lineOwner}},
				Write{Key: poolKey(show, seat.Seat), Delete: true, Where: where},
			)
		}
	}
	take(a.Mine, Equal{aFor, string(me)})
	take(a.Open, All{Exists{}, NoAttr{aFor}})
	ws = append(ws, backWrites(show, me, a.Back)...)
	err := s.t.Transact(ctx, ws, "")
	var c *Canceled
	full := errors.As(err, &c) && len(c.Reasons) == len(ws) && c.Reasons[0].Code == ReasonCondition
	if full && c.Reasons[3].Code != ReasonCondition { // else his own answer, sent twice, has filled it
		n, _ := c.Reasons[0].Old[aCount].(int64)
		return &boxoffice.Taken{Full: true, Holding: int(n)}
	}
	return classify(err)
}

// Leave is T6; place, where not nil, is the place as it becomes of who refused.
func (s *Store) Leave(ctx context.Context, l line.Leaving, place *line.Place) error {
	ws := []Write{
		{Key: waiterKey(l.Was.ID), Put: waiterItem(l.Waiter), Where: inState(l.Was)},
		closeWrite(l.Was, place),
	}
	return classify(s.t.Transact(ctx, append(ws, backWrites(l.Was.Show, l.Was.ID, l.Back)...), ""))
}

// inState is the condition that the waiter is still as far as was read, and the
// same buyer's: the whole item is put, with the buyer that was read.
func inState(w line.Waiter) Cond {
	return All{Equal{aState, w.State.String()}, Equal{aBuyer, string(w.Buyer)}}
}

// closeWrite ends the place of a waiter; next, where not nil, is what it becomes.
func closeWrite(w line.Waiter, next *line.Place) Write {
	ch := []Change{{Attr: aLive, Op: Unset}}
	if next != nil {
		ch = append(ch, Change{Attr: aLapses, Op: SetTo, To: int64(next.Lapses)})
		if !next.CoolUntil.IsZero() {
			ch = append(ch, Change{Attr: aCool, Op: SetTo, To: next.CoolUntil.UnixMilli()})
		}
	}
	return Write{Key: placeKey(w.Show, w.Buyer), Update: ch, Where: Equal{aLive, string(w.ID)}}
}

// backWrites give proposed seats back to nobody.
func backWrites(show catalog.ShowID, me line.WaiterID, back []line.Aside) []Write {
	ws := make([]Write, len(back))
	for i, a := range back {
		ws[i] = Write{Key: poolKey(show, a.Seat), Update: []Change{{Attr: aFor, Op: Unset}}, Where: Equal{aFor, string(me)}}
	}
	return ws
}

// waiterTimer is the net under a deadline of somebody who waits. It stands apart
// from those of holds and is left to TTL: who reads it late goes by the state.
func (s *Store) waiterTimer(w line.Waiter, kind string, at time.Time) Write {
	return Write{
		Key: Key{Timers, waiterTimerPK(w.Show, w.ID), timerSK(at, booking.HoldID(w.ID))},
		Put: Item{aKind: kind, aExpires: at.UnixMilli(), aTTL: at.Add(s.policy.Grace + timerGrace).Unix()},
	}
}

func placeOf(it Item) line.Place {
	r := row{item: it}
	n, _ := it[aLapses].(int64)
	return line.Place{Live: line.WaiterID(r.optional(aLive)), Lapses: int(n), CoolUntil: r.time(aCool)}
}

func waiterItem(w line.Waiter) Item {
	it := make(Item, 20) // all that follow
	it[aState], it[aShow], it[aBuyer] = w.State.String(), string(w.Show), string(w.Buyer)
	it[aParty], it[aTypes], it[aHash] = int64(w.Party), typeSet(w.Types), w.BodyHash
	setTime(it, aAsked, w.AskedAt)
	setTime(it, aExpires, w.ExpiresAt)
	setTime(it, aEnded, w.EndedAt)
	if w.Number > 0 {
		it[aNumber] = w.Number
	}
	if w.Passed > 0 {
		it[aPassed] = int64(w.Passed)
	}
	if len(w.Offer.Seats) > 0 {
		seats := make(Texts, len(w.Offer.Seats))
		for i, a := range w.Offer.Seats {
			seats[i] = string(a.Seat) + "|" + string(a.Type) + "|" + a.Block
		}
		it[aOffer], it[aChoice], it[aOffered] = seats, typeSet(w.Offer.Choice), w.Offer.ExpiresAt.UnixMilli()
	}
	if w.Hold != "" {
		it[aHold] = string(w.Hold)
	}
	if !w.EndedAt.IsZero() {
		it[aTTL] = w.EndedAt.Add(booking.Receipt).Unix()
	}
	return it
}

// WaiterFromItem reads a waiter as the table and its stream show it.
func WaiterFromItem(it Item) (line.Waiter, error) {
	r := row{item: it}
	w := line.Waiter{
		ID: line.WaiterID(strings.TrimPrefix(r.str("pk"), waiterPrefix)), Show: catalog.ShowID(r.str(aShow)),
		Buyer: booking.Buyer(r.str(aBuyer)), Party: int(r.num(aParty)), Types: typesIn(it, aTypes), BodyHash: r.optional(aHash),
		AskedAt: r.time(aAsked), ExpiresAt: r.time(aExpires), EndedAt: r.time(aEnded), Hold: booking.HoldID(r.optional(aHold)),
	}
	var ok bool
	if w.State, ok = line.ParseWaiterState(r.str(aState)); !ok {
		r.fail(aState)
	}
	w.Number, _ = it[aNumber].(int64)
	passed, _ := it[aPassed].(int64)
	w.Passed = int(passed)
	if list, ok := it[aOffer].([]any); ok {
		w.Offer = line.Offer{Choice: typesIn(it, aChoice), ExpiresAt: r.time(aOffered)}
		for _, v := range list {
			text, _ := v.(string)
			parts := strings.Split(text, "|")
			if len(parts) != 3 {
				r.fail(aOffer)
				break
			}
			w.Offer.Seats = append(w.Offer.Seats, line.Aside{
				Seat: seatmap.SeatID(parts[0]), Type: seatmap.SeatType(parts[1]), Block: parts[2], For: w.ID,
			})
		}
	}
	if w.State.Ended() {
		for i := range w.Offer.Seats {
			w.Offer.Seats[i].For = ""
		}
	}
	return w, r.err
}

// IsWaiter tells a waiter's item from the others of the line's stream.
func IsWaiter(it Item) bool {
	pk, _ := it["pk"].(string)
	return strings.HasPrefix(pk, waiterPrefix)
}

// LineShow tells the show of the line's state as its stream shows it.
func LineShow(it Item) (catalog.ShowID, bool) {
	pk, _ := it["pk"].(string)
	show, isLine := strings.CutPrefix(pk, linePrefix)
	return catalog.ShowID(show), isLine && it["sk"] == skState
}

// PlacesMoved tells whether who is in line differs between two images of the state.
func PlacesMoved(was, is Item) bool {
	a, b := lineOf(was).Places, lineOf(is).Places
	return a.Base() != b.Base() || !slices.Equal(a.Bytes(), b.Bytes())
}
