package seatmap

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestPackedWireForm(t *testing.T) {
	p := NewPacked(6)
	for i, s := range []State{Free, Held, Sold, Blocked, Held, Blocked} {
		p.Set(i, s)
	}
	if got, want := p.Bytes(), []byte{0b11_10_01_00, 0b00_00_11_01}; !bytes.Equal(got, want) {
		t.Errorf("%08b, want %08b", got, want)
	}
	line := NewLineSeats(10)
	line.Set(1, true)
	line.Set(9, true)
	line.Set(2, true)
	line.Set(2, false)
	if got, want := line.Bytes(), []byte{0b10, 0b10}; !bytes.Equal(got, want) || line.Count() != 2 {
		t.Errorf("%08b, want %08b", got, want)
	}
}

// TestPackedAgainstSlice: Packed is a slice of states, in a quarter of it.
func TestPackedAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		twin := rapid.SliceOf(rapid.Custom(func(t *rapid.T) State { return State(rapid.IntRange(0, 3).Draw(t, "state")) })).Draw(t, "states")
		p := NewPacked(len(twin))
		count := make(map[State]int)
		for i, s := range twin {
			p.Set(i, Blocked)
			p.Set(i, s)
			count[s]++
		}
		back, err := ParsePacked(p.Bytes(), len(twin))
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range twin {
			if p.Get(i) != s || back.Get(i) != s {
				t.Fatalf("seat %d: %v and %v, want %v", i, p.Get(i), back.Get(i), s)
			}
		}
		for s := Free; s <= Blocked; s++ {
			if back.Count(s) != count[s] {
				t.Fatalf("%d seats %v, want %d", back.Count(s), s, count[s])
			}
		}
	})
}

func TestPackedRefusals(t *testing.T) {
	tests := []struct {
		bytes []byte
		n     int
	}{
		{nil, 1}, {nil, -1}, {[]byte{0}, 0}, {[]byte{0, 0}, 4}, {[]byte{0}, 5},
		{[]byte{0b01_00_00_00}, 3}, {[]byte{0b00_00_01_00}, 1}, {[]byte{0, 0b10_00_00_00}, 7},
	}
	for _, tt := range tests {
		if _, err := ParsePacked(tt.bytes, tt.n); !errors.Is(err, ErrPacked) {
			t.Errorf("%v for %d seats: %v", tt.bytes, tt.n, err)
		}
	}
	p := NewPacked(3)
	p.Set(1, Held)
	for _, b := range [][]byte{{}, {0b1000}, {0b1}, {0b10, 0}} {
		if _, err := ParseLineSeats(b, p); !errors.Is(err, ErrPacked) {
			t.Errorf("marks %b: %v", b, err)
		}
	}
	if line, err := ParseLineSeats([]byte{0b10}, p); err != nil || !line.Has(1) || line.Has(0) || line.Len() != 3 {
		t.Errorf("good marks: %v", err)
	}
}

func TestPackedOutside(t *testing.T) {
	p, line := NewPacked(3), NewLineSeats(3)
	for name, act := range map[string]func(){
		"get -1":    func() { p.Get(-1) },
		"get 3":     func() { p.Get(3) },
		"set 3":     func() { p.Set(3, Held) },
		"set state": func() { p.Set(0, 4) },
		"has 3":     func() { line.Has(3) },
		"mark 3":    func() { line.Set(3, true) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			act()
		}()
	}
}

func TestPackedCopies(t *testing.T) {
	p := NewPacked(4)
	b, c := p.Bytes(), p.Clone()
	p.Set(0, Sold)
	if b[0] != 0 || c.Get(0) != Free {
		t.Error("a copy changed with its original")
	}
	line := NewLineSeats(4)
	d := line.Clone()
	line.Set(0, true)
	if d.Has(0) {
		t.Error("a copy of the marks changed with its original")
	}
}

func FuzzParsePacked(f *testing.F) {
	f.Add([]byte{0b11_10_01_00, 0b01}, []byte{0b10}, 5)
	f.Add([]byte{}, []byte{}, 0)
	f.Fuzz(func(t *testing.T, packed, marks []byte, n int) {
		if n > MaxSeats {
			return
		}
		p, err := ParsePacked(packed, n)
		if err != nil {
			return
		}
		again := NewPacked(n)
		for i := range n {
			again.Set(i, p.Get(i))
		}
		if !bytes.Equal(again.Bytes(), packed) || !bytes.Equal(p.Bytes(), packed) {
			t.Fatalf("%x became %x", packed, again.Bytes())
		}
		line, err := ParseLineSeats(marks, p)
		if err != nil {
			return
		}
		if line.Count() > p.Count(Held) || !bytes.Equal(line.Bytes(), marks) {
			t.Fatalf("%d set aside of %d held", line.Count(), p.Count(Held))
		}
	})
}
