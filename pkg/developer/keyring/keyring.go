// Package keyring holds the use cases of a developer's own keys (A13): Make, Rotate,
// Revoke, and reading them and their usage. Each loads the developer with all his
// keys, lets package developer decide, and commits on the condition that nothing of
// him has changed in between.
//
// Start with [Keyring].
package keyring

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/quota"
)

// Store keeps developers. Book reads one with all his keys at one moment; Issue and
// Revoke are done whole or not at all, and are [fault.Stale] when the developer has
// changed since he was read.
type Store interface {
	Book(ctx context.Context, id developer.ID) (developer.Book, error)
	Issue(ctx context.Context, i developer.Issue, now time.Time) error
	Revoke(ctx context.Context, d developer.Developer, k developer.Key, now time.Time) error
	Usage(ctx context.Context, id developer.ID, first, last string) ([]developer.Day, error)
	Forget(ctx context.Context, d developer.Developer) error // stale as the others
	Taken(ctx context.Context, id developer.ID, w quota.Window, start time.Time) (int64, error)
}

// Keyring is the use cases. The fields are set once, before use.
type Keyring struct {
	Store Store
	Press *developer.Press
	Clock func() time.Time                                    // UTC, milliseconds
	Pause func(ctx context.Context, most time.Duration) error // waits a random part of it
}

// attempts of a change that met another of the same developer.
const attempts = 6

func (r *Keyring) again(ctx context.Context, f func(now time.Time) error) error {
	var err error
	for n := range attempts {
		if n > 0 {
			if perr := r.Pause(ctx, 10*time.Millisecond<<n); perr != nil {
				return err
			}
		}
		err = f(r.Clock())
		if k := fault.KindOf(err); k != fault.Stale && k != fault.Contended {
			return err
		}
	}
	return err
}

// Made is a key with its text, as its owner sees it once.
type Made struct {
	developer.Key
	Text developer.Text
	Plan developer.Plan
}

// Make makes a key for an account, which becomes a developer by its first.
func (r *Keyring) Make(ctx context.Context, id developer.ID, w developer.Wish) (Made, error) {
	return r.issue(ctx, id, w, func(b developer.Book, now time.Time) (developer.Issue, bool, error) {
		return b.Make(id, w, r.Press.Text(id, w.ID), now)
	})
}

// Rotate makes a key in the place of old, which stays good for the overlap; of the
// replaced key the answer's end is told by Book.
func (r *Keyring) Rotate(ctx context.Context, id developer.ID, old developer.KeyID, w developer.Wish, overlap time.Duration) (Made, error) {
	return r.issue(ctx, id, w, func(b developer.Book, now time.Time) (developer.Issue, bool, error) {
		if b.Developer.ID == "" {
			return developer.Issue{}, false, developer.ErrNoKey
		}
		return b.Rotate(old, w, r.Press.Text(id, w.ID), overlap, now)
	})
}

// issue carries out what decides. The text of a key that was made before is made
// again for a day, which is what a repeated request may take.
func (r *Keyring) issue(ctx context.Context, id developer.ID, w developer.Wish, decide func(developer.Book, time.Time) (developer.Issue, bool, error)) (m Made, err error) {
	err = r.again(ctx, func(now time.Time) error {
		b, err := r.Store.Book(ctx, id)
		if err != nil {
			return err
		}
		i, before, err := decide(b, now)
		if err != nil {
			return err
		}
		m = Made{Key: i.Key, Text: r.Press.Text(id, i.Key.ID), Plan: i.Developer.Plan}
		if before {
			text, ok := r.Press.Again(id, i.Key)
			if !ok || now.Sub(i.Key.MadeAt) >= developer.Kept {
				return developer.ErrShown
			}
			m.Text = text
			return nil
		}
		return r.Store.Issue(ctx, i, now)
	})
	return m, err
}

// Revoke ends a key at once, also twice. Whoever lets calls in has heard of it
// within gate.Fresh.
func (r *Keyring) Revoke(ctx context.Context, id developer.ID, k developer.KeyID) error {
	return r.again(ctx, func(now time.Time) error {
		b, err := r.Store.Book(ctx, id)
		if err != nil {
			return err
		}
		d, key, before, err := b.Revoke(k, now)
		if err != nil || before {
			return err
		}
		return r.Store.Revoke(ctx, d, key, now)
	})
}

// Close ends all keys of an account that is erased, and forgets that it was a
// developer; also twice. What was counted stays, under an id that names nobody.
func (r *Keyring) Close(ctx context.Context, id developer.ID) error {
	b, err := r.Store.Book(ctx, id)
	if err != nil {
		return err
	}
	for _, k := range b.Keys {
		if k.Ended(r.Clock()) {
			continue
		}
		if err := r.Revoke(ctx, id, k.ID); err != nil {
			return err
		}
	}
	return r.again(ctx, func(time.Time) error {
		b, err := r.Store.Book(ctx, id)
		if err != nil || b.Developer.ID == "" {
			return err
		}
		return r.Store.Forget(ctx, b.Developer)
	})
}

// Book is a developer with all his keys: [developer.ErrNoDeveloper].
func (r *Keyring) Book(ctx context.Context, id developer.ID) (developer.Book, error) {
	b, err := r.Store.Book(ctx, id)
	if err == nil && b.Developer.ID == "" {
		err = developer.ErrNoDeveloper
	}
	return b, err
}

// Report is a developer's usage and what is left of his month.
type Report struct {
	Days   []developer.Day
	Month  int64 // calls that instances took of this month's quota; a few of them may be unspent
	Limits quota.Limits
}

// Usage reads the usage of the days from first to last; the errors are those of Book.
func (r *Keyring) Usage(ctx context.Context, id developer.ID, first, last string, now time.Time) (Report, error) {
	b, err := r.Book(ctx, id)
	if err != nil {
		return Report{}, err
	}
	limits, _ := b.Developer.Plan.Limits()
	days, err := r.Store.Usage(ctx, id, first, last)
	if err != nil {
		return Report{}, err
	}
	month, err := r.Store.Taken(ctx, id, quota.Month, quota.Month.Start(now))
	return Report{Days: days, Month: month, Limits: limits}, err
}
