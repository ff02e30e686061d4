package work

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
)

// The identity that a stream gives to deletions by TTL.
const ttlPrincipal = "dynamodb.amazonaws.com"

func record(r events.DynamoDBEventRecord) (relay.Record, error) {
	rec := relay.Record{
		Sequence: r.Change.SequenceNumber,
		Service:  r.UserIdentity != nil && r.UserIdentity.Type == "Service" && r.UserIdentity.PrincipalID == ttlPrincipal,
	}
	var err error
	if rec.Old, err = Image(r.Change.OldImage); err != nil {
		return rec, err
	}
	rec.New, err = Image(r.Change.NewImage)
	return rec, err
}

// Image is an item of a record; nil where the record has none.
func Image(attrs map[string]events.DynamoDBAttributeValue) (store.Item, error) {
	if len(attrs) == 0 {
		return nil, nil
	}
	it := make(store.Item, len(attrs))
	for name, av := range attrs {
		v, err := value(av)
		if err != nil {
			return nil, fmt.Errorf("work: attribute %s: %w", name, err)
		}
		it[name] = v
	}
	return it, nil
}

func value(av events.DynamoDBAttributeValue) (any, error) {
	switch av.DataType() {
	case events.DataTypeString:
		return av.String(), nil
	case events.DataTypeNumber:
		return strconv.ParseInt(av.Number(), 10, 64)
	case events.DataTypeBoolean:
		return av.Boolean(), nil
	case events.DataTypeBinary:
		return av.Binary(), nil
	case events.DataTypeStringSet:
		return store.Set(av.StringSet()), nil
	case events.DataTypeList:
		list := make([]any, 0, len(av.List()))
		for _, e := range av.List() {
			v, err := value(e)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case events.DataTypeMap:
		m := make(map[string]any, len(av.Map()))
		for k, e := range av.Map() {
			v, err := value(e)
			if err != nil {
				return nil, err
			}
			m[k] = v
		}
		return m, nil
	}
	return nil, fmt.Errorf("data type %v is not stored here", av.DataType())
}
