package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/fairseat/fairseat/"
)

// pack is a package as the go command lists it.
type pack struct {
	ImportPath   string
	Dir          string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

// path is the package's folder in the repository.
func (p pack) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// under reports whether the package is one of the folders or inside one.
func (p pack) under(folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return p.path() == f || strings.HasPrefix(p.path(), f+"/") })
}

var list = sync.OnceValues(func() ([]pack, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Name,Imports,TestImports,XTestImports,Deps,GoFiles,TestGoFiles,XTestGoFiles",
		"./pkg/...", "./functions/...", "./localstack/...", "./infra/...")
	cmd.Dir = root
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(err, errors.New(complaint.String()))
	}
	var packs []pack
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pack
		if err := d.Decode(&p); err == io.EOF {
			return packs, nil
		} else if err != nil {
			return nil, err
		}
		packs = append(packs, p)
	}
})

// tree is every package of the repository.
func tree(t *testing.T) []pack {
	t.Helper()
	packs, err := list()
	if err != nil {
		t.Fatal(err)
	}
	if len(packs) < 20 {
		t.Fatalf("only %d packages were found", len(packs))
	}
	return packs
}

func parse(t *testing.T, file string) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return fset, f
}

// calls are the uses pkg.name of an imported package in a file, with their lines.
func calls(t *testing.T, file, pkg string, names ...string) []int {
	t.Helper()
	fset, f := parse(t, file)
	local := ""
	for _, i := range f.Imports {
		if strings.Trim(i.Path.Value, `"`) == pkg {
			local = filepath.Base(pkg)
			if i.Name != nil {
				local = i.Name.Name
			}
		}
	}
	var lines []int
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || local == "" {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == local && slices.Contains(names, s.Sel.Name) {
			lines = append(lines, fset.Position(n.Pos()).Line)
		}
		return true
	})
	return lines
}

// folders are the names of the folders in one of the repository's.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}
