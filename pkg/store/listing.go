package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// A listing is read far more often than a show and a week of it at once, so its
// items are small: what the key says is not said again, names are a letter, prices
// are one text ("CNY regular=4500 premium=5500"). 24 shows are one read unit; as
// whole shows they were one and a half to two.
const (
	listCinema = "c"
	listName   = "n"
	listLat    = "a"
	listLon    = "o"
	listHall   = "h"
	listLayout = "l"
	listEnds   = "e"
	listDate   = "d"
	listPrices = "p"
	listOpens  = "f"
	listCloses = "u"
	listPostal = "z" // of the cinema, where it is known
	listOff    = "x" // the status where it is not on_sale
)

// listedFor is how long after its start a show may be forgotten by the listing.
const listedFor = 48 * time.Hour

func listingItem(s catalog.Show) Item {
	it := Item{
		listCinema: string(s.Cinema.ID), listName: s.Cinema.Name, listLat: micro(s.Cinema.Lat), listLon: micro(s.Cinema.Lon),
		listHall: s.Hall, listLayout: string(s.LayoutID), listEnds: s.EndsAt.UnixMilli(), listDate: s.LocalDate,
		listPrices: priceText(s.Prices), listOpens: s.SaleOpensAt.UnixMilli(), listCloses: s.SaleClosesAt.UnixMilli(),
		catTTL: s.StartsAt.Add(listedFor).Unix(),
	}
	setText(it, listPostal, s.Cinema.PostalCode)
	if s.Status != catalog.OnSale {
		it[listOff] = s.Status.String()
	}
	for attr, set := range map[string]bool{catGap: s.SingleGap, catNoLine: s.NoLine, catWork: s.Challenge, catContact: s.NeedsContact} {
		if set {
			it[attr] = true
		}
	}
	if s.LinePasses > 0 {
		it[catPasses] = int64(s.LinePasses)
	}
	return it
}

// listedOf reads an item of the listing, also one that was written as a whole show.
func listedOf(r *row) catalog.Show {
	if _, whole := r.item[catPrices]; whole {
		return showOf(r)
	}
	s := catalog.Show{
		Cinema: catalog.Cinema{
			ID: catalog.CinemaID(r.str(listCinema)), Name: r.str(listName), Lat: degrees(r.num(listLat)), Lon: degrees(r.num(listLon)),
			PostalCode: r.optional(listPostal),
		},
		Hall: r.str(listHall), LayoutID: catalog.LayoutID(r.str(listLayout)), EndsAt: instant(r, listEnds), LocalDate: r.str(listDate),
		SaleOpensAt: instant(r, listOpens), SaleClosesAt: instant(r, listCloses), Status: catalog.OnSale,
	}
	s.NoLine, _ = r.item[catNoLine].(bool)
	s.SingleGap, _ = r.item[catGap].(bool)
	s.Challenge, _ = r.item[catWork].(bool)
	s.NeedsContact, _ = r.item[catContact].(bool)
	passes, _ := r.item[catPasses].(int64)
	s.LinePasses = int(passes)
	var err error
	if s.MovieID, s.City, s.StartsAt, s.ID, err = parseListingKey(r.str("pk"), r.str("sk")); err != nil {
		r.fail("sk")
	}
	if off, ok := r.item[listOff].(string); ok {
		if s.Status, err = catalog.ParseStatus(off); err != nil {
			r.fail(listOff)
		}
	}
	if s.Prices, err = parsePrices(r.str(listPrices)); err != nil {
		r.fail(listPrices)
	}
	return s
}

// parseListingKey undoes showtimeKey: no identifier has a # in it.
func parseListingKey(pk, sk string) (movie catalog.MovieID, city catalog.CityID, starts time.Time, id catalog.ShowID, err error) {
	film, place, split := strings.Cut(strings.TrimPrefix(pk, showtimesPre), "#")
	at, show, parted := strings.Cut(sk, "#")
	starts, err = time.Parse(sortLayout, at)
	if err == nil && (!split || !parted) {
		err = fmt.Errorf("store: %q, %q is no key of a listing", pk, sk)
	}
	return catalog.MovieID(film), catalog.CityID(place), starts, catalog.ShowID(show), err
}

// priceText is of one currency, as a show's prices are.
func priceText(prices []catalog.Price) string {
	var b strings.Builder
	for i, p := range prices {
		if i == 0 {
			b.WriteString(p.Amount.Currency)
		}
		fmt.Fprintf(&b, " %s=%d", p.Type, p.Amount.Minor)
	}
	return b.String()
}

func parsePrices(text string) ([]catalog.Price, error) {
	words := strings.Fields(text)
	var prices []catalog.Price
	for _, w := range words[min(1, len(words)):] {
		typ, minor, _ := strings.Cut(w, "=")
		n, err := strconv.ParseInt(minor, 10, 64)
		p := catalog.Price{Type: seatmap.SeatType(typ), Amount: money.Amount{Minor: n, Currency: words[0]}}
		if err != nil || !p.Type.Valid() || !p.Amount.Valid() {
			return nil, fmt.Errorf("store: %q is no price", w)
		}
		prices = append(prices, p)
	}
	return prices, nil
}
