package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Attributes of the line's state.
const (
	aNext = "next"
	aDry  = "dry"
	aLast = "last"
	aBase = "base" // of the places
	aBits = "bits" // a bit a place in line
	aSeen = "seen"
)

// errPlan refuses to carry out what is no transaction.
var errPlan = fault.New(fault.Internal, "", "store: a plan without a transaction")

// LineState reads the line's version first and the rest after it, so that what
// has changed since refuses the commit. It is Contended while a numbering lands: a
// plain read may see some of a transaction before the rest, and whoever saw the
// version without the waiter that it numbered would close the gates behind him.
func (s *Store) LineState(ctx context.Context, show catalog.ShowID, r line.Reading) (line.State, error) {
	st, err := s.lineGlance(ctx, show, true)
	if err != nil {
		return st, err
	}
	front, err := s.contents(ctx, show, r.Stretch(), &st)
	if err != nil {
		return st, err
	}
	ids := slices.Concat(st.Last, r.Named)
	for _, a := range st.Pool {
		if a.For != "" {
			ids = append(ids, a.For)
		}
	}
	for _, w := range front {
		ids = append(ids, w.ID)
	}
	slices.Sort(ids)
	found, err := s.Waiters(ctx, slices.Compact(ids))
	if err != nil {
		return st, err
	}
	for _, id := range st.Last {
		if found[id].State == line.Asked {
			return st, fmt.Errorf("read line of %s: %w", show, ErrContended)
		}
	}
	for _, w := range front {
		if _, ok := found[w.ID]; !ok {
			st.Waiters = append(st.Waiters, w)
		}
	}
	for _, id := range slices.Compact(ids) {
		if w, ok := found[id]; ok && w.Show == show && !strayed(w, &st, front) {
			st.Waiters = append(st.Waiters, w)
		}
	}
	return st, nil
}

// strayed: it has ended, and what it left in the line is gone already.
func strayed(w line.Waiter, st *line.State, front []line.Waiter) bool {
	if !w.State.Ended() {
		return false
	}
	return !st.Places.Has(w.Number) && !slices.ContainsFunc(front, func(f line.Waiter) bool { return f.ID == w.ID })
}

// LineHead is the line as far as it tells why somebody waits, strongly consistent,
// not at one moment: what is set aside, and the first few.
func (s *Store) LineHead(ctx context.Context, show catalog.ShowID) (line.State, error) {
	var st line.State
	front, err := s.contents(ctx, show, headMost, &st)
	if err != nil {
		return st, err
	}
	ids := make([]line.WaiterID, len(front))
	for i, w := range front {
		ids[i] = w.ID
	}
	found, err := s.Waiters(ctx, ids)
	if err != nil {
		return st, err
	}
	for _, w := range found {
		st.Waiters = append(st.Waiters, w)
	}
	return st, nil
}

const (
	headMost = 8  // entries
	asides   = 16 // that a page has room for beside the entries
)

// contents reads what is set aside and the first entries in order of number, which
// lie in one partition, the state between them: one request as long as little is set
// aside. An entry whose waiter is gone reads as one that has ended, to be tidied.
func (s *Store) contents(ctx context.Context, show catalog.ShowID, most int, st *line.State) ([]line.Waiter, error) {
	var front []line.Waiter
	q := Query{Table: Line, PK: linePK(show), Consistent: true}
	if most > 0 {
		q.Limit = most + 1 + asides
	}
	for {
		items, next, err := s.t.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read line of %s: %w", show, err)
		}
		for _, it := range items {
			switch sk, _ := it["sk"].(string); {
			case strings.HasPrefix(sk, poolPrefix):
				a, err := asideOf(it)
				if err != nil {
					return nil, err
				}
				st.Pool = append(st.Pool, a)
			case !strings.HasPrefix(sk, entryPrefix):
			case most > 0 && len(front) == most:
				st.More = true
				return front, nil
			default:
				w, err := entryOf(it, show)
				if err != nil {
					return nil, err
				}
				front, st.Through = append(front, w), w.Number
			}
		}
		if q.Next = next; next == "" || most > 0 && len(front) == most {
			st.More = next != ""
			return front, nil
		}
		q.Limit *= 4
	}
}

func entryOf(it Item, show catalog.ShowID) (line.Waiter, error) {
	r := row{item: it}
	n, err := strconv.ParseInt(strings.TrimPrefix(r.str("sk"), entryPrefix), 10, 64)
	if err != nil {
		r.fail("sk")
	}
	return line.Waiter{
		ID: line.WaiterID(r.str(aWaiter)), Show: show, Number: n, State: line.TimedOut, Party: 1, Types: []seatmap.SeatType{seatmap.Regular},
	}, r.err
}

// LineGlance is the line's state item alone, eventually consistent: who is in line,
// what is wanted, and when somebody last looked after it.
func (s *Store) LineGlance(ctx context.Context, show catalog.ShowID) (line.State, error) {
	return s.lineGlance(ctx, show, false)
}

func (s *Store) lineGlance(ctx context.Context, show catalog.ShowID, consistent bool) (line.State, error) {
	it, err := s.t.Get(ctx, stateKey(show), consistent)
	if err != nil {
		return line.State{}, fmt.Errorf("read line of %s: %w", show, err)
	}
	return lineOf(it), nil
}

func lineOf(it Item) line.State {
	r := row{item: it}
	var st line.State
	st.Version, _ = it[aVersion].(int64)
	st.Next, _ = it[aNext].(int64)
	st.Wanted, st.Dry = typesIn(it, aWanted), typesIn(it, aDry)
	last, _ := it[aLast].([]any)
	for _, v := range last {
		id, _ := v.(string)
		st.Last = append(st.Last, line.WaiterID(id))
	}
	base, _ := it[aBase].(int64)
	bits, _ := it[aBits].([]byte)
	st.Places, st.Seen = line.ParsePlaces(base, bits), r.time(aSeen)
	return st
}

func typesIn(it Item, attr string) (types []seatmap.SeatType) {
	set, _ := it[attr].(Set)
	for _, t := range set {
		types = append(types, seatmap.SeatType(t))
	}
	slices.Sort(types)
	return types
}

func typeSet(types []seatmap.SeatType) Set {
	set := make(Set, len(types))
	for i, t := range types {
		set[i] = string(t)
	}
	return set
}

// SawLine notes that a run found nothing left to do. It is no commit: the version
// stays, and a line that was never opened is not made.
func (s *Store) SawLine(ctx context.Context, show catalog.ShowID, at line.Stamp) error {
	return classify(s.t.Transact(ctx, []Write{{
		Key: stateKey(show), Update: []Change{{Attr: aSeen, Op: SetTo, To: at.Now.UnixMilli()}}, Where: Exists{},
	}}, ""))
}

// CommitLine carries out a plan, fenced by the version of the state that it was
// made from.
func (s *Store) CommitLine(ctx context.Context, show catalog.ShowID, was line.State, p line.Plan, at line.Stamp) error {
	if act := p.Act(); act == 0 || act == line.Idle || act == line.Look || act == line.ReadOn {
		return fmt.Errorf("commit line of %s: %w: %s", show, errPlan, act)
	}
	c := laneCommit{s: s, show: show, at: at}
	c.fence(was, p)
	if p.Gates {
		gate := Item{aWanted: typeSet(p.Wanted)}
		c.keep(gate)
		for k := range boxoffice.Shards {
			c.add(Write{Key: gateKey(show, k), Put: gate})
		}
	}
	if p.Aside != nil {
		c.setAside(*p.Aside)
	}
	for _, e := range p.Ends() {
		c.end(e)
	}
	if p.Offer != nil {
		c.offer(*p.Offer)
	}
	for _, w := range p.Tidy {
		c.add(Write{Key: entryKey(show, w.Number), Delete: true})
	}
	for _, a := range p.Drain {
		c.add(
			Write{Key: poolKey(show, a.Seat), Delete: true, Where: All{Exists{}, NoAttr{aFor}}},
			Write{Key: asideKey(show, a), Delete: true, Where: Equal{aOwner, lineOwner}},
		)
	}
	for _, w := range p.Number {
		entry := Item{aWaiter: string(w.ID)}
		c.keep(entry)
		c.waiter(w, All{Equal{aState, line.Asked.String()}, Equal{aBuyer, string(w.Buyer)}})
		c.add(Write{Key: entryKey(show, w.Number), Put: entry, Where: Absent{}})
	}
	return classify(s.t.Transact(ctx, c.ws, ""))
}

// laneCommit gathers the writes of one plan.
type laneCommit struct {
	s    *Store
	show catalog.ShowID
	at   line.Stamp
	ws   []Write
}

func (c *laneCommit) add(ws ...Write) { c.ws = append(c.ws, ws...) }

func (c *laneCommit) keep(it Item) {
	if !c.at.KeepUntil.IsZero() {
		it[aTTL] = c.at.KeepUntil.Unix()
	}
}

func (c *laneCommit) fence(was line.State, p line.Plan) {
	w := Write{
		Key:    stateKey(c.show),
		Update: []Change{{Attr: aVersion, Op: SetTo, To: was.Version + 1}},
		Where:  Equal{aVersion, was.Version},
	}
	if was.Version == 0 {
		w.Where = NoAttr{aVersion}
	}
	set := func(attr string, to any) { w.Update = append(w.Update, Change{Attr: attr, Op: SetTo, To: to}) }
	if !c.at.Now.IsZero() {
		set(aSeen, c.at.Now.UnixMilli())
	}
	if was.Version == 0 && !c.at.KeepUntil.IsZero() {
		set(aTTL, c.at.KeepUntil.Unix())
	}
	if p.Gates {
		set(aWanted, typeSet(p.Wanted))
	}
	if p.Gates || p.Aside != nil {
		set(aDry, typeSet(p.Dry))
	}
	if len(p.Number) > 0 {
		last := make(Texts, len(p.Number))
		for i, n := range p.Number {
			last[i] = string(n.ID)
		}
		set(aNext, p.Next)
		set(aLast, last)
	}
	if places := p.Places(was.Places); places.Base() != was.Places.Base() || !slices.Equal(places.Bytes(), was.Places.Bytes()) {
		set(aBase, places.Base())
		set(aBits, places.Bytes())
	}
	c.add(w)
}

func (c *laneCommit) waiter(w line.Waiter, where Cond) {
	c.add(Write{Key: waiterKey(w.ID), Put: waiterItem(w), Where: where})
}

// setAside is L1.
func (c *laneCommit) setAside(a line.SettingAside) {
	claim := Item{aOwner: lineOwner}
	for _, seat := range a.Seats {
		c.add(
			Write{Key: asideKey(c.show, seat), Put: claim, Where: Absent{}},
			Write{Key: poolKey(c.show, seat.Seat), Put: c.poolItem(seat)},
		)
	}
	c.waiter(a.Waiter, inState(a.Was))
	c.offerTimer(a.Waiter)
}

func (c *laneCommit) poolItem(a line.Aside) Item {
	it := Item{aType: string(a.Type), aBlock: a.Block}
	if a.For != "" {
		it[aFor] = string(a.For)
	}
	return it
}

// end is L2, L3 or L4. A lapse is refused before the deadline and the grace.
func (c *laneCommit) end(e line.End) {
	where := inState(e.Was)
	if e.Waiter.State == line.Lapsed {
		where = All{where, AtMost{aOffered, e.Waiter.EndedAt.Add(-c.s.policy.Grace).UnixMilli()}}
	}
	c.waiter(e.Waiter, where)
	c.add(backWrites(c.show, e.Was.ID, e.Back)...)
	var place *line.Place
	if e.Refused {
		place = c.at.Place
	}
	c.add(closeWrite(e.Was, place))
	if e.Was.Number > 0 {
		c.add(Write{Key: entryKey(c.show, e.Was.Number), Delete: true})
	}
}

// offer is L5.
func (c *laneCommit) offer(o line.Offering) {
	for _, a := range o.Waiter.Offer.Seats {
		c.add(Write{
			Key: poolKey(c.show, a.Seat), Update: []Change{{Attr: aFor, Op: SetTo, To: string(o.Waiter.ID)}},
			Where: All{Exists{}, NoAttr{aFor}},
		})
	}
	c.waiter(o.Waiter, inState(o.Was))
	for _, v := range o.Passed {
		c.waiter(v, inState(v))
	}
	c.offerTimer(o.Waiter)
}

func (c *laneCommit) offerTimer(w line.Waiter) {
	if w.State == line.Offered {
		c.add(c.s.waiterTimer(w, "offer", w.Offer.ExpiresAt))
	}
}

// PoolSeat reads a pool item as the line's stream shows it; ok is false for its
// other items.
func PoolSeat(it Item) (show catalog.ShowID, seat seatmap.SeatID, ok bool) {
	pk, _ := it["pk"].(string)
	sk, _ := it["sk"].(string)
	s, isLine := strings.CutPrefix(pk, linePrefix)
	id, isPool := strings.CutPrefix(sk, poolPrefix)
	return catalog.ShowID(s), seatmap.SeatID(id), isLine && isPool
}
