package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/store"
)

// lineTries are all transactions of those who wait and of the lane.
func (s *scribe) lineTries(r rows) (all []try) {
	for i := range s.c.Waiters {
		switch st := r.W[i]; {
		case st == 0:
			all = append(all, s.tryAsk(i, 0), s.tryAsk(i, s.c.TMax))
		case st == line.Asked:
			all = append(all, s.tryNumber(1<<i, 0, r), s.tryNumber(1<<i, 1<<i, r), s.tryLeave(i, false, r))
		case st == line.Entering:
			all = append(all, s.tryAside(i, 0, false, r), s.tryLeave(i, false, r))
			for seats := uint8(1); seats < 1<<s.c.Seats; seats++ {
				if count(seats) <= 2 {
					all = append(all, s.tryAside(i, seats, false, r))
				}
				if count(seats) == int(s.c.Waiters[i].Party) {
					all = append(all, s.tryAside(i, seats, true, r))
				}
			}
		case st == line.Waiting:
			all = append(all, s.tryLeave(i, false, r))
			all = append(all, s.tryOffers(i, r)...)
		case st == line.Offered:
			all = append(all, s.tryLeave(i, true, r), s.tryLeave(i, false, r))
			all = append(all, s.tryAccepts(i, r)...)
			all = append(all, s.tryEnd(1<<i, line.Lapsed, r.Dead[i]+s.c.OfferGrace, r), s.tryEnd(1<<i, line.Lapsed, r.Dead[i]+s.c.OfferGrace-1, r))
		}
	}
	for who := uint8(1); who < 1<<len(s.c.Waiters); who++ {
		if s.all(r, who, line.Asked) && count(who) > 1 {
			all = append(all, s.tryNumber(who, 0, r), s.tryNumber(who, who, r))
		}
		if s.all(r, who, line.Asked, line.Entering, line.Waiting) {
			all = append(all, s.tryEnd(who, line.TimedOut, 1, r), s.tryEnd(who, line.Infeasible, 1, r))
		}
	}
	return all
}

func (s *scribe) all(r rows, who uint8, of ...line.WaiterState) bool {
	for i := range s.c.Waiters {
		if has(who, i) && !slices.Contains(of, r.W[i]) {
			return false
		}
	}
	return true
}

func (s *scribe) tryAsk(i int, now uint8) try {
	v := s.rowWaiter(rows{tables: tables{W: [maxWaiters]line.WaiterState{line.Asked, line.Asked, line.Asked}}}, i)
	v.AskedAt = at(now)
	return try{
		fmt.Sprintf("T7 waiter %d asks at %d", i, now),
		func(r *rows) bool { return s.c.ask(&r.tables, i, now) },
		func(ctx context.Context, db *store.Store) error { return db.Ask(ctx, v, s.keep, time.Time{}) },
	}
}

// tryAccepts of each choice that the rules permit; the decision is made in time, the
// transaction may be late.
func (s *scribe) tryAccepts(i int, r rows) (all []try) {
	mine := r.proposed(i)
	for seats := uint8(1); seats < 1<<s.c.Seats; seats++ {
		st := state{tables: r.tables}
		acc, err := s.acceptance(&st, i, seats)
		if err != nil {
			continue
		}
		a := answer{Mine: seats & mine, Open: seats &^ mine, Back: mine &^ seats}
		for _, now := range []uint8{r.Dead[i] + s.c.OfferGrace - 1, r.Dead[i] + s.c.OfferGrace} {
			acc := acc
			acc.Waiter.EndedAt, acc.Hold.MadeAt, acc.Hold.ExpiresAt = at(now), at(now), at(now+s.c.Length)
			all = append(all, try{
				fmt.Sprintf("T5 waiter %d accepts %04b at %d", i, seats, now),
				func(r *rows) bool { return s.c.takeOffer(&r.tables, i, a, now) },
				func(ctx context.Context, db *store.Store) error { return db.Accept(ctx, acc, s.keep) },
			})
		}
	}
	return all
}

func (s *scribe) tryLeave(i int, decline bool, r rows) try {
	const now = 1
	was := r.W[i]
	act := line.Leave
	if decline {
		act = line.Decline
	}
	l, err := act(s.rowWaiter(r, i), at(now))
	if err != nil {
		panic(err) // its state permits it
	}
	next, back := s.c.refused(&r.tables, i, l.Refused, now), s.asideMask(l.Back)
	return try{
		fmt.Sprintf("T6 waiter %d, %s, becomes %s", i, was, l.Waiter.State),
		func(r *rows) bool {
			return s.c.leave(&r.tables, i, []line.WaiterState{was}, l.Waiter.State, back, next)
		},
		func(ctx context.Context, db *store.Store) error { return db.Leave(ctx, l, next) },
	}
}

// fenced is a commit of the lane under the version as read.
func (s *scribe) fenced(name string, r rows, p line.Plan, at line.Stamp, explored func(*rows) bool) try {
	version := r.Version
	was := line.State{Version: int64(version)}
	for i := range s.c.Waiters {
		if has(r.Bits, i) {
			was.Places = line.Plan{Number: []line.Waiter{{Number: int64(r.Num[i]), State: line.Waiting}}}.Places(was.Places)
		}
	}
	return try{
		name,
		func(r *rows) bool {
			if r.Version != version || !explored(r) {
				return false
			}
			r.Version++
			return true
		},
		func(ctx context.Context, db *store.Store) error { return db.CommitLine(ctx, s.show.ID, was, p, at) },
	}
}

func (s *scribe) tryNumber(who, ack uint8, r rows) try {
	small := plan{Who: who, Ack: ack, Number: slices.Max(r.Num[:]) + 1, Wanted: r.Gate}
	p := line.Plan{Gates: true, Dry: typeList(r.Dry)}
	n := small.Number
	for i := range s.c.Waiters {
		if !has(who, i) {
			continue
		}
		v := s.rowWaiter(r, i)
		if v.State, v.Number = line.Entering, int64(n); has(ack, i) {
			v.State = line.Waiting
		}
		n++
		p.Number = append(p.Number, v)
		small.Wanted |= s.c.Waiters[i].Types
	}
	p.Next, p.Wanted = int64(n), typeList(small.Wanted)
	return s.fenced(fmt.Sprintf("L8 number %03b, %03b of them acknowledged", who, ack), r, p, line.Stamp{}, func(r *rows) bool {
		if r.Extra >= small.Number && r.Extra < n || !r.number(small) {
			return false
		}
		r.Entry |= who
		r.Bits |= ack
		return true
	})
}

func (s *scribe) tryAside(i int, seats uint8, offer bool, r rows) try {
	v := s.rowWaiter(r, i)
	a := &line.SettingAside{Was: v, Waiter: v}
	small := plan{Seats: seats, Dry: r.Dry | s.c.Waiters[i].Types}
	if a.Waiter.State = line.Waiting; offer {
		small.Dead, small.Choice, small.Dry = 2, s.c.Waiters[i].Types, r.Dry
		a.Waiter.State = line.Offered
	}
	for _, x := range s.indexes(seats) {
		seat := s.aside([maxSeats]uint8{}, x)
		if offer {
			seat.For = v.ID
		}
		a.Seats = append(a.Seats, seat)
	}
	if offer {
		a.Waiter.Offer = line.Offer{Seats: a.Seats, Choice: typeList(small.Choice), ExpiresAt: at(small.Dead)}
	}
	p := line.Plan{Aside: a, Dry: typeList(small.Dry)}
	return s.fenced(fmt.Sprintf("L1 set %04b aside for %d, who is %s", seats, i, a.Waiter.State), r, p, line.Stamp{}, func(r *rows) bool {
		if !r.setAside(i, small, line.Entering) {
			return false
		}
		r.Bits |= 1 << i
		return true
	})
}

// tryOffers of any open seats, as many as the party has, passing nobody or all others
// who wait.
func (s *scribe) tryOffers(i int, r rows) (all []try) {
	var others uint8
	for j := range s.c.Waiters {
		if j != i && r.W[j] == line.Waiting {
			others |= 1 << j
		}
	}
	for seats := uint8(1); seats < 1<<s.c.Seats; seats++ {
		open := count(seats) == int(s.c.Waiters[i].Party)
		for _, x := range s.indexes(seats) {
			open = open && r.Pool[x] == poolOpen
		}
		if !open {
			continue
		}
		all = append(all, s.tryOffer(i, seats, 0, r))
		if others != 0 {
			all = append(all, s.tryOffer(i, seats, others, r))
		}
	}
	return all
}

func (s *scribe) tryOffer(i int, seats, passed uint8, r rows) try {
	small := plan{Seats: seats, Passed: passed, Dead: 2, Choice: s.c.Waiters[i].Types}
	v := s.rowWaiter(r, i)
	o := &line.Offering{Was: v, Waiter: v}
	o.Waiter.State, o.Waiter.Offer = line.Offered, line.Offer{Choice: typeList(small.Choice), ExpiresAt: at(small.Dead)}
	for _, x := range s.indexes(seats) {
		seat := s.aside([maxSeats]uint8{}, x)
		seat.For = v.ID
		o.Waiter.Offer.Seats = append(o.Waiter.Offer.Seats, seat)
	}
	for j := range s.c.Waiters {
		if has(passed, j) {
			u := s.rowWaiter(r, j)
			u.Passed++
			o.Passed = append(o.Passed, u)
		}
	}
	return s.fenced(fmt.Sprintf("L5 offer %04b to %d, passing %03b", seats, i, passed), r, line.Plan{Offer: o}, line.Stamp{},
		func(r *rows) bool { return r.offer(i, small) })
}

// tryEnd of several at once; of a lapse by a clock by which it is due, or not.
func (s *scribe) tryEnd(who uint8, to line.WaiterState, now uint8, r rows) try {
	var p line.Plan
	var stamp line.Stamp
	was, back := r.W, [maxWaiters]uint8{}
	var next [maxWaiters]*line.Place
	for i := range s.c.Waiters {
		if !has(who, i) {
			continue
		}
		v := s.rowWaiter(r, i)
		e := line.End{Was: v, Waiter: v, Refused: to == line.Lapsed, Back: v.Offer.Seats}
		e.Waiter.State, e.Waiter.EndedAt = to, at(now)
		back[i] = s.asideMask(e.Back)
		if next[i] = s.c.refused(&r.tables, i, e.Refused, now); e.Refused {
			stamp.Place = next[i]
		}
		if p.End == nil {
			p.End = &e
		} else {
			p.Along = append(p.Along, e)
		}
	}
	return s.fenced(fmt.Sprintf("L2-L4 %03b become %s at %d", who, to, now), r, p, stamp, func(r *rows) bool {
		for i := range s.c.Waiters {
			if has(who, i) && (to == line.Lapsed && now < r.Dead[i]+s.c.OfferGrace || !s.c.leave(&r.tables, i, was[i:i+1], to, back[i], next[i])) {
				return false
			}
		}
		r.Entry &^= who
		r.Bits &^= who
		return true
	})
}

// lineChanges are the rows of the line that may have changed.
func (s *scribe) lineChanges(r rows, add func(func(*rows))) {
	for i := range s.c.Waiters {
		for _, st := range []line.WaiterState{0, line.Asked, line.Waiting, line.Offered, line.Left} {
			add(func(r *rows) { r.W[i] = st })
		}
		if r.W[i] == line.Offered {
			add(func(r *rows) { r.Dead[i]++ })
			add(func(r *rows) { r.Dead[i]-- })
		}
		if h := s.c.waiterHold(i); r.Hold[h] == 0 {
			add(func(r *rows) { r.Hold[h], r.Seats[h], r.Rev[h] = booking.Released, 1, 2 })
		}
		if p := s.c.place(i); p == i {
			for _, live := range []uint8{0, 1, 2} {
				add(func(r *rows) { r.Live[p] = live })
			}
			add(func(r *rows) { r.Cool[p] = 1 })
			add(func(r *rows) { r.Cool[p] = s.c.TMax + 1 })
		}
	}
	if r.Version > 0 {
		add(func(r *rows) { r.Extra = slices.Max(r.Num[:]) + 1 })
	}
}
