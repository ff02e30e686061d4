package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/adoption"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/order"
)

const (
	aGiven = "to" // the account that a guest's things went to
	skTo   = "TO" // beside a guest's allowances
)

// Bind makes a guest's things the account's to have, and no other's ever.
func (s *Store) Bind(ctx context.Context, guest, account booking.Buyer, until time.Time) error {
	err := s.t.Transact(ctx, []Write{{
		Key:    Key{Claims, capPrefix + string(guest), skTo},
		Update: []Change{{Attr: aGiven, Op: SetTo, To: string(account)}, {Attr: aTTL, Op: SetTo, To: until.Unix()}},
		Where:  Any{NoAttr{aGiven}, Equal{aGiven, string(account)}},
	}}, "")
	var c *Canceled
	if errors.As(err, &c) && c.Has(ReasonCondition) {
		return adoption.ErrBound
	}
	return classify(err)
}

// Marks are a buyer's in all shows, by the shows' names, strongly consistent, not at one
// moment: his allowances in one query, his places in another.
func (s *Store) Marks(ctx context.Context, b booking.Buyer) ([]adoption.Mark, error) {
	found := map[catalog.ShowID]*adoption.Mark{}
	for _, q := range []Query{
		{Table: Claims, PK: capPrefix + string(b), Prefix: showPrefix, Consistent: true},
		{Table: Line, PK: placePrefix + string(b), Prefix: showPrefix, Consistent: true},
	} {
		err := s.each(ctx, q, func(it Item) error {
			sk, _ := it["sk"].(string)
			show := catalog.ShowID(strings.TrimPrefix(sk, showPrefix))
			if found[show] == nil {
				found[show] = &adoption.Mark{Show: show}
			}
			addMark(found[show], q.Table, it)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read what %s has: %w", b, err)
		}
	}
	marks := make([]adoption.Mark, 0, len(found))
	for _, m := range found {
		marks = append(marks, *m)
	}
	slices.SortFunc(marks, func(a, b adoption.Mark) int { return strings.Compare(string(a.Show), string(b.Show)) })
	return marks, nil
}

// MarkOf are two buyers' in a show, in one request, strongly consistent, not at one moment.
func (s *Store) MarkOf(ctx context.Context, show catalog.ShowID, guest, account booking.Buyer) (had, has adoption.Mark, err error) {
	had.Show, has.Show = show, show
	of := map[Key]*adoption.Mark{
		capKey(show, guest): &had, placeKey(show, guest): &had, capKey(show, account): &has, placeKey(show, account): &has,
	}
	items, err := s.t.BatchGet(ctx, []Key{capKey(show, guest), placeKey(show, guest), capKey(show, account), placeKey(show, account)}, true)
	if err != nil {
		return had, has, fmt.Errorf("read what two have of %s: %w", show, err)
	}
	for k, it := range items {
		addMark(of[k], k.Table, it)
	}
	return had, has, nil
}

func addMark(m *adoption.Mark, from Table, it Item) {
	if ttl, ok := it[aTTL].(int64); ok && time.Unix(ttl, 0).After(m.Until) {
		m.Until = time.Unix(ttl, 0).UTC()
	}
	if from == Line {
		m.Place = placeOf(it)
		return
	}
	n, _ := it[aCount].(int64)
	ids, _ := it[aHolds].(Set)
	to, _ := it[aGiven].(string)
	m.Holding, m.To = int(n), booking.Buyer(to)
	for _, id := range ids {
		m.Holds = append(m.Holds, booking.HoldID(id))
	}
	slices.Sort(m.Holds)
}

// Adopt is T10: 2 write units for each hold, each order and each allowance, 6 for a place.
func (s *Store) Adopt(ctx context.Context, m adoption.Move) error {
	n, limit := int64(m.Had.Holding), int64(s.policy.MaxSeats)
	ids := make(Set, len(m.Had.Holds))
	for i, id := range m.Had.Holds {
		ids[i] = string(id)
	}
	given := []Change{{Attr: aGiven, Op: SetTo, To: string(m.Account)}, {Attr: aTTL, Op: SetTo, To: m.Until.Unix()}}
	var as Cond = Any{NoAttr{aCount}, Equal{aCount, int64(0)}}
	var ws []Write
	if n > 0 {
		given = append(given, Change{Attr: aCount, Op: Add, To: -n}, Change{Attr: aHolds, Op: SetDelete, To: ids})
		as = Equal{aCount, n}
		ws = append(ws, Write{
			Key: capKey(m.Had.Show, m.Account),
			Update: []Change{
				{Attr: aCount, Op: Add, To: n},
				{Attr: aHolds, Op: SetAdd, To: ids},
				{Attr: aTTL, Op: SetTo, To: m.Until.Unix()},
			},
			Where: Any{NoAttr{aCount}, AtMost{aCount, limit - n}},
		})
	}
	ws = append(ws, Write{Key: capKey(m.Had.Show, m.Guest), Update: given, Where: All{as, givenTo(m.Account)}})
	for _, h := range m.Had.Living {
		ws = append(ws, rename(h, m.Account))
	}
	for _, o := range m.Had.Orders {
		ws = append(ws, renameOrder(o, m.Account))
	}
	if m.MovesPlace() {
		ws = append(ws, placeWrites(m)...)
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

func givenTo(account booking.Buyer) Cond { return Any{NoAttr{aGiven}, Equal{aGiven, string(account)}} }

// rename makes the hold another's, on the condition that it is as it was read.
func rename(h booking.Hold, to booking.Buyer) Write {
	return Write{
		Key:    holdKey(h.ID),
		Update: []Change{{Attr: aBuyer, Op: SetTo, To: string(to)}, {Attr: aRev, Op: SetTo, To: h.Rev + 1}},
		Where:  asRead(h),
	}
}

func renameOrder(o order.Order, to booking.Buyer) Write {
	return Write{
		Key:    orderKey(o.ID),
		Update: []Change{{Attr: aBuyer, Op: SetTo, To: string(to)}, {Attr: aRev, Op: SetTo, To: o.Rev + 1}},
		Where:  All{Equal{aState, string(o.Status)}, Equal{aBuyer, o.Buyer}},
	}
}

// placeWrites move a place in line: the waiter keeps its id and its number.
func placeWrites(m adoption.Move) []Write {
	w := *m.Had.Waiter
	there := []Change{
		{Attr: aLive, Op: SetTo, To: string(w.ID)},
		{Attr: aLapses, Op: SetTo, To: int64(m.Place.Lapses)},
		{Attr: aTTL, Op: SetTo, To: m.Until.Unix()},
	}
	if !m.Place.CoolUntil.IsZero() {
		there = append(there, Change{Attr: aCool, Op: SetTo, To: m.Place.CoolUntil.UnixMilli()})
	}
	return []Write{
		{Key: waiterKey(w.ID), Update: []Change{{Attr: aBuyer, Op: SetTo, To: string(m.Account)}}, Where: inState(w)},
		{Key: placeKey(w.Show, m.Guest), Update: []Change{{Attr: aLive, Op: Unset}, {Attr: aLapses, Op: Unset}, {Attr: aCool, Op: Unset}}, Where: Equal{aLive, string(w.ID)}},
		{Key: placeKey(w.Show, m.Account), Update: there, Where: All{NoAttr{aLive}, refused(m.There.Lapses)}},
	}
}

// refused is the condition that so many offers were declined or have lapsed.
func refused(n int) Cond {
	if n == 0 {
		return Any{NoAttr{aLapses}, Equal{aLapses, int64(0)}}
	}
	return Equal{aLapses, int64(n)}
}

// AdoptPast makes an order whose hold has ended another's, with its hold where that is
// still there: money for it may still come. A hold that was not found must not be there
// in the transaction either. 6 write units.
func (s *Store) AdoptPast(ctx context.Context, h booking.Hold, o order.Order, account booking.Buyer) error {
	guest := booking.Buyer(o.Buyer)
	ws := []Write{
		renameOrder(o, account),
		{Key: capKey(catalog.ShowID(o.ShowID), guest), Update: []Change{{Attr: aGiven, Op: SetTo, To: string(account)}}, Where: givenTo(account)},
	}
	if h.ID != "" {
		ws = append(ws, rename(h, account))
	} else { // it has aged away, or the transaction that made it had not landed yet
		ws = append(ws, Write{Key: holdKey(booking.HoldID(o.HoldID)), Check: true, Where: NoAttr{aState}})
	}
	return classify(s.t.Transact(ctx, ws, ""))
}
