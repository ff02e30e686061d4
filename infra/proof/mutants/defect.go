package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Defect is one planted mistake and the tests that must see it.
type Defect struct {
	Name   string // what is wrong then
	Edits  Edits
	Caught []Test // each of them must fail
}

// Edits are made one after another.
type Edits []Edit

// Edit replaces one piece of a file, which must be there exactly once. In names
// the file, or the folder of a package, one of whose files it is.
type Edit struct{ In, Old, New string }

// Test is a test of a package, or a part of one: "TestX/a part".
type Test struct{ Package, Name string }

func (t Test) String() string { return t.Package + " " + t.Name }

func edit(file, old, instead string) Edits { return Edits{{file, old, instead}} }

func (e Edits) and(file, old, instead string) Edits { return append(e, Edit{file, old, instead}) }

func by(pkg string, names ...string) []Test {
	tests := make([]Test, len(names))
	for i, n := range names {
		tests[i] = Test{pkg, n}
	}
	return tests
}

// where names the files that a defect is planted in.
func (d Defect) where() string {
	var files []string
	for _, e := range d.Edits {
		if len(files) == 0 || files[len(files)-1] != e.In {
			files = append(files, e.In)
		}
	}
	return strings.Join(files, " ")
}

// errGone is what a defect answers that the code has moved away from under.
var errGone = errors.New("no longer applies")

// plant gives the text of each file that the defect changes, by its path under root.
func (d Defect) plant(root string) (map[string][]byte, error) {
	texts := map[string]string{}
	for _, e := range d.Edits {
		files, err := e.files(root)
		if err != nil {
			return nil, fmt.Errorf("%q %w: %w", d.Name, errGone, err)
		}
		met, at := 0, ""
		for _, file := range files {
			text, planted := texts[file]
			if !planted {
				b, err := os.ReadFile(filepath.Join(root, file))
				if err != nil {
					return nil, fmt.Errorf("%q %w: %w", d.Name, errGone, err)
				}
				text = string(b)
			}
			if n := strings.Count(text, e.Old); n > 0 {
				met, at, texts[file] = met+n, file, text
			}
		}
		if met != 1 || e.Old == e.New {
			return nil, fmt.Errorf("%q %w: its text is %d times in %s: %q", d.Name, errGone, met, e.In, e.Old)
		}
		texts[at] = strings.Replace(texts[at], e.Old, e.New, 1)
	}
	planted := make(map[string][]byte, len(texts))
	for file, text := range texts {
		planted[file] = []byte(text)
	}
	return planted, nil
}

// files are those that the piece may be in.
func (e Edit) files(root string) ([]string, error) {
	if filepath.Ext(e.In) != "" {
		return []string{e.In}, nil
	}
	all, err := filepath.Glob(filepath.Join(root, e.In, "*.go"))
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("no package in %s", e.In)
	}
	var files []string
	for _, f := range all {
		if name := filepath.Base(f); !strings.HasSuffix(name, "_test.go") {
			files = append(files, filepath.Join(e.In, name))
		}
	}
	return files, nil
}
