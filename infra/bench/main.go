// Command bench measures the product against what could not be done with less,
// and exits with status 1 when a goal is missed. It is run from the project's
// root; -only picks sections.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/infra/bench/postgres"
	"github.com/fairseat/fairseat/infra/bench/report"
	"github.com/fairseat/fairseat/infra/bench/sdk"
	"github.com/fairseat/fairseat/infra/bench/start"
	"github.com/fairseat/fairseat/infra/bench/venue"
)

// section is one part of the whole.
type section struct {
	name string
	run  func(ctx context.Context) (*report.Report, error)
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
