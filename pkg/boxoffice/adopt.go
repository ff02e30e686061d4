package boxoffice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/adoption"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
)

// Adopted is what became of a guest's things.
type Adopted struct {
	Moved []catalog.ShowID // of these the account has had things from him, now or before
	Kept  []Kept
}

// Kept is a show of which all stays the guest's.
type Kept struct {
	Show catalog.ShowID
	Why  adoption.Reason
}

// Adopt moves what the guest has to his account, show by show: holds, orders, the place
// in line and the allowance (T10), then the orders whose holds have ended. Each show is
// one transaction, so a call that broke off is simply made again; what the account has
// from the guest is written with it, so it is answered the same.
//
// That the guest's things are another account's is adoption.ErrBound.
func (o *Office) Adopt(ctx context.Context, guest, account booking.Buyer) (Adopted, error) {
	err := o.attempt(ctx, func(now time.Time) error {
		return o.Adoptions.Bind(ctx, guest, account, now.Add(booking.Receipt))
	})
	if err != nil {
		return Adopted{}, err
	}
	marks, err := o.Adoptions.Marks(ctx, guest)
	if err != nil {
		return Adopted{}, err
	}
	var a Adopted
	for _, m := range marks {
		if m.To == account {
			a.Moved = append(a.Moved, m.Show)
		}
		if m.Empty() {
			continue
		}
		if err := o.adoptShow(ctx, guest, account, m.Show, &a); err != nil {
			return Adopted{}, err
		}
	}
	if err := o.adoptPast(ctx, guest, account, &a); err != nil {
		return Adopted{}, err
	}
	slices.Sort(a.Moved)
	a.Moved = slices.Compact(a.Moved)
	return a, nil
}

// adoptShow moves one show's things, or notes why they stay. A hold that is overdue
// counts until somebody has ended it: this ends none, so that to log in needs no right to
// give seats back, and what stays may be asked for again.
func (o *Office) adoptShow(ctx context.Context, guest, account booking.Buyer, show catalog.ShowID, a *Adopted) error {
	var why adoption.Reason
	moved := false
	err := o.attempt(ctx, func(time.Time) error {
		mark, has, err := o.Adoptions.MarkOf(ctx, show, guest, account)
		if err != nil || mark.Empty() { // it has moved, by this call or another, or has ended
			moved, why = mark.To == account, 0
			return err
		}
		had, err := o.thingsOf(ctx, mark)
		if err != nil {
			return err
		}
		m, no, err := adoption.Decide(guest, had, account, has, o.Policy)
		if err != nil {
			return err
		}
		if why = no; no != 0 {
			return nil
		}
		moved = true
		return o.Adoptions.Adopt(ctx, m)
	})
	switch {
	case err != nil:
		return err
	case why != 0:
		a.Kept = append(a.Kept, Kept{show, why})
	case moved:
		a.Moved = append(a.Moved, show)
	}
	return nil
}

// thingsOf reads what the mark names.
func (o *Office) thingsOf(ctx context.Context, m adoption.Mark) (adoption.Things, error) {
	t := adoption.Things{Mark: m}
	holds, err := o.Store.HoldsByID(ctx, m.Holds)
	if err != nil {
		return t, err
	}
	for _, id := range m.Holds {
		h, ok := holds[id]
		if !ok {
			continue // it counts as not fitting
		}
		t.Living = append(t.Living, h)
		if h.OrderID == "" {
			continue
		}
		ord, err := o.Store.OrderByID(ctx, order.ID(h.OrderID))
		if errors.Is(err, ErrOrderNotFound) {
			return t, errAgain // it lands with the hold, but perhaps after it
		}
		if err != nil {
			return t, err
		}
		t.Orders = append(t.Orders, ord)
	}
	if m.Place.Live == "" {
		return t, nil
	}
	w, err := o.Lane.Waiter(ctx, m.Place.Live)
	if errors.Is(err, line.ErrNotFound) {
		return t, errAgain
	}
	if err != nil {
		return t, err
	}
	t.Waiter = &w
	return t, nil
}

// adoptPast moves the orders whose holds have ended, but of shows that stay the guest's:
// they are history, and money for them may still come, which then buys for the account.
// The list of them is a second or two behind; what it lacks moves at the next log-in.
func (o *Office) adoptPast(ctx context.Context, guest, account booking.Buyer, a *Adopted) error {
	ids, err := o.Past(ctx, guest)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var show catalog.ShowID
		live, moved := false, false
		err := o.attempt(ctx, func(time.Time) error {
			ord, err := o.Store.OrderByID(ctx, id)
			if err != nil {
				return err
			}
			show = catalog.ShowID(ord.ShowID)
			if ord.Buyer != string(guest) || a.keeps(show) {
				moved, live = ord.Buyer == string(account), false
				return nil
			}
			h, err := o.Store.HoldByID(ctx, booking.HoldID(ord.HoldID))
			if errors.Is(err, booking.ErrHoldNotFound) {
				h, err = booking.Hold{}, nil
			}
			if live = h.State.Live(); err != nil || live {
				return err
			}
			if h.ID != "" && h.Buyer != guest {
				return errAgain // it moved with its order, which was read before
			}
			moved = true
			return o.Adoptions.AdoptPast(ctx, h, ord, account)
		})
		switch {
		case err != nil:
			return err
		case live: // begun, or bought by late money, since the living were moved
			err = o.adoptShow(ctx, guest, account, show, a)
		case moved:
			a.Moved = append(a.Moved, show)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *Adopted) keeps(show catalog.ShowID) bool {
	return slices.ContainsFunc(a.Kept, func(k Kept) bool { return k.Show == show })
}
