package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/store"
)

// try is one transaction with what it was decided from: as the protocol explored
// has it, and as the store carries it out. explored changes the rows if and only if
// its conditions hold.
type try struct {
	name     string
	explored func(*rows) bool
	shipped  func(context.Context, *store.Store) error
}

// tries are all transactions that somebody may send who has read r.
func (s *scribe) tries(r rows) (all []try) {
	for h := range s.c.holds() {
		if s.c.isHouse(h) {
			all = append(all, s.tryBlock(h, 0b11))
		} else {
			for seats := uint8(1); seats < 1<<s.c.Seats; seats++ {
				if count(seats) <= 2 {
					all = append(all, s.tryHold(h, seats))
				}
			}
		}
		all = append(all, s.tryRelease(h, r)...)
		if !s.c.isHouse(h) {
			all = append(all, s.tryConfirm(h, r)...)
			all = append(all, s.tryRegrant(h, r)...)
		}
	}
	for wanted := range uint8(4) {
		all = append(all, s.tryGates(wanted, r))
	}
	var open uint8
	for x, p := range r.Pool {
		if p == poolOpen {
			open |= 1 << x
		}
	}
	for m := open; m != 0; m = (m - 1) & open {
		all = append(all, s.tryDrain(m, r))
	}
	return append(all, s.lineTries(r)...)
}

func (s *scribe) tryHold(h int, seats uint8) try {
	exp := s.take(h, seats, 1)
	hold := s.hold(h, row{booking.Held, seats, exp, 1})
	return try{
		fmt.Sprintf("T1 hold %d of %04b", h, seats),
		func(r *rows) bool { return s.takeSeats(&r.tables, h, seats, exp) },
		func(ctx context.Context, db *store.Store) error { return db.Hold(ctx, hold, s.keep, booking.Terms{}) },
	}
}

func (s *scribe) tryBlock(h int, seats uint8) try {
	hold := s.hold(h, row{State: booking.Blocked, Seats: seats, Rev: 1})
	return try{
		fmt.Sprintf("T8 block %04b", seats),
		func(r *rows) bool { return s.block(&r.tables, h, seats) },
		func(ctx context.Context, db *store.Store) error { return db.Block(ctx, hold) },
	}
}

// tryConfirm by a clock just before the end of the grace, and at it: the decision
// is made in time, the transaction may be late.
func (s *scribe) tryConfirm(h int, r rows) (all []try) {
	was := r.row(h)
	next := s.confirm(h, was, was.Exp)
	if next == 0 {
		return nil
	}
	before := s.hold(h, was)
	after, err := booking.Confirm(before, s.holds, payID(h), at(was.Exp))
	if err != nil {
		panic(err) // it was just allowed
	}
	p := boxoffice.PaymentChange{Was: s.payment(h, r), Next: s.payment(h, r)}
	p.Next.State = payment.Captured
	o := boxoffice.OrderChange{Was: order.Pending, Next: s.order(h, order.Paid, before)}
	for _, now := range []uint8{was.Exp, was.Exp + s.c.Grace} {
		all = append(all, try{
			fmt.Sprintf("T2 confirm %d at %d", h, now),
			func(r *rows) bool {
				if r.Pay[h] != payment.Pending || r.Order[h] != order.Pending || !s.sell(&r.tables, h, was, next, now) {
					return false
				}
				r.Pay[h], r.Order[h] = payment.Captured, order.Paid
				return true
			},
			func(ctx context.Context, db *store.Store) error { return db.Confirm(ctx, before, after, p, o, at(now)) },
		})
	}
	return all
}

var causes = []booking.Cause{booking.ByOwner, booking.ByExpiry, booking.ByRefund, booking.ByHouse}

// tryRelease for every cause and every gate as it may have been read; of an expiry
// by a clock at which it is overdue, and by one at which it is not.
func (s *scribe) tryRelease(h int, r rows) (all []try) {
	was := r.row(h)
	for _, cause := range causes {
		for gate := range uint8(4) {
			due := was.Exp + s.c.Grace
			e := s.end(h, was, cause, gate, due)
			if e.Next == 0 {
				continue
			}
			d, err := booking.Release(s.hold(h, was), s.holds, cause, typeList(gate), at(due))
			if err != nil {
				panic(err) // it was just allowed
			}
			all = append(all, s.letGo(h, was, e, d, due, r))
			if cause == booking.ByExpiry {
				d.Hold.EndedAt = at(due - 1)
				all = append(all, s.letGo(h, was, e, d, due-1, r))
			}
		}
	}
	return all
}

func (s *scribe) letGo(h int, was row, e ending, d booking.Ending, now uint8, r rows) try {
	var change *boxoffice.OrderChange
	moved := map[order.Status]order.Status{order.Pending: order.Cancelled, order.Paid: order.Refunded}[r.Order[h]]
	if moved != "" {
		change = &boxoffice.OrderChange{Was: r.Order[h], Next: s.order(h, moved, d.Was)}
	}
	ordered := r.Order[h]
	return try{
		fmt.Sprintf("T3 release %d to %s, frees %04b, at %d", h, e.Next, e.Free, now),
		func(r *rows) bool {
			if change != nil && r.Order[h] != ordered || !s.release(&r.tables, h, was, e, now) {
				return false
			}
			if change != nil {
				r.Order[h] = moved
			}
			return true
		},
		func(ctx context.Context, db *store.Store) error { return db.Release(ctx, d, change) },
	}
}

func (s *scribe) tryRegrant(h int, r rows) []try {
	was := r.row(h)
	seats := s.regrant(h, was)
	if seats == 0 {
		return nil
	}
	old := s.hold(h, was)
	hold, err := booking.Regrant(old, anewID(h), payID(h), began)
	if err != nil {
		panic(err) // it was just allowed
	}
	p := boxoffice.PaymentChange{Was: s.payment(h, r), Next: s.payment(h, r)}
	p.Next.State = payment.Captured
	o := boxoffice.OrderChange{Was: r.Order[h], Next: s.order(h, order.Paid, hold)}
	paid, ordered := r.Pay[h], r.Order[h]
	return []try{{
		fmt.Sprintf("T4 grant %d anew", h),
		func(r *rows) bool {
			if has(r.Anew, h) || r.Pay[h] != paid || r.Order[h] != ordered {
				return false
			}
			t := r.tables
			if !s.grantAnew(&t, h, was, seats) {
				return false
			}
			t.Hold[h], t.Rev[h] = was.State, was.Rev // in the tables the old hold stays
			r.tables = t
			r.Anew |= 1 << h
			r.Pay[h], r.Order[h] = payment.Captured, order.Paid
			return true
		},
		func(ctx context.Context, db *store.Store) error { return db.Regrant(ctx, old, hold, s.keep, p, o) },
	}}
}

func (s *scribe) tryGates(wanted uint8, r rows) try {
	version, dry := r.Version, r.Dry&wanted
	return try{
		fmt.Sprintf("L6 gates %02b", wanted),
		func(r *rows) bool {
			if r.Version != version {
				return false
			}
			r.gates(wanted, dry)
			r.Version++
			return true
		},
		func(ctx context.Context, db *store.Store) error {
			return db.CommitLine(ctx, s.show.ID, line.State{Version: int64(version)}, line.Plan{Gates: true, Wanted: typeList(wanted), Dry: typeList(r.Dry & wanted)}, line.Stamp{})
		},
	}
}

func (s *scribe) tryDrain(seats uint8, r rows) try {
	version := r.Version
	var p line.Plan
	for _, x := range s.indexes(seats) {
		p.Drain = append(p.Drain, s.aside(r.Pool, x))
	}
	return try{
		fmt.Sprintf("L7 drain %04b", seats),
		func(r *rows) bool {
			if r.Version != version || !r.drain(seats) {
				return false
			}
			r.Version++
			return true
		},
		func(ctx context.Context, db *store.Store) error {
			return db.CommitLine(ctx, s.show.ID, line.State{Version: int64(version)}, p, line.Stamp{})
		},
	}
}

// changes are the rows that may have changed, one at a time, between the read and
// the commit, also to what no state can come to: else a condition that another
// implies could be dropped unseen.
func (s *scribe) changes(r rows) (all []rows) {
	add := func(f func(*rows)) {
		n := r
		f(&n)
		if n != r {
			all = append(all, n)
		}
	}
	add(func(r *rows) { r.Version++ })
	for gate := range uint8(4) {
		add(func(r *rows) { r.Gate, r.Version = gate, max(r.Version, opened) })
	}
	for x := range s.c.Seats {
		for _, owner := range []uint8{free, lineClaim, 1, 2} {
			add(func(r *rows) { r.Claim[x] = owner })
		}
		for _, pool := range []uint8{poolNone, poolOpen, 2} {
			add(func(r *rows) { r.Pool[x] = pool })
		}
	}
	for h := range s.c.holds() {
		if r.Hold[h] == 0 {
			continue
		}
		for _, st := range []booking.State{booking.Held, booking.Sold, booking.Expired, booking.Released} {
			if s.c.isHouse(h) && st != booking.Released {
				continue
			}
			add(func(r *rows) { r.Hold[h] = st })
		}
		add(func(r *rows) { r.Rev[h]++ })
		add(func(r *rows) { r.Anew |= 1 << h })
		if !s.c.isHouse(h) {
			add(func(r *rows) { r.Pay[h] = payment.Failed })
			add(func(r *rows) { r.Order[h] = order.Refunded })
		}
	}
	for b := range r.Cap {
		for _, n := range []uint8{r.Cap[b] - min(r.Cap[b], 1), r.Cap[b] + 1} {
			add(func(r *rows) { r.Cap[b] = n })
		}
	}
	s.lineChanges(r, add)
	return all
}

// conformance is what was compared.
type conformance struct{ States, Cases, Applied int }

// conform compares the transactions explored with those of the store over the
// rows of every state, at most so many, that the configuration comes to.
func conform(ctx context.Context, c *config, most int) (conformance, error) {
	w, err := newWorld(c)
	if err != nil {
		return conformance{}, err
	}
	s := newScribe(w)
	var n conformance
	seen := map[tables]bool{}
	var list []tables
	w.explore(func(st *state) {
		if t := st.tables; !seen[t] {
			seen[t] = true
			list = append(list, t)
		}
	})
	for _, t := range sample(list, most) {
		r := s.rowsOf(t)
		n.States++
		tries := s.tries(r)
		for _, now := range append([]rows{r}, s.changes(r)...) {
			if err := s.compare(ctx, tries, now, &n); err != nil {
				return n, fmt.Errorf("configuration %s, rows %+v, read before as %+v: %w", c.Name, now, r, err)
			}
		}
	}
	return n, nil
}

// sample is so many of the list, evenly, and of those that differ in how far the
// waiters have come as many at least as there are such.
func sample(list []tables, most int) (some []tables) {
	stride := max(1, len(list)/most)
	type stand struct {
		w    [maxWaiters]line.WaiterState
		open bool // a seat is set aside for nobody
	}
	met := map[stand]bool{}
	for i, t := range list {
		far := stand{t.W, slices.Contains(t.Pool[:], poolOpen)}
		for k, st := range far.w {
			if st.Ended() {
				far.w[k] = line.Left // all ends are one
			}
		}
		if i%stride == 0 || !met[far] {
			met[far] = true
			some = append(some, t)
		}
	}
	return some
}

// compare tries each on a database with the rows; one that was refused must have
// left it as it was, so the next is tried on the same.
func (s *scribe) compare(ctx context.Context, tries []try, now rows, n *conformance) error {
	db, err := s.load(ctx, now)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	for _, t := range tries {
		n.Cases++
		want := now
		applies := t.explored(&want)
		err := t.shipped(ctx, db)
		if applied, known := judge(err); !known || applied != applies {
			return fmt.Errorf("%s: explored applies: %v, shipped: %v (%v)", t.name, applies, applied, err)
		}
		if !applies {
			continue
		}
		n.Applied++
		if err := s.same(ctx, db, want); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if db, err = s.load(ctx, now); err != nil {
			return err
		}
	}
	return s.same(ctx, db, now)
}

func (s *scribe) same(ctx context.Context, db *store.Store, want rows) error {
	got, err := s.readBack(ctx, db, want)
	if err != nil {
		return err
	}
	if want = s.tidied(want); s.tidied(got) != want {
		return fmt.Errorf("rows are\n%+v, explored are\n%+v", got, want)
	}
	return nil
}

// judge tells a refusal by condition from what should never come.
func judge(err error) (applied, known bool) {
	var t *boxoffice.Taken
	switch {
	case err == nil:
		return true, true
	case errors.As(err, &t), fault.Is(err, fault.Stale):
		return false, true
	}
	return false, false
}
