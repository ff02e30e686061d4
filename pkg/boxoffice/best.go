package boxoffice

import (
	"context"
	"errors"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// search is a request for the best seats at work. It picks from the freshest map at
// hand, with what this instance and the request itself have seen since, and looks
// closer when it loses or finds nothing: memory and snapshots choose, they never
// refuse.
type search struct {
	sale
	want  seatmap.Want
	free  func(i int) bool // as the map has it
	lost  map[seatmap.SeatID]bool
	races int  // lost
	blind bool // there was no map: nobody has been here yet, or it was lost
	wide  int
}

func (o *Office) reserveBest(ctx context.Context, s sale, want seatmap.Want) (booking.Hold, error) {
	if want.Count < 1 {
		return booking.Hold{}, &booking.Refusal{Reason: booking.ErrNoSeats}
	}
	if want.Count > o.Policy.MaxSeats {
		return booking.Hold{}, &booking.Refusal{Reason: booking.ErrTooMany, Limit: o.Policy.MaxSeats}
	}
	now := o.Clock()
	if err := booking.OnSale(s.show, now); err != nil {
		return booking.Hold{}, err
	}
	m, err := o.Store.Snapshot(ctx, s.show.ID)
	if err != nil {
		return booking.Hold{}, err
	}
	q := &search{
		sale: s, want: want, wide: 1, lost: o.memory.lately(s.show.ID, now), blind: m == nil,
		free: func(i int) bool { return m == nil || m.Seats.Get(i) == seatmap.Free },
	}
	if o.memory.busy(s.show, now) {
		q.wide = crowd // the very best seats are what everybody is after
	}
	var h booking.Hold
	unsure := false
	for range races {
		h, err = o.race(ctx, q, &unsure)
		switch fault.KindOf(err) {
		case fault.Stale, fault.Contended, fault.Unknown:
			q.wide *= 2
			continue
		}
		return h, err
	}
	return booking.Hold{}, spent(err)
}

const (
	races = 12 // that a search for the best seats may lose
	crowd = 16 // pitches from the very best seat, when many come at once
)

// race tries once: for seats that the map shows, or to see a newer map. Stale and
// Contended mean that another try may win, elsewhere.
func (o *Office) race(ctx context.Context, q *search, unsure *bool) (booking.Hold, error) {
	if *unsure {
		if old, found, err := o.receipt(ctx, q.req); err != nil || found {
			return old, err
		}
	}
	chosen, ok := q.choose(o.Rand())
	if !ok {
		return booking.Hold{}, o.lookAgain(ctx, q)
	}
	now := o.Clock()
	next, err := booking.Take(q.req, q.show, q.layout, chosen, o.Policy, now)
	if err != nil {
		return booking.Hold{}, err
	}
	err = o.Store.Hold(ctx, next, q.keepUntil(), *q.terms)
	var t *Taken
	switch {
	case err == nil:
		o.memory.won(q.layout, next)
		return next, nil
	case errors.As(err, &t) && t.Existing != nil:
		return *t.Existing, t.Existing.Owns(q.req)
	case errors.As(err, &t) && len(t.Claims) == 0 && !t.Partial && t.Full:
		return booking.Hold{}, o.refuseFull(ctx, q.sale, t)
	case errors.As(err, &t) && len(t.Claims) == 0 && !t.Partial && (t.Used || t.Drops.N > 0):
		return booking.Hold{}, o.slowed(q.sale, t)
	case errors.As(err, &t), fault.Is(err, fault.Contended):
		o.memory.lost(q.show.ID, now)
		return booking.Hold{}, o.lose(ctx, q, next)
	}
	*unsure = *unsure || fault.Is(err, fault.Unknown)
	return booking.Hold{}, err
}

func (q *search) choose(start uint64) ([]int, bool) {
	q.want.Start, q.want.Spread = start, q.wide
	return seatmap.Best(q.layout, func(i int) bool { return q.free(i) && !q.lost[q.layout.At(i).ID] }, q.want)
}

// lose reads what stands in the blocks where the race was lost, so that the next
// one is run where there is room.
func (o *Office) lose(ctx context.Context, q *search, wanted booking.Hold) error {
	if q.races++; q.blind && q.races > 1 {
		return o.lookAgain(ctx, q)
	}
	read := map[string]bool{}
	for _, seat := range wanted.Seats {
		q.lost[seat.ID] = true // also of who has it in hand but not yet
		if read[seat.Block] {
			continue
		}
		read[seat.Block] = true
		claims, err := o.blockClaims(ctx, q.sale, seat.Block)
		if err != nil {
			return err
		}
		for id := range claims {
			q.lost[id] = true
		}
	}
	return errAgain
}

// lookAgain makes a map of the claims as they are now, or says that there is none
// to choose from: no seats for this party, nothing overdue. What is overdue it ends.
func (o *Office) lookAgain(ctx context.Context, q *search) error {
	found := false
	q.blind = false
	v, err := o.hall(ctx, q.sale, []seatmap.SeatType{q.want.Type}, func(claims map[seatmap.SeatID]Owner) bool {
		q.lost = map[seatmap.SeatID]bool{}
		q.free = func(i int) bool { _, taken := claims[q.layout.At(i).ID]; return !taken }
		_, found = q.choose(0)
		return found
	}, nil)
	if err != nil {
		return err
	}
	if found || v.next == 0 {
		return errAgain
	}
	return &booking.Refusal{Reason: booking.ErrUnavailable, Next: v.next}
}
