package work

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/archive"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
)

// Archive takes rows that have aged out of a table; a repeat has the effect of one.
type Archive interface {
	Keep(ctx context.Context, sequence string, lines []archive.Line) error
}

// RecordOrder keeps what buyers are shown of their orders, by the stream of orders. The
// records of one order come in their order, and any of them may come again. What was
// removed goes into the archive first, the batch at once: one function does both
// because no more than two should read one stream. A batch that cannot be archived
// comes again whole.
func RecordOrder(b *history.Book, a Archive) StreamHandler {
	shown := recordShown(b)
	return func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		if r, err := keepAged(ctx, a, e); err != nil {
			slog.ErrorContext(ctx, "records not archived", "sequence", r.Change.SequenceNumber, "err", err.Error())
			return stopAt(e.Records[0]), nil
		}
		return shown(ctx, e)
	}
}

// keepAged archives what the batch tells was removed, or says at which record it failed.
func keepAged(ctx context.Context, a Archive, e events.DynamoDBEvent) (at events.DynamoDBEventRecord, err error) {
	var lines []archive.Line
	for _, r := range e.Records {
		if events.DynamoDBOperationType(r.EventName) != events.DynamoDBOperationTypeRemove {
			continue
		}
		rec, err := record(r)
		if err != nil {
			return r, err
		}
		line, ok, err := store.AgedLine(rec.Old, rec.Sequence)
		if err != nil {
			return r, err
		}
		if ok {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return at, nil
	}
	return e.Records[0], a.Keep(ctx, e.Records[0].Change.SequenceNumber, lines)
}

func recordShown(b *history.Book) StreamHandler {
	return Stream(func(ctx context.Context, r relay.Record) error {
		from, o, is, err := store.OrderRecord(r.Old, r.New)
		if err != nil || !is {
			return err
		}
		return b.Record(ctx, from, o)
	})
}
