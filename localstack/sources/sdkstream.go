package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/fairseat/fairseat/localstack/template"
)

// sdkStream speaks to DynamoDB Streams.
type sdkStream struct {
	client    *dynamodbstreams.Client
	arn       string // to call with
	shown     string // to show; see streamARN
	partition string // name of the table's partition key
	now       func() time.Time
}

// streamARN is the stream's ARN with the table's region and account: DynamoDB
// Local has a region of its own.
func streamARN(t template.Table) string {
	if _, label, ok := strings.Cut(t.StreamARN, "/stream/"); ok && t.ARN != "" {
		return t.ARN + "/stream/" + label
	}
	return t.StreamARN
}

// creation repairs times of whole minutes, as DynamoDB Local has them: the latest
// that they can mean, so that no record is given up, or passed over, too early.
func creation(at, now time.Time) time.Time {
	if at.Unix()%60 != 0 {
		return at
	}
	if last := at.Add(time.Minute - time.Second); last.Before(now) {
		return last
	}
	return now.Truncate(time.Second)
}

func (s sdkStream) shards(ctx context.Context) ([]shard, error) {
	var list []shard
	var from *string
	for {
		out, err := s.client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, ExclusiveStartShardId: from})
		if err != nil {
			return nil, fmt.Errorf("describe %s: %w", s.arn, err)
		}
		d := out.StreamDescription
		for _, sh := range d.Shards {
			r := sh.SequenceNumberRange
			list = append(list, shard{
				id: aws.ToString(sh.ShardId), parent: aws.ToString(sh.ParentShardId),
				ended: r != nil && r.EndingSequenceNumber != nil,
			})
		}
		if from = d.LastEvaluatedShardId; from == nil {
			return list, nil
		}
	}
}

func (s sdkStream) iterator(ctx context.Context, shard string, at place) (string, error) {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: &shard}
	switch at.kind {
	case fromNow:
		in.ShardIteratorType = types.ShardIteratorTypeLatest
	case fromAfter:
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &at.after
	default:
		in.ShardIteratorType = types.ShardIteratorTypeTrimHorizon
	}
	out, err := s.client.GetShardIterator(ctx, in)
	if err != nil {
		return "", fmt.Errorf("iterator of %s: %w", shard, mapError(err))
	}
	return aws.ToString(out.ShardIterator), nil
}

func (s sdkStream) records(ctx context.Context, iterator string) ([]record, string, error) {
	out, err := s.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator})
	if err != nil {
		return nil, "", fmt.Errorf("records: %w", mapError(err))
	}
	list := make([]record, len(out.Records))
	for i, r := range out.Records {
		if list[i], err = s.newRecord(r); err != nil {
			return nil, "", err
		}
	}
	return list, aws.ToString(out.NextShardIterator), nil
}

func mapError(err error) error {
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) {
		return errTrimmed
	}
	return err
}

// newRecord makes a record of the shape of a DynamoDB event.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func (s sdkStream) newRecord(r types.Record) (record, error) {
	d := r.Dynamodb
	if d == nil {
		return record{}, errors.New("record without a change")
	}
	change := map[string]any{
		"SequenceNumber": aws.ToString(d.SequenceNumber),
		"SizeBytes":      float64(aws.ToInt64(d.SizeBytes)),
		"StreamViewType": string(d.StreamViewType),
	}
	out := record{sequence: aws.ToString(d.SequenceNumber), key: "?"}
	if d.ApproximateCreationDateTime != nil {
		out.created = creation(*d.ApproximateCreationDateTime, s.now())
		change["ApproximateCreationDateTime"] = float64(out.created.Unix())
	}
	for name, image := range map[string]map[string]types.AttributeValue{
		"Keys": d.Keys, "NewImage": d.NewImage, "OldImage": d.OldImage,
	} {
		if image == nil {
			continue
		}
		m, err := attributes(image)
		if err != nil {
			return record{}, err
		}
		change[name] = m
		if name == "Keys" {
			k, _ := json.Marshal(m[s.partition])
			out.key = string(k)
		}
	}
	out.event = map[string]any{
		"eventID": aws.ToString(r.EventID), "eventName": string(r.EventName), "eventVersion": aws.ToString(r.EventVersion),
		"eventSource": "aws:dynamodb", "awsRegion": region(s.shown), "dynamodb": change, "eventSourceARN": s.shown,
	}
	if u := r.UserIdentity; u != nil {
		out.event["userIdentity"] = map[string]any{"type": aws.ToString(u.Type), "principalId": aws.ToString(u.PrincipalId)}
	}
	var err error
	out.encoded, err = json.Marshal(out.event)
	return out, err
}

func attributes(m map[string]types.AttributeValue) (map[string]any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		x, err := attribute(v)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", k, err)
		}
		out[k] = x
	}
	return out, nil
}

// attribute is DynamoDB's JSON of a value, in the types that filters compare.
func attribute(v types.AttributeValue) (map[string]any, error) {
	switch x := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": x.Value}, nil
	case *types.AttributeValueMemberN:
		return map[string]any{"N": x.Value}, nil
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": x.Value}, nil
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": x.Value}, nil
	case *types.AttributeValueMemberB:
		return map[string]any{"B": base64(x.Value)}, nil
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": anys(x.Value, func(s string) any { return s })}, nil
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": anys(x.Value, func(s string) any { return s })}, nil
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": anys(x.Value, func(b []byte) any { return base64(b) })}, nil
	case *types.AttributeValueMemberM:
		m, err := attributes(x.Value)
		return map[string]any{"M": m}, err
	case *types.AttributeValueMemberL:
		list := make([]any, len(x.Value))
		for i, e := range x.Value {
			m, err := attribute(e)
			if err != nil {
				return nil, err
			}
			list[i] = m
		}
		return map[string]any{"L": list}, nil
	}
	return nil, fmt.Errorf("unknown type %T", v)
}

func anys[T any](list []T, f func(T) any) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

func base64(b []byte) any {
	j, _ := json.Marshal(b)
	var s string
	_ = json.Unmarshal(j, &s)
	return s
}
