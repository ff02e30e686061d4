package main

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/store"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// TestRebuild: the list is empty and newer than any, what a search is told of is
// written, nothing else is, and nobody sees a difference.
func TestRebuild(t *testing.T) {
	e, err := venue.Place{Template: "../../template.yaml", Tools: "../../.tools"}.Emulate(t.Context(), emulators.DynamoDBLocal)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, lists := store.NewCatalog(e.Tables), store.NewSegments(e.Tables)
	film := catalog.Movie{ID: "metropolis", Title: "Metropolis"}
	city := catalog.City{ID: "bern", Name: "Bern"}
	rows := []store.CatalogRow{
		store.MovieRow(film), store.CityRow(city), store.CityListRow([]catalog.City{city}),
		store.ShowRow(catalog.Show{ID: "show", MovieID: film.ID, City: city.ID, LayoutID: "l", StartsAt: now, EndsAt: now.Add(time.Hour), Status: catalog.OnSale}),
		store.NowShowingRow(city.ID, catalog.NowShowing{Movie: film, LastStart: now}),
	}
	if _, err := c.Load(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	old := search.List{Version: 7, Segments: []search.Segment{{Name: "index/7-a", Rows: 1}}}
	if err := lists.MoveList(t.Context(), 0, old); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again, with what the first has left
		if n, err := rebuild(t.Context(), e.Client, e.Names, now); err != nil || n != 3 {
			t.Fatalf("%d items, %v; want film, city and show", n, err)
		}
		l, err := lists.List(t.Context(), true)
		if err != nil || l.Version < now.UnixMilli() || len(l.Segments) != 0 || len(l.Retired) != 1 || l.Retired[0].Name != "index/7-a" {
			t.Errorf("list %+v, %v", l, err)
		}
	}
	if s, err := c.Show(t.Context(), "show"); err != nil || s.Rev != 0 || !s.StartsAt.Equal(now) {
		t.Errorf("%+v, %v", s, err)
	}
	if n, err := c.Load(t.Context(), rows); err != nil || n != 0 {
		t.Errorf("loading again wrote %d items, %v", n, err)
	}
}
