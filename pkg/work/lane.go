package work

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/relay"
)

// RelayLine sends what the stream of the line causes. The seats that a batch frees
// in a show are one message.
func RelayLine(s Sender, p booking.Policy, clock func() time.Time) StreamHandler {
	return func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		freed := map[catalog.ShowID]string{} // by the last record that says so
		answer := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
		for _, r := range e.Records {
			rec, err := record(r)
			if err == nil {
				ms, rerr := relay.OfWaiter(rec, p.Grace, clock())
				err = send(ctx, s, ms, rerr)
			}
			if err != nil {
				slog.ErrorContext(ctx, "stream record failed", "sequence", r.Change.SequenceNumber, "err", err.Error())
				answer = stopAt(r) // those before it count as done, so they are done below
				break
			}
			if show, ok := relay.FreedSeat(rec); ok {
				freed[show] = rec.Sequence
			}
			ms, err := relay.OfLineTold(rec)
			hint(ctx, s, ms, err)
		}
		for _, show := range slices.Sorted(maps.Keys(freed)) {
			ms, err := relay.Wake(relay.LaneWake{Show: show, Why: relay.Released}, freed[show])
			if err := send(ctx, s, ms, err); err != nil {
				slog.ErrorContext(ctx, "stream records failed", "show", string(show), "err", err.Error())
				return stopAt(e.Records[0]), nil
			}
		}
		return answer, nil
	}
}

// AdvanceLine runs the lanes of the shows that a batch of messages wakes, each once:
// all who joined are numbered together. What fails comes back, with all that follows
// of its show.
func AdvanceLine(o *boxoffice.Office) QueueHandler {
	return func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		failed := []events.SQSBatchItemFailure{}
		wakes := map[catalog.ShowID]*laneBatch{}
		var order []catalog.ShowID
		for _, m := range e.Records {
			var w relay.LaneWake
			if err := message(ctx, m, func(_ context.Context, body relay.LaneWake) error { w = body; return nil }); err != nil {
				slog.ErrorContext(ctx, "message failed", "message", m.MessageId, "err", err.Error())
				failed = append(failed, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
				continue
			}
			if wakes[w.Show] == nil {
				wakes[w.Show] = &laneBatch{}
				order = append(order, w.Show)
			}
			wakes[w.Show].add(w, m.MessageId)
		}
		for _, show := range order {
			b := wakes[show]
			if err := b.run(ctx, o, show); err != nil {
				slog.ErrorContext(ctx, "lane failed", "show", string(show), "err", err.Error())
				for _, id := range b.messages {
					failed = append(failed, events.SQSBatchItemFailure{ItemIdentifier: id})
				}
			}
		}
		return events.SQSEventResponse{BatchItemFailures: failed}, nil
	}
}

// laneBatch is what the messages of one show come to.
type laneBatch struct {
	wake     boxoffice.Wake
	due      time.Time // the latest deadline of them
	messages []string
}

func (b *laneBatch) add(w relay.LaneWake, message string) {
	b.messages = append(b.messages, message)
	if w.Waiter != "" && !slices.Contains(b.wake.Named, w.Waiter) {
		b.wake.Named = append(b.wake.Named, w.Waiter)
	}
	b.wake.Joined = b.wake.Joined || w.Why == relay.Joined
	b.wake.Sold = b.wake.Sold || w.Why == relay.Sold
	b.wake.Sweep = b.wake.Sweep || w.Why == relay.Swept
	if due := time.UnixMilli(w.Due); w.Due > 0 && due.After(b.due) {
		b.due = due
	}
}

// run waits for a deadline that by this clock has not come: a message that is
// acknowledged early is lost.
func (b *laneBatch) run(ctx context.Context, o *boxoffice.Office, show catalog.ShowID) error {
	if rest := b.due.Sub(o.Clock()); rest > 0 {
		if rest > o.Policy.Grace {
			return booking.ErrNotOverdue
		}
		if err := o.Pause(ctx, rest); err != nil {
			return err
		}
	}
	return o.RunLane(ctx, show, b.wake)
}
