package visit

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSharesAreThoseOfWhatIsDrawn: what is priced is what is sent.
func TestSharesAreThoseOfWhatIsDrawn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	drawn, all := map[Call]float64{}, 0.0
	for range 200_000 {
		for _, c := range Draw(rng) {
			drawn[c]++
			all++
		}
	}
	sum := 0.0
	for c, want := range Shares() {
		sum += want
		if got := drawn[c] / all; math.Abs(got-want) > 0.02*want+0.0002 {
			t.Errorf("%v: %.4f of the calls drawn, %.4f computed", c, got, want)
		}
	}
	if math.Abs(sum-1) > 1e-9 || len(Shares()) != len(Calls) {
		t.Errorf("%d of %d calls, together %v", len(Shares()), len(Calls), sum)
	}
}

// TestOneInAHundredHolds: the mix that was asked for.
func TestOneInAHundredHolds(t *testing.T) {
	if got := Shares()[Hold]; math.Abs(got-0.01) > 0.0005 {
		t.Errorf("a hold is %.4f of the calls", got)
	}
}
