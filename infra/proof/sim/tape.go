package main

import (
	"maps"
	"math/rand/v2"
)

// tape is every choice of a run, one small integer each; 0 is always the harmless
// one (no fault, the shortest wait, nothing to do). It has a channel for each act of
// the crowd, from which everything is chosen that the act brings about, and one for
// the world: so an act can be left out, or made calm, and the others stay what they
// were. That is all that shrinking needs.
type tape struct {
	seed    uint64
	replay  bool
	given   choices
	taken   choices
	random  map[int]*rand.Rand
	channel int
}

// choices by channel; what is missing is 0.
type choices map[int][]uint16

func (c choices) len() int {
	n := 0
	for _, l := range c {
		n += len(l)
	}
	return n
}

func (c choices) with(channel int, list []uint16) choices {
	d := maps.Clone(c)
	d[channel] = list
	return d
}

func seeded(seed uint64) *tape {
	return &tape{seed: seed, taken: choices{}, random: map[int]*rand.Rand{}}
}

func replayed(c choices) *tape { return &tape{replay: true, given: c, taken: choices{}} }

// pick chooses one of n, n ≤ 65536.
func (t *tape) pick(n int) int {
	v, at := 0, len(t.taken[t.channel])
	switch {
	case !t.replay:
		r := t.random[t.channel]
		if r == nil {
			r = rand.New(rand.NewPCG(t.seed, uint64(t.channel)))
			t.random[t.channel] = r
		}
		v = r.IntN(n)
	case at < len(t.given[t.channel]):
		v = int(t.given[t.channel][at]) % n
	}
	t.taken[t.channel] = append(t.taken[t.channel], uint16(v))
	return v
}

// turn is a pick that goes round with the seeds.
func (t *tape) turn(n int) int {
	v := t.pick(n)
	if t.replay {
		return v
	}
	v = int(t.seed % uint64(n))
	l := t.taken[t.channel]
	l[len(l)-1] = uint16(v)
	return v
}

// oneIn is true once in n times.
func (t *tape) oneIn(n int) bool { return t.pick(n) == n-1 }

// of picks one of the values.
func of[T any](t *tape, values ...T) T { return values[t.pick(len(values))] }
