package catalog

import (
	"context"
	"time"
)

// Store is where the catalogue is read from. Reads may be a second old; a thing
// that is not there is one of the ErrNo sentinels, an empty list is no error.
// Nothing comes sorted or filtered but as said; [Reader] does that.
type Store interface {
	Cities(ctx context.Context) ([]City, error)
	City(ctx context.Context, id CityID) (City, error)
	MoviesIn(ctx context.Context, city CityID) ([]NowShowing, error)
	Movie(ctx context.Context, id MovieID) (Movie, error)
	// Showtimes are the film's shows in the city that start in [from, before), earliest first.
	Showtimes(ctx context.Context, movie MovieID, city CityID, from, before time.Time) ([]Show, error)
	Show(ctx context.Context, id ShowID) (Show, error)
	// LayoutSource is the compact text that seatmap expands; it never changes.
	LayoutSource(ctx context.Context, id LayoutID) ([]byte, error)
}
