package main

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Phases of a place in line, in their order.
const (
	unseen  byte = iota // it has asked, or not even that
	inLine              // acknowledged
	served              // offered
	outside             // ended
)

// scene is a line at one moment.
type scene struct {
	holds  string // a byte a hold: unmade, held or ended
	places string // a byte a place
	since  int64  // the latest of the moments before which what has happened could not
}

// queueJudge knows the facts that all states of a line share.
type queueJudge struct{ line }

func (j queueJudge) model() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any {
			return []any{scene{strings.Repeat("\x00", len(j.holds)), strings.Repeat("\x00", len(j.places)), 0}}
		},
		Step: func(s, in, _ any) []any {
			o := in.(turn)
			var next []any
			for _, n := range j.step(s.(scene), o) {
				if n.since <= o.ret {
					next = append(next, n)
				}
			}
			return next
		},
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: func(in, _ any) string { return in.(turn).String() },
		DescribeState:     func(s any) string { return j.describe(s.(scene)) },
	}
	return m.ToModel()
}

func (s scene) hold(h int, p phase, from int64) scene {
	b := []byte(s.holds)
	b[h] = byte(p)
	s.holds, s.since = string(b), max(s.since, from)
	return s
}

func (s scene) place(w int, p byte, from int64) scene {
	b := []byte(s.places)
	b[w] = p
	s.places, s.since = string(b), max(s.since, from)
	return s
}

func (s scene) heldNow(h int) bool { return phase(s.holds[h]) == held }

// step is every state in which the operation may leave the line.
func (j queueJudge) step(s scene, o turn) []scene {
	switch o.deed {
	case took:
		if phase(s.holds[o.hold]) != unmade {
			return nil
		}
		return j.walkUp(s, o.hold, o)
	case barred:
		return j.barred(s, o)
	case heldBy:
		return j.heldBy(s, o)
	case isAside:
		return j.unheld(s, o.taken, o)
	case spared:
		return j.spared(s, o)
	case gaveBack:
		return j.giveBack(s, o)
	case sawHold:
		return j.sawHold(s, o)
	case stood:
		return j.stood(s, o)
	case accepted:
		return j.accept(s, o)
	case over:
		return j.finish(s, o.place, o)
	case noOffer, tooLate:
		return j.unanswerable(s, o)
	}
	return nil
}

// each is the union of what f makes of the states.
func each(all []scene, f func(scene) []scene) (next []scene) {
	for _, s := range all {
		for _, n := range f(s) {
			if !slices.Contains(next, n) {
				next = append(next, n)
			}
		}
	}
	return next
}

// kindsOf some seats.
func (j queueJudge) kindsOf(in seats) (k kinds) {
	for rest := in; rest != 0; rest &= rest - 1 {
		k |= j.types[bits.TrailingZeros64(uint64(rest))]
	}
	return k
}

// expire ends a held hold: by its time, or by a release that nobody answered.
func (j queueJudge) expire(s scene, h int, o turn) (out []scene) {
	facts := j.holds[h]
	if due := facts.until - j.limits.budget; due <= o.ret {
		out = append(out, s.hold(h, endedLate, due))
	}
	if facts.letGo != 0 && facts.letGo <= o.ret {
		out = append(out, s.hold(h, endedFreely, facts.letGo))
	}
	return out
}

// unheld are the states in which nobody holds any of the seats.
func (j queueJudge) unheld(s scene, in seats, o turn) []scene {
	for h, facts := range j.holds {
		if facts.seats&in != 0 && s.heldNow(h) {
			return each(j.expire(s, h, o), func(t scene) []scene { return j.unheld(t, in, o) })
		}
	}
	return []scene{s}
}

// vacate are those in which they are offered to nobody either, but perhaps to w.
func (j queueJudge) vacate(s scene, in seats, w int, o turn) []scene {
	for v, facts := range j.places {
		if v != w && s.places[v] == served && facts.offer&in != 0 {
			return each(j.finish(s, v, o), func(t scene) []scene { return j.vacate(t, in, w, o) })
		}
	}
	return j.unheld(s, in, o)
}

// pass are the states in which nobody with a number below waits for the types.
func (j queueJudge) pass(s scene, types kinds, below int, o turn) []scene {
	for v, facts := range j.places {
		if s.places[v] == inLine && facts.types&types != 0 && facts.number < below {
			return each(append(j.offer(s, v, o), j.quit(s, v, o)...), func(t scene) []scene { return j.pass(t, types, below, o) })
		}
	}
	return []scene{s}
}

const everybody = 1 << 60

// walkUp makes a hold of seats that are free to everybody.
func (j queueJudge) walkUp(s scene, h int, o turn) []scene {
	facts := j.holds[h]
	free := each(j.pass(s, j.kindsOf(facts.seats), everybody, o), func(t scene) []scene { return j.vacate(t, facts.seats, -1, o) })
	return each(free, func(t scene) []scene { return []scene{t.hold(h, held, facts.made-j.limits.budget)} })
}

// offer is what the lane does: the first in order of number that fits.
func (j queueJudge) offer(s scene, w int, o turn) []scene {
	facts := j.places[w]
	switch {
	case s.places[w] == served:
		return []scene{s}
	case s.places[w] == outside:
		return nil
	case facts.offer == 0: // nobody saw what it was, if it was
		if facts.end == isTimedOut || facts.end == isInfeasible {
			return nil
		}
		return []scene{s.place(w, served, facts.asked)}
	case facts.offered-j.limits.budget > o.ret:
		return nil
	}
	fit := each(j.pass(s, j.kindsOf(facts.offer), facts.number, o), func(t scene) []scene { return j.vacate(t, facts.offer, w, o) })
	return each(fit, func(t scene) []scene { return []scene{t.place(w, served, facts.offered-j.limits.budget)} })
}

// quit ends a place that was not offered.
func (j queueJudge) quit(s scene, w int, o turn) []scene {
	facts := j.places[w]
	direct := facts.end == isLeft && facts.offer == 0 || facts.end == isTimedOut || facts.end == isInfeasible
	if !direct || s.places[w] >= served || facts.ended > o.ret {
		return nil
	}
	return []scene{s.place(w, outside, facts.ended)}
}

// finish ends a place in the way in which it was seen to have ended.
func (j queueJudge) finish(s scene, w int, o turn) []scene {
	facts := j.places[w]
	switch {
	case s.places[w] == outside:
		return []scene{s}
	case facts.end == "" || facts.ended > o.ret:
		return nil
	}
	out := j.quit(s, w, o)
	if facts.end == isTimedOut || facts.end == isInfeasible {
		return out
	}
	return append(out, each(j.offer(s, w, o), func(t scene) []scene {
		t = t.place(w, outside, facts.ended)
		if facts.end == isAccepted {
			return j.toHold(t, w, facts.hold, o)
		}
		return []scene{t}
	})...)
}

// toHold makes the hold of an acceptance. What is chosen beside the proposal nobody
// ahead waits for.
func (j queueJudge) toHold(s scene, w, h int, o turn) []scene {
	if h < 0 || phase(s.holds[h]) != unmade {
		return nil
	}
	facts, p := j.holds[h], j.places[w]
	fair := each(j.pass(s, j.kindsOf(facts.seats&^p.offer), p.number, o), func(t scene) []scene { return j.vacate(t, facts.seats, w, o) })
	return each(fair, func(t scene) []scene { return []scene{t.hold(h, held, facts.made-j.limits.budget)} })
}

func (j queueJudge) accept(s scene, o turn) []scene {
	facts := j.places[o.place]
	if o.call > facts.until+j.limits.budget {
		return nil
	}
	if s.places[o.place] == outside {
		// Its effect may have been seen before its answer came.
		if facts.hold == o.hold && phase(s.holds[o.hold]) != unmade {
			return []scene{s}
		}
		return nil
	}
	return each(j.offer(s, o.place, o), func(t scene) []scene {
		return j.toHold(t.place(o.place, outside, facts.ended), o.place, o.hold, o)
	})
}

// stood is what its owner sees of a place.
func (j queueJudge) stood(s scene, o turn) []scene {
	switch o.is {
	case isJoining:
		if s.places[o.place] == unseen {
			return []scene{s}
		}
	case isWaiting:
		if s.places[o.place] <= inLine {
			return []scene{s.place(o.place, inLine, j.places[o.place].asked)}
		}
	case isOffered:
		return j.offer(s, o.place, o)
	case j.places[o.place].end:
		return j.finish(s, o.place, o)
	}
	return nil
}

// unanswerable: there was no offer, or it was past its time.
func (j queueJudge) unanswerable(s scene, o turn) []scene {
	facts := j.places[o.place]
	if o.deed == noOffer {
		if s.places[o.place] <= inLine {
			return append(j.finish(s, o.place, o), s)
		}
		return j.finish(s, o.place, o)
	}
	if facts.until-j.limits.budget > o.ret {
		return nil
	}
	if s.places[o.place] == outside && facts.end == isLapsed {
		return []scene{s}
	}
	return j.offer(s, o.place, o)
}

func (j queueJudge) giveBack(s scene, o turn) []scene {
	if phase(s.holds[o.hold]) != held {
		if phase(s.holds[o.hold]) == unmade {
			return nil
		}
		return []scene{s}
	}
	out := j.expire(s, o.hold, o)
	if o.call <= j.holds[o.hold].until+j.limits.budget {
		out = append(out, s.hold(o.hold, endedFreely, 0))
	}
	return out
}

func (j queueJudge) sawHold(s scene, o turn) []scene {
	var all []scene
	switch phase(s.holds[o.hold]) {
	case unmade:
		return each(j.appear(s, o.hold, o), func(t scene) []scene { return j.sawHold(t, o) })
	case held:
		if o.is == isHeld && o.call <= j.holds[o.hold].until+j.limits.budget {
			return []scene{s}
		}
		all = j.expire(s, o.hold, o)
	default:
		all = []scene{s}
	}
	want := map[standing]phase{isReleased: endedFreely, isExpired: endedLate}[o.is]
	return slices.DeleteFunc(all, func(t scene) bool { return want == 0 || phase(t.holds[o.hold]) != want })
}

// barred: all that was told is held, all that was not told of is free to everybody.
func (j queueJudge) barred(s scene, o turn) []scene {
	out := j.vacate(s, o.wanted&^o.taken, -1, o)
	for rest := o.taken; rest != 0; rest &= rest - 1 {
		one := rest & -rest
		out = each(out, func(t scene) []scene { return j.holder(t, one, 0, o) })
	}
	return slices.DeleteFunc(out, func(t scene) bool {
		for h, facts := range j.holds {
			if t.heldNow(h) && facts.seats&o.wanted&^o.taken != 0 {
				return true
			}
		}
		return false
	})
}

func (j queueJudge) heldBy(s scene, o turn) []scene { return j.holder(s, o.taken, o.until, o) }

// holder are the states in which somebody holds the seat, until the time if one was
// told; it may be by a reserve that nobody answered, or an acceptance not seen yet.
func (j queueJudge) holder(s scene, seat seats, until int64, o turn) (out []scene) {
	for h, facts := range j.holds {
		if facts.seats&seat == 0 || until != 0 && facts.until != until || o.call > facts.until+j.limits.budget {
			continue
		}
		if s.heldNow(h) {
			out = append(out, s)
		}
		if phase(s.holds[h]) == unmade && facts.made-j.limits.budget <= o.ret {
			out = append(out, j.appear(s, h, o)...)
		}
	}
	return out
}

// appear makes a hold of a reserve that nobody answered, or of an acceptance.
func (j queueJudge) appear(s scene, h int, o turn) []scene {
	if w := slices.IndexFunc(j.places, func(p place) bool { return p.hold == h }); w >= 0 {
		if s.places[w] == outside {
			return nil
		}
		return j.finish(s, w, o)
	}
	if j.holds[h].unsure == 0 {
		return nil // its own answer tells
	}
	for other, twin := range j.holds {
		if twin.unsure == j.holds[h].unsure && phase(s.holds[other]) != unmade {
			return nil
		}
	}
	return j.walkUp(s, h, o)
}

// spared: of one of the types at least a seat was free to everybody.
func (j queueJudge) spared(s scene, o turn) (out []scene) {
	for _, k := range []kinds{regular, premium} {
		if o.types&k != 0 {
			out = append(out, j.pass(s, k, everybody, o)...)
		}
	}
	return out
}

func (j queueJudge) describe(s scene) string {
	var words []string
	for h := range j.holds {
		if s.heldNow(h) {
			words = append(words, fmt.Sprintf("%v held by %d", j.holds[h].seats, h))
		}
	}
	for w, p := range j.places {
		switch s.places[w] {
		case inLine:
			words = append(words, fmt.Sprintf("place %d waits with number %d", w, p.number))
		case served:
			words = append(words, fmt.Sprintf("%v offered to place %d", p.offer, w))
		}
	}
	return strings.Join(words, ", ")
}
