package storetest

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/store"
)

// value is every type of the port, three levels deep.
func value(depth int) *rapid.Generator[any] {
	gens := []*rapid.Generator[any]{
		rapid.String().AsAny(),
		rapid.Int64().AsAny(),
		rapid.SampledFrom([]int64{0, -1, math.MaxInt64, math.MinInt64, 100, -1000000}).AsAny(),
		rapid.Bool().AsAny(),
		rapid.SliceOf(rapid.Byte()).AsAny(),
		rapid.Map(rapid.SliceOfNDistinct(rapid.String(), 1, 4, rapid.ID[string]), func(s []string) store.Set { return s }).AsAny(),
	}
	if depth > 0 {
		inner := value(depth - 1)
		gens = append(gens,
			rapid.SliceOfN(inner, 0, 4).AsAny(),
			rapid.MapOfN(rapid.StringN(1, 8, -1), inner, 0, 4).AsAny(),
		)
	}
	return rapid.OneOf(gens...)
}

// values: what goes in comes out, by every way in and out.
func values(t *testing.T, db store.Tables) {
	pk := fresh(t)
	rapid.Check(t, func(rt *rapid.T) {
		k := key(pk, rapid.StringN(1, 20, 100).Draw(rt, "sk"))
		it := store.Item(rapid.MapOfN(rapid.StringN(1, 10, -1), value(3), 0, 6).Draw(rt, "item"))
		must(rt, db, put(k, it))
		wantItem(rt, read(rt, db, k), k, it)
		c := wantReasons(rt, transact(rt, db, store.Write{Key: k, Check: true, Where: store.Absent{}}), condition)
		wantItem(rt, c.Reasons[0].Old, k, it)
		v := value(2).Draw(rt, "value")
		must(rt, db, store.Write{Key: k, Update: []store.Change{change("set here", store.SetTo, v)}})
		it["set here"] = v
		items, err := db.TransactGet(t.Context(), []store.Key{k})
		if err != nil {
			rt.Fatal(err)
		}
		wantItem(rt, items[0], k, it)
	})
}

// byValue: neither side sees what the other does to its copy afterwards.
func byValue(t *testing.T, db store.Tables) {
	k := key(fresh(t), "sk")
	fill := func() store.Item {
		return store.Item{"m": map[string]any{"k": []byte("v")}, "l": []any{"x"}, "s": store.Set{"a", "b"}}
	}
	spoil := func(it store.Item) {
		it["m"].(map[string]any)["k"].([]byte)[0] = 'X'
		it["l"].([]any)[0] = "X"
		it["s"].(store.Set)[0] = "X"
		it["new"] = "X"
	}
	in := fill()
	ws := []store.Write{put(k, in)}
	must(t, db, ws...)
	if !in.Equal(fill()) || !ws[0].Put.Equal(fill()) {
		t.Errorf("the caller's writes became %v", ws)
	}
	spoil(in)
	out := read(t, db, k)
	wantItem(t, out, k, fill())
	spoil(out)
	items, _, err := db.Query(t.Context(), store.Query{Table: First, PK: k.PK, Consistent: true})
	if err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	wantItem(t, items[0], k, fill())
	spoil(items[0])
	wantItem(t, read(t, db, k), k, fill())
}
