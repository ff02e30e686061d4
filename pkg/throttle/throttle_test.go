package throttle

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/fault"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestTake(t *testing.T) {
	r := Rate{Burst: 3, Every: time.Minute}
	var s State
	for _, tt := range []struct {
		after time.Duration
		n     int
		want  Verdict
	}{
		{0, 1, Verdict{true, 0, 2}},
		{0, 2, Verdict{true, 0, 0}},
		{0, 1, Verdict{false, time.Minute, 0}},
		{59*time.Second + 999*time.Millisecond, 1, Verdict{false, time.Millisecond, 0}},
		{time.Minute, 1, Verdict{true, 0, 0}},
		{time.Minute, 2, Verdict{false, 2 * time.Minute, 0}},
		{time.Hour, 4, Verdict{false, time.Minute, 3}},
		{time.Hour, 3, Verdict{true, 0, 0}},
	} {
		var v Verdict
		if s, v = r.Take(s, tt.n, noon.Add(tt.after)); v != tt.want {
			t.Errorf("%d after %v: %+v, want %+v", tt.n, tt.after, v, tt.want)
		}
	}
}

// bucket is the naive twin: tokens that drip.
type bucket struct {
	tokens float64
	at     time.Time
}

func (b *bucket) take(r Rate, n int, now time.Time) bool {
	b.tokens = min(b.tokens+float64(now.Sub(b.at))/float64(r.Every), float64(r.Burst))
	b.at = now
	if b.tokens+1e-6 < float64(n) {
		return false
	}
	b.tokens -= float64(n)
	return true
}

func TestLikeABucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rate{rapid.IntRange(1, 20).Draw(t, "burst"), time.Duration(rapid.IntRange(1, 5000).Draw(t, "every")) * time.Millisecond}
		twin, s, now := bucket{float64(r.Burst), noon}, State{}, noon
		for range rapid.IntRange(1, 60).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 6000).Draw(t, "pause")) * time.Millisecond)
			n := rapid.IntRange(1, r.Burst+1).Draw(t, "n")
			next, v := r.Take(s, n, now)
			if want := twin.take(r, n, now); v.OK != want {
				t.Fatalf("%d of %+v at %v: %+v, the bucket says %v", n, r, now.Sub(noon), v, want)
			}
			if !v.OK && n <= r.Burst {
				if _, later := r.Take(s, n, now.Add(v.Wait)); !later.OK {
					t.Fatalf("after the wait of %v it is refused again", v.Wait)
				}
				if _, early := r.Take(s, n, now.Add(v.Wait-time.Millisecond)); early.OK {
					t.Fatalf("it passes before the wait of %v is over", v.Wait)
				}
			}
			if v.Left > 0 {
				if _, more := r.Take(next, v.Left, now); !more.OK {
					t.Fatalf("%d are left and do not pass", v.Left)
				}
			}
			if _, more := r.Take(next, v.Left+1, now); more.OK {
				t.Fatalf("more than %d pass", v.Left)
			}
			s = next
		}
	})
}

func TestKeys(t *testing.T) {
	n, err := NewNamer("a secret of a deployment")
	if err != nil {
		t.Fatal(err)
	}
	other, _ := NewNamer("another secret altogether")
	seen := map[Key]bool{}
	for _, k := range []Key{n.Of("a", "x"), n.Of("b", "x"), n.Of("a", "y"), n.Of("", "ax"), n.Of("ax", ""), other.Of("a", "x")} {
		if seen[k] || strings.Contains(string(k), "192.0.2.1") {
			t.Errorf("%q twice", k)
		}
		seen[k] = true
	}
	if first := n.Of("a", "x"); first != n.Of("a", "x") || strings.Contains(string(n.Of("a", "192.0.2.1")), "192") {
		t.Error("a key is not a hash")
	}
	if _, err := NewNamer("short"); !errors.Is(err, ErrSecret) {
		t.Errorf("short secret: %v", err)
	}
}

func TestRefusal(t *testing.T) {
	var err error = &Refusal{time.Second}
	if !fault.Is(err, fault.Limited) || !errors.Is(err, ErrLimited) || strings.Contains(err.Error(), "1s") {
		t.Errorf("%v", err)
	}
}
