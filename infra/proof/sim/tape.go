package main

import "math/rand/v2"

// tape is every choice of a run, one small integer each; 0 is always the harmless
// one (no fault, the shortest wait, nothing more to do), so that a tape that is cut
// short or lowered is a calmer run. That is all that shrinking needs.
type tape struct {
	random *rand.Rand
	given  []uint16
	replay bool
	taken  []uint16
}

func seeded(seed uint64) *tape { return &tape{random: rand.New(rand.NewPCG(seed, 0x5EA7))} }

func replayed(choices []uint16) *tape { return &tape{given: choices, replay: true} }

// pick chooses one of n, n ≤ 65536.
func (t *tape) pick(n int) int {
	v := 0
	switch {
	case !t.replay:
		v = t.random.IntN(n)
	case len(t.taken) < len(t.given):
		v = int(t.given[len(t.taken)]) % n
	}
	t.taken = append(t.taken, uint16(v))
	return v
}

// oneIn is true once in n times.
func (t *tape) oneIn(n int) bool { return t.pick(n) == n-1 }

// of picks one of the values.
func of[T any](t *tape, values ...T) T { return values[t.pick(len(values))] }
