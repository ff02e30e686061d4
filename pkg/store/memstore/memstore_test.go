package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/storetest"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// clock is set by hand.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func open() (*memstore.DB, *clock) {
	c := &clock{noon}
	return memstore.New(memstore.Options{Clock: c.read}), c
}

func TestSuite(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Tables {
		db, _ := open()
		return db
	})
}

// TestSequencesWithFaults: conflicts, throttling, lost requests and lost replies
// at random.
func TestSequencesWithFaults(t *testing.T) {
	var mu sync.Mutex
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	seen := map[memstore.Fault]int{}
	faults := func(memstore.Op) memstore.Fault {
		mu.Lock()
		defer mu.Unlock()
		f := memstore.NoFault
		if dice.IntN(3) == 0 {
			f += memstore.Fault(dice.IntN(5))
		}
		seen[f]++
		return f
	}
	storetest.Sequences(t, func(*testing.T) store.Tables {
		return memstore.New(memstore.Options{Clock: (&clock{noon}).read, Faults: faults, Shuffle: dice.Shuffle})
	})
	for f := memstore.NoFault; f <= memstore.LoseReply; f++ {
		if seen[f] == 0 {
			t.Errorf("fault %d never happened", f)
		}
	}
}

func key(sk string) store.Key { return store.Key{Table: "t", PK: "p", SK: sk} }

func put(sk string, n int64) store.Write {
	return store.Write{Key: key(sk), Put: store.Item{"n": n}}
}

func send(db *memstore.DB, token string, ws ...store.Write) error {
	return db.Transact(context.Background(), ws, token)
}

func wantN(t *testing.T, db *memstore.DB, sk string, want any) {
	t.Helper()
	it, err := db.Get(t.Context(), key(sk), true)
	if err != nil || it["n"] != want {
		t.Errorf("%s is %v (%v), want %v", sk, it["n"], err, want)
	}
}

func wantReasons(t *testing.T, err error, want ...store.ReasonCode) {
	t.Helper()
	var c *store.Canceled
	if !errors.As(err, &c) {
		t.Fatalf("error %v, want canceled", err)
	}
	var got []store.ReasonCode
	for _, r := range c.Reasons {
		got = append(got, r.Code)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("reasons %v, want %v", got, want)
	}
}

func TestHeldItems(t *testing.T) {
	db, _ := open()
	if err := send(db, "", put("a", 1), put("b", 1)); err != nil {
		t.Fatal(err)
	}
	release, ok := db.Hold(key("b"))
	if !ok {
		t.Fatal("not held")
	}
	if _, again := db.Hold(key("a"), key("b")); again {
		t.Error("held twice")
	}
	wantReasons(t, send(db, "", put("a", 2), put("b", 2)), store.ReasonNone, store.ReasonConflict)
	wantReasons(t, send(db, "", store.Write{Key: key("b"), Check: true, Where: store.Exists{}},
		store.Write{Key: key("a"), Check: true, Where: store.Absent{}}), store.ReasonConflict, store.ReasonCondition)
	_, err := db.TransactGet(t.Context(), []store.Key{key("a"), key("b")})
	wantReasons(t, err, store.ReasonNone, store.ReasonConflict)
	wantN(t, db, "b", int64(1))
	release()
	release()
	if err := send(db, "", put("a", 2), put("b", 2)); err != nil {
		t.Error(err)
	}
}

// TestWindow: what others see of a transaction in flight, and between its writes.
func TestWindow(t *testing.T) {
	var db *memstore.DB
	var seen []string
	nested := false
	window := func(op memstore.Op, done int) {
		if nested {
			return
		}
		nested = true
		defer func() { nested = false }()
		a, _ := db.Get(t.Context(), key("a"), true)
		b, _ := db.Get(t.Context(), key("b"), true)
		seen = append(seen, fmt.Sprint(done, a["n"], b["n"]))
		wantReasons(t, send(db, "", store.Write{Key: key("check"), Check: true, Where: store.Exists{}}), store.ReasonConflict)
		wantReasons(t, send(db, op.Token, op2()...), store.ReasonConflict, store.ReasonConflict, store.ReasonConflict)
		if _, err := db.TransactGet(t.Context(), []store.Key{key("a"), key("b")}); err == nil {
			t.Error("a TransactGet saw a transaction in flight")
		}
		if gone := db.Expire(noon.Add(time.Hour)); len(gone) != 0 {
			t.Errorf("expired %v while held", gone)
		}
		if err := send(db, "", put("c", int64(done))); err != nil {
			t.Errorf("an item that is not held: %v", err)
		}
	}
	db = memstore.New(memstore.Options{Clock: (&clock{noon}).read, Window: window})
	if err := send(db, "token", op2()...); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0 <nil> <nil>", "1 1 <nil>"}; !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
	wantN(t, db, "b", int64(1))
}

func op2() []store.Write {
	return []store.Write{
		{Key: key("a"), Put: store.Item{"n": int64(1), memstore.TTL: noon.Unix()}}, put("b", 1),
		{Key: key("check"), Check: true, Where: store.Absent{}},
	}
}

func TestTokenLife(t *testing.T) {
	db, c := open()
	add := store.Write{Key: key("a"), Update: []store.Change{{Attr: "n", Op: store.Add, To: int64(1)}}}
	for _, step := range []struct {
		after time.Duration
		want  int64
	}{{0, 1}, {0, 1}, {10*time.Minute - 1, 1}, {1, 2}, {9 * time.Minute, 2}, {time.Hour, 3}} {
		c.now = c.now.Add(step.after)
		if err := send(db, "token", add); err != nil {
			t.Fatal(err)
		}
		wantN(t, db, "a", step.want)
	}
	if err := send(db, "token", put("a", 1)); !errors.Is(err, store.ErrTokenMismatch) {
		t.Errorf("error %v, want a mismatch", err)
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		fault memstore.Fault
		err   error // nil: canceled for a conflict
		after any
		late  any // after Deliver
	}{
		{memstore.Throttle, store.ErrThrottled, nil, nil},
		{memstore.Conflict, nil, nil, nil},
		{memstore.LoseRequest, store.ErrUnknown, nil, nil},
		{memstore.LoseReply, store.ErrUnknown, int64(1), int64(1)},
		{memstore.DelayRequest, store.ErrUnknown, nil, int64(1)},
	} {
		fault := tt.fault
		var ops []memstore.Op
		db := memstore.New(memstore.Options{Clock: (&clock{noon}).read, Faults: func(op memstore.Op) memstore.Fault {
			ops = append(ops, op)
			return fault
		}})
		err := send(db, "token", put("a", 1))
		if tt.err == nil {
			wantReasons(t, err, store.ReasonConflict)
		} else if !errors.Is(err, tt.err) {
			t.Errorf("fault %d: error %v, want %v", tt.fault, err, tt.err)
		}
		if len(ops) != 1 || ops[0].Kind != memstore.OpTransact || ops[0].Token != "token" || !slices.Equal(ops[0].Keys, []store.Key{key("a")}) {
			t.Errorf("the hook saw %v", ops)
		}
		if _, err := db.Get(t.Context(), key("a"), true); err == nil || errors.Is(err, store.ErrUnknown) {
			t.Errorf("fault %d: a read answered %v", tt.fault, err)
		}
		fault = memstore.NoFault
		wantN(t, db, "a", tt.after)
		db.Deliver()
		wantN(t, db, "a", tt.late)
		if n := db.Deliver(); n != 0 {
			t.Errorf("%d requests delivered twice", n)
		}
		fault = 0
		if _, err := db.Get(t.Context(), key("a"), true); err == nil {
			t.Error("a fault of no kind was taken")
		}
	}
}

// TestLateRequestIsJudgedLate: what arrives late meets the state of then.
func TestLateRequestIsJudgedLate(t *testing.T) {
	fault := memstore.DelayRequest
	db := memstore.New(memstore.Options{Clock: (&clock{noon}).read, Faults: func(memstore.Op) memstore.Fault { return fault }})
	w := put("a", 1)
	w.Where = store.Absent{}
	if err := send(db, "", w); !errors.Is(err, store.ErrUnknown) {
		t.Fatal(err)
	}
	w.Put["n"] = int64(7) // the request in flight is a copy
	fault = memstore.NoFault
	if err := send(db, "", put("a", 2)); err != nil {
		t.Fatal(err)
	}
	if n := db.Deliver(); n != 1 {
		t.Errorf("%d delivered", n)
	}
	wantN(t, db, "a", int64(2))
}

func TestThrottlingByPartition(t *testing.T) {
	c := &clock{noon}
	db := memstore.New(memstore.Options{Clock: c.read, Rate: 10})
	five := func(pk string) error { // 10 units
		var ws []store.Write
		for i := range 5 {
			ws = append(ws, store.Write{Key: store.Key{Table: "t", PK: pk, SK: fmt.Sprint(i)}, Put: store.Item{}})
		}
		return db.Transact(t.Context(), ws, "")
	}
	for _, step := range []struct {
		after time.Duration
		pk    string
		ok    bool
	}{{0, "p", true}, {0, "p", false}, {0, "q", true}, {199 * time.Millisecond, "p", false}, {5 * time.Second, "p", true}, {time.Second, "p", true}} {
		c.now = c.now.Add(step.after)
		err := five(step.pk)
		if step.ok && err != nil {
			t.Errorf("%+v: %v", step, err)
		}
		var refusal *store.Canceled
		if !step.ok && (!errors.As(err, &refusal) || !refusal.Has(store.ReasonThrottled)) {
			t.Errorf("%+v: error %v, want throttled", step, err)
		}
	}
}

// TestLargeItemPasses: what costs more than a second's budget is let through
// when nothing is owed.
func TestLargeItemPasses(t *testing.T) {
	c := &clock{noon}
	db := memstore.New(memstore.Options{Clock: c.read, Rate: 10})
	big := store.Write{Key: key("a"), Put: store.Item{"a": make([]byte, 100<<10)}}
	if err := send(db, "", big); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(time.Second)
	wantReasons(t, send(db, "", put("b", 1)), store.ReasonThrottled)
	c.now = c.now.Add(20 * time.Second)
	if err := send(db, "", put("b", 1)); err != nil {
		t.Error(err)
	}
}

func TestLag(t *testing.T) {
	c := &clock{noon}
	db := memstore.New(memstore.Options{Clock: c.read, Lag: time.Second})
	see := func(consistent bool) any {
		t.Helper()
		it, err := db.Get(t.Context(), key("a"), consistent)
		if err != nil {
			t.Fatal(err)
		}
		many, err := db.BatchGet(t.Context(), []store.Key{key("a")}, consistent)
		if err != nil || many[key("a")]["n"] != it["n"] {
			t.Fatalf("batch sees %v, get %v", many, it)
		}
		rows, _, err := db.Query(t.Context(), store.Query{Table: "t", PK: "p", Prefix: "a", Consistent: consistent})
		if err != nil || len(rows) > 0 != (it != nil) || it != nil && rows[0]["n"] != it["n"] {
			t.Fatalf("query sees %v, get %v", rows, it)
		}
		return it["n"]
	}
	for _, step := range []struct {
		do           store.Write
		strong, late any
	}{
		{put("a", 1), int64(1), nil},
		{put("a", 2), int64(2), nil},
		{put("b", 0), int64(2), int64(1)},
		{store.Write{Key: key("a"), Delete: true}, nil, int64(2)},
		{put("b", 0), nil, int64(2)},
		{put("b", 0), nil, nil},
		{put("a", 3), int64(3), nil},
	} {
		if err := send(db, "", step.do); err != nil {
			t.Fatal(err)
		}
		if got := see(true); got != step.strong {
			t.Errorf("strong read %v, want %v", got, step.strong)
		}
		if got := see(false); got != step.late {
			t.Errorf("eventual read %v, want %v", got, step.late)
		}
		c.now = c.now.Add(500 * time.Millisecond)
	}
}

// TestNobodySeesHalf: under real goroutines TransactGet sees pairs, and each
// acknowledged increment counts once.
func TestNobodySeesHalf(t *testing.T) {
	db := memstore.New(memstore.Options{Clock: time.Now})
	var acked, halves, conflicts int64
	var mu sync.Mutex
	var all sync.WaitGroup
	add := []store.Change{{Attr: "n", Op: store.Add, To: int64(1)}}
	for range 8 {
		all.Go(func() {
			for range 200 {
				err := send(db, "", store.Write{Key: key("a"), Update: add}, store.Write{Key: key("b"), Update: add})
				items, _ := db.BatchGet(context.Background(), []store.Key{key("a"), key("b")}, true)
				pair, seen := db.TransactGet(context.Background(), []store.Key{key("a"), key("b")})
				mu.Lock()
				switch {
				case err == nil:
					acked++
				default:
					conflicts++
				}
				if items[key("a")]["n"] != items[key("b")]["n"] {
					halves++
				}
				if seen == nil && !(pair[0] == nil && pair[1] == nil) && pair[0]["n"] != pair[1]["n"] {
					t.Errorf("saw %v", pair)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	wantN(t, db, "a", acked)
	wantN(t, db, "b", acked)
	t.Logf("%d acknowledged, %d refused, %d plain reads saw a half", acked, conflicts, halves)
	if conflicts == 0 {
		t.Error("no two transactions ever met")
	}
}

// TestThrottleTwin: the budget against a bucket filled drop by drop.
func TestThrottleTwin(t *testing.T) {
	const rate = 100
	rapid.Check(t, func(rt *rapid.T) {
		c := &clock{noon}
		db := memstore.New(memstore.Options{Clock: c.read, Rate: rate})
		milli := int64(rate * 1000) // thousandths of a unit in the bucket
		for range 20 {
			ms := rapid.Int64Range(0, 300).Draw(rt, "ms")
			c.now = c.now.Add(time.Duration(ms) * time.Millisecond)
			milli = min(rate*1000, milli+ms*rate)
			kb := rapid.Int64Range(1, 40).Draw(rt, "kb")
			err := send(db, "", store.Write{Key: key("a"), Check: true, Where: store.Exists{}}, // 2 units, always refused
				store.Write{Key: store.Key{Table: "t", PK: "other", SK: "a"}, Put: store.Item{"a": make([]byte, kb<<10-20)}})
			want := milli >= 2000
			if want {
				milli -= 2000
			}
			var refusal *store.Canceled
			if !errors.As(err, &refusal) || (refusal.Reasons[0].Code == store.ReasonCondition) != want {
				rt.Fatalf("error %v, %d thousandths left", err, milli)
			}
		}
	})
}
