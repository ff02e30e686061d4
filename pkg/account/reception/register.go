package reception

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/session"
)

// Application is a request to register.
type Application struct {
	Email, Password, Locale string
	Key                     string // Idempotency-Key; it counts for the address
	From                    string // address of the network
}

// Register sends a letter to the address: how to confirm it, or that it has an
// account. The answer is the same. Errors: [account.ErrAddress], those of a new
// password, [account.ErrMismatch], a *throttle.Refusal.
func (r *Reception) Register(ctx context.Context, a Application) error {
	address, word, err := r.applicant(ctx, a)
	if err != nil {
		return err
	}
	blind, err := r.blind(address)
	if err != nil {
		return err
	}
	if err := r.limit(ctx, byMailbox, string(blind), r.Rates.Letters); err != nil {
		return err
	}
	_, taken, err := r.Store.Holder(ctx, blind)
	if err != nil {
		return err
	}
	reg, letter, err := r.registration(ctx, a, address, blind, word)
	if err != nil {
		return err
	}
	if taken {
		letter.Kind, letter.Token = mail.Taken, ""
	}
	e, err := mail.Close(ctx, r.Safe, letter)
	if err != nil {
		return err
	}
	err = r.Store.Register(ctx, reg, e)
	if fault.Is(err, fault.Stale) {
		return r.sameApplication(ctx, reg, word)
	}
	return err
}

func (r *Reception) applicant(ctx context.Context, a Application) (address string, word password.Password, err error) {
	if err := r.limit(ctx, byAddress, a.From, r.Rates.Address); err != nil {
		return "", word, err
	}
	if address, err = account.Address(a.Email); err != nil {
		return "", word, err
	}
	word, err = newPassword(a.Password, address)
	return address, word, err
}

func newPassword(text string, own ...string) (password.Password, error) {
	word, err := password.Normal(text)
	if err == nil {
		err = password.Refuse(word, own...)
	}
	return word, err
}

func (r *Reception) registration(ctx context.Context, a Application, address string, blind account.Blind, word password.Password) (reg account.Registration, l mail.Letter, err error) {
	id := idOf("registration", blind, a.Key)
	now := r.Clock()
	reg = account.Registration{
		ID: account.RegistrationID(id[:16]), Blind: blind, Locale: a.Locale, MadeAt: now,
		EndsAt: now.Add(account.ConfirmLength).UTC().Truncate(time.Second),
	}
	if err = r.random(reg.Account[:]); err != nil {
		return reg, l, err
	}
	if reg.Password, err = r.Hasher.Hash(word); err != nil {
		return reg, l, err
	}
	if reg.Email, err = r.seal(ctx, ofRegistration(reg.ID, "email"), address); err != nil {
		return reg, l, err
	}
	l = mail.Letter{
		ID: letterID(id), Kind: mail.Verify, To: address, Locale: a.Locale, At: now,
		Token: r.Tokens.Prove(session.Confirms, session.Proof{ID: reg.ID, ExpiresAt: reg.EndsAt}),
	}
	return reg, l, nil
}

func letterID(of [32]byte) mail.ID { return mail.ID(base64.RawURLEncoding.EncodeToString(of[16:])) }

// sameApplication answers a request that has been made before.
func (r *Reception) sameApplication(ctx context.Context, reg account.Registration, word password.Password) error {
	was, err := r.Store.Registration(ctx, reg.ID)
	if err != nil {
		return err
	}
	kept := was.Password
	if was.Done {
		a, err := r.Store.Account(ctx, was.Account)
		if err != nil || a.Password == "" {
			return err // since erased: what is left of it could not tell another request apart
		}
		kept = a.Password
	}
	same, _, err := r.Hasher.Verify(kept, word)
	if err == nil && (!same || !was.Done && was.Locale != reg.Locale) {
		err = account.ErrMismatch
	}
	return err
}

// Confirm makes the account of a registration, for whoever shows its letter and
// knows its password. Errors: [account.ErrProof], [account.ErrCredentials],
// [account.ErrTaken], a *throttle.Refusal. The same again is the same.
func (r *Reception) Confirm(ctx context.Context, token, text, from string) error {
	if err := r.limit(ctx, byAddress, from, r.Rates.Address); err != nil {
		return err
	}
	proof, err := r.Tokens.Proof(session.Confirms, token, r.Clock())
	if err != nil {
		return refusedAs(err, account.ErrProof)
	}
	id := account.RegistrationID(proof.ID)
	if err := r.limit(ctx, byAccount, account.ID(id).String(), r.Rates.LogIn); err != nil {
		return err
	}
	word, err := password.Normal(text)
	if err != nil {
		return account.ErrCredentials
	}
	return r.again(ctx, func() error { return r.confirm(ctx, id, word) })
}

func (r *Reception) confirm(ctx context.Context, id account.RegistrationID, word password.Password) error {
	reg, err := r.Store.Registration(ctx, id)
	if err != nil {
		return err
	}
	kept := reg.Password
	if reg.Done {
		a, err := r.Store.Account(ctx, reg.Account)
		if err != nil {
			return err
		}
		kept = a.Password
	}
	if kept == "" {
		return account.ErrProof // gone, or erased since
	}
	same, _, err := r.Hasher.Verify(kept, word)
	switch {
	case err != nil:
		return err
	case !same:
		return account.ErrCredentials
	case reg.Done:
		return nil
	}
	address, err := r.open(ctx, ofRegistration(id, "email"), reg.Email)
	if err != nil {
		return err
	}
	email, err := r.seal(ctx, ofAccount(reg.Account, "email"), address)
	if err != nil {
		return err
	}
	done, a, err := account.Confirm(reg, email, r.Clock())
	if err != nil {
		return err
	}
	return r.Store.Confirm(ctx, reg, done, a)
}

// AskReset sends a letter to the address: how to set a new password, or that it has
// no account. The answer is the same. Errors: [account.ErrAddress], a *throttle.Refusal.
func (r *Reception) AskReset(ctx context.Context, email, key, from string) error {
	if err := r.limit(ctx, byAddress, from, r.Rates.Address); err != nil {
		return err
	}
	address, err := account.Address(email)
	if err != nil {
		return err
	}
	blind, err := r.blind(address)
	if err != nil {
		return err
	}
	if err := r.limit(ctx, byMailbox, string(blind), r.Rates.Letters); err != nil {
		return err
	}
	a, found, err := r.holder(ctx, blind)
	if err != nil {
		return err
	}
	l := mail.Letter{ID: letterID(idOf("reset", blind, key)), Kind: mail.Reset, To: address, Locale: a.Locale, At: r.Clock()}
	l.Token = r.Tokens.Prove(session.Resets, session.Proof{ID: a.ID, N: a.Changes, ExpiresAt: r.Clock().Add(account.ResetLength).Truncate(time.Second)})
	if !found {
		l.Kind, l.Token = mail.Nobody, ""
	}
	e, err := mail.Close(ctx, r.Safe, l)
	if err != nil {
		return err
	}
	if err = r.Store.Post(ctx, e); fault.Is(err, fault.Stale) {
		return nil // the same request caused its letter before
	}
	return err
}

// holder reads the account of an address; it makes as many reads where there is none.
func (r *Reception) holder(ctx context.Context, b account.Blind) (account.Account, bool, error) {
	id, _, err := r.Store.Holder(ctx, b)
	if err != nil {
		return account.Account{}, false, err
	}
	a, err := r.Store.Account(ctx, id)
	return a, a.State == account.Active && a.Blind == b, err
}

// Reset sets the password of whoever shows the letter. Errors: [account.ErrProof],
// those of a new password, a *throttle.Refusal. The same again is the same.
func (r *Reception) Reset(ctx context.Context, token, text, from string) error {
	if err := r.limit(ctx, byAddress, from, r.Rates.Address); err != nil {
		return err
	}
	proof, err := r.Tokens.Proof(session.Resets, token, r.Clock())
	if err != nil {
		return refusedAs(err, account.ErrProof)
	}
	return r.again(ctx, func() error { return r.reset(ctx, proof, text) })
}

func (r *Reception) reset(ctx context.Context, proof session.Proof, text string) error {
	a, err := r.Store.Account(ctx, account.ID(proof.ID))
	if err != nil || a.State != account.Active {
		return errors.Join(err, account.ErrProof)
	}
	address, err := r.open(ctx, ofAccount(a.ID, "email"), a.Email)
	if err != nil {
		return err
	}
	word, err := newPassword(text, address)
	if err != nil {
		return err
	}
	if a.Changes == proof.N+1 { // this letter's reset, told again?
		if same, _, err := r.Hasher.Verify(a.Password, word); same || err != nil {
			return err
		}
	}
	hash, err := r.Hasher.Hash(word)
	if err != nil {
		return err
	}
	next, err := a.Reset(proof.N, hash)
	if err != nil {
		return err
	}
	e, err := r.changed(ctx, next, address)
	if err != nil {
		return err
	}
	return r.Store.Save(ctx, a, next, &e)
}

// changed is the letter that tells of a new password.
func (r *Reception) changed(ctx context.Context, a account.Account, address string) (mail.Post, error) {
	id := idOf("changed", a.Blind, fmt.Sprint(a.ID, a.Changes))
	return mail.Close(ctx, r.Safe, mail.Letter{ID: letterID(id), Kind: mail.Changed, To: address, Locale: a.Locale, At: r.Clock()})
}
