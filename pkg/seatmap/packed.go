package seatmap

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// State is a seat's state as the wire carries it. Its zero value is a real
// state, against the habit of this project, because the wire contract fixes 0
// as free.
type State uint8

// The four states; Held also stands for set aside for the waiting line, which
// [LineSeats] tells apart.
const (
	Free State = iota
	Held
	Sold
	Blocked
)

// String is the state's public word.
func (s State) String() string {
	switch s {
	case Free:
		return "free"
	case Held:
		return "held"
	case Sold:
		return "sold"
	case Blocked:
		return "blocked"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// ErrPacked means that bytes are not the packed form of a map of that size.
var ErrPacked = errors.New("malformed packed seat map")

// Packed holds the states of n seats in 2 bits each, seat i in byte i/4 at
// bits 2·(i mod 4). Copies share their seats; Clone parts them.
type Packed struct {
	n    int
	bits []byte
}

// NewPacked is a map of n free seats.
func NewPacked(n int) Packed { return Packed{n, make([]byte, (n+3)/4)} }

// ParsePacked reads the packed form of n seats. It refuses another length and
// padding bits that are set; it keeps b no longer than the call.
func ParsePacked(b []byte, n int) (Packed, error) {
	if err := checkBits(b, n, 2); err != nil {
		return Packed{}, err
	}
	return Packed{n, slices.Clone(b)}, nil
}

// Len is the number of seats.
func (p Packed) Len() int { return p.n }

// Get is the state of seat i; it panics outside 0 ≤ i < Len.
func (p Packed) Get(i int) State {
	p.check(i)
	return State(p.bits[i>>2] >> (i & 3 * 2) & 3)
}

// Set makes s the state of seat i; it panics for another i or s.
func (p Packed) Set(i int, s State) {
	p.check(i)
	if s > Blocked {
		panic("seatmap: " + s.String())
	}
	at := i & 3 * 2
	p.bits[i>>2] = p.bits[i>>2]&^(3<<at) | byte(s)<<at
}

func (p Packed) check(i int) {
	if uint(i) >= uint(p.n) {
		panic(fmt.Sprintf("seatmap: seat %d of %d", i, p.n))
	}
}

// Count is how many seats are in state s.
func (p Packed) Count(s State) int {
	count := 0
	for i := range p.n {
		if p.Get(i) == s {
			count++
		}
	}
	return count
}

// Bytes is the packed form, a copy.
func (p Packed) Bytes() []byte { return slices.Clone(p.bits) }

// Clone is an independent copy.
func (p Packed) Clone() Packed { return Packed{p.n, slices.Clone(p.bits)} }

// LineSeats marks, one bit a seat (seat i in byte i/8 at bit i mod 8), the
// held seats that are set aside for the waiting line. Copies share their bits.
type LineSeats struct {
	n    int
	bits []byte
}

// NewLineSeats marks none of n seats.
func NewLineSeats(n int) LineSeats { return LineSeats{n, make([]byte, (n+7)/8)} }

// ParseLineSeats reads the marks of the seats of p. It refuses another length,
// padding bits that are set, and a mark on a seat that is not held.
func ParseLineSeats(b []byte, p Packed) (LineSeats, error) {
	if err := checkBits(b, p.n, 1); err != nil {
		return LineSeats{}, err
	}
	s := LineSeats{p.n, slices.Clone(b)}
	for i := range p.n {
		if s.Has(i) && p.Get(i) != Held {
			return LineSeats{}, fmt.Errorf("%w: seat %d is set aside and %v", ErrPacked, i, p.Get(i))
		}
	}
	return s, nil
}

// Len is the number of seats.
func (s LineSeats) Len() int { return s.n }

// Has reports whether seat i is set aside.
func (s LineSeats) Has(i int) bool {
	s.check(i)
	return s.bits[i>>3]>>(i&7)&1 == 1
}

// Set marks seat i or clears its mark.
func (s LineSeats) Set(i int, aside bool) {
	s.check(i)
	s.bits[i>>3] &^= 1 << (i & 7)
	if aside {
		s.bits[i>>3] |= 1 << (i & 7)
	}
}

func (s LineSeats) check(i int) {
	if uint(i) >= uint(s.n) {
		panic(fmt.Sprintf("seatmap: seat %d of %d", i, s.n))
	}
}

// Count is how many seats are set aside.
func (s LineSeats) Count() int {
	count := 0
	for _, b := range s.bits {
		count += bits.OnesCount8(b)
	}
	return count
}

// Bytes is the packed form, a copy.
func (s LineSeats) Bytes() []byte { return slices.Clone(s.bits) }

// Clone is an independent copy.
func (s LineSeats) Clone() LineSeats { return LineSeats{s.n, slices.Clone(s.bits)} }

func checkBits(b []byte, n, width int) error {
	if n < 0 || len(b) != (n*width+7)/8 {
		return fmt.Errorf("%w: %d bytes for %d seats", ErrPacked, len(b), n)
	}
	if used := n * width % 8; used != 0 && b[len(b)-1]>>used != 0 {
		return fmt.Errorf("%w: padding is set", ErrPacked)
	}
	return nil
}
