package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
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
	full    bool
	verbose bool
	minutes float64
}

func run() error {
	var o options
	plant := flag.Bool("mutants", false, "plant each bug in each configuration until one shows it, and drop each condition of the store")
	compare := flag.Bool("conform", false, "compare with the store, nothing else")
	dropped := flag.String("drop", "", "with -mutants: only the conditions whose names contain this, and no bugs")
	states := flag.Int("states", 0, "compare the rows of so many states of a configuration; 0: 20, or with -full 300")
	flag.StringVar(&o.config, "config", "", "one configuration; all without it")
	flag.StringVar(&o.mutant, "mutant", "", "explore with this planted bug")
	flag.IntVar(&o.max, "max", 0, "stop after so many states; 0: 3 million, or with -full 40 million")
	flag.IntVar(&o.tmax, "tmax", 0, "let the clock run to this instead of the configuration's own")
	flag.BoolVar(&o.full, "full", false, "as far as six gigabytes reach")
	flag.BoolVar(&o.verbose, "v", false, "print how often each state of a waiter was seen")
	flag.Float64Var(&o.minutes, "minutes", 0, "stop each configuration after so long and say how far it came")
	flag.Parse()
	debug.SetGCPercent(20) // states hold no pointers: to collect costs little, to wait costs gigabytes
	if *states == 0 {
		*states = map[bool]int{false: 20, true: 300}[o.full]
	}
	switch {
	case *compare:
		return compareAll(*states)
	case *plant && *dropped != "":
		return dropTable(*dropped)
	case *plant:
		if err := mutantTable(o); err != nil || o.mutant != "" || o.config != "" {
			return err
		}
		return dropTable("")
	case o.config != "":
		return exploreAll(o)
	}
	if err := compareAll(*states); err != nil {
		return err
	}
	return exploreAll(o)
}

func compareAll(states int) error {
	for _, c := range conformConfigs() {
		t := time.Now()
		n, err := conform(context.Background(), &c, states)
		if err != nil {
			return err
		}
		fmt.Printf("%-10s the store agrees: rows of %d states and their neighbours, %d transactions, %d applied  %s\n",
			c.Name, n.States, n.Cases, n.Applied, time.Since(t).Round(100*time.Millisecond))
	}
	return nil
}

func (o options) apply(c *config) {
	c.MaxStates = o.max
	if o.max == 0 {
		c.MaxStates = map[bool]int{false: 3_000_000, true: 7_000_000}[!c.Zombies]
		if o.full {
			c.MaxStates = 40_000_000
		}
	}
	if o.tmax > 0 {
		c.TMax = uint8(o.tmax)
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
	for _, c := range runs(o.full || o.config != "") {
		if o.config != "" && o.config != c.Name {
			continue
		}
		o.apply(&c)
		w, err := newWorld(&c)
		if err != nil {
			return err
		}
		r := w.explore(nil)
		runtime.GC()
		fmt.Printf("%-10s states %9d  edges %10d  steps %2d  whole %-5v  settles within %2d  %6s  %4.0f k edges/s  %s\n",
			c.Name, r.States, r.Edges, r.Depth, r.Whole, r.Worst, r.Took.Round(100*time.Millisecond), float64(r.Edges)/r.Took.Seconds()/1000, c.What)
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
	fmt.Println("no violation")
	return nil
}

func mutantTable(o options) error {
	fmt.Println("| planted bug | configuration | steps | states | as |\n|---|---|---|---|---|")
	missed := 0
	for m := none + 1; m < mutants; m++ {
		if o.mutant != "" && o.mutant != m.String() {
			continue
		}
		r, name, err := hunt(m, o)
		if err != nil {
			return err
		}
		if name == "" {
			missed++
			fmt.Printf("| %s | NOT FOUND | | | |\n", m)
			continue
		}
		fmt.Printf("| %s | %s | %d | %d | %s |\n", m, name, len(r.Trace), r.States, r.Bad)
	}
	if missed > 0 {
		return fmt.Errorf("%d planted bugs were not found", missed)
	}
	return nil
}

// hunt plants a bug in one configuration after another until one shows it.
func hunt(m mutant, o options) (r result, name string, err error) {
	for _, c := range configs() {
		if o.config != "" && o.config != c.Name {
			continue
		}
		o.apply(&c)
		c.Mut, c.MaxStates = m, 2_500_000
		w, err := newWorld(&c)
		if err != nil {
			return r, "", err
		}
		if r = w.explore(nil); r.Bad != "" {
			return r, c.Name, nil
		}
	}
	return r, "", nil
}
