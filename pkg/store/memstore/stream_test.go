package memstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// told is a stream in short: event, key, n before and after, who.
func told(rs []memstore.Record) []string {
	var out []string
	for _, r := range rs {
		by := ""
		if r.Service {
			by = " by the service"
		}
		out = append(out, fmt.Sprintf("%s %s %v %v%s", r.Event, r.Key.SK, r.Old["n"], r.New["n"], by))
	}
	return out
}

func wantTold(t *testing.T, rs []memstore.Record, want ...string) {
	t.Helper()
	if got := told(rs); !slices.Equal(got, want) {
		t.Errorf("records %q, want %q", got, want)
	}
}

func TestStream(t *testing.T) {
	db, c := open()
	del := store.Write{Key: key("a"), Delete: true}
	for _, ws := range [][]store.Write{
		{put("a", 1), put("b", 1), {Key: key("x"), Check: true, Where: store.Absent{}}},
		{put("a", 1)}, // identical: no record
		{{Key: key("a"), Update: []store.Change{{Attr: "n", Op: store.Add, To: int64(0)}}}},
		{put("a", 2)},
		{del},
		{del}, // nothing there: no record
		{put("a", 3)},
		{{Key: store.Key{Table: "u", PK: "p", SK: "a"}, Put: store.Item{"n": int64(9)}}},
	} {
		if err := send(db, "", ws...); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(time.Second)
	}
	rs := db.Records("t", "")
	wantTold(t, rs, "INSERT a <nil> 1", "INSERT b <nil> 1", "MODIFY a 1 2", "REMOVE a 2 <nil>", "INSERT a <nil> 3")
	wantTold(t, db.Records("u", ""), "INSERT a <nil> 9")
	if !slices.IsSortedFunc(rs, func(a, b memstore.Record) int { return slices.Compare([]byte(a.Sequence), []byte(b.Sequence)) }) {
		t.Error("sequence numbers do not grow")
	}
	wantTold(t, db.Records("t", rs[2].Sequence), "REMOVE a 2 <nil>", "INSERT a <nil> 3")
	wantTold(t, db.Records("t", rs[4].Sequence))
	rs[4].New["n"] = int64(99)
	wantN(t, db, "a", int64(3))
	if old := rs[2].Old; old["pk"] != "p" || old["sk"] != "a" {
		t.Errorf("old image %v", old)
	}
}

func TestStreamIsTrimmed(t *testing.T) {
	db, c := open()
	for i := range 3 {
		if err := send(db, "", put("a", int64(i))); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(20 * time.Hour)
	}
	wantTold(t, db.Records("t", ""), "MODIFY a 0 1", "MODIFY a 1 2")
}

func TestShuffle(t *testing.T) {
	reverse := func(n int, swap func(i, j int)) {
		for i := range n / 2 {
			swap(i, n-1-i)
		}
	}
	db := memstore.New(memstore.Options{Clock: (&clock{noon}).read, Shuffle: reverse})
	if err := send(db, "", put("a", 1), put("b", 1), put("c", 1)); err != nil {
		t.Fatal(err)
	}
	wantTold(t, db.Records("t", ""), "INSERT c <nil> 1", "INSERT b <nil> 1", "INSERT a <nil> 1")
}

func TestExpire(t *testing.T) {
	db, _ := open()
	at := func(sk string, ttl any) store.Write {
		return store.Write{Key: key(sk), Put: store.Item{"n": int64(1), memstore.TTL: ttl}}
	}
	if err := send(db, "", at("past", noon.Unix()-1), at("now", noon.Unix()), at("text", "0"), put("none", 1)); err != nil {
		t.Fatal(err)
	}
	wantN(t, db, "past", int64(1)) // past is not gone
	release, _ := db.Hold(key("past"))
	if gone := db.Expire(noon); len(gone) != 0 {
		t.Errorf("expired %v while held", gone)
	}
	release()
	if gone := db.Expire(noon); !slices.Equal(gone, []store.Key{key("past")}) {
		t.Errorf("expired %v", gone)
	}
	wantN(t, db, "past", nil)
	rs := db.Records("t", "")
	wantTold(t, rs[len(rs)-1:], "REMOVE past 1 <nil> by the service")
	if gone := db.Expire(noon.Add(time.Second)); !slices.Equal(gone, []store.Key{key("now")}) {
		t.Errorf("expired %v", gone)
	}
}
