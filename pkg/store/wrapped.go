package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairseat/fairseat/pkg/vault"
)

const (
	aWrapped  = "key"
	skWrapped = "KEY"
)

func wrappedKey(period string) Key { return Key{Keys, "KEY#" + period, skWrapped} }

// Shelf keeps wrapped keys in the table Keys. It needs the right to get, and to put
// where fields are sealed.
type Shelf struct{ t Tables }

var _ vault.Shelf = (*Shelf)(nil)

// NewShelf keeps them in the tables.
func NewShelf(t Tables) *Shelf { return &Shelf{t} }

// Wrapped reads one, strongly consistent.
func (s *Shelf) Wrapped(ctx context.Context, period string) ([]byte, error) {
	it, err := s.t.Get(ctx, wrappedKey(period), true)
	if err != nil || it == nil {
		return nil, err
	}
	return wrappedOf(it)
}

// keepTries is how often a key is put when others are putting theirs.
const keepTries = 4

// Keep puts one if there is none; who comes second is answered the first.
func (s *Shelf) Keep(ctx context.Context, period string, wrapped []byte) ([]byte, error) {
	var err error
	for range keepTries {
		err = s.t.Transact(ctx, []Write{{Key: wrappedKey(period), Where: Absent{}, Put: Item{aWrapped: wrapped}}}, "")
		var c *Canceled
		switch {
		case err == nil:
			return wrapped, nil
		case errors.As(err, &c) && c.Has(ReasonCondition):
			return wrappedOf(c.Reasons[0].Old)
		}
		// In conflict with another's, or perhaps there itself: what stands counts.
		if got, err := s.Wrapped(ctx, period); err == nil && got != nil {
			return got, nil
		}
	}
	return nil, fmt.Errorf("keep a wrapped key: %w", classify(err))
}

func wrappedOf(it Item) ([]byte, error) {
	wrapped, ok := it[aWrapped].([]byte)
	if !ok || len(wrapped) == 0 {
		return nil, errors.New("store: a wrapped key cannot be read")
	}
	return wrapped, nil
}
