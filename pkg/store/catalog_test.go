package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func emptyCatalog() (store.Catalog, *memstore.DB) {
	db := memstore.New(memstore.Options{Clock: func() time.Time { return noon }})
	return store.NewCatalog(db), db
}

func catalogShow(id string, starts time.Time) catalog.Show {
	return catalog.Show{
		ID: catalog.ShowID(id), MovieID: "coco", City: "oslo-no", Cinema: catalog.Cinema{ID: "oslo-no-01", Name: "Kestrel", Lat: 59.91273, Lon: -10.74609, PostalCode: "0150"},
		Hall: "Hall 1", LayoutID: "arthouse-40", StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), LocalDate: "2026-11-21",
		Prices: []catalog.Price{
			{Type: seatmap.Regular, Amount: money.Amount{Minor: 1299, Currency: "USD"}},
			{Type: seatmap.Loveseat, Amount: money.Amount{Minor: 2749, Currency: "USD"}},
		},
		SaleOpensAt: starts.AddDate(0, 0, -14), SaleClosesAt: starts, Status: catalog.OnSale,
	}
}

func mustLoad(t *testing.T, c store.Catalog, rows ...store.CatalogRow) int {
	t.Helper()
	n, err := c.Load(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func same(t rapid.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func TestCatalogReturnsWhatWasLoaded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _ := emptyCatalog()
		word := rapid.StringN(1, 12, -1)
		degrees := rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-9_000_000, 9_000_000).Draw(t, "deg")) / 1e5 })
		instant := rapid.Custom(func(t *rapid.T) time.Time {
			return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).UTC()
		})
		city := catalog.City{ID: "a-b", Name: word.Draw(t, "name"), LocalName: word.Draw(t, "local"), ChineseName: "", Country: "NO", Lat: degrees.Draw(t, "lat"), Lon: degrees.Draw(t, "lon")}
		film := catalog.Movie{ID: "m", Title: word.Draw(t, "title"), Genres: rapid.SliceOfN(word, 0, 3).Draw(t, "genres"), Language: "no", RuntimeMinutes: rapid.IntRange(0, 300).Draw(t, "runtime"), ReleaseDate: "2017", Country: "US", Description: word.Draw(t, "text"),
			OriginalTitle: word.Draw(t, "original"), ChineseTitle: word.Draw(t, "chinese"), ChineseDescription: word.Draw(t, "chinese text"), Directors: rapid.SliceOfN(word, 0, 3).Draw(t, "directors")}
		on := catalog.NowShowing{Movie: film, LastStart: instant.Draw(t, "last")}
		show := catalogShow("s", instant.Draw(t, "starts"))
		show.Status = rapid.SampledFrom([]catalog.Status{catalog.OnSale, catalog.Cancelled}).Draw(t, "status")
		show.SingleGap, show.Challenge, show.NeedsContact = rapid.Bool().Draw(t, "gap"), rapid.Bool().Draw(t, "work"), rapid.Bool().Draw(t, "contact")
		show.Prices[0].Amount.Minor = rapid.Int64Range(0, 1<<53).Draw(t, "minor")
		text := rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "source")

		_, err := c.Load(context.Background(), []store.CatalogRow{
			store.CityRow(city), store.MovieRow(film), store.NowShowingRow(city.ID, on), store.ShowRow(show), store.LayoutRow("l", text),
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(film.Genres) == 0 {
			film.Genres, on.Genres = nil, nil
		}
		if len(film.Directors) == 0 {
			film.Directors = nil
		}
		on.OriginalTitle, on.ChineseTitle, on.ChineseDescription, on.Directors = "", "", "", nil // a listing leaves them out
		ctx := context.Background()
		read := func(what string, want any, got any, err error) {
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			same(t, what, got, want)
		}
		gotCity, err := c.City(ctx, "a-b")
		read("city", city, gotCity, err)
		cities, err := c.Cities(ctx)
		read("cities", []catalog.City{city}, cities, err)
		gotFilm, err := c.Movie(ctx, "m")
		read("film", film, gotFilm, err)
		ons, err := c.MoviesIn(ctx, "a-b")
		read("now showing", []catalog.NowShowing{on}, ons, err)
		gotShow, err := c.Show(ctx, "s")
		read("show", show, gotShow, err)
		times, err := c.Showtimes(ctx, show.MovieID, show.City, show.StartsAt, show.StartsAt.Add(time.Millisecond))
		read("showtimes", []catalog.Show{show}, times, err)
		gotText, err := c.LayoutSource(ctx, "l")
		read("layout", text, gotText, err)
	})
}

func TestCatalogNamesWhatIsNotThere(t *testing.T) {
	c, _ := emptyCatalog()
	ctx := t.Context()
	_, city := c.City(ctx, "x")
	_, movie := c.Movie(ctx, "x")
	_, show := c.Show(ctx, "x")
	_, layout := c.LayoutSource(ctx, "x")
	for _, tt := range []struct{ got, want error }{
		{city, catalog.ErrNoCity}, {movie, catalog.ErrNoMovie}, {show, catalog.ErrNoShow}, {layout, catalog.ErrNoLayout},
	} {
		if !errors.Is(tt.got, tt.want) || fault.KindOf(tt.got) != fault.NotFound {
			t.Errorf("got %v, want %v", tt.got, tt.want)
		}
	}
	if ms, err := c.MoviesIn(ctx, "x"); err != nil || len(ms) != 0 {
		t.Errorf("films of no city: %v, %v", ms, err)
	}
}

func TestShowtimesAreOfTheSpanInOrder(t *testing.T) {
	c, _ := emptyCatalog()
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	var rows []store.CatalogRow
	for _, h := range []int{30, 5, 0, 12, -1, 29} {
		rows = append(rows, store.ShowRow(catalogShow(fmt.Sprint("s", h), at(h))))
	}
	other := catalogShow("elsewhere", at(6))
	other.City = "bergen-no"
	mustLoad(t, c, append(rows, store.ShowRow(other))...)
	for _, tt := range []struct {
		from, before int
		want         string
	}{
		{-2, 40, "s-1 s0 s5 s12 s29 s30"},
		{0, 30, "s0 s5 s12 s29"},
		{1, 12, "s5"},
		{6, 12, ""},
		{5, 5, ""},
		{20, 3, ""},
	} {
		shows, err := c.Showtimes(t.Context(), "coco", "oslo-no", at(tt.from), at(tt.before))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, s := range shows {
			ids = append(ids, string(s.ID))
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("from %d before %d: %q, want %q", tt.from, tt.before, got, tt.want)
		}
	}
}

func TestALongListIsReadToItsEnd(t *testing.T) {
	c, _ := emptyCatalog()
	const n = 2000 // about 2 MB: more than one page
	long := strings.Repeat("x", 1000)
	var rows []store.CatalogRow
	for i := range n {
		rows = append(rows, store.CityRow(catalog.City{ID: catalog.CityID(fmt.Sprintf("c%04d", i)), Name: long, Country: "NO"}))
	}
	mustLoad(t, c, rows...)
	cities, err := c.Cities(t.Context())
	if err != nil || len(cities) != n || cities[n-1].ID != "c1999" {
		t.Fatalf("%d cities, %v", len(cities), err)
	}
}

func TestLoadingAgainWritesOnlyWhatDiffers(t *testing.T) {
	c, db := emptyCatalog()
	show := catalogShow("s", noon)
	rows := []store.CatalogRow{
		store.CityRow(catalog.City{ID: "a", Name: "A", Country: "NO"}), store.ShowRow(show), store.LayoutRow("l", []byte("{}")),
	}
	if n := mustLoad(t, c, rows...); n != 4 {
		t.Fatalf("first: %d items, want 4", n)
	}
	if n := mustLoad(t, c, rows...); n != 0 {
		t.Errorf("again: %d items, want 0", n)
	}
	rows[0] = store.CityRow(catalog.City{ID: "a", Name: "B", Country: "NO"})
	if n := mustLoad(t, c, rows...); n != 1 {
		t.Errorf("one changed: %d items, want 1", n)
	}
	if got, _ := c.City(t.Context(), "a"); got.Name != "B" {
		t.Errorf("name %q, want B", got.Name)
	}
	// An organiser's change leaves the hash alone.
	cancel := store.Write{Key: store.Key{Table: store.TableCatalog, PK: "SHOW#s", SK: "SHOW"}, Update: []store.Change{{Attr: "status", Op: store.SetTo, To: "cancelled"}}}
	if err := db.Transact(t.Context(), []store.Write{cancel}, ""); err != nil {
		t.Fatal(err)
	}
	if n := mustLoad(t, c, rows...); n != 0 {
		t.Errorf("after an organiser's change: %d items, want 0", n)
	}
	if got, _ := c.Show(t.Context(), "s"); got.Status != catalog.Cancelled {
		t.Errorf("status %v, want cancelled", got.Status)
	}
}

func TestAShowMovesInTheListing(t *testing.T) {
	c, _ := emptyCatalog()
	mustLoad(t, c, store.ShowRow(catalogShow("s", noon)))
	later := catalogShow("s", noon.Add(time.Hour))
	if n := mustLoad(t, c, store.ShowRow(later)); n != 3 {
		t.Errorf("%d items, want the show, its new place and the old one", n)
	}
	got, err := c.Showtimes(t.Context(), later.MovieID, later.City, noon.AddDate(0, 0, -1), noon.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "listing", got, []catalog.Show{later})
}

// A listing that an older loader wrote as whole shows is read beside new items.
func TestAListingOfWholeShowsIsRead(t *testing.T) {
	c, db := emptyCatalog()
	old, young := catalogShow("old", noon), catalogShow("young", noon)
	mustLoad(t, c, store.ShowRow(old), store.ShowRow(young))
	whole, err := db.Get(t.Context(), store.Key{Table: store.TableCatalog, PK: "SHOW#old", SK: "SHOW"}, true)
	if err != nil {
		t.Fatal(err)
	}
	k := store.Key{Table: store.TableCatalog, PK: "SHOWS#coco#oslo-no", SK: "2026-11-21T12:00:00.000Z#old"}
	if err := db.Transact(t.Context(), []store.Write{{Key: k, Put: whole}}, ""); err != nil {
		t.Fatal(err)
	}
	got, err := c.Showtimes(t.Context(), "coco", "oslo-no", noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "listing", got, []catalog.Show{old, young})
}

func TestAMalformedListingIsAnError(t *testing.T) {
	for _, tt := range []struct {
		attr string
		to   any
	}{
		{"p", "CNY regular"}, {"p", "CNY throne=5"}, {"p", "CNY regular=-5"}, {"p", "cny regular=5"}, {"p", int64(1)},
		{"x", "sold_out"}, {"e", "late"}, {"c", int64(7)},
	} {
		c, db := emptyCatalog()
		mustLoad(t, c, store.ShowRow(catalogShow("s", noon)))
		k := store.Key{Table: store.TableCatalog, PK: "SHOWS#coco#oslo-no", SK: "2026-11-21T12:00:00.000Z#s"}
		if err := db.Transact(t.Context(), []store.Write{{Key: k, Update: []store.Change{{Attr: tt.attr, Op: store.SetTo, To: tt.to}}}}, ""); err != nil {
			t.Fatal(err)
		}
		got, err := c.Showtimes(t.Context(), "coco", "oslo-no", noon, noon.Add(time.Hour))
		if err == nil || !strings.Contains(err.Error(), `"`+tt.attr+`"`) && !strings.Contains(err.Error(), tt.attr) {
			t.Errorf("%s = %v: %v, %v", tt.attr, tt.to, got, err)
		}
	}
}

func TestLayoutsAreFixed(t *testing.T) {
	c, _ := emptyCatalog()
	mustLoad(t, c, store.LayoutRow("l", []byte("one")), store.ShowRow(catalogShow("s", noon)))
	if _, err := c.Load(t.Context(), []store.CatalogRow{store.LayoutRow("l", []byte("two"))}); !errors.Is(err, store.ErrLayoutFixed) {
		t.Errorf("another text: %v", err)
	}
	other := catalogShow("s", noon)
	other.LayoutID = "imax-600"
	if _, err := c.Load(t.Context(), []store.CatalogRow{store.ShowRow(other)}); !errors.Is(err, store.ErrLayoutFixed) {
		t.Errorf("another layout of a show: %v", err)
	}
}

// Loading fewer cities takes none off the list, and the same ones write nothing.
func TestTheCityListGrows(t *testing.T) {
	c, _ := emptyCatalog()
	city := func(id, name string) catalog.City {
		return catalog.City{ID: catalog.CityID(id), Name: name, LocalName: "東京", ChineseName: "东京", Country: "JP", Lat: 35.6895, Lon: -139.69171}
	}
	for _, tt := range []struct {
		load  []catalog.City
		items int
		want  []catalog.City
	}{
		{[]catalog.City{city("b", "B"), city("a", "A")}, 1, []catalog.City{city("a", "A"), city("b", "B")}},
		{[]catalog.City{city("a", "A")}, 0, []catalog.City{city("a", "A"), city("b", "B")}},
		{[]catalog.City{city("a", "Ä"), city("c", "C")}, 1, []catalog.City{city("a", "Ä"), city("b", "B"), city("c", "C")}},
	} {
		if n := mustLoad(t, c, store.CityListRow(tt.load)); n != tt.items {
			t.Errorf("%d items, want %d", n, tt.items)
		}
		got, err := c.Cities(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, "cities", got, tt.want)
	}
}

func TestAMalformedCityListIsAnError(t *testing.T) {
	for _, packed := range [][]byte{nil, []byte("no deflate"), {0x2a, 0x01, 0x00}} {
		c, db := emptyCatalog()
		k := store.Key{Table: store.TableCatalog, PK: "CITYLIST", SK: "LIST"}
		if err := db.Transact(t.Context(), []store.Write{{Key: k, Put: store.Item{"packed": packed}}}, ""); err != nil {
			t.Fatal(err)
		}
		if cities, err := c.Cities(t.Context()); err == nil || !strings.Contains(err.Error(), "packed") {
			t.Errorf("%q: %v, %v", packed, cities, err)
		}
	}
}

func TestLastStartOnlyGrows(t *testing.T) {
	c, _ := emptyCatalog()
	for _, tt := range []struct{ load, want, items int }{{5, 5, 1}, {2, 5, 0}, {9, 9, 1}, {9, 9, 0}} {
		on := catalog.NowShowing{Movie: catalog.Movie{ID: "m"}, LastStart: noon.Add(time.Duration(tt.load) * time.Hour)}
		if n := mustLoad(t, c, store.NowShowingRow("a", on)); n != tt.items {
			t.Errorf("load %d: %d items, want %d", tt.load, n, tt.items)
		}
		ms, err := c.MoviesIn(t.Context(), "a")
		if err != nil || len(ms) != 1 || !ms[0].LastStart.Equal(noon.Add(time.Duration(tt.want)*time.Hour)) {
			t.Errorf("load %d: %v, %v", tt.load, ms, err)
		}
	}
}

func TestLoadSplitsIntoTransactions(t *testing.T) {
	writes := 0
	db := memstore.New(memstore.Options{
		Clock: func() time.Time { return noon },
		Faults: func(op memstore.Op) memstore.Fault {
			if op.Kind == memstore.OpTransact {
				writes++
			}
			return memstore.NoFault
		},
	})
	c := store.NewCatalog(db)
	var rows []store.CatalogRow
	for i := range 120 {
		rows = append(rows, store.ShowRow(catalogShow(fmt.Sprint("s", i), noon)))
	}
	if n := mustLoad(t, c, rows...); n != 240 || writes != 3 {
		t.Errorf("%d items in %d transactions, want 240 in 3", n, writes)
	}
}

func TestLoadTellsWhatStoodInTheWay(t *testing.T) {
	for _, tt := range []struct {
		fault memstore.Fault
		want  error
	}{
		{memstore.Throttle, store.ErrThrottled},
		{memstore.Conflict, store.ErrContended},
		{memstore.LoseReply, store.ErrUnknown},
	} {
		db := memstore.New(memstore.Options{
			Clock: func() time.Time { return noon },
			Faults: func(op memstore.Op) memstore.Fault {
				if op.Kind == memstore.OpTransact {
					return tt.fault
				}
				return memstore.NoFault
			},
		})
		_, err := store.NewCatalog(db).Load(t.Context(), []store.CatalogRow{store.ShowRow(catalogShow("s", noon))})
		if !errors.Is(err, tt.want) {
			t.Errorf("fault %d: %v, want %v", tt.fault, err, tt.want)
		}
	}
}

// A second loader that comes between reading and writing is seen, and what it
// wrote stays.
func TestLoadIsNotOverrun(t *testing.T) {
	named := func(name string) store.CatalogRow { return store.CityRow(catalog.City{ID: "a", Name: name}) }
	for _, before := range [][]store.CatalogRow{nil, {named("old")}} {
		var db *memstore.DB
		between := false
		db = memstore.New(memstore.Options{
			Clock: func() time.Time { return noon },
			Faults: func(op memstore.Op) memstore.Fault {
				if op.Kind == memstore.OpTransact && between {
					between = false
					if _, err := store.NewCatalog(db).Load(context.Background(), []store.CatalogRow{named("first")}); err != nil {
						t.Error(err)
					}
				}
				return memstore.NoFault
			},
		})
		c := store.NewCatalog(db)
		mustLoad(t, c, before...)
		between = true
		if _, err := c.Load(t.Context(), []store.CatalogRow{named("second")}); !errors.Is(err, store.ErrStale) {
			t.Errorf("got %v, want stale", err)
		}
		if got, err := c.City(t.Context(), "a"); err != nil || got.Name != "first" {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestAMalformedRowIsAnError(t *testing.T) {
	for _, tt := range []struct {
		attr string
		to   any
	}{
		{"status", "sold_out"}, {"starts", "tomorrow"}, {"prices", []any{"free"}}, {"prices", []any{map[string]any{"type": "throne", "minor": int64(1), "currency": "USD"}}},
		{"prices", []any{map[string]any{"type": "regular", "minor": int64(-1), "currency": "USD"}}}, {"layout", int64(7)}, {"lat", "north"},
	} {
		c, db := emptyCatalog()
		mustLoad(t, c, store.ShowRow(catalogShow("s", noon)))
		bad := store.Write{Key: store.Key{Table: store.TableCatalog, PK: "SHOW#s", SK: "SHOW"}, Update: []store.Change{{Attr: tt.attr, Op: store.SetTo, To: tt.to}}}
		if err := db.Transact(t.Context(), []store.Write{bad}, ""); err != nil {
			t.Fatal(err)
		}
		if s, err := c.Show(t.Context(), "s"); err == nil || !strings.Contains(err.Error(), tt.attr) {
			t.Errorf("%s = %v: got %v, %v", tt.attr, tt.to, s, err)
		}
	}
}

func TestWhatReadingTheCatalogueCosts(t *testing.T) {
	c, db := emptyCatalog()
	var rows []store.CatalogRow
	var cities []catalog.City
	for i := range 500 {
		city := catalog.City{ID: catalog.CityID(fmt.Sprintf("san-antonio-%03d", i)), Name: "San Antonio", LocalName: "北京", ChineseName: "北京", Country: "US", Lat: 29.42412, Lon: -98.49363}
		rows, cities = append(rows, store.CityRow(city)), append(cities, city)
	}
	rows = append(rows, store.CityListRow(cities))
	for i := range 24 {
		show := catalogShow(fmt.Sprintf("san-antonio-us-01-20261121-%d", i), noon)
		for _, kind := range []seatmap.SeatType{seatmap.Premium, seatmap.Wheelchair, seatmap.Companion} {
			show.Prices = append(show.Prices, catalog.Price{Type: kind, Amount: money.Amount{Minor: 1599, Currency: "USD"}})
		}
		rows = append(rows, store.ShowRow(show))
	}
	mustLoad(t, c, append(rows, store.LayoutRow("arena-20000", make([]byte, 11<<10)))...)
	m := meter.New(db)
	c = store.NewCatalog(m)
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		read func() error
		want meter.Halves
	}{
		{"C1", func() error { _, err := c.Cities(ctx); return err }, meter.Halves(1)},
		{"C2", func() error { _, err := c.City(ctx, "san-antonio-001"); return err }, 1},
		{"C5", func() error { _, err := c.Showtimes(ctx, "coco", "oslo-no", noon, noon.Add(time.Hour)); return err }, 2},
		{"C6", func() error { _, err := c.Show(ctx, "san-antonio-us-01-20261121-1"); return err }, 1},
		{"C7", func() error { _, err := c.LayoutSource(ctx, "arena-20000"); return err }, 3},
	} {
		m.Reset()
		if err := tt.read(); err != nil {
			t.Fatal(err)
		}
		var requests int64
		var units meter.Halves
		got := m.Snapshot()
		for op, n := range got.Requests {
			requests += n
			units += got.Of(op)
		}
		if requests != 1 || units != tt.want {
			t.Errorf("%s: %d requests, %v units; want 1, %v", tt.name, requests, units, tt.want)
		}
	}
}

func TestARowWithoutAHashIsLoadedOver(t *testing.T) {
	c, db := emptyCatalog()
	k := store.Key{Table: store.TableCatalog, PK: "CITIES", SK: "a"}
	if err := db.Transact(t.Context(), []store.Write{{Key: k, Put: store.Item{"name": "by hand"}}}, ""); err != nil {
		t.Fatal(err)
	}
	if n := mustLoad(t, c, store.CityRow(catalog.City{ID: "a", Name: "A"})); n != 1 {
		t.Errorf("%d items, want 1", n)
	}
}

// Whatever an attribute has become, a row is read whole or refused.
func FuzzCatalogRows(f *testing.F) {
	f.Add("status", byte(0), "sold", int64(1))
	f.Add("prices", byte(2), "regular", int64(-1))
	f.Add("genres", byte(2), "Drama", int64(0))
	f.Fuzz(func(t *testing.T, attr string, kind byte, text string, n int64) {
		if attr == "" || attr == "pk" || attr == "sk" {
			return
		}
		c, db := emptyCatalog()
		mustLoad(t, c, store.ShowRow(catalogShow("s", noon)), store.MovieRow(catalog.Movie{ID: "m", Title: "M", Genres: []string{"Drama"}}))
		values := []any{text, n, []any{text, n}, []any{map[string]any{"type": text, "minor": n, "currency": text}}, n == 0, []byte(text), map[string]any{"type": text}}
		listing := store.Key{Table: store.TableCatalog, PK: "SHOWS#coco#oslo-no", SK: "2026-11-21T12:00:00.000Z#s"}
		for _, k := range []store.Key{listing, {Table: store.TableCatalog, PK: "SHOW#s", SK: "SHOW"}, {Table: store.TableCatalog, PK: "MOVIE#m", SK: "MOVIE"}} {
			change := store.Change{Attr: attr, Op: store.SetTo, To: values[int(kind)%len(values)]}
			if err := db.Transact(t.Context(), []store.Write{{Key: k, Update: []store.Change{change}}}, ""); err != nil {
				return
			}
		}
		shows, err := c.Showtimes(t.Context(), "coco", "oslo-no", noon, noon.Add(time.Hour))
		if err != nil {
			shows = nil
		}
		if s, err := c.Show(t.Context(), "s"); err == nil {
			shows = append(shows, s)
		}
		for _, s := range shows {
			for _, p := range s.Prices {
				if !p.Type.Valid() || !p.Amount.Valid() {
					t.Fatalf("taken: %v", p)
				}
			}
		}
		if _, err := c.Movie(t.Context(), "m"); err != nil && !strings.Contains(err.Error(), attr) {
			t.Fatalf("%v does not name %q", err, attr)
		}
	})
}
