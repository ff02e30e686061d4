// Command rehearse tries a deployment on this machine: it deploys template.yaml
// with the built functions into LocalStack, or serves them by the SAM CLI, and
// then buys there as any client would.
//
//	rehearse localstack   starts LocalStack, deploys, loads the catalogue, walks
//	rehearse sam          run by the local cloud, whose tables and queues it uses
//
// It decides whether what was deployed keeps its promises; the first that is
// broken ends it with status 1. Start with walk.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
)

// stage is where a rehearsal takes place.
type stage struct {
	root  string // of the project
	tools string
	host  string // the address of this machine for containers
	all   process.Group
	out   *report
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	f := flag.NewFlagSet("rehearse", flag.ContinueOnError)
	root := f.String("root", ".", "`folder` of the project")
	port := f.Int("port", 4566, "`port` of LocalStack")
	stay := f.Bool("stay", false, "go on serving after the walk, until interrupted")
	if f.Parse(args) != nil || f.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: rehearse [flags] localstack|sam")
		return 2
	}
	s := &stage{out: &report{began: time.Now()}}
	defer s.all.Close()
	err := s.set(ctx, *root)
	if err == nil {
		switch f.Arg(0) {
		case "localstack":
			err = s.localstack(ctx, *port, *stay)
		case "sam":
			err = s.sam(ctx)
		default:
			err = fmt.Errorf("no way to rehearse is called %q", f.Arg(0))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rehearse:", err)
		return 1
	}
	return 0
}

// set finds the project, its tools and the address of Docker's bridge.
func (s *stage) set(ctx context.Context, root string) error {
	var err error
	if s.root, err = filepath.Abs(root); err != nil {
		return err
	}
	s.tools = filepath.Join(s.root, ".tools")
	if _, err := s.output(ctx, nil, "docker", "version"); err != nil {
		return fmt.Errorf("a running Docker is needed: %w", err)
	}
	bridge, err := net.InterfaceByName("docker0")
	if err != nil {
		return fmt.Errorf("docker's bridge is needed, under Linux: %w", err)
	}
	addrs, err := bridge.Addrs()
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			s.host = n.IP.String()
			return nil
		}
	}
	return errors.New("docker's bridge has no address")
}
