package booking_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
)

// TestResume is the whole rule: three are free, then the wait doubles, and ten quiet
// minutes wipe the slate.
func TestResume(t *testing.T) {
	p := policy
	p.FreeDrops = 3
	for _, tt := range []struct {
		n    int
		wait time.Duration
	}{
		{0, 0}, {2, 0}, {3, 30 * time.Second}, {4, time.Minute}, {5, 2 * time.Minute}, {6, 4 * time.Minute},
		{7, 8 * time.Minute}, {8, 10 * time.Minute}, {9, 10 * time.Minute}, {1 << 40, 10 * time.Minute},
	} {
		d := booking.Drops{N: tt.n, Last: noon}
		if _, until := d.Resume(p, noon); tt.wait == 0 && !until.IsZero() || tt.wait > 0 && !until.Equal(noon.Add(tt.wait)) {
			t.Errorf("%d drops: until %v, want %v", tt.n, until, tt.wait)
		}
		if tt.wait == 0 {
			continue
		}
		if _, until := d.Resume(p, noon.Add(tt.wait-time.Millisecond)); until.IsZero() {
			t.Errorf("%d drops: let through a millisecond early", tt.n)
		}
		c, until := d.Resume(p, noon.Add(tt.wait))
		if !until.IsZero() || c.Was != d {
			t.Errorf("%d drops: still until %v", tt.n, until)
		}
		if c, _ := d.Resume(p, noon.Add(10*time.Minute)); c.Next.N != 0 {
			t.Errorf("%d drops are not forgotten", tt.n)
		}
	}
	if _, until := (booking.Drops{N: 99, Last: noon}).Resume(policy, noon); !until.IsZero() {
		t.Error("slowed where the policy has no limit")
	}
}

// TestDropsSlowDown: however a buyer takes and drops, ten minutes see at most the free
// ones and those that the doubling wait leaves room for.
func TestDropsSlowDown(t *testing.T) {
	p := policy
	p.FreeDrops = 3
	rapid.Check(t, func(t *rapid.T) {
		var d booking.Drops
		now := noon
		var at []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, "ms")) * time.Millisecond)
			c, until := d.Resume(p, now)
			if !until.IsZero() {
				if !until.After(now) || until.After(d.Last.Add(10*time.Minute)) {
					t.Fatalf("until %v at %v, last %v", until, now, d.Last)
				}
				continue
			}
			d = booking.Drops{N: c.Next.N + 1, Last: now}
			at = append(at, now)
		}
		for i := range at {
			if j := i + 11; j < len(at) && at[j].Sub(at[i]) < 10*time.Minute {
				t.Fatalf("twelve drops in %v", at[j].Sub(at[i]))
			}
		}
	})
}

func TestDropped(t *testing.T) {
	for _, tt := range []struct {
		was, is booking.State
		want    bool
	}{
		{booking.Held, booking.Released, true}, {booking.Held, booking.Expired, true},
		{booking.Sold, booking.Refunded, false}, {booking.Blocked, booking.Released, false},
	} {
		e := booking.Ending{Was: booking.Hold{State: tt.was}, Hold: booking.Hold{State: tt.is}}
		if e.Dropped() != tt.want {
			t.Errorf("%v to %v: %v", tt.was, tt.is, !tt.want)
		}
	}
}
