package main

import (
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// mayAsk asks line.Ask.
func (w *world) mayAsk(s *state, i int) bool {
	p := w.c.place(i)
	v := line.View{Layout: w.layout, Place: line.Place{Lapses: int(s.Lapses[p]), CoolUntil: at(s.Cool[p])}}
	if l := s.Live[p]; l != 0 {
		v.Place.Live = waiterID(int(l) - 1)
	}
	if w.c.Mut == coolForgotten {
		v.Place.CoolUntil = time.Time{}
	}
	c := w.c.Waiters[i]
	asked, err := line.Ask(line.Join{ID: waiterID(i), Party: int(c.Party), Types: typeList(c.Types)}, v, w.line, at(s.Now))
	return err == nil && asked.State == line.Asked
}

type acceptKey struct {
	w              line.WaiterState
	pool           [maxSeats]uint8
	i              int
	dead, choice   uint8
	seats, cap, at uint8
}

// mayAccept asks line.Accept.
func (w *world) mayAccept(s *state, i int, seats uint8) bool {
	c := w.c
	h := c.waiterHold(i)
	k := acceptKey{s.W[i], s.Pool, i, s.Dead[i], s.Choice[i], seats, s.Cap[c.buyer(h)], s.Now}
	ok, known := w.accepts[k]
	if known {
		return ok
	}
	acc, err := w.acceptance(s, i, seats)
	ok = err == nil && acc.Hold.State == booking.Held && units(acc.Hold.ExpiresAt) == s.Now+c.Length && acc.Waiter.State == line.Accepted &&
		w.asideMask(acc.Mine)|w.asideMask(acc.Open) == w.seatMask(seatIDs(acc.Hold)) && w.seatMask(seatIDs(acc.Hold)) == seats
	w.accepts[k] = ok
	return ok
}

// acceptance asks line.Accept, with what a planted bug makes of the rows.
func (w *world) acceptance(s *state, i int, seats uint8) (line.Acceptance, error) {
	c := w.c
	h := c.waiterHold(i)
	v := w.waiter(lineKey{W: s.W, Num: s.Num, Pool: s.Pool, Dead: s.Dead, Choice: s.Choice}, i)
	pool := s.Pool
	switch {
	case c.Mut == acceptLate && s.W[i] == line.Lapsed:
		v.State = line.Offered
		v.Offer = line.Offer{Choice: v.Types, ExpiresAt: far}
	case c.Mut == acceptSteal:
		for x := range pool {
			if pool[x] > poolOpen && pool[x] != uint8(2+i) {
				pool[x] = poolOpen
			}
		}
	}
	req := line.Accepting{Holding: int(s.Cap[c.buyer(h)]), Hold: holdID(h), Show: w.show, Layout: w.layout}
	for x := range c.Seats {
		if pool[x] != poolNone {
			req.Pool = append(req.Pool, w.aside(pool, x))
		}
	}
	for _, x := range w.indexes(seats) {
		req.Seats = append(req.Seats, w.layout.At(x).ID)
	}
	return line.Accept(v, req, w.line, w.holds, at(s.Now))
}

func seatIDs(h booking.Hold) (ids []seatmap.SeatID) {
	for _, s := range h.Seats {
		ids = append(ids, s.ID)
	}
	return ids
}

// accept is T5 of the seats as they are now.
func (w *world) accept(s *state, i int, seats uint8) (ok bool, bad string) {
	c := w.c
	mine := s.proposed(i)
	late := c.Mut == acceptLate && s.W[i] == line.Lapsed
	if !w.mayAccept(s, i, seats) || c.typesOf(seats&^mine)&^s.Choice[i] != 0 && !late {
		return false, ""
	}
	n := *s
	if !c.takeOffer(&n.tables, i, answer{Mine: seats & mine, Open: seats &^ mine, Back: mine &^ seats}, s.Now) {
		return false, ""
	}
	if late {
		bad = "OneEffect: a lapsed offer was accepted"
	} else {
		bad = c.overtakes(s, s.BeforeW[i], seats, "accept")
	}
	*s = n
	s.freed(c, mine&^seats)
	s.Made |= 1 << c.waiterHold(i)
	s.wake(c, wakeAny, wakeAnswer)
	return true, bad
}

type leaveKey struct {
	w       line.WaiterState
	decline bool
}

// leaves asks line.Decline or line.Leave; 0 is a refusal.
func (w *world) leavesAs(s *state, i int, decline bool) line.WaiterState {
	k := leaveKey{s.W[i], decline}
	to, known := w.leaves[k]
	if !known {
		v := line.Waiter{ID: waiterID(i), State: s.W[i], Party: 1, Types: typeList(reg)}
		act := line.Leave
		if decline {
			act = line.Decline
		}
		if l, err := act(v, at(s.Now)); err == nil {
			to = l.Waiter.State
		}
		w.leaves[k] = to
	}
	return to
}
