// Command showtime changes a show for its organiser: when it is, what it costs,
// when it is sold, or that it does not take place. Readers see it within five
// seconds ([catalog.Programme]); what is held or bought keeps its seats and price.
// Giving the money of a cancelled show back is not done here, nor anywhere yet.
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
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

const usage = `usage: showtime --show ID [flags]

Changes a show in the tables that CATALOG_TABLE and SNAPSHOTS_TABLE name, at
AWS_ENDPOINT_URL_DYNAMODB where that is set. Repeating a change is safe.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "showtime:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, env func(string) string, out io.Writer) error {
	id, change, err := parse(args, os.Stderr)
	if err != nil {
		return err
	}
	names := map[store.Table]string{store.TableCatalog: env("CATALOG_TABLE"), store.Snapshots: env("SNAPSHOTS_TABLE")}
	if names[store.TableCatalog] == "" || names[store.Snapshots] == "" {
		return errors.New("CATALOG_TABLE and SNAPSHOTS_TABLE name the tables; one is not set")
	}
	client, err := ddb.Client(env)
	if err != nil {
		return err
	}
	tables := ddb.New(client, names, func(d time.Duration) time.Duration { return rand.N(d) })
	p := catalog.Programme{Store: store.NewCatalog(tables), Clock: boot.Clock, Pause: boot.Pause}
	s, err := p.Change(ctx, id, change)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s, %s to %s, sold %s to %s, %v\n", s.ID, s.Status, clock(s.StartsAt), clock(s.EndsAt), clock(s.SaleOpensAt), clock(s.SaleClosesAt), s.Prices)
	return err
}

func clock(t time.Time) string { return t.Format(time.RFC3339) }

// parse reads times with their offset from UTC: the date there is the local date.
func parse(args []string, out io.Writer) (catalog.ShowID, catalog.Change, error) {
	var id string
	var c catalog.Change
	flags := flag.NewFlagSet("showtime", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&id, "show", "", "`id` of the show")
	flags.BoolVar(&c.Cancel, "cancel", false, "it does not take place; this cannot be undone")
	for _, f := range []struct {
		name, text string
		to         *time.Time
	}{
		{"starts", "begins at this local `time`, as 2006-01-02T15:04:05+08:00; its end and the end of its sale move along", &c.StartsAt},
		{"ends", "ends at this `time`", &c.EndsAt},
		{"opens", "is sold from this `time` on", &c.SaleOpensAt},
		{"closes", "is sold until this `time`", &c.SaleClosesAt},
	} {
		flags.Func(f.name, f.text, func(text string) (err error) {
			*f.to, err = time.Parse(time.RFC3339, text)
			return err
		})
	}
	flags.Func("price", "`type=amount`, e.g. regular=45.00:CNY or regular=4500:JPY; repeatable", func(text string) error {
		p, err := parsePrice(text)
		c.Prices = append(c.Prices, p)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return "", c, err
	}
	if !c.StartsAt.IsZero() {
		c.LocalDate = c.StartsAt.Format(time.DateOnly)
	}
	switch {
	case flags.NArg() > 0:
		return "", c, fmt.Errorf("unexpected %q", flags.Arg(0))
	case id == "":
		return "", c, errors.New("--show is required")
	}
	return catalog.ShowID(id), c, nil
}

// parsePrice reads an amount with as many decimals as people write.
func parsePrice(text string) (catalog.Price, error) {
	typ, amount, _ := strings.Cut(text, "=")
	number, currency, _ := strings.Cut(amount, ":")
	whole, part, dotted := strings.Cut(number, ".")
	p := catalog.Price{Type: seatmap.SeatType(typ), Amount: money.Amount{Currency: currency}}
	minor, err := strconv.ParseUint(whole+part, 10, 53)
	p.Amount.Minor = int64(minor)
	places := money.Exponent(currency)
	if err != nil || !p.Type.Valid() || !p.Amount.Valid() || dotted != (places > 0) || len(part) != places {
		return p, fmt.Errorf("%q is not type=amount:currency with %d decimals", text, places)
	}
	return p, nil
}
