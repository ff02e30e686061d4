package line_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// naive decides from the words of the rules, one question after another, where
// Step sorts and remembers. Its parties are of regular and premium seats, so that
// whether one fits is a question of number.
type naive struct {
	line.State
	p   line.Policy
	now time.Time
}

// in state st, in order of number; who has none yet, by when they asked.
func (n naive) in(st line.WaiterState) (ws []line.Waiter) {
	for at := range int64(1000) {
		for _, w := range n.Waiters {
			asked := int64(w.AskedAt.Sub(noon) / time.Second)
			if w.State == st && (w.Number == at && at > 0 || w.Number == 0 && asked == at) {
				ws = append(ws, w)
			}
		}
	}
	return ws
}

func (n naive) over(w line.Waiter) bool {
	return !n.ClosesAt.IsZero() && !n.ClosesAt.After(n.now) || !w.ExpiresAt.After(n.now)
}

func (n naive) count(ok func(i int) bool, t []seatmap.SeatType) (c int) {
	for i := range n.Layout.Len() {
		if ok(i) && slices.Contains(t, n.Layout.At(i).Type) {
			c++
		}
	}
	return c
}

func (n naive) open(i int) bool {
	return slices.ContainsFunc(n.Pool, func(a line.Aside) bool { return a.For == "" && a.Seat == n.Layout.At(i).ID })
}

// usable are w's types but for those of whoever is ahead, does not fit and lets
// nobody pass.
func (n naive) usable(w line.Waiter) []seatmap.SeatType {
	var t []seatmap.SeatType
	for _, want := range w.Types {
		ok := true
		for _, v := range n.in(line.Waiting) {
			if v.Number < w.Number && slices.Contains(v.Types, want) && !n.fits(v) && (n.p.Rule == line.Strict || v.Passed >= n.p.Passes) {
				ok = false
			}
		}
		if ok {
			t = append(t, want)
		}
	}
	return t
}

func (n naive) fits(w line.Waiter) bool { return n.count(n.open, n.usable(w)) >= w.Party }

// act is what is to be done, and whom it is about.
func (n naive) act() (line.Act, []line.WaiterID) {
	one := func(a line.Act, w line.Waiter) (line.Act, []line.WaiterID) { return a, []line.WaiterID{w.ID} }
	if ws := n.in(line.Entering); len(ws) > 0 {
		w := ws[0]
		dry := !slices.ContainsFunc(w.Types, func(t seatmap.SeatType) bool { return !slices.Contains(n.Dry, t) })
		switch {
		case n.over(w):
			return one(line.TimeOut, w)
		case !dry && n.Free == nil:
			return line.Look, nil
		}
		return one(line.SetAside, w)
	}
	for _, w := range n.in(line.Offered) {
		if !n.now.Before(w.Offer.ExpiresAt.Add(n.p.Grace)) {
			return one(line.Lapse, w)
		}
	}
	wait := append(n.in(line.Asked), n.in(line.Waiting)...) // who has no number yet comes before all
	if over := ids(wait, n.over); len(over) > 0 {
		return line.TimeOut, over
	}
	vain := ids(wait, func(w line.Waiter) bool { return n.Unsold != nil && n.count(n.Unsold, w.Types) < w.Party })
	if len(vain) > 0 {
		return line.GiveUp, vain
	}
	for _, w := range n.in(line.Waiting) {
		if n.fits(w) {
			return one(line.MakeOffer, w)
		}
	}
	return n.housekeeping()
}

func ids(ws []line.Waiter, is func(line.Waiter) bool) (ids []line.WaiterID) {
	for _, w := range ws {
		if is(w) {
			ids = append(ids, w.ID)
		}
	}
	return ids
}

func (n naive) housekeeping() (line.Act, []line.WaiterID) {
	var ended, asked []line.WaiterID
	wanted := map[seatmap.SeatType]bool{}
	for _, w := range n.Waiters {
		switch {
		case w.State.Active():
			for _, t := range w.Types {
				wanted[t] = true
			}
		case w.State.Ended():
			ended = append(ended, w.ID)
		}
	}
	for _, w := range n.in(line.Asked) {
		asked = append(asked, w.ID)
	}
	right := len(wanted) == len(n.Wanted)
	for _, t := range n.Wanted {
		right = right && wanted[t]
	}
	switch {
	case !right:
		return line.SetGates, ended
	case len(ended) > 0:
		return line.TidyUp, ended
	}
	for i := range n.Layout.Len() {
		if n.open(i) && !slices.Contains(n.Wanted, n.Layout.At(i).Type) {
			return line.DrainPool, nil
		}
	}
	if len(asked) > 0 {
		return line.NumberJoiners, asked
	}
	return line.Idle, nil
}

// about are those whom a plan is about.
func about(p line.Plan) (ids []line.WaiterID) {
	switch {
	case p.Aside != nil:
		ids = append(ids, p.Aside.Was.ID)
	case p.Offer != nil:
		ids = append(ids, p.Offer.Was.ID)
	}
	for _, e := range p.Ends() {
		ids = append(ids, e.Was.ID)
	}
	for _, w := range p.Number {
		ids = append(ids, w.ID)
	}
	for _, w := range p.Tidy {
		ids = append(ids, w.ID)
	}
	return ids
}

// drawState is any state of a line of up to six in the snug hall.
func drawState(rt *rapid.T, t testing.TB, l *seatmap.Layout) line.State {
	kinds := [][]seatmap.SeatType{types(reg), types(prem), types(prem, reg)}
	s := line.State{Layout: l, Next: 100}
	s.Wanted = rapid.SampledFrom([][]seatmap.SeatType{nil, types(reg), types(prem), types(prem, reg)}).Draw(rt, "wanted")
	s.Dry = rapid.SampledFrom([][]seatmap.SeatType{nil, types(reg), types(prem, reg)}).Draw(rt, "dry")
	if rapid.IntRange(0, 9).Draw(rt, "closing") == 0 {
		s.ClosesAt = noon.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "closes")) * time.Minute)
	}
	names := []string{"A-1", "A-2", "A-3", "A-4", "C-5", "C-6"}
	owner := map[string]line.WaiterID{}
	for _, id := range names {
		if rapid.Bool().Draw(rt, id) {
			owner[id] = ""
		}
	}
	states := []line.WaiterState{line.Waiting, line.Waiting, line.Waiting, line.Offered, line.Entering, line.Asked, line.Accepted, line.Lapsed}
	for i := range rapid.IntRange(0, 6).Draw(rt, "waiters") {
		w := who(i+1, rapid.SampledFrom(states).Draw(rt, "state"), rapid.IntRange(1, 4).Draw(rt, "party"), rapid.SampledFrom(kinds).Draw(rt, "types")...)
		w.Passed = rapid.IntRange(0, 2).Draw(rt, "passed")
		if rapid.IntRange(0, 11).Draw(rt, "hour") == 0 {
			w.ExpiresAt = noon
		}
		if w.State == line.Offered {
			w.Offer.ExpiresAt = noon.Add(time.Duration(rapid.SampledFrom([]int{-6, -5, -4, 60}).Draw(rt, "deadline")) * time.Second)
			for _, id := range names {
				if o, ok := owner[id]; ok && o == "" && len(w.Offer.Seats) < w.Party {
					owner[id] = w.ID
					w.Offer.Seats = append(w.Offer.Seats, pool(t, l, id, w.ID)...)
				}
			}
			if w.Party = len(w.Offer.Seats); w.Party == 0 {
				continue
			}
		}
		s.Waiters = append(s.Waiters, w)
	}
	for _, id := range names {
		if o, ok := owner[id]; ok {
			s.Pool = append(s.Pool, pool(t, l, id, o)...)
		}
	}
	s.Waiters = rapid.Permutation(s.Waiters).Draw(rt, "order")
	some := func(label string) func(int) bool {
		ids := rapid.SliceOfDistinct(rapid.IntRange(0, l.Len()-1), rapid.ID[int]).Draw(rt, label)
		return func(i int) bool { return slices.Contains(ids, i) }
	}
	if rapid.Bool().Draw(rt, "looked") {
		s.Unsold = some("unsold")
	}
	if rapid.Bool().Draw(rt, "scanned") {
		s.Free = some("free")
	}
	return s
}

// TestTwin: Step does what the rules say in as many words.
func TestTwin(t *testing.T) {
	l := hall(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := drawState(rt, t, l)
		p := rapid.SampledFrom([]line.Policy{policy, bounded(0), bounded(1), bounded(2)}).Draw(rt, "policy")
		plan, err := line.Step(s, p, noon)
		if err != nil {
			rt.Fatal(err)
		}
		n := naive{s, p, noon}
		act, ids := n.act()
		got := about(plan)
		slices.Sort(got)
		slices.Sort(ids)
		if plan.Act() != act || !slices.Equal(got, ids) {
			rt.Fatalf("Step: %s\nthe rules: %s %v\n%+v", brief(plan), act, ids, s.Waiters)
		}
		n.checkSeats(rt, plan)
		n.checkNumbered(rt, plan)
	})
}

// checkNumbered: only behind gates that stood open and found nothing more is
// anybody acknowledged without a look.
func (n naive) checkNumbered(rt *rapid.T, plan line.Plan) {
	for _, w := range plan.Number {
		blind := false
		for _, t := range w.Types {
			blind = blind || !slices.Contains(n.Wanted, t) || !slices.Contains(n.Dry, t)
			if !slices.Contains(plan.Wanted, t) {
				rt.Fatalf("%s got a number, and the gates want %v", w.ID, plan.Wanted)
			}
		}
		if blind != (w.State == line.Entering) {
			rt.Fatalf("%s is %s, wanted %v, dry %v", w.ID, w.State, n.Wanted, n.Dry)
		}
	}
}

// TestPages: who reads a long line by and by decides the same, but that he ends or
// tidies fewer at once, and lets nobody choose what somebody unread may wait for.
func TestPages(t *testing.T) {
	l := hall(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := drawState(rt, t, l)
		s.Wanted = union(s.Wanted, wantedBy(s))
		for _, w := range s.Waiters {
			if w.State == line.Waiting {
				s.Dry = union(s.Dry, w.Types)
			}
		}
		p := rapid.SampledFrom([]line.Policy{policy, bounded(1)}).Draw(rt, "policy")
		whole, err := line.Step(s, p, noon)
		if err != nil {
			rt.Fatal(err)
		}
		named := rapid.SliceOfDistinct(rapid.IntRange(1, 6), rapid.ID[int]).Draw(rt, "named")
		part := s
		for through := int64(0); ; through++ {
			part.Through, part.More, part.Waiters = through, through < 9, nil
			for _, w := range s.Waiters {
				if w.Number <= through || w.State == line.Entering || w.State == line.Offered || slices.Contains(named, int(w.Number)) {
					part.Waiters = append(part.Waiters, w)
				}
			}
			plan, err := line.Step(part, p, noon)
			if err != nil {
				rt.Fatal(err)
			}
			if plan.More && !part.More {
				rt.Fatal("more than all is to be read")
			}
			if plan.More {
				continue
			}
			early := map[line.Act]bool{line.TimeOut: true, line.GiveUp: true, line.TidyUp: true}
			switch {
			case early[whole.Act()] && part.More: // those who are behind keep until somebody reads on
			case plan.Act() != whole.Act() && !(plan.Act() == line.Idle && whole.Act() == line.TidyUp):
				rt.Fatalf("through %d: %s\nwhole: %s", through, brief(plan), brief(whole))
			case plan.Offer != nil && plan.Offer.Was.ID != whole.Offer.Was.ID, plan.Aside != nil && plan.Aside.Was.ID != whole.Aside.Was.ID:
				rt.Fatalf("through %d: %s\nwhole: %s", through, brief(plan), brief(whole))
			case plan.Aside != nil && len(without(plan.Aside.Waiter.Offer.Choice, whole.Aside.Waiter.Offer.Choice)) > 0:
				rt.Fatalf("through %d: %s\nwhole: %s", through, brief(plan), brief(whole))
			case plan.Gates && !slices.Equal(plan.Wanted, whole.Wanted):
				rt.Fatalf("through %d: %s\nwhole: %s", through, brief(plan), brief(whole))
			}
			if !part.More {
				return
			}
		}
	})
}

func wantedBy(s line.State) (t []seatmap.SeatType) {
	for _, w := range s.Waiters {
		if w.State.Active() {
			t = append(t, w.Types...)
		}
	}
	return t
}

func union(a, b []seatmap.SeatType) []seatmap.SeatType {
	u := slices.Concat(a, b)
	slices.Sort(u)
	return slices.Compact(u)
}

func without(a, b []seatmap.SeatType) []seatmap.SeatType {
	return slices.DeleteFunc(slices.Clone(a), func(t seatmap.SeatType) bool { return slices.Contains(b, t) })
}

// checkSeats: whatever seats a plan names are there to be named.
func (n naive) checkSeats(rt *rapid.T, plan line.Plan) {
	index := func(a line.Aside) int { at, _ := n.Layout.Seat(a.Seat); return at.Index }
	switch plan.Act() {
	case line.SetAside:
		w, st := plan.Aside.Was, plan.Aside.Waiter.State
		free := 0
		if n.Free != nil {
			var looked []seatmap.SeatType
			for _, t := range w.Types {
				if !slices.Contains(n.Dry, t) {
					looked = append(looked, t)
				}
			}
			free = n.count(n.Free, looked)
		}
		if want := min(free, w.Party); len(plan.Aside.Seats) != want || (st == line.Offered) != (free >= w.Party) {
			rt.Fatalf("%d free: %s", free, brief(plan))
		}
		for _, a := range plan.Aside.Seats {
			if !n.Free(index(a)) || (a.For == w.ID) != (st == line.Offered) {
				rt.Fatalf("%s is not free: %s", a.Seat, brief(plan))
			}
		}
	case line.MakeOffer:
		w, o := plan.Offer.Was, plan.Offer.Waiter.Offer
		for _, a := range o.Seats {
			if !n.open(index(a)) || !slices.Contains(o.Choice, a.Type) || a.For != w.ID {
				rt.Fatalf("%s is not to be offered: %s", a.Seat, brief(plan))
			}
		}
		if len(o.Seats) != w.Party {
			rt.Fatalf("not the party's number: %s", brief(plan))
		}
		n.checkChoice(rt, plan)
	case line.DrainPool:
		for _, a := range plan.Drain {
			if !n.open(index(a)) || slices.Contains(n.Wanted, a.Type) {
				rt.Fatalf("%s is drained: %s", a.Seat, brief(plan))
			}
		}
	}
}

// checkChoice: nobody ahead is passed uncounted, neither by what is proposed nor by
// what may be chosen, nor more often than the rule allows.
func (n naive) checkChoice(rt *rapid.T, plan line.Plan) {
	counted := map[line.WaiterID]int{}
	for _, v := range plan.Offer.Passed {
		counted[v.ID] = v.Passed
	}
	for _, v := range n.in(line.Waiting) {
		if v.Number >= plan.Offer.Was.Number {
			continue
		}
		meets := slices.ContainsFunc(plan.Offer.Waiter.Offer.Choice, func(t seatmap.SeatType) bool { return slices.Contains(v.Types, t) })
		passed, ok := counted[v.ID]
		if meets != ok || ok && (n.p.Rule != line.Bounded || passed != v.Passed+1 || passed > n.p.Passes) {
			rt.Fatalf("%s is passed: %v, counted %v: %s", v.ID, meets, counted, brief(plan))
		}
	}
}

// world plays a line: what Step plans is carried out, and those who wait come,
// accept, decline, leave and let lapse as they like.
type play struct {
	line.State
	policy line.Policy
	now    time.Time
	free   map[int]bool // seats that nobody has
	n      int
}

func (w *play) set(next line.Waiter) {
	for i := range w.Waiters {
		if w.Waiters[i].ID == next.ID {
			w.Waiters[i] = next
		}
	}
}

func (w *play) owner(seats []line.Aside, id line.WaiterID) {
	for i, a := range w.Pool {
		if slices.ContainsFunc(seats, func(b line.Aside) bool { return b.Seat == a.Seat }) {
			w.Pool[i].For = id
		}
	}
}

func (w *play) take(seats []line.Aside) {
	w.Pool = slices.DeleteFunc(slices.Clone(w.Pool), func(a line.Aside) bool {
		return slices.ContainsFunc(seats, func(b line.Aside) bool { return b.Seat == a.Seat })
	})
}

func (w *play) carryOut(rt *rapid.T, p line.Plan) {
	w.Free = nil
	index := func(a line.Aside) int { at, _ := w.Layout.Seat(a.Seat); return at.Index }
	switch p.Act() {
	case line.Look:
		free := w.free
		w.Free = func(i int) bool { return free[i] }
	case line.SetAside:
		for _, a := range p.Aside.Seats {
			if !w.free[index(a)] {
				rt.Fatalf("%s is not free", a.Seat)
			}
			delete(w.free, index(a))
		}
		w.Pool, w.Dry = slices.Concat(w.Pool, p.Aside.Seats), p.Dry
		w.set(p.Aside.Waiter)
	case line.Lapse, line.TimeOut, line.GiveUp:
		for _, e := range p.Ends() {
			w.owner(e.Back, "")
			w.set(e.Waiter)
		}
	case line.MakeOffer:
		w.owner(p.Offer.Waiter.Offer.Seats, p.Offer.Waiter.ID)
		w.set(p.Offer.Waiter)
		for _, v := range p.Offer.Passed {
			w.set(v)
		}
	case line.SetGates, line.TidyUp, line.NumberJoiners:
		if p.Gates {
			w.Wanted, w.Dry = p.Wanted, p.Dry
		}
		w.Waiters = slices.DeleteFunc(w.Waiters, func(v line.Waiter) bool {
			return slices.ContainsFunc(p.Tidy, func(g line.Waiter) bool { return g.ID == v.ID })
		})
		for _, v := range p.Number {
			w.set(v)
			w.Next = p.Next
		}
	case line.DrainPool:
		w.take(p.Drain)
		for _, a := range p.Drain {
			w.free[index(a)] = true
		}
	}
}

// run carries out plans until nothing is left to do.
func (w *play) run(rt *rapid.T) {
	for range 200 {
		p, err := line.Step(w.State, w.policy, w.now)
		if err != nil {
			rt.Fatal(err)
		}
		if p.Idle() {
			w.Free = nil
			return
		}
		w.carryOut(rt, p)
		w.check(rt)
	}
	rt.Fatal("the lane does not come to rest")
}

// check is NoGap, and that offers have their seats.
func (w *play) check(rt *rapid.T) {
	for _, v := range w.Waiters {
		n := 0
		for _, a := range w.Pool {
			if a.For == v.ID {
				n++
			}
		}
		if v.State == line.Offered && n != v.Party || v.State != line.Offered && n > 0 {
			rt.Fatalf("%s %s has %d seats, party %d", v.ID, v.State, n, v.Party)
		}
		for i := range w.free {
			if v.State == line.Waiting && slices.Contains(v.Types, w.Layout.At(i).Type) {
				rt.Fatalf("%s is free while %s waits", w.Layout.At(i).ID, v.ID)
			}
		}
	}
}

// TestPlay: under any play the lane comes to rest with every promise kept, and at
// the closing nobody is left, nothing is set aside and no gate is open.
func TestPlay(t *testing.T) {
	l := hall(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := &play{State: line.State{Layout: l}, now: noon, free: map[int]bool{}, policy: rapid.SampledFrom([]line.Policy{policy, bounded(1)}).Draw(rt, "policy")}
		for i := range l.Len() {
			if rapid.IntRange(0, 3).Draw(rt, "free") == 0 && l.At(i).Partner < 0 {
				w.free[i] = true
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"join": w.join, "answer": w.answer, "freed": w.freed,
			"time": func(rt *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 1500).Draw(rt, "s")) * time.Second)
			},
			"": func(rt *rapid.T) { w.run(rt) },
		})
		w.ClosesAt = w.now
		w.now = w.now.Add(time.Hour)
		w.run(rt)
		if len(w.Waiters) > 0 || len(w.Pool) > 0 || len(w.Wanted) > 0 {
			rt.Fatalf("after the closing: %+v, %v, %v", w.Waiters, w.Pool, w.Wanted)
		}
	})
}

func (w *play) join(rt *rapid.T) {
	w.n++
	wish := rapid.SampledFrom([][]seatmap.SeatType{nil, types(reg), types(prem), types(love), types(wheel)}).Draw(rt, "types")
	j := line.Join{ID: line.WaiterID(fmt.Sprint("w", w.n)), Buyer: "ann", Party: rapid.IntRange(1, 6).Draw(rt, "party"), Types: wish}
	v, err := line.Ask(j, line.View{Layout: w.Layout}, w.policy, w.now)
	if err == nil {
		w.Waiters = append(w.Waiters, v)
	}
}

func (w *play) answer(rt *rapid.T) {
	if len(w.Waiters) == 0 {
		return
	}
	v := rapid.SampledFrom(w.Waiters).Draw(rt, "who")
	switch rapid.IntRange(0, 2).Draw(rt, "how") {
	case 0:
		if v.State == line.Offered {
			w.take(v.Offer.Seats)
			v.State = line.Accepted
			w.set(v)
		}
	case 1:
		if leave, err := line.Decline(v, w.now); err == nil {
			w.owner(leave.Back, "")
			w.set(leave.Waiter)
		}
	case 2:
		if leave, err := line.Leave(v, w.now); err == nil {
			w.owner(leave.Back, "")
			w.set(leave.Waiter)
		}
	}
	w.Waiters = slices.DeleteFunc(w.Waiters, func(v line.Waiter) bool { return v.Number == 0 && v.State.Ended() }) // never had an entry
}

// freed: a hold ended; its seat goes where the gate says.
func (w *play) freed(rt *rapid.T) {
	i := rapid.IntRange(0, w.Layout.Len()-1).Draw(rt, "seat")
	at := w.Layout.At(i)
	if w.free[i] || at.Partner >= 0 || slices.ContainsFunc(w.Pool, func(a line.Aside) bool { return a.Seat == at.ID }) {
		return
	}
	if slices.Contains(w.Wanted, at.Type) {
		w.Pool = append(w.Pool, line.Aside{Seat: at.ID, Type: at.Type, Block: w.Layout.Block(at.Block).Name})
	} else {
		w.free[i] = true
	}
}
