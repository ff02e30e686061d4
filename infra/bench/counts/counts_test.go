package counts

import (
	"os"
	"testing"
)

// TestCounts: each step asks exactly what the protocol says, and nothing is below
// the minimum, which would be wrong then.
func TestCounts(t *testing.T) {
	figures, sizes, err := Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if f.Got != f.Must {
			t.Errorf("%s: %v, the protocol says %v", f.Name, f.Got, f.Must)
		}
		if f.Got.Requests < f.Least.Requests || f.Got.Writes < f.Least.Writes && f.Got.Reads < f.Least.Reads {
			t.Errorf("%s: %v, below what was called the minimum, %v", f.Name, f.Got, f.Least)
		}
	}
	for name, n := range sizes {
		if n < 100 {
			t.Errorf("%s: an answer of %d bytes", name, n)
		}
	}
}

// TestTiers: an amount is priced through the tiers, not by the last it reaches.
func TestTiers(t *testing.T) {
	p, err := ParsePrices(list(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ millions, usd float64 }{{0, 0}, {100, 350}, {333, 1165.5}, {1000, 3033.1}, {3000, 7793.1}} {
		if got := p.cost("api_request", tt.millions); got < tt.usd-0.01 || got > tt.usd+0.01 {
			t.Errorf("%v million requests: %v dollars, want %v", tt.millions, got, tt.usd)
		}
	}
}

// TestJourneyNeedsEveryStep: a step that was not counted is not free.
func TestJourneyNeedsEveryStep(t *testing.T) {
	figures, sizes, err := Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journey(figures, sizes); err != nil {
		t.Error(err)
	}
	if _, err := journey(figures[2:], sizes); err == nil {
		t.Error("a hold of 2 seats was not missed")
	}
}

func list(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../prices.json")
	if err != nil {
		t.Fatal(err)
	}
	return text
}
