package e2e_test

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/account"
)

// login is what a log-in is answered with.
type login struct {
	Account string `json:"account_id"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// member is somebody with an account, on one device.
type member struct {
	buyer
	login
	email, password string
}

// proofIn waits for a letter to the address that has a token of the kind.
func proofIn(t *testing.T, to, kind string) (token string) {
	t.Helper()
	eventually(t, 20*time.Second, func() error {
		all, err := letters(to)
		for _, m := range all {
			for _, w := range strings.Fields(m.Text) {
				if strings.HasPrefix(w, kind) {
					token = w
				}
			}
		}
		if err == nil && token == "" {
			err = yet("no letter to %s with %s", to, kind)
		}
		return err
	})
	return token
}

// register makes an account by way of its letter, and logs in.
func register(t *testing.T) *member {
	t.Helper()
	m := &member{buyer: buyer{client(), t}, email: "p" + strings.ToLower(rand.Text()) + "@people.example", password: "by bicycle " + rand.Text()}
	must(t, m.post("/accounts", map[string]string{"email": m.email, "password": m.password, "locale": "zh"}, nil))
	must(t, m.post("/accounts/verifications", map[string]string{"token": proofIn(t, m.email, "fsc1."), "password": m.password}, nil))
	must(t, m.logIn(m.password, ""))
	return m
}

func (m *member) post(path string, in, out any) error {
	return m.Call(m.ctx(), http.MethodPost, path, "", in, out)
}

func (m *member) drop(path string) error {
	return m.Call(m.ctx(), http.MethodDelete, path, "", nil, nil)
}

func (m *member) logIn(password, code string) error {
	in := map[string]string{"email": m.email, "password": password}
	if code != "" {
		in["code"] = code
	}
	err := m.post("/logins", in, &m.login)
	m.Token = m.Access
	return err
}

func (m *member) refresh(token string) (next login, err error) {
	err = m.post("/logins/refresh", map[string]string{"refresh_token": token}, &next)
	return next, err
}

type profile struct {
	ID     string
	Email  string
	Name   *string
	Locale string
	Totp   bool
}

// TestAccount: registered by letter, an account buys as a guest does; a refresh
// token that comes again ends the log-in; a reset ends them all.
func TestAccount(t *testing.T) {
	t.Parallel()
	m := register(t)
	s := shop.open(t, "arthouse-40")
	h := m.hold(s, s.regular(t, 2, 0)...)
	if who := string(m.who(h.ID)); who != m.Account || !strings.HasPrefix(who, "u_") {
		t.Errorf("the hold is of %s, not of %s", who, m.Account)
	}
	refused(t, guest(t).get("/holds/"+h.ID, nil), 404, "not_found")
	m.release(h.ID)

	next, err := m.refresh(m.Refresh)
	must(t, err)
	if again, err := m.refresh(m.Refresh); err != nil || again.Refresh != next.Refresh {
		t.Errorf("a lost answer comes otherwise: %v", err)
	}
	third, err := m.refresh(next.Refresh)
	must(t, err)
	_, err = m.refresh(m.Refresh) // two turns ago
	refused(t, err, 401, "unauthorized")
	_, err = m.refresh(third.Refresh)
	refused(t, err, 401, "unauthorized")
	refused(t, m.get("/me", nil), 401, "unauthorized")

	must(t, m.logIn(m.password, ""))
	other := *m
	other.Client = client()
	must(t, other.logIn(m.password, ""))
	must(t, m.drop("/logins/current"))
	must(t, other.get("/me", nil))
	must(t, other.drop("/logins"))
	refused(t, other.get("/me", nil), 401, "unauthorized")

	must(t, m.post("/password-resets", map[string]string{"email": strings.ToUpper(m.email)}, nil))
	fresh := map[string]string{"token": proofIn(t, m.email, "fsp1."), "password": "on foot " + rand.Text()}
	must(t, m.post("/password-resets/confirmations", fresh, nil))
	refused(t, m.logIn(m.password, ""), 401, "wrong_credentials")
	must(t, m.logIn(fresh["password"], ""))
	must(t, m.Call(m.ctx(), http.MethodPut, "/me/password", "", map[string]string{"current_password": fresh["password"], "new_password": m.password}, nil))
	must(t, m.logIn(m.password, ""))
}

// TestSecondFactor: a log-in needs a code once the factor is on; recovery codes work
// in its place, each once.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	m := register(t)
	var e struct{ Secret, URI string }
	must(t, m.post("/me/totp", nil, &e))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.Secret)
	must(t, err)
	var on struct {
		Codes []string `json:"recovery_codes"`
	}
	must(t, m.post("/me/totp/confirmations", map[string]string{"code": account.Code(secret, time.Now().Unix()/30)}, &on))
	refused(t, m.logIn(m.password, ""), 401, "code_required")
	refused(t, m.logIn(m.password, "nonsense"), 401, "wrong_code")
	must(t, m.logIn(m.password, on.Codes[0]))
	refused(t, m.logIn(m.password, on.Codes[0]), 401, "wrong_code")
	must(t, m.logIn(m.password, on.Codes[1]))
	if p := read[profile](&m.buyer, "/me"); !p.Totp {
		t.Errorf("%+v", p)
	}
	must(t, m.drop("/me/totp"))
	must(t, m.logIn(m.password, ""))
}

// TestErase: the profile is one's own to change, to take along and to take away; the
// address is free then, and its letters tell what it is.
func TestErase(t *testing.T) {
	t.Parallel()
	m := register(t)
	must(t, m.Call(m.ctx(), http.MethodPatch, "/me", "", map[string]any{"name": "李小明", "locale": "en"}, nil))
	if p := read[profile](&m.buyer, "/me"); p.Email != m.email || p.Name == nil || *p.Name != "李小明" || p.Locale != "en" || p.ID != m.Account {
		t.Errorf("%+v", p)
	}
	sh := shop.open(t, "arthouse-40")
	order := m.buy(sh, sh.regular(t, 1, 0)...).ID
	var export struct {
		Profile profile
		Orders  []struct{ ID string }
		Logins  []struct{ Current bool }
	}
	eventually(t, listsFollow, func() error {
		must(t, m.get("/me/export", &export))
		if len(export.Orders) != 1 || export.Orders[0].ID != order {
			return yet("orders %v, not %s", export.Orders, order)
		}
		return nil
	})
	if export.Profile.Email != m.email || len(export.Logins) != 1 || !export.Logins[0].Current {
		t.Errorf("%+v", export)
	}
	must(t, m.post("/accounts", map[string]string{"email": m.email, "password": "somebody else's " + rand.Text()}, nil))
	key := makeKey(t, m.Client)
	must(t, m.drop("/me"))
	must(t, m.drop("/me"))
	eventually(t, 5*time.Second, func() error {
		if r := withKey(t, key.Key); r.Status != 403 {
			return fmt.Errorf("a key of an account that was erased: %d", r.Status)
		}
		return nil
	})
	if o := read[apiclient.Order](&m.buyer, "/orders/"+order); o.Status != "PAID" { // the books stand
		t.Errorf("%+v", o)
	}
	refused(t, m.get("/me", nil), 401, "unauthorized")
	refused(t, m.logIn(m.password, ""), 401, "wrong_credentials")
	must(t, m.post("/password-resets", map[string]string{"email": m.email}, nil))
	eventually(t, 20*time.Second, func() error { // confirmed, taken, nobody
		all, err := letters(m.email)
		if err == nil && len(all) != 3 {
			err = yet("%d letters, not 3", len(all))
		}
		return err
	})
}

// TestAccountLimit: guesses at one password are slowed, whoever makes them.
func TestAccountLimit(t *testing.T) {
	t.Parallel()
	m := &member{buyer: buyer{client(), t}, email: strings.ToLower(rand.Text()) + "@people.example"}
	for range 20 {
		err := m.logIn("by bicycle "+rand.Text(), "")
		var p *apiclient.Problem
		if errors.As(err, &p) && p.Status == 429 {
			if p.Code != "too_many_requests" || p.RetryAfter == "" {
				t.Errorf("%+v", p)
			}
			return
		}
		refused(t, err, 401, "wrong_credentials")
	}
	t.Error("twenty guesses in a row")
}
