// Kill ends functions, and now and then the whole local cloud, by SIGKILL while
// buyers go from a hold, or from a place in line, to tickets. It exits with 1 when anything that was
// acknowledged is lost, done by half or done twice, or the books do not balance.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fairseat/fairseat/infra/proof/stage"
	"github.com/fairseat/fairseat/pkg/booking"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		os.Exit(1)
	}
}

// policy: a hold outlives a restart of the cloud.
var policy = booking.Policy{Hold: 15 * time.Second, Grace: 2 * time.Second, MaxSeats: 10}

// terms of the lines: an offer outlives a restart too, and nobody waits much longer.
var terms = stage.Line{Offer: 10 * time.Second, Wait: 25 * time.Second, CoolDown: 5 * time.Second}

// plan of a run.
type plan struct {
	root     string
	kills    int           // of functions
	every    time.Duration // between two
	restarts int           // of the whole cloud, among them
	buyers   int
	waiters  int // buyers of small shows, through the line
	seed     uint64
	patience time.Duration // until everything is at rest, or a request is answered
	data     string        // folder, made and removed by the run
	template string        // of planted functions, or ""
	forgets  bool          // the cloud begins anew after each of its deaths
	progress io.Writer
}

func command(args []string) error {
	f := flag.NewFlagSet("kill", flag.ContinueOnError)
	kills := f.Int("kills", 2000, "`processes` of functions to kill")
	restarts := f.Int("restarts", -1, "`times` to kill the whole cloud; -1 is one for each 60 of the kills")
	seed := f.Uint64("seed", 0, "of the schedules; 0 chooses one")
	root := f.String("root", ".", "`folder` of the project, built")
	rounds := f.Int("contest", 0, "`rounds` of two hundred clients for the same ten seats, instead of purchases")
	planted := f.String("plant", "", "run with these defects, or all, one after another, and fail unless each is found")
	serve := f.String("serve", "", "run the cloud for another process: its configuration")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *serve != "" {
		return serveCloud(ctx, *serve)
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	if *restarts < 0 {
		*restarts = *kills / 60
	}
	abs, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	p := plan{
		root: abs, kills: *kills, every: 150 * time.Millisecond, restarts: *restarts, buyers: 18, waiters: 15,
		seed: *seed, patience: restLimit, progress: os.Stdout,
	}
	if *rounds > 0 && *planted != "" {
		return errors.New("defects are planted into purchases, not into a contest")
	}
	if *rounds > 0 {
		return contest(ctx, p, *rounds, crowd)
	}
	if *planted != "" {
		p.patience = policy.Hold + policy.Grace + terms.Wait + 20*time.Second
		return demonstrate(ctx, *planted, p)
	}
	return prove(ctx, p)
}

// prove runs the plan in a folder of its own.
func prove(ctx context.Context, p plan) (err error) {
	scratch := filepath.Join(p.root, ".build", "kill")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return err
	}
	if p.data, err = os.MkdirTemp(scratch, "data-"); err != nil {
		return err
	}
	defer os.RemoveAll(p.data)
	r := newRun(p)
	defer r.close()
	began := time.Now()
	if err := r.start(ctx); err != nil {
		return err
	}
	wrong := r.play(ctx)
	r.report(time.Since(began))
	if wrong != nil {
		return fmt.Errorf("seed %d: %w", p.seed, wrong)
	}
	return nil
}
