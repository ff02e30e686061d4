// Command soak runs the product for a simulated month in one process: the real
// handlers, relay and line over the in-memory store, with a virtual clock and people
// who buy, pay, give back, wait in line, accept, decline and forget, while messages
// and records are lost, late or doubled and functions die. Each day ends with sums
// that must agree and books that must balance; each show, long after it was, with
// every seat accounted for and nothing left of its line; and the month with rows and
// memory that have not grown.
//
// One seed is one run. Start with world, person and ledger.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"
)

func main() {
	p := plan{}
	flag.Uint64Var(&p.Seed, "seed", 1, "of everything that happens")
	flag.IntVar(&p.Shows, "shows", 1000, "how many shows")
	flag.IntVar(&p.Days, "days", 30, "over how many days")
	flag.IntVar(&p.FaultEvery, "faults", 200, "one transaction in so many goes wrong, one read in five times as many; 0: none")
	flag.IntVar(&p.LoseEvery, "loses", 20, "one message in so many is lost, late or doubled; 0: none")
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	runtime.GOMAXPROCS(2) // handing over is cheapest on one, the collector takes the other
	fmt.Printf("seed %d: %d shows in %d days\n", p.Seed, p.Shows, p.Days)
	begun := time.Now()
	w, err := newWorld(p)
	if err == nil {
		err = w.soak(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "soak: seed %d: %v\n", p.Seed, err)
		os.Exit(1)
	}
	fmt.Printf("sound, after %v\n", time.Since(begun).Round(time.Second))
}
