package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

const folder = "../catalogue"

var now = time.Date(2026, 11, 21, 3, 30, 0, 0, time.UTC)

var catalogue = sync.OnceValues(func() (*files, error) { return readFiles(os.DirFS(folder)) })

func read(t testing.TB) *files {
	t.Helper()
	f, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// small is the real folder with ten of its cities and their cinemas: as strict and
// read sooner.
var small = sync.OnceValue(func() map[string][]string {
	dir := map[string][]string{}
	for _, name := range []string{"cities.json", "cinemas.json", "films.json", "venues.json", "prices.json", "halls.json"} {
		data, err := os.ReadFile(folder + "/" + name)
		if err != nil {
			panic(err)
		}
		dir[name] = strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	}
	dir["cities.json"] = keepRows(dir["cities.json"], 8, `{"id":"shanghai-cn"`, `{"id":"beijing-cn"`)
	dir["cinemas.json"] = keepRows(dir["cinemas.json"], 80, `{"id":"shanghai-cn-`, `{"id":"beijing-cn-`)
	return dir
})

func keepRows(lines []string, first int, others ...string) []string {
	kept := slices.Clone(lines[:1+first])
	for _, l := range lines[1+first:] {
		if slices.ContainsFunc(others, func(o string) bool { return strings.HasPrefix(l, o) }) {
			kept = append(kept, l)
		}
	}
	last := len(kept) - 1
	kept[last] = strings.TrimSuffix(kept[last], ",")
	return append(kept, "]")
}

// edited is the small folder with one line of one file altered.
func edited(t *testing.T, file string, line int, old, new string) fstest.MapFS {
	t.Helper()
	dir := fstest.MapFS{}
	for name, lines := range small() {
		if name == file {
			if !strings.Contains(lines[line-1], old) {
				t.Fatalf("%s:%d has no %q: %s", file, line, old, lines[line-1])
			}
			lines = slices.Clone(lines)
			lines[line-1] = strings.Replace(lines[line-1], old, new, 1)
		}
		dir[name] = &fstest.MapFile{Data: []byte(strings.Join(lines, "\n"))}
	}
	return dir
}

func TestTheSmallFolderIsGood(t *testing.T) {
	if f, err := readFiles(edited(t, "cities.json", 1, "[", "[")); err != nil || len(f.cities) != 10 || len(f.cinemas) != 100 {
		t.Error(err)
	}
}

func TestBadRowsAreRefusedByFileAndLine(t *testing.T) {
	for _, tt := range []struct {
		file     string
		line     int
		old, new string
		want     string
	}{
		{"cities.json", 2, `"id":"dubai-ae"`, `"id":"Dubai"`, `cities.json:2: id "Dubai" is not of lower-case words`},
		{"cities.json", 3, `"id":"abu-dhabi-ae"`, `"id":"dubai-ae"`, `cities.json:3: id "dubai-ae" is on line 2 already`},
		{"cities.json", 3, `"geonameid":292968`, `"geonameid":292223`, `cities.json:3: geonameid 292223 is on line 2 already`},
		{"cities.json", 2, `"Asia/Dubai"`, `"Asia/Atlantis"`, `cities.json:2: unknown time zone "Asia/Atlantis"`},
		{"cities.json", 2, `"Asia/Dubai"`, `"Local"`, `cities.json:2: unknown time zone "Local"`},
		{"cities.json", 2, `"lat":25.07725`, `"lat":95.07725`, `cities.json:2: 95.07725, 55.30927 is no place`},
		{"cities.json", 2, `"country":"AE"`, `"country":"uae"`, `cities.json:2: country "uae"`},
		{"cities.json", 2, `"迪拜"`, `"Dubai"`, `cities.json:2: name_zh is not Chinese`},
		{"cities.json", 2, `"population":3790000`, `"population":0`, `cities.json:2: population 0`},
		{"cities.json", 2, `"name":"Dubai"`, `"name":""`, `cities.json:2: city "dubai-ae" has no name`},
		{"cities.json", 2, `"name":"Dubai",`, ``, `cities.json:2: member "name" is missing`},
		{"cities.json", 2, `"name":"Dubai"`, `"name":"Dubai","name":"Deira"`, `cities.json:2: member "name" is there twice`},
		{"cities.json", 2, `"name":"Dubai"`, `"Name":"Dubai"`, `cities.json:2: `},
		{"cities.json", 2, `"name":"Dubai"`, `"name":7`, `cities.json:2: member "name" cannot be a number`},
		{"cities.json", 2, `"name":"Dubai"`, `"name":"Dubai","mayor":"x"`, `cities.json:2: unknown field "mayor"`},
		{"cities.json", 2, `"name":"Dubai"`, `"name":"Du` + "\u200b" + `bai"`, `cities.json:2: control or replacement character U+200B`},
		{"cities.json", 3, `"lat":24.45118,"lon":54.39696`, `"lat":25.0773,"lon":55.3093`, `cities.json:3: city "abu-dhabi-ae" is where "dubai-ae" of line 2 is`},
		{"cities.json", 3, `{"id":"abu-dhabi-ae"`, `"id":"abu-dhabi-ae"`, `cities.json:3: `},
		{"cities.json", 12, `]`, ``, `cities.json:1`},
		{"cities.json", 12, `]`, `] 1`, `cities.json:12: `},
		{"cinemas.json", 57, `"city":"luanda-ao"`, `"city":"atlantis"`, `cinemas.json:57: city "atlantis" is not in cities.json`},
		{"cinemas.json", 2, `"halls":5`, `"halls":4`, `cinemas.json:2: 4 halls with 5 layouts`},
		{"cinemas.json", 2, `"standard-130"`, `"standard-131"`, `cinemas.json:2: layout "standard-131" is not in halls.json`},
		{"cinemas.json", 2, `"lat":25.07707`, `"lat":26.07707`, `cinemas.json:2: 26.07707, 55.31047 is 111.2 km from dubai-ae; at most 30`},
		{"cinemas.json", 2, `"address":"33 Garden Street"`, `"address":""`, `cinemas.json:2: cinema "dubai-ae-01" lacks a name or an address`},
		{"cinemas.json", 2, `"synthetic":true`, `"synthetic":false`, `cinemas.json:2: cinema "dubai-ae-01" is not marked synthetic`},
		{"cinemas.json", 3, `"name":"Larkspur Picture House Dubai Sports City"`, `"name":"Blue Lantern Cinemas Market"`, `cinemas.json:3: city and name [dubai-ae Blue Lantern Cinemas Market] is on line 2 already`},
		{"films.json", 2, `"runtime_min":118`, `"runtime_min":18`, `films.json:2: runtime_min 18; want 60 to 260`},
		{"films.json", 2, `"release_date":"1991-02-14"`, `"release_date":"1992-02-14"`, `films.json:2: release_date "1992-02-14" is no date of the film's year`},
		{"films.json", 2, `"release_date":"1991-02-14"`, `"release_date":"1991-02-30"`, `films.json:2: release_date "1991-02-30"`},
		{"films.json", 2, `"runtime":["douban","doubantop250","imdbsample","tmdb","top1000"]`, `"runtime":[]`, `films.json:2: runtime_min without a source in checked.runtime`},
		{"films.json", 2, `"rating_mpaa":"R"`, `"rating_mpaa":"X"`, `films.json:2: rating_mpaa "X" is unknown`},
		{"films.json", 2, `for help in catching another."`, `for help in catching another"`, `films.json:2: description is not an English sentence`},
		{"films.json", 2, `"title":"The Silence of the Lambs"`, `"title":""`, `films.json:2: film "the-silence-of-the-lambs-1991" has no title`},
		{"films.json", 2, `"countries":["US"]`, `"countries":["usa"]`, `films.json:2: country "usa"`},
		{"prices.json", 16, `"currency":"CNY"`, `"currency":"XXX"`, `prices.json:16: XXX with exponent 2 is not among the currencies`},
		{"prices.json", 16, `"R":3490`, `"R":0`, `prices.json:16: a price of weekday matinee is not above 0`},
		{"prices.json", 16, `"P":4990`, `"P":3490`, `prices.json:16: P and L of weekday matinee must cost more than R`},
		{"prices.json", 16, `"daypart":"matinee"`, `"daypart":"evening"`, `prices.json:16: want each of weekday and weekend`},
		{"prices.json", 16, `"R":3490`, `"R":34.90`, `prices.json:16: member`},
		{"prices.json", 16, `"area":"tier-1 city"`, `"area":"other city"`, `prices.json:17: country and area "CN other city" is on line 16 already`},
		{"prices.json", 11, `"exponent":0`, `"exponent":2`, `prices.json:11: JPY has exponent 0 by ISO 4217`},
		{"prices.json", 4, `"17:00"`, `"25:00"`, `prices.json:4: daypart_from: "25:00" is no time of day for evening`},
		{"halls.json", 7, `RRRR`, `RRR`, `halls.json:`},
		{"venues.json", 2, `"film":"coco-2017"`, `"film":"koko"`, `venues.json:2: film "koko" is not in films.json`},
		{"venues.json", 2, `"film":"coco-2017"`, `"film":"volver-2006"`, `venues.json:2: film "volver-2006" has no runtime`},
		{"venues.json", 2, `"starts":"19:30"`, `"starts":"7 pm"`, `venues.json:2: starts "7 pm" is no time of day`},
		{"venues.json", 3, `,"standing":"Z5"`, ``, `venues.json:3: no zone for standing seats`},
		{"venues.json", 2, `"companion":"Z4"`, `"companion":"Z4","loveseat":"Z1"`, `venues.json:2: layout "theatre-2000" has no loveseat seats`},
		{"venues.json", 2, `"companion":"Z4"`, `"companion":"Z9"`, `venues.json:2: zone "Z9" has no price`},
		{"venues.json", 2, `"phase":0`, `"phase":3`, `venues.json:2: phase 3; want 0 to 2`},
		{"venues.json", 2, `"id":"shanghai-cn-lantern-theatre"`, `"id":"shanghai-cn-01"`, `venues.json:2: id "shanghai-cn-01" is that of a cinema in cinemas.json`},
	} {
		_, err := readFiles(edited(t, tt.file, tt.line, tt.old, tt.new))
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+tt.want) {
			t.Errorf("%s:%d with %s for %s:\n got %v\nwant %s", tt.file, tt.line, tt.new, tt.old, err, tt.want)
		}
	}
}

func TestEveryFaultIsListed(t *testing.T) {
	dir := edited(t, "cinemas.json", 2, `"halls":5`, `"halls":0`)
	dir["cities.json"] = edited(t, "cities.json", 4, `"Asia/Dubai"`, `"nowhere"`)["cities.json"]
	_, err := readFiles(dir)
	for _, want := range []string{"cinemas.json:2: 0 halls", `cities.json:4: unknown time zone "nowhere"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	dir := edited(t, "venues.json", 1, "[", "[")
	delete(dir, "venues.json")
	if _, err := readFiles(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "venues.json") {
		t.Error(err)
	}
}

func FuzzReadRows(f *testing.F) {
	for _, seed := range []string{`[]`, "[\n{\"code\":\"JPY\",\"exponent\":0,\"example_minor\":1,\"example_text\":\"x\"}\n]", `[{"code":1}]`, `{"a":[`, `[[]]`, `[null]`} {
		f.Add([]byte(seed), "")
		f.Add([]byte(`{"a":`+seed+`}`), "a")
	}
	f.Fuzz(func(t *testing.T, data []byte, member string) {
		rows, err := readRows[currencyRow]("f", data, member)
		lines, last := 1+bytes.Count(data, []byte("\n")), 1
		if e, ok := errors.AsType[*refusal](err); err != nil && (!ok || e.line < 1 || e.line > lines) {
			t.Fatalf("%v in %d lines", err, lines)
		}
		for _, r := range rows {
			if r.line < last || r.line > lines {
				t.Fatalf("line %d after %d of %d", r.line, last, lines)
			}
			last = r.line
		}
	})
}

// newTables is an empty database in memory whose transactions meet the faults.
func newTables(faults func(memstore.Op) memstore.Fault) store.Catalog {
	return store.NewCatalog(memstore.New(memstore.Options{Clock: func() time.Time { return now }, Faults: faults}))
}

func loadInto(t *testing.T, c store.Catalog, p plan) int64 {
	t.Helper()
	l := &loader{catalog: c, workers: 4, wait: noWait, progress: func(int) {}}
	if err := l.load(t.Context(), p.phases()); err != nil {
		t.Fatal(err)
	}
	return l.items.Load()
}

func noWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func TestASecondLoadWritesNothing(t *testing.T) {
	f, c := read(t), newTables(nil)
	p := newPlan(f, 3, 3, now)
	shows := int64(3*10*showsADay*3 + 2)
	first := loadInto(t, c, p)
	if min := 2*shows + int64(len(f.films)+len(f.halls)+3); first < min || first > min+3*(filmsNow+1) {
		t.Errorf("first: %d items, want %d and the films of three cities", first, min)
	}
	if n := loadInto(t, c, newPlan(f, 3, 3, now.Add(8*time.Hour))); n != 0 {
		t.Errorf("the same day: %d items, want 0", n)
	}
	if n := loadInto(t, c, newPlan(f, 2, 2, now)); n != 0 {
		t.Errorf("fewer cities and days: %d items, want 0", n)
	}
	next := loadInto(t, c, newPlan(f, 3, 3, now.AddDate(0, 0, 1)))
	if min, max := int64(2*3*10*showsADay), int64(2*(3*10*showsADay+2)+3*(filmsNow+1)); next < min || next > max {
		t.Errorf("the next day: %d items, want a day's shows: %d to %d", next, min, max)
	}
}

func TestWhatIsLoadedIsFound(t *testing.T) {
	f, c := read(t), newTables(nil)
	loadInto(t, c, newPlan(f, 2, 3, now))
	r := catalog.NewReader(c, func() time.Time { return now })
	ctx, all := t.Context(), catalog.Page{Limit: 100}
	cities, err := r.Cities(ctx, "shang", all)
	if err != nil || len(cities.Items) != 1 || cities.Items[0].LocalName != "上海" {
		t.Fatalf("cities: %v, %v", cities, err)
	}
	city := cities.Items[0].ID
	films, err := r.MoviesIn(ctx, city, all)
	if err != nil || len(films.Items) < filmsNow {
		t.Fatalf("films: %v, %v", films, err)
	}
	seats := 0
	for _, m := range films.Items {
		times, err := r.Showtimes(ctx, catalog.Showtimes{Movie: m.ID, City: city}, all)
		if err != nil || len(times.Items) == 0 {
			t.Fatalf("showtimes of %s: %v, %v", m.ID, times, err)
		}
		for _, k := range times.Items {
			for _, s := range k.Shows {
				one, err := r.Show(ctx, s.ID)
				if err != nil || one.Sale(now) != catalog.SaleOpen || one.MovieID != m.ID {
					t.Fatalf("show %s: %v, %v", s.ID, one, err)
				}
				l, err := r.Layout(ctx, s.LayoutID)
				if err != nil {
					t.Fatal(err)
				}
				seats = max(seats, l.Len())
				for i := range l.Len() {
					if p, err := s.PriceOf(l.At(i).Type); err != nil || p.Minor <= 0 {
						t.Fatalf("%s, seat %s: %v, %v", s.ID, l.At(i).ID, p, err)
					}
				}
			}
		}
	}
	if seats != 2000 {
		t.Errorf("the largest hall in Shanghai has %d seats, want the theatre's 2000", seats)
	}
}

func TestLoadingGoesOnThroughFaults(t *testing.T) {
	f := read(t)
	want := loadInto(t, newTables(nil), newPlan(f, 1, 2, now))
	var mu sync.Mutex
	calls := 0
	faults := []memstore.Fault{memstore.Throttle, memstore.NoFault, memstore.Conflict, memstore.LoseRequest, memstore.LoseReply}
	c := newTables(func(op memstore.Op) memstore.Fault {
		if op.Kind != memstore.OpTransact {
			return memstore.NoFault
		}
		mu.Lock()
		defer mu.Unlock()
		calls++
		return faults[calls%len(faults)]
	})
	got := loadInto(t, c, newPlan(f, 1, 2, now))
	if got > want || calls < 10 {
		t.Errorf("%d items in %d transactions, want at most %d", got, calls, want)
	}
	if n := loadInto(t, c, newPlan(f, 1, 2, now)); n != 0 {
		t.Errorf("%d items were missing", n)
	}
}

func TestLoadingGivesUp(t *testing.T) {
	f := read(t)
	calls := 0
	c := newTables(func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			calls++
			return memstore.Throttle
		}
		return memstore.NoFault
	})
	l := &loader{catalog: c, workers: 1, wait: noWait, progress: func(int) {}}
	err := l.load(t.Context(), newPlan(f, 1, 2, now).phases())
	if !errors.Is(err, store.ErrThrottled) || calls != attempts {
		t.Errorf("%v after %d transactions, want %d", err, calls, attempts)
	}
}

func TestLoadingStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := newTables(nil)
	l := &loader{catalog: c, workers: 2, wait: noWait, progress: func(int) { cancel() }}
	if err := l.load(ctx, newPlan(read(t), 25, 3, now).phases()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := l.items.Load(); n == 0 || n > 1000 {
		t.Errorf("%d items written", n)
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // cities, days or the error
	}{
		{"", "25 3"}, {"--cities 2 --days 14", "2 14"}, {"--all", "0 7"}, {"--all --days 2", "0 2"},
		{"--all --cities 3", "--all and --cities"}, {"--cities 0", "at least 1"}, {"--days 1", "--days is 2 to 14"}, {"--days 15", "--days is 2 to 14"},
		{"--now yesterday", "invalid value"}, {"more", `unexpected "more"`}, {"--parallel 0", "at least 1"},
	} {
		o, err := parseOptions(strings.Fields(tt.args), new(bytes.Buffer), now)
		got := fmt.Sprint(o.cities, " ", o.days)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%q: %s, want %s", tt.args, got, tt.want)
		}
	}
	if o, err := parseOptions([]string{"--now", "2027-01-02T03:04:05+08:00"}, new(bytes.Buffer), now); err != nil || !o.now.Equal(time.Date(2027, 1, 1, 19, 4, 5, 0, time.UTC)) {
		t.Errorf("now: %v, %v", o.now, err)
	}
}

func TestProgressIsALineEveryFewSeconds(t *testing.T) {
	var out bytes.Buffer
	at := now
	advance := newProgress(&out, false, 200, func() time.Time { return at })
	for range 10 {
		at = at.Add(time.Second)
		advance(10)
	}
	want := "catalogue: 30 of 200 rows (15 %)\ncatalogue: 60 of 200 rows (30 %)\ncatalogue: 90 of 200 rows (45 %)\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestNoTableIsAClearError(t *testing.T) {
	err := run(t.Context(), []string{"--catalogue", folder}, func(string) string { return "" }, os.Stderr)
	if err == nil || !strings.Contains(err.Error(), "CATALOG_TABLE") {
		t.Error(err)
	}
}
