package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// runQueue runs a source in a bubble for a while of fake time.
func runQueue(t *testing.T, src template.Source, fifo bool, f *function, q *fakeQueue, during func(s *queueSource)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := newQueueSource(base(t, src, f), template.Queue{ID: "Q", FIFO: fifo}, q)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		run, _ := s.start(ctx)
		wg.Go(run)
		during(s)
		cancel()
		wg.Wait()
	})
}

func after(d time.Duration) func(*queueSource) {
	return func(*queueSource) { <-time.After(d) }
}

func TestQueueBatches(t *testing.T) {
	var q fakeQueue
	var f function
	for i := range 25 {
		q.put(fmt.Sprint("m", i), "", "x")
	}
	runQueue(t, template.Source{BatchSize: 10}, false, &f, &q, after(time.Second))
	if len(f.flat()) != 25 || len(q.left()) != 0 {
		t.Errorf("delivered %v, left %v", f.seen(), q.left())
	}
	for _, b := range f.seen() {
		if len(b) > 10 {
			t.Errorf("batch of %d", len(b))
		}
	}
}

func TestQueueWindowGathers(t *testing.T) {
	var q fakeQueue
	var f function
	runQueue(t, template.Source{BatchSize: 30, Window: 2 * time.Second}, false, &f, &q, func(*queueSource) {
		for i := range 40 {
			q.put(fmt.Sprint("m", i), "", "x")
			<-time.After(50 * time.Millisecond)
		}
		<-time.After(5 * time.Second)
	})
	if got := f.seen(); len(got) != 2 || len(got[0]) != 30 {
		t.Errorf("batches %v", got)
	}
}

func TestQueueOutcomes(t *testing.T) {
	no := errors.New("no")
	tests := []struct {
		name    string
		partial bool
		answer  runtime.Result
		err     error
		left    []string
	}{
		{"null", true, runtime.Result{Payload: []byte("null")}, nil, nil},
		{"empty", true, runtime.Result{}, nil, nil},
		{"empty object", true, runtime.Result{Payload: []byte("{}")}, nil, nil},
		{"empty list", true, report(), nil, nil},
		{"null list", true, runtime.Result{Payload: []byte(`{"batchItemFailures":null}`)}, nil, nil},
		{"one failed", true, report("b"), nil, []string{"b"}},
		{"two failed", true, report("c", "a"), nil, []string{"a", "c"}},
		{"unknown id", true, report("b", "zz"), nil, []string{"a", "b", "c"}},
		{"empty id", true, report(""), nil, []string{"a", "b", "c"}},
		{"null id", true, runtime.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":null}]}`)}, nil, []string{"a", "b", "c"}},
		{"bad key", true, runtime.Result{Payload: []byte(`{"batchItemFailures":[{"id":"a"}]}`)}, nil, []string{"a", "b", "c"}},
		{"not JSON", true, runtime.Result{Payload: []byte(`oops`)}, nil, []string{"a", "b", "c"}},
		{"not an object", true, runtime.Result{Payload: []byte(`"ok"`)}, nil, []string{"a", "b", "c"}},
		{"not asked for", false, report("b"), nil, nil},
		{"function error", true, handlerFault, nil, []string{"a", "b", "c"}},
		{"not invoked", false, runtime.Result{}, no, []string{"a", "b", "c"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var q fakeQueue
			f := function{handle: func(context.Context, []string) (runtime.Result, error) { return tt.answer, tt.err }}
			for _, id := range []string{"a", "b", "c"} {
				q.put(id, "", "x")
			}
			runQueue(t, template.Source{PartialFailure: tt.partial}, false, &f, &q, after(time.Second))
			if got := q.left(); !slices.Equal(got, tt.left) {
				t.Errorf("left %v, want %v", got, tt.left)
			}
			if n := len(f.seen()); n != 1 {
				t.Errorf("%d invocations before the visibility timeout", n)
			}
		})
	}
}

func TestFailedMessagesComeAgainWhenVisible(t *testing.T) {
	var q fakeQueue
	tries := 0
	f := function{handle: func(_ context.Context, ids []string) (runtime.Result, error) {
		if tries++; tries == 1 {
			return handlerFault, nil
		}
		return runtime.Result{}, nil
	}}
	q.put("a", "", "x")
	runQueue(t, template.Source{}, false, &f, &q, after(40*time.Second))
	if tries != 2 || len(q.left()) != 0 {
		t.Errorf("%d tries, left %v", tries, q.left())
	}
}

func TestFIFOGroups(t *testing.T) {
	var q fakeQueue
	var mu sync.Mutex
	inFlight, most := map[string]int{}, 0
	f := function{handle: func(_ context.Context, ids []string) (runtime.Result, error) {
		g := ids[0][:1]
		mu.Lock()
		inFlight[g]++
		sum := 0
		for _, n := range inFlight {
			sum += n
		}
		most = max(most, sum)
		if inFlight[g] > 1 {
			t.Errorf("group %s is in flight twice", g)
		}
		mu.Unlock()
		for _, id := range ids {
			if id[:1] != g {
				t.Errorf("batch %v mixes groups", ids)
			}
		}
		<-time.After(100 * time.Millisecond)
		mu.Lock()
		inFlight[g]--
		mu.Unlock()
		return runtime.Result{}, nil
	}}
	want := map[string][]string{}
	for i := range 12 {
		for _, g := range []string{"a", "b", "c", "d"} {
			id := fmt.Sprintf("%s%02d", g, i)
			want[g] = append(want[g], id)
			q.put(id, g, "x")
		}
	}
	runQueue(t, template.Source{}, true, &f, &q, after(20*time.Second))
	got := map[string][]string{}
	for _, id := range f.flat() {
		got[id[:1]] = append(got[id[:1]], id)
	}
	for g := range want {
		if !slices.Equal(got[g], want[g]) {
			t.Errorf("group %s: %v", g, got[g])
		}
	}
	if most < 2 {
		t.Error("groups were served one after another")
	}
}

// TestSlowGroupIsNotOvertakenByItself lets a handler outlive the visibility timeout.
func TestSlowGroupIsNotOvertakenByItself(t *testing.T) {
	var q fakeQueue
	var running, most int
	var mu sync.Mutex
	f := function{handle: func(context.Context, []string) (runtime.Result, error) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		<-time.After(45 * time.Second)
		mu.Lock()
		running--
		mu.Unlock()
		return runtime.Result{}, nil
	}}
	q.put("a", "g", "x")
	runQueue(t, template.Source{}, true, &f, &q, after(100*time.Second))
	if most != 1 || len(f.seen()) < 2 {
		t.Errorf("%d at once, %d invocations", most, len(f.seen()))
	}
}

func TestMaxConcurrency(t *testing.T) {
	for _, fifo := range []bool{false, true} {
		t.Run(fmt.Sprintf("fifo %v", fifo), func(t *testing.T) {
			var q fakeQueue
			var mu sync.Mutex
			running, most := 0, 0
			f := function{handle: func(context.Context, []string) (runtime.Result, error) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				<-time.After(100 * time.Millisecond)
				mu.Lock()
				running--
				mu.Unlock()
				return runtime.Result{}, nil
			}}
			for i := range 30 {
				group := ""
				if fifo {
					group = fmt.Sprint("g", i)
				}
				q.put(fmt.Sprint("m", i), group, "x")
			}
			runQueue(t, template.Source{BatchSize: 1, MaxConcurrency: 3}, fifo, &f, &q, after(10*time.Second))
			if most != 3 || len(q.left()) != 0 {
				t.Errorf("%d at once, left %v", most, q.left())
			}
		})
	}
}

func TestFilteredMessagesAreRemoved(t *testing.T) {
	var q fakeQueue
	var f function
	q.put("yes", "", `{"kind":"hold"}`)
	q.put("no", "", `{"kind":"other"}`)
	q.put("text", "", `hold`)
	runQueue(t, template.Source{Filters: []string{`{"body":{"kind":["hold"]}}`}}, false, &f, &q, after(time.Second))
	if got := f.flat(); !slices.Equal(got, []string{"yes"}) || len(q.left()) != 0 {
		t.Errorf("delivered %v, left %v", got, q.left())
	}
}

func TestBatchIsCutAtTheRequestLimit(t *testing.T) {
	var q fakeQueue
	var f function
	for i := range 8 {
		q.put(fmt.Sprint("m", i), "", strings.Repeat("x", 1<<20))
	}
	runQueue(t, template.Source{}, false, &f, &q, after(time.Second))
	if got := f.seen(); len(got) != 2 || len(got[0]) != 5 || len(q.left()) != 0 {
		t.Errorf("batches %v, left %v", got, q.left())
	}
	for _, e := range f.events {
		if len(e) > runtime.MaxRequest {
			t.Errorf("event of %d bytes", len(e))
		}
	}
}

func TestThrottledBatchIsRepeatedWhileHidden(t *testing.T) {
	var q fakeQueue
	began := time.Time{}
	f := function{handle: func(context.Context, []string) (runtime.Result, error) {
		if began.IsZero() {
			began = time.Now()
		}
		if time.Since(began) < 5*time.Second {
			return runtime.Result{}, runtime.ErrThrottled
		}
		return runtime.Result{}, nil
	}}
	q.put("a", "", "x")
	runQueue(t, template.Source{}, false, &f, &q, after(20*time.Second))
	if len(q.left()) != 0 {
		t.Error("not delivered")
	}
}

func TestQueueTroubleBacksOff(t *testing.T) {
	q := fakeQueue{fail: errors.New("down")}
	var f function
	runQueue(t, template.Source{}, false, &f, &q, func(*queueSource) {
		<-time.After(60 * time.Second)
		q.mu.Lock()
		n := q.receives
		q.fail = nil
		q.mu.Unlock()
		if n < 5 || n > 30 {
			t.Errorf("%d receives in a minute", n)
		}
		q.put("a", "", "x")
		<-time.After(10 * time.Second)
	})
	if len(q.left()) != 0 {
		t.Error("did not recover")
	}
}

func TestPauseWaitsForWhatIsInFlight(t *testing.T) {
	var q fakeQueue
	var done int
	f := function{handle: func(context.Context, []string) (runtime.Result, error) {
		<-time.After(2 * time.Second)
		done++
		return runtime.Result{}, nil
	}}
	q.put("a", "", "x")
	runQueue(t, template.Source{}, false, &f, &q, func(s *queueSource) {
		<-time.After(100 * time.Millisecond)
		if err := s.gate.close(context.Background()); err != nil || done != 1 {
			t.Errorf("paused with %d done: %v", done, err)
		}
		q.put("b", "", "x")
		<-time.After(time.Minute)
		if done != 1 {
			t.Error("it goes on while paused")
		}
		s.gate.open()
		<-time.After(10 * time.Second)
		if done != 2 {
			t.Error("it does not go on")
		}
	})
}

func TestQueueSettingsThatAWSRefuses(t *testing.T) {
	tests := []struct {
		name string
		src  template.Source
		q    template.Queue
		ok   bool
	}{
		{"defaults", template.Source{}, template.Queue{}, true},
		{"FIFO of 10", template.Source{BatchSize: 10}, template.Queue{FIFO: true}, true},
		{"FIFO of 11", template.Source{BatchSize: 11}, template.Queue{FIFO: true}, false},
		{"FIFO window", template.Source{Window: time.Second}, template.Queue{FIFO: true}, false},
		{"11 without a window", template.Source{BatchSize: 11}, template.Queue{}, false},
		{"11 with a window", template.Source{BatchSize: 11, Window: time.Second}, template.Queue{}, true},
		{"10001", template.Source{BatchSize: 10_001, Window: time.Second}, template.Queue{}, false},
		{"concurrency 1", template.Source{MaxConcurrency: 1}, template.Queue{}, false},
		{"concurrency 2", template.Source{MaxConcurrency: 2}, template.Queue{}, true},
		{"visibility below the timeout", template.Source{}, template.Queue{Attributes: map[string]string{"VisibilityTimeout": "2"}}, false},
	}
	for _, tt := range tests {
		_, err := newQueueSource(base(t, tt.src, &function{}), tt.q, &fakeQueue{})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
