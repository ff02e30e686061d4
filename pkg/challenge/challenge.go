// Package challenge decides whether somebody has worked for a request: a puzzle
// that this deployment signed, for one show and one buyer, with an answer that took
// about 2^difficulty tries to find and takes one to check (B7).
//
// A challenge is fsc1. and the unpadded base64url of
//
//	random (16) · made at, in milliseconds since 1970 (8, big-endian) ·
//	difficulty (1) · seats (1) · HMAC-SHA256 (32)
//
// and the signature covers the show and the buyer too, which are not in it. A
// solution is the challenge, a dot, and 1 to 32 letters, digits, - or _ such that
// the SHA-256 of this whole text begins with difficulty zero bits.
//
// Invariants: nothing is stored until a solution is used; nobody can solve for
// another buyer or show, or before the challenge was made; a solution is used once,
// which is the store's condition ([Proof.MadeAt] grows), in the transaction of what
// it is used for.
//
// Start with [Keeper.Make], [Keeper.Verify] and [Difficulty].
package challenge

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/bits"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
)

// Length is how long a challenge may be answered: enough for a slow telephone at
// [Most] and for a person who chooses seats meanwhile, too short to lay in a stock.
const Length = 2 * time.Minute

// Algorithm names the puzzle on the wire.
const Algorithm = "sha256-leading-zero-bits"

// ErrSecret is returned for a secret too short to make a key of.
var ErrSecret = errors.New("challenge: secret has fewer than 16 bytes")

const (
	prefix   = "fsc1."
	domain   = "fairseat challenge 1\x00" // signed before the rest
	madeAt   = 16
	bitsAt   = madeAt + 8
	seatsAt  = bitsAt + 1
	bodySize = seatsAt + 1
	size     = bodySize + sha256.Size
	longest  = 32 // letters of an answer
)

var wire = base64.RawURLEncoding.Strict()

var textSize = len(prefix) + wire.EncodedLen(size)

// Keeper makes challenges and verifies solutions. It is safe for concurrent use if
// its random source is.
type Keeper struct {
	random io.Reader
	keys   []*signer // the first signs, all verify
}

// signer keeps the states that a key has made, with room to work in.
type signer struct{ idle sync.Pool }

type state struct {
	mac  hash.Hash
	text []byte // what is signed
	sum  []byte
}

// New derives keys from secrets of at least 16 bytes by HKDF-SHA256 (RFC 5869).
// The first signs, all verify. random must be cryptographically strong; nil will do
// where nothing is made.
func New(random io.Reader, secret string, retired ...string) (*Keeper, error) {
	k := &Keeper{random: random}
	for _, s := range append([]string{secret}, retired...) {
		if len(s) < 16 {
			return nil, ErrSecret
		}
		key, err := hkdf.Key(sha256.New, []byte(s), nil, "fairseat challenge key 1", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("challenge: derive key: %w", err)
		}
		k.keys = append(k.keys, &signer{idle: sync.Pool{New: func() any {
			return &state{mac: hmac.New(sha256.New, key), text: make([]byte, 0, 512), sum: make([]byte, 0, sha256.Size)}
		}}})
	}
	return k, nil
}

// Challenge is a puzzle.
type Challenge struct {
	Text       string
	Difficulty int       // leading zero bits
	ExpiresAt  time.Time // from then on no answer is taken
}

// Make poses a puzzle that is good for a request of so many seats at the most, 0 to 255.
func (k *Keeper) Make(show catalog.ShowID, b booking.Buyer, seats, difficulty int, now time.Time) (Challenge, error) {
	body := make([]byte, bodySize, size)
	if _, err := io.ReadFull(k.random, body[:madeAt]); err != nil {
		return Challenge{}, fmt.Errorf("challenge: make: %w", err)
	}
	now = now.UTC().Truncate(time.Millisecond)
	binary.BigEndian.PutUint64(body[madeAt:], uint64(now.UnixMilli()))
	body[bitsAt], body[seatsAt] = byte(difficulty), byte(seats)
	st := k.keys[0].sign(body, show, b)
	defer k.keys[0].idle.Put(st)
	return Challenge{Text: prefix + wire.EncodeToString(append(body, st.sum...)), Difficulty: difficulty, ExpiresAt: now.Add(Length)}, nil
}

// Proof is what a good solution shows.
type Proof struct {
	MadeAt time.Time // of the challenge; a buyer's next solution must be of a later one
	Seats  int       // the most that the request may ask for
}

// Verify takes a solution of a challenge that was made for this buyer and show, in
// time. ok is false for anything else, whatever it was that failed.
func (k *Keeper) Verify(solution string, show catalog.ShowID, b booking.Buyer, now time.Time) (p Proof, ok bool) {
	if len(solution) < textSize+2 || len(solution) > textSize+1+longest || !strings.HasPrefix(solution, prefix) {
		return Proof{}, false
	}
	answer := solution[textSize+1:]
	if solution[textSize] != '.' || !plain(answer) {
		return Proof{}, false
	}
	var room [sha256.BlockSize * 3]byte
	text := append(room[:0], solution...)
	var raw [size]byte
	if n, err := wire.Decode(raw[:], text[len(prefix):textSize]); err != nil || n != size {
		return Proof{}, false
	}
	body := raw[:bodySize]
	if !k.signed(body, raw[bodySize:], show, b) || !solves(text, int(body[bitsAt])) {
		return Proof{}, false
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(body[madeAt:]))).UTC()
	if !now.Before(made.Add(Length)) {
		return Proof{}, false
	}
	return Proof{MadeAt: made, Seats: int(body[seatsAt])}, true
}

func plain(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// solves counts the zero bits before the first one of the text's hash.
func solves(text []byte, difficulty int) bool {
	sum := sha256.Sum256(text)
	zeros := 0
	for i := 0; i < len(sum); i += 8 {
		n := bits.LeadingZeros64(binary.BigEndian.Uint64(sum[i:]))
		if zeros += n; n < 64 {
			break
		}
	}
	return zeros >= difficulty
}

func (k *Keeper) signed(body, mac []byte, show catalog.ShowID, b booking.Buyer) bool {
	ok := false
	for _, key := range k.keys {
		st := key.sign(body, show, b)
		ok = hmac.Equal(st.sum, mac) || ok
		key.idle.Put(st)
	}
	return ok
}

// sign leaves the signature in a state that the caller puts back.
func (s *signer) sign(body []byte, show catalog.ShowID, b booking.Buyer) *state {
	st := s.idle.Get().(*state)
	st.text = append(append(st.text[:0], domain...), body...)
	st.text = binary.BigEndian.AppendUint32(st.text, uint32(len(show)))
	st.text = append(append(st.text, show...), b...)
	st.mac.Reset()
	st.mac.Write(st.text)
	st.sum = st.mac.Sum(st.sum[:0])
	return st
}

// Solve finds an answer: what a client does, after about 2^difficulty tries.
func Solve(text string, difficulty int) (solution string) {
	const digits = "0123456789abcdefghijklmnopqrstuv"
	try := append(make([]byte, 0, len(text)+1+longest), text...)
	try = append(try, '.')
	for n := uint64(0); ; n++ {
		try = try[:len(text)+1]
		for rest := n; ; rest >>= 5 {
			try = append(try, digits[rest&31])
			if rest < 32 {
				break
			}
		}
		if solves(try, difficulty) {
			return string(try)
		}
	}
}
