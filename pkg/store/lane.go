package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const skState = "STATE"

func stateKey(show catalog.ShowID) Key { return Key{Line, linePK(show), skState} }

// errNoWaiters: the rows of those who wait do not exist yet.
var errNoWaiters = fault.New(fault.Internal, "", "store: a plan for somebody who waits")

// LineState reads the line's version first and the rest after it, so that what
// has changed since refuses the commit.
func (s *Store) LineState(ctx context.Context, show catalog.ShowID) (line.State, error) {
	var st line.State
	it, err := s.t.Get(ctx, stateKey(show), true)
	if err != nil {
		return st, fmt.Errorf("read line of %s: %w", show, err)
	}
	st.Version, _ = it[aVersion].(int64)
	wanted, _ := it[aWanted].(Set)
	for _, t := range wanted {
		st.Wanted = append(st.Wanted, seatmap.SeatType(t))
	}
	err = s.each(ctx, Query{Table: Line, PK: linePK(show), Prefix: poolPrefix, Consistent: true}, func(it Item) error {
		r := row{item: it}
		st.Pool = append(st.Pool, line.Aside{
			Seat: seatmap.SeatID(strings.TrimPrefix(r.str("sk"), poolPrefix)),
			Type: seatmap.SeatType(r.str(aType)), Block: r.str(aBlock), For: line.WaiterID(r.optional(aFor)),
		})
		return r.err
	})
	if err != nil {
		return st, fmt.Errorf("read pool of %s: %w", show, err)
	}
	return st, nil
}

// CommitLine carries out a plan, fenced by the version that it was made from.
func (s *Store) CommitLine(ctx context.Context, show catalog.ShowID, version int64, p line.Plan) error {
	if act := p.Act(); act != line.SetGates && act != line.DrainPool || len(p.Dry) > 0 || len(p.Tidy) > 0 {
		return fmt.Errorf("commit line of %s: %w: %s", show, errNoWaiters, act)
	}
	wanted := make(Set, len(p.Wanted))
	for i, t := range p.Wanted {
		wanted[i] = string(t)
	}
	ws := []Write{s.fence(show, version, p, wanted)}
	if p.Gates {
		for k := range boxoffice.Shards {
			ws = append(ws, Write{Key: gateKey(show, k), Put: Item{aWanted: wanted}})
		}
	}
	for _, a := range p.Drain {
		ws = append(ws,
			Write{Key: poolKey(show, a.Seat), Delete: true, Where: All{Exists{}, NoAttr{aFor}}},
			Write{Key: claimKey(show, boxoffice.SeatKey{Seat: a.Seat, Block: a.Block}), Delete: true, Where: Equal{aOwner, lineOwner}},
		)
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

func (s *Store) fence(show catalog.ShowID, version int64, p line.Plan, wanted Set) Write {
	w := Write{
		Key:    stateKey(show),
		Update: []Change{{Attr: aVersion, Op: SetTo, To: version + 1}},
		Where:  Equal{aVersion, version},
	}
	if version == 0 {
		w.Where = NoAttr{aVersion}
	}
	switch {
	case p.Gates && len(wanted) == 0:
		w.Update = append(w.Update, Change{Attr: aWanted, Op: Unset})
	case p.Gates:
		w.Update = append(w.Update, Change{Attr: aWanted, Op: SetTo, To: wanted})
	}
	return w
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
