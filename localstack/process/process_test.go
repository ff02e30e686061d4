package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const role = "PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "parent":
		beParent()
	case "server":
		beServer()
	default:
		os.Exit(m.Run())
	}
}

// beParent starts a child with a grandchild, tells both ids, and waits to be killed.
func beParent() {
	var g Group
	out, in, _ := os.Pipe()
	_, err := g.Start(Spec{Name: "child", Path: "sh", Args: []string{"-c", "sleep 600 & echo $$ $!; wait"}, Stdout: in})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	fmt.Print(line)
	select {}
}

func beServer() {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		os.Exit(1)
	}
	http.Serve(l, http.NotFoundHandler())
}

func self(as string, env ...string) Spec {
	return Spec{Name: as, Path: os.Args[0], Env: append(append(os.Environ(), role+"="+as), env...)}
}

// until waits for a condition with a limit.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// gone counts a zombie as dead: the test may run where nobody reaps orphans.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestKillOfTheParentLeavesNoChild(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=parent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent told nothing: %v", err)
	}
	var child, grandchild int
	if _, err := fmt.Sscan(line, &child, &grandchild); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if gone(child) || gone(grandchild) {
		t.Fatal("they were not alive to begin with")
	}
	cmd.Process.Kill()
	cmd.Wait()
	until(t, "the child ends", func() bool { return gone(child) })
	until(t, "the grandchild ends", func() bool { return gone(grandchild) })
}

func TestStopIsGracefulThenNot(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		want         string
	}{
		{"gentle", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", "up\nbye\n"},
		{"stubborn", "trap '' TERM; echo up; while :; do sleep 0.05; done", "up\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var g Group
			defer g.Close()
			out, in, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			c, err := g.Start(Spec{Name: tt.name, Path: "sh", Args: []string{"-c", tt.script}, Stdout: in, Grace: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			in.Close()
			first := make([]byte, 3)
			if _, err := io.ReadFull(out, first); err != nil {
				t.Fatal(err)
			}
			c.Stop()
			c.Stop() // also twice
			if !gone(c.PID) {
				t.Error("it lives after Stop")
			}
			rest, _ := io.ReadAll(out)
			if got := string(first) + string(rest); got != tt.want {
				t.Errorf("it said %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAChildTakesItsOwnAlong(t *testing.T) {
	var g Group
	defer g.Close()
	var out bytes.Buffer
	c, err := g.Start(Spec{Name: "leaver", Path: "sh", Args: []string{"-c", "sleep 600 >/dev/null & echo $!"}, Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	pid, err := strconv.Atoi(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "what it left behind ends", func() bool { return gone(pid) })
}

func TestCloseStopsAllAndRefusesMore(t *testing.T) {
	var g Group
	var pids []int
	for i := range 5 {
		c, err := g.Start(Spec{Name: fmt.Sprint("sleeper", i), Path: "sleep", Args: []string{"600"}})
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, c.PID)
	}
	if n := len(g.PIDs()); n != 5 {
		t.Errorf("%d children are listed, want 5", n)
	}
	g.Close()
	for _, pid := range pids {
		if !gone(pid) {
			t.Errorf("process %d lives after Close", pid)
		}
	}
	if _, err := g.Start(Spec{Name: "late", Path: "true"}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed group said %v", err)
	}
}

func TestRun(t *testing.T) {
	var g Group
	defer g.Close()
	if err := g.Run(t.Context(), Spec{Name: "good", Path: "true"}); err != nil {
		t.Error(err)
	}
	var exit *exec.ExitError
	err := g.Run(t.Context(), Spec{Name: "bad", Path: "sh", Args: []string{"-c", "exit 7"}})
	if !errors.As(err, &exit) || exit.ExitCode() != 7 || !strings.HasPrefix(err.Error(), "bad: ") {
		t.Errorf("exit 7 came out as %v", err)
	}
	if err := g.Run(t.Context(), Spec{Name: "none", Path: "/nowhere/at/all"}); err == nil {
		t.Error("a missing program ran")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = g.Run(ctx, Spec{Name: "long", Path: "sleep", Args: []string{"600"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that ended came out as %v", err)
	}
}

func TestTakenPortNamesItsOwner(t *testing.T) {
	l, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	var taken TakenError
	if _, err := Listen(port); !errors.As(err, &taken) || taken.Port != port || taken.PID != os.Getpid() {
		t.Errorf("Listen said %v", err)
	}
	if _, err := FreePort(port); !errors.As(err, &taken) || !strings.Contains(err.Error(), fmt.Sprintf("port %d is taken by process %d", port, os.Getpid())) {
		t.Errorf("FreePort said %v", err)
	}
	if _, err := Listen(70_000); err == nil || errors.As(err, &taken) {
		t.Errorf("an impossible port: %v", err)
	}
}

func TestAwaitBelievesOnlyItsOwnChild(t *testing.T) {
	var g Group
	defer g.Close()
	port, err := FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	own, err := g.Start(self("server", "PORT="+strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	if err := own.Await(t.Context(), url, port, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := own.AwaitPort(t.Context(), port, 10*time.Second); err != nil {
		t.Error(err)
	}
	// Another child that waits for the same port must not take this answer for its own.
	other, err := g.Start(Spec{Name: "other", Path: "sleep", Args: []string{"600"}})
	if err != nil {
		t.Fatal(err)
	}
	var taken TakenError
	if err := other.Await(t.Context(), url, port, 10*time.Second); !errors.As(err, &taken) || taken.PID != own.PID {
		t.Errorf("a foreign answer came out as %v", err)
	}
}

func TestAwaitEndsWithTheChildAndWithTheLimit(t *testing.T) {
	var g Group
	defer g.Close()
	port, err := FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	dead, err := g.Start(Spec{Name: "dead", Path: "false"})
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.AwaitPort(t.Context(), port, 10*time.Second); err == nil || !strings.Contains(err.Error(), "it ended: exit status 1") {
		t.Errorf("a dead child: %v", err)
	}
	mute, err := g.Start(Spec{Name: "mute", Path: "sleep", Args: []string{"600"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mute.AwaitPort(ctx, port, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
	if err := mute.AwaitPort(t.Context(), port, 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not answer") {
		t.Errorf("a mute child: %v", err)
	}
}

func TestListeners(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1
   1: 0100007F:0BB8 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1
   2: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1
   3: short`
	got := map[string]bool{}
	listeners(strings.NewReader(table), 3000, got)
	if len(got) != 1 || !got["socket:[111]"] {
		t.Errorf("port 3000: %v", got)
	}
}

func FuzzListeners(f *testing.F) {
	f.Add("a\n 0: 0100007F:0BB8 0:0 0A 0 0 0 0 0 111 1", 3000)
	f.Fuzz(func(t *testing.T, table string, port int) {
		got := map[string]bool{}
		listeners(strings.NewReader(table), port, got)
		for s := range got {
			if !strings.HasPrefix(s, "socket:[") {
				t.Errorf("%q", s)
			}
		}
	})
}

// The kernel's death signal follows the thread that forked: had a child been
// started from a thread that ends, it would die with that thread.
func TestChildrenOutliveTheThreadThatAskedForThem(t *testing.T) {
	var g Group
	defer g.Close()
	const n = 4 // on threads of their own; the process's first thread never ends
	var together, asked sync.WaitGroup
	together.Add(n)
	children := make([]*Child, n)
	for i := range n {
		asked.Go(func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			together.Done()
			together.Wait()
			c, err := g.Start(Spec{Name: "sleeper", Path: "sleep", Args: []string{"600"}})
			if err != nil {
				t.Error(err)
			}
			children[i] = c
		})
	}
	asked.Wait()
	limit := time.After(500 * time.Millisecond)
	for _, c := range children {
		if c == nil {
			continue
		}
		select {
		case <-c.Done():
			t.Error("a child died with the thread")
		case <-limit:
			return
		}
	}
}
