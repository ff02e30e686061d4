// Package provision makes the tables, queues, buckets and secrets of a template and
// decides what to do with those that a data folder already holds.
//
//   - Idempotent: applying the same template twice changes nothing.
//   - NoSilentChange: a table that exists with another key, index or stream is
//     an error that names it; attributes of a queue that may change are changed.
//   - Expiry: TTL is on where a function asks for what it removes, nowhere else.
//   - Ready: when [Apply] returns, every table and queue can be used, and the
//     stack carries stream ARNs and queue URLs.
//
// Start with [Apply] and [Secrets].
package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/logging"
	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/localstack/template"
)

// Clients speak to the stand-ins of DynamoDB, SQS and S3.
type Clients struct {
	Tables  *dynamodb.Client
	Queues  *sqs.Client
	Objects *s3.Client // nil where no template has a bucket
}

// Credentials that every client on this machine uses. The stand-ins of DynamoDB
// and SQS check none, that of S3 knows these alone.
const (
	AccessKey = "local"
	SecretKey = "local"
)

// Config is what every SDK client of the local cloud is built from. The logger
// is silent: the SDK warns about missing checksums at each call to a stand-in.
func Config(region, endpoint string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(endpoint),
		Logger:       logging.Nop{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: AccessKey, SecretAccessKey: SecretKey}, nil
		}),
	}
}

// NewClients builds clients for two endpoints; [Objects] builds the third.
func NewClients(region, tables, queues string) Clients {
	return Clients{
		Tables: dynamodb.NewFromConfig(Config(region, tables)),
		Queues: sqs.NewFromConfig(Config(region, queues)),
	}
}

// activeLimit is how long a table may take to become active.
const activeLimit = 2 * time.Minute

// expires tells whether rows of a table have to expire here: where a function's filter
// asks for their removal. DynamoDB Local has ten threads for the TTL of all tables; each
// looks at twenty rows and sleeps for ten seconds, so a few tables of some size keep all
// of them, and no timer ever expires. Readers bear late rows anyway: on AWS they may stay
// for days.
func expires(s *template.Stack, t *template.Table) bool {
	for _, src := range s.Sources {
		for _, text := range src.Filters {
			var filter struct {
				EventName []any `json:"eventName"`
			}
			if src.From == t.ID && json.Unmarshal([]byte(text), &filter) == nil && slices.Contains(filter.EventName, any("REMOVE")) {
				return t.TTL != ""
			}
		}
	}
	return false
}

// Apply makes what the stack names and fills in StreamARN and URL. The maps hold
// the same by logical id, for [template.Facts].
func Apply(ctx context.Context, c Clients, s *template.Stack) (streams, urls map[string]string, err error) {
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error {
		// One after another: streamed tables made at once slow the stand-in down.
		for i := range s.Tables {
			if err := applyTable(ctx, c.Tables, &s.Tables[i], expires(s, &s.Tables[i])); err != nil {
				return err
			}
		}
		return nil
	})
	all.Go(func() error { return applyQueues(ctx, c.Queues, s.Queues) })
	all.Go(func() error { return applyBuckets(ctx, c.Objects, s.Buckets) })
	if err := all.Wait(); err != nil {
		return nil, nil, fmt.Errorf("provision: %w", err)
	}
	streams, urls = map[string]string{}, map[string]string{}
	for _, t := range s.Tables {
		if t.StreamARN != "" {
			streams[t.ID] = t.StreamARN
		}
	}
	for _, q := range s.Queues {
		urls[q.ID] = q.URL
	}
	return streams, urls, nil
}

func applyQueues(ctx context.Context, c *sqs.Client, queues []template.Queue) error {
	// Dead-letter queues first: a redrive policy wants its target to exist.
	made := map[string]bool{}
	for len(made) < len(queues) {
		before := len(made)
		for i := range queues {
			q := &queues[i]
			if made[q.ID] || q.DeadLetter != "" && !made[q.DeadLetter] {
				continue
			}
			if err := applyQueue(ctx, c, q, queues); err != nil {
				return err
			}
			made[q.ID] = true
		}
		if len(made) == before {
			return fmt.Errorf("queues are each other's dead-letter queues")
		}
	}
	return nil
}

func applyQueue(ctx context.Context, c *sqs.Client, q *template.Queue, all []template.Queue) error {
	want := maps.Clone(q.Attributes)
	if want == nil {
		want = map[string]string{}
	}
	for _, d := range all {
		if d.ID == q.DeadLetter {
			want["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, d.ARN, q.MaxReceive)
		}
	}
	found, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &q.Name})
	if err == nil {
		q.URL = aws.ToString(found.QueueUrl)
		return changeQueue(ctx, c, q, want)
	}
	made, err := c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &q.Name, Attributes: want})
	if err != nil {
		return fmt.Errorf("make queue %s: %w", q.Name, err)
	}
	q.URL = aws.ToString(made.QueueUrl)
	return nil
}

// defaults of SQS, for attributes that a template has stopped naming.
var defaults = map[string]string{
	"DelaySeconds": "0", "VisibilityTimeout": "30", "ReceiveMessageWaitTimeSeconds": "0",
}

// changeQueue sets what differs. Attributes that the stand-in does not tell are
// those that it does not keep.
func changeQueue(ctx context.Context, c *sqs.Client, q *template.Queue, want map[string]string) error {
	have, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return fmt.Errorf("describe queue %s: %w", q.Name, err)
	}
	for k, v := range defaults {
		if want[k] == "" {
			want[k] = v
		}
	}
	maps.DeleteFunc(want, func(k, v string) bool {
		old, told := have.Attributes[k]
		return sameJSON(old, v) || !told && k != "RedrivePolicy"
	})
	if _, differs := want["ContentBasedDeduplication"]; differs {
		return fmt.Errorf("queue %s exists with another ContentBasedDeduplication than the template's; use an empty data folder", q.Name)
	}
	if q.DeadLetter == "" && have.Attributes["RedrivePolicy"] != "" {
		return fmt.Errorf("queue %s exists with a dead-letter queue, unlike the template's; use an empty data folder", q.Name)
	}
	if len(want) == 0 {
		return nil
	}
	_, err = c.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &q.URL, Attributes: want})
	if err != nil {
		return fmt.Errorf("change queue %s: %w", q.Name, err)
	}
	return nil
}

// sameJSON compares attributes; a redrive policy is JSON in any order.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}
