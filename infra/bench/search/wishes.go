package search

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/catalog"
	product "github.com/fairseat/fairseat/pkg/search"
)

// kind of question.
type kind string

// mixed is what people ask together: words or a place, with something that matters.
const (
	words   kind = "words"
	typo    kind = "typo"
	chinese kind = "chinese"
	city    kind = "city"
	near    kind = "near"
	window  kind = "time window"
	price   kind = "price"
	tongue  kind = "language"
	sorted  kind = "order alone"
	later   kind = "page 2 to 4"
	mixed   kind = "mixed"
)

var kinds = []kind{words, typo, chinese, city, near, window, price, tongue, sorted, later, mixed}

// perPage is the longest page.
const perPage = product.MaxPage

// wish is one question in a form that both sides can be asked in.
type wish struct {
	keyword  string
	spell    bool
	city     string
	near     *product.Point
	metres   int
	from, to time.Time
	currency string
	min, max int64
	language string
	order    string
	page     int // from 1
}

// query is the wish as our parameters.
func (w wish) query() map[string]string {
	q := map[string]string{"results_per_page": strconv.Itoa(perPage), "sorting_order": w.order}
	set := func(wanted bool, name, value string) {
		if wanted {
			q[name] = value
		}
	}
	set(w.keyword != "", "keyword", w.keyword)
	set(w.spell, "includeSpellcheck", "yes")
	set(w.city != "", "city", w.city)
	if w.near != nil {
		q["lat_long"] = fmt.Sprintf("%.4f,%.4f", w.near.Lat, w.near.Lon)
		q["radius"] = fmt.Sprintf("%.3f", float64(w.metres)/1000)
	}
	set(!w.from.IsZero(), "start_datetime", w.from.Format(time.RFC3339))
	set(!w.to.IsZero(), "end_datetime", w.to.Format(time.RFC3339))
	if w.currency != "" {
		q["currency"], q["price_min"], q["price_max"] = w.currency, strconv.FormatInt(w.min, 10), strconv.FormatInt(w.max, 10)
	}
	set(w.language != "", "language", w.language)
	return q
}

// draw makes wishes of what there is. It holds the data in order, so that the same
// seed makes the same wishes of the same week.
type draw struct {
	rng    *rand.Rand
	films  []catalog.Movie // that are shown
	cities []catalog.City
	prices []catalog.Price
	shows  []*product.Show
	film   map[catalog.MovieID]catalog.Movie
	now    time.Time
}

func newDraw(rng *rand.Rand, rows product.Rows, now time.Time) *draw {
	d := &draw{rng: rng, now: now.UTC().Truncate(time.Hour), film: map[catalog.MovieID]catalog.Movie{}}
	shown, prices := map[catalog.MovieID]bool{}, map[catalog.Price]bool{}
	for _, r := range rows {
		if r.Show == nil {
			continue
		}
		shown[r.Show.Movie] = true
		d.shows = append(d.shows, r.Show)
		for _, p := range r.Show.Prices {
			prices[p] = true
		}
	}
	for _, r := range rows {
		if r.City != nil {
			d.cities = append(d.cities, *r.City)
		}
		if r.Film != nil && shown[r.Film.ID] {
			d.films, d.film[r.Film.ID] = append(d.films, *r.Film), *r.Film
		}
	}
	slices.SortFunc(d.cities, func(a, b catalog.City) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(d.shows, func(a, b *product.Show) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(d.films, func(a, b catalog.Movie) int { return cmp.Compare(a.ID, b.ID) })
	d.prices = slices.SortedFunc(maps.Keys(prices), func(a, b catalog.Price) int {
		return cmp.Or(cmp.Compare(a.Amount.Currency, b.Amount.Currency), cmp.Compare(a.Amount.Minor, b.Amount.Minor), cmp.Compare(a.Type, b.Type))
	})
	return d
}

func one[T any](d *draw, all []T) T { return all[d.rng.IntN(len(all))] }

func (d *draw) next(k kind) wish {
	w := wish{order: "date,asc", page: 1}
	switch k {
	case words:
		w.keyword = d.words()
	case typo:
		w.keyword, w.spell = d.typo(), true
	case chinese:
		w.keyword = d.chinese()
	case city:
		w.city = string(one(d, d.cities).ID)
		w.order = one(d, product.Orders())
	case near:
		d.nearby(&w)
	case window:
		d.window(&w)
		w.order = one(d, []string{"date,asc", "name,asc", "date,name,desc"})
	case price:
		d.price(&w)
	case tongue:
		w.language = one(d, d.films).Language
		w.order = one(d, []string{"date,asc", "name,asc", "name,date,desc"})
	case sorted:
		w.order = one(d, slices.DeleteFunc(product.Orders(), func(o string) bool { return strings.HasPrefix(o, "distance") }))
	case later:
		w = d.next(one(d, []kind{city, near, window, tongue, sorted}))
		w.page = 2 + d.rng.IntN(3)
	case mixed:
		d.mix(&w)
	}
	return w
}

// mix asks for a show that there is, by what somebody might know of it.
func (d *draw) mix(w *wish) {
	s := one(d, d.shows)
	f := d.film[s.Movie]
	w.spell = true
	switch long := func(w string) bool { return plainWord(w, 6) }; {
	case d.rng.IntN(4) == 0 && slices.ContainsFunc(cut(f.Title), long):
		w.keyword = d.slip(slices.DeleteFunc(cut(f.Title), func(w string) bool { return !long(w) })[0])
	default:
		w.keyword = f.Title
	}
	if d.rng.IntN(2) == 0 {
		d.around(w, product.Point{Lat: s.Cinema.Lat, Lon: s.Cinema.Lon})
	} else {
		w.city = string(s.City)
	}
	switch d.rng.IntN(3) {
	case 0:
		w.from = s.StartsAt.Add(-time.Duration(1+d.rng.IntN(3)) * time.Hour).Truncate(time.Hour)
		w.to = w.from.AddDate(0, 0, 1)
	case 1:
		w.language = f.Language
	}
}

func (d *draw) nearby(w *wish) {
	c := one(d, d.cities)
	d.around(w, product.Point{Lat: c.Lat, Lon: c.Lon})
}

func (d *draw) around(w *wish, c product.Point) {
	// As many digits as are sent: both sides measure from the same point.
	at := product.Point{Lat: c.Lat + 0.3*d.rng.Float64() - 0.15, Lon: c.Lon + 0.3*d.rng.Float64() - 0.15}
	at.Lat, _ = strconv.ParseFloat(fmt.Sprintf("%.4f", at.Lat), 64)
	at.Lon, _ = strconv.ParseFloat(fmt.Sprintf("%.4f", at.Lon), 64)
	w.near, w.metres, w.order = &at, 5000+1000*d.rng.IntN(60), "distance,asc"
}

func (d *draw) window(w *wish) {
	w.from = d.now.Add(time.Duration(1+d.rng.IntN(5*24)) * time.Hour)
	w.to = w.from.Add(time.Duration(2+d.rng.IntN(7)) * time.Hour)
}

func (d *draw) price(w *wish) {
	p := one(d, d.prices).Amount
	w.currency, w.min, w.max = p.Currency, p.Minor/2, p.Minor
}

// letters are the words of four letters and more that a film is looked up by.
func (d *draw) letters(least int) []string {
	for {
		f := one(d, d.films)
		text := f.Title
		if len(f.Directors) > 0 && d.rng.IntN(4) == 0 {
			text = one(d, f.Directors)
		}
		found := slices.DeleteFunc(cut(text), func(w string) bool {
			return !plainWord(w, least)
		})
		if len(found) > 0 {
			return found
		}
	}
}

func plainWord(w string, least int) bool {
	return utf8.RuneCountInString(w) >= least && !strings.ContainsFunc(w, func(r rune) bool { return r > unicode.MaxLatin1 })
}

func (d *draw) words() string {
	l := d.letters(4)
	return strings.Join(l[:min(len(l), 1+d.rng.IntN(2))], " ")
}

func (d *draw) typo() string { return d.slip(one(d, d.letters(6))) }

// slip leaves out a letter, swaps two or writes another, never the first.
func (d *draw) slip(word string) string {
	r := []rune(word)
	i := 1 + d.rng.IntN(len(r)-2)
	switch d.rng.IntN(3) {
	case 0:
		r = slices.Delete(r, i, i+1)
	case 1:
		r[i], r[i+1] = r[i+1], r[i]
	default:
		r[i] = rune('a' + d.rng.IntN(26))
	}
	return string(r)
}

// chinese is two to four neighbours of a title.
func (d *draw) chinese() string {
	for {
		r := []rune(one(d, d.films).ChineseTitle)
		n := 2 + d.rng.IntN(3)
		if len(r) < n || slices.ContainsFunc(r, func(c rune) bool { return !unicode.Is(unicode.Han, c) }) {
			continue
		}
		at := d.rng.IntN(len(r) - n + 1)
		return string(r[at : at+n])
	}
}
