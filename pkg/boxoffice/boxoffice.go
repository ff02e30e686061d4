// Package boxoffice holds the use cases of selling a seat: Reserve, End (on every
// path), Pay, Settle, and the seat map. Each loads the state, lets a pure
// function decide, and commits the decision with one conditional transaction;
// nothing is published from here, for the table's stream is the event.
//
// Every attempt of a transaction reads the clock anew: one that waited must not
// carry an old now (HoldLifetime). Whoever meets an overdue hold ends it himself,
// by the same Release as everybody else; there is no takeover.
//
// Start with [Office] and [Office.Reserve].
package boxoffice

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/challenge"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// Catalog is what the box office asks of the catalogue.
type Catalog interface {
	Show(ctx context.Context, id catalog.ShowID) (catalog.Show, error)
	Layout(ctx context.Context, id catalog.LayoutID) (*seatmap.Layout, error)
}

// Office is the box office. The fields are set once, before use; those that a
// function does not need may stay nil.
type Office struct {
	Store     Store
	Lane      LineStore
	Catalog   Catalog
	Policy    booking.Policy
	Line      line.Policy                                      // but for what an organiser sets for a show
	Clock     func() time.Time                                 // UTC, milliseconds
	Pause     func(ctx context.Context, d time.Duration) error // waits, or fails with the context
	Rand      func() uint64                                    // jitter, and where to start looking for seats
	Provider  func(name payment.Name) (payment.Provider, bool)
	Tickets   *ticket.Signer
	NotifyURL func(name payment.Name) string
	// Adoptions is Store where guests' things move to accounts, and Past lists the orders
	// that a buyer had lately; nil elsewhere.
	Adoptions AdoptionStore
	Past      func(ctx context.Context, b booking.Buyer) ([]order.ID, error)
	// LineCloses is how long before a show nobody waits any more.
	LineCloses time.Duration
	// Nudge asks the queue for a run of the lane; nil where there is none.
	Nudge func(ctx context.Context, show catalog.ShowID, named []line.WaiterID) error
	// Aged finds an order that has left the store, or fails with ErrOrderNotFound; nil
	// where no archive is asked.
	Aged func(ctx context.Context, id order.ID) (order.Order, error)
	// Challenges poses puzzles and takes solutions; nil where no show asks for one.
	Challenges *challenge.Keeper

	Parallel int // store calls that one look makes at once; 0 is one, in a fixed order

	memory memory
	demand demand
	reads  reads
}

const (
	attempts  = 8                     // of one transaction in conflict
	firstWait = 10 * time.Millisecond // doubled for each, with full jitter
)

// ErrBusy is what remains after all attempts.
var ErrBusy = fault.New(fault.Busy, "busy", "too many at once; nothing was taken")

// attempt runs one load-decide-commit until it succeeds, is refused, or has been
// in conflict too often, with full jitter in between. f gets a fresh now each time
// and reads the truth first, which is all that Stale and Unknown need.
func (o *Office) attempt(ctx context.Context, f func(now time.Time) error) error {
	var err error
	for n := range attempts {
		if n > 0 {
			if perr := o.Pause(ctx, o.jitter(firstWait<<(n-1))); perr != nil {
				return spent(err)
			}
		}
		if err = f(o.Clock()); err == nil {
			return nil
		}
		switch fault.KindOf(err) {
		case fault.Stale, fault.Contended, fault.Unknown:
		default:
			return err
		}
	}
	return spent(err)
}

// spent is what remains of the last attempt: only where its outcome is known may
// anybody be told that nothing was taken.
func spent(err error) error {
	if fault.Is(err, fault.Unknown) {
		return err
	}
	return ErrBusy
}

// group runs calls side by side. With one at a time they keep their order, which
// a simulation needs that repeats itself by its seed.
func (o *Office) group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(o.Parallel, 1))
	return g, ctx
}

func (o *Office) jitter(most time.Duration) time.Duration {
	return time.Duration(o.Rand() % uint64(most))
}
