// Package memblob is a bucket in memory, with S3's rules, for tests.
package memblob

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/fairseat/fairseat/pkg/blob"
)

// Bucket is empty when new.
type Bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
}

var _ blob.Bucket = (*Bucket)(nil)

// New makes an empty bucket.
func New() *Bucket { return &Bucket{objects: map[string][]byte{}} }

// Put replaces an object.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) error {
	return b.write(ctx, key, body, true)
}

// Create writes an object that is not there.
func (b *Bucket) Create(ctx context.Context, key string, body []byte) error {
	return b.write(ctx, key, body, false)
}

func (b *Bucket) write(ctx context.Context, key string, body []byte, replace bool) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, there := b.objects[key]; there && !replace {
		return fmt.Errorf("memblob: create %s: %w", key, blob.ErrExists)
	}
	b.objects[key] = bytes.Clone(body)
	return nil
}

func check(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return fmt.Errorf("memblob: %w", err)
	}
	return context.Cause(ctx)
}

// Get reads an object.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	body, ok := b.objects[key]
	if !ok {
		return nil, fmt.Errorf("memblob: get %s: %w", key, blob.ErrMissing)
	}
	return append([]byte{}, body...), nil
}

// Keys lists keys.
func (b *Bucket) Keys(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		b.mu.Lock()
		keys := slices.Sorted(maps.Keys(b.objects))
		b.mu.Unlock()
		for _, k := range keys {
			if err := context.Cause(ctx); err != nil {
				yield("", err)
				return
			}
			if strings.HasPrefix(k, prefix) && k > after && !yield(k, nil) {
				return
			}
		}
	}
}

// Delete removes an object.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
	return nil
}
