package search

import (
	"maps"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Hall is what a search needs of a layout.
type Hall struct {
	ID       catalog.LayoutID
	Format   string // such as "IMAX"; "" for none
	Together int    // seats side by side while nothing is taken
}

// Show is what a search needs of a show.
type Show struct {
	ID       catalog.ShowID
	Movie    catalog.MovieID
	City     catalog.CityID
	Layout   catalog.LayoutID
	Cinema   catalog.Cinema
	StartsAt time.Time
	EndsAt   time.Time
	OnSale   bool
	Prices   []catalog.Price
}

// ShowOf leaves out what a search does not need.
func ShowOf(s catalog.Show) Show {
	return Show{
		ID: s.ID, Movie: s.MovieID, City: s.City, Layout: s.LayoutID, Cinema: s.Cinema,
		StartsAt: s.StartsAt, EndsAt: s.EndsAt, OnSale: s.Status == catalog.OnSale, Prices: s.Prices,
	}
}

// Stock is how much is left of a show that somebody has touched.
type Stock struct {
	Show     catalog.ShowID
	Until    time.Time // the show's end: of no use afterwards
	Statuses map[seatmap.SeatType]seatmap.Availability
	Together int // the longest run of free seats, ten at most; -1 when not known
}

// Row is one thing: exactly one member is set, or none where the thing is gone.
type Row struct {
	Film  *catalog.Movie
	City  *catalog.City
	Hall  *Hall
	Show  *Show
	Stock *Stock
}

// Gone tells that the row stands for something that is no more.
func (r Row) Gone() bool { return r == Row{} }

// Key names a thing within an index.
type Key struct {
	Kind Kind
	ID   string
}

// Kind is what a row is about. The zero value is invalid.
type Kind uint8

// The kinds of rows.
const (
	_ Kind = iota
	OfFilm
	OfCity
	OfHall
	OfShow
	OfStock
)

// Rows are things by their keys.
type Rows map[Key]Row

// Over lays newer rows over r; neither is altered.
func (r Rows) Over(newer Rows) Rows {
	all := make(Rows, len(r)+len(newer))
	maps.Copy(all, r)
	maps.Copy(all, newer)
	return all
}

// past is how long after its end a show is kept: clocks differ, and somebody may
// be on the page.
const past = time.Hour

// Settled drops what nothing lies under that it would have to hide or could be
// asked for: what is gone, and what is over.
func (r Rows) Settled(now time.Time) Rows {
	over := now.Add(-past)
	maps.DeleteFunc(r, func(_ Key, row Row) bool {
		return row.Gone() || row.Show != nil && row.Show.EndsAt.Before(over) || row.Stock != nil && row.Stock.Until.Before(over)
	})
	return r
}
