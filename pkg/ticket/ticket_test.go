package ticket

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const secret = "a secret for tests only"

func signer(t testing.TB, secret string) *Signer {
	t.Helper()
	s, err := NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// golden was written once: doors keep reading old tickets.
const golden = "FS1-XAXBHEUQGG6EMIOXQHEDIOY5TXMK4QDGBRZWQ33XFUZDAMRWFUYTMB2DFU3S32MXVC2YGYLJJMJLI7ZHVSBLLQKZ6EKKIQVPUNG3OKDPE6NPTJCTL7BWWJ6OJTN6KZ5V63KL5BFWMDLIDGI2LFPQEVLQEUZV3PDWVQVRQ6QH"

func TestGolden(t *testing.T) {
	s := signer(t, secret)
	tk, code, err := s.Issue("show-2026-16", "o1", "C-7-门")
	if err != nil {
		t.Fatal(err)
	}
	if code != golden {
		t.Errorf("code is %s", code)
	}
	got, err := Verify(s.Keys(), golden)
	if err != nil || got != tk {
		t.Errorf("%+v %v", got, err)
	}
}

func TestIssueIsTheSameEachTime(t *testing.T) {
	a, b := signer(t, secret), signer(t, secret)
	t1, c1, _ := a.Issue("s1", "o1", "C-7")
	t2, c2, _ := b.Issue("s1", "o1", "C-7")
	if t1 != t2 || c1 != c2 || c1 == "" {
		t.Errorf("%v %s, %v %s", t1, c1, t2, c2)
	}
	ids := map[ID]bool{}
	for _, p := range [][2]string{{"o1", "C-7"}, {"o1", "C-8"}, {"o2", "C-7"}, {"o1C", "-7"}, {"o", "1C-7"}} {
		ids[IDFor(p[0], p[1])] = true
	}
	if len(ids) != 5 {
		t.Errorf("%d ids of 5", len(ids))
	}
}

func TestCodeFitsAQRCode(t *testing.T) {
	_, code, err := signer(t, secret).Issue(strings.Repeat("s", 26), "o1", "balcony-AA-117")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		t.Errorf("%s has letters outside the alphanumeric mode", code)
	}
	if len(code) > 221 { // version 8, error correction M: 49 modules wide
		t.Errorf("%d letters", len(code))
	}
}

func TestSignRefuses(t *testing.T) {
	id := IDFor("o1", "C-7")
	for name, tk := range map[string]Ticket{
		"no id":         {"", "s1", "C-7"},
		"short id":      {"ABCD", "s1", "C-7"},
		"small letters": {ID(strings.ToLower(string(id))), "s1", "C-7"},
		"no show":       {id, "", "C-7"},
		"no seat":       {id, "s1", ""},
		"long show":     {id, strings.Repeat("s", 129), "C-7"},
		"not UTF-8":     {id, "s1", "\xff"},
	} {
		if code, err := signer(t, secret).Sign(tk); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %q %v", name, code, err)
		}
	}
	if _, err := NewSigner("fifteen letters"); !errors.Is(err, ErrSecret) {
		t.Error("short secret:", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	s := signer(t, secret)
	other := signer(t, "another secret for tests")
	_, code, _ := s.Issue("s1", "o1", "C-7")
	_, foreign, _ := other.Issue("s1", "o1", "C-7")
	forged := s.Keys()
	for id := range forged {
		forged[id] = other.pair().key.Public().(ed25519.PublicKey)
	}
	for _, c := range []struct {
		name, code string
		keys       Keys
		err        error
	}{
		{"empty", "", s.Keys(), ErrMalformed},
		{"prefix alone", "FS1-", s.Keys(), ErrMalformed},
		{"no prefix", code[4:], s.Keys(), ErrMalformed},
		{"a URL", "https://example.org/", s.Keys(), ErrMalformed},
		{"small letters", strings.ToLower(code), s.Keys(), ErrMalformed},
		{"line end", code + "\n", s.Keys(), ErrMalformed},
		{"line end within", code[:20] + "\n" + code[20:], s.Keys(), ErrMalformed},
		{"cut", code[:len(code)-8], s.Keys(), ErrMalformed},
		{"longer", code + "AAAAAAAA", s.Keys(), ErrMalformed},
		{"endless", code + strings.Repeat("A", 1<<20), s.Keys(), ErrMalformed},
		{"next version", "FS2-" + code[4:], s.Keys(), ErrVersion},
		{"version ten", "FS10-ABC", s.Keys(), ErrVersion},
		{"version nought", "FS0-ABC", s.Keys(), ErrMalformed},
		{"no version", "FS-ABC", s.Keys(), ErrMalformed},
		{"no keys", code, nil, ErrUnknownKey},
		{"another key", foreign, s.Keys(), ErrUnknownKey},
		{"signed by another", code, forged, ErrSignature},
	} {
		if tk, err := Verify(c.keys, c.code); !errors.Is(err, c.err) || tk != (Ticket{}) {
			t.Errorf("%s: %+v %v", c.name, tk, err)
		}
	}
}

func TestNoChangedCodeVerifies(t *testing.T) {
	s := signer(t, secret)
	_, code, _ := s.Issue("s1", "o1", "C-7")
	for i := range len(code) {
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-" {
			changed := code[:i] + string(c) + code[i+1:]
			if tk, err := Verify(s.Keys(), changed); err == nil && changed != code {
				t.Fatalf("letter %d as %c is a ticket for %s", i, c, tk.Seat)
			}
		}
	}
}

func TestWhatIsIssuedVerifies(t *testing.T) {
	s := signer(t, secret)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 32, 128)
		show, order, seat := name.Draw(t, "show"), name.Draw(t, "order"), name.Draw(t, "seat")
		tk, code, err := s.Issue(show, order, seat)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Verify(s.Keys(), code); err != nil || got != tk || got.Show != show || got.Seat != seat {
			t.Fatalf("%+v %v", got, err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	s := signer(f, secret)
	f.Add(golden)
	f.Add("FS2-AAAA")
	f.Add("FS1-" + strings.Repeat("A", 160))
	f.Fuzz(func(t *testing.T, code string) {
		tk, err := Verify(s.Keys(), code)
		if err != nil {
			return
		}
		if again, err := s.Sign(tk); err != nil || again != code {
			t.Fatalf("%q verifies and is not how %+v is written: %q %v", code, tk, again, err)
		}
	})
}

func TestKeysTravel(t *testing.T) {
	keys := signer(t, secret).Keys()
	if err := keys.Add(signer(t, "another secret for tests").Keys()); err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseKeys(doc)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v %v", got, err)
	}
	if again, _ := json.Marshal(got); string(again) != string(doc) {
		t.Errorf("%s, then %s", doc, again)
	}
	if _, err := Verify(got, golden); err != nil {
		t.Error(err)
	}
	if doc, err := json.Marshal(Keys{}); err != nil || string(doc) != `{"keys":[]}` {
		t.Errorf("%s %v", doc, err)
	}
}

func TestParseKeysRefuses(t *testing.T) {
	raw, _ := json.Marshal(signer(t, secret).Keys())
	doc := string(raw)
	if _, err := ParseKeys(raw); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing":     "",
		"a list":      "[]",
		"kind":        strings.Replace(doc, "OKP", "EC", 1),
		"curve":       strings.Replace(doc, "Ed25519", "X25519", 1),
		"algorithm":   strings.Replace(doc, "EdDSA", "none", 1),
		"use":         strings.Replace(doc, `"sig"`, `"enc"`, 1),
		"other id":    strings.Replace(doc, `"kid":"b`, `"kid":"c`, 1),
		"short key":   strings.Replace(doc, `"x":"`, `"x":"AAAA`, 1),
		"private key": strings.Replace(doc, `"x":`, `"d":"AAAA","x":`, 1),
		"two":         doc + doc,
	} {
		if bad == doc {
			t.Fatalf("%s changes nothing in %s", name, doc)
		}
		if keys, err := ParseKeys([]byte(bad)); !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v %v", name, keys, err)
		}
	}
}

func TestAddRefusesTwoKeysOfOneID(t *testing.T) {
	keys := signer(t, secret).Keys()
	for id := range keys {
		pub := signer(t, "another secret for tests").pair().key.Public().(ed25519.PublicKey)
		if err := keys.Add(Keys{id: pub}); !errors.Is(err, ErrKeys) {
			t.Error(err)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	raw, _ := json.Marshal(signer(f, secret).Keys())
	f.Add(raw)
	f.Add([]byte(`{"keys":[]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		keys, err := ParseKeys(doc)
		if err != nil {
			return
		}
		for id, pub := range keys {
			if idOf(pub) != id {
				t.Fatalf("key %s under id %s", idOf(pub), id)
			}
		}
		again, err := json.Marshal(keys)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseKeys(again); err != nil {
			t.Fatal(err)
		}
	})
}
