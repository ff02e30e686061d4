package boxoffice

import (
	"context"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/challenge"
	"github.com/fairseat/fairseat/pkg/throttle"
)

// ChallengeFor poses a puzzle for a request of so many seats of a show, harder the
// more ask for one of late. None is given before the sale: nobody has a head start.
func (o *Office) ChallengeFor(ctx context.Context, id catalog.ShowID, b booking.Buyer, seats int) (challenge.Challenge, error) {
	show, err := o.Catalog.Show(ctx, id)
	if err != nil {
		return challenge.Challenge{}, err
	}
	if seats < 1 || seats > o.Policy.MaxSeats {
		return challenge.Challenge{}, &booking.Refusal{Reason: booking.ErrTooMany, Limit: o.Policy.MaxSeats}
	}
	now := o.Clock()
	if err := booking.OnSale(show, now); err != nil {
		return challenge.Challenge{}, err
	}
	return o.Challenges.Make(id, b, seats, challenge.Difficulty(o.demand.add(id, now)), now)
}

// demand is what this instance saw asked for, by show.
type demand struct {
	mu    sync.Mutex
	shows map[catalog.ShowID]challenge.Demand
}

const demandShows = 1000 // that are remembered; then all are forgotten, and it is easy for a moment

// add counts a request and gives the rate with it.
func (d *demand) add(id catalog.ShowID, now time.Time) float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.shows[id]; d.shows == nil || !known && len(d.shows) >= demandShows {
		d.shows = map[catalog.ShowID]challenge.Demand{}
	}
	next := d.shows[id].Add(now)
	d.shows[id] = next
	return next.PerSecond(now)
}

// worked looks at what a buyer has solved, where the show asks for it while it is on
// sale; outside of the sale the answer is that of any show.
func (o *Office) worked(s sale, solution string, seats int, now time.Time) (madeAt time.Time, err error) {
	if !s.show.Challenge || booking.OnSale(s.show, now) != nil {
		return time.Time{}, nil
	}
	if o.Challenges != nil {
		if p, ok := o.Challenges.Verify(solution, s.show.ID, s.req.Buyer, now); ok && seats <= p.Seats {
			return p.MadeAt, nil
		}
	}
	return time.Time{}, &booking.Refusal{Reason: booking.ErrNotWorked}
}

// slowed is the answer to a hold that the buyer's past refused: wait, solve another,
// or try again on terms that take the past into account.
func (o *Office) slowed(s sale, t *Taken) error {
	if t.Used {
		return &booking.Refusal{Reason: booking.ErrNotWorked}
	}
	now := o.Clock()
	c, until := t.Drops.Resume(o.Policy, now)
	if !until.IsZero() {
		return &throttle.Refusal{Wait: until.Sub(now)}
	}
	s.terms.Drops = &c
	return errAgain
}
