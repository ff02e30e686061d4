package sources

import (
	"bytes"
	"encoding/json"
)

// failed reads a function's batchItemFailures and tells which items of the batch
// failed. Whatever does not make sense fails them all:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
// (success: empty or null list, empty or null answer; failure of all: invalid
// JSON, an identifier that is empty, null, misnamed or not of this batch).
func failed(payload []byte, ids []string) []bool {
	all := make([]bool, len(ids))
	for i := range all {
		all[i] = true
	}
	var doc *struct {
		Failures []map[string]any `json:"batchItemFailures"`
	}
	if len(bytes.TrimSpace(payload)) > 0 && json.Unmarshal(payload, &doc) != nil {
		return all
	}
	out := make([]bool, len(ids))
	if doc == nil {
		return out
	}
	index := make(map[string]int, len(ids))
	for i, id := range ids {
		index[id] = i
	}
	for _, f := range doc.Failures {
		id, ok := f["itemIdentifier"].(string)
		i, known := index[id]
		if !ok || !known {
			return all
		}
		out[i] = true
	}
	return out
}

// lowest is the first failed item; len(failed) if none is.
func lowest(failed []bool) int {
	for i, f := range failed {
		if f {
			return i
		}
	}
	return len(failed)
}
