package session

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 999e6, time.UTC)

const secret = "a secret of a deployment"

func keeper(t testing.TB, random string, secrets ...string) *Keeper {
	t.Helper()
	k, err := New(strings.NewReader(random), secrets[0], secrets[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issue(t testing.TB, k *Keeper) Session {
	t.Helper()
	s, err := k.Issue(noon)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestIssueIsVerified(t *testing.T) {
	s := issue(t, keeper(t, "0123456789abcdef", secret))
	if want := booking.Buyer("g_gaytemzugu3doobzmfrggzdfmy"); s.Buyer != want {
		t.Errorf("buyer %q, want %q", s.Buyer, want)
	}
	if want := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC); !s.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v, want %v", s.ExpiresAt, want)
	}
	b, err := keeper(t, "", secret).Verify(s.Token, noon)
	if err != nil || b != s.Buyer {
		t.Errorf("Verify = %q, %v; want %q", b, err, s.Buyer)
	}
}

func TestEnd(t *testing.T) {
	k := keeper(t, "0123456789abcdef", secret)
	s := issue(t, k)
	for _, c := range []struct {
		at   time.Time
		want error
	}{
		{s.ExpiresAt.Add(-time.Millisecond), nil},
		{s.ExpiresAt, ErrExpired},
		{s.ExpiresAt.Add(Length), ErrExpired},
	} {
		if _, err := k.Verify(s.Token, c.at); !errors.Is(err, c.want) {
			t.Errorf("at %v: %v, want %v", c.at, err, c.want)
		}
	}
}

func TestForeignTokens(t *testing.T) {
	k := keeper(t, "0123456789abcdef", secret)
	good := issue(t, k).Token
	raw, _ := wire.DecodeString(strings.TrimPrefix(good, guest.prefix))
	other := hmac.New(sha256.New, k.keys[0].key)
	other.Write([]byte("fairseat account session 1\x00"))
	other.Write(raw[:guest.body])
	bare := hmac.New(sha256.New, k.keys[0].key)
	bare.Write(raw[:guest.body])
	cases := map[string]string{
		"empty":            "",
		"prefix alone":     guest.prefix,
		"other prefix":     "fsu1." + strings.TrimPrefix(good, guest.prefix),
		"another secret":   issue(t, keeper(t, "0123456789abcdef", "another secret altogether")).Token,
		"another kind":     guest.prefix + wire.EncodeToString(other.Sum(bytes.Clone(raw[:guest.body]))),
		"unsigned":         guest.prefix + wire.EncodeToString(append(bytes.Clone(raw[:guest.body]), make([]byte, sha256.Size)...)),
		"a JSON Web Token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJnXzEifQ.",
		"no kind":          guest.prefix + wire.EncodeToString(bare.Sum(bytes.Clone(raw[:guest.body]))),
		"line break":       good[:20] + "\n" + good[21:],
		"line break more":  good[:20] + "\n" + good[20:],
		"longer":           good + "A",
		"shorter":          good[:len(good)-1],
		"a space before":   " " + good,
	}
	for name, token := range cases {
		if b, err := k.Verify(token, noon); !errors.Is(err, ErrInvalid) || b != "" {
			t.Errorf("%s: %q, %v; want ErrInvalid", name, b, err)
		}
	}
}

// Whatever single character changes, the token is no longer ours, also where it
// holds but two or four bits.
func TestEveryCharacterCounts(t *testing.T) {
	k := keeper(t, "0123456789abcdef", secret)
	good := issue(t, k).Token
	for i := range good {
		for _, c := range []byte("AZaz09-_=.+/") {
			if good[i] == c {
				continue
			}
			bad := good[:i] + string(c) + good[i+1:]
			if _, err := k.Verify(bad, noon); !errors.Is(err, ErrInvalid) {
				t.Fatalf("character %d as %q: %v", i, c, err)
			}
		}
	}
}

func TestRetiredSecret(t *testing.T) {
	old := issue(t, keeper(t, "0123456789abcdef", secret))
	now := keeper(t, "fedcba9876543210", "the secret of this month", secret)
	if b, err := now.Verify(old.Token, noon); err != nil || b != old.Buyer {
		t.Errorf("token of the retired secret: %q, %v", b, err)
	}
	if _, err := keeper(t, "", secret).Verify(issue(t, now).Token, noon); !errors.Is(err, ErrInvalid) {
		t.Errorf("a new token was signed with the retired secret: %v", err)
	}
}

func TestWeakParts(t *testing.T) {
	if _, err := New(nil, strings.Repeat("x", 15)); !errors.Is(err, ErrSecret) {
		t.Errorf("short secret: %v", err)
	}
	if _, err := New(nil, secret, "short"); !errors.Is(err, ErrSecret) {
		t.Errorf("short retired secret: %v", err)
	}
	if _, err := keeper(t, "too short", secret).Issue(noon); err == nil {
		t.Error("a session was made of too little randomness")
	}
	for _, err := range []error{ErrInvalid, ErrExpired} {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%v has kind %v", err, fault.KindOf(err))
		}
	}
}

func TestTwoGuestsDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.Byte(), idSize, idSize).Draw(t, "a")
		b := rapid.SliceOfN(rapid.Byte(), idSize, idSize).Draw(t, "b")
		k, _ := New(bytes.NewReader(append(bytes.Clone(a), b...)), secret)
		one, _ := k.Issue(noon)
		two, _ := k.Issue(noon)
		if same := bytes.Equal(a, b); (one.Buyer == two.Buyer) != same || (one.Token == two.Token) != same {
			t.Fatalf("%x and %x: %q and %q", a, b, one.Buyer, two.Buyer)
		}
		if len(one.Buyer) != 28 {
			t.Fatalf("buyer %q", one.Buyer)
		}
	})
}

func FuzzVerify(f *testing.F) {
	k := keeper(f, "0123456789abcdef", secret)
	f.Add(issue(f, k).Token)
	f.Add(guest.prefix)
	f.Add(guest.prefix + strings.Repeat("A", wire.EncodedLen(guest.size())))
	f.Fuzz(func(t *testing.T, token string) {
		b, err := k.Verify(token, noon)
		if (b == "") != (err != nil) {
			t.Fatalf("Verify = %q, %v", b, err)
		}
		if err != nil {
			return
		}
		raw, err := wire.DecodeString(strings.TrimPrefix(token, guest.prefix))
		if err != nil || guest.prefix+wire.EncodeToString(raw) != token {
			t.Fatalf("a second writing of a token: %q", token)
		}
		if end := int64(binary.BigEndian.Uint64(raw[idSize:guest.body])); end <= noon.Unix() {
			t.Fatalf("an expired token was taken: %q", token)
		}
	})
}
