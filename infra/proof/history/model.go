package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// phase is where a hold stands; the low bits of its byte in a state.
type phase byte

const (
	unmade phase = iota
	held
	sold
	endedFreely // by its owner
	endedLate   // by its time
	phases      = 0x0f

	// Flags of an ended hold that money was paid for.
	regranted phase = 0x10 // its seats were sold anew, under another id
	passed    phase = 0x20 // another had one of its seats after its end
	givenBack phase = 0x40 // its money was; nothing sells it any more
)

// state is a row at one moment. What may happen by itself, the end of a hold, its
// sale by money that was captured, the effect of a request that nobody answered,
// happens in it as late as possible: only when an operation saw that it has.
//
// That loses nothing. Each such effect has a moment before which it cannot be, none
// has one after which it cannot, and before it is seen it would only forbid. A
// pseudo-operation that returns at infinity says the same, but every one that is
// never needed doubles what porcupine has to search.
type state struct {
	phases string // a byte a hold
	since  int64  // the latest of the moments before which what has happened could not
}

func (s state) of(h int) phase          { return phase(s.phases[h]) & phases }
func (s state) has(h int, f phase) bool { return phase(s.phases[h])&f != 0 }

func (s state) with(h int, p phase, from int64) state {
	b := []byte(s.phases)
	b[h] = byte(p)
	return state{string(b), max(s.since, from)}
}

// judge knows the facts that all states of a history share.
type judge struct{ history }

func (j judge) model() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{state{phases: strings.Repeat("\x00", len(j.holds))}} },
		Step: func(s, in, _ any) []any {
			o := in.(operation)
			var next []any
			for _, n := range j.step(s.(state), o) {
				if n.since <= o.ret {
					next = append(next, n)
				}
			}
			return next
		},
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: func(in, _ any) string { return in.(operation).String() },
		DescribeState:     func(s any) string { return j.describe(s.(state)) },
	}
	return m.ToModel()
}

// step is every state in which the operation may leave the row.
func (j judge) step(s state, o operation) []state {
	switch o.verb {
	case reserved:
		return j.reserve(s, o)
	case refused:
		return j.refuse(s, o)
	case owned:
		return j.owned(s, o)
	case released:
		return j.release(s, o)
	case looked, payable, read:
		return j.look(s, o)
	}
	return nil
}

func (j judge) reserve(s state, o operation) []state {
	if s.of(o.hold) != unmade {
		return nil
	}
	return j.take(j.vacate(s, j.holds[o.hold].seats, o), o.hold)
}

// take makes the hold in each of the states, in which its seats are free.
func (j judge) take(free []state, h int) []state {
	made := j.holds[h]
	for i, s := range free {
		free[i] = j.pass(s, made.seats).with(h, held, made.made-j.limits.budget)
	}
	return free
}

// pass notes for whom it is too late to have his ended hold sold after all.
func (j judge) pass(s state, in seats) state {
	for h, facts := range j.holds {
		if facts.money != 0 && facts.seats&in != 0 && s.of(h) >= endedFreely && !s.has(h, regranted) {
			s = s.with(h, phase(s.phases[h])|passed, 0)
		}
	}
	return s
}

// owners of some seats: the live holds, and those that late money bought anew.
func (j judge) owners(s state, in seats) []int {
	var all []int
	for h, facts := range j.holds {
		if facts.seats&in != 0 && (s.of(h) == held || s.of(h) == sold || s.has(h, regranted)) {
			all = append(all, h)
		}
	}
	return all
}

// vacate frees the seats in every way that time and lost requests allow.
func (j judge) vacate(s state, in seats, o operation) []state {
	out := []state{s}
	for _, h := range j.owners(s, in) {
		var next []state
		for _, t := range out {
			next = append(next, j.end(t, h, o)...)
		}
		out = next
	}
	return out
}

// end ends a held hold: by its time, or by a release that nobody answered.
func (j judge) end(s state, h int, o operation) []state {
	facts := j.holds[h]
	var out []state
	if s.of(h) != held {
		return nil
	}
	if due := facts.until - j.limits.budget; due <= o.ret {
		out = append(out, s.with(h, endedLate, due))
	}
	if facts.letGo != 0 && facts.letGo <= o.ret {
		out = append(out, s.with(h, endedFreely, facts.letGo))
	}
	return out
}

// sell is what captured money does to a held hold.
func (j judge) sell(s state, h int, o operation) []state {
	facts := j.holds[h]
	if s.of(h) != held || facts.money == 0 || facts.late || facts.money > o.ret {
		return nil
	}
	return []state{s.with(h, sold, facts.money)}
}

// regrant is what it does to a hold that has ended, if all its seats are free.
func (j judge) regrant(s state, h int, o operation) []state {
	facts := j.holds[h]
	from := facts.money
	if facts.late {
		from = max(from, facts.until-j.limits.budget)
	}
	if from == 0 || from > o.ret || s.has(h, regranted|givenBack) {
		return nil
	}
	var out []state
	for _, ended := range j.ended(s, h, o) {
		for _, free := range j.vacate(ended, facts.seats, o) {
			out = append(out, j.pass(free, facts.seats).with(h, phase(free.phases[h])|regranted, from))
		}
	}
	return out
}

// ended are the states in which the hold is no more.
func (j judge) ended(s state, h int, o operation) []state {
	if s.of(h) >= endedFreely {
		return []state{s}
	}
	return j.end(s, h, o)
}

// appear makes a hold of a reserve that nobody answered.
func (j judge) appear(s state, h int, o operation) []state {
	facts := j.holds[h]
	if facts.unsure == 0 || s.of(h) != unmade || facts.made-j.limits.budget > o.ret {
		return nil
	}
	for other, twin := range j.holds {
		if twin.unsure == facts.unsure && s.of(other) != unmade {
			return nil
		}
	}
	return j.take(j.vacate(s, facts.seats, o), h)
}

// refuse: all that was named is taken and all that was not is free, at once.
func (j judge) refuse(s state, o operation) []state {
	out := j.vacate(s, o.wanted&^o.taken, o)
	for rest := o.taken; rest != 0; rest &= rest - 1 {
		one := rest & -rest
		var next []state
		for _, t := range out {
			next = append(next, j.claimed(t, one, o)...)
		}
		out = next
	}
	return slices.DeleteFunc(out, func(t state) bool { return len(j.owners(t, o.wanted&^o.taken)) > 0 })
}

// claimed are the states in which the seat has an owner, be it one that nobody has
// seen yet.
func (j judge) claimed(s state, seat seats, o operation) []state {
	if len(j.owners(s, seat)) > 0 {
		return []state{s}
	}
	var out []state
	for h, facts := range j.holds {
		if facts.seats&seat == 0 {
			continue
		}
		out = append(out, j.appear(s, h, o)...)
		out = append(out, j.regrant(s, h, o)...)
	}
	return out
}

// owned: one owner of all those seats, in the standing that was told.
func (j judge) owned(s state, o operation) []state {
	var out []state
	for h, facts := range j.holds {
		if facts.seats&o.taken != o.taken {
			continue
		}
		if o.is == isSold {
			out = append(out, j.paid(s, h, o)...)
			continue
		}
		if o.until != 0 && o.until != facts.until || o.call > facts.until+j.limits.budget {
			continue
		}
		if s.of(h) == held {
			out = append(out, s)
		}
		out = append(out, j.appear(s, h, o)...)
	}
	return out
}

// paid are the states in which the hold's seats are its buyer's for good.
func (j judge) paid(s state, h int, o operation) []state {
	if s.of(h) == sold || s.has(h, regranted) {
		return []state{s}
	}
	return append(j.sell(s, h, o), j.regrant(s, h, o)...)
}

func (j judge) release(s state, o operation) []state {
	switch s.of(o.hold) {
	case held:
		out := j.end(s, o.hold, o)
		if o.call <= j.holds[o.hold].until+j.limits.budget {
			out = append(out, s.with(o.hold, endedFreely, 0))
		}
		return out
	case endedFreely, endedLate:
		return []state{s}
	}
	return nil
}

// look is what holds and orders are seen to be.
func (j judge) look(s state, o operation) []state {
	h := o.hold
	switch o.is {
	case isHeld, isPending:
		if s.of(h) == held && o.call <= j.holds[h].until+j.limits.budget {
			return []state{s}
		}
		return nil
	case isSold:
		if s.of(h) == sold {
			return []state{s}
		}
		return j.sell(s, h, o)
	case isPaid:
		return j.paid(s, h, o)
	case isRefunded:
		return j.refunded(s, h, o)
	}
	return slices.DeleteFunc(j.ended(s, h, o), func(t state) bool { return !tells(t, h, o.is) })
}

// refunded: money came too late, and a seat of the hold was another's by then, or
// may have been: of a lost reserve that nobody saw, this is the only trace.
func (j judge) refunded(s state, h int, o operation) []state {
	facts := j.holds[h]
	if facts.money == 0 {
		return nil
	}
	unseen := slices.ContainsFunc(j.lost, func(l operation) bool { return l.wanted&facts.seats != 0 && l.call <= o.ret })
	var out []state
	for _, t := range j.ended(s, h, o) {
		if !t.has(h, regranted) && (unseen || t.has(h, passed)) {
			out = append(out, t.with(h, phase(t.phases[h])|givenBack, 0))
		}
	}
	return out
}

// tells reports whether an ended hold can be seen like this.
func tells(s state, h int, is standing) bool {
	switch is {
	case isReleased:
		return s.of(h) == endedFreely
	case isExpired:
		return s.of(h) == endedLate
	case isCancelled:
		return !s.has(h, regranted|givenBack)
	}
	return false
}

func (j judge) describe(s state) string {
	var words []string
	for h := range j.holds {
		if p := s.of(h); p == held || p == sold || s.has(h, regranted) {
			words = append(words, fmt.Sprintf("%v %s by %d", j.holds[h].seats, [...]string{"", "held", "sold", "regranted", "regranted"}[p], h))
		}
	}
	return strings.Join(words, ", ")
}
