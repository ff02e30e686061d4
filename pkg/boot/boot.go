// Package boot wires a function: it reads the environment that the template sets,
// builds what the function's handler asks for and nothing else, and hands the
// handler to Lambda. It makes no network call; the first request opens the first
// connection.
//
// It is the only place where the process's clock, sleep and randomness are read.
// What needs an SDK client or a provider is built in the packages below this one,
// so that a function links only what it uses: desk (tables), till (money), post
// (queues).
package boot

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
)

// Start runs the handler that build makes. What the environment lacks ends the
// process at once with its name, before any event is taken.
func Start(build func(*Parts) any) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	p := &Parts{Env: os.Getenv}
	h := build(p)
	if p.err != nil {
		slog.Error("cannot start", "err", p.err.Error())
		os.Exit(1)
	}
	lambda.Start(h)
}

// Parts builds what handlers are made of. The first thing that is missing is
// remembered and ends Start; what was built before it is never used.
type Parts struct {
	Env func(string) string
	err error
}

// Fail ends Start with the error, if it is the first.
func (p *Parts) Fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// Err is the first thing that Start would end for.
func (p *Parts) Err() error { return p.err }

// Text is a variable that must be set.
func (p *Parts) Text(name string) string {
	v := p.Env(name)
	if v == "" {
		p.Fail(fmt.Errorf("%s is not set", name))
	}
	return v
}

// Secrets is a variable that holds a secret, or several with commas between them
// while one takes over from another: the first signs, all verify.
func (p *Parts) Secrets(name string) (signs string, retired []string) {
	all := strings.Split(p.Text(name), ",")
	return all[0], all[1:]
}

// Number is a variable that must be a whole number, not negative.
func (p *Parts) Number(name string) int {
	n, err := strconv.Atoi(p.Text(name))
	if err != nil || n < 0 {
		p.Fail(fmt.Errorf("%s is not a whole number", name))
	}
	return n
}

// Policy reads the numbers of api.md, "Policy numbers".
func (p *Parts) Policy() booking.Policy {
	drops := 0
	if p.Env("FAIRSEAT_FREE_DROPS") != "" { // only who makes holds looks at it
		drops = p.Number("FAIRSEAT_FREE_DROPS")
	}
	return booking.Policy{
		FreeDrops: drops,
		Hold:      time.Duration(p.Number("FAIRSEAT_HOLD_SECONDS")) * time.Second,
		Grace:     time.Duration(p.Number("FAIRSEAT_GRACE_SECONDS")) * time.Second,
		MaxSeats:  p.Number("FAIRSEAT_MAX_SEATS"),
	}
}

// LinePolicy reads the numbers of the line, and how long before a show it closes.
func (p *Parts) LinePolicy() (line.Policy, time.Duration) {
	l := line.Standard
	l.Offer = time.Duration(p.Number("FAIRSEAT_OFFER_SECONDS")) * time.Second
	l.Grace = time.Duration(p.Number("FAIRSEAT_GRACE_SECONDS")) * time.Second
	l.Wait = time.Duration(p.Number("FAIRSEAT_WAIT_SECONDS")) * time.Second
	l.CoolDown = time.Duration(p.Number("FAIRSEAT_COOLDOWN_SECONDS")) * time.Second
	l.MaxParty = p.Number("FAIRSEAT_MAX_SEATS")
	return l, time.Duration(p.Number("FAIRSEAT_LINE_CLOSES_SECONDS")) * time.Second
}

// Clock is UTC in the precision that is stored.
func Clock() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Pause waits, or fails with the context.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Jitter is a random part of a pause.
func Jitter(most time.Duration) time.Duration { return rand.N(max(most, 1)) }
