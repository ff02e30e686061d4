// Package work is the edge towards queues, streams and sockets: it turns events into
// calls of the use cases, and their errors into the partial failures or the statuses
// that the service understands.
//
// A queue's message that fails comes back alone; of a stream's batch the first
// failure is named and everything from there comes again, in order. Both are safe,
// for every consumer goes by the state. Start with [Stream] and [Messages].
package work

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/relay"
)

// StreamHandler is what Lambda calls with a batch of records.
type StreamHandler func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error)

// QueueHandler is what Lambda calls with a batch of messages.
type QueueHandler func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error)

// Stream handles records one by one, in order, and stops at the first failure.
func Stream(handle func(context.Context, relay.Record) error) StreamHandler {
	return func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		for _, r := range e.Records {
			rec, err := record(r)
			if err == nil {
				err = handle(ctx, rec)
			}
			if err != nil {
				slog.ErrorContext(ctx, "stream record failed", "sequence", r.Change.SequenceNumber, "err", err.Error())
				return stopAt(r), nil
			}
		}
		return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}, nil
	}
}

func stopAt(r events.DynamoDBEventRecord) events.DynamoDBEventResponse {
	return events.DynamoDBEventResponse{
		BatchItemFailures: []events.DynamoDBBatchItemFailure{{ItemIdentifier: r.Change.SequenceNumber}},
	}
}

// Messages handles messages one by one; those that fail come back. In a FIFO
// batch everything behind a failure comes back too, for its order's sake.
func Messages[T any](fifo bool, handle func(context.Context, T) error) QueueHandler {
	return func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		failed := []events.SQSBatchItemFailure{}
		for _, m := range e.Records {
			if fifo && len(failed) > 0 {
				failed = append(failed, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
				continue
			}
			if err := message(ctx, m, handle); err != nil {
				level := slog.LevelError
				if fault.Is(err, fault.Stale) {
					level = slog.LevelInfo // early: it comes again
				}
				slog.Log(ctx, level, "message failed", "message", m.MessageId, "err", err.Error())
				failed = append(failed, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return events.SQSEventResponse{BatchItemFailures: failed}, nil
	}
}

func message[T any](ctx context.Context, m events.SQSMessage, handle func(context.Context, T) error) error {
	d := json.NewDecoder(bytes.NewReader([]byte(m.Body)))
	d.DisallowUnknownFields()
	var body T
	if err := d.Decode(&body); err != nil {
		return fmt.Errorf("work: body: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("work: something follows the body")
	}
	return handle(ctx, body)
}
