package line_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const (
	reg  = seatmap.Regular
	prem = seatmap.Premium
)

func types(t ...seatmap.SeatType) []seatmap.SeatType { return t }

func aside(n int, t seatmap.SeatType, who string) []line.Aside {
	var all []line.Aside
	for i := range n {
		all = append(all, line.Aside{Seat: seatmap.SeatID(fmt.Sprintf("%s-%s-%d", t, who, i)), Type: t, Block: "0", For: who})
	}
	return all
}

func TestStep(t *testing.T) {
	for _, tt := range []struct {
		name   string
		state  line.State
		gates  bool
		wanted []seatmap.SeatType
		drain  int
	}{
		{"nothing at all", line.State{}, false, nil, 0},
		{"gates as they should be", line.State{Wanted: types(reg), Active: types(reg)}, false, nil, 0},
		{"order and repetition do not matter", line.State{Wanted: types(prem, reg), Active: types(reg, prem, reg)}, false, nil, 0},
		{"gates to open", line.State{Active: types(reg, prem, reg)}, true, types(prem, reg), 0},
		{"gates to close", line.State{Wanted: types(reg)}, true, nil, 0},
		{"gates to change", line.State{Wanted: types(reg), Active: types(prem)}, true, types(prem), 0},
		{"gates before the drain", line.State{Wanted: types(reg), Pool: aside(2, reg, "")}, true, nil, 0},
		{"drain", line.State{Pool: aside(2, reg, "")}, false, nil, 2},
		{"only as many as fit", line.State{Pool: aside(60, reg, "")}, false, nil, line.MaxDrain},
		{"not what is wanted", line.State{Wanted: types(reg), Active: types(reg), Pool: append(aside(3, reg, ""), aside(1, prem, "")...)}, false, nil, 1},
		{"not what is promised", line.State{Pool: append(aside(3, reg, "w"), aside(2, reg, "")...)}, false, nil, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := line.Step(tt.state)
			if p.Gates != tt.gates || !slices.Equal(p.Wanted, tt.wanted) || len(p.Drain) != tt.drain {
				t.Errorf("%+v, want gates %v %v, drain %d", p, tt.gates, tt.wanted, tt.drain)
			}
			if p.Idle() != (!tt.gates && tt.drain == 0) {
				t.Errorf("idle %v", p.Idle())
			}
		})
	}
}

// TestStepComesToRest: carried out again and again, the lane stops with gates that
// say who waits and nothing set aside for nobody; no seat of a wanted type was
// drained on the way, and none that is promised ever.
func TestStepComesToRest(t *testing.T) {
	all := types(reg, prem, seatmap.Wheelchair, seatmap.Loveseat)
	rapid.Check(t, func(rt *rapid.T) {
		some := rapid.SliceOfN(rapid.SampledFrom(all), 0, 5)
		s := line.State{Wanted: some.Draw(rt, "wanted"), Active: some.Draw(rt, "active")}
		for i := range rapid.IntRange(0, 120).Draw(rt, "pool") {
			a := aside(1, rapid.SampledFrom(all).Draw(rt, "type"), rapid.SampledFrom([]string{"", "", "w"}).Draw(rt, "for"))[0]
			a.Seat = seatmap.SeatID(fmt.Sprint(i))
			s.Pool = append(s.Pool, a)
		}
		keep := map[seatmap.SeatID]bool{}
		for _, a := range s.Pool {
			keep[a.Seat] = a.For != "" || slices.Contains(s.Active, a.Type)
		}
		for range 6 {
			p := line.Step(s)
			if p.Idle() {
				break
			}
			if p.Gates {
				s.Wanted = p.Wanted
			}
			for _, a := range p.Drain {
				if keep[a.Seat] {
					rt.Fatalf("drained %+v", a)
				}
				s.Pool = slices.DeleteFunc(slices.Clone(s.Pool), func(b line.Aside) bool { return b.Seat == a.Seat })
			}
		}
		if !line.Step(s).Idle() {
			rt.Fatalf("does not come to rest: %+v", s)
		}
		for _, a := range s.Pool {
			if !keep[a.Seat] {
				rt.Fatalf("left %+v", a)
			}
			delete(keep, a.Seat)
		}
		for seat, kept := range keep {
			if kept {
				rt.Fatalf("lost %s", seat)
			}
		}
	})
}
