// Package feed writes what a stream of the store in memory tells as the events that
// Lambda hands to a function.
package feed

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// Record is a change as Lambda is handed it.
func Record(r memstore.Record) events.DynamoDBEventRecord {
	e := events.DynamoDBEventRecord{
		EventName: r.Event.String(),
		Change:    events.DynamoDBStreamRecord{SequenceNumber: r.Sequence, OldImage: imageOf(r.Old), NewImage: imageOf(r.New)},
	}
	if r.Service {
		e.UserIdentity = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	}
	return e
}

// Touched are the seats of the holds that changes of the holds' table tell of.
func Touched(rs []memstore.Record) (seats []seatmap.SeatID) {
	for _, r := range rs {
		h, err := store.HoldFromItem(r.New)
		if err != nil {
			continue // its end by TTL
		}
		for _, s := range h.Seats {
			seats = append(seats, s.ID)
		}
	}
	return seats
}

func imageOf(it store.Item) map[string]events.DynamoDBAttributeValue {
	if it == nil {
		return nil
	}
	return attributes(it)
}

func attributes(m map[string]any) map[string]events.DynamoDBAttributeValue {
	out := make(map[string]events.DynamoDBAttributeValue, len(m))
	for k, v := range m {
		out[k] = attribute(v)
	}
	return out
}

func attribute(v any) events.DynamoDBAttributeValue {
	switch v := v.(type) {
	case string:
		return events.NewStringAttribute(v)
	case int64:
		return events.NewNumberAttribute(strconv.FormatInt(v, 10))
	case bool:
		return events.NewBooleanAttribute(v)
	case []byte:
		return events.NewBinaryAttribute(v)
	case store.Set:
		return events.NewStringSetAttribute(v)
	case []any:
		l := make([]events.DynamoDBAttributeValue, len(v))
		for i, x := range v {
			l[i] = attribute(x)
		}
		return events.NewListAttribute(l)
	case map[string]any:
		return events.NewMapAttribute(attributes(v))
	}
	panic(fmt.Sprintf("feed: %T is not stored", v))
}
