package boxoffice_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// foretold reads the line after each commit and holds it against what the plan said
// would come of it.
type foretold struct {
	boxoffice.LineStore
	t    *testing.T
	acts map[line.Act]int
}

func (f foretold) CommitLine(ctx context.Context, show catalog.ShowID, was line.State, p line.Plan, at line.Stamp) error {
	if err := f.LineStore.CommitLine(ctx, show, was, p, at); err != nil {
		return err
	}
	f.acts[p.Act()]++
	named := line.Reading{Front: -1}
	for _, w := range was.Waiters {
		named.Named = append(named.Named, w.ID)
	}
	is, err := f.LineState(ctx, show, named)
	if err != nil {
		return err
	}
	if got, want := inBrief(was.After(p)), inBrief(is); got != want {
		f.t.Errorf("after %s\nforetold %s\nis       %s", p.Act(), got, want)
	}
	return nil
}

func inBrief(s line.State) string {
	var ws []string
	for _, w := range s.Waiters {
		if !w.State.Ended() { // whose entry is gone, or is tidied before the run ends
			ws = append(ws, fmt.Sprint(w.ID, w.State, w.Number, w.Party, w.Types, w.Offer))
		}
	}
	slices.Sort(ws)
	pool := slices.SortedFunc(slices.Values(s.Pool), func(a, b line.Aside) int { return cmp.Compare(a.Seat, b.Seat) })
	return fmt.Sprint(s.Version, s.Next, s.Wanted, s.Dry, s.Last, s.Places.Base(), s.Places.Bytes(), ws, pool)
}

// TestAfter: a plan says what the line becomes, so that the last reading of a run can
// be spared.
func TestAfter(t *testing.T) {
	d, holds := soldOut(t)
	f := foretold{d.Lane, t, map[line.Act]int{}}
	d.Lane = f
	a, b := d.join("a", "1", 2, seatmap.Regular), d.join("b", "1", 1, seatmap.Regular)
	c, e := d.join("c", "1", 2, seatmap.Regular), d.join("e", "1", 3, seatmap.Regular)
	d.giveBack(holds[0])
	d.lane()
	d.wantState(a.Waiter, line.Offered)
	if err := d.DeclineOffer(d.ctx(), "a", a.Waiter.ID); err != nil {
		t.Fatal(err)
	}
	d.lane(a.Waiter.ID)
	d.wantState(b.Waiter, line.Offered)
	d.clock.advance(d.Line.Offer + d.Line.Grace)
	d.lane()
	d.wantState(b.Waiter, line.Lapsed)
	d.wantState(c.Waiter, line.Offered)
	if err := d.LeaveLine(d.ctx(), "c", c.Waiter.ID); err != nil {
		t.Fatal(err)
	}
	d.clock.advance(d.Line.Wait)
	d.lane(e.Waiter.ID)
	d.wantState(e.Waiter, line.TimedOut)
	for _, act := range []line.Act{line.SetAside, line.NumberJoiners, line.MakeOffer, line.Lapse, line.TimeOut, line.SetGates, line.TidyUp, line.DrainPool} {
		if f.acts[act] == 0 {
			t.Errorf("no %s among %v", act, slices.Collect(maps.Keys(f.acts)))
		}
	}
	d.sound()
}

// TestRunReadsOnce: a run that is done after its commit does not read the line again.
func TestRunReadsOnce(t *testing.T) {
	d, holds := soldOut(t)
	w := d.join("a", "1", 2, seatmap.Regular)
	d.join("b", "1", 2, seatmap.Regular)
	d.giveBack(holds[0])
	m := meter.New(d.db)
	d.Lane = store.New(m, policy)
	d.lane()
	if n := m.Snapshot().Requests; n[meter.Get] != 1 || n[meter.Query] != 1 || n[meter.BatchGet] != 1 || n[meter.Transact] != 1 {
		t.Errorf("an offer takes %v", n)
	}
	d.wantState(w.Waiter, line.Offered)
}
