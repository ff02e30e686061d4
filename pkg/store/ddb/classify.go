package ddb

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/fairseat/fairseat/pkg/store"
)

// classifyWrite says what an error means for a transaction of n writes. sent is
// whether the request had been written to a connection.
func classifyWrite(err error, n int, sent bool) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		if c := answered(err, api, n); c != nil {
			return c
		}
	}
	if sent && !refusal(err) {
		return fmt.Errorf("%w: %w", store.ErrUnknown, err)
	}
	return err
}

// refusal reports whether the service itself said no. A 5xx may come from
// something in front of it, after it has done the work; so may an answer that
// cannot be read.
func refusal(err error) bool {
	var api smithy.APIError
	var resp *smithyhttp.ResponseError
	return errors.As(err, &api) && errors.As(err, &resp) && resp.HTTPStatusCode()/100 == 4
}

// answered maps the service's words; nil when it has none of these.
// Source: "TransactWriteItems", Amazon DynamoDB API Reference.
func answered(err error, api smithy.APIError, n int) error {
	if c := new(types.TransactionCanceledException); errors.As(err, &c) {
		return reasons(c, n)
	}
	switch api.ErrorCode() {
	case "TransactionInProgressException", "TransactionConflictException":
		return fmt.Errorf("%w: %w", canceled(n, store.ReasonConflict), err)
	case "IdempotentParameterMismatchException":
		return fmt.Errorf("%w: %w", store.ErrTokenMismatch, err)
	case "ValidationException":
		return fmt.Errorf("%w: %w", canceled(n, store.ReasonFault), err)
	}
	if throttling(api.ErrorCode()) {
		return fmt.Errorf("%w: %w", store.ErrThrottled, err)
	}
	return nil
}

func throttling(code string) bool {
	switch code {
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
		"ProvisionedThroughputExceeded", "ThrottlingError", "Throttling":
		return true
	}
	return false
}

func reasons(c *types.TransactionCanceledException, n int) error {
	if len(c.CancellationReasons) != n {
		return fmt.Errorf("%w: %w", canceled(n, store.ReasonFault), c)
	}
	out := canceled(n, store.ReasonNone)
	for i, r := range c.CancellationReasons {
		old, err := decodeItem(r.Item)
		if err != nil {
			return fmt.Errorf("old item of write %d: %w", i, err)
		}
		out.Reasons[i] = store.Reason{Code: reasonCode(r.Code), Old: old}
	}
	return out
}

func reasonCode(code *string) store.ReasonCode {
	if code == nil {
		return store.ReasonNone
	}
	switch *code {
	case "None":
		return store.ReasonNone
	case "ConditionalCheckFailed":
		return store.ReasonCondition
	case "TransactionConflict":
		return store.ReasonConflict
	}
	if throttling(*code) {
		return store.ReasonThrottled
	}
	return store.ReasonFault
}

// classifyRead: a read has no outcome to be unsure of.
func classifyRead(err error, n int) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	if c := new(types.TransactionCanceledException); errors.As(err, &c) {
		return reasons(c, n)
	}
	if throttling(api.ErrorCode()) {
		return fmt.Errorf("%w: %w", store.ErrThrottled, err)
	}
	return err
}

func canceled(n int, code store.ReasonCode) *store.Canceled {
	out := &store.Canceled{Reasons: make([]store.Reason, n)}
	for i := range out.Reasons {
		out.Reasons[i].Code = code
	}
	return out
}
