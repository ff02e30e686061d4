package venue

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// FillUp has all seats of a hall held, in layout order, by so many parties and then by
// tens, and the map show it.
func (v *Venue) FillUp(ctx context.Context, h Hall, show catalog.ShowID, parties, party int) ([]booking.Hold, error) {
	var holds []booking.Hold
	var all []seatmap.SeatID
	for i := 0; i < h.Seats(); i += party {
		if len(holds) == parties {
			party = 10
		}
		w := boxoffice.Wish{Buyer: booking.Buyer(fmt.Sprintf("g_early-%020d", i)), Key: "fill " + string(show), BodyHash: booking.Digest("body"), Show: show}
		for k := range min(party, h.Seats()-i) {
			w.Seats = append(w.Seats, h.Seat(i+k))
		}
		held, err := v.Office.Reserve(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("venue: fill up %s: %w", show, err)
		}
		holds, all = append(holds, held), append(all, w.Seats...)
	}
	return holds, v.Office.Project(ctx, show, all)
}

// Joiner is the wish of buyer n to wait.
func Joiner(show catalog.ShowID, n, party int) boxoffice.Join {
	return boxoffice.Join{
		Buyer: booking.Buyer(fmt.Sprintf("g_%026d", n)), Key: "key", BodyHash: booking.Digest("body"), Show: show,
		Party: party, Types: []seatmap.SeatType{seatmap.Regular},
	}
}

// AskFor writes the request of a wish without waiting for its number (T7).
func (v *Venue) AskFor(ctx context.Context, j boxoffice.Join) (line.Waiter, error) {
	show, err := v.Office.Catalog.Show(ctx, j.Show)
	if err != nil {
		return line.Waiter{}, err
	}
	l, err := v.Office.Catalog.Layout(ctx, show.LayoutID)
	if err != nil {
		return line.Waiter{}, err
	}
	wish := line.Join{
		ID: boxoffice.WaiterIDFor(j.Buyer, j.Show, j.Key), Show: j.Show, Buyer: j.Buyer, BodyHash: j.BodyHash, Party: j.Party, Types: j.Types,
	}
	w, err := line.Ask(wish, line.View{Layout: l, ClosesAt: show.StartsAt.Add(-LineCloses)}, v.Office.Line, v.clock())
	if err != nil {
		return w, err
	}
	return w, v.Office.Lane.Ask(ctx, w, show.EndsAt, time.Time{})
}

// LineUp has buyers first to first+n-1 wait, numbered in this order.
func (v *Venue) LineUp(ctx context.Context, show catalog.ShowID, first, n, party int) ([]line.WaiterID, error) {
	var all []line.WaiterID
	for at := first; at < first+n; at += line.MaxJoins {
		var named []line.WaiterID
		for k := at; k < min(at+line.MaxJoins, first+n); k++ {
			w, err := v.AskFor(ctx, Joiner(show, k, party))
			if err != nil {
				return nil, fmt.Errorf("venue: buyer %d joins: %w", k, err)
			}
			named = append(named, w.ID)
		}
		if err := v.Office.RunLane(ctx, show, boxoffice.Wake{Named: named, Joined: true}); err != nil {
			return nil, fmt.Errorf("venue: the lane: %w", err)
		}
		all = append(all, named...)
	}
	return all, nil
}
