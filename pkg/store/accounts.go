package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/reception"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/session"
)

const (
	aEpoch    = "epoch"
	aEmail    = "email"
	aBlind    = "blind"
	aPassword = "pwd"
	aChanges  = "chg"
	aName     = "name"
	aPhone    = "phone"
	aLocale   = "loc"
	aSecret   = "totp"
	aAskedBy  = "asked"
	aOn       = "on"
	aOnBy     = "onby"
	aStep     = "step"
	aRecovery = "rec"
	aTurn     = "turn"
	aTurned   = "turned"
	aReused   = "reused"
	aAccount  = "acc"
	aDone     = "done"
)

const (
	accountPrefix      = "ACCOUNT#"
	loginPrefix        = "LOGIN#"
	registrationPrefix = "REG#"
	skAccount          = "ACCOUNT"
	skHolder           = "EMAIL"
	skRegistration     = "REG"
	skLetter           = "LETTER"
)

func accountKey(id account.ID) Key { return Key{Accounts, accountPrefix + id.String(), skAccount} }

func loginKey(id account.ID, l session.LoginID) Key {
	return Key{Accounts, accountPrefix + id.String(), loginPrefix + l.String()}
}

// holderKey is of the item that makes an address one account's.
func holderKey(b account.Blind) Key { return Key{Accounts, "EMAIL#" + string(b), skHolder} }

func registrationKey(id account.RegistrationID) Key {
	return Key{Accounts, registrationPrefix + account.ID(id).String(), skRegistration}
}

func letterKey(id mail.ID) Key { return Key{Accounts, "LETTER#" + string(id), skLetter} }

// AccountBook keeps accounts, their log-ins and addresses, and registrations, in
// the table Accounts; the letters that these cause go into the outbox.
type AccountBook struct{ t Tables }

// NewAccountBook keeps them in the tables.
func NewAccountBook(t Tables) *AccountBook { return &AccountBook{t} }

var _ reception.Store = (*AccountBook)(nil)

// Holder finds the account of an address.
func (s *AccountBook) Holder(ctx context.Context, b account.Blind) (account.ID, bool, error) {
	it, err := s.t.Get(ctx, holderKey(b), true)
	if err != nil || it == nil {
		return account.ID{}, false, wrap("read holder of an address", err)
	}
	r := accountRow{row{item: it}}
	return r.account(aAccount), true, r.done()
}

func wrap(act string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", act, err)
}

// Account reads one; the zero value where there is none.
func (s *AccountBook) Account(ctx context.Context, id account.ID) (account.Account, error) {
	it, err := s.t.Get(ctx, accountKey(id), true)
	if err != nil || it == nil {
		return account.Account{}, wrap("read account", err)
	}
	return accountOf(id, it)
}

// Person reads an account with one of its log-ins, not at one moment: a log-in is
// judged by the account's epoch, which only grows.
func (s *AccountBook) Person(ctx context.Context, id account.ID, l session.LoginID) (account.Account, account.Login, error) {
	all, err := s.t.BatchGet(ctx, []Key{accountKey(id), loginKey(id, l)}, true)
	if err != nil {
		return account.Account{}, account.Login{}, wrap("read account and log-in", err)
	}
	a, login := account.Account{}, account.Login{}
	if it := all[accountKey(id)]; it != nil {
		a, err = accountOf(id, it)
	}
	if it := all[loginKey(id, l)]; it != nil && err == nil {
		login, err = loginOf(id, it)
	}
	return a, login, err
}

// Logins lists the account's, those that are over too until their TTL.
func (s *AccountBook) Logins(ctx context.Context, id account.ID) (all []account.Login, err error) {
	q := Query{Table: Accounts, PK: accountPrefix + id.String(), Prefix: loginPrefix, Consistent: true}
	err = (&Store{t: s.t}).each(ctx, q, func(it Item) error {
		l, err := loginOf(id, it)
		all = append(all, l)
		return err
	})
	return all, wrap("read log-ins", err)
}

// Registration reads one; the zero value where there is none.
func (s *AccountBook) Registration(ctx context.Context, id account.RegistrationID) (account.Registration, error) {
	it, err := s.t.Get(ctx, registrationKey(id), true)
	if err != nil || it == nil {
		return account.Registration{}, wrap("read registration", err)
	}
	return registrationOf(id, it)
}

// Register keeps a registration and its letter, which the same request has not made before.
func (s *AccountBook) Register(ctx context.Context, r account.Registration, p mail.Post) error {
	return s.commit(ctx, Write{Key: registrationKey(r.ID), Put: registrationItem(r), Where: Absent{}}, MailWrite(p))
}

// Post keeps a letter, which the same request has not caused before: its receipt
// stays when it has left.
func (s *AccountBook) Post(ctx context.Context, p mail.Post) error {
	receipt := Item{aMade: p.At.UnixMilli(), aTTL: p.At.Add(letterKept).Unix()}
	return s.commit(ctx, Write{Key: letterKey(p.ID), Put: receipt, Where: Absent{}}, MailWrite(p))
}

// Confirm makes the account of a registration and gives it the address (OneAddress).
func (s *AccountBook) Confirm(ctx context.Context, was, done account.Registration, a account.Account) error {
	err := s.t.Transact(ctx, []Write{
		{Key: holderKey(a.Blind), Put: Item{aAccount: a.ID.String()}, Where: Absent{}},
		{Key: accountKey(a.ID), Put: accountItem(a), Where: Absent{}},
		{Key: registrationKey(was.ID), Put: registrationItem(done), Where: All{Exists{}, Equal{aDone, false}}},
	}, "")
	var c *Canceled
	if errors.As(err, &c) && c.Reasons[0].Code == ReasonCondition && c.Reasons[2].Code != ReasonCondition {
		return account.ErrTaken
	}
	return classify(err)
}

// LogIn keeps a log-in, and the account where it differs from what was read.
func (s *AccountBook) LogIn(ctx context.Context, was, next account.Account, l account.Login) error {
	ws := []Write{{Key: loginKey(l.Account, l.ID), Put: loginItem(l), Where: Absent{}}}
	if next != was {
		ws = append(ws, accountWrite(was, next))
	}
	return s.commit(ctx, ws...)
}

// SaveLogin replaces a log-in as it was read.
func (s *AccountBook) SaveLogin(ctx context.Context, was, next account.Login) error {
	return s.commit(ctx, loginWrite(was, next))
}

// Save replaces an account as it was read, with the letter that this causes.
func (s *AccountBook) Save(ctx context.Context, was, next account.Account, p *mail.Post) error {
	return s.commit(ctx, append([]Write{accountWrite(was, next)}, letterWrites(p)...)...)
}

// SaveBoth replaces an account and one of its log-ins as they were read.
func (s *AccountBook) SaveBoth(ctx context.Context, was, next account.Account, wasLogin, nextLogin account.Login, p *mail.Post) error {
	return s.commit(ctx, append([]Write{accountWrite(was, next), loginWrite(wasLogin, nextLogin)}, letterWrites(p)...)...)
}

// Erase replaces the account by what is left of it, and frees its address.
func (s *AccountBook) Erase(ctx context.Context, was, next account.Account) error {
	free := Write{Key: holderKey(was.Blind), Delete: true, Where: Equal{aAccount, was.ID.String()}}
	return s.commit(ctx, accountWrite(was, next), free)
}

func (s *AccountBook) commit(ctx context.Context, ws ...Write) error {
	return classify(s.t.Transact(ctx, ws, ""))
}

func accountWrite(was, next account.Account) Write {
	return Write{Key: accountKey(was.ID), Put: accountItem(next), Where: Equal{aRev, was.Rev}}
}

func loginWrite(was, next account.Login) Write {
	return Write{Key: loginKey(was.Account, was.ID), Put: loginItem(next), Where: Equal{aRev, was.Rev}}
}

func letterWrites(p *mail.Post) []Write {
	if p == nil {
		return nil
	}
	return []Write{MailWrite(*p)}
}

// letterKept is as long as an Idempotency-Key counts, and longer.
const letterKept = 25 * time.Hour
