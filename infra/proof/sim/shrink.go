package main

import (
	"slices"
	"time"
)

// shrink looks for fewer and calmer choices that break the same invariant, as long
// as that helps and the time is not up: whole acts first, then parts of them.
func shrink(c choices, invariant string, limit time.Duration) choices {
	begun := time.Now()
	breaks := func(d choices) bool {
		if time.Since(begun) > limit {
			return false
		}
		w := newWorld(replayed(d), false)
		v := w.play()
		return v != nil && v.invariant == invariant
	}
	for was := -1; was != c.weight() && time.Since(begun) < limit; {
		was = c.weight()
		c = fewerActs(c, breaks)
		for _, k := range sorted(c) {
			c = calmer(c, k, breaks)
		}
	}
	return c
}

// weight is what shrinking makes smaller.
func (c choices) weight() int {
	n := c.len()
	for _, l := range c {
		for _, v := range l {
			n += int(v)
		}
	}
	return n
}

// fewerActs empties channels, many at once and then one by one.
func fewerActs(c choices, breaks func(choices) bool) choices {
	for size := max(len(c)/2, 1); size > 0; size /= 2 {
		keys := sorted(c)
		for at := 0; at < len(keys); at += size {
			d := choices{}
			for i, k := range keys {
				if i < at || i >= at+size || k == 0 {
					d[k] = c[k]
				}
			}
			if len(d) < len(c) && breaks(d) {
				c = d
				keys = sorted(c)
				at -= size
			}
		}
	}
	return c
}

// calmer cuts a channel short and clears parts of it.
func calmer(c choices, k int, breaks func(choices) bool) choices {
	for n := len(c[k]) / 2; n > 0; n /= 2 {
		for len(c[k]) >= n {
			d := c.with(k, c[k][:len(c[k])-n])
			if !breaks(d) {
				break
			}
			c = d
		}
	}
	for size := max(len(c[k])/2, 1); size > 0; size /= 2 {
		for at := 0; at < len(c[k]); at += size {
			part := c[k][at:min(at+size, len(c[k]))]
			if !slices.ContainsFunc(part, func(v uint16) bool { return v != 0 }) {
				continue
			}
			list := slices.Clone(c[k])
			clear(list[at:min(at+size, len(list))])
			if d := c.with(k, list); breaks(d) {
				c = d
			}
		}
	}
	return c
}
