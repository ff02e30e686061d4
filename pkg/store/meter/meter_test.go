package meter_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
	"github.com/fairseat/fairseat/pkg/store/storetest"
)

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		it   store.Item
		want int
	}{
		{nil, 0},
		{store.Item{"a": ""}, 1},
		{store.Item{"pk": "x", "sk": "座"}, 2 + 1 + 2 + 3},
		{store.Item{"a": true}, 2},
		{store.Item{"a": []byte{1, 2, 3}}, 4},
		{store.Item{"a": store.Set{"ab", "é"}}, 1 + 2 + 2},
		{store.Item{"a": []any{}}, 1 + 3},
		{store.Item{"a": []any{"ab", true}}, 1 + 3 + (1 + 2) + (1 + 1)},
		{store.Item{"a": map[string]any{"k": "ab"}}, 1 + 3 + (1 + 1 + 2)},
		{store.Item{"a": store.Item{"k": []any{int64(7)}}}, 1 + 3 + (1 + 1 + 3 + (1 + 2))},
		{store.Item{"a": int64(0)}, 1 + 1},
		{store.Item{"a": int64(7)}, 1 + 2},
		{store.Item{"a": int64(-7)}, 1 + 3},
		{store.Item{"a": int64(100)}, 1 + 2},
		{store.Item{"a": int64(101)}, 1 + 3},
		{store.Item{"a": int64(1700000000123)}, 1 + 8},
		{store.Item{"a": int64(math.MaxInt64)}, 1 + 11},
	} {
		if got := meter.Size(tt.it); got != tt.want {
			t.Errorf("size of %v is %d, want %d", tt.it, got, tt.want)
		}
	}
}

func TestWriteUnits(t *testing.T) {
	for size, want := range map[int]int64{0: 2, 1: 2, 1024: 2, 1025: 4, 2048: 4, 400 << 10: 800} {
		if got := meter.WriteUnits(size); got != want {
			t.Errorf("%d bytes are %d units, want %d", size, got, want)
		}
	}
}

func TestHalves(t *testing.T) {
	for h, want := range map[meter.Halves]string{0: "0", 1: "0.5", 2: "1", 53: "26.5"} {
		if h.String() != want {
			t.Errorf("%d halves are %q, want %q", int64(h), h, want)
		}
	}
}

func key(sk string) store.Key { return store.Key{Table: "t", PK: "p", SK: sk} }

// sized is an item of n bytes in all under a key of two letters.
func sized(n int) store.Item { return store.Item{"a": strings.Repeat("x", n-7)} }

func open() *memstore.DB {
	return memstore.New(memstore.Options{Clock: func() time.Time { return time.Unix(1900000000, 0) }})
}

// plain hides what a store tells of sizes.
type plain struct{ store.Tables }

func TestTransact(t *testing.T) {
	add := []store.Change{{Attr: "n", Op: store.Add, To: int64(1)}}
	for _, tt := range []struct {
		name         string
		w            store.Write
		exact, guess int64
	}{
		{"put new", store.Write{Key: key("n"), Put: sized(1024)}, 2, 2},
		{"put new, a byte more", store.Write{Key: key("n"), Put: sized(1025)}, 4, 4},
		{"put over a larger one", store.Write{Key: key("3"), Put: sized(10)}, 6, 2},
		{"update", store.Write{Key: key("3"), Update: add}, 8, 2},
		{"update that shrinks", store.Write{Key: key("3"), Update: []store.Change{{Attr: "a", Op: store.Unset}}}, 6, 2},
		{"delete", store.Write{Key: key("3"), Delete: true}, 6, 2},
		{"delete of nothing", store.Write{Key: key("n"), Delete: true}, 2, 2},
		{"check", store.Write{Key: key("3"), Check: true, Where: store.Exists{}}, 6, 2},
		{"check of nothing", store.Write{Key: key("n"), Check: true, Where: store.Absent{}}, 2, 2},
		{"refused", store.Write{Key: key("3"), Delete: true, Where: store.Absent{}}, 6, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, hide := range []bool{false, true} {
				var db store.Tables = open()
				want := tt.exact
				if err := db.Transact(t.Context(), []store.Write{{Key: key("3"), Put: sized(3 << 10)}}, ""); err != nil {
					t.Fatal(err)
				}
				if hide {
					db, want = plain{db}, tt.guess
				}
				m := meter.New(db)
				_ = m.Transact(t.Context(), []store.Write{tt.w, {Key: store.Key{Table: "u", PK: "p", SK: "s"}, Put: store.Item{}}}, "")
				wantCounts(t, m, map[meter.Op]int64{meter.Transact: 1}, map[meter.Place]meter.Halves{
					{Op: meter.Transact, Table: "t"}: meter.Units(want),
					{Op: meter.Transact, Table: "u"}: meter.Units(2),
				})
				if got := m.Snapshot().Of(meter.Transact); got != meter.Units(want+2) {
					t.Errorf("in all %s units, want %d", got, want+2)
				}
			}
		})
	}
}

func TestUncharged(t *testing.T) {
	throttled := memstore.New(memstore.Options{Clock: time.Now, Faults: func(memstore.Op) memstore.Fault { return memstore.Throttle }})
	for _, tt := range []struct {
		name string
		db   *memstore.DB
		w    store.Write
	}{
		{"malformed", open(), store.Write{Key: key("n")}},
		{"throttled", throttled, store.Write{Key: key("n"), Delete: true}},
	} {
		m := meter.New(tt.db)
		if m.Transact(t.Context(), []store.Write{tt.w}, "") == nil {
			t.Errorf("%s: taken", tt.name)
		}
		wantCounts(t, m, map[meter.Op]int64{meter.Transact: 1}, nil)
	}
}

func TestReads(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name     string
		call     func(m *meter.Meter) error
		op       meter.Op
		requests int64
		halves   meter.Halves
	}{
		{"get", func(m *meter.Meter) error { _, err := m.Get(ctx, key("3"), true); return err }, meter.Get, 1, 2},
		{"get, eventual", func(m *meter.Meter) error { _, err := m.Get(ctx, key("3"), false); return err }, meter.Get, 1, 1},
		{"get 9 KB", func(m *meter.Meter) error { _, err := m.Get(ctx, key("9"), true); return err }, meter.Get, 1, 6},
		{"get nothing", func(m *meter.Meter) error { _, err := m.Get(ctx, key("n"), true); return err }, meter.Get, 1, 2},
		{"transact get", func(m *meter.Meter) error {
			_, err := m.TransactGet(ctx, []store.Key{key("9"), key("n"), key("9")})
			return err
		}, meter.TransactGet, 1, 12 + 4},
		{"batch get", func(m *meter.Meter) error {
			_, err := m.BatchGet(ctx, []store.Key{key("9"), key("n"), key("9")}, false)
			return err
		}, meter.BatchGet, 1, 3 + 1},
		{"batch get of 101", func(m *meter.Meter) error {
			var keys []store.Key
			for i := range 101 {
				keys = append(keys, key(fmt.Sprint("x", i)))
			}
			_, err := m.BatchGet(ctx, keys, true)
			return err
		}, meter.BatchGet, 2, 202},
		{"query sums before it rounds", func(m *meter.Meter) error {
			_, _, err := m.Query(ctx, store.Query{Table: "t", PK: "p", Consistent: true})
			return err
		}, meter.Query, 1, 6}, // 3 KB + 9 KB are exactly 12
		{"query, eventual", func(m *meter.Meter) error {
			_, _, err := m.Query(ctx, store.Query{Table: "t", PK: "p", Prefix: "3"})
			return err
		}, meter.Query, 1, 1},
		{"query nothing", func(m *meter.Meter) error {
			_, _, err := m.Query(ctx, store.Query{Table: "t", PK: "q", Consistent: true})
			return err
		}, meter.Query, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := meter.New(open())
			if err := m.Transact(ctx, []store.Write{{Key: key("3"), Put: sized(3 << 10)}, {Key: key("9"), Put: sized(9 << 10)}}, ""); err != nil {
				t.Fatal(err)
			}
			m.Reset()
			if err := tt.call(m); err != nil {
				t.Fatal(err)
			}
			wantCounts(t, m, map[meter.Op]int64{tt.op: tt.requests}, map[meter.Place]meter.Halves{{Op: tt.op, Table: "t"}: tt.halves})
		})
	}
}

func wantCounts(t *testing.T, m *meter.Meter, requests map[meter.Op]int64, units map[meter.Place]meter.Halves) {
	t.Helper()
	got := m.Snapshot()
	if !maps.Equal(got.Requests, requests) || !maps.Equal(got.Units, units) {
		t.Errorf("counted %v and %v, want %v and %v", got.Requests, got.Units, requests, units)
	}
}

// TestSuite: a meter changes nothing.
func TestSuite(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Tables { return meter.New(open()) })
}
