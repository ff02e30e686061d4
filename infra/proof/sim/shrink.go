package main

import (
	"slices"
	"time"
)

// shrink looks for a shorter, calmer tape that breaks the same invariant: it leaves
// choices out and lowers them, in halves, quarters and so on, as long as that helps
// and the time is not up.
func shrink(tape []uint16, invariant string, limit time.Duration) []uint16 {
	begun := time.Now()
	breaks := func(t []uint16) bool {
		w := newWorld(replayed(t), false)
		v := w.play()
		return v != nil && v.invariant == invariant
	}
	for improved := true; improved && time.Since(begun) < limit; {
		improved = false
		for size := max(len(tape)/2, 1); size > 0; size /= 2 {
			for at := 0; at < len(tape) && time.Since(begun) < limit; {
				end := min(at+size, len(tape))
				if less := slices.Delete(slices.Clone(tape), at, end); breaks(less) {
					tape, improved = less, true
					continue
				}
				if calmer, ok := lowered(tape, at, end); ok && breaks(calmer) {
					tape, improved = calmer, true
				}
				at = end
			}
		}
	}
	return tape
}

func lowered(tape []uint16, at, end int) ([]uint16, bool) {
	if !slices.ContainsFunc(tape[at:end], func(v uint16) bool { return v != 0 }) {
		return nil, false
	}
	calmer := slices.Clone(tape)
	clear(calmer[at:end])
	return calmer, true
}
