package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
)

// home holds the program, and the test template with its built function.
var home string

func TestMain(m *testing.M) {
	var err error
	if home, err = os.MkdirTemp("", "localstack-test-"); err != nil {
		panic(err)
	}
	code := func() int {
		defer os.RemoveAll(home)
		if err := build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}()
	os.Exit(code)
}

func build() error {
	text, err := os.ReadFile("cloud/testdata/template.yaml")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(home, "template.yaml"), text, 0o644); err != nil {
		return err
	}
	for out, dir := range map[string]string{"localstack": ".", ".build/notes/bootstrap": "./cloud/testdata/notes"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(home, out), dir)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", dir, err, out)
		}
	}
	return nil
}

func command(t *testing.T, args ...string) *exec.Cmd {
	tools, err := filepath.Abs("../.tools")
	if err != nil {
		t.Fatal(err)
	}
	base := []string{"--template", filepath.Join(home, "template.yaml"), "--tools", tools, "--store", "dynamodb-local", "--port", "0"}
	return exec.Command(filepath.Join(home, "localstack"), append(base, args...)...)
}

// launch starts a stack and waits for its ready file.
func launch(t *testing.T, args ...string) (*exec.Cmd, ready) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready.json")
	cmd := command(t, append(args, "--ready-file", file)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	var r ready
	until(t, "the ready file", func() bool {
		data, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(data, &r) == nil
	})
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the ready file holds secrets, its mode is %v", info.Mode())
	}
	return cmd, r
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func exitStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// gone counts a zombie as dead: the test may run where nobody reaps orphans.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestAfterCommandsDecideTheStatus(t *testing.T) {
	for _, tt := range []struct {
		after []string
		want  int
		out   string
	}{
		{[]string{"echo one", "sh -c 'echo $TABLE_Notes'"}, 0, "one\nlocal-Notes\n"},
		{[]string{"echo one", "sh -c 'exit 7'", "echo three"}, 7, "one\n"},
	} {
		args := []string{"--once"}
		for _, a := range tt.after {
			args = append(args, "--after", a)
		}
		cmd := command(t, args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, os.Stderr
		if err := cmd.Run(); exitStatus(err) != tt.want || out.String() != tt.out {
			t.Errorf("%v: %v, said %q; want status %d and %q", tt.after, err, out.String(), tt.want, tt.out)
		}
	}
}

// processes are the stack's own, its stand-ins' and its functions'.
func processes(t *testing.T, r ready) []int {
	t.Helper()
	var pids []int
	for _, pid := range r.PIDs {
		pids = append(pids, pid)
	}
	for _, f := range glob("/proc/[0-9]*/exe") {
		if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, home) {
			var pid int
			fmt.Sscanf(f, "/proc/%d/exe", &pid)
			if !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func glob(pattern string) []string {
	out, _ := filepath.Glob(pattern)
	return out
}

func TestHoweverItEndsNothingLivesOn(t *testing.T) {
	const warm = `sh -c 'curl -sf -X PUT -H "x-api-key: $API_KEY_Key" $API_URL/notes/1'`
	for _, tt := range []struct {
		name string
		end  func(*exec.Cmd)
		want int
	}{
		{"Ctrl-C", func(c *exec.Cmd) { c.Process.Signal(os.Interrupt) }, 0},
		{"SIGTERM", func(c *exec.Cmd) { c.Process.Signal(syscall.SIGTERM) }, 0},
		{"kill -9", func(c *exec.Cmd) { c.Process.Kill() }, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd, r := launch(t, "--companion", "idler=sh -c 'sleep 600 & wait'", "--after", warm)
			pids := processes(t, r)
			if len(pids) < 5 { // itself, two stand-ins, the companion, a function
				t.Errorf("processes %v", pids)
			}
			tt.end(cmd)
			if got := exitStatus(cmd.Wait()); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			for _, pid := range pids {
				until(t, fmt.Sprintf("process %d ends", pid), func() bool { return gone(pid) })
			}
		})
	}
}

func TestDataSurvivesAKillOfTheWholeStack(t *testing.T) {
	data := t.TempDir()
	const put = `sh -c 'curl -sf -X PUT -H "x-api-key: $API_KEY_Key" $API_URL/notes/1'`
	cmd, before := launch(t, "--data", data, "--after", put)
	pids := processes(t, before)
	cmd.Process.Kill()
	cmd.Wait()
	for _, pid := range pids {
		until(t, fmt.Sprintf("process %d ends", pid), func() bool { return gone(pid) })
	}
	const get = `sh -c 'curl -sf -H "x-api-key: $API_KEY_Key" $API_URL/notes/1'`
	again := command(t, "--data", data, "--once", "--after", get)
	again.Stderr = os.Stderr
	out, err := again.Output()
	if err != nil || !strings.Contains(string(out), `"found":true`) || !strings.Contains(string(out), before.Env["SECRET_Token"]) {
		t.Errorf("%v, said %s", err, out)
	}
}

func TestCtrlCBeforeItIsReady(t *testing.T) {
	cmd := command(t, "--companion", "mute=sh -c 'sleep 600 # {listen:never}'")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	until(t, "the companion runs", func() bool { return len(childrenOf(cmd.Process.Pid)) >= 4 }) // a guard and two stand-ins before it
	children := childrenOf(cmd.Process.Pid)
	cmd.Process.Signal(os.Interrupt)
	io.Copy(io.Discard, out)
	if got := exitStatus(cmd.Wait()); got != interrupted {
		t.Errorf("status %d, want %d", got, interrupted)
	}
	for _, pid := range children {
		until(t, fmt.Sprintf("process %d ends", pid), func() bool { return gone(pid) })
	}
}

func childrenOf(parent int) []int {
	var out []int
	for _, f := range glob("/proc/[0-9]*/stat") {
		text, _ := os.ReadFile(f)
		var pid, owner int
		var state string
		fmt.Sscan(string(text), &pid)
		fmt.Sscan(string(text[strings.LastIndexByte(string(text), ')')+1:]), &state, &owner)
		if owner == parent && state != "Z" {
			out = append(out, pid)
		}
	}
	return out
}

func TestItEndsWithItsParentIfAsked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ready.json")
	cmd := command(t, "--with-parent", "--ready-file", file)
	shell := exec.Command("sh", "-c", `"$@" & wait`, "sh")
	shell.Args = append(shell.Args, cmd.Args...)
	shell.Stderr = os.Stderr
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	var r ready
	until(t, "the ready file", func() bool {
		data, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(data, &r) == nil
	})
	shell.Process.Kill()
	for name, pid := range r.PIDs {
		until(t, name+" ends", func() bool { return gone(pid) })
	}
}

func TestAStandInThatEndsStopsTheStack(t *testing.T) {
	cmd, r := launch(t)
	syscall.Kill(r.PIDs["elasticmq"], syscall.SIGKILL)
	if got := exitStatus(cmd.Wait()); got != 1 {
		t.Errorf("status %d", got)
	}
	until(t, "the other stand-in ends", func() bool { return gone(r.PIDs["dynamodb-local"]) })
}

func TestATakenPortIsTold(t *testing.T) {
	l, err := process.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	out, err := command(t, "--port", fmt.Sprint(port)).CombinedOutput()
	if want := fmt.Sprintf("port %d is taken by process %d", port, os.Getpid()); exitStatus(err) != 1 || !strings.Contains(string(out), want) {
		t.Errorf("%v, said %s", err, out)
	}
}

func TestTheBannerKnowsTheStack(t *testing.T) {
	banner := filepath.Join(t.TempDir(), "banner.txt")
	if err := os.WriteFile(banner, []byte("curl $API_URL/notes/1 # ${TABLE_Notes}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "--once", "--banner", banner)
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "curl http://127.0.0.1:") || !strings.HasSuffix(string(out), "/v1/notes/1 # local-Notes\n") {
		t.Errorf("%v, said %q", err, out)
	}
}

func TestFlags(t *testing.T) {
	t.Setenv("SET_HERE", "300")
	t.Setenv("EMPTY_HERE", "")
	s, err := parse([]string{
		"--param", "A=1=2", "--param-env", "B=SET_HERE", "--param-env", "C=EMPTY_HERE", "--param-env", "D=NOT_SET_HERE",
		"--companion", "sim=run --fast 'a b'", "--after", "seed", "--after", "demo -x", "--once", "--log", "json",
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := s.options.Parameters; len(p) != 2 || p["A"] != "1=2" || p["B"] != "300" {
		t.Errorf("parameters %v", p)
	}
	if c := s.options.Companions; len(c) != 1 || c[0].Name != "sim" || !slices.Equal(c[0].Args, []string{"run", "--fast", "a b"}) {
		t.Errorf("companions %v", c)
	}
	if len(s.after) != 2 || s.after[1].Args[1] != "-x" || !s.once {
		t.Errorf("after %v, once %v", s.after, s.once)
	}
	for _, bad := range [][]string{
		{"--store", "mysql"}, {"--log", "xml"}, {"--param", "A"}, {"--param", "=1"}, {"--companion", "run"},
		{"--companion", "a='"}, {"--after", ""}, {"--colour"}, {"extra"}, {"--port", "x"},
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if _, err := parse([]string{"--help"}); !errors.Is(err, errHelp) {
		t.Errorf("--help gave %v", err)
	}
}
