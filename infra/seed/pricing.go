package main

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const (
	weekday, weekend = "weekday", "weekend"
	matinee, evening = "matinee", "evening"

	clock = "15:04"
)

// bigCity tells which cities pay by a country's table for its large ones; the
// country's other table has the area "other city".
var bigCity = map[string]func(cityRow) bool{
	"CN": oneOf("beijing-cn", "shanghai-cn", "guangzhou-cn", "shenzhen-cn"),
	"IN": oneOf("mumbai-in", "delhi-in", "kolkata-in", "chennai-in", "bengaluru-in", "hyderabad-in"),
	"GB": oneOf("london-gb"),
	"US": func(c cityRow) bool { return c.Population >= 1_000_000 },
}

func oneOf(ids ...string) func(cityRow) bool {
	return func(c cityRow) bool { return slices.Contains(ids, c.ID) }
}

const otherCity = "other city"

// euroArea are the countries that pay in euro and have no table of their own.
var euroArea = []string{"AT", "BE", "BG", "CY", "EE", "FI", "GR", "HR", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT", "SI", "SK"}

// Where Friday and Saturday are the weekend.
var fridayWeekend = []string{"BD", "BH", "DZ", "EG", "IL", "IQ", "JO", "KW", "OM", "QA", "SA"}

// pricesFor is the table of the city's country and area. A country without one
// falls back to Germany's in the euro area, and else to that of the smaller
// cities of the United States, in their currency.
func (f *files) pricesFor(c cityRow) priceRow {
	country := c.Country
	if !slices.ContainsFunc(f.prices, func(r row[priceRow]) bool { return r.v.Country == country }) {
		country = "US"
		if slices.Contains(euroArea, c.Country) {
			country = "DE"
		}
	}
	big := bigCity[country] != nil && country == c.Country && bigCity[country](c)
	for _, r := range f.prices {
		if r.v.Country == country && (r.v.Area == nil || (*r.v.Area == otherCity) != big) {
			return r.v
		}
	}
	return priceRow{}
}

func (f *files) zonesFor(currency string) map[string]int64 {
	for _, r := range f.zones {
		if r.v.Currency == currency {
			return r.v.Zones
		}
	}
	return nil
}

// pricesOf are the prices of a show in a cinema, for the types that its hall has.
// The files price a pair of loveseats; half of it, rounded up, is a seat's.
func (f *files) pricesOf(c cityRow, l *seatmap.Layout, starts time.Time) []catalog.Price {
	table := f.pricesFor(c)
	p := table.at(dayKind(c.Country, starts.Weekday()), f.daypartOf(starts))
	extra := table.surcharge(l.Format())
	minor := map[seatmap.SeatType]int64{
		seatmap.Regular: p.R + extra, seatmap.Premium: p.P + extra, seatmap.Wheelchair: p.W + extra,
		seatmap.Companion: p.C + extra, seatmap.Loveseat: (p.L+1)/2 + extra,
	}
	var prices []catalog.Price
	for _, t := range l.Types() {
		prices = append(prices, catalog.Price{Type: t, Amount: money.Amount{Minor: minor[t], Currency: table.Currency}})
	}
	return prices
}

func dayKind(country string, d time.Weekday) string {
	rest := []time.Weekday{time.Saturday, time.Sunday}
	if slices.Contains(fridayWeekend, country) {
		rest = []time.Weekday{time.Friday, time.Saturday}
	}
	if slices.Contains(rest, d) {
		return weekend
	}
	return weekday
}

func (f *files) daypartOf(local time.Time) string {
	if local.Format(clock) >= f.daypart[evening] {
		return evening
	}
	return matinee
}

func (p priceRow) at(day, daypart string) letterPrices {
	for _, r := range p.Rows {
		if r.Day == day && r.Daypart == daypart {
			return r.Prices
		}
	}
	return letterPrices{}
}

// surcharge is for one seat. A table that does not name IMAX takes what it asks
// for another large screen; a format that it does not name costs nothing more.
func (p priceRow) surcharge(format string) int64 {
	if s, ok := p.Surcharge[format]; ok || format != "IMAX" {
		return s
	}
	return p.Surcharge["PLF"]
}

// eventPrices are those of a venue's evening, by the zone of each type of place.
func (f *files) eventPrices(v venueRow) []catalog.Price {
	currency := f.pricesFor(f.city[v.City]).Currency
	zones := f.zonesFor(currency)
	var prices []catalog.Price
	for _, t := range f.halls[v.Layout].layout.Types() {
		prices = append(prices, catalog.Price{Type: t, Amount: money.Amount{Minor: zones[v.Zones[t]], Currency: currency}})
	}
	return prices
}
