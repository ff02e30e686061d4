package ddb

import (
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/fairseat/fairseat/pkg/store"
)

// TestSlabForgets: what a transaction says does not depend on who had its memory
// before.
func TestSlabForgets(t *testing.T) {
	names := map[store.Table]string{"t": "deployed"}
	s := New(dynamodb.New(dynamodb.Options{}), names, func(d time.Duration) time.Duration { return d })
	key := func(sk string) store.Key { return store.Key{Table: "t", PK: "p", SK: sk} }
	long := []store.Write{
		{Key: key("a"), Put: store.Item{"x": "1", "y": int64(2), "z": store.Texts{"u", "v"}}, Where: store.Any{store.Absent{}, store.AtMost{Attr: "n", N: 3}}},
		{Key: key("b"), Update: []store.Change{{Attr: "n", Op: store.Add, To: int64(7)}, {Attr: "s", Op: store.SetAdd, To: store.Set{"m"}}}},
		{Key: key("c"), Check: true, Where: store.NotHolding{Attr: "s", Member: "q"}},
	}
	short := []store.Write{
		{Key: key("d"), Put: store.Item{"x": "9"}, Where: store.Equal{Attr: "x", To: "8"}},
		{Key: key("e"), Delete: true},
	}
	fresh := func(ws []store.Write) any {
		in, err := s.transaction(&slab{}, ws, "")
		if err != nil {
			t.Fatal(err)
		}
		return in.TransactItems
	}
	used := &slab{kept: true, shapes: map[string]*string{}}
	for i, ws := range [][]store.Write{long, short, long, short[1:], long[1:], short} {
		in, err := s.transaction(used, ws, "token")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(any(in.TransactItems), fresh(ws)) {
			t.Errorf("transaction %d: %+v", i, in.TransactItems)
		}
		used.forget()
		if in.ClientRequestToken != nil {
			t.Error("a token stays")
		}
	}
}
