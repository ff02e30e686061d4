package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// Get implements store.Tables.
func (db *DB) Get(ctx context.Context, key store.Key, consistent bool) (store.Item, error) {
	if err := db.startRead(ctx, Op{Kind: OpGet, Keys: []store.Key{key}}); err != nil {
		return nil, err
	}
	db.mu.Lock()
	it := db.visible(key, consistent)
	db.mu.Unlock()
	return it.Clone(), nil
}

// BatchGet implements store.Tables.
func (db *DB) BatchGet(ctx context.Context, keys []store.Key, consistent bool) (map[store.Key]store.Item, error) {
	if err := db.startRead(ctx, Op{Kind: OpBatchGet, Keys: slices.Clone(keys)}); err != nil {
		return nil, err
	}
	items := make(map[store.Key]store.Item, len(keys))
	for _, k := range keys {
		db.mu.Lock()
		it := db.visible(k, consistent)
		db.mu.Unlock()
		if it != nil {
			items[k] = it.Clone()
		}
	}
	return items, nil
}

// TransactGet implements store.Tables.
func (db *DB) TransactGet(ctx context.Context, keys []store.Key) ([]store.Item, error) {
	if len(keys) == 0 || len(keys) > maxWrites {
		return nil, fmt.Errorf("memstore: TransactGet: %d keys, not 1 to %d", len(keys), maxWrites)
	}
	if err := db.startRead(ctx, Op{Kind: OpTransactGet, Keys: slices.Clone(keys)}); err != nil {
		return nil, err
	}
	items, err := db.moment(keys)
	if err != nil {
		return nil, fmt.Errorf("memstore: TransactGet: %w", err)
	}
	return items, nil
}

func (db *DB) moment(keys []store.Key) ([]store.Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	refusal := canceled(len(keys), store.ReasonNone)
	items := make([]store.Item, len(keys))
	total := 0
	for i, k := range keys {
		if db.held[k] {
			refusal.Reasons[i].Code = store.ReasonConflict
		}
		items[i] = db.current(k).Clone()
		total += meter.Size(items[i])
	}
	if refusal.Has(store.ReasonConflict) {
		return nil, refusal
	}
	if total > maxTransact {
		return nil, fmt.Errorf("%d bytes, at most %d", total, maxTransact)
	}
	return items, nil
}

// Query implements store.Tables. As on the service a full page has a next one
// even when nothing follows.
func (db *DB) Query(ctx context.Context, q store.Query) ([]store.Item, string, error) {
	if err := checkQuery(q); err != nil {
		return nil, "", fmt.Errorf("memstore: Query: %w", err)
	}
	if err := db.startRead(ctx, Op{Kind: OpQuery, Keys: []store.Key{{Table: q.Table, PK: q.PK}}}); err != nil {
		return nil, "", err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	p := db.table(q.Table).parts[q.PK]
	if p == nil {
		return nil, "", nil
	}
	sks := slices.Clone(p.sks[after(p.sks, q):before(p.sks, q)])
	if q.Descending {
		slices.Reverse(sks)
	}
	items, next := db.page(sks, q)
	return items, next, nil
}

func (db *DB) page(sks []string, q store.Query) (items []store.Item, next string) {
	size := 0
	for _, sk := range sks {
		it := db.visible(store.Key{Table: q.Table, PK: q.PK, SK: sk}, q.Consistent)
		if it == nil {
			continue
		}
		if size += meter.Size(it); size > maxPage {
			return items, items[len(items)-1]["sk"].(string)
		}
		items = append(items, it.Clone())
		if len(items) == q.Limit {
			return items, sk
		}
	}
	return items, ""
}

// after and before bound the sort keys of a query: [after, before).
func after(sks []string, q store.Query) int {
	i, _ := slices.BinarySearch(sks, max(q.From, q.Prefix))
	if q.Next != "" && !q.Descending {
		j, found := slices.BinarySearch(sks, q.Next)
		if found {
			j++
		}
		i = max(i, j)
	}
	return i
}

func before(sks []string, q store.Query) int {
	i := len(sks)
	if q.Before != "" {
		i, _ = slices.BinarySearch(sks, q.Before)
	}
	if q.Prefix != "" {
		i, _ = slices.BinarySearchFunc(sks, q.Prefix, func(sk, prefix string) int {
			if sk < prefix || strings.HasPrefix(sk, prefix) {
				return -1
			}
			return 1
		})
	}
	if q.Next != "" && q.Descending {
		j, _ := slices.BinarySearch(sks, q.Next)
		i = min(i, j)
	}
	return max(i, after(sks, q))
}

func checkQuery(q store.Query) error {
	if err := checkKey(store.Key{Table: q.Table, PK: q.PK, SK: "-"}); err != nil {
		return err
	}
	switch {
	case q.Prefix != "" && (q.Before != "" || q.From != ""):
		return errors.New("a prefix together with a bound")
	case q.Limit < 0:
		return fmt.Errorf("limit %d", q.Limit)
	case q.Next != "" && (!strings.HasPrefix(q.Next, q.Prefix) || q.Next < q.From || q.Before != "" && q.Next >= q.Before):
		return errors.New("next lies outside of the query")
	}
	return nil
}

func (db *DB) startRead(ctx context.Context, op Op) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: %s: %w", op.Kind, err)
	}
	for _, k := range op.Keys {
		if op.Kind == OpQuery {
			k.SK = "-"
		}
		if err := checkKey(k); err != nil {
			return fmt.Errorf("memstore: %s: %w", op.Kind, err)
		}
	}
	return db.readFault(op)
}

func (db *DB) visible(key store.Key, consistent bool) store.Item {
	if consistent || db.opts.Lag == 0 {
		return db.current(key)
	}
	if p := db.table(key.Table).parts[key.PK]; p != nil {
		return p.rows[key.SK].asOf(db.opts.Clock().Add(-db.opts.Lag))
	}
	return nil
}
