// Package storetest decides what a store.Tables must do. One suite runs over
// every implementation, and a difference between two of them is a bug of one.
//
// Start with [Run]; [Sequences] is its random part, which also bears an
// implementation that answers with conflicts and unknown outcomes.
//
// Where DynamoDB Local 2.6.1 is known to differ from the service, so that no test
// relies on it:
//
//   - It answers no TransactionConflict, no TransactionInProgressException and no
//     throttling, and its capacity figures are wrong.
//   - It refuses a change of the wrong type, and an item grown too large, as a
//     malformed request; the service cancels with ValidationError for that write.
//     The tests take any fault.
//   - An update that only removes makes the absent item there, which the port
//     promises too. The service documents it for no case; a caller who needs the
//     item to be there should set something.
//   - The service judges concurrent transactions by their timestamps and may take
//     two that overlap in time; memstore always refuses the second.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store"
)

// The tables that an implementation under test must have, with pk and sk of
// strings and nothing in them under keys of this suite.
const (
	First  store.Table = "first"
	Second store.Table = "second"
)

// tb is a test or one round of a random one.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

const callLimit = 20 * time.Second

// Run checks an implementation. open is called once a test and may answer the
// same tables each time: no two tests share a key.
func Run(t *testing.T, open func(t *testing.T) store.Tables) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, store.Tables)
	}{
		{"Conditions", conditions},
		{"ConditionsOnEveryWrite", conditionsOnEveryWrite},
		{"Changes", changes},
		{"ChangesThatCannotBe", changesThatCannotBe},
		{"AbsentAfterNothing", absentAfterNothing},
		{"PutReplaces", putReplaces},
		{"DeleteTwice", deleteTwice},
		{"ReasonsInOrder", reasonsInOrder},
		{"AllOrNothing", allOrNothing},
		{"HundredWrites", hundredWrites},
		{"Malformed", malformed},
		{"TooLarge", tooLarge},
		{"Tokens", tokens},
		{"CanceledContext", canceledContext},
		{"Get", get},
		{"BatchGet", batchGet},
		{"TransactGet", transactGet},
		{"QueryBounds", queryBounds},
		{"QueryPages", queryPages},
		{"QueryMegabyte", queryMegabyte},
		{"QueryRefusals", queryRefusals},
		{"QueryLikeItsTwin", queryLikeItsTwin},
		{"Values", values},
		{"ByValue", byValue},
		{"Together", together},
		{"Updates", singleUpdates},
		{"UpdatesTogether", updatesTogether},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
	t.Run("Sequences", func(t *testing.T) { Sequences(t, open) })
}

var (
	serial  atomic.Int64
	started = time.Now()
)

// fresh is a partition that no other test has; it differs from run to run too
// where the tables outlive the process.
func fresh(t testing.TB) string {
	return fmt.Sprintf("%s/%d/%d", t.Name(), serial.Add(1), started.UnixNano())
}

func key(pk, sk string) store.Key { return store.Key{Table: First, PK: pk, SK: sk} }

func put(k store.Key, it store.Item) store.Write { return store.Write{Key: k, Put: it} }

func change(attr string, op store.ChangeOp, to any) store.Change {
	return store.Change{Attr: attr, Op: op, To: to}
}

func transact(t tb, db store.Tables, ws ...store.Write) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), callLimit)
	defer stop()
	return db.Transact(ctx, ws, "")
}

func must(t tb, db store.Tables, ws ...store.Write) {
	t.Helper()
	if err := transact(t, db, ws...); err != nil {
		t.Fatal(err)
	}
}

// read is the consistent truth.
func read(t tb, db store.Tables, k store.Key) store.Item {
	t.Helper()
	it, err := db.Get(t.Context(), k, true)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// wantItem compares with want as it is stored: with its key.
func wantItem(t tb, got store.Item, k store.Key, want store.Item) {
	t.Helper()
	if want == nil {
		if got != nil {
			t.Fatalf("item %v, want none", got)
		}
		return
	}
	if !got.Equal(stored(k, want)) {
		t.Fatalf("item %v, want %v", got, stored(k, want))
	}
}

func stored(k store.Key, it store.Item) store.Item {
	it = it.Clone()
	if it == nil {
		it = store.Item{}
	}
	it["pk"], it["sk"] = k.PK, k.SK
	return it
}

// wantReasons answers the refusal for a closer look.
func wantReasons(t tb, err error, codes ...store.ReasonCode) *store.Canceled {
	t.Helper()
	var c *store.Canceled
	if !errors.As(err, &c) {
		t.Fatalf("error %v, want a canceled transaction", err)
	}
	got := make([]store.ReasonCode, len(c.Reasons))
	for i, r := range c.Reasons {
		got[i] = r.Code
	}
	if !slices.Equal(got, codes) {
		t.Fatalf("reasons %v, want %v: %v", got, codes, err)
	}
	return c
}

// wantFault is a refusal of the request itself.
func wantFault(t tb, err error) {
	t.Helper()
	var c *store.Canceled
	if !errors.As(err, &c) || !c.Has(store.ReasonFault) || c.Has(store.ReasonCondition) {
		t.Fatalf("error %v, want a fault", err)
	}
}

func long(n int) string { return strings.Repeat("x", n) }
