package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// TakenError says that a port is not free, and whose it is if that can be told.
type TakenError struct {
	Port int
	PID  int    // 0 = unknown
	Name string // of the program
}

func (e TakenError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("port %d is taken by another program", e.Port)
	}
	return fmt.Sprintf("port %d is taken by process %d (%s)", e.Port, e.PID, e.Name)
}

// Listen takes a local port; 0 = any free one.
func Listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		return l, nil
	}
	if port == 0 || !inUse(err) {
		return nil, fmt.Errorf("port %d: %w", port, err)
	}
	pid, name := Listener(port)
	return nil, TakenError{port, pid, name}
}

// FreePort returns want if it is free on every local address, or any free port
// for 0. Somebody else may take it before its user does: check [Owns] as well.
func FreePort(want int) (int, error) {
	l, err := net.Listen("tcp", ":"+strconv.Itoa(want))
	if err != nil {
		if !inUse(err) {
			return 0, fmt.Errorf("port %d: %w", want, err)
		}
		pid, name := Listener(want)
		return 0, TakenError{want, pid, name}
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Listener tells which process listens on a port; 0 where that cannot be told.
func Listener(port int) (pid int, name string) {
	inodes := listening(port)
	if len(inodes) == 0 {
		return 0, ""
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, d := range dirs {
		if holds(d, inodes) {
			pid, _ = strconv.Atoi(filepath.Base(d))
			comm, _ := os.ReadFile(d + "/comm")
			return pid, strings.TrimSpace(string(comm))
		}
	}
	return 0, ""
}

// Owns tells whether the child itself listens on the port. Where /proc does not
// say, a living child is believed.
func (c *Child) Owns(port int) bool {
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		return Alive(c.PID)
	}
	pid, _ := Listener(port)
	return pid == c.PID || pid != 0 && sameGroup(pid, c.PID)
}

// holds tells whether the process at dir has one of the sockets open.
func holds(dir string, inodes map[string]bool) bool {
	fds, _ := os.ReadDir(dir + "/fd")
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "/fd/" + fd.Name()); err == nil && inodes[to] {
			return true
		}
	}
	return false
}

// listening returns the sockets, as /proc names them, that listen on a port.
func listening(port int) map[string]bool {
	out := map[string]bool{}
	for _, f := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if r, err := os.Open(f); err == nil {
			listeners(r, port, out)
			r.Close()
		}
	}
	return out
}

func listeners(r io.Reader, port int, out map[string]bool) {
	suffix := fmt.Sprintf(":%04X", port)
	for s := bufio.NewScanner(r); s.Scan(); {
		f := strings.Fields(s.Text())
		const listen = "0A"
		if len(f) > 9 && strings.HasSuffix(f[1], suffix) && f[3] == listen {
			out["socket:["+f[9]+"]"] = true
		}
	}
}

// Await polls url until the child itself answers it, with any status.
func (c *Child) Await(ctx context.Context, url string, port int, limit time.Duration) error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return c.await(ctx, port, limit, func() bool {
		res, err := client.Get(url)
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	})
}

// AwaitPort waits until the child, or a program that it started, listens on a port.
func (c *Child) AwaitPort(ctx context.Context, port int, limit time.Duration) error {
	return c.await(ctx, port, limit, func() bool {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (c *Child) await(ctx context.Context, port int, limit time.Duration, answers func() bool) error {
	for deadline := time.Now().Add(limit); ; {
		select {
		case <-c.done:
			return fmt.Errorf("%s while it was starting: %w", c.Name, c.Ended())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", c.Name, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
		if pid, name := Listener(port); pid != 0 && !c.Owns(port) {
			return TakenError{port, pid, name}
		}
		if answers() && c.Owns(port) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s did not answer on port %d within %s", c.Name, port, limit)
		}
	}
}

func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

func sameGroup(pid, leader int) bool {
	group, err := syscall.Getpgid(pid)
	return err == nil && group == leader
}
