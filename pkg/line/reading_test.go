package line_test

import (
	"testing"

	"github.com/fairseat/fairseat/pkg/line"
)

// TestReading: a run begins with a short stretch and reads on in few steps, each
// larger, until it has all; and whom it names it names on.
func TestReading(t *testing.T) {
	r := line.Reading{Named: []line.WaiterID{"w"}}
	var stretches []int
	for range 9 {
		stretches = append(stretches, r.Stretch())
		if len(r.Named) != 1 {
			t.Fatalf("names %v", r.Named)
		}
		if r.Stretch() == 0 {
			break
		}
		r = r.On()
	}
	for i, n := range stretches {
		last := i == len(stretches)-1
		if last != (n == 0) || !last && i > 0 && n <= stretches[i-1] {
			t.Errorf("stretches %v", stretches)
		}
	}
	if len(stretches) > 4 || stretches[0] < 10 {
		t.Errorf("stretches %v: reads on for a long time", stretches)
	}
	if all := (line.Reading{Front: -1}); all.Stretch() != 0 || all.On().Stretch() == 1 {
		t.Errorf("all is %d, then %d", all.Stretch(), all.On().Stretch())
	}
}

// TestWhy names the first party in the way, never one that may be passed, and
// nobody where somebody unread may stand before.
func TestWhy(t *testing.T) {
	l := hall(t)
	me := who(5, line.Waiting, 2, reg)
	three := who(2, line.Waiting, 3, reg)
	let := three
	let.Passed = 1
	for _, tt := range []struct {
		name    string
		rule    line.Policy
		waiters []line.Waiter
		pool    string
		page    line.State
		want    *line.Because
	}{
		{"himself", policy, []line.Waiter{me}, "A-1 C-5", line.State{}, &line.Because{Number: 5, Needs: 2, Aside: 1}},
		{"the head", policy, []line.Waiter{me, who(3, line.Waiting, 4, reg), three}, "A-1 A-3", line.State{}, &line.Because{Number: 2, Needs: 3, Aside: 2}},
		{"not who waits for other seats", policy, []line.Waiter{who(1, line.Waiting, 2, prem), me}, "C-5", line.State{}, &line.Because{Number: 5, Needs: 2}},
		{"not who is offered, has ended, or stands behind", policy, []line.Waiter{offered(t, l, 1, noon, "A-1"), who(2, line.Left, 1, reg), me, who(7, line.Waiting, 1, reg)}, "", line.State{}, &line.Because{Number: 5, Needs: 2}},
		{"strict behind one that was passed", policy, []line.Waiter{let, me}, "", line.State{}, &line.Because{Number: 2, Needs: 3}},
		{"not one that may be passed", bounded(2), []line.Waiter{let, me}, "", line.State{}, &line.Because{Number: 5, Needs: 2}},
		{"one that was passed enough", bounded(1), []line.Waiter{let, me}, "", line.State{}, &line.Because{Number: 2, Needs: 3}},
		{"read as far as the head", policy, []line.Waiter{three, me}, "", line.State{More: true, Through: 2}, &line.Because{Number: 2, Needs: 3}},
		{"nobody knows who stands between", policy, []line.Waiter{who(1, line.Waiting, 2, prem), who(4, line.Waiting, 2, reg), me}, "", line.State{More: true, Through: 1}, nil},
		{"the head alone was read, and he", policy, []line.Waiter{who(1, line.Waiting, 2, prem), me}, "", line.State{More: true, Through: 1}, nil},
		{"who has left", policy, []line.Waiter{who(5, line.Left, 2, reg)}, "", line.State{}, nil},
	} {
		s := tt.page
		s.Waiters, s.Pool = tt.waiters, pool(t, l, tt.pool, "")
		got := line.Why(s, me, tt.rule)
		if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
