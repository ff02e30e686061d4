package main

import (
	"context"
	"errors"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

var errNoAnswer = errors.New("no answer")

// tables is the in-memory database as callers see it over a network: now and then a
// request is lost, throttled, in conflict or without an answer, or its sender dies.
type tables struct{ w *world }

var _ store.Tables = tables{}

// latency of one call. Most give the processor back for nothing but its own time,
// so that what is asked at one moment meets.
func (w *world) latency() time.Duration {
	return [...]time.Duration{1, 2, 2, 3, 3, 4, 5, 8, 12, 30}[w.Pick(10)] * time.Millisecond
}

// enter is the first half of a call; it is false where nothing must happen.
func (w *world) enter() bool {
	if w.cur.dead {
		return false
	}
	w.calls++
	w.yield(w.latency())
	return !w.cur.dead
}

func (d tables) Transact(ctx context.Context, writes []store.Write, token string) error {
	w := d.w
	if !w.enter() {
		return errDead
	}
	f := noFault
	if w.oneIn(w.faultEvery) {
		f = fault(1 + w.Pick(int(faults)-1))
		w.faulted++
	}
	switch f {
	case diesBefore:
		w.kill(w.cur)
		return errDead
	case throttled:
		return store.ErrThrottled
	case lost:
		return store.ErrUnknown
	case late:
		w.After([...]time.Duration{20, 400, 6000}[w.Pick(3)]*time.Millisecond, func() {
			_ = w.db.Transact(context.Background(), writes, "")
			w.collect()
		})
		return store.ErrUnknown
	case conflict:
		if release, ok := w.db.Hold(writes[w.Pick(len(writes))].Key); ok {
			defer release()
		}
	}
	err := w.db.Transact(ctx, writes, token)
	w.collect()
	switch f {
	case diesAfter:
		w.kill(w.cur)
		return errDead
	case replyLost:
		return store.ErrUnknown
	}
	return err
}

// fault of one transaction. The zero value is none.
type fault uint8

const (
	noFault fault = iota
	diesBefore
	diesAfter
	throttled
	lost
	late
	replyLost
	conflict
	faults
)

// look is the frame of all reads.
func look[T any](w *world, ctx context.Context, read func() (T, error)) (nothing T, err error) {
	if !w.enter() {
		return nothing, errDead
	}
	if w.oneIn(w.faultEvery * 5) {
		w.faulted++
		if w.oneIn(2) {
			return nothing, store.ErrThrottled
		}
		return nothing, errNoAnswer
	}
	return read()
}

func (d tables) Get(ctx context.Context, key store.Key, consistent bool) (store.Item, error) {
	return look(d.w, ctx, func() (store.Item, error) { return d.w.db.Get(ctx, key, consistent) })
}

func (d tables) BatchGet(ctx context.Context, keys []store.Key, consistent bool) (map[store.Key]store.Item, error) {
	return look(d.w, ctx, func() (map[store.Key]store.Item, error) { return d.w.db.BatchGet(ctx, keys, consistent) })
}

func (d tables) TransactGet(ctx context.Context, keys []store.Key) ([]store.Item, error) {
	return look(d.w, ctx, func() ([]store.Item, error) { return d.w.db.TransactGet(ctx, keys) })
}

func (d tables) Query(ctx context.Context, q store.Query) (items []store.Item, next string, err error) {
	items, err = look(d.w, ctx, func() (items []store.Item, err error) {
		items, next, err = d.w.db.Query(ctx, q)
		return items, err
	})
	return items, next, err
}
