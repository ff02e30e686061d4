// Command bench measures the product against what could not be done with less,
// and exits with status 1 when a goal is missed. It is run from the project's
// root; -only picks sections.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/infra/bench/counts"
	"github.com/fairseat/fairseat/infra/bench/postgres"
	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/sdk"
	"github.com/fairseat/fairseat/infra/bench/search"
	"github.com/fairseat/fairseat/infra/bench/start"
	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/infra/bench/waiting"
)

// section is one part of the whole.
type section struct {
	name string
	run  func(ctx context.Context) (*report.Report, error)
}

//go:embed prices.json
var priceList []byte

// tables are the computed part of infra/scale.md, and the figures under it.
func tables(ctx context.Context) (string, []counts.Figure, error) {
	figures, answers, err := counts.Measure(ctx)
	if err != nil {
		return "", nil, err
	}
	waits, err := counts.MeasureLine(ctx)
	if err != nil {
		return "", nil, err
	}
	prices, err := counts.ParsePrices(priceList)
	if err != nil {
		return "", nil, err
	}
	text, err := counts.Tables(figures, waits, answers, prices)
	return text, figures, err
}

// count reports the figures and writes the tables into the document at path.
func count(ctx context.Context, path string) (*report.Report, error) {
	text, figures, err := tables(ctx)
	if err != nil {
		return nil, err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	document, err := counts.Rewrite(string(old), text)
	if err != nil {
		return nil, err
	}
	r := counts.Report(figures)
	r.Note("The dollars are in %s.", path)
	return r, os.WriteFile(path, []byte(document), 0o644)
}

// core runs the benchmarks of the pure packages.
func core(ctx context.Context) (*report.Report, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchmem", "./pkg/seatmap", "./pkg/booking", "./pkg/boxoffice").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench: %w: %s", err, out)
	}
	r := report.New("core", "Benchmarks of the pure core")
	t := report.Table{Title: "go test -bench", Header: []string{"benchmark", "times", "ns/op", "B/op", "allocs/op"}}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); strings.HasPrefix(line, "Benchmark") && len(f) >= 8 {
			t.Rows = append(t.Rows, []string{f[0], f[1], f[2], f[4], f[6]})
		}
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("no benchmark ran: %s", out)
	}
	r.Table(t)
	return r, nil
}

// seed of every schedule of wishes: a run is compared with an earlier one.
const seed = 20261121

func sections(out string, quick bool) []section {
	place := venue.Place{Template: "template.yaml", Tools: ".tools"}
	few := func(n int) int {
		if quick {
			return max(n/5, 3)
		}
		return n
	}
	return []section{
		{"sdk", func(ctx context.Context) (*report.Report, error) {
			return sdk.Run(ctx, sdk.Options{Place: place, Out: out, Pairs: few(30), Calls: 400, Sent: 300})
		}},
		{"start", func(ctx context.Context) (*report.Report, error) {
			return start.Run(ctx, start.Options{Template: place.Template, Binaries: filepath.Join(out, "bin"), Starts: few(40)})
		}},
		{"postgres", func(ctx context.Context) (*report.Report, error) {
			return postgres.Run(ctx, postgres.Options{Place: place, Rounds: few(5), Span: time.Duration(few(800)) * time.Millisecond, Seed: seed})
		}},
		{"counts", func(ctx context.Context) (*report.Report, error) { return count(ctx, "infra/scale.md") }},
		{"line", func(ctx context.Context) (*report.Report, error) {
			return waiting.Run(ctx, waiting.Options{Place: place, Rounds: few(40), Joins: few(10000), Slow: few(2000)})
		}},
		{"search", func(ctx context.Context) (*report.Report, error) {
			return search.Run(ctx, search.Options{Place: place, Binaries: filepath.Join(out, "bin"), Pages: few(60), Starts: few(10), Renewals: few(10), Seed: seed})
		}},
		{"core", core},
	}
}

func main() {
	only := flag.String("only", "", "sections to run, with commas; all if empty")
	out := flag.String("out", ".build/bench", "folder for JSON and pictures")
	quick := flag.Bool("quick", false, "a fifth of the samples: to see whether it works")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only, *out, *quick); err != nil {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, only, out string, quick bool) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	all := sections(out, quick)
	var wanted []string
	if only != "" {
		wanted = strings.Split(only, ",")
	}
	for _, w := range wanted {
		if !slices.ContainsFunc(all, func(s section) bool { return s.name == w }) {
			return fmt.Errorf("bench: there is no section %q", w)
		}
	}
	missed := 0
	for _, s := range all {
		if wanted != nil && !slices.Contains(wanted, s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", s.name)
		r, err := s.run(ctx)
		if err != nil {
			return fmt.Errorf("bench: %s: %w", s.name, err)
		}
		if err := r.Finish(os.Stdout, out); err != nil && len(r.Failed) == 0 {
			return fmt.Errorf("bench: %s: %w", s.name, err)
		}
		missed += len(r.Failed)
	}
	if missed > 0 {
		return fmt.Errorf("bench: %d goals were missed", missed)
	}
	return nil
}
