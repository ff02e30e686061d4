package main

import (
	"fmt"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
)

// overtakes: somebody acknowledged before this request was sent still waits and
// could use one of these seats.
func (c *config) overtakes(s *state, before, seats uint8, how string) string {
	for i, w := range c.Waiters {
		if has(before, i) && s.W[i] == line.Waiting && c.typesOf(seats)&w.Types != 0 {
			return fmt.Sprintf("FirstComeFirstServed: %s passes waiter %d", how, i)
		}
	}
	return ""
}

// broken names the invariant that s breaks, if any.
func (c *config) broken(s *state) string {
	if bad := c.brokenHolds(s); bad != "" {
		return bad
	}
	if bad := c.brokenPlaces(s); bad != "" {
		return bad
	}
	return c.brokenLine(s)
}

func (c *config) brokenHolds(s *state) string {
	var owned [maxSeats]bool
	var sum [maxBuyers]uint8
	for h := range c.holds() {
		if !s.Hold[h].Live() {
			continue
		}
		if !c.isHouse(h) {
			sum[c.buyer(h)] += uint8(count(s.Seats[h]))
		}
		for x := range c.Seats {
			switch {
			case !has(s.Seats[h], x):
			case owned[x]:
				return "NoDoubleSell: two live holds share a seat"
			case s.Claim[x] != uint8(1+h):
				return "AllOrNothing: a live hold lacks a claim"
			default:
				owned[x] = true
			}
		}
		if c.Timers && s.Hold[h] == booking.Held && !has(s.Timer|s.Pend, h) {
			return "NoLostSeat: a hold that no timer will ever end"
		}
	}
	for b, n := range sum {
		if s.Cap[b] != n {
			return "TenAtMost: the allowance is not the sum of the holds"
		}
		if n > c.Cap {
			return "TenAtMost: over the limit"
		}
	}
	for x := range c.Seats {
		if k := s.Claim[x]; k != free && k != lineClaim && !owned[x] {
			return "NoLostSeat: a claim of a hold that is not live"
		}
	}
	return ""
}

// brokenPlaces: a buyer has one live waiter at most, and the place says which.
func (c *config) brokenPlaces(s *state) string {
	if c.CoolDown == 0 {
		return ""
	}
	var live [maxWaiters]uint8
	for i := range c.Waiters {
		if s.W[i] == 0 || s.W[i].Ended() {
			continue
		}
		p := c.place(i)
		if live[p] != 0 {
			return "OneEffect: two places in line for one buyer"
		}
		live[p] = uint8(1 + i)
	}
	if live != s.Live {
		return "WaiterNeverLost: the place and its waiter differ"
	}
	return ""
}

func (c *config) brokenLine(s *state) string {
	var proposed [maxWaiters]int
	for x := range c.Seats {
		if (s.Claim[x] == lineClaim) != (s.Pool[x] != poolNone) {
			return "NoLostSeat: LINE claims and pool differ"
		}
		if s.Pool[x] > poolOpen {
			proposed[s.Pool[x]-2]++
		}
	}
	for i, w := range c.Waiters {
		if s.W[i] == line.Offered && proposed[i] != int(w.Party) || s.W[i] != line.Offered && proposed[i] != 0 {
			return "WaiterNeverLost: an offer and its seats differ"
		}
		if s.W[i] != line.Waiting {
			continue
		}
		for x := range c.Seats {
			if s.Claim[x] == free && c.Type[x]&w.Types != 0 {
				return fmt.Sprintf("NoGap: a seat is free while waiter %d waits for one", i)
			}
		}
	}
	return ""
}

// step checks what must hold between a state and the next.
func (c *config) step(a, b *state) string {
	for h := range c.holds() {
		x, y := a.Hold[h], b.Hold[h]
		switch {
		case x == y, x == 0 && y == booking.Held, x == booking.Held, x == booking.Blocked, x == booking.Sold && y == booking.Refunded:
		case y == booking.Sold && b.Money[h] == moneyTickets && x != booking.Refunded:
		case c.Mut == ttlOnHold:
		default:
			return "OneEffect: a hold came back"
		}
	}
	for i := range c.Waiters {
		if a.W[i].Ended() && a.W[i] != b.W[i] && c.Mut != acceptLate {
			return "WaiterNeverLost: an ended place changed"
		}
		if a.W[i] == line.Offered && b.W[i] == line.Lapsed && a.Now < a.Dead[i] {
			return "HoldLifetime: an offer lapsed before its deadline"
		}
	}
	return ""
}

type net uint8

const (
	byLooking net = iota // timers, TTL and streams are dead; somebody looks
	byTTL                // nobody looks; the timer items' TTL and the lane work
	byMessage            // the same, and the lane runs only when a message or an offer's deadline wakes it
)

func (n net) String() string {
	return [...]string{"somebody looks", "TTL alone", "TTL and messages alone"}[n]
}

// settleTime is the most that anything takes to come to rest, in units.
const settleTime = 60

// residue is what is left when all that is in flight has died.
func (s state) residue() state {
	s.Lane = [2]worker{}
	s.Rel = [maxHolds]uint8{}
	s.Ask, s.Before = [maxHolds]uint8{}, [maxHolds]uint8{}
	return s
}

// settles lets everything in flight die, stops all buyers, and runs the rest
// fairly. Every waiter must end without the one-hour limit, every seat must come
// to rest. It returns what is wrong, and how long it took.
func (w *world) settles(s state, n net) (string, int) {
	c := w.c
	began := s.Now
	for s.Now < began+settleTime {
		moved := w.settleHolds(&s, n)
		bad, laneMoved := w.settleLane(&s, n)
		if bad != "" {
			return bad, 0
		}
		if moved || laneMoved {
			continue
		}
		if !c.open(&s) && (n != byMessage || s.Ring == 0) {
			return c.atRest(&s), int(s.Now - began)
		}
		s.Now++
	}
	return "liveness: a wait or a hold never ends", 0
}

func (w *world) settleHolds(s *state, n net) (moved bool) {
	c := w.c
	for h := range c.holds() {
		due := w.overdue(s.row(h), s.Now)
		if n != byLooking {
			if has(s.Timer, h) && due {
				s.Timer &^= 1 << h
				s.Pend |= 1 << h
			}
			due = due && has(s.Pend, h)
		}
		if due {
			if ok, _ := w.let(s, h, booking.ByExpiry, s.Gate, 0); ok {
				moved = true
			}
		}
		if s.Money[h] == moneyLate && s.Hold[h] != booking.Held {
			s.Money[h] = moneyBack
			moved = true
		}
	}
	return moved
}

// settleLane runs the lane until nothing is left to do.
func (w *world) settleLane(s *state, n net) (bad string, moved bool) {
	names := uint8(1)<<len(w.c.Waiters) - 1
	if n == byMessage {
		for i := range w.c.Waiters {
			if has(s.Ring, i) && w.c.due(s, i) {
				s.Ring &^= 1 << i
				s.Wake |= wakeAny
			}
		}
		if s.Wake == 0 {
			return "", false
		}
		names = s.Wake &^ wakeAny
		s.Wake = 0
	}
	for range 100 {
		p, err := w.calm(s, names)
		if err != nil {
			return err.Error(), false
		}
		if p.Act == line.Idle {
			return "", moved
		}
		s.Lane[0] = worker{P: p}
		ok, bad := w.commit(s, 0)
		if ok && p.Act == line.Look {
			ok, bad = w.commit(s, 0)
		}
		if bad != "" {
			return bad, false
		}
		if !ok {
			return "liveness: the lane's only transaction fails for ever", false
		}
		if s.W[first(p.Who)] == line.TimedOut && p.Act == line.TimeOut && w.c.CloseAt == 0 {
			return "liveness: only the one-hour limit ended a wait", false
		}
		s.tidy(w.c)
		moved = true
	}
	return "liveness: the lane never comes to rest", false
}

// due: the deadline and grace of an offer are over. Of one that has ended they are
// at some time; any will do.
func (c *config) due(s *state, i int) bool {
	return s.W[i] != line.Offered || s.Now >= s.Dead[i]+c.OfferGrace
}

// calm is the one plan of a run that reads s now, by the right clock.
func (w *world) calm(s *state, names uint8) (plan, error) {
	c := w.c
	if c.Mut == gateForgets {
		if p, ok := c.forgetful(s); ok {
			return p, nil
		}
	}
	for _, page := range []uint8{c.Page, 0} {
		k := w.read(s, names, 0, page)
		k.patient = true
		p, err := w.decideFrom(s, k, c)
		if err != nil || page == 0 || p.Act != line.ReadOn && p.Act != line.Idle {
			return p, err
		}
	}
	return plan{Act: line.Idle}, nil
}

func (c *config) open(s *state) bool {
	for i := range c.Waiters {
		if s.W[i] != 0 && !s.W[i].Ended() {
			return true
		}
	}
	for h := range c.holds() {
		if s.Hold[h] == booking.Held || s.Money[h] == moneyLate {
			return true
		}
	}
	return false
}

func (c *config) atRest(s *state) string {
	if s.Gate != 0 {
		return "NoLostSeat: the gate stays open"
	}
	for x := range c.Seats {
		if s.Claim[x] == lineClaim {
			return "NoLostSeat: a seat stays set aside for nobody"
		}
	}
	return c.broken(s)
}
