package main

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
)

// One function a transaction of the line, under the version where the lane sends it;
// like those of transact.go, held against the store's own.

// ask is T7: the waiter absent, the place without a live waiter and past its cool-down.
func (c *config) ask(t *tables, i int, now uint8) bool {
	p := c.place(i)
	taken := t.Live[p] != 0 && c.Mut != placeNoCond
	cooling := now < t.Cool[p] && c.Mut != coolForgotten
	if t.W[i] != 0 || taken || cooling {
		return false
	}
	t.W[i] = line.Asked
	if c.CoolDown > 0 {
		t.Live[p] = uint8(1 + i)
	}
	return true
}

// answer is T5 with the seats as they were read, proposed to him (mine), open, and
// proposed but not chosen (back).
type answer struct{ Mine, Open, Back uint8 }

// takeOffer is T5: the waiter offered and its time not past; the hold absent; the
// allowance; each chosen seat's pool item as it was read, its claim LINE.
func (c *config) takeOffer(t *tables, i int, a answer, now uint8) bool {
	h := c.waiterHold(i)
	b := c.buyer(h)
	seats := a.Mine | a.Open
	late := c.Mut == acceptLate && t.W[i] == line.Lapsed
	live := t.W[i] == line.Offered && now < t.Dead[i]+c.OfferGrace
	if !live && !late || t.Hold[h] != 0 || int(t.Cap[b])+count(seats) > int(c.Cap) || !c.placed(t, i) && !late {
		return false
	}
	for x := range c.Seats {
		at, pool := uint8(1)<<x, t.Pool[x]
		open := pool == poolOpen || c.Mut == acceptSteal && pool != poolNone
		switch {
		case seats&at != 0 && t.Claim[x] != lineClaim, (a.Mine|a.Back)&at != 0 && pool != uint8(2+i), a.Open&at != 0 && !open:
			return false
		}
	}
	c.close(t, i, line.Accepted, nil)
	t.reopen(a.Back)
	t.claim(h, seats)
	t.unpool(seats)
	t.Hold[h], t.Seats[h], t.Exp[h], t.Rev[h] = booking.Held, seats, now+c.Length, 1
	t.Cap[b] += uint8(count(seats))
	t.Timer |= 1 << h
	return true
}

// placed: the place is of this waiter. Only where places are told apart.
func (c *config) placed(t *tables, i int) bool {
	return c.CoolDown == 0 || t.Live[c.place(i)] == uint8(1+i)
}

// close ends a place in line; next, where an offer was refused, is what it becomes.
func (c *config) close(t *tables, i int, to line.WaiterState, next *line.Place) {
	t.W[i], t.Dead[i], t.Choice[i], t.Passed[i] = to, 0, 0, 0
	if p := c.place(i); c.CoolDown > 0 && c.Mut != placeKept {
		if t.Live[p] = 0; next != nil {
			t.Lapses[p], t.Cool[p] = uint8(next.Lapses), units(next.CoolUntil)
		}
	}
}

// refused is the place of waiter i after its end; nil where it only ends.
func (c *config) refused(t *tables, i int, refused bool, now uint8) *line.Place {
	if !refused {
		return nil
	}
	p := c.place(i)
	cool := line.Policy{CoolDown: time.Duration(c.CoolDown) * unit}
	next := line.Place{Live: waiterID(i), Lapses: int(t.Lapses[p]), CoolUntil: at(t.Cool[p])}.Close(true, cool, at(now))
	return &next
}

// leave is T6, and L2 to L4 of one waiter: its state is one of those, the place its
// own, the seats that go back still proposed to it.
func (c *config) leave(t *tables, i int, from []line.WaiterState, to line.WaiterState, back uint8, next *line.Place) bool {
	if !slices.Contains(from, t.W[i]) || !c.placed(t, i) {
		return false
	}
	for x := range c.Seats {
		if has(back, x) && t.Pool[x] != uint8(2+i) {
			return false
		}
	}
	c.close(t, i, to, next)
	t.reopen(back)
	return true
}

func (t *tables) reopen(seats uint8) {
	for x := range t.Pool {
		if has(seats, x) {
			t.Pool[x] = poolOpen
		}
	}
}

// number is L8: each is still asked.
func (t *tables) number(p plan) bool {
	for i := range t.W {
		if has(p.Who, i) && t.W[i] != line.Asked {
			return false
		}
	}
	n := p.Number
	for i := range t.W {
		if !has(p.Who, i) {
			continue
		}
		t.W[i], t.Num[i] = line.Entering, n
		if has(p.Ack, i) {
			t.W[i] = line.Waiting
		}
		n++
	}
	t.Gate = p.Wanted
	return true
}

// setAside is L1 of a waiter in one of the states: each claim absent.
func (t *tables) setAside(i int, p plan, from ...line.WaiterState) bool {
	if !slices.Contains(from, t.W[i]) || !t.allFree(p.Seats) {
		return false
	}
	owner := uint8(poolOpen)
	if p.Dead != 0 {
		owner = uint8(2 + i)
	}
	for x := range t.Pool {
		if has(p.Seats, x) {
			t.Claim[x], t.Pool[x] = lineClaim, owner
		}
	}
	t.Dry = p.Dry
	if t.W[i] = line.Waiting; p.Dead != 0 {
		t.W[i], t.Dead[i], t.Choice[i] = line.Offered, p.Dead, p.Choice
	}
	return true
}

// offer is L5: the waiter waits, each pool item is for nobody, those passed wait.
func (t *tables) offer(i int, p plan) bool {
	for j := range t.W {
		if (has(p.Passed, j) || j == i) && t.W[j] != line.Waiting {
			return false
		}
	}
	for x := range t.Pool {
		if has(p.Seats, x) && t.Pool[x] != poolOpen {
			return false
		}
	}
	for x := range t.Pool {
		if has(p.Seats, x) {
			t.Pool[x] = uint8(2 + i)
		}
	}
	for j := range t.W {
		if has(p.Passed, j) {
			t.Passed[j]++
		}
	}
	t.W[i], t.Dead[i], t.Choice[i], t.Passed[i] = line.Offered, p.Dead, p.Choice, 0
	return true
}
