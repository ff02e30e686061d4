package main

import (
	"fmt"
	"math/bits"
	"strings"
)

// seats is a set of a row's seats, by their place in the row.
type seats uint64

func (s seats) String() string {
	var names []string
	for rest := s; rest != 0; rest &= rest - 1 {
		names = append(names, fmt.Sprint(bits.TrailingZeros64(uint64(rest))+1))
	}
	return "{" + strings.Join(names, " ") + "}"
}

// verb is what an operation did. Its zero value is invalid.
type verb uint8

const (
	_        verb = iota
	reserved      // the seats are held by hold
	refused       // at one moment every seat of taken had an owner and every other wanted one had none
	owned         // at one moment the seats of taken had an owner in the standing that was named
	released      // the hold has ended, by this or before
	looked        // the hold stood like this
	payable       // a payment of the hold was begun or was pending
	read          // the hold's order stood like this
)

// standing is what was seen: of a seat's owner, a hold or an order.
type standing string

const (
	isHeld      standing = "held"
	isSold      standing = "sold"
	isReleased  standing = "released"
	isExpired   standing = "expired"
	isPending   standing = "PENDING"
	isPaid      standing = "PAID"
	isCancelled standing = "CANCELLED"
	isRefunded  standing = "REFUNDED"
)

// operation is one request, with its repetitions under the same key, whose answer
// is known. Times are Unix nanoseconds of the machine's one clock.
type operation struct {
	verb   verb
	client int
	call   int64
	ret    int64
	hold   int   // by its place in the history; of all verbs but refused and owned
	wanted seats // refused
	taken  seats // refused, owned
	is     standing
	until  int64 // owned, where held: the end of the grace that was told
}

func (o operation) String() string {
	switch o.verb {
	case reserved:
		return fmt.Sprintf("reserve → hold %d", o.hold)
	case refused:
		return fmt.Sprintf("reserve %v → taken %v", o.wanted, o.taken)
	case owned:
		return fmt.Sprintf("%v are %s", o.taken, o.is)
	case released:
		return fmt.Sprintf("release hold %d", o.hold)
	case looked:
		return fmt.Sprintf("look at hold %d → %s", o.hold, o.is)
	case payable:
		return fmt.Sprintf("pay hold %d", o.hold)
	case read:
		return fmt.Sprintf("order of hold %d → %s", o.hold, o.is)
	}
	return "invalid"
}

// hold is what is known of a hold apart from its state.
type hold struct {
	seats seats
	made  int64 // by the server's clock
	until int64 // the end of its grace, by the server's clock

	// unsure numbers the reserve that nobody answered; 0 = it was answered. Each
	// deadline that was told of such a hold makes a hold of its own here, and at
	// most one of those with the same number is ever made.
	unsure int

	// From when on a request without an answer may have had its effect; 0 = there
	// was none. Money that is late by its nature never sells a hold in place.
	letGo int64 // a release
	money int64 // a payment, answered or not, that ends in captured money
	late  bool  // all such money is late
}

// limits of the clocks.
type limits struct {
	budget int64 // by how much two clocks may differ, and the rounding of what is told
}

// history is a row's: what was done there, and to which holds.
type history struct {
	holds   []hold
	ops     []operation
	lost    []operation // reserves that nobody answered: wanted and call are known
	limits  limits
	seed    uint64
	name    string
	objects []string // contradictions in single answers, found without the model
}
