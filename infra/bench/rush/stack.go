package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/rush/crowd"
	"github.com/fairseat/fairseat/infra/bench/rush/street"
)

// withStack runs f before a local stack; what the stack says is kept beside the report.
func withStack(ctx context.Context, s settings, name string, f func(*street.Stack) error) error {
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.out, name+"-stack.log"))
	if err != nil {
		return err
	}
	st, err := street.Start(ctx, s.root, s.store, log)
	if err != nil {
		return errors.Join(err, log.Close())
	}
	err = f(st)
	st.Close()
	return errors.Join(err, log.Close())
}

// tally of answers over HTTP.
type tally struct {
	kinds     map[string]int
	won, lost []time.Duration
	faults    int // no answer, or a server error that is not busy
}

func tallyOf(asked []street.Asked) tally {
	t := tally{kinds: map[string]int{}}
	for _, a := range asked {
		kind := a.Code
		switch {
		case a.Err != nil:
			kind = "no answer"
			t.faults++
		case a.Status == 201:
			kind = "held"
			t.won = append(t.won, a.Took)
		case a.Code == "seats_unavailable":
			kind += " " + a.Next
			t.lost = append(t.lost, a.Took)
		case a.Status >= 500 && a.Code != "busy":
			kind = fmt.Sprintf("%d %s", a.Status, a.Code)
			t.faults++
		}
		t.kinds[kind]++
	}
	return t
}

func counts(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[k], k))
	}
	return strings.Join(parts, ", ")
}

func stackRush(ctx context.Context, s settings, r *report.Report) error {
	return withStack(ctx, s, "rush", func(st *street.Stack) error {
		t := report.Table{Title: "the same over HTTP, on " + s.store, Header: []string{"contenders", "seats taken", "answers", "winners", "losers", "untrue", "took", "sent late", "share of the machine"}}
		chart := report.Chart{Name: "latency", Title: "A hold in a rush, p95 over HTTP", X: "contenders within a second", Y: "milliseconds", LogX: true, LogY: true, Series: []report.Series{{Name: "winners"}, {Name: "losers"}}}
		left, lies, faults := 0, 0, 0
		for _, text := range strings.Split(s.buyers, ",") {
			n, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("contenders: %w", err)
			}
			h, err := st.Announce(ctx, 5, 20, 0)
			if err != nil {
				return err
			}
			before, began := street.Usage(), time.Now()
			asked, late, err := st.Rush(ctx, h, street.Crowd{Buyers: n, Within: time.Second, Seed: s.seed, Tries: 4})
			if err != nil {
				return err
			}
			wall := time.Since(began)
			truth, err := st.Truth(ctx, h)
			if err != nil {
				return err
			}
			x := tallyOf(asked)
			winners, losers := crowd.TimesOf(x.won), crowd.TimesOf(x.lost)
			lies, faults = lies+truth.Lies(asked), faults+x.faults
			if n >= 1000 { // a hundred buyers need not want every seat
				left += h.Layout.Len() - truth.Taken
			}
			t.Rows = append(t.Rows, []string{
				text, fmt.Sprintf("%d of %d", truth.Taken, h.Layout.Len()), counts(x.kinds), winners.String(), losers.String(), fmt.Sprint(truth.Lies(asked)),
				wall.Round(100 * time.Millisecond).String(), late.Round(time.Millisecond).String(), street.Usage().Since(before, wall, runtime.NumCPU()),
			})
			for i, d := range []time.Duration{winners.P95, losers.P95} {
				if d > 0 {
					chart.Series[i].X = append(chart.Series[i].X, float64(n))
					chart.Series[i].Y = append(chart.Series[i].Y, float64(d.Microseconds())/1000)
				}
			}
		}
		r.Table(t)
		r.Chart(chart)
		r.Count(report.Count{Name: "seats left over by 1,000 and more contenders, over HTTP", Unit: "seats", Got: float64(left)})
		r.Count(report.Count{Name: "told taken of a seat that was free all the while, over HTTP", Unit: "answers", Got: float64(lies), Floor: "claims and holds after it"})
		r.Count(report.Count{Name: "server errors beside busy, over HTTP", Unit: "answers", Got: float64(faults)})
		return nil
	})
}

func stackBest(ctx context.Context, s settings, r *report.Report) error {
	return withStack(ctx, s, "rush-best", func(st *street.Stack) error {
		h, err := st.Announce(ctx, 80, 100, 0)
		if err != nil {
			return err
		}
		before, began := street.Usage(), time.Now()
		asked, _, err := st.Rush(ctx, h, street.Crowd{Buyers: 160, Seed: s.seed, Best: true, Tries: 4})
		if err != nil {
			return err
		}
		wall := time.Since(began)
		x := tallyOf(asked)
		apart := 0
		for _, a := range asked {
			if a.Status == 201 && !h.Together(a.Seats) {
				apart++ // of 8,000 seats 640 are wanted: there is always a run
			}
		}
		r.Table(report.Table{Title: "the same over HTTP, on " + s.store, Header: []string{"answers", "apart", "winners", "took", "share of the machine"}, Rows: [][]string{{
			counts(x.kinds), fmt.Sprint(apart), crowd.TimesOf(x.won).String(), wall.Round(time.Millisecond).String(), street.Usage().Since(before, wall, runtime.NumCPU()),
		}}})
		r.Value(report.Value{Name: "groups served, over HTTP", Unit: "%", Better: report.Higher, Goal: 99, Samples: []float64{100 * float64(len(x.won)) / 160}})
		r.Count(report.Count{Name: "groups apart, over HTTP", Unit: "groups", Got: float64(apart)})
		r.Count(report.Count{Name: "server errors beside busy, over HTTP", Unit: "answers", Got: float64(x.faults)})
		return nil
	})
}
