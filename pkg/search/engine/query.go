package engine

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"

	"github.com/fairseat/fairseat/pkg/search"
)

// Search answers q at now: what has started or was cancelled is not in it.
func (ix *Index) Search(q search.Query, now time.Time) (search.Answer, error) {
	a := search.Answer{Items: []search.Found{}, Suggestions: []string{}}
	s, err := ix.prepare(q, now)
	if err != nil {
		return a, err
	}
	after, err := s.after()
	if err != nil {
		return a, err
	}
	page := s.run(after)
	for _, i := range page[:min(len(page), q.Limit)] {
		a.Items = append(a.Items, ix.found(i))
	}
	if len(page) > q.Limit {
		a.Next = s.cursor(page[q.Limit-1])
	}
	a.Facets = s.counts
	if q.Spell && len(s.terms) > 0 {
		if a.Suggestions, err = ix.words.suggest(q.Keyword, s.terms); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (ix *Index) found(i int) search.Found {
	show := ix.shows[i]
	f := search.Found{Film: ix.films[ix.film[i]], Show: *show, Statuses: make(map[seatmap.SeatType]seatmap.Availability, len(show.Prices))}
	for _, p := range show.Prices {
		f.Statuses[p.Type] = ix.status(i, p.Type)
	}
	return f
}

// run is a question on its way: what was asked, turned into columns.
type run struct {
	ix    *Index
	q     search.Query
	from  int // ranks
	to    int
	terms []term

	films   []bool  // in which the keyword stands; nil for all
	genres  []bool  // films of the genre
	tongues []bool  // films of the language
	cinemas []bool  // in the place asked for; nil for all
	formats []bool  // by hall
	priced  []bool  // by list of prices
	access  []bool  // by list of prices: a type of place is there
	far     []int32 // by cinema, metres; nil where no distance is asked for
	counts  search.Facets
}

func (ix *Index) prepare(q search.Query, now time.Time) (*run, error) {
	s := &run{ix: ix, q: q, from: ix.coming(now), to: len(ix.shows)}
	if q.City != "" {
		if _, ok := ix.cities[q.City]; !ok {
			return nil, catalog.ErrNoCity
		}
	}
	if !q.From.IsZero() {
		s.from = max(s.from, ix.coming(q.From.Add(-time.Millisecond)))
	}
	if !q.To.IsZero() {
		s.to = ix.coming(q.To)
	}
	if err := s.judgeFilms(); err != nil {
		return nil, err
	}
	if err := s.judgePlaces(); err != nil {
		return nil, err
	}
	s.judgeLists()
	if q.Facets {
		s.counts = newFacets()
	}
	return s, nil
}

func judge[T any](all []T, wanted bool, holds func(T) bool) []bool {
	if !wanted {
		return nil
	}
	judged := make([]bool, len(all))
	for i, v := range all {
		judged[i] = holds(v)
	}
	return judged
}

func (s *run) judgeFilms() (err error) {
	ix, q := s.ix, s.q
	s.tongues = judge(ix.films, q.Language != "", func(f catalog.Movie) bool { return folded(f.Language) == folded(q.Language) })
	s.genres = judge(ix.films, q.Genre != "", func(f catalog.Movie) bool {
		return slices.ContainsFunc(f.Genres, func(g string) bool { return folded(g) == folded(q.Genre) })
	})
	if q.Keyword == "" {
		return nil
	}
	s.films = make([]bool, len(ix.films))
	if ix.words == nil {
		return nil
	}
	if s.terms, err = ix.words.terms(q.Keyword); err != nil {
		return err
	}
	s.films, err = ix.words.find(s.terms)
	return err
}

func (s *run) judgePlaces() error {
	ix, q := s.ix, s.q
	centre := q.Near
	asked := postal(q.Postal)
	s.cinemas = judge(ix.cinemas, q.City != "" || q.Postal != "", func(p place) bool {
		return (q.City == "" || p.city == q.City) && (q.Postal == "" || inPostal(p.postal, asked))
	})
	if centre == nil && q.Order.By == search.ByDistance {
		if centre = s.middle(); centre == nil {
			return search.ErrNoPlace
		}
	}
	if centre == nil {
		return nil
	}
	s.far = make([]int32, len(ix.cinemas))
	for i, p := range ix.cinemas {
		s.far[i] = metres(*centre, search.Point{Lat: p.Lat, Lon: p.Lon})
	}
	if q.Near != nil && q.Metres > 0 {
		near := judge(s.far, true, func(m int32) bool { return m <= q.Metres })
		for i := range near {
			near[i] = near[i] && (s.cinemas == nil || s.cinemas[i])
		}
		s.cinemas = near
	}
	return nil
}

// middle is from where distances count when no point is given: the city's, or the
// middle of the cinemas with the postal code. A postal code that no cinema has
// leads to no show, so it does not matter where it is.
func (s *run) middle() *search.Point {
	if c, ok := s.ix.cities[s.q.City]; ok {
		return &search.Point{Lat: c.Lat, Lon: c.Lon}
	}
	if s.q.Postal == "" {
		return nil
	}
	var sum search.Point
	n := 0.0
	for i, p := range s.ix.cinemas {
		if s.cinemas[i] {
			sum.Lat, sum.Lon, n = sum.Lat+p.Lat, sum.Lon+p.Lon, n+1
		}
	}
	return &search.Point{Lat: sum.Lat / max(n, 1), Lon: sum.Lon / max(n, 1)}
}

func (s *run) judgeLists() {
	ix, q := s.ix, s.q
	s.formats = judge(ix.layouts, q.Format != "", func(h search.Hall) bool { return folded(h.Format) == folded(q.Format) })
	s.access = judge(ix.listings, q.Place != "", func(l []catalog.Price) bool { return offers(l, q.Place) })
	s.priced = judge(ix.listings, q.Price != nil, func(l []catalog.Price) bool {
		return slices.ContainsFunc(l, func(p catalog.Price) bool {
			return p.Amount.Currency == q.Price.Currency && p.Amount.Minor >= q.Price.Min && p.Amount.Minor <= q.Price.Max
		})
	})
}

func offers(l []catalog.Price, typ seatmap.SeatType) bool {
	return slices.ContainsFunc(l, func(p catalog.Price) bool { return p.Type == typ })
}

func in(judged []bool, i int32) bool { return judged == nil || judged[i] }

// run goes through the shows in the window and keeps the first that come behind
// after, one more than the page holds.
func (s *run) run(after *position) []int {
	best := top{most: s.q.Limit + 1, compare: func(a, b int) int { return s.compare(s.position(a), s.position(b)) }}
	if s.q.Facets || s.q.Order.By == search.ByDistance {
		for i := s.from; i < s.to; i++ {
			if s.suits(i) && s.counted(i) && (after == nil || s.compare(s.position(i), *after) > 0) {
				best.add(i)
			}
		}
		return best.sorted()
	}
	at, n := s.walk(after)
	for k := 0; k < n && len(best.kept) < best.most; k++ {
		if i := at(k); i >= s.from && i < s.to && s.suits(i) && s.counted(i) {
			best.kept = append(best.kept, i)
		}
	}
	return best.kept
}

// suits is what needs no facet: the show can be bought, and is of what was asked for.
func (s *run) suits(i int) bool {
	ix, q := s.ix, s.q
	film := ix.film[i]
	return film >= 0 && ix.shows[i].OnSale && in(s.films, film) && in(s.cinemas, ix.cinema[i]) && in(s.priced, ix.prices[i]) &&
		(q.Together == 0 || ix.together(i) >= q.Together)
}

// top keeps the first few in order. It sorts when it has four times as many.
type top struct {
	most    int
	compare func(a, b int) int
	kept    []int
}

func (t *top) add(i int) {
	if t.kept = append(t.kept, i); len(t.kept) >= 4*t.most {
		t.sorted()
	}
}

func (t *top) sorted() []int {
	slices.SortFunc(t.kept, t.compare)
	t.kept = t.kept[:min(t.most, len(t.kept))]
	return t.kept
}
