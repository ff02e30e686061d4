package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench runs tests of the repository at root.
type bench struct {
	root    string
	scratch string
	env     []string
	limit   time.Duration // of one run
	stage   *stage
}

// outcome of one test in one run.
type outcome struct {
	ran, passed, failed bool
	words               []string // what it printed
}

// own reports whether the test failed by what it says itself: a panic, a limit of
// time or a report of the race detector may have any cause.
func (o outcome) own() bool {
	if !o.failed {
		return false
	}
	for _, w := range o.words {
		if strings.HasPrefix(w, "panic: ") || strings.Contains(w, "test timed out") || strings.Contains(w, "race detected during") {
			return false
		}
	}
	return true
}

// said is the first of the test's words that is none of the go command's.
func (o outcome) said() string {
	for _, w := range o.words {
		if w = strings.TrimSpace(w); w != "" && !strings.HasPrefix(w, "===") && !strings.HasPrefix(w, "---") {
			return w
		}
	}
	return ""
}

// overlay writes a defect's files beside the tree and what the go command must
// know to read them instead of its own.
func (b bench) overlay(n int, planted map[string][]byte) (string, error) {
	replace := map[string]string{}
	for file, text := range planted {
		beside := filepath.Join(b.scratch, fmt.Sprintf("%d-%s", n, strings.ReplaceAll(file, "/", "_")))
		if err := os.WriteFile(beside, text, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(b.root, file)] = beside
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.scratch, fmt.Sprintf("%d.json", n))
	return path, os.WriteFile(path, text, 0o600)
}

// test runs tests of one package with the planted files in place of the tree's.
func (b bench) test(ctx context.Context, n int, planted map[string][]byte, pkg string, names []string) (map[string]outcome, error) {
	if pkg == stackTests {
		return b.stage.test(ctx, b, planted, names)
	}
	if planted == nil {
		return b.run(ctx, "", pkg, names)
	}
	overlay, err := b.overlay(n, planted)
	if err != nil {
		return nil, err
	}
	return b.run(ctx, overlay, pkg, names)
}

// pattern matches exactly the tests of these names.
func pattern(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		parts := strings.Split(wire(name), "/")
		for j, p := range parts {
			parts[j] = "^" + regexp.QuoteMeta(p) + "$"
		}
		all[i] = strings.Join(parts, "/")
	}
	return strings.Join(all, "|")
}

// wire is a test's name as the go command writes it.
func wire(name string) string { return strings.ReplaceAll(name, " ", "_") }

// run runs tests of one package, each once, with an overlay or without one.
func (b bench) run(ctx context.Context, overlay, pkg string, names []string) (map[string]outcome, error) {
	args := []string{"test", "-json", "-count=1", "-vet=off", "-ldflags=-s -w", "-timeout", b.limit.String(), "-run", pattern(names)}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	cmd.Dir, cmd.Env = b.root, b.env
	if overlay != "" { // for what a test asks the go command, too
		cmd.Env = append(slices.Clone(b.env), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	fail := cmd.Run()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	got, broken, err := read(&out)
	switch {
	case err != nil:
		return nil, fmt.Errorf("go test %s: %w", pkg, err)
	case broken != "":
		return nil, fmt.Errorf("%s does not build:\n%s", pkg, broken)
	case fail != nil && len(got) == 0:
		return nil, fmt.Errorf("go test %s: %w\n%s", pkg, fail, &complaint)
	}
	return got, nil
}

// read takes test2json's events; broken is what the compiler said.
func read(r io.Reader) (got map[string]outcome, broken string, err error) {
	got = map[string]outcome{}
	var compiler strings.Builder
	lines := bufio.NewReader(r)
	for {
		line, end := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var e struct{ Action, Test, Output string }
			if err := json.Unmarshal(line, &e); err != nil {
				return nil, "", fmt.Errorf("%w in %q", err, line)
			}
			if e.Action == "build-output" {
				compiler.WriteString(e.Output)
			}
			if e.Action == "build-fail" {
				broken = compiler.String() + " "
			}
			if e.Test != "" {
				got[e.Test] = got[e.Test].after(e.Action, e.Output)
			}
		}
		if end == io.EOF {
			return got, broken, nil
		}
		if end != nil {
			return nil, "", end
		}
	}
}

func (o outcome) after(action, output string) outcome {
	switch action {
	case "run":
		o.ran = true
	case "pass":
		o.passed = true
	case "fail":
		o.failed = true
	case "output":
		o.words = append(o.words, strings.TrimRight(output, "\n"))
	}
	return o
}
