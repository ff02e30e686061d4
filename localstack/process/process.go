// Package process runs the programs of the local cloud and decides how they end.
//
// NoOrphan: however this process ends, kill -9 included, no program that it
// started lives on, nor anything that those started. Three things keep it: each
// child leads a process group of its own; on Linux the kernel kills the child
// when the thread that started it dies, and that thread lives as long as the
// process; and a small shell outside the group waits for the end of a pipe that
// only this process holds open, then kills every group that is still listed.
//
// Start with [Group] and [Spec].
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Spec says what to run.
type Spec struct {
	Name   string // for messages
	Path   string
	Args   []string
	Env    []string // nil = this process's own
	Dir    string
	Stdout io.Writer
	Stderr io.Writer
	Grace  time.Duration // between SIGTERM and SIGKILL; 0 = 3 s
}

// Group holds the children of one stack. Its zero value is ready to use.
type Group struct {
	mu       sync.Mutex
	children []*Child
	closed   bool
}

// Child is a started program.
type Child struct {
	Name string
	PID  int

	grace time.Duration
	done  chan struct{}
	err   error
	stop  sync.Once
}

// ErrClosed is the answer of a Group that has been closed.
var ErrClosed = errors.New("process: the group is closed")

// Start runs a program. Its output is copied until its end.
func (g *Group) Start(s Spec) (*Child, error) {
	cmd := exec.Command(s.Path, s.Args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = s.Env, s.Dir, s.Stdout, s.Stderr
	cmd.SysProcAttr = attributes()
	// A grandchild may keep the pipes open; it is killed with the group.
	cmd.WaitDelay = time.Second
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	if err := spawn(cmd); err != nil {
		return nil, fmt.Errorf("process: start %s: %w", s.Name, err)
	}
	c := &Child{Name: s.Name, PID: cmd.Process.Pid, grace: s.Grace, done: make(chan struct{})}
	if c.grace == 0 {
		c.grace = 3 * time.Second
	}
	g.children = append(g.children, c)
	go g.wait(c, cmd)
	return c, nil
}

func (g *Group) wait(c *Child, cmd *exec.Cmd) {
	c.err = cmd.Wait()
	// What the child left behind goes with it.
	syscall.Kill(-c.PID, syscall.SIGKILL)
	unguard(c.PID)
	g.mu.Lock()
	g.children = slices.DeleteFunc(g.children, func(x *Child) bool { return x == c })
	g.mu.Unlock()
	close(c.done)
}

// Done is closed when the program has ended and its output has been copied.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err is how the program ended; call it, and Ended, after Done.
func (c *Child) Err() error { return c.err }

// Ended is an error that says how a program ended which should not have.
func (c *Child) Ended() error {
	if c.err != nil {
		return fmt.Errorf("it ended: %w", c.err)
	}
	return errors.New("it ended")
}

// Kill ends the program and its group at once and waits for it.
func (c *Child) Kill() {
	c.signal(syscall.SIGKILL)
	<-c.done
}

// Stop asks the group to end, kills it after its grace, and waits for it.
func (c *Child) Stop() {
	c.stop.Do(func() {
		c.signal(syscall.SIGTERM)
		select {
		case <-c.done:
		case <-time.After(c.grace):
			c.signal(syscall.SIGKILL)
		}
	})
	<-c.done
}

func (c *Child) signal(s syscall.Signal) {
	select {
	case <-c.done:
	default:
		syscall.Kill(-c.PID, s)
	}
}

// PIDs lists the living children by name.
func (g *Group) PIDs() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[string]int{}
	for _, c := range g.children {
		out[c.Name] = c.PID
	}
	return out
}

// Close stops all children, the youngest first, and refuses new ones.
func (g *Group) Close() {
	g.mu.Lock()
	g.closed = true
	children := slices.Clone(g.children)
	g.mu.Unlock()
	for _, c := range slices.Backward(children) {
		c.Stop()
	}
}

// Run starts a program and waits for its end or the context's, which kills it.
func (g *Group) Run(ctx context.Context, s Spec) error {
	c, err := g.Start(s)
	if err != nil {
		return err
	}
	select {
	case <-c.done:
		if c.err != nil {
			return fmt.Errorf("%s: %w", s.Name, c.err)
		}
		return nil
	case <-ctx.Done():
		c.Stop()
		return fmt.Errorf("%s: %w", s.Name, context.Cause(ctx))
	}
}

// Alive tells whether a process of this id exists.
func Alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
