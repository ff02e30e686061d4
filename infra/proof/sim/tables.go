package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// network carries requests whose sender has stopped to wait for them.
const network = "network"

var errNoAnswer = errors.New("no answer")

// tables is the in-memory database at the end of a line that loses, delays and
// repeats, as every caller sees it.
type tables struct {
	w  *world
	db *memstore.DB
}

var _ store.Tables = (*tables)(nil)

func (d *tables) Transact(ctx context.Context, writes []store.Write, token string) error {
	w := d.w
	if err := ctx.Err(); err != nil {
		return err
	}
	f, alive := w.enter(transact)
	if !alive {
		return errDead
	}
	t := w.cur
	var release func()
	switch f {
	case throttle:
		w.note(t, "throttled")
		return store.ErrThrottled
	case lost:
		w.note(t, "no answer; it never arrived")
		return store.ErrUnknown
	case late:
		w.note(t, "no answer; it will arrive")
		d.arriveLater(t, writes)
		return store.ErrUnknown
	case conflict:
		release, _ = d.db.Hold(writes[w.tape.pick(len(writes))].Key)
	}
	err := d.apply(ctx, writes, token)
	if release != nil {
		release()
	}
	if !w.leave(f) {
		return errDead
	}
	if f == replyLost {
		w.note(t, "no answer; it took effect")
		return store.ErrUnknown
	}
	return err
}

func (d *tables) arriveLater(t *task, writes []store.Write) {
	wait := time.Duration(of(d.w.tape, 20, 400, 1500, 6000, 12_000)) * time.Millisecond
	ghost := d.w.spawn(network, t.who, wait, func(ctx context.Context) {
		_ = d.apply(ctx, writes, "")
	}, nil)
	ghost.skew, ghost.clock, ghost.fresh, ghost.call = t.skew, t.clock, t.fresh, t.call
	ghost.sender = t.sender
	if ghost.sender == "" {
		ghost.sender = t.handler
	}
}

// apply is what the database does; the judge looks at every change at once.
func (d *tables) apply(ctx context.Context, writes []store.Write, token string) error {
	w := d.w
	t := w.cur
	if !w.calm && w.tape.pick(8) >= 6 {
		if t.window = 1 + w.tape.pick(len(writes)+1); t.window > len(writes) {
			t.window = -1
		}
	}
	t.writes, t.accepted = writes, w.now
	err := d.db.Transact(ctx, writes, token)
	t.window, t.writes = 0, nil
	delete(w.flying, t)
	w.trace(t, "transact", err)
	if err == nil {
		w.changed(t, writes)
	} else {
		w.note(t, "refused: "+reasons(writes, err))
		t.fresh = false
	}
	return err
}

// inFlight lets others meet a transaction that holds its items and has landed in
// part, and hear of what has.
func (w *world) inFlight(_ memstore.Op, landed int) {
	t := w.cur
	if t == nil || t.dead || t.window == 0 {
		return
	}
	w.flying[t] = true
	w.collect()
	if t.window == -1 || t.window == landed+1 {
		w.yield(w.latency())
	}
}

// landing: a transaction that was accepted has the item in hand, and some reads may
// see what the judge will hear of when all of it has landed.
func (w *world) landing(k store.Key) bool {
	_, is := w.inHand(k)
	return is
}

// inHand is what such a transaction does to an item.
func (w *world) inHand(k store.Key) (store.Write, bool) {
	for t := range w.flying {
		if i := slices.IndexFunc(t.writes, func(x store.Write) bool { return x.Key == k }); i >= 0 {
			return t.writes[i], true
		}
	}
	return store.Write{}, false
}

func reasons(writes []store.Write, err error) string {
	var c *store.Canceled
	if !errors.As(err, &c) {
		return err.Error()
	}
	text := ""
	for i, r := range c.Reasons {
		if r.Code != store.ReasonNone {
			text += fmt.Sprintf("%s %s; ", [...]string{"", "", "condition on", "conflict on", "rate of", "fault in"}[r.Code], writes[i].Key.PK+"/"+writes[i].Key.SK)
		}
	}
	return text
}

// look is the frame of every plain read.
func look[T any](w *world, ctx context.Context, do func() (T, error)) (T, error) {
	return lookAt(w, ctx, read, func(fault) (T, error) { return do() })
}

func lookAt[T any](w *world, ctx context.Context, k nature, do func(fault) (T, error)) (nothing T, err error) {
	if err := ctx.Err(); err != nil {
		return nothing, err
	}
	f, alive := w.enter(k)
	if !alive {
		return nothing, errDead
	}
	switch f {
	case throttle:
		w.note(w.cur, "throttled")
		return nothing, store.ErrThrottled
	case lost:
		w.note(w.cur, "no answer")
		return nothing, errNoAnswer
	}
	v, err := do(f)
	w.trace(w.cur, "read", err)
	if !w.leave(f) {
		return nothing, errDead
	}
	return v, err
}

func (d *tables) Get(ctx context.Context, key store.Key, consistent bool) (store.Item, error) {
	return look(d.w, ctx, func() (store.Item, error) { return d.db.Get(ctx, key, consistent) })
}

// BatchGet reads in two parts with time between them, for the service promises no
// moment at which all was so.
func (d *tables) BatchGet(ctx context.Context, keys []store.Key, consistent bool) (map[store.Key]store.Item, error) {
	keys = slices.SortedFunc(slices.Values(keys), func(a, b store.Key) int {
		return cmp.Or(cmp.Compare(a.PK, b.PK), cmp.Compare(a.SK, b.SK))
	})
	return look(d.w, ctx, func() (map[store.Key]store.Item, error) {
		cut := 0
		if len(keys) > 1 && !d.w.calm && d.w.tape.oneIn(4) {
			cut = d.w.tape.pick(len(keys))
		}
		all := make(map[store.Key]store.Item, len(keys))
		for i, k := range keys {
			if i == cut && i > 0 {
				d.w.yield(d.w.latency())
			}
			it, err := d.db.Get(ctx, k, consistent)
			if err != nil {
				return nil, err
			}
			if it != nil {
				all[k] = it
			}
		}
		return all, nil
	})
}

func (d *tables) TransactGet(ctx context.Context, keys []store.Key) ([]store.Item, error) {
	return lookAt(d.w, ctx, moment, func(f fault) ([]store.Item, error) {
		if f == conflict {
			if release, ok := d.db.Hold(keys[d.w.tape.pick(len(keys))]); ok {
				defer release()
			}
		}
		return d.db.TransactGet(ctx, keys)
	})
}

func (d *tables) Query(ctx context.Context, q store.Query) ([]store.Item, string, error) {
	next := ""
	items, err := look(d.w, ctx, func() (items []store.Item, err error) {
		items, next, err = d.db.Query(ctx, q)
		return items, err
	})
	return items, next, err
}
