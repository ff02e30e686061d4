package password

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var quick = Parameters{Memory: 8, Time: 1, Threads: 1}

func normal(t testing.TB, s string) Password {
	t.Helper()
	p, err := Normal(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return p
}

func TestNormal(t *testing.T) {
	for s, want := range map[string]error{
		"": ErrLength, "seven77": ErrLength, "eight888": nil, strings.Repeat("é", 128): nil, strings.Repeat("é", 129): ErrLength,
		"汉字密码是八个字": nil, "汉字密码七个字": ErrLength, "bad\xffutf8xxxx": ErrLength, strings.Repeat("x", 1<<20): ErrLength, "        ": nil,
	} {
		if _, err := Normal(s); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", s, err, want)
		}
	}
	if normal(t, "ｐａｓｓｗｏｒｔ９") != normal(t, "passwort9") || normal(t, "cafe\u0301 noir") != normal(t, "café noir") {
		t.Error("two writings of one password")
	}
	if s := fmt.Sprintf("%v %+v %#v %s", normal(t, "hunter2hunter2"), normal(t, "hunter2hunter2"), normal(t, "hunter2hunter2"), normal(t, "hunter2hunter2")); strings.Contains(s, "hunter2") {
		t.Errorf("it prints: %s", s)
	}
}

func TestRefuse(t *testing.T) {
	for s, want := range map[string]error{
		"password": ErrCommon, "PassWord": ErrCommon, "password123!": ErrCommon, "12345678": ErrCommon, "88888888": ErrCommon, "woaini1314": ErrCommon,
		"zzzzzzzzzzz": ErrCommon, "xyxyxyxyxy": ErrCommon, "ghijklmnop": ErrCommon, "987654321": ErrCommon, "三三三三三三三三": ErrCommon,
		"ann.miller": ErrCommon, "ann.miller1984": ErrCommon, "ann.miller@example.org": ErrCommon,
		"correct horse battery staple": nil, "tr0ub4dor&3": nil, "miller at the mill": nil, "我有一把小雨伞真好看": nil,
	} {
		if err := Refuse(normal(t, s), "ann.miller@example.org"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", s, err, want)
		}
	}
}

// Whatever is in the list is found, whatever is not is not.
func TestListed(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(commonText, "\n"), "\n")
	if !slices.IsSorted(lines) || len(lines) < 4000 {
		t.Fatalf("%d lines, sorted %v", len(lines), slices.IsSorted(lines))
	}
	for _, l := range lines {
		if !listed(l) || utf8.RuneCountInString(l) < Shortest {
			t.Fatalf("%q is in the list", l)
		}
	}
	for _, s := range []string{"", "a", "0", "zzzz", "~~~~~~~~~", "passwor", "passwordz", lines[0] + "\n" + lines[1]} {
		if listed(s) != slices.Contains(lines, s) {
			t.Errorf("%q", s)
		}
	}
}

func TestVerify(t *testing.T) {
	word, other := normal(t, "correct horse"), normal(t, "incorrect horse")
	kept := quick.Hash(word, [16]byte{1})
	if !strings.HasPrefix(kept, "$argon2id$v=19$m=8,t=1,p=1$AQAAAAAAAAAAAAAAAAAAAA$") {
		t.Errorf("kept as %s", kept)
	}
	if same, stale, err := quick.Verify(kept, word); !same || stale || err != nil {
		t.Errorf("%v %v %v", same, stale, err)
	}
	if same, _, err := quick.Verify(kept, other); same || err != nil {
		t.Errorf("another's: %v %v", same, err)
	}
	if same, stale, err := (Parameters{Memory: 16, Time: 1, Threads: 1}).Verify(kept, word); !same || !stale || err != nil {
		t.Errorf("by other parameters: %v %v %v", same, stale, err)
	}
	if kept == quick.Hash(word, [16]byte{2}) {
		t.Error("the salt does nothing")
	}
	if same, stale, err := quick.Verify(quick.Nobody(), word); same || stale || err != nil {
		t.Errorf("nobody: %v %v %v", same, stale, err)
	}
}

// The numbers of OWASP's Password Storage Cheat Sheet.
func TestStandard(t *testing.T) {
	word := normal(t, "correct horse")
	kept := Standard.Hash(word, [16]byte{7})
	if !strings.HasPrefix(kept, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("kept as %s", kept)
	}
	if same, stale, err := Standard.Verify(kept, word); !same || stale || err != nil {
		t.Errorf("%v %v %v", same, stale, err)
	}
}

func TestForeignHashes(t *testing.T) {
	good := quick.Hash(normal(t, "correct horse"), [16]byte{1})
	for _, bad := range []string{
		"", "$", good[1:], good + "$", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=8", "m=4294967295", 1), strings.Replace(good, "m=8", "m=08", 1), strings.Replace(good, "m=8", "m=1", 1), strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "p=1", "p=255", 1), strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-1], good + "A", good + "=", "$2a$10$abcdefghijklmnopqrstuv",
	} {
		if same, _, err := quick.Verify(bad, normal(t, "correct horse")); same || !errors.Is(err, ErrHash) {
			t.Errorf("%q: %v %v", bad, same, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	word, _ := Normal("correct horse")
	f.Add(quick.Hash(word, [16]byte{1}))
	f.Fuzz(func(t *testing.T, kept string) {
		if p, salt, key, err := read(kept); err == nil && p.write(salt, key) != kept {
			t.Errorf("a second writing: %q", kept)
		}
	})
}

func TestNormalTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := Normal(rapid.String().Draw(t, "text"))
		if err != nil {
			return
		}
		if again, err := Normal(p.text); err != nil || again != p {
			t.Fatalf("%q becomes %q: %v", p.text, again.text, err)
		}
	})
}
