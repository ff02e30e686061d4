package session

import (
	"encoding/binary"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
)

const (
	// AccessLength is how long a token gives access to an account: as long as a log-out
	// may take to reach calls that read no account.
	AccessLength = 15 * time.Minute

	// skew is how far two clocks may differ, and more.
	skew = time.Minute
)

var (
	access  = kind{"fsu1.", "fairseat account access 1\x00", 2*idSize + endSize}
	renewal = kind{"fsr1.", "fairseat account renewal 1\x00", 2*idSize + 8 + endSize}
)

// AccountID names an account for ever. LoginID names one log-in on one device and
// all that it is renewed to.
type (
	AccountID [idSize]byte
	LoginID   [idSize]byte
)

func (id AccountID) String() string { return letters.EncodeToString(id[:]) }
func (id LoginID) String() string   { return letters.EncodeToString(id[:]) }

// Buyer is the account as every call knows it.
func (id AccountID) Buyer() booking.Buyer { return buyer("u_", id[:]) }

// ParseAccount is the inverse of String; ok is false for anything else.
func ParseAccount(s string) (id AccountID, ok bool) { return parse[AccountID](s) }

// ParseLogin is the inverse of String; ok is false for anything else.
func ParseLogin(s string) (id LoginID, ok bool) { return parse[LoginID](s) }

// AccountOf is the account that buys; ok is false for a guest.
func AccountOf(b booking.Buyer) (id AccountID, ok bool) {
	if len(b) < 2 || b[:2] != "u_" {
		return id, false
	}
	return ParseAccount(string(b[2:]))
}

func parse[T ~[idSize]byte](s string) (id T, ok bool) {
	if len(s) != letters.EncodedLen(idSize) {
		return id, false
	}
	var raw [idSize]byte
	if n, err := letters.Decode(raw[:], []byte(s)); err != nil || n != idSize {
		return id, false
	}
	return raw, letters.EncodeToString(raw[:]) == s // the last letter has two bits to spare
}

// Person is an account as a token tells it.
type Person struct {
	Account   AccountID
	Login     LoginID
	Buyer     booking.Buyer
	ExpiresAt time.Time // UTC, whole seconds
}

// Access gives access to an account for [AccessLength].
func (k *Keeper) Access(a AccountID, l LoginID, now time.Time) (token string, end time.Time) {
	end = now.Add(AccessLength).UTC().Truncate(time.Second)
	return k.seal(access, pair(access, a, l), end), end
}

// Account reads a token that gives access to an account. Errors: those of Verify;
// a guest's token is [ErrInvalid], and so is one whose end nobody of ours wrote.
func (k *Keeper) Account(token string, now time.Time) (Person, error) {
	body, end, err := k.read(access, token, now)
	if err != nil {
		return Person{}, err
	}
	if end.After(now.Add(AccessLength + skew)) {
		return Person{}, ErrInvalid
	}
	p := Person{Account: AccountID(body[:idSize]), Login: LoginID(body[idSize : 2*idSize]), ExpiresAt: end}
	p.Buyer = p.Account.Buyer()
	return p, nil
}

// Turn is one renewal of a log-in: the first is 0, and each is good once.
type Turn struct {
	Account   AccountID
	Login     LoginID
	N         uint64
	ExpiresAt time.Time // UTC, whole seconds; of the log-in, whatever the turn
}

// Renewal is the token of a turn. It is the same each time, so that a renewal whose
// answer was lost can be answered again.
func (k *Keeper) Renewal(t Turn) string {
	body := pair(renewal, t.Account, t.Login)
	binary.BigEndian.PutUint64(body[2*idSize:], t.N)
	return k.seal(renewal, body, t.ExpiresAt)
}

// Turn reads a token that renews a log-in; the errors are those of Verify.
func (k *Keeper) Turn(token string, now time.Time) (Turn, error) {
	body, end, err := k.read(renewal, token, now)
	if err != nil {
		return Turn{}, err
	}
	return Turn{AccountID(body[:idSize]), LoginID(body[idSize : 2*idSize]), binary.BigEndian.Uint64(body[2*idSize:]), end}, nil
}

func pair(of kind, a AccountID, l LoginID) []byte {
	body := make([]byte, of.body, of.size())
	copy(body, a[:])
	copy(body[idSize:], l[:])
	return body
}
