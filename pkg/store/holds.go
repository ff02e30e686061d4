package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Store carries out the protocol's transactions on Tables.
type Store struct {
	t      Tables
	policy booking.Policy
}

// New makes a Store for a deployment's policy.
func New(t Tables, p booking.Policy) *Store { return &Store{t, p} }

// timerGrace is how much later than a hold's grace its TTL lies, so that whoever
// is prompt comes first.
const timerGrace = 5 * time.Second

// Hold is T1: n claims, the hold, the allowance, the timer; 2(n+3) write units.
func (s *Store) Hold(ctx context.Context, h booking.Hold, keepUntil time.Time, terms booking.Terms) error {
	ws := claimWrites(h)
	ws = append(ws,
		Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},
		s.allow(h, keepUntil),
		Write{Key: timerKey(h), Put: s.timerItem(h)},
	)
	s.under(terms, &ws[len(h.Seats)+1])
	return s.met(terms, s.taken(h, s.t.Transact(ctx, ws, "")))
}

// Block is T8: a hold without allowance or deadline.
func (s *Store) Block(ctx context.Context, h booking.Hold) error {
	ws := append(claimWrites(h), Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}})
	return s.taken(h, s.t.Transact(ctx, ws, ""))
}

func claimWrites(h booking.Hold) []Write {
	ws := make([]Write, 0, len(h.Seats)+6)
	claim := Item{aOwner: claimOwner(h)} // the same for every seat: items go in by value
	var block, pk string
	for i, seat := range h.Seats {
		if i == 0 || seat.Block != block {
			block, pk = seat.Block, blockPK(h.Show, seat.Block)
		}
		ws = append(ws, Write{Key: Key{Claims, pk, string(seat.ID)}, Put: claim, Where: Absent{}})
	}
	return ws
}

func seatKey(s booking.Seat) boxoffice.SeatKey { return boxoffice.SeatKey{Seat: s.ID, Block: s.Block} }

// allow adds the hold's seats to its buyer's, within the limit (TenAtMost), and names the
// hold: what somebody has is known from his allowances alone, at no further unit.
func (s *Store) allow(h booking.Hold, keepUntil time.Time) Write {
	return s.allowTo(h, h.Buyer, keepUntil)
}

func (s *Store) allowTo(h booking.Hold, of booking.Buyer, keepUntil time.Time) Write {
	n := int64(len(h.Seats))
	return Write{
		Key: capKey(h.Show, of),
		Update: []Change{
			{Attr: aCount, Op: Add, To: n},
			{Attr: aHolds, Op: SetAdd, To: Set{string(h.ID)}},
			{Attr: aTTL, Op: SetTo, To: keepUntil.Unix()},
		},
		Where: Any{NoAttr{aCount}, AtMost{aCount, int64(s.policy.MaxSeats) - n}},
	}
}

func noMore(h booking.Hold) Change {
	return Change{Attr: aHolds, Op: SetDelete, To: Set{string(h.ID)}}
}

// under adds to the allowance's write what else of the buyer's past decides: what he
// dropped, and which challenge he used last. It is the same item, so it costs nothing.
func (s *Store) under(t booking.Terms, w *Write) {
	where := All{w.Where}
	switch {
	case s.policy.FreeDrops == 0:
	case t.Drops == nil:
		where = append(where, Any{NoAttr{aDrops}, AtMost{aDrops, int64(s.policy.FreeDrops) - 1}})
	default:
		where = append(where, Equal{aDrops, int64(t.Drops.Was.N)})
		w.Update = append(w.Update, Change{Attr: aDrops, Op: SetTo, To: int64(t.Drops.Next.N)})
	}
	if !t.WorkedAt.IsZero() {
		where = append(where, unused(t.WorkedAt))
		w.Update = append(w.Update, Change{Attr: aWorked, Op: SetTo, To: t.WorkedAt.UnixMilli()})
	}
	if len(where) > 1 {
		w.Where = where
	}
}

// unused: a challenge is used once, for no later one and not itself was used before.
func unused(madeAt time.Time) Cond {
	return Any{NoAttr{aWorked}, Less{aWorked, madeAt.UnixMilli()}}
}

// useWork notes a solved challenge where no seats are taken with it.
func useWork(show catalog.ShowID, b booking.Buyer, madeAt, keepUntil time.Time) Write {
	last, end := Change{Attr: aWorked, Op: SetTo, To: madeAt.UnixMilli()}, Change{Attr: aTTL, Op: SetTo, To: keepUntil.Unix()}
	return Write{Key: capKey(show, b), Update: []Change{last, end}, Where: unused(madeAt)}
}

func (s *Store) timerItem(h booking.Hold) Item {
	return Item{
		aKind: "hold", aExpires: h.ExpiresAt.UnixMilli(),
		aTTL: h.ExpiresAt.Add(s.policy.Grace + timerGrace).Unix(),
	}
}

// taken reads T1's refusal: what stood in the way, in the buyer's terms.
func (s *Store) taken(h booking.Hold, err error) error {
	if err == nil {
		return nil
	}
	var c *Canceled
	if !errors.As(err, &c) {
		return err
	}
	if !c.Has(ReasonCondition) {
		return classify(c)
	}
	t := &boxoffice.Taken{Claims: map[seatmap.SeatID]boxoffice.Owner{}, Partial: c.Has(ReasonConflict) || c.Has(ReasonThrottled)}
	for i, r := range c.Reasons {
		if r.Code != ReasonCondition {
			continue
		}
		switch {
		case i < len(h.Seats):
			o, err := ownerOf(r.Old)
			if err != nil {
				return err
			}
			t.Claims[h.Seats[i].ID] = o
		case i == len(h.Seats):
			old, err := HoldFromItem(r.Old)
			if err != nil {
				return err
			}
			t.Existing = &old
		default:
			s.past(t, h, r.Old)
		}
	}
	return t
}

// past reads of an allowance that refused what it says of its buyer.
func (s *Store) past(t *boxoffice.Taken, h booking.Hold, old Item) {
	n, _ := old[aCount].(int64)
	drops, _ := old[aDrops].(int64)
	r := row{item: old}
	t.Holding, t.Full = int(n), int(n)+len(h.Seats) > s.policy.MaxSeats
	t.Drops, t.WorkedAt = booking.Drops{N: int(drops), Last: r.time(aDropped)}, r.time(aWorked)
}

// met tells whether the challenge was what refused a hold.
func (s *Store) met(terms booking.Terms, err error) error {
	var t *boxoffice.Taken
	if errors.As(err, &t) {
		t.Used = !terms.WorkedAt.IsZero() && !terms.WorkedAt.After(t.WorkedAt)
	}
	return err
}

// classify a refusal whose single conditions do not matter to the caller.
func classify(err error) error {
	var c *Canceled
	if !errors.As(err, &c) {
		return err
	}
	switch {
	case c.Has(ReasonFault):
		return fmt.Errorf("store: %w", c)
	case c.Has(ReasonCondition):
		return ErrStale
	case c.Has(ReasonThrottled):
		return ErrThrottled
	}
	return ErrContended
}

// disallow gives the seats of a hold back to an allowance: its buyer's, or a contact's.
func disallow(was booking.Hold, of booking.Buyer) Write {
	n := int64(len(was.Seats))
	return Write{Key: capKey(was.Show, of), Update: []Change{{Attr: aCount, Op: Add, To: -n}, noMore(was)}, Where: AtLeast{aCount, n}}
}

// Release is T3, the only transaction that ends a hold.
func (s *Store) Release(ctx context.Context, e booking.Ending, o *boxoffice.OrderChange) error {
	was := e.Was
	hold := All{asRead(was)}
	if e.Hold.State == booking.Expired {
		hold = append(hold, AtMost{aExpires, e.Hold.EndedAt.Add(-s.policy.Grace).UnixMilli()})
	}
	ws := []Write{{Key: holdKey(was.ID), Put: holdItem(e.Hold), Where: hold}}
	for _, seat := range e.Free {
		ws = append(ws, Write{Key: claimKey(was.Show, seatKey(seat)), Delete: true, Where: Equal{aOwner, claimOwner(was)}})
	}
	for _, seat := range e.Line {
		ws = append(ws,
			Write{Key: claimKey(was.Show, seatKey(seat)), Put: Item{aOwner: lineOwner}, Where: Equal{aOwner, claimOwner(was)}},
			Write{Key: poolKey(was.Show, seat.ID), Put: Item{aType: string(seat.Type), aBlock: seat.Block}},
		)
	}
	if was.State != booking.Blocked {
		ws = append(ws, disallow(was, was.Buyer))
		if e.Dropped() {
			last := &ws[len(ws)-1]
			last.Update = append(last.Update, Change{Attr: aDrops, Op: Add, To: int64(1)}, Change{Attr: aDropped, Op: SetTo, To: e.Hold.EndedAt.UnixMilli()})
		}
		for _, c := range was.Contacts {
			ws = append(ws, disallow(was, booking.Buyer(c)))
		}
	}
	if was.State == booking.Held {
		ws = append(ws, Write{Key: timerKey(was), Delete: true})
	}
	if len(e.Free) > 0 {
		ws = append(ws, gateCheck(e))
	}
	if o != nil {
		ws = append(ws, orderWrite(*o))
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// gateCheck refuses to free a seat of a type that somebody waits for (NoGap).
func gateCheck(e booking.Ending) Write {
	unwanted := All{}
	for _, t := range e.FreedTypes() {
		unwanted = append(unwanted, NotHolding{aWanted, string(t)})
	}
	return Write{Key: gateKey(e.Was.Show, shardOf(e.Was.ID)), Check: true, Where: unwanted}
}

// asRead is the condition that the hold is still what was read.
func asRead(h booking.Hold) Cond {
	return All{Equal{aState, h.State.String()}, Equal{aRev, h.Rev}}
}

// HoldByID reads a hold, strongly consistent.
func (s *Store) HoldByID(ctx context.Context, id booking.HoldID) (booking.Hold, error) {
	return one(ctx, s.t, holdKey(id), HoldFromItem, booking.ErrHoldNotFound)
}

// one reads an item, strongly consistent; where there is none the answer is absent.
func one[T any](ctx context.Context, t Tables, k Key, of func(Item) (T, error), absent error) (none T, err error) {
	it, err := t.Get(ctx, k, true)
	if err != nil {
		return none, fmt.Errorf("read %s: %w", k.PK, err)
	}
	if it == nil {
		return none, absent
	}
	return of(it)
}

// HoldsByID reads several holds, strongly consistent, not at one moment.
func (s *Store) HoldsByID(ctx context.Context, ids []booking.HoldID) (map[booking.HoldID]booking.Hold, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	_, holds, err := s.Look(ctx, "", nil, ids)
	return holds, err
}

// Claims reads the claims of some seats, strongly consistent, not at one moment.
func (s *Store) Claims(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey) (map[seatmap.SeatID]boxoffice.Owner, error) {
	claims, _, err := s.Look(ctx, show, seats, nil)
	return claims, err
}

// ClaimsAtOnce reads the claims of some seats, a hundred at one moment, for twice the
// units of Claims.
func (s *Store) ClaimsAtOnce(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey) (map[seatmap.SeatID]boxoffice.Owner, error) {
	claims := make(map[seatmap.SeatID]boxoffice.Owner, len(seats))
	for some := range slices.Chunk(seats, atOnce) {
		ks := make([]Key, len(some))
		for i, seat := range some {
			ks[i] = claimKey(show, seat)
		}
		items, err := s.t.TransactGet(ctx, ks)
		if err != nil {
			return nil, fmt.Errorf("read %d claims of %s at once: %w", len(some), show, classify(err))
		}
		for i, it := range items {
			if it == nil {
				continue
			}
			if claims[some[i].Seat], err = ownerOf(it); err != nil {
				return nil, err
			}
		}
	}
	return claims, nil
}

const atOnce = 100 // items of one TransactGet

// Look reads claims and holds in one request of up to a hundred, strongly
// consistent, not at one moment.
func (s *Store) Look(ctx context.Context, show catalog.ShowID, seats []boxoffice.SeatKey, ids []booking.HoldID) (map[seatmap.SeatID]boxoffice.Owner, map[booking.HoldID]booking.Hold, error) {
	ks := make([]Key, 0, len(seats)+len(ids))
	for _, seat := range seats {
		ks = append(ks, claimKey(show, seat))
	}
	for _, id := range ids {
		ks = append(ks, holdKey(id))
	}
	items, err := s.t.BatchGet(ctx, ks, true)
	if err != nil {
		return nil, nil, fmt.Errorf("read %d claims of %s and %d holds: %w", len(seats), show, len(ids), err)
	}
	claims := make(map[seatmap.SeatID]boxoffice.Owner, len(seats))
	holds := make(map[booking.HoldID]booking.Hold, len(ids))
	for k, it := range items {
		if k.Table == Claims {
			if claims[seatmap.SeatID(k.SK)], err = ownerOf(it); err != nil {
				return nil, nil, err
			}
			continue
		}
		h, err := HoldFromItem(it)
		if err != nil {
			return nil, nil, err
		}
		holds[h.ID] = h
	}
	return claims, holds, nil
}

// BlockClaims reads one partition of claims.
func (s *Store) BlockClaims(ctx context.Context, show catalog.ShowID, block string) (map[seatmap.SeatID]boxoffice.Owner, error) {
	claims := map[seatmap.SeatID]boxoffice.Owner{}
	q := Query{Table: Claims, PK: blockPK(show, block), Consistent: true}
	err := s.each(ctx, q, func(it Item) error {
		o, err := ownerOf(it)
		id, _ := it["sk"].(string)
		claims[seatmap.SeatID(id)] = o
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read claims of %s, block %s: %w", show, block, err)
	}
	return claims, nil
}

// each visits all pages of a query, or the one page of a query with a limit.
func (s *Store) each(ctx context.Context, q Query, visit func(Item) error) error {
	for {
		items, next, err := s.t.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, it := range items {
			if err := visit(it); err != nil {
				return err
			}
		}
		if next == "" || q.Limit > 0 {
			return nil
		}
		q.Next = next
	}
}

// Wanted reads the one gate of eight that a release of the hold checks.
func (s *Store) Wanted(ctx context.Context, show catalog.ShowID, id booking.HoldID) (booking.Wanted, error) {
	it, err := s.t.Get(ctx, gateKey(show, shardOf(id)), true)
	if err != nil {
		return nil, fmt.Errorf("read gate of %s: %w", show, err)
	}
	set, _ := it[aWanted].(Set)
	var w booking.Wanted
	for _, t := range set {
		w = append(w, seatmap.SeatType(t))
	}
	return w, nil
}

// Allowance reads how many seats the buyer has.
func (s *Store) Allowance(ctx context.Context, show catalog.ShowID, b booking.Buyer) (int, error) {
	it, err := s.t.Get(ctx, capKey(show, b), true)
	n, _ := it[aCount].(int64)
	return int(n), err
}

// Timers reads one shard of a show's deadlines, soonest first.
func (s *Store) Timers(ctx context.Context, show catalog.ShowID, shard int, upTo time.Time, most int) ([]boxoffice.Timer, error) {
	q := Query{Table: Timers, PK: timerPK(show, shard), Consistent: true, Limit: most}
	if !upTo.IsZero() {
		q.Before = timerSK(upTo.Add(time.Millisecond), "")
	}
	var timers []boxoffice.Timer
	err := s.each(ctx, q, func(it Item) error {
		t, err := TimerFromItem(it)
		timers = append(timers, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read timers of %s: %w", show, err)
	}
	return timers, nil
}
