package seatmap

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func all(int) bool { return true }

// only answers free for the seats of the given ids.
func only(l *Layout, ids string) func(int) bool {
	return func(i int) bool { return slices.Contains(strings.Fields(ids), string(l.At(i).ID)) }
}

func joined(ids []SeatID) string { return strings.Trim(fmt.Sprint(ids), "[]") }

func TestBest(t *testing.T) {
	multiplex := []string{"WC_RRRRRR_RR", "RR_RRRRRR_RR", "PP_PPPPPP_PP", "LL_LLLLLL_LL"}
	tests := []struct {
		name string
		rows []string
		free string // empty: all
		want Want
		best string // empty: none
	}{
		{"centre, two thirds back, nobody left alone", multiplex, "", Want{Count: 2}, "C-5 C-6"},
		{"a wished type", multiplex, "", Want{Count: 2, Type: Regular}, "B-5 B-6"},
		{"a party that would leave singles moves aside", multiplex, "", Want{Count: 4}, "C-3 C-4 C-5 C-6"},
		{"loveseats", multiplex, "", Want{Count: 2, Type: Loveseat}, "D-5 D-6"},
		{"half a loveseat", multiplex, "", Want{Count: 3, Type: Loveseat}, ""},
		{"wheelchair with companion", multiplex, "", Want{Count: 2, Type: Wheelchair}, "A-1 A-2"},
		{"wheelchair alone", multiplex, "", Want{Count: 1, Type: Wheelchair}, "A-1"},
		{"more wheelchair places than there are", multiplex, "", Want{Count: 3, Type: Wheelchair}, ""},
		{"companion place alone", multiplex, "", Want{Count: 1, Type: Companion}, ""},
		{"standing where there is none", multiplex, "", Want{Count: 1, Type: Standing}, ""},
		{"unknown type", multiplex, "", Want{Count: 1, Type: "regal"}, ""},
		{"nobody", multiplex, "", Want{}, ""},
		{"more than the hall", multiplex, "", Want{Count: 1000}, ""},
		{"never wheelchair places", multiplex, "A-1 A-2", Want{Count: 1}, ""},
		{"a free companion place does not help another", multiplex, "A-2", Want{Count: 2, Type: Wheelchair}, ""},
		{"a loveseat whose half is gone", multiplex, "D-1 D-4", Want{Count: 1}, ""},
		{"not half a loveseat to a single", multiplex, "D-1 D-2", Want{Count: 1}, ""},

		{"2: one row across the aisle", multiplex, "B-1 B-2 B-3 C-1 C-2 C-9", Want{Count: 3}, "B-1 B-2 B-3"},
		{"2: not past a stranger", multiplex, "B-1 B-2 B-4 B-5 C-1", Want{Count: 3}, "B-1 B-2 C-1"},
		{"3: two behind two", multiplex, "B-1 B-2 C-1 C-2 B-9 C-10", Want{Count: 4}, "B-1 B-2 C-1 C-2"},
		{"3: a loveseat before a single", []string{"LLR", "R__"}, "A-1 A-2 B-1", Want{Count: 3}, "A-1 A-2 B-1"},
		{"3: nobody alone in front", multiplex, "B-3 C-3 C-4 C-5 B-9 B-10 C-9 C-10", Want{Count: 4}, "B-9 B-10 C-9 C-10"},
		{"3: in line rather than askew", multiplex, "B-6 B-7 C-5 C-6 C-7", Want{Count: 4}, "B-6 B-7 C-6 C-7"},
		{"4: nearest cluster", multiplex, "B-1 B-8 B-10 C-9 D-1 D-2", Want{Count: 3}, "B-8 B-10 C-9"},
		{"4: a pair and a single", multiplex, "B-3 D-1 D-2", Want{Count: 3}, "B-3 D-1 D-2"},
		{"4: two pairs although a single is nearer", multiplex, "B-5 D-1 D-2 D-9 D-10", Want{Count: 4}, "D-1 D-2 D-9 D-10"},
		{"4: a pair that is nearer than singles", []string{"LLRLLRRRRRRRR"}, "A-1 A-2 A-4 A-5 A-9 A-11", Want{Count: 4}, "A-1 A-2 A-4 A-5"},
		{"4: cannot be made up", multiplex, "D-1 D-2 D-9 D-10", Want{Count: 3}, ""},

		{"twos rather than the place of another two", []string{"WCWC_CWCW"}, "", Want{Count: 4, Type: Wheelchair}, "A-1 A-2 A-3 A-4"},
		{"the place without companion for who comes alone", []string{"WCWC_W", "RRRR__"}, "", Want{Count: 1, Type: Wheelchair}, "A-5"},
		{"another's companion place when its own is gone", []string{"CWCWC"}, "A-2 A-3 A-4 A-5", Want{Count: 4, Type: Wheelchair}, "A-2 A-3 A-4 A-5"},
		{"the odd one breaks no other two", []string{"WC_WC__W"}, "", Want{Count: 3, Type: Wheelchair}, "A-3 A-4 A-5"},
		{"two and one", []string{"WC_W"}, "", Want{Count: 3, Type: Wheelchair}, "A-1 A-2 A-3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := drawn(t, tt.rows)
			free := all
			if tt.free != "" {
				free = only(l, tt.free)
			}
			got, ok := Best(l, free, tt.want)
			if joined(l.IDs(got)) != tt.best || ok != (tt.best != "") {
				t.Errorf("got %v %v, want %q\n%s", l.IDs(got), ok, tt.best, Draw(l, Packed{}, got))
			}
		})
	}
}

func TestBestKeepsToTheSection(t *testing.T) {
	l := drawn(t, []string{"RRRR"}, []string{"RRRR", "RRRR"})
	got, ok := Best(l, only(l, "s0-A-2 s0-A-3 s1-A-2 s1-A-3 s1-B-1 s1-B-2"), Want{Count: 4})
	if want := "s1-A-2 s1-A-3 s1-B-1 s1-B-2"; !ok || joined(l.IDs(got)) != want {
		t.Errorf("got %v, want %s", l.IDs(got), want)
	}
}

func TestBestInRealHalls(t *testing.T) {
	tests := []struct {
		hall string
		want Want
		best string
	}{
		{"imax-600", Want{Count: 4}, "Q-13 Q-14 Q-15 Q-16"},
		{"standard-180", Want{Count: 4}, "J-9 J-8 J-7 J-6"},
		{"theatre-2000", Want{Count: 2}, "stalls-M-108 stalls-M-109"},
		{"theatre-2000", Want{Count: 2, Type: Wheelchair}, "stalls-Y-3 stalls-Y-1"},
		{"arena-20000", Want{Count: 4}, "2-1-1 2-1-2 2-1-3 2-1-4"},
		{"arena-20000", Want{Count: 2, Type: Regular}, "114-1-6 114-1-7"},
		{"arena-20000", Want{Count: 2, Type: Wheelchair}, "114-P-1 114-P-2"},
		{"arena-20000", Want{Count: 3, Type: Standing}, "pit-1-239 pit-1-240 pit-1-241"},
	}
	for _, tt := range tests {
		l := hall(t, tt.hall)
		got, ok := Best(l, all, tt.want)
		if !ok || joined(l.IDs(got)) != tt.best {
			t.Errorf("%s, %+v: %v, want %s", tt.hall, tt.want, l.IDs(got), tt.best)
		}
	}
}

// TestStandingComesLast: who names no type gets seats while there are any.
func TestStandingComesLast(t *testing.T) {
	l := halls(t, "small.json")[2]
	got, ok := Best(l, only(l, "pit-1-1 pit-1-2 1-1-1 102-2-3"), Want{Count: 2})
	if want := "1-1-1 102-2-3"; !ok || joined(l.IDs(got)) != want {
		t.Errorf("got %v, want %s", l.IDs(got), want)
	}
	got, ok = Best(l, only(l, "pit-1-1 pit-1-2 1-1-1"), Want{Count: 2})
	if want := "pit-1-1 pit-1-2"; !ok || joined(l.IDs(got)) != want {
		t.Errorf("got %v, want %s", l.IDs(got), want)
	}
}

// TestStartSpreads: callers with different starts collide less, and a wider
// spread takes them farther apart.
func TestStartSpreads(t *testing.T) {
	l := hall(t, "imax-600")
	distinct := func(spread int) int {
		seen := make(map[int]bool)
		for start := range uint64(200) {
			got, ok := Best(l, all, Want{Count: 2, Start: start + 1, Spread: spread})
			if !ok {
				t.Fatal("an empty hall has no two seats")
			}
			seen[got[0]] = true
		}
		return len(seen)
	}
	near, wide := distinct(0), distinct(6)
	if near < 10 || wide < 4*near {
		t.Errorf("200 callers got %d places, with a wider spread %d", near, wide)
	}
}

// concertHall has 8,000 seats in eight sections of 25 rows of 40 with an aisle.
func concertHall(t testing.TB) *Layout {
	row := strings.Repeat("R", 20) + "_" + strings.Repeat("R", 20)
	sections := make([][]string, 8)
	for k := range sections {
		sections[k] = slices.Repeat([]string{row}, 25)
	}
	return drawn(t, sections...)
}

// hasRun looks for n free neighbours.
func hasRun(l *Layout, taken []bool, n int) bool {
	run := 0
	for i := range taken {
		if taken[i] {
			run = 0
			continue
		}
		if !l.beside[i] {
			run = 0
		}
		if run++; run == n {
			return true
		}
	}
	return false
}

// sale books parties of 2 to 6 one after another.
type sale struct {
	l     *Layout
	taken []bool
	left  int
	seed  uint64
}

// book serves the next party and checks that it sits together while a run of
// its size is left. It answers false when the party was turned away.
func (s *sale) book(t *testing.T) (n int, served bool) {
	t.Helper()
	s.seed++
	n = 2 + int(mix(s.seed)%5)
	together := hasRun(s.l, s.taken, n)
	got, ok := Best(s.l, func(i int) bool { return !s.taken[i] }, Want{Count: n, Start: mix(s.seed ^ 1<<40)})
	if !ok {
		return n, false
	}
	if len(got) != n || together && !(twin{l: s.l}).together(got) {
		t.Fatalf("seed %d: party of %d got %v", s.seed, n, s.l.IDs(got))
	}
	for _, i := range got {
		if s.taken[i] {
			t.Fatalf("seed %d: seat %s given twice", s.seed, s.l.At(i).ID)
		}
		s.taken[i] = true
		s.left--
	}
	return n, true
}

func TestManyBookers(t *testing.T) {
	l := concertHall(t)
	if l.Len() != 8000 {
		t.Fatalf("%d seats", l.Len())
	}
	for seed := range uint64(5) {
		s := sale{l, make([]bool, l.Len()), l.Len(), seed << 20}
		served := 0
		for range 160 {
			if _, ok := s.book(t); ok {
				served++
			}
		}
		if served*100 < 160*99 {
			t.Errorf("seed %d: %d of 160 served", seed, served)
		}
	}
}

// TestSellOut starts with four seats in five gone at random, and sells what is
// left: nobody is turned away while there are as many seats as the party needs.
func TestSellOut(t *testing.T) {
	l := concertHall(t)
	for seed := range uint64(3) {
		s := sale{l, make([]bool, l.Len()), 0, seed << 20}
		for i := range s.taken {
			s.taken[i] = mix(seed<<32|uint64(i))%5 > 0
			if !s.taken[i] {
				s.left++
			}
		}
		for s.left > 1 {
			before := s.left
			if n, ok := s.book(t); !ok && before >= n {
				t.Fatalf("seed %d: party of %d turned away with %d seats left", s.seed, n, before)
			}
		}
	}
}

func BenchmarkBest(b *testing.B) {
	l := hall(b, "arena-20000")
	cases := []struct {
		name string
		free func(int) bool
		want Want
	}{
		{"together", all, Want{Count: 6, Start: 9}},
		{"regular", all, Want{Count: 6, Start: 9, Type: Regular}},
		{"adjacent rows", func(i int) bool { return i%4 != 0 }, Want{Count: 6, Start: 9}},
		{"nearest cluster", func(i int) bool { return i%29 == 0 }, Want{Count: 6, Start: 9}},
		{"wheelchair", all, Want{Count: 2, Start: 9, Type: Wheelchair}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := Best(l, c.free, c.want); !ok {
					b.Fatal("nothing found")
				}
			}
		})
	}
}

func BenchmarkExpand(b *testing.B) {
	sources, err := ParseHalls(read(b, tenHalls))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Expand(sources[len(sources)-1]); err != nil {
			b.Fatal(err)
		}
	}
}
