package e2e_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

type foundShow struct {
	MovieID, ShowID, Title, StartTime string
	Seats                             []struct{ Type, Status string }
}

type foundPage struct {
	Items       []foundShow `json:"items"`
	Next        *string     `json:"next_cursor"`
	Suggestions []string    `json:"suggestions"`
}

func (b *buyer) search(query string) (p foundPage, err error) {
	err = b.get("/search/movies?"+query, &p)
	return p, err
}

func (b *buyer) finds(query, show string) error {
	p, err := b.search(query)
	if err == nil && !slices.ContainsFunc(p.Items, func(f foundShow) bool { return f.ShowID == show }) {
		err = fmt.Errorf("%s does not find %s", query, show)
	}
	return err
}

// TestSearch: what is loaded is found, each parameter once; what is sold shows,
// and so does what an organiser changes.
func TestSearch(t *testing.T) {
	parallel(t)
	b := guest(t)
	film := catalog.Movie{ID: "search-e2e", Title: "Zwölf Uhr mittags im Kino", Genres: []string{"Western"}, Language: "de", RuntimeMinutes: 90, ChineseTitle: "正午影院奇遇", Directors: []string{"Ottokar Quendel"}}
	_, err := shop.catalog.Load(t.Context(), []store.CatalogRow{store.MovieRow(film)})
	must(t, err)
	at := func(s *catalog.Show) {
		s.MovieID, s.Cinema.Lat, s.Cinema.Lon, s.Cinema.PostalCode = film.ID, 31.2, 121.4, "200000"
	}
	s := shop.open(t, "arthouse-40", at)
	eventually(t, 20*time.Second, func() error { return b.finds("keyword=quendel", string(s.ID)) })
	esc := url.QueryEscape
	for _, query := range []string{
		"keyword=zwolf", "keyword=" + esc("奇遇"), "keyword=quendal", "keyword=western&genre=western&language=de",
		"keyword=quendel&city=shanghai-cn&sorting_order=distance,asc", "keyword=quendel&lat_long=31.2,121.4&radius=1", "keyword=quendel&postal_code=2000",
		"keyword=quendel&start_datetime=" + esc(s.StartsAt.Format(time.RFC3339Nano)) + "&end_datetime=" + esc(s.StartsAt.Format(time.RFC3339Nano)),
		"keyword=quendel&accessibility=wheelchair", "keyword=quendel&currency=CNY&price_min=1000&price_max=1000", "keyword=quendel&seats_together=4",
	} {
		if err := b.finds(query, string(s.ID)); err != nil {
			t.Error(err)
		}
	}
	p, err := b.search("keyword=quendal&includeSpellcheck=yes")
	if must(t, err); !slices.Contains(p.Suggestions, "Quendel") {
		t.Errorf("suggested %q", p.Suggestions)
	}
	for _, query := range []string{"results_per_page=0", "results_per_page=31", "cursor=abc", "sorting_order=price,asc", "start_datetime=yesterday", "lat_long=x", "radius=3"} {
		_, err := b.search(query)
		refused(t, err, 400, "bad_request")
	}
	t.Run("pages", func(t *testing.T) {
		first, err := b.search("results_per_page=1&city=shanghai-cn")
		must(t, err)
		if len(first.Items) != 1 || first.Next == nil {
			t.Fatalf("%d items, next %v", len(first.Items), first.Next)
		}
		second, err := b.search("results_per_page=1&city=shanghai-cn&cursor=" + *first.Next)
		if must(t, err); len(second.Items) != 1 || second.Items[0].ShowID == first.Items[0].ShowID {
			t.Errorf("%v follows %v", second.Items, first.Items)
		}
	})
	t.Run("sold", func(t *testing.T) {
		places := s.of(t, seatmap.Wheelchair, 1, 0)
		guest(t).hold(s, places...)
		eventually(t, 20*time.Second, func() error {
			p, err := b.search("keyword=quendel")
			if err != nil {
				return err
			}
			for _, seats := range p.Items[0].Seats {
				if seats.Type == "Wheelchair" && seats.Status == "Full" {
					return nil
				}
			}
			return fmt.Errorf("seats are %v", p.Items[0].Seats)
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		gone := s.Show
		gone.Status = catalog.Cancelled
		shop.write(t, gone)
		eventually(t, 20*time.Second, func() error {
			p, err := b.search("keyword=quendel")
			if err == nil && len(p.Items) > 0 {
				err = fmt.Errorf("still finds %v", p.Items)
			}
			return err
		})
	})
}
