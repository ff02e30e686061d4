package boxoffice

import (
	"context"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Wake is why the lane of a show runs. It carries no fact: what is done depends on
// the state that is read.
type Wake struct {
	Named  []line.WaiterID // whom to number, or to look at though they stand far behind
	Joined bool            // somebody asked to wait, perhaps before the last sale
	Sold   bool            // somebody may wait in vain by now
	Sweep  bool            // nobody has looked after the line: end what is overdue, too
}

// RunLane reads, steps and commits until nothing is left to do. Any number of
// runs at once is safe: the queue's order is a convenience, the fence the guard.
func (o *Office) RunLane(ctx context.Context, show catalog.ShowID, w Wake) error {
	r := laneRun{o: o, id: show, reading: line.Reading{Named: w.Named}, vain: w.Sold || w.Sweep, asked: w.Joined}
	if w.Sweep {
		if _, err := o.Sweep(ctx, show, sweepMost); err != nil {
			return err
		}
	}
	for {
		err := o.attempt(ctx, func(now time.Time) error { return r.once(ctx, now) })
		if err != nil {
			return err
		}
		if r.idle {
			return o.seen(ctx, show, r.state.Seen)
		}
	}
}

// laneRun is one run, its hall read when somebody first waits in it.
type laneRun struct {
	o  *Office
	id catalog.ShowID

	sale    sale
	known   bool // sale was read
	policy  line.Policy
	reading line.Reading
	scan    []seatmap.SeatType // wished by the last plan
	vain    bool               // look whether somebody waits in vain
	asked   bool               // somebody asked to wait
	joined  bool               // and was acknowledged: look whether that was before the last sale
	state   line.State
	idle    bool
}

// once reads, steps and carries out at most one transaction.
func (r *laneRun) once(ctx context.Context, now time.Time) error {
	s, err := r.o.Lane.LineState(ctx, r.id, r.reading)
	if err != nil {
		return err
	}
	if err := r.complete(ctx, &s); err != nil {
		return err
	}
	p, err := line.Step(s, r.policy, now)
	if err != nil {
		return err
	}
	r.state, r.idle = s, p.Idle()
	switch {
	case p.More:
		r.reading = r.reading.On()
		return nil
	case p.Scan != nil:
		r.scan = p.Scan
		return nil
	case r.idle:
		return nil
	}
	at := line.Stamp{Now: now, KeepUntil: r.sale.keepUntil()}
	if p.End != nil && p.End.Refused {
		place, err := r.o.Lane.Place(ctx, r.id, p.End.Was.Buyer)
		if err != nil {
			return err
		}
		place = place.Close(true, r.policy, now)
		at.Place = &place
	}
	if err := r.o.Lane.CommitLine(ctx, r.id, s, p, at); err != nil {
		return err
	}
	r.joined = r.joined || r.asked && (p.Act() == line.NumberJoiners || p.Act() == line.SetAside)
	switch p.Act() {
	case line.SetAside, line.Lapse, line.TimeOut, line.GiveUp: // before it was asked who waits in vain, or there may be more
	default:
		r.vain = false
	}
	r.reading.Front, r.scan = 0, nil // begin again with as little as decides
	return r.after(ctx, p, now)
}

// after spares a run its last reading: where nothing is left to do once the plan is
// carried out, only others could have given it more, and that wakes a run of its own.
func (r *laneRun) after(ctx context.Context, p line.Plan, now time.Time) error {
	if r.vain {
		return nil
	}
	r.state = r.state.After(p)
	r.state.Seen = now // noted with the commit
	if r.joined && len(r.state.Wanted) > 0 {
		if look, err := r.worthLooking(ctx, &r.state); err != nil || look {
			return err
		}
	}
	next, err := line.Step(r.state, r.policy, now)
	r.idle = err == nil && next.Idle()
	return err
}

// complete reads beside the line what the step may need.
func (r *laneRun) complete(ctx context.Context, s *line.State) error {
	r.policy = r.o.Line
	if len(s.Waiters) == 0 && len(s.Pool) == 0 && s.Version == 0 {
		return nil
	}
	if !r.known {
		show, err := r.o.Catalog.Show(ctx, r.id)
		if err != nil {
			return err
		}
		l, err := r.o.Catalog.Layout(ctx, show.LayoutID)
		if err != nil {
			return err
		}
		r.sale, r.known = sale{show: show, layout: l}, true
	}
	r.policy = r.o.lineRule(r.sale.show)
	s.Layout, s.ClosesAt = r.sale.layout, r.o.lineCloses(r.sale.show)
	if r.scan != nil {
		free, err := r.o.freeOf(ctx, r.sale, r.scan)
		if err != nil {
			return err
		}
		s.Free, s.Scanned = free, r.scan
	}
	if len(s.Wanted) == 0 || !r.vain && !r.joined {
		return nil
	}
	return r.unsold(ctx, s)
}

// doubtful: by the snapshot one of those who were read waits in vain. The sale that
// makes it so woke nobody where nothing was wanted yet.
func (r *laneRun) doubtful(s *line.State, m *Map) bool {
	could := unsoldBy(m)
	return could != nil && slices.ContainsFunc(s.Waiters, func(w line.Waiter) bool {
		if w.State != line.Waiting {
			return false
		}
		_, ok := line.Fit(r.sale.layout, could, w.Party, w.Types)
		return !ok
	})
}

// few seats of a type that could still come free are worth an exact look whether
// somebody waits for more. The snapshot that says so may be two seconds old.
const few = 3 * 10

// worthLooking: by the snapshot somebody may wait in vain; if not, nobody asks again.
func (r *laneRun) worthLooking(ctx context.Context, s *line.State) (bool, error) {
	m, err := r.o.Store.Snapshot(ctx, r.id)
	if err != nil {
		return false, err
	}
	scarce := slices.ContainsFunc(s.Wanted, func(t seatmap.SeatType) bool {
		return m != nil && m.Tallies[t].Free+m.Tallies[t].Held+m.Tallies[t].Line < few
	})
	if !scarce || !r.vain && !r.doubtful(s, m) {
		r.vain, r.joined = false, false
		return false, nil
	}
	return true, nil
}

// unsold reads who waits in vain, which takes the whole line and all claims twice:
// only when nearly all is sold.
func (r *laneRun) unsold(ctx context.Context, s *line.State) error {
	look, err := r.worthLooking(ctx, s)
	if err != nil || !look {
		return err
	}
	r.vain = true
	if s.More {
		r.reading.Front = -1
		if *s, err = r.o.Lane.LineState(ctx, r.id, r.reading); err != nil {
			return err
		}
		s.Layout, s.ClosesAt = r.sale.layout, r.o.lineCloses(r.sale.show)
	}
	first, err := r.o.fates(ctx, r.sale)
	if err != nil {
		return err
	}
	second, err := r.o.fates(ctx, r.sale)
	if err != nil {
		return err
	}
	s.Unsold = line.Unsold(r.sale.layout, first, second)
	return nil
}

// fates reads all claims, then the holds behind them.
func (o *Office) fates(ctx context.Context, s sale) (map[seatmap.SeatID]line.Fate, error) {
	claims, err := o.claims(ctx, s, nil)
	if err != nil {
		return nil, err
	}
	holds, err := o.Store.HoldsByID(ctx, owners(claims))
	if err != nil {
		return nil, err
	}
	all := make(map[seatmap.SeatID]line.Fate, len(claims))
	for id, owner := range claims {
		if h, ok := holds[owner.Hold]; ok {
			all[id] = line.Fate{Hold: h.ID, State: h.State, Rev: h.Rev}
		}
	}
	return all, nil
}

// freeOf reads which seats of the types have no claim, block by block: behind the
// open gates they only get fewer, so it need not be one moment.
func (o *Office) freeOf(ctx context.Context, s sale, types []seatmap.SeatType) (func(i int) bool, error) {
	var blocks []int
	for i := range s.layout.Len() {
		if at := s.layout.At(i); slices.Contains(types, at.Type) {
			blocks = append(blocks, at.Block)
		}
	}
	slices.Sort(blocks)
	claims, err := o.claimsOf(ctx, s, slices.Compact(blocks))
	if err != nil {
		return nil, err
	}
	return func(i int) bool {
		at := s.layout.At(i)
		_, taken := claims[at.ID]
		return !taken && slices.Contains(types, at.Type)
	}, nil
}

// lineRule is the policy with what the organiser has set for the show.
func (o *Office) lineRule(s catalog.Show) line.Policy {
	p := o.Line
	if p.Rule = line.Strict; s.LinePasses > 0 {
		p.Rule, p.Passes = line.Bounded, s.LinePasses
	}
	return p
}

// lineCloses is when nobody waits any more; what is set aside then becomes free
// while the sale goes on. A show that was cancelled, and one whose house wants no
// line, has closed it.
func (o *Office) lineCloses(s catalog.Show) time.Time {
	if s.Status != catalog.OnSale || s.NoLine {
		return time.UnixMilli(1)
	}
	at := s.StartsAt.Add(-o.LineCloses)
	if s.SaleClosesAt.Before(at) {
		return s.SaleClosesAt
	}
	return at
}

// A line is unattended when no run has read it for so long: then whoever looks asks
// for a run, and later runs it himself.
const (
	nudgeAfter = 5 * time.Second
	runAfter   = 10 * time.Second
	seenEvery  = 2 * time.Second // a run notes no more often that it was there
)

// seen notes the run, unless another noted one just now.
func (o *Office) seen(ctx context.Context, show catalog.ShowID, last time.Time) error {
	now := o.Clock()
	if now.Sub(last) < seenEvery {
		return nil
	}
	err := o.Lane.SawLine(ctx, show, line.Stamp{Now: now})
	switch fault.KindOf(err) {
	case fault.Stale, fault.Contended, fault.Busy, fault.Unknown:
		return nil // only a note
	}
	return err
}

// attend looks after a line that nobody does: it asks the queue for a run, and when
// that does not help runs the lane in this request (FirstComeFirstServed must not
// hang on a queue).
func (o *Office) attend(ctx context.Context, show catalog.ShowID, st line.State, named ...line.WaiterID) error {
	if len(st.Wanted) == 0 && len(named) == 0 {
		return nil
	}
	idle := o.Clock().Sub(st.Seen)
	switch {
	case idle < nudgeAfter:
		return nil
	case idle < runAfter && o.Nudge != nil:
		if err := o.Nudge(ctx, show, named); err == nil {
			return nil
		}
	}
	return o.RunLane(ctx, show, Wake{Named: named, Sweep: true})
}

// metTheLine: a walk-up has met a seat that is set aside. Where nobody has looked
// after the line for long it is run here, and he tries again: nobody may be waiting
// any more. A line that is well costs him one read.
func (o *Office) metTheLine(ctx context.Context, show catalog.ShowID) error {
	if o.Line.Rule == 0 {
		return nil // a box office without a line
	}
	st, err := o.Lane.LineGlance(ctx, show)
	if err != nil || o.Clock().Sub(st.Seen) < runAfter {
		return o.ignoreBusy(err)
	}
	if err := o.RunLane(ctx, show, Wake{Sweep: true}); err != nil {
		return o.ignoreBusy(err)
	}
	return errAgain
}
