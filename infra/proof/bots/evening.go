package main

import "time"

const (
	lead     = 10 * time.Minute // before the opening, in which programs open their sessions
	patience = 10 * time.Minute // of a person
	early    = 10 * time.Minute // after the opening, in which it counts who has the seats

	behind    = 20      // people who share an address
	telephone = 750_000 // hashes a second of a person's
)

// evening is one opening of a sale: who comes, and what is done about it.
type evening struct {
	seed     uint64
	people   int
	sessions int           // of all operators
	contacts int           // of each operator, 0: one a session
	hashes   float64       // a second of each operator's machine
	lasts    time.Duration // after the opening
	homes    bool          // no operator has more than one address
	keep     time.Duration // the longest that seats are kept without being bought
	sells    int           // percent of those that are bought then; 0: no session buys

	limits, challenge, contact, drops bool
}

// defended has all defences.
func (e evening) defended() evening {
	e.limits, e.challenge, e.contact, e.drops = true, true, true, true
	return e
}

// play lets them come and go. Four operators have a quarter of the sessions each: two
// with one address, one with 25, one with one for each session.
func play(e evening) (*house, error) {
	h, err := open(e)
	if err != nil {
		return nil, err
	}
	h.clock.begin(0, h.project)
	for n := range e.people {
		h.person(n)
	}
	if own := e.sessions / 4; own > 0 {
		h.operator(0, own, 1, oneAddress)
		h.operator(1, own, 1, oneAddress)
		if e.homes {
			h.operator(2, own, 1, oneAddress)
			h.operator(3, own, 1, oneAddress)
		} else {
			h.operator(2, own, 25, fewAddresses)
			h.operator(3, own, own, manyAddresses)
		}
	}
	h.clock.run(opening.Add(e.lasts))
	return h, h.close()
}
