package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/store"
)

// TestGuard runs on both databases what a buyer's past refuses beside seats and
// allowance.
func TestGuard(t *testing.T) {
	for name, tables := range map[string]store.Tables{"memstore": memory(), "ddb": service} {
		for what, run := range map[string]func(*rig){
			"a challenge is used once": challengeOnce, "a challenge is used by joining": challengeJoins, "drops": drops, "contacts": contacts, "contacts move": contactsMove, "a contact's late money": contactLate,
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, tables)
				careful := policy
				careful.FreeDrops = 2
				r.Store = store.New(r.tables, careful)
				run(r)
			})
		}
	}
}

func solvedAt(at time.Time) booking.Terms { return booking.Terms{WorkedAt: at} }

// challengeOnce: neither the same again nor an older one, and none that was refused is
// used.
func challengeOnce(r *rig) {
	ctx := r.t.Context()
	first := r.draft("ann", "C-1")
	r.must(r.Hold(ctx, first, keep, solvedAt(evening)))
	tk := r.taken(r.Hold(ctx, r.draft("ann", "C-2"), keep, solvedAt(evening)))
	if !tk.Used || tk.Full || !tk.WorkedAt.Equal(evening) || tk.Holding != 1 {
		r.t.Errorf("used twice: %+v", tk)
	}
	if tk := r.taken(r.Hold(ctx, r.draft("ann", "C-2"), keep, solvedAt(evening.Add(-time.Second)))); !tk.Used {
		r.t.Errorf("an older one: %+v", tk)
	}
	later := evening.Add(time.Millisecond)
	if tk := r.taken(r.Hold(ctx, r.draft("ann", "C-1"), keep, solvedAt(later))); tk.Used || tk.Claims["C-1"].Hold != first.ID {
		r.t.Errorf("a seat is taken: %+v", tk)
	}
	r.must(r.Hold(ctx, r.draft("ann", "C-2"), keep, solvedAt(later)))
	if tk := r.taken(r.Hold(ctx, first, keep, solvedAt(evening))); tk.Existing == nil {
		r.t.Error("the same request again does not find its hold")
	}
	r.must(r.Hold(ctx, r.draft("bob", "C-3"), keep, solvedAt(evening)))
	r.wantAllowance("ann", 2)
}

func challengeJoins(r *rig) {
	ctx := r.t.Context()
	asks := func(id line.WaiterID, b booking.Buyer, at time.Time) error {
		w := line.Waiter{ID: id, Show: r.show, Buyer: b, State: line.Asked, Party: 2, AskedAt: evening, ExpiresAt: evening.Add(time.Hour)}
		w.ID += line.WaiterID(r.show)
		return r.Ask(ctx, w, keep, at)
	}
	r.must(asks("w1", "ann", evening))
	if tk := r.taken(r.Hold(ctx, r.draft("ann", "C-1"), keep, solvedAt(evening))); !tk.Used {
		r.t.Errorf("a hold with what joined: %+v", tk)
	}
	r.must(r.Hold(ctx, r.draft("bob", "C-1"), keep, solvedAt(evening)))
	if err := asks("w2", "bob", evening); !errors.Is(err, booking.ErrNotWorked) {
		r.t.Errorf("joined with what held: %v", err)
	}
	r.must(asks("w2", "bob", evening.Add(time.Millisecond)))
	r.stale(asks("w1", "ann", evening)) // the receipt first
	r.wantAllowance("ann", 0)
}

// drops are counted by the release, and the third hold meets them.
func drops(r *rig) {
	ctx := r.t.Context()
	drop := func(terms booking.Terms, cause booking.Cause, at time.Time) {
		h := r.draft("ann", "C-1")
		r.must(r.Hold(ctx, h, keep, terms))
		r.must(r.Release(ctx, r.ending(h, cause, at), nil))
	}
	late := evening.Add(policy.Hold + policy.Grace)
	drop(booking.Terms{}, booking.ByOwner, evening)
	drop(booking.Terms{}, booking.ByExpiry, late)
	h := r.draft("ann", "C-1")
	tk := r.taken(r.Hold(ctx, h, keep, booking.Terms{}))
	if want := (booking.Drops{N: 2, Last: late}); tk.Drops != want || tk.Full || tk.Used {
		r.t.Fatalf("taken %+v, want %+v", tk, want)
	}
	stale := booking.Terms{Drops: &booking.DropsChange{Was: booking.Drops{N: 1}}}
	r.taken(r.Hold(ctx, h, keep, stale))
	as := booking.Terms{Drops: &booking.DropsChange{Was: tk.Drops, Next: booking.Drops{}}}
	r.must(r.Hold(ctx, h, keep, as))
	h2 := r.draft("ann", "C-2")
	r.must(r.Hold(ctx, h2, keep, booking.Terms{})) // they are forgotten
	b := r.pay(h2)
	p, o := r.sale(b, b.hold)
	sold, err := booking.Confirm(b.hold, policy, string(b.pay.ID), evening)
	r.must(err)
	r.must(r.Confirm(ctx, b.hold, sold, p, o, evening))
	refunded, err := o.Next.Refund(b.pay.ID)
	r.must(err)
	r.must(r.Release(ctx, r.ending(sold, booking.ByRefund, evening), &boxoffice.OrderChange{Was: order.Paid, Next: refunded}))
	r.must(r.Release(ctx, r.ending(h, booking.ByOwner, evening), nil))
	r.must(r.Hold(ctx, r.draft("ann", "C-3"), keep, booking.Terms{})) // a refund is no drop: one so far
	r.must(r.Hold(ctx, r.draft("bob", "C-4"), keep, booking.Terms{}))
}

// begin starts a payment with contacts.
func (r *rig) begin(h booking.Hold, n int, fresh bool, cs ...booking.Contact) (bill, error) {
	r.t.Helper()
	next, b := r.draftBill(h, n)
	if len(cs) > 0 {
		next.Contacts, b.hold.Contacts = cs, cs
	}
	return b, r.StartPayment(r.t.Context(), h, next, b.pay, b.ord, fresh, evening)
}

// contacts: ten seats a contact, whoever the buyers are, and every end gives them
// back.
func contacts(r *rig) {
	ctx := r.t.Context()
	a := r.hold("ann", "1", "2", "3", "4", "5", "6", "7")
	ba, err := r.begin(a, 1, true, "c_mail", "c_phone")
	r.must(err)
	r.wantHold(ba.hold)
	b := r.hold("bob", "8", "9", "10", "11")
	for _, c := range []booking.Contact{"c_mail", "c_phone"} {
		r.wantAllowance(booking.Buyer(c), 7)
		_, err := r.begin(b, 1, true, "c_other", c)
		if tk := r.taken(err); !tk.Full {
			r.t.Errorf("past ten: %+v", tk)
		}
		r.wantHold(b)
	}
	r.wantAllowance("c_other", 0)
	stale := b
	stale.Rev++
	_, err = r.begin(stale, 1, true, "c_mail")
	r.stale(err) // what the hold says comes first
	change := boxoffice.OrderChange{Was: order.Pending, Next: ba.ord}
	change.Next.Status = order.Cancelled
	r.must(r.Release(ctx, r.ending(ba.hold, booking.ByOwner, evening), &change))
	r.wantAllowance("c_mail", 0)
	r.wantAllowance("c_phone", 0)
	r.wantAllowance("ann", 0)
	_, err = r.begin(b, 1, true, "c_mail")
	r.must(err)
	r.wantAllowance("c_mail", 4)
}

// contactsMove: another payment of the hold may be another's.
func contactsMove(r *rig) {
	h := r.hold("ann", "1", "2")
	b, err := r.begin(h, 1, true, "c_mail")
	r.must(err)
	b, err = r.begin(b.hold, 2, false) // nothing new is said
	r.must(err)
	r.wantAllowance("c_mail", 2)
	_, err = r.begin(b.hold, 3, false, "c_phone", "c_mail")
	r.must(err)
	r.wantAllowance("c_mail", 2)
	r.wantAllowance("c_phone", 2)
	was, err := r.HoldByID(r.t.Context(), h.ID)
	r.must(err)
	_, err = r.begin(was, 4, false, "c_other")
	r.must(err)
	r.wantAllowance("c_mail", 0)
	r.wantAllowance("c_phone", 0)
	r.wantAllowance("c_other", 2)
}

// contactLate: late money finds the contact's allowance used, or uses it.
func contactLate(r *rig) {
	ctx := r.t.Context()
	late := evening.Add(policy.Hold + policy.Grace)
	h := r.hold("ann", "1", "2")
	b, err := r.begin(h, 1, true, "c_mail")
	r.must(err)
	cancelled, err := b.ord.Cancel()
	r.must(err)
	e := r.ending(b.hold, booking.ByExpiry, late)
	r.must(r.Release(ctx, e, &boxoffice.OrderChange{Was: order.Pending, Next: cancelled}))
	other := r.hold("bob", "3", "4", "5", "6", "7", "8", "9", "10", "11")
	_, err = r.begin(other, 1, true, "c_mail")
	r.must(err)
	b.ord = cancelled
	anew, err := booking.Regrant(e.Hold, booking.HoldID("anew"+r.show), string(b.pay.ID), late)
	r.must(err)
	p, o := r.sale(b, anew)
	if tk := r.taken(r.Regrant(ctx, e.Hold, anew, keep, p, o)); !tk.Full {
		r.t.Errorf("late money past ten: %+v", tk)
	}
	r.wantAllowance("c_mail", 9)
	bb, err := r.HoldByID(ctx, other.ID)
	r.must(err)
	ordB := boxoffice.OrderChange{Was: order.Pending, Next: order.Order{}}
	ordB.Next, err = r.OrderByID(ctx, order.ID(bb.OrderID))
	r.must(err)
	ordB.Next.Status = order.Cancelled
	r.must(r.Release(ctx, r.ending(bb, booking.ByOwner, evening), &ordB))
	r.must(r.Regrant(ctx, e.Hold, anew, keep, p, o))
	r.wantAllowance("c_mail", 2)
}
