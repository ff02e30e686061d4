package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
)

// Sender sends a message at least once, or fails.
type Sender interface {
	Send(ctx context.Context, m relay.Message) error
}

// Gates tells what is wanted in a show.
type Gates interface {
	Wanted(ctx context.Context, show catalog.ShowID, id booking.HoldID) (booking.Wanted, error)
}

// RelayHolds sends what the stream of holds causes.
func RelayHolds(s Sender, g Gates, p booking.Policy, clock func() time.Time) StreamHandler {
	return Stream(func(ctx context.Context, r relay.Record) error {
		now := clock()
		ms, err := relay.OfHold(r, p, now)
		if err := send(ctx, s, ms, err); err != nil {
			return err
		}
		if err := wakeSold(ctx, s, g, r); err != nil {
			return err
		}
		ms, err = relay.OfHoldTold(r, now)
		hint(ctx, s, ms, err)
		return nil
	})
}

// wakeSold: a sale concerns the lane only where somebody waits.
func wakeSold(ctx context.Context, s Sender, g Gates, r relay.Record) error {
	h, sold, err := relay.SoldHold(r)
	if err != nil || !sold {
		return err
	}
	wanted, err := g.Wanted(ctx, h.Show, h.ID)
	if err != nil || len(wanted) == 0 {
		return err
	}
	ms, err := relay.Wake(relay.LaneWake{Show: h.Show, Why: relay.Sold}, r.Sequence)
	return send(ctx, s, ms, err)
}

// RelayPayments sends what the stream of orders and payments causes.
func RelayPayments(s Sender, clock func() time.Time) StreamHandler {
	return Stream(func(ctx context.Context, r relay.Record) error {
		ms, err := relay.OfPayment(r, clock())
		return send(ctx, s, ms, err)
	})
}

func send(ctx context.Context, s Sender, ms []relay.Message, err error) error {
	for _, m := range ms {
		err = errors.Join(err, s.Send(ctx, m))
	}
	return err
}

// ExpireHold ends a hold whose timer message has come, or tells the lane that
// somebody's offer or wait is over. One that comes early is put back with the rest of
// its delay, before it is acknowledged; the last second is waited for here, since a
// queue delays by whole ones.
func ExpireHold(o *boxoffice.Office, s Sender) QueueHandler {
	return Messages(false, func(ctx context.Context, m relay.TimerDue) error {
		if m.Waiter != "" {
			return waiterDue(ctx, o, s, m.Waiter)
		}
		err := expire(ctx, o, m.Hold)
		if !errors.Is(err, booking.ErrNotOverdue) {
			return err
		}
		h, err := o.Store.HoldByID(ctx, m.Hold)
		if err != nil {
			return err
		}
		soon, err := waited(ctx, o, h.ExpiresAt.Add(o.Policy.Grace))
		if err != nil {
			return err
		}
		if soon {
			return expire(ctx, o, m.Hold)
		}
		ms, err := relay.HoldDeadline(h, o.Policy, o.Clock())
		return send(ctx, s, ms, err)
	})
}

// waited reports that the moment has come, after a pause of a second at most.
func waited(ctx context.Context, o *boxoffice.Office, due time.Time) (bool, error) {
	rest := due.Sub(o.Clock())
	if rest >= time.Second {
		return false, nil
	}
	if rest > 0 {
		return true, o.Pause(ctx, rest)
	}
	return true, nil
}

// waiterDue: the lane ends the place, for it alone gives its seats to the next.
func waiterDue(ctx context.Context, o *boxoffice.Office, s Sender, id line.WaiterID) error {
	w, err := o.Lane.Waiter(ctx, id)
	if errors.Is(err, line.ErrNotFound) || err == nil && w.State.Ended() {
		return nil
	}
	if err != nil {
		return err
	}
	due := relay.DueOf(w, o.Policy.Grace)
	soon, err := waited(ctx, o, due)
	if err != nil {
		return err
	}
	if !soon {
		ms, err := relay.WaiterDeadline(w, o.Policy.Grace, o.Clock())
		return send(ctx, s, ms, err)
	}
	ms, err := relay.Wake(relay.LaneWake{Show: w.Show, Why: relay.Deadline, Waiter: id, Due: due.UnixMilli()}, fmt.Sprintf("%s-%d", id, due.UnixMilli()))
	return send(ctx, s, ms, err)
}

// ExpireTimer ends a hold whose timer item is gone: the last net, for when nobody
// met the hold and its message was lost. A removal by the service's TTL that comes
// early comes again. One without that identity is a sale's or a release's own, or
// of a TTL that signs nothing; it is a hint, and only from the deadline on
// (infra/decisions/0008-anonymous-expiry.md).
func ExpireTimer(o *boxoffice.Office) StreamHandler {
	return Stream(func(ctx context.Context, r relay.Record) error {
		if r.New != nil {
			return nil
		}
		t, err := store.TimerFromItem(r.Old)
		if err != nil {
			return err
		}
		if !r.Service && o.Clock().Before(t.ExpiresAt.Add(o.Policy.Grace)) {
			return nil
		}
		if t.Waiter != "" {
			return waiterOver(ctx, o, t)
		}
		return expire(ctx, o, t.Hold)
	})
}

// waiterOver runs the lane for an offer or a wait whose message was lost.
func waiterOver(ctx context.Context, o *boxoffice.Office, t boxoffice.Timer) error {
	w, err := o.Lane.Waiter(ctx, t.Waiter)
	switch {
	case errors.Is(err, line.ErrNotFound), err == nil && w.State.Ended():
		return nil
	case err != nil:
		return err
	case o.Clock().Before(t.ExpiresAt.Add(o.Policy.Grace)):
		return booking.ErrNotOverdue // a clock is behind: the record comes again
	}
	return o.RunLane(ctx, t.Show, boxoffice.Wake{Named: []line.WaiterID{w.ID}})
}

// expire counts a hold that was sold or is gone as done.
func expire(ctx context.Context, o *boxoffice.Office, id booking.HoldID) error {
	h, err := o.End(ctx, id, booking.ByExpiry)
	switch {
	case errors.Is(err, booking.ErrAlreadyPaid), errors.Is(err, booking.ErrHoldNotFound):
		return nil
	case err != nil:
		return err
	}
	slog.InfoContext(ctx, "hold ended", "hold", string(h.ID), "show", string(h.Show), "state", h.State.String())
	return nil
}

// AskProvider keeps appointments with payment providers.
func AskProvider(o *boxoffice.Office) QueueHandler {
	return Messages(false, func(ctx context.Context, m relay.AskDue) error {
		return o.Ask(ctx, m.Payment, time.UnixMilli(m.Due).UTC())
	})
}

// ProjectSeatmap brings the seat maps up to date that a batch of records touches,
// each show once, and has those told who watch it.
func ProjectSeatmap(o *boxoffice.Office, s Sender) StreamHandler {
	return func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		told := map[catalog.ShowID]*news{}
		answer := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
		for _, r := range e.Records {
			rec, err := record(r)
			if err == nil {
				err = touched(told, rec)
			}
			if err != nil {
				slog.ErrorContext(ctx, "stream record failed", "sequence", r.Change.SequenceNumber, "err", err.Error())
				answer = stopAt(r) // those before it count as done, so they are done below
				break
			}
		}
		if err := projectAll(ctx, o, s, told); err != nil {
			slog.ErrorContext(ctx, "seat map failed", "err", err.Error())
			return stopAt(e.Records[0]), nil
		}
		return answer, nil
	}
}

// projectAll lets no slow show hold the others up.
func projectAll(ctx context.Context, o *boxoffice.Office, s Sender, told map[catalog.ShowID]*news) error {
	var g errgroup.Group
	g.SetLimit(max(o.Parallel, 1))
	for _, show := range slices.Sorted(maps.Keys(told)) {
		g.Go(func() error {
			n := told[show]
			if err := o.Project(ctx, show, n.seats, slices.Sorted(maps.Keys(n.alive))...); err != nil {
				return fmt.Errorf("show %s: %w", show, err)
			}
			m, err := relay.Tell(show, "", socket.SeatmapChanged, 0, "")
			hint(ctx, s, []relay.Message{m}, err)
			return nil
		})
	}
	return g.Wait()
}

// news is what a batch of records tells of a show.
type news struct {
	seats []seatmap.SeatID
	alive map[booking.HoldID]bool // as their last records have it
}

func newsOf(told map[catalog.ShowID]*news, show catalog.ShowID) *news {
	if told[show] == nil {
		told[show] = &news{alive: map[booking.HoldID]bool{}}
	}
	return told[show]
}

// touched adds what a record of a hold or of a pool item is about. That a payment
// has begun changes a hold, and nothing that a map shows.
func touched(told map[catalog.ShowID]*news, r relay.Record) error {
	it := r.New
	if it == nil {
		it = r.Old
	}
	if show, seat, ok := store.PoolSeat(it); ok {
		n := newsOf(told, show)
		n.seats = append(n.seats, seat)
		return nil
	}
	if !store.IsHold(it) || r.New == nil {
		return nil // the line's other items; a receipt whose day is over
	}
	h, err := store.HoldFromItem(it)
	if err != nil {
		return err
	}
	if r.Old != nil {
		was, err := store.HoldFromItem(r.Old)
		if err == nil && was.State == h.State && was.ExpiresAt.Equal(h.ExpiresAt) {
			return nil
		}
	}
	n := newsOf(told, h.Show)
	for _, s := range h.Seats {
		n.seats = append(n.seats, s.ID)
	}
	if n.alive[h.ID] = true; !h.State.Live() {
		delete(n.alive, h.ID)
	}
	return nil
}
