// Package strongbox seals what names a person under keys of the deployment's secret:
// AES-256-GCM, bound to item and field, so that what was sealed for one place opens
// at no other; and a keyed hash of an address, by which it is found.
//
// Start with [New].
package strongbox

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/reception"
)

// Errors of a strongbox.
var (
	ErrSecret = errors.New("strongbox: secret has fewer than 16 bytes")
	ErrSealed = errors.New("strongbox: it does not open here")
)

const mark = "b1."

// Box implements reception.Safe. It is safe for concurrent use if its random source is.
type Box struct {
	random io.Reader
	blind  []byte
	keys   []cipher.AEAD // the first seals, all open
}

// New derives keys from secrets of at least 16 bytes. The first seals and makes
// blind hashes; what the others sealed still opens.
func New(random io.Reader, secret string, retired ...string) (*Box, error) {
	b := &Box{random: random}
	for _, s := range append([]string{secret}, retired...) {
		if len(s) < 16 {
			return nil, ErrSecret
		}
		key, err := hkdf.Key(sha256.New, []byte(s), nil, "fairseat field key 1", 32)
		if err != nil {
			return nil, fmt.Errorf("strongbox: derive key: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("strongbox: %w", err)
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("strongbox: %w", err)
		}
		b.keys = append(b.keys, gcm)
	}
	var err error
	b.blind, err = hkdf.Key(sha256.New, []byte(secret), nil, "fairseat blind key 1", 32)
	return b, err
}

func about(at reception.Field) []byte {
	return []byte("accounts\x00" + at.Item + "\x00" + at.Name)
}

// Seal implements reception.Safe.
func (b *Box) Seal(_ context.Context, at reception.Field, plain string) (account.Sealed, error) {
	nonce := make([]byte, 12, 12+len(plain)+16)
	if _, err := io.ReadFull(b.random, nonce); err != nil {
		return "", fmt.Errorf("strongbox: seal: %w", err)
	}
	return account.Sealed(mark + base64.RawURLEncoding.EncodeToString(b.keys[0].Seal(nonce, nonce, []byte(plain), about(at)))), nil
}

// Open implements reception.Safe. Error: [ErrSealed], which does not show what it was.
func (b *Box) Open(_ context.Context, at reception.Field, s account.Sealed) (string, error) {
	text, ok := strings.CutPrefix(string(s), mark)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil || len(raw) < 12 {
		return "", ErrSealed
	}
	for _, k := range b.keys {
		if plain, err := k.Open(nil, raw[:12], raw[12:], about(at)); err == nil {
			return string(plain), nil
		}
	}
	return "", ErrSealed
}

// Blind implements reception.Safe.
func (b *Box) Blind(address string) account.Blind {
	m := hmac.New(sha256.New, b.blind)
	io.WriteString(m, address)
	return account.Blind(base64.RawURLEncoding.EncodeToString(m.Sum(nil)))
}
