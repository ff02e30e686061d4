package engine

import (
	"cmp"
	"slices"
	"sort"
	"sync"

	"github.com/fairseat/fairseat/pkg/search"
)

// ranks are the shows in the orders that begin with something else than the date,
// each made when it is first asked for: most indexes are renewed before somebody asks.
type ranks struct {
	made            [2]sync.Once
	byName, byStart []int32
}

// ranked is the shows by title, start and id, or by start, title and id. Shows of no
// known film are not among them.
func (ix *Index) ranked(by search.By) []int32 {
	r := ix.ranks
	if by == search.ByName {
		r.made[0].Do(func() {
			r.byName = ix.rank(func(a, b int32) int {
				return cmp.Or(cmp.Compare(ix.titleRank[ix.film[a]], ix.titleRank[ix.film[b]]), cmp.Compare(a, b))
			})
		})
		return r.byName
	}
	r.made[1].Do(func() {
		r.byStart = ix.rank(func(a, b int32) int {
			return cmp.Or(cmp.Compare(ix.starts[a], ix.starts[b]),
				cmp.Compare(ix.titleRank[ix.film[a]], ix.titleRank[ix.film[b]]), cmp.Compare(a, b))
		})
	})
	return r.byStart
}

func (ix *Index) rank(compare func(a, b int32) int) []int32 {
	all := make([]int32, 0, len(ix.shows))
	for i, film := range ix.film {
		if film >= 0 {
			all = append(all, int32(i))
		}
	}
	slices.SortFunc(all, compare)
	return all
}

// walk is the shows in the order that is asked for, from behind after, so that the
// first that will do are the answer. A distance is no show's own: there is no such order.
func (s *run) walk(after *position) (at func(k int) int, n int) {
	n = len(s.ix.shows)
	at = func(k int) int { return k }
	if by := s.q.Order.By; by == search.ByName || by == search.ByDateName {
		all := s.ix.ranked(by)
		n, at = len(all), func(k int) int { return int(all[k]) }
	}
	if s.q.Order.Descending {
		up, last := at, n-1
		at = func(k int) int { return up(last - k) }
	}
	if after == nil {
		return at, n
	}
	skip := sort.Search(n, func(k int) bool { return s.compare(s.position(at(k)), *after) > 0 })
	all := at
	return func(k int) int { return all(skip + k) }, n - skip
}
