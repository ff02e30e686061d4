// Package account decides what may happen to an account: each decision is a pure
// function of what is kept, the request and now.
//
// An address becomes an account when whoever registered it shows the letter that was
// sent there together with the password of that registration, so that nobody ends
// in an account whose password somebody else chose. A log-in lasts [LoginLength]
// and is renewed turn by turn; a turn that comes again ends the log-in (reuse),
// unless it comes again at once, when its answer was lost ([Again]). An account has
// an epoch, and every log-in of an earlier one is over: that is how all are logged
// out by one write.
//
// Invariants: OneAddress (an address has at most one account), ReuseEnds, CodeOnce
// (a code of the second factor is good once), EpochEnds, ErasedIsNobody (what is
// left of an erased account names no person).
//
// Start with [Account], [Login], [Renew] and [Account.Admit].
package account

import (
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/session"
)

// How long things last.
const (
	LoginLength   = 30 * 24 * time.Hour // whatever its renewals
	Again         = 30 * time.Second    // a turn may come again while its answer may be on its way
	ConfirmLength = 24 * time.Hour
	ResetLength   = time.Hour
	Recent        = 10 * time.Minute // after a log-in one may do what a stolen token must not
)

// Why something is refused. ErrCredentials is the same for a wrong password and for
// an address without account.
var (
	ErrCredentials = fault.New(fault.Forbidden, "wrong_credentials", "account: no such address and password")
	ErrCodeNeeded  = fault.New(fault.Forbidden, "code_required", "account: a code of the second factor is needed")
	ErrCode        = fault.New(fault.Forbidden, "wrong_code", "account: not a code of the second factor, or used")
	ErrOver        = fault.New(fault.Forbidden, "unauthorized", "account: the log-in is over")
	ErrProof       = fault.New(fault.Invalid, "invalid_token", "account: the letter's token is unknown, used or expired")
	ErrTaken       = fault.New(fault.Conflict, "account_exists", "account: the address has an account")
	ErrNotRecent   = fault.New(fault.Forbidden, "recent_login_required", "account: the log-in is too long ago")
	ErrFactorOn    = fault.New(fault.Conflict, "factor_on", "account: a second factor is on")
	ErrNoFactor    = fault.New(fault.Conflict, "no_factor", "account: no second factor was set up")
	ErrAddress     = fault.New(fault.Invalid, "invalid_email", "account: not an address")
	ErrMismatch    = fault.New(fault.Invalid, "idempotency_mismatch", "account: the key was used with another request")
)

// State of an account. The zero value is invalid.
type State uint8

const (
	_ State = iota
	Active
	Erased // the id stays for the books, the person has gone
)

var stateNames = [...]string{Active: "active", Erased: "erased"}

func (s State) String() string {
	if s == 0 || int(s) >= len(stateNames) {
		return "invalid"
	}
	return stateNames[s]
}

// ParseState is String's inverse; ok is false for anything else.
func ParseState(s string) (State, bool) {
	for i, n := range stateNames {
		if n == s && i != 0 {
			return State(i), true
		}
	}
	return 0, false
}

// Sealed is a text that only the vault opens.
type Sealed string

// Blind is a keyed hash of an address, by which it is found.
type Blind string

// ID names an account.
type ID = session.AccountID

// Account is what is kept of one. All but ID, State, Rev and times is empty once it
// is erased.
type Account struct {
	ID       ID
	State    State
	Rev      int64
	Epoch    int64 // log-ins of an earlier one are over
	Email    Sealed
	Blind    Blind
	Password string // as pkg/account/password writes it
	Changes  uint64 // of the password: a reset is good for one state of it
	Name     Sealed // "" for none
	Phone    Sealed // "" for none
	Locale   string
	Factor   Factor
	MadeAt   time.Time
	ErasedAt time.Time
}

// Buyer is the account as orders know it.
func (a Account) Buyer() booking.Buyer { return a.ID.Buyer() }

// RegistrationID is derived from the address and the request's Idempotency-Key.
type RegistrationID [16]byte

// Registration is an address that somebody gave, until he shows its letter. Once it
// is Done nothing of a person is left in it.
type Registration struct {
	ID       RegistrationID
	Account  ID // that it becomes
	Done     bool
	Email    Sealed
	Blind    Blind
	Password string
	Locale   string
	MadeAt   time.Time
	EndsAt   time.Time
}

// Confirm is the account of a registration, whose letter has been shown with its
// password. email is the address, sealed for the account.
func Confirm(r Registration, email Sealed, now time.Time) (done Registration, a Account, err error) {
	if r.Done || !now.Before(r.EndsAt) {
		return r, Account{}, ErrProof
	}
	done = Registration{ID: r.ID, Account: r.Account, Done: true, MadeAt: r.MadeAt, EndsAt: r.EndsAt}
	return done, Account{
		ID: r.Account, State: Active, Rev: 1, Email: email, Blind: r.Blind, Password: r.Password, Locale: r.Locale, MadeAt: now,
	}, nil
}

// Login is one log-in on one device.
type Login struct {
	ID       session.LoginID
	Account  ID
	Rev      int64
	Epoch    int64
	Turn     uint64    // the next that renews it
	TurnedAt time.Time // of the turn before
	MadeAt   time.Time
	EndsAt   time.Time // UTC, whole seconds
	EndedAt  time.Time // zero while it lasts
	Reused   bool      // it ended because a turn came again
}

// Admit logs in: the password was right, and code is what the second factor shows,
// "" if nothing. secret is the factor's, opened, nil where none is on. changed tells
// whether the account itself must be kept, too: a code is good once.
func (a Account) Admit(id session.LoginID, secret []byte, code string, now time.Time) (next Account, l Login, changed bool, err error) {
	if a.State != Active {
		return a, Login{}, false, ErrCredentials
	}
	if a.Factor.On {
		if code == "" {
			return a, Login{}, false, ErrCodeNeeded
		}
		f, ok := a.Factor.Use(secret, code, now)
		if !ok {
			return a, Login{}, false, ErrCode
		}
		a.Factor, changed = f, true
		a.Rev++
	}
	return a, Login{
		ID: id, Account: a.ID, Rev: 1, Epoch: a.Epoch, MadeAt: now, TurnedAt: now,
		EndsAt: now.Add(LoginLength).UTC().Truncate(time.Second),
	}, changed, nil
}

// Live tells whether the log-in still is one.
func (a Account) Live(l Login, now time.Time) bool {
	return a.State == Active && l.Account == a.ID && l.Epoch == a.Epoch && l.EndedAt.IsZero() && now.Before(l.EndsAt)
}

// Renew takes a turn. Errors: [ErrOver]; where next differs from l it must be kept
// with either answer. A turn that comes again within [Again] of its first coming is
// answered with the same next turn, if nobody has used that yet: its answer was
// lost, or two windows of one browser asked at once. Any other that comes again is
// a copy in two hands, and nobody can tell whose is the thief's: the log-in ends.
func Renew(a Account, l Login, turn uint64, now time.Time) (next Login, err error) {
	switch {
	case !a.Live(l, now):
		return l, ErrOver
	case turn == l.Turn:
		l.Turn, l.TurnedAt, l.Rev = l.Turn+1, now, l.Rev+1
		return l, nil
	case turn > l.Turn:
		return l, ErrOver // never given away: its writing was lost
	case turn+1 == l.Turn && now.Before(l.TurnedAt.Add(Again)):
		return l, nil
	}
	l.EndedAt, l.Reused, l.Rev = now, true, l.Rev+1
	return l, ErrOver
}

// End logs one device out. A log-in that is over stays as it is.
func (l Login) End(now time.Time) Login {
	if l.EndedAt.IsZero() {
		l.EndedAt, l.Rev = now, l.Rev+1
	}
	return l
}

// Everywhere ends every log-in.
func (a Account) Everywhere() Account {
	a.Epoch, a.Rev = a.Epoch+1, a.Rev+1
	return a
}

// Reset sets a new password for whoever showed the letter of a reset: the proof is
// of one state of the password. Every log-in is over; the second factor stays.
func (a Account) Reset(changes uint64, hash string) (Account, error) {
	if a.State != Active || a.Changes != changes {
		return a, ErrProof
	}
	a = a.Everywhere()
	a.Password, a.Changes = hash, a.Changes+1
	return a, nil
}

// Change sets a new password for whoever gave the old one. Every log-in is over but
// the one that asks.
func (a Account) Change(l Login, hash string) (Account, Login) {
	a = a.Everywhere()
	a.Password, a.Changes = hash, a.Changes+1
	l.Epoch, l.Rev = a.Epoch, l.Rev+1
	return a, l
}

// Rehash keeps the same password by today's parameters.
func (a Account) Rehash(hash string) Account {
	a.Password, a.Rev = hash, a.Rev+1
	return a
}

// Erase leaves what the books need: that there was an account of this id. Orders
// and payments name it by that alone.
func (a Account) Erase(now time.Time) Account {
	return Account{ID: a.ID, State: Erased, Rev: a.Rev + 1, Epoch: a.Epoch + 1, MadeAt: a.MadeAt, ErasedAt: now}
}

// Lately tells whether the log-in is recent enough for what a stolen token must not do.
func (l Login) Lately(now time.Time) error {
	if !now.Before(l.MadeAt.Add(Recent)) {
		return ErrNotRecent
	}
	return nil
}

// Address is an e-mail address as it is compared: in small letters, without blanks
// around it. Error: [ErrAddress]. It must be of ASCII, as most mail servers demand;
// that it exists, the letter shows.
func Address(text string) (string, error) {
	text = strings.ToLower(strings.Trim(text, " "))
	local, domain, ok := strings.Cut(text, "@")
	if !ok || local == "" || len(local) > 64 || len(text) > 254 || strings.Trim(local, "abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-") != "" ||
		strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return "", ErrAddress
	}
	labels := strings.Split(domain, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || l[0] == '-' || l[len(l)-1] == '-' {
			return "", ErrAddress
		}
	}
	if len(labels) < 2 || strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", ErrAddress
	}
	return text, nil
}
