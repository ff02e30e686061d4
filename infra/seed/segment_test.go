package main

import (
	"os"
	"testing"

	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/search/shelf"
)

// TestSegmentHasThePlan: every show, film, city and hall that would be loaded, and
// without a table.
func TestSegmentHasThePlan(t *testing.T) {
	name := t.TempDir() + "/segment"
	none := func(string) string { return "" }
	if err := run(t.Context(), []string{"-catalogue", folder, "-cities", "2", "-days", "2", "-segment", name, "-now", "2026-11-21T03:30:00Z"}, none, os.Stderr); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := shelf.Unpack(body)
	if err != nil {
		t.Fatal(err)
	}
	got, want := map[search.Kind]int{}, map[search.Kind]int{}
	for k := range rows {
		got[k.Kind]++
	}
	p := newPlan(read(t), 2, 2, now)
	for range p.showRows {
		want[search.OfShow]++
	}
	want[search.OfFilm], want[search.OfHall], want[search.OfCity] = len(p.files.films), len(p.files.halls), 2
	for k, n := range want {
		if got[k] != n {
			t.Errorf("kind %d: %d of %d", k, got[k], n)
		}
	}
}
