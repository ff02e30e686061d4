package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// report says what took how long.
type report struct {
	began time.Time

	mu    sync.Mutex
	calls []time.Duration
}

func (r *report) step(name string, began time.Time, said string) {
	fmt.Printf("  %-12s %7.2f s  %s\n", name, time.Since(began).Seconds(), said)
}

// RoundTrip measures each call of the walk.
func (r *report) RoundTrip(req *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := http.DefaultTransport.RoundTrip(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, time.Since(began))
	return res, err
}

func (r *report) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.calls)
	n := len(r.calls)
	if n == 0 {
		return
	}
	fmt.Printf("%d calls: median %.0f ms, p90 %.0f ms, slowest %.0f ms; %.0f s in all\n",
		n, ms(r.calls[n/2]), ms(r.calls[n*9/10]), ms(r.calls[n-1]), time.Since(r.began).Seconds())
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
