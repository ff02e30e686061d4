package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/infra/proof/audit"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// lines wants every place that was acknowledged at its end, and the order kept. It
// looks at each until it has ended.
func (r *run) lines(ctx context.Context) error {
	errs := make([]error, len(r.lined.places))
	var g errgroup.Group
	g.SetLimit(16)
	for i, w := range r.lined.places {
		g.Go(func() error {
			errs[i] = r.atEnd(ctx, w)
			return nil
		})
	}
	_ = g.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.lined.ends = map[string]int{}
	for _, w := range r.lined.places {
		r.lined.ends[w.state]++
	}
	for _, w := range r.lined.walkUps {
		r.lined.ends["walked up"]++
		if late := w.passed(r.lined.places); late != nil {
			return fmt.Errorf("hold %s was asked for after place %s was told number %d, and made while it waited", w.hold, late.id, late.number)
		}
	}
	return inOrder(r.lined.places)
}

func (r *run) atEnd(ctx context.Context, w *place) error {
	b := &buyer{run: r, client: w.client}
	was := w.hold
	if _, err := b.lookAt(ctx, w, ""); err != nil {
		return err
	}
	switch w.state {
	case "joining", "waiting", "offered":
		return fmt.Errorf("%w: place %s with number %d is %s", errYet, w.id, w.number, w.state)
	case "accepted":
		if w.hold == "" || was != "" && was != w.hold {
			return fmt.Errorf("place %s is accepted with hold %q, and had %q", w.id, w.hold, was)
		}
	}
	return nil
}

// inOrder: numbers are unique, in order of coming as far as clients can tell, and
// nobody is served while somebody waits whose number is smaller.
func inOrder(all []*place) error {
	for i, a := range all {
		for k, b := range all {
			if i == k || a.show != b.show || a.number == 0 || b.number == 0 {
				continue
			}
			switch {
			case a.number == b.number:
				return fmt.Errorf("places %s and %s have number %d", a.id, b.id, a.number)
			case a.told.Before(b.asked) && b.number < a.number:
				return fmt.Errorf("place %s has number %d and was asked for after place %s was told %d", b.id, b.number, a.id, a.number)
			case a.number < b.number && !b.served.IsZero() && b.served.Before(a.waiting):
				return fmt.Errorf("place %s with number %d was served while %s with number %d waited", b.id, b.number, a.id, a.number)
			}
		}
	}
	return nil
}

// passed is somebody who waited before and after.
func (w walkUp) passed(all []*place) *place {
	i := slices.IndexFunc(all, func(p *place) bool {
		return p.show == w.show && !p.told.IsZero() && p.told.Before(w.asked) && w.given.Before(p.waiting)
	})
	if i < 0 {
		return nil
	}
	return all[i]
}

// auditLine: as any show; besides, nothing stays set aside, except that after the loss
// of the lane's messages somebody may have to want it; and there is one hold for
// each that was acknowledged, so nobody was served twice. Late money makes holds of
// its own.
func (r *run) auditLine(ctx context.Context, books audit.Books, show catalog.ShowID, holds map[booking.HoldID]booking.Hold) error {
	if err := books.CheckHolds(ctx, show, r.lined.hall.Layout, holds); err != nil {
		return err
	}
	claims, err := books.Claims(ctx, show, r.lined.hall.Layout)
	if err != nil {
		return err
	}
	for _, seat := range slices.Sorted(maps.Keys(claims)) {
		if claims[seat].Line() {
			return errors.Join(fmt.Errorf("%w: seat %s is set aside and nobody waits", errYet, seat), r.wanted(ctx, show, seat))
		}
	}
	known := map[booking.HoldID]bool{}
	for _, p := range r.promises {
		known[booking.HoldID(p.hold.ID)] = true
	}
	for _, w := range r.lined.places {
		known[booking.HoldID(w.hold)] = true
	}
	for id, h := range holds {
		if !known[id] && h.PaymentID == "" {
			return fmt.Errorf("hold %s is %s and nobody's", id, h.State)
		}
	}
	return nil
}

// wanted lets a customer ask for a seat that is set aside where the lane's messages
// were lost: what nobody waits for must be his. He gives it back.
func (r *run) wanted(ctx context.Context, show catalog.ShowID, seat seatmap.SeatID) error {
	if r.purges == 0 {
		return nil
	}
	b := &buyer{run: r, dice: rand.New(rand.NewPCG(r.seed, uint64(len(r.promises))))}
	if err := b.become(ctx, show, 1); err != nil {
		return err
	}
	p := &promise{client: b.client, show: show}
	if err := b.insist(ctx, "ReserveSeats", http.MethodPost, "/shows/"+string(show)+"/holds", b.key(), map[string]any{"seats": []seatmap.SeatID{seat}}, &p.hold); err != nil {
		return err
	}
	r.mu.Lock()
	r.promises = append(r.promises, p)
	r.mu.Unlock()
	return b.giveBack(ctx, p)
}
