package crowd

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

func TestScratch(t *testing.T) {
	for _, on := range []time.Duration{0, time.Hour} {
		r, err := Run(Options{Seed: 1, Buyers: 10000, Within: time.Second, Rows: 5, Width: 20, Tries: 6, Warm: 20, Rate: 1000, OnSaleFor: on, Latency: Usual})
		show(t, r, err)
	}
	r, err := Run(Options{Seed: 1, Buyers: 160, Rows: 80, Width: 100, Tries: 4, Warm: 20, Rate: 1000, Best: true, Latency: Usual})
	show(t, r, err)
}

func show(t *testing.T, r Result, err error) {
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	next := map[booking.Next]int{}
	var lr, lt, ln int
	for _, a := range r.Answers {
		kinds[a.Kind]++
		if a.Kind == taken {
			next[a.Next]++
			lr += a.Reads
			lt += a.Transactions
			ln++
		}
	}
	t.Logf("answers %v, next %v, taken %d/%d sold %d, instances %d, hottest %d, lasted %v split %d lies %d", kinds, next, r.Taken, r.Seats, r.Sold, r.Instances, r.Hottest, r.Lasted, r.Split, len(r.Lies))
	for i, l := range r.Lies {
		if i < 5 {
			t.Log(l)
		}
	}
	t.Logf("losers %d reads %d tx %d; tx total %d per seat %.2f; %v; reads %v", ln, lr, lt, r.Counts.Requests[meter.Transact], float64(r.Counts.Requests[meter.Transact])/float64(r.Taken), r.Counts.Requests, r.Counts.Units)
}
