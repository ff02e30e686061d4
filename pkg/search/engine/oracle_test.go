package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/seatmap"

	"github.com/fairseat/fairseat/pkg/search"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// The oracle knows no index: it looks at every row for every question, cuts texts
// by itself and measures distances by the law of cosines.
type oracle struct{ rows search.Rows }

func (o oracle) films() []*catalog.Movie {
	var all []*catalog.Movie
	for _, r := range o.rows {
		if r.Film != nil {
			all = append(all, r.Film)
		}
	}
	return all
}

// cut gives the words of a text, and each Chinese character and pair of them.
func cut(text string, alone bool) (out []string, asian []bool) {
	accents := strings.NewReplacer("é", "e", "É", "e", "ü", "u", "ł", "l", "Ａ", "a", "ａ", "a", "ñ", "n")
	add := func(s string, a bool) {
		if s != "" && !slices.Contains(out, s) {
			out, asian = append(out, s), append(asian, a)
		}
	}
	word, run := "", []rune{}
	flush := func() {
		add(word, false)
		for i, r := range run {
			if alone || len(run) == 1 {
				add(string(r), true)
			}
			if i > 0 {
				add(string(run[i-1:i+1]), true)
			}
		}
		word, run = "", nil
	}
	for _, r := range strings.ToLower(accents.Replace(text)) {
		switch {
		case unicode.Is(unicode.Han, r):
			if word != "" {
				flush()
			}
			run = append(run, r)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if len(run) > 0 {
				flush()
			}
			word += string(r)
		default:
			flush()
		}
	}
	flush()
	return out, asian
}

func wordsOf(f *catalog.Movie) []string {
	out, _ := cut(strings.Join(append(append([]string{f.Title, f.OriginalTitle, f.ChineseTitle, f.Description, f.ChineseDescription}, f.Genres...), f.Directors...), "\n"), true)
	return out
}

// slow is the distance by its definition.
func slow(a, b []rune) int {
	switch {
	case len(a) == 0 || len(b) == 0:
		return len(a) + len(b)
	case a[0] == b[0]:
		return slow(a[1:], b[1:])
	}
	d := 1 + min(slow(a[1:], b), slow(a, b[1:]), slow(a[1:], b[1:]))
	if len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] {
		d = min(d, 1+slow(a[2:], b[2:]))
	}
	return d
}

func (o oracle) matches(keyword string) map[catalog.MovieID]bool {
	asked, asian := cut(keyword, false)
	match := func(test func(word string) bool) map[catalog.MovieID]bool {
		found := map[catalog.MovieID]bool{}
		for _, f := range o.films() {
			if slices.ContainsFunc(wordsOf(f), test) {
				found[f.ID] = true
			}
		}
		return found
	}
	var sets []map[catalog.MovieID]bool
	passed, someAsian := false, false
	for i, w := range asked {
		n := len([]rune(w))
		exact := asian[i] || n == 1
		set := match(func(word string) bool { return word == w || !exact && strings.HasPrefix(word, w) })
		switch {
		case asian[i] && len(set) == 0:
			passed = true
			continue
		case asian[i]:
			someAsian = true
		case len(set) == 0 && n >= 4:
			most := 1
			if n >= 8 {
				most = 2
			}
			set = match(func(word string) bool { return slow([]rune(word), []rune(w)) <= most })
		}
		sets = append(sets, set)
	}
	all := map[catalog.MovieID]bool{}
	if len(sets) == 0 || passed && !someAsian {
		return all
	}
	for id := range sets[0] {
		if !slices.ContainsFunc(sets, func(s map[catalog.MovieID]bool) bool { return !s[id] }) {
			all[id] = true
		}
	}
	return all
}

func cosines(a, b search.Point) int32 {
	const rad = math.Pi / 180
	c := math.Sin(a.Lat*rad)*math.Sin(b.Lat*rad) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Cos((a.Lon-b.Lon)*rad)
	return int32(math.Round(earth * math.Acos(max(-1, min(1, c)))))
}

func (o oracle) hall(id catalog.LayoutID) search.Hall {
	if h := o.rows[search.Key{Kind: search.OfHall, ID: string(id)}].Hall; h != nil {
		return *h
	}
	return search.Hall{}
}

// shows are all that answer, in order, whole.
func (o oracle) shows(q search.Query, order string, now time.Time) []*search.Show {
	var match map[catalog.MovieID]bool
	if q.Keyword != "" {
		match = o.matches(q.Keyword)
	}
	var all []*search.Show
	for _, r := range o.rows {
		if r.Show != nil && o.answers(q, match, r.Show, now) {
			all = append(all, r.Show)
		}
	}
	title := func(s *search.Show) string {
		return strings.ToLower(o.rows[search.Key{Kind: search.OfFilm, ID: string(s.Movie)}].Film.Title)
	}
	slices.SortFunc(all, func(a, b *search.Show) int {
		keys, direction := strings.Split(order, ","), 1
		if keys[len(keys)-1] == "desc" {
			direction = -1
		}
		c := 0
		for _, k := range append(keys[:len(keys)-1], "date", "id") {
			switch {
			case c != 0:
			case k == "name":
				c = strings.Compare(title(a), title(b))
			case k == "date":
				c = a.StartsAt.Compare(b.StartsAt)
			case k == "distance":
				c = int(metres(*q.Near, at(a))) - int(metres(*q.Near, at(b)))
			default:
				c = strings.Compare(string(a.ID), string(b.ID))
			}
		}
		return direction * c
	})
	return all
}

func at(s *search.Show) search.Point { return search.Point{Lat: s.Cinema.Lat, Lon: s.Cinema.Lon} }

func (o oracle) answers(q search.Query, match map[catalog.MovieID]bool, s *search.Show, now time.Time) bool {
	film := o.rows[search.Key{Kind: search.OfFilm, ID: string(s.Movie)}].Film
	stock := o.rows[search.Key{Kind: search.OfStock, ID: string(s.ID)}].Stock
	run := o.hall(s.Layout).Together
	if stock != nil {
		run = stock.Together
	}
	priced := func(p catalog.Price) bool {
		return q.Price == nil || p.Amount.Currency == q.Price.Currency && q.Price.Min <= p.Amount.Minor && p.Amount.Minor <= q.Price.Max
	}
	return film != nil && s.OnSale && s.StartsAt.After(now) &&
		(match == nil || match[s.Movie]) && (q.City == "" || q.City == s.City) &&
		(q.Near == nil || q.Metres == 0 || metres(*q.Near, at(s)) <= q.Metres) &&
		(q.Postal == "" || s.Cinema.PostalCode != "" && strings.HasPrefix(s.Cinema.PostalCode, q.Postal)) &&
		(q.From.IsZero() || !s.StartsAt.Before(q.From)) && (q.To.IsZero() || !s.StartsAt.After(q.To)) &&
		(q.Language == "" || film.Language == q.Language) && (q.Genre == "" || slices.Contains(film.Genres, q.Genre)) &&
		(q.Format == "" || o.hall(s.Layout).Format == q.Format) && slices.ContainsFunc(s.Prices, priced) &&
		(q.Place == "" || slices.ContainsFunc(s.Prices, func(p catalog.Price) bool { return p.Type == q.Place })) &&
		run >= q.Together
}

// --- random worlds ------------------------------------------------------------

var (
	vocabulary = []string{"Amélie", "amelie", "Star", "Stars", "Stardust", "Inception", "Heat", "heap", "Cars", "Señor", "Ａlpha", "X", "千与千寻", "千寻", "霸王别姬", "英雄", "无间道"}
	typed      = append([]string{"incepton", "inceptn", "Amelei", "sta", "STAR", "hea", "heta", "crs", "x", "千", "寻", "千与千", "王别", "千于千寻", "无间", "!!!", "alpha", "inecptino", "senor", "zzzz", "星"}, vocabulary...)
	genres     = []string{"Drama", "Comedy", "Crime"}
	tongues    = []string{"en", "zh", "fr"}
)

func words3(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 3).Draw(t, label), " ")
}

func drawWorld(t *rapid.T) search.Rows {
	rows := search.Rows{}
	for _, c := range []string{"a-aa", "b-bb"} {
		rows[search.Key{Kind: search.OfCity, ID: c}] = search.Row{City: &catalog.City{ID: catalog.CityID(c), Lat: 50, Lon: 8}}
	}
	for i, h := range []search.Hall{{ID: "h0", Together: 4}, {ID: "h1", Format: "IMAX", Together: 10}} {
		rows[search.Key{Kind: search.OfHall, ID: fmt.Sprint("h", i)}] = search.Row{Hall: &h}
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "films") {
		rows[search.Key{Kind: search.OfFilm, ID: fmt.Sprint("f", i)}] = search.Row{Film: drawFilm(t, i)}
	}
	for i := range rapid.IntRange(0, 60).Draw(t, "shows") {
		drawShow(t, rows, i)
	}
	return rows
}

func drawFilm(t *rapid.T, i int) *catalog.Movie {
	return &catalog.Movie{
		ID: catalog.MovieID(fmt.Sprint("f", i)), Title: words3(t, "title"), Description: words3(t, "text"),
		Language: rapid.SampledFrom(tongues).Draw(t, "language"), Genres: rapid.SliceOfNDistinct(rapid.SampledFrom(genres), 1, 2, func(s string) string { return s }).Draw(t, "genres"),
		Directors: []string{words3(t, "people")},
	}
}

func drawShow(t *rapid.T, rows search.Rows, i int) {
	id := fmt.Sprintf("s%02d", i)
	starts := noon.Add(time.Duration(rapid.IntRange(-2, 12).Draw(t, "hour")) * time.Hour)
	k := rapid.IntRange(0, 4).Draw(t, "cinema")
	s := &search.Show{
		ID: catalog.ShowID(id), Movie: catalog.MovieID(fmt.Sprint("f", rapid.IntRange(0, 6).Draw(t, "film"))),
		City: []catalog.CityID{"a-aa", "b-bb"}[k%2], Layout: catalog.LayoutID(fmt.Sprint("h", k%2)),
		Cinema:   catalog.Cinema{ID: catalog.CinemaID(fmt.Sprint("c", k)), Lat: 50 + float64(k)/10, Lon: 8 - float64(k)/7, PostalCode: []string{"", "1010", "1020", "2000", "10"}[k]},
		StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), OnSale: rapid.IntRange(0, 9).Draw(t, "cancelled") > 0,
		Prices: []catalog.Price{{Type: seatmap.Regular, Amount: money.Amount{Minor: int64(rapid.IntRange(8, 12).Draw(t, "price")), Currency: "EUR"}}},
	}
	if k == 3 {
		s.Prices = append(s.Prices, catalog.Price{Type: seatmap.Wheelchair, Amount: s.Prices[0].Amount})
	}
	rows[search.Key{Kind: search.OfShow, ID: id}] = search.Row{Show: s}
	if rapid.Bool().Draw(t, "touched") {
		rows[search.Key{Kind: search.OfStock, ID: id}] = search.Row{Stock: &search.Stock{
			Show: s.ID, Until: s.EndsAt, Together: rapid.IntRange(0, 10).Draw(t, "together"),
			Statuses: map[seatmap.SeatType]seatmap.Availability{seatmap.Regular: rapid.SampledFrom([]seatmap.Availability{seatmap.Available, seatmap.AlmostFull, seatmap.Full}).Draw(t, "status")},
		}}
	}
}

func drawQuery(t *rapid.T) (q search.Query, order string) {
	maybe := func(label string) bool { return rapid.IntRange(0, 3).Draw(t, label+"?") == 0 }
	order = rapid.SampledFrom(search.Orders()).Draw(t, "order")
	q.Order, _ = search.ParseOrder(order)
	q.Limit = rapid.IntRange(1, 7).Draw(t, "limit")
	if rapid.Bool().Draw(t, "keyword?") {
		q.Keyword = strings.Join(rapid.SliceOfN(rapid.SampledFrom(typed), 1, 2).Draw(t, "keyword"), " ")
	}
	if maybe("city") {
		q.City = "a-aa"
	}
	if order == "distance,asc" || maybe("near") {
		q.Near = &search.Point{Lat: 50 + rapid.Float64Range(-1, 1).Draw(t, "lat"), Lon: 8}
		if maybe("radius") {
			q.Metres = int32(rapid.IntRange(1, 60_000).Draw(t, "radius"))
		}
	}
	if maybe("postal") {
		q.Postal = rapid.SampledFrom([]string{"10", "1010", "2", "9"}).Draw(t, "postal")
	}
	if maybe("from") {
		q.From = noon.Add(time.Duration(rapid.IntRange(-1, 12).Draw(t, "from")) * time.Hour)
	}
	if maybe("to") {
		q.To = noon.Add(time.Duration(rapid.IntRange(-1, 12).Draw(t, "to")) * time.Hour)
	}
	if maybe("language") {
		q.Language = rapid.SampledFrom(tongues).Draw(t, "language")
	}
	if maybe("genre") {
		q.Genre = rapid.SampledFrom(genres).Draw(t, "genre")
	}
	if maybe("format") {
		q.Format = "IMAX"
	}
	if maybe("place") {
		q.Place = seatmap.Wheelchair
	}
	if maybe("price") {
		q.Price = &search.PriceRange{Currency: "EUR", Min: int64(rapid.IntRange(8, 10).Draw(t, "min")), Max: int64(rapid.IntRange(9, 12).Draw(t, "max"))}
	}
	if maybe("together") {
		q.Together = rapid.IntRange(1, 10).Draw(t, "together")
	}
	return q, order
}

func indexOf(t rapid.TB, rows search.Rows) *Index {
	t.Helper()
	ix, err := Empty().With(shelf.News{Rows: rows, Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func close(ix *Index) {
	if ix.words != nil {
		ix.words.close()
	}
}

// pages follows next to the end.
func pages(t rapid.TB, ix *Index, q search.Query) (ids []string) {
	for range 100 {
		a, err := ix.Search(q, noon)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Items) > q.Limit || a.Next != "" && len(a.Items) != q.Limit {
			t.Fatalf("a page of %d of %d, next %q", len(a.Items), q.Limit, a.Next)
		}
		for _, it := range a.Items {
			ids = append(ids, string(it.Show.ID))
		}
		if q.Cursor = a.Next; a.Next == "" {
			return ids
		}
	}
	t.Fatal("no end of pages")
	return nil
}

func idsOf(shows []*search.Show) (ids []string) {
	for _, s := range shows {
		ids = append(ids, string(s.ID))
	}
	return ids
}

// TestOracle: set, order and pages of random questions about random worlds.
func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawWorld(t)
		ix := indexOf(t, rows)
		defer close(ix)
		for range 5 {
			q, order := drawQuery(t)
			want := idsOf(oracle{rows}.shows(q, order, noon))
			if got := pages(t, ix, q); !slices.Equal(got, want) {
				t.Fatalf("%s %+v:\n got %v\nwant %v", order, q, got, want)
			}
		}
	})
}

// TestSwap: batch by batch the index is what it would be made anew, and a reader on
// his way through the pages meets each show that both have, unchanged, once.
func TestSwap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawWorld(t)
		ix := indexOf(t, rows)
		defer func() { close(ix) }()
		q, order := drawQuery(t)
		before := oracle{rows}.shows(q, order, noon)
		first, err := ix.Search(q, noon)
		if err != nil {
			t.Fatal(err)
		}
		batch := search.Rows{}
		if rapid.Bool().Draw(t, "a film?") {
			batch[search.Key{Kind: search.OfFilm, ID: "f9"}] = search.Row{Film: drawFilm(t, 9)}
		}
		for range rapid.IntRange(0, 10).Draw(t, "changes") {
			i := rapid.IntRange(0, 70).Draw(t, "which")
			drawShow(t, batch, i)
			switch key := fmt.Sprintf("s%02d", i); rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				batch[search.Key{Kind: search.OfShow, ID: key}] = search.Row{}
			case 1:
				delete(batch, search.Key{Kind: search.OfShow, ID: key})
			}
		}
		next, err := ix.With(shelf.News{Rows: batch})
		if err != nil {
			t.Fatal(err)
		}
		if next.words != ix.words {
			defer close(next)
		}
		after := rows.Over(batch)
		want := oracle{after}.shows(q, order, noon)
		if got := pages(t, next, q); !slices.Equal(got, idsOf(want)) {
			t.Fatalf("after the batch:\n got %v\nwant %v", got, idsOf(want))
		}
		if first.Next == "" {
			return
		}
		seen := map[string]int{}
		for _, it := range first.Items {
			seen[string(it.Show.ID)]++
		}
		q.Cursor = first.Next
		for _, id := range pages(t, next, q) {
			seen[id]++
		}
		for _, s := range before {
			same := slices.ContainsFunc(want, func(w *search.Show) bool { return w == s })
			if n := seen[string(s.ID)]; same && n != 1 {
				t.Fatalf("%s came %d times", s.ID, n)
			}
		}
	})
}

func TestMetresAgainstCosines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat, lon := rapid.Float64Range(-90, 90), rapid.Float64Range(-180, 180)
		a, b := search.Point{Lat: lat.Draw(t, "lat"), Lon: lon.Draw(t, "lon")}, search.Point{Lat: lat.Draw(t, "lat"), Lon: lon.Draw(t, "lon")}
		if h, c := metres(a, b), cosines(a, b); h-c > 1 && h > 1000 || c-h > 1 && h > 1000 {
			t.Fatalf("%v %v: %d, %d", a, b, h, c)
		}
	})
	if d := metres(search.Point{Lat: 48.8566, Lon: 2.3522}, search.Point{Lat: 51.5074, Lon: -0.1278}); d < 343_000 || d > 344_500 {
		t.Errorf("Paris is %d m from London", d)
	}
}
