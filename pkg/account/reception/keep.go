package reception

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/session"
)

// Profile is what a person sees of his account.
type Profile struct {
	ID     account.ID
	Email  string
	Name   string
	Phone  string
	Locale string
	Factor bool
	MadeAt time.Time
}

// Profile shows the account. Error: [account.ErrOver].
func (r *Reception) Profile(ctx context.Context, p session.Person) (Profile, error) {
	in, err := r.Enter(ctx, p)
	if err != nil {
		return Profile{}, err
	}
	return r.profile(ctx, in.Account)
}

func (r *Reception) profile(ctx context.Context, a account.Account) (Profile, error) {
	p := Profile{ID: a.ID, Locale: a.Locale, Factor: a.Factor.On, MadeAt: a.MadeAt}
	for _, f := range []struct {
		name string
		from account.Sealed
		to   *string
	}{{"email", a.Email, &p.Email}, {"name", a.Name, &p.Name}, {"phone", a.Phone, &p.Phone}} {
		if f.from == "" {
			continue
		}
		var err error
		if *f.to, err = r.open(ctx, ofAccount(a.ID, f.name), f.from); err != nil {
			return Profile{}, err
		}
	}
	return p, nil
}

// Changes are new parts of a profile: nil leaves one, "" takes it away.
type Changes struct{ Name, Phone, Locale *string }

// Change changes the profile. Error: [account.ErrOver].
func (r *Reception) Change(ctx context.Context, p session.Person, c Changes) (Profile, error) {
	var out Profile
	err := r.again(ctx, func() error {
		in, err := r.Enter(ctx, p)
		if err != nil {
			return err
		}
		a := in.Account
		a.Rev++
		if c.Locale != nil {
			a.Locale = *c.Locale
		}
		if err := r.reseal(ctx, a.ID, "name", c.Name, &a.Name); err != nil {
			return err
		}
		if err := r.reseal(ctx, a.ID, "phone", c.Phone, &a.Phone); err != nil {
			return err
		}
		if err := r.Store.Save(ctx, in.Account, a, nil); err != nil {
			return err
		}
		out, err = r.profile(ctx, a)
		return err
	})
	return out, err
}

func (r *Reception) reseal(ctx context.Context, id account.ID, name string, plain *string, to *account.Sealed) error {
	switch {
	case plain == nil:
		return nil
	case *plain == "":
		*to = ""
		return nil
	}
	s, err := r.seal(ctx, ofAccount(id, name), *plain)
	*to = s
	return err
}

// ChangePassword sets a new password for whoever knows the old one. Every other
// log-in is over. Errors: [account.ErrCredentials], those of a new password,
// [account.ErrOver], a *throttle.Refusal.
func (r *Reception) ChangePassword(ctx context.Context, p session.Person, old, text string) error {
	in, err := r.Enter(ctx, p)
	if err != nil {
		return err
	}
	if err := r.limit(ctx, byAccount, string(in.Account.Blind), r.Rates.LogIn); err != nil {
		return err
	}
	was, err := password.Normal(old)
	if err != nil {
		return account.ErrCredentials
	}
	return r.again(ctx, func() error { return r.changePassword(ctx, p, was, text) })
}

func (r *Reception) changePassword(ctx context.Context, p session.Person, old password.Password, text string) error {
	in, err := r.Enter(ctx, p)
	if err != nil {
		return err
	}
	a := in.Account
	if _, err := r.compare(a, true, old); err != nil {
		return err
	}
	address, err := r.open(ctx, ofAccount(a.ID, "email"), a.Email)
	if err != nil {
		return err
	}
	word, err := newPassword(text, address)
	if err != nil {
		return err
	}
	hash, err := r.Hasher.Hash(word)
	if err != nil {
		return err
	}
	next, login := a.Change(in.Login, hash)
	e, err := r.changed(ctx, next, address)
	if err != nil {
		return err
	}
	return r.Store.SaveBoth(ctx, a, next, in.Login, login, &e)
}

// keyOf is what is kept of a request's Idempotency-Key.
func keyOf(a account.Account, what, key string) string {
	id := idOf(what, a.Blind, key)
	return hex.EncodeToString(id[:16])
}

// SetUpFactor makes a secret for a device, soon after a log-in. Errors:
// [account.ErrNotRecent], [account.ErrFactorOn], [account.ErrOver]. The same key has
// the same secret as long as it is not on.
func (r *Reception) SetUpFactor(ctx context.Context, p session.Person, key string) (account.Enrolment, error) {
	var out account.Enrolment
	err := r.again(ctx, func() error {
		in, err := r.recent(ctx, p)
		if err != nil {
			return err
		}
		a, asked := in.Account, keyOf(in.Account, "factor", key)
		var secret []byte
		if a.Factor.Asked == asked && !a.Factor.On {
			secret, err = r.secret(ctx, a)
		} else {
			secret, err = r.newSecret(ctx, a, asked)
		}
		if err != nil {
			return err
		}
		address, err := r.open(ctx, ofAccount(a.ID, "email"), a.Email)
		if err != nil {
			return err
		}
		out, err = account.Enrol(secret, address)
		return err
	})
	return out, err
}

func (r *Reception) newSecret(ctx context.Context, a account.Account, asked string) ([]byte, error) {
	secret := make([]byte, account.SecretSize)
	if err := r.random(secret); err != nil {
		return nil, err
	}
	sealed, err := r.seal(ctx, ofAccount(a.ID, "totp"), string(secret))
	if err != nil {
		return nil, err
	}
	next, err := a.SetUp(sealed, asked)
	if err != nil {
		return nil, err
	}
	return secret, r.Store.Save(ctx, a, next, nil)
}

// ConfirmFactor turns the factor on with a code of the device, and tells the codes
// for who loses it. Errors: [account.ErrCode], [account.ErrNoFactor],
// [account.ErrFactorOn], [account.ErrOver], a *throttle.Refusal. The same key has
// the same answer.
func (r *Reception) ConfirmFactor(ctx context.Context, p session.Person, code, key string) ([]string, error) {
	in, err := r.Enter(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := r.limit(ctx, byAccount, string(in.Account.Blind), r.Rates.LogIn); err != nil {
		return nil, err
	}
	var codes []string
	err = r.again(ctx, func() error {
		in, err := r.Enter(ctx, p)
		if err != nil {
			return err
		}
		secret, err := r.secret(ctx, in.Account)
		if err != nil {
			return err
		}
		next, changed, err := in.Account.TurnOn(secret, code, keyOf(in.Account, "factor on", key), r.Clock())
		if err == nil && changed {
			err = r.Store.Save(ctx, in.Account, next, nil)
		}
		codes = account.RecoveryCodes(secret)
		return err
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// DropFactor forgets the second factor, soon after a log-in. Errors:
// [account.ErrNotRecent], [account.ErrOver]. Where there is none it changes nothing.
func (r *Reception) DropFactor(ctx context.Context, p session.Person) error {
	return r.again(ctx, func() error {
		in, err := r.recent(ctx, p)
		if err != nil || in.Account.Factor == (account.Factor{}) {
			return err
		}
		return r.Store.Save(ctx, in.Account, in.Account.TurnOff(), nil)
	})
}

func (r *Reception) recent(ctx context.Context, p session.Person) (Person, error) {
	in, err := r.Enter(ctx, p)
	if err == nil {
		err = in.Login.Lately(r.Clock())
	}
	return in, err
}

// Record is all that is kept of a person as an account.
type Record struct {
	Profile Profile
	Logins  []account.Login
}

// Export tells a person all that is kept of him as an account. Error:
// [account.ErrOver].
func (r *Reception) Export(ctx context.Context, p session.Person) (Record, error) {
	in, err := r.Enter(ctx, p)
	if err != nil {
		return Record{}, err
	}
	profile, err := r.profile(ctx, in.Account)
	if err != nil {
		return Record{}, err
	}
	logins, err := r.Store.Logins(ctx, in.Account.ID)
	return Record{profile, logins}, err
}

// Erase takes the person out of the account, soon after a log-in: what is left says
// that there was one of this id, which orders and payments name. Errors:
// [account.ErrNotRecent], [account.ErrOver]. What is erased stays so.
func (r *Reception) Erase(ctx context.Context, p session.Person) error {
	return r.again(ctx, func() error {
		in, err := r.recent(ctx, p)
		if in.Account.State == account.Erased {
			return nil
		}
		if err != nil {
			return err
		}
		return r.Store.Erase(ctx, in.Account, in.Account.Erase(r.Clock()))
	})
}
