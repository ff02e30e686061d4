// Command sim proves the core in a simulated world: the real handlers over the
// in-memory store, queues, streams and provider, under a virtual clock and a
// schedule that a seed decides, with one goroutine running at any time. Whatever
// the services may do to the product is done to it, and after every step the
// invariants are judged by a naive model of the tables.
//
// A seed is a tape of small choices; the same seed is the same run, on every
// machine. One that breaks an invariant is shrunk and told as a story.
//
// Start with newWorld, play and judge; what can go wrong is in faults.go, and what
// must have gone wrong somewhere in cells.go.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

func main() {
	from := flag.Uint64("from", 1, "first seed")
	seeds := flag.Int("seeds", 2000, "how many seeds")
	one := flag.Uint64("seed", 0, "replay this seed alone and tell its story")
	procs := flag.Int("procs", runtime.NumCPU(), "processes side by side")
	part := flag.String("part", "", "run every n-th seed as i/n and write the figures as JSON; for the command's own use")
	stop := flag.Int("stop", 20, "how many failing seeds of a part are enough")
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	switch {
	case *one != 0:
		os.Exit(replay(*one))
	case *part != "":
		runtime.GOMAXPROCS(1) // handing over is cheapest so
		debug.SetGCPercent(400)
		var i, n int
		if _, err := fmt.Sscanf(*part, "%d/%d", &i, &n); err != nil {
			fmt.Fprintln(os.Stderr, "sim:", err)
			os.Exit(2)
		}
		if err := json.NewEncoder(os.Stdout).Encode(runAll(*from+uint64(i), *seeds, n, *stop)); err != nil {
			os.Exit(2)
		}
	default:
		os.Exit(prove(*from, *seeds, *procs))
	}
}

// replay tells one seed's story, shrunk if it is a failing one.
func replay(seed uint64) int {
	runtime.GOMAXPROCS(1)
	w := newWorld(seeded(seed), true)
	v := w.play()
	if v == nil {
		w.print(os.Stdout)
		fmt.Printf("seed %d: no violation; %d steps, trace %016x\n", seed, w.steps, w.sum)
		return 0
	}
	fmt.Printf("seed %d breaks %s\nshrinking…\n", seed, v)
	tellShrunk(w.tape.taken, v)
	return 1
}

func tellShrunk(c choices, v *violation) {
	small := shrink(c, v.invariant, 20*time.Second)
	w := newWorld(replayed(small), true)
	v = w.play()
	fmt.Printf("%d choices are left of %d:\n\n", small.len(), c.len())
	w.print(os.Stdout)
	fmt.Printf("\n%s\n", v)
}

// prove runs the seeds in processes of their own, for a world wants one processor
// and no company.
func prove(from uint64, seeds, procs int) int {
	begun := time.Now()
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		return 2
	}
	procs = max(1, min(procs, seeds))
	parts := make([]figures, procs)
	errs := make([]error, procs)
	var wg sync.WaitGroup
	for i := range procs {
		wg.Go(func() {
			cmd := exec.Command(self, "-part", fmt.Sprintf("%d/%d", i, procs), "-from", strconv.FormatUint(from, 10), "-seeds", strconv.Itoa(seeds))
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err == nil {
				err = json.Unmarshal(out, &parts[i])
			}
			errs[i] = err
		})
	}
	wg.Wait()
	var sum figures
	for i, p := range parts {
		if errs[i] != nil {
			fmt.Fprintln(os.Stderr, "sim: part", i, errs[i])
			return 2
		}
		sum.add(p)
	}
	if len(sum.Broken) == 0 && seeds >= enough {
		sum.chase(from + uint64(seeds))
	}
	sum.Took = time.Since(begun)
	return report(sum, from, seeds)
}

// chases are how many more seeds a cell gets that none has met so far.
const chases = 80

// chase runs those of the next seeds whose turn it is to aim at a cell that is empty.
// A call that few lives lead to meets its fault in one seed of hundreds, and which it
// is changes with every line of the product.
func (f *figures) chase(next uint64) {
	for _, empty := range f.empty() {
		left := chases
		for s := next; left > 0 && f.Tally[empty.String()] == 0; s++ {
			if turns[s%uint64(len(turns))] == empty {
				f.add(run(s))
				f.Chased++
				left--
			}
		}
	}
}

// empty are the cells that are to be exercised and were not.
func (f *figures) empty() (all []cell) {
	for _, c := range aims {
		if f.Tally[c.String()] == 0 {
			all = append(all, c)
		}
	}
	return all
}

// figures are what runs add up to.
type figures struct {
	Seeds    int
	Steps    int
	Calls    int
	Tasks    int
	Active   time.Duration // simulated, while people act and things go wrong
	Whole    time.Duration // simulated, with the day after
	Took     time.Duration
	Tally    map[string]int // cell → how often
	Lived    map[string]int // state of a place in line → how many came there
	Adopted  map[string]int // what became an account's, or stayed → how often
	Broken   map[uint64]string
	Firsts   map[string]uint64 // invariant → first seed that breaks it
	Checksum uint64            // of all traces
	Chased   int               // seeds beyond those asked for, aimed at empty cells
}

func (f *figures) add(o figures) {
	f.Seeds, f.Steps, f.Calls, f.Tasks = f.Seeds+o.Seeds, f.Steps+o.Steps, f.Calls+o.Calls, f.Tasks+o.Tasks
	f.Active, f.Whole, f.Checksum = f.Active+o.Active, f.Whole+o.Whole, f.Checksum^o.Checksum
	if f.Tally == nil {
		f.Tally, f.Lived, f.Adopted, f.Broken, f.Firsts = map[string]int{}, map[string]int{}, map[string]int{}, map[uint64]string{}, map[string]uint64{}
	}
	for k, n := range o.Tally {
		f.Tally[k] += n
	}
	for k, n := range o.Lived {
		f.Lived[k] += n
	}
	for k, n := range o.Adopted {
		f.Adopted[k] += n
	}
	for k, v := range o.Broken {
		f.Broken[k] = v
	}
	for k, s := range o.Firsts {
		if was, ok := f.Firsts[k]; !ok || s < was {
			f.Firsts[k] = s
		}
	}
}

// runAll runs every stride-th seed of a range, until so many have failed.
func runAll(from uint64, seeds, stride, stop int) figures {
	f := figures{}
	f.add(figures{})
	begun := time.Now()
	for s := from; s < from-(from-1)%uint64(stride)+uint64(seeds) && len(f.Broken) < stop; s += uint64(stride) {
		f.add(run(s))
	}
	f.Took = time.Since(begun)
	return f
}

// run is one seed.
func run(seed uint64) figures {
	w := newWorld(seeded(seed), false)
	v := w.play()
	f := figures{Seeds: 1, Steps: w.steps, Calls: w.calls, Tasks: w.tasks, Active: w.losses.duration, Whole: w.now.Sub(noon), Checksum: w.sum, Tally: map[string]int{}, Lived: w.lived, Adopted: w.adopted}
	for c, n := range w.tally {
		f.Tally[c.String()] = n
	}
	if v != nil {
		f.Broken = map[uint64]string{seed: v.Error()}
		f.Firsts = map[string]uint64{v.invariant: seed}
	}
	return f
}
