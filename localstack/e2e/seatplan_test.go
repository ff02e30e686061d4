package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
)

// TestAHallDrawnElsewhere: the loader took a plan in the form of pretix; its seats
// are found, shown, held and bought by the labels of the plan.
func TestAHallDrawnElsewhere(t *testing.T) {
	parallel(t)
	b := guest(t)
	day := time.Now().UTC().Add(8*time.Hour).AddDate(0, 0, 1).Format("20060102") // tomorrow in Shanghai
	id := "plan-theatre-" + day + "-1"
	s := read[apiclient.Show](b, "/shows/"+id)
	l := read[apiclient.Layout](b, "/layouts/"+s.LayoutID)
	var seats []string
	for _, sec := range l.Sections {
		for _, row := range sec.Rows {
			for _, seat := range row.Seats {
				seats = append(seats, seat.ID)
			}
		}
	}
	if len(seats) != 10 || !slices.Contains(seats, "stalls-2-12A") {
		t.Fatalf("the hall has the seats %v", seats)
	}
	var h apiclient.Hold
	hold := func(body map[string]any) error {
		return b.Call(t.Context(), http.MethodPost, "/shows/"+id+"/holds", "", body, &h)
	}
	must(t, hold(map[string]any{"seats": []string{"stalls-2-12A", "stalls-2-12B", "zone-2-A-1"}}))
	o := b.await(b.pay(h.ID, "success").OrderID, "PAID", 15*time.Second)
	if slices.Sort(o.Seats); !slices.Equal(o.Seats, []string{"stalls-2-12A", "stalls-2-12B", "zone-2-A-1"}) || len(o.Tickets) != 3 {
		t.Errorf("bought %+v", o)
	}
	must(t, hold(map[string]any{"best": map[string]any{"count": 2, "type": "premium"}}))
	if got := seatsOf(h); !slices.Equal(got, []string{"stalls-1-3", "stalls-1-4"}) {
		t.Errorf("the best two premium seats are %v", got)
	}
	awaitMap(b, id, func(m apiclient.Seatmap) bool { return m.Capacity == 10 && m.Sold == 3 && m.Held == 2 })
	b.release(h.ID)
	refused(t, hold(map[string]any{"seats": []string{"stalls-2-1.2"}}), 422, "pair_split")
}
