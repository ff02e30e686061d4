package engine

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/seatmap"

	"github.com/fairseat/fairseat/pkg/search"
)

// Index answers questions. It never changes and may be asked by many at once.
type Index struct {
	films  []catalog.Movie // by id
	words  *words
	cities map[catalog.CityID]catalog.City
	halls  map[catalog.LayoutID]search.Hall
	shows  []*search.Show // by start, then id: an index into it is a rank in order of date
	stock  map[catalog.ShowID]*search.Stock

	// Of each show, in the order of shows.
	starts []int64 // milliseconds since 1970
	film   []int32
	cinema []int32
	hall   []int32
	prices []int32
	left   []*search.Stock // nil while nobody has touched the show

	// What shows share, once.
	cinemas   []place
	layouts   []search.Hall
	listings  [][]catalog.Price
	titles    []string // of all films, folded, in order, each once
	titleRank []int32  // of each film: twice the place in titles

	ranks *ranks // shared as long as the shows and films are the same
}

// place is a cinema and its city.
type place struct {
	catalog.Cinema
	city   catalog.CityID
	postal string // as it is compared
}

// Empty is the index of nothing.
func Empty() *Index { return &Index{ranks: new(ranks)} }

// With is the index after the news. What they do not concern is shared with ix.
func (ix *Index) With(n shelf.News) (*Index, error) {
	base := ix
	if n.Whole {
		base = Empty()
	}
	next := *base
	touched := sorted(n.Rows)
	next.stock = touched.stock(base.stock)
	if touched.only(search.OfStock) && !n.Whole {
		next.left = slices.Clone(base.left)
		for i, show := range next.shows {
			if r, ok := n.Rows[search.Key{Kind: search.OfStock, ID: string(show.ID)}]; ok {
				next.left[i] = r.Stock
			}
		}
		return &next, nil
	}
	next.cities, next.halls = touched.cities(base.cities), touched.halls(base.halls)
	if err := next.setFilms(touched.films(base.films), base, touched.has(search.OfFilm)); err != nil {
		return nil, err
	}
	next.setShows(touched.shows(base.shows))
	next.ranks = new(ranks)
	return &next, nil
}

// sorted is a batch of rows with a look at what is in it.
type sorted search.Rows

func (s sorted) has(kind search.Kind) bool {
	for k := range s {
		if k.Kind == kind {
			return true
		}
	}
	return false
}

func (s sorted) only(kind search.Kind) bool {
	for k := range s {
		if k.Kind != kind {
			return false
		}
	}
	return true
}

// lay copies a map with the rows of a kind over it; a row without a value removes.
func lay[ID ~string, V any](s sorted, kind search.Kind, base map[ID]V, of func(search.Row) (V, bool)) map[ID]V {
	if !s.has(kind) && base != nil {
		return base
	}
	all := make(map[ID]V, len(base))
	maps.Copy(all, base)
	for k, r := range s {
		if k.Kind != kind {
			continue
		}
		if v, ok := of(r); ok {
			all[ID(k.ID)] = v
		} else {
			delete(all, ID(k.ID))
		}
	}
	return all
}

func (s sorted) stock(base map[catalog.ShowID]*search.Stock) map[catalog.ShowID]*search.Stock {
	return lay(s, search.OfStock, base, func(r search.Row) (*search.Stock, bool) { return r.Stock, r.Stock != nil })
}

func (s sorted) cities(base map[catalog.CityID]catalog.City) map[catalog.CityID]catalog.City {
	return lay(s, search.OfCity, base, func(r search.Row) (c catalog.City, ok bool) {
		if r.City == nil {
			return c, false
		}
		return *r.City, true
	})
}

func (s sorted) halls(base map[catalog.LayoutID]search.Hall) map[catalog.LayoutID]search.Hall {
	return lay(s, search.OfHall, base, func(r search.Row) (h search.Hall, ok bool) {
		if r.Hall == nil {
			return h, false
		}
		return *r.Hall, true
	})
}

func (s sorted) films(base []catalog.Movie) []catalog.Movie {
	by := map[catalog.MovieID]*catalog.Movie{}
	for i := range base {
		by[base[i].ID] = &base[i]
	}
	by = lay(s, search.OfFilm, by, func(r search.Row) (*catalog.Movie, bool) { return r.Film, r.Film != nil })
	all := make([]catalog.Movie, 0, len(by))
	for _, id := range slices.Sorted(maps.Keys(by)) {
		all = append(all, *by[id])
	}
	return all
}

// shows in order of date; those of the batch take the place of what they were.
func (s sorted) shows(base []*search.Show) []*search.Show {
	all := make([]*search.Show, 0, len(base)+len(s))
	for _, show := range base {
		if _, changed := s[search.Key{Kind: search.OfShow, ID: string(show.ID)}]; !changed {
			all = append(all, show)
		}
	}
	for _, r := range s {
		if r.Show != nil {
			all = append(all, r.Show)
		}
	}
	slices.SortFunc(all, func(a, b *search.Show) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (ix *Index) setFilms(films []catalog.Movie, base *Index, changed bool) (err error) {
	if !changed && base.words != nil {
		return nil
	}
	ix.films = films
	if ix.words, err = newWords(films); err != nil {
		return err
	}
	ix.titles = nil
	for _, f := range films {
		ix.titles = append(ix.titles, folded(f.Title))
	}
	slices.Sort(ix.titles)
	ix.titles = slices.Compact(ix.titles)
	ix.titleRank = make([]int32, len(films))
	for i, f := range films {
		ix.titleRank[i] = ix.rankOf(folded(f.Title))
	}
	return nil
}

// folded is a title as titles are compared: without case.
func folded(title string) string { return strings.ToLower(title) }

// rankOf is twice the place of a title among all, or the odd number between its
// neighbours' where there is none.
func (ix *Index) rankOf(title string) int32 {
	i, found := slices.BinarySearch(ix.titles, title)
	if found {
		return int32(2 * i)
	}
	return int32(2*i - 1)
}

// numbers gives each different thing a number, in order of coming.
type numbers[K comparable] map[K]int32

func (n numbers[K]) of(k K) (i int32, fresh bool) {
	i, ok := n[k]
	if !ok {
		i = int32(len(n))
		n[k] = i
	}
	return i, !ok
}

// setShows makes the columns. A show whose film is not there yet is left out of
// them: the film's row is on its way.
func (ix *Index) setShows(shows []*search.Show) {
	films := map[catalog.MovieID]int32{}
	for i, f := range ix.films {
		films[f.ID] = int32(i)
	}
	ix.shows = shows
	n := len(shows)
	ix.starts, ix.left = make([]int64, n), make([]*search.Stock, n)
	ix.film, ix.cinema, ix.hall, ix.prices = make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	ix.cinemas, ix.layouts, ix.listings = nil, nil, nil
	type spot struct {
		catalog.Cinema
		city catalog.CityID
	}
	cinemas, halls, prices := numbers[spot]{}, numbers[catalog.LayoutID]{}, numbers[string]{}
	seen := map[*catalog.Price]int32{} // most shows share their slice of prices with others
	for i, s := range shows {
		ix.starts[i], ix.left[i] = s.StartsAt.UnixMilli(), ix.stock[s.ID]
		film, known := films[s.Movie]
		if ix.film[i] = film; !known {
			ix.film[i] = -1
		}
		var fresh bool
		if ix.cinema[i], fresh = cinemas.of(spot{s.Cinema, s.City}); fresh {
			ix.cinemas = append(ix.cinemas, place{s.Cinema, s.City, postal(s.Cinema.PostalCode)})
		}
		if ix.hall[i], fresh = halls.of(s.Layout); fresh {
			ix.layouts = append(ix.layouts, ix.hallOf(s.Layout))
		}
		ix.prices[i] = ix.priced(prices, seen, s.Prices)
	}
}

func (ix *Index) hallOf(id catalog.LayoutID) search.Hall {
	if h, ok := ix.halls[id]; ok {
		return h
	}
	return search.Hall{ID: id}
}

func (ix *Index) priced(prices numbers[string], seen map[*catalog.Price]int32, list []catalog.Price) int32 {
	if len(list) > 0 {
		if n, ok := seen[&list[0]]; ok {
			return n
		}
	}
	n, fresh := prices.of(textOf(list))
	if fresh {
		ix.listings = append(ix.listings, list)
	}
	if len(list) > 0 {
		seen[&list[0]] = n
	}
	return n
}

func textOf(list []catalog.Price) string {
	var b strings.Builder
	for _, p := range list {
		b.WriteString(string(p.Type) + " " + p.Amount.String() + ";")
	}
	return b.String()
}

// Len is how many shows there are.
func (ix *Index) Len() int { return len(ix.shows) }

// coming is the rank of the first show that starts after now.
func (ix *Index) coming(now time.Time) int {
	ms := now.UnixMilli()
	return sort.Search(len(ix.starts), func(i int) bool { return ix.starts[i] > ms })
}

// Status of a type of seat in the show of a rank; what nobody has touched is available.
func (ix *Index) status(i int, typ seatmap.SeatType) seatmap.Availability {
	if s := ix.left[i]; s != nil {
		if a, ok := s.Statuses[typ]; ok {
			return a
		}
	}
	return seatmap.Available
}

// together is the longest run of free seats in the show of a rank.
func (ix *Index) together(i int) int {
	if s := ix.left[i]; s != nil && s.Together >= 0 {
		return s.Together
	}
	return ix.layouts[ix.hall[i]].Together
}
