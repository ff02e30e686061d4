package main

import (
	"fmt"
	"strings"
	"time"
)

func (c cell) String() string { return c.handler + "|" + c.call + "|" + faultNames[c.fault] }

func cellOf(s string) cell {
	parts := strings.Split(s, "|")
	for f, name := range faultNames {
		if name == parts[2] {
			return cell{parts[0], parts[1], fault(f)}
		}
	}
	panic("sim: no such cell: " + s) // only String's own come here
}

// enough seeds for an empty cell to be a fault of the proof.
const enough = 2000

// report prints the summary and the table, and answers the command's exit status.
func report(f figures, from uint64, seeds int) int {
	tally := map[cell]int{}
	byFault := [numFaults]int{}
	for k, n := range f.Tally {
		c := cellOf(k)
		tally[c] = n
		byFault[c.fault] += n
	}
	table(tally)
	hours := f.Whole.Hours()
	fmt.Printf("\nseeds            %d (%d to %d, and %d aimed at cells that these left empty)\n", f.Seeds, from, from+uint64(seeds)-1, f.Chased)
	fmt.Printf("simulated        %.0f h in all, %.1f h of them with people and faults\n", hours, f.Active.Hours())
	fmt.Printf("took             %s: %.2f ms a seed; %.0f simulated seconds a second, %.0f of the active ones\n",
		f.Took.Truncate(time.Millisecond), f.Took.Seconds()*1000/float64(max(f.Seeds, 1)), f.Whole.Seconds()/f.Took.Seconds(), f.Active.Seconds()/f.Took.Seconds())
	fmt.Printf("steps            %d; %d invocations, %d calls with faults in force\n", f.Steps, f.Tasks, byFault[none])
	fmt.Print("places in line  ")
	for _, state := range sorted(f.Lived) {
		fmt.Printf(" %d %s,", f.Lived[state], state)
	}
	fmt.Print("\nlog-ins         ")
	for _, what := range sorted(f.Adopted) {
		fmt.Printf(" %d %s,", f.Adopted[what], what)
	}
	fmt.Print("\nfaults          ")
	for i := crashBefore; i < numFaults; i++ {
		fmt.Printf(" %d %s,", byFault[i], faultNames[i])
	}
	fmt.Printf("\ntrace            %016x\nviolations       %d\n", f.Checksum, len(f.Broken))
	if len(f.Broken) > 0 {
		return tellBroken(f)
	}
	missing := gaps(tally)
	for _, g := range missing {
		fmt.Println("  ", g)
	}
	fmt.Printf("cells            %d to be exercised, %d empty or contrary to a declaration\n", len(aims), len(missing))
	if len(missing) > 0 && seeds >= enough {
		return 1
	}
	return 0
}

func tellBroken(f figures) int {
	for _, s := range sorted(f.Broken) {
		fmt.Printf("  seed %d: %s\n", s, f.Broken[s])
	}
	first := sorted(f.Broken)[0]
	fmt.Printf("\nmake sim SEED=%d tells it:\n", first)
	return replay(first)
}

// table prints handler × call × fault; a dash is a cell that cannot occur.
func table(tally map[cell]int) {
	fmt.Printf("%-17s %-16s", "handler", "call")
	for f := none; f < numFaults; f++ {
		fmt.Printf("%13s", faultNames[f])
	}
	fmt.Println()
	for _, s := range sites() {
		fmt.Printf("%-17s %-16s", s.handler, s.call)
		for f := none; f < numFaults; f++ {
			c := cell{s.handler, s.call, f}
			switch n := tally[c]; {
			case n == 0 && (cannot[natures[s.call]][f] != "" || unreachable[c] != ""):
				fmt.Printf("%13s", "-")
			default:
				fmt.Printf("%13d", n)
			}
		}
		fmt.Println()
	}
	fmt.Println("\n- cannot occur:")
	for k, name := range []string{"transaction", "read", "read at one moment", "message", "provider"} {
		for _, f := range sorted(cannot[nature(k)]) {
			fmt.Printf("  %s, %s: %s\n", name, faultNames[f], cannot[nature(k)][f])
		}
	}
	for _, c := range aimless() {
		fmt.Printf("  %s, %s, %s: %s\n", c.handler, c.call, faultNames[c.fault], unreachable[c])
	}
	fmt.Println("  the calls that a handler is not listed with are on none of its paths; one that occurs fails the run")
}

func aimless() []cell {
	byName := map[string]cell{}
	for c := range unreachable {
		byName[c.String()] = c
	}
	var all []cell
	for _, n := range sorted(byName) {
		all = append(all, byName[n])
	}
	return all
}
