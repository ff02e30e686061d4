package search

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// process finds the function's, a child of ours.
func (u *ours) process() (pid int, err error) {
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return 0, err
	}
	for _, exe := range all {
		dir := filepath.Dir(exe)
		if target, err := os.Readlink(exe); err != nil || target != u.path {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "status"))
		if err == nil && field(string(text), "PPid:") == float64(os.Getpid()) {
			return strconv.Atoi(filepath.Base(dir))
		}
	}
	return 0, errors.New("search: the function's process is not there")
}

// memory is what the function's process takes and has taken at the most, MiB.
func (u *ours) memory() (now, most float64, err error) {
	pid, err := u.process()
	if err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return field(string(text), "VmRSS:") / 1024, field(string(text), "VmHWM:") / 1024, err
}

func field(status, name string) float64 {
	for l := range strings.Lines(status) {
		if f := strings.Fields(l); len(f) > 1 && f[0] == name {
			n, _ := strconv.ParseFloat(f[1], 64) // the kernel writes numbers
			return n
		}
	}
	return 0
}

// processor is the time that a process has had of the machine, milliseconds: the
// clock alone does not tell what a page costs while others work. 0 where the
// kernel does not say.
func processor(pid int) (ms float64) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/schedstat", pid)) // the pattern is well formed
	for _, t := range tasks {
		text, _ := os.ReadFile(t) // a thread may have ended
		if f := strings.Fields(string(text)); len(f) > 0 {
			ns, _ := strconv.ParseFloat(f[0], 64)
			ms += ns / 1e6
		}
	}
	return ms
}
