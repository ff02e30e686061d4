package main

import (
	"fmt"
	"slices"

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

// number is L8.
func (c *config) number(s *state, p plan) bool {
	if !s.tables.number(p) {
		return false
	}
	for i := range c.Waiters {
		if has(p.Who, i) && c.Mut == ackEarly {
			s.W[i] = line.Waiting
			s.Todo |= 1 << i
		}
	}
	if c.Page > 0 {
		s.Last = p.Who
	}
	return true
}

// setAside is L1.
func (c *config) setAside(s *state, p plan, i int) (ok bool, bad string) {
	from := []line.WaiterState{line.Entering}
	if c.Mut == ackEarly && has(s.Todo, i) {
		from = append(from, line.Waiting)
	}
	late := c.Mut == scanBeforeGate && s.W[i] == line.Asked
	if late {
		from = append(from, line.Asked)
	}
	if p.Dead != 0 {
		bad = c.overtakes(s, s.BeforeW[i], p.Seats, "offer at once")
	}
	if !s.tables.setAside(i, p, from...) {
		return false, ""
	}
	if late {
		s.Num[i] = slices.Max(s.Num[:]) + 1
		s.Gate |= c.Waiters[i].Types
	}
	s.Todo &^= 1 << i
	c.ring(s, i)
	return true, bad
}

// makeOffer is L5.
func (c *config) makeOffer(s *state, p plan, i int) (ok bool, bad string) {
	passed := p.Passed
	if c.Mut == firstFit {
		passed = 0
	}
	bad = c.overtakes(s, s.BeforeW[i]&^passed, p.Seats, "offer")
	if p.Passed = passed; !s.offer(i, p) {
		return false, ""
	}
	for j := range c.Waiters {
		if has(passed, j) && s.Passed[j] > c.Passes && bad == "" {
			bad = "FirstComeFirstServed: more than the rule allows have passed somebody"
		}
	}
	s.BeforeW[i] &^= passed
	c.ring(s, i)
	return true, bad
}

// ring sets the timer of an offer that was made just now.
func (c *config) ring(s *state, i int) {
	if s.W[i] == line.Offered && c.Wakes && c.Mut != wakeOffer {
		s.Ring |= 1 << i
	}
}

// end closes a place in line, whatever its state.
func (c *config) end(s *state, i int, to line.WaiterState) {
	refused := s.W[i] == line.Offered
	back := s.proposed(i)
	c.close(&s.tables, i, to, c.refused(&s.tables, i, refused, s.Now))
	s.reopen(back)
}
