package developer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestText: what is a key, and what is none.
func TestText(t *testing.T) {
	p, err := NewPress("a secret of the tests")
	if err != nil {
		t.Fatal(err)
	}
	text := string(p.Text("u_ann", "k_1"))
	if got, ok := Parse(text); !ok || got.Hash() != Text(text).Hash() || !strings.HasPrefix(text, got.Prefix()) || len(got.Prefix()) != 13 {
		t.Fatalf("%s: %v", text, ok)
	}
	for i := range text {
		for _, c := range "a7Z_ \n" {
			if spoilt := text[:i] + string(c) + text[i+1:]; spoilt != text {
				if _, ok := Parse(spoilt); ok {
					t.Errorf("%q is taken for a key", spoilt)
				}
			}
		}
		if _, ok := Parse(text[:i]); ok {
			t.Errorf("%q is taken for a key", text[:i])
		}
	}
	seen := map[Text]bool{}
	for _, d := range []ID{"u_ann", "u_bob"} {
		for _, k := range []KeyID{"k_1", "k_2"} {
			seen[p.Text(d, k)] = true
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d different keys of 4", len(seen))
	}
	if _, err := NewPress("short"); !errors.Is(err, ErrSecret) {
		t.Error(err)
	}
}

// TestPressOutlivesARotation: the text of a key that a retired secret made is found.
func TestPressOutlivesARotation(t *testing.T) {
	const before, after = "the-first-secret-0123456789", "the-second-secret-0123456789"
	one, _ := NewPress(before)
	both, _ := NewPress(after, before)
	two, _ := NewPress(after)
	k := Key{ID: "k_1", Hash: one.Text("u", "k_1").Hash()}
	if got, ok := both.Again("u", k); !ok || got != one.Text("u", "k_1") || got == both.Text("u", "k_1") {
		t.Errorf("%s, %v", got, ok)
	}
	if got, ok := two.Again("u", k); ok {
		t.Errorf("a secret that is gone makes %s", got)
	}
}

func FuzzParse(f *testing.F) {
	p, _ := NewPress("a secret of the tests")
	f.Add(string(p.Text("u", "k")))
	f.Add("fsk1_")
	f.Fuzz(func(t *testing.T, s string) {
		if text, ok := Parse(s); ok && (string(text) != s || len(s) != 52 || text.Prefix() != s[:13]) {
			t.Fatalf("%q", s)
		}
	})
}

// TestBook: whatever a developer does with his keys, in any order, again or not, at
// any time: no more are good than he may have, none is good twice over, a repeated
// request changes nothing, and what has ended is good no more.
func TestBook(t *testing.T) {
	p, err := NewPress("a secret of the tests")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		b, now := Book{}, noon
		ids := []KeyID{"k_0"}
		put := func(k Key) {
			for i := range b.Keys {
				if b.Keys[i].ID == k.ID {
					b.Keys[i] = k
					return
				}
			}
			b.Keys = append(b.Keys, k)
			ids = append(ids, k.ID)
		}
		for n := range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes")) * time.Minute)
			target := rapid.SampledFrom(ids).Draw(t, "key")
			w := Wish{ID: KeyID(fmt.Sprint("k_", n+1)), Name: "n", Accepts: true, BodyHash: "b"}
			before := len(b.Keys)
			var i Issue
			var err error
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				i, _, err = b.Make("u", w, p.Text("u", w.ID), now)
			case 2:
				overlap := time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour
				i, _, err = b.Rotate(target, w, p.Text("u", w.ID), overlap, now)
			default:
				d, k, again, err := b.Revoke(target, now)
				if err == nil && !again {
					b.Developer = d
					put(k)
				}
				if k, ok := b.Key(target, now); ok && !k.Ended(now) {
					t.Fatalf("revoked: %+v", k)
				}
				continue
			}
			if err != nil {
				continue
			}
			b.Developer = i.Developer
			put(i.Key)
			if i.Replaced != nil {
				put(*i.Replaced)
				if left := i.Replaced.EndsAt.Sub(now); left > Overlap || left < 0 {
					t.Fatalf("the replaced key is good for %v", left)
				}
			}
			if b.Developer.Rev < 1 || len(b.Keys) != before+1 {
				t.Fatalf("%+v", b)
			}
			if again, is, err := b.Make("u", w, "", now); err != nil || !is || again.Key != i.Key {
				t.Fatalf("again: %+v, %v, %v", again, is, err)
			}
			w.BodyHash = "other"
			if _, _, err := b.Make("u", w, "", now); !errors.Is(err, ErrMismatch) {
				t.Fatalf("another body: %v", err)
			}
			endless := 0
			for _, k := range b.Keys {
				if k.EndsAt.IsZero() {
					endless++
				}
			}
			if endless > MaxKeys || len(b.Listed(now)) > MaxKept {
				t.Fatalf("%d keys without an end, %d listed", endless, len(b.Listed(now)))
			}
		}
	})
}

func TestDays(t *testing.T) {
	for _, tt := range []struct {
		from, to, first, last string
		ok                    bool
	}{
		{"", "", "2026-01-31", "2026-03-01", true},
		{"2026-02-01", "", "2026-02-01", "2026-03-01", true},
		{"", "2026-02-01", "2026-01-03", "2026-02-01", true},
		{"2026-01-01", "2026-04-02", "2026-01-01", "2026-04-02", true},
		{"2026-01-01", "2026-04-03", "", "", false},
		{"2026-01-02", "2026-01-01", "", "", false},
		{"2026-1-1", "", "", "", false},
		{"", "x", "", "", false},
	} {
		first, last, ok := Days(tt.from, tt.to, noon)
		if ok != tt.ok || ok && (first != tt.first || last != tt.last) {
			t.Errorf("%q to %q: %s to %s, %v", tt.from, tt.to, first, last, ok)
		}
	}
}

func TestPlansGrow(t *testing.T) {
	order := []Plan{Free, Standard, Partner, House}
	for i, p := range order[1:] {
		small, _ := order[i].Limits()
		large, ok := p.Limits()
		if !ok || small.Minute >= large.Minute || small.Month >= large.Month || small.Minute == 0 {
			t.Errorf("%s %+v, %s %+v", order[i], small, p, large)
		}
	}
	if _, ok := Plan("").Limits(); ok {
		t.Error("nothing is a plan")
	}
}
