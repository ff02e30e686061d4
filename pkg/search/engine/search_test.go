package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/seatmap"

	"github.com/fairseat/fairseat/pkg/search"
)

func film(id, title, chinese string, people ...string) search.Row {
	return search.Row{Film: &catalog.Movie{ID: catalog.MovieID(id), Title: title, ChineseTitle: chinese, Directors: people, Language: "en", Genres: []string{"Drama"}}}
}

// showOf is a show of the film so many hours after noon.
func showOf(id, movie string, after int) search.Row {
	starts := noon.Add(time.Duration(after) * time.Hour)
	return search.Row{Show: &search.Show{ID: catalog.ShowID(id), Movie: catalog.MovieID(movie), City: "a-aa", Layout: "h", StartsAt: starts, EndsAt: starts.Add(time.Hour), OnSale: true}}
}

func small() search.Rows {
	return search.Rows{
		{Kind: search.OfCity, ID: "a-aa"}:    {City: &catalog.City{ID: "a-aa"}},
		{Kind: search.OfHall, ID: "h"}:       {Hall: &search.Hall{ID: "h", Together: 5}},
		{Kind: search.OfFilm, ID: "amelie"}:  film("amelie", "Amélie", "天使爱美丽", "Jean-Pierre Jeunet"),
		{Kind: search.OfFilm, ID: "away"}:    film("away", "Spirited Away", "千与千寻", "Hayao Miyazaki"),
		{Kind: search.OfFilm, ID: "oceans"}:  film("oceans", "Ocean's Eleven", "十一罗汉", "Steven Soderbergh"),
		{Kind: search.OfFilm, ID: "dark"}:    film("dark", "The Dark Knight", "蝙蝠侠：黑暗骑士", "Christopher Nolan"),
		{Kind: search.OfShow, ID: "amelie1"}: showOf("amelie1", "amelie", 1),
		{Kind: search.OfShow, ID: "away1"}:   showOf("away1", "away", 2),
		{Kind: search.OfShow, ID: "oceans1"}: showOf("oceans1", "oceans", 3),
		{Kind: search.OfShow, ID: "dark1"}:   showOf("dark1", "dark", 4),
	}
}

func dateFirst() search.Order { o, _ := search.ParseOrder("date,asc"); return o }

func TestKeywords(t *testing.T) {
	ix := indexOf(t, small())
	defer close(ix)
	for keyword, want := range map[string]string{
		"amelie": "amelie1", "AMÉLIE": "amelie1", "Ame\u0301lie": "amelie1", "ＡＭＥＬＩＥ": "amelie1", "amelei": "amelie1", "amel": "amelie1",
		"千寻": "away1", "千与千寻": "away1", "千于千寻": "away1", "寻": "away1", "美丽": "amelie1", "千与": "away1", "丽爱": "",
		"miyazaki away": "away1", "miyazaky": "away1", "away amelie": "", "oceans": "oceans1", "ocean's": "oceans1", "ocean’s eleven": "oceans1",
		"dark knihgt": "dark1", "nolan": "dark1", "黑暗": "dark1", "drama": "amelie1 away1 oceans1 dark1", "zzz": "", "!!!": "", "jean-pierre": "amelie1", "\xff": "",
	} {
		got := strings.Join(pages(t, ix, search.Query{Keyword: keyword, Order: dateFirst(), Limit: 30}), " ")
		if got != want {
			t.Errorf("%q finds %q, want %q", keyword, got, want)
		}
	}
}

func TestSuggestions(t *testing.T) {
	ix := indexOf(t, small())
	defer close(ix)
	for keyword, want := range map[string]string{
		"amelei": "Amélie", "dark knihgt": "Dark Knight", "千于千寻": "千与千寻", "the drak knight": "The Dark Knight",
		"amelie": "", "zzzzzz": "", "ocaens elven": "Ocean's Eleven", "Hayao Miyasaki": "Hayao Miyazaki", "": "", "?": "",
	} {
		a, err := ix.Search(search.Query{Keyword: keyword, Order: dateFirst(), Limit: 1, Spell: true}, noon)
		if first := strings.Join(a.Suggestions[:min(1, len(a.Suggestions))], ""); err != nil || first != want {
			t.Errorf("%q: %q, %v; want %q first", keyword, a.Suggestions, err, want)
		}
		if len(a.Suggestions) > mostSuggestions {
			t.Errorf("%q: %d suggestions", keyword, len(a.Suggestions))
		}
	}
	if a, err := ix.Search(search.Query{Keyword: "amelei", Order: dateFirst(), Limit: 1}, noon); err != nil || len(a.Suggestions) > 0 {
		t.Errorf("unasked: %q, %v", a.Suggestions, err)
	}
}

func TestCursorsAreBoundToTheirQuestion(t *testing.T) {
	ix := indexOf(t, small())
	defer close(ix)
	q := search.Query{Keyword: "drama", Order: dateFirst(), Limit: 2, Near: &search.Point{Lat: 1, Lon: 2}, Price: nil}
	a, err := ix.Search(q, noon)
	if err != nil || a.Next == "" {
		t.Fatal(a.Next, err)
	}
	other := q
	other.Cursor, other.Limit, other.Spell = a.Next, 1, true
	if b, err := ix.Search(other, noon); err != nil || b.Items[0].Show.ID != "oceans1" {
		t.Errorf("with another length of page: %v, %v", b, err)
	}
	name, _ := search.ParseOrder("name,asc")
	for what, spoil := range map[string]func(*search.Query){
		"another keyword": func(q *search.Query) { q.Keyword = "dram" }, "another order": func(q *search.Query) { q.Order = name },
		"another point": func(q *search.Query) { q.Near = &search.Point{Lat: 1, Lon: 3} }, "a price": func(q *search.Query) { q.Price = &search.PriceRange{Currency: "EUR", Min: 0, Max: 1} },
		"a letter less": func(q *search.Query) { q.Cursor = q.Cursor[1:] }, "nothing": func(q *search.Query) { q.Cursor = "AA" }, "no base64": func(q *search.Query) { q.Cursor = "é" },
		"a city": func(q *search.Query) { q.City = "a-aa" }, "a time": func(q *search.Query) { q.To = noon.Add(99 * time.Hour) },
	} {
		p := q
		p.Cursor = a.Next
		spoil(&p)
		if _, err := ix.Search(p, noon); !errors.Is(err, search.ErrCursor) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRefusedQuestions(t *testing.T) {
	ix := indexOf(t, small())
	defer close(ix)
	far, _ := search.ParseOrder("distance,asc")
	if _, err := ix.Search(search.Query{Order: far, Limit: 1}, noon); !errors.Is(err, search.ErrNoPlace) {
		t.Errorf("distance from nowhere: %v", err)
	}
	if _, err := ix.Search(search.Query{Order: far, Limit: 1, City: "a-aa"}, noon); err != nil {
		t.Errorf("distance from the city: %v", err)
	}
	if _, err := ix.Search(search.Query{Order: far, Limit: 1, Postal: "99"}, noon); err != nil {
		t.Errorf("distance from a postal code: %v", err)
	}
	if _, err := ix.Search(search.Query{Order: dateFirst(), Limit: 1, City: "x"}, noon); !errors.Is(err, catalog.ErrNoCity) {
		t.Errorf("an unknown city: %v", err)
	}
	if a, err := Empty().Search(search.Query{Order: dateFirst(), Limit: 1, Keyword: "x", Spell: true, Facets: true}, noon); err != nil || len(a.Items) > 0 {
		t.Errorf("nothing at all: %v, %v", a, err)
	}
	if n := len(search.Orders()); n != 9 {
		t.Errorf("%d orders", n)
	}
}

func TestPostalCodes(t *testing.T) {
	for _, tt := range []struct {
		cinema, asked string
		want          bool
	}{
		{"SW1A", "sw1a 2aa", true}, {"SW1A 2AA", "SW1A", true}, {"100-0005", "1000005", true}, {"1010", "10", true}, {"1010", "10101", false},
		{"", "10", false}, {"1010", "", false}, {"E7", "E8 1AA", false}, {"10115", "1011", true}, {"1011", "10115", false}, {"1010", " - ", false},
	} {
		if got := inPostal(postal(tt.cinema), postal(tt.asked)); got != tt.want {
			t.Errorf("%q in %q: %v", tt.cinema, tt.asked, got)
		}
	}
}

// A facet counts as if nothing were asked for of its own kind.
func TestFacets(t *testing.T) {
	rows := small()
	rows[search.Key{Kind: search.OfHall, ID: "imax"}] = search.Row{Hall: &search.Hall{ID: "imax", Format: "IMAX"}}
	rows[search.Key{Kind: search.OfShow, ID: "away1"}].Show.Layout = "imax"
	rows[search.Key{Kind: search.OfFilm, ID: "away"}].Film.Language = "ja"
	rows[search.Key{Kind: search.OfShow, ID: "dark1"}].Show.Prices = []catalog.Price{{Type: seatmap.Wheelchair}}
	ix := indexOf(t, rows)
	defer close(ix)
	a, err := ix.Search(search.Query{Order: dateFirst(), Limit: 1, Language: "en", Facets: true}, noon)
	if err != nil {
		t.Fatal(err)
	}
	f := a.Facets
	if len(f.Language) != 2 || f.Language["en"] != 3 || f.Language["ja"] != 1 || len(f.Format) != 0 || f.Genre["Drama"] != 3 || f.Accessibility["wheelchair"] != 1 {
		t.Errorf("%+v", f)
	}
	a, err = ix.Search(search.Query{Order: dateFirst(), Limit: 1, Language: "en", Format: "imax", Facets: true}, noon)
	if f := a.Facets; err != nil || len(a.Items) != 0 || len(f.Language) != 1 || f.Language["ja"] != 1 || len(f.Genre) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

// shelfOf is a list and its objects in memory.
type shelfOf struct {
	sync.Mutex
	list    shelf.List
	objects map[string][]byte
	reads   int
	fail    error
}

func (s *shelfOf) List(context.Context, bool) (shelf.List, error) {
	s.Lock()
	defer s.Unlock()
	s.reads++
	return s.list, s.fail
}

func (s *shelfOf) MoveList(_ context.Context, _ int64, next shelf.List) error {
	s.list = next
	return nil
}

func (s *shelfOf) Get(_ context.Context, name string) ([]byte, error) { return s.objects[name], nil }

func (s *shelfOf) Put(_ context.Context, name string, b []byte) error {
	s.objects[name] = b
	return nil
}

func (s *shelfOf) Delete(context.Context, string) error { return nil }

func TestLiveFollows(t *testing.T) {
	s := &shelfOf{objects: map[string][]byte{}}
	now := noon
	clock := func() time.Time { return now }
	w := &shelf.Writer{Lists: s, Blobs: s, Clock: clock}
	var failed []error
	l := &Live{Reader: shelf.Reader{Lists: s, Blobs: s}, Clock: clock, Failed: func(_ context.Context, err error) { failed = append(failed, err) }}
	found := func() string {
		a, err := l.Search(t.Context(), search.Query{Order: dateFirst(), Limit: 30}, noon)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, it := range a.Items {
			ids = append(ids, string(it.Show.ID)+string(it.Statuses[seatmap.Regular]))
		}
		return strings.Join(ids, " ")
	}
	s.fail = errors.New("down")
	if _, err := l.Search(t.Context(), search.Query{Order: dateFirst(), Limit: 1}, noon); !errors.Is(err, s.fail) {
		t.Fatalf("without any index: %v", err)
	}
	s.fail = nil
	if got := found(); got != "" {
		t.Fatal(got)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	rows := small()
	rows[search.Key{Kind: search.OfShow, ID: "dark1"}].Show.Prices = []catalog.Price{{Type: seatmap.Regular}}
	must(w.Append(t.Context(), rows))
	if got := found(); got != "" {
		t.Fatalf("%q within the two seconds", got)
	}
	now = now.Add(every)
	if got := found(); got != "amelie1 away1 oceans1 dark1available" {
		t.Fatal(got)
	}
	before := l.index
	must(w.Append(t.Context(), search.Rows{{Kind: search.OfStock, ID: "dark1"}: {Stock: &search.Stock{Show: "dark1", Until: noon.Add(time.Hour), Statuses: map[seatmap.SeatType]seatmap.Availability{seatmap.Regular: seatmap.Full}}}}))
	now = now.Add(every)
	if got := found(); got != "amelie1 away1 oceans1 dark1full" || l.index.words != before.words {
		t.Fatalf("%q; words made anew: %v", got, l.index.words != before.words)
	}
	reads := s.reads
	for range 10 {
		found()
	}
	if s.reads != reads {
		t.Errorf("%d reads of the list within two seconds", s.reads-reads)
	}
	must(w.Append(t.Context(), search.Rows{{Kind: search.OfShow, ID: "away1"}: {}, {Kind: search.OfFilm, ID: "away"}: {}}))
	s.fail, now = errors.New("down"), now.Add(every)
	if got := found(); got != "amelie1 away1 oceans1 dark1full" || len(failed) != 1 {
		t.Errorf("%q, %v", got, failed)
	}
	s.fail = nil
	if got := found(); got != "amelie1 oceans1 dark1full" {
		t.Error(got)
	}
}

// A show whose film's row is on its way is not there yet, and then it is.
func TestAFilmComesLater(t *testing.T) {
	rows := small()
	away := search.Key{Kind: search.OfFilm, ID: "away"}
	late := rows[away]
	delete(rows, away)
	ix := indexOf(t, rows)
	defer close(ix)
	q := search.Query{Order: dateFirst(), Limit: 30}
	if got := pages(t, ix, q); slices.Contains(got, "away1") || len(got) != 3 {
		t.Error(got)
	}
	next, err := ix.With(shelf.News{Rows: search.Rows{away: late}})
	if err != nil {
		t.Fatal(err)
	}
	defer close(next)
	if got := pages(t, next, q); len(got) != 4 {
		t.Error(got)
	}
}
