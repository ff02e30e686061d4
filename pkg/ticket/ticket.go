// Package ticket decides what a valid ticket code is: one seat of one show,
// signed with Ed25519 (RFC 8032), to be checked at a door without a network.
//
// A code is FS1- and the unpadded base32 of
//
//	key id (4) · ticket id (16) · length (1) · show · length (1) · seat · signature (64)
//
// in capitals, digits and one hyphen, so that a QR code holds it in its
// alphanumeric mode (5.5 bits a letter). There is one writing of every ticket:
// whatever else decodes is refused. Start with [NewSigner], [Verify] and [Keys].
//
// A code proves that the ticket was issued, not that it has not been refunded
// since or used before.
package ticket

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/fault"
)

// ID names a ticket: 26 capitals and digits.
type ID string

// Ticket is what a code says.
type Ticket struct {
	ID   ID
	Show string // 1 to 128 bytes of UTF-8
	Seat string // 1 to 128 bytes of UTF-8
}

// Why a code is not a ticket.
var (
	ErrMalformed  = fault.New(fault.Invalid, "ticket_malformed", "ticket: not a ticket code")
	ErrVersion    = fault.New(fault.Invalid, "ticket_version", "ticket: of a version not known here")
	ErrUnknownKey = fault.New(fault.Forbidden, "ticket_unknown_key", "ticket: signed with a key not known here")
	ErrSignature  = fault.New(fault.Forbidden, "ticket_bad_signature", "ticket: signature does not verify")
)

const (
	prefix  = "FS1-"
	domain  = "fairseat ticket 1\x00" // signed before the payload: the key's other uses cannot collide
	idSize  = 16
	maxName = 128
	maxCode = len(prefix) + (keyIDSize+idSize+2+2*maxName+ed25519.SignatureSize)*8/5 + 1
)

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// IDFor derives a ticket's id from its order and seat: whoever issues it again
// issues the same one.
func IDFor(order, seat string) ID {
	h := sha256.New()
	h.Write([]byte("fairseat ticket id 1\x00"))
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(order)))
	h.Write(n[:])
	h.Write([]byte(order))
	h.Write([]byte(seat))
	return ID(letters.EncodeToString(h.Sum(nil)[:idSize]))
}

// raw is the id's 16 bytes; false where it has not the form of one.
func (id ID) raw() ([]byte, bool) {
	b, err := letters.DecodeString(string(id))
	return b, err == nil && len(b) == idSize && letters.EncodeToString(b) == string(id)
}

// payload is the signed part of a code.
func payload(key KeyID, t Ticket) ([]byte, error) {
	id, ok := t.ID.raw()
	if !ok {
		return nil, fmt.Errorf("%w: id %q", ErrMalformed, t.ID)
	}
	b := append(key[:], id...)
	for _, s := range []string{t.Show, t.Seat} {
		if s == "" || len(s) > maxName || !utf8.ValidString(s) {
			return nil, fmt.Errorf("%w: show or seat %q", ErrMalformed, s)
		}
		b = append(append(b, byte(len(s))), s...)
	}
	return b, nil
}

// Verify reads a code and checks it with the key that it names. Errors, each
// only when none of the earlier ones holds: [ErrMalformed], [ErrVersion],
// [ErrUnknownKey], [ErrSignature].
func Verify(keys Keys, code string) (Ticket, error) {
	if len(code) > maxCode || !strings.HasPrefix(code, "FS") {
		return Ticket{}, ErrMalformed
	}
	body, ok := strings.CutPrefix(code, prefix)
	if !ok {
		return Ticket{}, version(code)
	}
	raw, err := letters.DecodeString(body)
	if err != nil || letters.EncodeToString(raw) != body {
		return Ticket{}, ErrMalformed
	}
	signed, sig, ok := split(raw)
	if !ok {
		return Ticket{}, ErrMalformed
	}
	key, t, ok := read(signed)
	if !ok {
		return Ticket{}, ErrMalformed
	}
	pub, ok := keys[key]
	if !ok {
		return Ticket{}, fmt.Errorf("%w: %s", ErrUnknownKey, key)
	}
	if !ed25519.Verify(pub, append([]byte(domain), signed...), sig) {
		return Ticket{}, ErrSignature
	}
	return t, nil
}

// version tells a later code, FS<digits>-…, from something else.
func version(code string) error {
	n, _, ok := strings.Cut(strings.TrimPrefix(code, "FS"), "-")
	if !ok || n == "" || n[0] == '0' || strings.Trim(n, "0123456789") != "" {
		return ErrMalformed
	}
	return ErrVersion
}

func split(raw []byte) (signed, sig []byte, ok bool) {
	n := len(raw) - ed25519.SignatureSize
	if n < keyIDSize+idSize {
		return nil, nil, false
	}
	return raw[:n], raw[n:], true
}

// read takes a payload apart. Writing it anew must give the same bytes, which
// leaves no second form of a ticket and nothing behind its seat.
func read(signed []byte) (KeyID, Ticket, bool) {
	var key KeyID
	copy(key[:], signed)
	t := Ticket{ID: ID(letters.EncodeToString(signed[keyIDSize : keyIDSize+idSize]))}
	rest := signed[keyIDSize+idSize:]
	var ok bool
	if t.Show, rest, ok = name(rest); !ok {
		return key, t, false
	}
	if t.Seat, _, ok = name(rest); !ok {
		return key, t, false
	}
	again, err := payload(key, t)
	return key, t, err == nil && bytes.Equal(again, signed)
}

func name(b []byte) (s string, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}
