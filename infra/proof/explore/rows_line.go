package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/store"
)

// lineRows are the state, the gates, the entries, the waiters and the places.
func (s *scribe) lineRows(ctx context.Context, r rows) (ws []store.Write) {
	was := line.State{Version: int64(r.Version) - 1}
	p := line.Plan{Gates: true, Wanted: typeList(r.Gate), Dry: typeList(r.Dry), Next: int64(slices.Max(r.Num[:])) + 1}
	for i := range s.c.Waiters {
		if has(r.Bits, i) {
			waits := line.Waiter{Number: int64(r.Num[i]), State: line.Waiting}
			was.Places = line.Plan{Number: []line.Waiter{waits}}.Places(was.Places)
		}
	}
	if r.Version > 0 {
		places := was.Places
		was.Places = line.Places{}
		for i := range s.c.Waiters {
			if has(r.Entry, i) {
				p.Number = append(p.Number, line.Waiter{ID: waiterID(i), Show: s.show.ID, Number: int64(r.Num[i]), State: line.Entering})
			}
		}
		if r.Extra > 0 {
			p.Number = append(p.Number, line.Waiter{ID: "w_x", Show: s.show.ID, Number: int64(r.Extra), State: line.Entering})
		}
		// The rows of who was numbered last are not told to be so: they may change here to
		// what they can only be while a numbering lands, which nobody reads.
		numbered := p
		p.Number = nil
		ws = append(ws, s.wrote(s.paper.CommitLine(ctx, s.show.ID, was, p, line.Stamp{}))...)
		if len(numbered.Number) > 0 {
			all := s.wrote(s.paper.CommitLine(ctx, s.show.ID, was, numbered, line.Stamp{}))
			for k := range numbered.Number {
				ws = append(ws, all[1+gateRows+2*k+1]) // the entry without its waiter
			}
		}
		ws[0].Update = append(ws[0].Update, s.placesOf(ctx, places)...)
	}
	for i := range s.c.Waiters {
		if r.W[i] != 0 {
			v := s.rowWaiter(r, i)
			ws = append(ws, s.wrote(s.paper.Leave(ctx, line.Leaving{Was: v, Waiter: v}, nil))[0])
		}
	}
	return ws
}

const gateRows = 8

// placesOf are the changes of the line's state that say who is in line.
func (s *scribe) placesOf(ctx context.Context, p line.Places) []store.Change {
	if p.Count() == 0 {
		return nil
	}
	full := s.wrote(s.paper.CommitLine(ctx, s.show.ID, line.State{Version: 1}, line.Plan{Number: numbers(p)}, line.Stamp{}))[0].Update
	return full[len(full)-2:]
}

func numbers(p line.Places) (ws []line.Waiter) {
	for n := range int64(64) {
		if p.Has(n) {
			ws = append(ws, line.Waiter{Number: n, State: line.Waiting})
		}
	}
	return ws
}

// rowWaiter is the row of a waiter in whatever state the rows have it.
func (s *scribe) rowWaiter(r rows, i int) line.Waiter {
	k := lineKey{W: r.W, Num: r.Num, Passed: r.Passed, Pool: r.Pool, Dead: r.Dead, Choice: r.Choice}
	v := s.waiter(k, i)
	if v.State == line.Offered || r.Dead[i] != 0 { // an offer stays in the row of who has ended
		v.Offer = s.offer(r.Pool, r.Dead[i], r.Choice[i], i)
		if len(v.Offer.Seats) == 0 {
			v.Offer.Seats = []line.Aside{s.aside([maxSeats]uint8{}, 0)} // what they are decides nothing
		}
	}
	if v.State.Ended() {
		v.EndedAt = began
	}
	return v
}

// placeRows are two transactions: what a place has been, and who has it now.
func (s *scribe) placeRows(ctx context.Context, r rows) (past, live []store.Write) {
	for i := range s.c.Waiters {
		if s.c.place(i) != i {
			continue
		}
		v := line.Waiter{ID: "w", Show: s.show.ID, Buyer: s.buyer(s.c.waiterHold(i)), State: line.Asked, Party: 1}
		if r.Lapses[i] > 0 || r.Cool[i] > 0 {
			p := line.Place{Lapses: int(r.Lapses[i])}
			if r.Cool[i] > 0 {
				p.CoolUntil = at(r.Cool[i])
			}
			past = append(past, s.wrote(s.paper.Leave(ctx, line.Leaving{Was: v, Waiter: v}, &p))[1])
		}
		if r.Live[i] > 0 {
			v.ID = waiterID(int(r.Live[i]) - 1)
			live = append(live, s.wrote(s.paper.Ask(ctx, v, s.keep, time.Time{}))[1])
		}
	}
	return past, live
}

// readWaiters is lineRows' inverse.
func (s *scribe) readWaiters(ctx context.Context, db *store.Store, st line.State, r *rows) error {
	for i := range s.c.Waiters {
		v, err := db.Waiter(ctx, waiterID(i))
		if errors.Is(err, line.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		r.W[i], r.Num[i] = v.State, uint8(v.Number)
		switch v.State {
		case line.Offered:
			r.Dead[i], r.Choice[i] = units(v.Offer.ExpiresAt), typeMask(v.Offer.Choice)
		case line.Waiting:
			r.Passed[i] = uint8(v.Passed)
		}
		if st.Places.Has(v.Number) {
			r.Bits |= 1 << i
		}
	}
	for i := range s.c.Waiters {
		if err := s.readPlace(ctx, db, s.c.place(i), r); err != nil {
			return err
		}
	}
	for _, v := range st.Waiters {
		switch i := s.c.waiterOf(v.ID); {
		case i < 0:
			r.Extra = uint8(v.Number)
		case v.Number > 0:
			r.Entry |= 1 << i
		}
	}
	return nil
}

func (s *scribe) readPlace(ctx context.Context, db *store.Store, i int, r *rows) error {
	p, err := db.Place(ctx, s.show.ID, s.buyer(s.c.waiterHold(i)))
	if err != nil {
		return err
	}
	if r.Lapses[i] = uint8(p.Lapses); !p.CoolUntil.IsZero() {
		r.Cool[i] = units(p.CoolUntil)
	}
	for j := range maxWaiters {
		if p.Live == waiterID(j) {
			r.Live[i] = uint8(1 + j)
		}
	}
	return nil
}

// tidied drops what no rule looks at any more, as state.tidy does.
func (s *scribe) tidied(r rows) rows {
	for i, st := range r.W {
		if st == 0 { // his entry may stand
			r.Num[i] = 0
			r.Bits &^= 1 << i
		}
		if st != line.Offered {
			r.Dead[i], r.Choice[i] = 0, 0
		}
		if st != line.Waiting {
			r.Passed[i] = 0
		}
	}
	for h, st := range r.Hold {
		if st == booking.Blocked || st == 0 {
			r.Exp[h] = 0
		}
	}
	return r
}
