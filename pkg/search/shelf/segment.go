package shelf

import (
	"bytes"
	"compress/gzip"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"

	"github.com/fairseat/fairseat/pkg/search"
)

// magic begins a segment; another form gets another number.
const magic = "fairseat search 1\n"

// maxSegment bounds what is unpacked: a hundred times what 70,000 shows take.
const maxSegment = 1 << 30

// ErrSegment refuses what is no segment.
var ErrSegment = errors.New("shelf: not a segment")

// wire is a segment's columns. What shows share, such as a cinema or a list of
// prices, is there once.
type wire struct {
	Films  []catalog.Movie
	Cities []catalog.City
	Halls  []search.Hall
	Gone   []search.Key

	Words   []string // ids of films, cities and layouts of the shows
	Cinemas []catalog.Cinema
	Prices  [][]catalog.Price

	ID                                  []string
	Movie, City, Layout, Cinema, Priced []int32
	Starts, Ends                        []int64
	OnSale                              []bool

	Stock         []string
	StockUntil    []int64
	StockTypes    []string // of all shows in one row: "regular full premium available"
	StockTogether []int32
}

// Pack writes rows as a segment. The same rows give the same bytes.
func Pack(rows search.Rows) []byte {
	w := columns(rows)
	var b bytes.Buffer
	b.WriteString(magic)
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is a known one
	if err := gob.NewEncoder(z).Encode(w); err != nil {
		panic(err) // only our own structs come here
	}
	if err := z.Close(); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
}

func columns(rows search.Rows) *wire {
	w := &wire{}
	words, cinemas, prices := shared[string]{}, shared[catalog.Cinema]{}, shared[string]{}
	for _, k := range sorted(rows) {
		switch r := rows[k]; {
		case r.Film != nil:
			w.Films = append(w.Films, *r.Film)
		case r.City != nil:
			w.Cities = append(w.Cities, *r.City)
		case r.Hall != nil:
			w.Halls = append(w.Halls, *r.Hall)
		case r.Stock != nil:
			w.stock(*r.Stock)
		case r.Show != nil:
			s := r.Show
			w.ID = append(w.ID, string(s.ID))
			w.Movie = append(w.Movie, words.number(&w.Words, string(s.Movie)))
			w.City = append(w.City, words.number(&w.Words, string(s.City)))
			w.Layout = append(w.Layout, words.number(&w.Words, string(s.Layout)))
			w.Cinema = append(w.Cinema, cinemas.number(&w.Cinemas, s.Cinema))
			n := prices.numberOf(fmt.Sprint(s.Prices))
			if n == int32(len(w.Prices)) {
				w.Prices = append(w.Prices, s.Prices)
			}
			w.Priced = append(w.Priced, n)
			w.Starts, w.Ends = append(w.Starts, s.StartsAt.UnixMilli()), append(w.Ends, s.EndsAt.UnixMilli())
			w.OnSale = append(w.OnSale, s.OnSale)
		default:
			w.Gone = append(w.Gone, k)
		}
	}
	return w
}

func (w *wire) stock(s search.Stock) {
	var types []string
	for _, typ := range sortedTypes(s.Statuses) {
		types = append(types, string(typ), string(s.Statuses[typ]))
	}
	w.Stock = append(w.Stock, string(s.Show))
	w.StockUntil = append(w.StockUntil, s.Until.UnixMilli())
	w.StockTypes = append(w.StockTypes, strings.Join(types, " "))
	w.StockTogether = append(w.StockTogether, int32(s.Together))
}

// shared numbers what occurs often.
type shared[T comparable] map[T]int32

func (s shared[T]) numberOf(v T) int32 {
	n, ok := s[v]
	if !ok {
		n = int32(len(s))
		s[v] = n
	}
	return n
}

func (s shared[T]) number(list *[]T, v T) int32 {
	n := s.numberOf(v)
	if int(n) == len(*list) {
		*list = append(*list, v)
	}
	return n
}

// Unpack reads a segment; anything else is [ErrSegment].
func Unpack(b []byte) (search.Rows, error) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return nil, ErrSegment
	}
	z, err := gzip.NewReader(bytes.NewReader(rest))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSegment, err)
	}
	var w wire
	if err := gob.NewDecoder(io.LimitReader(z, maxSegment)).Decode(&w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSegment, err)
	}
	if rest, err := io.Copy(io.Discard, z); err != nil || rest > 0 || !w.sound() {
		return nil, ErrSegment // the end holds the sum of what came before
	}
	return w.rows(), nil
}

// sound checks every number that points into a column.
func (w *wire) sound() bool {
	n := len(w.ID)
	for _, c := range []struct {
		column []int32
		most   int
	}{{w.Movie, len(w.Words)}, {w.City, len(w.Words)}, {w.Layout, len(w.Words)}, {w.Cinema, len(w.Cinemas)}, {w.Priced, len(w.Prices)}} {
		if len(c.column) != n || slices.ContainsFunc(c.column, func(i int32) bool { return i < 0 || int(i) >= c.most }) {
			return false
		}
	}
	m := len(w.Stock)
	return len(w.Starts) == n && len(w.Ends) == n && len(w.OnSale) == n &&
		len(w.StockUntil) == m && len(w.StockTypes) == m && len(w.StockTogether) == m
}

func (w *wire) rows() search.Rows {
	rows := make(search.Rows, len(w.ID)+len(w.Stock)+len(w.Films)+len(w.Cities)+len(w.Halls)+len(w.Gone))
	for i := range w.Films {
		rows[search.Key{Kind: search.OfFilm, ID: string(w.Films[i].ID)}] = search.Row{Film: &w.Films[i]}
	}
	for i := range w.Cities {
		rows[search.Key{Kind: search.OfCity, ID: string(w.Cities[i].ID)}] = search.Row{City: &w.Cities[i]}
	}
	for i := range w.Halls {
		rows[search.Key{Kind: search.OfHall, ID: string(w.Halls[i].ID)}] = search.Row{Hall: &w.Halls[i]}
	}
	for _, k := range w.Gone {
		rows[k] = search.Row{}
	}
	shows := make([]search.Show, len(w.ID))
	for i, id := range w.ID {
		shows[i] = search.Show{
			ID: catalog.ShowID(id), Movie: catalog.MovieID(w.Words[w.Movie[i]]), City: catalog.CityID(w.Words[w.City[i]]),
			Layout: catalog.LayoutID(w.Words[w.Layout[i]]), Cinema: w.Cinemas[w.Cinema[i]], Prices: w.Prices[w.Priced[i]],
			StartsAt: time.UnixMilli(w.Starts[i]).UTC(), EndsAt: time.UnixMilli(w.Ends[i]).UTC(), OnSale: w.OnSale[i],
		}
		rows[search.Key{Kind: search.OfShow, ID: id}] = search.Row{Show: &shows[i]}
	}
	for i, id := range w.Stock {
		rows[search.Key{Kind: search.OfStock, ID: id}] = search.Row{Stock: w.stockAt(i)}
	}
	return rows
}

func (w *wire) stockAt(i int) *search.Stock {
	s := &search.Stock{
		Show: catalog.ShowID(w.Stock[i]), Until: time.UnixMilli(w.StockUntil[i]).UTC(), Together: int(w.StockTogether[i]),
		Statuses: map[seatmap.SeatType]seatmap.Availability{},
	}
	words := strings.Fields(w.StockTypes[i])
	for j := 0; j+1 < len(words); j += 2 {
		s.Statuses[seatmap.SeatType(words[j])] = seatmap.Availability(words[j+1])
	}
	return s
}

func sorted(rows search.Rows) []search.Key {
	keys := make([]search.Key, 0, len(rows))
	for k := range rows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b search.Key) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return keys
}

func sortedTypes(m map[seatmap.SeatType]seatmap.Availability) []seatmap.SeatType {
	types := make([]seatmap.SeatType, 0, len(m))
	for t := range m {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}
