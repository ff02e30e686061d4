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
	Solution string // of a challenge, where the show asks for one
}

// sale is what a request needs to know of its show.
type sale struct {
	req    booking.Request
	show   catalog.Show
	layout *seatmap.Layout
	terms  *booking.Terms // what T1 is conditioned on beside; its attempts add to it
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
	h, err := o.reserve(ctx, s, w)
	if err == nil {
		return h, nil
	}
	var no *booking.Refusal
	refused := errors.As(err, &no) && fault.Is(err, fault.Conflict) && !looked(no)
	if refused || fault.Is(err, fault.Limited) {
		if old, found, rerr := o.receipt(ctx, s.req); rerr != nil || found {
			return old, rerr
		}
	}
	return h, err
}

func (o *Office) reserve(ctx context.Context, s sale, w Wish) (h booking.Hold, err error) {
	seats := len(w.Seats)
	if w.Best != nil {
		seats = w.Best.Count
	}
	if s.terms.WorkedAt, err = o.worked(s, w.Solution, seats, o.Clock()); err != nil {
		return h, err
	}
	if w.Best != nil {
		return o.reserveBest(ctx, s, *w.Best)
	}
	return o.reserveNamed(ctx, s, w.Seats)
}

// looked reports that the refusal rests on a look that would have shown the receipt.
func looked(no *booking.Refusal) bool {
	return no.Reason == booking.ErrUnavailable && len(no.Conflicts) > 0
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
	return sale{req: req, show: show, layout: l, terms: &booking.Terms{}}, nil
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
	return o.take(ctx, s, chosen)
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
