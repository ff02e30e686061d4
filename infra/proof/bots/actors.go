package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
)

// parties of one to four, most of them two.
var parties = []int{1, 1, 2, 2, 2, 2, 2, 3, 4, 4}

// person comes in the first minute, wants neighbouring seats if there are any, thinks
// before each choice, and looks again and again for ten minutes. One in ten lets a
// first choice go. behind is who shares an address with others.
func (h *house) person(n int) {
	g := &guest{house: h, name: booking.Buyer(fmt.Sprintf("g_p%03d", n)), address: fmt.Sprintf("198.18.0.%d", n), way: 60 * time.Millisecond}
	if n < behind {
		g.address = "198.18.1.1"
	}
	g.solve = func(w wait, tries float64) { w(time.Duration(tries / telephone * float64(time.Second))) }
	party, fickle := parties[h.rng.IntN(len(parties))], h.rng.IntN(10) == 0
	comes := h.between(0, time.Minute)
	h.clock.begin(lead+comes, func(w wait) {
		g.arrive(w)
		for h.clock.now.Before(opening.Add(comes + patience)) {
			w(g.way + h.between(3*time.Second, 10*time.Second)) // the map, and a choice
			chosen := h.choose(h.free(), party, h.rng)
			if chosen == nil {
				w(h.between(5*time.Second, 15*time.Second))
				continue
			}
			w(h.between(time.Second, 3*time.Second)) // to find them and to press the button
			x, a, stay := g.hold(w, chosen)
			switch {
			case a != done:
				w(stay)
				continue
			case fickle:
				fickle = false
				w(h.between(5*time.Second, 20*time.Second))
				g.drop(w, x, chosen)
				continue
			}
			w(h.between(20*time.Second, 90*time.Second))
			if g.pay(w, x, chosen, string(g.name)) == done {
				h.served++
			}
			return
		}
	})
}

// choose is a party's seats: neighbours in one row if there are any, else any.
func (h *house) choose(open []int, party int, rng *rand.Rand) []int {
	if len(open) < party {
		return nil
	}
	from := rng.IntN(len(open))
	for k := range open {
		at := (from + k) % len(open)
		if at+party > len(open) {
			continue
		}
		run := open[at : at+party]
		if run[party-1]-run[0] == party-1 && run[0]/width == run[party-1]/width {
			return run
		}
	}
	return open[:party]
}

// operator runs many sessions of one program: it looks at the map five times a
// second and sends whoever is idle, two for each ten free seats, and all at the
// opening. Half of its sessions buy what they get; the others keep it for as long as
// it may take to find a customer, buy if they found one, and else drop it, whereupon
// another session takes it.
type operator struct {
	*house
	side     side
	number   int
	idle     []*bot
	contacts []int // seats in the name of each
	own      bool  // each session has a contact of its own
	solves   time.Time
}

type bot struct {
	guest
	keeps   bool
	ready   time.Time
	contact int
}

func (h *house) operator(n, sessions, addresses int, s side) {
	o := &operator{house: h, side: s, number: n, contacts: make([]int, h.contacts), own: h.contacts == 0}
	if o.own {
		o.contacts = make([]int, sessions)
	}
	for i := range sessions {
		b := &bot{keeps: i%2 == 0 || h.sells == 0}
		b.guest = guest{
			house: h, name: booking.Buyer(fmt.Sprintf("g_b%d_%03d", n, i)), side: s, way: 4 * time.Millisecond, solve: o.solve,
			address: fmt.Sprintf("198.19.%d.%d", n, i%addresses),
		}
		b.contact = i
		h.clock.begin(h.between(0, lead-time.Second), func(w wait) {
			b.arrive(w)
			o.idle = append(o.idle, b)
		})
	}
	h.clock.begin(lead, o.command)
}

// solve occupies the operator's machine, whose sessions wait for one another.
func (o *operator) solve(w wait, tries float64) {
	if o.solves.Before(o.clock.now) {
		o.solves = o.clock.now
	}
	o.solves = o.solves.Add(time.Duration(tries / o.hashes * float64(time.Second)))
	w(o.solves.Sub(o.clock.now))
}

func (o *operator) command(w wait) {
	for ; ; w(o.about(200 * time.Millisecond)) {
		open := o.free()
		all := len(open) > rows*width/2
		for sent := 0; len(open) > 0 && (all || sent < 2*(len(open)+9)/10); sent++ {
			size := min(o.policy.MaxSeats, len(open), o.room())
			b := o.next()
			if b == nil || size == 0 {
				break
			}
			from := o.rng.IntN(len(open))
			chosen := make([]int, size)
			for k := range chosen {
				chosen[k] = open[(from+k)%len(open)]
			}
			o.clock.begin(0, func(w wait) { o.act(w, b, chosen) })
		}
	}
}

// room is the most that one contact can still pay for, 0 where nothing can be paid:
// who cannot buy does not hold, but
// for those who never wanted to.
func (o *operator) room() int {
	if !o.show.NeedsContact || o.own || o.sells == 0 {
		return o.policy.MaxSeats
	}
	most := 0
	for _, n := range o.contacts {
		most = max(most, o.policy.MaxSeats-n)
	}
	return most
}

// next is an idle session that nobody has told to wait.
func (o *operator) next() *bot {
	for i, b := range o.idle {
		if !b.ready.After(o.clock.now) {
			o.idle = append(o.idle[:i], o.idle[i+1:]...)
			return b
		}
	}
	return nil
}

func (o *operator) act(w wait, b *bot, chosen []int) {
	x, a, stay := b.hold(w, chosen)
	if a == full {
		return // it has its ten
	}
	if a == done && !o.use(w, b, x, chosen) {
		return
	}
	b.ready = o.clock.now.Add(stay)
	o.idle = append(o.idle, b)
}

// use reports whether the seats were let go, and the session is of use again.
func (o *operator) use(w wait, b *bot, x booking.Hold, chosen []int) bool {
	if !o.own {
		b.contact = 0
		for i, n := range o.contacts {
			if n < o.contacts[b.contact] {
				b.contact = i
			}
		}
	}
	o.contacts[b.contact] += len(chosen)
	buys := !b.keeps
	if o.show.NeedsContact && o.sells > 0 && o.contacts[b.contact] > o.policy.MaxSeats {
		buys = false
	} else if b.keeps {
		w(o.between(o.keep/2, o.keep))
		buys = o.rng.IntN(100) < o.sells
	}
	name := fmt.Sprintf("c_%d_%d", o.number, b.contact)
	if buys && b.pay(w, x, chosen, name) == done {
		return false
	}
	o.contacts[b.contact] -= len(chosen)
	b.drop(w, x, chosen)
	return true
}
