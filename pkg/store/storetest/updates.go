package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fairseat/fairseat/pkg/store"
)

// singleUpdates: one update alone does what it does in a transaction, obeys its
// condition, and answers what it made or what stood in its way.
func singleUpdates(t *testing.T, tables store.Tables) {
	db, ok := tables.(store.Counters)
	if !ok {
		t.Fatalf("%T does not count", tables)
	}
	k := key(fresh(t), "sk")
	room := func(n, limit int64) store.Cond {
		return store.Any{store.NoAttr{Attr: "n"}, store.AtMost{Attr: "n", N: limit - n}}
	}
	add := func(n, limit int64) (store.Item, error) {
		return db.Update(t.Context(), k, []store.Change{change("n", store.Add, n), change("s", store.SetTo, "x")}, room(n, limit))
	}
	for _, want := range []int64{3, 6, 9} {
		got, err := add(3, 10)
		if err != nil {
			t.Fatal(err)
		}
		wantItem(t, got, k, store.Item{"n": want, "s": "x"})
	}
	_, err := add(3, 10)
	wantItem(t, wantReasons(t, err, store.ReasonCondition).Reasons[0].Old, k, store.Item{"n": int64(9), "s": "x"})
	wantItem(t, read(t, db, k), k, store.Item{"n": int64(9), "s": "x"})
	if got, err := db.Update(t.Context(), k, []store.Change{change("n", store.Unset, nil)}, nil); err != nil || !got.Equal(stored(k, store.Item{"s": "x"})) {
		t.Errorf("without a condition: %v, %v", got, err)
	}
	_, err = db.Update(t.Context(), key(k.PK, "none"), []store.Change{change("n", store.Add, int64(1))}, store.Exists{})
	if c := wantReasons(t, err, store.ReasonCondition); c.Reasons[0].Old != nil {
		t.Errorf("an absent item was %v", c.Reasons[0].Old)
	}
	_, err = db.Update(t.Context(), k, nil, nil)
	wantFault(t, err)
	_, err = db.Update(t.Context(), k, []store.Change{change("n", store.Add, "1")}, nil)
	wantFault(t, err)
}

// updatesTogether: of those that want the last units, exactly as many get one.
func updatesTogether(t *testing.T, tables store.Tables) {
	db := tables.(store.Counters)
	k := key(fresh(t), "sk")
	const limit, askers = 7, 40
	var got atomic.Int64
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			_, err := db.Update(t.Context(), k, []store.Change{change("n", store.Add, int64(1))},
				store.Any{store.NoAttr{Attr: "n"}, store.AtMost{Attr: "n", N: limit - 1}})
			var c *store.Canceled
			switch {
			case err == nil:
				got.Add(1)
			case !errors.As(err, &c) || !c.Has(store.ReasonCondition):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got.Load() != limit {
		t.Errorf("%d of %d got one of %d", got.Load(), askers, limit)
	}
	wantItem(t, read(t, db, k), k, store.Item{"n": int64(limit)})
}
