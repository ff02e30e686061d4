package storetest

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/store"
)

func get(t *testing.T, db store.Tables) {
	pk := fresh(t)
	k := key(pk, "sk")
	must(t, db, put(k, store.Item{"a": "x"}))
	wantItem(t, read(t, db, k), k, store.Item{"a": "x"})
	wantItem(t, read(t, db, key(pk, "s")), k, nil)
	wantItem(t, read(t, db, store.Key{Table: Second, PK: pk, SK: "sk"}), k, nil)
	for _, k := range []store.Key{key(pk, ""), key("", "sk"), {PK: pk, SK: "sk"}} {
		if _, err := db.Get(t.Context(), k, true); err == nil {
			t.Errorf("get %v was answered", k)
		}
	}
}

func batchGet(t *testing.T, db store.Tables) {
	pk := fresh(t)
	var keys []store.Key
	want := map[store.Key]store.Item{}
	for i := range 250 {
		k := key(pk, fmt.Sprint(i))
		if i%2 == 0 {
			k.Table = Second
		}
		keys = append(keys, k, k) // each twice
		if i%3 != 0 {
			want[k] = stored(k, store.Item{"n": int64(i)})
		}
	}
	var ws []store.Write
	for k, it := range want {
		ws = append(ws, put(k, it))
	}
	for chunk := range slices.Chunk(ws, 100) {
		must(t, db, chunk...)
	}
	got, err := db.BatchGet(t.Context(), keys, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d items, want %d", len(got), len(want))
	}
	for k, it := range want {
		if !got[k].Equal(it) {
			t.Errorf("%v is %v, want %v", k, got[k], it)
		}
	}
	if got, err := db.BatchGet(t.Context(), nil, true); err != nil || len(got) != 0 {
		t.Errorf("no keys: %v, %v", got, err)
	}
	if _, err := db.BatchGet(t.Context(), []store.Key{key(pk, "")}, true); err == nil {
		t.Error("half a key was answered")
	}
}

func transactGet(t *testing.T, db store.Tables) {
	pk := fresh(t)
	a, b, gone := key(pk, "a"), store.Key{Table: Second, PK: pk, SK: "b"}, key(pk, "gone")
	must(t, db, put(a, store.Item{"n": int64(1)}), put(b, store.Item{"n": int64(2)}))
	keys := []store.Key{b, gone, a, b}
	items, err := db.TransactGet(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []store.Item{{"n": int64(2)}, nil, {"n": int64(1)}, {"n": int64(2)}} {
		wantItem(t, items[i], keys[i], want)
	}
	many := make([]store.Key, 101)
	for i := range many {
		many[i] = key(pk, fmt.Sprint(i))
	}
	if items, err := db.TransactGet(t.Context(), many[:100]); err != nil || len(items) != 100 {
		t.Errorf("100 keys: %d items, %v", len(items), err)
	}
	for _, keys := range [][]store.Key{nil, many, {key(pk, "")}} {
		if _, err := db.TransactGet(t.Context(), keys); err == nil {
			t.Errorf("%d keys were answered", len(keys))
		}
	}
}

var shelf = []string{"!", "A", "B", "B-1", "B-10", "B-2", "Ba", "C", "a", "é", "座", "\U0001F3AD"}

func shelved(t *testing.T, db store.Tables) string {
	pk := fresh(t)
	var ws []store.Write
	for _, sk := range shelf {
		ws = append(ws, put(key(pk, sk), store.Item{"is": sk}))
	}
	must(t, db, append(ws, put(key(pk+"+", "A"), store.Item{}), put(store.Key{Table: Second, PK: pk, SK: "A"}, store.Item{}))...)
	return pk
}

func queryBounds(t *testing.T, db store.Tables) {
	pk := shelved(t, db)
	for _, tt := range []struct {
		name string
		q    store.Query
		want []string
	}{
		{"all", store.Query{}, shelf},
		{"prefix", store.Query{Prefix: "B-"}, []string{"B-1", "B-10", "B-2"}},
		{"prefix is an item", store.Query{Prefix: "B"}, []string{"B", "B-1", "B-10", "B-2", "Ba"}},
		{"prefix of nothing", store.Query{Prefix: "X"}, nil},
		{"prefix beyond ASCII", store.Query{Prefix: "座"}, []string{"座"}},
		{"from is included", store.Query{From: "C"}, shelf[7:]},
		{"before is excluded", store.Query{Before: "C"}, shelf[:7]},
		{"between", store.Query{From: "B", Before: "Ba"}, []string{"B", "B-1", "B-10", "B-2"}},
		{"between items", store.Query{From: "B-0", Before: "B-3"}, []string{"B-1", "B-10", "B-2"}},
		{"nothing between", store.Query{From: "C", Before: "C"}, nil},
		{"backwards between", store.Query{From: "C", Before: "B"}, nil},
	} {
		tt.q.Table, tt.q.PK, tt.q.Consistent = First, pk, true
		t.Run(tt.name, func(t *testing.T) {
			wantKeys(t, pages(t, db, tt.q), tt.want)
			tt.q.Limit = 1
			wantKeys(t, pages(t, db, tt.q), tt.want)
		})
		t.Run(tt.name+", descending", func(t *testing.T) {
			back := slices.Clone(tt.want)
			slices.Reverse(back)
			tt.q.Descending = true
			wantKeys(t, pages(t, db, tt.q), back)
			tt.q.Limit = 2
			wantKeys(t, pages(t, db, tt.q), back)
		})
	}
	wantKeys(t, pages(t, db, store.Query{Table: First, PK: fresh(t), Consistent: true}), nil)
}

// pages reads all pages and answers the sort keys.
func pages(t tb, db store.Tables, q store.Query) []string {
	t.Helper()
	var sks []string
	for range 1000 {
		items, next, err := db.Query(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if q.Limit > 0 && len(items) > q.Limit {
			t.Fatalf("%+v: %d items", q, len(items))
		}
		for _, it := range items {
			if it["pk"] != q.PK {
				t.Fatalf("%+v: %v", q, it)
			}
			sks = append(sks, it["sk"].(string))
		}
		if q.Next = next; next == "" {
			return sks
		}
	}
	t.Fatalf("%+v: no end", q)
	return nil
}

func wantKeys(t tb, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("keys %q, want %q", got, want)
	}
}

// queryPages: items that come and go between pages do not disturb the others.
func queryPages(t *testing.T, db store.Tables) {
	pk := shelved(t, db)
	q := store.Query{Table: First, PK: pk, Limit: 4, Consistent: true}
	items, next, err := db.Query(t.Context(), q)
	if err != nil || len(items) != 4 || next == "" {
		t.Fatalf("%d items, next %q, %v", len(items), next, err)
	}
	must(t, db,
		store.Write{Key: key(pk, items[3]["sk"].(string)), Delete: true}, // where the page ended
		store.Write{Key: key(pk, "C"), Delete: true},
		put(key(pk, "A0"), store.Item{}), // before it
		put(key(pk, "D"), store.Item{}),
	)
	q.Next, q.Limit = next, 0
	wantKeys(t, pages(t, db, q), []string{"B-10", "B-2", "Ba", "D", "a", "é", "座", "\U0001F3AD"})
}

func queryMegabyte(t *testing.T, db store.Tables) {
	pk := fresh(t)
	var want []string
	for i := range 12 {
		sk := fmt.Sprintf("%02d", i)
		must(t, db, put(key(pk, sk), store.Item{"a": long(300 << 10)}))
		want = append(want, sk)
	}
	q := store.Query{Table: First, PK: pk, Consistent: true}
	items, next, err := db.Query(t.Context(), q)
	if err != nil || len(items) > 4 || next == "" {
		t.Fatalf("a page of %d items, next %q, %v", len(items), next, err)
	}
	wantKeys(t, pages(t, db, q), want)
}

func queryRefusals(t *testing.T, db store.Tables) {
	pk := fresh(t)
	for _, q := range []store.Query{
		{Table: First},
		{PK: pk},
		{Table: First, PK: pk, Prefix: "a", Before: "b"},
		{Table: First, PK: pk, Prefix: "a", From: "b"},
		{Table: First, PK: pk, Limit: -1},
		{Table: First, PK: pk, Prefix: "a", Next: "b"},
		{Table: First, PK: pk, From: "b", Next: "a"},
		{Table: First, PK: pk, Before: "b", Next: "b"},
	} {
		if _, _, err := db.Query(t.Context(), q); err == nil {
			t.Errorf("%+v was answered", q)
		}
	}
}

// queryLikeItsTwin: bounds, order and paging against a filter over a slice.
func queryLikeItsTwin(t *testing.T, db store.Tables) {
	pk := shelved(t, db)
	bound := rapid.SampledFrom(append([]string{"", "B-", "0", "z", "\U0010FFFF"}, shelf...))
	rapid.Check(t, func(rt *rapid.T) {
		q := store.Query{Table: First, PK: pk, Consistent: true}
		if rapid.Bool().Draw(rt, "by prefix") {
			q.Prefix = bound.Draw(rt, "prefix")
		} else {
			q.From, q.Before = bound.Draw(rt, "from"), bound.Draw(rt, "before")
		}
		q.Limit = rapid.IntRange(0, 5).Draw(rt, "limit")
		q.Descending = rapid.Bool().Draw(rt, "descending")
		wantKeys(rt, pages(rt, db, q), naiveQuery(shelf, q))
	})
}
