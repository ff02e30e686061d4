package catalog

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// stockTTL is how long what is left of the shows of a list is repeated from memory:
// with the second that an edge may keep it, still within the two that a map may lag.
const stockTTL = time.Second / 2

// Stock tells how much is left, by show and type, of a movie in a city. What is
// absent is untouched.
type Stock interface {
	Statuses(ctx context.Context, city CityID, movie MovieID) (map[ShowID]map[seatmap.SeatType]seatmap.Availability, error)
}

// Recent answers from a Stock and repeats an answer for half a second: on the day
// that a film goes on sale everybody asks for the same list. What it returns is
// shared, and not to be altered.
type Recent struct {
	stock Stock
	kept  *cache[map[ShowID]map[seatmap.SeatType]seatmap.Availability]
}

// NewRecent reads from s; now is the clock, in UTC.
func NewRecent(s Stock, now func() time.Time) *Recent {
	return &Recent{s, newCache[map[ShowID]map[seatmap.SeatType]seatmap.Availability](now, stockTTL, maxListings)}
}

// Statuses are those of the last half second.
func (r *Recent) Statuses(ctx context.Context, city CityID, movie MovieID) (map[ShowID]map[seatmap.SeatType]seatmap.Availability, error) {
	return r.kept.get(ctx, string(city)+"\x00"+string(movie), func(ctx context.Context) (map[ShowID]map[seatmap.SeatType]seatmap.Availability, error) {
		return r.stock.Statuses(ctx, city, movie)
	})
}
