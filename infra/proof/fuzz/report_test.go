package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadReport: requests are counted by operation and status, those without an
// answer are not, and an operation without a success is told.
func TestReadReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events.ndjson")
	text := `{"Initialize":{}}
{"ScenarioFinished":{"recorder":{"cases":{"a":{"value":{"method":"GET","path":"/cities"}},"b":{"value":{"method":"POST","path":"/sessions"}}},
"interactions":{"a":{"response":{"status_code":200}},"b":{"response":{"status_code":403}},"c":{"response":null}}}}}
{"ScenarioFinished":{"recorder":{}}}
`
	if err := os.WriteFile(file, []byte(strings.Replace(text, "}},\n", "}},", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := readReport(file)
	if err != nil || r.requests != 2 || r.answers["GET /cities"][200] != 1 || r.answers["POST /sessions"][403] != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	ops, err := operations([]byte(`{"paths":{"/cities":{"get":{"operationId":"ListCities"},"parameters":{}},"/sessions":{"post":{"operationId":"OpenSession"}},"/callbacks/{provider}":{"post":{"operationId":"ReceiveCallback"}}}}`))
	if err != nil || !slices.Equal(ops, []string{"GET /cities", "POST /sessions"}) {
		t.Fatalf("%v, %v", ops, err)
	}
	if never := r.unanswered(ops); !slices.Equal(never, []string{"POST /sessions"}) {
		t.Errorf("never answered: %v", never)
	}
}
