package e2e_test

import (
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/store"
)

// timeToLive is how late the TTL may be here: 5 s after the grace, and as long as the
// emulator needs. It looks at twenty rows of a table, then waits ten seconds.
const timeToLive = time.Minute

// TestByTTL is apart from the tests that run beside each other: those leave hundreds of
// timers of people who wait no more, and the emulator would come to ours in minutes.
func TestByTTL(t *testing.T) {
	t.Run("a hold", holdByTTL)
	t.Run("an offer", offerByTTL)
}

// holdByTTL: nobody looks and no message is read; the deletion of the timer
// item alone ends the hold. One that cannot be read does not stop the others.
func holdByTTL(t *testing.T) {
	parallelWithout(t, []string{expireHold}, expireTimer, relayHolds, projectHolds, projectPool, advanceLine, callbacks)
	o, wanted := abandon(t, 3), abandon(t, 2)
	wanted.openLine(t)
	givenUp := poison(t, map[string]string{expireTimer: "ExpireTimer"}, store.Timers, "EXP#poison", "soon", store.Item{"ttl": time.Now().Unix()})
	o.awaitEnd(t, timeToLive)
	wanted.awaitLine(t, timeToLive)
	wanted.drained(t)
	givenUp()
}

// offerByTTL: the last net under an offer, when nobody looks and its message is
// lost. The run that it causes does whatever else is to be done.
func offerByTTL(t *testing.T) {
	on := parallelWithout(t, []string{advanceLine, expireHold}, expireTimer, relayHolds, relayLine)
	must(t, stack.Resume(advanceLine))
	a, c := lapsedBeside(t)
	next := guest(t).join(c.show, 1, "premium")
	pauseAll(t, advanceLine)
	c.interrupted(t, a)
	eventually(t, timeToLive, func() error {
		got, err := shop.store.Waiter(t.Context(), line.WaiterID(a.Place.ID))
		if err == nil && got.State != line.Lapsed {
			err = yet("the offer is %s", got.State)
		}
		return err
	})
	eventually(t, 5*time.Second, func() error {
		got, err := shop.store.Waiter(t.Context(), line.WaiterID(c.Place.ID))
		if err == nil && got.State == line.Entering {
			err = yet("he is entering")
		}
		return err
	})
	eventually(t, 5*time.Second, func() error {
		got, err := shop.store.Waiter(t.Context(), line.WaiterID(next.Place.ID))
		if err == nil && got.State != line.Offered {
			err = yet("who is next is %s", got.State)
		}
		return err
	})
	on()
}
