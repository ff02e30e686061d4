package line

import "slices"

// After is the state once the plan is carried out and nobody has done anything else.
// Who has committed a plan may decide from it that nothing is left to do: whatever
// others have done meanwhile under another condition than the version wakes the lane
// by itself. What was read of the hall beside the state is not in it.
func (s State) After(p Plan) State {
	s.Version++
	s.Waiters, s.Pool = slices.Clone(s.Waiters), slices.Clone(s.Pool)
	s.Places = p.Places(s.Places)
	s.Free, s.Scanned, s.Unsold = nil, nil, nil
	if p.Gates {
		s.Wanted = p.Wanted
	}
	if p.Gates || p.Aside != nil {
		s.Dry = p.Dry
	}
	if p.Aside != nil {
		s.put(p.Aside.Waiter)
		s.Pool = append(s.Pool, p.Aside.Seats...)
	}
	for _, e := range p.Ends() {
		s.drop(e.Waiter.ID)
		s.assign(e.Back, "")
	}
	if p.Offer != nil {
		s.put(p.Offer.Waiter)
		for _, w := range p.Offer.Passed {
			s.put(w)
		}
		s.assign(p.Offer.Waiter.Offer.Seats, p.Offer.Waiter.ID)
	}
	for _, w := range p.Tidy {
		s.drop(w.ID)
	}
	s.Pool = slices.DeleteFunc(s.Pool, func(a Aside) bool {
		return slices.ContainsFunc(p.Drain, func(d Aside) bool { return d.Seat == a.Seat })
	})
	if len(p.Number) > 0 {
		s.Next, s.Last = p.Next, nil
		for _, w := range p.Number {
			s.put(w)
			s.Last = append(s.Last, w.ID)
		}
	}
	return s
}

func (s *State) put(w Waiter) {
	if i := s.find(w.ID); i >= 0 {
		s.Waiters[i] = w
		return
	}
	s.Waiters = append(s.Waiters, w)
}

func (s *State) drop(id WaiterID) {
	if i := s.find(id); i >= 0 {
		s.Waiters = slices.Delete(s.Waiters, i, i+1)
	}
}

func (s *State) find(id WaiterID) int {
	return slices.IndexFunc(s.Waiters, func(w Waiter) bool { return w.ID == id })
}

// assign says for whom seats are that are set aside.
func (s *State) assign(seats []Aside, to WaiterID) {
	for i, a := range s.Pool {
		if slices.ContainsFunc(seats, func(b Aside) bool { return b.Seat == a.Seat }) {
			s.Pool[i].For = to
		}
	}
}
