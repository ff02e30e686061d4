// Package catalog decides what can be found and what it costs: which cities match
// what a person types, which films and shows are still to come, and the price of a
// seat in a show.
//
// It keeps: a listing never shows a show that has started or was cancelled; prices
// are whole minor units, each for one seat. No time zone is looked up here: a show carries its local date.
//
// Start with [Show], [Reader], [Store] and, for what organisers change, [Programme].
package catalog

import (
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Identifiers are lower-case words joined by hyphens, at most 128 characters.
type (
	CityID   string
	MovieID  string
	CinemaID string
	ShowID   string
	LayoutID string
)

// What a look-up answers when there is no such thing.
var (
	ErrNoCity   = fault.New(fault.NotFound, "not_found", "catalog: no such city")
	ErrNoMovie  = fault.New(fault.NotFound, "not_found", "catalog: no such movie")
	ErrNoShow   = fault.New(fault.NotFound, "not_found", "catalog: no such show")
	ErrNoLayout = fault.New(fault.NotFound, "not_found", "catalog: no such layout")
)

// City is a place with partner cinemas (A1).
type City struct {
	ID          CityID
	Name        string
	LocalName   string // in the script of the place; "" when not known
	ChineseName string // simplified; "" when not known
	Country     string // ISO 3166-1, two letters
	Lat, Lon    float64
}

// Movie is a film. Facts that no source confirmed are empty.
type Movie struct {
	ID             MovieID
	Title          string
	Genres         []string
	Language       string // ISO 639-1, of the original
	RuntimeMinutes int
	ReleaseDate    string // 2006-01-02, or the year alone
	Country        string // ISO 3166-1, two letters
	Description    string

	// What a film is found by beside these; a listing leaves them out.
	OriginalTitle      string
	ChineseTitle       string // simplified
	ChineseDescription string
	Directors          []string
}

// NowShowing is a film in a city and the start of the last show it has there (A2).
type NowShowing struct {
	Movie
	LastStart time.Time
}

// Cinema is as much of a cinema as a show tells.
type Cinema struct {
	ID         CinemaID
	Name       string
	Lat, Lon   float64
	PostalCode string // as the country writes it; "" when not known
}

// Price is what one seat of the type costs.
type Price struct {
	Type   seatmap.SeatType
	Amount money.Amount
}

// Show is one screening in one hall (A4). Times are UTC in whole milliseconds.
type Show struct {
	ID           ShowID
	MovieID      MovieID
	City         CityID
	Cinema       Cinema
	Hall         string
	LayoutID     LayoutID
	StartsAt     time.Time
	EndsAt       time.Time
	LocalDate    string // 2006-01-02 of StartsAt where the cinema is
	Prices       []Price
	SaleOpensAt  time.Time
	SaleClosesAt time.Time
	Status       Status
	SingleGap    bool // the organiser refuses choices that strand a single seat
	NoLine       bool // the house wants no line for it
	LinePasses   int  // later parties that may pass one that does not fit; 0 is the strict rule
	Challenge    bool // holding and joining ask for a solved challenge while it is on sale
	NeedsContact bool // paying asks for a contact, whose seats are counted too

	Rev       int64     // how often it was changed since it was first loaded; a listing does not tell
	Announced time.Time // EndsAt before it was changed; zero when it never was, and in a listing
}

// Status is what the organiser says of a show. The zero value is invalid.
type Status uint8

const (
	_ Status = iota
	OnSale
	Cancelled
)

// String is the word on the wire and in the store.
func (s Status) String() string {
	switch s {
	case OnSale:
		return "on_sale"
	case Cancelled:
		return "cancelled"
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// ParseStatus refuses every other word than those of [Status.String].
func ParseStatus(s string) (Status, error) {
	for _, st := range []Status{OnSale, Cancelled} {
		if st.String() == s {
			return st, nil
		}
	}
	return 0, fmt.Errorf("catalog: unknown status %q", s)
}

// Sale is where a show stands in its sale window. The zero value is invalid.
type Sale uint8

const (
	_          Sale = iota
	SaleAhead       // before SaleOpensAt
	SaleOpen        // from SaleOpensAt until before SaleClosesAt
	SaleClosed      // from SaleClosesAt, or cancelled
)

// Sale tells whether seats may be held at now.
func (s Show) Sale(now time.Time) Sale {
	switch {
	case s.Status != OnSale || !now.Before(s.SaleClosesAt):
		return SaleClosed
	case now.Before(s.SaleOpensAt):
		return SaleAhead
	}
	return SaleOpen
}

// Listed tells whether the show belongs in a listing at now: still to come and not cancelled.
func (s Show) Listed(now time.Time) bool {
	return s.Status == OnSale && s.StartsAt.After(now)
}
