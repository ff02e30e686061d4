package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

func allShows(p plan) []catalog.Show {
	var all []catalog.Show
	for _, c := range p.cities {
		all = append(all, p.shows(c)...)
	}
	return all
}

func TestHowMuchIsPlanned(t *testing.T) {
	f := read(t)
	for _, tt := range []struct{ cities, days, inCinemas int }{{25, 3, 1500}, {0, 7, 70000}, {2, 2, 80}} {
		p := newPlan(f, tt.cities, tt.days, now)
		cinemas, venues := 0, map[catalog.LayoutID]int{}
		for _, s := range allShows(p) {
			if strings.HasPrefix(string(s.LayoutID), "theatre") || strings.HasPrefix(string(s.LayoutID), "arena") {
				venues[s.LayoutID]++
				date, err := time.Parse(time.DateOnly, s.LocalDate)
				if phase := map[catalog.LayoutID]int64{"theatre-2000": 0, "arena-20000": 1}[s.LayoutID]; err != nil || date.Unix()/86400%3 != phase {
					t.Errorf("%s is not on its day of three", s.ID)
				}
			} else {
				cinemas++
			}
		}
		if cinemas != tt.inCinemas || venues["theatre-2000"] != 1 || venues["arena-20000"] != 1 || len(venues) != 2 {
			t.Errorf("%d cities, %d days: %d shows and %v; want %d and one in each venue", tt.cities, tt.days, cinemas, venues, tt.inCinemas)
		}
	}
	if p := newPlan(f, 25, 3, now); p.cities[0].ID != "shanghai-cn" || p.cities[24].ID != "nanjing-cn" {
		t.Errorf("from %s to %s", p.cities[0].ID, p.cities[24].ID)
	}
}

func TestShowsAreWellFormed(t *testing.T) {
	f := read(t)
	wellFormed(t, newPlan(f, 0, 7, now), 70002)
	// The clocks change at midnight in Beirut and in Cairo.
	wellFormed(t, newPlan(f, 0, 2, time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC)), 20002)
	wellFormed(t, newPlan(f, 0, 2, time.Date(2026, 4, 23, 23, 0, 0, 0, time.UTC)), 20002)
}

func wellFormed(t *testing.T, p plan, want int) {
	t.Helper()
	f := p.files
	ids := map[catalog.ShowID]bool{}
	busy := map[string]time.Time{} // a hall's end, by cinema and hall; shows of a cinema come in order
	for _, s := range allShows(p) {
		c, l := f.city[string(s.City)], f.halls[string(s.LayoutID)].layout
		local := s.StartsAt.In(f.location[c.ID])
		hall := string(s.Cinema.ID) + s.Hall
		switch {
		case ids[s.ID] || len(s.ID) > 128:
			t.Fatalf("id %s: twice or too long", s.ID)
		case s.LocalDate != local.Format(time.DateOnly) || !strings.Contains(string(s.ID), local.Format("-20060102-")):
			t.Fatalf("%s is on %s, local date %s", s.ID, local, s.LocalDate)
		case local.Hour() < 13 || local.Hour() > 21 || local.Minute()%15 != 0 || s.StartsAt.Location() != time.UTC:
			t.Fatalf("%s starts at %s", s.ID, local)
		case s.StartsAt.Before(busy[hall]):
			t.Fatalf("%s starts before %s is free", s.ID, hall)
		case s.EndsAt.Sub(s.StartsAt) != time.Duration(*f.film[string(s.MovieID)].RuntimeMin+15)*time.Minute:
			t.Fatalf("%s lasts %s", s.ID, s.EndsAt.Sub(s.StartsAt))
		case !s.SaleClosesAt.Equal(s.StartsAt) || s.StartsAt.Sub(s.SaleOpensAt) != 14*24*time.Hour || s.Status != catalog.OnSale:
			t.Fatalf("%s is sold from %s to %s, %s", s.ID, s.SaleOpensAt, s.SaleClosesAt, s.Status)
		}
		var types []seatmap.SeatType
		for _, price := range s.Prices {
			types = append(types, price.Type)
			if !price.Amount.Valid() || price.Amount.Minor == 0 || price.Amount.Currency != s.Prices[0].Amount.Currency {
				t.Fatalf("%s: %s costs %s", s.ID, price.Type, price.Amount)
			}
		}
		if !reflect.DeepEqual(types, l.Types()) {
			t.Fatalf("%s has prices for %v, seats of %v", s.ID, types, l.Types())
		}
		ids[s.ID], busy[hall] = true, s.EndsAt
	}
	if len(ids) != want {
		t.Errorf("%d shows, want %d", len(ids), want)
	}
}

// A show is the same whenever and with however much else it is planned.
func TestAShowDependsOnItsHouseAndDateAlone(t *testing.T) {
	f := read(t)
	plans := []plan{
		newPlan(f, 3, 7, now), newPlan(f, 3, 7, now), newPlan(f, 3, 7, now.Add(9*time.Hour)), newPlan(f, 3, 3, now.AddDate(0, 0, 2)), newPlan(f, 25, 2, now),
	}
	seen := map[catalog.ShowID]catalog.Show{}
	again := 0
	for _, p := range plans {
		for _, s := range allShows(p) {
			if was, ok := seen[s.ID]; ok {
				again++
				if !reflect.DeepEqual(was, s) {
					t.Fatalf("%s:\n%+v\n%+v", s.ID, was, s)
				}
			}
			seen[s.ID] = s
		}
	}
	if again < 3*10*showsADay*(7+6+3+2) {
		t.Errorf("only %d shows were planned twice", again)
	}
}

func TestAFilmRunsInSeveralCinemas(t *testing.T) {
	p := newPlan(read(t), 25, 3, now)
	for _, c := range p.cities {
		films := p.filmsIn(c)
		cinemas, halls := map[string]map[catalog.CinemaID]bool{}, map[string]bool{}
		for _, s := range p.shows(c) {
			if f := s.LocalDate + string(s.MovieID); cinemas[f] == nil {
				cinemas[f] = map[catalog.CinemaID]bool{}
			}
			cinemas[s.LocalDate+string(s.MovieID)][s.Cinema.ID] = true
			halls[s.Hall] = true
		}
		if len(films) != filmsNow || len(halls) < 3 {
			t.Errorf("%s: %d films, %d halls", c.ID, len(films), len(halls))
		}
		for _, m := range films {
			for d := range p.days {
				date := now.In(p.files.location[c.ID]).AddDate(0, 0, d).Format(time.DateOnly)
				if n := len(cinemas[date+m.ID]); n < 2 {
					t.Errorf("%s on %s in %s: %d cinemas", m.ID, date, c.ID, n)
				}
			}
		}
	}
	home := 0
	for _, m := range p.filmsIn(p.files.city["mumbai-in"]) {
		if strings.Contains(fmt.Sprint(m.Countries), "IN") {
			home++
		}
	}
	if home < homeFilms {
		t.Errorf("%d Indian films in Mumbai", home)
	}
}

func TestSomethingIsOnSaleAtAnyHour(t *testing.T) {
	f := read(t)
	for i := range 48 * 2 {
		at := now.Add(time.Duration(i) * 30 * time.Minute)
		p := newPlan(f, 25, minDays, at)
		venues := 0
		for _, c := range p.cities {
			tomorrow := at.In(f.location[c.ID]).AddDate(0, 0, 1).Format(time.DateOnly)
			sold := 0
			for _, s := range p.shows(c) {
				if s.Sale(at) != catalog.SaleOpen {
					continue
				}
				if s.LocalDate <= tomorrow {
					sold++
				}
				if s.Cinema.ID == "shanghai-cn-lantern-theatre" || s.Cinema.ID == "beijing-cn-orbit-arena" {
					venues++
				}
			}
			if sold < 10*showsADay {
				t.Errorf("%s at %s: %d shows", c.ID, at, sold)
			}
		}
		if venues != 2 {
			t.Errorf("at %s %d venues are on sale", at, venues)
		}
	}
}

func TestPrices(t *testing.T) {
	f := read(t)
	day := func(d, hour int) time.Time { return time.Date(2026, 11, d, hour, 0, 0, 0, time.UTC) } // the 21st is a Saturday
	for _, tt := range []struct {
		name   string
		city   string
		layout string
		local  time.Time
		kind   seatmap.SeatType
		want   string
	}{
		{"large city, weekday matinee", "shanghai-cn", "standard-130", day(23, 13), seatmap.Regular, "34.90 CNY"},
		{"large city, weekday evening", "shanghai-cn", "standard-130", day(23, 17), seatmap.Regular, "44.90 CNY"},
		{"before the evening", "shanghai-cn", "standard-130", day(23, 16), seatmap.Premium, "49.90 CNY"},
		{"large city, Saturday", "shanghai-cn", "standard-130", day(21, 13), seatmap.Regular, "49.90 CNY"},
		{"half a pair", "shanghai-cn", "standard-130", day(22, 20), seatmap.Loveseat, "60.40 CNY"},
		{"other city", "xian-cn", "standard-130", day(23, 13), seatmap.Regular, "24.90 CNY"},
		{"IMAX", "shanghai-cn", "imax-600", day(23, 13), seatmap.Regular, "64.90 CNY"},
		{"half a pair in IMAX", "shanghai-cn", "imax-600", day(23, 13), seatmap.Loveseat, "68.40 CNY"},
		{"large screen", "shanghai-cn", "plf-406", day(23, 13), seatmap.Companion, "49.90 CNY"},
		{"a format without surcharge", "shanghai-cn", "lounge-64", day(23, 13), seatmap.Wheelchair, "34.90 CNY"},
		{"IMAX where the table names none", "surat-in", "imax-600", day(23, 13), seatmap.Regular, "180.00 INR"},
		{"metro", "mumbai-in", "standard-90", day(23, 13), seatmap.Regular, "180.00 INR"},
		{"no minor unit", "tokyo-jp", "standard-90", day(23, 20), seatmap.Premium, "3000 JPY"},
		{"three decimals, Friday is the weekend", "kuwait-city-kw", "standard-90", day(20, 20), seatmap.Regular, "4.000 KWD"},
		{"three decimals, Sunday is not", "kuwait-city-kw", "standard-90", day(22, 20), seatmap.Regular, "3.500 KWD"},
		{"London", "london-gb", "standard-90", day(23, 20), seatmap.Regular, "15.99 GBP"},
		{"Birmingham", "birmingham-gb", "standard-90", day(23, 20), seatmap.Regular, "9.99 GBP"},
		{"over a million", "chicago-us", "standard-90", day(23, 20), seatmap.Regular, "17.99 USD"},
		{"under a million", "austin-us", "standard-90", day(23, 20), seatmap.Regular, "12.99 USD"},
		{"euro area falls back", "rome-it", "standard-90", day(23, 20), seatmap.Regular, "11.50 EUR"},
		{"others fall back", "istanbul-tr", "standard-90", day(23, 20), seatmap.Regular, "12.99 USD"},
	} {
		c, ok := f.city[tt.city]
		if !ok {
			t.Errorf("%s: no city %s", tt.name, tt.city)
			continue
		}
		var got money.Amount
		for _, p := range f.pricesOf(c, f.halls[tt.layout].layout, tt.local) {
			if p.Type == tt.kind {
				got = p.Amount
			}
		}
		if got.String() != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestEventPrices(t *testing.T) {
	f := read(t)
	got := fmt.Sprint(f.eventPrices(f.venues[1].v))
	want := "[{regular 380.00 CNY} {premium 880.00 CNY} {wheelchair 380.00 CNY} {companion 380.00 CNY} {standing 180.00 CNY}]"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestHousesWishes: a house has what it wishes, and no other.
func TestHousesWishes(t *testing.T) {
	p := newPlan(read(t), 1, 2, now)
	const house = "shanghai-cn-02"
	if err := p.wishes(options{singleGap: []string{house}, noLine: []string{house}, challenge: []string{house}, contact: []string{house}, bounded: []string{house + "=3"}}); err != nil {
		t.Fatal(err)
	}
	c := p.cities[0]
	films := p.filmsIn(c)
	for i, r := range p.files.cinemas {
		if r.v.City != c.ID {
			continue
		}
		for _, s := range p.day(c, r.v, i, dateOnly(now), films) {
			if want := r.v.ID == house; s.SingleGap != want || s.NoLine != want || s.Challenge != want || s.NeedsContact != want || (s.LinePasses == 3) != want {
				t.Errorf("%s: %+v", s.ID, s)
			}
		}
	}
	for _, o := range []options{
		{singleGap: []string{"nowhere"}}, {challenge: []string{"nowhere"}}, {contact: []string{"nowhere"}}, {noLine: []string{"nowhere"}}, {bounded: []string{"nowhere=3"}}, {bounded: []string{house}},
		{bounded: []string{house + "=0"}}, {bounded: []string{house + "=x"}},
	} {
		if p.wishes(o) == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
