package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/template"
)

var code string // folder with the probe's bootstrap

func TestMain(m *testing.M) {
	if os.Getenv("RUNTIME_TEST_PARENT") != "" {
		parent()
		return
	}
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		panic(err)
	}
	code = dir
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/probe").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the probe: %v\n%s", err, out)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

func probe(change ...func(*template.Function)) template.Function {
	fn := template.Function{
		ID: "Probe", Name: "probe", ARN: "arn:aws:lambda:eu-west-1:000000000000:function:probe",
		Code: code, Timeout: 10 * time.Second, Environment: map[string]string{"PROBE": "function"},
	}
	for _, f := range change {
		f(&fn)
	}
	return fn
}

func newPool(t *testing.T, fn template.Function, opts Options) *Pool {
	p := NewPool(fn, []string{"AWS_REGION=eu-west-1"}, opts)
	t.Cleanup(p.Close)
	return p
}

type event struct {
	Do   string `json:",omitempty"`
	Text string `json:",omitempty"`
	N    int    `json:",omitempty"`
}

type reply struct {
	Text, RequestID, ARN, Name, Env, Home string
	PID                                   int
	LeftMS                                int64
}

func invoke(t *testing.T, p *Pool, e event) Result {
	t.Helper()
	b, _ := json.Marshal(e)
	r, err := p.Invoke(t.Context(), b)
	if err != nil {
		t.Fatalf("%+v: %v", e, err)
	}
	return r
}

func echo(t *testing.T, p *Pool, text string) (Result, reply) {
	t.Helper()
	r := invoke(t, p, event{Text: text})
	var a reply
	if r.Err != nil {
		t.Fatalf("echo: %v", r.Err)
	}
	if err := json.Unmarshal(r.Payload, &a); err != nil {
		t.Fatal(err)
	}
	return r, a
}

// until waits for a condition, with a limit.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// busy tells whether a process has an invocation in hand.
func busy(p *Pool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.live {
		if w.requestID() != "" {
			return true
		}
	}
	return false
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !errors.Is(err, os.ErrNotExist)
	}
	return !strings.Contains(string(b), ") Z ")
}

func TestInvokeAndStayWarm(t *testing.T) {
	p := newPool(t, probe(), Options{})
	cold, first := echo(t, p, "one")
	warm, second := echo(t, p, "two")
	if !cold.Cold || warm.Cold || first.PID != second.PID {
		t.Errorf("cold %v then %v, pids %d and %d", cold.Cold, warm.Cold, first.PID, second.PID)
	}
	if first.Text != "one" || second.Text != "two" {
		t.Errorf("texts %q, %q", first.Text, second.Text)
	}
	if first.RequestID != cold.RequestID || first.RequestID == second.RequestID {
		t.Errorf("request ids %q, %q, %q", cold.RequestID, first.RequestID, second.RequestID)
	}
	if first.ARN != p.fn.ARN || first.Name != "probe" || first.Env != "function" || first.Home != "" {
		t.Errorf("context and environment: %+v", first)
	}
	if first.LeftMS < 5000 || first.LeftMS > 10_000 {
		t.Errorf("%d ms left of 10 s", first.LeftMS)
	}
	want := Stats{Invocations: 2, ColdStarts: 1, Processes: 1}
	if got := p.Stats(); got != want {
		t.Errorf("%+v", got)
	}
}

func TestOwnEnvironmentWins(t *testing.T) {
	p := NewPool(probe(), []string{"PROBE=cloud"}, Options{})
	t.Cleanup(p.Close)
	if _, a := echo(t, p, ""); a.Env != "cloud" {
		t.Errorf("PROBE is %q", a.Env)
	}
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name      string
		event     event
		timeout   time.Duration
		kind      ErrorKind
		errorType string
		message   string // with the request id taken out
		goesOn    bool   // the process serves the next invocation
	}{
		{"error", event{Do: "error", Text: "no such show"}, 0, Handled, "errorString", "no such show", true},
		{"panic", event{Do: "panic", Text: "oh"}, 0, Handled, "string", "oh", false},
		{"exit", event{Do: "exit", N: 3}, 0, Unhandled, "Runtime.ExitError", "RequestId: ID Error: Runtime exited with error: exit status 3", false},
		{"quiet exit", event{Do: "exit"}, 0, Unhandled, "Runtime.ExitError", "RequestId: ID Error: Runtime exited without providing a reason", false},
		{"timeout", event{Do: "sleep", N: 60_000}, 300 * time.Millisecond, Unhandled, "Sandbox.Timedout", "RequestId: ID Error: Task timed out after 0.30 seconds", false},
		{"large answer", event{Do: "big", N: MaxResponse}, 0, Unhandled, "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes).", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fn := probe()
			if tt.timeout > 0 {
				fn.Timeout = tt.timeout
			}
			p := newPool(t, fn, Options{})
			_, before := echo(t, p, "")
			r := invoke(t, p, tt.event)
			if r.Err == nil {
				t.Fatalf("no error: %.100s", r.Payload)
			}
			msg := strings.ReplaceAll(r.Err.Message, r.RequestID, "ID")
			if r.Err.Kind != tt.kind || r.Err.Type != tt.errorType || msg != tt.message {
				t.Errorf("got %d %s %q", r.Err.Kind, r.Err.Type, msg)
			}
			var doc errorDocument
			if err := json.Unmarshal(r.Payload, &doc); err != nil || doc.Type != tt.errorType {
				t.Errorf("payload %s: %v", r.Payload, err)
			}
			next, after := echo(t, p, "")
			if goesOn := !next.Cold && after.PID == before.PID; goesOn != tt.goesOn {
				t.Errorf("goes on: %v", goesOn)
			}
			if n := p.Stats().Errors; n != 1 {
				t.Errorf("%d errors counted", n)
			}
		})
	}
}

func TestLargestPayloads(t *testing.T) {
	p := newPool(t, probe(), Options{})
	if r := invoke(t, p, event{Do: "big", N: MaxResponse - 2}); r.Err != nil || len(r.Payload) != MaxResponse {
		t.Errorf("answer of %d bytes: %v", len(r.Payload), r.Err)
	}
	fits := []byte(`{"Do":"big","Text":"` + strings.Repeat("y", MaxRequest-22) + `"}`)
	r, err := p.Invoke(t.Context(), fits)
	if err != nil || r.Err != nil {
		t.Errorf("%d bytes: %v, %v", len(fits), err, r.Err)
	}
	if _, err := p.Invoke(t.Context(), append(fits, ' ')); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestStartThatFails(t *testing.T) {
	tests := []struct {
		name, init, errorType, message string
	}{
		{"exit", "exit", "Runtime.ExitError", "Runtime exited with error: exit status 7"},
		{"hang", "hang", "Sandbox.Timedout", "Task timed out after 0.30 seconds"},
		{"nothing there", "", "Runtime.InvalidEntrypoint", "no bootstrap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fn := probe(func(fn *template.Function) { fn.Environment["PROBE_INIT"] = tt.init })
			if tt.init == "" {
				fn.Code = t.TempDir()
			}
			p := newPool(t, fn, Options{InitTimeout: 300 * time.Millisecond})
			for range 2 { // the next invocation tries again
				r := invoke(t, p, event{})
				if r.Err == nil || r.Err.Type != tt.errorType || !strings.Contains(r.Err.Message, tt.message) || !r.Cold {
					t.Errorf("got %+v", r)
				}
			}
			gone := func() bool { return p.Stats().Processes == 0 }
			until(t, "nothing lives", gone)
			if err := p.Prewarm(t.Context(), 1); err == nil {
				t.Error("prewarm succeeded")
			}
			until(t, "nothing lives", gone)
		})
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	p := newPool(t, probe(func(fn *template.Function) { fn.Concurrency = 1 }), Options{})
	done := make(chan Result)
	go func() { done <- invoke(t, p, event{Do: "sleep", N: 60_000}) }()
	until(t, "one is in flight", func() bool { return busy(p) })
	if _, err := p.Invoke(t.Context(), nil); !errors.Is(err, ErrThrottled) {
		t.Errorf("second: %v", err)
	}
	if s := p.Stats(); s.Processes != 1 || s.Throttled != 1 || s.InFlight != 1 {
		t.Errorf("%+v", s)
	}
	p.Close()
	if r := <-done; r.Err == nil || r.Err.Type != "Runtime.ExitError" {
		t.Errorf("the one under way: %+v", r)
	}
	if _, err := p.Invoke(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestDefaultConcurrencyWaits(t *testing.T) {
	p := newPool(t, probe(), Options{Concurrency: 2})
	var wg sync.WaitGroup
	pids := make([]int, 12)
	for i := range pids {
		wg.Go(func() {
			_, a := echo(t, p, strconv.Itoa(i))
			if a.Text != strconv.Itoa(i) {
				t.Errorf("%d got the answer of %s", i, a.Text)
			}
			pids[i] = a.PID
		})
	}
	wg.Wait()
	used := map[int]bool{}
	for _, pid := range pids {
		used[pid] = true
	}
	if len(used) > 2 {
		t.Errorf("%d processes for a limit of 2", len(used))
	}
}

func TestCallerLeavesAndTheFunctionGoesOn(t *testing.T) {
	p := newPool(t, probe(), Options{Concurrency: 1})
	_, before := echo(t, p, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	b, _ := json.Marshal(event{Do: "sleep", N: 400})
	if _, err := p.Invoke(ctx, b); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if p.Stats().InFlight != 1 {
		t.Error("it was cut off")
	}
	if r, after := echo(t, p, ""); r.Cold || after.PID != before.PID {
		t.Errorf("cold %v", r.Cold)
	}
}

func TestKillInMidRequest(t *testing.T) {
	p := newPool(t, probe(), Options{})
	_, before := echo(t, p, "")
	done := make(chan Result)
	go func() { done <- invoke(t, p, event{Do: "sleep", N: 60_000}) }()
	until(t, "it is in flight", func() bool { return busy(p) })
	p.Kill()
	r := <-done
	if r.Err == nil || r.Err.Type != "Runtime.ExitError" || !strings.Contains(r.Err.Message, "signal: killed") {
		t.Errorf("got %+v", r)
	}
	if alive(before.PID) {
		t.Error("the process lives on")
	}
	if r, _ := echo(t, p, ""); !r.Cold {
		t.Error("no new process")
	}
}

// TestKillOne: the busy one dies, the idle one lives; alone, the idle one dies too.
func TestKillOne(t *testing.T) {
	p := newPool(t, probe(), Options{})
	if killed, _ := p.KillOne(); killed {
		t.Error("killed a process of a pool that has none")
	}
	if err := p.Prewarm(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	done := make(chan Result)
	go func() { done <- invoke(t, p, event{Do: "sleep", N: 60_000}) }()
	until(t, "it is in flight", func() bool { return busy(p) })
	if killed, busy := p.KillOne(); !killed || !busy {
		t.Errorf("killed %v, busy %v", killed, busy)
	}
	if r := <-done; r.Err == nil || r.Err.Type != "Runtime.ExitError" {
		t.Errorf("got %+v", r)
	}
	if r, _ := echo(t, p, ""); r.Cold {
		t.Error("the idle process was killed too")
	}
	if killed, busy := p.KillOne(); !killed || busy {
		t.Errorf("of an idle pool: killed %v, busy %v", killed, busy)
	}
	if r, _ := echo(t, p, ""); !r.Cold {
		t.Error("the idle process lives on")
	}
}

func TestDeathWhileIdleIsNoError(t *testing.T) {
	p := newPool(t, probe(), Options{})
	for range 5 {
		_, a := echo(t, p, "")
		if err := syscall.Kill(a.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		until(t, "it is dead", func() bool { return p.Stats().Processes == 0 })
	}
	echo(t, p, "")
	if n := p.Stats().Errors; n != 0 {
		t.Errorf("%d errors", n)
	}
}

func TestPrewarm(t *testing.T) {
	p := newPool(t, probe(), Options{Concurrency: 2})
	if err := p.Prewarm(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if n := p.Stats().Processes; n != 2 {
		t.Errorf("%d processes", n)
	}
	if r, _ := echo(t, p, ""); r.Cold {
		t.Error("cold in spite of it")
	}
}

func TestLinesCarryTheirRequest(t *testing.T) {
	var mu sync.Mutex
	lines := map[string]string{} // text → request id
	p := newPool(t, probe(), Options{Concurrency: 3, Log: func(l Line) {
		mu.Lock()
		defer mu.Unlock()
		lines[l.Text] = l.RequestID
	}})
	want := map[string]string{"starting": ""}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			text := strconv.Itoa(i)
			r := invoke(t, p, event{Do: "log", Text: text})
			mu.Lock()
			defer mu.Unlock()
			want["said "+text] = r.RequestID
		})
	}
	wg.Wait()
	r := invoke(t, p, event{Do: "exit"})
	want["last words without an end"] = r.RequestID
	mu.Lock()
	defer mu.Unlock()
	for text, id := range want {
		if got, ok := lines[text]; !ok || got != id {
			t.Errorf("%q: request %q, want %q (seen: %v)", text, got, id, ok)
		}
	}
}

// parent is this test binary run as a program that gets killed.
func parent() {
	code = os.Getenv("RUNTIME_TEST_PARENT")
	p := NewPool(probe(), nil, Options{})
	r, err := p.Invoke(context.Background(), []byte(`{}`))
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(r.Payload, '\n'))
	_, _ = p.Invoke(context.Background(), []byte(`{"Do":"sleep","N":100000}`))
}

func TestNothingOutlivesAKilledParent(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RUNTIME_TEST_PARENT="+code)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var a reply
	err = json.NewDecoder(out).Decode(&a)
	if kill := cmd.Process.Kill(); kill != nil || err != nil {
		t.Fatal(kill, err)
	}
	_ = cmd.Wait()
	if a.PID == 0 {
		t.Fatal("no child")
	}
	until(t, "the child is gone", func() bool { return !alive(a.PID) })
}
