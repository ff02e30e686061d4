package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/provision"
	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// real starts both emulators once for the whole package.
var real = sync.OnceValues(func() (*emulators.Set, error) {
	return emulators.Start(context.Background(), &children, emulators.Options{
		Store: emulators.DynamoDBLocal, Tools: "../../.tools", Region: "eu-west-1",
		Account: "000000000000", Progress: os.Stderr,
	})
})

var children process.Group

func TestMain(m *testing.M) {
	status := m.Run()
	children.Close()
	os.Exit(status)
}

// world is a stack on the emulators with recorded functions.
type world struct {
	stack   *template.Stack
	clients provision.Clients
	streams *dynamodbstreams.Client
	fns     map[string]*function
}

func newWorld(t *testing.T, stack template.Stack) *world {
	t.Helper()
	set, err := real()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{stack: &stack, fns: map[string]*function{}}
	w.clients = provision.NewClients("eu-west-1", set.Tables.URL, set.Queues.URL)
	w.streams = dynamodbstreams.NewFromConfig(provision.Config("eu-west-1", set.Tables.URL))
	for i := range stack.Queues {
		q := &stack.Queues[i]
		q.Name = t.Name() + "-" + q.ID
		if q.FIFO {
			q.Name += ".fifo"
		}
		q.ARN = "arn:aws:sqs:eu-west-1:000000000000:" + q.Name
	}
	for i := range stack.Tables {
		tb := &stack.Tables[i]
		tb.Name = t.Name() + "-" + tb.ID
		tb.ARN = "arn:aws:dynamodb:eu-west-1:000000000000:table/" + tb.Name
	}
	streams, urls, err := provision.Apply(t.Context(), w.clients, w.stack)
	if err != nil {
		t.Fatal(err)
	}
	for i := range stack.Queues {
		if u := urls[stack.Queues[i].ID]; u != "" {
			stack.Queues[i].URL = u
		}
	}
	for i := range stack.Tables {
		if a := streams[stack.Tables[i].ID]; a != "" {
			stack.Tables[i].StreamARN = a
		}
	}
	for _, fn := range stack.Functions {
		w.fns[fn.ID] = &function{}
	}
	return w
}

func (w *world) start(t *testing.T, data string) (stop func()) {
	t.Helper()
	set, err := New(w.stack, Options{SQS: w.clients.Queues, Streams: w.streams, Data: data,
		Invoke: func(ctx context.Context, name string, payload []byte) (runtime.Result, error) {
			return w.fns[name].invoke(ctx, name, payload)
		},
		Log: func(source, text string) { fmt.Fprintln(os.Stderr, source, text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := set.Start(ctx); err != nil {
		cancel()
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() { cancel(); set.Wait() })
	t.Cleanup(stop)
	return stop
}

func (w *world) send(t *testing.T, queue, body, group string) {
	t.Helper()
	q := find(w.stack.Queues, func(q template.Queue) bool { return q.ID == queue })
	in := &sqs.SendMessageInput{QueueUrl: &q.URL, MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{
		"kind": {DataType: aws.String("String"), StringValue: aws.String("hold")},
		"raw":  {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2}},
	}}
	if q.FIFO {
		in.MessageGroupId, in.MessageDeduplicationId = &group, aws.String(group+body)
	}
	if _, err := w.clients.Queues.SendMessage(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func (w *world) waiting(t *testing.T, queue string) int {
	t.Helper()
	q := find(w.stack.Queues, func(q template.Queue) bool { return q.ID == queue })
	out, err := w.clients.Queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.URL,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	return atoi(out.Attributes["ApproximateNumberOfMessages"], 0) + atoi(out.Attributes["ApproximateNumberOfMessagesNotVisible"], 0)
}

func messages(t *testing.T, f *function) []events.SQSMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []events.SQSMessage
	for _, e := range f.events {
		out = append(out, sqsEvent(t, e).Records...)
	}
	return out
}

func TestRealStandardQueue(t *testing.T) {
	w := newWorld(t, template.Stack{
		Functions: []template.Function{{ID: "F", Timeout: time.Second}},
		Queues:    []template.Queue{{ID: "Q"}},
		Sources:   []template.Source{{ID: "FQ", Kind: template.FromQueue, Function: "F", From: "Q"}},
	})
	w.start(t, "")
	for i := range 15 {
		w.send(t, "Q", strconv.Itoa(i), "")
	}
	f := w.fns["F"]
	until(t, "15 messages", func() bool { return len(messages(t, f)) == 15 })
	until(t, "the queue is empty", func() bool { return w.waiting(t, "Q") == 0 })
	m := messages(t, f)[0]
	if m.EventSource != "aws:sqs" || m.EventSourceARN != w.stack.Queues[0].ARN || m.AWSRegion != "eu-west-1" ||
		m.MessageId == "" || m.ReceiptHandle == "" || m.Md5OfBody == "" || m.Attributes["ApproximateReceiveCount"] != "1" ||
		m.Attributes["SentTimestamp"] == "" || m.Attributes["ApproximateFirstReceiveTimestamp"] == "" {
		t.Errorf("message %+v", m)
	}
	kind, raw := m.MessageAttributes["kind"], m.MessageAttributes["raw"]
	if kind.StringValue == nil || *kind.StringValue != "hold" || kind.DataType != "String" || !slices.Equal(raw.BinaryValue, []byte{1, 2}) {
		t.Errorf("attributes %+v %+v", kind, raw)
	}
}

func TestRealFIFOAndDeadLetters(t *testing.T) {
	w := newWorld(t, template.Stack{
		Functions: []template.Function{{ID: "F", Timeout: time.Second}},
		Queues: []template.Queue{
			{ID: "D", FIFO: true, Attributes: map[string]string{"FifoQueue": "true"}},
			{ID: "Q", FIFO: true, Attributes: map[string]string{"FifoQueue": "true", "VisibilityTimeout": "1"}, DeadLetter: "D", MaxReceive: 2},
		},
		Sources: []template.Source{{ID: "FQ", Kind: template.FromQueue, Function: "F", From: "Q", PartialFailure: true}},
	})
	var mu sync.Mutex
	body := map[string]string{} // message id → body
	w.fns["F"].handle = func(_ context.Context, ids []string) (runtime.Result, error) {
		for _, m := range messages(t, w.fns["F"]) {
			mu.Lock()
			body[m.MessageId] = m.Body
			mu.Unlock()
		}
		mu.Lock()
		defer mu.Unlock()
		for i, id := range ids {
			if strings.HasPrefix(body[id], "bad") {
				return report(ids[i:]...), nil
			}
		}
		return report(), nil
	}
	for i := range 20 {
		w.send(t, "Q", fmt.Sprintf("%02d", i), "a")
		w.send(t, "Q", fmt.Sprintf("%02d", i), "b")
	}
	w.send(t, "Q", "bad", "c")
	w.start(t, "")
	until(t, "the bad one is with the dead letters", func() bool { return w.waiting(t, "D") == 1 })
	until(t, "the queue is empty", func() bool { return w.waiting(t, "Q") == 0 })
	got := map[string][]string{}
	for _, m := range messages(t, w.fns["F"]) {
		g := m.Attributes["MessageGroupId"]
		got[g] = append(got[g], m.Body)
		if n := m.Attributes["SequenceNumber"]; len(n) != 20 {
			t.Errorf("sequence number %q", n)
		}
	}
	for _, g := range []string{"a", "b"} {
		if len(got[g]) != 20 || !slices.IsSorted(got[g]) {
			t.Errorf("group %s: %v", g, got[g])
		}
	}
	if len(got["c"]) != 2 {
		t.Errorf("the bad one was tried %d times", len(got["c"]))
	}
}

func (w *world) put(t *testing.T, id string, n int) {
	t.Helper()
	_, err := w.clients.Tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &w.stack.Tables[0].Name, Item: map[string]ddbtypes.AttributeValue{
		"pk": &ddbtypes.AttributeValueMemberS{Value: id}, "n": &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(n)},
		"m": &ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{
			"l": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{&ddbtypes.AttributeValueMemberBOOL{Value: true}, &ddbtypes.AttributeValueMemberB{Value: []byte{9}}}},
			"s": &ddbtypes.AttributeValueMemberSS{Value: []string{"x"}}, "z": &ddbtypes.AttributeValueMemberNULL{Value: true},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func records(t *testing.T, f *function) []events.DynamoDBEventRecord {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []events.DynamoDBEventRecord
	for _, b := range f.events {
		var e events.DynamoDBEvent
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Records...)
	}
	return out
}

func streamStack(src ...template.Source) template.Stack {
	s := template.Stack{
		Functions: []template.Function{{ID: "F", Timeout: time.Second}, {ID: "G", Timeout: time.Second}},
		Queues:    []template.Queue{{ID: "D"}},
		Tables: []template.Table{{ID: "T", Partition: template.Attribute{Name: "pk", Type: "S"},
			StreamView: "NEW_AND_OLD_IMAGES"}},
	}
	for i, x := range src {
		x.ID, x.Kind, x.From = fmt.Sprint("S", i), template.FromStream, "T"
		if x.StartingPosition == "" {
			x.StartingPosition = "TRIM_HORIZON"
		}
		s.Sources = append(s.Sources, x)
	}
	return s
}

func TestRealStream(t *testing.T) {
	w := newWorld(t, streamStack(
		template.Source{Function: "F"},
		template.Source{Function: "G", Filters: []string{`{"eventName":["REMOVE"],"dynamodb":{"OldImage":{"n":{"N":["2"]}}}}`}},
	))
	began := time.Now()
	w.put(t, "a", 1)
	w.put(t, "a", 2)
	if _, err := w.clients.Tables.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &w.stack.Tables[0].Name,
		Key: map[string]ddbtypes.AttributeValue{"pk": &ddbtypes.AttributeValueMemberS{Value: "a"}}}); err != nil {
		t.Fatal(err)
	}
	w.start(t, "")
	until(t, "three records", func() bool { return len(records(t, w.fns["F"])) == 3 })
	until(t, "the filtered one", func() bool { return len(records(t, w.fns["G"])) == 1 })
	list := records(t, w.fns["F"])
	for i, want := range []string{"INSERT", "MODIFY", "REMOVE"} {
		r := list[i]
		if r.EventName != want || r.EventSource != "aws:dynamodb" || r.AWSRegion != "eu-west-1" || r.EventVersion == "" ||
			!strings.HasPrefix(r.EventSourceArn, w.stack.Tables[0].ARN+"/stream/") || r.Change.SequenceNumber == "" || r.Change.StreamViewType != "NEW_AND_OLD_IMAGES" ||
			r.Change.Keys["pk"].String() != "a" || r.UserIdentity != nil {
			t.Errorf("record %d: %+v", i, r)
		}
		if at := r.Change.ApproximateCreationDateTime.Time; at.Before(began.Add(-2*time.Second)) || at.After(time.Now().Add(2*time.Second)) {
			t.Errorf("created %v, now %v", at, began)
		}
	}
	m := list[1].Change.NewImage["m"].Map()
	if !m["l"].List()[0].Boolean() || m["l"].List()[1].Binary()[0] != 9 || m["s"].StringSet()[0] != "x" || !m["z"].IsNull() {
		t.Errorf("image %+v", m)
	}
	if r := records(t, w.fns["G"])[0]; r.EventName != "REMOVE" {
		t.Errorf("filtered: %+v", r)
	}
}

func TestRealStreamRestartAndFailureRecord(t *testing.T) {
	w := newWorld(t, streamStack(template.Source{Function: "F", StartingPosition: "LATEST", BatchSize: 1, OnFailure: "D", PartialFailure: true}))
	data := t.TempDir()
	w.put(t, "before", 0)
	stop := w.start(t, data)
	w.put(t, "a", 1)
	f := w.fns["F"]
	until(t, "one record", func() bool { return len(records(t, f)) == 1 })
	stop()
	w.put(t, "b", 2)
	f.handle = func(context.Context, []string) (runtime.Result, error) { return handlerFault, nil }
	w.start(t, data)
	until(t, "the failure record", func() bool { return w.waiting(t, "D") == 1 })
	var keys []string
	for _, r := range records(t, f) {
		keys = append(keys, r.Change.Keys["pk"].String())
	}
	if !slices.Equal(keys, []string{"a", "b"}) {
		t.Errorf("saw %v", keys)
	}
}

// TestRealSlowSourceDelaysNobody holds one source of a stream and times another.
func TestRealSlowSourceDelaysNobody(t *testing.T) {
	w := newWorld(t, streamStack(template.Source{Function: "F"}, template.Source{Function: "G"}))
	w.fns["F"].handle = func(ctx context.Context, _ []string) (runtime.Result, error) {
		<-ctx.Done()
		return runtime.Result{}, ctx.Err()
	}
	w.start(t, "")
	var worst time.Duration
	for i := range 10 {
		began := time.Now()
		w.put(t, fmt.Sprint("k", i), i)
		until(t, "the other source", func() bool { return len(records(t, w.fns["G"])) == i+1 })
		worst = max(worst, time.Since(began))
	}
	t.Logf("slowest delivery %v", worst)
	if worst > 2*time.Second {
		t.Errorf("%v", worst)
	}
}
