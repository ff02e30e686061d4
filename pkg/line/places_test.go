package line_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/line"
)

// TestPlaces: bits beside a map that does the same, through plans in any order.
func TestPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p line.Places
		in := map[int64]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "plans") {
			w := line.Waiter{
				ID: "w", Number: rapid.Int64Range(0, 90).Draw(t, "number"),
				State: rapid.SampledFrom([]line.WaiterState{line.Entering, line.Waiting, line.Offered, line.Left, line.Lapsed, line.TimedOut}).Draw(t, "state"),
			}
			plans := []line.Plan{
				{Aside: &line.SettingAside{Waiter: w}}, {End: &line.End{Waiter: w}}, {Tidy: []line.Waiter{w}}, {Number: []line.Waiter{w}},
				{End: &line.End{}, Along: []line.End{{Waiter: w}}},
			}
			p = rapid.SampledFrom(plans).Draw(t, "plan").Places(p)
			switch {
			case w.Number > 0 && (w.State == line.Waiting || w.State == line.Offered):
				in[w.Number] = true
			case w.State.Ended():
				delete(in, w.Number)
			}
			if p.Count() != len(in) {
				t.Fatalf("%d in line, want %d", p.Count(), len(in))
			}
			q := line.ParsePlaces(p.Base(), p.Bytes())
			ahead := 0
			for n := range int64(100) {
				if q.Ahead(n) != ahead || q.Has(n) != in[n] {
					t.Fatalf("number %d: ahead %d and in line %v, want %d and %v", n, q.Ahead(n), q.Has(n), ahead, in[n])
				}
				if in[n] {
					ahead++
				}
			}
			if b := p.Bytes(); len(b) > 0 && (b[0] == 0 || b[len(b)-1] == 0) || p.Base()%8 != 0 {
				t.Fatalf("base %d, bytes %x", p.Base(), b)
			}
		}
	})
}
