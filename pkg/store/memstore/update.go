package memstore

import (
	"context"
	"fmt"

	"github.com/fairseat/fairseat/pkg/store"
)

// Update implements store.Counters. Only a transaction that holds the item is in
// its way.
func (db *DB) Update(ctx context.Context, key store.Key, changes []store.Change, where store.Cond) (store.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: update: %w", err)
	}
	ws, err := normal([]store.Write{{Key: key, Update: changes, Where: where}}, "")
	if err != nil {
		return nil, fmt.Errorf("memstore: update: %w: %w", canceled(1, store.ReasonFault), err)
	}
	op := Op{Kind: OpUpdate, Keys: keysOf(ws)}
	f, err := db.fault(op)
	if err != nil {
		return nil, err
	}
	switch f {
	case Throttle:
		return nil, fmt.Errorf("memstore: update: %w", store.ErrThrottled)
	case Conflict:
		return nil, fmt.Errorf("memstore: update: %w", canceled(1, store.ReasonConflict))
	case LoseRequest:
		return nil, fmt.Errorf("memstore: update: %w", store.ErrUnknown)
	case DelayRequest:
		db.mu.Lock()
		db.delayed = append(db.delayed, func() { _, _ = db.update(ws) })
		db.mu.Unlock()
		return nil, fmt.Errorf("memstore: update: %w", store.ErrUnknown)
	}
	it, err := db.update(ws)
	if f == LoseReply {
		return nil, fmt.Errorf("memstore: update: %w", store.ErrUnknown)
	}
	if err != nil {
		return nil, fmt.Errorf("memstore: update: %w", err)
	}
	return it, nil
}

func (db *DB) update(ws []store.Write) (store.Item, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	v := db.judge(ws)
	if v.refused {
		return nil, &store.Canceled{Reasons: v.reasons}
	}
	db.set(v.after[0].key, v.after[0].item, false)
	return v.after[0].item.Clone(), nil
}
