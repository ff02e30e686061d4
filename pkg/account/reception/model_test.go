package reception_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/reception"
	"github.com/fairseat/fairseat/pkg/session"
)

// twin is the naive reading of the rules: lists, and no writes that could fail.
type twin struct {
	now      time.Time
	accounts []*twinAccount // the living
	applied  []*twinApplication
	letters  []*twinLetter
	logins   []*twinLogin
}

type twinAccount struct {
	address, word int
	changes       int
}

type twinApplication struct {
	address, word, key int
	at                 time.Time
	taken              bool
	became             *twinAccount
}

// twinLetter is a letter of a reset.
type twinLetter struct {
	of      *twinAccount
	changes int
	at      time.Time
	token   string
}

type twinLogin struct {
	of       *twinAccount
	over     bool
	turn     int
	turnedAt time.Time
	at       time.Time
	person   session.Person
	turns    []string // tokens in order of turn
}

func (w *twin) holder(address int) *twinAccount {
	for _, a := range w.accounts {
		if a.address == address {
			return a
		}
	}
	return nil
}

func (w *twin) endAll(a *twinAccount, but *twinLogin) {
	for _, l := range w.logins {
		if l.of == a && l != but {
			l.over = true
		}
	}
}

func (w *twin) live(l *twinLogin) bool {
	return !l.over && w.now.Before(l.at.Add(account.LoginLength).Truncate(time.Second))
}

// play is a random schedule over the reception and its twin at once.
type play struct {
	*scene
	w       *twin
	confirm map[*twinApplication]string
	ctx     context.Context
	keys    int
}

const from = "192.0.2.1"

func address(i int) string { return fmt.Sprintf("person%d@example.org", i) }
func word(i int) string    { return fmt.Sprintf("%d bicycles in the rain", 100+i) }

func (p *play) register(t *rapid.T) (got, want string) {
	a := &twinApplication{address: rapid.IntRange(0, 1).Draw(t, "address"), word: rapid.IntRange(0, 1).Draw(t, "word"), key: rapid.IntRange(0, 2).Draw(t, "key"), at: p.w.now}
	before := len(p.letters)
	err := p.Reception.Register(p.ctx, reception.Application{Email: address(a.address), Password: word(a.word), Locale: "en", Key: fmt.Sprint(a.key), From: from})
	for _, was := range p.w.applied {
		if was.address != a.address || was.key != a.key {
			continue
		}
		kept := was.word
		if was.became != nil {
			kept = was.became.word
			if p.w.holder(a.address) != was.became {
				return what(err), "" // erased since
			}
		}
		if kept != a.word {
			return what(err), "idempotency_mismatch"
		}
		return what(err), ""
	}
	a.taken = p.w.holder(a.address) != nil
	p.w.applied = append(p.w.applied, a)
	if len(p.letters) != before+1 || (p.letters[before].Token == "") != a.taken {
		t.Fatalf("letters %+v", p.letters[before:])
	}
	p.confirm[a] = p.letters[before].Token
	return what(err), ""
}

func (p *play) verify(t *rapid.T) (got, want string) {
	if len(p.w.applied) == 0 {
		return "", ""
	}
	a, tried := rapid.SampledFrom(p.w.applied).Draw(t, "letter"), rapid.IntRange(0, 1).Draw(t, "word")
	got = what(p.Reception.Confirm(p.ctx, p.confirm[a], word(tried), from))
	kept := a.word
	if a.became != nil {
		if kept = a.became.word; p.w.holder(a.address) != a.became {
			return got, "invalid_token"
		}
	}
	switch {
	case a.taken || !p.w.now.Before(a.at.Add(account.ConfirmLength)):
		return got, "invalid_token"
	case kept != tried:
		return got, "wrong_credentials"
	case a.became != nil:
		return got, ""
	case p.w.holder(a.address) != nil:
		return got, "account_exists"
	}
	a.became = &twinAccount{address: a.address, word: a.word}
	p.w.accounts = append(p.w.accounts, a.became)
	return got, ""
}

func (p *play) logIn(t *rapid.T) (got, want string) {
	at, tried := rapid.IntRange(0, 1).Draw(t, "address"), rapid.IntRange(0, 1).Draw(t, "word")
	g, err := p.Reception.LogIn(p.ctx, reception.Credentials{Email: address(at), Password: word(tried), From: from})
	a := p.w.holder(at)
	if a == nil || a.word != tried {
		return what(err), "wrong_credentials"
	}
	if err == nil {
		person, err := p.Tokens.Account(g.Access, p.w.now)
		must(t, err)
		p.w.logins = append(p.w.logins, &twinLogin{of: a, turnedAt: p.w.now, at: p.w.now, person: person, turns: []string{g.Renewal}})
	}
	return what(err), ""
}

func (p *play) renew(t *rapid.T) (got, want string) {
	if len(p.w.logins) == 0 {
		return "", ""
	}
	l := rapid.SampledFrom(p.w.logins).Draw(t, "login")
	n := rapid.IntRange(max(0, len(l.turns)-3), len(l.turns)-1).Draw(t, "turn")
	g, err := p.Renew(p.ctx, l.turns[n])
	switch {
	case !p.w.live(l):
		return what(err), "unauthorized"
	case n == l.turn:
		l.turn, l.turnedAt = l.turn+1, p.w.now
		l.turns = append(l.turns, g.Renewal)
	case n == l.turn-1 && p.w.now.Before(l.turnedAt.Add(account.Again)):
		if g.Renewal != l.turns[l.turn] {
			t.Fatal("a lost answer comes otherwise")
		}
	default:
		l.over = true
		return what(err), "unauthorized"
	}
	return what(err), ""
}

func (p *play) someLogin(t *rapid.T) *twinLogin {
	if len(p.w.logins) == 0 {
		return nil
	}
	return rapid.SampledFrom(p.w.logins).Draw(t, "login")
}

func (p *play) leave(t *rapid.T) (got, want string) {
	l := p.someLogin(t)
	switch how := rapid.IntRange(0, 2).Draw(t, "how"); {
	case l == nil:
	case how == 0:
		got = what(p.LogOut(p.ctx, l.person))
		l.over = true
	case how == 1:
		got = what(p.LogOutEverywhere(p.ctx, l.person))
		if p.w.live(l) {
			p.w.endAll(l.of, nil)
		}
	default:
		got = what(p.Reception.Erase(p.ctx, l.person))
		switch {
		case p.w.holder(l.of.address) != l.of:
			return got, "" // it is erased
		case !p.w.live(l):
			return got, "unauthorized"
		case !p.w.now.Before(l.at.Add(account.Recent)):
			return got, "recent_login_required"
		}
		p.w.endAll(l.of, nil)
		for i, a := range p.w.accounts {
			if a == l.of {
				p.w.accounts = append(p.w.accounts[:i:i], p.w.accounts[i+1:]...)
				break
			}
		}
	}
	return got, ""
}

func (p *play) change(t *rapid.T) (got, want string) {
	l := p.someLogin(t)
	if l == nil {
		return "", ""
	}
	old, next := rapid.IntRange(0, 1).Draw(t, "old"), rapid.IntRange(0, 1).Draw(t, "new")
	got = what(p.Reception.ChangePassword(p.ctx, l.person, word(old), word(next)))
	switch {
	case !p.w.live(l):
		return got, "unauthorized"
	case l.of.word != old:
		return got, "wrong_credentials"
	}
	l.of.word, l.of.changes = next, l.of.changes+1
	p.w.endAll(l.of, l)
	return got, ""
}

func (p *play) askReset(t *rapid.T) (got, want string) {
	at := rapid.IntRange(0, 1).Draw(t, "address")
	p.keys++
	before := len(p.letters)
	got = what(p.AskReset(p.ctx, address(at), fmt.Sprint("reset", p.keys), from))
	if a := p.w.holder(at); a != nil {
		p.w.letters = append(p.w.letters, &twinLetter{a, a.changes, p.w.now, p.letters[before].Token})
	} else if p.letters[before].Token != "" {
		t.Fatal("a letter to nobody resets a password")
	}
	return got, ""
}

func (p *play) reset(t *rapid.T) (got, want string) {
	if len(p.w.letters) == 0 {
		return "", ""
	}
	l, next := rapid.SampledFrom(p.w.letters).Draw(t, "letter"), rapid.IntRange(0, 1).Draw(t, "new")
	got = what(p.Reception.Reset(p.ctx, l.token, word(next), from))
	switch again := l.changes+1 == l.of.changes && l.of.word == next; {
	case !p.w.now.Before(l.at.Add(account.ResetLength).Truncate(time.Second)), p.w.holder(l.of.address) != l.of:
		return got, "invalid_token"
	case again:
		return got, ""
	case l.changes != l.of.changes:
		return got, "invalid_token"
	}
	l.of.word, l.of.changes = next, l.of.changes+1
	p.w.endAll(l.of, nil)
	return got, ""
}

func (p *play) pass(t *rapid.T) (got, want string) {
	p.w.now = p.w.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, 31 * time.Second, 6 * time.Minute, 31 * time.Minute, 13 * time.Hour}).Draw(t, "time"))
	p.now = p.w.now
	return "", ""
}

// TestLikeItsTwin: whatever people do in whatever order, the reception answers as
// the naive reading of the rules, and who is in and who is out is the same.
func TestLikeItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newScene(t, nil)
		s.unlimited()
		p := &play{scene: s, w: &twin{now: s.now}, confirm: map[*twinApplication]string{}, ctx: context.Background()}
		acts := map[string]func(*rapid.T) (string, string){
			"register": p.register, "verify": p.verify, "log in": p.logIn, "renew": p.renew, "leave": p.leave,
			"change": p.change, "ask reset": p.askReset, "reset": p.reset, "pass": p.pass,
		}
		names := []string{"register", "verify", "verify", "log in", "log in", "renew", "renew", "leave", "change", "ask reset", "reset", "pass"}
		for range rapid.IntRange(1, 60).Draw(t, "acts") {
			name := rapid.SampledFrom(names).Draw(t, "act")
			if got, want := acts[name](t); got != want {
				t.Fatalf("%s: %q, want %q", name, got, want)
			}
			for i, l := range p.w.logins {
				_, err := p.Enter(p.ctx, l.person)
				if in := err == nil; in != p.w.live(l) {
					t.Fatalf("after %s log-in %d is in: %v, want %v (%v)", name, i, in, p.w.live(l), err)
				}
			}
		}
	})
}
