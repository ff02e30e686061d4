package boxoffice_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/ticket"
)

// due keeps the payment's appointment, if it has one, at its time.
func (d *desk) due(id payment.ID) error {
	d.t.Helper()
	p, err := d.store.PaymentByID(d.ctx(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	if p.NextAskAt.IsZero() {
		return nil
	}
	if d.clock.Now().Before(p.NextAskAt) {
		d.clock.set(p.NextAskAt)
	}
	return d.Ask(d.ctx(), id, p.NextAskAt)
}

func (d *desk) appointments(id payment.ID, n int) {
	d.t.Helper()
	for range n {
		if err := d.due(id); err != nil {
			d.t.Fatal(err)
		}
	}
}

func TestPayTwiceIsOnePayment(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	p := d.pay(h, "p1")
	for _, key := range []string{"p1", "p2"} { // while one is pending the same comes back
		if again := d.pay(h, key); again.ID != p.ID || again.Action != p.Action {
			t.Errorf("key %s: %+v", key, again)
		}
	}
	other := payWish(h, "p1")
	other.BodyHash = "another"
	_, err := d.Pay(d.ctx(), other)
	wantErr(t, err, booking.ErrOtherBody)
	bob := payWish(h, "p1")
	bob.Buyer = "bob"
	_, err = d.Pay(d.ctx(), bob)
	wantErr(t, err, booking.ErrHoldNotFound)
	none := payWish(h, "p1")
	none.Provider = "none"
	_, err = d.Pay(d.ctx(), none)
	wantErr(t, err, boxoffice.ErrNoProvider)
	d.settle(d.bank.capture(p.ID))
	// The same request gets the same answer, another is told that it is paid.
	if again := d.pay(h, "p1"); again.State != payment.Pending || again.Action != p.Action {
		t.Errorf("after capture: %+v", again)
	}
	if again := d.pay(h, "p2"); again.ID != p.ID || again.State != payment.Pending || again.Action != p.Action {
		t.Errorf("after capture, by the key that made none of its own: %+v", again)
	}
	other = payWish(h, "p2")
	other.BodyHash = "another"
	_, err = d.Pay(d.ctx(), other)
	wantErr(t, err, booking.ErrOtherBody)
	_, err = d.Pay(d.ctx(), payWish(h, "p3"))
	wantErr(t, err, booking.ErrAlreadyPaid)
}

// TestCallbackBeforeTheAnswer: money that is heard of before the buyer was told
// what to do does not change what the same request is answered.
func TestCallbackBeforeTheAnswer(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	d.Provider = func(payment.Name) (payment.Provider, bool) { return hasty{d.bank, d}, true }
	first := d.pay(h, "p1")
	d.wantHold(h.ID, booking.Sold)
	if again := d.pay(h, "p1"); again.State != first.State || again.Action != first.Action || first.State != payment.Pending {
		t.Errorf("again %+v, want %+v", again, first)
	}
	d.wantPayment(first.ID, payment.Captured)
}

// hasty captures and calls back before it answers.
type hasty struct {
	*bank
	d *desk
}

func (b hasty) Create(ctx context.Context, in payment.Intent) (payment.Created, error) {
	c, err := b.bank.Create(ctx, in)
	b.d.settle(b.capture(in.ID))
	return c, err
}

func TestDeclineThenSecondPayment(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	first := d.pay(h, "p1")
	d.settle(d.bank.decline(first.ID))
	d.wantHold(h.ID, booking.Held)
	d.wantPayment(first.ID, payment.Failed)
	second := d.pay(h, "p2")
	if second.ID == first.ID || second.OrderID != first.OrderID {
		t.Errorf("second payment %+v after %+v", second, first)
	}
	d.settle(d.bank.capture(second.ID))
	if o := d.wantOrder(first.OrderID, order.Paid); o.PaidBy != second.ID {
		t.Errorf("paid by %s", o.PaidBy)
	}
	d.bank.limit = true // the provider refuses the buyer at once
	h = d.hold("bob", "k", "A-2")
	if p := d.pay(h, "p1"); p.State != payment.Failed {
		t.Errorf("refused at once: %+v", p)
	}
	d.wantHold(h.ID, booking.Held)
}

// TestProviderThatSaysNo: neither an amount that it does not take nor a refusal by its
// rules binds the hold to a payment that nobody can make.
func TestProviderThatSaysNo(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	d.bank.only = "XXX"
	_, err := d.Pay(d.ctx(), payWish(h, "p1"))
	wantErr(t, err, payment.ErrRefused)
	if len(d.bank.pays) != 0 {
		t.Error("it was asked all the same")
	}
	d.bank.only, d.bank.rules = "", true
	for range 2 {
		if _, err = d.Pay(d.ctx(), payWish(h, "p2")); err != nil {
			wantErr(t, err, payment.ErrRefused)
		}
	}
	d.wantPayment(payment.IDFor(string(h.Buyer), "p2"), payment.Failed)
	d.bank.rules = false
	p := d.pay(h, "p3")
	if p.State != payment.Pending || p.Action == (payment.Action{}) {
		t.Errorf("%+v", p)
	}
	d.settle(d.bank.capture(p.ID))
	d.wantOrder(p.OrderID, order.Paid)
	d.wantHold(h.ID, booking.Sold)
}

// TestCallbackNeverComes: the order is settled by asking.
func TestCallbackNeverComes(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	p := d.pay(h, "p")
	d.appointments(p.ID, 2) // too early: still pending
	d.wantPayment(p.ID, payment.Pending)
	d.bank.capture(p.ID)
	d.appointments(p.ID, 1)
	d.wantOrder(p.OrderID, order.Paid)
	d.wantHold(h.ID, booking.Sold)
	if now := d.clock.Now(); !now.Before(h.ExpiresAt) {
		t.Errorf("settled at %v only", now)
	}
	asked := d.bank.asked
	d.appointments(p.ID, 2)
	if d.bank.asked != asked {
		t.Error("asked about what is settled")
	}
}

// TestAppointments: early is put back, moved is nothing, a provider that is down or
// does not know is asked again, and after a day the payment is closed.
func TestAppointments(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	p := d.pay(h, "p")
	records := len(d.db.Records("orders", ""))
	if err := d.Ask(d.ctx(), p.ID, p.NextAskAt); err != nil {
		t.Fatal(err)
	}
	if n := len(d.db.Records("orders", "")); n != records+1 || d.bank.asked != 0 {
		t.Errorf("%d records and %d questions after an early message, want one record", n-records, d.bank.asked)
	}
	d.clock.set(p.NextAskAt)
	if err := d.Ask(d.ctx(), p.ID, p.NextAskAt.Add(time.Millisecond)); err != nil || d.bank.asked != 0 {
		t.Errorf("an appointment that does not stand: %v, asked %d", err, d.bank.asked)
	}
	if err := d.Ask(d.ctx(), p.ID, p.NextAskAt.Add(-time.Second)); err != nil || d.bank.asked != 0 {
		t.Errorf("one that was moved: %v, asked %d", err, d.bank.asked)
	}
	d.bank.down = true
	err := d.due(p.ID)
	wantErr(t, err, payment.ErrProviderDown)
	if next, _ := d.store.PaymentByID(d.ctx(), p.ID); !next.NextAskAt.After(p.NextAskAt) {
		t.Error("no next appointment after a fault")
	}
	d.bank.down = false
	delete(d.bank.pays, p.ID)
	d.appointments(p.ID, 1) // not known proves nothing
	d.wantPayment(p.ID, payment.Pending)
	d.bank.pays[p.ID] = &account{p.Intent("", ""), payment.ReportPending}
	for n := 0; d.clock.Now().Before(opening.Add(25 * time.Hour)); n++ {
		if n > 40 {
			t.Fatal("asked more than forty times in a day")
		}
		if q, _ := d.store.PaymentByID(d.ctx(), p.ID); q.State != payment.Pending {
			break
		}
		d.appointments(p.ID, 1)
	}
	d.wantPayment(p.ID, payment.Failed)
	wantErr(t, d.Ask(d.ctx(), "none", opening), boxoffice.ErrPaymentNotFound)
}

// TestNeverHeardOf: a payment whose request never reached the provider is pending
// for a day, not for ever.
func TestNeverHeardOf(t *testing.T) {
	d := newDesk(t)
	p := d.pay(d.hold("ann", "k", "A-1"), "p")
	delete(d.bank.pays, p.ID)
	for n := 0; d.clock.Now().Before(opening.Add(23 * time.Hour)); n++ {
		if n > 40 {
			t.Fatal("asked more than forty times in a day")
		}
		d.wantPayment(p.ID, payment.Pending)
		d.appointments(p.ID, 1)
	}
	d.appointments(p.ID, 1)
	d.wantPayment(p.ID, payment.Failed)
	if q, err := d.store.PaymentByID(d.ctx(), p.ID); err != nil || !q.NextAskAt.IsZero() {
		t.Errorf("an appointment is left: %+v, %v", q, err)
	}
}

// TestDeclinedThenPaidUnheard: the provider declines, lets the buyer try again, takes
// his money, and the news is lost. Asking finds it, and it buys the seats or goes back.
func TestDeclinedThenPaidUnheard(t *testing.T) {
	for _, rival := range []booking.Buyer{"", "eve"} {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1")
		p := d.pay(h, "p")
		d.settle(d.bank.decline(p.ID))
		d.appointments(p.ID, 2)
		d.wantPayment(p.ID, payment.Failed)
		if rival != "" {
			d.overdue(h)
			d.hold(rival, "k", "A-1")
		}
		d.bank.capture(p.ID)
		d.appointments(p.ID, 1)
		if rival == "" {
			d.wantOrder(p.OrderID, order.Paid)
			continue
		}
		d.appointments(p.ID, 1)
		d.wantOneRefund(p)
	}
}

// TestDeclinedBeforeItsAppointment: a message comes early and is put back while the
// payment is declined. The appointment stands, so its message must.
func TestDeclinedBeforeItsAppointment(t *testing.T) {
	d := newDesk(t)
	p := must(d.store.PaymentByID(d.ctx(), d.pay(d.hold("ann", "k", "A-1"), "p").ID))
	d.faults = func(op memstore.Op) memstore.Fault {
		if op.Kind == memstore.OpTransact {
			d.faults = nil
			d.settle(d.bank.decline(p.ID))
		}
		return memstore.NoFault
	}
	before := len(d.db.Records(store.Orders, ""))
	if err := d.Ask(d.ctx(), p.ID, p.NextAskAt); err != nil {
		t.Fatal(err)
	}
	woken := 0
	for _, r := range d.db.Records(store.Orders, "")[before:] {
		if store.IsPayment(r.New) && store.AppointmentMoved(r.Old, r.New) {
			woken++
		}
	}
	if q := must(d.store.PaymentByID(d.ctx(), p.ID)); !q.NextAskAt.Equal(p.NextAskAt) || woken != 1 {
		t.Errorf("the appointment of %v is at %v, %d messages", p.NextAskAt, q.NextAskAt, woken)
	}
}

// TestDeclinedIsAskedAboutUntilClosed: at the latest a day after its creation, when it
// is closed by us; one that the provider calls closed needs nothing more.
func TestDeclinedIsAskedAboutUntilClosed(t *testing.T) {
	d := newDesk(t)
	p := d.pay(d.hold("ann", "k", "A-1"), "p")
	asked := func() bool {
		q, err := d.store.PaymentByID(d.ctx(), p.ID)
		if err != nil || q.State != payment.Failed {
			t.Fatalf("%+v, %v", q, err)
		}
		return !q.NextAskAt.IsZero()
	}
	d.settle(d.bank.decline(p.ID))
	n := 0
	for ; asked(); n++ {
		if n > 40 {
			t.Fatal("asked more than forty times")
		}
		d.settle(d.bank.decline(p.ID)) // again changes nothing
		d.appointments(p.ID, 1)
	}
	if day := d.clock.Now().Sub(p.CreatedAt); day < 24*time.Hour || day > 25*time.Hour || n < 10 {
		t.Errorf("asked %d times in %v", n, day)
	}
	p = d.pay(d.hold("bob", "k", "A-2"), "p")
	d.settle(d.bank.decline(p.ID))
	if d.settle(d.bank.turn(p.ID, payment.ReportClosed)); asked() {
		t.Error("asked after the provider has closed it")
	}
}

// TestPaidInGrace: a millisecond before the end of the grace money buys the seats.
func TestPaidInGrace(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	d.clock.set(h.ExpiresAt.Add(policy.Grace - time.Millisecond))
	p := d.pay(h, "p")
	d.settle(d.bank.capture(p.ID))
	d.wantHold(h.ID, booking.Sold)
	d.wantOrder(p.OrderID, order.Paid)
}

// TestCallbackAndExpiryRace: in both orders one wins and nothing is half done.
func TestCallbackAndExpiryRace(t *testing.T) {
	for _, expiryFirst := range []bool{true, false} {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1")
		p := d.pay(h, "p")
		report := d.bank.capture(p.ID)
		d.clock.set(h.ExpiresAt.Add(policy.Grace - time.Millisecond))
		between := &between{Store: d.store}
		d.Office.Store = between
		if expiryFirst {
			// The callback was read in time; before its transaction the hold ended.
			between.confirm = func() { d.overdue(h); d.mustEnd(h, booking.ByExpiry) }
			d.settle(report)
			d.wantHold(h.ID, booking.Expired)
			d.wantOrder(p.OrderID, order.Paid) // bought anew: the seat was free
		} else {
			// The timer saw it overdue; before its transaction money came. That
			// one was begun in time by a clock that is behind.
			d.overdue(h)
			between.release = func() {
				d.clock.advance(-time.Millisecond)
				d.settle(report)
				d.clock.advance(time.Millisecond)
			}
			_, err := d.End(d.ctx(), h.ID, booking.ByExpiry)
			wantErr(t, err, booking.ErrAlreadyPaid)
			d.wantHold(h.ID, booking.Sold)
			d.wantOrder(p.OrderID, order.Paid)
		}
		if n, _ := d.bank.refunded(p.ID); n != 0 {
			t.Errorf("refunded %d times", n)
		}
	}
}

// soldWhileOverdue is a hold that its money sells while somebody who finds it overdue
// reads its order.
func soldWhileOverdue(t *testing.T) (*desk, booking.Hold) {
	t.Helper()
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	p := d.pay(h, "p")
	report := d.bank.capture(p.ID)
	d.overdue(h)
	d.Office.Store = &between{Store: d.store, order: func() {
		d.clock.advance(-time.Millisecond)
		d.settle(report)
		d.clock.advance(time.Millisecond)
	}}
	return d, h
}

// TestLookRacesCallback: the order moves after its hold was read as overdue; the
// buyer is shown the truth, not a conflict.
func TestLookRacesCallback(t *testing.T) {
	d, h := soldWhileOverdue(t)
	got, err := d.Look(d.ctx(), "ann", h.ID)
	if err != nil || got.State != booking.Sold {
		t.Errorf("hold %v, %v", got.State, err)
	}
}

// TestPayRacesCallback: the money of the first payment sells the hold while a second
// request to pay finds it overdue. It is told that it is paid for, not that it expired.
func TestPayRacesCallback(t *testing.T) {
	d, h := soldWhileOverdue(t)
	_, err := d.Pay(d.ctx(), payWish(h, "again"))
	if !errors.Is(err, booking.ErrAlreadyPaid) || errors.Is(err, booking.ErrHoldExpired) {
		t.Errorf("second payment: %v", err)
	}
	d.wantHold(h.ID, booking.Sold)
}

// between does something once, just before a call reaches the store.
type between struct {
	boxoffice.Store
	confirm, release, order, hold func()
}

func once(f *func()) {
	if do := *f; do != nil {
		*f = nil
		do()
	}
}

func (s *between) Confirm(ctx context.Context, was, next booking.Hold, p boxoffice.PaymentChange, o boxoffice.OrderChange, now time.Time) error {
	once(&s.confirm)
	return s.Store.Confirm(ctx, was, next, p, o, now)
}

func (s *between) Release(ctx context.Context, e booking.Ending, o *boxoffice.OrderChange) error {
	once(&s.release)
	return s.Store.Release(ctx, e, o)
}

func (s *between) OrderByID(ctx context.Context, id order.ID) (order.Order, error) {
	once(&s.order)
	return s.Store.OrderByID(ctx, id)
}

func (s *between) HoldByID(ctx context.Context, id booking.HoldID) (booking.Hold, error) {
	once(&s.hold)
	return s.Store.HoldByID(ctx, id)
}

// TestOrderWhoseHoldEndsMeanwhile: an order is not shown pending after its time
// because another ended the hold, or money sold it, between the two reads.
func TestOrderWhoseHoldEndsMeanwhile(t *testing.T) {
	for want, meanwhile := range map[order.Status]func(*desk, booking.Hold, payment.ID){
		order.Cancelled: func(d *desk, h booking.Hold, _ payment.ID) { d.overdue(h); d.mustEnd(h, booking.ByExpiry) },
		order.Paid:      func(d *desk, _ booking.Hold, p payment.ID) { d.settle(d.bank.capture(p)) },
	} {
		d := newDesk(t)
		h := d.hold("ann", "k", "A-1")
		p := d.pay(h, "p")
		racing := &between{Store: d.Office.Store}
		racing.hold = func() { meanwhile(d, h, p.ID) }
		d.Office.Store = racing
		o, err := d.OrderFor(d.ctx(), "ann", order.ID(p.OrderID))
		if err != nil || o.Status != want {
			t.Errorf("order is %v, %v, want %v", o.Status, err, want)
		}
	}
}

// TestProviderIsDown: the payment stays, and the same request asks again.
func TestProviderIsDown(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1")
	d.bank.down = true
	_, err := d.Pay(d.ctx(), payWish(h, "p"))
	wantErr(t, err, payment.ErrProviderDown)
	d.bank.down, d.bank.lose = false, true
	_, err = d.Pay(d.ctx(), payWish(h, "p"))
	wantErr(t, err, payment.ErrOutcome)
	d.bank.lose = false
	p := d.pay(h, "p")
	if p.Action.Value == "" || len(d.bank.pays) != 1 {
		t.Errorf("payment %+v, %d at the bank", p, len(d.bank.pays))
	}
}

// TestTicketsVerify offline, one a seat.
func TestTicketsVerify(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k", "A-1", "C-2")
	p := d.sellHold(h)
	for _, got := range d.orderNow(p.OrderID).Tickets {
		v, err := ticket.Verify(pen.Keys(), got.Code)
		if err != nil || v.Show != string(matinee) || v.Seat != got.Seat || v.ID != got.ID {
			t.Errorf("ticket %+v says %+v, %v", got, v, err)
		}
	}
	_, err := d.OrderFor(d.ctx(), "bob", order.ID(p.OrderID))
	wantErr(t, err, boxoffice.ErrOrderNotFound)
	if o, err := d.OrderFor(d.ctx(), "ann", order.ID(p.OrderID)); err != nil || o.Status != order.Paid {
		t.Errorf("order %+v, %v", o, err)
	}
}

// TestTicketsAreOfTheirOrder: the same seat sold again, after a refund, is another
// ticket, so that the first one can be told from it at the door.
func TestTicketsAreOfTheirOrder(t *testing.T) {
	d := newDesk(t)
	first := d.sellHold(d.hold("ann", "k", "A-1"))
	was := d.orderNow(first.OrderID).Tickets[0]
	if was.ID != ticket.IDFor(first.OrderID, "A-1") {
		t.Errorf("ticket %s is not its order's", was.ID)
	}
	d.mustEnd(booking.Hold{ID: booking.HoldID(d.orderNow(first.OrderID).HoldID)}, booking.ByRefund)
	again := d.orderNow(d.sellHold(d.hold("bob", "k", "A-1")).OrderID).Tickets[0]
	if again.ID == was.ID || again.Code == was.Code {
		t.Errorf("sold twice as ticket %s", again.ID)
	}
}
