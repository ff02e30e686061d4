package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/store"
)

// conflicts answers as DynamoDB does when another transaction is at one of the
// items; no stand-in ever does.
type conflicts struct {
	mu    sync.Mutex
	armed map[string]string // text in a transaction → the owner of its first claim
}

var meeting = conflicts{armed: map[string]string{}}

// next transaction with the text is refused: its first write by its condition, for
// it has that owner, its second by a conflict.
func (c *conflicts) next(text, owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed[text] = owner
}

func (c *conflicts) before(service http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") {
			service.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if owner := c.take(body); owner != "" {
			refuseTransaction(w, body, owner)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		service.ServeHTTP(w, r)
	})
}

func (c *conflicts) take(body []byte) (owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for text := range c.armed {
		if bytes.Contains(body, []byte(text)) {
			owner = c.armed[text]
			delete(c.armed, text)
		}
	}
	return owner
}

func refuseTransaction(w http.ResponseWriter, body []byte, owner string) {
	var in struct{ TransactItems []any }
	if err := json.Unmarshal(body, &in); err != nil {
		panic(err)
	}
	reasons := make([]map[string]any, len(in.TransactItems))
	for i := range reasons {
		reasons[i] = map[string]any{"Code": "None"}
	}
	reasons[0] = map[string]any{"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": map[string]any{"owner": map[string]string{"S": owner}}}
	reasons[1] = map[string]any{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"__type":  "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed, TransactionConflict]", "CancellationReasons": reasons,
	})
}

// TestRefusalInAConflict: where only a part of the transaction says who has the
// seats, the rest is read: every wanted seat that is not free is named.
func TestRefusalInAConflict(t *testing.T) {
	parallel(t)
	s, first, second := shop.open(t, "standard-90"), guest(t), guest(t)
	seats := s.regular(t, 2, 0)
	h := first.hold(s, seats...)
	meeting.next("SHOW#"+string(s.ID)+"#", h.ID)
	_, err := second.try(s, seats...)
	p := refused(t, err, 409, "seats_unavailable")
	if len(p.Conflicts) != 2 || p.Conflicts[0].Seat != seats[0] || p.Conflicts[1].Seat != seats[1] {
		t.Errorf("refused with %+v", p.Conflicts)
	}
	if meeting.pending("SHOW#" + string(s.ID) + "#") {
		t.Error("no transaction met a conflict: nothing was tested")
	}
	shop.balanced(t, s)
}

func (c *conflicts) pending(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.armed[text] != ""
}

// templateRetries is how often the template's stream sources repeat a batch.
const templateRetries = 100

// poison puts an item into a table that no consumer of its stream can read, and
// does what an operator does then: lets the sources give it up early. What it
// answers waits for one failure record of each function, and nothing else.
func poison(t *testing.T, sources map[string]string, table store.Table, pk, sk string, it store.Item) (givenUp func()) {
	t.Helper()
	for id := range sources {
		must(t, stack.Retry(id, 1))
		t.Cleanup(func() { must(t, stack.Retry(id, templateRetries)) })
	}
	key := store.Key{Table: table, PK: pk + "-" + strings.ToLower(rand.Text()), SK: sk}
	must(t, shop.tables.Transact(t.Context(), []store.Write{{Key: key, Put: it}}, ""))
	t.Cleanup(func() {
		must(t, shop.tables.Transact(context.Background(), []store.Write{{Key: key, Delete: true}}, ""))
	})
	return func() {
		t.Helper()
		for id, function := range sources {
			eventually(t, 20*time.Second, func() error { return failureOf(t, id, function) })
		}
	}
}

// failureOf takes the failure record of a function from the dead-letter queue.
func failureOf(t *testing.T, source, function string) error {
	url := variable("QUEUE_DeadRecords")
	out, err := stack.Clients().Queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 1})
	if err != nil {
		return err
	}
	for _, m := range out.Messages {
		var doc struct {
			Request struct {
				ARN       string `json:"functionArn"`
				Condition string `json:"condition"`
			} `json:"requestContext"`
			Batch struct {
				Size int `json:"batchSize"`
			} `json:"DDBStreamBatchInfo"`
		}
		must(t, json.Unmarshal([]byte(*m.Body), &doc))
		if !strings.HasSuffix(doc.Request.ARN, function) {
			continue
		}
		if doc.Request.Condition != "RetryAttemptsExhausted" || doc.Batch.Size != 1 {
			t.Errorf("%s gave up %s", source, *m.Body)
		}
		_, err := stack.Clients().Queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
		return err
	}
	return yet("no failure record of %s", source)
}

// TestPoisonedRecords: a record that no consumer can read is given up, told, and
// does not stop what comes after it. It runs alone: its streams stand still for a while.
func TestPoisonedRecords(t *testing.T) {
	hold := poison(t, map[string]string{relayHolds: "RelayHolds", projectHolds: "ProjectSeatmap"}, store.Holds, "HOLD#poison", "HOLD", store.Item{"state": "melted"})
	pay := poison(t, map[string]string{relayPayments: "RelayPayments"}, store.Orders, "PAY#poison", "PAY", store.Item{"state": "melted"})
	hold()
	pay()
	s, b := shop.open(t, "standard-90"), guest(t)
	o := b.await(b.pay(b.hold(s, s.regular(t, 2, 0)...).ID, "never").OrderID, "PAID", holdTime)
	paidFor(t, o)
	awaitMap(b, string(s.ID), func(m apiclient.Seatmap) bool { return m.Sold == 2 })
	shop.balanced(t, s)
}

// TestRetriesAreTheTemplates keeps templateRetries true.
func TestRetriesAreTheTemplates(t *testing.T) {
	for _, src := range stack.Stack.Sources {
		if src.StartingPosition != "" && src.MaxRetries != templateRetries {
			t.Errorf("%s retries %d times, not %d", src.ID, src.MaxRetries, templateRetries)
		}
	}
}
