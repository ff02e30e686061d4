package main

import "github.com/fairseat/fairseat/pkg/booking"

// One function a transaction of the buyers' side, with the conditions of the
// protocol. Each reports whether they held; if not, the tables are untouched. The
// same functions are held against the store's own in conform.go.

// takeSeats is T1: each claim absent, hold absent, the allowance permits it.
func (w *world) takeSeats(t *tables, h int, seats, exp uint8) bool {
	b := w.c.buyer(h)
	if t.Hold[h] != 0 || !t.allFree(seats) {
		return false
	}
	if w.c.Mut != capNoCond && int(t.Cap[b])+count(seats) > int(w.c.Cap) {
		return false
	}
	t.claim(h, seats)
	t.Hold[h], t.Seats[h], t.Exp[h], t.Rev[h] = booking.Held, seats, exp, 1
	t.Cap[b] += uint8(count(seats))
	t.Timer |= 1 << h
	return true
}

// block is T8's first half: a hold without allowance or timer.
func (w *world) block(t *tables, h int, seats uint8) bool {
	if t.Hold[h] != 0 || !t.allFree(seats) {
		return false
	}
	t.claim(h, seats)
	t.Hold[h], t.Seats[h], t.Exp[h], t.Rev[h] = booking.Blocked, seats, 0, 1
	return true
}

// sell is T2: the hold as read, and not past its grace by the writer's clock.
func (w *world) sell(t *tables, h int, was row, next booking.State, now uint8) bool {
	if !t.asRead(h, was) {
		return false
	}
	if w.c.Mut != confirmLate && now >= t.Exp[h]+w.c.Grace {
		return false
	}
	t.Hold[h] = next
	t.Rev[h] = was.Rev + 1
	t.Timer &^= 1 << h
	return true
}

// release is T3: the hold as read and, of an expiry, overdue by the clock by which
// it was decided; each claim the hold's own; the allowance not below; no freed type
// wanted by the gate.
func (w *world) release(t *tables, h int, was row, e ending, now uint8) bool {
	c := w.c
	if !t.asRead(h, was) {
		return false
	}
	grace := c.Grace
	if c.Mut == noGrace {
		grace = 0
	}
	if e.Next == booking.Expired && t.Exp[h]+grace > now {
		return false
	}
	for x := range c.Seats {
		if has(e.Free|e.Line, x) && t.Claim[x] != uint8(1+h) {
			return false
		}
	}
	n := uint8(count(was.Seats))
	if was.State != booking.Blocked && t.Cap[c.buyer(h)] < n {
		return false
	}
	if e.Gate&t.Gate != 0 && !c.Mut.gateless(was.State, e.Next) {
		return false
	}
	for x := range c.Seats {
		switch {
		case has(e.Free, x):
			t.Claim[x] = free
		case has(e.Line, x):
			t.Claim[x], t.Pool[x] = lineClaim, poolOpen
		}
	}
	if was.State != booking.Blocked && !(c.Mut == capLeak && e.Next == booking.Expired) {
		t.Cap[c.buyer(h)] -= n
	}
	t.Hold[h] = e.Next
	t.Rev[h] = was.Rev + 1
	t.Timer &^= 1 << h
	return true
}

// gateless mutants do not check the gate.
func (m mutant) gateless(was, next booking.State) bool {
	switch m {
	case relNoGate:
		return true
	case takeoverNoGate:
		return next == booking.Expired
	case refundNoGate:
		return next == booking.Refunded
	case houseNoGate:
		return was == booking.Blocked
	}
	return false
}

// grantAnew is T4: the old hold as read, each claim absent, the new hold absent, the
// allowance permits it. The old hold's row gives way to the new one's: nothing
// looks at it again.
func (w *world) grantAnew(t *tables, h int, was row, seats uint8) bool {
	c := w.c
	inPlace := c.Mut == regrantAlways && was.State == booking.Held
	if !t.asRead(h, was) {
		return false
	}
	for x := range c.Seats {
		if has(seats, x) && t.Claim[x] != free && !inPlace && !(c.Mut == regrantLine && t.Claim[x] == lineClaim) {
			return false
		}
	}
	b := c.buyer(h)
	if inPlace {
		t.Cap[b] -= uint8(count(seats))
		t.Timer &^= 1 << h
	}
	if int(t.Cap[b])+count(seats) > int(c.Cap) {
		return false
	}
	t.claim(h, seats)
	if c.Mut == regrantLine {
		t.unpool(seats)
	}
	t.Hold[h], t.Rev[h] = booking.Sold, 1
	t.Cap[b] += uint8(count(seats))
	return true
}

func (t *tables) asRead(h int, was row) bool { return t.Hold[h] == was.State && t.Rev[h] == was.Rev }

func (t *tables) allFree(seats uint8) bool {
	for x, owner := range t.Claim {
		if has(seats, x) && owner != free {
			return false
		}
	}
	return true
}

func (t *tables) claim(h int, seats uint8) {
	for x := range t.Claim {
		if has(seats, x) {
			t.Claim[x] = uint8(1 + h)
		}
	}
}

func (t *tables) unpool(seats uint8) {
	for x := range t.Pool {
		if has(seats, x) {
			t.Pool[x] = poolNone
		}
	}
}

// gates is L6 under the version: stale says that it moved.
func (t *tables) gates(wanted, dry uint8) {
	t.Gate, t.Dry = wanted, dry
}

// drain is L7: each pool item exists and is for nobody, each claim says LINE.
func (t *tables) drain(seats uint8) bool {
	for x := range t.Pool {
		if has(seats, x) && (t.Pool[x] != poolOpen || t.Claim[x] != lineClaim) {
			return false
		}
	}
	for x := range t.Pool {
		if has(seats, x) {
			t.Pool[x], t.Claim[x] = poolNone, free
		}
	}
	return true
}
