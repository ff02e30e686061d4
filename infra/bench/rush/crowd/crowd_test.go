package crowd

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store/meter"
)

func run(t *testing.T, o Options) (Result, Sum) {
	t.Helper()
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Lies) > 0 {
		t.Errorf("seed %d: %d untrue answers, the first: %s", o.Seed, len(r.Lies), r.Lies[0])
	}
	s := r.Sum()
	if s.Other > 0 {
		t.Errorf("seed %d: %d answers are neither held nor refused nor busy", o.Seed, s.Other)
	}
	return r, s
}

// TestRush is the rush of `make rush`, a fifth as large.
func TestRush(t *testing.T) {
	o := Options{Seed: 7, Buyers: 2000, Within: 200 * time.Millisecond, Rows: 5, Width: 20, Tries: 6, Warm: 20, Rate: 1000, Latency: Usual}
	r, s := run(t, o)
	if r.Taken != r.Seats || s.Busy > 0 {
		t.Errorf("seed %d: %d of %d seats taken, %d turned away", o.Seed, r.Taken, r.Seats, s.Busy)
	}
	if s.PerSeat > 1.2 {
		t.Errorf("seed %d: %.2f transactions a seat, at most 1.2", o.Seed, s.PerSeat)
	}
	if s.ReadsPerLoser > 1.7 { // the first refusal of each of several hundred cold instances takes two
		t.Errorf("seed %d: %.2f reads a refusal", o.Seed, s.ReadsPerLoser)
	}
	again, _ := run(t, o)
	if fmt.Sprint(again) != fmt.Sprint(r) {
		t.Errorf("seed %d does not repeat itself", o.Seed)
	}
}

// TestBestInACrowd: everybody is served, together, though all ask at one moment.
func TestBestInACrowd(t *testing.T) {
	o := Options{Seed: 3, Buyers: 160, Rows: 80, Width: 100, Tries: 4, Warm: 20, Rate: 1000, Best: true, Latency: Usual}
	r, s := run(t, o)
	if s.Held < 159 || r.Split > 0 {
		t.Errorf("seed %d: %d of 160 groups served, %d apart though there was room", o.Seed, s.Held, r.Split)
	}
	if n := r.Counts.Requests[meter.Transact]; n > 2*160 {
		t.Errorf("seed %d: %d transactions for 160 groups", o.Seed, n)
	}
}

// TestNeverTakenOfAFreeSeat: over random crowds, halls, latencies and tempers, with
// seats given back all the while, nobody is told of a seat that was free for the
// whole of his request, and no advice is a lie.
func TestNeverTakenOfAFreeSeat(t *testing.T) {
	for seed := range uint64(200) {
		o := Options{
			Seed: seed, Buyers: 30 + int(seed*37%200), Within: time.Duration(seed*seed%3000) * time.Millisecond,
			Rows: 1 + int(seed%4), Width: 6 + int(seed%9), Tries: 8, Warm: 1 + int(seed%5), Fickle: int(seed * 13 % 90),
			Best: seed%6 == 5, Latency: Latency{
				Read: time.Duration(1+seed%7) * time.Millisecond, Write: time.Duration(1+seed%11) * time.Millisecond,
				Flight: time.Duration(1+seed%5) * time.Millisecond, Cold: time.Duration(seed%100) * time.Millisecond,
			},
		}
		if seed%2 == 1 {
			o.OnSaleFor = time.Hour
		}
		run(t, o)
	}
}
