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

// How long the release day lasts, and how many requests a second must be answered (B6).
const (
	dayFor  = 30 * time.Second
	dayWarm = 10 * time.Second
	dayGoal = 1000.0

	daySettle = 3 * time.Second // after which what was held is in the maps
	dayIdle   = 7 * time.Second
)

func day(ctx context.Context, s settings, r *report.Report) error {
	return withStack(ctx, s, "rush-day", func(st *street.Stack) error {
		d, err := st.NewDay(ctx, s.seed)
		if err != nil {
			return err
		}
		if _, _, err := d.Run(ctx, s.rate/2, dayWarm); err != nil {
			return err
		}
		idle, err := idling(ctx)
		if err != nil {
			return err
		}
		rate := s.rate + s.rate/20 // a little more than the goal, which is of what is answered
		before, began := street.Usage(), time.Now()
		replies, late, err := d.Run(ctx, rate, dayFor)
		if err != nil {
			return err
		}
		wall := time.Since(began)
		used := street.Usage()
		tellDay(s, r, replies, began, wall)
		each, all := used.Each(before, len(replies))
		r.Note("the machine was shared by: %s; the worst request was sent %v late", used.Since(before, wall, runtime.NumCPU()), late.Round(time.Millisecond))
		r.Note("processor time of a request: %s, together %.2f ms", each, all.Seconds()*1000)
		// What the stack does without requests, such as asking queues and streams, is no part of one.
		cores := float64(runtime.NumCPU())
		bears := (cores - idle) / (all.Seconds() - idle*wall.Seconds()/float64(len(replies)))
		r.Note("the idle stack takes %.0f ms a second, so that a request more is %.2f ms", idle*1000, 1000*(cores-idle)/bears)
		r.Value(report.Value{Name: fmt.Sprintf("%d cores that do nothing else bear", runtime.NumCPU()), Unit: "requests/s", Samples: []float64{bears}, Better: report.Higher, Goal: dayGoal})
		return nil
	})
}

// idling is how many cores the stack takes when nobody asks for anything.
func idling(ctx context.Context) (float64, error) {
	if err := wait(ctx, daySettle); err != nil {
		return 0, err
	}
	before, began := street.Usage(), time.Now()
	if err := wait(ctx, dayIdle); err != nil {
		return 0, err
	}
	_, all := street.Usage().Each(before, 1)
	return all.Seconds() / time.Since(began).Seconds(), nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func tellDay(s settings, r *report.Report, replies []street.Reply, began time.Time, wall time.Duration) {
	by, answers := map[string][]street.Reply{}, map[string]map[string]int{}
	wrong := 0
	for _, x := range replies {
		if answers[x.Kind] == nil {
			answers[x.Kind] = map[string]int{}
		}
		answers[x.Kind][street.Code(x)]++
		by[x.Kind] = append(by[x.Kind], x)
		if !street.Expected(x) {
			wrong++
		}
	}
	t := report.Table{Title: fmt.Sprintf("%d requests a second offered for %v, open model, on %s", s.rate+s.rate/20, dayFor, s.store), Header: []string{"call", "number", "% of all", "answers", "from due to answered"}}
	for _, k := range slices.Sorted(maps.Keys(by)) {
		t.Rows = append(t.Rows, []string{k, fmt.Sprint(len(by[k])), fmt.Sprintf("%.1f", 100*float64(len(by[k]))/float64(len(replies))), counts(answers[k]), crowd.TimesOf(took(by[k])).String()})
	}
	r.Table(t)
	all := crowd.TimesOf(took(replies))
	r.Note("all of them: %v", all)
	r.Value(report.Value{Name: "answered, the last one included", Unit: "requests/s", Samples: []float64{float64(len(replies)) / wall.Seconds()}, Better: report.Higher, Goal: dayGoal})
	r.Value(report.Value{Name: "p99 from due to answered", Unit: "s", Samples: []float64{all.P99.Seconds()}, Better: report.Lower, Goal: 2})
	r.Count(report.Count{Name: "answers that nobody should get", Unit: "answers", Got: float64(wrong)})
	r.Chart(overTime("time", "Latency of a release day over time", began, []line{{"median", 50, replies}, {"95th percentile", 95, replies}, {"99th percentile", 99, replies}}))
	var calls []line
	for _, k := range slices.Sorted(maps.Keys(by)) {
		if len(by[k]) >= len(replies)/100 { // of fewer a percentile by the second means nothing
			calls = append(calls, line{k, 95, by[k]})
		}
	}
	r.Chart(overTime("calls", "95th percentile of each call over time", began, calls))
}

// line is a percentile of some replies.
type line struct {
	name    string
	of      float64
	replies []street.Reply
}

// overTime draws each second, or each two, by when requests were due.
func overTime(name, title string, began time.Time, lines []line) report.Chart {
	c := report.Chart{Name: name, Title: title, X: "seconds", Y: "milliseconds from due to answered", LogY: true, Goal: 2000}
	const step = 2 * time.Second
	for _, l := range lines {
		slots := map[int][]float64{}
		for _, x := range l.replies {
			at := int(x.Due.Sub(began) / step)
			slots[at] = append(slots[at], x.Took.Seconds()*1000)
		}
		s := report.Series{Name: l.name}
		for _, at := range slices.Sorted(maps.Keys(slots)) {
			s.X = append(s.X, (time.Duration(at)*step + step/2).Seconds())
			s.Y = append(s.Y, report.Percentile(slots[at], l.of))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func took(replies []street.Reply) []time.Duration {
	all := make([]time.Duration, len(replies))
	for i, r := range replies {
		all[i] = r.Took
	}
	return all
}
