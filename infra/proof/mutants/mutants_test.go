package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// TestEveryDefectApplies: each text is there once, and what is left compiles.
func TestEveryDefectApplies(t *testing.T) {
	tree := exported(t)
	for _, d := range append(all(), stack()...) {
		planted, err := d.plant(root)
		if err != nil {
			t.Error(err)
			continue
		}
		for dir := range folders(planted) {
			if err := tree.check(dir, planted); err != nil {
				t.Errorf("%q does not compile: %v", d.Name, err)
			}
		}
	}
}

// TestEveryDefectIsNamed: no two have one name, each names a test, and it exists.
func TestEveryDefectIsNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range append(all(), stack()...) {
		key := d.Name + d.where()
		if seen[key] || len(d.Caught) == 0 || len(d.Edits) == 0 {
			t.Errorf("%q is there twice, changes nothing or names no test", d.Name)
		}
		seen[key] = true
	}
	funcs := map[string]string{}
	for _, by := range testsOf(append(all(), stack()...)) {
		if funcs[by.Package] == "" {
			funcs[by.Package] = testFiles(t, by.Package)
		}
		name, part, _ := strings.Cut(by.Name, "/")
		if !strings.Contains(funcs[by.Package], "func "+name+"(t *testing.T) {") {
			t.Errorf("%s has no %s", by.Package, name)
		}
		part = part[strings.LastIndex(part, "/")+1:]
		if part != "" && !strings.ContainsAny(part, "0123456789") && !strings.Contains(funcs[by.Package], `"`+part+`"`) {
			t.Errorf("%s has no part %q", by.Package, by.Name)
		}
	}
}

func testFiles(t *testing.T, pkg string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no tests: %v", pkg, err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// TestDefectsThatHaveMoved: a text that is not there, there twice or the same
// afterwards is an error that names the defect.
func TestDefectsThatHaveMoved(t *testing.T) {
	for name, e := range map[string]Edits{
		"gone":       edit("go.mod", "module of another world", "x"),
		"twice":      edit("go.mod", "github.com", "x"),
		"the same":   edit("go.mod", "module github.com/fairseat/fairseat", "module github.com/fairseat/fairseat"),
		"no file":    edit("nothing.go", "a", "b"),
		"no package": edit("pkg/nothing", "a", "b"),
		"many files": edit("pkg/store", "package store\n", "b"),
		"after some": edit("go.mod", "module ", "modul ").and("go.mod", "module github.com/fairseat/fairseat", "x"),
	} {
		_, err := Defect{Name: "the defect", Edits: e}.plant(root)
		if !errors.Is(err, errGone) || !strings.Contains(err.Error(), "the defect") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOutcomes: what counts as caught is a failure by the test's own words.
func TestOutcomes(t *testing.T) {
	const name = `"Test":"TestX"`
	for what, tt := range map[string]struct {
		events string
		own    bool
		said   string
		broken bool
	}{
		"passed":    {`{"Action":"run",` + name + `}` + "\n" + `{"Action":"pass",` + name + `}`, false, "", false},
		"failed":    {`{"Action":"run",` + name + `}` + "\n" + `{"Action":"output",` + name + `,"Output":"=== RUN TestX\n"}` + "\n" + `{"Action":"output",` + name + `,"Output":"    x.go:1: sold twice\n"}` + "\n" + `{"Action":"fail",` + name + `}`, true, "x.go:1: sold twice", false},
		"panicked":  {`{"Action":"output",` + name + `,"Output":"panic: nil\n"}` + "\n" + `{"Action":"fail",` + name + `}`, false, "panic: nil", false},
		"too long":  {`{"Action":"output",` + name + `,"Output":"panic: test timed out after 1s\n"}` + "\n" + `{"Action":"fail",` + name + `}`, false, "panic: test timed out after 1s", false},
		"raced":     {`{"Action":"output",` + name + `,"Output":"    testing.go:1: race detected during execution of test\n"}` + "\n" + `{"Action":"fail",` + name + `}`, false, "testing.go:1: race detected during execution of test", false},
		"not built": {`{"Action":"build-output","Output":"x.go:1: no\n"}` + "\n" + `{"Action":"build-fail"}`, false, "", true},
		"not there": {`{"Action":"run","Test":"TestY"}`, false, "", false},
	} {
		got, broken, err := read(strings.NewReader(tt.events))
		o := got["TestX"]
		if err != nil || o.own() != tt.own || o.said() != tt.said || (broken != "") != tt.broken {
			t.Errorf("%s: %+v, broken %q, %v", what, o, broken, err)
		}
	}
	if _, _, err := read(strings.NewReader("nonsense")); err == nil {
		t.Error("nonsense was read")
	}
}

// TestPattern names exactly what is meant.
func TestPattern(t *testing.T) {
	if got := pattern([]string{"TestA/b c/d", "TestE"}); got != "^TestA$/^b_c$/^d$|^TestE$" {
		t.Error(got)
	}
}

// TestSurvivors: a defect that its test does not see fails the command.
func TestSurvivors(t *testing.T) {
	var out bytes.Buffer
	trials := []trial{
		{defect: Defect{Name: "caught", Caught: by("p", "TestA")}, said: []string{"no"}},
		{defect: Defect{Name: "missed", Caught: by("p", "TestB")}, survived: []string{"p TestB passed"}},
	}
	r := report{&out, true}
	r.table(trials)
	if err := r.totals(trials, 2, 0, 0); !errors.Is(err, errSurvived) {
		t.Error(err)
	}
	if err := r.totals(trials[:1], 1, 0, 0); err != nil {
		t.Error(err)
	}
	if s := out.String(); !strings.Contains(s, "SURVIVED: p TestB passed") || !strings.Contains(s, "2 defects planted, 1 caught, 1 survived") {
		t.Error(s)
	}
}

// world is the export data of everything that the packages import.
type world struct {
	t     *testing.T
	fset  *token.FileSet
	types types.Importer
	files map[string][]string // by folder
}

func exported(t *testing.T) world {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles,Standard", "./pkg/...", "./localstack/gateway", "./localstack/rights")
	cmd.Dir = root
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, complaint.String())
	}
	w := world{t: t, fset: token.NewFileSet(), files: map[string][]string{}}
	export := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Export, Dir string
			GoFiles                 []string
			Standard                bool
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		export[p.ImportPath] = p.Export
		if dir, ours := strings.CutPrefix(p.ImportPath, "github.com/fairseat/fairseat/"); ours {
			w.files[dir] = p.GoFiles
		}
	}
	w.types = importer.ForCompiler(w.fset, "gc", func(path string) (io.ReadCloser, error) {
		if export[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(export[path])
	})
	return w
}

// check compiles a package with the planted files in place of its own.
func (w world) check(dir string, planted map[string][]byte) error {
	names := slices.Clone(w.files[dir])
	if len(names) == 0 {
		return fmt.Errorf("no package in %s", dir)
	}
	var files []*ast.File
	for _, name := range names {
		path := filepath.Join(dir, name)
		var src any
		if text, ok := planted[path]; ok {
			src = text
		}
		f, err := parser.ParseFile(w.fset, filepath.Join(root, path), src, 0)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	_, err := (&types.Config{Importer: w.types}).Check("github.com/fairseat/fairseat/"+dir, w.fset, files, nil)
	return err
}

func folders(planted map[string][]byte) map[string]bool {
	dirs := map[string]bool{}
	for file := range planted {
		if filepath.Ext(file) == ".go" {
			dirs[filepath.Dir(file)] = true
		}
	}
	return dirs
}
