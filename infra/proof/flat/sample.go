package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// children are this process's living ones by the folder of their program.
func children() (map[string][]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	self, out := strconv.Itoa(os.Getpid()), map[string][]int{}
	for _, f := range stats {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has just ended
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if fields[1] != self || fields[0] == "Z" {
			continue
		}
		dir := filepath.Dir(f)
		args, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue
		}
		program, _, _ := strings.Cut(string(args), "\x00")
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			return nil, err
		}
		out[filepath.Dir(program)] = append(out[filepath.Dir(program)], pid)
	}
	return out, nil
}

// outside is what the kernel tells of a process.
type outside struct{ residentKiB, threads, descriptors, connections float64 }

func look(pid int, established map[string]bool) (outside, error) {
	var o outside
	dir := fmt.Sprintf("/proc/%d/", pid)
	text, err := os.ReadFile(dir + "status")
	if err != nil {
		return o, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		word, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, _ := strconv.ParseFloat(word, 64)
		switch name {
		case "VmRSS":
			o.residentKiB = n
		case "Threads":
			o.threads = n
		}
	}
	if o.residentKiB == 0 || o.threads == 0 {
		return o, fmt.Errorf("%sstatus tells no VmRSS or Threads", dir)
	}
	open, err := os.ReadDir(dir + "fd")
	if err != nil {
		return o, err
	}
	o.descriptors = float64(len(open))
	for _, fd := range open {
		to, _ := os.Readlink(dir + "fd/" + fd.Name())
		if inode, ok := strings.CutPrefix(to, "socket:["); ok && established[strings.TrimSuffix(inode, "]")] {
			o.connections++
		}
	}
	return o, nil
}

// establishedSockets of this machine, by inode. 01 is TCP_ESTABLISHED.
func establishedSockets() (map[string]bool, error) {
	all := map[string]bool{}
	for _, f := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(f)
		if os.IsNotExist(err) && f == "/proc/net/tcp6" {
			continue
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "01" {
				all[f[9]] = true
			}
		}
	}
	return all, nil
}
