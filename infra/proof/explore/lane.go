package main

import (
	"fmt"
	"iter"
	"slices"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// lineKey is all that a run of the lane reads, and by which clock.
type lineKey struct {
	W                         [maxWaiters]line.WaiterState
	Num, Dead, Choice, Passed [maxWaiters]uint8
	Pool                      [maxSeats]uint8
	Unsold, Free              uint8
	Gate, Dry, Clock          uint8
	Names                     uint8 // whom the message names
	Page, Last                uint8 // entries that are read; 0 all
	Skip, Todo                uint8
	scanned, patient          bool // Free was read; nobody's hour is over
}

// decided is what Step answered: a plan, or why there is none.
type decided struct {
	plan plan
	err  error
}

func waiterID(i int) line.WaiterID { return line.WaiterID(fmt.Sprint("w", i)) }

func (c *config) waiterOf(id line.WaiterID) int {
	for i := range c.Waiters {
		if waiterID(i) == id {
			return i
		}
	}
	return -1
}

// read is the key of a run that reads s now, its clock ahead by skew.
func (w *world) read(s *state, names, skew, page uint8) lineKey {
	k := lineKey{
		W: s.W, Num: s.Num, Dead: s.Dead, Choice: s.Choice, Passed: s.Passed, Pool: s.Pool,
		Gate: s.Gate, Dry: s.Dry, Clock: s.Now + skew, Names: names, Skip: s.Skip, Todo: s.Todo, Unsold: w.unsold(s),
	}
	for i := range k.W {
		if k.W[i] == line.Asked && !has(names, i) {
			k.W[i] = 0
		}
	}
	if k.Page = page; page > 0 {
		k.Last, k.Unsold = s.Last, 0
	}
	return k
}

// unsold are the seats neither sold nor blocked.
func (w *world) unsold(s *state) (m uint8) {
	for x := range w.c.Seats {
		o := s.Claim[x]
		if o == free || o == lineClaim {
			m |= 1 << x
			continue
		}
		f := line.Fate{Hold: holdID(int(o - 1)), State: s.Hold[o-1]}
		fate := map[seatmap.SeatID]line.Fate{w.layout.At(x).ID: f}
		if line.Unsold(w.layout, fate, fate)(x) {
			m |= 1 << x
		}
	}
	return m
}

// step asks line.Step, once for each thing that can be read.
func (w *world) step(k lineKey) decided {
	d, ok := w.steps[k]
	if !ok {
		p, err := line.Step(w.lineState(k), w.line, at(k.Clock))
		d = decided{w.small(p, k), err}
		w.steps[k] = d
	}
	return d
}

func (w *world) lineState(k lineKey) line.State {
	c := w.c
	s := line.State{
		Version: 1, Wanted: typeList(k.Gate), Dry: typeList(k.Dry), Layout: w.layout, Next: int64(slices.Max(k.Num[:])) + 1,
		Unsold: func(i int) bool { return has(k.Unsold, i) },
	}
	if c.CloseAt != 0 {
		s.ClosesAt = at(c.CloseAt)
	}
	if k.scanned {
		s.Free = func(i int) bool { return has(k.Free, i) }
	}
	for x := range c.Seats {
		if k.Pool[x] != poolNone {
			s.Pool = append(s.Pool, w.aside(k.Pool, x))
		}
	}
	read := w.page(k, &s)
	for i := range c.Waiters {
		// Entries of those who have ended are not modelled: they are deleted at once.
		if k.W[i] != 0 && !k.W[i].Ended() && has(read, i) {
			s.Waiters = append(s.Waiters, w.waiter(k, i))
		}
	}
	if c.Mut == headGate {
		var all uint8
		for i := range c.Waiters {
			if k.W[i].Active() {
				all |= c.Waiters[i].Types
			}
		}
		if all&k.Gate == k.Gate {
			s.Wanted = typeList(all)
		}
	}
	return s
}

// page is whom a run reads, and how far it has read the line: so many entries from
// its head, who was numbered last, who is offered, and who is named.
func (w *world) page(k lineKey, s *line.State) (read uint8) {
	if k.Page == 0 {
		return 1<<maxWaiters - 1
	}
	s.Unsold = nil // who looks for that reads all
	read = k.Names | k.Last
	var entries []int
	for i, st := range k.W {
		if st.Active() {
			entries = append(entries, i)
		}
		if st == line.Offered {
			read |= 1 << i
		}
	}
	slices.SortFunc(entries, func(a, b int) int { return int(k.Num[a]) - int(k.Num[b]) })
	for _, i := range entries[:min(len(entries), int(k.Page))] {
		read |= 1 << i
		s.Through = int64(k.Num[i])
	}
	s.More = len(entries) >= int(k.Page) // a table says so when the last was read, too
	switch w.c.Mut {
	case pageWhole:
		s.More = false
	case pagePasses:
		s.Through = 1 << 40
	}
	return read
}

func (w *world) aside(pool [maxSeats]uint8, x int) line.Aside {
	at := w.layout.At(x)
	a := line.Aside{Seat: at.ID, Type: at.Type, Block: w.layout.Block(at.Block).Name}
	if pool[x] > poolOpen {
		a.For = waiterID(int(pool[x]) - 2)
	}
	return a
}

// waiter is the domain value, bent where a planted bug bends what the lane sees.
func (w *world) waiter(k lineKey, i int) line.Waiter {
	c := w.c
	v := line.Waiter{
		ID: waiterID(i), Show: w.show.ID, Buyer: w.buyer(c.waiterHold(i)), State: k.W[i], Party: int(c.Waiters[i].Party),
		Types: typeList(c.Waiters[i].Types), AskedAt: began, ExpiresAt: far, Number: int64(k.Num[i]), Passed: int(k.Passed[i]), BodyHash: "body",
	}
	if u := c.Waiters[i].Until; u != 0 && !k.patient {
		v.ExpiresAt = at(u)
	}
	if v.State == line.Offered {
		v.Offer = w.offer(k.Pool, k.Dead[i], k.Choice[i], i)
	}
	switch c.Mut {
	case offerNoTimer:
		if v.State == line.Offered {
			v.Offer.ExpiresAt = far
		}
	case ackEarly:
		if has(k.Todo, i) && v.State == line.Waiting {
			v.State = line.Entering
		}
	case scanBeforeGate:
		if v.State == line.Asked {
			v.State, v.Number = line.Entering, 100
		}
	}
	return v
}

func (w *world) offer(pool [maxSeats]uint8, dead, choice uint8, i int) line.Offer {
	o := line.Offer{Choice: typeList(choice), ExpiresAt: at(dead)}
	for x := range w.c.Seats {
		if pool[x] == uint8(2+i) {
			o.Seats = append(o.Seats, w.aside(pool, x))
		}
	}
	return o
}

// small is the plan in small.
func (w *world) small(p line.Plan, k lineKey) plan {
	c := w.c
	s := plan{Act: p.Act(), Dry: typeMask(p.Dry), Wanted: typeMask(p.Wanted)}
	who := func(v line.Waiter) {
		s.Who |= 1 << c.waiterOf(v.ID)
		if v.State == line.Offered {
			s.Dead, s.Choice = units(v.Offer.ExpiresAt), typeMask(v.Offer.Choice)
			if c.Mut == freeChoice || c.Mut == pageChoice && s.Act == line.SetAside && k.Page > 0 {
				s.Choice = typeMask(v.Types)
			}
			s.Seats = w.asideMask(v.Offer.Seats)
		}
	}
	switch s.Act {
	case line.Look:
		s.Seats, s.Dead, s.Page = 0, k.Clock, k.Page
		first, _ := w.entering(k)
		s.Who = 1 << first
	case line.SetAside:
		who(p.Aside.Waiter)
		s.Seats = w.asideMask(p.Aside.Seats)
	case line.Lapse, line.TimeOut, line.GiveUp:
		for _, e := range p.Ends() {
			who(e.Was)
			s.Seats |= w.asideMask(e.Back)
		}
		s.Dead, s.Choice = 0, 0
	case line.MakeOffer:
		who(p.Offer.Waiter)
		for _, v := range p.Offer.Passed {
			s.Passed |= 1 << c.waiterOf(v.ID)
		}
	case line.DrainPool:
		s.Seats = w.asideMask(p.Drain)
	case line.NumberJoiners:
		for _, v := range p.Number {
			i := c.waiterOf(v.ID)
			s.Who |= 1 << i
			dry := c.Mut == ackNotDry && c.Waiters[i].Types&^k.Gate == 0
			if v.State == line.Waiting || dry || c.Mut == ackAlways {
				s.Ack |= 1 << i
			}
		}
		s.Number = uint8(p.Number[0].Number)
	}
	return s
}

// entering is who a scan is for.
func (w *world) entering(k lineKey) (int, bool) {
	best, least := 0, int64(1<<62)
	read := w.page(k, &line.State{})
	for i := range w.c.Waiters {
		if k.W[i] == 0 || k.W[i].Ended() || !has(read, i) {
			continue
		}
		if v := w.waiter(k, i); v.State == line.Entering && v.Number < least {
			best, least = i, v.Number
		}
	}
	return best, least < 1<<62
}

func (w *world) asideMask(as []line.Aside) (m uint8) {
	for _, a := range as {
		m |= w.seatMask([]seatmap.SeatID{a.Seat})
	}
	return m
}

// plans are what runs of the lane can decide that read s now: by a clock that is
// right or ahead by the grace, woken by messages that name any of those who ask.
func (w *world) plans(s *state) (all []plan, err error) {
	c := w.c
	if c.Mut == gateForgets {
		if p, ok := c.forgetful(s); ok {
			return []plan{p}, nil
		}
	}
	var asks uint8
	for i := range c.Waiters {
		if s.W[i] == line.Asked {
			asks |= 1 << i
		}
	}
	for page := range pages(c.Page) {
		if page > 0 { // a message that comes again names somebody who has long been numbered
			asks = c.inLine(s)
		}
		for skew := uint8(0); skew <= 1; skew++ {
			for names := asks; ; names = (names - 1) & asks {
				p, err := w.decideFrom(s, w.read(s, names, skew, page), c)
				if err != nil {
					return nil, err
				}
				if p.Act != line.Idle && p.Act != line.ReadOn && !slices.Contains(all, p) {
					all = append(all, p)
				}
				if names == 0 {
					break
				}
			}
		}
	}
	return all, nil
}

// pages are the readings that a run may decide from: all of the line, as who reads
// on does at any later time, and with pages so many entries.
func pages(page uint8) iter.Seq[uint8] {
	return func(yield func(uint8) bool) {
		if yield(0) && page > 0 {
			yield(page)
		}
	}
}

func (c *config) inLine(s *state) (m uint8) {
	for i := range c.Waiters {
		if s.W[i] != 0 && !s.W[i].Ended() {
			m |= 1 << i
		}
	}
	return m
}

// decide is what a run does that reads s now, and reads on where it must, bent where
// a planted bug bends what it decides.
func (w *world) decide(s *state, names, skew uint8) (plan, error) {
	if w.c.Page > 0 {
		p, err := w.decideFrom(s, w.read(s, names, skew, w.c.Page), w.c)
		if err != nil || p.Act != line.ReadOn && p.Act != line.Idle {
			return p, err
		}
	}
	return w.decideFrom(s, w.read(s, names, skew, 0), w.c)
}

func (w *world) decideFrom(s *state, k lineKey, c *config) (plan, error) {
	if c.Mut == scanBeforeGate && k.Names != 0 {
		calm := k
		for i := range calm.W {
			if calm.W[i] == line.Asked {
				calm.W[i] = 0
			}
		}
		calm.Names = 0
		if d := w.step(calm); d.err != nil || d.plan.Act != line.Idle {
			return d.plan, d.err
		}
	}
	d := w.step(k)
	if d.err != nil {
		return plan{}, d.err
	}
	p := d.plan
	switch {
	case p.Act == line.Look:
		i := first(p.Who)
		if c.Mut == noRedo && has(s.Skip, i) {
			p.Act, p.Dead, p.Dry = line.SetAside, 0, s.Dry|c.Waiters[i].Types
			return p, nil
		}
		p.Seats = c.freeOf(&s.tables, 0, c.Seats/2)
	case p.Act == line.SetGates && c.Mut == headGate:
		p.Wanted &= s.Gate
	case p.Act == line.NumberJoiners && c.Mut == headGate && s.Gate != 0:
		p.Wanted = s.Gate
	}
	if p.Act == line.SetGates && c.Mut == dryKept {
		p.Dry = s.Dry
	}
	return p, nil
}

// forgetful closes the gates, before all else, for types that only somebody who is
// entering wants.
func (c *config) forgetful(s *state) (plan, bool) {
	var wanted uint8
	for i, v := range c.Waiters {
		if s.W[i] == line.Waiting || s.W[i] == line.Offered {
			wanted |= v.Types
		}
	}
	return plan{Act: line.SetGates, Wanted: wanted, Dry: s.Dry & wanted}, wanted != s.Gate
}

func first(m uint8) int {
	for i := range maxWaiters {
		if has(m, i) {
			return i
		}
	}
	return 0
}

func (c *config) freeOf(t *tables, from, to int) (m uint8) {
	for x := from; x < to; x++ {
		if t.Claim[x] == free {
			m |= 1 << x
		}
	}
	return m
}

// look is the second half of a scan, and what Step makes of the whole. The rest of
// the line is read again too, which is as good: what matters of it is fenced.
func (w *world) look(s *state, p plan) (plan, error) {
	c := w.c
	i := first(p.Who)
	k := w.read(s, 0, 0, p.Page)
	for j := range k.W {
		if j != i && k.W[j] == line.Entering || has(s.Todo, j) && j != i {
			k.W[j] = 0
		}
	}
	k.W[i] = line.Entering
	if c.Mut == scanBeforeGate {
		k.Num[i] = 100
	}
	k.Names, k.Clock, k.scanned = 0, p.Dead, true
	if k.Page > 0 {
		k.Names = 1 << i
	}
	k.Free = p.Seats | c.freeOf(&s.tables, c.Seats/2, c.Seats)
	d := w.step(k)
	return d.plan, d.err
}

func (p plan) String() string {
	return fmt.Sprintf("%s(waiters %03b, seats %04b, types %02b)", p.Act, p.Who, p.Seats, p.Choice|p.Wanted)
}
