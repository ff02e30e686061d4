// History records what many clients do to the rows of running shows and to the lines
// of small ones, over HTTP, while functions are killed in mid-request. Porcupine judges
// every row by a model of holds, and every line with its seats by a model of a queue. It exits with 1 when a history is not linearizable.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/pkg/booking"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "history:", err)
		os.Exit(1)
	}
}

// usual is a plan for so many operations.
func usual(root string, ops int, seed uint64) plan {
	return plan{
		ops: ops, groups: 5, lines: 5, crowd: 5, perRow: 400, minRow: 9 * time.Second, maxRow: 30 * time.Second, untimed: 10 * time.Second, rows: 8, seats: 12,
		kills: 200 * time.Millisecond, budget: 50 * time.Millisecond,
		seed: seed, pictures: filepath.Join(root, ".build"), progress: os.Stdout,
	}
}

// policy has short holds, so that many of them expire.
var policy = booking.Policy{Hold: 3 * time.Second, Grace: time.Second, MaxSeats: 10}

func command(args []string) error {
	f := flag.NewFlagSet("history", flag.ContinueOnError)
	ops := f.Int("ops", 20_000, "`operations` to judge")
	seed := f.Uint64("seed", 0, "of what the clients do; 0 chooses one")
	root := f.String("root", ".", "`folder` of the project, built")
	profile := f.String("cpuprofile", "", "`file` for a profile of this process: clients, gateway and runtime")
	planted := f.String("plant", "", "build these defects, or all, into the functions and fail unless each is found")
	groups := f.Int("groups", 5, "rows under way at once")
	lines := f.Int("lines", 5, "lines under way at once")
	every := f.Duration("every", 200*time.Millisecond, "`time` between two kills")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	abs, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *profile != "" {
		out, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	p := usual(abs, *ops, *seed)
	p.groups, p.lines, p.kills = *groups, *lines, *every
	c := stage.Config{Root: abs, Policy: policy, Line: terms, Log: io.Discard}
	if *planted != "" {
		return demonstrate(ctx, *planted, p, c)
	}
	_, err = prove(ctx, p, c)
	return err
}

// prove runs the plan on a stage of its own and tells what came of it.
func prove(ctx context.Context, p plan, c stage.Config) (*run, error) {
	fmt.Fprintf(p.progress, "seed %d: %d operations by %d clients on %s, holds of %v + %v\n",
		p.seed, p.ops, (p.groups+p.lines)*p.crowd, stage.StoreName(c.Store), c.Policy.Hold, c.Policy.Grace)
	start, stop := context.WithTimeout(ctx, stage.StartLimit)
	defer stop()
	s, err := stage.Start(start, c)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r, err := newRun(ctx, p, s)
	if err != nil {
		return nil, err
	}
	err = r.all(ctx)
	r.report()
	return r, err
}

func (r *run) report() {
	took := time.Since(r.began)
	w := r.progress
	fmt.Fprintf(w, "operations judged  %d in %v, %.0f a second\n", r.totalOps, took.Round(time.Second), float64(r.totalOps)/took.Seconds())
	fmt.Fprintf(w, "histories judged   %d, the longest of %d operations\n", r.judged, r.longest)
	fmt.Fprintf(w, "of them of lines   %d; places ended %s; answers to offers %s\n", r.queues, counted(r.ends), counted(r.answers))
	fmt.Fprintf(w, "without an answer  %d requests; %d writes whose outcome nobody was told\n", r.unanswered.Load(), r.unknown.Load())
	fmt.Fprintf(w, "kills              %d, in mid-request %d (%s)\n", r.deaths.Load(), r.midway.Load(), counted(r.killed))
	fmt.Fprintf(w, "refusals           %s\n", counted(r.refusals))
	fmt.Fprintf(w, "payments begun     %s\n", counted(r.outcomes))
	fmt.Fprintf(w, "orders seen        %s\n", counted(r.orders))
	fmt.Fprintf(w, "violations         %d\n", len(r.verdicts))
}
