package archtest

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// calls2 are the calls x.name() of any receiver, with their lines.
func calls2(t *testing.T, file, name string) []int {
	t.Helper()
	fset, f := parse(t, file)
	var lines []int
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			if s, ok := c.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == name {
				lines = append(lines, fset.Position(n.Pos()).Line)
			}
		}
		return true
	})
	return lines
}

// TestMains: a function's main names one handler and decides nothing.
func TestMains(t *testing.T) {
	for _, name := range folders(t, "functions") {
		dir := filepath.Join(root, "functions", name)
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) != 1 || filepath.Base(files[0]) != "main.go" {
			t.Errorf("functions/%s holds %v, want main.go alone: what is more belongs into a package", name, files)
			continue
		}
		src, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(src, []byte("\n")); n > 20 {
			t.Errorf("functions/%s/main.go has %d lines, at most 20: it names a handler, the rest is wiring", name, n)
		}
		_, f := parse(t, files[0])
		ast.Inspect(f, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.IfStmt, *ast.SwitchStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SelectStmt:
				t.Errorf("functions/%s/main.go decides something: no test runs a main", name)
			}
			return true
		})
	}
}

var codeURI = regexp.MustCompile(`(?m)^\s*CodeUri:\s*\.build/functions/([a-z0-9-]+)\s*$`)

// TestFunctionsAndTemplate: each folder is deployed, each deployed function has a
// folder and a sample invocation.
func TestFunctionsAndTemplate(t *testing.T) {
	template, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var deployed []string
	for _, m := range codeURI.FindAllSubmatch(template, -1) {
		deployed = append(deployed, string(m[1]))
	}
	if n := bytes.Count(template, []byte("Type: AWS::Serverless::Function")); n != len(deployed) {
		t.Errorf("%d functions in the template, %d of them name .build/functions/…", n, len(deployed))
	}
	there := folders(t, "functions")
	for _, name := range there {
		if !slices.Contains(deployed, name) {
			t.Errorf("functions/%s is not in template.yaml: it would never run", name)
		}
	}
	for _, name := range deployed {
		if !slices.Contains(there, name) {
			t.Errorf("template.yaml deploys %s, which has no folder in functions/", name)
		}
		if _, err := os.Stat(filepath.Join(root, "events", name+".json")); err != nil {
			t.Errorf("events/%s.json: %v: each function has a sample invocation", name, err)
		}
	}
}

// TestPackageComments: every package says what it decides.
func TestPackageComments(t *testing.T) {
	banned := []string{"util", "utils", "common", "helpers", "types", "models", "misc", "shared"}
	for _, p := range tree(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		if slices.Contains(banned, filepath.Base(p.path())) {
			t.Errorf("%s: a package is named for what it decides, not for being useful", p.path())
		}
		comments := 0
		for _, f := range p.GoFiles {
			_, file := parse(t, filepath.Join(p.Dir, f))
			if file.Doc == nil {
				continue
			}
			comments++
			if want := "Package " + p.Name + " "; p.Name != "main" && !strings.HasPrefix(file.Doc.Text(), want) {
				t.Errorf("%s/%s begins %.40q, want %q: godoc shows it", p.path(), f, file.Doc.Text(), want)
			}
		}
		if comments != 1 {
			t.Errorf("%s has %d package comments, want one that says what it decides", p.path(), comments)
		}
	}
}

// TestOtherMethods: every path of the document refuses the methods that it has not with
// 405; without a row of its own the gateway takes the path for none, and says 404.
func TestOtherMethods(t *testing.T) {
	template, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "pkg", "api", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Paths map[string]any }
	if err := json.Unmarshal(text, &document); err != nil || len(document.Paths) == 0 {
		t.Fatalf("%d paths, %v", len(document.Paths), err)
	}
	for path := range document.Paths {
		row := regexp.MustCompile(`Method: any, Path: "?` + regexp.QuoteMeta(path) + `"?,`)
		if !row.Match(template) {
			t.Errorf("%s has no row of RefuseRequest in template.yaml", path)
		}
	}
}
