package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// TableCatalog holds what can be found: cities, films, shows, layouts. It has no
// stream and nothing per seat.
const TableCatalog Table = "catalog"

// Catalog reads and loads the catalogue. Access patterns, with their cost in
// requests and read units (eventual reads, items as the loader makes them):
//
//	C1  all cities              Get     CITYLIST / LIST                 500 cities: 2
//	C2  one city                Get     CITIES / <city>                 0.5
//	C3  now showing in a city   Query   CITY#<city> / MOVIE#*           6 × 300 B: 0.5
//	C4  one film                Get     MOVIE#<movie> / MOVIE           0.5
//	C5  showtimes               Query   SHOWS#<movie>#<city> / <start>#<show>, from … before
//	                                    24 × 300 B a week: 1 request, 1 unit
//	C6  one show                Get     SHOW#<show> / SHOW              0.5
//	C7  one layout              Get     LAYOUT#<layout> / LAYOUT        20,000 seats: 1.5
//	C9  change a show           Get of it, of the film's place and Query of C5, all strongly
//	                            consistent; then one transaction of 3 to 5 items
//	C8  load n rows             BatchGet of their items, then transactions of those that differ,
//	                            ≤ 100 writes each: none when nothing has changed
//
// A listing needs no second read: C5's items have all that a show has. Both items of a show
// are written in one transaction, so a listed show can be opened.
type Catalog struct{ tables Tables }

var _ catalog.Store = Catalog{}

// NewCatalog keeps the catalogue in the table [TableCatalog] of t.
func NewCatalog(t Tables) Catalog { return Catalog{t} }

const (
	citiesPK     = "CITIES"
	moviesPre    = "MOVIE#"
	showtimesPre = "SHOWS#"
	movieSK      = "MOVIE"
	showSK       = "SHOW"
	layoutSK     = "LAYOUT"
)

func catalogKey(pk, sk string) Key { return Key{TableCatalog, pk, sk} }

func cityKey(id catalog.CityID) Key { return catalogKey(citiesPK, string(id)) }

func nowShowingKey(city catalog.CityID, movie catalog.MovieID) Key {
	return catalogKey(nowShowingPK(city), moviesPre+string(movie))
}

func nowShowingPK(city catalog.CityID) string { return "CITY#" + string(city) }

func movieKey(id catalog.MovieID) Key   { return catalogKey("MOVIE#"+string(id), movieSK) }
func showKey(id catalog.ShowID) Key     { return catalogKey("SHOW#"+string(id), showSK) }
func layoutKey(id catalog.LayoutID) Key { return catalogKey("LAYOUT#"+string(id), layoutSK) }

func showtimesPK(movie catalog.MovieID, city catalog.CityID) string {
	return showtimesPre + string(movie) + "#" + string(city)
}

func showtimeKey(s catalog.Show) Key {
	return catalogKey(showtimesPK(s.MovieID, s.City), sortTime(s.StartsAt)+"#"+string(s.ID))
}

// sortTime has a fixed width, so that text sorts as time does.
func sortTime(t time.Time) string { return t.UTC().Format(sortLayout) }

const sortLayout = "2006-01-02T15:04:05.000Z"

// City is C2.
func (c Catalog) City(ctx context.Context, id catalog.CityID) (catalog.City, error) {
	return catalogGet(ctx, c.tables, cityKey(id), cityOf, catalog.ErrNoCity)
}

// MoviesIn is C3.
func (c Catalog) MoviesIn(ctx context.Context, city catalog.CityID) ([]catalog.NowShowing, error) {
	return catalogList(ctx, c.tables, Query{Table: TableCatalog, PK: nowShowingPK(city), Prefix: moviesPre}, nowShowingOf)
}

// Movie is C4.
func (c Catalog) Movie(ctx context.Context, id catalog.MovieID) (catalog.Movie, error) {
	return catalogGet(ctx, c.tables, movieKey(id), movieOf, catalog.ErrNoMovie)
}

// Showtimes is C5.
func (c Catalog) Showtimes(ctx context.Context, movie catalog.MovieID, city catalog.CityID, from, before time.Time) ([]catalog.Show, error) {
	if !from.Before(before) {
		return nil, nil
	}
	return catalogList(ctx, c.tables, Query{
		Table: TableCatalog, PK: showtimesPK(movie, city), From: sortTime(from), Before: sortTime(before),
	}, listedOf)
}

// Show is C6.
func (c Catalog) Show(ctx context.Context, id catalog.ShowID) (catalog.Show, error) {
	return catalogGet(ctx, c.tables, showKey(id), showOf, catalog.ErrNoShow)
}

// LayoutSource is C7.
func (c Catalog) LayoutSource(ctx context.Context, id catalog.LayoutID) ([]byte, error) {
	return catalogGet(ctx, c.tables, layoutKey(id), layoutOf, catalog.ErrNoLayout)
}

func catalogGet[T any](ctx context.Context, t Tables, k Key, of func(*row) T, absent error) (none T, err error) {
	it, err := t.Get(ctx, k, false)
	if err != nil {
		return none, fmt.Errorf("store: read %s: %w", k.PK, err)
	}
	if it == nil {
		return none, absent
	}
	return catalogDecode(it, of)
}

func catalogList[T any](ctx context.Context, t Tables, q Query, of func(*row) T) ([]T, error) {
	var all []T
	for {
		items, next, err := t.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("store: list %s: %w", q.PK, err)
		}
		for _, it := range items {
			v, err := catalogDecode(it, of)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		if q.Next = next; next == "" {
			return all, nil
		}
	}
}

// Attribute names of the catalogue.
const (
	catHash    = "hash"
	catTTL     = "ttl"
	catID      = "id"
	catName    = "name"
	catLocal   = "local_name"
	catChinese = "name_zh"
	catCountry = "country"
	catLat     = "lat"
	catLon     = "lon"
	catTitle   = "title"
	catGenres  = "genres"
	catLang    = "language"
	catRuntime = "runtime"
	catRelease = "released"
	catText    = "text"
	catLast    = "last_start"
	catSource  = "source"
	catMovie   = "movie"
	catCity    = "city"
	catCinema  = "cinema"
	catHall    = "hall"
	catLayout  = "layout"
	catStarts  = "starts"
	catEnds    = "ends"
	catDate    = "date"
	catMoney   = "currency"
	catPrices  = "prices"
	catType    = "type"
	catMinor   = "minor"
	catOpens   = "opens"
	catCloses  = "closes"
	catStatus  = "status"
	catGap     = "single_gap"
	catNoLine  = "no_line"
	catWork    = "work"
	catContact = "contact"
	catPasses  = "line_passes"
	catRev     = "rev"       // absent is 0
	catFirst   = "announced" // absent: never changed
	catPostal  = "postal"
	catOrig    = "title_orig"
	catTitleZH = "title_zh"
	catTextZH  = "text_zh"
	catPeople  = "directors"
)

func cityItem(c catalog.City) Item {
	return Item{
		catID: string(c.ID), catName: c.Name, catLocal: c.LocalName, catChinese: c.ChineseName, catCountry: c.Country,
		catLat: micro(c.Lat), catLon: micro(c.Lon),
	}
}

func cityOf(r *row) catalog.City {
	return catalog.City{
		ID: catalog.CityID(r.str(catID)), Name: r.str(catName), LocalName: r.str(catLocal), ChineseName: r.str(catChinese),
		Country: r.str(catCountry), Lat: degrees(r.num(catLat)), Lon: degrees(r.num(catLon)),
	}
}

func movieItem(m catalog.Movie) Item {
	return Item{
		catID: string(m.ID), catTitle: m.Title, catGenres: textsOf(m.Genres), catLang: m.Language, catRuntime: int64(m.RuntimeMinutes),
		catRelease: m.ReleaseDate, catCountry: m.Country, catText: m.Description,
	}
}

// foundBy are the attributes that only a search has a use for. What is not known
// takes no room.
func foundBy(m catalog.Movie) Item {
	it := movieItem(m)
	for attr, v := range map[string]string{catOrig: m.OriginalTitle, catTitleZH: m.ChineseTitle, catTextZH: m.ChineseDescription} {
		if v != "" {
			it[attr] = v
		}
	}
	if len(m.Directors) > 0 {
		it[catPeople] = textsOf(m.Directors)
	}
	return it
}

func textsOf(list []string) []any {
	texts := make([]any, len(list))
	for i, s := range list {
		texts[i] = s
	}
	return texts
}

func movieOf(r *row) catalog.Movie {
	m := catalog.Movie{
		ID: catalog.MovieID(r.str(catID)), Title: r.str(catTitle), Language: r.str(catLang), RuntimeMinutes: int(r.num(catRuntime)),
		ReleaseDate: r.str(catRelease), Country: r.str(catCountry), Description: r.str(catText),
	}
	m.Genres = stringsOf(r, catGenres)
	m.OriginalTitle, _ = r.item[catOrig].(string)
	m.ChineseTitle, _ = r.item[catTitleZH].(string)
	m.ChineseDescription, _ = r.item[catTextZH].(string)
	if r.item[catPeople] != nil {
		m.Directors = stringsOf(r, catPeople)
	}
	return m
}

func stringsOf(r *row, attr string) (list []string) {
	for _, v := range listOf(r, attr) {
		s, ok := v.(string)
		if !ok {
			r.fail(attr)
		}
		list = append(list, s)
	}
	return list
}

func nowShowingOf(r *row) catalog.NowShowing {
	return catalog.NowShowing{Movie: movieOf(r), LastStart: instant(r, catLast)}
}

func layoutOf(r *row) []byte {
	b, ok := r.item[catSource].([]byte)
	if !ok {
		r.fail(catSource)
	}
	return b
}

func showItem(s catalog.Show) Item {
	it := plainShow(s)
	if s.NoLine {
		it[catNoLine] = true
	}
	if s.LinePasses > 0 {
		it[catPasses] = int64(s.LinePasses)
	}
	if s.Rev > 0 {
		it[catRev] = s.Rev
	}
	setTime(it, catFirst, s.Announced)
	if s.Cinema.PostalCode != "" {
		it[catPostal] = s.Cinema.PostalCode
	}
	if s.Challenge {
		it[catWork] = true
	}
	if s.NeedsContact {
		it[catContact] = true
	}
	return it
}

func plainShow(s catalog.Show) Item {
	prices := make([]any, len(s.Prices))
	for i, p := range s.Prices {
		prices[i] = map[string]any{catType: string(p.Type), catMinor: p.Amount.Minor, catMoney: p.Amount.Currency}
	}
	return Item{
		catID: string(s.ID), catMovie: string(s.MovieID), catCity: string(s.City),
		catCinema: string(s.Cinema.ID), catName: s.Cinema.Name, catLat: micro(s.Cinema.Lat), catLon: micro(s.Cinema.Lon),
		catHall: s.Hall, catLayout: string(s.LayoutID), catStarts: s.StartsAt.UnixMilli(), catEnds: s.EndsAt.UnixMilli(),
		catDate: s.LocalDate, catPrices: prices, catOpens: s.SaleOpensAt.UnixMilli(), catCloses: s.SaleClosesAt.UnixMilli(),
		catStatus: s.Status.String(), catGap: s.SingleGap,
	}
}

func showOf(r *row) catalog.Show {
	s := catalog.Show{
		ID: catalog.ShowID(r.str(catID)), MovieID: catalog.MovieID(r.str(catMovie)), City: catalog.CityID(r.str(catCity)),
		Cinema: catalog.Cinema{
			ID: catalog.CinemaID(r.str(catCinema)), Name: r.str(catName), Lat: degrees(r.num(catLat)), Lon: degrees(r.num(catLon)),
		},
		Hall: r.str(catHall), LayoutID: catalog.LayoutID(r.str(catLayout)), StartsAt: instant(r, catStarts), EndsAt: instant(r, catEnds),
		LocalDate: r.str(catDate), SaleOpensAt: instant(r, catOpens), SaleClosesAt: instant(r, catCloses),
	}
	s.SingleGap, _ = r.item[catGap].(bool)
	s.NoLine, _ = r.item[catNoLine].(bool)
	s.Challenge, _ = r.item[catWork].(bool)
	s.NeedsContact, _ = r.item[catContact].(bool)
	passes, _ := r.item[catPasses].(int64)
	s.LinePasses = int(passes)
	s.Rev, s.Announced = revOf(r.item), r.time(catFirst)
	s.Cinema.PostalCode, _ = r.item[catPostal].(string)
	st, err := catalog.ParseStatus(r.str(catStatus))
	if err != nil {
		r.fail(catStatus)
	}
	s.Status = st
	for _, p := range listOf(r, catPrices) {
		s.Prices = append(s.Prices, priceOf(r, p))
	}
	return s
}

func priceOf(r *row, v any) catalog.Price {
	m, _ := v.(map[string]any)
	kind, _ := m[catType].(string)
	minor, ok := m[catMinor].(int64)
	currency, _ := m[catMoney].(string)
	p := catalog.Price{Type: seatmap.SeatType(kind), Amount: money.Amount{Minor: minor, Currency: currency}}
	if !ok || !p.Type.Valid() || !p.Amount.Valid() {
		r.fail(catPrices)
	}
	return p
}

// Degrees are kept in millionths: exact for the five decimals of the sources, and
// no row holds a float.
func micro(deg float64) int64 { return int64(math.Round(deg * 1e6)) }
func degrees(n int64) float64 { return float64(n) / 1e6 }

func catalogDecode[T any](it Item, of func(*row) T) (T, error) {
	r := &row{item: it}
	v := of(r)
	if r.err != nil {
		var none T
		return none, r.err
	}
	return v, nil
}

// instant is of an attribute that must be there.
func instant(r *row, attr string) time.Time { return time.UnixMilli(r.num(attr)).UTC() }

func listOf(r *row, attr string) []any {
	l, ok := r.item[attr].([]any)
	if !ok {
		r.fail(attr)
	}
	return l
}
