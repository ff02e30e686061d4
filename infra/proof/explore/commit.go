package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/line"
)

// commit is the lane's transaction; ok is false when a condition failed, and then
// nothing was written. bad names a broken promise.
func (w *world) commit(s *state, k int) (ok bool, bad string) {
	run := s.Lane[k]
	if run.P.Act == line.Look { // no transaction: the second page of the read
		p, err := w.look(s, run.P)
		if err != nil {
			return false, err.Error()
		}
		s.Lane[k].P = p
		return true, ""
	}
	s.Lane[k] = worker{}
	if run.Stale && w.c.Mut != noFence {
		return false, ""
	}
	ok, bad = w.apply(s, run.P)
	if !ok {
		return false, ""
	}
	if w.c.Mut == wakeAck {
		s.Wake = 0
	}
	for o := range s.Lane {
		if s.Lane[o].P.Act != 0 {
			s.Lane[o].Stale = true
		}
	}
	return true, bad
}

func (w *world) apply(s *state, p plan) (ok bool, bad string) {
	c := w.c
	i := first(p.Who)
	switch p.Act {
	case line.NumberJoiners:
		return c.number(s, p), ""
	case line.SetAside:
		return c.setAside(s, p, i)
	case line.SetGates:
		s.gates(p.Wanted, p.Dry)
		return true, ""
	case line.DrainPool:
		return s.drain(p.Seats), ""
	case line.Lapse:
		if s.W[i] != line.Offered {
			return false, ""
		}
		if s.Now < s.Dead[i] {
			bad = "HoldLifetime: an offer lapsed before its deadline"
		}
		c.end(s, i, line.Lapsed)
		return true, bad
	case line.TimeOut:
		return c.endAll(s, p.Who, line.TimedOut, line.Waiting, line.Asked, line.Entering), ""
	case line.GiveUp:
		return c.endAll(s, p.Who, line.Infeasible, line.Waiting, line.Asked), ""
	case line.MakeOffer:
		return c.makeOffer(s, p, i)
	}
	return false, fmt.Sprintf("a plan without a transaction: %s", p)
}

// endAll is L3 and L4: each is in one of the states.
func (c *config) endAll(s *state, who uint8, to line.WaiterState, from ...line.WaiterState) bool {
	asked := who
	if c.Mut == alongBlind {
		asked &= -asked // of those who go along nothing is asked
	}
	for i := range c.Waiters {
		if has(asked, i) && !slices.Contains(from, s.W[i]) {
			return false
		}
	}
	for i := range c.Waiters {
		if has(who, i) {
			c.end(s, i, to)
		}
	}
	return true
}

// number is L8: each is still asked.
func (c *config) number(s *state, p plan) bool {
	for i := range c.Waiters {
		if has(p.Who, i) && s.W[i] != line.Asked {
			return false
		}
	}
	n := p.Number
	for i := range c.Waiters {
		if !has(p.Who, i) {
			continue
		}
		s.W[i], s.Num[i] = line.Entering, n
		if has(p.Ack, i) {
			s.W[i] = line.Waiting
		}
		if c.Mut == ackEarly {
			s.W[i] = line.Waiting
			s.Todo |= 1 << i
		}
		n++
	}
	s.Gate = p.Wanted
	if c.Page > 0 {
		s.Last = p.Who
	}
	return true
}

// setAside is L1: the waiter is entering and each claim absent.
func (c *config) setAside(s *state, p plan, i int) (ok bool, bad string) {
	early := c.Mut == ackEarly && s.W[i] == line.Waiting && has(s.Todo, i)
	late := c.Mut == scanBeforeGate && s.W[i] == line.Asked
	if s.W[i] != line.Entering && !early && !late || !s.allFree(p.Seats) {
		return false, ""
	}
	if late {
		var n uint8
		for _, m := range s.Num {
			n = max(n, m)
		}
		s.Num[i] = n + 1
		s.Gate |= c.Waiters[i].Types
	}
	s.Todo &^= 1 << i
	owner := uint8(poolOpen)
	if p.Dead != 0 {
		owner = uint8(2 + i)
		bad = c.overtakes(s, s.BeforeW[i], p.Seats, "offer at once")
	}
	for x := range c.Seats {
		if has(p.Seats, x) {
			s.Claim[x], s.Pool[x] = lineClaim, owner
		}
	}
	if p.Dead != 0 {
		c.offered(s, p, i)
		return true, bad
	}
	s.W[i], s.Dry = line.Waiting, p.Dry
	return true, ""
}

// makeOffer is L5: the waiter waits, each pool item exists and is for nobody, and
// those passed still wait.
func (c *config) makeOffer(s *state, p plan, i int) (ok bool, bad string) {
	if s.W[i] != line.Waiting {
		return false, ""
	}
	for x := range c.Seats {
		if has(p.Seats, x) && s.Pool[x] != poolOpen {
			return false, ""
		}
	}
	for j := range c.Waiters {
		if has(p.Passed, j) && s.W[j] != line.Waiting {
			return false, ""
		}
	}
	passed := p.Passed
	if c.Mut == firstFit {
		passed = 0
	}
	for j := range c.Waiters {
		if !has(passed, j) {
			continue
		}
		if s.Passed[j]++; s.Passed[j] > c.Passes {
			bad = "FirstComeFirstServed: more than the rule allows have passed somebody"
		}
	}
	if b := c.overtakes(s, s.BeforeW[i]&^passed, p.Seats, "offer"); b != "" {
		bad = b
	}
	s.BeforeW[i] &^= passed
	for x := range c.Seats {
		if has(p.Seats, x) {
			s.Pool[x] = uint8(2 + i)
		}
	}
	c.offered(s, p, i)
	return true, bad
}

func (c *config) offered(s *state, p plan, i int) {
	s.W[i], s.Dead[i], s.Choice[i] = line.Offered, p.Dead, p.Choice
	if c.Wakes && c.Mut != wakeOffer {
		s.Ring |= 1 << i
	}
}

// end closes a place in line; seats proposed to it are nobody's again.
func (c *config) end(s *state, i int, to line.WaiterState) {
	if p := c.place(i); c.CoolDown > 0 && c.Mut != placeKept && s.Live[p] == uint8(1+i) {
		refused := s.W[i] == line.Offered && to != line.Accepted
		cool := line.Policy{CoolDown: time.Duration(c.CoolDown) * unit}
		place := line.Place{Live: waiterID(i), Lapses: int(s.Lapses[p]), CoolUntil: at(s.Cool[p])}.Close(refused, cool, at(s.Now))
		s.Live[p], s.Lapses[p], s.Cool[p] = 0, uint8(place.Lapses), units(place.CoolUntil)
	}
	s.W[i] = to
	for x := range s.Pool {
		if s.Pool[x] == uint8(2+i) {
			s.Pool[x] = poolOpen
		}
	}
}
