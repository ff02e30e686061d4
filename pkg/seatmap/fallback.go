package seatmap

import (
	"math"
	"slices"
)

// maxAnchors bounds step 4: where more seats than that are free and yet no two
// rows take the party, the nearest to the best point are tried as anchors.
const maxAnchors = 32

// adjacentRows is step 3.
func (s *search) adjacentRows(yield func(candidate)) {
	n := s.want.Count
	least := 1
	if n >= 4 {
		least = 2
	}
	var front, back []candidate
	for k := 1; k < len(s.l.rows); k++ {
		a, b := s.l.rows[k-1], s.l.rows[k]
		if a.section != b.section {
			continue
		}
		for part := max(least, n-(b.end-b.first)); part <= min(n-least, a.end-a.first); part++ {
			front, back = front[:0], back[:0]
			s.windows(a, part, false, func(c candidate) { front = append(front, c) })
			if len(front) == 0 {
				continue // a longer part may fit: a loveseat takes no single
			}
			s.windows(b, n-part, false, func(c candidate) { back = append(back, c) })
			s.overlaps(front, back, yield)
		}
	}
}

// overlaps yields the twos of runs that lie behind one another. Both lists run
// from left to right.
func (s *search) overlaps(front, back []candidate, yield func(candidate)) {
	col := s.l.column
	from := 0
	for _, a := range front {
		left, right := col[a.first], col[a.first+a.n-1]
		for from < len(back) && col[back[from].first+back[from].n-1] < left {
			from++
		}
		for _, b := range back[from:] {
			bl, br := col[b.first], col[b.first+b.n-1]
			if bl > right {
				break
			}
			askew := int(left+right) - int(bl+br)
			yield(candidate{
				first: a.first, n: a.n, second: b.first, m: b.n,
				score: a.score + b.score + 100*max(askew, -askew),
			})
		}
	}
}

// clusters is step 4: it yields an anchor for each cluster. They are few and
// dear, so they are remembered for the second run.
func (s *search) clusters(yield func(candidate)) {
	if s.found == nil {
		for _, anchor := range s.anchors() {
			if seats := s.cluster(anchor); seats != nil {
				s.found = append(s.found, candidate{first: anchor, score: s.closeness(anchor, seats)})
			}
		}
	}
	for _, c := range s.found {
		yield(c)
	}
}

func (s *search) closeness(anchor int, seats []int) int {
	score := 0
	for _, i := range seats {
		score += int(s.l.merit[i]) + 2*s.l.apart(anchor, i)
	}
	return score
}

// anchors are the usable seats with the best merit, loveseats by their left
// half.
func (s *search) anchors() []int {
	near := nearest{max: maxAnchors}
	for i, st := range s.state {
		if st&usable != 0 && s.unit(i) > 0 {
			near.add(i, int(s.l.merit[i]))
		}
	}
	return near.seats
}

// unit is how many seats are taken with seat i: 1, 2 for the left half of a
// free loveseat, 0 for a right half and for a half that is left over.
func (s *search) unit(i int) int {
	p := s.l.seats[i].Partner
	switch {
	case p < 0:
		return 1
	case p > i && s.state[p]&usable != 0:
		return 2
	}
	return 0
}

// cluster is the party round an anchor, in layout order, or nil where the
// anchor cannot be part of any. Seats are added from the nearest, each only if
// the rest of the party can still be made up.
func (s *search) cluster(anchor int) []int {
	n := s.want.Count
	ones, twos := nearest{max: n}, nearest{max: (n + 1) / 2}
	for i, st := range s.state {
		if st&usable == 0 || i == anchor {
			continue
		}
		switch s.unit(i) {
		case 1:
			ones.add(i, s.l.apart(anchor, i))
		case 2:
			twos.add(i, s.l.apart(anchor, i))
		}
	}
	seats := s.take(nil, anchor)
	n -= len(seats)
	if !fits(n, len(ones.seats), len(twos.seats)) {
		return nil
	}
	for n > 0 {
		a, b := len(ones.seats), len(twos.seats)
		one := a > 0 && fits(n-1, a-1, b)
		two := b > 0 && fits(n-2, a, b-1)
		if one && (!two || ones.far[0] <= twos.far[0]) {
			seats = s.take(seats, ones.pop())
			n--
		} else {
			seats = s.take(seats, twos.pop())
			n -= 2
		}
	}
	slices.Sort(seats)
	return seats
}

func (s *search) take(seats []int, i int) []int {
	seats = append(seats, i)
	if p := s.l.seats[i].Partner; p >= 0 {
		seats = append(seats, p)
	}
	return seats
}

// fits reports that n seats can be made of the given single seats and twos.
func fits(n, ones, twos int) bool {
	if n < 0 {
		return false
	}
	use := min(n, ones)
	use -= (n - use) % 2
	return use >= 0 && (n-use)/2 <= twos
}

// apart is the distance of two seats, hundredths of a pitch.
func (l *Layout) apart(i, j int) int {
	a, b := &l.seats[i], &l.seats[j]
	return int(math.Round(100 * math.Hypot(a.X-b.X, a.Y-b.Y)))
}

// nearest keeps the few seats with the least distance, nearest first; of equal
// ones that which came first.
type nearest struct {
	max   int
	seats []int
	far   []int
}

func (k *nearest) add(i, far int) {
	if len(k.seats) == k.max {
		if k.max == 0 || far >= k.far[k.max-1] {
			return
		}
		k.seats, k.far = k.seats[:k.max-1], k.far[:k.max-1]
	}
	at := len(k.far)
	for at > 0 && k.far[at-1] > far {
		at--
	}
	k.seats, k.far = slices.Insert(k.seats, at, i), slices.Insert(k.far, at, far)
}

func (k *nearest) pop() int {
	i := k.seats[0]
	k.seats, k.far = k.seats[1:], k.far[1:]
	return i
}
