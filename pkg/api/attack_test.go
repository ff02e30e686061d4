package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/socket"
)

// attackTokens are what somebody may try who has tokens of his own, has read this
// code, and does not have the key. None of them is good for any call.
func attackTokens(t *testing.T, w *world) map[string]string {
	t.Helper()
	wire := base64.RawURLEncoding
	now := w.clock()
	guest := w.guest()
	access, _ := w.keeper.Access(session.AccountID{7}, session.LoginID{7}, now)
	renewal := w.keeper.Renewal(session.Turn{Account: session.AccountID{7}, Login: session.LoginID{7}})
	stranger, err := session.New(rand.Reader, "the secret of another deployment")
	must(t, err)
	theirs, err := stranger.Issue(now)
	must(t, err)
	theirAccess, _ := stranger.Access(session.AccountID{7}, session.LoginID{7}, now)
	old, err := w.keeper.Issue(now.Add(-session.Length))
	must(t, err)
	oldAccess, _ := w.keeper.Access(session.AccountID{7}, session.LoginID{7}, now.Add(-session.AccessLength))
	early, _ := w.keeper.Access(session.AccountID{7}, session.LoginID{7}, now.Add(time.Hour))
	press, err := socket.NewPress("the sessions' secret")
	must(t, err)
	keys, err := developer.NewPress("the sessions' secret")
	must(t, err)

	all := map[string]string{
		"another deployment's guest": theirs.Token, "another deployment's account": theirAccess,
		"expired guest": old.Token, "expired access": oldAccess, "access that ends too late": early,
		"renewal": renewal, "socket ticket": press.Text("g_x", "k"), "developer key": string(keys.Text("u_x", "k_x")), "gateway key": gatewayKey,
		"buyer's id": string(session.AccountID{7}.Buyer()), "account's id": session.AccountID{7}.String(),
		"null": "null", "undefined": "undefined", "true": "true", "star": "*", "object": "[object Object]", "dollar": `{"$ne":null}`, "sql": `'OR'1'='1`, "path": "../../etc/passwd",
		"long": strings.Repeat("A", 8192), "kind alone": "fsg1.", "kind and zeros": "fsg1." + wire.EncodeToString(make([]byte, 56)), "access of zeros": "fsu1." + wire.EncodeToString(make([]byte, 72)),
	}
	for name, good := range map[string]string{"guest": guest, "access": access} {
		kind, text, _ := strings.Cut(good, ".")
		raw, err := wire.DecodeString(text)
		must(t, err)
		body, mac := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
		forge := func(body, mac []byte) string {
			return kind + "." + wire.EncodeToString(append(append([]byte{}, body...), mac...))
		}
		later := append([]byte{}, body...)
		binary.BigEndian.PutUint64(later[len(later)-8:], uint64(now.Add(100*365*24*time.Hour).Unix()))
		flip := func(i int) string {
			r := append([]byte{}, raw...)
			r[i] ^= 1
			return kind + "." + wire.EncodeToString(r)
		}
		signed := func(key string) []byte {
			m := hmac.New(sha256.New, []byte(key))
			m.Write(body)
			return m.Sum(nil)
		}
		for how, token := range map[string]string{
			"first bit": flip(0), "last bit of body": flip(len(body) - 1), "first bit of mac": flip(len(body)), "last bit of mac": flip(len(raw) - 1),
			"ends later": forge(later, mac), "no mac": kind + "." + wire.EncodeToString(body), "zero mac": forge(body, make([]byte, 32)), "half a mac": forge(body, mac[:16]),
			"mac twice": forge(body, append(append([]byte{}, mac...), mac...)), "mac of an empty key": forge(body, signed("")), "mac of the secret's name": forge(body, signed("SESSION_SECRET")),
			"plain hash": forge(body, func() []byte { h := sha256.Sum256(body); return h[:] }()),
			"cut":        good[:len(good)-1], "longer": good + "A", "padded": good + "=", "point": good + ".", "space in it": kind + ". " + text, "line break in it": kind + "." + text[:8] + "\n" + text[8:],
			"upper case": strings.ToUpper(good), "kind in capitals": strings.ToUpper(kind) + "." + text, "no kind": text, "other kind": map[string]string{"fsg1": "fsu1", "fsu1": "fsg1"}[kind] + "." + text,
			"kind of renewals": "fsr1." + text, "kind of the future": kind[:3] + "2." + text, "kind twice": kind + "." + good, "percent-encoded": strings.ReplaceAll(good, ".", "%2E"),
			"standard alphabet": kind + "." + base64.StdEncoding.EncodeToString(append(raw[:len(raw)-1], 0xff)), "hexadecimal": kind + "." + fmt.Sprintf("%x", raw), "zero byte": good + "\x00", "quoted": `"` + good + `"`, "listed": good + "," + good,
		} {
			all[name+", "+how] = token
		}
	}
	part := func(s string) string { return wire.EncodeToString([]byte(s)) }
	claims := part(fmt.Sprintf(`{"sub":%q,"exp":4102444800}`, session.AccountID{7}.Buyer()))
	for name, header := range map[string]string{
		"none": `{"alg":"none"}`, "None": `{"alg":"None","typ":"JWT"}`, "HS256": `{"alg":"HS256","typ":"JWT"}`, "RS256": `{"alg":"RS256"}`, "kid": `{"alg":"HS256","kid":"../../dev/null"}`,
		"jwk": `{"alg":"RS256","jwk":{"kty":"RSA","e":"AQAB","n":"AQAB"}}`, "jku": `{"alg":"RS256","jku":"https://evil.test/keys"}`, "b64": `{"alg":"HS256","b64":false,"crit":["b64"]}`,
	} {
		m := hmac.New(sha256.New, nil)
		m.Write([]byte(part(header) + "." + claims))
		all["JWT "+name] = part(header) + "." + claims + "."
		all["JWT "+name+" signed"] = part(header) + "." + claims + "." + wire.EncodeToString(m.Sum(nil))
		all["JWT "+name+" as an access token"] = "fsu1." + part(header) + "." + claims + "."
	}
	return all
}

// TestAttackTokens sends each to every protected call (RFC 8725): none is let in,
// each is told the same, and nothing of it is repeated or logged.
func TestAttackTokens(t *testing.T) {
	w := newWorld(t)
	tokens := attackTokens(t, w)
	if len(tokens) < 60 {
		t.Fatalf("%d attack tokens, want 60", len(tokens))
	}
	calls, accepted := 0, 0
	for _, r := range routes {
		if !r.Buyer {
			continue
		}
		path := strings.NewReplacer("{show}", "open", "{hold}", "h_wqhbh4o5shlqpb7xvzwn6nvw34").Replace(r.Path)
		for _, param := range []string{"{waiter}", "{order}", "{key}"} {
			path = strings.ReplaceAll(path, param, "x")
		}
		q := want{method: r.Method, path: path, body: `{}`}.with("Content-Type", "application/json").keyed("k")
		for name, token := range tokens {
			calls++
			ev, fn := q.by(token).event()
			resp, err := w.handlers[fn](context.Background(), ev)
			must(t, err)
			if resp.StatusCode != 401 || !strings.Contains(resp.Body, `"unauthorized"`) {
				accepted++
				t.Errorf("%s: %s: %d %s", r.Operation, name, resp.StatusCode, resp.Body)
			}
			if len(token) > 12 && strings.Contains(resp.Body+w.log.String(), token[len(token)/2:]) {
				t.Errorf("%s: %s is repeated", r.Operation, name)
			}
		}
		if r.Account {
			calls++
			w.expect(q.by(w.guest()), 401, "unauthorized")
		}
	}
	t.Logf("%d tokens, %d calls, %d accepted", len(tokens), calls, accepted)
}
