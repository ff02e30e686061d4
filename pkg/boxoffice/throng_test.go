package boxoffice_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// throng is a desk in a synctest bubble at which many act at once. Each call to
// the database takes a time drawn from a seed, on its way and while its writes
// land, so that calls overlap as they do over a network; FAIRSEAT_SEED repeats a
// run that failed.
type throng struct {
	*desk
	seed    uint64
	mu      sync.Mutex
	chance  *rand.Rand
	trouble int // of a hundred calls, how many go wrong
}

func gather(t *testing.T, l *seatmap.Layout) *throng {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("FAIRSEAT_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("FAIRSEAT_SEED=%d", seed)
		}
	})
	c := &throng{desk: openDesk(t, l), seed: seed, chance: rand.New(rand.NewPCG(seed, 1))}
	now := func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
	c.db = memstore.New(memstore.Options{
		Clock: now, Faults: c.delay, Window: func(memstore.Op, int) { c.wait(time.Millisecond) },
	})
	c.store = store.New(c.db, policy)
	c.Office = c.office(c.store)
	c.Clock, c.Rand = now, func() uint64 { return c.draw() }
	c.Pause = func(ctx context.Context, d time.Duration) error { c.sleep(d); return ctx.Err() }
	c.bank.now = now
	show := c.hall.shows[matinee]
	show.SaleOpensAt, show.SaleClosesAt, show.EndsAt = now(), now().Add(time.Hour), now().Add(2*time.Hour)
	c.hall.shows[matinee] = show
	return c
}

func (c *throng) draw() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chance.Uint64()
}

func (c *throng) sleep(d time.Duration) { <-time.After(d) } // of the bubble's time

func (c *throng) wait(most time.Duration) { c.sleep(time.Duration(c.draw() % uint64(most))) }

// delay is a call's way to the database, and what goes wrong on it.
func (c *throng) delay(op memstore.Op) memstore.Fault {
	c.wait(10 * time.Millisecond)
	if c.trouble == 0 || int(c.draw()%100) >= c.trouble {
		return memstore.NoFault
	}
	kinds := []memstore.Fault{memstore.Conflict, memstore.LoseReply, memstore.LoseRequest, memstore.Throttle}
	return kinds[c.draw()%uint64(len(kinds))]
}

// arrive lets n act, all of them within ten milliseconds, and hands over what
// each got.
func (c *throng) arrive(n int, act func(i int) error, judge func(i int, err error)) {
	together(n, func(i int) (booking.Hold, error) {
		// Each at a moment of his own, so that from then on one acts at a time, in
		// an order that the seed decides.
		own := rand.New(rand.NewPCG(c.seed, uint64(i)+2))
		c.sleep(time.Duration(own.Int64N(int64(10 * time.Millisecond))))
		return booking.Hold{}, act(i)
	}, func(i int, _ booking.Hold, err error) { judge(i, err) })
}

// insist asks until it is answered, as a client does whose call failed.
func (c *throng) insist(w boxoffice.Wish) (h booking.Hold, err error) {
	for range 20 {
		if h, err = c.Reserve(c.ctx(), w); err == nil {
			return h, nil
		}
		switch fault.KindOf(err) {
		case fault.Busy, fault.Unknown, fault.Internal:
			c.sleep(100 * time.Millisecond)
			continue
		}
		return h, err
	}
	return h, err
}

func (c *throng) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// house is a hall of regular seats.
func house(rows, perRow int) *seatmap.Layout {
	lines := make([]string, rows)
	for i := range lines {
		lines[i] = fmt.Sprintf("%q", fmt.Sprintf("%d: %s", i+1, strings.Repeat("R", perRow)))
	}
	return layoutOf(fmt.Sprintf(`{"halls":[{"id":"house","name":"House","kind":"cinema","numbering":"ltr","seats":%d,"by_type":{"R":%d},"rows":[%s]}]}`,
		rows*perRow, rows*perRow, strings.Join(lines, ",")))
}

// claimKey is where the seat's claim lies.
func (d *desk) claimKey(id seatmap.SeatID) store.Key {
	d.t.Helper()
	seat, ok := d.layout.Seat(id)
	if !ok {
		d.t.Fatalf("no seat %s", id)
	}
	return store.Key{Table: store.Claims, PK: fmt.Sprintf("SHOW#%s#%s", matinee, d.layout.Block(seat.Block).Name), SK: string(id)}
}

// pauseOnce does something while somebody waits between two attempts.
func pauseOnce(act func()) func(context.Context, time.Duration) error {
	return func(ctx context.Context, _ time.Duration) error {
		act()
		return ctx.Err()
	}
}
