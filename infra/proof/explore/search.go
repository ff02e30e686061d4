package main

import (
	"hash/maphash"
	"time"

	"github.com/fairseat/fairseat/pkg/line"
)

// result of exploring a configuration.
type result struct {
	States, Edges int
	Depth         int // steps from the start
	Worst         int // units to settle
	Whole         bool
	Bad           string
	Trace         []string
	Ends          [maxWaiters]map[line.WaiterState]int
	Took          time.Duration
}

// hashes is a set of 64-bit hashes, open-addressed: a state costs 12 to 24 bytes.
type hashes struct {
	slots []uint64
	n     int
}

// add reports whether v is new. 0 marks an empty slot; that one hash counts as 1.
func (t *hashes) add(v uint64) bool {
	if v == 0 {
		v = 1
	}
	if 4*t.n >= 3*len(t.slots) {
		old := t.slots
		t.slots = make([]uint64, max(1<<12, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				t.put(o)
			}
		}
	}
	if !t.put(v) {
		return false
	}
	t.n++
	return true
}

func (t *hashes) put(v uint64) bool {
	mask := uint64(len(t.slots) - 1)
	for i := v & mask; ; i = (i + 1) & mask {
		switch t.slots[i] {
		case 0:
			t.slots[i] = v
			return true
		case v:
			return false
		}
	}
}

// cameBy tells how a state was first reached: by which edge of which other.
type cameBy struct {
	parent int32
	edge   uint16
}

// search is breadth first: a violation comes with a shortest history. Visited
// states are kept as 64-bit hashes (two of 10⁸ states collide with odds of 1 in
// 3,700), the way to each as its parent and which of the parent's edges it was.
type search struct {
	*world
	seed    maphash.Seed
	seen    hashes
	settled hashes
	by      []cameBy
	deeper  []state
	visit   func(*state)
	result
}

func (w *world) explore(visit func(*state)) result {
	x := &search{world: w, seed: maphash.MakeSeed(), visit: visit}
	t := time.Now()
	for i := range x.Ends {
		x.Ends[i] = map[line.WaiterState]int{}
	}
	x.run()
	x.States, x.Took = len(x.by), time.Since(t)
	return x.result
}

func (x *search) run() {
	start := x.c.start()
	start.tidy(x.c)
	x.add(&start, -1, 0)
	for i := int32(0); len(x.deeper) > 0; {
		level := x.deeper
		x.deeper = nil
		x.Depth++
		for k := range level {
			x.check(&level[k], i)
			x.expand(&level[k], i)
			i++
			if x.Bad != "" {
				return
			}
			late := i%4096 == 0 && !x.c.Until.IsZero() && time.Now().After(x.c.Until)
			if x.c.MaxStates != 0 && len(x.by) > x.c.MaxStates || late {
				return
			}
		}
	}
	x.Whole = true
}

func (x *search) add(s *state, parent int32, edge uint16) {
	if x.seen.add(maphash.Comparable(x.seed, *s)) {
		x.by = append(x.by, cameBy{parent, edge})
		x.deeper = append(x.deeper, *s)
	}
}

// check looks at a state, and at what becomes of it when everybody stops; what is
// in flight makes no difference to that, so most of it is known already.
func (x *search) check(s *state, i int32) {
	for w := range x.c.Waiters {
		x.Ends[w][s.W[w]]++
	}
	if x.visit != nil {
		x.visit(s)
	}
	if bad := x.c.broken(s); bad != "" {
		x.fail(i, "", bad)
		return
	}
	r := s.residue()
	if !x.settled.add(maphash.Comparable(x.seed, r)) {
		return
	}
	nets := []net{byLooking}
	if x.c.Timers {
		nets = append(nets, byTTL)
	}
	if x.c.Wakes {
		nets = append(nets, byMessage)
	}
	for _, n := range nets {
		bad, took := x.settles(r, n)
		if bad != "" {
			x.fail(i, "… then all stop and the rest runs fairly ("+n.String()+")", bad)
			return
		}
		x.Worst = max(x.Worst, took)
	}
}

func (x *search) expand(s *state, i int32) {
	var edge uint16
	x.next(s, false, func(n *state, _, bad string) {
		if bad == "" {
			bad = x.c.step(s, n)
		}
		if bad != "" && x.Bad == "" {
			x.fail(i, x.label(s, edge), bad)
		}
		x.add(n, i, edge)
		edge++
	})
	x.Edges += int(edge)
}

// label names one edge of a state.
func (x *search) label(s *state, edge uint16) (label string) {
	var k uint16
	x.next(s, true, func(_ *state, l, _ string) {
		if k == edge {
			label = l
		}
		k++
	})
	return label
}

// fail keeps what is wrong, with the history that led to state i.
func (x *search) fail(i int32, last, bad string) {
	if x.Bad != "" {
		return
	}
	x.Bad = bad
	var path []uint16
	for j := i; x.by[j].parent >= 0; j = x.by[j].parent {
		path = append(path, x.by[j].edge)
	}
	s := x.c.start()
	s.tidy(x.c)
	for k := len(path) - 1; k >= 0; k-- {
		x.Trace = append(x.Trace, x.label(&s, path[k]))
		s = x.after(&s, path[k])
	}
	if last != "" {
		x.Trace = append(x.Trace, last)
	}
}

func (x *search) after(s *state, edge uint16) (to state) {
	var k uint16
	x.next(s, false, func(n *state, _, _ string) {
		if k == edge {
			to = *n
		}
		k++
	})
	return to
}
