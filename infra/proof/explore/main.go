// Command explore walks every interleaving of small shows: walk-ups, waiters, the
// lane and its zombie, crashes, late messages, skewed clocks and late money; and it
// compares the conditions that it explores with those that pkg/store ships.
//
// What decides is the project's own: booking.Take, Confirm, Release, Regrant and
// Overdue, line.Step, Accept, Decline, Leave and Unsold, seatmap.Best behind them. A
// state is small and comparable; world translates it to the domain values that
// these functions take, and keeps what they answered. The conditions of the
// transactions are those of the protocol, written once (transact.go, commit.go,
// waits.go). For what the store carries out today (T1, T2, T3, T4, T8, L6, L7) they
// are held against the store itself: the rows of explored states, and rows one
// change away from them, are loaded into the database in memory, the real method is
// run with what was read, and it must be applied or refused alike and leave the same
// rows (conform.go).
//
// Covered, in every order:
//
//   - In flight: every transaction that reads something outside itself is a read and
//     a commit with anything in between: each release with the gate as read, each
//     lane run with the plan made, the scan for free seats in two halves. Hold,
//     Confirm, Accept, Decline, Leave and Re-grant carry all they rely on as
//     conditions and are one step. A conflict is a commit that did not happen.
//   - Crashes before any commit; after it is the same as a lost reply. Zombies: two
//     lane runs at once, without limit. A request that comes again at any time, also
//     after its hold's end. Joins in any order, one by one or several in a message.
//   - Clocks: whoever ends something, and each lane run with all it decides, has the
//     right time or is one unit (the grace) ahead.
//   - Money that comes late, granted anew or paid back; refunds; the house; the
//     closing of the line; waits that end; the bounded rule; a party of three.
//
// At every state: NoDoubleSell, AllOrNothing, NoLostSeat, NoGap, TenAtMost, an offer
// has its party's seats. At every step: FirstComeFirstServed, HoldLifetime,
// WaiterNeverLost, OneEffect. From every state: if all that is in flight dies, all
// buyers stop, timers, TTL and streams are dead, but somebody looks, then every wait
// ends without its hour, every hold ends, nothing stays set aside and the gates
// close; in the configuration money also with TTL alone and nobody looking.
//
// Not covered: several shows; starvation by conflicts (the eight gates are one row
// here); a second revision of a live hold, but for the comparison with the store,
// which has it; place and cool-down, exchange, login merge; entries of ended
// waiters, which are deleted at once here; wake-up messages as such (the lane may
// look at any time, or never); the seat map. Which seats of a type suit a party
// beyond their number is not tried: all lie in one row. 64-bit hashes stand for
// states.
//
// Start with config, world and moves.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
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
	states := flag.Int("states", 150, "compare the rows of so many states of a configuration")
	flag.StringVar(&o.config, "config", "", "one configuration; all without it")
	flag.StringVar(&o.mutant, "mutant", "", "explore with this planted bug")
	flag.IntVar(&o.max, "max", 0, "stop after so many states; 0: 3 million, or with -full 40 million")
	flag.IntVar(&o.tmax, "tmax", 0, "let the clock run to this instead of the configuration's own")
	flag.BoolVar(&o.full, "full", false, "as far as six gigabytes reach")
	flag.BoolVar(&o.verbose, "v", false, "print how often each state of a waiter was seen")
	flag.Float64Var(&o.minutes, "minutes", 0, "stop each configuration after so long and say how far it came")
	flag.Parse()
	switch {
	case *compare:
		return compareAll(*states)
	case *plant && *dropped != "":
		return dropTable(*dropped)
	case *plant:
		if err := mutantTable(o); err != nil {
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
