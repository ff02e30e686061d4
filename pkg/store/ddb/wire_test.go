package ddb_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// Answers that no emulator gives, over the real wire.

const table store.Table = "t"

func at(sk string) store.Key { return store.Key{Table: table, PK: "p", SK: sk} }

func dial(t *testing.T, url string) *ddb.Store {
	t.Helper()
	client, err := ddb.Client(environment(url))
	if err != nil {
		t.Fatal(err)
	}
	return ddb.New(client, map[store.Table]string{table: "deployed"}, none)
}

// serve answers each request by its number, from 0.
func serve(t *testing.T, answer func(n int, op, body string, w http.ResponseWriter)) (*ddb.Store, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		answer(int(n.Add(1))-1, op, string(body), w)
	}))
	t.Cleanup(srv.Close)
	return dial(t, srv.URL), &n
}

func exception(w http.ResponseWriter, status int, code, members string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"m"%s}`, code, members)
}

func two() []store.Write {
	return []store.Write{{Key: at("a"), Put: store.Item{}}, {Key: at("b"), Delete: true}}
}

func TestTransactAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		status  int
		code    string
		members string
		want    error              // or
		reasons []store.ReasonCode // of a cancellation
		kind    fault.Kind         // 0: not looked at
	}{
		{"reasons", 400, "TransactionCanceledException", `,"CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed"}]`, nil, []store.ReasonCode{store.ReasonNone, store.ReasonCondition}, 0},
		{"conflict", 400, "TransactionCanceledException", `,"CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]`, nil, []store.ReasonCode{store.ReasonConflict, store.ReasonNone}, 0},
		{"throttled", 400, "TransactionCanceledException", `,"CancellationReasons":[{"Code":"ThrottlingError"},{"Code":"ProvisionedThroughputExceeded"}]`, nil, []store.ReasonCode{store.ReasonThrottled, store.ReasonThrottled}, 0},
		{"faults", 400, "TransactionCanceledException", `,"CancellationReasons":[{"Code":"ValidationError"},{"Code":"ItemCollectionSizeLimitExceeded"}]`, nil, []store.ReasonCode{store.ReasonFault, store.ReasonFault}, 0},
		{"too few reasons", 400, "TransactionCanceledException", `,"CancellationReasons":[{"Code":"None"}]`, nil, []store.ReasonCode{store.ReasonFault, store.ReasonFault}, 0},
		{"in progress", 400, "TransactionInProgressException", "", nil, []store.ReasonCode{store.ReasonConflict, store.ReasonConflict}, 0},
		{"conflict as a whole", 400, "TransactionConflictException", "", nil, []store.ReasonCode{store.ReasonConflict, store.ReasonConflict}, 0},
		{"malformed", 400, "ValidationException", "", nil, []store.ReasonCode{store.ReasonFault, store.ReasonFault}, 0},
		{"throttling", 400, "ThrottlingException", "", store.ErrThrottled, nil, fault.Busy},
		{"throughput", 400, "ProvisionedThroughputExceededException", "", store.ErrThrottled, nil, fault.Busy},
		{"account limit", 400, "RequestLimitExceeded", "", store.ErrThrottled, nil, fault.Busy},
		{"throttled by a 503", 503, "ThrottlingException", "", store.ErrThrottled, nil, fault.Busy},
		{"token", 400, "IdempotentParameterMismatchException", "", store.ErrTokenMismatch, nil, fault.Internal},
		{"server error", 500, "InternalServerError", "", store.ErrUnknown, nil, fault.Unknown},
		{"unavailable", 503, "ServiceUnavailable", "", store.ErrUnknown, nil, fault.Unknown},
		{"no such table", 400, "ResourceNotFoundException", "", nil, nil, fault.Internal},
		{"no right", 400, "AccessDeniedException", "", nil, nil, fault.Internal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db, n := serve(t, func(_ int, _, _ string, w http.ResponseWriter) { exception(w, tt.status, tt.code, tt.members) })
			err := db.Transact(t.Context(), two(), "")
			if n.Load() != 1 {
				t.Errorf("%d requests", n.Load())
			}
			wantAnswer(t, err, tt.want, tt.reasons)
			if tt.kind != 0 && fault.KindOf(err) != tt.kind {
				t.Errorf("kind %d, want %d: %v", fault.KindOf(err), tt.kind, err)
			}
		})
	}
}

func wantAnswer(t *testing.T, err, want error, reasons []store.ReasonCode) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	var c *store.Canceled
	isCanceled := errors.As(err, &c)
	if isCanceled != (reasons != nil) {
		t.Fatalf("error %v", err)
	}
	if isCanceled {
		var got []store.ReasonCode
		for _, r := range c.Reasons {
			got = append(got, r.Code)
		}
		if !slices.Equal(got, reasons) {
			t.Errorf("reasons %v, want %v", got, reasons)
		}
	}
	for _, sentinel := range []error{store.ErrThrottled, store.ErrTokenMismatch, store.ErrUnknown} {
		if errors.Is(err, sentinel) != (sentinel == want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

// TestOutcome: unknown when the request may have arrived, known when it cannot.
func TestOutcome(t *testing.T) {
	release := make(chan struct{})
	hang := func(_ int, _, _ string, w http.ResponseWriter) { <-release }
	reset := func(_ int, _, _ string, w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}
	truncated := func(_ int, _, _ string, w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("{"))
	}
	garbage := func(_ int, _, _ string, w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) }
	proxy := func(_ int, _, _ string, w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }
	for name, answer := range map[string]func(int, string, string, http.ResponseWriter){
		"hang": hang, "reset": reset, "truncated": truncated, "garbage": garbage, "proxy": proxy,
	} {
		t.Run(name, func(t *testing.T) {
			db, n := serve(t, answer)
			ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer stop()
			if name == "hang" {
				defer close(release) // before the server waits for its handler
			}
			wantAnswer(t, db.Transact(ctx, two(), ""), store.ErrUnknown, nil)
			if n.Load() != 1 {
				t.Errorf("%d requests", n.Load())
			}
			if _, err := db.Get(ctx, at("a"), true); err == nil || errors.Is(err, store.ErrUnknown) {
				t.Errorf("get: %v", err)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, dial(t, fmt.Sprintf("http://127.0.0.1:%d", port)).Transact(t.Context(), two(), ""), nil, nil)
	})
	t.Run("canceled before", func(t *testing.T) {
		db, n := serve(t, garbage)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := db.Transact(ctx, two(), ""); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnknown) || n.Load() != 0 {
			t.Errorf("%v after %d requests", err, n.Load())
		}
	})
}

// TestRequest is what goes over the wire for each kind of write.
func TestRequest(t *testing.T) {
	var got string
	db, _ := serve(t, func(_ int, op, body string, w http.ResponseWriter) {
		got = op + " " + body
		_, _ = io.WriteString(w, "{}")
	})
	err := db.Transact(t.Context(), []store.Write{
		{Key: at("a"), Put: store.Item{"n": int64(1), "gone": store.Set{}}, Where: store.Any{store.Absent{}, store.All{store.Less{Attr: "n", Than: 2}, store.NotHolding{Attr: "s", Member: "x"}}}},
		{Key: at("b"), Update: []store.Change{
			{Attr: "n", Op: store.Add, To: int64(1)}, {Attr: "s", Op: store.SetDelete, To: store.Set{"b", "a", "b"}},
			{Attr: "v", Op: store.SetTo, To: true}, {Attr: "u", Op: store.Unset},
		}},
	}, "token")
	if err != nil {
		t.Fatal(err)
	}
	want := `TransactWriteItems {"ClientRequestToken":"token","TransactItems":[
		{"Put":{"TableName":"deployed","ConditionExpression":"(attribute_not_exists(#0)) OR ((#1 < :0) AND (NOT contains(#2, :1)))",
			"ExpressionAttributeNames":{"#0":"pk","#1":"n","#2":"s"},"ExpressionAttributeValues":{":0":{"N":"2"},":1":{"S":"x"}},
			"Item":{"n":{"N":"1"},"pk":{"S":"p"},"sk":{"S":"a"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}},
		{"Update":{"TableName":"deployed","Key":{"pk":{"S":"p"},"sk":{"S":"b"}},
			"UpdateExpression":"SET #0 = :0 REMOVE #1 ADD #2 :1 DELETE #3 :2",
			"ExpressionAttributeNames":{"#0":"v","#1":"u","#2":"n","#3":"s"},
			"ExpressionAttributeValues":{":0":{"BOOL":true},":1":{"N":"1"},":2":{"SS":["a","b"]}},
			"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}]}`
	gotOp, gotBody, _ := strings.Cut(got, " ")
	wantOp, wantBody, _ := strings.Cut(want, " ")
	if gotOp != wantOp || canon(t, gotBody) != canon(t, wantBody) {
		t.Errorf("sent %s", got)
	}
}

func canon(t *testing.T, s string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	out, _ := json.Marshal(v)
	return string(out)
}

// TestBatchAsksAgain for what was left, and gives up after six rounds.
func TestBatchAsksAgain(t *testing.T) {
	left := func(sk string) string {
		return fmt.Sprintf(`{"deployed":{"Keys":[{"pk":{"S":"p"},"sk":{"S":%q}}],"ConsistentRead":true}}`, sk)
	}
	for _, stubborn := range []bool{false, true} {
		var bodies []string
		db, n := serve(t, func(n int, _, body string, w http.ResponseWriter) {
			bodies = append(bodies, body)
			unprocessed := "{}"
			if n == 0 || stubborn {
				unprocessed = left("b")
			}
			fmt.Fprintf(w, `{"Responses":{"deployed":[{"pk":{"S":"p"},"sk":{"S":"%c"}}]},"UnprocessedKeys":%s}`, 'a'+rune(n%2), unprocessed)
		})
		items, err := db.BatchGet(t.Context(), []store.Key{at("a"), at("b"), at("a")}, true)
		if stubborn {
			if !errors.Is(err, store.ErrThrottled) || n.Load() != 6 {
				t.Errorf("after %d requests: %v", n.Load(), err)
			}
			continue
		}
		if err != nil || n.Load() != 2 || len(items) != 2 || items[at("b")] == nil {
			t.Errorf("after %d requests: %v, %v", n.Load(), items, err)
		}
		if canon(t, bodies[1]) != canon(t, `{"RequestItems":`+left("b")+`}`) {
			t.Errorf("asked again for %s", bodies[1])
		}
	}
}

func TestReadsAreRetried(t *testing.T) {
	for _, tt := range []struct {
		status int
		code   string
		fails  int
		asked  int64
		want   error
	}{
		{400, "ThrottlingException", 2, 3, nil},
		{500, "InternalServerError", 2, 3, nil},
		{400, "ThrottlingException", 9, 3, store.ErrThrottled},
		{400, "ValidationException", 9, 1, errors.ErrUnsupported}, // any error
	} {
		db, n := serve(t, func(n int, _, _ string, w http.ResponseWriter) {
			if n < tt.fails {
				exception(w, tt.status, tt.code, "")
				return
			}
			_, _ = io.WriteString(w, `{"Item":{"pk":{"S":"p"},"sk":{"S":"a"}}}`)
		})
		it, err := db.Get(t.Context(), at("a"), true)
		if n.Load() != tt.asked || (err == nil) != (tt.want == nil) || (err == nil) != (it != nil) {
			t.Errorf("%s: %v, %v after %d requests", tt.code, it, err, n.Load())
		}
		if tt.want == store.ErrThrottled && !errors.Is(err, store.ErrThrottled) {
			t.Errorf("error %v", err)
		}
	}
}

func TestTransactGetConflict(t *testing.T) {
	db, _ := serve(t, func(_ int, _, _ string, w http.ResponseWriter) {
		exception(w, 400, "TransactionCanceledException", `,"CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]`)
	})
	_, err := db.TransactGet(t.Context(), []store.Key{at("a"), at("b"), at("a"), at("b")})
	wantAnswer(t, err, nil, []store.ReasonCode{store.ReasonNone, store.ReasonConflict, store.ReasonNone, store.ReasonConflict})
}

// TestStrangeRows: what somebody else wrote is an error, not a guess.
func TestStrangeRows(t *testing.T) {
	for _, v := range []string{`{"NULL":true}`, `{"N":"1.5"}`, `{"N":"9223372036854775808"}`, `{"NS":["1"]}`, `{"BS":["AA=="]}`, `{"L":[{"NULL":true}]}`, `{"M":{"k":{"N":"1e3"}}}`} {
		db, _ := serve(t, func(_ int, op, _ string, w http.ResponseWriter) {
			row := `{"pk":{"S":"p"},"sk":{"S":"a"},"x":` + v + `}`
			switch op {
			case "GetItem":
				_, _ = io.WriteString(w, `{"Item":`+row+`}`)
			case "Query":
				_, _ = io.WriteString(w, `{"Items":[`+row+`]}`)
			case "BatchGetItem":
				_, _ = io.WriteString(w, `{"Responses":{"deployed":[`+row+`]}}`)
			case "TransactGetItems":
				_, _ = io.WriteString(w, `{"Responses":[{"Item":`+row+`}]}`)
			case "TransactWriteItems":
				exception(w, 400, "TransactionCanceledException", `,"CancellationReasons":[{"Code":"ConditionalCheckFailed","Item":`+row+`}]`)
			}
		})
		_, getErr := db.Get(t.Context(), at("a"), true)
		_, _, queryErr := db.Query(t.Context(), store.Query{Table: table, PK: "p"})
		_, batchErr := db.BatchGet(t.Context(), []store.Key{at("a")}, true)
		_, momentErr := db.TransactGet(t.Context(), []store.Key{at("a")})
		writeErr := db.Transact(t.Context(), two()[:1], "")
		for _, err := range []error{getErr, queryErr, batchErr, momentErr, writeErr} {
			if err == nil || fault.KindOf(err) != fault.Internal {
				t.Errorf("%s: %v", v, err)
			}
		}
	}
}

func TestClientWants(t *testing.T) {
	for _, missing := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		env := environment("")
		_, err := ddb.Client(func(name string) string {
			if name == missing {
				return ""
			}
			return env(name)
		})
		if err == nil {
			t.Errorf("a client without %s", missing)
		}
	}
}

func TestNoSuchTable(t *testing.T) {
	db, n := serve(t, func(_ int, _, _ string, w http.ResponseWriter) { _, _ = io.WriteString(w, "{}") })
	k := store.Key{Table: "other", PK: "p", SK: "a"}
	_, getErr := db.Get(t.Context(), k, true)
	_, batchErr := db.BatchGet(t.Context(), []store.Key{k}, true)
	if getErr == nil || batchErr == nil || db.Transact(t.Context(), []store.Write{{Key: k, Delete: true}}, "") == nil || n.Load() != 0 {
		t.Errorf("%v, %v after %d requests", getErr, batchErr, n.Load())
	}
}
