package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// The tests of the whole stack build its functions into the tree. So they run in
// a copy of it, one after another.
const stackTests = "localstack/e2e"

// stage is a copy of the tree in which defects are planted for good, and taken
// out again.
type stage struct {
	mu   sync.Mutex
	root string // "" until it is needed
}

// test plants, runs and restores.
func (s *stage) test(ctx context.Context, b bench, planted map[string][]byte, names []string) (map[string]outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.set(b); err != nil {
		return nil, err
	}
	defer s.restore(b.root, planted)
	for file, text := range planted {
		if err := os.WriteFile(filepath.Join(s.root, file), text, 0o600); err != nil {
			return nil, err
		}
	}
	b.root = s.root
	b.limit *= 3 // it builds and starts everything first
	return b.run(ctx, "", stackTests, names)
}

func (s *stage) restore(from string, planted map[string][]byte) {
	for file := range planted {
		if err := duplicate(filepath.Join(from, file), filepath.Join(s.root, file)); err != nil {
			s.root = "" // the next one makes another copy
		}
	}
}

func (s *stage) set(b bench) error {
	if s.root != "" {
		return nil
	}
	root, err := os.MkdirTemp(b.scratch, "tree-")
	if err != nil {
		return err
	}
	err = filepath.WalkDir(b.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(b.root, path)
		if err != nil {
			return err
		}
		switch rel {
		case ".git", ".build", ".data", ".tools":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(root, rel), 0o755)
		}
		return duplicate(path, filepath.Join(root, rel))
	})
	if err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(b.root, ".tools"), filepath.Join(root, ".tools")); err != nil {
		return err
	}
	s.root = root
	return nil
}

func duplicate(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}
