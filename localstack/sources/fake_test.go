package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// function is a recorded handler.
type function struct {
	mu      sync.Mutex
	batches [][]string // ids of each invocation, in order
	events  [][]byte
	handle  func(ctx context.Context, ids []string) (runtime.Result, error)
}

var handlerFault = runtime.Result{RequestID: "req", Err: &runtime.FunctionError{Kind: runtime.Handled, Type: "E", Message: "no"}}

func (f *function) invoke(ctx context.Context, _ string, payload []byte) (runtime.Result, error) {
	var e struct {
		Records []struct {
			MessageID string                          `json:"messageId"`
			Change    struct{ SequenceNumber string } `json:"dynamodb"`
		}
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		return runtime.Result{}, err
	}
	var ids []string
	for _, r := range e.Records {
		ids = append(ids, r.MessageID+r.Change.SequenceNumber)
	}
	f.mu.Lock()
	f.batches = append(f.batches, ids)
	f.events = append(f.events, payload)
	f.mu.Unlock()
	if f.handle == nil {
		return runtime.Result{Payload: []byte("null")}, nil
	}
	return f.handle(ctx, ids)
}

func (f *function) seen() [][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}

func (f *function) flat() []string { return slices.Concat(f.seen()...) }

func report(ids ...string) runtime.Result {
	list := []map[string]string{}
	for _, id := range ids {
		list = append(list, map[string]string{"itemIdentifier": id})
	}
	b, _ := json.Marshal(map[string]any{"batchItemFailures": list})
	return runtime.Result{Payload: b}
}

func base(t *testing.T, src template.Source, f *function) common {
	t.Helper()
	filter, err := parseFilters(src.Filters)
	if err != nil {
		t.Fatal(err)
	}
	return common{src: src, filter: filter, invoke: f.invoke, gate: newGate(), log: func(s string) { t.Log(s) },
		fn: template.Function{ID: "F", ARN: "arn:aws:lambda:eu-west-1:000000000000:function:f", Timeout: 3 * time.Second}}
}

// fakeQueue hides what it gives out for 30 s and keeps FIFO groups closed meanwhile.
type fakeQueue struct {
	mu       sync.Mutex
	messages []*fakeMessage
	receives int
	fail     error
}

type fakeMessage struct {
	message
	until   time.Time
	removed bool
}

func (q *fakeQueue) put(id, group, body string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = append(q.messages, &fakeMessage{message: message{
		id: id, handle: id, group: group, body: body, record: map[string]any{"messageId": id, "body": body},
	}})
}

func (q *fakeQueue) receive(ctx context.Context, most int, wait time.Duration) ([]message, error) {
	until := time.Now().Add(wait)
	for {
		list, err := q.take(most)
		if err != nil || len(list) > 0 || !time.Now().Before(until) {
			return list, err
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

func (q *fakeQueue) take(most int) ([]message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.receives++
	if q.fail != nil {
		return nil, q.fail
	}
	now := time.Now()
	var out []message
	closed := map[string]bool{}
	for _, m := range q.messages {
		if m.group != "" && !m.removed && now.Before(m.until) {
			closed[m.group] = true
		}
	}
	for _, m := range q.messages {
		if m.removed || now.Before(m.until) || closed[m.group] || len(out) == most {
			continue
		}
		m.until = now.Add(30 * time.Second)
		out = append(out, m.message)
	}
	return out, nil
}

func (q *fakeQueue) remove(_ context.Context, handles []string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		if slices.Contains(handles, m.handle) {
			m.removed = true
		}
	}
	return nil
}

func (q *fakeQueue) left() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var ids []string
	for _, m := range q.messages {
		if !m.removed {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// fakeStream has shards of records; an iterator is "shard index age".
type fakeStream struct {
	mu      sync.Mutex
	list    []shard
	data    map[string][]record
	trimmed map[string]int // records before it are gone
	age     int            // an iterator made at another age is too old
}

func (s *fakeStream) open(id, parent string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, shard{id: id, parent: parent})
}

func (s *fakeStream) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.list {
		if s.list[i].id == id {
			s.list[i].ended = true
		}
	}
}

func (s *fakeStream) put(shard string, list ...record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data == nil {
		s.data = map[string][]record{}
	}
	s.data[shard] = append(s.data[shard], list...)
}

func change(seq int, key string, at time.Time) record {
	r := record{sequence: strconv.Itoa(seq), key: key, created: at,
		event: map[string]any{"eventName": "INSERT", "dynamodb": map[string]any{"SequenceNumber": strconv.Itoa(seq)}}}
	r.encoded, _ = json.Marshal(r.event)
	return r
}

func changes(from, to int) []record {
	var list []record
	for i := from; i <= to; i++ {
		list = append(list, change(i, "k", time.Now()))
	}
	return list
}

func (s *fakeStream) shards(context.Context) ([]shard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list), nil
}

func (s *fakeStream) iterator(_ context.Context, id string, at place) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.trimmed[id]
	i := first
	switch at.kind {
	case fromNow:
		i = len(s.data[id])
	case fromAfter:
		i = slices.IndexFunc(s.data[id], func(r record) bool { return r.sequence == at.after }) + 1
		if i < first {
			return "", errTrimmed
		}
	}
	return fmt.Sprintf("%s %d %d", id, i, s.age), nil
}

func (s *fakeStream) records(_ context.Context, it string) ([]record, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var id string
	var i, age int
	if _, err := fmt.Sscanf(it, "%s %d %d", &id, &i, &age); err != nil {
		return nil, "", err
	}
	if age != s.age {
		return nil, "", errors.New("expired")
	}
	list := s.data[id][i:]
	for _, sh := range s.list {
		if sh.id == id && sh.ended {
			return list, "", nil
		}
	}
	return list, fmt.Sprintf("%s %d %d", id, i+len(list), s.age), nil
}

// letters is a queue for failure records.
type letters struct {
	mu   sync.Mutex
	list []failureRecord
}

func (l *letters) send(_ context.Context, body string) error {
	var r failureRecord
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, r)
	return nil
}

func sqsEvent(t *testing.T, payload []byte) events.SQSEvent {
	t.Helper()
	var e events.SQSEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func (l *letters) all() []failureRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}
