// Package session decides who a guest is: a token that this deployment signed and
// that has not run out names a buyer, and nothing else does.
//
// A token is fsg1. and the unpadded base64url of
//
//	random (16) · end in Unix seconds (8, big-endian) · HMAC-SHA256 (32)
//
// There is one algorithm, and the token cannot choose another (RFC 8725, 3.1);
// the kind is part of what is signed, so a token of another kind made with the
// same key is no guest's (3.11, 3.12); there is one writing of every token.
// Nothing is stored, so a token cannot be taken back before its end. JSON Web
// Tokens were rejected for their weight: 70 kB in every function that needs a buyer.
//
// Start with [New], [Keeper.Issue] and [Keeper.Verify].
package session

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
)

// Length is how long a guest stays one: a day outlasts a hold (5 minutes), a place
// in line (an hour) and the memory of an Idempotency-Key (24 hours), which is the
// longest that a request may want to be repeated.
const Length = 24 * time.Hour

// Why a token names nobody. A client learns no more than the code.
var (
	ErrInvalid = fault.New(fault.Forbidden, "unauthorized", "session: not a token of ours")
	ErrExpired = fault.New(fault.Forbidden, "unauthorized", "session: token has expired")
)

// ErrSecret is returned for a secret too short to make a key of.
var ErrSecret = errors.New("session: secret has fewer than 16 bytes")

const (
	prefix   = "fsg1."
	domain   = "fairseat guest session 1\x00" // signed before the payload
	idSize   = 16
	bodySize = idSize + 8
	size     = bodySize + sha256.Size
)

var (
	letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	wire    = base64.RawURLEncoding.Strict()
)

// Keeper issues and verifies tokens. It is safe for concurrent use if its random
// source is.
type Keeper struct {
	random io.Reader
	keys   []*signer // the first signs, all verify
}

// signer keeps the states that a key has made: making one anew is half of the work.
type signer struct {
	key  []byte
	idle sync.Pool
}

// New derives keys from secrets of at least 16 bytes by HKDF-SHA256 (RFC 5869).
// The first signs; tokens made with the retired ones are good until their end.
// random must be cryptographically strong; nil will do where nothing is issued.
func New(random io.Reader, secret string, retired ...string) (*Keeper, error) {
	k := &Keeper{random: random}
	for _, s := range append([]string{secret}, retired...) {
		if len(s) < 16 {
			return nil, ErrSecret
		}
		key, err := hkdf.Key(sha256.New, []byte(s), nil, "fairseat session key 1", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("session: derive key: %w", err)
		}
		k.keys = append(k.keys, &signer{key: key})
	}
	return k, nil
}

// Session is a new guest.
type Session struct {
	Token     string
	ExpiresAt time.Time // UTC, whole seconds
	Buyer     booking.Buyer
}

// Issue makes a guest whom nobody was before, for [Length].
func (k *Keeper) Issue(now time.Time) (Session, error) {
	body := make([]byte, bodySize, size)
	if _, err := io.ReadFull(k.random, body[:idSize]); err != nil {
		return Session{}, fmt.Errorf("session: issue: %w", err)
	}
	end := now.Add(Length).UTC().Truncate(time.Second)
	binary.BigEndian.PutUint64(body[idSize:], uint64(end.Unix()))
	token := prefix + wire.EncodeToString(append(body, k.keys[0].sign(body)...))
	return Session{Token: token, ExpiresAt: end, Buyer: buyer(body)}, nil
}

// Verify names the buyer of a token: "g_" and 26 letters and digits. Errors:
// [ErrInvalid], and [ErrExpired] from the end on, only when it is ours.
func (k *Keeper) Verify(token string, now time.Time) (booking.Buyer, error) {
	body, err := k.read(token, now)
	if err != nil {
		return "", err
	}
	return buyer(body), nil
}

// End is when the token's session ends; the errors are those of Verify.
func (k *Keeper) End(token string, now time.Time) (time.Time, error) {
	body, err := k.read(token, now)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(int64(binary.BigEndian.Uint64(body[idSize:])), 0).UTC(), nil
}

func (k *Keeper) read(token string, now time.Time) ([]byte, error) {
	text, ok := strings.CutPrefix(token, prefix)
	// The length is that of the text, too: the decoder skips line breaks.
	if !ok || len(text) != wire.EncodedLen(size) {
		return nil, ErrInvalid
	}
	raw, err := wire.DecodeString(text)
	if err != nil || len(raw) != size {
		return nil, ErrInvalid
	}
	body, mac := raw[:bodySize], raw[bodySize:]
	if !k.signed(body, mac) {
		return nil, ErrInvalid
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(body[idSize:])) {
		return nil, ErrExpired
	}
	return body, nil
}

func (k *Keeper) signed(body, mac []byte) bool {
	ok := false
	for _, key := range k.keys {
		ok = hmac.Equal(key.sign(body), mac) || ok
	}
	return ok
}

func (s *signer) sign(body []byte) []byte {
	m, _ := s.idle.Get().(hash.Hash)
	if m == nil {
		m = hmac.New(sha256.New, s.key)
	}
	defer s.idle.Put(m)
	m.Reset()
	io.WriteString(m, domain)
	m.Write(body)
	return m.Sum(nil)
}

func buyer(body []byte) booking.Buyer {
	return booking.Buyer(letters.AppendEncode(append(make([]byte, 0, 2+26), "g_"...), body[:idSize]))
}
