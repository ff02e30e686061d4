// Command localstack runs a SAM template on this machine. It decides nothing
// itself: flags become [cloud.Options], signals end the stack.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/localstack/cloud"
	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
)

// interrupted is the status of a stack that was stopped before it was ready.
const interrupted = 130

// garbage is how much the heap grows before it is collected, in per cent of what
// lives: little lives here, and every request leaves garbage.
const garbage = 400

func main() {
	// Most of the work is the functions'. Threads here that look for some wake one
	// another, at an eighth of the gateway's time.
	runtime.GOMAXPROCS(max(1, runtime.NumCPU()/2))
	debug.SetGCPercent(garbage)
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	s, err := parse(args)
	if errors.Is(err, errHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if s.withParent {
		var cancel context.CancelFunc
		ctx, cancel = whileParentLives(ctx)
		defer cancel()
	}
	if s.install {
		return install(ctx, s)
	}
	began := time.Now()
	c, err := cloud.Start(ctx, s.options)
	if ctx.Err() != nil {
		if err == nil {
			c.Close()
		}
		return interrupted
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer c.Close()
	s.say.ready(c, time.Since(began))
	err = work(ctx, c, s)
	if ctx.Err() != nil {
		return interrupted
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return status(err)
	}
	if s.once {
		return 0
	}
	select {
	case <-ctx.Done():
		stop() // a second Ctrl-C does not wait
		s.say.Note("stopping")
		return 0
	case err := <-c.Failed():
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}

func install(ctx context.Context, s settings) int {
	var g process.Group
	defer g.Close()
	err := emulators.Install(ctx, &g, emulators.Options{
		Store: s.options.Store, Objects: true, Tools: s.options.ToolsFolder(), Progress: s.options.Progress,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// work runs the commands that follow the start, then tells that all is ready.
func work(ctx context.Context, c *cloud.Cloud, s settings) error {
	for _, cmd := range s.after {
		if err := c.Run(ctx, cmd, os.Stdout, os.Stderr); err != nil {
			return err
		}
	}
	if s.readyFile != "" {
		if err := writeReady(s.readyFile, c); err != nil {
			return err
		}
	}
	if s.banner != "" {
		return s.say.banner(s.banner, c)
	}
	return nil
}

// status is the exit status of the command that failed, or 1.
func status(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	return 1
}

// whileParentLives ends with the process that started this one: kill -9 of "go
// run" or of a test would otherwise leave the stack running.
func whileParentLives(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		t := time.NewTicker(200 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if os.Getppid() != parent {
					cancel()
					return
				}
			}
		}
	}()
	return ctx, cancel
}
