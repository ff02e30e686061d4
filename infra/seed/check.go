package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/fairseat/fairseat/pkg/money"
)

const (
	maxKM      = 30 // from the centre of its city to a cinema
	minApartKM = 1  // between two cities
	maxHalls   = 8
	maxID      = 80 // leaves room for the date and number in a show's id of 128
)

var (
	idForm      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
)

// faults collects what is wrong, in the order found.
type faults []error

func (fs *faults) need(ok bool, at place, format string, args ...any) {
	if !ok {
		*fs = append(*fs, at.refuse(format, args...))
	}
}

// place is a row, or a whole file.
type place interface {
	refuse(format string, args ...any) error
}

const maxFaults = 50

func (fs faults) join() error {
	if more := len(fs) - maxFaults; more > 0 {
		fs = append(fs[:maxFaults:maxFaults], fmt.Errorf("and %d more faults", more))
	}
	return errors.Join(fs...)
}

func (f *files) check() error {
	var all faults
	f.checkCities(&all)
	f.checkCinemas(&all)
	f.checkFilms(&all)
	f.checkPrices(&all)
	f.checkVenues(&all)
	return all.join()
}

// firsts remembers the row in which a value was first seen.
type firsts[K comparable] map[K]int

func unique[K comparable, T any](seen firsts[K], r row[T], what string, key K, all *faults) {
	if line, ok := seen[key]; ok {
		all.need(false, r, "%s %v is on line %d already", what, quoted(key), line)
		return
	}
	seen[key] = r.line
}

func quoted(v any) any {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return v
}

func checkID[T any](r row[T], seen firsts[string], id string, all *faults) {
	all.need(idForm.MatchString(id) && len(id) <= maxID, r, "id %q is not of lower-case words joined by hyphens, at most %d characters", id, maxID)
	unique(seen, r, "id", id, all)
}

func isHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func (f *files) checkCities(all *faults) {
	ids, names := firsts[string]{}, firsts[int64]{}
	for _, r := range f.cities {
		c := r.v
		checkID(r, ids, c.ID, all)
		unique(names, r, "geonameid", c.GeonameID, all)
		all.need(c.Name != "", r, "city %q has no name", c.ID)
		all.need(onEarth(c.Lat, c.Lon), r, "%v, %v is no place", c.Lat, c.Lon)
		all.need(countryForm.MatchString(c.Country), r, "country %q is not two capital letters", c.Country)
		all.need(c.Population > 0, r, "population %d", c.Population)
		all.need(c.NameZH == nil || isHan(*c.NameZH), r, "name_zh is not Chinese")
		all.need(c.Country != "CN" || c.NameZH != nil, r, "a city in CN without name_zh")
		loc, err := time.LoadLocation(c.TZ)
		all.need(err == nil && c.TZ != "" && c.TZ != "Local", r, "unknown time zone %q", c.TZ)
		f.location[c.ID] = loc
		all.need(len(f.inCity[c.ID]) > 0, r, "city %q has no cinema in cinemas.json", c.ID)
	}
	f.checkApart(all)
}

func (f *files) checkApart(all *faults) {
	for i, a := range f.cities {
		for _, b := range f.cities[:i] {
			near := km(a.v.Lat, a.v.Lon, b.v.Lat, b.v.Lon) < minApartKM
			all.need(!near, a, "city %q is where %q of line %d is", a.v.ID, b.v.ID, b.line)
		}
	}
}

func (f *files) checkCinemas(all *faults) {
	ids, names := firsts[string]{}, firsts[[2]string]{}
	for _, r := range f.cinemas {
		c := r.v
		checkID(r, ids, c.ID, all)
		unique(names, r, "city and name", [2]string{c.City, c.Name}, all)
		all.need(c.Name != "" && c.Address != "", r, "cinema %q lacks a name or an address", c.ID)
		all.need(c.Synthetic, r, "cinema %q is not marked synthetic", c.ID)
		all.need(c.Halls >= 1 && c.Halls <= maxHalls && c.Halls == len(c.HallLayouts),
			r, "%d halls with %d layouts; want 1 to %d, as many as layouts", c.Halls, len(c.HallLayouts), maxHalls)
		for _, l := range c.HallLayouts {
			_, ok := f.halls[l]
			all.need(ok, r, "layout %q is not in halls.json", l)
		}
		f.checkPlace(r, c.City, c.Lat, c.Lon, all)
	}
}

func (f *files) checkPlace(at place, city string, lat, lon float64, all *faults) {
	c, ok := f.city[city]
	if !ok {
		all.need(false, at, "city %q is not in cities.json", city)
		return
	}
	far := km(c.Lat, c.Lon, lat, lon)
	all.need(onEarth(lat, lon) && far <= maxKM, at, "%v, %v is %.1f km from %s; at most %d", lat, lon, far, city, maxKM)
}

func (f *files) checkVenues(all *faults) {
	ids, cinemas := firsts[string]{}, map[string]bool{}
	for _, k := range f.cinemas {
		cinemas[k.v.ID] = true
	}
	for _, r := range f.venues {
		v := r.v
		checkID(r, ids, v.ID, all)
		all.need(!cinemas[v.ID], r, "id %q is that of a cinema in cinemas.json", v.ID)
		f.checkPlace(r, v.City, v.Lat, v.Lon, all)
		all.need(v.Name != "" && v.Hall != "", r, "venue %q lacks a name or a hall", v.ID)
		all.need(v.Synthetic, r, "venue %q is not marked synthetic", v.ID)
		all.need(v.Phase >= 0 && v.Phase < venueEvery, r, "phase %d; want 0 to %d", v.Phase, venueEvery-1)
		_, err := time.Parse(clock, v.Starts)
		all.need(err == nil, r, "starts %q is no time of day", v.Starts)
		film, ok := f.film[v.Film]
		all.need(ok, r, "film %q is not in films.json", v.Film)
		all.need(!ok || film.RuntimeMin != nil, r, "film %q has no runtime", v.Film)
		f.checkZones(r, all)
	}
}

func (f *files) checkZones(r row[venueRow], all *faults) {
	h, ok := f.halls[r.v.Layout]
	if !ok {
		all.need(false, r, "layout %q is not in halls.json", r.v.Layout)
		return
	}
	for _, t := range h.layout.Types() {
		all.need(r.v.Zones[t] != "", r, "no zone for %s seats", t)
	}
	zones := f.zonesFor(f.pricesFor(f.city[r.v.City]).Currency)
	for t, z := range r.v.Zones {
		all.need(slices.Contains(h.layout.Types(), t), r, "layout %q has no %s seats", r.v.Layout, t)
		all.need(zones[z] > 0, r, "zone %q has no price in the currency of %s", z, r.v.City)
	}
}

func (f *files) checkPrices(all *faults) {
	for _, r := range f.currencies {
		all.need(r.v.Exponent == money.Exponent(r.v.Code), r, "%s has exponent %d by ISO 4217", r.v.Code, money.Exponent(r.v.Code))
	}
	areas := firsts[string]{}
	for _, r := range f.prices {
		p := r.v
		unique(areas, r, "country and area", p.Country+" "+text(p.Area), all)
		all.need(f.declared(p.Currency, p.Exponent), r, "%s with exponent %d is not among the currencies", p.Currency, p.Exponent)
		checkDays(r, all)
		for format, s := range p.Surcharge {
			all.need(s >= 0, r, "surcharge %d for %s", s, format)
		}
		all.need(p.Area == nil || bigCity[p.Country] != nil, r, "no rule tells which cities of %s are %q", p.Country, *orEmpty(p.Area))
	}
	all.need(f.pricesFor(cityRow{Country: "US"}).Country == "US", wholeFile("prices.json"), "no prices for US, the fall-back of other countries")
	all.need(f.pricesFor(cityRow{Country: "DE"}).Country == "DE", wholeFile("prices.json"), "no prices for DE, the fall-back of the euro area")
	f.checkEventZones(all)
}

func checkDays(r row[priceRow], all *faults) {
	seen := map[[2]string]bool{}
	for _, d := range r.v.Rows {
		all.need((d.Day == weekday || d.Day == weekend) && (d.Daypart == matinee || d.Daypart == evening), r, "prices for %s %s", d.Day, d.Daypart)
		seen[[2]string{d.Day, d.Daypart}] = true
		p := d.Prices
		all.need(min(p.R, p.P, p.W, p.C, p.L) > 0, r, "a price of %s %s is not above 0", d.Day, d.Daypart)
		all.need(p.P > p.R && p.L > p.R, r, "P and L of %s %s must cost more than R", d.Day, d.Daypart)
	}
	all.need(len(seen) == 4 && len(r.v.Rows) == 4, r, "want each of weekday and weekend, matinee and evening once")
}

func (f *files) checkEventZones(all *faults) {
	seen := firsts[string]{}
	for _, r := range f.zones {
		unique(seen, r, "currency", r.v.Currency, all)
		all.need(f.declared(r.v.Currency, r.v.Exponent), r, "%s with exponent %d is not among the currencies", r.v.Currency, r.v.Exponent)
		for z, p := range r.v.Zones {
			all.need(p > 0, r, "zone %s costs %d", z, p)
		}
	}
	for _, r := range f.prices {
		_, ok := seen[r.v.Currency]
		all.need(ok, r, "no event_zones in %s", r.v.Currency)
	}
}

func (f *files) declared(currency string, exponent int) bool {
	return slices.ContainsFunc(f.currencies, func(c row[currencyRow]) bool {
		return c.v.Code == currency && c.v.Exponent == exponent
	})
}

func onEarth(lat, lon float64) bool { return math.Abs(lat) <= 90 && math.Abs(lon) <= 180 }

// km is the great-circle distance.
func km(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	sinLat, sinLon := math.Sin((lat2-lat1)*rad/2), math.Sin((lon2-lon1)*rad/2)
	return 12742 * math.Asin(math.Sqrt(sinLat*sinLat+math.Cos(lat1*rad)*math.Cos(lat2*rad)*sinLon*sinLon))
}

func text(s *string) string { return *orEmpty(s) }

func orEmpty(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}
