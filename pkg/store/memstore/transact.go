package memstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

const tokenLife = 10 * time.Minute

// ticket is what a request token stands for.
type ticket struct {
	writes [sha256.Size]byte
	done   time.Time // zero while in flight
}

// flight is a transaction that has been accepted and holds its items.
type flight struct {
	op    Op
	after []landing
}

type landing struct {
	key  store.Key
	item store.Item
}

// Transact implements store.Tables.
func (db *DB) Transact(ctx context.Context, writes []store.Write, token string) error {
	_, err := db.TransactSized(ctx, writes, token)
	return err
}

// TransactSized is Transact that also tells the size in bytes of each item as it
// is billed: the larger of before and after. Sizes are nil when the request was
// refused unread.
func (db *DB) TransactSized(ctx context.Context, writes []store.Write, token string) ([]int, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: transact: %w", err)
	}
	if len(writes) == 0 {
		return nil, errors.New("memstore: transact: no writes")
	}
	ws, err := normal(writes, token)
	if err != nil {
		return nil, fmt.Errorf("memstore: transact: %w: %w", canceled(len(writes), store.ReasonFault), err)
	}
	op := Op{Kind: OpTransact, Keys: keysOf(ws), Token: token}
	f, err := db.fault(op)
	if err != nil {
		return nil, err
	}
	switch f {
	case Throttle:
		return nil, fmt.Errorf("memstore: transact: %w", store.ErrThrottled)
	case Conflict:
		return nil, fmt.Errorf("memstore: transact: %w", canceled(len(ws), store.ReasonConflict))
	case LoseRequest:
		return nil, fmt.Errorf("memstore: transact: %w", store.ErrUnknown)
	case DelayRequest:
		db.mu.Lock()
		db.delayed = append(db.delayed, func() { _, _ = db.run(op, ws) })
		db.mu.Unlock()
		return nil, fmt.Errorf("memstore: transact: %w", store.ErrUnknown)
	}
	sizes, err := db.run(op, ws)
	if f == LoseReply {
		return sizes, fmt.Errorf("memstore: transact: %w", store.ErrUnknown)
	}
	if err != nil {
		return sizes, fmt.Errorf("memstore: transact: %w", err)
	}
	return sizes, nil
}

// run judges a transaction and lands it, holding its items in between but not
// the lock: others meet it in flight.
func (db *DB) run(op Op, ws []store.Write) ([]int, error) {
	fl, sizes, err := db.accept(op, ws)
	if fl == nil {
		return sizes, err
	}
	db.opts.Window(op, 0)
	for i, l := range fl.after {
		if i > 0 {
			db.opts.Window(op, i)
		}
		db.land(l)
	}
	db.finish(fl)
	return sizes, nil
}

// accept answers a nil flight when there is nothing to land.
func (db *DB) accept(op Op, ws []store.Write) (*flight, []int, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	sum := fingerprint(op.Token, ws)
	if repeat, err := db.present(op.Token, sum, len(ws)); repeat || err != nil {
		return nil, nil, err
	}
	v := db.judge(ws)
	if v.total > maxTransact {
		return nil, v.sizes, fmt.Errorf("%w: %d bytes, at most %d", canceled(len(ws), store.ReasonFault), v.total, maxTransact)
	}
	if v.refused {
		return nil, v.sizes, &store.Canceled{Reasons: v.reasons}
	}
	for _, w := range ws {
		db.held[w.Key] = true
	}
	if op.Token != "" {
		db.tokens[op.Token] = &ticket{writes: sum}
	}
	if db.opts.Shuffle != nil {
		db.opts.Shuffle(len(v.after), func(i, j int) { v.after[i], v.after[j] = v.after[j], v.after[i] })
	}
	return &flight{op: op, after: v.after}, v.sizes, nil
}

func (db *DB) land(l landing) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.set(l.key, l.item, false)
}

func (db *DB) finish(fl *flight) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for _, k := range fl.op.Keys {
		delete(db.held, k)
	}
	if t := db.tokens[fl.op.Token]; t != nil {
		t.done = db.opts.Clock()
		db.spent = append(db.spent, fl.op.Token)
	}
}

// verdict is what one state says to all the writes.
type verdict struct {
	reasons []store.Reason
	after   []landing
	sizes   []int
	total   int
	refused bool
}

func (db *DB) judge(ws []store.Write) verdict {
	v := verdict{reasons: make([]store.Reason, len(ws)), sizes: make([]int, len(ws))}
	now := db.opts.Clock()
	for i, w := range ws {
		old := db.current(w.Key)
		item, err := result(w, old)
		v.sizes[i] = max(meter.Size(old), meter.Size(item))
		v.total += v.sizes[i]
		r := store.Reason{Code: store.ReasonNone}
		switch {
		case db.held[w.Key]:
			r.Code = store.ReasonConflict
		case !db.afford(part{w.Key.Table, w.Key.PK}, meter.WriteUnits(v.sizes[i]), now):
			r.Code = store.ReasonThrottled
		case w.Where != nil && !holds(w.Where, old):
			r = store.Reason{Code: store.ReasonCondition, Old: old.Clone()}
		case err != nil || meter.Size(item) > maxItem:
			r.Code = store.ReasonFault
		}
		v.reasons[i] = r
		v.refused = v.refused || r.Code != store.ReasonNone
		if !w.Check {
			v.after = append(v.after, landing{w.Key, item})
		}
	}
	return v
}

// present shows a token: repeat says that its writes were done already.
func (db *DB) present(token string, sum [sha256.Size]byte, n int) (repeat bool, err error) {
	if token == "" {
		return false, nil
	}
	now := db.opts.Clock()
	for len(db.spent) > 0 && !now.Before(db.tokens[db.spent[0]].done.Add(tokenLife)) {
		delete(db.tokens, db.spent[0])
		db.spent = db.spent[1:]
	}
	t := db.tokens[token]
	switch {
	case t == nil:
		return false, nil
	case t.writes != sum:
		return false, store.ErrTokenMismatch
	case t.done.IsZero():
		return false, canceled(n, store.ReasonConflict)
	}
	return true, nil
}

// fingerprint relies on fmt printing maps in order of their keys.
func fingerprint(token string, ws []store.Write) [sha256.Size]byte {
	if token == "" {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(fmt.Appendf(nil, "%#v", ws))
}

func keysOf(ws []store.Write) []store.Key {
	keys := make([]store.Key, len(ws))
	for i, w := range ws {
		keys[i] = w.Key
	}
	return keys
}

// afford takes units from a partition's second of budget. What a refused
// transaction took stays taken: the service charges for it.
func (db *DB) afford(p part, units int64, now time.Time) bool {
	if db.opts.Rate == 0 {
		return true
	}
	cost := time.Duration(units) * time.Second / time.Duration(db.opts.Rate)
	full := db.full[p] // when the budget is whole again
	if full.Before(now) {
		full = now
	}
	if owed := full.Sub(now); owed > 0 && owed+cost > time.Second {
		return false
	}
	db.full[p] = full.Add(cost)
	return true
}
