// Package indexing is the edge between the streams and the index of the search: a
// batch of records becomes a batch of rows. It is apart from the other edges, for
// no other function links what an index is made of.
package indexing

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/work"
)

// Index takes rows; shelf.Writer's Append.
type Index interface {
	Append(ctx context.Context, rows search.Rows) error
}

// Stock reads what is left of shows; store.Segments.
type Stock interface {
	Stock(ctx context.Context, keys []store.Key) (search.Rows, error)
}

// Shows follows the catalogue's stream, whose records say all, and that of the
// seat maps, whose records say that the stock of a show has changed: what it is
// now is read anew. A batch fails as a whole: it is one change of the index.
func Shows(ix Index, stock Stock) work.StreamHandler {
	return func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		answer := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
		rows, err := rowsOf(ctx, stock, e.Records)
		if err == nil {
			err = ix.Append(ctx, rows)
		}
		if err != nil {
			slog.ErrorContext(ctx, "batch not indexed", "records", len(e.Records), "err", err.Error())
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: e.Records[0].Change.SequenceNumber})
		}
		return answer, nil
	}
}

func rowsOf(ctx context.Context, stock Stock, records []events.DynamoDBEventRecord) (search.Rows, error) {
	rows := search.Rows{}
	touched := map[store.Key]bool{}
	for _, r := range records {
		pk, sk := r.Change.Keys["pk"].String(), r.Change.Keys["sk"].String()
		if _, ok := store.StatusKey(pk, sk); ok {
			touched[store.Key{Table: store.Snapshots, PK: pk, SK: sk}] = true
			continue
		}
		it, err := work.Image(r.Change.NewImage)
		if err != nil {
			return nil, err
		}
		k, row, ok, err := store.SearchRow(pk, sk, it)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pk, err)
		}
		if ok {
			rows[k] = row
		}
	}
	if len(touched) == 0 {
		return rows, nil
	}
	keys := make([]store.Key, 0, len(touched))
	for k := range touched {
		keys = append(keys, k)
	}
	left, err := stock.Stock(ctx, keys)
	if err != nil {
		return nil, err
	}
	return rows.Over(left), nil
}
