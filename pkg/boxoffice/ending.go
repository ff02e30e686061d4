package boxoffice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

// Shards is into how many partitions a show's timers and its gate are spread.
const Shards = 8

// End ends a hold for the cause, if it may end. A hold that has ended already is
// given back as it is: every path may come late and twice (OneEffect).
//
// An early expiry is booking.ErrNotOverdue, a sold hold booking.ErrAlreadyPaid.
func (o *Office) End(ctx context.Context, id booking.HoldID, cause booking.Cause) (booking.Hold, error) {
	return o.end(ctx, id, cause, "")
}

// end is End, where owner is not "" only of his hold: it may have become an account's
// since he was asked who he is.
func (o *Office) end(ctx context.Context, id booking.HoldID, cause booking.Cause, owner booking.Buyer) (booking.Hold, error) {
	var ended booking.Hold
	err := o.attempt(ctx, func(now time.Time) error {
		h, err := o.Store.HoldByID(ctx, id)
		if err == nil && owner != "" && h.Buyer != owner {
			err = booking.ErrHoldNotFound
		}
		if err != nil {
			return err
		}
		if !h.State.Live() {
			ended = h
			return nil
		}
		why := cause
		if why == booking.ByOwner && h.Overdue(o.Policy, now) {
			why = booking.ByExpiry
		}
		wanted, err := o.Store.Wanted(ctx, h.Show, h.ID)
		if err != nil {
			return err
		}
		e, err := booking.Release(h, o.Policy, why, wanted, now)
		if errors.Is(err, booking.ErrNotOverdue) {
			return errEarly
		}
		if err != nil {
			return err
		}
		change, err := o.orderOfEnd(ctx, e)
		if err != nil {
			return err
		}
		ended = e.Hold
		return o.Store.Release(ctx, e, change)
	})
	if errors.Is(err, errEarly) {
		err = booking.ErrNotOverdue
	}
	return ended, err
}

// errEarly stops the attempts: no read will make the hold overdue.
var errEarly = fault.New(fault.Conflict, "", "boxoffice: not overdue")

// orderOfEnd cancels the order of a hold in the same transaction that ends it;
// the revision of the hold guarantees that no other order was begun meanwhile.
func (o *Office) orderOfEnd(ctx context.Context, e booking.Ending) (*OrderChange, error) {
	if e.Was.OrderID == "" {
		return nil, nil
	}
	was, err := o.Store.OrderByID(ctx, order.ID(e.Was.OrderID))
	if err = landing(err); err != nil {
		return nil, err
	}
	next, err := was.Cancel()
	if e.Hold.State == booking.Refunded {
		next, err = was.Refund(payment.ID(e.Was.PaymentID))
	}
	if errors.Is(err, order.ErrMove) {
		return nil, errAgain // it moved after its hold was read, so the hold did too
	}
	if err != nil {
		return nil, err
	}
	return &OrderChange{Was: was.Status, Next: next}, nil
}

// landing: what a hold names lands with it, but perhaps after it; so it is no answer
// that there is none.
func landing(err error) error {
	if errors.Is(err, ErrOrderNotFound) || errors.Is(err, ErrPaymentNotFound) {
		return errAgain
	}
	return err
}

// GiveBack ends a hold for its owner; somebody else's is not found.
func (o *Office) GiveBack(ctx context.Context, b booking.Buyer, id booking.HoldID) error {
	h, err := o.Store.HoldByID(ctx, id)
	if err == nil && h.Buyer != b {
		err = booking.ErrHoldNotFound
	}
	if err != nil {
		return err
	}
	if !h.State.Live() {
		return nil
	}
	_, err = o.end(ctx, id, booking.ByOwner, b)
	return err
}

// Look shows a hold to its owner, and ends it first if it is overdue.
func (o *Office) Look(ctx context.Context, b booking.Buyer, id booking.HoldID) (booking.Hold, error) {
	h, err := o.Store.HoldByID(ctx, id)
	if err == nil && h.Buyer != b {
		err = booking.ErrHoldNotFound
	}
	if err != nil {
		return booking.Hold{}, err
	}
	if !h.Overdue(o.Policy, o.Clock()) {
		return h, nil
	}
	h, err = o.End(ctx, id, booking.ByExpiry)
	if errors.Is(err, booking.ErrAlreadyPaid) {
		return o.Store.HoldByID(ctx, id)
	}
	return h, err
}

// Swept is what a sweep found.
type Swept struct {
	Ended []booking.Hold
	More  bool      // overdue holds are left
	Next  time.Time // the soonest deadline that is not overdue; zero when there is none
}

// Sweep ends overdue holds of a show by its lists of deadlines, the oldest first,
// at most so many.
func (o *Office) Sweep(ctx context.Context, show catalog.ShowID, most int) (Swept, error) {
	lists := make([][]Timer, Shards)
	g, gctx := o.group(ctx)
	for shard := range Shards {
		g.Go(func() (err error) {
			lists[shard], err = o.Store.Timers(gctx, show, shard, time.Time{}, most+1)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Swept{}, err
	}
	var s Swept
	var due []Timer
	now := o.Clock()
	for _, list := range lists {
		for _, t := range list {
			if now.Before(t.ExpiresAt.Add(o.Policy.Grace)) {
				if s.Next.IsZero() || t.ExpiresAt.Before(s.Next) {
					s.Next = t.ExpiresAt
				}
				break
			}
			due = append(due, t)
		}
	}
	slices.SortFunc(due, func(a, b Timer) int { return a.ExpiresAt.Compare(b.ExpiresAt) })
	s.More = len(due) > most
	ids := make([]booking.HoldID, 0, most)
	for _, t := range due[:min(len(due), most)] {
		ids = append(ids, t.Hold)
	}
	var err error
	s.Ended, err = o.endAll(ctx, ids)
	return s, err
}

// endAll ends overdue holds, several at once, and passes over those that were paid
// or ended meanwhile.
func (o *Office) endAll(ctx context.Context, ids []booking.HoldID) ([]booking.Hold, error) {
	ended := make([]booking.Hold, len(ids))
	g, ctx := o.group(ctx)
	for i, id := range ids {
		g.Go(func() error {
			h, err := o.End(ctx, id, booking.ByExpiry)
			switch fault.KindOf(err) {
			case fault.Conflict, fault.Stale, fault.NotFound:
				return nil
			}
			ended[i] = h
			return err
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(ended, func(h booking.Hold) bool { return h.ID == "" }), err
}

// endOverdueOf ends the buyer's own overdue holds of a show: whose allowance they
// take up has met them.
func (o *Office) endOverdueOf(ctx context.Context, b booking.Buyer, show catalog.ShowID) (ended bool, err error) {
	var due []booking.HoldID
	for shard := range Shards {
		timers, err := o.Store.Timers(ctx, show, shard, o.Clock().Add(-o.Policy.Grace), 0)
		if err != nil {
			return false, err
		}
		for _, t := range timers {
			due = append(due, t.Hold)
		}
	}
	holds, err := o.Store.HoldsByID(ctx, due)
	if err != nil {
		return false, err
	}
	for _, id := range due {
		h := holds[id]
		if h.Buyer != b || !h.Overdue(o.Policy, o.Clock()) {
			continue
		}
		if _, err := o.End(ctx, h.ID, booking.ByExpiry); err != nil && !errors.Is(err, booking.ErrAlreadyPaid) {
			return false, err
		}
		ended = true
	}
	return ended, nil
}

// Block keeps free seats for the house (T8). Seats that are taken refuse it.
func (o *Office) Block(ctx context.Context, w Wish) (booking.Hold, error) {
	w.Buyer = booking.House
	s, err := o.sale(ctx, w)
	if err != nil {
		return booking.Hold{}, err
	}
	chosen, err := booking.Choose(s.layout, w.Seats, maxBlocked)
	if err != nil {
		return booking.Hold{}, err
	}
	var h booking.Hold
	err = o.attempt(ctx, func(now time.Time) error {
		next, err := booking.Block(s.req.ID, s.show, s.layout, chosen, now)
		if err != nil {
			return err
		}
		next.BodyHash = s.req.BodyHash
		err = o.Store.Block(ctx, next)
		var t *Taken
		if errors.As(err, &t) {
			h, err = o.refused(ctx, s, next, t)
			return err
		}
		h = next
		return err
	})
	return h, err
}

// maxBlocked seats fit one transaction, and their hold one kilobyte or little more.
const maxBlocked = 40
