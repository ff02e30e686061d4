package boxoffice_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// rush is a desk on which many act at once: clock and pauses are those of the
// bubble that it runs in.
func rush(t *testing.T) *desk {
	d := newDesk(t)
	now := func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
	d.db = memstore.New(memstore.Options{Clock: now})
	d.store = store.New(d.db, policy)
	d.Office = d.office(d.store)
	d.Clock = now
	d.Pause = func(ctx context.Context, wait time.Duration) error {
		select {
		case <-time.After(wait):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	show := d.hall.shows[matinee]
	show.SaleOpensAt, show.SaleClosesAt, show.EndsAt = now(), now().Add(time.Hour), now().Add(2*time.Hour)
	d.hall.shows[matinee] = show
	return d
}

// together runs n requests at once and hands each answer to judge.
func together(n int, ask func(i int) (booking.Hold, error), judge func(i int, h booking.Hold, err error)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range n {
		wg.Go(func() {
			h, err := ask(i)
			mu.Lock()
			defer mu.Unlock()
			judge(i, h, err)
		})
	}
	wg.Wait()
}

// TestHundredForTheSameSeats: one has them, the others are told exactly why not.
func TestHundredForTheSameSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rush(t)
		won := 0
		together(100, func(i int) (booking.Hold, error) {
			return d.Reserve(d.ctx(), wish(booking.Buyer(fmt.Sprint("b", i)), "k", "A-3", "A-4", "C-1"))
		}, func(i int, h booking.Hold, err error) {
			var no *booking.Refusal
			switch {
			case err == nil:
				won++
			case !errors.As(err, &no) || no.Reason != booking.ErrUnavailable || len(no.Conflicts) != 3 || no.Next != booking.ChooseOther:
				t.Errorf("buyer %d: %s", i, explain(err))
			}
		})
		if won != 1 {
			t.Errorf("%d have the seats", won)
		}
		d.sound()
	})
}

// TestHundredForTheBestSeats: 18 seats of general sale are sold to the last, two
// by two, and who has none is told that there are none.
func TestHundredForTheBestSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rush(t)
		won, busy := 0, 0
		together(60, func(i int) (booking.Hold, error) {
			w := boxoffice.Wish{Buyer: booking.Buyer(fmt.Sprint("b", i)), Key: "k", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Regular}}
			h, err := d.Reserve(d.ctx(), w)
			for n := 0; errors.Is(err, boxoffice.ErrBusy) && n < 20; n++ { // as Retry-After says
				_ = d.Pause(d.ctx(), time.Second)
				h, err = d.Reserve(d.ctx(), w)
			}
			return h, err
		}, func(i int, h booking.Hold, err error) {
			switch {
			case err == nil:
				won++
			case errors.Is(err, boxoffice.ErrBusy):
				busy++
			case !errors.Is(err, booking.ErrUnavailable):
				t.Errorf("buyer %d: %s", i, explain(err))
			}
		})
		if won != 6 || busy != 0 {
			t.Errorf("%d pairs held of 6, %d turned away", won, busy)
		}
		d.sound()
	})
}

// TestOneBuyerManyHands: no parallelism gets anybody an eleventh seat, and the
// same request at once is one hold.
func TestOneBuyerManyHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rush(t)
		won := 0
		together(12, func(i int) (booking.Hold, error) {
			return d.Reserve(d.ctx(), wish("ann", fmt.Sprint("k", i), seatmap.SeatID(fmt.Sprintf("%c-%d", 'A'+i/6, i%6+1))))
		}, func(i int, h booking.Hold, err error) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, booking.ErrSeatLimit) && !errors.Is(err, boxoffice.ErrBusy):
				t.Errorf("hand %d: %s", i, explain(err))
			}
		})
		if won > 10 {
			t.Errorf("%d seats", won)
		}
		ids := map[booking.HoldID]int{}
		together(20, func(i int) (booking.Hold, error) {
			return d.Reserve(d.ctx(), wish("bob", "k", "C-1", "C-2"))
		}, func(i int, h booking.Hold, err error) {
			if err != nil && !errors.Is(err, boxoffice.ErrBusy) {
				t.Errorf("request %d: %s", i, explain(err))
			}
			ids[h.ID]++
		})
		delete(ids, "") // busy
		if len(ids) != 1 {
			t.Errorf("holds %v", ids)
		}
		d.sound()
	})
}

// TestManyMeetOneOverdueHold: all end it, one gets the seats.
func TestManyMeetOneOverdueHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rush(t)
		old := d.hold("old", "k", "A-1", "A-2")
		if err := d.Pause(d.ctx(), policy.Hold+policy.Grace); err != nil {
			t.Fatal(err)
		}
		won := 0
		together(30, func(i int) (booking.Hold, error) {
			return d.Reserve(d.ctx(), wish(booking.Buyer(fmt.Sprint("b", i)), "k", "A-2", "A-3"))
		}, func(i int, h booking.Hold, err error) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, booking.ErrUnavailable) && !errors.Is(err, boxoffice.ErrBusy):
				t.Errorf("buyer %d: %s", i, explain(err))
			}
		})
		if won != 1 {
			t.Errorf("%d have the seats", won)
		}
		d.wantHold(old.ID, booking.Expired)
		d.sound()
	})
}
