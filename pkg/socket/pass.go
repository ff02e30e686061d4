package socket

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/fairseat/fairseat/pkg/booking"
)

// ErrSecret is returned for a secret too short to make a key of.
var ErrSecret = errors.New("socket: secret has fewer than 16 bytes")

const passPrefix = "fst1."

// Press makes the text of tickets. It is made from the buyer and the
// Idempotency-Key under a key of ours, so that the same request gets the same
// ticket though nothing but its hash is stored, and nobody else can make it.
type Press struct{ key []byte }

// NewPress derives its key from a secret of at least 16 bytes by HKDF-SHA256, for
// tickets alone: the sessions' secret will do.
func NewPress(secret string) (*Press, error) {
	if len(secret) < 16 {
		return nil, ErrSecret
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "fairseat socket ticket key 1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("socket: derive key: %w", err)
	}
	return &Press{key}, nil
}

// Text is the ticket of a request.
func (p *Press) Text(b booking.Buyer, idempotencyKey string) string {
	m := hmac.New(sha256.New, p.key)
	m.Write([]byte(booking.Digest(string(b), idempotencyKey)))
	return passPrefix + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// HashOf is what is stored of a ticket; ok is false for what cannot be one.
func HashOf(text string) (TicketHash, bool) {
	rest, ok := strings.CutPrefix(text, passPrefix)
	if !ok || len(rest) != base64.RawURLEncoding.EncodedLen(sha256.Size) {
		return "", false
	}
	sum := sha256.Sum256([]byte(text))
	return TicketHash(hex.EncodeToString(sum[:])), true
}
