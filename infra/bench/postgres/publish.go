package postgres

import (
	"fmt"

	"github.com/fairseat/fairseat/infra/bench/report"
)

func publish(rep *report.Report, sellers []seller, results map[scene]map[string][]got) {
	var rows [][]string
	for _, rush := range []bool{false, true} {
		for _, n := range clientCounts {
			for _, s := range sellers {
				rows = append(rows, row(scene{n, rush}, s.name(), results[scene{n, rush}][s.name()]))
			}
		}
	}
	rep.Table(report.Table{
		Title:  "Holds of two seats, medians of the rounds (quartiles)",
		Header: []string{"scene", "seller", "holds/s", "quartiles", "answers/s", "trips/answer", "aborts/hold", "told busy", "fill"},
		Rows:   rows,
	})
	for _, rush := range []bool{false, true} {
		rep.Chart(chart(sellers, results, rush))
	}
	ratios(rep, sellers, results)
	rep.Note("PostgreSQL: fsync, synchronous_commit and full_page_writes on, a Unix socket, pgx with prepared statements; what it acknowledges survives a power cut.")
	rep.Note("fairseat on memstore: nothing is durable and nothing crosses a process; it runs AWS's rules, conflicts included, in the client's own process: it is the ceiling of our code.")
	rep.Note("fairseat on the emulators: HTTP on loopback with signing, streams on as in the template, DynamoDB Local in memory, Dynoxide in a file without fsync; neither has AWS's partitions or their latency.")
	rep.Note("PostgreSQL's side notes seats and a booking with a deadline. Ours notes claims, hold, the buyer's allowance of ten and a timer, answers a repeated request alike, and on refusal names every seat in the way with its deadline.")
	rep.Note("A trip is a message that is waited for: pgx's writes to its socket, our calls of the tables. The rush: %d seats of %d, %d wishes for each pair.", wanted, rushSeats, demand/(wanted/2))
	rep.Note("SKIP LOCKED calls a seat taken whose locker may still roll back, so its refusals are not all true.")
}

func row(sc scene, name string, rounds []got) []string {
	var rate, answers, trips, aborts, fill []float64
	var busy int64
	for _, g := range rounds {
		n := float64(g.held + g.refused + g.busy)
		rate = append(rate, float64(g.held)/g.seconds)
		answers = append(answers, n/g.seconds)
		trips = append(trips, float64(g.trips)/n)
		aborts = append(aborts, float64(g.aborts)/float64(g.held))
		if g.there > 0 {
			fill = append(fill, float64(g.sold)/float64(g.there))
		}
		busy += g.busy
	}
	r, full := report.Of(rate), "-"
	if len(fill) > 0 {
		full = fmt.Sprintf("%.4f", report.Of(fill).Median)
	}
	return []string{
		sc.String(), name, fmt.Sprintf("%.0f", r.Median), fmt.Sprintf("%.0f-%.0f", r.Q1, r.Q3), fmt.Sprintf("%.0f", report.Of(answers).Median),
		fmt.Sprintf("%.2f", report.Of(trips).Median), fmt.Sprintf("%.4f", report.Of(aborts).Median), fmt.Sprint(busy), full,
	}
}

func chart(sellers []seller, results map[scene]map[string][]got, rush bool) report.Chart {
	c := report.Chart{Name: "calm", Title: "Holds a second, calm hall", X: "clients", Y: "holds of two seats / s", LogX: true, LogY: true}
	if rush {
		c.Name, c.Title, c.Y = "contended", "Answers a second, everybody wants the same two rows", "answers / s"
	}
	for _, s := range sellers {
		line := report.Series{Name: s.name()}
		for _, n := range clientCounts {
			var rate []float64
			for _, g := range results[scene{n, rush}][s.name()] {
				count := g.held
				if rush {
					count += g.refused + g.busy
				}
				rate = append(rate, float64(count)/g.seconds)
			}
			sp := report.Of(rate)
			line.X, line.Y = append(line.X, float64(n)), append(line.Y, sp.Median)
			line.Low, line.High = append(line.Low, sp.Q1), append(line.High, sp.Q3)
		}
		c.Series = append(c.Series, line)
	}
	return c
}

// ratios set ours against the textbook, for information: what stands under each
// is not the same thing.
func ratios(rep *report.Report, sellers []seller, results map[scene]map[string][]got) {
	for _, rush := range []bool{false, true} {
		for _, n := range clientCounts {
			sc := scene{n, rush}
			theirs := rates(results[sc][classic.title])
			for _, s := range sellers {
				if _, ours := s.(*core); !ours {
					continue
				}
				rep.Ratio(report.Ratio{
					Name: fmt.Sprintf("%v: %s", sc, s.name()), Unit: "holds/s", Floor: classic.title, Better: report.Higher,
					Ours: rates(results[sc][s.name()]), Theirs: theirs,
				})
			}
		}
	}
}

func rates(rounds []got) []float64 {
	var all []float64
	for _, g := range rounds {
		all = append(all, float64(g.held)/g.seconds)
	}
	return all
}
