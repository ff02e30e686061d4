package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/rush/crowd"
	"github.com/fairseat/fairseat/pkg/booking"
)

// hundred is ten thousand buyers for five rows of twenty.
var hundred = crowd.Options{
	Buyers: 10_000, Within: time.Second, Rows: 5, Width: 20, Tries: 6, Warm: 20, Rate: 1000, Latency: crowd.Usual,
}

// eightThousand is 160 groups at the same moment for eighty rows of a hundred.
var eightThousand = crowd.Options{Buyers: 160, Rows: 80, Width: 100, Tries: 4, Warm: 20, Rate: 1000, Best: true, Latency: crowd.Usual}

func rush(ctx context.Context, s settings, r *report.Report) error {
	if s.on("core") {
		if err := coreRush(s, r); err != nil {
			return err
		}
	}
	if s.on("stack") {
		return stackRush(ctx, s, r)
	}
	return ctx.Err()
}

func coreRush(s settings, r *report.Report) error {
	t := report.Table{Title: "10,000 buyers, 100 seats, one second: the core in virtual time, by seed", Header: []string{
		"seed", "sale", "seats taken", "sold", "held", "refused", "busy", "transactions a seat", "in vain", "reads a refusal", "reads a hold",
		"next", "instances", "units/s of the hottest partition", "winners", "losers", "lies",
	}}
	sums := map[string][]crowd.Sum{}
	lies, unsold, faults := 0, 0, 0
	for _, sale := range []string{"opens now", "is open for an hour"} {
		for n := range s.seeds {
			o := hundred
			o.Seed = s.seed + uint64(n)
			if sale != "opens now" {
				o.OnSaleFor = time.Hour
			}
			got, err := crowd.Run(o)
			if err != nil {
				return err
			}
			x := got.Sum()
			sums[sale] = append(sums[sale], x)
			lies, unsold, faults = lies+len(got.Lies), unsold+got.Seats-got.Taken, faults+x.Other
			for _, l := range got.Lies[:min(3, len(got.Lies))] {
				r.Note("seed %d: %s", o.Seed, l)
			}
			t.Rows = append(t.Rows, []string{
				fmt.Sprint(o.Seed), sale, fmt.Sprintf("%d of %d", got.Taken, got.Seats), fmt.Sprint(got.Sold), fmt.Sprint(x.Held), fmt.Sprint(x.Taken), fmt.Sprint(x.Busy),
				fmt.Sprintf("%.2f", x.PerSeat), fmt.Sprint(x.TriedInVain), fmt.Sprintf("%.2f", x.ReadsPerLoser), fmt.Sprintf("%.2f", x.ReadsPerWinner),
				fmt.Sprintf("%d other, %d wait, %d full", x.Next[booking.ChooseOther], x.Next[booking.Wait], x.Next[booking.ShowFull]),
				fmt.Sprint(got.Instances), fmt.Sprint(got.Hottest), x.Winners.String(), x.Losers.String(), fmt.Sprint(len(got.Lies)),
			})
		}
	}
	r.Table(t)
	r.Count(report.Count{Name: "seats left unsold and unheld", Unit: "seats", Got: float64(unsold), Floor: "all runs of the core"})
	r.Count(report.Count{Name: "answers that were untrue all the while", Unit: "answers", Got: float64(lies), Floor: "the log of commits"})
	r.Count(report.Count{Name: "answers beside held, refused and busy", Unit: "answers", Got: float64(faults)})
	r.Value(value("transactions a seat, at the opening of the sale", "transactions", 1.2, sums["opens now"], func(x crowd.Sum) float64 { return x.PerSeat }))
	r.Value(value("reads a refusal, at the opening of the sale", "requests", 1.2, sums["opens now"], func(x crowd.Sum) float64 { return x.ReadsPerLoser }))
	r.Value(value("transactions a seat, in a rush that nobody expects", "transactions", 0, sums["is open for an hour"], func(x crowd.Sum) float64 { return x.PerSeat }))
	r.Value(value("reads a refusal, in a rush that nobody expects", "requests", 0, sums["is open for an hour"], func(x crowd.Sum) float64 { return x.ReadsPerLoser }))
	return nil
}

func value(name, unit string, goal float64, sums []crowd.Sum, of func(crowd.Sum) float64) report.Value {
	v := report.Value{Name: name, Unit: unit}
	if goal > 0 {
		v.Better, v.Goal = report.Lower, goal
	}
	for _, x := range sums {
		v.Samples = append(v.Samples, of(x))
	}
	return v
}

func best(ctx context.Context, s settings, r *report.Report) error {
	if s.on("core") {
		if err := coreBest(s, r); err != nil {
			return err
		}
	}
	if s.on("stack") {
		return stackBest(ctx, s, r)
	}
	return ctx.Err()
}

func coreBest(s settings, r *report.Report) error {
	t := report.Table{Title: "160 groups of two to six at once, 8,000 seats: the core in virtual time, by seed", Header: []string{
		"seed", "served", "busy", "apart though there was room", "transactions a group", "reads a group", "instances", "winners",
	}}
	served, asked, split := 0, 0, 0
	var sums []crowd.Sum
	for n := range s.seeds {
		o := eightThousand
		o.Seed = s.seed + uint64(n)
		got, err := crowd.Run(o)
		if err != nil {
			return err
		}
		x := got.Sum()
		sums = append(sums, x)
		served, asked, split = served+x.Held, asked+o.Buyers, split+got.Split
		t.Rows = append(t.Rows, []string{
			fmt.Sprint(o.Seed), fmt.Sprintf("%d of %d", x.Held, o.Buyers), fmt.Sprint(x.Busy), fmt.Sprint(got.Split),
			fmt.Sprintf("%.2f", x.PerGroup), fmt.Sprintf("%.2f", x.ReadsPerWinner), fmt.Sprint(got.Instances), x.Winners.String(),
		})
	}
	r.Table(t)
	r.Value(report.Value{Name: "groups served, core", Unit: "%", Better: report.Higher, Goal: 99, Samples: []float64{100 * float64(served) / float64(asked)}})
	r.Count(report.Count{Name: "groups apart though a run of their size was free, core", Unit: "groups", Got: float64(split), Floor: "the log of commits"})
	r.Value(value("transactions a group", "transactions", 0, sums, func(x crowd.Sum) float64 { return x.PerGroup }))
	r.Value(value("reads a group", "requests", 0, sums, func(x crowd.Sum) float64 { return x.ReadsPerWinner }))
	return nil
}
