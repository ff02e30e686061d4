package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	ann  = AccountID([]byte("account of ann.."))
	bob  = AccountID([]byte("account of bob.."))
	desk = LoginID([]byte("log-in at a desk"))
)

func TestAccess(t *testing.T) {
	k := keeper(t, "", secret)
	token, end := k.Access(ann, desk, noon)
	if want := noon.Truncate(time.Second).Add(15 * time.Minute); !end.Equal(want) {
		t.Errorf("ends %v, want %v", end, want)
	}
	p, err := k.Account(token, noon)
	if err != nil || p != (Person{ann, desk, ann.Buyer(), end}) {
		t.Errorf("%+v, %v", p, err)
	}
	if b, err := k.Verify(token, noon); err != nil || b != ann.Buyer() || len(b) != 28 || b[:2] != "u_" {
		t.Errorf("Verify = %q, %v", b, err)
	}
	if at, err := k.End(token, noon); err != nil || !at.Equal(end) {
		t.Errorf("End = %v, %v", at, err)
	}
	if id, ok := AccountOf(ann.Buyer()); !ok || id != ann {
		t.Errorf("AccountOf = %v, %v", id, ok)
	}
	for _, b := range []string{"", "u_", "g_" + ann.String(), "u_" + ann.String() + "a", "u_" + ann.String()[:25] + "z", "u_" + strings.ToUpper(ann.String())} {
		if id, ok := ParseAccount(strings.TrimPrefix(b, "u_")); ok && b[:2] == "u_" {
			t.Errorf("%q is account %v", b, id)
		}
	}
	for at, want := range map[time.Time]error{end.Add(-time.Millisecond): nil, end: ErrExpired, end.Add(time.Hour): ErrExpired} {
		if _, err := k.Verify(token, at); !errors.Is(err, want) {
			t.Errorf("at %v: %v, want %v", at, err, want)
		}
	}
}

func TestRenewal(t *testing.T) {
	k := keeper(t, "", secret)
	turn := Turn{ann, desk, 7, noon.Truncate(time.Second).Add(time.Hour)}
	token := k.Renewal(turn)
	if got, err := k.Turn(token, noon); err != nil || got != turn {
		t.Errorf("%+v, %v", got, err)
	}
	if k.Renewal(turn) != token {
		t.Error("a turn has two tokens")
	}
	if _, err := k.Turn(token, turn.ExpiresAt); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
}

// attacks are tokens that are not ours, made of ours and of what an attacker knows.
func attacks(t *testing.T, k *Keeper) map[string]string {
	t.Helper()
	good, _ := k.Access(ann, desk, noon)
	other, _ := k.Access(bob, desk, noon)
	foreign, _ := keeper(t, "", "another secret altogether").Access(ann, desk, noon)
	old, _ := k.Access(ann, desk, noon.Add(-time.Hour))
	guestToken := issue(t, keeper(t, "0123456789abcdef", secret)).Token
	turn := k.Renewal(Turn{ann, desk, 0, noon.Add(time.Hour)})
	text := func(s string) string { return s[strings.IndexByte(s, '.')+1:] }
	raw := func(s string) []byte { b, _ := wire.DecodeString(text(s)); return b }
	as := func(b []byte) string { return access.prefix + wire.EncodeToString(b) }
	body, mac := raw(good)[:access.body], raw(good)[access.body:]
	signed := func(domain string, body []byte) string {
		return as(append(bytes.Clone(body), k.keys[0].sign(domain, body)...))
	}
	late := bytes.Clone(body)
	binary.BigEndian.PutUint64(late[access.body-8:], uint64(noon.Add(16*365*24*time.Hour).Unix()))
	past := bytes.Clone(body)
	binary.BigEndian.PutUint64(past[access.body-8:], 1<<63|uint64(noon.Add(time.Minute).Unix()))
	plain := sha256.Sum256(append([]byte(access.domain), body...))
	keyed := func(key string) []byte {
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(access.domain))
		m.Write(body)
		return m.Sum(nil)
	}
	jwt := func(header string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".eyJzdWIiOiJ1XzEifQ."
	}
	return map[string]string{
		"empty": "", "kind alone": access.prefix, "no kind": text(good), "unknown kind": "fsu2." + text(good),
		"kind in capitals": "FSU1." + text(good), "two kinds": access.prefix + good,
		"guest's as account's": access.prefix + text(guestToken), "account's as guest's": guest.prefix + text(good),
		"renewal as access": access.prefix + text(turn), "renewal as it is": turn, "access as renewal": renewal.prefix + text(good),
		"renewal cut to access": as(append(bytes.Clone(raw(turn)[:2*idSize]), raw(turn)[2*idSize+8:]...)),
		"foreign secret":        foreign, "expired": old, "far future, unsigned": as(append(late, mac...)),
		"far future, signed":   signed(access.domain, late),
		"negative end, signed": signed(access.domain, past), "signed as a guest": signed(guest.domain, body),
		"signed as a renewal": signed(renewal.domain, body), "signed without a kind": signed("", body),
		"no signature": as(body), "signature of zeros": as(append(bytes.Clone(body), make([]byte, 32)...)),
		"signature cut": as(raw(good)[:access.size()-1]), "signature longer": as(append(raw(good), 0)),
		"signature first": as(append(bytes.Clone(mac), body...)), "bare hash": as(append(bytes.Clone(body), plain[:]...)),
		"empty key": as(append(bytes.Clone(body), keyed("")...)), "the secret as key": as(append(bytes.Clone(body), keyed(secret)...)),
		"another's signature": as(append(bytes.Clone(body), raw(other)[access.body:]...)),
		"another's account":   as(slices.Concat(bob[:], raw(good)[idSize:])), "parts swapped": as(slices.Concat(body[idSize:2*idSize], body[:idSize], body[2*idSize:], mac)),
		"last signed bit": as(append(bytes.Clone(body), append(bytes.Clone(mac[:31]), mac[31]^1)...)),
		"padded":          good + "=", "standard alphabet": access.prefix + base64.RawStdEncoding.EncodeToString(append(bytes.Clone(body), bytes.Repeat([]byte{0xff}, 32)...)),
		"hexadecimal": access.prefix + hex.EncodeToString(raw(good)), "line break": good[:20] + "\n" + good[20:], "blank before": " " + good,
		"blank after": good + " ", "zero byte": good + "\x00", "twice": good + good, "with another": good + "." + other, "bearer": "Bearer " + good,
		"JWT none": jwt(`{"alg":"none"}`), "JWT None": jwt(`{"alg":"None","typ":"JWT"}`), "JWT HS256": jwt(`{"alg":"HS256"}`) + wire.EncodeToString(mac),
		"JWT with its key": jwt(`{"alg":"RS256","jwk":{"kty":"oct","k":"AA"}}`) + "AA", "JWT by address": jwt(`{"alg":"RS256","jku":"https://attacker.invalid"}`) + "AA",
		"JWT of ours": jwt(`{"alg":"HS256","kid":"fsu1."}`) + text(good), "PASETO": "v4.public." + text(good), "JSON": `{"account":"` + ann.String() + `"}`,
		"the account's name": string(ann.Buyer()), "long": access.prefix + strings.Repeat("A", 1<<16), "not ASCII": strings.Replace(good, "A", "А", 1) + "А",
	}
}

// TestAttackTokens: nothing that an attacker can write gives access to anything.
func TestAttackTokens(t *testing.T) {
	k := keeper(t, "", secret)
	all := attacks(t, k)
	if len(all) < 45 {
		t.Fatalf("%d attacks", len(all))
	}
	for name, token := range all {
		if b, err := k.Verify(token, noon); err == nil || b != "" {
			t.Errorf("%s: Verify = %q, %v", name, b, err)
		}
		if p, err := k.Account(token, noon); err == nil || p != (Person{}) {
			t.Errorf("%s: Account = %+v, %v", name, p, err)
		}
		if end, err := k.End(token, noon); err == nil || !end.IsZero() {
			t.Errorf("%s: End = %v, %v", name, end, err)
		}
		if turn, err := k.Turn(token, noon); (err == nil) != (name == "renewal as it is") {
			t.Errorf("%s: Turn = %+v, %v", name, turn, err)
		}
	}
}

// A guest is no account, whatever he is taken for.
func TestGuestIsNoAccount(t *testing.T) {
	k := keeper(t, "0123456789abcdef", secret)
	if p, err := k.Account(issue(t, k).Token, noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestEveryByteOfAccessCounts(t *testing.T) {
	k := keeper(t, "", secret)
	rapid.Check(t, func(t *rapid.T) {
		good, _ := k.Access(ann, desk, noon)
		if rapid.Bool().Draw(t, "renewal") {
			good = k.Renewal(Turn{ann, desk, 3, noon.Add(time.Hour)})
		}
		at := rapid.IntRange(0, len(good)-1).Draw(t, "at")
		bad := good[:at] + string(rapid.SampledFrom([]byte("ABYZabyz0189-_=.+/ ")).Draw(t, "as")) + good[at+1:]
		_, asTurn := k.Turn(bad, noon)
		if _, err := k.Verify(bad, noon); bad != good && (err == nil || asTurn == nil) {
			t.Fatalf("%q passes for %q", bad, good)
		}
	})
}

func TestAccessOutlivesARotation(t *testing.T) {
	old, _ := keeper(t, "", secret).Access(ann, desk, noon)
	now := keeper(t, "", "the secret of this month", secret)
	if p, err := now.Account(old, noon); err != nil || p.Account != ann {
		t.Errorf("%+v, %v", p, err)
	}
	fresh, _ := now.Access(ann, desk, noon)
	if _, err := keeper(t, "", secret).Account(fresh, noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("signed with the retired secret: %v", err)
	}
}
