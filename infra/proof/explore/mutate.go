package main

// mutant is a planted bug. Each is a switch of the explorer alone: it bends what a
// decision function is shown or what it answers, or drops a condition.
type mutant uint8

const (
	none           mutant = iota
	noFence               // lane transactions without the line's version
	ackEarly              // waiting before the seats are set aside
	scanBeforeGate        // look for free seats, then open the gate
	noRedo                // a redelivered join finds its number and acknowledges without setting aside
	relNoGate             // release reads the gate but does not condition on it
	takeoverNoGate        // an overdue hold's seats are freed whatever the line says
	refundNoGate          // a refund frees the seats whatever the line says
	houseNoGate           // a house release frees the seat whatever the line says
	headGate              // the gate carries only the first waiter's types
	gateForgets           // the gate is closed for types that only someone entering wants
	dryKept               // "nothing free of this type" survives the closing of the gate
	acceptLate            // accept does not look at the waiter's state
	acceptSteal           // accept does not look at whom a seat is proposed to
	freeChoice            // the offered may choose any set-aside seat of their types
	lapseNoID             // a lapse message ends whichever offer is oldest
	firstFit              // whoever fits is offered, the head or not
	noGrace               // overdue at expiresAt
	confirmLate           // confirm does not look at the deadline
	capLeak               // expiry does not return the allowance
	capNoCond             // hold adds to the allowance without a condition
	ttlOnHold             // TTL deletes the hold item itself
	dropEarly             // an expiry message that comes early is acknowledged
	regrantLine           // late money takes its seats back from the line
	regrantAlways         // late money takes its seats back whoever has them
	offerNoTimer          // the lane does not look at offers again when nudged
	wakeJoin              // asking to join sends no message
	wakePool              // a seat that is for nobody from now on wakes nobody
	wakeSold              // a sale wakes nobody
	wakeAnswer            // accepting, declining and leaving wake nobody
	wakeOffer             // an offer's deadline wakes nobody
	wakeAck               // a message to the lane is acknowledged after the first commit
	placeNoCond           // asking to join does not look at the place again
	placeKept             // an end does not close the place
	coolForgotten         // nobody looks at the cool-down
	ackAlways             // whoever gets a number is acknowledged with it
	ackNotDry             // acknowledged with the number behind open gates, whatever is free behind them
	alongBlind            // of several who end together only the first is conditioned
	pageWhole             // a run takes the first page of the line for the whole
	pagePasses            // who stands behind what was read is offered seats
	pageChoice            // who is offered at once may choose what is collected for somebody unread
	mutants
)

var mutantNames = [...]string{
	"none", "noFence", "ackEarly", "scanBeforeGate", "noRedo", "relNoGate", "takeoverNoGate", "refundNoGate",
	"houseNoGate", "headGate", "gateForgets", "dryKept", "acceptLate", "acceptSteal", "freeChoice", "lapseNoID", "firstFit",
	"noGrace", "confirmLate", "capLeak", "capNoCond", "ttlOnHold", "dropEarly", "regrantLine", "regrantAlways", "offerNoTimer",
	"wakeJoin", "wakePool", "wakeSold", "wakeAnswer", "wakeOffer", "wakeAck", "placeNoCond", "placeKept", "coolForgotten",
	"ackAlways", "ackNotDry", "alongBlind", "pageWhole", "pagePasses", "pageChoice",
}

// wake is a message to the lane, unless its sender is the one that was planted.
func (s *state) wake(c *config, which uint8, unless mutant) {
	if c.Wakes && c.Mut != unless {
		s.Wake |= which
	}
}

// freed seats are in the pool for nobody from now on: each one's record wakes the lane.
func (s *state) freed(c *config, seats uint8) {
	if seats != 0 {
		s.wake(c, wakeAny, wakePool)
	}
}

// proposed are the seats reserved for waiter i.
func (t *tables) proposed(i int) (m uint8) {
	for x, who := range t.Pool {
		if who == uint8(2+i) {
			m |= 1 << x
		}
	}
	return m
}

func (m mutant) String() string { return mutantNames[m] }
