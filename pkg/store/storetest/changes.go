package storetest

import (
	"math"
	"testing"

	"github.com/fairseat/fairseat/pkg/store"
)

func changes(t *testing.T, db store.Tables) {
	for _, tt := range []struct {
		name   string
		before store.Item // nil: none
		change []store.Change
		want   store.Item
	}{
		{"set makes the item", nil, []store.Change{change("a", store.SetTo, "x")}, store.Item{"a": "x"}},
		{"set replaces", store.Item{"a": int64(1), "b": "y"}, []store.Change{change("a", store.SetTo, "x")}, store.Item{"a": "x", "b": "y"}},
		{"set of every type", nil, []store.Change{
			change("n", store.SetTo, int64(-3)), change("t", store.SetTo, true), change("y", store.SetTo, []byte{0, 255}),
			change("s", store.SetTo, store.Set{"b", "a"}), change("l", store.SetTo, []any{"x", int64(1)}), change("m", store.SetTo, map[string]any{"k": "v"}),
		}, store.Item{
			"n": int64(-3), "t": true, "y": []byte{0, 255}, "s": store.Set{"a", "b"}, "l": []any{"x", int64(1)}, "m": map[string]any{"k": "v"},
		}},
		{"set to no members unsets", store.Item{"s": store.Set{"a"}, "b": "y"}, []store.Change{change("s", store.SetTo, store.Set{})}, store.Item{"b": "y"}},
		{"add from nothing", nil, []store.Change{change("n", store.Add, int64(3))}, store.Item{"n": int64(3)}},
		{"add", store.Item{"n": int64(3)}, []store.Change{change("n", store.Add, int64(4))}, store.Item{"n": int64(7)}},
		{"add below zero", store.Item{"n": int64(3)}, []store.Change{change("n", store.Add, int64(-4))}, store.Item{"n": int64(-1)}},
		{"add nothing", store.Item{"n": int64(3)}, []store.Change{change("n", store.Add, int64(0))}, store.Item{"n": int64(3)}},
		{"add far", store.Item{"n": int64(math.MinInt64)}, []store.Change{change("n", store.Add, int64(math.MaxInt64))}, store.Item{"n": int64(-1)}},
		{"union from nothing", nil, []store.Change{change("s", store.SetAdd, store.Set{"a", "b"})}, store.Item{"s": store.Set{"a", "b"}}},
		{"union", store.Item{"s": store.Set{"a", "c"}}, []store.Change{change("s", store.SetAdd, store.Set{"b", "a"})}, store.Item{"s": store.Set{"a", "b", "c"}}},
		{"union with none", store.Item{"s": store.Set{"a"}}, []store.Change{change("s", store.SetAdd, store.Set{}), change("x", store.SetTo, "y")}, store.Item{"s": store.Set{"a"}, "x": "y"}},
		{"union with none alone", store.Item{"s": store.Set{"a"}}, []store.Change{change("s", store.SetAdd, store.Set{})}, store.Item{"s": store.Set{"a"}}},
		{"difference", store.Item{"s": store.Set{"a", "b"}}, []store.Change{change("s", store.SetDelete, store.Set{"a", "z"})}, store.Item{"s": store.Set{"b"}}},
		{"difference to none", store.Item{"s": store.Set{"a", "b"}}, []store.Change{change("s", store.SetDelete, store.Set{"b", "a"})}, store.Item{}},
		{"difference of nothing", store.Item{"b": "y"}, []store.Change{change("s", store.SetDelete, store.Set{"b", "a"})}, store.Item{"b": "y"}},
		{"unset", store.Item{"a": "x", "b": "y"}, []store.Change{{Attr: "a", Op: store.Unset}}, store.Item{"b": "y"}},
		{"unset the missing", store.Item{"b": "y"}, []store.Change{{Attr: "a", Op: store.Unset}}, store.Item{"b": "y"}},
		{"unset the last", store.Item{"a": "x"}, []store.Change{{Attr: "a", Op: store.Unset}}, store.Item{}},
		{"all at once", store.Item{"n": int64(1), "s": store.Set{"a"}, "d": store.Set{"a", "b"}, "u": "x"}, []store.Change{
			{Attr: "u", Op: store.Unset}, change("s", store.SetAdd, store.Set{"b"}), change("name", store.SetTo, "x"),
			change("n", store.Add, int64(1)), change("d", store.SetDelete, store.Set{"a"}), change("size", store.SetTo, int64(1)),
		}, store.Item{"n": int64(2), "s": store.Set{"a", "b"}, "d": store.Set{"b"}, "name": "x", "size": int64(1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := key(fresh(t), "sk")
			if tt.before != nil {
				must(t, db, put(k, tt.before))
			}
			must(t, db, store.Write{Key: k, Update: tt.change})
			wantItem(t, read(t, db, k), k, tt.want)
		})
	}
}

// changesThatCannotBe: the item has another type, which only the store can see.
func changesThatCannotBe(t *testing.T, db store.Tables) {
	for _, c := range []store.Change{
		change("s", store.Add, int64(1)),
		change("s", store.SetAdd, store.Set{"a"}),
		change("n", store.SetAdd, store.Set{"a"}),
		change("s", store.SetDelete, store.Set{"a"}),
		change("set", store.Add, int64(1)),
	} {
		pk := fresh(t)
		it := store.Item{"s": "x", "n": int64(1), "set": store.Set{"a"}}
		must(t, db, put(key(pk, "a"), it))
		err := transact(t, db, put(key(pk, "b"), store.Item{}), store.Write{Key: key(pk, "a"), Update: []store.Change{c}})
		wantFault(t, err)
		wantItem(t, read(t, db, key(pk, "a")), key(pk, "a"), it)
		wantItem(t, read(t, db, key(pk, "b")), key(pk, "b"), nil)
	}
}

// absentAfterNothing: an update that has nothing to put in still makes the item.
func absentAfterNothing(t *testing.T, db store.Tables) {
	for _, c := range []store.Change{
		{Attr: "a", Op: store.Unset},
		change("a", store.SetTo, store.Set{}),
		change("a", store.SetAdd, store.Set{}),
		change("a", store.SetDelete, store.Set{"x"}),
	} {
		k := key(fresh(t), "sk")
		must(t, db, store.Write{Key: k, Update: []store.Change{c}})
		wantItem(t, read(t, db, k), k, store.Item{})
	}
}

func putReplaces(t *testing.T, db store.Tables) {
	k := key(fresh(t), "sk")
	must(t, db, put(k, store.Item{"a": "x", "b": "y"}))
	must(t, db, put(k, store.Item{"b": "z", "pk": "not mine", "sk": int64(1)}))
	wantItem(t, read(t, db, k), k, store.Item{"b": "z"})
	must(t, db, put(k, store.Item{}))
	wantItem(t, read(t, db, k), k, store.Item{})
}

func deleteTwice(t *testing.T, db store.Tables) {
	k := key(fresh(t), "sk")
	must(t, db, put(k, store.Item{"a": "x"}))
	for range 2 {
		must(t, db, store.Write{Key: k, Delete: true})
		wantItem(t, read(t, db, k), k, nil)
	}
}
