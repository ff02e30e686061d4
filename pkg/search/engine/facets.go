package engine

import (
	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

func newFacets() search.Facets {
	return search.Facets{Language: map[string]int{}, Genre: map[string]int{}, Format: map[string]int{}, Accessibility: map[string]int{}}
}

// counted judges a show by what facets are about, and counts it where asked.
func (s *run) counted(i int) bool {
	ix := s.ix
	film, hall, list := ix.film[i], ix.hall[i], ix.prices[i]
	fails := [4]bool{!in(s.tongues, film), !in(s.genres, film), !in(s.formats, hall), !in(s.access, list)}
	failed := 0
	for _, f := range fails {
		if f {
			failed++
		}
	}
	if s.q.Facets && failed <= 1 {
		s.count(fails, failed == 0, i)
	}
	return failed == 0
}

func (s *run) count(fails [4]bool, whole bool, i int) {
	ix := s.ix
	film, list := &ix.films[ix.film[i]], ix.listings[ix.prices[i]]
	if f := film.Language; f != "" && (whole || fails[0]) {
		s.counts.Language[f]++
	}
	if whole || fails[1] {
		for _, g := range film.Genres {
			s.counts.Genre[g]++
		}
	}
	if f := ix.layouts[ix.hall[i]].Format; f != "" && (whole || fails[2]) {
		s.counts.Format[f]++
	}
	if whole || fails[3] {
		for _, typ := range []seatmap.SeatType{seatmap.Wheelchair, seatmap.Companion} {
			if offers(list, typ) {
				s.counts.Accessibility[string(typ)]++
			}
		}
	}
}
