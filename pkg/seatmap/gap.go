package seatmap

import "slices"

// Stranded are the seats, in layout order, that a choice would leave alone.
//
// Only regular and premium seats count, as what is left and as its company: a
// wheelchair, companion or standing place and a loveseat are never stranded,
// and beside one of them a single seat is as alone as beside an aisle. A seat
// is alone when it is free and neither seat touching it in its row is free. It
// is stranded by a choice when it is alone after it and was not before. So a
// seat that was alone already may stay so, and it never matters what lies
// across an aisle or in another row.
//
// free tells the seats that are free before the choice.
func Stranded(l *Layout, free func(i int) bool, chosen []int) []int {
	gone := slices.Clone(chosen)
	slices.Sort(gone)
	before := func(i int) bool { return l.seats[i].Type.single() && free(i) }
	after := func(i int) bool {
		_, taken := slices.BinarySearch(gone, i)
		return !taken && before(i)
	}
	var stranded []int
	for _, c := range gone {
		for _, i := range [2]int{c - 1, c + 1} {
			if l.touch(i, c) && after(i) && l.alone(i, after) && !l.alone(i, before) {
				stranded = append(stranded, i)
			}
		}
	}
	slices.Sort(stranded)
	return slices.Compact(stranded)
}

func (l *Layout) alone(i int, open func(int) bool) bool {
	return !(l.touch(i, i-1) && open(i-1)) && !(l.touch(i, i+1) && open(i+1))
}

// touch reports that i and j = i±1 are neighbours without an aisle between.
func (l *Layout) touch(i, j int) bool {
	k := max(i, j)
	return min(i, j) >= 0 && k < len(l.beside) && l.beside[k]
}

// SingleGap is the house rule against single gaps: it names the seats that a
// choice would strand, or nothing when the choice is allowed.
//
// The rule gives way where nobody could do better: when no other choice of the
// same size strands nothing. The size is the number of regular and premium
// seats chosen; the other choices are all runs of so many free seats in one
// row with at most aisles between, of types that occur in the choice, anywhere
// in the hall.
func SingleGap(l *Layout, free func(i int) bool, chosen []int) []SeatID {
	stranded := Stranded(l, free, chosen)
	if len(stranded) == 0 || !hasTidyChoice(l, free, chosen) {
		return nil
	}
	return l.IDs(stranded)
}

func hasTidyChoice(l *Layout, free func(int) bool, chosen []int) bool {
	size := 0
	occurs := make(map[SeatType]bool)
	for _, i := range chosen {
		if t := l.seats[i].Type; t.single() {
			occurs[t] = true
			size++
		}
	}
	if size == 0 {
		return false
	}
	s := newSearch(l, free, Want{Count: size}, func(t SeatType) bool { return occurs[t] })
	tidy := false
	s.acrossAisles(func(c candidate) { tidy = tidy || s.strays(c) == 0 })
	return tidy
}

// strandedBy counts the seats that taking the run first..last leaves alone.
func (s *search) strandedBy(first, last int) int {
	n := 0
	if s.leftAlone(first, -1) {
		n++
	}
	if s.leftAlone(last, 1) {
		n++
	}
	return n
}

// leftAlone reports that the neighbour of a run's end, on the outer side, had
// company only in that end.
func (s *search) leftAlone(end, side int) bool {
	i := end + side
	open := func(a, b int) bool { return s.l.touch(a, b) && s.state[b]&opening != 0 }
	return s.state[end]&opening != 0 && open(end, i) && !open(i, i+side)
}

// SplitPairs names the other halves that are missing from a choice of
// loveseats, in layout order: they are sold together.
func SplitPairs(l *Layout, chosen []int) []SeatID {
	var missing []int
	for _, i := range chosen {
		if p := l.seats[i].Partner; p >= 0 && !slices.Contains(chosen, p) {
			missing = append(missing, p)
		}
	}
	slices.Sort(missing)
	return l.IDs(slices.Compact(missing))
}
