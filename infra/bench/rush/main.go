// Command rush measures what the core and the local stack do when many want the
// same at once: ten thousand buyers for a hundred seats, groups that ask for the
// best seats of a large house, a day's mixed requests, the day on which a popular
// film goes on sale, and a large seat map while it changes. It exits with status 1 when a claim fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/fairseat/fairseat/infra/bench/report"
)

// settings are the command line.
type settings struct {
	seed   uint64
	seeds  int
	out    string
	root   string
	store  string
	where  string
	rate   int
	buyers string
}

// parts of the measurement, by name.
var parts = []struct {
	name, what string
	run        func(context.Context, settings, *report.Report) error
}{
	{"rush", "buyers for the same hundred seats", rush},
	{"best", "groups for the best seats of eight thousand", best},
	{"mixed", "a day's requests, 95 of 100 of them reads", mixed},
	{"day", "the day on which a popular film goes on sale", day},
	{"map", "the map of 20,000 seats while it changes", bigMap},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var s settings
	fs := flag.NewFlagSet("rush", flag.ContinueOnError)
	only := fs.String("only", "", "one part of rush, best, mixed, day, map; all without it")
	fs.Uint64Var(&s.seed, "seed", 1, "first seed of the runs in virtual time")
	fs.IntVar(&s.seeds, "seeds", 5, "how many of them")
	fs.StringVar(&s.out, "out", ".build/bench", "folder of the JSON and the pictures")
	fs.StringVar(&s.root, "root", ".", "folder of the project, with its functions built")
	fs.StringVar(&s.store, "store", "dynamodb-local", "what stands in for DynamoDB: dynamodb-local or dynoxide")
	fs.StringVar(&s.where, "where", "core,stack", "core: over the store in memory; stack: over HTTP")
	fs.StringVar(&s.buyers, "buyers", "100,1000,10000", "contenders over HTTP, one run each")
	fs.IntVar(&s.rate, "rate", 1000, "requests a second of mixed and day")
	if err := fs.Parse(args); err != nil {
		return err
	}
	var failed []error
	met := false
	for _, p := range parts {
		if *only != "" && *only != p.name {
			continue
		}
		met = true
		name := p.name
		if name != "rush" {
			name = "rush-" + name
		}
		r := report.New(name, p.what)
		err := p.run(ctx, s, r)
		failed = append(failed, err, r.Finish(os.Stdout, s.out))
	}
	if !met {
		return fmt.Errorf("rush: there is no part %q", *only)
	}
	return errors.Join(failed...)
}

func (s settings) on(where string) bool { return strings.Contains(","+s.where+",", ","+where+",") }
