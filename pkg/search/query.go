package search

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// MaxPage is the longest page (A11).
const MaxPage = 30

// MostTogether is the most seats that can be asked for side by side (A10).
const MostTogether = 10

// What a question may be refused for, beside its form.
var (
	ErrCursor  = fault.New(fault.Invalid, "bad_request", "search: not a cursor of this search")
	ErrNoPlace = fault.New(fault.Invalid, "bad_request", "search: an order by distance needs a place")
)

// Query is a question; the zero value of a member asks nothing. What is asked
// must all hold.
type Query struct {
	Keyword  string         // words of a film
	City     catalog.CityID // catalog.ErrNoCity where there is none
	Near     *Point
	Metres   int32  // from Near; 0 is anywhere
	Postal   string // begins the cinema's postal code
	From     time.Time
	To       time.Time // both are in
	Language string    // ISO 639-1
	Genre    string    // without case
	Format   string    // of the hall, without case
	Place    seatmap.SeatType
	Price    *PriceRange
	Together int // free seats side by side

	Order  Order
	Limit  int // 1 to MaxPage
	Cursor string
	Facets bool
	Spell  bool
}

// PriceRange is what one seat of any type may cost, both ends in.
type PriceRange struct {
	Currency string
	Min, Max int64 // minor units
}

// Found is one show of the answer.
type Found struct {
	Film     catalog.Movie
	Show     Show
	Statuses map[seatmap.SeatType]seatmap.Availability // of every type that has a price
}

// Answer is a page. Next is "" at the end.
type Answer struct {
	Items       []Found
	Next        string
	Suggestions []string
	Facets      Facets // empty unless asked for
}

// Facets count shows by what one could ask for besides. Each is counted as if
// nothing were asked for of its own kind: it tells what another choice would find.
type Facets struct {
	Language, Genre, Format, Accessibility map[string]int
}

// Point is a place in degrees.
type Point struct{ Lat, Lon float64 }

// Order is one of A11's nine. The zero value is invalid.
type Order struct {
	By         By
	Descending bool
}

// By is what shows are sorted by first. The zero value is invalid.
type By uint8

// The orders, without their direction.
const (
	_ By = iota
	ByName
	ByDate
	ByDistance
	ByDateName
)

// A name alone is followed by the date, so name and name,date are one.
var orders = map[string]Order{
	"name,asc": {ByName, false}, "name,desc": {ByName, true},
	"date,asc": {ByDate, false}, "date,desc": {ByDate, true},
	"distance,asc":  {ByDistance, false},
	"name,date,asc": {ByName, false}, "name,date,desc": {ByName, true},
	"date,name,asc": {ByDateName, false}, "date,name,desc": {ByDateName, true},
}

// ParseOrder reads one of the nine.
func ParseOrder(s string) (Order, bool) {
	o, ok := orders[s]
	return o, ok
}

// Orders are the nine, sorted.
func Orders() []string {
	var all []string
	for s := range orders {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}
