package main

import (
	"math/bits"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
)

// Bounds of the arrays; a config uses as much of them as it names.
const (
	maxSeats   = 4
	maxHolds   = 6 // walk-up attempts first, then one a waiter, then the house's
	maxWaiters = 3
	maxBuyers  = 5
)

// Claims: 0 is no item, 1+h is hold h, lineClaim is LINE.
const (
	free      = 0
	lineClaim = 100
)

// Pool items: absent, for nobody, or 2+i for waiter i.
const (
	poolNone = 0
	poolOpen = 1
)

// tables are the rows that the transactions read and write. Everything in them is
// small and comparable; the world knows which domain values they stand for.
type tables struct {
	Claim [maxSeats]uint8
	Pool  [maxSeats]uint8
	Hold  [maxHolds]booking.State // 0: there is no hold
	Seats [maxHolds]uint8         // a bit a seat
	Exp   [maxHolds]uint8         // deadline, in units of the clock
	Rev   [maxHolds]uint8
	Timer uint8 // a bit a hold: its timer item is there
	Cap   [maxBuyers]uint8
	Gate  uint8 // types wanted: STATE and all gates
	Dry   uint8

	W      [maxWaiters]line.WaiterState
	Num    [maxWaiters]uint8
	Dead   [maxWaiters]uint8 // offer's deadline
	Choice [maxWaiters]uint8 // types that the offered may choose from
	Passed [maxWaiters]uint8
	Last   uint8             // with pages: to whom numbers were given last
	Live   [maxWaiters]uint8 // of a buyer's place: 1 + its live waiter
	Lapses [maxWaiters]uint8
	Cool   [maxWaiters]uint8 // until when
}

// plan is one lane transaction in flight. Between its making and its commit
// anything may happen.
type plan struct {
	Act    line.Act
	Who    uint8 // a bit a waiter
	Seats  uint8
	Choice uint8 // of an offer
	Dead   uint8 // its deadline; of a scan: the clock by which it was begun
	Wanted uint8
	Dry    uint8
	Passed uint8
	Number uint8 // the first of those given
	Ack    uint8 // of them, who is acknowledged with his number
	Page   uint8 // of a scan: how much of the line is read again
}

// worker is one run of the lane's function. Stale: the version that it read is no
// longer the line's.
type worker struct {
	P     plan
	Stale bool
}

// state is everything durable plus what is in flight.
type state struct {
	tables
	Now     uint8
	Rel     [maxHolds]uint8 // release in flight: cause<<2 | gate as read
	Made    uint8           // holds ever created
	Pend    uint8           // expiry messages delivered, not yet acted on
	Money   [maxHolds]uint8 // of late or settled money, see below
	Ask     [maxHolds]uint8 // walk-up attempt: 0 idle, 1+w sent, 16+w done
	Before  [maxHolds]uint8 // waiters acknowledged before this request was sent
	BeforeW [maxWaiters]uint8
	Lane    [2]worker
	Wake    uint8 // messages to the lane: a bit a waiter's join, wakeAny for all else
	Ring    uint8 // offers whose timer has not gone off yet, whatever became of them
	Asking  uint8 // who has been found to have no place; the transaction is not sent yet
	Todo    uint8 // only with ackEarly planted
	Skip    uint8 // only with noRedo planted
}

// wakeAny is any message to the lane that names nobody.
const wakeAny = 1 << 7

const (
	moneyNone = iota
	moneyLate // captured after the deadline
	moneyTickets
	moneyBack
)

func count(m uint8) int { return bits.OnesCount8(m) }

func has(m uint8, i int) bool { return m>>i&1 == 1 }

// start is the state before anything has happened.
func (c *config) start() state {
	var s state
	give := func(h int, seats uint8, st booking.State) {
		s.Hold[h], s.Seats[h], s.Rev[h] = st, seats, 1
		s.Made |= 1 << h
		for x := range c.Seats {
			if has(seats, x) {
				s.Claim[x] = uint8(1 + h)
			}
		}
	}
	if c.House != 0 {
		give(c.houseHold(), c.House, booking.Blocked)
	}
	for h, a := range c.Attempts {
		if a.Held == 0 {
			continue
		}
		give(h, a.Held, booking.Held)
		s.Exp[h], s.Ask[h] = c.Length, 16
		s.Timer |= 1 << h
		s.Cap[a.Buyer] += uint8(count(a.Held))
		if a.Sold {
			s.Hold[h], s.Rev[h], s.Money[h] = booking.Sold, 2, moneyTickets
			s.Timer &^= 1 << h
		}
	}
	return s
}

// tidy removes distinctions that no rule looks at, so that equal situations are
// equal states.
func (s *state) tidy(c *config) {
	var waits uint8
	for i := range c.Waiters {
		if s.W[i] == line.Waiting {
			waits |= 1 << i
		}
		if s.W[i] != line.Offered {
			s.Dead[i], s.Choice[i] = 0, 0
		}
		if s.W[i] != line.Waiting {
			s.Passed[i] = 0
		}
		if s.W[i].Ended() {
			s.BeforeW[i] = 0
		}
	}
	for h, st := range s.Hold {
		if st != booking.Held {
			s.Exp[h] = 0
		}
		if !st.Live() {
			s.Rev[h] = 0
		} else if st == booking.Sold {
			s.Rev[h] = 2
		}
	}
	for i := range c.Waiters {
		if s.W[i] != line.Entering {
			s.Last &^= 1 << i // only of them anything hangs on it
		}
	}
	for i := range s.Before {
		s.Before[i] &= waits
	}
	for i := range s.BeforeW {
		s.BeforeW[i] &= waits
	}
	for k := range s.Lane {
		if s.Lane[k].P.Act == 0 {
			s.Lane[k].Stale = false
		}
	}
	if a, b := s.Lane[0], s.Lane[1]; a.rank() < b.rank() {
		s.Lane[0], s.Lane[1] = b, a
	}
}

// rank makes two runs that changed places one state; what it leaves out differs
// seldom, and then only costs states.
func (w worker) rank() uint64 {
	p := w.P
	r := uint64(p.Act)
	for _, v := range [...]uint8{p.Who, p.Seats, p.Choice, p.Dead, p.Wanted, p.Dry, p.Passed ^ p.Ack} {
		r = r<<8 | uint64(v)
	}
	if w.Stale {
		r ^= 1 << 7
	}
	return r
}
