package ddb

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/pkg/store"
)

// Update implements store.Counters by UpdateItem. The SDK does not retry: an
// addition that was sent twice would count twice.
func (s *Store) Update(ctx context.Context, key store.Key, changes []store.Change, where store.Cond) (store.Item, error) {
	name, err := s.table(key.Table)
	var w types.TransactWriteItem
	if err == nil {
		w, err = new(slab).render(store.Write{Key: key, Update: changes, Where: where}, name)
	}
	if err != nil {
		return nil, fmt.Errorf("ddb: update: %w: %w", canceled(1, store.ReasonFault), err)
	}
	var seen wire
	seen.trace.WroteHeaders = seen.wrote
	u := w.Update
	out, err := s.once.UpdateItem(httptrace.WithClientTrace(ctx, &seen.trace), &dynamodb.UpdateItemInput{
		TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
		ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
		ReturnValues: types.ReturnValueAllNew, ReturnValuesOnConditionCheckFailure: allOld,
	})
	if err != nil {
		return nil, fmt.Errorf("ddb: update: %w", classifyUpdate(err, seen.sent.Load()))
	}
	it, err := decodeItem(out.Attributes)
	if err != nil {
		return nil, fmt.Errorf("ddb: update: %w", err)
	}
	return it, nil
}

// classifyUpdate says of a single update what classifyWrite says of a transaction.
func classifyUpdate(err error, sent bool) error {
	var no *types.ConditionalCheckFailedException
	if !errors.As(err, &no) {
		return classifyWrite(err, 1, sent)
	}
	old, derr := decodeItem(no.Item)
	if derr != nil {
		return fmt.Errorf("old item: %w", derr)
	}
	return fmt.Errorf("%w: %w", &store.Canceled{Reasons: []store.Reason{{Code: store.ReasonCondition, Old: old}}}, err)
}
