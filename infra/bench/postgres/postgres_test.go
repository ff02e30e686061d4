package postgres

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// TestWishes: in a calm hall nobody wants what another wants; in a rush every
// pair of the two rows is wanted alike.
func TestWishes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[int]int{}
	for _, w := range calmWishes(r) {
		seen[w[0]]++
		seen[w[1]]++
	}
	for seat, n := range seen {
		if n != 1 || seat < 0 || seat >= calmSeats {
			t.Errorf("seat %d is wanted %d times", seat, n)
		}
	}
	seen = map[int]int{}
	for _, w := range rushWishes(r) {
		if w[1] != w[0]+1 || w[1] >= wanted {
			t.Errorf("wish %v", w)
		}
		seen[w[0]]++
	}
	if len(seen) != wanted/2 || seen[0] != demand/(wanted/2) {
		t.Errorf("%v", seen)
	}
}

// TestRushOnTheCore: every wanted seat is sold, each once, and what was refused
// was taken.
func TestRushOnTheCore(t *testing.T) {
	c, err := newCore("core", memstore.New(memstore.Options{Clock: time.Now}), nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := play(t.Context(), Options{Span: time.Millisecond, Seed: 1}, c, scene{8, true}, 0)
	if err != nil || g.busy > 0 {
		t.Fatalf("%+v, %v", g, err)
	}
	if g.sold != g.there || int(g.held)*2 != g.sold || g.held+g.refused != int64(g.there/wanted)*demand {
		t.Errorf("%+v", g)
	}
	if err := c.hold(t.Context(), "true-8-0-0", "again", [2]int{0, 1}); !errors.Is(err, errTaken) {
		t.Errorf("a seat sold before: %v", err)
	}
}
