package venue_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestVenueSells: the stage is the real thing, a seat can be held once.
func TestVenueSells(t *testing.T) {
	v, err := venue.Open(memstore.New(memstore.Options{Clock: time.Now}), nil)
	if err != nil {
		t.Fatal(err)
	}
	hall := venue.Hall{Rows: 1000, Width: 20}
	if err := v.Announce(t.Context(), hall, "show-1"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{http.StatusCreated, http.StatusConflict} {
		token, err := v.Guest()
		if err != nil {
			t.Fatal(err)
		}
		ev, err := venue.HoldEvent("show-1", token, "key", hall.Seat(0), hall.Seat(hall.Seats()-1))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.Reserve()(t.Context(), ev)
		if err != nil || got.StatusCode != want {
			t.Errorf("request %d: %d %s, %v, want %d", i, got.StatusCode, got.Body, err, want)
		}
	}
}

// TestSeatsAreNamedByRows as columns of a spreadsheet are.
func TestSeatsAreNamedByRows(t *testing.T) {
	hall := venue.Hall{Rows: 1000, Width: 20}
	for i, want := range map[int]string{0: "A-1", 19: "A-20", 25 * 20: "Z-1", 26 * 20: "AA-1", 52*20 - 1: "AZ-20", 702 * 20: "AAA-1"} {
		if got := hall.Seat(i); string(got) != want {
			t.Errorf("seat %d is %s, want %s", i, got, want)
		}
	}
}
