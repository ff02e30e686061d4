// Command developers shows a developer to an operator, and gives him another plan:
//
//	DEVELOPERS_TABLE=... go run ./infra/developers <developer> [<plan>]
//
// His keys are good for the new plan's quotas within seconds; what he has called this
// minute and this month counts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	t, err := open(os.Getenv)
	if err == nil {
		err = run(ctx, store.NewRegistry(t), os.Args[1:], boot.Clock(), os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "developers:", err)
		os.Exit(1)
	}
}

func open(env func(string) string) (store.Counters, error) {
	name := env("DEVELOPERS_TABLE")
	if name == "" {
		return nil, errors.New("DEVELOPERS_TABLE is not set")
	}
	client, err := ddb.Client(env)
	if err != nil {
		return nil, err
	}
	return ddb.New(client, map[store.Table]string{store.Developers: name}, boot.Jitter), nil
}

var errUsage = errors.New("wanted: a developer's id, and perhaps a plan: free, standard, partner, house")

func run(ctx context.Context, r *store.Registry, args []string, now time.Time, out io.Writer) error {
	if len(args) < 1 || len(args) > 2 {
		return errUsage
	}
	id := developer.ID(args[0])
	b, err := r.Book(ctx, id)
	switch {
	case err != nil:
		return err
	case b.Developer.ID == "":
		return developer.ErrNoDeveloper
	}
	if len(args) == 2 {
		plan := developer.Plan(args[1])
		if _, ok := plan.Limits(); !ok {
			return errUsage
		}
		if err := r.SetPlan(ctx, b, plan, now); err != nil {
			return err
		}
		b.Developer.Plan = plan
	}
	l, _ := b.Developer.Plan.Limits()
	fmt.Fprintf(out, "%s, %q: plan %s, %d calls a minute, %d a month\n", id, b.Developer.Name, b.Developer.Plan, l.Minute, l.Month)
	for _, k := range b.Listed(now) {
		end := "no end"
		if !k.EndsAt.IsZero() {
			end = "ends " + k.EndsAt.Format(time.RFC3339)
		}
		fmt.Fprintf(out, "  %s  %s…  %q, %s\n", k.ID, k.Prefix, k.Name, end)
	}
	return nil
}
