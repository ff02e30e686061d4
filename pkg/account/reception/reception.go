// Package reception carries out what people ask about accounts: load, decide,
// commit in one conditional transaction. It declares what it needs of a store, a
// vault and the post.
//
// Whether an address has an account is told by letter alone: registering, logging
// in and asking for a reset do the same work and give the same answer either way.
// Attempts are limited for an address of the network and for an account apart,
// before anything is hashed.
//
// Start with [Reception.Register], [Reception.LogIn], [Reception.Renew] and
// [Reception.Enter].
package reception

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/throttle"
	"github.com/fairseat/fairseat/pkg/vault"
)

// Store keeps accounts. Every write is one transaction on what was read: a thing
// that has changed since, or is there already, is an error of kind fault.Stale, and
// nothing was written. Reads are strongly consistent; what is absent is the zero
// value.
type Store interface {
	Holder(ctx context.Context, b account.Blind) (id account.ID, found bool, err error)
	Account(ctx context.Context, id account.ID) (account.Account, error)
	Person(ctx context.Context, id account.ID, l session.LoginID) (account.Account, account.Login, error)
	Logins(ctx context.Context, id account.ID) ([]account.Login, error)
	Registration(ctx context.Context, id account.RegistrationID) (account.Registration, error)

	Register(ctx context.Context, r account.Registration, p mail.Post) error
	Post(ctx context.Context, p mail.Post) error // once for its id, also when it has left
	// Confirm gives the address to the account; ErrTaken when it has one.
	Confirm(ctx context.Context, was, done account.Registration, a account.Account) error
	LogIn(ctx context.Context, was, next account.Account, l account.Login) error // the account only where it differs
	SaveLogin(ctx context.Context, was, next account.Login) error
	Save(ctx context.Context, was, next account.Account, p *mail.Post) error
	SaveBoth(ctx context.Context, was, next account.Account, wasLogin, nextLogin account.Login, p *mail.Post) error
	Erase(ctx context.Context, was, next account.Account) error // and frees the address
}

// Safe seals what names a person; vault.Keeper does.
type Safe interface {
	mail.Sealer
	Blind(kind vault.Kind, value string) (index string, ok bool)
}

// Hasher does the work that passwords cost.
type Hasher interface {
	Hash(p password.Password) (string, error)
	Verify(kept string, p password.Password) (same, stale bool, err error)
	Nobody() string // the hash of no password
}

// Limits lets attempts pass; its refusal is a *throttle.Refusal.
type Limits interface {
	Take(ctx context.Context, k throttle.Key, r throttle.Rate, n int, now time.Time) error
}

// Rates are how often one may try. An address of the network is many people's, an
// account is one's.
type Rates struct {
	Address throttle.Rate // of any call here that asks for no token
	LogIn   throttle.Rate // passwords of one account
	Letters throttle.Rate // to one address
}

// Standard lets attempts of one address of the network pass at once, and as many
// again in five minutes.
func Standard(attempts int) Rates {
	return Rates{
		Address: throttle.Rate{Burst: attempts, Every: max(5*time.Minute/time.Duration(attempts), time.Millisecond).Truncate(time.Millisecond)},
		LogIn:   throttle.Rate{Burst: 10, Every: time.Minute},
		Letters: throttle.Rate{Burst: 3, Every: 20 * time.Minute},
	}
}

// Reception is where people register and log in. The fields are set once, before use.
type Reception struct {
	Store  Store
	Safe   Safe
	Hasher Hasher
	Limits Limits
	Names  *throttle.Namer
	Tokens *session.Keeper
	Random io.Reader
	Clock  func() time.Time
	Rates  Rates

	// Pause waits for a random part of most, or fails with the context.
	Pause func(ctx context.Context, most time.Duration) error
}

// tries is how often a decision is made anew when what was read has changed.
const tries = 4

// again decides until nothing comes between: at once where what was read has
// changed, after a pause where another transaction has it in hand.
func (r *Reception) again(ctx context.Context, decide func() error) error {
	var err error
	for i := range tries {
		err = decide()
		switch {
		case fault.Is(err, fault.Contended):
			if err := r.Pause(ctx, 20*time.Millisecond<<i); err != nil {
				return err
			}
		case !fault.Is(err, fault.Stale):
			return err
		}
	}
	return err
}

func (r *Reception) limit(ctx context.Context, k throttle.Kind, subject string, rate throttle.Rate) error {
	return r.Limits.Take(ctx, r.Names.Of(k, subject), rate, 1, r.Clock())
}

// The kinds of limits.
const (
	byAddress throttle.Kind = "account-address"
	byAccount throttle.Kind = "account-login"
	byMailbox throttle.Kind = "account-letters"
)

func (r *Reception) random(into []byte) error {
	if _, err := io.ReadFull(r.Random, into); err != nil {
		return fmt.Errorf("reception: random: %w", err)
	}
	return nil
}

// idOf is what a request makes, from whom it is about and its key.
func idOf(what string, about account.Blind, key string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", what, about, key))
}

// blind is the index by which an address is found. Error: [account.ErrAddress].
func (r *Reception) blind(address string) (account.Blind, error) {
	index, ok := r.Safe.Blind(vault.Email, address)
	if !ok {
		return "", account.ErrAddress
	}
	return account.Blind(index), nil
}

// table is where everything of accounts is sealed for.
const table = "accounts"

func ofAccount(id account.ID, field string) vault.Place {
	return vault.Place{Table: table, Item: string(id.Buyer()), Field: field}
}

func ofRegistration(id account.RegistrationID, field string) vault.Place {
	return vault.Place{Table: table, Item: "REG#" + account.ID(id).String(), Field: field}
}

func (r *Reception) seal(ctx context.Context, at vault.Place, plain string) (account.Sealed, error) {
	s, err := r.Safe.Seal(ctx, at, plain)
	return account.Sealed(s), err
}

func (r *Reception) open(ctx context.Context, at vault.Place, s account.Sealed) (string, error) {
	return r.Safe.Open(ctx, at, string(s))
}

// Grant is what a log-in is worth.
type Grant struct {
	Account     account.ID
	Access      string
	AccessEnds  time.Time
	Renewal     string
	RenewalEnds time.Time
}

func (r *Reception) grant(l account.Login, now time.Time) Grant {
	g := Grant{Account: l.Account, RenewalEnds: l.EndsAt}
	g.Access, g.AccessEnds = r.Tokens.Access(l.Account, l.ID, now)
	g.Renewal = r.Tokens.Renewal(session.Turn{Account: l.Account, Login: l.ID, N: l.Turn, ExpiresAt: l.EndsAt})
	return g
}

// errNoPerson is a token whose log-in is over, or whose account has gone.
var errNoPerson = account.ErrOver

// refusedAs makes one error of those of tokens.
func refusedAs(err, as error) error {
	if errors.Is(err, session.ErrInvalid) || errors.Is(err, session.ErrExpired) {
		return as
	}
	return err
}
