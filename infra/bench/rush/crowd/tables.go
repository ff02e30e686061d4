package crowd

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// Latency is how long the model's calls take: half of it before the service judges
// and half after, each between half and one and a half times that, and one in a
// hundred five times.
type Latency struct {
	Read   time.Duration // of Get, BatchGet, Query
	Write  time.Duration // of a transaction, but for Flight
	Flight time.Duration // during which a transaction holds its items
	Cold   time.Duration // until a new instance answers its first request
}

// Usual is about what a function sees of a table in its region.
var Usual = Latency{Read: 4 * time.Millisecond, Write: 6 * time.Millisecond, Flight: 4 * time.Millisecond, Cold: 150 * time.Millisecond}

// calls is what one request asked of the store.
type calls struct{ reads, transactions int }

type callsKey struct{}

// wire is the way to the tables and back.
type wire struct {
	next    store.Tables
	clock   *clock
	latency Latency
	rng     *rand.Rand
	load    *load
}

func spread(rng *rand.Rand, d time.Duration) time.Duration {
	if rng.IntN(100) == 0 {
		return 5 * d
	}
	return d/2 + time.Duration(rng.Int64N(int64(d)+1))
}

func (w *wire) half(d time.Duration) { w.clock.wait(spread(w.rng, d) / 2) }

func (w *wire) reading(ctx context.Context) {
	if c, ok := ctx.Value(callsKey{}).(*calls); ok {
		c.reads++
	}
	w.half(w.latency.Read)
}

// Transact implements store.Tables.
func (w *wire) Transact(ctx context.Context, writes []store.Write, token string) error {
	if c, ok := ctx.Value(callsKey{}).(*calls); ok {
		c.transactions++
	}
	w.half(w.latency.Write)
	err := w.next.Transact(ctx, writes, token)
	w.half(w.latency.Write)
	return err
}

// Get implements store.Tables.
func (w *wire) Get(ctx context.Context, key store.Key, consistent bool) (store.Item, error) {
	w.reading(ctx)
	it, err := w.next.Get(ctx, key, consistent)
	w.half(w.latency.Read)
	return it, err
}

// BatchGet implements store.Tables.
func (w *wire) BatchGet(ctx context.Context, keys []store.Key, consistent bool) (map[store.Key]store.Item, error) {
	w.reading(ctx)
	for _, k := range keys {
		w.load.read(w.clock.Now(), k, 1)
	}
	items, err := w.next.BatchGet(ctx, keys, consistent)
	w.half(w.latency.Read)
	return items, err
}

// TransactGet implements store.Tables.
func (w *wire) TransactGet(ctx context.Context, keys []store.Key) ([]store.Item, error) {
	w.reading(ctx)
	items, err := w.next.TransactGet(ctx, keys)
	w.half(w.latency.Read)
	return items, err
}

// Query implements store.Tables.
func (w *wire) Query(ctx context.Context, q store.Query) ([]store.Item, string, error) {
	w.reading(ctx)
	items, next, err := w.next.Query(ctx, q)
	w.load.query(w.clock.Now(), q, items)
	w.half(w.latency.Read)
	return items, next, err
}
