// Package session decides who a buyer is: a token that this deployment signed and
// that has not run out names a guest or an account, and nothing else does.
//
// A token is its kind and the unpadded base64url of what it says and an
// HMAC-SHA256 (32). The kinds, times in Unix seconds (8, big-endian):
//
//	fsg1.  a guest: random (16) · end
//	fsu1.  access to an account: account (16) · log-in (16) · end
//	fsr1.  renews a log-in: account (16) · log-in (16) · turn (8) · end
//	fsc1.  confirms an address, fsp1. resets a password: id (16) · state (8) · end
//
// There is one algorithm, and the token cannot choose another (RFC 8725, 3.1);
// the kind is part of what is signed, so no kind passes for another though all
// are made with the same key (3.11, 3.12); there is one writing of every token.
// Nothing is stored, so a token cannot be taken back before its end; that is why
// access to an account ends within [AccessLength]. JSON Web Tokens were rejected
// for their weight: 70 kB in every function that needs a buyer.
//
// Start with [New], [Keeper.Issue], [Keeper.Access] and [Keeper.Verify].
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
	idSize  = 16
	endSize = 8
)

// kind is one of the kinds of token, apart by what is signed before the payload.
type kind struct {
	prefix string
	domain string
	body   int // bytes before the MAC, the end among them as the last
}

var guest = kind{"fsg1.", "fairseat guest session 1\x00", idSize + endSize}

func (k kind) size() int { return k.body + sha256.Size }

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
	body := make([]byte, guest.body, guest.size())
	if _, err := io.ReadFull(k.random, body[:idSize]); err != nil {
		return Session{}, fmt.Errorf("session: issue: %w", err)
	}
	end := now.Add(Length).UTC().Truncate(time.Second)
	return Session{Token: k.seal(guest, body, end), ExpiresAt: end, Buyer: buyer("g_", body)}, nil
}

// seal writes the end into the body's last bytes and signs it.
func (k *Keeper) seal(of kind, body []byte, end time.Time) string {
	binary.BigEndian.PutUint64(body[of.body-endSize:], uint64(end.Unix()))
	return of.prefix + wire.EncodeToString(append(body, k.keys[0].sign(of.domain, body)...))
}

// Verify names the buyer of a token: "g_" for a guest or "u_" for an account, and
// 26 letters and digits. Errors: [ErrInvalid], and [ErrExpired] from the end on,
// only when it is ours. What renews a log-in is no buyer's.
func (k *Keeper) Verify(token string, now time.Time) (booking.Buyer, error) {
	if strings.HasPrefix(token, access.prefix) {
		p, err := k.Account(token, now)
		return p.Buyer, err
	}
	body, _, err := k.read(guest, token, now)
	if err != nil {
		return "", err
	}
	return buyer("g_", body), nil
}

// End is when the token ends; the errors are those of Verify.
func (k *Keeper) End(token string, now time.Time) (time.Time, error) {
	if strings.HasPrefix(token, access.prefix) {
		p, err := k.Account(token, now)
		return p.ExpiresAt, err
	}
	_, end, err := k.read(guest, token, now)
	return end, err
}

func (k *Keeper) read(of kind, token string, now time.Time) (body []byte, end time.Time, err error) {
	text, ok := strings.CutPrefix(token, of.prefix)
	// The length is that of the text, too: the decoder skips line breaks.
	if !ok || len(text) != wire.EncodedLen(of.size()) {
		return nil, time.Time{}, ErrInvalid
	}
	raw, err := wire.DecodeString(text)
	if err != nil || len(raw) != of.size() {
		return nil, time.Time{}, ErrInvalid
	}
	body, mac := raw[:of.body], raw[of.body:]
	if !k.signed(of.domain, body, mac) {
		return nil, time.Time{}, ErrInvalid
	}
	seconds := int64(binary.BigEndian.Uint64(body[of.body-endSize:]))
	if now.Unix() >= seconds {
		return nil, time.Time{}, ErrExpired
	}
	return body, time.Unix(seconds, 0).UTC(), nil
}

func (k *Keeper) signed(domain string, body, mac []byte) bool {
	ok := false
	for _, key := range k.keys {
		ok = hmac.Equal(key.sign(domain, body), mac) || ok
	}
	return ok
}

func (s *signer) sign(domain string, body []byte) []byte {
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

func buyer(prefix string, body []byte) booking.Buyer {
	return booking.Buyer(letters.AppendEncode(append(make([]byte, 0, 2+26), prefix...), body[:idSize]))
}
