// Package throttle decides whether one attempt more is let through, by the generic
// cell rate algorithm: a limit is one time a key, at which the key will owe nothing
// any more. An attempt moves it by the limit's pace, and is refused when it would
// pass now by more than the limit lets run up.
//
// A key is a kind of limit and a keyed hash of whom it is about ([Namer]), so that
// limits for an address and for an account are apart, and a table of limits names
// nobody. Who may do nothing more is told when, and never which limit it was.
//
// Start with [Rate] and [Rate.Take]; the table is store.Limits.
package throttle

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/fault"
)

// ErrLimited is what a [Refusal] is.
var ErrLimited = fault.New(fault.Limited, "too_many_requests", "throttle: too many attempts")

// Refusal is an attempt too many. Wait is how long to wait until the same would
// pass; it is at least a millisecond.
type Refusal struct{ Wait time.Duration }

func (r *Refusal) Error() string { return ErrLimited.Text }
func (r *Refusal) Unwrap() error { return ErrLimited }

// RetryAfter is what the caller is told.
func (r *Refusal) RetryAfter() time.Duration { return r.Wait }

// Rate lets Burst attempts through at once, and then one each Every. Every is at
// least a millisecond and a whole number of them, which is what is stored; Burst is
// at least one.
type Rate struct {
	Burst int
	Every time.Duration
}

// Window is how long a key that was used up needs to be as new.
func (r Rate) Window() time.Duration { return time.Duration(r.Burst) * r.Every }

// State is a key's past: when it will owe nothing. The zero value is a new key.
type State struct{ Free time.Time }

// Verdict is the answer to an attempt.
type Verdict struct {
	OK   bool
	Wait time.Duration // until the same would pass; 0 where it passed
	Left int           // single attempts that would pass now, after this
}

// Take decides on n attempts at once, all or none. More than the burst never pass.
// The state changes only where they do.
func (r Rate) Take(s State, n int, now time.Time) (State, Verdict) {
	base := s.Free
	if base.Before(now) {
		base = now
	}
	next := base.Add(time.Duration(n) * r.Every)
	if over := next.Sub(now.Add(r.Window())); over > 0 {
		return s, Verdict{Wait: over, Left: r.left(base, now)}
	}
	return State{next}, Verdict{OK: true, Left: r.left(next, now)}
}

func (r Rate) left(owes, now time.Time) int {
	return max(int(now.Add(r.Window()).Sub(owes)/r.Every), 0)
}

// Kind is what a limit is about: "login-address", "login-account".
type Kind string

// Key names one limit of one subject.
type Key string

// Namer makes keys. It is safe for concurrent use.
type Namer struct{ key []byte }

// ErrSecret is returned for a secret too short to make a key of.
var ErrSecret = errors.New("throttle: secret has fewer than 16 bytes")

// NewNamer derives its key from a secret of at least 16 bytes by HKDF-SHA256. With
// another secret every limit begins anew.
func NewNamer(secret string) (*Namer, error) {
	if len(secret) < 16 {
		return nil, ErrSecret
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "fairseat limit key 1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("throttle: derive key: %w", err)
	}
	return &Namer{key}, nil
}

// Of names the limit. The subject cannot be found from it without the secret: there
// are few enough addresses to try them all.
func (n *Namer) Of(k Kind, subject string) Key {
	m := hmac.New(sha256.New, n.key)
	m.Write([]byte(k))
	m.Write([]byte{0})
	m.Write([]byte(subject))
	return Key(string(k) + "#" + base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18]))
}
