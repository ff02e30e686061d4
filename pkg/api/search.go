package api

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Finder answers a search; engine.Live.
type Finder interface {
	Search(ctx context.Context, q search.Query, now time.Time) (search.Answer, error)
}

// SearchMovies answers A11.
func SearchMovies(e Edge, f Finder) Handler {
	return e.handle(map[string]operation{opSearchMovies: func(ctx context.Context, c *call) (reply, error) {
		q, err := c.search()
		if err != nil {
			return reply{}, err
		}
		a, err := f.Search(ctx, q, c.now)
		switch {
		case errors.Is(err, search.ErrCursor):
			return reply{}, bad("cursor: not a cursor of this search")
		case errors.Is(err, search.ErrNoPlace):
			return reply{}, bad("sorting_order: a distance needs lat_long, city or postal_code")
		case err != nil:
			return reply{}, err
		}
		return reply{status: 200, doc: answerDoc(a, q.Facets), keep: keepStock}, nil
	}})
}

var searched = []string{
	"keyword", "city", "lat_long", "radius", "start_datetime", "end_datetime", "postal_code", "includeSpellcheck", "results_per_page", "sorting_order", "cursor",
	"language", "genre", "format", "accessibility", "price_min", "price_max", "currency", "seats_together", "facets",
}

const (
	defaultPage  = 20
	defaultOrder = "date,asc"
	maxWord      = 64      // characters of a short word
	mostAmount   = 1 << 53 // what every JSON reader takes for a whole number
	mostKm       = 20_016  // half way round the earth
)

// search reads the parameters; each that is there holds something.
func (c *call) search() (q search.Query, err error) {
	for _, name := range searched {
		text, given := c.query[name]
		if !given || text == "" && name == "keyword" {
			continue
		}
		if text == "" {
			return q, bad(name + ": must not be empty")
		}
		if err := searchParameters[name](&q, text); err != nil {
			return q, err
		}
	}
	return c.searchWhole(q)
}

// searchWhole judges what several parameters are together, and fills in what is
// left to us.
func (c *call) searchWhole(q search.Query) (search.Query, error) {
	_, near := c.query["radius"]
	switch {
	case near && q.Near == nil:
		return q, bad("radius: needs lat_long")
	case !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From):
		return q, bad("end_datetime: is before start_datetime")
	case q.Price != nil && q.Price.Currency == "":
		return q, bad("currency: required with price_min and price_max")
	}
	if q.Price != nil {
		_, low := c.query["price_min"]
		_, high := c.query["price_max"]
		if !high {
			q.Price.Max = mostAmount
		}
		if !low && !high || q.Price.Max < q.Price.Min {
			return q, bad("price_max: with currency goes price_min, price_max or both, in order")
		}
	}
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	if _, given := c.query["sorting_order"]; !given {
		q.Order, _ = search.ParseOrder(defaultOrder)
	}
	return q, nil
}

var searchParameters = map[string]func(q *search.Query, text string) error{
	"keyword": func(q *search.Query, s string) error {
		q.Keyword = s
		return atMost("keyword", s, maxQuery)
	},
	"city": func(q *search.Query, s string) error {
		if q.City = catalog.CityID(s); !isID(s) {
			return errNotFound
		}
		return nil
	},
	"lat_long": func(q *search.Query, s string) error {
		lat, lon, _ := strings.Cut(s, ",")
		y, yok := decimal(lat)
		x, xok := decimal(lon)
		if q.Near = (&search.Point{Lat: y, Lon: x}); !yok || !xok || math.Abs(y) > 90 || math.Abs(x) > 180 {
			return bad("lat_long: must be latitude,longitude in degrees")
		}
		return nil
	},
	"radius": func(q *search.Query, s string) error {
		km, ok := decimal(s)
		if !ok || km <= 0 || km > mostKm {
			return bad("radius: must be kilometres, more than 0 and at most 20016")
		}
		q.Metres = max(int32(math.Round(km*1000)), 1)
		return nil
	},
	"start_datetime": func(q *search.Query, s string) error { return moment("start_datetime", s, &q.From) },
	"end_datetime":   func(q *search.Query, s string) error { return moment("end_datetime", s, &q.To) },
	"postal_code": func(q *search.Query, s string) error {
		q.Postal = s
		return atMost("postal_code", s, maxWord)
	},
	"includeSpellcheck": func(q *search.Query, s string) error { return yes("includeSpellcheck", s, &q.Spell) },
	"results_per_page": func(q *search.Query, s string) error {
		return number("results_per_page", s, search.MaxPage, &q.Limit)
	},
	"sorting_order": func(q *search.Query, s string) (err error) {
		var ok bool
		if q.Order, ok = search.ParseOrder(s); !ok {
			return bad("sorting_order: must be one of " + strings.Join(search.Orders(), " "))
		}
		return nil
	},
	"cursor": func(q *search.Query, s string) error {
		q.Cursor = s
		return nil
	},
	"language": func(q *search.Query, s string) error {
		q.Language = s
		return atMost("language", s, maxWord)
	},
	"genre": func(q *search.Query, s string) error {
		q.Genre = s
		return atMost("genre", s, maxWord)
	},
	"format": func(q *search.Query, s string) error {
		q.Format = s
		return atMost("format", s, maxWord)
	},
	"accessibility": func(q *search.Query, s string) error {
		q.Place = seatmap.SeatType(s)
		if q.Place != seatmap.Wheelchair && q.Place != seatmap.Companion {
			return bad("accessibility: must be wheelchair or companion")
		}
		return nil
	},
	"price_min": func(q *search.Query, s string) error { return amount("price_min", s, &priceOf(q).Min) },
	"price_max": func(q *search.Query, s string) error { return amount("price_max", s, &priceOf(q).Max) },
	"currency": func(q *search.Query, s string) error {
		priceOf(q).Currency = s
		if !(money.Amount{Currency: s}).Valid() {
			return bad("currency: must be three capital letters, ISO 4217")
		}
		return nil
	},
	"seats_together": func(q *search.Query, s string) error {
		return number("seats_together", s, search.MostTogether, &q.Together)
	},
	"facets": func(q *search.Query, s string) error { return yes("facets", s, &q.Facets) },
}

func priceOf(q *search.Query) *search.PriceRange {
	if q.Price == nil {
		q.Price = &search.PriceRange{}
	}
	return q.Price
}

func atMost(name, s string, n int) error {
	if utf8.RuneCountInString(s) > n {
		return bad(name + ": must have at most " + strconv.Itoa(n) + " characters")
	}
	return nil
}

func yes(name, s string, to *bool) error {
	if s != "yes" && s != "no" {
		return bad(name + ": must be yes or no")
	}
	*to = s == "yes"
	return nil
}

func number(name, s string, most int, to *int) error {
	n, ok := whole(s)
	if *to = n; !ok || n < 1 || n > most {
		return bad(name + ": must be a whole number from 1 to " + strconv.Itoa(most))
	}
	return nil
}

func amount(name, s string, to *int64) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if *to = n; err != nil || n < 0 || n > mostAmount || s != strconv.FormatInt(n, 10) {
		return bad(name + ": must be a whole number of minor units")
	}
	return nil
}

// decimal is a plain number, without exponent, infinity or anything but digits.
func decimal(s string) (float64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(s) > 20 || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// moment reads RFC 3339 with an offset. A plus that came as a blank, as forms
// write it, is meant as a plus.
func moment(name, s string, to *time.Time) error {
	t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1))
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9998 {
		return bad(name + ": must be a time with an offset, such as 2026-11-21T20:00:00+08:00")
	}
	*to = t.UTC()
	return nil
}

// A11 names these members, and so they are written.
type foundDoc struct {
	MovieID     string          `json:"MovieID"`
	ShowID      string          `json:"ShowID"`
	Title       string          `json:"Title"`
	Description *string         `json:"Description"`
	Duration    *int            `json:"Duration"`
	Genre       []string        `json:"Genre"`
	Language    *string         `json:"Language"`
	ReleaseDate *string         `json:"ReleaseDate"`
	Country     *string         `json:"Country"`
	StartTime   string          `json:"StartTime"`
	EndTime     string          `json:"EndTime"`
	Seats       []foundSeatsDoc `json:"Seats"`
}

type foundSeatsDoc struct {
	Type   string       `json:"Type"`
	Price  money.Amount `json:"Price"`
	Status string       `json:"Status"`
}

type searchDoc struct {
	Items       []foundDoc                `json:"items"`
	Next        *string                   `json:"next_cursor"`
	Suggestions []string                  `json:"suggestions"`
	Facets      map[string]map[string]int `json:"facets,omitempty"`
}

// A11's words for what is left.
var foundStatus = map[seatmap.Availability]string{
	seatmap.Available: "Available", seatmap.AlmostFull: "Almost Full", seatmap.Full: "Full",
}

func answerDoc(a search.Answer, facets bool) searchDoc {
	d := searchDoc{Items: make([]foundDoc, len(a.Items)), Next: optional(a.Next), Suggestions: append([]string{}, a.Suggestions...)}
	for i, f := range a.Items {
		d.Items[i] = foundDoc{
			MovieID: string(f.Film.ID), ShowID: string(f.Show.ID), Title: f.Film.Title, Description: optional(f.Film.Description),
			Duration: optional(f.Film.RuntimeMinutes), Genre: texts(f.Film.Genres), Language: optional(f.Film.Language),
			ReleaseDate: optional(f.Film.ReleaseDate), Country: optional(f.Film.Country),
			StartTime: wireTime(f.Show.StartsAt), EndTime: wireTime(f.Show.EndsAt), Seats: make([]foundSeatsDoc, len(f.Show.Prices)),
		}
		for j, p := range f.Show.Prices {
			d.Items[i].Seats[j] = foundSeatsDoc{capital(string(p.Type)), p.Amount, foundStatus[f.Statuses[p.Type]]}
		}
	}
	if facets {
		d.Facets = map[string]map[string]int{
			"language": a.Facets.Language, "genre": a.Facets.Genre, "format": a.Facets.Format, "accessibility": a.Facets.Accessibility,
		}
	}
	return d
}

// capital writes a type as A11 does: Regular, Premium.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
