// Package password decides which passwords are taken and what is kept of them:
// Argon2id by OWASP's numbers, in the PHC's writing.
//
// A password is 8 to 128 characters after NFKC (NIST SP 800-63B, 5.1.1.2), of any
// kind; no rule asks for digits or capitals. Refused are those that everybody tries
// first, one's own address, and a few characters repeated or counted up.
//
// Start with [Normal], [Refuse], [Standard] and [Parameters.Verify].
package password

import (
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/fairseat/fairseat/pkg/fault"
)

// The shortest and the longest password in characters.
const (
	Shortest = 8
	Longest  = 128
)

// Why a password is not taken.
var (
	ErrLength = fault.New(fault.Invalid, "password_length", "password: not of 8 to 128 characters")
	ErrCommon = fault.New(fault.Invalid, "password_common", "password: among the first that anybody tries")
)

// ErrHash is a kept password that cannot be read.
var ErrHash = errors.New("password: not a hash of ours")

// Parameters of Argon2id. Memory is in KiB.
type Parameters struct {
	Memory  uint32
	Time    uint32
	Threads uint8
}

// Standard is OWASP's first recommendation of 2024 for Argon2id; a function that
// hashes needs these 19 MiB beside its own.
var Standard = Parameters{Memory: 19 << 10, Time: 2, Threads: 1}

// SaltSize is how many random bytes a hash needs.
const SaltSize = 16

const hashSize = 32

// Password is one in its normal form. It prints as nothing: it cannot get into a
// log by mistake.
type Password struct{ text string }

func (Password) String() string   { return "(password)" }
func (Password) GoString() string { return "(password)" }

// Normal is a password as it is compared: NFKC, so that the same characters are the
// same password on every keyboard. Error: [ErrLength]; nothing else is asked of one
// that is to be compared.
func Normal(text string) (Password, error) {
	if len(text) > Longest*4 || !utf8.ValidString(text) {
		return Password{}, ErrLength
	}
	text = norm.NFKC.String(text)
	if n := utf8.RuneCountInString(text); n < Shortest || n > Longest {
		return Password{}, ErrLength
	}
	return Password{text}, nil
}

// Common passwords of eight characters and more, sorted: of the list of zxcvbn
// (Dropbox and Trustelem, MIT), and some that Chinese keyboards suggest.
//
//go:embed common.txt
var commonText string

// Refuse tells why a new password is not taken: [ErrCommon]. own are the owner's
// address and names.
func Refuse(p Password, own ...string) error {
	text := strings.ToLower(p.text)
	if isCommon(text) || repeats(text) || counts(text) {
		return ErrCommon
	}
	for _, o := range own {
		name, _, _ := strings.Cut(strings.ToLower(o), "@")
		if len(name) >= 4 && strings.Trim(strings.ReplaceAll(text, name, ""), "0123456789._-!@") == "" || text == strings.ToLower(o) {
			return ErrCommon
		}
	}
	return nil
}

// isCommon looks in the list, also without the digits and signs that people put behind a word.
func isCommon(text string) bool {
	bare := strings.TrimRightFunc(text, func(r rune) bool { return unicode.IsDigit(r) || unicode.IsPunct(r) })
	return listed(text) || utf8.RuneCountInString(bare) >= Shortest && listed(bare)
}

// listed searches the list, which is sorted, one a line.
func listed(text string) bool {
	if strings.ContainsRune(text, '\n') {
		return false
	}
	low, high := 0, len(commonText)
	for low < high {
		mid := strings.LastIndexByte(commonText[:(low+high)/2], '\n') + 1
		line, _, _ := strings.Cut(commonText[mid:], "\n")
		switch {
		case line == text:
			return true
		case line < text:
			low = mid + len(line) + 1
		default:
			high = mid
		}
	}
	return false
}

// repeats tells a few characters again and again: aaaaaaaa, abababab.
func repeats(text string) bool {
	for n := 1; n <= 4 && n < len(text); n++ {
		if text[n:] == text[:len(text)-n] {
			return true
		}
	}
	return false
}

// counts tells characters that follow one another, up or down.
func counts(text string) bool {
	runes := []rune(text)
	for _, step := range []rune{1, -1} {
		run := true
		for i := 1; i < len(runes) && run; i++ {
			run = runes[i]-runes[i-1] == step
		}
		if run {
			return true
		}
	}
	return false
}

var b64 = base64.RawStdEncoding.Strict()

// Hash is what is kept: $argon2id$v=19$m=…,t=…,p=…$salt$hash. The salt is random
// and new each time.
func (p Parameters) Hash(word Password, salt [SaltSize]byte) string {
	key := argon2.IDKey([]byte(word.text), salt[:], p.Time, p.Memory, p.Threads, hashSize)
	return p.write(salt[:], key)
}

func (p Parameters) write(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// Nobody is the hash of no password: to verify it is as much work as any other.
func (p Parameters) Nobody() string { return p.write(make([]byte, SaltSize), make([]byte, hashSize)) }

// Verify compares a password with what is kept; stale tells that it was kept by
// other parameters than these and is to be hashed anew. Error: [ErrHash].
func (p Parameters) Verify(kept string, word Password) (same, stale bool, err error) {
	was, salt, key, err := read(kept)
	if err != nil {
		return false, false, err
	}
	got := argon2.IDKey([]byte(word.text), salt, was.Time, was.Memory, was.Threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, was != p, nil
}

// read takes what write wrote, and nothing that would take a function's memory.
func read(kept string) (p Parameters, salt, key []byte, err error) {
	parts := strings.Split(kept, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, ErrHash
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); n != 3 || err != nil {
		return p, nil, nil, ErrHash
	}
	salt, saltErr := b64.DecodeString(parts[4])
	key, keyErr := b64.DecodeString(parts[5])
	if errors.Join(saltErr, keyErr) != nil || len(salt) != SaltSize || len(key) != hashSize {
		return p, nil, nil, ErrHash
	}
	if p.Memory > 128<<10 || p.Time > 16 || p.Time < 1 || p.Threads < 1 || p.Threads > 4 || p.Memory < 8*uint32(p.Threads) || kept != p.write(salt, key) {
		return p, nil, nil, ErrHash
	}
	return p, salt, key, nil
}
