// Command flat shows that a function's memory, threads, descriptors, connections
// and goroutines do not grow with the number of its invocations, neither while the
// services answer nor while they fail.
//
// It decides what flat means: over the stretch after the warm-up, the upper end of
// the slope's confidence interval stays below what an environment could bear for
// its whole life (slope.go). The functions are the deployed programs, run by the
// local runtime; what only a process itself can tell, its goroutines and heap
// objects, is told by the same handlers in a program of our own (inside.go). The
// services are a stand-in for stand-ins (service.go): reads are answered as the
// emulator answered them first, writes succeed, so that a hundred thousand
// invocations measure the functions and not the emulator.
//
// Start with main, run and verdict.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// plan is how much is run.
type plan struct {
	root    string
	calm    int // invocations of the deployed programs while the services answer
	failing int // and while they fail
	own     int // invocations of the same handlers in our own program while the services answer
	ownFail int // and while they fail
	rounds  int // samples of each run
	seed    uint64
	leak    leak // planted in our own program
	kinds   []kind
}

func main() {
	if os.Getenv(insideKind) != "" {
		serveInside()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	p := plan{root: ".", kinds: kinds}
	var drawn string
	fs := flag.NewFlagSet("flat", flag.ContinueOnError)
	fs.IntVar(&p.calm, "calm", 100_000, "invocations of the deployed programs while the services answer")
	fs.IntVar(&p.failing, "failing", 12_000, "invocations of them while the services fail")
	fs.IntVar(&p.own, "own", 24_000, "invocations of the same handlers where goroutines can be counted, while the services answer")
	fs.IntVar(&p.ownFail, "own-failing", 8_000, "and while they fail")
	fs.IntVar(&p.rounds, "rounds", 40, "samples of each run")
	fs.Uint64Var(&p.seed, "seed", uint64(time.Now().UnixNano()), "of the services' failures")
	fs.StringVar(&drawn, "picture", ".build/flat.svg", "where to draw; empty = nowhere")
	if err := fs.Parse(args); err != nil {
		return err
	}
	began := time.Now()
	w, err := newWorld(ctx, p.root)
	if err != nil {
		return err
	}
	defer w.cloud.Close()
	runs, err := run(ctx, w, p)
	if err != nil {
		return fmt.Errorf("seed %d: %w", p.seed, err)
	}
	vs := judge(runs)
	fmt.Fprintf(out, "seed %d, %d invocations in %s\n\n%s", p.seed, invocations(runs), time.Since(began).Round(time.Second), table(vs))
	if drawn != "" {
		if err := os.MkdirAll(filepath.Dir(drawn), 0o755); err != nil {
			return err
		}
		if err := picture(runs, drawn); err != nil {
			return err
		}
		fmt.Fprintln(out, "\ndrawn into", drawn)
	}
	if n := growing(vs); n > 0 {
		return fmt.Errorf("seed %d: %d of %d are not flat", p.seed, n, len(vs))
	}
	fmt.Fprintf(out, "\nall %d are flat\n", len(vs))
	return nil
}

func invocations(runs []series) int {
	n := 0
	for _, r := range runs {
		n += r.invocations
	}
	return n
}
