package main

import (
	"fmt"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
)

// sink takes a successor, what led to it (where somebody wants to read that), and
// what promise was broken on the way.
type sink func(n *state, label, bad string)

// moves lists what can happen in s.
type moves struct {
	*world
	s     *state
	named bool
	sink  sink
}

func (m *moves) out(n state, bad, format string, args ...any) {
	n.tidy(m.c)
	label := ""
	if m.named {
		label = fmt.Sprintf(format, args...)
	}
	m.sink(&n, label, bad)
}

func (w *world) next(s *state, named bool, to sink) {
	m := &moves{w, s, named, to}
	if s.Now < w.c.TMax {
		n := *s
		n.Now++
		m.out(n, "", "tick to %d", n.Now)
	}
	var waits uint8
	for i := range w.c.Waiters {
		if s.W[i] == line.Waiting {
			waits |= 1 << i
		}
	}
	m.walkUps(waits)
	for h := range w.c.holds() {
		if s.Hold[h] != 0 {
			m.money(h)
			m.releases(h)
			m.timers(h)
		}
	}
	m.waiters(waits)
	m.lane()
}

func (m *moves) walkUps(waits uint8) {
	s := m.s
	for u, a := range m.c.Attempts {
		for w, seats := range a.Wants {
			switch s.Ask[u] {
			case 0:
				n := *s
				n.Ask[u], n.Before[u] = uint8(1+w), waits
				m.out(n, "", "walk-up %d asks for %04b", u, seats)
			case uint8(1 + w): // also: the reply is lost, and a retry finds the receipt
				n := *s
				if ok, bad := m.walkUp(&n, u, seats); ok {
					n.Ask[u] = uint8(16 + w)
					m.out(n, bad, "hold %d gets %04b", u, seats)
				} else {
					n.Ask[u], n.Before[u] = 0, 0
					m.out(n, "", "walk-up %d is refused", u)
				}
			case uint8(16 + w): // the request once more
				n := *s
				if ok, bad := m.walkUp(&n, u, seats); ok {
					m.out(n, bad, "hold %d gets %04b again", u, seats)
				}
			}
		}
	}
}

func (w *world) walkUp(s *state, h int, seats uint8) (ok bool, bad string) {
	again, before := has(s.Made, h), s.Before[h]
	if !w.takeSeats(&s.tables, h, seats, w.take(h, seats, s.Now)) {
		return false, ""
	}
	s.Made |= 1 << h
	if again {
		bad = "OneEffect: the same request made a second hold"
	}
	if b := w.c.overtakes(s, before, seats, "walk-up"); b != "" {
		bad = b
	}
	return true, bad
}

func (m *moves) money(h int) {
	s, c := m.s, m.c
	n := *s
	if c.isHouse(h) {
		return
	}
	if ok, bad := m.pay(&n, h); ok {
		m.out(n, bad, "hold %d is paid", h)
	}
	st := s.Hold[h]
	over := st == booking.Expired || st == booking.Released || st == booking.Held && s.Now >= s.Exp[h]+c.Grace
	if c.Late && s.Money[h] == moneyNone && over {
		n = *s
		n.Money[h] = moneyLate
		m.out(n, "", "late money for hold %d", h)
	}
	if s.Money[h] != moneyLate {
		return
	}
	n = *s
	if ok, bad := m.late(&n, h); ok {
		m.out(n, bad, "hold %d is granted anew", h)
	}
	if st != booking.Held {
		n = *s
		n.Money[h] = moneyBack
		m.out(n, "", "late money for hold %d goes back", h)
	}
}

func (w *world) pay(s *state, h int) (ok bool, bad string) {
	was := s.row(h)
	next := w.confirm(h, was, s.Now)
	if next == 0 || !w.sell(&s.tables, h, was, next, s.Now) {
		return false, ""
	}
	if s.Now >= was.Exp+w.c.Grace {
		bad = "HoldLifetime: confirmed after expiresAt + grace"
	}
	s.Money[h] = moneyTickets
	if s.Gate != 0 {
		s.wake(w.c, wakeAny, wakeSold)
	}
	s.Pend &^= 1 << h
	return true, bad
}

func (w *world) late(s *state, h int) (ok bool, bad string) {
	was := s.row(h)
	seats := w.regrant(h, was)
	all := uint8(1)<<len(w.c.Waiters) - 1
	bad = w.c.overtakes(s, all, seats, "re-grant")
	if seats == 0 || !w.grantAnew(&s.tables, h, was, seats) {
		return false, ""
	}
	if was.State == booking.Held && bad == "" {
		bad = "HoldLifetime: an overdue hold was sold in place"
	}
	s.Money[h] = moneyTickets
	if s.Gate != 0 {
		s.wake(w.c, wakeAny, wakeSold)
	}
	s.Pend &^= 1 << h
	return true, bad
}

// releases begin with what is read, and end in a commit or in nothing; anything
// may happen in between.
func (m *moves) releases(h int) {
	s, c := m.s, m.c
	st := s.Hold[h]
	begin := func(cause booking.Cause, what string) {
		n := *s
		n.Rel[h] = uint8(cause)<<2 | s.Gate
		m.out(n, "", "%s of hold %d begins; gate read %02b", what, h, s.Gate)
	}
	if s.Rel[h] == 0 {
		if c.Owners && st == booking.Held {
			begin(booking.ByOwner, "release by the owner")
		}
		if m.overdue(s.row(h), s.Now+1) {
			begin(booking.ByExpiry, "release by whoever meets it")
		}
		if c.Refunds && st == booking.Sold {
			begin(booking.ByRefund, "refund")
		}
		if st == booking.Blocked {
			begin(booking.ByHouse, "release by the house")
		}
		return
	}
	cause, gate := booking.Cause(s.Rel[h]>>2), s.Rel[h]&3
	if cause == booking.ByRefund && st == booking.Sold { // a refund is durable intent: a crash repeats it
		begin(cause, "refund once more")
	} else {
		n := *s
		n.Rel[h] = 0
		m.out(n, "", "releaser of %d crashes or gives up", h)
	}
	n := *s
	n.Rel[h] = 0
	if ok, bad := m.let(&n, h, cause, gate, 1); ok {
		m.out(n, bad, "hold %d is released (gate as read %02b)", h, gate)
	}
}

// let commits a release that was decided from the gate as read.
func (w *world) let(s *state, h int, cause booking.Cause, gate, skew uint8) (ok bool, bad string) {
	was := s.row(h)
	switch {
	case w.c.Mut == takeoverNoGate && cause == booking.ByExpiry, w.c.Mut == refundNoGate && cause == booking.ByRefund, w.c.Mut == houseNoGate && cause == booking.ByHouse:
		gate = 0
	}
	e := w.end(h, was, cause, gate, s.Now+skew)
	if e.Next == 0 || !w.release(&s.tables, h, was, e, s.Now+skew) {
		return false, ""
	}
	if cause == booking.ByExpiry && s.Now < was.Exp {
		bad = "HoldLifetime: taken away before expiresAt"
	}
	if w.c.Mut == ttlOnHold && cause == booking.ByExpiry {
		s.Hold[h] = 0
	}
	s.Pend &^= 1 << h
	s.freed(w.c, e.Line)
	return true, bad
}

func (m *moves) timers(h int) {
	s, c := m.s, m.c
	if c.Timers && has(s.Timer, h) && m.overdue(s.row(h), s.Now+1) {
		n := *s
		n.Timer &^= 1 << h
		n.Pend |= 1 << h
		m.out(n, "", "TTL removes the timer of %d", h)
	}
	if c.Mut == dropEarly && has(s.Pend, h) && s.Hold[h] == booking.Held && !m.overdue(s.row(h), s.Now) {
		n := *s
		n.Pend &^= 1 << h
		m.out(n, "", "the expiry message of %d comes early and is acknowledged", h)
	}
}

func (m *moves) waiters(waits uint8) {
	s, c := m.s, m.c
	for i, w := range c.Waiters {
		if s.W[i] == 0 {
			m.ask(i, waits)
			continue
		}
		if s.W[i] == line.Offered || c.Mut == acceptLate && s.W[i] == line.Lapsed {
			for seats := uint8(1); seats < 1<<c.Seats; seats++ {
				if count(seats) != int(w.Party) {
					continue
				}
				n := *s
				if ok, bad := m.accept(&n, i, seats); ok {
					m.out(n, bad, "waiter %d accepts %04b", i, seats)
				}
			}
		}
		for _, decline := range []bool{true, false} {
			if to := m.leavesAs(s, i, decline); to != 0 && (decline || c.Leaves && s.W[i] != line.Offered) {
				n := *s
				n.freed(c, s.proposed(i))
				c.end(&n, i, to)
				n.wake(c, wakeAny, wakeAnswer)
				m.out(n, "", "waiter %d ends its place: %s", i, to)
			}
		}
	}
	for i := range c.Waiters {
		if has(s.Ring, i) && c.due(s, i) {
			n := *s
			n.Ring &^= 1 << i
			n.Wake |= wakeAny
			m.out(n, "", "the timer of waiter %d's offer goes off", i)
		}
	}
	if c.Mut == lapseNoID {
		m.wrongLapse()
	}
}

// ask is T7: what line.Ask allowed from the place as read, and then the transaction,
// which looks at the place again.
func (m *moves) ask(i int, waits uint8) {
	s, c := m.s, m.c
	n := *s
	if c.CoolDown > 0 && !has(s.Asking, i) {
		if m.mayAsk(s, i) {
			n.Asking |= 1 << i
			m.out(n, "", "waiter %d is found to have no place", i)
		}
		return
	}
	n.Asking &^= 1 << i
	bad := ""
	if !c.ask(&n.tables, i, s.Now) {
		m.out(n, "", "waiter %d is refused", i)
		return
	}
	if s.Now < s.Cool[c.place(i)] {
		bad = "OneEffect: joined during the cool-down"
	}
	n.BeforeW[i] = waits
	n.wake(c, 1<<i, wakeJoin)
	m.out(n, bad, "waiter %d asks to join", i)
}

func (m *moves) wrongLapse() {
	s, oldest, gone := m.s, -1, false
	for i := range m.c.Waiters {
		gone = gone || s.W[i] == line.Lapsed || s.W[i] == line.Accepted
		if s.W[i] == line.Offered && (oldest < 0 || s.Num[i] < s.Num[oldest]) {
			oldest = i
		}
	}
	if gone && oldest >= 0 {
		n := *s
		m.c.end(&n, oldest, line.Lapsed)
		m.out(n, "", "an old lapse message ends the oldest offer, of waiter %d", oldest)
	}
}

// nothingToDo: a run that was woken by all messages there are finds the line at
// rest; only then does it delete them.
func (m *moves) nothingToDo() bool {
	p, err := m.decide(m.s, m.s.Wake&^wakeAny, 0)
	return err == nil && p.Act == line.Idle
}

func (m *moves) lane() {
	s, c := m.s, m.c
	if s.Wake != 0 && m.nothingToDo() {
		n := *s
		n.Wake = 0
		m.out(n, "", "messages find nothing to do")
	}
	for k := range s.Lane {
		other := s.Lane[1-k].P.Act != 0
		if s.Lane[k].P.Act == 0 {
			if k == 1 && !other || other && !c.Zombies {
				continue
			}
			ps, err := m.plans(s)
			if err != nil {
				m.out(*s, err.Error(), "lane cannot decide")
			}
			for _, p := range ps {
				n := *s
				n.Lane[k] = worker{P: p}
				m.out(n, "", "lane (beside another: %v) plans %s", other, p)
			}
			continue
		}
		n := *s
		p := s.Lane[k].P
		ok, bad := m.commit(&n, k)
		m.out(n, bad, "lane commits %s: %v (stale: %v)", p, ok, s.Lane[k].Stale)
		// A crash here, or after the commit with the reply lost: the message comes
		// again, nothing else is left.
		n = *s
		n.Lane[k] = worker{}
		for i := range c.Waiters {
			if c.Mut == noRedo && s.W[i] == line.Entering {
				n.Skip |= 1 << i
			}
		}
		m.out(n, "", "lane crashes before %s", p)
	}
}
