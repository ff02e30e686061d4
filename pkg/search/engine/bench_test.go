package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// week is 500 cities × 10 cinemas × 7 days × 2 shows.
func week() search.Rows {
	rows := search.Rows{{Kind: search.OfHall, ID: "h"}: {Hall: &search.Hall{ID: "h", Together: 10}}}
	for i := range 231 {
		rows[search.Key{Kind: search.OfFilm, ID: fmt.Sprint("film", i)}] = search.Row{Film: &catalog.Movie{
			ID: catalog.MovieID(fmt.Sprint("film", i)), Title: fmt.Sprintf("%s %s %d", vocabulary[i%12], vocabulary[(i/12)%12], i), ChineseTitle: vocabulary[12+i%5],
			Language: tongues[i%3], Genres: []string{genres[i%3]}, Directors: []string{fmt.Sprint("Person ", i%90)}, Description: "Somebody looks for something and finds another thing on the way.",
		}}
	}
	for c := range 500 {
		city := catalog.City{ID: catalog.CityID(fmt.Sprintf("city%03d", c)), Lat: float64(c%150) - 75, Lon: float64(c*7%360) - 180}
		rows[search.Key{Kind: search.OfCity, ID: string(city.ID)}] = search.Row{City: &city}
		for n := range 140 {
			k := n / 14
			s := &search.Show{
				ID: catalog.ShowID(fmt.Sprintf("city%03d-%02d-%02d", c, k, n%14)), Movie: catalog.MovieID(fmt.Sprint("film", (c*7+n*13)%231)), City: city.ID, Layout: "h",
				Cinema:   catalog.Cinema{ID: catalog.CinemaID(fmt.Sprint(c, "-", k)), Lat: city.Lat + float64(k)/100, Lon: city.Lon, PostalCode: fmt.Sprint(10000 + c*10 + k)},
				StartsAt: noon.Add(time.Duration(n%14)*12*time.Hour + time.Duration(c%48)*15*time.Minute), OnSale: true,
				Prices: []catalog.Price{{Type: seatmap.Regular, Amount: money.Amount{Minor: int64(800 + k*100), Currency: "EUR"}}},
			}
			s.EndsAt = s.StartsAt.Add(2 * time.Hour)
			rows[search.Key{Kind: search.OfShow, ID: string(s.ID)}] = search.Row{Show: s}
		}
	}
	return rows
}

func BenchmarkSearch(b *testing.B) {
	ix := indexOf(b, week())
	defer close(ix)
	for name, q := range map[string]search.Query{
		"words":   {Keyword: "stardust inception"},
		"typo":    {Keyword: "inecption", Spell: true},
		"chinese": {Keyword: "千与千寻", City: "city123"},
		"city":    {City: "city123"},
		"near":    {Near: &search.Point{Lat: 10, Lon: 20}, Metres: 500_000},
		"alone":   {},
		"all":     {Facets: true, Together: 4},
	} {
		for _, order := range []string{"date,asc", "name,date,desc", "distance,asc"} {
			if order == "distance,asc" && q.Near == nil && q.City == "" {
				continue
			}
			q.Order, _ = search.ParseOrder(order)
			q.Limit = 30
			b.Run(name+"/"+order, func(b *testing.B) {
				for b.Loop() {
					if _, err := ix.Search(q, noon); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkStart is what the first request of an instance does beside fetching.
func BenchmarkStart(b *testing.B) {
	body := shelf.Pack(week())
	b.ReportMetric(float64(len(body)), "segment-bytes")
	for b.Loop() {
		rows, err := shelf.Unpack(body)
		if err != nil {
			b.Fatal(err)
		}
		close(indexOf(b, rows))
	}
}
