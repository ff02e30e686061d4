package e2e_test

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/store"
)

// seenWithin is how soon a change of a show reaches every reader.
const seenWithin = 5 * time.Second

// ownRun opens a show of a film and in a city of its own, listed as any other.
func ownRun(t *testing.T) (s *show, paths []string) {
	t.Helper()
	name := "own-" + strings.ToLower(rand.Text())
	s = shop.open(t, "standard-90", func(s *catalog.Show) { s.MovieID, s.City = catalog.MovieID(name), catalog.CityID(name) })
	film := catalog.Movie{ID: s.MovieID, Title: "A Film of Our Own"}
	_, err := shop.catalog.Load(t.Context(), []store.CatalogRow{
		store.MovieRow(film), store.CityRow(catalog.City{ID: s.City, Name: "Own City"}),
		store.NowShowingRow(s.City, catalog.NowShowing{Movie: film, LastStart: s.StartsAt}),
	})
	must(t, err)
	return s, []string{"/shows/" + string(s.ID), "/movies/" + name + "/showtimes?city=" + name, "/cities/" + name + "/movies"}
}

func change(t *testing.T, s *show, c catalog.Change) catalog.Show {
	t.Helper()
	next, err := catalog.Programme{Store: shop.catalog, Clock: boot.Clock, Pause: boot.Pause}.Change(t.Context(), s.ID, c)
	must(t, err)
	return next
}

// kept is what an edge has kept of an address.
type kept struct{ path, tag string }

func keep(t *testing.T, paths ...string) []kept {
	t.Helper()
	var all []kept
	for _, p := range paths {
		r, err := client().Do(t.Context(), http.MethodGet, p, nil, nil)
		must(t, err)
		if r.Status != 200 || r.Header.Get("ETag") == "" {
			t.Fatalf("%s: %d %s", p, r.Status, r.Body)
		}
		all = append(all, kept{p, r.Header.Get("ETag")})
	}
	return all
}

// follow waits until what was kept is no longer good and the answer is as wanted.
func (k kept) follow(t *testing.T, since time.Time, want func(body []byte) bool) {
	t.Helper()
	eventually(t, seenWithin, func() error {
		r, err := client().Do(t.Context(), http.MethodGet, k.path, http.Header{"If-None-Match": {k.tag}}, nil)
		if err != nil {
			return err
		}
		if r.Status != 200 || !want(r.Body) {
			return yet("%s: %d %s", k.path, r.Status, r.Body)
		}
		return nil
	})
	late := time.Since(since)
	if t.Logf("%s follows after %s", k.path, late.Round(time.Millisecond)); late > seenWithin {
		t.Errorf("%s follows after %s", k.path, late)
	}
}

// TestAChangeReachesReaders: another time and price, then that the show does not
// take place. What was held before keeps its price, and nothing more is sold or
// paid after.
func TestAChangeReachesReaders(t *testing.T) {
	parallel(t)
	s, paths := ownRun(t)
	early, pending := guest(t), guest(t)
	h := early.hold(s, s.regular(t, 2, 0)...)
	was := keep(t, paths[:2]...)
	prices := append([]catalog.Price{}, s.Prices...)
	for i := range prices {
		prices[i].Amount.Minor = 7777
	}
	starts := s.StartsAt.Add(3 * time.Hour)
	began := time.Now()
	change(t, s, catalog.Change{StartsAt: starts, LocalDate: starts.Format(time.DateOnly), Prices: prices})
	at := []byte(starts.Format("2006-01-02T15:04:05.000Z"))
	for _, k := range was {
		k.follow(t, began, func(body []byte) bool { return bytes.Contains(body, at) && bytes.Contains(body, []byte("7777")) })
	}
	old := h.Total
	if o := early.await(early.pay(h.ID, "success").OrderID, "PAID", 15*time.Second); o.Total != old {
		t.Errorf("held for %v, paid %v", old, o.Total)
	}
	eventually(t, seenWithin, func() error {
		h = pending.hold(s, s.regular(t, 1, 5)...)
		if h.Total.Amount != 7777 {
			pending.release(h.ID)
			return yet("a new hold costs %v", h.Total)
		}
		return nil
	})

	was = keep(t, paths...)
	began = time.Now()
	change(t, s, catalog.Change{Cancel: true})
	was[0].follow(t, began, func(body []byte) bool { return bytes.Contains(body, []byte(`"status":"cancelled"`)) })
	for _, k := range was[1:] {
		k.follow(t, began, func(body []byte) bool { return bytes.Contains(body, []byte(`"items":[]`)) })
	}
	until(t, began.Add(3*time.Second)) // no function remembers a show for longer
	_, err := early.try(s, s.regular(t, 1, 9)...)
	refused(t, err, 409, "sales_closed")
	_, err = pending.tryPay(h.ID, "success")
	refused(t, err, 409, "sales_closed")
	pending.release(h.ID)
}
