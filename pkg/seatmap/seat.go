package seatmap

// SeatID names a seat within its layout: "C-7" in a hall of one unnamed
// section, "balcony-C-7" in one with sections, "101-12-7" in an arena.
type SeatID string

// SeatType is what is sold: price and rules hang on it. The empty type is
// invalid as the type of a seat; in [Want] it means "any".
type SeatType string

// The seat types of requirement A11 and of the hall files' legend.
const (
	Regular    SeatType = "regular"
	Premium    SeatType = "premium"
	Wheelchair SeatType = "wheelchair"
	Companion  SeatType = "companion"
	Loveseat   SeatType = "loveseat"
	Standing   SeatType = "standing"
)

var seatTypes = [...]SeatType{Regular, Premium, Wheelchair, Companion, Loveseat, Standing}

// Valid reports whether t is one of the six types.
func (t SeatType) Valid() bool {
	for _, known := range seatTypes {
		if t == known {
			return true
		}
	}
	return false
}

// single tells the types that are sold one by one, side by side: only they
// can be left alone by a choice.
func (t SeatType) single() bool { return t == Regular || t == Premium }

// letters are the hall files' cells; '_' is an aisle or gap.
var letters = map[byte]SeatType{
	'R': Regular, 'P': Premium, 'W': Wheelchair, 'C': Companion, 'L': Loveseat,
}

// Seat is one place of a hall.
type Seat struct {
	ID      SeatID
	Index   int    // position in layout order
	Section string // id of its section, empty in a hall without sections
	Row     string
	Number  string
	Type    SeatType
	X, Y    float64 // seat pitches, two decimals
	Block   int     // index into Layout.Blocks
	Partner int     // index of a loveseat's other half, else -1
}

// Kind is the sort of hall; it decides where the best point lies.
type Kind string

// The kinds of hall.
const (
	Cinema  Kind = "cinema"
	Theatre Kind = "theatre"
	Arena   Kind = "arena"
)

// Availability is the public word for how much is left (requirement A11).
type Availability string

// The three words of requirement A11.
const (
	Available  Availability = "available"
	AlmostFull Availability = "almost_full"
	Full       Availability = "full"
)

// almostFull is the share of free seats, in percent, at or below which a type
// counts as almost full.
const almostFull = 15

// Status words how many of capacity seats are free. Nothing free, or nothing
// there at all, is full.
func Status(free, capacity int) Availability {
	switch {
	case free <= 0 || capacity <= 0:
		return Full
	case free*100 <= capacity*almostFull:
		return AlmostFull
	}
	return Available
}
