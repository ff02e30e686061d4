package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTexts: each defect still finds the text that it spoils; the edits of a file
// are looked for as if none came before.
func TestTexts(t *testing.T) {
	for _, p := range plants {
		for _, e := range p.edits {
			src, err := os.ReadFile(filepath.Join("..", "..", "..", "..", filepath.FromSlash(e.file)))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(src), e.old); n != 1 {
				t.Errorf("%s: %s has the text to spoil %d times: %q", p.name, e.file, n, e.old)
			}
		}
	}
}
