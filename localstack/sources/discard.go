package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/google/uuid"
)

const (
	conditionRetries = "RetryAttemptsExhausted"
	conditionAge     = "RecordAgeExceeded"
)

// failureRecord is what Lambda sends to an on-failure destination: where the
// records are, not what they say.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
type failureRecord struct {
	RequestContext  failureRequest   `json:"requestContext"`
	ResponseContext *failureResponse `json:"responseContext,omitempty"`
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	Batch           failureBatch     `json:"DDBStreamBatchInfo"`
}

type failureRequest struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Count       int    `json:"approximateInvokeCount"`
}

type failureResponse struct {
	Status  int    `json:"statusCode"`
	Version string `json:"executedVersion"`
	Error   string `json:"functionError,omitempty"`
}

type failureBatch struct {
	Shard  string `json:"shardId"`
	Start  string `json:"startSequenceNumber"`
	End    string `json:"endSequenceNumber"`
	First  string `json:"approximateArrivalOfFirstRecord"`
	Last   string `json:"approximateArrivalOfLastRecord"`
	Size   int    `json:"batchSize"`
	Stream string `json:"streamArn"`
}

// discard gives records up: first the failure record, then the checkpoint, so
// that a crash between repeats the record rather than losing it.
func (l *lanes) discard(ctx context.Context, batch []*entry, condition string, calls int, res *runtime.Result) {
	s := l.source
	first, last := batch[0], batch[len(batch)-1]
	s.log(fmt.Sprintf("%d records from %s given up: %s", len(batch), first.sequence, condition))
	if s.dead != nil {
		body := l.failureRecord(batch, condition, calls, res)
		pause := s.retry
		for {
			err := s.dead.send(ctx, body)
			if err == nil {
				break
			}
			s.log(fmt.Sprintf("failure record of %s to %s: %v", first.sequence, last.sequence, err))
			if !pause.wait(ctx) {
				return
			}
		}
	}
	l.track.done(batch...)
}

func (l *lanes) failureRecord(batch []*entry, condition string, calls int, res *runtime.Result) string {
	s := l.source
	first, last := batch[0], batch[len(batch)-1]
	doc := failureRecord{
		RequestContext: failureRequest{RequestID: uuid.NewString(), FunctionARN: s.fn.ARN, Condition: condition, Count: calls},
		Version:        "1.0",
		Timestamp:      s.now().UTC().Format("2006-01-02T15:04:05.000Z"),
		Batch: failureBatch{
			Shard: l.shard, Start: first.sequence, End: last.sequence,
			First: first.created.UTC().Format(time.RFC3339), Last: last.created.UTC().Format(time.RFC3339),
			Size: len(batch), Stream: s.shown,
		},
	}
	if res != nil {
		doc.ResponseContext = &failureResponse{Status: 200, Version: "$LATEST"}
		if res.RequestID != "" {
			doc.RequestContext.RequestID = res.RequestID
		}
		if res.Err != nil {
			doc.ResponseContext.Error = "Unhandled"
		}
	}
	b, _ := json.Marshal(doc)
	return string(b)
}
