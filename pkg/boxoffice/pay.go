package boxoffice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
)

// What a look-up answers when there is no such thing, or it is somebody else's.
var (
	ErrOrderNotFound   = fault.New(fault.NotFound, "not_found", "no such order")
	ErrPaymentNotFound = fault.New(fault.NotFound, "not_found", "no such payment")
	ErrNoProvider      = fault.New(fault.Invalid, "bad_request", "no such payment provider")
)

// PayWish is a buyer's request to pay for a hold.
type PayWish struct {
	Buyer    booking.Buyer
	Hold     booking.HoldID
	Provider payment.Name
	Key      string // Idempotency-Key
	BodyHash string
	Hints    map[string]string // for a test provider
	Contacts []booking.Contact // of who pays; each may have as many seats of a show as a buyer
}

// Pay begins to pay for a hold (A20). While a payment of the hold is pending, that
// one is the answer; after a decline a new key begins a new one.
func (o *Office) Pay(ctx context.Context, w PayWish) (payment.Payment, error) {
	if _, ok := o.Provider(w.Provider); !ok {
		return payment.Payment{}, ErrNoProvider
	}
	id := payment.IDFor(string(w.Buyer), w.Key)
	var p payment.Payment
	err := o.attempt(ctx, func(now time.Time) (err error) {
		p, err = o.startPayment(ctx, w, id, now)
		return err
	})
	if errors.Is(err, booking.ErrHoldExpired) {
		// Nobody is told so before it is: money that was under way may have sold the hold.
		if _, eerr := o.End(ctx, w.Hold, booking.ByExpiry); eerr != nil {
			return payment.Payment{}, eerr
		}
	}
	if err != nil || p.Action != (payment.Action{}) || p.State != payment.Pending {
		return p, err
	}
	// A payment that was pending already may be another provider's than was asked for.
	provider, ok := o.Provider(p.Provider)
	if !ok {
		return payment.Payment{}, ErrNoProvider
	}
	return o.create(ctx, provider, p)
}

func (o *Office) startPayment(ctx context.Context, w PayWish, id payment.ID, now time.Time) (payment.Payment, error) {
	old, hash, err := o.Store.PaymentAnswered(ctx, id)
	if err == nil {
		return asAnswered(old, hash, w)
	}
	if !errors.Is(err, ErrPaymentNotFound) {
		return payment.Payment{}, err
	}
	h, err := o.Store.HoldByID(ctx, w.Hold)
	if err == nil && h.Buyer != w.Buyer {
		err = booking.ErrHoldNotFound
	}
	if err != nil {
		return payment.Payment{}, err
	}
	if h.State == booking.Held && h.PaymentID != "" && !h.Overdue(o.Policy, now) {
		latest, err := o.Store.PaymentByID(ctx, payment.ID(h.PaymentID))
		if err = landing(err); err != nil {
			return latest, err
		}
		if latest.State == payment.Pending {
			return latest, o.Store.NoteAnswer(ctx, id, latest.ID, w.BodyHash, now.Add(booking.Receipt))
		}
	}
	return o.newPayment(ctx, w, id, h, now)
}

// asAnswered is the answer to the same request again: what it was told then.
// How the payment stands now, the order tells.
func asAnswered(old payment.Payment, hash string, w PayWish) (payment.Payment, error) {
	if hash != w.BodyHash {
		return payment.Payment{}, booking.ErrOtherBody
	}
	if old.Action != (payment.Action{}) {
		old.State = payment.Pending
	}
	return old, nil
}

func (o *Office) newPayment(ctx context.Context, w PayWish, id payment.ID, h booking.Hold, now time.Time) (payment.Payment, error) {
	ord, fresh, err := o.orderOf(ctx, h, now)
	if err == nil {
		err = o.takesPlace(ctx, h.Show)
	}
	if err == nil && len(w.Contacts) == 0 && len(h.Contacts) == 0 {
		err = o.reachable(ctx, h.Show)
	}
	if err != nil {
		return payment.Payment{}, err
	}
	if provider, ok := o.Provider(w.Provider); ok {
		if picky, is := provider.(payment.Picky); is && !picky.Takes(ord.Total) {
			return payment.Payment{}, payment.ErrRefused // before the hold is bound to a payment that nobody can make
		}
	}
	next, err := booking.StartPayment(h, o.Policy, string(ord.ID), string(id), w.Contacts, now)
	if err != nil {
		return payment.Payment{}, err
	}
	p := payment.Payment{
		ID: id, HoldID: string(h.ID), OrderID: string(ord.ID), Buyer: string(w.Buyer), Provider: w.Provider,
		State: payment.Pending, Amount: ord.Total, Hints: w.Hints, BodyHash: w.BodyHash,
		CreatedAt: now, ExpiresAt: h.ExpiresAt,
	}
	p.NextAskAt = payment.NextAsk(p, now, h.ExpiresAt, o.Policy.Grace).At
	if err := p.Check(); err != nil {
		return payment.Payment{}, err
	}
	err = o.Store.StartPayment(ctx, h, next, p, ord, fresh, now)
	var full *Taken
	if errors.As(err, &full) { // how many a contact has is told to nobody: he may be another
		err = &booking.Refusal{Reason: booking.ErrSeatLimit, Holding: len(h.Seats), Limit: o.Policy.MaxSeats}
	}
	return p, err
}

// reachable asks for a contact where the house wants one.
func (o *Office) reachable(ctx context.Context, id catalog.ShowID) error {
	show, err := o.Catalog.Show(ctx, id)
	if err == nil && show.NeedsContact {
		return booking.ErrNoContact
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// takesPlace refuses money for a show that was cancelled, as far as the catalogue
// knows; it is remembered for a while, and whoever pays in that while gets it back.
func (o *Office) takesPlace(ctx context.Context, id catalog.ShowID) error {
	show, err := o.Catalog.Show(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return nil // of a show that it does not know it says nothing
	}
	if err != nil {
		return err
	}
	return booking.NotCancelled(show)
}

// orderOf the hold: the one it has, or a new one.
func (o *Office) orderOf(ctx context.Context, h booking.Hold, now time.Time) (ord order.Order, fresh bool, err error) {
	if err := h.Payable(o.Policy, now); err != nil {
		return order.Order{}, false, err
	}
	if h.OrderID != "" {
		ord, err = o.Store.OrderByID(ctx, order.ID(h.OrderID))
		return ord, false, landing(err)
	}
	total, err := h.Total()
	if err != nil {
		return order.Order{}, false, err
	}
	ord = order.Order{
		ID: order.ID("o_" + booking.Digest("order", string(h.ID))), HoldID: string(h.ID), ShowID: string(h.Show),
		Buyer: string(h.Buyer), Status: order.Pending, Total: total, CreatedAt: now, Rev: 1,
	}
	for _, s := range h.Seats {
		ord.Seats = append(ord.Seats, order.Seat{ID: string(s.ID), Type: string(s.Type), Price: s.Price})
	}
	return ord, true, ord.Check()
}

// create asks the provider for the money. If its answer is lost, the payment
// stays pending and the same request asks again under the same number.
func (o *Office) create(ctx context.Context, provider payment.Provider, p payment.Payment) (payment.Payment, error) {
	made, err := provider.Create(ctx, p.Intent("Fairseat "+p.OrderID, o.NotifyURL(p.Provider)))
	if errors.Is(err, payment.ErrRefused) { // it never will, and must not stand in the way of another
		err = errors.Join(err, o.Settle(ctx, payment.Report{Payment: p.ID, Order: p.OrderID, State: payment.ReportFailed}))
	}
	if err != nil {
		return payment.Payment{}, fmt.Errorf("create payment %s: %w", p.ID, err)
	}
	if made.Report.State == payment.ReportFailed {
		err := o.Settle(ctx, made.Report)
		p.State = payment.Failed
		return p, err
	}
	p.Action, p.ProviderRef = made.Action, made.Report.ProviderRef
	return p, o.noteAction(ctx, p)
}

// noteAction keeps what the buyer must do, for whoever asks again. The callback
// may have been faster: the note goes beside whatever the payment is by now.
func (o *Office) noteAction(ctx context.Context, p payment.Payment) error {
	return o.attempt(ctx, func(time.Time) error {
		was, err := o.Store.PaymentByID(ctx, p.ID)
		if err != nil || was.Action == p.Action {
			return err
		}
		next := was
		next.Action = p.Action
		if next.ProviderRef == "" {
			next.ProviderRef = p.ProviderRef
		}
		return o.Store.ChangePayment(ctx, PaymentChange{Was: was, Next: next}, nil)
	})
}

// OrderFor shows an order to its buyer, an old one out of the archive. One whose hold
// is overdue is cancelled first.
func (o *Office) OrderFor(ctx context.Context, b booking.Buyer, id order.ID) (order.Order, error) {
	ord, err := o.Store.OrderByID(ctx, id)
	if errors.Is(err, ErrOrderNotFound) && o.Aged != nil {
		ord, err = o.Aged(ctx, id)
	}
	if err == nil && ord.Buyer != string(b) {
		err = ErrOrderNotFound
	}
	if err != nil || ord.Status != order.Pending {
		return ord, err
	}
	h, err := o.Store.HoldByID(ctx, booking.HoldID(ord.HoldID))
	overdue := h.Overdue(o.Policy, o.Clock())
	if err != nil || h.State == booking.Held && !overdue {
		return ord, err
	}
	if overdue {
		if _, err := o.End(ctx, h.ID, booking.ByExpiry); err != nil && !errors.Is(err, booking.ErrAlreadyPaid) {
			return order.Order{}, err
		}
	}
	// A hold that is not held has ended or was sold after the order was read, and the
	// order with it: what was read may be pending long after its time.
	return o.Store.OrderByID(ctx, id)
}
