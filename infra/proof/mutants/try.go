package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

// trial is what came of one defect.
type trial struct {
	defect   Defect
	survived []string // tests that did not catch it, and how
	said     []string // what the others said
	took     time.Duration
}

// try sees every test pass, then plants one defect after another.
func try(ctx context.Context, b bench, defects []Defect, parallel int, r report) error {
	planted := make([]map[string][]byte, len(defects))
	for i, d := range defects {
		var err error
		if planted[i], err = d.plant(b.root); err != nil {
			return err
		}
	}
	begin := time.Now()
	if err := b.sound(ctx, testsOf(defects), parallel); err != nil {
		return err
	}
	sound := time.Since(begin)
	trials := make([]trial, len(defects))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, d := range defects {
		g.Go(func() (err error) {
			trials[i], err = b.try(gctx, i, d, planted[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.table(trials)
	return r.totals(trials, len(testsOf(defects)), sound, time.Since(begin))
}

// sound runs every test that some defect needs, without any.
func (b bench) sound(ctx context.Context, tests []Test, parallel int) error {
	byPackage := map[string][]string{}
	for _, t := range tests {
		byPackage[t.Package] = append(byPackage[t.Package], t.Name)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for pkg, names := range byPackage {
		g.Go(func() error {
			got, err := b.test(ctx, 0, nil, pkg, names)
			if err != nil {
				return err
			}
			for _, n := range names {
				if o := got[wire(n)]; !o.ran || !o.passed {
					return fmt.Errorf("%s %s ran: %v, passed: %v, without any defect: %s", pkg, n, o.ran, o.passed, o.said())
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (b bench) try(ctx context.Context, n int, d Defect, planted map[string][]byte) (trial, error) {
	begin := time.Now()
	t := trial{defect: d}
	for _, by := range d.Caught {
		got, err := b.test(ctx, n, planted, by.Package, []string{by.Name})
		if err != nil {
			return t, fmt.Errorf("%q: %w", d.Name, err)
		}
		o := got[wire(by.Name)]
		switch {
		case !o.ran:
			return t, fmt.Errorf("%q: %s did not run", d.Name, by)
		case o.own():
			t.said = append(t.said, words(got, wire(by.Name)))
		case o.failed:
			t.survived = append(t.survived, by.String()+" failed by no word of its own")
		default:
			t.survived = append(t.survived, by.String()+" passed")
		}
	}
	t.took = time.Since(begin)
	word := "caught"
	if len(t.survived) > 0 {
		word = "SURVIVED"
	}
	fmt.Fprintf(os.Stderr, "%-8s  %5.1f s  %s\n", word, t.took.Seconds(), d.Name)
	return t, nil
}

// words are the test's first, or those of the first of its parts that has any.
func words(got map[string]outcome, name string) string {
	if s := got[name].said(); s != "" {
		return s
	}
	for part, o := range got {
		if s := o.said(); o.failed && s != "" && strings.HasPrefix(part, name+"/") {
			return s
		}
	}
	return ""
}

// report writes for people.
type report struct {
	w     io.Writer
	words bool
}

func (r report) table(trials []trial) {
	w := tabwriter.NewWriter(r.w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "defect\twhere\tcaught by\tseconds")
	for _, t := range trials {
		for i, by := range t.defect.Caught {
			name, where, took := t.defect.Name, t.defect.where(), fmt.Sprintf("%.1f", t.took.Seconds())
			if i > 0 {
				name, where, took = "", "", ""
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, where, by, took)
		}
		for _, s := range t.survived {
			fmt.Fprintf(w, "\t\tSURVIVED: %s\t\n", s)
		}
		for _, s := range t.said {
			if r.words {
				fmt.Fprintf(w, "\t\t  %s\t\n", s)
			}
		}
	}
	_ = w.Flush()
}

func (r report) totals(trials []trial, tests int, sound, all time.Duration) error {
	survived := 0
	for _, t := range trials {
		if len(t.survived) > 0 {
			survived++
		}
	}
	fmt.Fprintf(r.w, "\n%d defects planted, %d caught, %d survived; %d tests, each seen green first in %.0f s; %.0f s in all\n",
		len(trials), len(trials)-survived, survived, tests, sound.Seconds(), all.Seconds())
	if survived > 0 {
		return errors.Join(errSurvived, fmt.Errorf("%d of %d", survived, len(trials)))
	}
	return nil
}
