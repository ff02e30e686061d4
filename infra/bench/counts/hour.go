package counts

import (
	"fmt"
	"strings"

	"github.com/fairseat/fairseat/infra/bench/report"
)

// What an hour in line is made of.
const (
	pollSeconds   = 25.0 // a poll that is kept
	advancesAHour = 60.0 // after which a watcher is told, and reads
	pingsAHour    = 12.0 // keep a socket from being idle for ten minutes
	perWaiters    = 1e6  // the tables' unit
)

// hours are what one waiter's hour asks of AWS.
type hours struct{ poll, socket load }

func hoursOf(figures []Figure) (hours, error) {
	by := map[string]Use{}
	for _, f := range figures {
		by[f.Name] = f.Got
	}
	var missing error
	of := func(name string) Use {
		u, ok := by[name]
		if !ok {
			missing = fmt.Errorf("counts: nothing was counted for %q", name)
		}
		return u
	}
	// He joins, is numbered with nine others, and leaves; each is told by the stream.
	coming := load{}.plus(asked(of("join, number in time"), largeGB, otherBytes, true), 1).
		plus(message(of("lane, ten join"), largeGB), 0.1).plus(told(Use{}, smallGB), 4).
		plus(asked(of("left"), smallGB, 0, true), 1).plus(message(of("lane, after an answer"), largeGB), 1)
	kept := asked(of("poll, kept 25 s without a change"), smallGB, otherBytes, true)
	kept.gbSeconds += smallGB * pollSeconds
	look := asked(of("poll, at once"), smallGB, otherBytes, true)
	var h hours
	h.poll = coming.plus(kept, 3600/pollSeconds)
	word := runs(use(1, 2, 1), smallGB)
	word.socketWords = 2 // with its answer
	h.socket = coming.plus(load{socketMinutes: 60, socketWords: advancesAHour}, 1).plus(word, pingsAHour).plus(look, advancesAHour)
	return h, missing
}

// lineTables are the line's part of infra/scale.md.
func lineTables(b *strings.Builder, figures []Figure, h hours, p Prices) {
	fmt.Fprintf(b, "\n### Each step of who waits\n\nTimes the minimum are of requests, and of units by their price; the goal is %g.\n\n", mostOfLeast)
	b.WriteString("| step | counted | arithmetic minimum | times | why |\n|---|---|---|---|---|\n")
	for _, f := range figures {
		fmt.Fprintf(b, "| %s | %v | %v | %s | %s |\n", f.Name, f.Got, f.Least, f.verdict(), f.Why)
	}
	fmt.Fprintf(b, "\n### Dollars for a million hours in line\n\nOne who joins, waits an hour and leaves: by polls kept %g s; by a socket on which he is told %g times and reads as often, with a ping each five minutes.\n\n", pollSeconds, advancesAHour)
	p.table(b, []string{"by poll", "by socket"}, []load{load{}.plus(h.poll, perWaiters), load{}.plus(h.socket, perWaiters)})
}

// LineCounts shows the line's figures, and fails on what is not exact.
func LineCounts(rep *report.Report, figures []Figure) {
	var rows [][]string
	for _, f := range figures {
		exact(rep, f)
		rows = append(rows, []string{f.Name, f.Got.String(), f.Least.String(), f.verdict(), f.Why})
	}
	rep.Table(report.Table{Title: "Beside the minimum", Header: []string{"step", "counted", "minimum", "times: requests, units", "why"}, Rows: rows})
}
