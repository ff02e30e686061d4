package report

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Print writes the report as text, judged by what was added so far.
func (r *Report) Print(w io.Writer) error {
	r.judge()
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "\n%s\n%s\n", r.Title, strings.Repeat("=", utf8.RuneCountInString(r.Title)))
	m := r.Machine
	fmt.Fprintf(out, "%s, %d cores, load %s; %s; %s; commit %s; %.0f s\n", m.CPU, m.Cores, m.Load, m.System, m.Go, m.Commit, r.Seconds)
	r.ratios(out)
	r.values(out)
	r.counts(out)
	for _, t := range r.Tables {
		fmt.Fprintf(out, "\n%s\n", t.Title)
		write(out, t.Header, t.Rows)
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(out)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(out, "* %s\n", n)
	}
	for _, f := range r.Failed {
		fmt.Fprintf(out, "MISSED %s\n", f)
	}
	return out.Flush()
}

func (r *Report) ratios(w io.Writer) {
	if len(r.Ratios) == 0 {
		return
	}
	var rows [][]string
	for _, x := range r.Ratios {
		p := x.Pairs()
		rows = append(rows, []string{
			x.Name, short(Of(x.Ours).Median), short(Of(x.Theirs).Median), x.Unit, fmt.Sprintf("%.3f", p.Median), fmt.Sprintf("%.3f-%.3f", p.Q1, p.Q3),
			strconv.Itoa(p.Samples), target(x), verdict(x.Passed(), x.Goal != 0), x.Floor,
		})
	}
	fmt.Fprintln(w)
	write(w, []string{"ratio", "ours", "theirs", "unit", "ours/theirs", "quartiles", "pairs", "goal", "", "theirs is"}, rows)
}

func (r *Report) values(w io.Writer) {
	if len(r.Values) == 0 {
		return
	}
	var rows [][]string
	for _, x := range r.Values {
		s := Of(x.Samples)
		rows = append(rows, []string{
			x.Name, short(s.Median), x.Unit, short(s.Q1) + "-" + short(s.Q3), strconv.Itoa(s.Samples), goal(x.Better, x.Goal), verdict(x.Passed(), x.Better != 0), x.Floor,
		})
	}
	fmt.Fprintln(w)
	write(w, []string{"value", "median", "unit", "quartiles", "samples", "goal", "", "floor"}, rows)
}

func (r *Report) counts(w io.Writer) {
	if len(r.Counts) == 0 {
		return
	}
	var rows [][]string
	for _, x := range r.Counts {
		rows = append(rows, []string{x.Name, short(x.Got), short(x.Want), x.Unit, verdict(x.Passed(), true), x.Floor})
	}
	fmt.Fprintln(w)
	write(w, []string{"count", "got", "must be", "unit", "", "because"}, rows)
}

func target(x Ratio) string {
	if x.Goal == 0 {
		return ""
	}
	return goal(x.Better, x.Goal)
}

func goal(b Better, value float64) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%s %g", b, value)
}

func verdict(passed, judged bool) string {
	switch {
	case !judged:
		return ""
	case passed:
		return "ok"
	}
	return "MISSED"
}

// short has at least four digits that count, and no exponent.
func short(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "-"
	}
	if x == math.Trunc(x) || math.Abs(x) >= 10000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	digits := max(0, 3-int(math.Floor(math.Log10(math.Abs(x)))))
	return strconv.FormatFloat(x, 'f', min(digits, 6), 64)
}

func write(w io.Writer, header []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(header, "\t"))
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}
