package api

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// BrowseCatalog answers everything that can be found before seats are chosen (A1 to A5).
func BrowseCatalog(e Edge, r *catalog.Reader, s catalog.Stock) Handler {
	b := browser{r, s}
	return e.handle(map[string]operation{
		opListCities:    b.cities,
		opListMovies:    b.movies,
		opListShowtimes: b.showtimes,
		opReadShow:      b.show,
		opReadLayout:    b.layout,
	})
}

type browser struct {
	reader *catalog.Reader
	stock  catalog.Stock
}

type listDoc[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next_cursor"`
}

func listOf[T, D any](l catalog.Listing[T], doc func(T) D, keep string) reply {
	d := listDoc[D]{Items: make([]D, len(l.Items)), Next: optional(l.Next)}
	for i, it := range l.Items {
		d.Items[i] = doc(it)
	}
	return reply{status: 200, doc: d, keep: keep}
}

// cursorWords turns the catalogue's word about a cursor into one for clients.
func cursorWords(err error) error {
	if errors.Is(err, catalog.ErrCursor) {
		return bad("cursor: not a cursor of this list")
	}
	return err
}

type cityDoc struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	LocalName *string `json:"local_name"`
	Country   string  `json:"country"`
	Lat       float64 `json:"lat"`
	Lon       float64 `json:"lon"`
}

func (b browser) cities(ctx context.Context, c *call) (reply, error) {
	p, err := c.page()
	if err != nil {
		return reply{}, err
	}
	q := c.query["q"]
	if utf8.RuneCountInString(q) > maxQuery {
		return reply{}, bad("q: must have at most 200 characters")
	}
	l, err := b.reader.Cities(ctx, q, p)
	if err != nil {
		return reply{}, cursorWords(err)
	}
	return listOf(l, func(c catalog.City) cityDoc {
		return cityDoc{string(c.ID), c.Name, optional(c.LocalName), c.Country, c.Lat, c.Lon}
	}, keepCities), nil
}

type movieDoc struct {
	ID             string   `json:"id"`
	Title          string   `json:"title"`
	Genres         []string `json:"genres"`
	Language       *string  `json:"language"`
	RuntimeMinutes *int     `json:"runtime_minutes"`
	ReleaseDate    *string  `json:"release_date"`
	Country        *string  `json:"country"`
	Description    *string  `json:"description"`
}

func (b browser) movies(ctx context.Context, c *call) (reply, error) {
	p, err := c.page()
	if err != nil {
		return reply{}, err
	}
	l, err := b.reader.MoviesIn(ctx, catalog.CityID(c.id("city")), p)
	if err != nil {
		return reply{}, cursorWords(err)
	}
	return listOf(l, func(m catalog.NowShowing) movieDoc {
		return movieDoc{
			string(m.ID), m.Title, texts(m.Genres), optional(m.Language), optional(m.RuntimeMinutes),
			optional(m.ReleaseDate), optional(m.Country), optional(m.Description),
		}
	}, keepMovies), nil
}

type cinemaDoc struct {
	ID   string  `json:"id"`
	Name string  `json:"name"`
	Lat  float64 `json:"lat"`
	Lon  float64 `json:"lon"`
}

func cinemaOf(c catalog.Cinema) cinemaDoc { return cinemaDoc{string(c.ID), c.Name, c.Lat, c.Lon} }

type stockDoc struct {
	Type   string       `json:"type"`
	Price  money.Amount `json:"price"`
	Status string       `json:"status"`
}

type showtimeDoc struct {
	ID       string     `json:"id"`
	Hall     string     `json:"hall"`
	StartsAt string     `json:"starts_at"`
	EndsAt   string     `json:"ends_at"`
	Seats    []stockDoc `json:"seats"`
}

type showtimesDoc struct {
	Cinema cinemaDoc     `json:"cinema"`
	Shows  []showtimeDoc `json:"shows"`
}

func (b browser) showtimes(ctx context.Context, c *call) (reply, error) {
	p, err := c.page()
	if err != nil {
		return reply{}, err
	}
	city, given := c.query["city"]
	if !given || city == "" {
		return reply{}, bad("city: required")
	}
	if !isID(city) {
		return reply{}, errNotFound
	}
	date, err := c.date()
	if err != nil {
		return reply{}, err
	}
	q := catalog.Showtimes{Movie: catalog.MovieID(c.id("movie")), City: catalog.CityID(city), Date: date}
	l, err := b.reader.Showtimes(ctx, q, p)
	if err != nil {
		return reply{}, cursorWords(err)
	}
	stock, err := b.stock.Statuses(ctx, q.City, q.Movie)
	if err != nil {
		return reply{}, err
	}
	return listOf(l, func(cs catalog.CinemaShows) showtimesDoc {
		d := showtimesDoc{Cinema: cinemaOf(cs.Cinema), Shows: make([]showtimeDoc, len(cs.Shows))}
		for i, s := range cs.Shows {
			d.Shows[i] = showtimeDoc{string(s.ID), s.Hall, wireTime(s.StartsAt), wireTime(s.EndsAt), stockOf(s, stock[s.ID])}
		}
		return d
	}, keepStock), nil
}

func stockOf(s catalog.Show, left map[seatmap.SeatType]seatmap.Availability) []stockDoc {
	docs := make([]stockDoc, len(s.Prices))
	for i, p := range s.Prices {
		status, known := left[p.Type]
		if !known {
			status = seatmap.Available
		}
		docs[i] = stockDoc{string(p.Type), p.Amount, string(status)}
	}
	return docs
}

type priceDoc struct {
	Type  string       `json:"type"`
	Price money.Amount `json:"price"`
}

type showDoc struct {
	ID           string     `json:"id"`
	MovieID      string     `json:"movie_id"`
	Cinema       cinemaDoc  `json:"cinema"`
	Hall         string     `json:"hall"`
	LayoutID     string     `json:"layout_id"`
	StartsAt     string     `json:"starts_at"`
	EndsAt       string     `json:"ends_at"`
	Prices       []priceDoc `json:"prices"`
	SaleOpensAt  string     `json:"sale_opens_at"`
	SaleClosesAt string     `json:"sale_closes_at"`
	Status       string     `json:"status"`
	Challenge    bool       `json:"challenge_required,omitempty"`
	Contact      bool       `json:"contact_required,omitempty"`
}

func (b browser) show(ctx context.Context, c *call) (reply, error) {
	s, err := b.reader.Show(ctx, catalog.ShowID(c.id("show")))
	if err != nil {
		return reply{}, err
	}
	d := showDoc{
		ID: string(s.ID), MovieID: string(s.MovieID), Cinema: cinemaOf(s.Cinema), Hall: s.Hall, LayoutID: string(s.LayoutID),
		StartsAt: wireTime(s.StartsAt), EndsAt: wireTime(s.EndsAt), Prices: make([]priceDoc, len(s.Prices)),
		SaleOpensAt: wireTime(s.SaleOpensAt), SaleClosesAt: wireTime(s.SaleClosesAt), Status: s.Status.String(),
		Challenge: s.Challenge, Contact: s.NeedsContact,
	}
	for i, p := range s.Prices {
		d.Prices[i] = priceDoc{string(p.Type), p.Amount}
	}
	return reply{status: 200, doc: d, keep: keepShow}, nil
}

type layoutDoc struct {
	ID       string       `json:"id"`
	Sections []sectionDoc `json:"sections"`
}

type sectionDoc struct {
	ID   string   `json:"id"`
	Rows []rowDoc `json:"rows"`
}

type rowDoc struct {
	ID    string    `json:"id"`
	Seats []seatDoc `json:"seats"`
}

type seatDoc struct {
	ID   string  `json:"id"`
	Type string  `json:"type"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
}

func (b browser) layout(ctx context.Context, c *call) (reply, error) {
	l, err := b.reader.Layout(ctx, catalog.LayoutID(c.id("layout")))
	if err != nil {
		return reply{}, err
	}
	d := layoutDoc{ID: l.ID(), Sections: []sectionDoc{}}
	for _, sec := range l.Sections() {
		sd := sectionDoc{ID: sec.ID, Rows: make([]rowDoc, len(sec.Rows))}
		for i, row := range sec.Rows {
			sd.Rows[i] = rowDoc{row.ID, seatsOf(l, row)}
		}
		d.Sections = append(d.Sections, sd)
	}
	return reply{status: 200, doc: d, keep: keepForever}, nil
}

func seatsOf(l *seatmap.Layout, row seatmap.Row) []seatDoc {
	docs := make([]seatDoc, row.Len)
	for i := range row.Len {
		s := l.At(row.First + i)
		docs[i] = seatDoc{string(s.ID), string(s.Type), s.X, s.Y}
	}
	return docs
}

// optional is null for what is not known.
func optional[T comparable](v T) *T {
	var unknown T
	if v == unknown {
		return nil
	}
	return &v
}
