package search

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/pkg/api"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	product "github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/search/engine"
	"github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// few is a week of three cities.
func few() product.Rows {
	rows := product.Rows{{Kind: product.OfHall, ID: "h"}: {Hall: &product.Hall{ID: "h", Together: 10}}}
	for i, f := range []catalog.Movie{
		{ID: "city-lights", Title: "City Lights", ChineseTitle: "城市之光", Language: "en", Directors: []string{"Charlie Chaplin"}},
		{ID: "spirited-away", Title: "Spirited Away", ChineseTitle: "千与千寻", Language: "ja"},
	} {
		rows[product.Key{Kind: product.OfFilm, ID: string(f.ID)}] = product.Row{Film: &f}
		for c := range 3 {
			city := catalog.City{ID: catalog.CityID(fmt.Sprint("city-", c)), Lat: float64(c), Lon: float64(c)}
			rows[product.Key{Kind: product.OfCity, ID: string(city.ID)}] = product.Row{City: &city}
			for n := range 40 {
				s := &product.Show{
					ID: catalog.ShowID(fmt.Sprintf("show-%d-%d-%d", i, c, n)), Movie: f.ID, City: city.ID, Layout: "h", OnSale: true,
					Cinema:   catalog.Cinema{ID: catalog.CinemaID(fmt.Sprint("cinema-", c)), Lat: city.Lat, Lon: city.Lon},
					StartsAt: noon.Add(time.Duration(1+n) * 4 * time.Hour),
					Prices:   []catalog.Price{{Type: seatmap.Regular, Amount: money.Amount{Minor: int64(800 + n), Currency: "EUR"}}},
				}
				s.EndsAt = s.StartsAt.Add(2 * time.Hour)
				rows[product.Key{Kind: product.OfShow, ID: string(s.ID)}] = product.Row{Show: s}
			}
		}
	}
	return rows
}

type still struct{ index *engine.Index }

func (s still) Search(_ context.Context, q product.Query, now time.Time) (product.Answer, error) {
	return s.index.Search(q, now)
}

// TestEveryWishIsAQuestion: the handler takes each, and each statement has as many
// parameters as it names.
func TestEveryWishIsAQuestion(t *testing.T) {
	ix, err := engine.Empty().With(shelf.News{Rows: few(), Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	ask := api.SearchMovies(api.Edge{Clock: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)}, still{ix})
	d := newDraw(rand.New(rand.NewPCG(1, 2)), few(), noon)
	for _, k := range kinds {
		found := 0
		for range 30 {
			w := d.next(k)
			a, err := ask(t.Context(), venue.ReadEvent("/search/movies", "", "", w.query()))
			if err != nil || a.StatusCode != 200 {
				t.Fatalf("%s: %v: status %d, %v: %s", k, w.query(), a.StatusCode, err, a.Body)
			}
			if strings.Contains(a.Body, `"ShowID"`) {
				found++
			}
			text, args := w.sql(&last{id: "a", folded: "b"}, noon)
			if !strings.Contains(text, fmt.Sprintf("$%d", len(args))) || strings.Contains(text, fmt.Sprintf("$%d", len(args)+1)) {
				t.Errorf("%s: %d parameters for %s", k, len(args), text)
			}
		}
		if found < 15 {
			t.Errorf("%s: %d of 30 found something", k, found)
		}
	}
}

// TestSameSeedSameWishes: a run can be repeated, though the rows are a map.
func TestSameSeedSameWishes(t *testing.T) {
	a, b := newDraw(rand.New(rand.NewPCG(3, 4)), few(), noon), newDraw(rand.New(rand.NewPCG(3, 4)), few(), noon)
	for range 20 {
		for _, k := range kinds {
			if x, y := a.next(k), b.next(k); !reflect.DeepEqual(x.query(), y.query()) {
				t.Fatalf("%s: %v and %v", k, x.query(), y.query())
			}
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		text           string
		indexed, asked string
	}{
		{"Amélie's Léon", "amelies leon", "amelies leon"},
		{"千与千寻", "千 千与 与 与千 千 千寻 寻", "千与 与千 千寻"},
		{"光", "光", "光"},
		{"ＷＡＬＬ·E 机器人", "wall e 机 机器 器 器人 人", "wall e 机器 器人"},
	} {
		if got := strings.Join(lexemes(c.text), " "); got != c.indexed {
			t.Errorf("%s: %s", c.text, got)
		}
		if got := strings.Join(terms(c.text), " "); got != c.asked {
			t.Errorf("%s: %s", c.text, got)
		}
	}
}

// TestEveryOrderIsTotal: without the id behind it a page could repeat a show.
func TestEveryOrderIsTotal(t *testing.T) {
	for _, o := range product.Orders() {
		if c := columns[o]; len(c) == 0 || !slices.Equal(c[len(c)-1:], []string{"s.id"}) {
			t.Errorf("%s: %v", o, c)
		}
	}
}
