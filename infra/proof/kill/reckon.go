package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/sandbox/sim"
)

// restLimit is how long anything may take to come to rest: the longest hold, late
// money, and a callback that was refused, which is sent again after 1, 2, 4 … seconds.
const restLimit = 3 * time.Minute

// errYet is no violation while there is time.
var errYet = errors.New("not yet")

// verdict is what the reckoning, or an answer of the shop itself, says against it.
// Every other error says that nothing was proved.
type verdict struct{ error }

// Unwrap is what was found.
func (v verdict) Unwrap() error { return v.error }

// judged makes a verdict of what the shop answered or its books say, and leaves
// alone what could not be asked.
func judged(err error) error {
	var answer *apiclient.Problem
	var unread *smithy.OperationError
	var unsent net.Error // of a request without an answer, or of the end of its context
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		return verdict{err}
	case errors.As(err, &unread), errors.As(err, &unsent), errors.Is(err, context.Canceled):
		return err
	}
	return verdict{err}
}

// reckon compares all that was acknowledged with what is there.
func (r *run) reckon(ctx context.Context) error {
	open := r.promises
	return r.rest(ctx, func() (err error) {
		if open, err = r.unsettled(ctx, open); err != nil {
			return err
		}
		if err := r.lines(ctx); err != nil {
			return err
		}
		return r.audit(ctx)
	})
}

// rest looks until nothing is wrong. A look at thousands of purchases takes minutes,
// so patience is for the shop alone: the look that finds it at fault began after it
// had come to its end, however long it took.
func (r *run) rest(ctx context.Context, look func() error) error {
	for end := time.Now().Add(r.patience); ; pause(ctx, time.Second) {
		began := time.Now()
		err := look()
		switch {
		case err == nil:
			r.toRest, r.lookTook = began.Sub(r.deaths.last), time.Since(began)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case began.After(end):
			return judged(fmt.Errorf("no rest within %v: %w", r.patience, err))
		}
	}
}

// unsettled are those promises that are not at their end.
func (r *run) unsettled(ctx context.Context, all []*promise) ([]*promise, error) {
	books, err := readJournal(r.provider)
	if err != nil {
		return all, err
	}
	errs := make([]error, len(all))
	status := make([]string, len(all))
	var g errgroup.Group
	g.SetLimit(16)
	for i, p := range all {
		g.Go(func() error {
			status[i], errs[i] = r.settled(ctx, p, books)
			return nil
		})
	}
	_ = g.Wait()
	var open []*promise
	for i, p := range all {
		if errs[i] != nil {
			open = append(open, p)
		} else {
			r.final[status[i]]++
		}
	}
	return open, errors.Join(errs...)
}

// settled answers a promise's last status, or what is wrong with it.
func (r *run) settled(ctx context.Context, p *promise, books journal) (string, error) {
	b := &buyer{run: r, client: p.client}
	var h apiclient.Hold
	if err := b.insist(ctx, "ReadHold", http.MethodGet, "/holds/"+p.hold.ID, "", nil, &h); err != nil {
		return "", fmt.Errorf("hold %s is lost: %w", p.hold.ID, err)
	}
	if p.payment.ID == "" {
		if h.State != "expired" && !(p.released && h.State == "released") {
			return "", fmt.Errorf("%w: hold %s, never paid, is %s", errYet, h.ID, h.State)
		}
		return "never paid", nil
	}
	o, err := b.order(ctx, p)
	if err != nil {
		return "", err
	}
	captured, err := paidFor(p, books)
	switch {
	case err != nil:
		return "", err
	case captured && o.Status == "PAID", captured && o.Status == "REFUNDED", !captured && o.Status == "CANCELLED":
		return o.Status, nil
	}
	return "", fmt.Errorf("%w: order %s is %s, its hold %s, money captured: %v", errYet, o.ID, o.Status, h.State, captured)
}

// paidFor: under one key there is one payment at the provider, and at most one of an
// order's takes money.
func paidFor(p *promise, books journal) (captured bool, err error) {
	found, taken := 0, 0
	for _, x := range books.payments[p.payment.OrderID] {
		if x.ID == p.payment.ID {
			found++
		}
		if x.State == sim.Captured {
			taken++
		}
		if x.State == sim.Pending {
			err = fmt.Errorf("%w: payment %s is pending", errYet, x.ID)
		}
	}
	if found != 1 || taken > 1 || len(books.payments[p.payment.OrderID]) != 1 {
		return false, fmt.Errorf("order %s: %d payments at the provider, %d of this number, %d captured",
			p.payment.OrderID, len(books.payments[p.payment.OrderID]), found, taken)
	}
	return taken == 1, err
}

// audit compares the tables with the provider's books, show by show.
func (r *run) audit(ctx context.Context) error {
	holds, err := r.world.Books.HoldsByShow(ctx)
	if err != nil {
		return err
	}
	books := r.world.Books
	if books.Provider, err = readJournal(r.provider); err != nil {
		return err
	}
	var errs []error
	for _, s := range r.shows {
		if err := books.CheckHolds(ctx, s, r.hall.Layout, holds[s]); err != nil {
			errs = append(errs, fmt.Errorf("show %s: %w", s, err))
		}
	}
	for _, s := range r.lined.shows {
		if err := r.auditLine(ctx, books, s, holds[s]); err != nil {
			errs = append(errs, fmt.Errorf("show %s with a line: %w", s, err))
		}
	}
	return errors.Join(errs...)
}

func (r *run) report(took time.Duration) {
	w, d := r.progress, r.deaths
	fmt.Fprintf(w, "kills              %d of functions and %d of the whole cloud in %v, in mid-request %d\n",
		d.functions(), d.killed[wholeCloud], took.Round(time.Second), d.midway)
	fmt.Fprintf(w, "                   %s\n", counted(d.killed))
	fmt.Fprintf(w, "requests           %d without an answer, repeated under their keys\n", r.unanswered.Load())
	fmt.Fprintf(w, "acknowledged       %d holds in %d shows; %d were looked at again meanwhile\n", len(r.promises), len(r.shows), r.lookedBack.Load())
	fmt.Fprintf(w, "at rest            %s; %d seats with tickets\n", counted(r.final), len(r.seats))
	fmt.Fprintf(w, "lines              %s in %d shows; the lane's queue was lost %d times\n", counted(r.lined.ends), len(r.lined.shows), r.purges)
	fmt.Fprintf(w, "recovery           of a function %s\n", quantiles(d.function))
	fmt.Fprintf(w, "                   of the cloud %s, of which it starts for %s\n", quantiles(d.cloud), quantiles(r.started[min(1, len(r.started)):]))
	fmt.Fprintf(w, "from the last kill to rest  %v at most; the last look at it took %v\n", r.toRest.Round(time.Millisecond), r.lookTook.Round(time.Millisecond))
	fmt.Fprintf(w, "violations         %d\n", len(r.objects))
}
