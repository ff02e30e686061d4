package sources

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

var table = template.Table{ID: "T", StreamARN: "arn:aws:dynamodb:eu-west-1:0:table/t/stream/1"}

func oldest(src template.Source) template.Source {
	src.StartingPosition = "TRIM_HORIZON"
	return src
}

type streamRun struct {
	source *streamSource
	dead   *letters
}

// runStream runs a source in a bubble while during does.
func runStream(t *testing.T, src template.Source, f *function, st *fakeStream, file string, during func(r streamRun)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := streamRun{dead: &letters{}}
		var err error
		r.source, err = newStreamSource(base(t, src, f), table, st, r.dead, file)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		run, err := r.source.start(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(run)
		during(r)
		cancel()
		wg.Wait()
	})
}

func one(list ...record) *fakeStream {
	st := &fakeStream{}
	st.open("s1", "")
	st.put("s1", list...)
	return st
}

func numbers(from, to int) []string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

func wait(d time.Duration) { <-time.After(d) }

func TestStreamInOrderAndInBatches(t *testing.T) {
	var f function
	st := one(changes(1, 250)...)
	runStream(t, oldest(template.Source{}), &f, st, "", func(r streamRun) {
		wait(time.Second)
		st.put("s1", changes(251, 255)...)
		wait(150 * time.Millisecond)
		if got := f.flat(); !slices.Equal(got, numbers(1, 255)) {
			t.Errorf("got %v", got)
		}
		if r.source.saved.last("s1") != "255" {
			t.Errorf("checkpoint %q", r.source.saved.last("s1"))
		}
	})
	for _, b := range f.seen() {
		if len(b) > 100 {
			t.Errorf("batch of %d", len(b))
		}
	}
}

func TestStreamWindow(t *testing.T) {
	var f function
	st := one()
	runStream(t, oldest(template.Source{BatchSize: 10, Window: 2 * time.Second}), &f, st, "", func(streamRun) {
		for i := 1; i <= 15; i++ {
			st.put("s1", change(i, "k", time.Now()))
			wait(150 * time.Millisecond)
		}
		wait(5 * time.Second)
	})
	if got := f.seen(); len(got) != 2 || len(got[0]) != 10 || len(got[1]) != 5 {
		t.Errorf("batches %v", got)
	}
}

func TestStreamFailures(t *testing.T) {
	boom := func(bad string) func(context.Context, []string) (runtime.Result, error) {
		return func(_ context.Context, ids []string) (runtime.Result, error) {
			if slices.Contains(ids, bad) {
				return handlerFault, nil
			}
			return runtime.Result{}, nil
		}
	}
	pick := func(bad string) func(context.Context, []string) (runtime.Result, error) {
		return func(_ context.Context, ids []string) (runtime.Result, error) {
			if slices.Contains(ids, bad) {
				return report(bad), nil
			}
			return report(), nil
		}
	}
	tests := []struct {
		name    string
		src     template.Source
		handle  func(context.Context, []string) (runtime.Result, error)
		batches string
		dead    string // start-end:count of each failure record
	}{
		{"no retries", template.Source{MaxRetries: 0}, boom("3"), "[[1 2 3 4]]", "1-4:1"},
		{"two retries", template.Source{MaxRetries: 2}, boom("3"), "[[1 2 3 4] [1 2 3 4] [1 2 3 4]]", "1-4:3"},
		{"bisect", template.Source{Bisect: true}, boom("3"), "[[1 2 3 4] [1 2] [3 4] [3] [4]]", "3-3:3"},
		{"bisect and a retry", template.Source{Bisect: true, MaxRetries: 1}, boom("3"), "[[1 2 3 4] [1 2] [3 4] [3] [3] [4]]", "3-3:4"},
		{"partial", template.Source{PartialFailure: true, MaxRetries: 1}, pick("3"), "[[1 2 3 4] [3 4]]", "3-4:2"},
		{"partial and bisect", template.Source{PartialFailure: true, Bisect: true}, pick("3"), "[[1 2 3 4] [3 4] [3] [4]]", "3-3:3"},
		{"partial, first", template.Source{PartialFailure: true, MaxRetries: 1}, pick("1"), "[[1 2 3 4] [1 2 3 4]]", "1-4:2"},
		{"unknown number", template.Source{PartialFailure: true}, func(context.Context, []string) (runtime.Result, error) { return report("9"), nil }, "[[1 2 3 4]]", "1-4:1"},
		{"partial not asked for", template.Source{}, pick("3"), "[[1 2 3 4]]", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := function{handle: tt.handle}
			var dead []failureRecord
			runStream(t, oldest(tt.src), &f, one(changes(1, 4)...), "", func(r streamRun) {
				wait(time.Minute)
				dead = r.dead.all()
				if got := r.source.saved.last("s1"); got != "4" {
					t.Errorf("checkpoint %q", got)
				}
			})
			if got := fmt.Sprint(f.seen()); got != tt.batches {
				t.Errorf("batches %s, want %s", got, tt.batches)
			}
			var got string
			for _, d := range dead {
				got += fmt.Sprintf("%s-%s:%d", d.Batch.Start, d.Batch.End, d.RequestContext.Count)
			}
			if got != tt.dead {
				t.Errorf("failure records %s, want %s", got, tt.dead)
			}
		})
	}
}

func TestFailureRecord(t *testing.T) {
	f := function{handle: func(context.Context, []string) (runtime.Result, error) { return handlerFault, nil }}
	st := one()
	runStream(t, oldest(template.Source{}), &f, st, "", func(r streamRun) {
		st.put("s1", changes(1, 2)...)
		wait(time.Second)
		if len(r.dead.all()) != 1 {
			t.Fatalf("%d records", len(r.dead.all()))
		}
		d := r.dead.all()[0]
		if d.RequestContext.RequestID != "req" || d.RequestContext.FunctionARN != "arn:aws:lambda:eu-west-1:000000000000:function:f" ||
			d.RequestContext.Condition != "RetryAttemptsExhausted" || d.ResponseContext == nil || d.ResponseContext.Error != "Unhandled" ||
			d.Batch.Shard != "s1" || d.Batch.Size != 2 || d.Batch.Stream != table.StreamARN || d.Version != "1.0" ||
			d.Batch.First != "2000-01-01T00:00:00Z" || d.Batch.Last != d.Batch.First {
			t.Errorf("got %+v %+v", d, d.ResponseContext)
		}
	})
}

func TestPoisonBlocksItsShardForEver(t *testing.T) {
	f := function{handle: func(context.Context, []string) (runtime.Result, error) { return handlerFault, nil }}
	runStream(t, oldest(template.Source{MaxRetries: -1, BatchSize: 1}), &f, one(changes(1, 3)...), "", func(r streamRun) {
		wait(time.Hour)
		if r.source.saved.last("s1") != "" || len(r.dead.all()) != 0 {
			t.Error("it was given up")
		}
		if n := len(f.seen()); n < 300 || n > 400 {
			t.Errorf("%d tries in an hour, want one in ten seconds", n)
		}
	})
	for _, b := range f.seen() {
		if b[0] != "1" {
			t.Fatalf("%v went past it", b)
		}
	}
}

// TestRetryLetsAPoisonedRecordGo: an operator lowers the retries of a source that
// is stuck; what comes after goes on.
func TestRetryLetsAPoisonedRecordGo(t *testing.T) {
	f := function{handle: func(_ context.Context, ids []string) (runtime.Result, error) {
		if ids[0] == "1" {
			return handlerFault, nil
		}
		return runtime.Result{Payload: []byte("null")}, nil
	}}
	runStream(t, oldest(template.Source{ID: "S", MaxRetries: -1, BatchSize: 1}), &f, one(changes(1, 3)...), "", func(r streamRun) {
		set := Set{sources: map[string]source{"S": r.source, "Q": &queueSource{}}}
		wait(time.Hour)
		if err := set.Retry("S", 3); err != nil {
			t.Error(err)
		}
		wait(time.Minute)
		if r.source.saved.last("s1") != "3" || len(r.dead.all()) != 1 {
			t.Errorf("done up to %q, %d given up", r.source.saved.last("s1"), len(r.dead.all()))
		}
		for id, most := range map[string]int{"S": -2, "Q": 1, "none": 1} {
			if set.Retry(id, most) == nil {
				t.Errorf("%s took %d retries", id, most)
			}
		}
	})
}

func TestRecordsThatAreTooOld(t *testing.T) {
	f := function{handle: func(context.Context, []string) (runtime.Result, error) { return handlerFault, nil }}
	st := one()
	runStream(t, oldest(template.Source{MaxRetries: -1, MaxAge: time.Minute}), &f, st, "", func(r streamRun) {
		st.put("s1", change(1, "k", time.Now().Add(-time.Hour)), change(2, "k", time.Now()))
		wait(5 * time.Minute)
		if len(r.dead.all()) != 2 {
			t.Fatalf("failure records: %+v", r.dead.all())
		}
		for i, d := range r.dead.all() {
			if d.RequestContext.Condition != "RecordAgeExceeded" || d.Batch.Start != strconv.Itoa(i+1) {
				t.Errorf("got %+v", d)
			}
		}
		if r.dead.all()[0].RequestContext.Count != 0 || r.dead.all()[0].ResponseContext != nil {
			t.Errorf("the first was never delivered: %+v", r.dead.all()[0])
		}
	})
	if got := f.seen()[0]; !slices.Equal(got, []string{"2"}) {
		t.Errorf("first batch %v", got)
	}
}

func TestFunctionThatCannotRunCostsNoRetry(t *testing.T) {
	n := 0
	f := function{handle: func(context.Context, []string) (runtime.Result, error) {
		if n++; n < 20 {
			return runtime.Result{}, runtime.ErrThrottled
		}
		return runtime.Result{}, nil
	}}
	runStream(t, oldest(template.Source{MaxRetries: 0}), &f, one(changes(1, 1)...), "", func(r streamRun) {
		wait(10 * time.Minute)
		if r.source.saved.last("s1") != "1" || len(r.dead.all()) != 0 {
			t.Error("given up")
		}
	})
}

func TestParallelKeepsTheOrderOfAKey(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	f := function{handle: func(context.Context, []string) (runtime.Result, error) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		wait(50 * time.Millisecond)
		mu.Lock()
		running--
		mu.Unlock()
		return runtime.Result{}, nil
	}}
	st := one()
	key := map[string]string{}
	for i := 1; i <= 60; i++ {
		k := fmt.Sprint("k", i%7)
		key[strconv.Itoa(i)] = k
		st.put("s1", change(i, k, time.Time{}))
	}
	runStream(t, oldest(template.Source{Parallel: 4, BatchSize: 3}), &f, st, "", func(r streamRun) {
		wait(10 * time.Second)
		if r.source.saved.last("s1") != "60" {
			t.Errorf("checkpoint %q", r.source.saved.last("s1"))
		}
	})
	if most < 2 || most > 4 {
		t.Errorf("%d batches at once", most)
	}
	last := map[string]int{}
	for _, id := range f.flat() {
		n, _ := strconv.Atoi(id)
		if n <= last[key[id]] {
			t.Errorf("%s: %d after %d", key[id], n, last[key[id]])
		}
		last[key[id]] = n
	}
	if len(f.flat()) != 60 {
		t.Errorf("%d records", len(f.flat()))
	}
}

func TestCheckpointWaitsForTheSlowLane(t *testing.T) {
	f := function{handle: func(_ context.Context, ids []string) (runtime.Result, error) {
		if ids[0] == "1" {
			return handlerFault, nil
		}
		return runtime.Result{}, nil
	}}
	st := one()
	st.put("s1", change(1, "slow", time.Time{}))
	for i := 2; i <= 20; i++ {
		st.put("s1", change(i, fmt.Sprint("k", i), time.Time{}))
	}
	runStream(t, oldest(template.Source{Parallel: 2, MaxRetries: -1, BatchSize: 1}), &f, st, "", func(r streamRun) {
		wait(time.Minute)
		if got := r.source.saved.last("s1"); got != "" {
			t.Errorf("checkpoint %q is past a record that is not done", got)
		}
	})
	if len(f.flat()) < 12 {
		t.Error("the other lane stood still")
	}
}

func TestFilteredRecordsAreDone(t *testing.T) {
	var f function
	st := one(changes(1, 3)...)
	runStream(t, oldest(template.Source{Filters: []string{`{"dynamodb":{"SequenceNumber":["2"]}}`}}), &f, st, "", func(r streamRun) {
		wait(time.Second)
		if r.source.saved.last("s1") != "3" {
			t.Errorf("checkpoint %q", r.source.saved.last("s1"))
		}
	})
	if got := f.flat(); !slices.Equal(got, []string{"2"}) {
		t.Errorf("got %v", got)
	}
}

func TestRestartGoesOnWhereItWas(t *testing.T) {
	for _, start := range []string{"TRIM_HORIZON", "LATEST"} {
		t.Run(start, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "c.json")
			src := template.Source{StartingPosition: start, BatchSize: 2}
			st := one()
			var f function
			runStream(t, src, &f, st, file, func(streamRun) {
				st.put("s1", changes(1, 5)...)
				wait(time.Second)
			})
			st.put("s1", record{sequence: "6", key: "k", created: time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC), encoded: change(6, "k", time.Time{}).encoded})
			runStream(t, src, &f, st, file, func(streamRun) { wait(time.Second) })
			if got := f.flat(); !slices.Equal(got, numbers(1, 6)) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestLatest checks what a source that starts at the end sees: nothing from
// before, everything after, also what came while it was away before its first record.
func TestLatest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.json")
	src := template.Source{StartingPosition: "LATEST"}
	st := one(change(1, "k", time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)))
	var f function
	runStream(t, src, &f, st, file, func(streamRun) { wait(time.Second) })
	if len(f.flat()) != 0 {
		t.Errorf("saw %v", f.flat())
	}
	st.put("s1", change(2, "k", time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)))
	runStream(t, src, &f, st, file, func(streamRun) { wait(time.Second) })
	if got := f.flat(); !slices.Equal(got, []string{"2"}) {
		t.Errorf("got %v", got)
	}
}

func TestChildShardsFollowTheirParents(t *testing.T) {
	st := one(changes(1, 3)...)
	st.open("s2", "s1")
	st.put("s2", changes(4, 6)...)
	f := function{handle: func(context.Context, []string) (runtime.Result, error) {
		wait(300 * time.Millisecond)
		return runtime.Result{}, nil
	}}
	runStream(t, oldest(template.Source{BatchSize: 1}), &f, st, "", func(r streamRun) {
		wait(30 * time.Second)
		if got := f.flat(); !slices.Equal(got, numbers(1, 3)) {
			t.Errorf("while the parent is open: %v", got)
		}
		st.end("s1")
		wait(3 * time.Second)
		st.open("s3", "gone")
		st.put("s3", changes(7, 7)...)
		wait(15 * time.Second)
	})
	if got := f.flat(); !slices.Equal(got, numbers(1, 7)) {
		t.Errorf("got %v", got)
	}
}

func TestIteratorTrouble(t *testing.T) {
	st := one(changes(1, 2)...)
	var f function
	runStream(t, oldest(template.Source{}), &f, st, "", func(streamRun) {
		wait(time.Second)
		st.mu.Lock()
		st.age++
		st.mu.Unlock()
		st.put("s1", changes(3, 4)...)
		wait(time.Second)
	})
	if got := f.flat(); !slices.Equal(got, numbers(1, 4)) {
		t.Errorf("after an expired iterator: %v", got)
	}
	file := filepath.Join(t.TempDir(), "c.json")
	c, _, err := openCheckpoints(file, table.StreamARN)
	if err != nil || c.advance("s1", "1") != nil {
		t.Fatal(err)
	}
	st.trimmed = map[string]int{"s1": 3}
	f.batches = nil
	runStream(t, oldest(template.Source{}), &f, st, file, func(streamRun) { wait(time.Second) })
	if got := f.flat(); !slices.Equal(got, []string{"4"}) {
		t.Errorf("after trimming: %v", got)
	}
}

func TestStreamPause(t *testing.T) {
	st := one(changes(1, 1)...)
	var f function
	runStream(t, oldest(template.Source{}), &f, st, "", func(r streamRun) {
		wait(time.Second)
		if err := r.source.gate.close(context.Background()); err != nil {
			t.Fatal(err)
		}
		st.put("s1", changes(2, 2)...)
		wait(time.Minute)
		if len(f.flat()) != 1 {
			t.Error("it goes on while paused")
		}
		r.source.gate.open()
		wait(time.Second)
		if len(f.flat()) != 2 {
			t.Error("it does not go on")
		}
	})
}

func TestStreamSettingsThatAWSRefuses(t *testing.T) {
	for name, src := range map[string]template.Source{
		"batch size":  {StartingPosition: "LATEST", BatchSize: 10_001},
		"parallel":    {StartingPosition: "LATEST", Parallel: 11},
		"window":      {StartingPosition: "LATEST", Window: 301 * time.Second},
		"position":    {StartingPosition: "AT_TIMESTAMP"},
		"retries":     {StartingPosition: "LATEST", MaxRetries: -2},
		"concurrency": {StartingPosition: "LATEST", MaxConcurrency: 2},
	} {
		if _, err := newStreamSource(base(t, src, &function{}), table, one(), nil, ""); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
