package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// shelf is a Store in slices that counts its reads and may wait or fail.
type shelf struct {
	cities  []City
	films   []NowShowing
	shows   []Show
	layouts map[LayoutID]string
	fail    error
	slow    time.Duration
	reads   atomic.Int64
}

func (s *shelf) read(ctx context.Context) error {
	s.reads.Add(1)
	select {
	case <-time.After(s.slow):
		return s.fail
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *shelf) Cities(ctx context.Context) ([]City, error) {
	return slices.Clone(s.cities), s.read(ctx)
}

func (s *shelf) City(ctx context.Context, id CityID) (City, error) {
	return pick(s.read(ctx), s.cities, func(c City) bool { return c.ID == id }, ErrNoCity)
}

func (s *shelf) MoviesIn(ctx context.Context, city CityID) ([]NowShowing, error) {
	if !slices.ContainsFunc(s.cities, func(c City) bool { return c.ID == city }) {
		return nil, s.read(ctx)
	}
	return slices.Clone(s.films), s.read(ctx)
}

func (s *shelf) Movie(ctx context.Context, id MovieID) (Movie, error) {
	n, err := pick(s.read(ctx), s.films, func(m NowShowing) bool { return m.ID == id }, ErrNoMovie)
	return n.Movie, err
}

func (s *shelf) Showtimes(ctx context.Context, movie MovieID, city CityID, from, before time.Time) ([]Show, error) {
	found := filter(s.shows, func(sh Show) bool {
		return sh.MovieID == movie && sh.City == city && !sh.StartsAt.Before(from) && sh.StartsAt.Before(before)
	})
	slices.SortStableFunc(found, func(a, b Show) int { return a.StartsAt.Compare(b.StartsAt) })
	return found, s.read(ctx)
}

func (s *shelf) Show(ctx context.Context, id ShowID) (Show, error) {
	return pick(s.read(ctx), s.shows, func(sh Show) bool { return sh.ID == id }, ErrNoShow)
}

func (s *shelf) LayoutSource(ctx context.Context, id LayoutID) ([]byte, error) {
	text, ok := s.layouts[id]
	if !ok {
		return nil, cmp.Or(s.read(ctx), error(ErrNoLayout))
	}
	return []byte(text), s.read(ctx)
}

func pick[T any](err error, all []T, is func(T) bool, none error) (T, error) {
	i := slices.IndexFunc(all, is)
	if err != nil || i < 0 {
		var zero T
		return zero, cmp.Or(err, none)
	}
	return all[i], nil
}

const smallHall = `{"id":"tiny","name":"Tiny","kind":"cinema","numbering":"ltr","seats":3,"by_type":{"R":3},"rows":["A: RRR"]}`

func oslo() *shelf {
	return &shelf{
		cities:  []City{{ID: "oslo-no", Name: "Oslo"}, {ID: "bergen-no", Name: "Bergen"}},
		films:   []NowShowing{{Movie{ID: "coco", Title: "Coco"}, noon.Add(time.Hour)}, {Movie{ID: "alien", Title: "Alien"}, noon.Add(2 * time.Hour)}},
		layouts: map[LayoutID]string{"tiny": smallHall},
	}
}

func show(id, cinema string, after time.Duration, date string) Show {
	return Show{
		ID: ShowID(id), MovieID: "coco", City: "oslo-no", Cinema: Cinema{ID: CinemaID(cinema), Name: "Cinema " + cinema},
		StartsAt: noon.Add(after), LocalDate: date, Status: OnSale,
	}
}

func still(at time.Time) func() time.Time { return func() time.Time { return at } }

func TestReaderListsCitiesByName(t *testing.T) {
	s := oslo()
	s.cities = append(s.cities, City{ID: "alesund-no", Name: "Ålesund"}, City{ID: "oslo-us", Name: "Oslo"})
	r := NewReader(s, still(noon))
	for _, tt := range []struct{ typed, want string }{
		{"", "alesund-no bergen-no oslo-no oslo-us"}, {"os", "oslo-no oslo-us"}, {"ale", "alesund-no"}, {"x", ""},
	} {
		l, err := r.Cities(t.Context(), tt.typed, Page{Limit: 100})
		var ids []string
		for _, c := range l.Items {
			ids = append(ids, string(c.ID))
		}
		if got := strings.Join(ids, " "); err != nil || got != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.typed, got, err, tt.want)
		}
	}
	first, _ := r.Cities(t.Context(), "os", Page{Limit: 1})
	if _, err := r.Cities(t.Context(), "", Page{Limit: 1, Cursor: first.Next}); !errors.Is(err, ErrCursor) {
		t.Errorf("a cursor of another search: %v", err)
	}
}

func TestReaderHidesFilmsThatAreOver(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{{0, "Alien Coco"}, {time.Hour - 1, "Alien Coco"}, {time.Hour, "Alien"}, {2 * time.Hour, ""}} {
		r := NewReader(oslo(), still(noon.Add(tt.after)))
		l, err := r.MoviesIn(t.Context(), "oslo-no", Page{Limit: 10})
		var titles []string
		for _, m := range l.Items {
			titles = append(titles, m.Title)
		}
		if got := strings.Join(titles, " "); err != nil || got != tt.want {
			t.Errorf("after %v: %q, %v; want %q", tt.after, got, err, tt.want)
		}
	}
	if _, err := NewReader(oslo(), still(noon)).MoviesIn(t.Context(), "nowhere", Page{Limit: 10}); !errors.Is(err, ErrNoCity) {
		t.Errorf("no city: %v", err)
	}
}

func shownAt(l Listing[CinemaShows]) string {
	var parts []string
	for _, c := range l.Items {
		part := string(c.Cinema.ID) + ":"
		for _, s := range c.Shows {
			part += " " + string(s.ID)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func TestReaderShowtimes(t *testing.T) {
	s := oslo()
	off := show("off", "a", 2*time.Hour, "2026-11-21")
	off.Status = Cancelled
	s.shows = []Show{
		show("past", "a", -time.Hour, "2026-11-21"), show("now", "a", 0, "2026-11-21"), show("b1", "b", time.Hour, "2026-11-21"),
		show("a2", "a", 3*time.Hour, "2026-11-22"), show("a1", "a", 2*time.Hour, "2026-11-21"), off,
		show("far west", "b", 23*time.Hour, "2026-11-21"), show("c", "c", 400*24*time.Hour, "2027-12-26"),
		show("far east", "d", 22*time.Hour, "2026-11-23"),
	}
	for _, tt := range []struct{ date, want string }{
		{"", "a: a1 a2; b: b1 far west; d: far east"},
		{"2026-11-21", "a: a1; b: b1 far west"},
		{"2026-11-22", "a: a2"},
		{"2026-11-23", "d: far east"},
		{"2026-11-20", ""},
		{"2027-12-26", "c: c"},
	} {
		l, err := NewReader(s, still(noon)).Showtimes(t.Context(), Showtimes{"coco", "oslo-no", tt.date}, Page{Limit: 100})
		if got := shownAt(l); err != nil || got != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.date, got, err, tt.want)
		}
	}
}

func TestReaderShowtimesAreRefused(t *testing.T) {
	r := NewReader(oslo(), still(noon))
	for _, tt := range []struct {
		q    Showtimes
		p    Page
		want error
	}{
		{Showtimes{"coco", "nowhere", ""}, Page{Limit: 1}, ErrNoCity},
		{Showtimes{"nothing", "oslo-no", ""}, Page{Limit: 1}, ErrNoMovie},
		{Showtimes{"coco", "oslo-no", "21.11.2026"}, Page{Limit: 1}, ErrDate},
		{Showtimes{"coco", "oslo-no", "2026-02-30"}, Page{Limit: 1}, ErrDate},
		{Showtimes{"coco", "oslo-no", "2026-1-1"}, Page{Limit: 1}, ErrDate},
		{Showtimes{"coco", "oslo-no", ""}, Page{Limit: 1, Cursor: "x"}, ErrCursor},
		{Showtimes{"coco", "oslo-no", ""}, Page{Limit: 0}, ErrLimit},
	} {
		if _, err := r.Showtimes(t.Context(), tt.q, tt.p); !errors.Is(err, tt.want) {
			t.Errorf("%v %v: %v, want %v", tt.q, tt.p, err, tt.want)
		}
	}
}

// The naive twin: every listed show of every page, against a filter over all.
func TestReaderPagesShowtimesByCinema(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := oslo()
		want := map[string]bool{}
		for i := range rapid.IntRange(0, 30).Draw(t, "n") {
			// Zones reach from 12 hours behind UTC to 14 ahead.
			after := time.Duration(rapid.IntRange(-3, 80).Draw(t, "after")) * time.Hour
			zone := time.Duration(rapid.IntRange(-12, 14).Draw(t, "zone")) * time.Hour
			sh := show(fmt.Sprint("s", i), rapid.StringMatching(`[a-e]`).Draw(t, "cinema"), after, noon.Add(after+zone).Format(time.DateOnly))
			s.shows = append(s.shows, sh)
			if after > 0 && sh.LocalDate == "2026-11-22" {
				want[string(sh.ID)] = true
			}
		}
		r := NewReader(s, still(noon))
		p := Page{Limit: rapid.IntRange(1, 3).Draw(t, "limit")}
		got, cinemas := map[string]bool{}, map[CinemaID]bool{}
		for range 10 {
			l, err := r.Showtimes(context.Background(), Showtimes{"coco", "oslo-no", "2026-11-22"}, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range l.Items {
				if cinemas[c.Cinema.ID] || len(c.Shows) == 0 || !slices.IsSortedFunc(c.Shows, func(a, b Show) int { return a.StartsAt.Compare(b.StartsAt) }) {
					t.Fatalf("cinema %s: twice, empty or not in order", c.Cinema.ID)
				}
				cinemas[c.Cinema.ID] = true
				for _, sh := range c.Shows {
					got[string(sh.ID)] = true
				}
			}
			if p.Cursor = l.Next; l.Next == "" {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestReaderExpandsALayoutOnce(t *testing.T) {
	s := oslo()
	s.layouts["broken"] = "{}"
	now := noon
	r := NewReader(s, func() time.Time { return now })
	first, err := r.Layout(t.Context(), "tiny")
	if err != nil || first.Len() != 3 || first.At(0).Type != seatmap.Regular {
		t.Fatalf("%v, %v", first, err)
	}
	now = noon.AddDate(1, 0, 0)
	if again, err := r.Layout(t.Context(), "tiny"); again != first || err != nil || s.reads.Load() != 1 {
		t.Errorf("read %d times, %v", s.reads.Load(), err)
	}
	if _, err := r.Layout(t.Context(), "broken"); err == nil {
		t.Error("a broken layout was taken")
	}
	if _, err := r.Layout(t.Context(), "none"); !errors.Is(err, ErrNoLayout) {
		t.Errorf("no layout: %v", err)
	}
}

func TestReaderForgetsAShowAfterSeconds(t *testing.T) {
	s := oslo()
	s.shows = []Show{show("s", "a", time.Hour, "2026-11-21")}
	now := noon
	r := NewReader(s, func() time.Time { return now })
	status := func() Status {
		sh, err := r.Show(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		return sh.Status
	}
	status()
	s.shows[0].Status = Cancelled
	if now = noon.Add(showsTTL - 1); status() != OnSale || s.reads.Load() != 1 {
		t.Errorf("read %d times within its time", s.reads.Load())
	}
	if now = noon.Add(showsTTL); status() != Cancelled {
		t.Error("kept for too long")
	}
}

func TestFailuresAreNotKept(t *testing.T) {
	s := oslo()
	s.fail = errors.New("down")
	r := NewReader(s, still(noon))
	if _, err := r.City(t.Context(), "oslo-no"); !errors.Is(err, s.fail) {
		t.Fatal(err)
	}
	s.fail = nil
	if c, err := r.City(t.Context(), "oslo-no"); err != nil || c.Name != "Oslo" {
		t.Errorf("%v, %v", c, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache[int](still(noon), 0, 2)
	loads := 0
	get := func(key string) {
		if _, err := c.get(t.Context(), key, func(context.Context) (int, error) { loads++; return loads, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		key   string
		loads int
	}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}} { // b was the least recent when c came
		if get(tt.key); loads != tt.loads || len(c.byKey) > 2 || c.recent.Len() != len(c.byKey) {
			t.Fatalf("after %s: %d loads, %d kept", tt.key, loads, len(c.byKey))
		}
	}
}

func TestConcurrentReadsAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oslo()
		s.slow = time.Second
		r := NewReader(s, time.Now)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := r.City(t.Context(), "oslo-no"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := s.reads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

// The first caller's end is not the end of those who came after.
func TestAnImpatientCallerHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oslo()
		s.slow = 2 * time.Second
		r := NewReader(s, time.Now)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := r.City(impatient, "oslo-no"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("impatient: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if c, err := r.City(t.Context(), "oslo-no"); err != nil || c.Name != "Oslo" {
				t.Errorf("patient: %v, %v", c, err)
			}
		})
		wg.Wait()
		if n := s.reads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

func TestAReadThatHangsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oslo()
		s.slow = time.Hour
		began := time.Now()
		if _, err := NewReader(s, time.Now).City(t.Context(), "oslo-no"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(began); took != flightTime {
			t.Errorf("took %v", took)
		}
	})
}
