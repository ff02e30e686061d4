package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

const (
	none      = store.ReasonNone
	condition = store.ReasonCondition
)

func reasonsInOrder(t *testing.T, db store.Tables) {
	pk := fresh(t)
	other := store.Key{Table: Second, PK: pk, SK: "d"}
	must(t, db, put(key(pk, "a"), store.Item{"n": int64(1)}), put(other, store.Item{"n": int64(2), "s": store.Set{"x"}}))
	err := transact(t, db,
		store.Write{Key: key(pk, "e"), Put: store.Item{}, Where: store.Absent{}},
		store.Write{Key: key(pk, "a"), Put: store.Item{}, Where: store.Absent{}},
		store.Write{Key: key(pk, "b"), Delete: true, Where: store.Exists{}},
		store.Write{Key: key(pk, "c"), Update: []store.Change{change("n", store.Add, int64(1))}},
		store.Write{Key: other, Check: true, Where: store.AtLeast{Attr: "n", N: 3}},
	)
	c := wantReasons(t, err, none, condition, condition, none, condition)
	wantItem(t, c.Reasons[1].Old, key(pk, "a"), store.Item{"n": int64(1)})
	wantItem(t, c.Reasons[2].Old, key(pk, "b"), nil)
	wantItem(t, c.Reasons[4].Old, other, store.Item{"n": int64(2), "s": store.Set{"x"}})
	if c.Reasons[0].Old != nil || c.Reasons[3].Old != nil {
		t.Errorf("old items where nothing stood in the way: %v", c.Reasons)
	}
	c.Reasons[1].Old["n"] = int64(99)
	wantItem(t, read(t, db, key(pk, "a")), key(pk, "a"), store.Item{"n": int64(1)})
}

func allOrNothing(t *testing.T, db store.Tables) {
	pk := fresh(t)
	guard := store.Key{Table: Second, PK: pk, SK: "guard"}
	for i, first := range []bool{true, false} {
		a, b, d := key(pk, fmt.Sprint("a", i)), key(pk, fmt.Sprint("b", i)), key(pk, fmt.Sprint("d", i))
		must(t, db, put(d, store.Item{"v": "keep"}), put(b, store.Item{"n": int64(1)}))
		ws := []store.Write{
			put(a, store.Item{}),
			{Key: b, Update: []store.Change{change("n", store.Add, int64(1))}},
			{Key: d, Delete: true},
		}
		check := store.Write{Key: guard, Check: true, Where: store.Exists{}}
		codes := []store.ReasonCode{none, none, none, condition}
		if first {
			ws, codes = append([]store.Write{check}, ws...), []store.ReasonCode{condition, none, none, none}
		} else {
			ws = append(ws, check)
		}
		wantReasons(t, transact(t, db, ws...), codes...)
		wantItem(t, read(t, db, a), a, nil)
		wantItem(t, read(t, db, b), b, store.Item{"n": int64(1)})
		wantItem(t, read(t, db, d), d, store.Item{"v": "keep"})
		must(t, db, put(guard, store.Item{}))
		must(t, db, ws...)
		wantItem(t, read(t, db, a), a, store.Item{})
		wantItem(t, read(t, db, b), b, store.Item{"n": int64(2)})
		wantItem(t, read(t, db, d), d, nil)
		must(t, db, store.Write{Key: guard, Delete: true})
	}
}

func hundredWrites(t *testing.T, db store.Tables) {
	pk := fresh(t)
	ws := make([]store.Write, 100)
	for i := range ws {
		ws[i] = store.Write{Key: key(pk, fmt.Sprintf("%03d", i)), Put: store.Item{"n": int64(i)}, Where: store.Absent{}}
	}
	must(t, db, ws...)
	codes := make([]store.ReasonCode, len(ws))
	for i := range codes {
		codes[i] = condition
	}
	c := wantReasons(t, transact(t, db, ws...), codes...)
	for i, r := range c.Reasons {
		wantItem(t, r.Old, ws[i].Key, ws[i].Put)
	}
	more := append(ws, put(key(pk, "100"), store.Item{}))
	for i := range more {
		more[i].Where = nil
	}
	wantFault(t, transact(t, db, more...))
	wantItem(t, read(t, db, key(pk, "100")), key(pk, "100"), nil)
}

func malformed(t *testing.T, db store.Tables) {
	k := key(fresh(t), "sk")
	bad := "\xff"
	for _, tt := range []struct {
		name string
		ws   []store.Write
	}{
		{"nothing to do", []store.Write{{Key: k}}},
		{"two things to do", []store.Write{{Key: k, Put: store.Item{}, Delete: true}}},
		{"check of nothing", []store.Write{{Key: k, Check: true}}},
		{"no changes", []store.Write{{Key: k, Update: []store.Change{}}}},
		{"one attribute twice", []store.Write{{Key: k, Update: []store.Change{change("a", store.SetTo, "x"), change("a", store.Add, int64(1))}}}},
		{"one attribute twice, once in vain", []store.Write{{Key: k, Update: []store.Change{change("a", store.SetTo, "x"), change("a", store.SetAdd, store.Set{})}}}},
		{"a change of the key", []store.Write{{Key: k, Update: []store.Change{change("sk", store.SetTo, "x")}}}},
		{"a change of no kind", []store.Write{{Key: k, Update: []store.Change{{Attr: "a", To: "x"}}}}},
		{"a change of no attribute", []store.Write{{Key: k, Update: []store.Change{change("", store.SetTo, "x")}}}},
		{"adds a string", []store.Write{{Key: k, Update: []store.Change{change("a", store.Add, "x")}}}},
		{"adds an int", []store.Write{{Key: k, Update: []store.Change{change("a", store.Add, 1)}}}},
		{"unites a list", []store.Write{{Key: k, Update: []store.Change{change("a", store.SetAdd, []any{"x"})}}}},
		{"one item twice", []store.Write{put(k, store.Item{}), {Key: k, Check: true, Where: store.Exists{}}}},
		{"no pk", []store.Write{put(key("", "sk"), store.Item{})}},
		{"no sk", []store.Write{put(key(k.PK, ""), store.Item{})}},
		{"long pk", []store.Write{put(key(long(2049), "sk"), store.Item{})}},
		{"long sk", []store.Write{put(key(k.PK, long(1025)), store.Item{})}},
		{"a value of no type", []store.Write{put(k, store.Item{"a": nil})}},
		{"an int", []store.Write{put(k, store.Item{"a": 1})}},
		{"a float in a list", []store.Write{put(k, store.Item{"a": []any{1.5}})}},
		{"an empty set in a list", []store.Write{put(k, store.Item{"a": []any{store.Set{}}})}},
		{"not UTF-8", []store.Write{put(k, store.Item{"a": bad})}},
		{"a name not UTF-8", []store.Write{put(k, store.Item{bad: "a"})}},
		{"a key not UTF-8", []store.Write{put(key(k.PK, bad), store.Item{})}},
		{"a member not UTF-8", []store.Write{put(k, store.Item{"a": store.Set{bad}})}},
		{"an empty all", []store.Write{{Key: k, Put: store.Item{}, Where: store.All{}}}},
		{"an empty any", []store.Write{{Key: k, Put: store.Item{}, Where: store.All{store.Absent{}, store.Any{}}}}},
		{"a nil condition inside", []store.Write{{Key: k, Put: store.Item{}, Where: store.Any{nil}}}},
		{"equal to a list", []store.Write{{Key: k, Put: store.Item{}, Where: store.Equal{Attr: "a", To: []any{}}}}},
		{"equal to an int", []store.Write{{Key: k, Put: store.Item{}, Where: store.Equal{Attr: "a", To: 1}}}},
		{"a condition on no attribute", []store.Write{{Key: k, Put: store.Item{}, Where: store.NoAttr{}}}},
		{"nested too deep", []store.Write{put(k, store.Item{"a": nested(32)})}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantFault(t, transact(t, db, tt.ws...))
			wantItem(t, read(t, db, k), k, nil)
		})
	}
	if err := transact(t, db); err == nil {
		t.Error("a transaction of no writes was taken")
	}
	wantFault(t, db.Transact(t.Context(), []store.Write{put(k, store.Item{})}, long(37)))
	must(t, db, put(k, store.Item{"a": nested(31)}))
	wantItem(t, read(t, db, k), k, store.Item{"a": nested(31)})
	edge := key(long(2048), long(1024))
	must(t, db, put(edge, store.Item{}))
	wantItem(t, read(t, db, edge), edge, store.Item{})
}

// nested is lists in one another, n of them.
func nested(n int) any {
	var v any = []any{}
	for range n - 1 {
		v = []any{v}
	}
	return v
}

func tooLarge(t *testing.T, db store.Tables) {
	pk := fresh(t)
	k := key(pk, "sk")
	// pk, sk and the name are part of the 400 KB.
	fits := 400<<10 - len("pk") - len(pk) - len("sk") - len("sk") - len("a")
	must(t, db, put(k, store.Item{"a": long(fits)}))
	wantFault(t, transact(t, db, put(k, store.Item{"a": long(fits + 1)})))
	wantFault(t, transact(t, db, store.Write{Key: k, Update: []store.Change{change("b", store.SetTo, "x")}}))
	wantItem(t, read(t, db, k), k, store.Item{"a": long(fits)})
	ws := make([]store.Write, 11)
	for i := range ws {
		ws[i] = put(key(pk, fmt.Sprint("big", i)), store.Item{"a": long(fits - 10)})
	}
	wantFault(t, transact(t, db, ws...))
	must(t, db, ws[:10]...)
}

func tokens(t *testing.T, db store.Tables) {
	k := key(fresh(t), "sk")
	token := fmt.Sprintf("%036d", rand.Uint64())
	add := []store.Write{{Key: k, Update: []store.Change{change("n", store.Add, int64(1)), change("s", store.SetAdd, store.Set{"a", "b"})}}}
	guarded := []store.Write{{Key: k, Update: add[0].Update, Where: store.Exists{}}}
	if err := db.Transact(t.Context(), guarded, token); err == nil {
		t.Fatal("a condition was not judged")
	}
	must(t, db, put(k, store.Item{"n": int64(0)}))
	for range 3 { // a refusal leaves no token behind; a success does
		if err := db.Transact(t.Context(), guarded, token); err != nil {
			t.Fatal(err)
		}
	}
	wantItem(t, read(t, db, k), k, store.Item{"n": int64(1), "s": store.Set{"a", "b"}})
	if err := db.Transact(t.Context(), add, token); !errors.Is(err, store.ErrTokenMismatch) {
		t.Fatalf("error %v, want a token mismatch", err)
	}
	wantItem(t, read(t, db, k), k, store.Item{"n": int64(1), "s": store.Set{"a", "b"}})
	for range 2 { // no token, no memory
		must(t, db, add...)
	}
	wantItem(t, read(t, db, k), k, store.Item{"n": int64(3), "s": store.Set{"a", "b"}})
}

func canceledContext(t *testing.T, db store.Tables) {
	k := key(fresh(t), "sk")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := db.Transact(ctx, []store.Write{put(k, store.Item{})}, "")
	if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnknown) {
		t.Errorf("error %v, want canceled and known", err)
	}
	if _, err := db.Get(ctx, k, true); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	if _, _, err := db.Query(ctx, store.Query{Table: First, PK: k.PK}); !errors.Is(err, context.Canceled) {
		t.Errorf("query: %v", err)
	}
	wantItem(t, read(t, db, k), k, nil)
}

// together: many move units between two items at once; the sum never changes
// for one who reads both at one moment, and every acknowledged move counts.
func together(t *testing.T, db store.Tables) {
	pk := fresh(t)
	a, b := key(pk, "a"), store.Key{Table: Second, PK: pk, SK: "b"}
	must(t, db, put(a, store.Item{"n": int64(100)}), put(b, store.Item{"n": int64(0)}))
	ctx, stop := context.WithTimeout(t.Context(), callLimit)
	defer stop()
	const workers, moves = 4, 10
	var work sync.WaitGroup
	for range workers {
		work.Go(func() {
			for range moves {
				if err := move(ctx, db, a, b); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	for watching := true; watching; {
		select {
		case <-done:
			watching = false
		default:
			watching = sumIs(t, ctx, db, a, b, 100)
		}
	}
	<-done
	wantItem(t, read(t, db, a), a, store.Item{"n": int64(100 - workers*moves)})
	wantItem(t, read(t, db, b), b, store.Item{"n": int64(workers * moves)})
}

func move(ctx context.Context, db store.Tables, a, b store.Key) error {
	for {
		err := db.Transact(ctx, []store.Write{
			{Key: a, Update: []store.Change{change("n", store.Add, int64(-1))}, Where: store.AtLeast{Attr: "n", N: 1}},
			{Key: b, Update: []store.Change{change("n", store.Add, int64(1))}},
		}, "")
		var c *store.Canceled
		if err == nil || !errors.As(err, &c) || c.Has(store.ReasonCondition) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(2 * time.Millisecond)):
		}
	}
}

func sumIs(t *testing.T, ctx context.Context, db store.Tables, a, b store.Key, want int64) bool {
	items, err := db.TransactGet(ctx, []store.Key{a, b})
	var c *store.Canceled
	if errors.As(err, &c) {
		return true
	}
	if err != nil {
		t.Error(err)
		return false
	}
	if n := items[0]["n"].(int64) + items[1]["n"].(int64); n != want {
		t.Errorf("sum %d, want %d", n, want)
		return false
	}
	return true
}
