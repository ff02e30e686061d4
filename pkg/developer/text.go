package developer

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/fairseat/fairseat/pkg/booking"
)

// Text is a key as a client sends it: fsk1_, 40 letters and digits of secret, 7 of
// their CRC-32. The sum keeps nobody out; it tells a mistyped or invented key
// without asking the store, and lets scanners of published code know ours.
type Text string

// Hash is what is stored of a key: its SHA-256 in hexadecimal.
type Hash string

const (
	textPrefix = "fsk1_"
	secretSize = 25
	secretLen  = 40
	sumLen     = 7
	shownLen   = len(textPrefix) + 8
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ErrSecret is returned for a secret too short to make a key of.
var ErrSecret = errors.New("developer: secret has fewer than 16 bytes")

// Parse takes what may be a key of ours.
func Parse(s string) (Text, bool) {
	rest, ok := strings.CutPrefix(s, textPrefix)
	if !ok || len(rest) != secretLen+sumLen || rest[secretLen:] != sum(rest[:secretLen]) {
		return "", false
	}
	raw, err := letters.DecodeString(rest[:secretLen])
	return Text(s), err == nil && len(raw) == secretSize
}

func sum(secret string) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], crc32.ChecksumIEEE([]byte(secret)))
	return letters.EncodeToString(b[:])
}

// Hash is what the key is found by.
func (t Text) Hash() Hash {
	s := sha256.Sum256([]byte(t))
	return Hash(hex.EncodeToString(s[:]))
}

// Prefix is what people recognise it by.
func (t Text) Prefix() string { return string(t)[:shownLen] }

// Press makes the texts of keys from requests, under a key of ours.
type Press struct{ keys [][]byte }

// NewPress derives its keys from secrets of at least 16 bytes by HKDF-SHA256: the
// first makes keys, the retired ones find those that they made. The sessions'
// secret will do.
func NewPress(secret string, retired ...string) (*Press, error) {
	p := &Press{}
	for _, s := range append([]string{secret}, retired...) {
		if len(s) < 16 {
			return nil, ErrSecret
		}
		key, err := hkdf.Key(sha256.New, []byte(s), nil, "fairseat developer key 1", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("developer: derive key: %w", err)
		}
		p.keys = append(p.keys, key)
	}
	return p, nil
}

// Text is the key that a request makes.
func (p *Press) Text(d ID, id KeyID) Text { return text(p.keys[0], d, id) }

// Again is the text of a key that was made before, where the secret that made it
// is still known.
func (p *Press) Again(d ID, k Key) (Text, bool) {
	for _, key := range p.keys {
		if t := text(key, d, k.ID); t.Hash() == k.Hash {
			return t, true
		}
	}
	return "", false
}

func text(key []byte, d ID, id KeyID) Text {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(booking.Digest(string(d), string(id))))
	secret := letters.EncodeToString(m.Sum(nil)[:secretSize])
	return Text(textPrefix + secret + sum(secret))
}
