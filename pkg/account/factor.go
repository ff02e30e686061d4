package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	// SecretSize is how many random bytes a factor's secret has (RFC 4226, R6).
	SecretSize = 20

	// Recoveries is how many codes there are for who has lost his device.
	Recoveries = 10

	step = 30 * time.Second // RFC 6238, 5.2
)

// Factor is the second factor by time (RFC 6238). The zero value is none.
type Factor struct {
	Secret    Sealed
	Asked     string // which request set it up
	Confirmed string // which request turned it on
	On        bool
	Step      int64  // the latest whose code was used
	Spent     uint16 // recovery codes used, a bit each
}

// SetUp begins a factor, which is on when a code of it has been shown. Error:
// [ErrFactorOn].
func (a Account) SetUp(secret Sealed, asked string) (Account, error) {
	if a.Factor.On {
		return a, ErrFactorOn
	}
	a.Factor, a.Rev = Factor{Secret: secret, Asked: asked}, a.Rev+1
	return a, nil
}

// TurnOn shows that the person's device has the secret. Errors: [ErrNoFactor],
// [ErrFactorOn], [ErrCode]. The same request again changes nothing.
func (a Account) TurnOn(secret []byte, code, asked string, now time.Time) (next Account, changed bool, err error) {
	switch {
	case a.Factor.Secret == "":
		return a, false, ErrNoFactor
	case a.Factor.On && a.Factor.Confirmed == asked:
		return a, false, nil
	case a.Factor.On:
		return a, false, ErrFactorOn
	}
	at, ok := Match(secret, code, a.Factor.Step, now)
	if !ok {
		return a, false, ErrCode
	}
	a.Factor.On, a.Factor.Step, a.Factor.Confirmed = true, at, asked
	a.Rev++
	return a, true, nil
}

// TurnOff forgets the factor and its secret.
func (a Account) TurnOff() Account {
	a.Factor, a.Rev = Factor{}, a.Rev+1
	return a
}

// Use takes a code of the device or of recovery, each once; ok is false for any other.
func (f Factor) Use(secret []byte, code string, now time.Time) (next Factor, ok bool) {
	if at, ok := Match(secret, code, f.Step, now); ok {
		f.Step = at
		return f, true
	}
	if code = bare(code); len(code) != recoveryLength {
		return f, false
	}
	for i := range Recoveries {
		same := subtle.ConstantTimeCompare([]byte(code), []byte(bare(recovery(secret, i)))) == 1
		if bit := uint16(1) << i; same && f.Spent&bit == 0 {
			f.Spent |= bit
			return f, true
		}
	}
	return f, false
}

// Match finds the step of a code: of now, of the one before or the one after, but
// none up to the latest that was used (RFC 6238, 5.2: a code is accepted once).
func Match(secret []byte, code string, used int64, now time.Time) (at int64, ok bool) {
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return 0, false
	}
	current := now.Unix() / int64(step/time.Second)
	for s := current - 1; s <= current+1; s++ {
		if subtle.ConstantTimeCompare([]byte(Code(secret, s)), []byte(code)) == 1 && s > used && !ok {
			at, ok = s, true
		}
	}
	return at, ok
}

// Code is what a device with the secret shows at a step.
func Code(secret []byte, at int64) string {
	code, err := hotp.GenerateCodeCustom(b32.EncodeToString(secret), uint64(at), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		panic(err) // only of what is not base32
	}
	return code
}

var b32 = base32.StdEncoding.WithPadding(base32.NoPadding)

const recoveryLength = 16

// RecoveryCodes are made of the secret, 80 bits each: nothing more need be kept of
// them than which are used, and whoever could read the secret needs no recovery.
func RecoveryCodes(secret []byte) []string {
	codes := make([]string, Recoveries)
	for i := range codes {
		codes[i] = recovery(secret, i)
	}
	return codes
}

func recovery(secret []byte, i int) string {
	m := hmac.New(sha256.New, secret)
	fmt.Fprintf(m, "fairseat recovery code %d", i)
	c := strings.ToLower(b32.EncodeToString(m.Sum(nil)[:recoveryLength*5/8]))
	return c[:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:]
}

// bare is a recovery code however it was typed.
func bare(code string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(strings.ToLower(code))
}

// Enrolment is what a device needs to show codes.
type Enrolment struct {
	Secret string // base32, to be typed
	URI    string // otpauth://, to be scanned
}

// Enrol writes the secret for a device.
func Enrol(secret []byte, address string) (Enrolment, error) {
	k, err := totp.Generate(totp.GenerateOpts{Issuer: "Fairseat", AccountName: address, Secret: secret, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Enrolment{}, fmt.Errorf("account: enrol: %w", err)
	}
	return Enrolment{Secret: b32.EncodeToString(secret), URI: k.URL()}, nil
}
