// Command bots opens the sale of a hall of 400 seats to 100 people and to 1,000
// sessions of programs, with and without each defence (B7), and tells who gets the
// seats, who keeps them, and how many people have what they came for beside an
// evening without programs.
//
// The use cases, the limits at the door and the challenges are the product's, over
// the in-memory store, in virtual time; a call is decided at one moment. Solving is
// billed: the difficulty is the product's, the time is drawn for so many tries at a
// stated number of hashes a second, and what is really solved is a puzzle of one bit
// by the same keeper. Nobody joins a waiting line. What people and programs do is made
// up (see person and operator), so the figures compare defences with one another and
// foretell no evening.
//
// One seed is one run. Start with evening and play.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"
	"time"
)

func main() {
	e := usual
	seeds := flag.Int("seeds", 3, "evenings of each kind")
	flag.Uint64Var(&e.seed, "seed", 1, "of the first")
	flag.Float64Var(&e.hashes, "hashes", usual.hashes, "a second of each operator; a telephone has 750,000")
	flag.IntVar(&e.contacts, "contacts", usual.contacts, "of each operator")
	flag.Parse()
	runtime.GOMAXPROCS(1) // one actor acts at a time, and handing over is cheapest on one
	fmt.Printf("seeds %d to %d; each operator has %.0f hashes a second and %d contacts\n", e.seed, e.seed+uint64(*seeds)-1, e.hashes, e.contacts)
	if err := tables(os.Stdout, e, *seeds); err != nil {
		fmt.Fprintln(os.Stderr, "bots:", err)
		os.Exit(1)
	}
}

var usual = evening{seed: 1, people: 100, sessions: 1000, contacts: 5, hashes: 50e6, keep: 280 * time.Second, sells: 25, lasts: 15 * time.Minute}

// kind is a kind of evening.
type kind struct {
	name   string
	change func(*evening)
}

var kinds = []kind{
	{"no bots, no defence", func(e *evening) { e.sessions = 0 }},
	{"no bots, all", func(e *evening) { *e = e.defended(); e.sessions = 0 }},
	{"none", func(*evening) {}},
	{"only limits", func(e *evening) { e.limits = true }},
	{"only challenge", func(e *evening) { e.challenge = true }},
	{"limits, challenge", func(e *evening) { e.limits, e.challenge = true, true }},
	{"only contact", func(e *evening) { e.contact = true }},
	{"only drops", func(e *evening) { e.drops = true }},
	{"all", func(e *evening) { *e = e.defended() }},
	{"all but limits", func(e *evening) { *e = e.defended(); e.limits = false }},
	{"all but challenge", func(e *evening) { *e = e.defended(); e.challenge = false }},
	{"all but contact", func(e *evening) { *e = e.defended(); e.contact = false }},
	{"all but drops", func(e *evening) { *e = e.defended(); e.drops = false }},
	{"all, a contact a session", func(e *evening) { *e = e.defended(); e.contacts = 0 }},
	{"all, 20 contacts", func(e *evening) { *e = e.defended(); e.contacts = 20 }},
	{"none, one address each", func(e *evening) { e.homes = true }},
	{"limits, challenge, the same", func(e *evening) { e.limits, e.challenge, e.homes = true, true, true }},
	{"challenge, a telephone each", func(e *evening) { e.challenge, e.hashes = true, telephone }},
}

// hoards are evenings whose programs never buy.
var hoards = []kind{
	{"1,000 sessions, 280 s", func(e *evening) {}},
	{"100 sessions, 20 s", func(e *evening) { e.keep, e.sessions = 20*time.Second, 100 }},
	{"40 sessions, 20 s", func(e *evening) { e.keep, e.sessions = 20*time.Second, 40 }},
}

const header = "defences\tfirst: bots\thad in 10 min: people\tbots\tpaid: people\tbots\tof 1+1\tof 25\tof 250\tleft\tpeople served\trefused: people\tbots\tbits"

func tables(out io.Writer, e evening, seeds int) error {
	fmt.Fprintln(out, "\nshares of the 400 seats in percent; operators have one, one, 25 and 250 addresses; refusals are an evening's\n"+
		"(t taken, l limited, d slowed for drops, c contact full, u unsolved, b busy)")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, header)
	for _, k := range kinds {
		if err := row(w, k, e, seeds); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nprograms that never buy, and how long they keep seats at most")
	hoarding := e
	hoarding.sells = 0
	for _, with := range []string{"no defence", "drops", "all"} {
		for _, k := range hoards {
			change := k.change
			k.name += ": " + with
			k.change = func(e *evening) {
				change(e)
				switch with {
				case "drops":
					e.drops = true
				case "all":
					*e = e.defended()
				}
			}
			if err := row(w, k, hoarding, seeds); err != nil {
				return err
			}
		}
	}
	return w.Flush()
}

// row is the mean of its evenings.
func row(w io.Writer, k kind, e evening, seeds int) error {
	k.change(&e)
	var sum result
	for range seeds {
		h, err := play(e)
		if err != nil {
			return err
		}
		sum.add(h)
		e.seed++
	}
	n := float64(seeds)
	share := func(of int) string { return fmt.Sprintf("%.0f", 100*float64(of)/n/(rows*width)) }
	had := func(d time.Duration) string {
		return fmt.Sprintf("%.0f", 100*float64(d)/n/float64(early*rows*width))
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t%s\t%s\t%d\n", k.name, share(sum.first), had(sum.had[0]), had(sum.had[1]),
		share(sum.paid[people]), share(sum.paid[oneAddress]+sum.paid[fewAddresses]+sum.paid[manyAddresses]),
		share(sum.paid[oneAddress]), share(sum.paid[fewAddresses]), share(sum.paid[manyAddresses]), share(sum.left),
		float64(sum.served)/n, sum.refused(people, seeds), sum.refused(oneAddress, seeds), sum.hardest)
	return nil
}

// result is a sum over evenings.
type result struct {
	first, left, served, hardest int
	had                          [2]time.Duration // people, programs
	paid                         [sides]int
	refusals                     [2][answers]int
}

func (r *result) add(h *house) {
	r.first += rows*width - of(h.first, people) - of(h.first, nobody)
	r.left += of(h.buyer, nobody)
	r.served += h.served
	r.hardest = max(r.hardest, h.hardest)
	for s := range sides {
		x := min(s, 1)
		r.had[x] += h.had[s]
		r.paid[s] += of(h.buyer, s)
		for a, n := range h.refusals[s] {
			r.refusals[x][a] += n
		}
	}
}

func (r *result) refused(s side, seeds int) string {
	text := ""
	for a, letter := range []string{"", "t", "l", "d", "c", "u", "b"} {
		if n := (r.refusals[s][a] + seeds/2) / seeds; n > 0 {
			text += fmt.Sprintf(" %d%s", n, letter)
		}
	}
	if text == "" {
		return "-"
	}
	return text[1:]
}
