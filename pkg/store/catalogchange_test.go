package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// stage is a film in a city with two shows, and who may change them.
func stage(t *testing.T, faults func(memstore.Op) memstore.Fault) (store.Catalog, *memstore.DB, catalog.Programme) {
	t.Helper()
	now := noon.Add(-24 * time.Hour)
	db := memstore.New(memstore.Options{Clock: func() time.Time { return now }, Faults: faults})
	c := store.NewCatalog(db)
	mustLoad(t, c, programme()...)
	none := func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return c, db, catalog.Programme{Store: c, Clock: func() time.Time { return now }, Pause: none}
}

func programme() []store.CatalogRow {
	last := noon.Add(3 * time.Hour)
	return []store.CatalogRow{
		store.ShowRow(catalogShow("one", noon)), store.ShowRow(catalogShow("two", last)),
		store.NowShowingRow("oslo-no", catalog.NowShowing{Movie: catalog.Movie{ID: "coco", Title: "Coco"}, LastStart: last}),
	}
}

func shown(t *testing.T, c store.Catalog) (shows []catalog.Show, last time.Time) {
	t.Helper()
	shows, err := c.Showtimes(t.Context(), "coco", "oslo-no", noon.AddDate(0, 0, -1), noon.AddDate(0, 0, 60))
	if err != nil {
		t.Fatal(err)
	}
	films, err := c.MoviesIn(t.Context(), "oslo-no")
	if err != nil || len(films) != 1 {
		t.Fatalf("films %v, %v", films, err)
	}
	return shows, films[0].LastStart
}

// TestAChangeIsEverywhere: the show, its place in the listing and the film's last
// start change together.
func TestAChangeIsEverywhere(t *testing.T) {
	c, _, p := stage(t, nil)
	starts := noon.Add(6 * time.Hour)
	prices := []catalog.Price{{Type: seatmap.Regular, Amount: money.Amount{Minor: 1599, Currency: "USD"}}}
	got, err := p.Change(t.Context(), "one", catalog.Change{StartsAt: starts, LocalDate: "2026-11-21", Prices: prices})
	if err != nil {
		t.Fatal(err)
	}
	show, err := c.Show(t.Context(), "one")
	if err != nil || show.Rev != 1 {
		t.Fatalf("%+v, %v", show, err)
	}
	same(t, "the show", show, got)
	shows, last := shown(t, c)
	if len(shows) != 2 || shows[1].ID != "one" || !shows[1].StartsAt.Equal(starts) || shows[1].Prices[0] != prices[0] || !last.Equal(starts) {
		t.Errorf("listed %+v until %v", shows, last)
	}
	if _, err := p.Change(t.Context(), "one", catalog.Change{Cancel: true}); err != nil {
		t.Fatal(err)
	}
	if shows, last := shown(t, c); shows[1].Status != catalog.Cancelled || !last.Equal(noon.Add(3*time.Hour)) {
		t.Errorf("listed %+v until %v", shows, last)
	}
	if _, err := p.Change(t.Context(), "none", catalog.Change{Cancel: true}); !errors.Is(err, catalog.ErrNoShow) {
		t.Errorf("no show: %v", err)
	}
}

// TestALoaderLeavesAChangeAlone: the same data again write nothing, others come
// through, and a cancelled show is never on sale again.
func TestALoaderLeavesAChangeAlone(t *testing.T) {
	c, _, p := stage(t, nil)
	moved := catalog.Change{StartsAt: noon.Add(time.Hour), LocalDate: "2026-11-21", Cancel: true}
	if _, err := p.Change(t.Context(), "two", moved); err != nil {
		t.Fatal(err)
	}
	if n := mustLoad(t, c, programme()...); n != 0 {
		t.Errorf("loading the same again wrote %d items", n)
	}
	other := catalogShow("two", noon.Add(5*time.Hour))
	if n := mustLoad(t, c, store.ShowRow(other)); n != 3 {
		t.Errorf("loading another start wrote %d items, want 3", n)
	}
	show, err := c.Show(t.Context(), "two")
	if err != nil || show.Status != catalog.Cancelled || !show.StartsAt.Equal(other.StartsAt) || show.Rev != 2 {
		t.Errorf("%+v, %v", show, err)
	}
	if shows, _ := shown(t, c); len(shows) != 2 || shows[1].Status != catalog.Cancelled {
		t.Errorf("listed %+v", shows)
	}
}

// TestChangesDoNotOverrunEachOther: whatever comes between reading and writing,
// the later change is decided from what the earlier one left.
func TestChangesDoNotOverrunEachOther(t *testing.T) {
	dearer := catalog.Change{Prices: []catalog.Price{{Type: seatmap.Regular, Amount: money.Amount{Minor: 1599, Currency: "USD"}}}}
	for name, between := range map[string]func(c store.Catalog, p catalog.Programme) error{
		"a change of it": func(_ store.Catalog, p catalog.Programme) error {
			_, err := p.Change(context.Background(), "two", dearer)
			return err
		},
		"a change of another": func(_ store.Catalog, p catalog.Programme) error {
			_, err := p.Change(context.Background(), "one", catalog.Change{Cancel: true})
			return err
		},
		"a loader": func(c store.Catalog, _ catalog.Programme) error {
			_, err := c.Load(context.Background(), []store.CatalogRow{store.ShowRow(catalogShow("two", noon.Add(4*time.Hour)))})
			return err
		},
	} {
		var c store.Catalog
		var p catalog.Programme
		armed, met := false, 0
		c, _, p = stage(t, func(op memstore.Op) memstore.Fault {
			if op.Kind == memstore.OpTransact && armed {
				armed, met = false, met+1
				if err := between(c, p); err != nil {
					t.Error(name, err)
				}
			}
			return memstore.NoFault
		})
		armed = true
		if _, err := p.Change(t.Context(), "two", catalog.Change{Cancel: true}); err != nil || met != 1 {
			t.Errorf("%s: %v, met %d", name, err, met)
		}
		shows, last := shown(t, c)
		want := time.UnixMilli(0)
		for _, s := range shows {
			one, err := c.Show(t.Context(), s.ID)
			if err != nil || one.Status != s.Status || !one.StartsAt.Equal(s.StartsAt) || one.Prices[0] != s.Prices[0] {
				t.Errorf("%s: the show %+v, listed %+v", name, one, s)
			}
			if s.Status == catalog.OnSale && s.StartsAt.After(want) {
				want = s.StartsAt
			}
		}
		if len(shows) != 2 || !last.Equal(want) {
			t.Errorf("%s: %d shows until %v, want %v", name, len(shows), last, want)
		}
	}
}

// TestAChangeWhoseAnswerIsLost is made once.
func TestAChangeWhoseAnswerIsLost(t *testing.T) {
	lose := false
	c, _, p := stage(t, func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact && lose {
			lose = false
			return memstore.LoseReply
		}
		return memstore.NoFault
	})
	lose = true
	if _, err := p.Change(t.Context(), "one", catalog.Change{Cancel: true}); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Show(t.Context(), "one"); err != nil || s.Rev != 1 || s.Status != catalog.Cancelled {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestWhatIsLeftIsKeptAsLongAsTheShow: else a show that is put off would be listed
// as untouched once its first end has come.
func TestWhatIsLeftIsKeptAsLongAsTheShow(t *testing.T) {
	_, db, p := stage(t, nil)
	next, err := p.Change(t.Context(), "one", catalog.Change{StartsAt: noon.AddDate(0, 0, 3), LocalDate: "2026-11-24"})
	if err != nil {
		t.Fatal(err)
	}
	k := store.Key{Table: store.Snapshots, PK: "STATUS#oslo-no#coco", SK: "one"}
	if it, err := db.Get(t.Context(), k, true); err != nil || it["ttl"] != next.EndsAt.Unix() {
		t.Errorf("%v, %v", it, err)
	}
}
