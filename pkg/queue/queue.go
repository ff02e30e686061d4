// Package queue sends what the relay decided, over SQS. A message that was sent
// twice has one effect: its receiver goes by the state.
package queue

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"

	"github.com/fairseat/fairseat/pkg/relay"
)

// Sender sends to the deployed queues.
type Sender struct {
	client *sqs.Client
	urls   map[relay.Queue]string
}

// New makes a Sender. No call is made.
func New(client *sqs.Client, urls map[relay.Queue]string) *Sender { return &Sender{client, urls} }

// Client is an SQS client from the variables that Lambda sets, without the SDK's
// own loader of configuration, whose providers of credentials are megabytes.
func Client(env func(string) string) *sqs.Client {
	cred := aws.Credentials{
		AccessKeyID: env("AWS_ACCESS_KEY_ID"), SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"),
		SessionToken: env("AWS_SESSION_TOKEN"), Source: "environment",
	}
	opts := sqs.Options{
		Region:           env("AWS_REGION"),
		Credentials:      aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return cred, nil }),
		RetryMaxAttempts: 3,
		Logger:           logging.Nop{},
	}
	if url := cmp.Or(env("AWS_ENDPOINT_URL_SQS"), env("AWS_ENDPOINT_URL")); url != "" {
		opts.BaseEndpoint = &url
	}
	return sqs.New(opts)
}

// Send sends one message.
func (s *Sender) Send(ctx context.Context, m relay.Message) error {
	url, ok := s.urls[m.Queue]
	if !ok {
		return fmt.Errorf("queue: no address for queue %d", m.Queue)
	}
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &m.Body}
	if m.Queue == relay.Lane {
		in.MessageGroupId, in.MessageDeduplicationId = &m.Group, &m.Dedup
	} else {
		in.DelaySeconds = int32(m.Delay / time.Second)
	}
	if _, err := s.client.SendMessage(ctx, in); err != nil {
		return fmt.Errorf("queue: send: %w", err)
	}
	return nil
}
