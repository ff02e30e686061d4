package main

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
)

const (
	showsADay   = 2
	filmsNow    = 6 // in a city
	homeFilms   = 2 // of them, from the city's own country where there are any
	cleaning    = 15 * time.Minute
	saleAhead   = 14 * 24 * time.Hour
	venueEvery  = 3 // days from one evening of a venue to its next
	timeStep    = 15 * time.Minute
	firstStart  = 13 * time.Hour                // of the matinee; local
	firstSteps  = 5                             // 13:00 to 14:00
	secondStart = 18*time.Hour + 45*time.Minute // after the longest film from 14:00, in a house of one hall
	secondSteps = 10                            // 18:45 to 21:00
)

// plan is what to load: a function of the files, the size and the dates, so that
// the same day's second run makes the same rows.
type plan struct {
	files  *files
	cities []cityRow
	days   int
	now    time.Time

	singleGap map[string]bool // by cinema or venue, as the rest
	noLine    map[string]bool
	challenge map[string]bool
	contact   map[string]bool
	passes    map[string]int // of the bounded rule
	drawn     []drawn
}

// newPlan takes the largest cities, all of them when n is 0.
func newPlan(f *files, n, days int, now time.Time) plan {
	var cities []cityRow
	for _, r := range f.cities {
		cities = append(cities, r.v)
	}
	slices.SortStableFunc(cities, func(a, b cityRow) int {
		return cmp.Or(cmp.Compare(b.Population, a.Population), cmp.Compare(a.ID, b.ID))
	})
	if n > 0 {
		cities = cities[:min(n, len(cities))]
	}
	return plan{files: f, cities: cities, days: days, now: now}
}

// houses checks that each is a cinema or a venue of the files.
func (f *files) houses(ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	for _, r := range f.cinemas {
		known[r.v.ID] = true
	}
	for _, r := range f.venues {
		known[r.v.ID] = true
	}
	chosen := map[string]bool{}
	for _, id := range ids {
		if !known[id] {
			return nil, fmt.Errorf("there is no cinema or venue %q", id)
		}
		chosen[id] = true
	}
	return chosen, nil
}

// wishes are what houses want of their own.
func (p *plan) wishes(o options) (err error) {
	if p.singleGap, err = p.files.houses(o.singleGap); err != nil {
		return fmt.Errorf("--single-gap: %w", err)
	}
	if p.noLine, err = p.files.houses(o.noLine); err != nil {
		return fmt.Errorf("--no-line: %w", err)
	}
	if p.challenge, err = p.files.houses(o.challenge); err != nil {
		return fmt.Errorf("--challenge: %w", err)
	}
	if p.contact, err = p.files.houses(o.contact); err != nil {
		return fmt.Errorf("--contact: %w", err)
	}
	p.passes = map[string]int{}
	for _, wish := range o.bounded {
		house, text, _ := strings.Cut(wish, "=")
		k, err := strconv.Atoi(text)
		if err != nil || k < 1 {
			return fmt.Errorf("--bounded: %q is not house=k with k at least 1", wish)
		}
		if _, err := p.files.houses([]string{house}); err != nil {
			return fmt.Errorf("--bounded: %w", err)
		}
		p.passes[house] = k
	}
	return nil
}

// phases come one after the other: what a row points at is there before it, and a
// city is listed when everything in it is.
func (p plan) phases() []iter.Seq[store.CatalogRow] {
	return []iter.Seq[store.CatalogRow]{p.layoutRows, p.filmRows, p.showRows, p.nowShowingRows, p.cityRows, p.cityListRow}
}

// rows counts the rows of all phases.
func (p plan) rows() int {
	n := 0
	for _, phase := range p.phases() {
		for range phase {
			n++
		}
	}
	return n
}

func (p plan) layoutRows(yield func(store.CatalogRow) bool) {
	for _, id := range sortedKeys(p.files.halls) {
		if !yield(store.LayoutRow(catalog.LayoutID(id), p.files.halls[id].source.Text)) {
			return
		}
	}
	for _, d := range p.drawn {
		if !yield(store.LayoutRow(catalog.LayoutID(d.layout.ID()), d.source.Text)) {
			return
		}
	}
}

func (p plan) filmRows(yield func(store.CatalogRow) bool) {
	for _, r := range p.files.films {
		if !yield(store.MovieRow(r.v.movie())) {
			return
		}
	}
}

func (p plan) showRows(yield func(store.CatalogRow) bool) {
	for _, c := range p.cities {
		for _, s := range p.shows(c) {
			if !yield(store.ShowRow(s)) {
				return
			}
		}
	}
}

func (p plan) nowShowingRows(yield func(store.CatalogRow) bool) {
	for _, c := range p.cities {
		last := map[catalog.MovieID]time.Time{}
		for _, s := range p.shows(c) {
			if s.StartsAt.After(last[s.MovieID]) {
				last[s.MovieID] = s.StartsAt
			}
		}
		for _, id := range sortedKeys(last) {
			n := catalog.NowShowing{Movie: p.files.film[string(id)].movie(), LastStart: last[id]}
			if !yield(store.NowShowingRow(catalog.CityID(c.ID), n)) {
				return
			}
		}
	}
}

func (p plan) cityRows(yield func(store.CatalogRow) bool) {
	for _, c := range p.cities {
		if !yield(store.CityRow(c.city())) {
			return
		}
	}
}

func (p plan) cityListRow(yield func(store.CatalogRow) bool) {
	var all []catalog.City
	for _, c := range p.cities {
		all = append(all, c.city())
	}
	yield(store.CityListRow(all))
}

func (c cityRow) city() catalog.City {
	return catalog.City{
		ID: catalog.CityID(c.ID), Name: c.Name, LocalName: text(c.LocalName), ChineseName: text(c.NameZH),
		Country: c.Country, Lat: c.Lat, Lon: c.Lon,
	}
}

// shows are all shows of a city: from its today on, and at its venues from
// tomorrow on, so that an evening is on sale at whatever hour this runs.
func (p plan) shows(c cityRow) []catalog.Show {
	loc := p.files.location[c.ID]
	today := dateOnly(p.now.In(loc))
	films := p.filmsIn(c)
	var shows []catalog.Show
	for i, k := range p.files.inCity[c.ID] {
		for d := range p.days {
			shows = append(shows, p.day(c, k, i, today.AddDate(0, 0, d), films)...)
		}
	}
	for _, r := range p.files.venues {
		for d := range venueEvery {
			if date := today.AddDate(0, 0, 1+d); r.v.City == c.ID && dayNumber(date)%venueEvery == r.v.Phase {
				shows = append(shows, p.evening(r.v, date, loc))
			}
		}
	}
	return append(shows, p.drawnShows(c, today, films)...)
}

// dateOnly is the date where t is, as midnight in UTC: midnight there may not exist
// on the day that the clocks change.
func dateOnly(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func dayNumber(date time.Time) int64 { return date.Unix() / (24 * 60 * 60) }

func localTime(date time.Time, sinceMidnight time.Duration, loc *time.Location) time.Time {
	y, m, d := date.Date()
	return time.Date(y, m, d, 0, int(sinceMidnight.Minutes()), 0, 0, loc)
}

// filmsIn is the city's programme: home films first, then others, in an order of
// its own that never changes.
func (p plan) filmsIn(c cityRow) []filmRow {
	var all []filmRow
	for _, r := range p.files.films {
		if r.v.complete() {
			all = append(all, r.v)
		}
	}
	slices.SortFunc(all, func(a, b filmRow) int {
		return cmp.Or(cmp.Compare(mix(c.ID, a.ID), mix(c.ID, b.ID)), cmp.Compare(a.ID, b.ID))
	})
	var home, rest []filmRow
	for _, m := range all {
		if slices.Contains(m.Countries, c.Country) && len(home) < homeFilms {
			home = append(home, m)
		} else {
			rest = append(rest, m)
		}
	}
	return append(home, rest[:min(filmsNow-len(home), len(rest))]...)
}

// day is a cinema's shows on one date; i is the cinema's number in its city.
// Film and hall move on by one each day, and the matinee's film is in another
// cinema in the evening.
func (p plan) day(c cityRow, k cinemaRow, i int, date time.Time, films []filmRow) []catalog.Show {
	n := int(dayNumber(date))
	var shows []catalog.Show
	for slot := range showsADay {
		film := films[(n+i+slot*len(films)/showsADay)%len(films)]
		hall := (n + slot) % len(k.HallLayouts)
		starts := localTime(date, startOf(slot, mix(k.ID, date.Format(time.DateOnly))), p.files.location[c.ID])
		s := p.show(k.ID, date, slot, starts, film)
		l := p.files.halls[k.HallLayouts[hall]].layout
		s.City, s.LayoutID = catalog.CityID(c.ID), catalog.LayoutID(l.ID())
		s.Cinema = catalog.Cinema{ID: catalog.CinemaID(k.ID), Name: k.Name, Lat: k.Lat, Lon: k.Lon, PostalCode: text(k.PostalCode)}
		s.Hall = hallName(hall, l.Format())
		s.Prices = p.files.pricesOf(c, l, starts)
		shows = append(shows, s)
	}
	return shows
}

func hallName(i int, format string) string {
	if format == "" {
		return fmt.Sprintf("Hall %d", i+1)
	}
	return fmt.Sprintf("Hall %d, %s", i+1, format)
}

// startOf is after local midnight: from 13:00 for the first show, from 18:45 for the second.
func startOf(slot int, random uint64) time.Duration {
	from, steps := firstStart, uint64(firstSteps)
	if slot > 0 {
		from, steps = secondStart, secondSteps
	}
	return from + time.Duration((random>>(8*slot))%steps)*timeStep
}

// evening is a venue's show with live orchestra.
func (p plan) evening(v venueRow, date time.Time, loc *time.Location) catalog.Show {
	at, _ := time.Parse(clock, v.Starts) // checked
	since := time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	s := p.show(v.ID, date, 0, localTime(date, since, loc), p.files.film[v.Film])
	s.City, s.LayoutID, s.Hall = catalog.CityID(v.City), catalog.LayoutID(v.Layout), v.Hall
	s.Cinema = catalog.Cinema{ID: catalog.CinemaID(v.ID), Name: v.Name, Lat: v.Lat, Lon: v.Lon}
	s.Prices = p.files.eventPrices(v)
	return s
}

func (p plan) show(house string, date time.Time, slot int, starts time.Time, film filmRow) catalog.Show {
	runtime := time.Duration(*film.RuntimeMin) * time.Minute
	starts = starts.UTC()
	return catalog.Show{
		ID:       catalog.ShowID(fmt.Sprintf("%s-%s-%d", house, date.Format("20060102"), slot+1)),
		MovieID:  catalog.MovieID(film.ID),
		StartsAt: starts, EndsAt: starts.Add(runtime + cleaning), LocalDate: date.Format(time.DateOnly),
		SaleOpensAt: starts.Add(-saleAhead), SaleClosesAt: starts,
		Status: catalog.OnSale, SingleGap: p.singleGap[house], NoLine: p.noLine[house], LinePasses: p.passes[house],
		Challenge: p.challenge[house], NeedsContact: p.contact[house],
	}
}

// mix is the same number for the same words on every machine.
func mix(a, b string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(a + "\x00" + b))
	// FNV's high bits hardly differ for short words; this is the finaliser of MurmurHash3.
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
