package session

import (
	"encoding/binary"
	"time"
)

// What a letter proves: that whoever shows it reads the mail of an address.
var (
	Confirms = Purpose{kind{"fsc1.", "fairseat address confirmation 1\x00", idSize + 8 + endSize}}
	Resets   = Purpose{kind{"fsp1.", "fairseat password reset 1\x00", idSize + 8 + endSize}}
)

// Purpose is what a proof is good for, and nothing else.
type Purpose struct{ of kind }

// Proof names what is confirmed or reset, and which of its states: it is good as
// long as that stays the same, which makes it good once.
type Proof struct {
	ID        [16]byte
	N         uint64
	ExpiresAt time.Time // UTC, whole seconds
}

// Prove is the proof's token, the same each time.
func (k *Keeper) Prove(of Purpose, p Proof) string {
	body := make([]byte, of.of.body, of.of.size())
	copy(body, p.ID[:])
	binary.BigEndian.PutUint64(body[idSize:], p.N)
	return k.seal(of.of, body, p.ExpiresAt)
}

// Proof reads a token of the purpose; the errors are those of Verify.
func (k *Keeper) Proof(of Purpose, token string, now time.Time) (Proof, error) {
	body, end, err := k.read(of.of, token, now)
	if err != nil {
		return Proof{}, err
	}
	return Proof{[16]byte(body[:idSize]), binary.BigEndian.Uint64(body[idSize:]), end}, nil
}
