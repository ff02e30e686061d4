package ddb

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/pkg/store"
)

// Store is the tables port over DynamoDB. It is safe for concurrent use.
type Store struct {
	client *dynamodb.Client
	once   *dynamodb.Client // without retries
	names  map[store.Table]*string
	jitter func(time.Duration) time.Duration
	retry  aws.Retryer
}

var _ store.Counters = (*Store)(nil)

// New speaks to the deployed tables by their names. jitter picks a wait between
// zero and its argument; two logical tables must not share a deployed one.
func New(client *dynamodb.Client, names map[store.Table]string, jitter func(time.Duration) time.Duration) *Store {
	s := &Store{client: client, once: dynamodb.New(client.Options(), once), names: make(map[store.Table]*string, len(names)), jitter: jitter}
	for t, name := range names {
		s.names[t] = &name
	}
	s.retry = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.Backoff = retry.BackoffDelayerFunc(func(n int, _ error) (time.Duration, error) {
			return s.backoff(n), nil
		})
	})
	return s
}

// backoff is full jitter under 50 ms, 100 ms, … at most 800 ms.
func (s *Store) backoff(n int) time.Duration {
	return s.jitter(50 * time.Millisecond << min(n, 4))
}

func (s *Store) table(t store.Table) (*string, error) {
	name := s.names[t]
	if name == nil {
		return nil, fmt.Errorf("no table is deployed for %q", t)
	}
	return name, nil
}

// Transact implements store.Tables.
func (s *Store) Transact(ctx context.Context, writes []store.Write, token string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("ddb: transact: %w", err)
	}
	if len(writes) == 0 {
		return errors.New("ddb: transact: no writes")
	}
	memory := slabs.Get().(*slab)
	defer memory.recycle()
	in, err := s.transaction(memory, writes, token)
	if err != nil {
		return fmt.Errorf("ddb: transact: %w: %w", canceled(len(writes), store.ReasonFault), err)
	}
	var w wire
	w.trace.WroteHeaders = w.wrote
	traced := httptrace.WithClientTrace(ctx, &w.trace)
	_, err = s.once.TransactWriteItems(traced, in)
	if err != nil {
		return fmt.Errorf("ddb: transact: %w", classifyWrite(err, len(writes), w.sent.Load()))
	}
	return nil
}

// wire is whether a request was written to a connection. It is no part of a slab:
// a call that was given up may still be written after it has returned.
type wire struct {
	sent  atomic.Bool
	trace httptrace.ClientTrace
}

func (w *wire) wrote() { w.sent.Store(true) }

func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

func (s *Store) transaction(memory *slab, writes []store.Write, token string) (*dynamodb.TransactWriteItemsInput, error) {
	in := &memory.in
	if token != "" {
		in.ClientRequestToken = &token
	}
	for i, w := range writes {
		name, err := s.table(w.Key.Table)
		var item types.TransactWriteItem
		if err == nil {
			item, err = memory.render(w, name)
		}
		if err != nil {
			return nil, fmt.Errorf("write %d: %w", i, err)
		}
		memory.items = append(memory.items, item)
	}
	in.TransactItems = memory.items
	return in, nil
}
