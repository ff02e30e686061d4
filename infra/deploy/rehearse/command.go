package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/process"
)

// environment is this process's own with more, and without what breaks clients
// that bring their own certificates.
func environment(more []string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "AWS_CA_BUNDLE=") {
			env = append(env, kv)
		}
	}
	return append(env, more...)
}

// output runs a command to its end; what it said becomes part of its error.
func (s *stage) output(ctx context.Context, env []string, name string, args ...string) (string, error) {
	path, err := program(name)
	if err != nil {
		return "", err
	}
	var out, said bytes.Buffer
	err = s.all.Run(ctx, process.Spec{
		Name: filepath.Base(name), Path: path, Args: args, Dir: s.root, Env: environment(env), Stdout: &out, Stderr: &said,
	})
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args[:min(len(args), 2)], " "), err, tail(said.Bytes(), out.Bytes()))
	}
	return out.String(), nil
}

func program(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path := filepath.Join(dir, name); executable(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// tail is the end of what was said.
func tail(texts ...[]byte) string {
	const most = 2000
	b := bytes.TrimSpace(bytes.Join(texts, []byte("\n")))
	return string(b[max(0, len(b)-most):])
}

// serve starts a program that answers at url, and waits until it does.
func (s *stage) serve(ctx context.Context, url string, spec process.Spec) (*process.Child, error) {
	if _, err := ask(ctx, http.MethodGet, url); err == nil {
		return nil, fmt.Errorf("something answers at %s already", url)
	}
	log, err := os.Create(filepath.Join(s.root, ".build", "rehearse-"+spec.Name+".log"))
	if err != nil {
		return nil, err
	}
	spec.Stdout, spec.Stderr, spec.Dir = log, log, s.root
	child, err := s.all.Start(spec)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeoutCause(ctx, 2*time.Minute, errors.New("it does not answer"))
	defer stop()
	for {
		if _, err := ask(ctx, http.MethodGet, url); err == nil {
			return child, nil
		}
		select {
		case <-child.Done():
			return nil, fmt.Errorf("%s: %w\n%s", spec.Name, child.Ended(), logged(log))
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w\n%s", spec.Name, context.Cause(ctx), logged(log))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func logged(f *os.File) string {
	b, err := os.ReadFile(f.Name())
	if err != nil {
		return err.Error()
	}
	return tail(b)
}

// ask sends a bare request; any answer below 500 will do.
func ask(ctx context.Context, method, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err == nil && res.StatusCode >= 500 {
		err = fmt.Errorf("%s %s: %s: %.200s", method, url, res.Status, b)
	}
	return b, err
}
