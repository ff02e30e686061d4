package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// How long an answer may be repeated from memory, and how many are kept. What an
// organiser's change of a show may alter is kept for two seconds: with the two that
// an edge may keep it ([Store] reads are a second old at most) a change is seen by
// everybody within five. A layout never changes.
const (
	citiesTTL = time.Minute
	moviesTTL = showsTTL
	showsTTL  = Remembered

	maxCities   = 1000
	maxMovies   = 1000
	maxListings = 500
	maxShows    = 2000
	maxLayouts  = 32
)

// Remembered is how long a reader may repeat what a change of a show alters.
const Remembered = 2 * time.Second

// ErrDate refuses a date that is not of the form 2006-01-02 or is none.
var ErrDate = fault.New(fault.Invalid, "bad_request", "catalog: not a date")

// Reader answers from a Store and remembers the answers for a short while. It is
// safe for concurrent use. What it returns is shared: do not alter slices in it.
type Reader struct {
	store Store
	now   func() time.Time

	cities  *cache[[]City]
	city    *cache[City]
	nowOn   *cache[[]NowShowing]
	movie   *cache[Movie]
	times   *cache[[]Show]
	show    *cache[Show]
	layouts *cache[*seatmap.Layout]
}

// NewReader reads from s; now is the clock, in UTC.
func NewReader(s Store, now func() time.Time) *Reader {
	return &Reader{
		store:   s,
		now:     now,
		cities:  newCache[[]City](now, citiesTTL, 1),
		city:    newCache[City](now, citiesTTL, maxCities),
		nowOn:   newCache[[]NowShowing](now, moviesTTL, maxListings),
		movie:   newCache[Movie](now, citiesTTL, maxMovies),
		times:   newCache[[]Show](now, showsTTL, maxListings),
		show:    newCache[Show](now, showsTTL, maxShows),
		layouts: newCache[*seatmap.Layout](now, 0, maxLayouts),
	}
}

// Cities lists the cities whose name matches what was typed, by name (A1).
func (r *Reader) Cities(ctx context.Context, typed string, p Page) (Listing[City], error) {
	all, err := r.cities.get(ctx, "", r.sortedCities)
	if err != nil {
		return Listing[City]{}, fmt.Errorf("catalog: cities: %w", err)
	}
	match := filter(all, func(c City) bool { return c.Matches(typed) })
	return pageOf("cities\x00"+typed, match, cityOrder, p)
}

func (r *Reader) sortedCities(ctx context.Context) ([]City, error) {
	all, err := r.store.Cities(ctx)
	sortBy(all, cityOrder)
	return all, err
}

func cityOrder(c City) string { return strings.TrimSpace(words(c.Name)) + "\x00" + string(c.ID) }

// City is one city, or [ErrNoCity].
func (r *Reader) City(ctx context.Context, id CityID) (City, error) {
	return r.city.get(ctx, string(id), func(ctx context.Context) (City, error) { return r.store.City(ctx, id) })
}

// MoviesIn lists the films that have a show in the city still to come, by title (A2).
func (r *Reader) MoviesIn(ctx context.Context, city CityID, p Page) (Listing[NowShowing], error) {
	all, err := r.nowOn.get(ctx, string(city), func(ctx context.Context) ([]NowShowing, error) {
		ms, err := r.store.MoviesIn(ctx, city)
		sortBy(ms, movieOrder)
		return ms, err
	})
	if err == nil && len(all) == 0 { // else the city is there: no read is needed to know it
		_, err = r.City(ctx, city)
	}
	if err != nil {
		return Listing[NowShowing]{}, fmt.Errorf("catalog: movies in %s: %w", city, err)
	}
	now := r.now()
	coming := filter(all, func(m NowShowing) bool { return m.LastStart.After(now) })
	return pageOf("movies\x00"+string(city), coming, movieOrder, p)
}

func movieOrder(m NowShowing) string { return m.Title + "\x00" + string(m.ID) }

// Movie is one film, or [ErrNoMovie].
func (r *Reader) Movie(ctx context.Context, id MovieID) (Movie, error) {
	return r.movie.get(ctx, string(id), func(ctx context.Context) (Movie, error) { return r.store.Movie(ctx, id) })
}

// Showtimes asks for the coming shows of a film in a city. Date is 2006-01-02
// where the cinema is; "" means all coming days.
type Showtimes struct {
	Movie MovieID
	City  CityID
	Date  string
}

func (q Showtimes) key() string {
	return string(q.Movie) + "\x00" + string(q.City) + "\x00" + q.Date
}

// CinemaShows are the shows of one cinema, earliest first.
type CinemaShows struct {
	Cinema Cinema
	Shows  []Show
}

// Showtimes lists the cinemas that show the film, by name, each with its shows
// still to come (A3). A page counts cinemas.
func (r *Reader) Showtimes(ctx context.Context, q Showtimes, p Page) (Listing[CinemaShows], error) {
	none := Listing[CinemaShows]{}
	from, before, err := q.span(r.now())
	if err != nil {
		return none, err
	}
	all, err := r.times.get(ctx, q.key(), func(ctx context.Context) ([]Show, error) {
		return r.store.Showtimes(ctx, q.Movie, q.City, from, before)
	})
	if err == nil && len(all) == 0 {
		err = r.known(ctx, q)
	}
	if err != nil {
		return none, fmt.Errorf("catalog: showtimes of %s in %s: %w", q.Movie, q.City, err)
	}
	now := r.now()
	coming := filter(all, func(s Show) bool { return s.Listed(now) && (q.Date == "" || s.LocalDate == q.Date) })
	return pageOf("showtimes\x00"+q.key(), byCinema(coming), cinemaOrder, p)
}

// No show is announced further ahead than this.
const horizon = 366 * 24 * time.Hour

// span is what to read: a local date lies within 14 hours before and 12 hours
// after the same date in UTC, whatever the zone.
func (q Showtimes) span(now time.Time) (from, before time.Time, err error) {
	from, before = now, now.Add(horizon)
	if q.Date == "" {
		return from, before, nil
	}
	day, err := time.Parse(time.DateOnly, q.Date)
	if err != nil {
		return from, before, ErrDate
	}
	if first := day.Add(-14 * time.Hour); first.After(from) {
		from = first
	}
	return from, day.Add((24 + 12) * time.Hour), nil
}

func (r *Reader) known(ctx context.Context, q Showtimes) error {
	if _, err := r.City(ctx, q.City); err != nil {
		return err
	}
	_, err := r.Movie(ctx, q.Movie)
	return err
}

func byCinema(shows []Show) []CinemaShows {
	at := map[CinemaID]int{}
	var list []CinemaShows
	for _, s := range shows {
		i, ok := at[s.Cinema.ID]
		if !ok {
			i = len(list)
			at[s.Cinema.ID] = i
			list = append(list, CinemaShows{Cinema: s.Cinema})
		}
		list[i].Shows = append(list[i].Shows, s)
	}
	sortBy(list, cinemaOrder)
	return list
}

func cinemaOrder(c CinemaShows) string { return c.Cinema.Name + "\x00" + string(c.Cinema.ID) }

// Show is one show, cancelled and past ones too, or [ErrNoShow].
func (r *Reader) Show(ctx context.Context, id ShowID) (Show, error) {
	if s, ok := r.show.kept(string(id)); ok {
		return s, nil // before anything is made for a read
	}
	return r.show.get(ctx, string(id), func(ctx context.Context) (Show, error) { return r.store.Show(ctx, id) })
}

// Layout is a hall's layout, expanded once, or [ErrNoLayout].
func (r *Reader) Layout(ctx context.Context, id LayoutID) (*seatmap.Layout, error) {
	if l, ok := r.layouts.kept(string(id)); ok {
		return l, nil
	}
	return r.layouts.get(ctx, string(id), func(ctx context.Context) (*seatmap.Layout, error) {
		text, err := r.store.LayoutSource(ctx, id)
		if err != nil {
			return nil, err
		}
		l, err := seatmap.Expand(seatmap.Source{ID: string(id), Text: text})
		if err != nil {
			return nil, fmt.Errorf("catalog: layout %s: %w", id, err)
		}
		return l, nil
	})
}

func filter[T any](all []T, keep func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(it T) bool { return !keep(it) })
}

func sortBy[T any](all []T, key func(T) string) {
	slices.SortStableFunc(all, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}
