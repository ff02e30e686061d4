// Package developer decides who may call the API (A13): developers, their keys and
// their plans.
//
// A developer is an account that accepted the terms when it made its first key. A
// key is shown to him alone and stored as its SHA-256: it is random of 200 bits, so
// nobody finds it from its hash, and a slow hash would only slow every call. Of it
// [Prefix] is stored too, so that people recognise it; 160 bits stay unknown.
//
// ShownOnce: the text of a key is made from the request that asks for it, under a
// key of ours ([Press]). The same request gets the same answer, as every repeated
// call does, though nothing but the hash is stored.
//
// Start with [Book.Make], [Book.Rotate] and [Book.Revoke].
package developer

import (
	"slices"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/quota"
)

// ID names a developer: the id of his account, or First.
type ID string

// First is the developer whose key the deployment itself brings.
const First ID = "first"

// FirstKey names his key.
const FirstKey KeyID = "k_first"

// KeyID names a key, to its owner and in logs. It does not open anything.
type KeyID string

// Plan is a developer's. The empty one is invalid.
type Plan string

// The plans.
const (
	Free     Plan = "free" // everybody's, to begin with
	Standard Plan = "standard"
	Partner  Plan = "partner"
	House    Plan = "house" // of the deployment's own clients
)

// plans are hard limits: calls a minute and a month, of all keys of a developer
// together, or who makes ten keys would have ten quotas. The house's is far above
// what the stage's throttle lets through: it counts, and does not hinder.
var plans = map[Plan]quota.Limits{
	Free:     {Minute: 60, Month: 100_000},
	Standard: {Minute: 1_200, Month: 5_000_000},
	Partner:  {Minute: 60_000, Month: 500_000_000},
	House:    {Minute: 12_000_000, Month: 100_000_000_000},
}

// Limits are the plan's; ok is false for what is no plan.
func (p Plan) Limits() (l quota.Limits, ok bool) {
	l, ok = plans[p]
	return l, ok
}

// What one developer may have.
const (
	MaxKeys = 10             // without an end
	MaxKept = 50             // with those that have one, and those that ended lately
	Kept    = 24 * time.Hour // how long an ended key is listed, and its request remembered
	Overlap = 24 * time.Hour // the longest that a replaced key lives on
	MaxName = 100            // characters of a name
)

// Why something is refused.
var (
	ErrNoDeveloper = fault.New(fault.NotFound, "not_found", "developer: no such developer")
	ErrNoKey       = fault.New(fault.NotFound, "not_found", "developer: no such key")
	ErrTerms       = fault.New(fault.Invalid, "terms_not_accepted", "developer: the terms were not accepted")
	ErrTooMany     = fault.New(fault.Conflict, "key_limit_reached", "developer: too many keys")
	ErrEnding      = fault.New(fault.Conflict, "key_ended", "developer: the key has ended, or was replaced already")
	ErrShown       = fault.New(fault.Conflict, "key_shown", "developer: the key was shown, and cannot be again")
	ErrMismatch    = fault.New(fault.Invalid, "idempotency_mismatch", "developer: the Idempotency-Key was used with another request")
)

// Developer is a developer.
type Developer struct {
	ID     ID
	Name   string // of his application, as he wrote it
	Plan   Plan
	MadeAt time.Time // when he accepted the terms
	Rev    int64     // of him and all his keys
}

// Key is one key, without its text.
type Key struct {
	ID       KeyID
	Name     string
	Prefix   string
	Hash     Hash
	BodyHash string // of the request that made it
	MadeAt   time.Time
	EndsAt   time.Time // zero: it has no end
	Revoked  bool      // it ended because its owner said so
	Replaces KeyID     // "" none
}

// Ended tells whether the key is good no more.
func (k Key) Ended(now time.Time) bool { return !k.EndsAt.IsZero() && !now.Before(k.EndsAt) }

// Pass is what the way in knows of a key.
type Pass struct {
	Developer ID
	Key       KeyID
	Plan      Plan
	EndsAt    time.Time // zero: it has no end
}

// Book is a developer with all his keys, as read together.
type Book struct {
	Developer Developer // zero: the account is no developer
	Keys      []Key
}

// Wish is a request for a key.
type Wish struct {
	ID       KeyID // made from the request
	Name     string
	Accepts  bool // the terms, which the first key needs
	BodyHash string
}

// Issue is what a request makes: the book's next state, the new key, and the key
// that it replaces as it is then.
type Issue struct {
	Developer Developer
	Key       Key
	Replaced  *Key
}

// Make decides a request for a new key of the text's hash and prefix. A key that
// the same request made before comes back with again.
func (b Book) Make(id ID, w Wish, text Text, now time.Time) (i Issue, again bool, err error) {
	if k, err := b.before(w); k != nil || err != nil {
		return Issue{Developer: b.Developer, Key: deref(k)}, true, err
	}
	d := b.Developer
	switch {
	case d.ID == "" && !w.Accepts:
		return Issue{}, false, ErrTerms
	case d.ID == "":
		d = Developer{ID: id, Name: w.Name, Plan: Free, MadeAt: now}
	case b.full(now, 0):
		return Issue{}, false, ErrTooMany
	}
	d.Rev++
	return Issue{Developer: d, Key: newKey(w, text, now)}, false, nil
}

// Rotate decides a request for a key in the place of old, which stays good for the
// overlap.
func (b Book) Rotate(old KeyID, w Wish, text Text, overlap time.Duration, now time.Time) (i Issue, again bool, err error) {
	if k, err := b.before(w); k != nil || err != nil {
		return Issue{Developer: b.Developer, Key: deref(k)}, true, err
	}
	was, ok := b.Key(old, now)
	switch {
	case !ok:
		return Issue{}, false, ErrNoKey
	case !was.EndsAt.IsZero():
		return Issue{}, false, ErrEnding
	case b.full(now, 1):
		return Issue{}, false, ErrTooMany
	}
	was.EndsAt = now.Add(min(max(overlap, 0), Overlap))
	w.Name = was.Name
	k := newKey(w, text, now)
	k.Replaces = was.ID
	d := b.Developer
	d.Rev++
	return Issue{Developer: d, Key: k, Replaced: &was}, false, nil
}

// Revoke ends a key at once; again says that it had been revoked before.
func (b Book) Revoke(id KeyID, now time.Time) (d Developer, k Key, again bool, err error) {
	k, ok := b.Key(id, now)
	if !ok {
		return d, k, false, ErrNoKey
	}
	if k.Ended(now) {
		return b.Developer, k, true, nil
	}
	k.EndsAt, k.Revoked = now, true
	d = b.Developer
	d.Rev++
	return d, k, false, nil
}

// Key finds a key that is still listed.
func (b Book) Key(id KeyID, now time.Time) (Key, bool) {
	for _, k := range b.Listed(now) {
		if k.ID == id {
			return k, true
		}
	}
	return Key{}, false
}

// Listed are the keys that are shown, the newest first.
func (b Book) Listed(now time.Time) []Key {
	var all []Key
	for _, k := range b.Keys {
		if !k.Ended(now.Add(-Kept)) {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b Key) int {
		if c := b.MadeAt.Compare(a.MadeAt); c != 0 {
			return c
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return all
}

// full tells whether there is no room for one more key, replaced ones of which get
// an end.
func (b Book) full(now time.Time, replaced int) bool {
	endless := -replaced
	all := b.Listed(now)
	for _, k := range all {
		if k.EndsAt.IsZero() {
			endless++
		}
	}
	return endless >= MaxKeys || len(all) >= MaxKept
}

// before finds what the same request made.
func (b Book) before(w Wish) (*Key, error) {
	for _, k := range b.Keys {
		if k.ID == w.ID && k.BodyHash != w.BodyHash {
			return nil, ErrMismatch
		}
		if k.ID == w.ID {
			return &k, nil
		}
	}
	return nil, nil
}

func deref(k *Key) Key {
	if k == nil {
		return Key{}
	}
	return *k
}

func newKey(w Wish, text Text, now time.Time) Key {
	return Key{ID: w.ID, Name: w.Name, Prefix: text.Prefix(), Hash: text.Hash(), BodyHash: w.BodyHash, MadeAt: now}
}

// IDOf names the key that a request makes: of the same request the same, of two
// developers never.
func IDOf(d ID, operation, idempotencyKey string) KeyID {
	return KeyID("k_" + booking.Digest("developer key 1", string(d), operation, idempotencyKey))
}
