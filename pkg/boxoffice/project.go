package boxoffice

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Project brings the snapshot up to date after something happened to the seats.
// It re-reads the truth about them, so that a record that comes twice, late, or
// after a later one has no effect beyond that read. Folding the records
// themselves was rejected: the end of one hold may arrive after the beginning of
// the next on the same seat, and would free it for ever.
//
// alive are the holds that the records show alive. The error is Busy while what they
// tell of is still landing: nothing else would ever correct what was drawn too soon.
func (o *Office) Project(ctx context.Context, id catalog.ShowID, touched []seatmap.SeatID, alive ...booking.HoldID) error {
	s, err := o.saleOf(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil // a show that is gone has no readers; its records must not stop the others
	}
	if err != nil {
		return err
	}
	ks := make([]SeatKey, 0, len(touched))
	for _, t := range touched {
		if seat, ok := s.layout.Seat(t); ok {
			ks = append(ks, SeatKey{Seat: t, Block: s.layout.Block(seat.Block).Name})
		}
	}
	if len(ks) == 0 {
		return nil
	}
	return o.attempt(ctx, func(now time.Time) error {
		v, err := o.survey(ctx, s, ks, now, alive...)
		if err == nil {
			err = o.landed(ctx, s, ks, v)
		}
		if err != nil {
			return err
		}
		if v.next == v.prev {
			v.next = again(v.prev, now)
		}
		return o.leave(ctx, s, v)
	})
}

// landed refuses a view of the seats that was taken while a transaction on them was
// landing. Its items become visible one by one, the records of some before the claims,
// and a claim has no record of its own. Every such view contradicts itself but one: a
// claim has ended with its hold, and a live hold has all its claims. Only that a
// seat is set aside can be said of it alone, so that is asked again in a way that the
// transaction refuses, at twice the price of a plain read, and seldom.
//
// After this every look that begins later sees the transaction whole.
func (o *Office) landed(ctx context.Context, s sale, look []SeatKey, v view) error {
	var aside []SeatKey
	looked := make(map[seatmap.SeatID]bool, len(look))
	for _, k := range look {
		owner, taken := v.claims[k.Seat]
		h, read := v.holds[owner.Hold]
		switch {
		case taken && owner.Line() && !looked[k.Seat]:
			aside = append(aside, k)
		case taken && read && !h.State.Live():
			return errLanding
		}
		looked[k.Seat] = true
	}
	for id, h := range v.holds {
		for _, seat := range h.Seats {
			if h.State.Live() && looked[seat.ID] && v.claims[seat.ID].Hold != id {
				return errLanding
			}
		}
	}
	if len(aside) == 0 {
		return nil
	}
	at, err := o.Store.ClaimsAtOnce(ctx, s.show.ID, aside)
	if err != nil {
		return err
	}
	for _, k := range aside {
		if owner, taken := at[k.Seat]; !taken || !owner.Line() {
			return errLanding
		}
	}
	return nil
}

var errLanding = fault.New(fault.Stale, "", "boxoffice: a transaction on the seats is landing")

// again is the same map under a new version. Somebody may have looked before what
// is projected here happened, and be about to leave what he saw; no record would
// ever correct it. The new version refuses him.
func again(m *Map, now time.Time) *Map {
	next := *m
	next.Version = max(m.Version+1, now.UnixMilli())
	return &next
}
