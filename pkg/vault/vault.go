// Package vault seals personal data field by field and finds it again without opening it.
//
// A field is sealed by AES-256-GCM under the data key of its period, a calendar month
// of UTC, and bound to the table, the item and the field where it stands: moved
// anywhere else it does not open. The data key of a period is made once for the whole
// deployment, wrapped by a key service (KMS), and kept wrapped beside the data; an
// instance unwraps it once and remembers it: one call of the key service an instance and
// period, and one more where two made the period's key at the same moment. What is written again is sealed under the
// newest key ([Keeper.Stale]); old periods stay readable as long as their wrapped keys
// are kept.
//
// GCM's nonces are drawn at random: 2^32 fields may be sealed in a month, by NIST SP
// 800-38D, 8.3.
//
// What is looked up by its value is found by a blind index ([Keeper.Blind]):
// HMAC-SHA-256 of the normal form, under a key of its own, which never sees a field.
//
// Start with [Keeper], [Place] and [Kind].
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Place is where a sealed field stands. Empty parts are refused. It is not secret.
type Place struct {
	Table string // the logical name, not the deployed one: a stack may be restored under another
	Item  string // what names the item in its table for ever, as "u_…"
	Field string
}

// Keys is a key service. Both are remote calls.
type Keys interface {
	// Generate makes a data key of 32 bytes, plain and wrapped, for one period.
	Generate(ctx context.Context, period string) (plain, wrapped []byte, err error)
	// Unwrap opens what Generate wrapped for the same period.
	Unwrap(ctx context.Context, period string, wrapped []byte) (plain []byte, err error)
}

// Shelf keeps wrapped keys. They are worth nothing to whoever reads them, and
// everything to whoever must open a field: they must never be lost.
type Shelf interface {
	// Wrapped is the key of a period, or nil.
	Wrapped(ctx context.Context, period string) ([]byte, error)
	// Keep puts a period's key there if there is none, and answers the one that
	// stands: of many who make one at once all go on with the same.
	Keep(ctx context.Context, period string, wrapped []byte) ([]byte, error)
}

// Sentinels. None of their texts holds anything of a field.
var (
	ErrSealed = errors.New("vault: not a sealed field of this place")
	ErrPlace  = errors.New("vault: a place with an empty part")
	ErrSecret = errors.New("vault: secret has fewer than 16 bytes")
)

const (
	prefix     = "fv1."
	keySize    = 32
	periodForm = "200601"
)

var letters = base64.RawURLEncoding.Strict()

// Keeper seals, opens and blinds. It is safe for concurrent use and makes no call
// before the first field.
type Keeper struct {
	keys  Keys
	shelf Shelf
	clock func() time.Time
	blind map[Kind][]byte

	mu      sync.Mutex
	periods map[string]*period
}

// period is one data key, once it is known.
type period struct {
	mu     sync.Mutex // held during the call to the key service: others wait for its outcome
	sealer cipher.AEAD
}

// New makes a Keeper. The secret, of at least 16 bytes, is that of the blind index: with
// another one nothing that was written before is found any more.
func New(keys Keys, shelf Shelf, secret string, clock func() time.Time) (*Keeper, error) {
	if len(secret) < 16 {
		return nil, ErrSecret
	}
	k := NewSealer(keys, shelf, clock)
	for kind, name := range kinds {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "fairseat blind index 1 "+name, keySize)
		if err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		k.blind[kind] = key
	}
	return k, nil
}

// NewSealer makes a Keeper that seals and opens and has no blind index: it panics when
// asked for one, for then nothing would be found.
func NewSealer(keys Keys, shelf Shelf, clock func() time.Time) *Keeper {
	return &Keeper{keys: keys, shelf: shelf, clock: clock, blind: map[Kind][]byte{}, periods: map[string]*period{}}
}

// Seal seals a field for its place. The same text never seals to the same twice.
func (k *Keeper) Seal(ctx context.Context, at Place, plain string) (string, error) {
	now := k.clock().UTC().Format(periodForm)
	bound, err := at.bound(now)
	if err != nil {
		return "", err
	}
	sealer, err := k.sealer(ctx, now, true)
	if err != nil {
		return "", err
	}
	return prefix + now + "." + letters.EncodeToString(sealer.Seal(nil, nil, []byte(plain), bound)), nil
}

// Open opens what Seal sealed for the same place. Anything else is [ErrSealed]; a key
// service that does not answer is an error of its own.
func (k *Keeper) Open(ctx context.Context, at Place, sealed string) (string, error) {
	when, text, ok := split(sealed)
	if !ok {
		return "", ErrSealed
	}
	raw, err := letters.DecodeString(text)
	if err != nil {
		return "", ErrSealed
	}
	bound, err := at.bound(when)
	if err != nil {
		return "", err
	}
	sealer, err := k.sealer(ctx, when, false)
	if err != nil {
		return "", err
	}
	plain, err := sealer.Open(nil, nil, raw, bound)
	if err != nil {
		return "", ErrSealed
	}
	return string(plain), nil
}

// Stale tells that a field was sealed in an earlier period: whoever writes its item
// anyway seals it anew.
func (k *Keeper) Stale(sealed string) bool {
	when, _, ok := split(sealed)
	return ok && when != k.clock().UTC().Format(periodForm)
}

// IsSealed tells a sealed field from any other text by its form.
func IsSealed(text string) bool { _, _, ok := split(text); return ok }

func split(sealed string) (when, text string, ok bool) {
	rest, ok := strings.CutPrefix(sealed, prefix)
	when, text, cut := strings.Cut(rest, ".")
	if _, err := time.Parse(periodForm, when); err != nil {
		return "", "", false
	}
	return when, text, ok && cut
}

// bound is what a field is bound to: each part with its length, so that no two places
// are the same bytes.
func (p Place) bound(when string) ([]byte, error) {
	b := []byte("fairseat field 1\x00" + when)
	for _, part := range []string{p.Table, p.Item, p.Field} {
		if part == "" {
			return nil, ErrPlace
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b, nil
}

// sealer is the period's data key. Only a caller that seals makes a new one. What
// failed is tried again by the next caller.
func (k *Keeper) sealer(ctx context.Context, when string, seals bool) (cipher.AEAD, error) {
	k.mu.Lock()
	p := k.periods[when]
	if p == nil {
		p = &period{}
		if seals || len(k.periods) < maxPeriods {
			k.periods[when] = p
		}
	}
	k.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sealer != nil {
		return p.sealer, nil
	}
	key, err := k.key(ctx, when, seals)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("vault: key of %s: %w", when, err)
	}
	p.sealer, err = cipher.NewGCMWithRandomNonce(block)
	return p.sealer, err
}

// maxPeriods bounds what an instance remembers: ten years of months.
const maxPeriods = 120

func (k *Keeper) key(ctx context.Context, when string, seals bool) ([]byte, error) {
	wrapped, err := k.shelf.Wrapped(ctx, when)
	if err != nil {
		return nil, fmt.Errorf("vault: look for the key of %s: %w", when, err)
	}
	if wrapped == nil && !seals {
		return nil, ErrSealed
	}
	if wrapped == nil {
		plain, made, err := k.keys.Generate(ctx, when)
		if err != nil {
			return nil, fmt.Errorf("vault: make the key of %s: %w", when, err)
		}
		if wrapped, err = k.shelf.Keep(ctx, when, made); err != nil {
			return nil, fmt.Errorf("vault: keep the key of %s: %w", when, err)
		}
		if string(wrapped) == string(made) {
			return sized(plain)
		}
	}
	plain, err := k.keys.Unwrap(ctx, when, wrapped)
	if err != nil {
		return nil, fmt.Errorf("vault: unwrap the key of %s: %w", when, err)
	}
	return sized(plain)
}

func sized(key []byte) ([]byte, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("vault: a data key of %d bytes", len(key))
	}
	return key, nil
}

// Blind is the index of a value: the same for all writings of the same address or
// number, and nothing that leads back to it. ok is false for what is none of the kind.
func (k *Keeper) Blind(kind Kind, value string) (index string, ok bool) {
	normal, ok := kind.Normal(value)
	if !ok {
		return "", false
	}
	key := k.blind[kind]
	if key == nil {
		panic("vault: this keeper has no secret for a blind index")
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(normal))
	return letters.EncodeToString(m.Sum(nil)), true
}
