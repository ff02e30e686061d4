package catalog

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// flightTime bounds a read that several requests share: it must not end with the
// one that happened to come first, nor outlive them for long.
const flightTime = 5 * time.Second

// cache keeps at most max values for ttl each (0: for ever), the least recently
// used goes first. Errors are not kept. Concurrent loads of one key are one.
type cache[V any] struct {
	now func() time.Time
	ttl time.Duration
	max int

	flights singleflight.Group
	mu      sync.Mutex
	byKey   map[string]*list.Element
	recent  list.List // of *entry[V], most recent first
}

type entry[V any] struct {
	key    string
	value  V
	loaded time.Time
}

func newCache[V any](now func() time.Time, ttl time.Duration, max int) *cache[V] {
	return &cache[V]{now: now, ttl: ttl, max: max, byKey: map[string]*list.Element{}}
}

func (c *cache[V]) get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	if v, ok := c.kept(key); ok {
		return v, nil
	}
	flight := c.flights.DoChan(key, func() (any, error) {
		shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightTime)
		defer cancel()
		// The age counts from before the read: a slow one is not made younger by it.
		started := c.now()
		v, err := load(shared)
		if err == nil {
			c.keep(key, v, started)
		}
		return v, err
	})
	select {
	case r := <-flight:
		v, _ := r.Val.(V)
		return v, r.Err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (c *cache[V]) kept(key string) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byKey[key]
	if el == nil {
		return v, false
	}
	e := el.Value.(*entry[V])
	if c.ttl > 0 && c.now().Sub(e.loaded) >= c.ttl {
		c.drop(el)
		return v, false
	}
	c.recent.MoveToFront(el)
	return e.value, true
}

func (c *cache[V]) keep(key string, v V, loaded time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.byKey[key]; el != nil {
		c.drop(el)
	}
	c.byKey[key] = c.recent.PushFront(&entry[V]{key, v, loaded})
	for len(c.byKey) > c.max {
		c.drop(c.recent.Back())
	}
}

func (c *cache[V]) drop(el *list.Element) {
	c.recent.Remove(el)
	delete(c.byKey, el.Value.(*entry[V]).key)
}
