package gateway

import (
	"encoding/json"
	"testing"
)

// TestScalar: a header's text is what JSON says it is, however it is written.
func TestScalar(t *testing.T) {
	for raw, want := range map[string]string{`"plain"`: "plain", `""`: "", `"a\"b"`: `a"b`, `"é"`: "é", `"\u00e9"`: "é", "\"a\xffb\"": "a\ufffdb", `12`: "12", `true`: "true"} {
		if got, err := scalar(json.RawMessage(raw)); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", raw, got, err, want)
		}
	}
	for _, raw := range []string{`null`, `{}`, `["a"]`} {
		if got, err := scalar(json.RawMessage(raw)); err == nil {
			t.Errorf("%s is %q", raw, got)
		}
	}
}
