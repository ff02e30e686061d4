package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
)

// book is the account book over counted tables, with ids that no other test uses.
type book struct {
	*rig
	*store.AccountBook
	ctx context.Context
}

func (b book) blind(name string) account.Blind { return account.Blind(string(b.show) + name) }

func newID() (id [16]byte) { rand.Read(id[:]); return id }

func (b book) registration(name string) account.Registration {
	return account.Registration{
		ID: newID(), Account: newID(), Email: "sealed", Blind: b.blind(name), Password: "$hash$", Locale: "zh",
		MadeAt: evening, EndsAt: evening.Add(time.Hour),
	}
}

// member makes an account by way of its registration.
func (b book) member(name string) account.Account {
	b.t.Helper()
	r := b.registration(name)
	b.must(b.Register(b.ctx, r, letterOf(account.ID(r.ID).String())))
	done, a, err := account.Confirm(r, "sealed anew", evening)
	b.must(err)
	b.must(b.Confirm(b.ctx, r, done, a))
	return a
}

func (b book) wantAccount(want account.Account) {
	b.t.Helper()
	got, err := b.Account(b.ctx, want.ID)
	b.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("account (-want +got):\n%s", diff)
	}
}

func (b book) login(a account.Account) account.Login {
	return account.Login{
		ID: newID(), Account: a.ID, Rev: 1, Epoch: a.Epoch, Turn: 3, TurnedAt: evening, MadeAt: evening,
		EndsAt: evening.Add(time.Hour),
	}
}

// TestAccountBook runs on both databases what is done with accounts, and what refuses it.
func TestAccountBook(t *testing.T) {
	for where, tables := range map[string]store.Tables{"memory": memory(), "service": service} {
		for name, run := range map[string]func(book){
			"register": accountRegister, "confirm": accountConfirm, "log-ins": accountLogins, "save": accountSave, "erase": accountErase, "nothing": accountNothing,
		} {
			t.Run(where+"/"+name, func(t *testing.T) {
				r := newRig(t, tables)
				run(book{r, store.NewAccountBook(r.tables), t.Context()})
			})
		}
	}
}

func accountRegister(b book) {
	r := b.registration("ann")
	b.must(b.Register(b.ctx, r, letterOf("register"+string(b.show))))
	got, err := b.Registration(b.ctx, r.ID)
	b.must(err)
	if diff := cmp.Diff(r, got); diff != "" {
		b.t.Errorf("registration (-want +got):\n%s", diff)
	}
	b.stale(b.Register(b.ctx, r, letterOf("other"+string(b.show)))) // OneEffect
	b.must(b.Post(b.ctx, letterOf("post"+string(b.show))))
	b.stale(b.Post(b.ctx, letterOf("post"+string(b.show))))
}

func accountConfirm(b book) {
	first, second := b.registration("ann"), b.registration("ann")
	for i, r := range []account.Registration{first, second} {
		b.must(b.Register(b.ctx, r, letterOf(string(rune('a'+i))+string(b.show))))
	}
	done, a, err := account.Confirm(first, "anew", evening)
	b.must(err)
	b.must(b.Confirm(b.ctx, first, done, a))
	b.wantAccount(a)
	b.stale(b.Confirm(b.ctx, first, done, a))
	if got, err := b.Registration(b.ctx, first.ID); err != nil || got != done {
		b.t.Errorf("%+v, %v", got, err)
	}
	other, late, err := account.Confirm(second, "anew", evening)
	b.must(err)
	if err := b.Confirm(b.ctx, second, other, late); !errors.Is(err, account.ErrTaken) { // OneAddress
		b.t.Errorf("a second account of an address: %v", err)
	}
	if id, found, err := b.Holder(b.ctx, a.Blind); id != a.ID || !found || err != nil {
		b.t.Errorf("holder %v, %v, %v", id, found, err)
	}
	b.wantAccount(a)
	if got, err := b.Account(b.ctx, late.ID); err != nil || got != (account.Account{}) {
		b.t.Errorf("%+v, %v", got, err)
	}
}

func accountLogins(b book) {
	a := b.member("ann")
	l := b.login(a)
	b.must(b.LogIn(b.ctx, a, a, l))
	b.stale(b.LogIn(b.ctx, a, a, l))
	next := a.Rehash("$new$")
	next.Rev = a.Rev + 1
	two := b.login(a)
	b.must(b.LogIn(b.ctx, a, next, two))
	b.stale(b.LogIn(b.ctx, a, next, b.login(a))) // the account has changed since
	ended := l.End(evening.Add(time.Minute))
	b.must(b.SaveLogin(b.ctx, l, ended))
	b.stale(b.SaveLogin(b.ctx, l, ended))
	gotA, gotL, err := b.Person(b.ctx, a.ID, l.ID)
	b.must(err)
	if gotA != next || gotL != ended {
		b.t.Errorf("%+v\n%+v", gotA, gotL)
	}
	all, err := b.Logins(b.ctx, a.ID)
	if b.must(err); len(all) != 2 {
		b.t.Errorf("%d log-ins", len(all))
	}
}

func accountSave(b book) {
	a := b.member("ann")
	l := b.login(a)
	b.must(b.LogIn(b.ctx, a, a, l))
	full := a
	full.Name, full.Phone, full.Locale, full.Rev = "n", "p", "en", a.Rev+1
	full.Factor = account.Factor{Secret: "s", Asked: "a", Confirmed: "c", On: true, Step: 7, Spent: 5}
	e := letterOf("save" + string(b.show))
	b.must(b.Save(b.ctx, a, full, &e))
	b.stale(b.Save(b.ctx, a, full, nil))
	b.wantAccount(full)
	next, stays := full.Change(l, "$new$")
	e = letterOf("both" + string(b.show))
	b.must(b.SaveBoth(b.ctx, full, next, l, stays, &e))
	b.stale(b.SaveBoth(b.ctx, full, next, l, stays, nil))
	b.stale(b.SaveBoth(b.ctx, next, next, l, stays, nil)) // either has changed since
	b.wantAccount(next)
}

func accountErase(b book) {
	a := b.member("ann")
	gone := a.Erase(evening.Add(time.Hour))
	b.must(b.Erase(b.ctx, a, gone))
	b.stale(b.Erase(b.ctx, a, gone))
	b.wantAccount(gone)
	if _, found, err := b.Holder(b.ctx, a.Blind); found || err != nil {
		b.t.Errorf("the address is held: %v", err)
	}
	again := b.member("ann")
	if again.ID == a.ID {
		b.t.Error("an erased account has come back")
	}
}

func accountNothing(b book) {
	if _, found, err := b.Holder(b.ctx, b.blind("none")); found || err != nil {
		b.t.Errorf("%v %v", found, err)
	}
	a, l, err := b.Person(b.ctx, newID(), session.LoginID(newID()))
	if a != (account.Account{}) || l != (account.Login{}) || err != nil {
		b.t.Errorf("%+v %+v %v", a, l, err)
	}
	if r, err := b.Registration(b.ctx, newID()); r != (account.Registration{}) || err != nil {
		b.t.Errorf("%+v %v", r, err)
	}
}

func letterOf(id string) mail.Post {
	return mail.Post{ID: mail.ID(id), Kind: mail.Changed, Locale: "en", Sealed: "sealed", At: evening}
}
