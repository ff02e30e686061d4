package gateway

import (
	"encoding/json"
	"regexp"
	"testing"
)

// TestID: version 4 of RFC 9562, and no two alike.
func TestID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

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
