package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// A line is judged as one object: the queue of a show together with its seats.
//
// A state has, for each place, whether it is unacknowledged, waiting, offered or
// ended, and for each hold whether it is unmade, held or ended. So a seat is held
// (of a held hold), offered (of an offered place's proposal), or neither: free or
// set aside for nobody, which nobody can tell from outside until he wants it. The
// numbers that places were told are facts, the same in every state; they order the
// queue. What the model demands:
//
//   - a walk-up's hold is made of seats that are neither held nor offered, while
//     nobody acknowledged waits for a seat of their types (FirstComeFirstServed, NoGap);
//   - an offer is made of such seats, while nobody with a smaller number waits for
//     seats of their types (the strict rule), and not before the time that its
//     deadline tells;
//   - an acceptance is of an offered place and makes one hold of as many seats as the
//     party, each proposed to it or of nobody;
//   - a place has one end. A lapse is not before the deadline with its grace, a
//     place that times out has not been offered;
//   - holds are as in the rows.
//
// Apart from the model, on the clients' clocks: numbers are unique, and whoever was
// told his number before another asked has the smaller one.
//
// Offers, lapses, expiries and the effects of requests that nobody answered happen,
// as in the rows, as late as possible: when an operation shows that they have. To
// wait longer only forbids, so nothing is lost. How a place ended is a fact too,
// since everyone looks at his place once all is over; an answer that was never heard
// is thereby known by its effect, and has the time from its request until that look.
// Not judged: how many are ahead, when an offer must come, seats that an offer
// allows beside its proposal.
type line struct {
	name    string
	seed    uint64
	types   []kinds // of each seat
	holds   []hold
	places  []place
	ops     []turn
	lost    []turn // reserves that nobody answered: wanted and call are known
	limits  limits
	objects []string
}

// kinds is a set of seat types.
type kinds uint8

const (
	regular kinds = 1 << iota
	premium
)

// place is what is known of one in line apart from its state.
type place struct {
	number int // as it was told; 0 = never
	party  int
	types  kinds
	asked  int64 // the request was sent
	acked  int64 // the number was told; 0 = never

	offer   seats // proposed; empty = never seen
	offered int64 // from when on it was, by the server's clock
	until   int64 // the end of its grace

	end   standing // as it was seen in the end
	ended int64    // from when on it may have: the first request for it, or a deadline
	hold  int      // accepted; -1 = none
}

// deed is what an operation on a line did. Its zero value is invalid.
type deed uint8

const (
	_        deed = iota
	took          // a walk-up holds the seats of hold
	barred        // at one moment the seats of taken were held and every other wanted one was free
	heldBy        // at one moment the seat was held, until the time that was told
	isAside       // at one moment the seat was not held
	spared        // at one moment seats of the types were free to everybody
	gaveBack      // the hold has ended, by this or before
	sawHold       // the hold stood like this
	stood         // the place stood like this
	accepted      // the place's offer became its hold
	over          // the place has ended, by this or before
	noOffer       // the place was not offered, not yet or no more
	tooLate       // the place's offer was past its time
)

// turn is one request in a line whose answer is known, or a part of the answer.
type turn struct {
	deed   deed
	client int
	call   int64
	ret    int64
	place  int
	hold   int
	wanted seats
	taken  seats
	types  kinds
	is     standing
	until  int64
}

const (
	isJoining    standing = "joining"
	isWaiting    standing = "waiting"
	isOffered    standing = "offered"
	isAccepted   standing = "accepted"
	isDeclined   standing = "declined"
	isLapsed     standing = "lapsed"
	isLeft       standing = "left"
	isInfeasible standing = "infeasible"
	isTimedOut   standing = "timed_out"
)

func (o turn) String() string {
	switch o.deed {
	case took:
		return fmt.Sprintf("walk-up → hold %d of %v", o.hold, o.wanted)
	case barred:
		return fmt.Sprintf("walk-up %v → held %v", o.wanted, o.taken)
	case heldBy:
		return fmt.Sprintf("%v is held", o.taken)
	case isAside:
		return fmt.Sprintf("%v is set aside", o.taken)
	case spared:
		return fmt.Sprintf("join for types %d → seats are free", o.types)
	case gaveBack:
		return fmt.Sprintf("release hold %d", o.hold)
	case sawHold:
		return fmt.Sprintf("look at hold %d → %s", o.hold, o.is)
	case stood:
		return fmt.Sprintf("look at place %d → %s", o.place, o.is)
	case accepted:
		return fmt.Sprintf("accept at place %d → hold %d", o.place, o.hold)
	case over:
		return fmt.Sprintf("give up place %d", o.place)
	case noOffer:
		return fmt.Sprintf("answer at place %d → no offer", o.place)
	case tooLate:
		return fmt.Sprintf("accept at place %d → too late", o.place)
	}
	return "invalid"
}

// verdict judges the line; nil is linearizable.
func (l line) verdict(folder string) error {
	l.objects = append(l.objects, l.numbers()...)
	var ops []porcupine.Operation
	for _, o := range l.ops {
		ops = append(ops, porcupine.Operation{ClientId: o.client, Input: o, Call: o.call, Return: o.ret})
	}
	return decide(subject{"line", l.name, l.seed, l.objects}, queueJudge{l}.model(), ops, folder)
}

// numbers: no two are the same, and none was told before another asked that is
// larger than the other's.
func (l line) numbers() (wrong []string) {
	owner := map[int]int{}
	for a, p := range l.places {
		if p.number == 0 {
			continue
		}
		if b, twice := owner[p.number]; twice {
			wrong = append(wrong, fmt.Sprintf("number %d was given to places %d and %d", p.number, b, a))
		}
		owner[p.number] = a
		for b, q := range l.places {
			if p.acked < q.asked && q.number != 0 && q.number < p.number {
				wrong = append(wrong, fmt.Sprintf("place %d asked after place %d was told number %d, and got %d", b, a, p.number, q.number))
			}
		}
	}
	return wrong
}
