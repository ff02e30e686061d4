package cloud

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockFolder makes the data folder and keeps a second stack out of it. The lock
// goes with the process, however that ends.
func lockFolder(dir string) (unlock func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cloud: data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cloud: data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		who, _ := io.ReadAll(io.LimitReader(f, 20))
		f.Close()
		return nil, fmt.Errorf("cloud: data folder %s is in use by process %s", dir, strings.TrimSpace(string(who)))
	}
	if err == nil {
		if err = f.Truncate(0); err == nil {
			_, err = fmt.Fprintln(f, os.Getpid())
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cloud: data folder %s: %w", dir, err)
	}
	return func() { f.Close() }, nil
}

// sameStore refuses a folder whose tables another stand-in holds: the stack would
// start without them, beside queues that still speak of them.
func sameStore(dir, store string) error {
	if dir == "" {
		return nil
	}
	file := filepath.Join(dir, "store")
	have, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(file, []byte(store+"\n"), 0o600)
	} else if was := strings.TrimSpace(string(have)); err == nil && was != store {
		return fmt.Errorf("cloud: data folder %s was made with %s, not with %s", dir, was, store)
	}
	if err != nil {
		return fmt.Errorf("cloud: data folder: %w", err)
	}
	return nil
}
