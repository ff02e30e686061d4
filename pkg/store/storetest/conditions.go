package storetest

import (
	"testing"

	"github.com/fairseat/fairseat/pkg/store"
)

// row is what the conditions are tried on.
var row = store.Item{
	"s": "text", "n": int64(5), "neg": int64(-7), "yes": true, "no": false, "empty": "",
	"set": store.Set{"regular", "premium"}, "name": "reserved word", "a.b[0]#:": "odd name", "座位": "C-7",
	"list": []any{"regular"}, "bytes": []byte("text"),
}

var conditionTable = []struct {
	name string
	cond store.Cond
	on   bool // of row
	none bool // of no item
}{
	{"absent", store.Absent{}, false, true},
	{"exists", store.Exists{}, true, false},
	{"no attr, there", store.NoAttr{Attr: "s"}, false, true},
	{"no attr, missing", store.NoAttr{Attr: "x"}, true, true},
	{"no attr, empty string", store.NoAttr{Attr: "empty"}, false, true},
	{"equal string", store.Equal{Attr: "s", To: "text"}, true, false},
	{"equal other string", store.Equal{Attr: "s", To: "Text"}, false, false},
	{"equal empty", store.Equal{Attr: "empty", To: ""}, true, false},
	{"equal empty, missing", store.Equal{Attr: "x", To: ""}, false, false},
	{"equal number", store.Equal{Attr: "n", To: int64(5)}, true, false},
	{"equal other number", store.Equal{Attr: "n", To: int64(6)}, false, false},
	{"equal other type", store.Equal{Attr: "n", To: "5"}, false, false},
	{"equal bytes as text", store.Equal{Attr: "bytes", To: "text"}, false, false},
	{"equal true", store.Equal{Attr: "yes", To: true}, true, false},
	{"equal false", store.Equal{Attr: "yes", To: false}, false, false},
	{"false is false", store.Equal{Attr: "no", To: false}, true, false},
	{"missing is not false", store.Equal{Attr: "x", To: false}, false, false},
	{"reserved word", store.Equal{Attr: "name", To: "reserved word"}, true, false},
	{"odd name", store.Equal{Attr: "a.b[0]#:", To: "odd name"}, true, false},
	{"unicode name", store.Equal{Attr: "座位", To: "C-7"}, true, false},
	{"less", store.Less{Attr: "n", Than: 6}, true, false},
	{"not less at the bound", store.Less{Attr: "n", Than: 5}, false, false},
	{"less, missing", store.Less{Attr: "x", Than: 6}, false, false},
	{"less, a string", store.Less{Attr: "s", Than: 6}, false, false},
	{"less, negative", store.Less{Attr: "neg", Than: -6}, true, false},
	{"at most at the bound", store.AtMost{Attr: "n", N: 5}, true, false},
	{"not at most", store.AtMost{Attr: "n", N: 4}, false, false},
	{"at most, missing", store.AtMost{Attr: "x", N: 4}, false, false},
	{"at least at the bound", store.AtLeast{Attr: "n", N: 5}, true, false},
	{"not at least", store.AtLeast{Attr: "n", N: 6}, false, false},
	{"at least, missing", store.AtLeast{Attr: "x", N: -6}, false, false},
	{"at least, true", store.AtLeast{Attr: "yes", N: 0}, false, false},
	{"holding", store.NotHolding{Attr: "set", Member: "regular"}, false, true},
	{"not holding", store.NotHolding{Attr: "set", Member: "reg"}, true, true},
	{"not holding, missing", store.NotHolding{Attr: "x", Member: "regular"}, true, true},
	{"not holding, a list", store.NotHolding{Attr: "list", Member: "regular"}, false, true},
	{"not holding, part of a string", store.NotHolding{Attr: "s", Member: "ex"}, false, true},
	{"not holding, a number", store.NotHolding{Attr: "n", Member: "5"}, true, true},
	{"all", store.All{store.Exists{}, store.Less{Attr: "n", Than: 9}}, true, false},
	{"not all", store.All{store.Exists{}, store.Less{Attr: "n", Than: 1}}, false, false},
	{"any", store.Any{store.Absent{}, store.Less{Attr: "n", Than: 9}}, true, true},
	{"not any", store.Any{store.Less{Attr: "n", Than: 1}, store.NoAttr{Attr: "n"}}, false, true},
	{"any in all", store.All{store.Any{store.Absent{}, store.Exists{}}, store.Any{store.AtMost{Attr: "n", N: 5}}}, true, false},
	{"all in any", store.Any{store.All{store.Exists{}, store.NoAttr{Attr: "n"}}, store.All{store.AtLeast{Attr: "n", N: 5}}}, true, false},
	{"one attribute twice", store.All{store.AtLeast{Attr: "n", N: 1}, store.AtMost{Attr: "n", N: 9}}, true, false},
	{"not swallowed by or", store.All{store.Any{store.Exists{}, store.Absent{}}, store.Equal{Attr: "n", To: int64(6)}}, false, false},
}

func conditions(t *testing.T, db store.Tables) {
	pk := fresh(t)
	there, none := key(pk, "there"), key(pk, "none")
	must(t, db, put(there, row))
	for _, tt := range conditionTable {
		t.Run(tt.name, func(t *testing.T) {
			wantVerdict(t, db, store.Write{Key: there, Check: true, Where: tt.cond}, row, tt.on)
			wantVerdict(t, db, store.Write{Key: none, Check: true, Where: tt.cond}, nil, tt.none)
		})
	}
	wantItem(t, read(t, db, there), there, row)
	wantItem(t, read(t, db, none), none, nil)
}

func wantVerdict(t *testing.T, db store.Tables, w store.Write, old store.Item, holds bool) {
	t.Helper()
	err := transact(t, db, w)
	if holds {
		if err != nil {
			t.Errorf("%#v on %v: %v", w.Where, old, err)
		}
		return
	}
	c := wantReasons(t, err, store.ReasonCondition)
	wantItem(t, c.Reasons[0].Old, w.Key, old)
}

// conditionsOnEveryWrite: a put, an update and a delete obey theirs too.
func conditionsOnEveryWrite(t *testing.T, db store.Tables) {
	for _, tt := range []struct {
		name string
		w    store.Write
		want store.Item
	}{
		{"put", store.Write{Put: store.Item{"n": int64(1)}}, store.Item{"n": int64(1)}},
		{"update", store.Write{Update: []store.Change{{Attr: "n", Op: store.Add, To: int64(1)}}}, store.Item{"n": int64(6), "s": "x"}},
		{"delete", store.Write{Delete: true}, nil},
		{"check", store.Write{Check: true}, store.Item{"n": int64(5), "s": "x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := key(fresh(t), "sk")
			before := store.Item{"n": int64(5), "s": "x"}
			must(t, db, put(k, before))
			w := tt.w
			w.Key, w.Where = k, store.All{store.Equal{Attr: "s", To: "x"}, store.Less{Attr: "n", Than: 5}}
			wantVerdict(t, db, w, before, false)
			wantItem(t, read(t, db, k), k, before)
			w.Where = store.All{store.Equal{Attr: "s", To: "x"}, store.AtMost{Attr: "n", N: 5}}
			wantVerdict(t, db, w, before, true)
			wantItem(t, read(t, db, k), k, tt.want)
		})
	}
}
