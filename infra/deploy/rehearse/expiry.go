package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/queue"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// expiry watches holds end by themselves. It looks at the table, never at the
// API, for who looks there ends an overdue hold himself.
type expiry struct {
	walk   *walk
	holds  *store.Store
	queue  *sqs.Client
	timers string        // URL of the queue with the deadlines
	grace  time.Duration // of the policy
	remove string        // DELETE here runs the TTL
}

func newExpiry(w *walk, env func(string) string, holds, timers, remove string, grace time.Duration) (*expiry, error) {
	client, err := ddb.Client(env)
	if err != nil {
		return nil, err
	}
	tables := ddb.New(client, map[store.Table]string{store.Holds: holds}, func(time.Duration) time.Duration { return 0 })
	return &expiry{
		walk: w, holds: store.New(tables, booking.Policy{}), queue: queue.Client(env),
		timers: timers, grace: grace, remove: remove,
	}, nil
}

func (e *expiry) steps() []step {
	return []step{{"by message", e.byMessage}, {"by TTL", e.byTTL}}
}

// byMessage: nobody looked at the hold of the race; its delayed message ends it.
func (e *expiry) byMessage(ctx context.Context) (string, error) {
	end := e.walk.raced.ExpiresAt.Add(e.grace)
	late, err := e.ended(ctx, e.walk.raced, end)
	return fmt.Sprintf("an abandoned hold ended %.1f s after its grace", late.Seconds()), err
}

// byTTL takes the message away, so that only the TTL is left, whose removal comes
// without an identity.
func (e *expiry) byTTL(ctx context.Context) (string, error) {
	w := e.walk
	var h apiclient.Hold
	if err := w.buyer.Call(ctx, http.MethodPost, w.holds(), "", pair, &h); err != nil {
		return "", err
	}
	if err := e.dropMessage(ctx); err != nil {
		return "", err
	}
	// The timer's TTL is five seconds after the grace, in whole seconds.
	if err := until(ctx, h.ExpiresAt.Add(e.grace+7*time.Second)); err != nil {
		return "", err
	}
	if s, err := e.state(ctx, h); err != nil || s != booking.Held {
		return "", fmt.Errorf("before the TTL ran the hold is %s, %w", s, err)
	}
	began := time.Now()
	if _, err := ask(ctx, http.MethodDelete, e.remove); err != nil {
		return "", err
	}
	late, err := e.ended(ctx, h, began)
	if err != nil {
		return "", err
	}
	if err := w.rival.Call(ctx, http.MethodPost, w.holds(), "", map[string]any{"seats": seats(h)}, nil); err != nil {
		return "", err
	}
	return fmt.Sprintf("ended %.1f s after the removal, and the seats are another's", late.Seconds()), nil
}

// dropMessage waits for the hold's deadline to lie in the queue, then empties it.
func (e *expiry) dropMessage(ctx context.Context) error {
	const delayed = types.QueueAttributeNameApproximateNumberOfMessagesDelayed
	for {
		a, err := e.queue.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: &e.timers, AttributeNames: []types.QueueAttributeName{delayed},
		})
		if err != nil {
			return err
		}
		if n, err := strconv.Atoi(a.Attributes[string(delayed)]); err != nil || n > 0 {
			_, purge := e.queue.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &e.timers})
			return errors.Join(err, purge)
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("no message with the deadline came: %w", err)
		}
	}
}

func (e *expiry) state(ctx context.Context, h apiclient.Hold) (booking.State, error) {
	stored, err := e.holds.HoldByID(ctx, booking.HoldID(h.ID))
	return stored.State, err
}

// ended waits for the hold's end, a minute after the time from at the latest.
func (e *expiry) ended(ctx context.Context, h apiclient.Hold, from time.Time) (time.Duration, error) {
	ctx, stop := context.WithDeadlineCause(ctx, from.Add(time.Minute), errors.New("it did not end within a minute"))
	defer stop()
	for {
		stored, err := e.holds.HoldByID(ctx, booking.HoldID(h.ID))
		if err != nil {
			return 0, err
		}
		switch {
		case stored.State == booking.Expired && stored.EndedAt.Before(h.ExpiresAt.Add(e.grace)):
			return 0, fmt.Errorf("it ended at %s, before its grace did", stored.EndedAt)
		case stored.State == booking.Expired:
			return stored.EndedAt.Sub(from), nil
		case stored.State != booking.Held:
			return 0, fmt.Errorf("it is %s", stored.State)
		}
		if err := pause(ctx); err != nil {
			return 0, err
		}
	}
}

func until(ctx context.Context, t time.Time) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Until(t)):
		return nil
	}
}
