package seatmap

import "slices"

// alonePenalty, hundredths of a pitch, makes a place whose companion place is
// gone the first choice for who comes alone.
const alonePenalty = 400

// bestWheelchair is Best for wheelchair places. There are few in any hall, so
// every place is tried as the anchor.
func bestWheelchair(l *Layout, free func(int) bool, want Want) ([]int, bool) {
	s := newSearch(l, free, want, func(t SeatType) bool { return t == Wheelchair })
	var places []int
	for i, st := range s.state {
		if st&usable != 0 {
			places = append(places, i)
		}
	}
	mate := s.companions(free)
	c, ok := s.choose(func(yield func(candidate)) {
		for _, i := range places {
			if seats := s.escorted(i, places, mate); seats != nil {
				yield(candidate{first: i, score: s.escortScore(i, seats, mate)})
			}
		}
	})
	if !ok {
		return nil, false
	}
	return s.escorted(c.first, places, mate), true
}

// companions gives free wheelchair places a free companion place beside them.
// Matching neighbours from the left makes as many twos as there can be.
func (s *search) companions(free func(int) bool) map[int]int {
	l := s.l
	mate := make(map[int]int)
	given := -1 // the last seat that is in a two
	for i := 1; i < len(l.seats); i++ {
		if given == i-1 || !l.beside[i] {
			continue
		}
		w, c := i-1, i
		if l.seats[i].Type == Wheelchair {
			w, c = i, i-1
		}
		if s.state[w]&usable != 0 && l.seats[c].Type == Companion && free(c) {
			mate[w] = c
			given = i
		}
	}
	return mate
}

// escorted is the party round the place anchor, or nil: the nearest twos and,
// for an odd party, the nearest place alone, rather one without companion place.
func (s *search) escorted(anchor int, places []int, mate map[int]int) []int {
	twos, ones := s.want.Count/2, s.want.Count%2
	paired, alone := nearest{max: twos + ones}, nearest{max: ones}
	_, accompanied := mate[anchor]
	if !accompanied && ones == 0 {
		return nil
	}
	for _, i := range places {
		if _, ok := mate[i]; ok {
			paired.add(i, s.l.apart(anchor, i))
		} else {
			alone.add(i, s.l.apart(anchor, i))
		}
	}
	if len(paired.seats) < twos {
		return nil
	}
	if twos == 0 {
		return []int{anchor}
	}
	var seats []int
	for range twos {
		i := paired.pop()
		seats = append(seats, i, mate[i])
	}
	switch {
	case ones == 0:
	case len(alone.seats) > 0 && (len(paired.seats) == 0 || alone.far[0] <= paired.far[0]+alonePenalty):
		seats = append(seats, alone.pop())
	case len(paired.seats) > 0:
		seats = append(seats, paired.pop())
	default:
		return nil
	}
	slices.Sort(seats)
	return seats
}

func (s *search) escortScore(anchor int, seats []int, mate map[int]int) int {
	score := s.closeness(anchor, seats)
	if _, accompanied := mate[anchor]; accompanied && s.want.Count == 1 {
		score += alonePenalty
	}
	return score
}
