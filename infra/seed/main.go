// Command seed loads the catalogue: cities, films, cinemas, layouts and the shows
// of the coming days, from the files of a folder into the catalogue's table.
//
// It decides what is on: shows are a function of the cinema and the local date, so
// a second run on the same day writes nothing, and a run on the next day adds what
// is new. It refuses bad rows by file and line before it writes anything. Nothing
// is stored per seat.
//
// Start with readFiles, plan and loader.
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
	"syscall"
	"time"
	_ "time/tzdata" // local dates must not depend on the machine

	"github.com/mattn/go-isatty"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

const usage = `usage: seed [flags]

Loads the catalogue into the table that CATALOG_TABLE names, at
AWS_ENDPOINT_URL_DYNAMODB where that is set. Running it again is safe.

`

// A day's last show may be over when this runs, and no show is on sale earlier
// than two weeks ahead.
const minDays, maxDays = 2, 14

type options struct {
	cities    int
	days      int
	all       bool
	catalogue string
	now       time.Time
	parallel  int
	singleGap []string // houses whose shows refuse to strand a single seat
	noLine    []string // houses that want no line
	challenge []string // houses that ask for a solved challenge
	contact   []string // houses that ask for a contact with the payment
	bounded   []string // houses where k later parties may pass one that does not fit, as house=k
	plans     []string // files of seating plans
	types     map[string]seatmap.SeatType
	segment   string // file to write instead of loading
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, env func(string) string, out *os.File) error {
	o, err := parseOptions(args, out, time.Now())
	if err != nil {
		return err
	}
	f, err := readFiles(os.DirFS(o.catalogue))
	if err != nil {
		return fmt.Errorf("the catalogue in %s is refused:\n%w", o.catalogue, err)
	}
	p := newPlan(f, o.cities, o.days, o.now)
	if p.drawn, err = readPlans(o.plans, o.types); err != nil {
		return err
	}
	if err := p.wishes(o); err != nil {
		return err
	}
	if o.segment != "" {
		return p.writeSegment(o.segment)
	}
	tables, err := openTables(env)
	if err != nil {
		return err
	}
	total := p.rows()
	l := &loader{
		catalog: store.NewCatalog(tables), workers: o.parallel, wait: boot.Pause,
		progress: newProgress(out, isatty.IsTerminal(out.Fd()), total, time.Now),
	}
	began := time.Now()
	if err := l.load(ctx, p.phases()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, summary(p, total, l.items.Load(), time.Since(began)))
	return err
}

func parseOptions(args []string, out io.Writer, now time.Time) (options, error) {
	o := options{now: now, types: map[string]seatmap.SeatType{}}
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	flags.IntVar(&o.cities, "cities", 25, "how many of the largest cities")
	flags.IntVar(&o.days, "days", 3, fmt.Sprintf("how many days from today on, %d to %d", minDays, maxDays))
	flags.BoolVar(&o.all, "all", false, "all cities, and a week unless --days says otherwise")
	flags.StringVar(&o.catalogue, "catalogue", "infra/catalogue", "folder of the files")
	flags.IntVar(&o.parallel, "parallel", 8, "how many writes at once")
	flags.Func("single-gap", "`cinema` or venue whose shows refuse a choice that strands a single seat; repeatable", func(s string) error {
		o.singleGap = append(o.singleGap, s)
		return nil
	})
	flags.Func("no-line", "`cinema` or venue that wants no waiting line; repeatable", func(s string) error {
		o.noLine = append(o.noLine, s)
		return nil
	})
	flags.Func("challenge", "`cinema` or venue whose shows ask for a solved challenge while on sale; repeatable", func(s string) error {
		o.challenge = append(o.challenge, s)
		return nil
	})
	flags.Func("contact", "`cinema` or venue whose shows ask for a contact with the payment; repeatable", func(s string) error {
		o.contact = append(o.contact, s)
		return nil
	})
	flags.Func("bounded", "`cinema=k` or venue=k: so many later parties may pass one that does not fit; repeatable", func(s string) error {
		o.bounded = append(o.bounded, s)
		return nil
	})
	flags.Func("plan", "`file` of a seating plan in the form of pretix: a house of its own in the largest city; repeatable", func(s string) error {
		o.plans = append(o.plans, s)
		return nil
	})
	flags.Func("plan-type", "`category=type` of seats in plans, where the category's name does not say it; repeatable", func(s string) error {
		return parseType(s, o.types)
	})
	flags.StringVar(&o.segment, "segment", "", "write what a search would know of the shows to this `file`, as one segment of its index, and load nothing")
	flags.Func("now", "take this for the present, as 2006-01-02T15:04:05Z", func(s string) (err error) {
		o.now, err = time.Parse(time.RFC3339, s)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	set := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected %q", flags.Arg(0))
	case o.all && set["cities"]:
		return o, errors.New("--all and --cities exclude each other")
	case o.cities < 1 || o.parallel < 1:
		return o, errors.New("--cities and --parallel are at least 1")
	case o.days < minDays || o.days > maxDays:
		return o, fmt.Errorf("--days is %d to %d", minDays, maxDays)
	}
	if o.all {
		o.cities = 0
		if !set["days"] {
			o.days = 7
		}
	}
	return o, nil
}

func openTables(env func(string) string) (store.Tables, error) {
	name := env("CATALOG_TABLE")
	if name == "" {
		return nil, errors.New("CATALOG_TABLE is not set: it names the catalogue's table")
	}
	client, err := ddb.Client(env)
	if err != nil {
		return nil, err
	}
	jitter := func(d time.Duration) time.Duration { return rand.N(d) }
	return ddb.New(client, map[store.Table]string{store.TableCatalog: name}, jitter), nil
}

func summary(p plan, rows int, items int64, took time.Duration) string {
	what := fmt.Sprintf("catalogue: %d cities, %d days, %d rows", len(p.cities), p.days, rows)
	if items == 0 {
		return what + ": all there already, nothing written"
	}
	return fmt.Sprintf("%s: %d items written in %s", what, items, took.Round(100*time.Millisecond))
}
