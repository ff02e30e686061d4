package sdk

import (
	"context"
	"fmt"
	"net/http"
	"reflect"

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
			t.inputs = append(t.inputs, copyOf(reflect.ValueOf(in.Parameters)).Interface())
			return next.HandleInitialize(ctx, in)
		}), middleware.Before)
}

// copyOf copies deeply: the adapter makes the next transaction in the same memory.
func copyOf(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			break
		}
		inner := copyOf(v.Elem())
		if v.Kind() == reflect.Pointer {
			p := reflect.New(inner.Type())
			p.Elem().Set(inner)
			inner = p
		}
		out.Set(inner)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(copyOf(v.Field(i)))
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(copyOf(v.Index(i)))
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for _, k := range v.MapKeys() {
			out.SetMapIndex(k, copyOf(v.MapIndex(k)))
		}
	}
	return out
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
			o.DisableMessageChecksumValidation = true // a recorded answer has that of another message
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
