package catalog

import (
	"context"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/seatmap"
)

// counted is a stock whose only show sells one seat type after each look.
type counted struct{ looks int }

func (c *counted) Statuses(_ context.Context, city CityID, movie MovieID) (map[ShowID]map[seatmap.SeatType]seatmap.Availability, error) {
	c.looks++
	status := seatmap.Available
	if c.looks > 1 {
		status = seatmap.Full
	}
	return map[ShowID]map[seatmap.SeatType]seatmap.Availability{ShowID(string(city) + string(movie)): {seatmap.Regular: status}}, nil
}

// TestRecentForgets: what is left is repeated for less than the second after which an
// edge asks again, and never for another list.
func TestRecentForgets(t *testing.T) {
	now, s := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC), &counted{}
	r := NewRecent(s, func() time.Time { return now })
	look := func(city CityID) seatmap.Availability {
		t.Helper()
		got, err := r.Statuses(t.Context(), city, "m")
		if err != nil {
			t.Fatal(err)
		}
		return got[ShowID(city+"m")][seatmap.Regular]
	}
	first := look("a")
	now = now.Add(stockTTL - time.Millisecond)
	if again := look("a"); again != first || s.looks != 1 {
		t.Errorf("%d looks within half a second: %s, then %s", s.looks, first, again)
	}
	now = now.Add(time.Millisecond)
	if later := look("a"); later != seatmap.Full || s.looks != 2 {
		t.Errorf("%d looks after half a second: %s", s.looks, later)
	}
	if look("b") == "" || s.looks != 3 {
		t.Errorf("%d looks at two lists", s.looks)
	}
}
