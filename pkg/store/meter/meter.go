package meter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/fairseat/fairseat/pkg/store"
)

// Sized is implemented by tables that can tell the billed size in bytes of each
// write of a transaction, in order, refused or not; nil when nothing was read.
type Sized interface {
	TransactSized(ctx context.Context, writes []store.Write, token string) ([]int, error)
}

// Op is a kind of call. The zero value is invalid.
type Op uint8

const (
	_ Op = iota
	Transact
	Get
	BatchGet
	TransactGet
	Query
	Update
)

func (o Op) String() string {
	return [...]string{"invalid", "Transact", "Get", "BatchGet", "TransactGet", "Query", "Update"}[o]
}

// Halves is an amount of capacity in half units: write units for Transact and
// Update, read units for the rest.
type Halves int64

// Units makes an amount of whole units.
func Units(n int64) Halves { return Halves(2 * n) }

func (h Halves) String() string {
	if h%2 == 0 {
		return fmt.Sprint(int64(h / 2))
	}
	return fmt.Sprintf("%d.5", int64(h/2))
}

// Place is a kind of call on a table.
type Place struct {
	Op    Op
	Table store.Table
}

// Counts is what was counted. A request over several tables is one request.
type Counts struct {
	Requests map[Op]int64
	Units    map[Place]Halves
}

// Of is the amount of one kind of call over all tables.
func (c Counts) Of(op Op) Halves {
	var sum Halves
	for p, h := range c.Units {
		if p.Op == op {
			sum += h
		}
	}
	return sum
}

// Meter is the tables port with a count. It is safe for concurrent use.
type Meter struct {
	next   store.Tables
	mu     sync.Mutex
	counts Counts
}

var _ store.Counters = (*Meter)(nil)

// New counts what passes to next.
func New(next store.Tables) *Meter {
	m := &Meter{next: next}
	m.Reset()
	return m
}

// Snapshot is a copy of the counts since the last Reset.
func (m *Meter) Snapshot() Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Counts{Requests: maps.Clone(m.counts.Requests), Units: maps.Clone(m.counts.Units)}
}

// Reset begins to count anew.
func (m *Meter) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts = Counts{Requests: map[Op]int64{}, Units: map[Place]Halves{}}
}

// bill is the cost of one call by table.
type bill map[store.Table]Halves

func (m *Meter) count(op Op, requests int64, b bill) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts.Requests[op] += requests
	for table, h := range b {
		m.counts.Units[Place{op, table}] += h
	}
}

// Transact implements store.Tables.
func (m *Meter) Transact(ctx context.Context, writes []store.Write, token string) error {
	var sizes []int
	var err error
	if sized, ok := m.next.(Sized); ok {
		sizes, err = sized.TransactSized(ctx, writes, token)
	} else {
		err = m.next.Transact(ctx, writes, token)
	}
	b := bill{}
	if charged(err) {
		for i, w := range writes {
			size := guess(w)
			if sizes != nil {
				size = sizes[i]
			}
			b[w.Key.Table] += Units(WriteUnits(size))
		}
	}
	m.count(Transact, 1, b)
	return err
}

// Update implements store.Counters where next does. What is written is what is
// billed, though the service bills what was there if that was larger: a counter
// does not shrink.
func (m *Meter) Update(ctx context.Context, key store.Key, changes []store.Change, where store.Cond) (store.Item, error) {
	next, ok := m.next.(store.Counters)
	if !ok {
		return nil, errors.New("meter: what is counted counts nothing itself")
	}
	it, err := next.Update(ctx, key, changes, where)
	b := bill{}
	if charged(err) {
		b[key.Table] = Units(WriteUnits(Size(it)) / 2)
	}
	m.count(Update, 1, b)
	return it, err
}

// charged reports whether the service did the work of judging.
func charged(err error) bool {
	var c *store.Canceled
	switch {
	case err == nil, errors.Is(err, store.ErrUnknown):
		return true
	case errors.As(err, &c):
		return c.Has(store.ReasonCondition) || c.Has(store.ReasonConflict) || c.Has(store.ReasonThrottled) || c.Has(store.ReasonNone)
	}
	return false
}

func guess(w store.Write) int {
	if w.Put == nil {
		return 1
	}
	it := maps.Clone(w.Put)
	it["pk"], it["sk"] = w.Key.PK, w.Key.SK
	return Size(it)
}

// Get implements store.Tables.
func (m *Meter) Get(ctx context.Context, key store.Key, consistent bool) (store.Item, error) {
	it, err := m.next.Get(ctx, key, consistent)
	b := bill{}
	if err == nil {
		b[key.Table] = read(Size(it), consistent)
	}
	m.count(Get, 1, b)
	return it, err
}

// BatchGet implements store.Tables.
func (m *Meter) BatchGet(ctx context.Context, keys []store.Key, consistent bool) (map[store.Key]store.Item, error) {
	items, err := m.next.BatchGet(ctx, keys, consistent)
	b := bill{}
	asked := map[store.Key]bool{}
	for _, k := range keys {
		if !asked[k] && err == nil {
			b[k.Table] += read(Size(items[k]), consistent)
		}
		asked[k] = true
	}
	m.count(BatchGet, int64(len(asked)+99)/100, b)
	return items, err
}

// TransactGet implements store.Tables.
func (m *Meter) TransactGet(ctx context.Context, keys []store.Key) ([]store.Item, error) {
	items, err := m.next.TransactGet(ctx, keys)
	b := bill{}
	var c *store.Canceled
	asked := map[store.Key]bool{}
	for i, k := range keys {
		switch {
		case asked[k]:
		case err == nil:
			b[k.Table] += 2 * read(Size(items[i]), true)
		case errors.As(err, &c):
			b[k.Table] += 2 * read(0, true)
		}
		asked[k] = true
	}
	m.count(TransactGet, 1, b)
	return items, err
}

// Query implements store.Tables.
func (m *Meter) Query(ctx context.Context, q store.Query) ([]store.Item, string, error) {
	items, next, err := m.next.Query(ctx, q)
	b := bill{}
	if err == nil {
		sum := 0
		for _, it := range items {
			sum += Size(it)
		}
		b[q.Table] = read(sum, q.Consistent)
	}
	m.count(Query, 1, b)
	return items, next, err
}

func read(size int, consistent bool) Halves {
	h := Halves(blocks(size, readBlock))
	if consistent {
		h *= 2
	}
	return h
}
