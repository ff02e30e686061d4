// Command explore walks every interleaving of a small show: walk-ups, waiters, the
// lane and its zombie, crashes, late messages, skewed clocks and late money.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "explore:", err)
		os.Exit(1)
	}
}

type options struct {
	config  string
	mutant  string
	max     int
	tmax    int
	calm    bool
	verbose bool
	minutes float64
}

func run() error {
	var o options
	table := flag.Bool("mutants", false, "plant each bug in each configuration until one shows it")
	flag.StringVar(&o.config, "config", "", "one configuration; all without it")
	flag.StringVar(&o.mutant, "mutant", "", "explore with this planted bug")
	flag.IntVar(&o.max, "max", 40_000_000, "stop after so many states")
	flag.IntVar(&o.tmax, "tmax", 0, "let the clock run to this instead of the configuration's own")
	flag.BoolVar(&o.calm, "calm", false, "one lane run at a time")
	flag.BoolVar(&o.verbose, "v", false, "print how often each state of a waiter was seen")
	flag.Float64Var(&o.minutes, "minutes", 0, "stop each configuration after so long and say how far it came")
	flag.Parse()
	if *table {
		return mutantTable(o)
	}
	return exploreAll(o)
}

func (o options) apply(c *config) {
	c.MaxStates = o.max
	if o.tmax > 0 {
		c.TMax = uint8(o.tmax)
	}
	if o.calm {
		c.Zombies = false
	}
	if o.minutes > 0 {
		c.Until = time.Now().Add(time.Duration(o.minutes * float64(time.Minute)))
	}
	for m := none; m < mutants; m++ {
		if m.String() == o.mutant {
			c.Mut = m
		}
	}
}

func exploreAll(o options) error {
	violated := 0
	for _, c := range configs() {
		if o.config != "" && o.config != c.Name {
			continue
		}
		o.apply(&c)
		w, err := newWorld(&c)
		if err != nil {
			return err
		}
		r := w.explore(nil)
		fmt.Printf("%-8s states %9d  edges %10d  depth %2d  whole %-5v  settles within %2d  %6s  %4.0f k edges/s\n",
			c.Name, r.States, r.Edges, r.Depth, r.Whole && r.Bad == "", r.Worst, r.Took.Round(100*time.Millisecond), float64(r.Edges)/r.Took.Seconds()/1000)
		if o.verbose {
			for i := range c.Waiters {
				fmt.Println("  waiter", i, r.Ends[i])
			}
		}
		if r.Bad != "" {
			violated++
			fmt.Printf("VIOLATION %s\n  %s\n", r.Bad, strings.Join(r.Trace, "\n  "))
		}
	}
	if violated > 0 {
		return fmt.Errorf("%d configurations break a promise", violated)
	}
	return nil
}

func mutantTable(o options) error {
	fmt.Println("| planted bug | configuration | steps | states | as |\n|---|---|---|---|---|")
	missed := 0
	for m := none + 1; m < mutants; m++ {
		if o.mutant != "" && o.mutant != m.String() {
			continue
		}
		found := false
		for _, c := range configs() {
			if o.config != "" && o.config != c.Name {
				continue
			}
			o.apply(&c)
			c.Mut, c.MaxStates = m, min(o.max, 3_000_000)
			w, err := newWorld(&c)
			if err != nil {
				return err
			}
			if r := w.explore(nil); r.Bad != "" {
				fmt.Printf("| %s | %s | %d | %d | %s |\n", m, c.Name, len(r.Trace), r.States, r.Bad)
				found = true
				break
			}
		}
		if !found {
			missed++
			fmt.Printf("| %s | NOT FOUND | | | |\n", m)
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d planted bugs were not found", missed)
	}
	fmt.Printf("%d of %d planted bugs found\n", int(mutants)-1-missed, int(mutants)-1)
	return nil
}
