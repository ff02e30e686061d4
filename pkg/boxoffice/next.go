package boxoffice

import (
	"context"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// next tells which of A21's cases applies to somebody whose seats were refused.
// That others are free, a look of a breath ago may say, or a snapshot with plenty
// of them: the map that the buyer turns to says the same. That nothing is free may be a
// breath old too where the request itself met an unpaid seat. That the show is full,
// only claims may say that were read since the request came.
func (o *Office) next(ctx context.Context, s sale, types []seatmap.SeatType, unpaid bool) (booking.Next, error) {
	now := o.Clock()
	if n, known := o.memory.next(s.show.ID, types, now); known && (unpaid || n == booking.ChooseOther) {
		return n, nil
	}
	if len(s.layout.Blocks()) > small {
		m, err := o.Store.Snapshot(ctx, s.show.ID)
		if err != nil {
			return 0, err
		}
		if m != nil && m.general(types).Free > plenty {
			o.memory.adopt(s.show.ID, m, now)
			return booking.ChooseOther, nil
		}
	}
	for range 2 {
		v, err := o.hall(ctx, s, types, func(claims map[seatmap.SeatID]Owner) bool {
			return s.freeFor(types, claims) > 0
		}, nil)
		if err != nil {
			return 0, err
		}
		if v.next != 0 {
			return v.next, nil
		}
	}
	return booking.ChooseOther, nil // more is overdue than one request ends: it can be had
}

// plenty is a number of free seats that does not vanish within the two seconds
// that a snapshot may be behind, but in a rush; then the buyer looks at the map
// once more than needed.
const plenty = 64

// serves reports whether somebody who asked for the types could use a seat of
// another: those of general sale. A free wheelchair place is no seat for others.
func serves(t seatmap.SeatType, types []seatmap.SeatType) bool {
	for _, w := range types {
		if w == t {
			return true
		}
	}
	return t != seatmap.Wheelchair && t != seatmap.Companion
}

func typesOf(seats []booking.Seat) []seatmap.SeatType {
	types := make([]seatmap.SeatType, len(seats))
	for i, s := range seats {
		types[i] = s.Type
	}
	return types
}
