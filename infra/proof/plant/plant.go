// Package plant builds the functions with a defect in them, so that a proof can
// show that it would find it. A defect is a change of text that must apply once;
// nothing outside .build is touched.
//
// Start with [Replace] and [Build].
package plant

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Edit is one place of the product's code, which must be there once.
type Edit struct{ file, old, planted string }

// Replace is an edit of a file, named from the project's root.
func Replace(file, old, planted string) Edit { return Edit{file, old, planted} }

// Build compiles the functions with the defect, beside a copy of the template.
func Build(ctx context.Context, root, name string, defect []Edit) (template string, err error) {
	dir := filepath.Join(root, ".build", "planted", name)
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	overlay, err := Overlay(root, dir, name, defect)
	if err != nil {
		return "", err
	}
	if err := compile(ctx, root, dir, overlay); err != nil {
		return "", fmt.Errorf("defect %s: %w", name, err)
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return "", err
	}
	template = filepath.Join(dir, "template.yaml")
	return template, write(template, text)
}

// Overlay writes the changed files and the list of them that the go command reads.
func Overlay(root, dir, name string, defect []Edit) (string, error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, e := range defect {
		path := filepath.Join(root, e.file)
		src, err := os.ReadFile(cmp.Or(overlay.Replace[path], path))
		if err != nil {
			return "", err
		}
		if bytes.Count(src, []byte(e.old)) != 1 {
			return "", fmt.Errorf("defect %s: %s does not hold %q once", name, e.file, e.old)
		}
		to := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := write(to, bytes.Replace(src, []byte(e.old), []byte(e.planted), 1)); err != nil {
			return "", err
		}
		overlay.Replace[path] = to
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, write(file, list)
}

func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// compile builds into the places that the template names.
func compile(ctx context.Context, root, dir, overlay string) error {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-tags", "lambda.norpc", "-o", bin, "./functions/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	names, err := os.ReadDir(bin)
	if err != nil {
		return err
	}
	for _, n := range names {
		to := filepath.Join(dir, ".build", "functions", n.Name())
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(bin, n.Name()), filepath.Join(to, "bootstrap")); err != nil {
			return err
		}
	}
	return nil
}
