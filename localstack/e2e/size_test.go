package e2e_test

import (
	"os"
	"path/filepath"
	"testing"
)

// largest is what a function's binary may have, in bytes, stripped.
const largest = 9_000_000

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
		if info.Size() > largest {
			t.Errorf("%s has %d bytes, more than %d", filepath.Base(filepath.Dir(f)), info.Size(), largest)
		}
	}
}
