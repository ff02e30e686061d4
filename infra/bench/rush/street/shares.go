package street

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is Linux's unit of processor time in /proc, the same on every architecture
// that Go knows.
const tick = 10 * time.Millisecond

// Shares is processor time by program.
type Shares map[string]time.Duration

// Usage reads what this process and those below it have used so far.
func Usage() Shares {
	parents, used, names := map[int]int{}, map[int]time.Duration{}, map[int]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(d))
		stat, err := os.ReadFile(d + "/stat")
		if err != nil {
			continue // it has ended
		}
		f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(f) < 13 {
			continue
		}
		parents[pid], _ = strconv.Atoi(f[1])
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		used[pid] = time.Duration(user+system) * tick
		line, _ := os.ReadFile(d + "/cmdline")
		names[pid] = string(line)
	}
	s := Shares{}
	me := os.Getpid()
	for pid := range parents {
		if below(parents, pid, me) {
			s[programOf(names[pid], pid == me)] += used[pid]
		}
	}
	return s
}

func below(parents map[int]int, pid, top int) bool {
	for pid > 1 {
		if pid == top {
			return true
		}
		pid = parents[pid]
	}
	return false
}

func programOf(line string, me bool) string {
	program, _, _ := strings.Cut(line, "\x00")
	switch base := filepath.Base(program); {
	case me:
		return "load generator"
	case base == "dynoxide", base == "java" && strings.Contains(line, "dynamodb"):
		return "tables"
	case base == "java":
		return "queues"
	case base == "localstack":
		return "gateway and event sources"
	case base == "bootstrap":
		return "functions"
	}
	return "other"
}

// Since subtracts, and writes the shares in per cent of the machine's time.
func (s Shares) Since(before Shares, wall time.Duration, cores int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		d := s[name] - before[name]
		if share := 100 * float64(d) / float64(wall) / float64(cores); share >= 0.5 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", name, share))
		}
	}
	return strings.Join(parts, ", ")
}

// Each is the processor time of one of n requests by program, and of all of them. It
// hardly depends on what else the machine does.
func (s Shares) Each(before Shares, n int) (text string, all time.Duration) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		each := (s[name] - before[name]) / time.Duration(max(n, 1))
		all += each
		if each >= 10*time.Microsecond {
			parts = append(parts, fmt.Sprintf("%s %.2f ms", name, each.Seconds()*1000))
		}
	}
	return strings.Join(parts, ", "), all
}
