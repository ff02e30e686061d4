package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// overdue is a hold with a pending order that nobody cares for any more.
type overdue struct {
	*show
	owner *buyer
	hold  apiclient.Hold
	order string
	id    booking.Buyer
}

func abandon(t *testing.T, seats int) overdue {
	t.Helper()
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, seats, 0)...)
	return overdue{s, b, h, b.pay(h.ID, "decline").OrderID, b.who(h.ID)}
}

func (o overdue) end() time.Time { return o.hold.ExpiresAt.Add(graceTime) }

// ended looks at the tables: the hold is expired, and everything that it had is
// given back. It calls nothing that would end a hold.
func (o overdue) ended(t *testing.T) booking.Hold {
	t.Helper()
	h, err := shop.store.HoldByID(t.Context(), booking.HoldID(o.hold.ID))
	must(t, err)
	if h.State != booking.Expired {
		t.Fatalf("the hold is %s", h.State)
	}
	if h.EndedAt.Before(o.end()) {
		t.Errorf("the hold was ended at %s, its grace at %s", h.EndedAt, o.end())
	}
	claims, err := shop.claims(t.Context(), o.show)
	must(t, err)
	for seat, owner := range claims {
		if owner.Hold == h.ID {
			t.Errorf("seat %s is still claimed", seat)
		}
	}
	timers, err := shop.timers(t.Context(), o.show)
	must(t, err)
	if _, there := timers[h.ID]; there {
		t.Error("the timer is still there")
	}
	ord, err := shop.store.OrderByID(t.Context(), order.ID(o.order))
	must(t, err)
	if ord.Status != order.Cancelled {
		t.Errorf("the order is %s", ord.Status)
	}
	must(t, shop.audit(t.Context(), o.show)) // the allowance among the rest
	return h
}

// lives: by the tables, nothing has happened to the hold yet.
func (o overdue) lives(t *testing.T) {
	t.Helper()
	h, err := shop.store.HoldByID(t.Context(), booking.HoldID(o.hold.ID))
	must(t, err)
	n, aerr := shop.store.Allowance(t.Context(), o.ID, o.id)
	must(t, aerr)
	if h.State != booking.Held || n != len(h.Seats) {
		t.Errorf("the hold is %s with an allowance of %d", h.State, n)
	}
}

// TestExpiryByWhoeverMeetsIt: with every event source off, the end of a hold is
// exact for whoever meets it, and happens to nobody else's (HoldLifetime).
func TestExpiryByWhoeverMeetsIt(t *testing.T) {
	on := parallelWithout(t, stack.Sources(), callbacks)
	other := guest(t)
	meets := map[string]struct {
		seats int
		meet  func(o overdue)
	}{
		"another buyer": {2, func(o overdue) { other.hold(o.show, seatsOf(o.hold)...) }},
		"another buyer of the best seats": {2, func(o overdue) {
			var got apiclient.Hold
			must(t, other.Call(t.Context(), http.MethodPost, "/shows/"+string(o.ID)+"/holds", "", map[string]any{"best": map[string]any{"count": 2}}, &got))
		}},
		"the owner's look": {2, func(o overdue) {
			if h := read[apiclient.Hold](o.owner, "/holds/"+o.hold.ID); h.State != "expired" {
				t.Errorf("its owner sees the hold %s", h.State)
			}
		}},
		"a look at the order": {2, func(o overdue) {
			if got := read[apiclient.Order](o.owner, "/orders/"+o.order); got.Status != "CANCELLED" || len(got.Tickets) != 0 {
				t.Errorf("its buyer sees the order %+v", got)
			}
		}},
		"a look at the seat map": {2, func(o overdue) {
			until(t, o.end().Add(behind)) // the map's own promise; until then it may wait for the message
			if m := read[apiclient.Seatmap](other, "/shows/"+string(o.ID)+"/seatmap"); m.Held != 0 || m.Free != m.Capacity {
				t.Errorf("the map shows %d held, %d free", m.Held, m.Free)
			}
		}},
		"the owner's next wish": {9, func(o overdue) { o.owner.hold(o.show, o.regular(t, 4, 3)...) }},
		"the owner's late payment": {2, func(o overdue) {
			_, err := o.owner.tryPay(o.hold.ID, "success")
			refused(t, err, 409, "hold_expired")
		}},
		"the owner's release": {2, func(o overdue) { o.owner.release(o.hold.ID) }},
	}
	cases := map[string]overdue{}
	for name, m := range meets {
		o := abandon(t, m.seats)
		if name == "another buyer of the best seats" {
			free := o.except(generalSale, seatsOf(o.hold)...)
			for len(free) > 0 {
				n := min(40, len(free))
				o.house(t, free[:n]...)
				free = free[n:]
			}
		}
		if name == "a look at the seat map" { // it must know of the hold to find it overdue
			read[apiclient.Seatmap](other, "/shows/"+string(o.ID)+"/seatmap")
		}
		cases[name] = o
	}
	waited := abandonWanted(t, other)
	left := abandon(t, 2)
	exact := abandon(t, 2)
	exactly(t, exact, other)
	until(t, left.end().Add(100*time.Millisecond))
	for name, o := range cases {
		until(t, o.end())
		o.lives(t)
		meets[name].meet(o)
		t.Run(name, func(t *testing.T) { o.ended(t) })
	}
	waited.meet(t, other)
	left.lives(t) // whom nobody meets, with every source off
	on()
	waited.drained(t)
}

// exactly asks for the seats again and again: refused before the end of the
// grace, granted after it.
func exactly(t *testing.T, o overdue, other *buyer) {
	t.Helper()
	until(t, o.hold.ExpiresAt.Add(-500*time.Millisecond))
	tries := 0
	eventually(t, 500*time.Millisecond+graceTime+5*time.Second, func() error {
		tries++
		h, err := other.try(o.show, seatsOf(o.hold)...)
		if err != nil {
			p := refused(t, err, 409, "seats_unavailable")
			if len(p.Conflicts) != 2 || p.Conflicts[0].Reason != "held" {
				t.Errorf("refused with %+v", p.Conflicts)
			}
			return err
		}
		made, err := shop.store.HoldByID(t.Context(), booking.HoldID(h.ID))
		must(t, err)
		if made.MadeAt.Before(o.end()) {
			t.Errorf("another buyer got the seats at %s, before the end of the grace at %s", made.MadeAt, o.end())
		}
		return nil
	})
	if tries < 2 {
		t.Error("nobody was refused before the end")
	}
	o.ended(t)
}

// awaitEnd looks at the table alone until the hold has ended, then whether the
// stored map follows within its two seconds.
func (o overdue) awaitEnd(t *testing.T, limit time.Duration) {
	t.Helper()
	until(t, o.end().Add(-300*time.Millisecond))
	o.lives(t)
	var h booking.Hold
	eventually(t, limit, func() (err error) {
		if h, err = shop.store.HoldByID(t.Context(), booking.HoldID(o.hold.ID)); err == nil && h.State == booking.Held {
			err = yet("the hold is held")
		}
		return err
	})
	t.Logf("ended %s after its grace", h.EndedAt.Sub(o.end()).Round(time.Millisecond))
	o.ended(t)
	eventually(t, time.Until(h.EndedAt.Add(behind)), func() error {
		m, err := shop.store.FreshSnapshot(t.Context(), o.ID)
		if err == nil && m.Seats.Count(seatmap.Free) != m.Seats.Len() {
			err = yet("the map shows %d free", m.Seats.Count(seatmap.Free))
		}
		return err
	})
	t.Logf("the map shows it %s after", time.Since(h.EndedAt).Round(time.Millisecond))
}

// TestExpiryByMessage: nobody looks, the TTL's stream is off; the delayed message
// alone ends the hold, promptly. One that comes early is put back, and ends nothing.
func TestExpiryByMessage(t *testing.T) {
	parallelWithout(t, []string{expireTimer}, expireHold, relayHolds, projectHolds, projectPool, advanceLine, callbacks)
	o, wanted := abandon(t, 3), abandon(t, 2)
	wanted.openLine(t)
	o.early(t)
	o.awaitEnd(t, 5*time.Second)
	wanted.awaitLine(t, 5*time.Second)
	wanted.drained(t)
}

// TestDeadlinesInOrder: a show's live holds are listed in order of expiry, and
// leave the list when sold or given back (A14).
func TestDeadlinesInOrder(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-180")
	var holds []apiclient.Hold
	var owners []*buyer
	for i := range 6 {
		b := guest(t)
		owners = append(owners, b)
		holds = append(holds, b.hold(s, s.regular(t, 1, i)...))
	}
	timers, err := shop.timers(t.Context(), s)
	must(t, err)
	for _, h := range holds {
		if !timers[booking.HoldID(h.ID)].Equal(h.ExpiresAt) {
			t.Errorf("hold %s expires at %s, listed at %s", h.ID, h.ExpiresAt, timers[booking.HoldID(h.ID)])
		}
	}
	owners[0].release(holds[0].ID)
	owners[1].await(owners[1].pay(holds[1].ID, "success").OrderID, "PAID", 15*time.Second)
	timers, err = shop.timers(t.Context(), s)
	must(t, err)
	for i, h := range holds {
		if _, there := timers[booking.HoldID(h.ID)]; there != (i > 1) {
			t.Errorf("hold %d: listed %v", i, there)
		}
	}
	shop.balanced(t, s)
}
