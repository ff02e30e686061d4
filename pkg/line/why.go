package line

import (
	"slices"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Because is why somebody still waits: the first who stands in the way, himself
// included, how many seats that party needs, and how many of its types are set
// aside for nobody yet. "The party ahead needs 4, 2 are set aside."
type Because struct {
	Number int64 // of the party in the way
	Needs  int
	Aside  int
}

// Why reads it from the head of the line as far as that was read; nil where that
// does not tell. Under the bounded rule a party that may still be passed is not in
// the way.
func Why(s State, w Waiter, p Policy) *Because {
	waiting := slices.DeleteFunc(slices.Clone(s.Waiters), func(v Waiter) bool { return v.State != Waiting || v.Number > w.Number })
	slices.SortFunc(waiting, func(a, b Waiter) int { return int(a.Number - b.Number) })
	for _, v := range waiting {
		if s.More && v.Number > s.Through {
			return nil
		}
		passable := p.Rule == Bounded && v.Passed < p.Passes
		if v.ID == w.ID || meet(v.Types, w.Types) && !passable {
			return &Because{Number: v.Number, Needs: v.Party, Aside: s.open(v.Types)}
		}
	}
	return nil
}

// open counts what is set aside of the types for nobody.
func (s State) open(types []seatmap.SeatType) (n int) {
	for _, a := range s.Pool {
		if a.For == "" && slices.Contains(types, a.Type) {
			n++
		}
	}
	return n
}

// Fit names the best block of the types for a party among the seats that are free.
func Fit(l *seatmap.Layout, free func(i int) bool, party int, types []seatmap.SeatType) ([]int, bool) {
	return choose(l, free, party, types)
}
