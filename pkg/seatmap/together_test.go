package seatmap

import (
	"testing"

	"pgregory.net/rapid"
)

func TestTogether(t *testing.T) {
	for _, tt := range []struct {
		rows []string
		want int
	}{
		{[]string{"RRRR"}, 4},
		{[]string{"RRrR"}, 2},
		{[]string{"RR_RRR"}, 3},
		{[]string{"WCRR"}, 2},
		{[]string{"RLLR"}, 4},
		{[]string{"RR", "RR"}, 2},
		{[]string{"rrrr"}, 0},
		{[]string{"RRRRRRRRRRRRRR"}, 10},
	} {
		l, free, _ := sketch(t, tt.rows...)
		if got := Together(l, free, 10); got != tt.want {
			t.Errorf("%q: %d together, want %d", tt.rows, got, tt.want)
		}
	}
}

func TestTogetherStanding(t *testing.T) {
	l := hall(t, "arena-20000")
	if got := Together(l, func(i int) bool { return l.At(i).Type == Standing }, 10); got != 10 {
		t.Errorf("%d standing places together", got)
	}
}

// The naive twin: the longest stretch of indexes whose every step touches.
func TestTogetherAgainstEveryStretch(t *testing.T) {
	all := []*Layout{hall(t, "standard-90"), hall(t, "lounge-64"), hall(t, "large-268")}
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(all).Draw(t, "hall")
		taken := rapid.SliceOfN(rapid.Bool(), l.Len(), l.Len()).Draw(t, "taken")
		usable := func(i int) bool {
			typ := l.At(i).Type
			return !taken[i] && typ != Wheelchair && typ != Companion
		}
		want := 0
		for from := range l.Len() {
			n := 0
			for to := from; to < l.Len() && usable(to) && (to == from || l.touch(to, to-1)); to++ {
				n++
			}
			want = max(want, n)
		}
		if got := Together(l, func(i int) bool { return !taken[i] }, 10); got != min(want, 10) {
			t.Fatalf("%s: %d together, want %d", l.ID(), got, want)
		}
	})
}
