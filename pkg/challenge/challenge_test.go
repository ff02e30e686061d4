package challenge_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/challenge"
)

const (
	secret = "a-secret-of-challenges-0123456789"
	show   = catalog.ShowID("show")
	ann    = booking.Buyer("g_ann")
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

func keeper(t testing.TB, secrets ...string) *challenge.Keeper {
	t.Helper()
	if len(secrets) == 0 {
		secrets = []string{secret}
	}
	k, err := challenge.New(rand.Reader, secrets[0], secrets[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func solved(t testing.TB, k *challenge.Keeper, seats, difficulty int) (challenge.Challenge, string) {
	t.Helper()
	c, err := k.Make(show, ann, seats, difficulty, noon)
	if err != nil {
		t.Fatal(err)
	}
	return c, challenge.Solve(c.Text, c.Difficulty)
}

func TestSolved(t *testing.T) {
	k := keeper(t)
	c, s := solved(t, k, 4, 10)
	if !c.ExpiresAt.Equal(noon.Add(challenge.Length)) || c.Difficulty != 10 {
		t.Errorf("%+v", c)
	}
	p, ok := k.Verify(s, show, ann, noon.Add(challenge.Length-time.Millisecond))
	if !ok || p.Seats != 4 || !p.MadeAt.Equal(noon) {
		t.Errorf("%+v, %v", p, ok)
	}
	if _, ok := keeper(t, "another-secret-0123456789", secret).Verify(s, show, ann, noon); !ok {
		t.Error("a retired secret does not verify")
	}
}

// TestChallengeOfAnother: a solution is good for the buyer, the show, the time and the
// deployment that its challenge was made for, and for no writing but its own.
func TestChallengeOfAnother(t *testing.T) {
	k := keeper(t)
	c, s := solved(t, k, 4, 8)
	answer := s[len(c.Text)+1:]
	flipped := []byte(s)
	flipped[len("fsc1.")+35] ^= 1
	for name, try := range map[string]struct {
		solution string
		show     catalog.ShowID
		buyer    booking.Buyer
		now      time.Time
		keeper   *challenge.Keeper
	}{
		"another buyer":        {buyer: "g_bob"},
		"no buyer":             {buyer: "-"},
		"another show":         {show: "other"},
		"show and buyer moved": {show: "showg_", buyer: "ann"},
		"at the end":           {now: noon.Add(challenge.Length)},
		"another deployment":   {keeper: keeper(t, "another-secret-0123456789")},
		"nothing":              {solution: " "},
		"no answer":            {solution: c.Text},
		"an empty answer":      {solution: c.Text + "."},
		"too long":             {solution: c.Text + "." + strings.Repeat("0", 33)},
		"another kind":         {solution: "fsg1" + s[4:]},
		"no dot":               {solution: c.Text + "-" + answer},
		"a line break":         {solution: c.Text[:20] + "\n" + c.Text[20:] + "." + answer},
		"a strange letter":     {solution: s + "="},
		"another answer":       {solution: unsolved(c)},
		"changed":              {solution: string(flipped)},
	} {
		if try.solution == "" {
			try.solution = s
		}
		if try.show == "" {
			try.show = show
		}
		if try.buyer == "" {
			try.buyer = ann
		}
		if try.now.IsZero() {
			try.now = noon
		}
		if try.keeper == nil {
			try.keeper = k
		}
		if p, ok := try.keeper.Verify(try.solution, try.show, try.buyer, try.now); ok {
			t.Errorf("%s: taken, %+v", name, p)
		}
	}
}

// unsolved is a well-formed answer of too few bits.
func unsolved(c challenge.Challenge) string {
	k, _ := challenge.New(nil, secret)
	for n := 'a'; ; n++ {
		s := c.Text + "." + string(n)
		if _, ok := k.Verify(s, show, ann, noon); !ok {
			return s
		}
	}
}

func TestSecrets(t *testing.T) {
	if _, err := challenge.New(nil, "short"); err != challenge.ErrSecret {
		t.Error(err)
	}
	k, _ := challenge.New(bytes.NewReader(nil), secret)
	if _, err := k.Make(show, ann, 1, 1, noon); err == nil {
		t.Error("made without randomness")
	}
}

// TestDemand: bounded, never easier for more, and over when the rush is.
func TestDemand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		var d challenge.Demand
		for range rapid.IntRange(0, 300).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(-5, 400).Draw(t, "ms")) * time.Millisecond)
			before := d.PerSecond(now)
			d = d.Add(now)
			if d.PerSecond(now) < before {
				t.Fatal("a request made the demand less")
			}
		}
		at := challenge.Difficulty(d.PerSecond(now))
		if at < challenge.Least || at > challenge.Most {
			t.Fatalf("difficulty %d", at)
		}
		if later := challenge.Difficulty(d.PerSecond(now.Add(10 * time.Second))); later > at {
			t.Fatalf("%d, and ten quiet seconds later %d", at, later)
		}
		if after := challenge.Difficulty(d.PerSecond(now.Add(time.Minute))); after != challenge.Least {
			t.Fatalf("%d after a quiet minute", after)
		}
	})
	for rate, want := range map[float64]int{0: 14, 4: 14, 8: 15, 17: 16, 65: 18, 1e9: 20} {
		if got := challenge.Difficulty(rate); got != want {
			t.Errorf("%v a second: %d, want %d", rate, got, want)
		}
	}
	var d challenge.Demand
	for n := range 2000 { // a hundred a second, for as long as it takes to settle
		d = d.Add(noon.Add(time.Duration(n) * 10 * time.Millisecond))
	}
	if got := d.PerSecond(noon.Add(20 * time.Second)); got < 80 || got > 105 {
		t.Errorf("a hundred a second look like %v", got)
	}
}

func BenchmarkVerify(b *testing.B) {
	k := keeper(b)
	_, s := solved(b, k, 4, 14)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := k.Verify(s, show, ann, noon); !ok {
			b.Fatal("refused")
		}
	}
}

func BenchmarkSolve(b *testing.B) {
	k := keeper(b)
	for b.Loop() {
		solved(b, k, 4, challenge.Least)
	}
}

func FuzzVerify(f *testing.F) {
	k := keeper(f)
	_, s := solved(f, k, 4, 4)
	f.Add(s)
	f.Add("fsc1.")
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := k.Verify(text, show, ann, noon); ok && text[:len(s)-4] != s[:len(s)-4] {
			t.Errorf("%q was taken", text)
		}
	})
}
