package search

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	product "github.com/fairseat/fairseat/pkg/search"
)

// goals of the project.
const (
	mostTime     = 300 // milliseconds, p95
	mostRequests = 2   // to stores, a page
	mostMemory   = 512 // MiB
)

// changed is how many shows are different in each new version of the index.
const changed = 500

func publish(ctx context.Context, rep *report.Report, o Options, rows product.Rows, us *ours, them *theirs, results map[kind][]seen) error {
	var all []seen
	t := report.Table{
		Title:  fmt.Sprintf("a page of %d shows by what is asked for, milliseconds", perPage),
		Header: []string{"question", "pages", "ours p50", "p95", "PostgreSQL p50", "p95", "p50 ratio", "p95 ratio", "ours on a processor p50", "p95", "PostgreSQL p50", "p95", "requests, most", "alike", "empty"},
	}
	for _, k := range kinds {
		t.Rows = append(t.Rows, tableRow(string(k), results[k]))
		all = append(all, results[k]...)
	}
	rep.Table(withAll(t, all))
	mine, others := times(all)
	rep.Ratio(report.Ratio{Name: "a page", Unit: "ms", Floor: "PostgreSQL, one statement", Better: report.Lower, Ours: mine, Theirs: others})
	value := func(name, unit string, goal float64, floor string, samples ...float64) {
		v := report.Value{Name: name, Unit: unit, Samples: samples, Floor: floor}
		if goal > 0 {
			v.Better, v.Goal = report.Lower, goal
		}
		rep.Value(v)
	}
	value("p95 of all pages", "ms", mostTime, "", report.Percentile(mine, 95))
	value("p95 of the slowest kind of question", "ms", mostTime, "", worst(results))
	value("requests to stores for a page, at the most", "requests", mostRequests, "the list, every two seconds", float64(most(all)))
	value("p95 of all pages, on a processor", "ms", 0, "what is left on a machine with nothing else to do", report.Percentile(of(all, func(s seen) float64 { return s.mine }), 95))
	value("p95 of all pages, on a processor, PostgreSQL", "ms", 0, "", report.Percentile(of(all, func(s seen) float64 { return s.others }), 95))
	if err := renewals(ctx, o, rows, us, value); err != nil {
		return err
	}
	now, peak, err := us.memory()
	if err != nil {
		return err
	}
	value("memory of ours, at the most", "MiB", mostMemory, "resident, over all the above", peak)
	value("memory of ours, now", "MiB", 0, "", now)
	if err := starts(ctx, o, us, value); err != nil {
		return err
	}
	value("ours: all shows into the index, in batches", "s", 0, "", us.indexed.Seconds())
	value("PostgreSQL: load and indexes", "s", 0, "", them.loaded.Seconds())
	value("PostgreSQL: tables and indexes", "MiB", 0, "", float64(them.bytes)/(1<<20))
	notes(rep, o, rows, us)
	return nil
}

func notes(rep *report.Report, o Options, rows product.Rows, us *ours) {
	shows := 0
	for _, r := range rows {
		if r.Show != nil {
			shows++
		}
	}
	rep.Note("%d shows, as infra/seed plans a week; the index in %d segments; seed %d; one question at a time.", shows, us.segments, o.Seed)
	rep.Note("Ours is from the event of a REST API to the JSON of the answer, over the local runtime; PostgreSQL is from the statement to its last row, over a Unix socket, without an answer being written.")
	rep.Note("Alike is the same shows in the same order. Words may differ: PostgreSQL stems nothing here and takes the five most similar words by trigrams, ours takes those within a slip or two.")
	rep.Note("The Chinese is cut into pairs of characters for both: PostgreSQL has no parser for it.")
}

func of(all []seen, what func(seen) float64) (samples []float64) {
	for _, s := range all {
		samples = append(samples, what(s))
	}
	return samples
}

func times(all []seen) (mine, others []float64) {
	return of(all, func(s seen) float64 { return s.ours }), of(all, func(s seen) float64 { return s.theirs })
}

func tableRow(name string, all []seen) []string {
	mine, others := times(all)
	busy, theirs := of(all, func(s seen) float64 { return s.mine }), of(all, func(s seen) float64 { return s.others })
	alike, empty := 0, 0
	for _, s := range all {
		if s.alike {
			alike++
		}
		if s.empty {
			empty++
		}
	}
	at := report.Percentile
	ms := func(x float64) string { return fmt.Sprintf("%.2f", x) }
	return []string{
		name, fmt.Sprint(len(all)), ms(at(mine, 50)), ms(at(mine, 95)), ms(at(others, 50)), ms(at(others, 95)),
		ms(at(mine, 50) / at(others, 50)), ms(at(mine, 95) / at(others, 95)), ms(at(busy, 50)), ms(at(busy, 95)), ms(at(theirs, 50)), ms(at(theirs, 95)), fmt.Sprint(most(all)), fmt.Sprintf("%d %%", 100*alike/len(all)), fmt.Sprint(empty),
	}
}

func withAll(t report.Table, all []seen) report.Table {
	t.Rows = append(t.Rows, tableRow("all", all))
	return t
}

func most(all []seen) (n int64) {
	for _, s := range all {
		n = max(n, s.requests)
	}
	return n
}

func worst(results map[kind][]seen) (ms float64) {
	for _, all := range results {
		mine, _ := times(all)
		ms = max(ms, report.Percentile(mine, 95))
	}
	return ms
}

// renewals times the page that finds a newer index, in which some shows have
// another price: it fetches what is new and makes all columns again.
func renewals(ctx context.Context, o Options, rows product.Rows, us *ours, value func(string, string, float64, string, ...float64)) error {
	keys := slices.SortedFunc(maps.Keys(rows), compareKeys)
	keys = slices.DeleteFunc(keys, func(k product.Key) bool { return k.Kind != product.OfShow })
	var took, asked []float64
	for n := range o.Renewals {
		fresh := product.Rows{}
		for i := range changed {
			k := keys[(n*changed+i)%len(keys)]
			s := *rows[k].Show
			s.Prices = dearer(s.Prices)
			fresh[k] = product.Row{Show: &s}
		}
		if err := us.writer.Append(ctx, fresh); err != nil {
			return err
		}
		time.Sleep(looks)
		_, d, requests, err := us.ask(ctx, wish{order: "date,asc"}.query())
		if err != nil {
			return err
		}
		took, asked = append(took, milliseconds(d)), append(asked, float64(requests))
	}
	value(fmt.Sprintf("a page that renews the index, %d shows changed", changed), "ms", 0, "", took...)
	value("its requests to stores", "requests", 0, "the list and the new segments", asked...)
	return nil
}

// looks is a little more than how long ours answers without a look at the list.
const looks = 2100 * time.Millisecond

func compareKeys(a, b product.Key) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

func dearer(all []catalog.Price) []catalog.Price {
	next := slices.Clone(all)
	for i, p := range next {
		next[i].Amount = money.Amount{Minor: p.Amount.Minor + 1, Currency: p.Amount.Currency}
	}
	return next
}

// starts times new instances: the process, the list, the segments, the index, and
// the first page.
func starts(ctx context.Context, o Options, us *ours, value func(string, string, float64, string, ...float64)) error {
	var took, asked, peaks []float64
	for range o.Starts {
		us.pool.Kill()
		_, d, requests, err := us.ask(ctx, wish{order: "date,asc"}.query())
		if err != nil {
			return err
		}
		_, peak, err := us.memory()
		if err != nil {
			return err
		}
		took, asked, peaks = append(took, milliseconds(d)), append(asked, float64(requests)), append(peaks, peak)
	}
	value("the first page of an instance: start, load, build", "ms", 0, "", took...)
	value("its requests to stores", "requests", 0, "the list and each segment", asked...)
	value("its memory, at the most", "MiB", 0, "", peaks...)
	return nil
}
