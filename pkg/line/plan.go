package line

import "github.com/fairseat/fairseat/pkg/seatmap"

// Plan is at most one transaction, committed under the version that was read; or
// a wish to read more; or nothing. At most one of its parts is set, but that
// Number comes with Gates where types are wanted that were not.
type Plan struct {
	// Scan is no transaction: read the claims of these types, then Step again with
	// State.Free.
	Scan []seatmap.SeatType
	// More is none either: more of the line than State.Through is to be read.
	More bool

	Aside *SettingAside // L1
	End   *End          // L2, L3, L4
	Along []End         // with an End of L3 or L4: others who end for the same cause
	Offer *Offering     // L5

	Gates  bool               // L6: all eight gates and the state are to say Wanted
	Wanted []seatmap.SeatType // with Gates
	Dry    []seatmap.SeatType // with Gates and Aside: what the state's dry becomes

	Tidy []Waiter // L6, with or without Gates: ended by themselves; their entries go

	Drain []Aside // L7: claims and pool items that go

	Number []Waiter // L8: as they become, each on the condition that it is asked
	Next   int64    // with Number: what the state's next number becomes
}

// SettingAside writes what was free for somebody who is entering, on the
// conditions that he is and that each claim is absent.
type SettingAside struct {
	Was    Waiter
	Waiter Waiter  // as he becomes: waiting, or offered at once, or still entering
	Seats  []Aside // claim and pool item each; For names him when they are offered
}

// End closes a place in line, on the condition of the waiter's state as read (of
// a lapse: offered, and past the deadline).
type End struct {
	Was     Waiter
	Waiter  Waiter
	Refused bool    // the place counts a lapse
	Back    []Aside // proposed to him: for nobody again
}

// Ends are all places that the plan closes.
func (p Plan) Ends() []End {
	if p.End == nil {
		return nil
	}
	return append([]End{*p.End}, p.Along...)
}

// Offering names seats to one who waits, on the conditions that he waits, that
// each pool item exists and is for nobody, and that those passed still wait.
type Offering struct {
	Was    Waiter
	Waiter Waiter
	Passed []Waiter // under the bounded rule, as they become: one more has passed them
}

// Act is what a plan is. The zero value is invalid.
type Act uint8

const (
	_             Act = iota
	Idle              // nothing is left to do
	Look              // read the claims that Scan names
	ReadOn            // read more of the line
	SetAside          // L1
	Lapse             // L2
	TimeOut           // L3
	GiveUp            // L4
	MakeOffer         // L5
	SetGates          // L6
	TidyUp            // L6 where the gates are right already
	DrainPool         // L7
	NumberJoiners     // L8
)

var actNames = [...]string{
	Idle: "idle", Look: "look", ReadOn: "read on", SetAside: "set aside", Lapse: "lapse", TimeOut: "time out", GiveUp: "give up",
	MakeOffer: "offer", SetGates: "gates", TidyUp: "tidy", DrainPool: "drain", NumberJoiners: "number",
}

func (a Act) String() string {
	if a == 0 || int(a) >= len(actNames) {
		return "invalid"
	}
	return actNames[a]
}

// Act tells what the plan is.
func (p Plan) Act() Act {
	switch {
	case p.Scan != nil:
		return Look
	case p.More:
		return ReadOn
	case p.Aside != nil:
		return SetAside
	case p.End != nil:
		return p.End.act()
	case p.Offer != nil:
		return MakeOffer
	case len(p.Number) > 0:
		return NumberJoiners
	case p.Gates:
		return SetGates
	case len(p.Tidy) > 0:
		return TidyUp
	case len(p.Drain) > 0:
		return DrainPool
	}
	return Idle
}

func (e End) act() Act {
	switch e.Waiter.State {
	case Lapsed:
		return Lapse
	case TimedOut:
		return TimeOut
	case Infeasible:
		return GiveUp
	}
	return 0
}

// Idle reports that nothing is left to do.
func (p Plan) Idle() bool { return p.Act() == Idle }
