package boxoffice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Wish is a buyer's request for seats (A12): either named seats, or the best
// Count of a type.
type Wish struct {
	Buyer    booking.Buyer
	Key      string // Idempotency-Key
	BodyHash string
	Show     catalog.ShowID
	Movie    catalog.MovieID // "" or the show's
	Seats    []seatmap.SeatID
	Best     *seatmap.Want
}

// sale is what a request needs to know of its show.
type sale struct {
	req    booking.Request
	show   catalog.Show
	layout *seatmap.Layout
}

// keepUntil is when a show's allowances may go. Every hold gives back to one at its
// end, so it must outlive the latest end that any fault allows.
func (s sale) keepUntil() time.Time { return s.show.EndsAt.Add(30 * 24 * time.Hour) }

// Reserve holds all the wished seats for the buyer or none (A10, A17). The same
// key and body give the same hold, even after its end; a refusal is a
// *booking.Refusal and is not remembered.
func (o *Office) Reserve(ctx context.Context, w Wish) (booking.Hold, error) {
	s, err := o.sale(ctx, w)
	if err != nil {
		return booking.Hold{}, err
	}
	var h booking.Hold
	if w.Best != nil {
		h, err = o.reserveBest(ctx, s, *w.Best)
	} else {
		h, err = o.reserveNamed(ctx, s, w.Seats)
	}
	var no *booking.Refusal
	if errors.As(err, &no) && fault.Is(err, fault.Conflict) {
		if old, found, rerr := o.receipt(ctx, s.req); rerr != nil || found {
			return old, rerr
		}
	}
	return h, err
}

func (o *Office) sale(ctx context.Context, w Wish) (sale, error) {
	show, err := o.Catalog.Show(ctx, w.Show)
	if err != nil {
		return sale{}, err
	}
	if w.Movie != "" && w.Movie != show.MovieID {
		return sale{}, &booking.Refusal{Reason: booking.ErrWrongMovie}
	}
	l, err := o.Catalog.Layout(ctx, show.LayoutID)
	if err != nil {
		return sale{}, err
	}
	req := booking.Request{ID: booking.IDFor(w.Buyer, w.Key), Buyer: w.Buyer, BodyHash: w.BodyHash}
	return sale{req: req, show: show, layout: l}, nil
}

// receipt finds the answer that the request got before.
func (o *Office) receipt(ctx context.Context, req booking.Request) (booking.Hold, bool, error) {
	h, err := o.Store.HoldByID(ctx, req.ID)
	if errors.Is(err, booking.ErrHoldNotFound) {
		return booking.Hold{}, false, nil
	}
	if err == nil {
		err = h.Owns(req)
	}
	return h, err == nil, err
}

func (o *Office) reserveNamed(ctx context.Context, s sale, ids []seatmap.SeatID) (booking.Hold, error) {
	chosen, err := booking.Choose(s.layout, ids, o.Policy.MaxSeats)
	if err != nil {
		return booking.Hold{}, err
	}
	if s.show.SingleGap {
		if err := o.checkGap(ctx, s, chosen); err != nil {
			return booking.Hold{}, err
		}
	}
	h, err := o.take(ctx, s, chosen)
	var no *booking.Refusal
	if errors.As(err, &no) && no.Reason == booking.ErrUnavailable {
		next, nerr := o.next(ctx, s, chosen)
		if nerr != nil {
			return booking.Hold{}, nerr
		}
		no.Next = next
	}
	return h, err
}

// checkGap refuses by a read of the rows concerned that began after the request
// came. The rule is the house's wish, no invariant: a race may leave a gap.
func (o *Office) checkGap(ctx context.Context, s sale, chosen []int) error {
	blocks := make([]int, 0, len(chosen))
	for _, i := range chosen {
		blocks = append(blocks, s.layout.At(i).Block)
	}
	slices.Sort(blocks)
	taken := map[seatmap.SeatID]bool{}
	for _, b := range slices.Compact(blocks) {
		claims, err := o.Store.BlockClaims(ctx, s.show.ID, s.layout.Block(b).Name)
		if err != nil {
			return err
		}
		for id := range claims {
			taken[id] = true
		}
	}
	free := func(i int) bool { return !taken[s.layout.At(i).ID] }
	for _, i := range chosen {
		if !free(i) {
			return nil // the hold itself will say who has it
		}
	}
	if stranded := seatmap.SingleGap(s.layout, free, chosen); len(stranded) > 0 {
		return &booking.Refusal{Reason: booking.ErrSingleGap, Seats: stranded}
	}
	return nil
}

// take tries T1 for the chosen seats. It ends the overdue holds that it meets,
// and then tries again.
func (o *Office) take(ctx context.Context, s sale, chosen []int) (booking.Hold, error) {
	var h booking.Hold
	unsure := false
	err := o.attempt(ctx, func(now time.Time) error {
		if unsure {
			old, found, err := o.receipt(ctx, s.req)
			if err != nil || found {
				h = old
				return err
			}
		}
		next, err := booking.Take(s.req, s.show, s.layout, chosen, o.Policy, now)
		if err != nil {
			return err
		}
		err = o.Store.Hold(ctx, next, s.keepUntil())
		var t *Taken
		switch {
		case err == nil:
			h = next
			return nil
		case errors.As(err, &t):
			h, err = o.refused(ctx, s, next, t)
			return err
		}
		unsure = unsure || fault.Is(err, fault.Unknown)
		return err
	})
	return h, err
}

// refused turns T1's refusal into the same answer as before, a reason to try
// again (an overdue hold was ended), or the words for the buyer.
func (o *Office) refused(ctx context.Context, s sale, wanted booking.Hold, t *Taken) (booking.Hold, error) {
	if t.Existing != nil {
		return *t.Existing, t.Existing.Owns(s.req)
	}
	claims := t.Claims
	if t.Partial {
		var err error
		if claims, err = o.Store.Claims(ctx, s.show.ID, keys(wanted.Seats)); err != nil {
			return booking.Hold{}, err
		}
	}
	if len(claims) > 0 {
		conflicts, err := o.conflicts(ctx, wanted.Seats, claims)
		if err != nil {
			return booking.Hold{}, err
		}
		return booking.Hold{}, &booking.Refusal{Reason: booking.ErrUnavailable, Conflicts: conflicts}
	}
	if t.Full {
		if ended, err := o.endOverdueOf(ctx, s.req.Buyer, s.show.ID); err != nil {
			return booking.Hold{}, err
		} else if ended {
			return booking.Hold{}, errAgain
		}
		return booking.Hold{}, &booking.Refusal{Reason: booking.ErrSeatLimit, Holding: t.Holding, Limit: o.Policy.MaxSeats}
	}
	return booking.Hold{}, errAgain
}

var errAgain = fault.New(fault.Stale, "", "boxoffice: what stood in the way is gone")

// conflicts names every wanted seat that is not free. If an owner turns out to
// be overdue or ended, it is ended and errAgain says to try once more: nobody is
// told "taken" of a seat that nobody holds.
func (o *Office) conflicts(ctx context.Context, wanted []booking.Seat, claims map[seatmap.SeatID]Owner) ([]booking.Conflict, error) {
	holds, err := o.Store.HoldsByID(ctx, owners(claims))
	if err != nil {
		return nil, err
	}
	var cs []booking.Conflict
	again := false
	now := o.Clock()
	for _, w := range wanted {
		owner, taken := claims[w.ID]
		if !taken {
			continue
		}
		c := booking.Conflict{Seat: w.ID, Reason: booking.StandingLine}
		if !owner.Line() {
			h, ok := holds[owner.Hold]
			switch {
			case !ok || !h.State.Live():
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
		}
		cs = append(cs, c)
	}
	if again {
		return nil, errAgain
	}
	return cs, nil
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

// reserveBest picks from the freshest map at hand and looks again, closer, when
// it loses or finds nothing: memory and snapshots choose, they never refuse.
func (o *Office) reserveBest(ctx context.Context, s sale, want seatmap.Want) (booking.Hold, error) {
	if want.Count < 1 {
		return booking.Hold{}, &booking.Refusal{Reason: booking.ErrNoSeats}
	}
	if want.Count > o.Policy.MaxSeats {
		return booking.Hold{}, &booking.Refusal{Reason: booking.ErrTooMany, Limit: o.Policy.MaxSeats}
	}
	if err := booking.OnSale(s.show, o.Clock()); err != nil {
		return booking.Hold{}, err
	}
	m, err := o.mapFor(ctx, s)
	if err != nil {
		return booking.Hold{}, err
	}
	fresh, losses := false, 0
	lost := map[seatmap.SeatID]bool{}
	for try := range attempts {
		want.Start, want.Spread = o.Rand(), 1<<try // who lost a race looks farther from the crowd
		free := func(i int) bool { return m.Seats.Get(i) == seatmap.Free && !lost[s.layout.At(i).ID] }
		if chosen, ok := seatmap.Best(s.layout, free, want); ok {
			h, err := o.take(ctx, s, chosen)
			var no *booking.Refusal
			if !errors.As(err, &no) || no.Reason != booking.ErrUnavailable {
				return h, err
			}
			for _, c := range no.Conflicts {
				lost[c.Seat] = true
			}
			if losses++; losses < patience {
				continue
			}
		} else if fresh && len(lost) == 0 {
			return booking.Hold{}, noneLeft(m, want)
		}
		if m, err = o.freshMap(ctx, s); err != nil {
			return booking.Hold{}, err
		}
		fresh, lost, losses = true, map[seatmap.SeatID]bool{}, 0
	}
	if _, ok := seatmap.Best(s.layout, func(i int) bool { return m.Seats.Get(i) == seatmap.Free }, want); !ok {
		return booking.Hold{}, noneLeft(m, want)
	}
	return booking.Hold{}, ErrBusy
}

func noneLeft(m *Map, want seatmap.Want) error {
	return &booking.Refusal{Reason: booking.ErrUnavailable, Next: m.general([]seatmap.SeatType{want.Type}).Next()}
}

// patience is how many races may be lost by one map before it counts as too old.
const patience = 2

// next tells which of A21's cases applies. The snapshot may say that plenty is
// free; that nothing is, only a fresh look may say.
func (o *Office) next(ctx context.Context, s sale, wanted []int) (booking.Next, error) {
	types := make([]seatmap.SeatType, 0, len(wanted))
	for _, i := range wanted {
		types = append(types, s.layout.At(i).Type)
	}
	m, err := o.mapFor(ctx, s)
	if err != nil {
		return 0, err
	}
	if m.general(types).Free > plenty {
		return booking.ChooseOther, nil
	}
	if m, err = o.freshMap(ctx, s); err != nil {
		return 0, err
	}
	return m.general(types).Next(), nil
}

// plenty is a number of free seats that does not vanish within the two seconds
// that a snapshot may be behind, but in a rush; then the buyer looks at the map
// once more than needed.
const plenty = 64

func keys(seats []booking.Seat) []SeatKey {
	ks := make([]SeatKey, len(seats))
	for i, s := range seats {
		ks[i] = SeatKey{Seat: s.ID, Block: s.Block}
	}
	return ks
}

func owners(claims map[seatmap.SeatID]Owner) []booking.HoldID {
	seen := map[booking.HoldID]bool{}
	var ids []booking.HoldID
	for _, o := range claims {
		if !o.Line() && !seen[o.Hold] {
			seen[o.Hold] = true
			ids = append(ids, o.Hold)
		}
	}
	return ids
}
