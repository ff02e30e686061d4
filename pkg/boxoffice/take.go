package boxoffice

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// take tries T1 for the chosen seats; where memory doubts that they can be had it
// looks first, for a refused transaction costs as much as one that is not and a
// look a tenth. It ends the overdue holds that it meets, and then tries again.
func (o *Office) take(ctx context.Context, s sale, chosen []int) (booking.Hold, error) {
	var h booking.Hold
	doubt := false
	err := o.attempt(ctx, func(now time.Time) error {
		next, err := booking.Take(s.req, s.show, s.layout, chosen, o.Policy, now)
		if err != nil {
			return err
		}
		if doubt || o.memory.doubts(s.show, next.Seats, now) {
			v, err := o.glance(ctx, s, next.Seats)
			if err != nil {
				return err
			}
			if v.mine != nil {
				h = *v.mine
				return h.Owns(s.req)
			}
			if len(v.claims) > 0 {
				return o.refuse(ctx, s, next, v)
			}
		}
		err = o.Store.Hold(ctx, next, s.keepUntil(), *s.terms)
		var t *Taken
		switch {
		case err == nil:
			o.memory.won(s.layout, next)
			h = next
			return nil
		case errors.As(err, &t):
			h, err = o.refused(ctx, s, next, t)
			return err
		case fault.Is(err, fault.Busy):
			return o.refusedOrBusy(ctx, s, next, err)
		case fault.Is(err, fault.Contended):
			o.memory.lost(s.show.ID, now)
		}
		doubt = true // who was in the way has them now; and an unknown outcome can be seen
		return err
	})
	return h, err
}

// refused turns T1's refusal into the same answer as before, a reason to try
// again (an overdue hold was ended), or the words for the buyer.
func (o *Office) refused(ctx context.Context, s sale, wanted booking.Hold, t *Taken) (booking.Hold, error) {
	now := o.Clock()
	o.memory.lost(s.show.ID, now)
	v := sight{claims: t.Claims, mine: t.Existing}
	if t.Partial && v.mine == nil {
		var err error
		if v, err = o.glance(ctx, s, wanted.Seats); err != nil {
			return booking.Hold{}, err
		}
	} else if v.mine == nil {
		o.memory.claims(s.show.ID, s.layout, keys(wanted.Seats), t.Claims, now)
	}
	if v.mine != nil {
		return *v.mine, v.mine.Owns(s.req)
	}
	if len(v.claims) > 0 {
		return booking.Hold{}, o.refuse(ctx, s, wanted, v)
	}
	if t.Full {
		return booking.Hold{}, o.refuseFull(ctx, s, t)
	}
	if t.Used || t.Drops.N > 0 {
		return booking.Hold{}, o.slowed(s, t)
	}
	return booking.Hold{}, errAgain
}

// refusedOrBusy looks when the table is over its rate: what is gone is gone, and who
// is told so does not come again.
func (o *Office) refusedOrBusy(ctx context.Context, s sale, wanted booking.Hold, busy error) error {
	o.memory.lost(s.show.ID, o.Clock())
	v, err := o.glance(ctx, s, wanted.Seats)
	if err == nil && v.mine == nil && len(v.claims) > 0 {
		err = o.refuse(ctx, s, wanted, v)
	}
	var no *booking.Refusal
	if errors.As(err, &no) {
		return no
	}
	return busy
}

func (o *Office) refuseFull(ctx context.Context, s sale, t *Taken) error {
	ended, err := o.endOverdueOf(ctx, s.req.Buyer, s.show.ID)
	if err == nil && ended {
		err = errAgain
	}
	if err != nil {
		return err
	}
	return &booking.Refusal{Reason: booking.ErrSeatLimit, Holding: t.Holding, Limit: o.Policy.MaxSeats}
}

var errAgain = fault.New(fault.Stale, "", "boxoffice: what stood in the way is gone")

// refuse says which of the wanted seats cannot be had, why, and what comes next.
// The receipt of the request was looked for when the claims were read.
func (o *Office) refuse(ctx context.Context, s sale, wanted booking.Hold, v sight) error {
	conflicts, err := o.conflicts(ctx, s, wanted, v)
	if err == nil && slices.ContainsFunc(conflicts, func(c booking.Conflict) bool { return c.Reason == booking.StandingLine }) {
		err = o.metTheLine(ctx, s.show.ID)
	}
	if err != nil {
		return err
	}
	next := v.next
	if next == 0 {
		unpaid := slices.ContainsFunc(conflicts, func(c booking.Conflict) bool {
			return c.Reason == booking.StandingHeld || c.Reason == booking.StandingLine
		})
		if next, err = o.next(ctx, s, typesOf(wanted.Seats), unpaid); err != nil {
			return err
		}
	}
	return &booking.Refusal{Reason: booking.ErrUnavailable, Conflicts: conflicts, Next: next}
}

// conflicts names every wanted seat that is not free. If an owner turns out to
// be overdue or ended, it is ended and errAgain says to try once more: nobody is
// told "taken" of a seat that nobody holds.
func (o *Office) conflicts(ctx context.Context, s sale, wanted booking.Hold, v sight) ([]booking.Conflict, error) {
	holds, err := o.behind(ctx, s, v)
	if err != nil {
		return nil, err
	}
	var cs []booking.Conflict
	again := false
	now := o.Clock()
	for _, w := range wanted.Seats {
		owner, taken := ownerAmong(holds, v.claims, w.ID)
		if !taken {
			continue
		}
		c := booking.Conflict{Seat: w.ID, Reason: booking.StandingLine}
		if !owner.Line() {
			h, ok := holds[owner.Hold]
			switch {
			case !ok || !h.State.Live() || owner.Hold == s.req.ID:
				again = true
			case h.Overdue(o.Policy, now):
				if _, err := o.End(ctx, h.ID, booking.ByExpiry); err != nil && !errors.Is(err, booking.ErrAlreadyPaid) {
					return nil, err
				}
				again = true
			}
			c.Reason = standing(h)
			if h.State == booking.Held {
				c.Until = h.ExpiresAt.Add(o.Policy.Grace)
			}
			if h.Buyer == wanted.Buyer {
				c.Own = h.ID
			}
		}
		cs = append(cs, c)
	}
	if again {
		return nil, errAgain
	}
	return cs, nil
}

// ownerAmong finds whose a seat is. A live hold has all its seats, also those whose
// claims were read a moment before they landed (AllOrNothing).
func ownerAmong(holds map[booking.HoldID]booking.Hold, claims map[seatmap.SeatID]Owner, id seatmap.SeatID) (Owner, bool) {
	if o, ok := claims[id]; ok {
		return o, true
	}
	for _, h := range holds {
		if h.State.Live() && slices.ContainsFunc(h.Seats, func(s booking.Seat) bool { return s.ID == id }) {
			return Owner{Hold: h.ID}, true
		}
	}
	return Owner{}, false
}

// behind are the holds that the claims point at: as they were read with the claims,
// read now, or known without a read because they cannot have changed.
func (o *Office) behind(ctx context.Context, s sale, v sight) (map[booking.HoldID]booking.Hold, error) {
	holds := map[booking.HoldID]booking.Hold{}
	var unread []booking.HoldID
	for _, owner := range v.claims {
		h, read := v.holds[owner.Hold]
		known, sold := o.memory.sold(s.show.ID, owner.Hold)
		switch {
		case owner.Line():
		case owner.House:
			holds[owner.Hold] = booking.Hold{ID: owner.Hold, State: booking.Blocked}
		case read:
			holds[owner.Hold] = h
		case sold:
			holds[owner.Hold] = known
		default:
			holds[owner.Hold] = booking.Hold{}
			unread = append(unread, owner.Hold)
		}
	}
	read, err := o.Store.HoldsByID(ctx, slices.Compact(slices.Sorted(slices.Values(unread))))
	if err != nil {
		return nil, err
	}
	o.memory.saw(s.show.ID, read)
	for _, id := range unread {
		holds[id] = read[id]
	}
	return holds, nil
}

func standing(h booking.Hold) booking.Standing {
	switch h.State {
	case booking.Held:
		return booking.StandingHeld
	case booking.Sold:
		return booking.StandingSold
	case booking.Blocked:
		return booking.StandingBlocked
	}
	return booking.StandingFree
}

func keys(seats []booking.Seat) []SeatKey {
	ks := make([]SeatKey, len(seats))
	for i, s := range seats {
		ks[i] = SeatKey{Seat: s.ID, Block: s.Block}
	}
	return ks
}

// owners are the holds that claims point at, in a fixed order.
func owners(claims map[seatmap.SeatID]Owner) []booking.HoldID {
	seen := map[booking.HoldID]bool{}
	for _, o := range claims {
		if !o.Line() {
			seen[o.Hold] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
