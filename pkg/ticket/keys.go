package ticket

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

const keyIDSize = 4

// KeyID is the first four bytes of the SHA-256 of a public key. It chooses among
// our own few keys; that two of them meet is noticed by [Keys.Add].
type KeyID [keyIDSize]byte

func (k KeyID) String() string { return hex.EncodeToString(k[:]) }

func idOf(pub ed25519.PublicKey) KeyID {
	sum := sha256.Sum256(pub)
	return KeyID(sum[:keyIDSize])
}

// ErrSecret is returned for a secret too short to make a key of.
var ErrSecret = errors.New("ticket: secret has fewer than 16 bytes")

// Signer issues tickets. It is safe for concurrent use. Its key is derived when it
// is first asked for, which is a tenth of a cold start that most functions with a
// signer never need.
type Signer struct{ pair func() pair }

type pair struct {
	id  KeyID
	key ed25519.PrivateKey
}

// NewSigner derives the key pair from a secret of at least 16 bytes by HKDF-SHA256
// (RFC 5869). The same secret is the same key on every machine.
func NewSigner(secret string) (*Signer, error) {
	if len(secret) < 16 {
		return nil, ErrSecret
	}
	seed, err := hkdf.Key(sha256.New, []byte(secret), nil, "fairseat ticket signing key 1", ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("ticket: derive key: %w", err)
	}
	return &Signer{sync.OnceValue(func() pair {
		key := ed25519.NewKeyFromSeed(seed)
		return pair{idOf(key.Public().(ed25519.PublicKey)), key}
	})}, nil
}

// Keys holds the public half of the signer's key.
func (s *Signer) Keys() Keys {
	p := s.pair()
	return Keys{p.id: p.key.Public().(ed25519.PublicKey)}
}

// Sign writes the code of t. Ed25519 is deterministic: the same ticket has the
// same code. [ErrMalformed] when t cannot be written.
func (s *Signer) Sign(t Ticket) (string, error) {
	p := s.pair()
	b, err := payload(p.id, t)
	if err != nil {
		return "", err
	}
	sig := ed25519.Sign(p.key, append([]byte(domain), b...))
	return prefix + letters.EncodeToString(append(b, sig...)), nil
}

// Issue makes the ticket of one seat of an order, the same one each time.
func (s *Signer) Issue(show, order, seat string) (Ticket, string, error) {
	t := Ticket{ID: IDFor(order, seat), Show: show, Seat: seat}
	code, err := s.Sign(t)
	if err != nil {
		return Ticket{}, "", fmt.Errorf("issue ticket for seat %s of order %s: %w", seat, order, err)
	}
	return t, code, nil
}

// Keys are the public keys that a door trusts, the retired ones too for as long
// as their tickets are good.
type Keys map[KeyID]ed25519.PublicKey

// ErrKeys is returned for a key document that cannot be trusted.
var ErrKeys = errors.New("ticket: not a set of Ed25519 keys")

// Add trusts the keys of more as well. Two keys with one id are [ErrKeys].
func (k Keys) Add(more Keys) error {
	for id, pub := range more {
		if old, ok := k[id]; ok && !old.Equal(pub) {
			return fmt.Errorf("%w: two keys with id %s", ErrKeys, id)
		}
		k[id] = pub
	}
	return nil
}

type jwk struct {
	KeyType string `json:"kty"`
	Curve   string `json:"crv"`
	Use     string `json:"use"`
	Alg     string `json:"alg"`
	ID      string `json:"kid"`
	X       string `json:"x"`
}

type jwks struct {
	Keys []jwk `json:"keys"`
}

// MarshalJSON writes a JSON Web Key Set (RFC 7517, RFC 8037), sorted by key id.
func (k Keys) MarshalJSON() ([]byte, error) {
	set := jwks{Keys: []jwk{}}
	for id, pub := range k {
		set.Keys = append(set.Keys, jwk{"OKP", "Ed25519", "sig", "EdDSA", id.String(), base64.RawURLEncoding.EncodeToString(pub)})
	}
	slices.SortFunc(set.Keys, func(a, b jwk) int { return strings.Compare(a.ID, b.ID) })
	return json.Marshal(set)
}

// ParseKeys reads what MarshalJSON wrote. A key whose id is not its own, another
// kind of key, or anything besides is [ErrKeys]: a door must not half trust a set.
func ParseKeys(doc []byte) (Keys, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	var set jwks
	if err := d.Decode(&set); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrKeys, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows", ErrKeys)
	}
	keys := Keys{}
	for _, j := range set.Keys {
		pub, err := j.public()
		if err != nil {
			return nil, err
		}
		if err := keys.Add(Keys{idOf(pub): pub}); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (j jwk) public() (ed25519.PublicKey, error) {
	if j.KeyType != "OKP" || j.Curve != "Ed25519" || j.Use != "sig" || j.Alg != "EdDSA" {
		return nil, fmt.Errorf("%w: key %q is of another kind", ErrKeys, j.ID)
	}
	pub, err := base64.RawURLEncoding.Strict().DecodeString(j.X)
	if err != nil || len(pub) != ed25519.PublicKeySize || idOf(pub).String() != j.ID {
		return nil, fmt.Errorf("%w: key %q", ErrKeys, j.ID)
	}
	return pub, nil
}
