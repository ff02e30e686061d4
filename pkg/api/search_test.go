package api

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/search/engine"
	"github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// finder is an index that stands still, of what the world's catalogue has.
type finder struct{ index *engine.Index }

func (f finder) Search(_ context.Context, q search.Query, now time.Time) (search.Answer, error) {
	return f.index.Search(q, now)
}

func newFinder(t testing.TB) Finder {
	t.Helper()
	rows := search.Rows{{Kind: search.OfHall, ID: "mini-16"}: {Hall: &search.Hall{ID: "mini-16", Format: "IMAX", Together: 4}}}
	for _, c := range cities() {
		rows[search.Key{Kind: search.OfCity, ID: string(c.ID)}] = search.Row{City: &c}
	}
	for _, m := range movies() {
		rows[search.Key{Kind: search.OfFilm, ID: string(m.ID)}] = search.Row{Film: &m}
	}
	for _, s := range shows() {
		row := search.ShowOf(s)
		rows[search.Key{Kind: search.OfShow, ID: string(s.ID)}] = search.Row{Show: &row}
		rows[search.Key{Kind: search.OfStock, ID: string(s.ID)}] = search.Row{Stock: &search.Stock{
			Show: s.ID, Until: s.EndsAt, Together: -1, Statuses: map[seatmap.SeatType]seatmap.Availability{seatmap.Regular: seatmap.AlmostFull},
		}}
	}
	ix, err := engine.Empty().With(shelf.News{Rows: rows, Whole: true})
	must(t, err)
	return finder{ix}
}

func TestSearchAnswersAsRequired(t *testing.T) {
	w := newWorld(t)
	a := w.expect(get("/search/movies?keyword=metropolis&city=bern&results_per_page=1&includeSpellcheck=yes&sorting_order=date,asc"), 200, "")
	if got := slices.Sorted(maps.Keys(a.doc)); !slices.Equal(got, []string{"items", "next_cursor", "suggestions"}) {
		t.Errorf("members %v", got)
	}
	found := items(a)
	if len(found) != 1 {
		t.Fatalf("%d items", len(found))
	}
	members := []string{"Country", "Description", "Duration", "EndTime", "Genre", "Language", "MovieID", "ReleaseDate", "Seats", "ShowID", "StartTime", "Title"}
	if got := slices.Sorted(maps.Keys(found[0])); !slices.Equal(got, members) {
		t.Errorf("members %v, want %v", got, members)
	}
	text, err := json.Marshal(found[0]["Seats"].([]any)[0])
	must(t, err)
	if !strings.HasPrefix(string(text), `{"Price":{"amount":`) || !strings.HasSuffix(string(text), `"Status":"Almost Full","Type":"Regular"}`) {
		t.Errorf("seats %s", text)
	}
	if found[0]["MovieID"] != "metropolis" || found[0]["Duration"] != 153.0 {
		t.Errorf("%v", found[0])
	}
}

func TestSearchPages(t *testing.T) {
	w := newWorld(t)
	all := w.expect(get("/search/movies?results_per_page=30"), 200, "")
	var met []string
	path := "/search/movies?results_per_page=1"
	for cursor := ""; ; {
		a := w.expect(get(path+cursor), 200, "")
		for _, it := range items(a) {
			met = append(met, it["ShowID"].(string))
		}
		if a.doc["next_cursor"] == nil {
			break
		}
		cursor = "&cursor=" + a.str("next_cursor")
	}
	var want []string
	for _, it := range items(all) {
		want = append(want, it["ShowID"].(string))
	}
	if len(want) < 2 || !slices.Equal(met, want) {
		t.Errorf("page by page %v, at once %v", met, want)
	}
}

func TestSearchParameters(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		query string
		finds bool
	}{
		{"", true}, {"keyword=", true}, {"keyword=metropolsi", true}, {"keyword=nowhere", false}, {"city=bern", true}, {"city=tokyo", false},
		{"lat_long=46.948,7.4474&radius=20000", true}, {"lat_long=-46.948,-7&radius=0.5", false}, {"lat_long=46.948,7.4474&sorting_order=distance,asc", true},
		{"start_datetime=2026-03-01T00:00:00Z", true}, {"start_datetime=2099-03-01T00:00:00+08:00", false}, {"start_datetime=2026-03-01T00:00:00+08:00", true},
		{"end_datetime=2000-03-01T00:00:00Z", false}, {"postal_code=3000", false}, {"language=de", true}, {"language=en", false}, {"genre=Science Fiction", true},
		{"genre=drama", false}, {"format=imax", true}, {"format=none", false}, {"accessibility=wheelchair&api_dev_key=k", true}, {"seats_together=4", true}, {"seats_together=5", false},
		{"currency=CHF&price_min=0", false}, {"currency=USD&price_max=9007199254740992", true}, {"currency=USD&price_min=2001", false}, {"facets=yes&includeSpellcheck=no", true},
	} {
		a := w.expect(get("/search/movies?"+c.query), 200, "")
		if got := len(items(a)) > 0; got != c.finds {
			t.Errorf("%s finds something: %v", c.query, got)
		}
	}
	for _, order := range search.Orders() {
		w.expect(get("/search/movies?lat_long=1,1&sorting_order="+order), 200, "")
	}
	a := w.expect(get("/search/movies?facets=yes"), 200, "")
	if f, _ := a.doc["facets"].(map[string]any); len(f) != 4 {
		t.Errorf("facets %v", a.doc["facets"])
	}
}

func TestSearchRefuses(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{
		"results_per_page=0", "results_per_page=31", "results_per_page=", "results_per_page=x", "results_per_page=-1", "results_per_page=01",
		"cursor=", "cursor=bWFkZS11cA", "cursor=%", "sorting_order=", "sorting_order=price,asc", "sorting_order=distance,desc", "sorting_order=Name,asc", "sorting_order=distance,asc",
		"start_datetime=", "start_datetime=tomorrow", "start_datetime=2026-03-01", "start_datetime=2026-03-01T20:00:00", "end_datetime=2026-02-30T00:00:00Z", "end_datetime=9999-12-31T23:59:59Z", "start_datetime=2026-03-02T00:00:00Z&end_datetime=2026-03-01T00:00:00Z",
		"lat_long=", "lat_long=1", "lat_long=91,0", "lat_long=0,181", "lat_long=NaN,0", "lat_long=0x1,0", "lat_long=1,2,3", "lat_long=1e1,2", "lat_long=.,.",
		"radius=5", "lat_long=1,1&radius=0", "lat_long=1,1&radius=-1", "lat_long=1,1&radius=x", "lat_long=1,1&radius=20017", "city=bern&radius=5",
		"includeSpellcheck=true", "includeSpellcheck=", "facets=1", "city=", "postal_code=", "postal_code=" + strings.Repeat("1", 65), "keyword=" + strings.Repeat("a", 201),
		"accessibility=stairs", "seats_together=0", "seats_together=11", "price_min=1", "price_max=1", "currency=CHF", "currency=chf&price_min=1", "currency=CHF&price_min=2&price_max=1",
		"currency=CHF&price_min=-1", "currency=CHF&price_min=01", "currency=CHF&price_min=1.5", "currency=CHF&price_max=9007199254740993", "language=", "genre=", "format=",
		"limit=5", "keyword=a&keyword=b", "keyword=\xff", "language=" + strings.Repeat("a", 65),
	} {
		a := w.expect(get("/search/movies?"+query), 400, "bad_request")
		if a.str("detail") == problems["bad_request"].detail {
			t.Errorf("%s: the detail names nothing", query)
		}
	}
}

func FuzzSearchParameters(f *testing.F) {
	f.Add("lat_long", "1,2")
	f.Add("cursor", "bWFkZS11cA")
	f.Add("start_datetime", "2026-03-01T20:00:00+01:00")
	f.Fuzz(func(t *testing.T, name, text string) {
		read := searchParameters[name]
		if read == nil {
			return
		}
		var q search.Query
		if err := read(&q, text); err != nil && codeOf(err) != "bad_request" && codeOf(err) != "not_found" {
			t.Fatalf("%s=%q: %v", name, text, err)
		}
	})
}
