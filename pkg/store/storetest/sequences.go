package storetest

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/store"
)

// Sequences runs random transactions on a few items against a map. A conflict
// must have changed nothing; after an unknown outcome the items must be all as
// before or all as after.
func Sequences(t *testing.T, open func(t *testing.T) store.Tables) {
	db := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := sequence{t: rt, db: db, state: twin{}}
		pk := fresh(t)
		for i := range 5 {
			k := store.Key{Table: First, PK: pk, SK: fmt.Sprint(i)}
			if i > 2 {
				k.Table = Second
			}
			s.keys = append(s.keys, k)
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			s.step()
		}
		s.wantState()
	})
}

type sequence struct {
	t     *rapid.T
	db    store.Tables
	keys  []store.Key
	state twin
}

func (s *sequence) step() {
	ws := s.writes()
	token := ""
	if rapid.Bool().Draw(s.t, "with token") {
		token = fmt.Sprintf("%d-%d", serial.Add(1), started.UnixNano())
	}
	applied := s.attempt(ws, token)
	for token != "" && rapid.Bool().Draw(s.t, "repeat") {
		if !applied {
			applied = s.attempt(ws, token)
			continue
		}
		s.repeat(ws, token)
	}
}

// repeat sends again what was applied: nothing may change, and there is no
// refusal but for what befalls any request.
func (s *sequence) repeat(ws []store.Write, token string) {
	err := s.db.Transact(s.t.Context(), ws, token)
	var c *store.Canceled
	if errors.As(err, &c) && !c.Has(store.ReasonConflict) || errors.Is(err, store.ErrTokenMismatch) {
		s.t.Fatalf("a repeat was refused: %v", err)
	}
	s.wantState()
}

// attempt reports whether the writes are known to be applied.
func (s *sequence) attempt(ws []store.Write, token string) bool {
	after, codes := s.state.try(ws)
	err := s.db.Transact(s.t.Context(), ws, token)
	var c *store.Canceled
	switch {
	case errors.Is(err, store.ErrUnknown):
		return s.learn(after)
	case errors.As(err, &c) && c.Has(store.ReasonConflict):
		s.wantState()
	case errors.Is(err, store.ErrThrottled):
		s.wantState()
	case codes != nil:
		refusal := wantReasons(s.t, err, codes...)
		for i, r := range refusal.Reasons {
			if r.Code == condition {
				wantRow(s.t, r.Old, s.state[ws[i].Key])
			}
		}
	case err != nil:
		s.t.Fatalf("%v: %v", ws, err)
	default:
		s.state = after
		return true
	}
	return false
}

// learn reads what an unknown outcome was.
func (s *sequence) learn(after twin) (applied bool) {
	got := s.truth()
	switch {
	case got.equal(s.state):
	case after != nil && got.equal(after):
		s.state = after
		return true
	default:
		s.t.Fatalf("unknown outcome left %v, before %v, after %v", got, s.state, after)
	}
	return false
}

func (s *sequence) wantState() {
	if got := s.truth(); !got.equal(s.state) {
		s.t.Fatalf("state %v, want %v", got, s.state)
	}
}

// truth retries: a read may fail where faults are injected.
func (s *sequence) truth() twin {
	var last error
	for range 50 {
		items, err := s.db.BatchGet(s.t.Context(), s.keys, true)
		if err == nil {
			return twin(items)
		}
		last = err
	}
	s.t.Fatalf("50 reads failed: %v", last)
	return nil
}

func (m twin) equal(o twin) bool {
	if len(m) != len(o) {
		return false
	}
	for k, it := range m {
		if other, ok := o[k]; !ok || !it.Equal(other) {
			return false
		}
	}
	return true
}

func wantRow(t tb, got, want store.Item) {
	t.Helper()
	if (got == nil) != (want == nil) || !got.Equal(want) {
		t.Fatalf("old item %v, want %v", got, want)
	}
}

func (s *sequence) writes() []store.Write {
	keys := rapid.Permutation(s.keys).Draw(s.t, "keys")
	ws := make([]store.Write, rapid.IntRange(1, len(keys)).Draw(s.t, "writes"))
	for i := range ws {
		ws[i] = write().Draw(s.t, "write")
		ws[i].Key = keys[i]
	}
	return ws
}

var members = rapid.Map(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID[string]),
	func(s []string) store.Set { return s })

func write() *rapid.Generator[store.Write] {
	return rapid.Custom(func(rt *rapid.T) store.Write {
		var w store.Write
		switch rapid.IntRange(0, 3).Draw(rt, "kind") {
		case 0:
			w.Put = store.Item{"n": rapid.Int64Range(0, 3).Draw(rt, "n")}
			if m := members.Draw(rt, "s"); len(m) > 0 {
				w.Put["s"] = m
			}
		case 1:
			w.Update = updates(rt)
		case 2:
			w.Delete = true
		case 3:
			w.Check = true
		}
		if w.Check || rapid.Bool().Draw(rt, "conditional") {
			w.Where = cond(2).Draw(rt, "where")
		}
		return w
	})
}

func updates(rt *rapid.T) []store.Change {
	all := []store.Change{
		change("n", rapid.SampledFrom([]store.ChangeOp{store.Add, store.SetTo}).Draw(rt, "n op"), rapid.Int64Range(-2, 3).Draw(rt, "n")),
		change("s", rapid.SampledFrom([]store.ChangeOp{store.SetAdd, store.SetDelete, store.SetTo}).Draw(rt, "s op"), members.Draw(rt, "s")),
		{Attr: "x", Op: store.Unset},
		change("y", store.SetTo, rapid.String().Draw(rt, "y")),
	}
	return rapid.Permutation(all).Draw(rt, "changes")[:rapid.IntRange(1, len(all)).Draw(rt, "n changes")]
}

func cond(depth int) *rapid.Generator[store.Cond] {
	n := rapid.Int64Range(-1, 4)
	gens := []*rapid.Generator[store.Cond]{
		rapid.SampledFrom([]store.Cond{store.Absent{}, store.Exists{}, store.NoAttr{Attr: "s"}, store.NoAttr{Attr: "n"}}),
		rapid.Map(n, func(n int64) store.Cond { return store.Equal{Attr: "n", To: n} }),
		rapid.Map(n, func(n int64) store.Cond { return store.Less{Attr: "n", Than: n} }),
		rapid.Map(n, func(n int64) store.Cond { return store.AtMost{Attr: "n", N: n} }),
		rapid.Map(n, func(n int64) store.Cond { return store.AtLeast{Attr: "n", N: n} }),
		rapid.Map(rapid.SampledFrom([]string{"a", "b"}), func(m string) store.Cond { return store.NotHolding{Attr: "s", Member: m} }),
	}
	if depth > 0 {
		inner := rapid.SliceOfN(cond(depth-1), 1, 3)
		gens = append(gens,
			rapid.Map(inner, func(cs []store.Cond) store.Cond { return store.All(cs) }),
			rapid.Map(inner, func(cs []store.Cond) store.Cond { return store.Any(cs) }),
		)
	}
	return rapid.OneOf(gens...)
}
