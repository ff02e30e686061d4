package seatmap

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// tenHalls is the catalogue's own file: these tests are its check as well.
const tenHalls = "../../../infra/catalogue/halls.json"

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// halls expands every hall of a file in testdata.
func halls(t testing.TB, name string) []*Layout {
	t.Helper()
	sources, err := ParseHalls(read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var all []*Layout
	for _, src := range sources {
		l, err := Expand(src)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func hall(t testing.TB, id string) *Layout {
	t.Helper()
	for _, l := range halls(t, tenHalls) {
		if l.ID() == id {
			return l
		}
	}
	t.Fatalf("no hall %s", id)
	return nil
}

// drawn is a cinema of the given sections of printed rows; the rows are
// labelled A, B, C …
func drawn(t fataler, sections ...[]string) *Layout {
	t.Helper()
	doc := hallDoc{ID: "drawn", Name: "Drawn", Kind: Cinema, Numbering: leftToRight}
	for k, rows := range sections {
		s := sectionDoc{Section: fmt.Sprint("s", k), ByType: map[string]int{}}
		for i, cells := range rows {
			s.Rows = append(s.Rows, fmt.Sprintf("%c: %s", 'A'+i, cells))
			s.Seats += tally(s.ByType, cells)
		}
		doc.Sections = append(doc.Sections, s)
		doc.Seats += s.Seats
	}
	if len(sections) == 1 {
		only := doc.Sections[0]
		doc.Rows, doc.ByType, doc.Sections = only.Rows, only.ByType, nil
	}
	l, err := build(doc)
	if err != nil {
		t.Fatalf("%v: %v", sections, err)
	}
	return l
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func TestTenHalls(t *testing.T) {
	type counts = map[SeatType]int
	want := []struct {
		id     string
		kind   Kind
		blocks int
		types  counts
	}{
		{"arthouse-40", Cinema, 1, counts{Companion: 1, Loveseat: 6, Regular: 32, Wheelchair: 1}},
		{"lounge-64", Cinema, 1, counts{Companion: 2, Loveseat: 8, Premium: 24, Regular: 28, Wheelchair: 2}},
		{"standard-90", Cinema, 1, counts{Companion: 1, Premium: 20, Regular: 68, Wheelchair: 1}},
		{"standard-130", Cinema, 1, counts{Companion: 1, Loveseat: 12, Premium: 24, Regular: 92, Wheelchair: 1}},
		{"standard-180", Cinema, 1, counts{Companion: 2, Loveseat: 14, Premium: 42, Regular: 120, Wheelchair: 2}},
		{"large-268", Cinema, 2, counts{Companion: 4, Loveseat: 16, Premium: 64, Regular: 180, Wheelchair: 4}},
		{"plf-406", Cinema, 3, counts{Companion: 4, Loveseat: 20, Premium: 110, Regular: 268, Wheelchair: 4}},
		{"imax-600", Cinema, 4, counts{Companion: 4, Loveseat: 22, Premium: 168, Regular: 402, Wheelchair: 4}},
		{"theatre-2000", Theatre, 13, counts{Companion: 8, Premium: 383, Regular: 1601, Wheelchair: 8}},
		{"arena-20000", Arena, 158, counts{Companion: 104, Premium: 4368, Regular: 15176, Standing: 248, Wheelchair: 104}},
	}
	got := halls(t, tenHalls)
	if len(got) != len(want) {
		t.Fatalf("%d halls, want %d", len(got), len(want))
	}
	for i, w := range want {
		l := got[i]
		t.Run(w.id, func(t *testing.T) {
			if l.ID() != w.id || l.Kind() != w.kind || len(l.Blocks()) != w.blocks {
				t.Errorf("%s, %s, %d blocks, want %s, %s, %d", l.ID(), l.Kind(), len(l.Blocks()), w.id, w.kind, w.blocks)
			}
			if !maps.Equal(l.ByType(), w.types) {
				t.Errorf("types %v, want %v", l.ByType(), w.types)
			}
			if !strings.Contains(w.id, fmt.Sprint(l.Len())) {
				t.Errorf("%d seats", l.Len())
			}
			checkSeatsOf(t, l)
			checkBlocks(t, l)
			checkApart(t, l)
		})
	}
}

func checkSeatsOf(t *testing.T, l *Layout) {
	t.Helper()
	ids := make(map[SeatID]bool)
	next := 0
	for _, sec := range l.Sections() {
		for _, row := range sec.Rows {
			if row.First != next || row.Len < 1 {
				t.Fatalf("row %s %s begins at %d, want %d", sec.ID, row.ID, row.First, next)
			}
			for ; next < row.First+row.Len; next++ {
				s := l.At(next)
				found, ok := l.Seat(s.ID)
				if s.Index != next || !ok || found != s || ids[s.ID] || !s.Type.Valid() || s.Row != row.ID || s.Section != sec.ID {
					t.Fatalf("seat %d: %+v", next, s)
				}
				if want := strings.TrimPrefix(s.Section+"-"+s.Row+"-"+s.Number, "-"); string(s.ID) != want {
					t.Fatalf("seat %s should be %s", s.ID, want)
				}
				if p := s.Partner; (p >= 0) != (s.Type == Loveseat) || p >= 0 && l.At(p).Partner != next {
					t.Fatalf("seat %s has partner %d", s.ID, p)
				}
				ids[s.ID] = true
			}
		}
	}
	if next != l.Len() {
		t.Errorf("rows hold %d of %d seats", next, l.Len())
	}
}

func checkBlocks(t *testing.T, l *Layout) {
	t.Helper()
	next := 0
	names := make(map[string]bool)
	for k, b := range l.Blocks() {
		if b.First != next || b.Len < 1 || b.Len > BlockSize || names[b.Name] || len(b.Name) > 4 {
			t.Errorf("block %+v, want one that begins at %d", b, next)
		}
		names[b.Name] = true
		for _, s := range l.BlockSeats(k) {
			if s.Block != k || s.Section != l.At(b.First).Section {
				t.Errorf("seat %+v in block %d", s, k)
			}
			next++
		}
	}
	if next != l.Len() {
		t.Errorf("blocks hold %d of %d seats", next, l.Len())
	}
	for _, sec := range l.Sections() {
		for _, row := range sec.Rows {
			first, last := l.At(row.First), l.At(row.First+row.Len-1)
			if row.Len <= BlockSize && first.Block != last.Block {
				t.Errorf("row %s %s is cut", sec.ID, row.ID)
			}
		}
	}
}

// checkApart finds places that stand in one another and neighbours that do not
// touch.
func checkApart(t *testing.T, l *Layout) {
	t.Helper()
	type cell struct{ x, y int }
	grid := make(map[cell][]int)
	for i := range l.Len() {
		s := l.At(i)
		at := cell{int(s.X), int(s.Y)}
		if s.X < 0 || s.Y < 0 {
			t.Fatalf("%s at %v, %v", s.ID, s.X, s.Y)
		}
		for dx := -1; dx <= 1; dx++ {
			for dy := -1; dy <= 1; dy++ {
				for _, j := range grid[cell{at.x + dx, at.y + dy}] {
					if o := l.At(j); math.Hypot(o.X-s.X, o.Y-s.Y) < 0.98 {
						t.Fatalf("%s (%v, %v) stands in %s (%v, %v)", s.ID, s.X, s.Y, o.ID, o.X, o.Y)
					}
				}
			}
		}
		grid[at] = append(grid[at], i)
		if i > 0 && l.beside[i] && s.Type != Standing {
			if d := l.apart(i-1, i); d < 98 || d > 102 {
				t.Fatalf("%s and %s are %d hundredths apart", l.At(i-1).ID, s.ID, d)
			}
		}
		if i > 0 && !l.beside[i] && l.At(i-1).Row == s.Row && l.At(i-1).Section == s.Section && l.apart(i-1, i) < 198 {
			t.Fatalf("no aisle shows between %s and %s", l.At(i-1).ID, s.ID)
		}
	}
}

// TestArenaGoesRound fixes the sense of the rings: clockwise from the
// stage-left corner, with the stage above, is from the right over the bottom.
func TestArenaGoesRound(t *testing.T) {
	l := hall(t, "arena-20000")
	at := func(id SeatID) Seat {
		s, ok := l.Seat(id)
		if !ok {
			t.Fatalf("no seat %s", id)
		}
		return s
	}
	right, left, ahead := at("101-1-7"), at("128-1-7"), at("115-1-7")
	if !(left.X < ahead.X && ahead.X < right.X && ahead.Y > left.Y && ahead.Y > right.Y) {
		t.Errorf("blocks 128, 115, 101 at %v, %v, %v", left, ahead, right)
	}
	if at("115-22-7").Y <= ahead.Y || at("115-P-1").Y <= at("115-22-7").Y || at("101-22-7").X <= right.X {
		t.Error("rows do not lead away from the floor")
	}
	if a, b := at("115-1-1"), at("115-1-13"); a.X >= b.X {
		t.Error("seats ahead do not run left to right")
	}
	if a, b := at("101-1-1"), at("101-1-13"); a.Y <= b.Y {
		t.Error("who faces the floor from the right has the stage to the right")
	}
	if p := at("pit-1-1"); p.Y >= at("1-1-1").Y || p.Type != Standing {
		t.Errorf("the pit is not before the floor's seats: %+v", p)
	}
}

func TestSmallHallsGolden(t *testing.T) {
	var b strings.Builder
	for _, l := range halls(t, "small.json") {
		fmt.Fprintf(&b, "%s %q %s %v\n", l.ID(), l.Name(), l.Kind(), l.Types())
		for _, sec := range l.Sections() {
			fmt.Fprintf(&b, " section %q %q\n", sec.ID, sec.Name)
			for _, row := range sec.Rows {
				for i := row.First; i < row.First+row.Len; i++ {
					s := l.At(i)
					fmt.Fprintf(&b, "  %d %s %s %g,%g block %s merit %d", s.Index, s.ID, s.Type, s.X, s.Y, l.Block(s.Block).Name, l.merit[i])
					if s.Partner >= 0 {
						fmt.Fprintf(&b, " with %s", l.At(s.Partner).ID)
					}
					b.WriteString("\n")
				}
			}
		}
	}
	golden(t, "small.golden", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := string(read(t, name))
	if got == want {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s:%d: got %q, want %q (-update rewrites it)", name, i+1, a[i], b[i])
		}
	}
	t.Fatalf("%s: %d lines, want %d", name, len(a), len(b))
}

func TestUnknownSeat(t *testing.T) {
	l := drawn(t, []string{"RR"})
	for _, id := range []SeatID{"", "A", "A-0", "A-3", "a-1", "A-01", "s0-A-1"} {
		if s, ok := l.Seat(id); ok {
			t.Errorf("%q is %+v", id, s)
		}
	}
	if SeatType("").Valid() || SeatType("Regular").Valid() {
		t.Error("an unknown type is valid")
	}
}

func TestLongRowIsCutEvenly(t *testing.T) {
	l := drawn(t, []string{strings.Repeat("R", 401), strings.Repeat("R", 100) + strings.Repeat("_", 301)})
	var sizes []int
	for _, b := range l.Blocks() {
		sizes = append(sizes, b.Len)
	}
	if want := []int{133, 134, 134, 100}; !slices.Equal(sizes, want) {
		t.Errorf("blocks of %v, want %v", sizes, want)
	}
	checkBlocks(t, l)
}

func TestNumbering(t *testing.T) {
	tests := []struct {
		rule  numbering
		cells string
		want  []int
	}{
		{leftToRight, "RR_R", []int{1, 2, 0, 3}},
		{leftToRight, "_RR__R_", []int{0, 1, 2, 0, 0, 3, 0}},
		{rightToLeft, "RR_R", []int{3, 2, 0, 1}},
		{byBlock, "RRR", []int{1, 2, 3}},
		{oddEven, "_RRR_RR__RR_", []int{0, 5, 3, 1, 0, 101, 102, 0, 0, 2, 4, 0}},
		{oddEven, "RR_R_RR_R", []int{3, 1, 0, 101, 0, 102, 103, 0, 2}},
		{oddEven, "RR_RRR", []int{3, 1, 0, 2, 4, 6}},
		{oddEven, "_RRRR", []int{0, 3, 1, 2, 4}},
		{oddEven, "RRRRR", []int{5, 3, 1, 2, 4}},
		{oddEven, "R", []int{1}},
	}
	for _, tt := range tests {
		if got := tt.rule.numbers(tt.cells); !slices.Equal(got, tt.want) {
			t.Errorf("%s %q: %v, want %v", tt.rule, tt.cells, got, tt.want)
		}
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		free, capacity int
		want           Availability
	}{
		{0, 100, Full}, {-1, 100, Full}, {0, 0, Full}, {1, 100, AlmostFull},
		{15, 100, AlmostFull}, {16, 100, Available}, {100, 100, Available},
		{1, 6, Available}, {1, 7, AlmostFull}, {3000, 20000, AlmostFull}, {3001, 20000, Available},
	}
	for _, tt := range tests {
		if got := Status(tt.free, tt.capacity); got != tt.want {
			t.Errorf("%d of %d: %s, want %s", tt.free, tt.capacity, got, tt.want)
		}
	}
}
