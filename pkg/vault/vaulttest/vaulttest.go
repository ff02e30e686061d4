// Package vaulttest is a key service and a shelf in memory, for tests: keys are wrapped
// by AES-GCM, bound to their period, and calls are counted.
package vaulttest

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/vault"
)

// Keys is a key service.
type Keys struct {
	mu     sync.Mutex
	sealer cipher.AEAD
	calls  int
	fails  error
}

// NewKeys makes a key service.
func NewKeys() *Keys {
	block, err := aes.NewCipher([]byte("a key that only tests wrap with."))
	if err != nil {
		panic(err)
	}
	s, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &Keys{sealer: s}
}

// Calls counts the calls so far.
func (k *Keys) Calls() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

// Fail makes all calls fail until it is called with nil.
func (k *Keys) Fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fails = err
}

// Generate makes a key, another one at each call.
func (k *Keys) Generate(_ context.Context, period string) (plain, wrapped []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.fails != nil {
		return nil, nil, k.fails
	}
	plain = binary.BigEndian.AppendUint64(bytes.Repeat([]byte(period), 4), uint64(k.calls))[:32]
	binary.BigEndian.PutUint64(plain[24:], uint64(k.calls))
	return plain, k.sealer.Seal(nil, nil, plain, []byte(period)), nil
}

// Unwrap opens one.
func (k *Keys) Unwrap(_ context.Context, period string, wrapped []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.fails != nil {
		return nil, k.fails
	}
	return k.sealer.Open(nil, nil, wrapped, []byte(period))
}

// Shelf keeps wrapped keys.
type Shelf struct {
	mu   sync.Mutex
	kept map[string][]byte
	lost int
}

// NewShelf makes an empty one.
func NewShelf() *Shelf { return &Shelf{kept: map[string][]byte{}} }

// Lost counts the keys that were made in vain: another stood there already.
func (s *Shelf) Lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Wrapped reads one.
func (s *Shelf) Wrapped(_ context.Context, period string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept[period], nil
}

// Keep puts one if there is none.
func (s *Shelf) Keep(_ context.Context, period string, wrapped []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.kept[period]; old != nil {
		s.lost++
		return old, nil
	}
	s.kept[period] = wrapped
	return wrapped, nil
}

// Keeper is one for tests of what holds sealed fields.
func Keeper(clock func() time.Time) *vault.Keeper {
	k, err := vault.New(NewKeys(), NewShelf(), "a secret of the blind index in tests", clock)
	if err != nil {
		panic(err)
	}
	return k
}
