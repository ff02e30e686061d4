package boxoffice

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// TestMemoryIsBounded: however many shows, seats and holds an instance meets.
func TestMemoryIsBounded(t *testing.T) {
	var m memory
	now := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	weight := func() (n int) {
		for _, s := range m.shows {
			n += len(s.owners) + len(s.holds) + perShow
		}
		return n
	}
	l, err := seatmap.Expand(seatmap.Source{Text: []byte(`{"id":"x","name":"X","kind":"cinema","numbering":"ltr","seats":1,"by_type":{"R":1},"rows":["A: R"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		show := catalog.ShowID(fmt.Sprint("show", i%50))
		claims := map[seatmap.SeatID]Owner{}
		holds := map[booking.HoldID]booking.Hold{}
		var ks []SeatKey
		for j := range 1000 {
			id := booking.HoldID(fmt.Sprint("h", i, "-", j))
			k := SeatKey{Seat: seatmap.SeatID(fmt.Sprint("A-", i, "-", j))}
			ks, claims[k.Seat] = append(ks, k), Owner{Hold: id}
			holds[id] = booking.Hold{ID: id, State: booking.Held}
		}
		m.claims(show, l, ks, claims, now)
		m.saw(show, holds)
		if n := weight(); n > mostSeen+2000+perShow || n != m.size {
			t.Fatalf("after %d looks it weighs %d and counts %d, at most %d", i, n, m.size, mostSeen)
		}
	}
	for i := range 100_000 {
		m.lost(catalog.ShowID(fmt.Sprint("other", i)), now)
	}
	if n := len(m.shows); n > mostSeen/perShow+1 {
		t.Errorf("%d shows are remembered", n)
	}
}
