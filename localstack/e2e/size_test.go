package e2e_test

import (
	"os"
	"path/filepath"
	"testing"
)

// largest is what a function's binary may have, in bytes, stripped.
const largest = 9_000_000

// larger are the exceptions, each with its reason.
var larger = map[string]int64{
	"search-movies": 24_000_000, // links a full-text index, and nothing that sells a seat waits for it (infra/decisions/0014-search.md)
	"index-shows":   9_300_000,  // S3's client and DynamoDB's; it serves streams, where nobody waits for a start
}

// TestFunctionsAreSmall looks at what make build has made for the stack.
func TestFunctionsAreSmall(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", ".build", "functions", "*", "bootstrap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no functions were built: %v", err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(f))
		most := max(larger[name], largest)
		if info.Size() > most {
			t.Errorf("%s has %d bytes, more than %d", name, info.Size(), most)
		}
	}
}
