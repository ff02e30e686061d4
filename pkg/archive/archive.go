// Package archive keeps what has aged out of the hot tables, and finds it again.
//
// What leaves a table comes by that table's stream and is written as lines of JSON,
// an object for each batch of records and day on which its orders were made:
//
//	orders/made=2026-11-21/<sequence number of the batch's first record>.jsonl
//
// so that a query engine reads a span of days alone. Then an index tells of each
// order in which object it is. Invariants: NothingLost, for the index and the
// stream's position move only after the object is written; OneEffect, for a batch
// that comes again overwrites its object, and a record that comes in another batch
// is the same line under the same sequence number, wherever the index points.
//
// Start with [Keeper].
package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/blob"
	"github.com/fairseat/fairseat/pkg/order"
)

// After is how long after it was made an order stays in the hot table: its show is
// over by then, and the time to dispute its payment too.
const After = 400 * 24 * time.Hour

// ErrMissing is what [Keeper.Order] answers of an order that is not in the archive.
var ErrMissing = errors.New("archive: there is no such order")

// Line is a row that has aged, as the archive has it.
type Line struct {
	Order order.ID // "" for what is found by its order: a payment
	Made  time.Time
	Text  []byte // one JSON object without a line feed
}

// Index tells where orders are. A repeated Place has the effect of one.
type Index interface {
	Place(ctx context.Context, object string, ids []order.ID) error
	// Object is "" for an order that was never placed.
	Object(ctx context.Context, id order.ID) (string, error)
}

// Keeper is the archive.
type Keeper struct {
	Bucket blob.Bucket
	Index  Index
}

// Keep writes the lines of a batch that began with the record of that sequence
// number. It is safe to repeat, and must be until it succeeds.
func (k Keeper) Keep(ctx context.Context, sequence string, lines []Line) error {
	days := map[string][]Line{}
	for _, l := range lines {
		day := l.Made.UTC().Format(time.DateOnly)
		days[day] = append(days[day], l)
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		object := fmt.Sprintf("orders/made=%s/%s.jsonl", day, sequence)
		var body bytes.Buffer
		var ids []order.ID
		for _, l := range days[day] {
			body.Write(l.Text)
			body.WriteByte('\n')
			if l.Order != "" {
				ids = append(ids, l.Order)
			}
		}
		if err := k.Bucket.Put(ctx, object, body.Bytes()); err != nil {
			return fmt.Errorf("archive: write %s: %w", object, err)
		}
		if err := k.Index.Place(ctx, object, ids); err != nil {
			return fmt.Errorf("archive: index %s: %w", object, err)
		}
	}
	return nil
}

// Order finds the line of an order, or fails with ErrMissing. An object that the
// index names and the bucket has not is a fault, no absence.
func (k Keeper) Order(ctx context.Context, id order.ID) ([]byte, error) {
	object, err := k.Index.Object(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("archive: look up order %s: %w", id, err)
	}
	if object == "" {
		return nil, ErrMissing
	}
	body, err := k.Bucket.Get(ctx, object)
	if err != nil {
		return nil, fmt.Errorf("archive: read %s: %w", object, err)
	}
	for line := range bytes.Lines(body) {
		if of(line) == id {
			return bytes.TrimSuffix(line, []byte("\n")), nil
		}
	}
	return nil, fmt.Errorf("archive: order %s is not in %s", id, object)
}

func of(line []byte) order.ID {
	var l struct {
		Order order.ID `json:"order"`
	}
	if json.Unmarshal(line, &l) != nil {
		return ""
	}
	return l.Order
}
