package sources

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// sdkQueue speaks to SQS.
type sdkQueue struct {
	client   *sqs.Client
	url, arn string
}

func (q sdkQueue) receive(ctx context.Context, most int, wait time.Duration) ([]message, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &q.url,
		MaxNumberOfMessages:         int32(most),
		WaitTimeSeconds:             int32(wait / time.Second),
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.url, err)
	}
	list := make([]message, len(out.Messages))
	for i, m := range out.Messages {
		list[i] = newMessage(m, q.arn)
	}
	return list, nil
}

func (q sdkQueue) remove(ctx context.Context, handles []string) error {
	for len(handles) > 0 {
		n := min(len(handles), maxReceive)
		entries := make([]types.DeleteMessageBatchRequestEntry, n)
		for i, h := range handles[:n] {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &h}
		}
		out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return fmt.Errorf("delete from %s: %w", q.url, err)
		}
		if len(out.Failed) > 0 {
			return errors.New("delete from " + q.url + ": " + aws.ToString(out.Failed[0].Message))
		}
		handles = handles[n:]
	}
	return nil
}

func (q sdkQueue) send(ctx context.Context, body string) error {
	if _, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &body}); err != nil {
		return fmt.Errorf("send to %s: %w", q.url, err)
	}
	return nil
}

// newMessage makes a record of the shape of an SQS event.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func newMessage(m types.Message, arn string) message {
	system := map[string]any{}
	for k, v := range m.Attributes {
		system[k] = v
	}
	if n, ok := system["SequenceNumber"].(string); ok {
		system["SequenceNumber"] = padSequence(n)
	}
	custom := map[string]any{}
	for k, v := range m.MessageAttributes {
		a := map[string]any{"dataType": aws.ToString(v.DataType), "stringListValues": []any{}, "binaryListValues": []any{}}
		if v.StringValue != nil {
			a["stringValue"] = *v.StringValue
		}
		if v.BinaryValue != nil {
			a["binaryValue"] = base64(v.BinaryValue)
		}
		custom[k] = a
	}
	record := map[string]any{
		"messageId":         aws.ToString(m.MessageId),
		"receiptHandle":     aws.ToString(m.ReceiptHandle),
		"body":              aws.ToString(m.Body),
		"attributes":        system,
		"messageAttributes": custom,
		"md5OfBody":         aws.ToString(m.MD5OfBody),
		"eventSource":       "aws:sqs",
		"eventSourceARN":    arn,
		"awsRegion":         region(arn),
	}
	if m.MD5OfMessageAttributes != nil {
		record["md5OfMessageAttributes"] = *m.MD5OfMessageAttributes
	}
	return message{
		id: aws.ToString(m.MessageId), handle: aws.ToString(m.ReceiptHandle), body: aws.ToString(m.Body),
		group: m.Attributes["MessageGroupId"], record: record,
	}
}

// padSequence gives short sequence numbers AWS's 20 digits, so that they compare as text too.
func padSequence(n string) string {
	return strings.Repeat("0", max(20-len(n), 0)) + n
}

// region is the fourth part of an ARN.
func region(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[3]
	}
	return ""
}
