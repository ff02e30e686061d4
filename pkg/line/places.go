package line

import (
	"math/bits"
	"slices"
)

// Places is who is in line, a bit a number: set while its waiter is waiting or
// offered. The lane keeps it beside its version, so that one read tells everybody
// how many are ahead, whoever advances. It decides nothing.
type Places struct {
	base int64 // number of the first bit, a multiple of 8
	bits []byte
}

// ParsePlaces is the inverse of Base and Bytes. A base that no Places has is
// rounded down.
func ParsePlaces(base int64, b []byte) Places {
	return Places{base: max(base, 0) &^ 7, bits: slices.Clone(b)}
}

// Base is the number of the first bit of Bytes.
func (p Places) Base() int64 { return p.base }

// Bytes has number n at byte (n-Base)/8, bit (n-Base)%8, low bits first. The first
// byte and the last are never zero.
func (p Places) Bytes() []byte { return slices.Clone(p.bits) }

// Ahead counts those whose number is smaller.
func (p Places) Ahead(number int64) int {
	n := 0
	for i, b := range p.bits {
		first := p.base + int64(i)*8
		if first >= number {
			break
		}
		if rest := number - first; rest < 8 {
			b &= 1<<rest - 1
		}
		n += bits.OnesCount8(b)
	}
	return n
}

// Count is how many are in line.
func (p Places) Count() int { return p.Ahead(p.base + int64(len(p.bits))*8 + 1) }

// Has reports whether the number is in line.
func (p Places) Has(number int64) bool {
	i := (number - p.base) / 8
	return number >= p.base && i < int64(len(p.bits)) && p.bits[i]&(1<<((number-p.base)%8)) != 0
}

func (p Places) with(number int64) Places {
	if number < 1 {
		return p
	}
	if len(p.bits) == 0 {
		p.base = number &^ 7
	}
	if grow := (p.base - number + 7) / 8; number < p.base {
		p.bits = append(make([]byte, grow), p.bits...)
		p.base -= grow * 8
	}
	i := (number - p.base) / 8
	b := make([]byte, max(int64(len(p.bits)), i+1))
	copy(b, p.bits)
	b[i] |= 1 << ((number - p.base) % 8)
	return Places{p.base, b}
}

func (p Places) without(number int64) Places {
	if !p.Has(number) {
		return p
	}
	b := slices.Clone(p.bits)
	b[(number-p.base)/8] &^= 1 << ((number - p.base) % 8)
	base := p.base
	for len(b) > 0 && b[0] == 0 {
		b, base = b[1:], base+8
	}
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return Places{base, b}
}

// Places is who is in line when the plan is carried out.
func (p Plan) Places(was Places) Places {
	move := func(w Waiter) {
		switch {
		case w.State == Waiting || w.State == Offered:
			was = was.with(w.Number)
		case w.State.Ended():
			was = was.without(w.Number)
		}
	}
	if p.Aside != nil {
		move(p.Aside.Waiter)
	}
	for _, e := range p.Ends() {
		move(e.Waiter)
	}
	for _, w := range p.Tidy {
		move(w)
	}
	for _, w := range p.Number {
		move(w)
	}
	return was
}
