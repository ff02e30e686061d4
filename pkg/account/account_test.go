package account

import (
	"encoding/base32"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// RFC 6238, appendix B, the last six digits of SHA-1's eight.
func TestCodes(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := Code(secret, at/30); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// TestCodeOnce: a code is good in its step and those beside it, and once.
func TestCodeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), SecretSize, SecretSize).Draw(t, "secret")
		f, now := Factor{On: true}, noon
		used := map[int64]bool{}
		latest := int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			current := now.Unix() / 30
			shown := current + int64(rapid.IntRange(-3, 3).Draw(t, "off"))
			next, ok := f.Use(secret, Code(secret, shown), now)
			near := shown >= current-1 && shown <= current+1
			// Two steps may show the same digits: then either is meant.
			same := false
			for s := current - 1; s <= current+1; s++ {
				same = same || s != shown && Code(secret, s) == Code(secret, shown)
			}
			if want := near && shown > latest; ok != want && !same {
				t.Fatalf("code of step %d at %d, latest %d: %v", shown, current, latest, ok)
			}
			if ok && used[next.Step] {
				t.Fatalf("step %d twice", next.Step)
			}
			if f = next; ok {
				latest, used[f.Step] = f.Step, true
			}
		}
	})
}

func TestWrongCodes(t *testing.T) {
	secret := []byte("12345678901234567890")
	good := Code(secret, noon.Unix()/30)
	for _, code := range []string{"", good[:5], good + "0", " " + good, good + " ", "١٢٣٤٥٦", "abcdef", "-" + good[1:]} {
		if _, ok := (Factor{On: true}).Use(secret, code, noon); ok {
			t.Errorf("%q was taken", code)
		}
	}
}

func TestRecoveryCodes(t *testing.T) {
	secret := []byte("12345678901234567890")
	f := Factor{On: true}
	codes := RecoveryCodes(secret)
	seen := map[string]bool{}
	for i, c := range codes {
		if seen[c] || len(c) != 19 {
			t.Errorf("code %q", c)
		}
		seen[c] = true
		var ok bool
		typed := []string{c, strings.ToUpper(c), strings.ReplaceAll(c, "-", ""), strings.ReplaceAll(c, "-", " ")}[i%4]
		if f, ok = f.Use(secret, typed, noon); !ok {
			t.Errorf("%q was not taken", typed)
		}
		if _, ok = f.Use(secret, c, noon); ok {
			t.Errorf("%q was taken twice", c)
		}
	}
	if len(codes) != Recoveries {
		t.Errorf("%d codes", len(codes))
	}
	if _, ok := (Factor{On: true}).Use([]byte("another secret......"), codes[0], noon); ok {
		t.Error("a code of another secret was taken")
	}
}

func TestEnrol(t *testing.T) {
	e, err := Enrol([]byte("12345678901234567890"), "ann@example.org")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base32.StdEncoding.DecodeString(e.Secret)
	want := "otpauth://totp/Fairseat:ann@example.org?algorithm=SHA1&digits=6&issuer=Fairseat&period=30&secret=" + e.Secret
	if string(raw) != "12345678901234567890" || e.URI != want {
		t.Errorf("%+v\nwant %s", e, want)
	}
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"Ann.Miller+x@Example.ORG": "ann.miller+x@example.org", " a@b.ch ": "a@b.ch", "o'neill@mail.example.co.uk": "o'neill@mail.example.co.uk",
		"": "", "ann": "", "ann@": "", "@b.ch": "", "a@b": "", "a@b.": "", "a@.b": "", "a..b@c.de": "", ".a@c.de": "", "a.@c.de": "", "a b@c.de": "", "a@b@c.de": "",
		"a@-b.de": "", "a@b-.de": "", "a@b_c.de": "", "a@192.0.2.1": "", "ä@b.de": "", "a@bü.de": "", "a\n@b.de": "", "a@b.de\r\nBcc: c@d.ef": "", `"a"@b.de`: "", "a,b@c.de": "",
		strings.Repeat("a", 65) + "@b.de": "", "a@" + strings.Repeat("b", 64) + ".de": "", "a@" + strings.Repeat("b.", 130) + "de": "",
	} {
		got, err := Address(text)
		if got != want || (want == "") != errors.Is(err, ErrAddress) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestStates(t *testing.T) {
	for _, s := range []State{Active, Erased} {
		if got, ok := ParseState(s.String()); !ok || got != s {
			t.Errorf("%v", s)
		}
	}
	for _, s := range []string{"", "invalid", "Active"} {
		if got, ok := ParseState(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
	if State(0).String() != "invalid" || State(99).String() != "invalid" {
		t.Error("an invalid state has a name")
	}
}
