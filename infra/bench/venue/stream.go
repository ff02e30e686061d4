package venue

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/store"
)

// HoldKey is where a hold lies.
func HoldKey(id booking.HoldID) store.Key {
	return store.Key{Table: store.Holds, PK: "HOLD#" + string(id), SK: "HOLD"}
}

// Inserted is the batch of a stream that tells of new items.
func Inserted(items ...store.Item) (events.DynamoDBEvent, error) {
	records := make([]any, len(items))
	for i, it := range items {
		image := map[string]any{}
		for name, v := range it {
			w, err := wire(v)
			if err != nil {
				return events.DynamoDBEvent{}, fmt.Errorf("venue: %s: %w", name, err)
			}
			image[name] = w
		}
		records[i] = map[string]any{
			"eventID": strconv.Itoa(i), "eventName": "INSERT", "eventSource": "aws:dynamodb", "eventVersion": "1.1", "awsRegion": "eu-west-1",
			"dynamodb": map[string]any{
				"Keys": map[string]any{"pk": image["pk"], "sk": image["sk"]}, "NewImage": image,
				"SequenceNumber": fmt.Sprintf("%021d", i+1), "SizeBytes": 500, "StreamViewType": "NEW_AND_OLD_IMAGES",
			},
		}
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		return events.DynamoDBEvent{}, err
	}
	var ev events.DynamoDBEvent
	return ev, json.Unmarshal(text, &ev)
}

func wire(v any) (map[string]any, error) {
	switch v := v.(type) {
	case string:
		return map[string]any{"S": v}, nil
	case int64:
		return map[string]any{"N": strconv.FormatInt(v, 10)}, nil
	case bool:
		return map[string]any{"BOOL": v}, nil
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			w, err := wire(x)
			if err != nil {
				return nil, err
			}
			list[i] = w
		}
		return map[string]any{"L": list}, nil
	}
	return nil, fmt.Errorf("a value of type %T", v)
}
