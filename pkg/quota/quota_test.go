package quota

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 2, 28, 12, 0, 30, 0, time.UTC)

// books are the numbers in the store, by window and its start.
type books map[Window]map[int64]int64

// take is the store's conditional write.
func (b books) take(d Decision, limit int64) (taken int64, ok bool) {
	at := d.Start.Unix()
	if b[d.Window] == nil {
		b[d.Window] = map[int64]int64{}
	}
	if b[d.Window][at]+d.N > limit {
		return b[d.Window][at], false
	}
	b[d.Window][at] += d.N
	return b[d.Window][at], true
}

// instance is one function instance, and how often it asked the store.
type instance struct {
	ledger Ledger
	asked  int
}

// call is one call, carried through; lost takes the answers of the store away.
func (i *instance) call(b books, limits Limits, now time.Time) Decision {
	for {
		var d Decision
		if i.ledger, d = i.ledger.Decide(limits, now); d.Verb != Take {
			return d
		}
		i.asked++
		if taken, ok := b.take(d, limits.Of(d.Window)); ok {
			i.ledger = i.ledger.Took(d, taken)
		} else {
			i.ledger = i.ledger.Missed(d, taken)
		}
	}
}

// TestNeverExceeded: instances come, go and call in any order, over ends of minutes
// and of a month. What passes is at most the limit; what is taken is spent or held;
// and what they hold is within the bound.
func TestNeverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Minute: rapid.Int64Range(1, 300).Draw(t, "minute"), Month: rapid.Int64Range(1, 900).Draw(t, "month")}
		b, now := books{}, time.Date(2026, 2, 28, 23, 57, 0, 0, time.UTC)
		all := []*instance{{}, {}, {}, {}}
		passed := map[Window]map[int64]int64{Minute: {}, Month: {}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			i := rapid.IntRange(0, len(all)-1).Draw(t, "instance")
			if rapid.IntRange(0, 20).Draw(t, "dies") == 0 {
				all[i] = &instance{}
			}
			for range rapid.IntRange(1, 80).Draw(t, "calls") {
				d := all[i].call(b, limits, now)
				if d.Verb == Pass {
					for _, w := range both {
						passed[w][w.Start(now).Unix()]++
					}
				} else if start := d.Window.Start(now).Unix(); b[d.Window][start] < limits.Of(d.Window) {
					t.Fatalf("refused for the %v with %d of %d taken", d.Window, b[d.Window][start], limits.Of(d.Window))
				}
				if l := all[i].ledger; l.Held(Minute) > max(1, (l.recent+l.past)/portionOf) {
					t.Fatalf("holds %d of the minute, passed %d and %d", l.Held(Minute), l.recent, l.past)
				}
			}
			for _, w := range both {
				for start, n := range passed[w] {
					if n > b[w][start] || b[w][start] > limits.Of(w) {
						t.Fatalf("%v: %d passed, %d taken, limit %d", w, n, b[w][start], limits.Of(w))
					}
				}
			}
		}
	})
}

// TestAllOfItPasses: whatever ran before, when every instance is asked for what it
// holds, exactly the limit passes.
func TestAllOfItPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(1, 2000).Draw(t, "limit")
		limits, b := Limits{Minute: limit, Month: 1 << 40}, books{}
		all := make([]*instance, rapid.IntRange(1, 9).Draw(t, "instances"))
		for i := range all {
			all[i] = &instance{}
		}
		passed, refused := int64(0), int64(0)
		count := func(i *instance) (ok bool) {
			ok = i.call(b, limits, noon).Verb == Pass
			if ok {
				passed++
			} else {
				refused++
			}
			return ok
		}
		for range rapid.IntRange(0, 3000).Draw(t, "calls") {
			count(all[rapid.IntRange(0, len(all)-1).Draw(t, "instance")])
		}
		if idle := limit - passed; refused > 0 && idle > passed/portionOf {
			t.Fatalf("refused with %d of %d passed", passed, limit)
		}
		for _, i := range all {
			for count(i) {
			}
		}
		if passed != limit {
			t.Fatalf("%d of %d passed", passed, limit)
		}
	})
}

// TestLastOnes: instances that come new for the last units, and stop at any time,
// leave none.
func TestLastOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(8, 100_000).Draw(t, "limit")
		last := min(limit/8, 512)
		limits, b := Limits{Minute: limit, Month: 1 << 40}, books{}
		b.take(Decision{Window: Minute, Start: Minute.Start(noon), N: limit - last}, limit)
		passed := int64(0)
		for passed < last {
			i := &instance{}
			for range rapid.IntRange(1, 600).Draw(t, "calls") {
				if i.call(b, limits, noon).Verb == Pass {
					passed++
				}
			}
			if i.ledger.Held(Minute) != 0 {
				t.Fatalf("holds %d of the last %d", i.ledger.Held(Minute), last)
			}
		}
		if passed != last || (&instance{}).call(b, limits, noon).Verb != Refuse {
			t.Fatalf("%d of the last %d passed", passed, last)
		}
	})
}

// TestFewWrites: what calls cost, by how many an instance gets in a minute.
func TestFewWrites(t *testing.T) {
	for _, tt := range []struct {
		aMinute   int
		limits    Limits
		cold, per int // questions in the first minute, in the fourth
	}{
		{60, Limits{60, 1e6}, 70, 30},
		{60, Limits{6000, 1e6}, 60, 15},
		{600, Limits{6000, 1e7}, 100, 15},
		{30_000, Limits{6e6, 1e12}, 170, 15},
	} {
		b, i := books{}, &instance{}
		asked := []int{}
		for minute := range 4 {
			before := i.asked
			for n := range tt.aMinute {
				at := noon.Truncate(time.Minute).Add(time.Duration(minute)*time.Minute + time.Duration(n)*time.Minute/time.Duration(tt.aMinute))
				if d := i.call(b, tt.limits, at); d.Verb != Pass {
					t.Fatalf("%d a minute: call %d of minute %d: %+v", tt.aMinute, n, minute, d)
				}
			}
			asked = append(asked, i.asked-before)
		}
		if asked[0] > tt.cold || asked[3] > tt.per {
			t.Errorf("%d a minute of %d asked %v times, want at most %d, then %d", tt.aMinute, tt.limits.Minute, asked, tt.cold, tt.per)
		}
		t.Logf("%d a minute of %d: %v requests to the store", tt.aMinute, tt.limits.Minute, asked)
	}
}

// TestRefusalsAskNothing: who has heard that a window is used up asks no more until
// it ends, or until the limit is higher.
func TestRefusalsAskNothing(t *testing.T) {
	b, i, limits := books{}, &instance{}, Limits{Minute: 10, Month: 1000}
	other := &instance{}
	for range 10 {
		other.call(b, limits, noon)
	}
	for range 100 {
		if d := i.call(b, limits, noon); d.Verb != Refuse || d.Window != Minute {
			t.Fatalf("%+v", d)
		}
	}
	if i.asked > 1 {
		t.Errorf("asked %d times", i.asked)
	}
	if s := i.ledger.Stand(Minute, limits, noon); s != (Standing{10, 0, time.Minute, 30 * time.Second}) {
		t.Errorf("%+v", s)
	}
	limits.Minute = 11
	if d := i.call(b, limits, noon); d.Verb != Pass {
		t.Errorf("after a larger plan: %+v", d)
	}
	limits.Minute = 5
	if d := i.call(b, limits, noon); d.Verb != Refuse {
		t.Errorf("after a smaller plan: %+v", d)
	}
	if d := i.call(b, limits, noon.Add(30*time.Second)); d.Verb != Pass {
		t.Errorf("in the next minute: %+v", d)
	}
	if s := i.ledger.Stand(Month, limits, noon.Add(30*time.Second)); s.Limit != 1000 || s.Length != 28*24*time.Hour || s.Reset != 11*time.Hour+59*time.Minute {
		t.Errorf("%+v", s)
	}
}

// TestClockGoesBack: what was taken is spent, and nothing is taken twice.
func TestClockGoesBack(t *testing.T) {
	b, i, limits := books{}, &instance{}, Limits{Minute: 3, Month: 100}
	for n, at := range []time.Duration{0, time.Minute, 0, 0, 0} {
		if d := i.call(b, limits, noon.Add(at)); (d.Verb == Pass) != (n < 4) {
			t.Errorf("call %d: %+v", n, d)
		}
	}
}
