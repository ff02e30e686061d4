package reception_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/account/reception"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
	"github.com/fairseat/fairseat/pkg/throttle"
	"github.com/fairseat/fairseat/pkg/vault"
	"github.com/fairseat/fairseat/pkg/vault/vaulttest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const secret = "a secret of a deployment"

// work is what was done behind an answer, in counts.
type work struct{ hashes, verifies, seals, opens, blinds, limits int }

// scene is a reception in memory whose work is counted and whose letters are read.
type scene struct {
	*reception.Reception
	safe    reception.Safe
	hasher  reception.Hasher
	limits  reception.Limits
	meter   *meter.Meter
	now     time.Time
	did     work
	letters []mail.Letter
	pauses  atomic.Int64
}

type endless struct{ n uint64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		e.n = e.n*6364136223846793005 + 1442695040888963407
		p[i] = byte(e.n >> 56)
	}
	return len(p), nil
}

type fatal interface {
	Helper()
	Fatal(args ...any)
}

func must(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cheap is quick to hash by.
var cheap = password.Parameters{Memory: 8, Time: 1, Threads: 1}

func newScene(t fatal, faults func(memstore.Op) memstore.Fault) *scene {
	t.Helper()
	s := &scene{now: noon}
	clock := func() time.Time { return s.now }
	s.meter = meter.New(memstore.New(memstore.Options{Clock: clock, Faults: faults}))
	keeper, err := session.New(nil, secret)
	must(t, err)
	box, err := vault.New(vaulttest.NewKeys(), vaulttest.NewShelf(), secret, clock)
	must(t, err)
	names, err := throttle.NewNamer(secret)
	must(t, err)
	s.safe, s.limits = box, store.NewLimiter(s.meter)
	s.hasher = reception.Argon2id{Parameters: cheap, Random: &endless{2}}
	s.Reception = &reception.Reception{
		Store: posted{store.NewAccountBook(s.meter), s}, Safe: counted{s}, Hasher: counted{s}, Limits: counted{s}, Names: names, Tokens: keeper, Random: &endless{3}, Clock: clock,
		Rates: reception.Standard(30), Pause: s.pause,
	}
	return s
}

// pause is another for each who pauses at once, so that they do not meet again.
func (s *scene) pause(_ context.Context, most time.Duration) error {
	<-time.After(most/8 + time.Duration(s.pauses.Add(1))*time.Millisecond)
	return nil
}

// unlimited lets everybody try as often as he likes.
func (s *scene) unlimited() {
	all := throttle.Rate{Burst: 1e6, Every: time.Millisecond}
	s.Rates = reception.Rates{Address: all, LogIn: all, Letters: all}
}

// counted counts what passes.
type counted struct{ s *scene }

func (c counted) Seal(ctx context.Context, at vault.Place, plain string) (string, error) {
	c.s.did.seals++
	return c.s.safe.Seal(ctx, at, plain)
}

func (c counted) Open(ctx context.Context, at vault.Place, sealed string) (string, error) {
	c.s.did.opens++
	return c.s.safe.Open(ctx, at, sealed)
}

func (c counted) Blind(k vault.Kind, address string) (string, bool) {
	c.s.did.blinds++
	return c.s.safe.Blind(k, address)
}

func (c counted) Hash(p password.Password) (string, error) {
	c.s.did.hashes++
	return c.s.hasher.Hash(p)
}

func (c counted) Verify(kept string, p password.Password) (bool, bool, error) {
	c.s.did.verifies++
	return c.s.hasher.Verify(kept, p)
}

func (c counted) Nobody() string { return c.s.hasher.Nobody() }

func (c counted) Take(ctx context.Context, k throttle.Key, r throttle.Rate, n int, now time.Time) error {
	c.s.did.limits++
	return c.s.limits.Take(ctx, k, r, n, now)
}

// posted reads the letters that are kept.
type posted struct {
	reception.Store
	s *scene
}

func (s *scene) read(p *mail.Post, err error) error {
	if p == nil || err != nil {
		return err
	}
	text, err := s.safe.Open(context.Background(), vault.Place{Table: "mail", Item: string(p.ID), Field: "letter"}, p.Sealed)
	l := mail.Letter{ID: p.ID, Kind: p.Kind, Locale: p.Locale}
	err = errors.Join(err, json.Unmarshal([]byte(text), &l))
	s.letters = append(s.letters, l)
	return err
}

func (p posted) Register(ctx context.Context, r account.Registration, e mail.Post) error {
	return p.s.read(&e, p.Store.Register(ctx, r, e))
}

func (p posted) Post(ctx context.Context, e mail.Post) error {
	return p.s.read(&e, p.Store.Post(ctx, e))
}

func (p posted) Save(ctx context.Context, was, next account.Account, e *mail.Post) error {
	return p.s.read(e, p.Store.Save(ctx, was, next, e))
}

func (p posted) SaveBoth(ctx context.Context, was, next account.Account, a, b account.Login, e *mail.Post) error {
	return p.s.read(e, p.Store.SaveBoth(ctx, was, next, a, b, e))
}

// blind is how an address is found.
func (s *scene) blind(address string) account.Blind {
	index, _ := s.safe.Blind(vault.Email, address)
	return account.Blind(index)
}

// what is the code of an error, "" for none.
func what(err error) string {
	var f *fault.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f) && f.Code != "":
		return f.Code
	}
	return err.Error()
}

// member has an account.
func (s *scene) member(t testing.TB, address, word string) {
	t.Helper()
	must(t, s.Reception.Register(t.Context(), reception.Application{Email: address, Password: word, Locale: "en", Key: "k", From: "192.0.2.1"}))
	must(t, s.Reception.Confirm(t.Context(), s.letters[len(s.letters)-1].Token, word, "192.0.2.1"))
}
