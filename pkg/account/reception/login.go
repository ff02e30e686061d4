package reception

import (
	"context"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/session"
)

// Credentials are what one logs in with.
type Credentials struct {
	Email, Password string
	Code            string // of the second factor, "" if none is shown
	From            string // address of the network
}

// LogIn logs in on one device. Errors: [account.ErrCredentials] for whatever of
// address and password is wrong, [account.ErrCodeNeeded], [account.ErrCode], a
// *throttle.Refusal. Each time it comes it is another log-in.
func (r *Reception) LogIn(ctx context.Context, c Credentials) (Grant, error) {
	if err := r.limit(ctx, byAddress, c.From, r.Rates.Address); err != nil {
		return Grant{}, err
	}
	address, addressErr := account.Address(c.Email)
	word, wordErr := password.Normal(c.Password)
	if addressErr != nil || wordErr != nil {
		return Grant{}, account.ErrCredentials // no account can have these
	}
	blind, err := r.blind(address)
	if err != nil {
		return Grant{}, account.ErrCredentials
	}
	if err := r.limit(ctx, byAccount, string(blind), r.Rates.LogIn); err != nil {
		return Grant{}, err
	}
	var g Grant
	err = r.again(ctx, func() (err error) { g, err = r.logIn(ctx, blind, word, c.Code); return err })
	return g, err
}

func (r *Reception) logIn(ctx context.Context, blind account.Blind, word password.Password, code string) (Grant, error) {
	a, found, err := r.holder(ctx, blind)
	if err != nil {
		return Grant{}, err
	}
	stale, err := r.compare(a, found, word)
	if err != nil {
		return Grant{}, err
	}
	secret, err := r.secret(ctx, a)
	if err != nil {
		return Grant{}, err
	}
	var id session.LoginID
	if err := r.random(id[:]); err != nil {
		return Grant{}, err
	}
	now := r.Clock()
	next, l, _, err := a.Admit(id, secret, code, now)
	if err != nil {
		return Grant{}, err
	}
	if stale {
		hash, err := r.Hasher.Hash(word)
		if err != nil {
			return Grant{}, err
		}
		next = next.Rehash(hash)
	}
	if err := r.Store.LogIn(ctx, a, next, l); err != nil {
		return Grant{}, err
	}
	return r.grant(l, now), nil
}

// compare does the same work whether there is an account or not.
func (r *Reception) compare(a account.Account, found bool, word password.Password) (stale bool, err error) {
	kept := r.Hasher.Nobody()
	if found {
		kept = a.Password
	}
	same, stale, err := r.Hasher.Verify(kept, word)
	if err == nil && !(same && found) {
		err = account.ErrCredentials
	}
	return stale, err
}

// secret opens the second factor's, nil where none was set up.
func (r *Reception) secret(ctx context.Context, a account.Account) ([]byte, error) {
	if a.Factor.Secret == "" {
		return nil, nil
	}
	s, err := r.open(ctx, ofAccount(a.ID, "totp"), a.Factor.Secret)
	return []byte(s), err
}

// Renew takes a log-in's turn. Errors: [account.ErrOver], and those of a token.
func (r *Reception) Renew(ctx context.Context, token string) (Grant, error) {
	t, err := r.Tokens.Turn(token, r.Clock())
	if err != nil {
		return Grant{}, err
	}
	var g Grant
	err = r.again(ctx, func() error {
		a, l, err := r.Store.Person(ctx, t.Account, t.Login)
		if err != nil {
			return err
		}
		now := r.Clock()
		next, refused := account.Renew(a, l, t.N, now)
		if next != l {
			if err := r.Store.SaveLogin(ctx, l, next); err != nil {
				return err
			}
		}
		g = r.grant(next, now)
		return refused
	})
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

// Person is who has come in, as the store knows him.
type Person struct {
	Account account.Account
	Login   account.Login
}

// Enter lets the bearer of an access token in, if his log-in still is one. Error:
// [account.ErrOver].
func (r *Reception) Enter(ctx context.Context, p session.Person) (Person, error) {
	a, l, err := r.Store.Person(ctx, p.Account, p.Login)
	if err == nil && !a.Live(l, r.Clock()) {
		err = errNoPerson
	}
	return Person{a, l}, err
}

// LogOut ends the log-in. One that is over stays as it is.
func (r *Reception) LogOut(ctx context.Context, p session.Person) error {
	return r.again(ctx, func() error {
		a, l, err := r.Store.Person(ctx, p.Account, p.Login)
		if err != nil || !a.Live(l, r.Clock()) {
			return err
		}
		return r.Store.SaveLogin(ctx, l, l.End(r.Clock()))
	})
}

// LogOutEverywhere ends all log-ins of the account, by one that is live; by one that
// is over it changes nothing.
func (r *Reception) LogOutEverywhere(ctx context.Context, p session.Person) error {
	return r.again(ctx, func() error {
		a, l, err := r.Store.Person(ctx, p.Account, p.Login)
		if err != nil || !a.Live(l, r.Clock()) {
			return err
		}
		return r.Store.Save(ctx, a, a.Everywhere(), nil)
	})
}
