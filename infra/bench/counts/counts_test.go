package counts

import (
	"os"
	"testing"
	"time"
)

// TestCounts: each step asks exactly what the protocol says, and nothing is below
// the minimum, which would be wrong then.
func TestCounts(t *testing.T) {
	figures, answers, err := Measure(t.Context())
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
	for name, n := range answers.Bytes {
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
	figures, answers, err := Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journey(figures, answers.Bytes); err != nil {
		t.Error(err)
	}
	if _, err := journey(figures[2:], answers.Bytes); err == nil {
		t.Error("a hold of 2 seats was not missed")
	}
}

// TestReach: of one address one request passes in its lifetime; where nothing is
// asked for twice all do, and no more than come.
func TestReach(t *testing.T) {
	for _, tt := range []struct {
		rate      float64
		addresses int
		life      time.Duration
		least     float64
		most      float64
	}{
		{1000, 1, time.Second, 0.99, 1},
		{1000, 1, 10 * time.Second, 0.099, 0.1},
		{1, 1_000_000, time.Second, 0.99, 1},
		{100, 10, 0, 100, 100},
	} {
		if got := reach(tt.rate, tt.addresses, 1, tt.life); got < tt.least-1e-9 || got > tt.most+1e-9 {
			t.Errorf("%v a second of %d addresses kept %v: %v pass", tt.rate, tt.addresses, tt.life, got)
		}
	}
}

// TestLifetime: an answer that nobody may keep is not counted as one that is.
func TestLifetime(t *testing.T) {
	if d, err := lifetime("public, max-age=60, stale-if-error=86400"); err != nil || d != time.Minute {
		t.Errorf("%v, %v", d, err)
	}
	if d, err := lifetime("no-store"); err == nil {
		t.Errorf("no-store is kept for %v", d)
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
