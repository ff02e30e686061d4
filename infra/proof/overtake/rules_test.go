package overtake

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// rule runs an evening and tells when whom it served.
type rule struct {
	name string
	run  func(testing.TB, *schedule) []person
}

// waitingRoom is the virtual waiting room in front of a shop.
func waitingRoom(_ testing.TB, s *schedule) []person {
	people, a, free := slices.Clone(s.people), timetable{}, 0
	numbers := map[int]int{} // of a person, by when his message was handled last
	next, serving := 0, 0
	inside := map[int]bool{}
	let := func() {
		for i := range people {
			n, has := numbers[i]
			if !has || n > serving || inside[i] || people[i].served > 0 {
				continue
			}
			inside[i] = true
			a.at(a.now+people[i].acts, func() {
				if delete(inside, i); free >= people[i].party && a.now < people[i].came+patience {
					free -= people[i].party
					people[i].served = a.now
				}
			})
		}
	}
	for i := range people {
		people[i].waits = true // everybody passes the waiting room
		handled := func() { next++; numbers[i] = next }
		a.at(people[i].came+s.latency(3*time.Second), handled)
		if s.rng.IntN(200) == 0 { // at least once
			a.at(people[i].came+30*time.Second+s.latency(3*time.Second), handled)
		}
	}
	for _, r := range s.releases {
		a.at(r.at, func() { free += r.seats; serving += r.seats; let() })
	}
	for t := time.Minute; t < evening+patience; t += 30 * time.Second {
		a.at(t, func() { // the operator lets more in while seats are left
			if free > 0 && len(inside) == 0 {
				serving += free
			}
			let()
		})
	}
	a.run()
	return people
}

// listener is the waiting list that an event of a cancelled order serves.
func listener(_ testing.TB, s *schedule) []person {
	people, a, free := slices.Clone(s.people), timetable{}, 0
	offered := map[int]bool{}
	serve := func() {
		for i := range people {
			p := &people[i]
			if !p.waits || offered[i] || p.came > a.now || a.now > p.came+patience || p.party > free {
				continue
			}
			free -= p.party
			offered[i] = true
			p.served = a.now
		}
	}
	for _, r := range s.releases {
		a.at(r.at, func() { free += r.seats })
		if !r.cart { // a cart that ran out tells nobody
			a.at(r.at+s.latency(10*time.Second), serve)
		}
	}
	for i := range people {
		if people[i].waits {
			continue
		}
		for t := people[i].came; t < people[i].came+patience; t += 5*time.Second + people[i].acts {
			a.at(t, func() { // refreshes the map
				if p := &people[i]; p.served == 0 && free >= p.party {
					free -= p.party
					p.served = a.now
				}
			})
		}
	}
	a.run()
	return people
}

// ours is pkg/line's Step on a line in memory. Who never joins meets no free seat of
// a type that somebody waits for, and else is as quick as with the others.
func ours(k int) func(testing.TB, *schedule) []person {
	return func(t testing.TB, s *schedule) []person {
		h := newHouse(t, s, k)
		for i := range h.people {
			if h.people[i].waits {
				h.timetable.at(h.people[i].came, func() { h.join(i) })
				continue
			}
			for t := h.people[i].came; t < h.people[i].came+patience; t += 5*time.Second + h.people[i].acts {
				h.timetable.at(t, func() { h.refresh(i) })
			}
		}
		for _, r := range s.releases {
			h.timetable.at(r.at, func() { h.release(r.seats) })
		}
		h.timetable.run()
		return h.people
	}
}

// house is a hall, a line and what the rows of both would say.
type house struct {
	testing.TB
	*schedule
	timetable
	people []person
	layout *seatmap.Layout
	st     line.State
	free   map[seatmap.SeatID]bool
	held   []seatmap.SeatID
	policy line.Policy
	asked  []line.Waiter
}

var doors = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

func newHouse(t testing.TB, s *schedule, k int) *house {
	halls, err := seatmap.ParseHalls([]byte(`{"halls":[{"id":"h","name":"H","kind":"cinema","numbering":"ltr","seats":360,"by_type":{"R":360},"rows":[` + rows() + `]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	l, err := seatmap.Expand(halls[0])
	if err != nil {
		t.Fatal(err)
	}
	h := &house{TB: t, schedule: s, people: slices.Clone(s.people), layout: l, free: map[seatmap.SeatID]bool{}, policy: line.Standard}
	h.policy.Wait = patience
	if k > 0 {
		h.policy.Rule, h.policy.Passes = line.Bounded, k
	}
	for i := range l.Len() {
		h.held = append(h.held, l.At(i).ID)
	}
	h.st = line.State{Layout: l}
	return h
}

func rows() (text string) {
	for i := range 12 {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(`"%c: RRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"`, 'A'+i)
	}
	return text
}

func (h *house) clock() time.Time { return doors.Add(h.now) }

func (h *house) join(i int) {
	if len(h.free) >= h.people[i].party && len(h.st.Wanted) == 0 {
		h.refresh(i)
		return
	}
	w := line.Waiter{
		ID: line.WaiterID(fmt.Sprint(i)), State: line.Asked, Party: h.people[i].party, Types: []seatmap.SeatType{seatmap.Regular},
		AskedAt: h.clock(), ExpiresAt: h.clock().Add(patience),
	}
	h.asked = append(h.asked, w)
	h.run()
}

// refresh is a walk-up: he takes what has no claim.
func (h *house) refresh(i int) {
	p := &h.people[i]
	if p.served > 0 || len(h.free) < p.party {
		return
	}
	taken := 0
	for k := range h.layout.Len() {
		if id := h.layout.At(k).ID; h.free[id] && taken < p.party {
			delete(h.free, id)
			taken++
		}
	}
	p.served = h.now
}

// release is T3: seats of a wanted type go to the pool.
func (h *house) release(n int) {
	for range n {
		id := h.held[0]
		h.held = h.held[1:]
		if len(h.st.Wanted) == 0 {
			h.free[id] = true
			continue
		}
		at, _ := h.layout.Seat(id)
		h.st.Pool = append(h.st.Pool, line.Aside{Seat: id, Type: at.Type, Block: h.layout.Block(at.Block).Name})
	}
	h.at(h.now+h.latency(time.Second), h.run)
}

// run is the lane.
func (h *house) run() {
	h.st.Waiters = append(h.st.Waiters, h.asked...)
	h.asked = nil
	for range 1000 {
		p, err := line.Step(h.st, h.policy, h.clock())
		if err != nil {
			h.Fatal(err)
		}
		if p.Idle() {
			return
		}
		h.carryOut(p)
	}
	h.Fatal("the lane does not come to rest")
}
