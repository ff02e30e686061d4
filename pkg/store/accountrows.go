package store

import (
	"errors"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/session"
)

// accountRow reads rows of accounts, whose errors must not show what is in them.
type accountRow struct{ row }

func (r *accountRow) account(attr string) account.ID {
	id, ok := session.ParseAccount(r.str(attr))
	if !ok {
		r.fail(attr)
	}
	return id
}

func (r *accountRow) is(attr string) bool {
	v, ok := r.item[attr].(bool)
	if !ok {
		r.fail(attr)
	}
	return v
}

func (r *accountRow) sealed(attr string) account.Sealed { return account.Sealed(r.optional(attr)) }

var errAccountRow = errors.New("store: an item of an account cannot be read")

// done hides which item it was: its key is found from an address or a token.
func (r *accountRow) done() error {
	if r.err != nil {
		return errAccountRow
	}
	return nil
}

// put leaves out what is empty: an erased account keeps no attribute of a person.
func put(it Item, attr, v string) {
	if v != "" {
		it[attr] = v
	}
}

func putTime(it Item, attr string, t time.Time) {
	if !t.IsZero() {
		it[attr] = t.UnixMilli()
	}
}

func accountItem(a account.Account) Item {
	it := Item{
		aState: a.State.String(), aRev: a.Rev, aEpoch: a.Epoch, aChanges: int64(a.Changes), aMade: a.MadeAt.UnixMilli(),
		aOn: a.Factor.On, aStep: a.Factor.Step, aRecovery: int64(a.Factor.Spent),
	}
	put(it, aEmail, string(a.Email))
	put(it, aBlind, string(a.Blind))
	put(it, aPassword, a.Password)
	put(it, aName, string(a.Name))
	put(it, aPhone, string(a.Phone))
	put(it, aLocale, a.Locale)
	put(it, aSecret, string(a.Factor.Secret))
	put(it, aAskedBy, a.Factor.Asked)
	put(it, aOnBy, a.Factor.Confirmed)
	putTime(it, aEnded, a.ErasedAt)
	return it
}

func accountOf(id account.ID, it Item) (account.Account, error) {
	r := accountRow{row{item: it}}
	a := account.Account{
		ID: id, Rev: r.num(aRev), Epoch: r.num(aEpoch), Changes: uint64(r.num(aChanges)), MadeAt: ms(r.num(aMade)), ErasedAt: r.time(aEnded),
		Email: r.sealed(aEmail), Blind: account.Blind(r.optional(aBlind)), Password: r.optional(aPassword),
		Name: r.sealed(aName), Phone: r.sealed(aPhone), Locale: r.optional(aLocale),
		Factor: account.Factor{
			Secret: r.sealed(aSecret), Asked: r.optional(aAskedBy), Confirmed: r.optional(aOnBy),
			On: r.is(aOn), Step: r.num(aStep), Spent: uint16(r.num(aRecovery)),
		},
	}
	var ok bool
	if a.State, ok = account.ParseState(r.str(aState)); !ok {
		r.fail(aState)
	}
	return a, r.done()
}

func loginItem(l account.Login) Item {
	it := Item{
		aRev: l.Rev, aEpoch: l.Epoch, aTurn: int64(l.Turn), aTurned: l.TurnedAt.UnixMilli(), aMade: l.MadeAt.UnixMilli(),
		aUntil: l.EndsAt.UnixMilli(), aReused: l.Reused, aTTL: l.EndsAt.Add(24 * time.Hour).Unix(),
	}
	putTime(it, aEnded, l.EndedAt)
	return it
}

func loginOf(id account.ID, it Item) (account.Login, error) {
	r := accountRow{row{item: it}}
	l := account.Login{
		Account: id, Rev: r.num(aRev), Epoch: r.num(aEpoch), Turn: uint64(r.num(aTurn)), TurnedAt: ms(r.num(aTurned)),
		MadeAt: ms(r.num(aMade)), EndsAt: ms(r.num(aUntil)), EndedAt: r.time(aEnded), Reused: r.is(aReused),
	}
	var ok bool
	if l.ID, ok = session.ParseLogin(strings.TrimPrefix(r.str("sk"), loginPrefix)); !ok {
		r.fail("sk")
	}
	return l, r.done()
}

func registrationItem(reg account.Registration) Item {
	it := Item{
		aAccount: reg.Account.String(), aDone: reg.Done, aMade: reg.MadeAt.UnixMilli(), aUntil: reg.EndsAt.UnixMilli(),
		aTTL: reg.EndsAt.Add(time.Hour).Unix(),
	}
	put(it, aEmail, string(reg.Email))
	put(it, aBlind, string(reg.Blind))
	put(it, aPassword, reg.Password)
	put(it, aLocale, reg.Locale)
	return it
}

func registrationOf(id account.RegistrationID, it Item) (account.Registration, error) {
	r := accountRow{row{item: it}}
	reg := account.Registration{
		ID: id, Account: r.account(aAccount), Done: r.is(aDone), Email: r.sealed(aEmail), Blind: account.Blind(r.optional(aBlind)),
		Password: r.optional(aPassword), Locale: r.optional(aLocale), MadeAt: ms(r.num(aMade)), EndsAt: ms(r.num(aUntil)),
	}
	return reg, r.done()
}
