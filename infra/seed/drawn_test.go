package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const theatre = "../seatplan/testdata/theatre.json"

func TestAPlanIsLoaded(t *testing.T) {
	o, err := parseOptions([]string{"--cities", "2", "--plan", theatre, "--plan-type", "Parkett=regular"}, new(bytes.Buffer), now)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(read(t), o.cities, o.days, o.now)
	if p.drawn, err = readPlans(o.plans, o.types); err != nil {
		t.Fatal(err)
	}
	c := newTables(nil)
	loadInto(t, c, p)
	r := catalog.NewReader(c, func() time.Time { return now })
	s, err := r.Show(t.Context(), "plan-theatre-20261121-1")
	if err != nil || s.Sale(now) != catalog.SaleOpen || !strings.HasPrefix(string(s.LayoutID), "plan-theatre-") {
		t.Fatalf("%+v, %v", s, err)
	}
	l, err := r.Layout(t.Context(), s.LayoutID)
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range l.Types() {
		if price, err := s.PriceOf(typ); err != nil || price.Minor <= 0 {
			t.Errorf("%s: %v, %v", typ, price, err)
		}
	}
	times, err := r.Showtimes(t.Context(), catalog.Showtimes{Movie: s.MovieID, City: s.City}, catalog.Page{Limit: 100})
	if err != nil || !listed(times, s.Cinema.ID) {
		t.Errorf("%+v, %v", times, err)
	}
}

func listed(l catalog.Listing[catalog.CinemaShows], id catalog.CinemaID) bool {
	for _, c := range l.Items {
		if c.Cinema.ID == id {
			return true
		}
	}
	return false
}

// TestABadPlanIsRefused before anything is written, by all its faults.
func TestABadPlanIsRefused(t *testing.T) {
	text, err := os.ReadFile(theatre)
	if err != nil {
		t.Fatal(err)
	}
	name := t.TempDir() + "/Bad Plan (1).json"
	bad := strings.NewReplacer(`"seat_guid": "s2"`, `"seat_guid": "s1"`, `"row_number": "A"`, `"row_number": "第一排"`).Replace(string(text))
	if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = readPlans([]string{name}, map[string]seatmap.SeatType{"Parkett": seatmap.Regular})
	for _, want := range []string{"zones[0].rows[0].seats[1].seat_guid", "zones[1].rows[0].row_number"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if got := houseOf(name); got != "plan-bad-plan-1" {
		t.Errorf("house %s", got)
	}
	if _, err := readPlans([]string{"none.json"}, nil); err == nil {
		t.Error("no file was taken")
	}
	for _, arg := range []string{"Parkett", "=regular", "Parkett=throne", "Parkett=standing"} {
		if _, err := parseOptions([]string{"--plan-type", arg}, new(bytes.Buffer), now); err == nil {
			t.Errorf("--plan-type %s was taken", arg)
		}
	}
}
