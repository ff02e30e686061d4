package sdk

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
)

// tape keeps the inputs of the calls that a client makes, in order.
type tape struct{ inputs []any }

func (t *tape) record(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Tape",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			t.inputs = append(t.inputs, in.Parameters)
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}

// take gives what was recorded since the last take, as it was before the SDK
// filled in a token.
func (t *tape) take() []any {
	inputs := t.inputs
	t.inputs = nil
	for _, in := range inputs {
		if w, ok := in.(*dynamodb.TransactWriteItemsInput); ok {
			w.ClientRequestToken = nil
		}
	}
	return inputs
}

// clients are the SDK's, over one transport.
type clients struct {
	tables *dynamodb.Client
	queues *sqs.Client
}

// over is a copy of the clients with another transport and, if t is not nil, a
// tape. Retries are off, as the adapter has them for transactions: they would be
// in both sides.
func (c clients) over(rt http.RoundTripper, t *tape) clients {
	var api []func(*middleware.Stack) error
	if t != nil {
		api = append(api, t.record)
	}
	client := &http.Client{Transport: rt}
	return clients{
		tables: dynamodb.New(c.tables.Options(), func(o *dynamodb.Options) {
			o.HTTPClient, o.Retryer, o.APIOptions = client, aws.NopRetryer{}, append(o.APIOptions, api...)
		}),
		queues: sqs.New(c.queues.Options(), func(o *sqs.Options) {
			o.HTTPClient, o.Retryer, o.APIOptions = client, aws.NopRetryer{}, append(o.APIOptions, api...)
		}),
	}
}

// call makes the bare call of a recorded input.
func (c clients) call(ctx context.Context, in any) (err error) {
	switch in := in.(type) {
	case *dynamodb.TransactWriteItemsInput:
		_, err = c.tables.TransactWriteItems(ctx, in)
	case *dynamodb.GetItemInput:
		_, err = c.tables.GetItem(ctx, in)
	case *dynamodb.BatchGetItemInput:
		_, err = c.tables.BatchGetItem(ctx, in)
	case *sqs.SendMessageInput:
		_, err = c.queues.SendMessage(ctx, in)
	default:
		err = fmt.Errorf("sdk: nobody replays a %T", in)
	}
	return err
}
