package main

import "testing"

// TestConformance: the conditions that are explored are the conditions that are
// shipped.
func TestConformance(t *testing.T) {
	for _, c := range conformConfigs() {
		t.Run(c.Name, func(t *testing.T) {
			n, err := conform(t.Context(), &c, 6)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d states, %d cases, %d applied", n.States, n.Cases, n.Applied)
		})
	}
}
