//go:build !race

package challenge_test

import "testing"

// TestVerifyIsCheap: who must refuse a flood allocates nothing for it. The race
// detector makes pools forget on purpose, so it is left out there.
func TestVerifyIsCheap(t *testing.T) {
	k := keeper(t)
	_, s := solved(t, k, 4, 4)
	if n := testing.AllocsPerRun(100, func() { k.Verify(s, show, ann, noon) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
