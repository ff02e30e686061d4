// Package blobtest is the suite that every bucket passes.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fairseat/fairseat/pkg/blob"
)

// Run runs the suite; open gives an empty bucket.
func Run(t *testing.T, open func(t *testing.T) blob.Bucket) {
	for name, test := range map[string]func(*testing.T, blob.Bucket){
		"objects": objects, "keys": keys, "create": create, "order": order, "cancelled": cancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func objects(t *testing.T, b blob.Bucket) {
	ctx := t.Context()
	if _, err := b.Get(ctx, "a/b"); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("what is not there: %v", err)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	for _, body := range [][]byte{[]byte("one"), {}, {0, 255, '\n'}, big} {
		if err := b.Put(ctx, "a/b", body); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Get(ctx, "a/b"); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back as %d: %v", len(body), len(got), err)
		}
	}
	for range 2 {
		if err := b.Delete(ctx, "a/b"); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Get(ctx, "a/b"); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("what was removed: %v", err)
	}
}

func keys(t *testing.T, b blob.Bucket) {
	ctx := t.Context()
	for _, key := range []string{"", "/", "a//b", "a/", "/a", ".", "a/../b", "a/./b", "\x00", "a\nb", "\xff", string(bytes.Repeat([]byte("k"), 1025))} {
		_, err := b.Get(ctx, key)
		for _, err := range []error{err, b.Put(ctx, key, nil), b.Create(ctx, key, nil), b.Delete(ctx, key)} {
			if !errors.Is(err, blob.ErrKey) {
				t.Errorf("key %.20q: %v", key, err)
			}
		}
	}
	for _, key := range []string{"a b+c%2F&=?#.json", "座位/C-7", "..a", "a~(b)'!*;:@,$"} {
		if err := b.Put(ctx, key, []byte(key)); err != nil {
			t.Errorf("key %q: %v", key, err)
			continue
		}
		if got, err := b.Get(ctx, key); err != nil || string(got) != key {
			t.Errorf("key %q: %q, %v", key, got, err)
		}
	}
}

func create(t *testing.T, b blob.Bucket) {
	ctx := t.Context()
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			switch err := b.Create(ctx, "once", fmt.Append(nil, i)); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, blob.ErrExists):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 8 wrote it", won.Load())
	}
	was, err := b.Get(ctx, "once")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Create(ctx, "once", []byte("later")); !errors.Is(err, blob.ErrExists) {
		t.Errorf("later: %v", err)
	}
	if got, _ := b.Get(ctx, "once"); !bytes.Equal(got, was) {
		t.Errorf("%q became %q", was, got)
	}
	if err := b.Delete(ctx, "once"); err != nil {
		t.Fatal(err)
	}
	if err := b.Create(ctx, "once", nil); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

func order(t *testing.T, b blob.Bucket) {
	ctx := t.Context()
	want := []string{"x/1", "x/10", "x/2", "x/é", "xy", "y/1"}
	for _, k := range slices.Backward(want) {
		if err := b.Put(ctx, k, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		prefix, after string
		want          []string
	}{
		{"", "", want}, {"x", "", want[:5]}, {"x/", "", want[:4]}, {"x/", "x/1", want[1:4]}, {"x/", "x/11", want[2:4]}, {"z", "", nil}, {"x/", "z", nil},
	} {
		if got := collect(t, b.Keys(ctx, tt.prefix, tt.after)); !slices.Equal(got, tt.want) {
			t.Errorf("prefix %q after %q: %q, want %q", tt.prefix, tt.after, got, tt.want)
		}
	}
	for k := range b.Keys(ctx, "", "") {
		if k != want[0] {
			t.Errorf("the first is %q", k)
		}
		break
	}
}

func collect(t *testing.T, all iter.Seq2[string, error]) []string {
	t.Helper()
	var keys []string
	for k, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}

func cancelled(t *testing.T, b blob.Bucket) {
	if err := b.Put(t.Context(), "k", nil); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err := b.Get(ctx, "k")
	for _, err := range []error{err, b.Put(ctx, "k", nil), b.Create(ctx, "l", nil), b.Delete(ctx, "k")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("without time: %v", err)
		}
	}
	for _, err := range b.Keys(ctx, "", "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a list without time: %v", err)
		}
	}
	if _, err := b.Get(t.Context(), "l"); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("it was written without time: %v", err)
	}
}
