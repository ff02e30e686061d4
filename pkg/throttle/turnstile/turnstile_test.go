package turnstile_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/store/meter"
	"github.com/fairseat/fairseat/pkg/throttle"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
)

var usual = turnstile.Numbers{Sessions: 60, Holds: 240, BuyerHolds: 40, AddressSeats: 40}

type porch struct {
	t     *testing.T
	now   time.Time
	count *meter.Meter
	doors []*turnstile.Stile
}

func open(t *testing.T, instances int, n turnstile.Numbers) *porch {
	names, err := throttle.NewNamer("a-secret-of-limits-0123456789")
	if err != nil {
		t.Fatal(err)
	}
	p := &porch{t: t, now: time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return p.now }
	p.count = meter.New(memstore.New(memstore.Options{Clock: clock}))
	for range instances {
		p.doors = append(p.doors, turnstile.New(store.NewLimiter(p.count), names, n, clock))
	}
	return p
}

// passes tries so often, at the instances in turn, and counts who passed.
func (p *porch) passes(times int, v turnstile.Visit) (n int) {
	p.t.Helper()
	for i := range times {
		err := p.doors[i%len(p.doors)].Pass(p.t.Context(), v)
		var no *throttle.Refusal
		switch {
		case err == nil:
			n++
		case !errors.As(err, &no) || no.Wait <= 0:
			p.t.Fatal(err)
		}
	}
	return n
}

// TestPeopleCostNothing: what one person does in a minute asks no table.
func TestPeopleCostNothing(t *testing.T) {
	p := open(t, 1, usual)
	v := turnstile.Visit{Act: turnstile.Open, Address: "192.0.2.7"}
	if p.passes(3, v) != 3 {
		t.Error("refused")
	}
	v.Act, v.Buyer = turnstile.Hold, "g_ann"
	if p.passes(2, v) != 2 {
		t.Error("refused")
	}
	if c := p.count.Snapshot(); len(c.Requests) != 0 {
		t.Errorf("%+v", c)
	}
}

// TestFlood: from one address the table's rate passes and what each instance lets by,
// and the same again only in time.
func TestFlood(t *testing.T) {
	p := open(t, 4, usual)
	v := turnstile.Visit{Act: turnstile.Open, Address: "192.0.2.7"}
	if n := p.passes(1000, v); n < 60 || n > 60+4*3 {
		t.Errorf("%d of a thousand at once", n)
	}
	p.now = p.now.Add(10 * time.Second)
	if n := p.passes(1000, v); n < 10 || n > 10+4*5 {
		t.Errorf("%d after ten seconds", n)
	}
}

// TestKeysAreApart: neither address, buyer, act nor show uses up another's limit, and
// all of a household's addresses are one.
func TestKeysAreApart(t *testing.T) {
	p := open(t, 1, usual)
	p.passes(500, turnstile.Visit{Act: turnstile.Hold, Address: "192.0.2.7", Buyer: "g_bot"})
	for name, v := range map[string]turnstile.Visit{
		"another act":       {Act: turnstile.Open, Address: "192.0.2.7"},
		"joining":           {Act: turnstile.Join, Address: "192.0.2.7", Buyer: "g_bot"},
		"another":           {Act: turnstile.Hold, Address: "192.0.2.8", Buyer: "g_ann"},
		"from here":         {Act: turnstile.Hold, Address: "127.0.0.1", Buyer: "g_bot"},
		"nobody's address?": {Act: turnstile.Hold, Address: "", Buyer: "g_bob"},
	} {
		if p.passes(1, v) != 1 {
			t.Errorf("%s is refused", name)
		}
	}
	if p.passes(1, turnstile.Visit{Act: turnstile.Hold, Address: "198.51.100.1", Buyer: "g_bot"}) != 0 {
		t.Error("the buyer passes from another address")
	}
	for i := range 300 {
		p.passes(1, turnstile.Visit{Act: turnstile.Open, Address: fmt.Sprintf("2001:db8:1:2::%x", i)})
	}
	if p.passes(1, turnstile.Visit{Act: turnstile.Open, Address: "2001:db8:1:2:ffff::1"}) != 0 {
		t.Error("each address of a household counts for itself")
	}
	if p.passes(1, turnstile.Visit{Act: turnstile.Open, Address: "2001:db8:1:3::1"}) != 1 {
		t.Error("the neighbour is refused")
	}
}

// TestSeatsOfAnAddress: challenges are counted by their seats, exactly and by show.
func TestSeatsOfAnAddress(t *testing.T) {
	p := open(t, 8, usual)
	seats := 0
	for i := range 100 {
		v := turnstile.Visit{Act: turnstile.Challenge, Address: "192.0.2.7", Buyer: booking.Buyer(fmt.Sprint("g_", i)), Show: "show", Seats: 10}
		if p.passes(1, v) == 1 {
			seats += 10
		}
	}
	if seats != 40 {
		t.Errorf("%d seats at once", seats)
	}
	if p.passes(1, turnstile.Visit{Act: turnstile.Challenge, Address: "192.0.2.7", Buyer: "g_x", Show: "other", Seats: 10}) != 1 {
		t.Error("another show is refused")
	}
	p.now = p.now.Add(time.Minute)
	if n := p.passes(40, turnstile.Visit{Act: turnstile.Challenge, Address: "192.0.2.7", Show: "show", Seats: 1}); n != 10 {
		t.Errorf("%d seats after a minute", n)
	}
}

// TestNoLimits: numbers of nought ask nobody; a table that fails is no refusal.
func TestNoLimits(t *testing.T) {
	p := open(t, 1, turnstile.Numbers{})
	for _, act := range []turnstile.Act{turnstile.Open, turnstile.Challenge, turnstile.Hold, turnstile.Join} {
		if p.passes(1000, turnstile.Visit{Act: act, Address: "192.0.2.7", Buyer: "g_bot", Show: "s", Seats: 10}) != 1000 {
			t.Error("refused")
		}
	}
	if c := p.count.Snapshot(); len(c.Requests) != 0 {
		t.Errorf("%+v", c)
	}
	names, _ := throttle.NewNamer("a-secret-of-limits-0123456789")
	broken := turnstile.New(fails{}, names, usual, func() time.Time { return p.now })
	if err := broken.Pass(t.Context(), turnstile.Visit{Act: turnstile.Challenge, Address: "192.0.2.7", Seats: 1}); !errors.Is(err, errTable) {
		t.Error(err)
	}
}

var errTable = errors.New("the table is gone")

type fails struct{}

func (fails) Take(context.Context, throttle.Key, throttle.Rate, int, time.Time) error {
	return errTable
}
