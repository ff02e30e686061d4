package e2e_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/store"
)

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
	gone := func(ctx context.Context) {
		must(t, shop.tables.Transact(ctx, []store.Write{{Key: key, Delete: true}}, ""))
	}
	t.Cleanup(func() { gone(context.Background()) })
	return func() {
		t.Helper()
		told := func() {
			for id, function := range sources {
				eventually(t, 20*time.Second, func() error { return failureOf(t, id, function) })
			}
		}
		told()
		if table == store.Orders { // what is removed goes to the archive, and this cannot be read either
			gone(t.Context())
			eventually(t, 20*time.Second, func() error { return failureOf(t, recordOrder, "RecordOrder") })
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
	listed := poison(t, map[string]string{recordOrder: "RecordOrder"}, store.Orders, "ORDER#poison", "ORDER", store.Item{"state": "melted"})
	wait := poison(t, map[string]string{relayLine: "RelayLine"}, store.Line, "WAITER#poison", "WAITER", store.Item{"state": "melted"})
	letter := poison(t, map[string]string{relayMail: "RelayMail"}, store.Mail, "MAIL#poison", "MAIL", store.Item{"kind": "melted"})
	film := poison(t, map[string]string{indexShows: "IndexShows"}, store.TableCatalog, "MOVIE#poison", "MOVIE", store.Item{"id": int64(1)})
	hold()
	pay()
	listed()
	wait()
	letter()
	film()
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
