package main

import (
	"time"

	"github.com/fairseat/fairseat/pkg/line"
)

// Seat types of a configuration, a bit each.
const (
	reg  = 1
	prem = 2
)

// attempt is somebody at the seat map: with seats from the start, or asking for
// one of some choices.
type attempt struct {
	Buyer uint8
	Wants []uint8 // seat masks to choose from
	Held  uint8   // seats already held at the start (then nothing is asked for)
	Sold  bool    // and paid for
}

type waiter struct {
	Buyer, Party, Types uint8
	Until               uint8 // when the wait is over; 0 never
}

// config is one small show and what may happen to it. Times are in units of the
// clock; a unit is the grace, and the most by which two clocks differ.
type config struct {
	Name              string
	What              string
	Seats             int
	Type              [maxSeats]uint8
	Attempts          []attempt
	Waiters           []waiter
	House             uint8
	Cap               uint8
	TMax              uint8
	Length, Grace     uint8 // of a hold
	Offer, OfferGrace uint8
	CloseAt           uint8 // when the line closes; 0 never
	Passes            uint8 // the bounded rule's k; 0 is the strict rule
	Zombies           bool  // a second lane run may read while the first lives; without limit
	Late, Refunds     bool  // money after the end; refunds
	Leaves, Owners    bool  // waiters leave; owners give holds back
	Timers            bool
	Page              uint8 // a run reads so many entries, and on where it must; 0 all at once
	CoolDown          uint8 // with it, a buyer's places are told apart; 0 without
	Wakes             bool  // messages to the lane are told apart; it must do without anybody who looks
	Calm              bool  // with one lane run at a time it is small enough for the short run, whole
	Mut               mutant
	MaxStates         int
	Until             time.Time
}

func (c *config) typesOf(seats uint8) (t uint8) {
	for x := range c.Seats {
		if has(seats, x) {
			t |= c.Type[x]
		}
	}
	return t
}

func (c *config) waiterHold(i int) int { return len(c.Attempts) + i }
func (c *config) houseHold() int       { return len(c.Attempts) + len(c.Waiters) }

func (c *config) holds() int {
	if c.House != 0 {
		return c.houseHold() + 1
	}
	return c.houseHold()
}

func (c *config) buyer(h int) uint8 {
	if h < len(c.Attempts) {
		return c.Attempts[h].Buyer
	}
	return c.Waiters[h-len(c.Attempts)].Buyer
}

// place of a waiter's buyer: its first waiter stands for it.
func (c *config) place(i int) int {
	for j, w := range c.Waiters {
		if w.Buyer == c.Waiters[i].Buyer {
			return j
		}
	}
	return i
}

func (c *config) isHouse(h int) bool { return h == c.houseHold() }

func (c *config) rule() (line.Rule, int) {
	if c.Mut == firstFit {
		return line.Bounded, 1 << 20
	}
	if c.Passes > 0 {
		return line.Bounded, int(c.Passes)
	}
	return line.Strict, 0
}

// configs are the shows explored.
func configs() []config {
	base := config{Cap: 10, Length: 2, Grace: 1, Offer: 1, OfferGrace: 1, TMax: 4, Zombies: true}
	var all []config
	add := func(name, what string, f func(*config)) {
		c := base
		c.Name, c.What = name, what
		f(&c)
		all = append(all, c)
	}
	add("free", "a line opens beside free seats of two types; offers at once", func(c *config) {
		c.Seats, c.Type = 4, [4]uint8{reg, reg, prem, prem}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b0001}, {Buyer: 1, Wants: []uint8{0b0010, 0b0110}}}
		c.Waiters = []waiter{{Buyer: 2, Party: 2, Types: reg | prem}, {Buyer: 3, Party: 2, Types: reg}}
		c.Leaves, c.Owners = true, true
		c.Calm = true
	})
	add("mixed", "two types, the strict rule across them, a walk-up beside", func(c *config) {
		c.Seats, c.Type = 4, [4]uint8{reg, reg, prem, prem}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b0101}, {Buyer: 1, Held: 0b0010}, {Buyer: 2, Wants: []uint8{0b1000}}}
		c.Waiters = []waiter{{Buyer: 3, Party: 2, Types: reg}, {Buyer: 4, Party: 1, Types: reg | prem}}
		c.TMax = 3
		c.Calm = true
	})
	add("money", "sold, late money, refund, re-grant, an allowance of two, timers and TTL", func(c *config) {
		c.Seats, c.Type = 3, [4]uint8{reg, reg, reg}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b001, Sold: true}, {Buyer: 1, Held: 0b010}, {Buyer: 1, Wants: []uint8{0b100, 0b101}}}
		c.Waiters = []waiter{{Buyer: 2, Party: 1, Types: reg}, {Buyer: 3, Party: 2, Types: reg}}
		c.Cap, c.Late, c.Refunds, c.Timers = 2, true, true, true
	})
	add("house", "a seat of the house, waits that end, the closing of the line", func(c *config) {
		c.Seats, c.Type = 3, [4]uint8{reg, prem, reg}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b010}, {Buyer: 1, Wants: []uint8{0b100, 0b010}}}
		c.Waiters = []waiter{{Buyer: 2, Party: 1, Types: reg, Until: 2}, {Buyer: 3, Party: 2, Types: reg | prem}}
		c.House = 0b001
		c.CloseAt, c.TMax, c.Owners, c.Leaves = 3, 5, true, true
	})
	add("open", "joins race walk-ups, releases and leaves; one type", func(c *config) {
		c.Seats, c.Type = 3, [4]uint8{reg, reg, reg}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b011}, {Buyer: 1, Wants: []uint8{0b100, 0b001}}}
		c.Waiters = []waiter{{Buyer: 2, Party: 2, Types: reg}, {Buyer: 3, Party: 1, Types: reg}}
		c.Owners, c.Leaves = true, true
		c.Calm = true
	})
	add("types", "two types, three waiters, four seats", func(c *config) {
		c.Seats, c.Type = 4, [4]uint8{reg, reg, prem, prem}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b0101}, {Buyer: 1, Held: 0b0010}}
		c.Waiters = []waiter{{Buyer: 2, Party: 2, Types: reg}, {Buyer: 3, Party: 1, Types: reg | prem}, {Buyer: 4, Party: 1, Types: prem}}
		c.TMax = 3
		c.Owners = true
	})
	add("long", "three waiters, two seats; expiry, offer, accept, expiry, next offer", func(c *config) {
		c.Seats, c.Type = 2, [4]uint8{reg, reg}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b11}, {Buyer: 1, Wants: []uint8{0b01}}}
		c.Waiters = []waiter{{Buyer: 2, Party: 1, Types: reg}, {Buyer: 3, Party: 2, Types: reg}, {Buyer: 4, Party: 1, Types: reg}}
		c.TMax = 8
		c.Calm = true
	})
	add("bounded", "one later party may pass a head that does not fit", func(c *config) {
		c.Seats, c.Type = 3, [4]uint8{reg, reg, prem}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b001}, {Buyer: 1, Held: 0b110}}
		c.Waiters = []waiter{{Buyer: 2, Party: 2, Types: reg}, {Buyer: 3, Party: 1, Types: reg | prem}, {Buyer: 4, Party: 1, Types: reg}}
		c.TMax, c.Passes = 3, 1
		c.Zombies = false
	})
	add("party", "a party of three of two types, calm", func(c *config) {
		c.Seats, c.Type = 4, [4]uint8{reg, reg, reg, prem}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b0011}, {Buyer: 1, Held: 0b1000}, {Buyer: 4, Wants: []uint8{0b0100}}}
		c.Waiters = []waiter{{Buyer: 2, Party: 3, Types: reg | prem}, {Buyer: 3, Party: 1, Types: reg}}
		c.TMax, c.Owners = 3, true
		c.Zombies = false
	})
	add("again", "one buyer joins again and again: one place at a time, and a cool-down", func(c *config) {
		c.Seats, c.Type = 1, [4]uint8{reg}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b1}}
		c.Waiters = []waiter{{Buyer: 2, Party: 1, Types: reg}, {Buyer: 2, Party: 1, Types: reg}, {Buyer: 2, Party: 1, Types: reg}}
		c.TMax, c.CoolDown, c.Owners, c.Leaves = 6, 2, true, true
		c.Zombies = false
	})
	add("wakes", "messages alone wake the lane; whoever looks in his own request may die", func(c *config) {
		c.Seats, c.Type = 2, [4]uint8{reg, reg}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b01}, {Buyer: 1, Held: 0b10}}
		c.Waiters = []waiter{{Buyer: 2, Party: 1, Types: reg}, {Buyer: 3, Party: 2, Types: reg}}
		c.TMax, c.Wakes, c.Timers, c.Owners, c.Leaves = 3, true, true, true, true
		c.Zombies = false
	})
	add("pages", "runs read the first entry and read on; two types, three waiters", func(c *config) {
		c.Seats, c.Type = 3, [4]uint8{reg, reg, prem}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b001}, {Buyer: 1, Held: 0b010}}
		c.Waiters = []waiter{{Buyer: 2, Party: 1, Types: reg}, {Buyer: 3, Party: 2, Types: reg}, {Buyer: 4, Party: 1, Types: reg | prem}}
		c.TMax, c.Page, c.Owners = 2, 1, true
		c.Zombies = false
	})
	add("pages-bounded", "the same where one later party may pass", func(c *config) {
		c.Seats, c.Type = 2, [4]uint8{reg, prem}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b01}, {Buyer: 1, Held: 0b10}}
		c.Waiters = []waiter{{Buyer: 2, Party: 2, Types: reg | prem}, {Buyer: 3, Party: 1, Types: reg}, {Buyer: 4, Party: 1, Types: prem}}
		c.TMax, c.Page, c.Passes, c.Owners, c.Leaves = 2, 1, 1, true, true
		c.Zombies = false
	})
	add("small", "one type, two seats, two waiters: whole in seconds", func(c *config) {
		c.Seats, c.Type = 2, [4]uint8{reg, reg}
		c.Attempts = []attempt{{Buyer: 0, Held: 0b01}, {Buyer: 1, Wants: []uint8{0b10}}}
		c.Waiters = []waiter{{Buyer: 2, Party: 1, Types: reg}, {Buyer: 3, Party: 2, Types: reg}}
		c.TMax = 3
	})
	return all
}

// calm is the same show with one lane run at a time.
func (c config) calm() config {
	c.Name += "-calm"
	c.Zombies = false
	return c
}

// runs are what is explored: in the short run all configurations a good way, and
// whole what can be; in the full one all, and all calm.
func runs(full bool) (all []config) {
	for _, c := range configs() {
		if c.Zombies && (full || c.Calm) {
			all = append(all, c.calm())
		}
		all = append(all, c)
	}
	return all
}

// conformConfigs are small enough that the rows of all their states are compared.
func conformConfigs() []config {
	c := config{
		Name: "rows", Seats: 3, Type: [4]uint8{reg, reg, prem}, Cap: 2, Length: 2, Grace: 1, Offer: 1, OfferGrace: 1, TMax: 3,
		Attempts: []attempt{{Buyer: 0, Held: 0b101}, {Buyer: 1, Wants: []uint8{0b010}}},
		Waiters:  []waiter{{Buyer: 2, Party: 1, Types: reg}},
		Late:     true, Refunds: true, Owners: true, Leaves: true, CoolDown: 2,
	}
	h := c
	h.Name, h.House = "rows-house", 0b100
	h.Attempts = []attempt{{Buyer: 0, Held: 0b001}, {Buyer: 1, Wants: []uint8{0b010}}}
	h.Waiters = []waiter{{Buyer: 2, Party: 1, Types: prem}}
	h.Late, h.Refunds = false, false
	l := config{
		Name: "rows-line", Seats: 2, Type: [4]uint8{reg, prem}, Cap: 2, Length: 1, Grace: 1, Offer: 1, OfferGrace: 1, TMax: 1,
		Attempts: []attempt{{Buyer: 0, Held: 0b01}, {Buyer: 1, Held: 0b10}},
		Waiters:  []waiter{{Buyer: 2, Party: 1, Types: reg | prem}, {Buyer: 3, Party: 1, Types: reg}},
		Owners:   true, Leaves: true, CoolDown: 2, Passes: 1,
	}
	return []config{c, h, l}
}
