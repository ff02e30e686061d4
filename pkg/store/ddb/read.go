package ddb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/pkg/store"
)

const (
	batchKeys   = 100 // keys of one BatchGetItem or TransactGetItems
	batchRounds = 6   // requests for one batch before it counts as throttled
)

func (s *Store) gently(o *dynamodb.Options) { o.Retryer = s.retry }

// Get implements store.Tables.
func (s *Store) Get(ctx context.Context, key store.Key, consistent bool) (store.Item, error) {
	name, k, err := s.place(key)
	if err != nil {
		return nil, fmt.Errorf("ddb: get: %w", err)
	}
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: k, ConsistentRead: &consistent}, s.gently)
	if err != nil {
		return nil, fmt.Errorf("ddb: get %v: %w", key, classifyRead(err, 1))
	}
	it, err := decodeItem(out.Item)
	if err != nil {
		return nil, fmt.Errorf("ddb: get %v: %w", key, err)
	}
	return it, nil
}

// BatchGet implements store.Tables.
func (s *Store) BatchGet(ctx context.Context, keys []store.Key, consistent bool) (map[store.Key]store.Item, error) {
	items := make(map[store.Key]store.Item, len(keys))
	for chunk := range slices.Chunk(unique(keys), batchKeys) {
		if err := s.batch(ctx, chunk, consistent, items); err != nil {
			return nil, fmt.Errorf("ddb: batch get: %w", err)
		}
	}
	return items, nil
}

// batch asks until nothing is unprocessed.
func (s *Store) batch(ctx context.Context, keys []store.Key, consistent bool, items map[store.Key]store.Item) error {
	ask := map[string]types.KeysAndAttributes{}
	logical := map[string]store.Table{}
	for _, key := range keys {
		name, k, err := s.place(key)
		if err != nil {
			return err
		}
		logical[*name] = key.Table
		ka := ask[*name]
		ka.ConsistentRead, ka.Keys = &consistent, append(ka.Keys, k)
		ask[*name] = ka
	}
	for round := range batchRounds {
		if round > 0 {
			if err := wait(ctx, s.backoff(round-1)); err != nil {
				return err
			}
		}
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask}, s.gently)
		if err != nil {
			return classifyRead(err, len(keys))
		}
		if err := collect(items, out.Responses, logical); err != nil {
			return err
		}
		if ask = out.UnprocessedKeys; len(ask) == 0 {
			return nil
		}
	}
	return fmt.Errorf("keys unprocessed after %d rounds: %w", batchRounds, store.ErrThrottled)
}

func collect(items map[store.Key]store.Item, got map[string][]attributes, logical map[string]store.Table) error {
	for name, rows := range got {
		for _, row := range rows {
			it, err := decodeItem(row)
			if err != nil {
				return err
			}
			pk, _ := it["pk"].(string)
			sk, _ := it["sk"].(string)
			items[store.Key{Table: logical[name], PK: pk, SK: sk}] = it
		}
	}
	return nil
}

// TransactGet implements store.Tables.
func (s *Store) TransactGet(ctx context.Context, keys []store.Key) ([]store.Item, error) {
	if len(keys) == 0 || len(keys) > batchKeys {
		return nil, fmt.Errorf("ddb: transact get: %d keys, not 1 to %d", len(keys), batchKeys)
	}
	ask := unique(keys)
	in := &dynamodb.TransactGetItemsInput{TransactItems: make([]types.TransactGetItem, len(ask))}
	for i, key := range ask {
		name, k, err := s.place(key)
		if err != nil {
			return nil, fmt.Errorf("ddb: transact get: %w", err)
		}
		in.TransactItems[i].Get = &types.Get{TableName: name, Key: k}
	}
	out, err := s.client.TransactGetItems(ctx, in, s.gently)
	if err != nil {
		return nil, fmt.Errorf("ddb: transact get: %w", spread(classifyRead(err, len(ask)), ask, keys))
	}
	if len(out.Responses) != len(ask) {
		return nil, fmt.Errorf("ddb: transact get: %d answers to %d keys", len(out.Responses), len(ask))
	}
	items := make([]store.Item, len(keys))
	for i, key := range keys {
		if items[i], err = decodeItem(out.Responses[slices.Index(ask, key)].Item); err != nil {
			return nil, fmt.Errorf("ddb: transact get %v: %w", key, err)
		}
	}
	return items, nil
}

// spread gives each of keys the reason of its place in ask.
func spread(err error, ask, keys []store.Key) error {
	var c *store.Canceled
	if len(ask) == len(keys) || !errors.As(err, &c) {
		return err
	}
	out := canceled(len(keys), store.ReasonNone)
	for i, key := range keys {
		out.Reasons[i] = c.Reasons[slices.Index(ask, key)]
	}
	return out
}

// Query implements store.Tables. Next is the sort key where a page ended.
func (s *Store) Query(ctx context.Context, q store.Query) ([]store.Item, string, error) {
	in, err := s.query(q)
	if err != nil {
		return nil, "", fmt.Errorf("ddb: query: %w", err)
	}
	if q.Before != "" && q.From >= q.Before {
		return nil, "", nil // the service calls an empty range malformed
	}
	out, err := s.client.Query(ctx, in, s.gently)
	if err != nil {
		return nil, "", fmt.Errorf("ddb: query %s %s: %w", q.Table, q.PK, classifyRead(err, 1))
	}
	items := make([]store.Item, 0, len(out.Items))
	for _, row := range out.Items {
		it, err := decodeItem(row)
		if err != nil {
			return nil, "", fmt.Errorf("ddb: query %s %s: %w", q.Table, q.PK, err)
		}
		if q.Before != "" && it["sk"] == q.Before { // BETWEEN includes its end
			return items, "", nil
		}
		items = append(items, it)
	}
	var next string
	if sk, ok := out.LastEvaluatedKey["sk"].(*types.AttributeValueMemberS); ok {
		next = sk.Value
	}
	return items, next, nil
}

func (s *Store) query(q store.Query) (*dynamodb.QueryInput, error) {
	name, err := s.table(q.Table)
	if err != nil {
		return nil, err
	}
	if err := checkQuery(q); err != nil {
		return nil, err
	}
	e := &expression{slab: new(slab)}
	where := e.within(q)
	forward := !q.Descending
	in := &dynamodb.QueryInput{
		TableName: name, ConsistentRead: &q.Consistent, ScanIndexForward: &forward,
		KeyConditionExpression: &where, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	if sk := startOf(q); sk != "" {
		in.ExclusiveStartKey, err = renderKey(store.Key{PK: q.PK, SK: sk})
	}
	if q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(q.Limit, math.MaxInt32)))
	}
	return in, errors.Join(err, e.err)
}

func checkQuery(q store.Query) error {
	switch {
	case q.PK == "":
		return errors.New("no pk")
	case q.Prefix != "" && (q.Before != "" || q.From != ""):
		return errors.New("a prefix together with a bound")
	case q.Limit < 0:
		return fmt.Errorf("limit %d", q.Limit)
	case q.Next != "" && (!strings.HasPrefix(q.Next, q.Prefix) || q.Next < q.From || q.Before != "" && q.Next >= q.Before):
		return errors.New("next lies outside of the query")
	}
	return nil
}

// within is the key condition. The service takes one condition on sk and has no
// half-open range: with both bounds, a descending query starts at Before, which
// is exclusive, and an ascending one drops it at the end.
func (e *expression) within(q store.Query) string {
	pk := e.name("pk") + " = " + e.value(q.PK)
	switch {
	case q.Prefix != "":
		return pk + " AND begins_with(" + e.name("sk") + ", " + e.value(q.Prefix) + ")"
	case q.From != "" && q.Before != "" && !q.Descending:
		return pk + " AND " + e.name("sk") + " BETWEEN " + e.value(q.From) + " AND " + e.value(q.Before)
	case q.From != "":
		return pk + " AND " + e.name("sk") + " >= " + e.value(q.From)
	case q.Before != "":
		return pk + " AND " + e.name("sk") + " < " + e.value(q.Before)
	}
	return pk
}

func startOf(q store.Query) string {
	if q.Next == "" && q.Descending && q.From != "" {
		return q.Before
	}
	return q.Next
}

// place is where a key lives.
func (s *Store) place(key store.Key) (*string, attributes, error) {
	name, err := s.table(key.Table)
	if err != nil {
		return nil, nil, err
	}
	k, err := renderKey(key)
	return name, k, err
}

func unique(keys []store.Key) []store.Key {
	seen := make(map[store.Key]bool, len(keys))
	out := make([]store.Key, 0, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
