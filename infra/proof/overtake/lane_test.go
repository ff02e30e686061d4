package overtake

import (
	"slices"
	"strconv"

	"github.com/fairseat/fairseat/pkg/line"
)

// carryOut is the commit of a plan on the rows in memory.
func (h *house) carryOut(p line.Plan) {
	h.st.Free = nil
	switch p.Act() {
	case line.Look:
		h.st.Free = func(i int) bool { return h.free[h.layout.At(i).ID] }
	case line.SetAside:
		for _, a := range p.Aside.Seats {
			delete(h.free, a.Seat)
		}
		h.st.Pool, h.st.Dry = append(h.st.Pool, p.Aside.Seats...), p.Dry
		h.become(p.Aside.Waiter)
	case line.Lapse, line.TimeOut:
		for _, e := range p.Ends() {
			h.become(e.Waiter)
			h.reserve(e.Back, "")
		}
	case line.MakeOffer:
		h.reserve(p.Offer.Waiter.Offer.Seats, p.Offer.Waiter.ID)
		h.become(p.Offer.Waiter)
		for _, v := range p.Offer.Passed {
			h.become(v)
		}
	case line.DrainPool:
		h.st.Pool = slices.DeleteFunc(h.st.Pool, func(a line.Aside) bool {
			gone := slices.Contains(p.Drain, a)
			h.free[a.Seat] = h.free[a.Seat] || gone
			return gone
		})
	default:
		if p.Gates {
			h.st.Wanted, h.st.Dry = p.Wanted, p.Dry
		}
		for _, w := range p.Number {
			h.st.Next = p.Next
			h.become(w)
		}
		h.st.Waiters = slices.DeleteFunc(h.st.Waiters, func(w line.Waiter) bool {
			return slices.ContainsFunc(p.Tidy, func(g line.Waiter) bool { return g.ID == w.ID })
		})
	}
}

func (h *house) reserve(seats []line.Aside, who line.WaiterID) {
	for i := range h.st.Pool {
		if slices.ContainsFunc(seats, func(a line.Aside) bool { return a.Seat == h.st.Pool[i].Seat }) {
			h.st.Pool[i].For = who
		}
	}
}

// become writes a waiter; who is offered is served, and accepts when he has acted if
// that is in time.
func (h *house) become(w line.Waiter) {
	i := slices.IndexFunc(h.st.Waiters, func(v line.Waiter) bool { return v.ID == w.ID })
	h.st.Waiters[i] = w
	if w.State != line.Offered {
		return
	}
	n, _ := strconv.Atoi(string(w.ID))
	h.people[n].served = h.now
	h.at(h.now+min(h.people[n].acts, h.policy.Offer), func() {
		h.st.Pool = slices.DeleteFunc(h.st.Pool, func(a line.Aside) bool { return a.For == w.ID })
		w.State = line.Accepted
		h.become(w)
		h.run()
	})
}
