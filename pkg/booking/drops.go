package booking

import "time"

// Contact names who is reached about a purchase: a keyed hash of an e-mail address
// or a telephone number, never either of them. It has an allowance of its own, as a
// buyer has: ten sessions with one telephone are one person.
type Contact string

// Drops are how often a buyer let a hold of one show end unsold, given back or
// expired. They stand in his allowance, which every hold and every release writes
// anyway, so that hoarding is counted without a write of its own (B7).
type Drops struct {
	N    int
	Last time.Time
}

const (
	dropsForgotten = 10 * time.Minute // without another one
	firstDropWait  = 30 * time.Second // doubled for each that follows
)

// DropsChange is what the next hold makes of the drops: Was as read, which is its
// condition.
type DropsChange struct{ Was, Next Drops }

// Resume says whether a buyer may hold again who has dropped so many. The policy's
// first are free; after those he waits from the last one, longer each time, at most
// ten minutes, and who waits that long begins anew. until is zero where he may.
func (d Drops) Resume(p Policy, now time.Time) (c DropsChange, until time.Time) {
	c = DropsChange{Was: d, Next: d}
	if p.FreeDrops == 0 || d.N < p.FreeDrops {
		return c, time.Time{}
	}
	if !now.Before(d.Last.Add(dropsForgotten)) {
		c.Next = Drops{Last: d.Last}
		return c, time.Time{}
	}
	wait := dropsForgotten
	if more := d.N - p.FreeDrops; more < 5 {
		wait = firstDropWait << more
	}
	if until = d.Last.Add(wait); !now.Before(until) {
		until = time.Time{}
	}
	return c, until
}

// Dropped reports whether the ending is one that counts: a refund does not, nor
// what the house does with its own.
func (e Ending) Dropped() bool {
	return e.Was.State == Held && (e.Hold.State == Released || e.Hold.State == Expired)
}

// Terms are what a hold is conditioned on beside seats and allowance. The zero
// value asks for nothing but what the policy says of drops.
type Terms struct {
	Drops    *DropsChange // where an attempt has met them; nil: few enough, unread
	WorkedAt time.Time    // when the challenge was made that the buyer has solved; zero where none was asked
}
