package main

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/rush/crowd"
	"github.com/fairseat/fairseat/infra/bench/rush/street"
)

// mixedFor is how long the mixed load lasts, after half of it to warm up.
const mixedFor = 15 * time.Second

func mixed(ctx context.Context, s settings, r *report.Report) error {
	return withStack(ctx, s, "rush-mixed", func(st *street.Stack) error {
		h, err := st.Announce(ctx, 20, 50, time.Hour)
		if err != nil {
			return err
		}
		m, err := st.NewMix(ctx, h, s.seed)
		if err != nil {
			return err
		}
		if _, _, err := m.Run(ctx, s.rate/2, mixedFor/2); err != nil {
			return err
		}
		before, began := street.Usage(), time.Now()
		replies, late, err := m.Run(ctx, s.rate, mixedFor)
		if err != nil {
			return err
		}
		wall := time.Since(began)
		used := street.Usage()
		tellMix(s, r, replies, wall)
		each, all := used.Each(before, len(replies))
		r.Note("over HTTP the machine was shared by: %s; the worst request was sent %v late", used.Since(before, wall, runtime.NumCPU()), late.Round(time.Millisecond))
		r.Note("processor time of a request: %s; %d cores that do nothing else bear %.0f requests/s", each, runtime.NumCPU(), float64(runtime.NumCPU())/all.Seconds())
		before, began = street.Usage(), time.Now()
		took, failed, c, err := m.Bare(ctx, s.rate, mixedFor)
		if err != nil && took == nil {
			return err
		}
		wall = time.Since(began)
		used = street.Usage()
		each, all = used.Each(before, len(took))
		r.Note("the same load straight from the SDK on the bare %s: %.0f calls/s, %v; %d failed; store requests %v; share of the machine: %s",
			s.store, float64(len(took))/wall.Seconds(), crowd.TimesOf(took), failed, c.Requests, used.Since(before, wall, runtime.NumCPU()))
		r.Note("processor time of a bare call: %s; %d cores that do nothing else bear %.0f calls/s", each, runtime.NumCPU(), float64(runtime.NumCPU())/all.Seconds())
		return nil
	})
}

func tellMix(s settings, r *report.Report, replies []street.Reply, wall time.Duration) {
	by, statuses := map[string][]time.Duration{}, map[string]map[string]int{}
	var all []time.Duration
	wrong := 0
	for _, x := range replies {
		if !street.Expected(x) {
			wrong++
		}
		if statuses[x.Kind] == nil {
			statuses[x.Kind] = map[string]int{}
		}
		statuses[x.Kind][fmt.Sprint(x.Status)]++
		by[x.Kind] = append(by[x.Kind], x.Took)
		all = append(all, x.Took)
	}
	t := report.Table{Title: fmt.Sprintf("%d requests a second for %v, open model, on %s", s.rate, mixedFor, s.store), Header: []string{"request", "number", "answers", "from due to answered"}}
	for _, k := range slices.Sorted(maps.Keys(by)) {
		t.Rows = append(t.Rows, []string{k, fmt.Sprint(len(by[k])), counts(statuses[k]), crowd.TimesOf(by[k]).String()})
	}
	r.Table(t)
	done := float64(len(replies)) / wall.Seconds()
	r.Value(report.Value{Name: "answered, the last one included", Unit: "requests/s", Samples: []float64{done}, Better: report.Higher, Goal: 0.95 * float64(s.rate)})
	r.Value(report.Value{Name: "p99 from due to answered", Unit: "s", Samples: []float64{crowd.TimesOf(all).P99.Seconds()}, Better: report.Lower, Goal: 2})
	r.Count(report.Count{Name: "answers that nobody should get", Unit: "answers", Got: float64(wrong)})
}
