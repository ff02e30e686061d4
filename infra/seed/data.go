package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

type cityRow struct {
	ID           string  `json:"id"`
	Name         string  `json:"name"`
	NameZH       *string `json:"name_zh"`
	LocalName    *string `json:"local_name"`
	Country      string  `json:"country"`
	Lat          float64 `json:"lat"`
	Lon          float64 `json:"lon"`
	Population   int64   `json:"population"`
	TZ           string  `json:"tz"`
	PostalPrefix *string `json:"postal_prefix"`
	GeonameID    int64   `json:"geonameid"`
}

type cinemaRow struct {
	ID          string   `json:"id"`
	City        string   `json:"city"`
	Name        string   `json:"name"`
	NameZH      string   `json:"name_zh,omitempty"`
	Address     string   `json:"address"`
	AddressZH   string   `json:"address_zh,omitempty"`
	District    string   `json:"district,omitempty"`
	PostalCode  *string  `json:"postal_code"`
	Lat         float64  `json:"lat"`
	Lon         float64  `json:"lon"`
	Halls       int      `json:"halls"`
	HallLayouts []string `json:"hall_layouts"`
	Synthetic   bool     `json:"synthetic"`
}

type filmRow struct {
	ID            string              `json:"id"`
	Title         string              `json:"title"`
	OriginalTitle *string             `json:"original_title"`
	TitleZH       *string             `json:"title_zh"`
	ReleaseDate   *string             `json:"release_date"`
	DoubanDate    *string             `json:"douban_date"`
	Year          *int                `json:"year"`
	RuntimeMin    *int                `json:"runtime_min"`
	Genres        []string            `json:"genres"`
	Languages     []string            `json:"languages"`
	Countries     []string            `json:"countries"`
	Directors     []string            `json:"directors"`
	Rating        *string             `json:"rating_mpaa"`
	Description   string              `json:"description"`
	DescriptionZH string              `json:"description_zh"`
	Checked       map[string][]string `json:"checked"`
}

// letterPrices are minor units by the letters of the hall drawings; L is a pair.
type letterPrices struct {
	R int64 `json:"R"`
	P int64 `json:"P"`
	W int64 `json:"W"`
	C int64 `json:"C"`
	L int64 `json:"L"`
}

type dayPrices struct {
	Day     string       `json:"day"`
	Daypart string       `json:"daypart"`
	Prices  letterPrices `json:"prices"`
}

type priceRow struct {
	Country    string           `json:"country"`
	Currency   string           `json:"currency"`
	Exponent   int              `json:"exponent"`
	Area       *string          `json:"area"`
	Rows       []dayPrices      `json:"rows"`
	Kinds      map[string]int   `json:"ticket_kinds_pct"`
	Surcharge  map[string]int64 `json:"format_surcharge"`
	BookingFee int64            `json:"booking_fee"`
	Tax        json.RawMessage  `json:"tax_example"`
}

type currencyRow struct {
	Code         string `json:"code"`
	Exponent     int    `json:"exponent"`
	ExampleMinor int64  `json:"example_minor"`
	ExampleText  string `json:"example_text"`
}

type zonesRow struct {
	Currency string           `json:"currency"`
	Exponent int              `json:"exponent"`
	Zones    map[string]int64 `json:"zones"`
}

// venueRow is a theatre or an arena with one film evening in every three days.
type venueRow struct {
	ID        string                      `json:"id"`
	City      string                      `json:"city"`
	Name      string                      `json:"name"`
	Lat       float64                     `json:"lat"`
	Lon       float64                     `json:"lon"`
	Hall      string                      `json:"hall"`
	Layout    string                      `json:"layout"`
	Film      string                      `json:"film"`
	Starts    string                      `json:"starts"` // 15:04, local
	Phase     int64                       `json:"phase"`  // the day's number modulo 3
	Zones     map[seatmap.SeatType]string `json:"zones"`
	Synthetic bool                        `json:"synthetic"`
}

type hall struct {
	source seatmap.Source
	layout *seatmap.Layout
}

// files is the whole of the data, checked.
type files struct {
	cities     []row[cityRow]
	cinemas    []row[cinemaRow]
	films      []row[filmRow]
	prices     []row[priceRow]
	currencies []row[currencyRow]
	zones      []row[zonesRow]
	venues     []row[venueRow]
	daypart    map[string]string // when each part of the day begins, 15:04

	halls    map[string]hall
	city     map[string]cityRow
	film     map[string]filmRow
	inCity   map[string][]cinemaRow
	location map[string]*time.Location
}

// readFiles reads and checks everything; the error lists every fault by file and line.
func readFiles(dir fs.FS) (*files, error) {
	f := &files{}
	err := errors.Join(
		load(dir, "cities.json", "", &f.cities),
		load(dir, "cinemas.json", "", &f.cinemas),
		load(dir, "films.json", "", &f.films),
		load(dir, "venues.json", "", &f.venues),
		load(dir, "prices.json", "currencies", &f.currencies),
		load(dir, "prices.json", "cinema", &f.prices),
		load(dir, "prices.json", "event_zones", &f.zones),
		f.loadDayparts(dir),
		f.loadHalls(dir),
	)
	if err != nil {
		return nil, err
	}
	f.index()
	return f, f.check()
}

func load[T any](dir fs.FS, name, member string, to *[]row[T]) error {
	data, err := readText(dir, name)
	if err != nil {
		return err
	}
	*to, err = readRows[T](name, data, member)
	return err
}

// readText refuses what no name or sentence may hold, even where it is valid JSON.
func readText(dir fs.FS, name string) ([]byte, error) {
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return nil, err
	}
	for i, r := range string(data) {
		switch {
		case r == '\t', r == '\n', r == '\r':
		case r < ' ', r == utf8.RuneError, r == '\u200b', r == '\ufeff':
			return nil, &refusal{name, lineAt(data, int64(i)), fmt.Sprintf("control or replacement character %U", r)}
		}
	}
	return data, nil
}

func (f *files) loadDayparts(dir fs.FS) error {
	data, err := readText(dir, "prices.json")
	if err != nil {
		return err
	}
	var doc struct {
		Note       string            `json:"note"`
		SeatTypes  map[string]string `json:"seat_types"`
		Daypart    map[string]string `json:"daypart_from"`
		Currencies json.RawMessage   `json:"currencies"`
		Cinema     json.RawMessage   `json:"cinema"`
		Zones      json.RawMessage   `json:"event_zones"`
	}
	if err := strict(data, &doc); err != nil {
		return &refusal{"prices.json", lineAt(data, offsetOf(err, 0)), plainly(err)}
	}
	f.daypart = doc.Daypart
	for _, part := range []string{matinee, evening} {
		if _, err := time.Parse(clock, doc.Daypart[part]); err != nil {
			line := lineAt(data, int64(bytes.Index(data, []byte(`"daypart_from"`))))
			return &refusal{"prices.json", line, fmt.Sprintf("daypart_from: %q is no time of day for %s", doc.Daypart[part], part)}
		}
	}
	return nil
}

func (f *files) loadHalls(dir fs.FS) error {
	data, err := readText(dir, "halls.json")
	if err != nil {
		return err
	}
	sources, err := seatmap.ParseHalls(data)
	if e, ok := errors.AsType[*seatmap.SourceError](err); ok {
		return &refusal{"halls.json", e.Line, e.Path + ": " + e.Reason}
	}
	if err != nil {
		return fmt.Errorf("halls.json: %w", err)
	}
	f.halls = map[string]hall{}
	for _, s := range sources {
		l, err := seatmap.Expand(s)
		if err != nil {
			return fmt.Errorf("halls.json: %s: %w", s.ID, err)
		}
		f.halls[s.ID] = hall{s, l}
	}
	return nil
}

func (f *files) index() {
	f.city, f.film = map[string]cityRow{}, map[string]filmRow{}
	f.inCity, f.location = map[string][]cinemaRow{}, map[string]*time.Location{}
	for _, c := range f.cities {
		f.city[c.v.ID] = c.v
	}
	for _, m := range f.films {
		f.film[m.v.ID] = m.v
	}
	for _, k := range f.cinemas {
		f.inCity[k.v.City] = append(f.inCity[k.v.City], k.v)
	}
}
