package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// What lists may cost by the requirement: one or two read units, by the instance
// that answers first.
const listUnits = 2

// TestListsCostTwoUnitsAtMost: of the real catalogue's week, with every seat of
// every show sold, so that each has its status.
func TestListsCostTwoUnitsAtMost(t *testing.T) {
	f := read(t)
	clock := func() time.Time { return now }
	db := memstore.New(memstore.Options{Clock: clock})
	p := newPlan(f, 8, 7, now)
	loadInto(t, store.NewCatalog(db), p)
	var all []catalog.City
	for _, c := range f.cities {
		all = append(all, c.v.city())
	}
	if _, err := store.NewCatalog(db).Load(t.Context(), []store.CatalogRow{store.CityListRow(all)}); err != nil {
		t.Fatal(err)
	}
	sellOut(t, db, p)

	m := meter.New(db)
	stock := store.New(m, booking.Policy{})
	page := catalog.Page{Limit: catalog.MaxLimit}
	costs := func(what string, read func(r *catalog.Reader) error) {
		t.Helper()
		m.Reset()
		if err := read(catalog.NewReader(store.NewCatalog(m), clock)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var units meter.Halves
		for _, h := range m.Snapshot().Units {
			units += h
		}
		if units > meter.Units(listUnits) {
			t.Errorf("%s: %v units", what, units)
		}
	}
	ctx := t.Context()
	costs("cities", func(r *catalog.Reader) error {
		l, err := r.Cities(ctx, "", page)
		if err == nil && (len(l.Items) != page.Limit || l.Next == "") {
			err = fmt.Errorf("%d cities, next %q", len(l.Items), l.Next)
		}
		return err
	})
	for _, c := range p.cities {
		city := catalog.CityID(c.ID)
		var films catalog.Listing[catalog.NowShowing]
		costs("films in "+c.ID, func(r *catalog.Reader) (err error) {
			films, err = r.MoviesIn(ctx, city, page)
			return err
		})
		for _, film := range films.Items {
			costs("showtimes of "+string(film.ID)+" in "+c.ID, func(r *catalog.Reader) error {
				l, err := r.Showtimes(ctx, catalog.Showtimes{Movie: film.ID, City: city}, page)
				if err != nil || len(l.Items) == 0 {
					return fmt.Errorf("%d cinemas, %w", len(l.Items), err)
				}
				_, err = stock.Statuses(ctx, city, film.ID)
				return err
			})
		}
	}
}

func sellOut(t *testing.T, db *memstore.DB, p plan) {
	t.Helper()
	for _, s := range allShows(p) {
		st := map[string]any{}
		for _, price := range s.Prices {
			st[string(price.Type)] = "almost_full"
		}
		row := store.Write{
			Key: store.Key{Table: store.Snapshots, PK: "STATUS#" + string(s.City) + "#" + string(s.MovieID), SK: string(s.ID)},
			Put: store.Item{"status": st, "ttl": s.EndsAt.Unix()},
		}
		if err := db.Transact(context.Background(), []store.Write{row}, ""); err != nil {
			t.Fatal(err)
		}
	}
}
