package api

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/account"
	"github.com/fairseat/fairseat/pkg/account/password"
	"github.com/fairseat/fairseat/pkg/account/reception"
	"github.com/fairseat/fairseat/pkg/mail"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/throttle"
	"github.com/fairseat/fairseat/pkg/vault"
	"github.com/fairseat/fairseat/pkg/vault/vaulttest"
)

// mailbox keeps what is posted, and opens it as the post would.
type mailbox struct {
	reception.Store
	safe reception.Safe
	got  []mail.Letter
}

func (m *mailbox) take(ctx context.Context, p *mail.Post, err error) error {
	if p == nil || err != nil {
		return err
	}
	text, err := m.safe.Open(ctx, vault.Place{Table: "mail", Item: string(p.ID), Field: "letter"}, p.Sealed)
	l := mail.Letter{ID: p.ID, Kind: p.Kind}
	err = errors.Join(err, json.Unmarshal([]byte(text), &l))
	m.got = append(m.got, l)
	return err
}

func (m *mailbox) Register(ctx context.Context, r account.Registration, e mail.Post) error {
	return m.take(ctx, &e, m.Store.Register(ctx, r, e))
}

func (m *mailbox) Post(ctx context.Context, e mail.Post) error {
	return m.take(ctx, &e, m.Store.Post(ctx, e))
}

func (m *mailbox) Save(ctx context.Context, was, next account.Account, e *mail.Post) error {
	return m.take(ctx, e, m.Store.Save(ctx, was, next, e))
}

func (m *mailbox) SaveBoth(ctx context.Context, was, next account.Account, a, b account.Login, e *mail.Post) error {
	return m.take(ctx, e, m.Store.SaveBoth(ctx, was, next, a, b, e))
}

// last is the latest letter, which must be of the kind.
func (m *mailbox) last(t testing.TB, k mail.Kind) mail.Letter {
	t.Helper()
	if len(m.got) == 0 || m.got[len(m.got)-1].Kind != k {
		t.Fatalf("letters %+v, want %s last", m.got, k)
	}
	return m.got[len(m.got)-1]
}

// endless is a random source that repeats itself no sooner than a test ends.
type endless struct{ n uint64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		e.n = e.n*6364136223846793005 + 1442695040888963407
		p[i] = byte(e.n >> 56)
	}
	return len(p), nil
}

// desk is the reception of a world, with cheap hashes.
func (w *world) desk(t store.Tables, k *session.Keeper) *reception.Reception {
	safe, err := vault.New(vaulttest.NewKeys(), vaulttest.NewShelf(), "the index's secret", w.clock)
	must(w.t, err)
	names, err := throttle.NewNamer("the sessions' secret")
	must(w.t, err)
	w.letters = &mailbox{Store: store.NewAccountBook(t), safe: safe}
	return &reception.Reception{
		Store: w.letters, Safe: safe, Limits: store.NewLimiter(t), Names: names, Tokens: k, Random: &endless{3}, Clock: w.clock,
		Hasher: reception.Argon2id{Parameters: password.Parameters{Memory: 8, Time: 1, Threads: 1}, Random: &endless{4}}, Rates: reception.Standard(1000), Pause: w.pause,
	}
}

func sent(method, path, body string) want {
	q := post(path, body)
	q.method = method
	return q
}

const rain = "a bicycle in the rain"

func creds(email, pass string) string {
	b, _ := json.Marshal(map[string]string{"email": email, "password": pass})
	return string(b)
}

func token(pass, of string) string {
	b, _ := json.Marshal(map[string]string{"password": pass, "token": of})
	return string(b)
}

// member registers, verifies and logs in.
func (w *world) member(email string) answer {
	w.t.Helper()
	w.expect(post("/accounts", creds(email, rain)).keyed("register"), 202, "")
	w.expect(post("/accounts/verifications", token(rain, w.letters.last(w.t, mail.Verify).Token)), 204, "")
	return w.logIn(email, rain)
}

func (w *world) logIn(email, pass string) answer {
	w.t.Helper()
	return w.expect(post("/logins", creds(email, pass)), 201, "")
}

// TestAccount is a life: from the first letter to the erasure.
func TestAccount(t *testing.T) {
	w := newWorld(t)
	in := w.member("ann@example.org")
	bearer := in.str("access_token")
	me := w.expect(get("/me").by(bearer), 200, "")
	if me.str("email") != "ann@example.org" || me.str("id") != in.str("account_id") || me.doc["name"] != nil || me.doc["totp"] != false {
		t.Errorf("%s", me.Body)
	}
	hold := w.hold(bearer, "open", "D-1") // an account buys as a guest does
	w.expect(get("/holds/"+hold.str("id")).by(bearer), 200, "")
	w.expect(get("/holds/"+hold.str("id")).by(w.guest()), 404, "not_found")

	changed := w.expect(sent("PATCH", "/me", `{"name":"Ann Miller","phone":"+41791234567","locale":"zh-Hant-TW"}`).by(bearer), 200, "")
	if changed.str("name") != "Ann Miller" || changed.str("phone") != "+41791234567" || changed.str("locale") != "zh-Hant-TW" {
		t.Errorf("%s", changed.Body)
	}
	if a := w.expect(sent("PATCH", "/me", `{"phone":null}`).by(bearer), 200, ""); a.doc["phone"] != nil || a.str("name") != "Ann Miller" {
		t.Errorf("%s", a.Body)
	}
	export := w.expect(get("/me/export").by(bearer), 200, "")
	if !strings.Contains(export.Body, `"current":true`) || !strings.Contains(export.Body, `"orders":[]`) || !strings.Contains(export.Body, "ann@example.org") {
		t.Errorf("%s", export.Body)
	}
	key := w.expect(post("/developer/keys", `{"name":"an app","accept_terms":true}`).by(bearer).keyed("a key"), 201, "").str("key")
	if !w.letIn(key) {
		t.Error("an account's key opens nothing")
	}
	w.expect(drop("/me").by(bearer), 204, "")
	w.expect(drop("/me").by(bearer), 204, "")
	if w.letIn(key) {
		t.Error("the key of an erased account opens")
	}
	w.expect(get("/developer").by(bearer), 404, "not_found")
	w.expect(get("/me").by(bearer), 401, "unauthorized")
	w.expect(post("/logins", creds("ann@example.org", rain)), 401, "wrong_credentials")
	w.expect(get("/holds/"+hold.str("id")).by(bearer), 200, "") // the books keep what an id bought
	w.expect(post("/accounts", creds("ann@example.org", rain)).keyed("anew"), 202, "")
	w.letters.last(t, mail.Verify) // the address is free
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	in := w.member("ann@example.org")
	refresh := func(token string) want { return post("/logins/refresh", fmt.Sprintf(`{"refresh_token":%q}`, token)) }
	first := in.str("refresh_token")
	second := w.expect(refresh(first), 200, "").str("refresh_token")
	if again := w.expect(refresh(first), 200, "").str("refresh_token"); again != second {
		t.Error("an answer that was lost comes otherwise the second time")
	}
	w.pass(time.Minute)
	third := w.expect(refresh(second), 200, "")
	w.expect(refresh(first), 401, "unauthorized") // a copy in two hands
	w.expect(refresh(third.str("refresh_token")), 401, "unauthorized")
	w.expect(get("/me").by(third.str("access_token")), 401, "unauthorized")
	for _, bad := range []string{"", "x", third.str("access_token"), w.guest(), strings.Replace(first, "fsr1.", "fsu1.", 1)} {
		w.expect(refresh(bad), 401, "unauthorized")
	}
	one, two := w.logIn("ann@example.org", rain), w.logIn("ann@example.org", rain)
	w.expect(drop("/logins/current").by(one.str("access_token")), 204, "")
	w.expect(drop("/logins/current").by(one.str("access_token")), 204, "")
	w.expect(refresh(one.str("refresh_token")), 401, "unauthorized")
	w.expect(refresh(two.str("refresh_token")), 200, "")
	w.expect(drop("/logins").by(one.str("access_token")), 204, "") // it is over, and ends nothing
	w.expect(get("/me").by(two.str("access_token")), 200, "")
	w.expect(drop("/logins").by(two.str("access_token")), 204, "")
	w.expect(get("/me").by(two.str("access_token")), 401, "unauthorized")
}

func TestPasswordReset(t *testing.T) {
	w := newWorld(t)
	in := w.member("ann@example.org")
	ask := post("/password-resets", `{"email":"Ann@Example.org"}`)
	w.expect(ask.keyed("1"), 202, "")
	w.expect(ask.keyed("1"), 202, "")
	if n := len(w.letters.got); n != 2 {
		t.Errorf("%d letters, want 2", n)
	}
	letter := w.letters.last(t, mail.Reset).Token
	set := func(pass string) want { return post("/password-resets/confirmations", token(pass, letter)) }
	w.expect(set("password"), 422, "password_common")
	w.expect(set("short"), 422, "password_length")
	w.expect(set("another bicycle"), 204, "")
	w.expect(set("another bicycle"), 204, "")
	w.expect(set("a third bicycle"), 422, "invalid_token")
	w.letters.last(t, mail.Changed)
	w.expect(get("/me").by(in.str("access_token")), 401, "unauthorized")
	w.expect(post("/logins", creds("ann@example.org", rain)), 401, "wrong_credentials")
	bearer := w.logIn("ann@example.org", "another bicycle").str("access_token")
	change := func(old, pass string) want {
		return sent("PUT", "/me/password", fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, old, pass)).by(bearer)
	}
	w.expect(change(rain, "a third bicycle"), 401, "wrong_credentials")
	w.expect(change("another bicycle", "12345678"), 422, "password_common")
	w.expect(change("another bicycle", "a third bicycle"), 204, "")
	w.expect(get("/me").by(bearer), 200, "") // who changed it stays
	w.pass(account.ResetLength)
	w.expect(set("another bicycle"), 422, "invalid_token")
}

func TestTotp(t *testing.T) {
	w := newWorld(t)
	bearer := w.member("ann@example.org").str("access_token")
	w.expect(post("/me/totp/confirmations", `{"code":"000000"}`).by(bearer).keyed("c0"), 409, "no_factor")
	e := w.expect(want{method: "POST", path: "/me/totp"}.by(bearer).keyed("t"), 201, "")
	if again := w.expect(want{method: "POST", path: "/me/totp"}.by(bearer).keyed("t"), 201, ""); again.Body != e.Body {
		t.Error("the same request has another secret")
	}
	if !strings.HasPrefix(e.str("uri"), "otpauth://totp/Fairseat:ann@example.org?") || !strings.Contains(e.str("uri"), e.str("secret")) {
		t.Errorf("%s", e.Body)
	}
	code := func() string { return codeAt(t, e.str("secret"), w.clock()) }
	w.expect(post("/me/totp/confirmations", `{"code":"abcdef"}`).by(bearer).keyed("c1"), 401, "wrong_code")
	done := post("/me/totp/confirmations", fmt.Sprintf(`{"code":%q}`, code())).by(bearer).keyed("c2")
	codes := w.expect(done, 201, "")
	if again := w.expect(done, 201, ""); again.Body != codes.Body {
		t.Error("the same request has other codes")
	}
	w.expect(done.without("Idempotency-Key").keyed("c3"), 409, "factor_on")
	with := func(code string) want {
		return post("/logins", fmt.Sprintf(`{"email":"ann@example.org","password":%q,"code":%q}`, rain, code))
	}
	w.expect(post("/logins", creds("ann@example.org", rain)), 401, "code_required")
	w.expect(with(code()), 401, "wrong_code") // it was used to turn the factor on
	w.pass(5 * time.Minute)
	w.expect(with(code()), 201, "")
	w.expect(with(code()), 401, "wrong_code")
	recovery := codes.doc["recovery_codes"].([]any)[3].(string)
	bearer = w.expect(with(strings.ToUpper(recovery)), 201, "").str("access_token")
	w.expect(with(recovery), 401, "wrong_code")
	w.expect(want{method: "POST", path: "/me/totp"}.by(bearer).keyed("u"), 409, "factor_on")
	w.expect(drop("/me/totp").by(bearer), 204, "")
	w.expect(drop("/me/totp").by(bearer), 204, "")
	w.logIn("ann@example.org", rain)
}

// TestNotRecent: what a stolen token must not do needs a log-in of late.
func TestNotRecent(t *testing.T) {
	w := newWorld(t)
	bearer := w.member("ann@example.org").str("access_token")
	w.pass(account.Recent)
	w.expect(drop("/me").by(bearer), 403, "recent_login_required")
	w.expect(drop("/me/totp").by(bearer), 403, "recent_login_required")
	w.expect(want{method: "POST", path: "/me/totp"}.by(bearer).keyed("t"), 403, "recent_login_required")
	w.expect(get("/me").by(bearer), 200, "")
	w.pass(session.AccessLength - account.Recent)
	w.expect(get("/me").by(bearer), 401, "unauthorized")
}

func TestAccountRefusals(t *testing.T) {
	w := newWorld(t)
	w.expect(post("/accounts", creds("ann@example.org", rain)), 400, "idempotency_key_required")
	w.expect(post("/password-resets", `{"email":"ann@example.org"}`), 400, "idempotency_key_required")
	for body, code := range map[string]string{
		`{}`: "bad_request", `{"email":"ann@example.org"}`: "bad_request", `{"email":7,"password":"x"}`: "bad_request",
		`{"email":"a@b.c","password":"` + rain + `","x":1}`: "bad_request", `{"email":"a@b.ch","password":"` + rain + `","locale":"EN"}`: "bad_request",
		`{"email":"` + strings.Repeat("a", 2000) + `@b.ch","password":"` + rain + `"}`: "bad_request",
		creds("ann", rain): "invalid_email", creds("ann@example.org", "short"): "password_length", creds("ann@example.org", "password123"): "password_common",
		creds("", rain): "invalid_email", creds("ann@example", rain): "invalid_email", creds("ann@exämple.org", rain): "invalid_email",
	} {
		status := 422
		if code == "bad_request" {
			status = 400
		}
		w.expect(post("/accounts", body).keyed("k"), status, code)
	}
	guest := w.guest()
	for _, q := range []want{
		get("/me"), drop("/me"), sent("PATCH", "/me", `{}`), sent("PUT", "/me/password", `{}`), want{method: "POST", path: "/me/totp"}.keyed("k"), drop("/me/totp"),
		post("/me/totp/confirmations", `{}`).keyed("k"), get("/me/export"), drop("/logins"), drop("/logins/current"),
	} {
		w.expect(q, 401, "unauthorized")
		w.expect(q.by(guest), 401, "unauthorized")
	}
	bearer := w.member("ann@example.org").str("access_token")
	for _, body := range []string{`{"name":""}`, `{"name":" x"}`, `{"name":"a\nb"}`, `{"locale":null}`, `{"locale":"xx-"}`, `{"phone":"0791234567"}`, `{"phone":7}`, `{"email":"b@c.de"}`, `[]`} {
		w.expect(sent("PATCH", "/me", body).by(bearer), 400, "bad_request")
	}
	w.expect(post("/accounts/verifications", token(rain, "fsc1.x")), 422, "invalid_token")
	w.expect(post("/password-resets/confirmations", token(rain, bearer)), 422, "invalid_token")
	if bytes.Contains(w.log.Bytes(), []byte("ann@")) {
		t.Errorf("the log names a person: %s", w.log.String())
	}
}

// TestLimits: whoever guesses is told to wait, and for which limit nobody tells.
func TestLogInLimit(t *testing.T) {
	w := newWorld(t)
	w.member("ann@example.org")
	var last answer
	for range 9 {
		last = w.expect(post("/logins", creds("ann@example.org", "not the bicycle")), 401, "wrong_credentials")
	}
	last = w.expect(post("/logins", creds("ann@example.org", rain)), 429, "too_many_requests")
	if last.Headers["Retry-After"] != "60" {
		t.Errorf("%v", last.Headers)
	}
	w.expect(post("/logins", creds("bob@example.org", rain)), 401, "wrong_credentials")
	w.pass(time.Minute)
	w.logIn("ann@example.org", rain)
}

func TestForms(t *testing.T) {
	for s, want := range map[string]bool{
		"en": true, "zh-Hant-TW": true, "zh-Hant": true, "gsw-CH": true, "es-419": true, "": false, "e": false, "EN": false, "en-": false, "en_US": false,
		"en-us": false, "en-US-x": false, "zh-hant": false, "zh-Hant-Hans": false, "abcd": false, "-US": false,
	} {
		if isLocale(s) != want {
			t.Errorf("locale %q", s)
		}
	}
	for s, want := range map[string]bool{"+41791234567": true, "+1234567": true, "+123456": false, "+1234567890123456": false, "41791234567": false, "+0791234567": false, "": false, "+": false, "+41 79 123": false} {
		if isPhone(s) != want {
			t.Errorf("phone %q", s)
		}
	}
}

func codeAt(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	raw, err := base32Of.DecodeString(secret)
	must(t, err)
	return account.Code(raw, at.Unix()/30)
}

var base32Of = base32.StdEncoding.WithPadding(base32.NoPadding)
