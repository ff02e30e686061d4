package counts

import (
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// The catalogue of a list: a week of one film in the ten cinemas of a city.
const (
	listShows = 24
	listFilms = 6
	listCity  = "ho-chi-minh-city-vn"
	listFilm  = "the-girl-who-leapt-through-time-2006"
)

// unremembered prepares a reader that remembers nothing yet, as the first instance after
// what the edge kept has grown old.
func unremembered(f func(s *stage, r *catalog.Reader) error) func(s *stage) (func() error, error) {
	return func(s *stage) (func() error, error) {
		if err := s.publish(); err != nil {
			return nil, err
		}
		r := catalog.NewReader(s.Catalog, func() time.Time { return s.now })
		return func() error { return f(s, r) }, nil
	}
}

var firstPage = catalog.Page{Limit: catalog.MaxLimit}

// listSteps are the reads before a sale, all eventually consistent. What 500 real
// cities cost is asserted where they are loaded, in infra/seed.
var listSteps = []step{
	{
		"list of films in a city", use(1, 0, 0.5), use(1, 0, 0.5), "one partition below 4 KB, 6 films; the city is looked up only where there are none",
		unremembered(func(s *stage, r *catalog.Reader) error {
			l, err := r.MoviesIn(s.ctx, listCity, firstPage)
			return enough(len(l.Items), listFilms, err)
		}),
	},
	{
		"list of showtimes", use(2, 0, 2), use(1, 0, 1),
		"24 shows of a week, 8 KB; built: beside them what is left of each, from the table that the projector writes, when all of them have sold seats",
		unremembered(func(s *stage, r *catalog.Reader) error {
			q := catalog.Showtimes{Movie: listFilm, City: listCity}
			l, err := r.Showtimes(s.ctx, q, firstPage)
			if err != nil {
				return err
			}
			left, err := s.Store.Statuses(s.ctx, q.City, q.Movie)
			return enough(min(len(l.Items[0].Shows), len(left)), listShows, err)
		}),
	},
	{
		"a show", use(1, 0, 0.5), use(1, 0, 0.5), "one item",
		unremembered(func(s *stage, r *catalog.Reader) error { _, err := r.Show(s.ctx, show); return err }),
	},
	{
		"a layout, 2,000 seats", use(1, 0, 0.5), use(1, 0, 0.5), "one item; kept for ever by whoever read it",
		unremembered(func(s *stage, r *catalog.Reader) error { _, err := r.Layout(s.ctx, hall.Layout()); return err }),
	},
}

func enough(got, want int, err error) error {
	if err == nil && got < want {
		err = fmt.Errorf("counts: a list of %d, want %d", got, want)
	}
	return err
}

// publish loads the week, each show touched so that it has its status.
func (s *stage) publish() error {
	var rows []store.CatalogRow
	for i := range listFilms {
		film := catalog.Movie{
			ID: catalog.MovieID(fmt.Sprintf("%s-%d", listFilm, i)), Title: "The Girl Who Leapt Through Time", Genres: []string{"Animation", "Romance"},
			Language: "ja", RuntimeMinutes: 98, ReleaseDate: "2006-07-15", Country: "JP",
			Description: "A schoolgirl finds that she can leap back in time and spends the gift on small things, until she learns what each leap costs somebody else.",
		}
		rows = append(rows, store.NowShowingRow(listCity, catalog.NowShowing{Movie: film, LastStart: s.now.Add(time.Hour)}))
	}
	for i := range listShows {
		starts := s.now.Add(time.Duration(i+1) * 6 * time.Hour)
		one := catalog.Show{
			ID: catalog.ShowID(fmt.Sprintf("%s-10-20300501-%d", listCity, i)), MovieID: listFilm, City: listCity,
			Cinema: catalog.Cinema{ID: listCity + "-10", Name: "Lotus Picture House", Lat: 10.82302, Lon: 106.62965},
			Hall:   "Hall 3, IMAX", LayoutID: hall.Layout(), StartsAt: starts, EndsAt: starts.Add(2 * time.Hour), LocalDate: "2030-05-01",
			SaleOpensAt: starts.AddDate(0, 0, -14), SaleClosesAt: starts, Status: catalog.OnSale,
		}
		for _, typ := range []seatmap.SeatType{seatmap.Regular, seatmap.Premium, seatmap.Wheelchair, seatmap.Companion, seatmap.Loveseat} {
			one.Prices = append(one.Prices, catalog.Price{Type: typ, Amount: money.Amount{Minor: 125000, Currency: "VND"}})
		}
		if err := s.touch(one); err != nil {
			return err
		}
		rows = append(rows, store.ShowRow(one))
	}
	_, err := s.Catalog.Load(s.ctx, rows)
	return err
}

// touch gives a show a map whose every type has a status.
func (s *stage) touch(of catalog.Show) error {
	m, err := s.Office.SeatMap(s.ctx, show)
	if err != nil {
		return err
	}
	one := *m
	one.Show, one.Tallies = of.ID, map[seatmap.SeatType]booking.Tally{}
	for _, p := range of.Prices {
		one.Tallies[p.Type] = booking.Tally{Free: 1, Sold: 99}
	}
	err = s.Store.SaveSnapshot(s.ctx, of, one, 0, true)
	if fault.Is(err, fault.Stale) {
		return nil // the stage has it from an earlier step
	}
	return err
}
