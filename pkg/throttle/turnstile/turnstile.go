// Package turnstile decides who has come too often, at several keys at once: the address,
// and the buyer (a guest's session or an account). The table of limits is exact and
// costs a write; so an instance first lets a few of each key pass from memory, which
// is all that people ever need, and asks the table about the rest. So many as there
// are instances times the few can pass more than the table's rate lets.
//
// Every refusal is the same [throttle.Refusal]: nobody is told which limit it was.
//
// Start with [Stile.Pass] and [Numbers].
package turnstile

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/throttle"
)

// Act is what somebody wants to do. The zero value is invalid.
type Act uint8

// The acts that have limits.
const (
	_         Act = iota
	Open          // a session
	Challenge     // ask for one
	Hold
	Join
)

// Visit is one request.
type Visit struct {
	Act     Act
	Address string // of the client, as the gateway tells
	Buyer   booking.Buyer
	Show    catalog.ShowID
	Seats   int // that a challenge is asked for
}

// Numbers are what a deployment sets; 0 of any is no limit.
type Numbers struct {
	Sessions     int // a minute and address
	Holds        int // holds and places in line, each, a minute and address
	BuyerHolds   int // the same, a minute and buyer
	AddressSeats int // seats of a show that an address may have challenges for at once; a quarter of them again each minute
}

// rule is one limit of an act: Free passes from memory, Rate by the table.
type rule struct {
	kind       throttle.Kind
	of         func(Visit) string
	count      func(Visit) int
	free, rate throttle.Rate
}

// Table keeps limits: store.Limiter.
type Table interface {
	Take(ctx context.Context, k throttle.Key, r throttle.Rate, n int, now time.Time) error
}

// Stile lets pass or refuses. It is safe for concurrent use.
type Stile struct {
	table Table
	names *throttle.Namer
	clock func() time.Time
	rules map[Act][]rule

	mu         sync.Mutex
	young, old map[throttle.Key]throttle.State
}

// New makes a turnstile. Keys are hashed by names, in memory too.
func New(t Table, names *throttle.Namer, n Numbers, clock func() time.Time) *Stile {
	return &Stile{table: t, names: names, clock: clock, rules: n.rules(), young: map[throttle.Key]throttle.State{}}
}

func perMinute(n int) throttle.Rate {
	return throttle.Rate{Burst: n, Every: (time.Minute / time.Duration(n)).Truncate(time.Millisecond)}
}

func address(v Visit) string { return network(v.Address) }
func buyer(v Visit) string   { return string(v.Buyer) }
func once(Visit) int         { return 1 }

// at is an address at a show: an office that books one film is not slowed in the next.
func at(v Visit) string { return string(v.Show) + " " + network(v.Address) }

// rules are the numbers as limits. What an instance lets pass by itself is a
// twentieth of a minute's worth; of a challenge nothing, for it is asked for by shows
// where a few seats matter.
func (n Numbers) rules() map[Act][]rule {
	all := map[Act][]rule{}
	add := func(a Act, most int, r rule) {
		if most == 0 {
			return
		}
		if r.count == nil {
			r.count, r.rate = once, perMinute(most)
			r.free = throttle.Rate{Burst: max(most/20, 1), Every: r.rate.Every * 2}
		}
		all[a] = append(all[a], r)
	}
	add(Open, n.Sessions, rule{kind: "session-address", of: address})
	add(Challenge, n.BuyerHolds, rule{kind: "challenge-buyer", of: buyer})
	add(Challenge, n.AddressSeats, rule{
		kind: "challenge-address", of: at, count: func(v Visit) int { return min(v.Seats, n.AddressSeats) },
		rate: throttle.Rate{Burst: n.AddressSeats, Every: (4 * time.Minute / time.Duration(max(n.AddressSeats, 1))).Truncate(time.Millisecond)},
	})
	add(Hold, n.Holds, rule{kind: "hold-address", of: address})
	add(Hold, n.BuyerHolds, rule{kind: "hold-buyer", of: buyer})
	add(Join, n.Holds, rule{kind: "join-address", of: address})
	add(Join, n.BuyerHolds, rule{kind: "join-buyer", of: buyer})
	return all
}

// Pass counts a visit at each of its keys, and fails with [throttle.Refusal] at the
// first that has been used up. What comes from the machine itself is not counted:
// behind a gateway nobody has its address.
func (d *Stile) Pass(ctx context.Context, v Visit) error {
	if own(v.Address) {
		return nil
	}
	now := d.clock()
	for _, r := range d.rules[v.Act] {
		subject := r.of(v)
		if subject == "" {
			continue
		}
		key, n := d.names.Of(r.kind, subject), r.count(v)
		if d.remembers(key, r.free, n, now) {
			continue
		}
		if err := d.table.Take(ctx, key, r.rate, n, now); err != nil {
			return err
		}
	}
	return nil
}

// remembered is of how many keys a generation of the memory knows.
const remembered = 4096

// remembers lets pass from memory. Two generations bound it: a key that nobody used
// while so many others came is as new.
func (d *Stile) remembers(k throttle.Key, free throttle.Rate, n int, now time.Time) bool {
	if free.Burst == 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s, known := d.young[k]
	if !known {
		s = d.old[k]
	}
	next, verdict := free.Take(s, n, now)
	if len(d.young) >= remembered {
		d.young, d.old = map[throttle.Key]throttle.State{}, d.young
	}
	d.young[k] = next
	return verdict.OK
}

// network is whom an address belongs to: a household has one of the old kind, and
// of the new kind 2^64, which begin alike.
func network(address string) string {
	a, err := netip.ParseAddr(strings.TrimSpace(address))
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64)
	return p.String()
}

func own(address string) bool { return address == "127.0.0.1" || address == "::1" }
