package seatmap

// Want is a party's wish.
type Want struct {
	// Count is how many seats, at least 1. The work grows with its square: the
	// caller bounds it (ten, requirement A10).
	Count int
	// Type restricts the party to one type; empty means any that is sold to
	// everybody, standing places only where seats do not suffice.
	Type SeatType
	// Start spreads callers who ask at the same moment: each value picks
	// another of the nearly equal choices. 0 takes the very best.
	Start uint64
	// Spread is how many pitches farther from the best point, on the average
	// of its seats, a choice may be and still count as nearly equal; 0 means
	// DefaultSpread. Who lost a race asks again with a wider one.
	Spread int
}

// DefaultSpread, in pitches, opens a dozen choices in an empty hall.
const DefaultSpread = 2

// Best chooses seats for a party among those that free reports as free, and
// answers their indexes in layout order. The first step that can be taken is:
//
//  1. together: one row, neighbours all, no aisle between;
//  2. one row, with aisles but nobody else between;
//  3. two adjacent rows of a section, each part together and behind the other
//     (their columns overlap); of four and more nobody sits alone;
//  4. the cluster whose seats are nearest to one of them.
//
// Within a step the choice with the least distance to the best point of the
// hall wins: the middle two thirds back in a cinema, the middle of the first
// section in a theatre, the front of the seated floor in an arena. (Step 3
// adds how far the parts are out of line, step 4 the distances within the
// cluster, twice.) Choices within Want.Spread of it are nearly equal; among
// those, one that leaves no seat alone (see [Stranded]) goes before one that
// does, and then Start decides, the same for the same Start.
//
// A wheelchair place is given only for Type Wheelchair: Count 1 is the place
// alone, 2 the place and a companion place beside it, more are as many such
// twos as fit, nearest to one another, an odd one a place alone. Companion
// places are given in no other way. Loveseats are given whole, so an odd Count
// of Type Loveseat is refused.
//
// It answers false exactly when no choice keeps these rules.
func Best(l *Layout, free func(i int) bool, want Want) ([]int, bool) {
	if want.Count < 1 || want.Count > l.Len() {
		return nil, false
	}
	switch want.Type {
	case Wheelchair:
		return bestWheelchair(l, free, want)
	case Companion:
		return nil, false
	case "":
		s := newSearch(l, free, want, func(t SeatType) bool { return t.single() || t == Loveseat })
		if seats, ok := s.seats(); ok {
			return seats, true
		}
		if l.byType[Standing] == 0 {
			return nil, false
		}
		want.Type = Standing
	}
	return newSearch(l, free, want, func(t SeatType) bool { return t == want.Type }).seats()
}

// What a search knows of each seat.
const (
	usable  = 1 << iota // free and of a wanted type
	opening             // free and sold one by one: can be left alone
)

// search is one call of Best.
type search struct {
	l     *Layout
	want  Want
	slack int // hundredths of a pitch, over the whole party
	state []uint8
	count int // usable seats
	found []candidate
}

func newSearch(l *Layout, free func(i int) bool, want Want, wanted func(SeatType) bool) *search {
	spread := want.Spread
	if spread <= 0 {
		spread = DefaultSpread
	}
	// A spread larger than any hall must not overflow.
	spread = min(spread, MaxSeats)
	s := &search{l: l, want: want, slack: 100 * spread * want.Count, state: make([]uint8, l.Len())}
	// The types differ in their first letter; 20,000 string comparisons are
	// dearer than all the rest.
	var take [256]bool
	for _, t := range seatTypes {
		take[t[0]] = wanted(t)
	}
	for i := range l.seats {
		if !free(i) {
			continue
		}
		t := l.seats[i].Type
		if t.single() {
			s.state[i] = opening
		}
		if take[t[0]] {
			s.state[i] |= usable
			s.count++
		}
	}
	return s
}

func (s *search) seats() ([]int, bool) {
	if s.count < s.want.Count {
		return nil, false
	}
	for _, step := range []func(func(candidate)){s.together, s.acrossAisles, s.adjacentRows, s.clusters} {
		if c, ok := s.choose(step); ok {
			return s.indexes(c), true
		}
	}
	return nil, false
}

// candidate is one choice: a run of n seats and, in step 3, a second run
// behind it; in step 4 it is the anchor of a cluster (n is 0).
type candidate struct {
	first, n      int
	second, m     int
	score, strays int
}

// choose runs a step twice: to learn the least score, and to pick among what
// is nearly as good. Twice is cheaper than to remember.
func (s *search) choose(step func(func(candidate))) (candidate, bool) {
	least := -1
	step(func(c candidate) {
		if least < 0 || c.score < least {
			least = c.score
		}
	})
	if least < 0 {
		return candidate{}, false
	}
	var best candidate
	var rank uint64
	found := false
	step(func(c candidate) {
		if c.score > least+s.slack {
			return
		}
		c.strays = min(s.strays(c), 1)
		r := s.rank(c)
		if !found || c.strays < best.strays || c.strays == best.strays && r < rank {
			best, rank, found = c, r, true
		}
	})
	return best, true
}

// rank orders nearly equal choices: by score for Start 0, else by lot.
func (s *search) rank(c candidate) uint64 {
	at := uint64(c.first)<<16 | uint64(c.second)
	if s.want.Start == 0 {
		return uint64(c.score)<<31 | at
	}
	return mix(s.want.Start ^ mix(at))
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s *search) indexes(c candidate) []int {
	if c.n == 0 {
		return s.cluster(c.first)
	}
	seats := make([]int, 0, c.n+c.m)
	for i := range c.n {
		seats = append(seats, c.first+i)
	}
	for i := range c.m {
		seats = append(seats, c.second+i)
	}
	return seats
}

func (s *search) strays(c candidate) int {
	if c.n == 0 {
		return 0
	}
	n := s.strandedBy(c.first, c.first+c.n-1)
	if c.m > 0 {
		n += s.strandedBy(c.second, c.second+c.m-1)
	}
	return n
}

func (s *search) together(yield func(candidate)) {
	for _, row := range s.l.rows {
		s.windows(row, s.want.Count, false, yield)
	}
}

func (s *search) acrossAisles(yield func(candidate)) {
	for _, row := range s.l.rows {
		s.windows(row, s.want.Count, true, yield)
	}
}

// windows yields every run of n usable seats of a row that cuts no loveseat.
func (s *search) windows(row rowSpan, n int, aisles bool, yield func(candidate)) {
	l := s.l
	run, sum := 0, 0
	for i := row.first; i < row.end; i++ {
		if s.state[i]&usable == 0 {
			run, sum = 0, 0
			continue
		}
		if !aisles && !l.beside[i] {
			run, sum = 0, 0
		}
		run++
		sum += int(l.merit[i])
		if run > n {
			sum -= int(l.merit[i-n])
		}
		if run >= n && l.whole(i-n+1, i) {
			yield(candidate{first: i - n + 1, n: n, score: sum})
		}
	}
}

// whole reports that neither end of a run cuts a loveseat.
func (l *Layout) whole(first, last int) bool {
	p := l.seats[first].Partner
	return (p < 0 || p >= first) && l.seats[last].Partner <= last
}
