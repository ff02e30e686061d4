package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/rush/crowd"
	"github.com/fairseat/fairseat/infra/bench/rush/street"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const mapFor = 15 * time.Second

// bigMap measures the map of 20,000 seats: what it weighs, and how far it is behind
// while holds change it.
func bigMap(ctx context.Context, s settings, r *report.Report) error {
	return withStack(ctx, s, "rush-map", func(st *street.Stack) error {
		h, err := st.Announce(ctx, 100, 200, time.Hour)
		if err != nil {
			return err
		}
		for _, rate := range []int{25, 50, 100, 200} {
			if err := mapUnder(ctx, s, r, st, h, rate); err != nil {
				return err
			}
		}
		return weigh(ctx, r, st, h)
	})
}

// freshness follows a map and tells when each seat was first shown as taken.
type freshness struct {
	mu      sync.Mutex
	waiting map[int]time.Time // when the hold of the seat was answered
	behind  []time.Duration
	reads   []time.Duration
}

func (f *freshness) committed(seat int, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting[seat] = at
}

func (f *freshness) shown(p seatmap.Packed, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for seat, since := range f.waiting {
		if p.Get(seat) != seatmap.Free {
			f.behind = append(f.behind, max(at.Sub(since), 0))
			delete(f.waiting, seat)
		}
	}
}

func (f *freshness) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting)
}

// follow reads the map every 50 ms until nothing is left to be shown after stop.
func (f *freshness) follow(ctx context.Context, st *street.Stack, h *street.House, stop <-chan struct{}) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var given time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-stop:
			stop, given = nil, time.Now().Add(20*time.Second)
		case now := <-tick.C:
			x := st.Send(ctx, now, street.Request{Method: "GET", Path: "/shows/" + string(h.Show) + "/seatmap", Keep: true})
			var doc struct {
				States []byte `json:"states"`
			}
			if x.Err == nil && x.Status == 200 && json.Unmarshal(x.Body, &doc) == nil {
				if p, err := seatmap.ParsePacked(doc.States, h.Layout.Len()); err == nil {
					f.shown(p, now.Add(x.Took))
					f.reads = append(f.reads, x.Took)
				}
			}
			if stop == nil && (f.left() == 0 || now.After(given)) {
				return
			}
		}
	}
}

func mapUnder(ctx context.Context, s settings, r *report.Report, st *street.Stack, h *street.House, rate int) error {
	f := &freshness{waiting: map[int]time.Time{}}
	stop, followed := make(chan struct{}), make(chan struct{})
	go func() { f.follow(ctx, st, h, stop); close(followed) }()
	n := int(float64(rate) * mapFor.Seconds())
	shots := make([]street.Shot, n)
	var mu sync.Mutex
	answers := map[string]int{}
	var took []time.Duration
	base := rate * 40 // runs have seats of their own: 1,000 to 11,000 of 20,000
	for i := range shots {
		token, err := st.Guest()
		if err != nil {
			return err
		}
		seat := base + i
		shots[i] = street.Shot{At: time.Duration(i) * time.Second / time.Duration(rate), Do: func(due time.Time) {
			x := st.Send(ctx, due, street.Request{
				Method: "POST", Path: "/shows/" + string(h.Show) + "/holds", Token: token, Key: "k", Body: fmt.Sprintf(`{"seats":[%q]}`, h.Layout.At(seat).ID),
			})
			mu.Lock()
			defer mu.Unlock()
			answers[fmt.Sprint(x.Status)]++
			if x.Status == 201 {
				f.committed(seat, time.Now())
				took = append(took, x.Took)
			}
		}}
	}
	before, began := street.Usage(), time.Now()
	late, err := street.Volley(ctx, shots)
	wall := time.Since(began)
	shares := street.Usage().Since(before, wall, runtime.NumCPU())
	close(stop)
	<-followed
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d holds a second asked for", rate)
	r.Table(report.Table{Title: name + ", map read every 50 ms, on " + s.store, Header: []string{"answers", "held a second", "hold", "map read", "from the answer of the hold to the first map that shows it", "never shown", "sent late", "share of the machine"}, Rows: [][]string{{
		counts(answers), fmt.Sprintf("%.0f", float64(len(took))/wall.Seconds()), crowd.TimesOf(took).String(), crowd.TimesOf(f.reads).String(), crowd.TimesOf(f.behind).String(), fmt.Sprint(f.left()), late.Round(time.Millisecond).String(), shares,
	}}})
	r.Count(report.Count{Name: "holds that no map has shown, " + name, Unit: "seats", Got: float64(f.left())})
	return nil
}

// weigh reads the map in each of its forms.
func weigh(ctx context.Context, r *report.Report, st *street.Stack, h *street.House) error {
	path := "/shows/" + string(h.Show) + "/seatmap"
	read := func(header map[string]string) (street.Reply, error) {
		x := st.Send(ctx, time.Now(), street.Request{Method: "GET", Path: path, Header: header, Keep: true})
		return x, x.Err
	}
	plain, err := read(map[string]string{"Accept-Encoding": "identity"})
	if err != nil {
		return err
	}
	packed, err := read(map[string]string{"Accept-Encoding": "gzip"})
	if err != nil {
		return err
	}
	same, err := read(map[string]string{"If-None-Match": packed.Header.Get("ETag"), "Accept-Encoding": "gzip"})
	if err != nil {
		return err
	}
	seats, err := st.Send(ctx, time.Now(), street.Request{Method: "GET", Path: path + "?expand=seats", Header: map[string]string{"Accept-Encoding": "identity"}}), nil
	if err != nil || seats.Err != nil {
		return seats.Err
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(plain.Body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	row := func(name string, x street.Reply) []string {
		return []string{name, fmt.Sprint(x.Status), fmt.Sprint(x.Bytes), x.Header.Get("Content-Encoding"), x.Header.Get("Cache-Control")}
	}
	r.Table(report.Table{Title: "bytes of the map of 20,000 seats", Header: []string{"asked", "status", "bytes of the body", "encoding", "cache"}, Rows: [][]string{
		row("plain", plain), row("Accept-Encoding: gzip", packed), row("If-None-Match", same), row("?expand=seats", seats),
		{"gzip, were it switched on", "", fmt.Sprint(z.Len()), "", ""},
	}})
	r.Note("each read is one request of one read unit, eventually consistent; what it costs to keep it up to date is one write of a kilobyte or more a batch of records")
	return nil
}
