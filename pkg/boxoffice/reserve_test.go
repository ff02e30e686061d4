package boxoffice_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

func TestHoldPayTicket(t *testing.T) {
	d := newDesk(t)
	h := d.hold("ann", "k1", "A-1", "A-2")
	if h.State != booking.Held || !h.ExpiresAt.Equal(opening.Add(policy.Hold)) || len(h.Seats) != 2 {
		t.Fatalf("hold %+v", h)
	}
	d.wantAllowance("ann", 2)
	p := d.pay(h, "p1")
	if p.State != payment.Pending || p.Action.Value == "" {
		t.Fatalf("payment %+v", p)
	}
	if err := d.Settle(d.ctx(), d.bank.capture(p.ID)); err != nil {
		t.Fatal(err)
	}
	d.wantHold(h.ID, booking.Sold)
	if o := d.wantOrder(p.OrderID, order.Paid); len(o.Tickets) != 2 || o.Tickets[1].Seat != "A-2" {
		t.Fatalf("tickets %+v", o.Tickets)
	}
}

func TestReserveRefusals(t *testing.T) {
	row := func(n int) (ids []seatmap.SeatID) {
		for i := range n {
			ids = append(ids, seatmap.SeatID(fmt.Sprintf("%c-%d", 'A'+i/6, i%6+1)))
		}
		return ids
	}
	d := newDesk(t)
	d.hold("full", "k", row(10)...)
	for _, tt := range []struct {
		name   string
		wish   boxoffice.Wish
		reason *fault.Error
		seats  []seatmap.SeatID
	}{
		{"none", wish("ann", "1"), booking.ErrNoSeats, nil},
		{"eleven", wish("ann", "1", row(11)...), booking.ErrTooMany, row(11)},
		{"twice", wish("ann", "1", "C-1", "C-1"), booking.ErrDuplicate, []seatmap.SeatID{"C-1"}},
		{"unknown", wish("ann", "1", "Z-1"), booking.ErrUnknownSeat, []seatmap.SeatID{"Z-1"}},
		{"half a pair", wish("ann", "1", "D-1"), booking.ErrPairSplit, []seatmap.SeatID{"D-2"}},
		{"wrong movie", boxoffice.Wish{Buyer: "ann", Key: "1", Show: matinee, Movie: "other", Seats: row(1)}, booking.ErrWrongMovie, nil},
		{"best of none", boxoffice.Wish{Buyer: "ann", Key: "1", Show: matinee, Best: &seatmap.Want{}}, booking.ErrNoSeats, nil},
		{"best of eleven", boxoffice.Wish{Buyer: "ann", Key: "1", Show: matinee, Best: &seatmap.Want{Count: 11}}, booking.ErrTooMany, nil},
	} {
		no := d.refusal(tt.wish)
		if no.Reason != tt.reason || !cmp.Equal(no.Seats, tt.seats) {
			t.Errorf("%s: %v about %v", tt.name, no, no.Seats)
		}
	}
	no := d.refusal(wish("full", "k2", "C-1"))
	if no.Reason != booking.ErrSeatLimit || no.Holding != 10 || no.Limit != 10 {
		t.Errorf("beyond ten: %+v", no)
	}
	_, err := d.Reserve(d.ctx(), boxoffice.Wish{Buyer: "ann", Key: "1", Show: "none", Seats: row(1)})
	wantErr(t, err, catalog.ErrNoShow)
	d.wantAllowance("ann", 0)
	if h := d.hold("ann", "1", "C-1", "C-2"); h.State != booking.Held { // refusals are not remembered
		t.Errorf("hold %+v", h)
	}
}

func TestSaleWindow(t *testing.T) {
	d := newDesk(t)
	show := d.hall.shows[matinee]
	for _, tt := range []struct {
		now  time.Time
		open bool
	}{
		{show.SaleOpensAt.Add(-time.Millisecond), false}, {show.SaleOpensAt, true},
		{show.SaleClosesAt.Add(-time.Millisecond), true}, {show.SaleClosesAt, false},
	} {
		for i, w := range []boxoffice.Wish{wish("ann", tt.now.String(), "A-1"), {Buyer: "ann", Key: "b" + tt.now.String(), Show: matinee, Best: &seatmap.Want{Count: 1}}} {
			d.clock.set(tt.now)
			h, err := d.Reserve(d.ctx(), w)
			if (err == nil) != tt.open || err != nil && !errors.Is(err, booking.ErrSalesClosed) {
				t.Errorf("wish %d at %v: %v", i, tt.now, err)
			}
			if err == nil {
				if err := d.GiveBack(d.ctx(), "ann", h.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	d.clock.set(show.SaleOpensAt.Add(-time.Minute))
	if no := d.refusal(wish("ann", "x", "A-1")); !no.OpensAt.Equal(show.SaleOpensAt) {
		t.Errorf("opens at %v", no.OpensAt)
	}
	show.Status = catalog.Cancelled
	d.hall.shows[matinee] = show
	d.clock.set(opening)
	if no := d.refusal(wish("ann", "x", "A-1")); no.Reason != booking.ErrSalesClosed || !no.OpensAt.IsZero() {
		t.Errorf("cancelled: %+v", no)
	}
}

// TestConflicts: every wanted seat that is not free is named with its reason.
func TestConflicts(t *testing.T) {
	d := newDesk(t)
	held := d.hold("ann", "k", "A-1", "A-2")
	d.sell("bob", "A-3")
	house, err := d.Block(d.ctx(), boxoffice.Wish{Key: "house", Show: matinee, Seats: []seatmap.SeatID{"A-4"}})
	if err != nil || house.State != booking.Blocked {
		t.Fatal(house, err)
	}
	d.setAside("cat", "A-5")
	no := d.refusal(wish("eve", "k", "A-1", "A-2", "A-3", "A-4", "A-5", "A-6"))
	until := held.ExpiresAt.Add(policy.Grace)
	want := []booking.Conflict{
		{Seat: "A-1", Reason: booking.StandingHeld, Until: until}, {Seat: "A-2", Reason: booking.StandingHeld, Until: until},
		{Seat: "A-3", Reason: booking.StandingSold}, {Seat: "A-4", Reason: booking.StandingBlocked}, {Seat: "A-5", Reason: booking.StandingLine},
	}
	if no.Reason != booking.ErrUnavailable || no.Next != booking.ChooseOther {
		t.Errorf("refused: %v, next %v", no, no.Next)
	}
	if diff := cmp.Diff(want, no.Conflicts); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	d.wantAllowance("eve", 0)
}

// TestNextCases: full, others free, or wait, judged by a fresh look.
func TestNextCases(t *testing.T) {
	d := newDesk(t)
	all := func(prefix string, n int) (ids []seatmap.SeatID) {
		for i := range n {
			ids = append(ids, seatmap.SeatID(fmt.Sprintf("%s-%d", prefix, i+1)))
		}
		return ids
	}
	d.sell("a", all("A", 6)...)
	d.sell("b", all("B", 6)...)
	d.sell("c", all("C", 6)...)
	if no := d.refusal(wish("eve", "1", "A-1")); no.Next != booking.ChooseOther {
		t.Errorf("with loveseats free: %v", no.Next)
	}
	h := d.hold("d", "k", all("D", 4)...)
	// A wheelchair place is no seat for others.
	if no := d.refusal(wish("eve", "2", "A-1")); no.Next != booking.Wait {
		t.Errorf("with loveseats held: %v", no.Next)
	}
	if no := d.refusal(boxoffice.Wish{Buyer: "eve", Key: "3", Show: matinee, Best: &seatmap.Want{Count: 2}}); no.Next != booking.Wait || no.Reason != booking.ErrUnavailable {
		t.Errorf("best with loveseats held: %+v", no)
	}
	d.sellHold(h)
	if no := d.refusal(wish("eve", "4", "A-1")); no.Next != booking.ShowFull {
		t.Errorf("all sold: %v", no.Next)
	}
	if no := d.refusal(boxoffice.Wish{Buyer: "eve", Key: "5", Show: matinee, Best: &seatmap.Want{Count: 2}}); no.Next != booking.ShowFull {
		t.Errorf("best, all sold: %v", no.Next)
	}
	if _, err := d.Reserve(d.ctx(), boxoffice.Wish{Buyer: "eve", Key: "6", Show: matinee, Best: &seatmap.Want{Count: 2, Type: seatmap.Wheelchair}}); err != nil {
		t.Errorf("the wheelchair place with its companion: %v", err)
	}
}

func TestBestSeats(t *testing.T) {
	d := newDesk(t)
	best := func(b booking.Buyer, n int, typ seatmap.SeatType) booking.Hold {
		t.Helper()
		h, err := d.Reserve(d.ctx(), boxoffice.Wish{Buyer: b, Key: "k", Show: matinee, BodyHash: "x", Best: &seatmap.Want{Count: n, Type: typ}})
		if err != nil || len(h.Seats) != n {
			t.Fatalf("best %d of %q: %d seats, %s", n, typ, len(h.Seats), explain(err))
		}
		return h
	}
	h := best("ann", 3, seatmap.Premium)
	for _, s := range h.Seats {
		if s.Type != seatmap.Premium {
			t.Errorf("seat %+v", s)
		}
	}
	if again := best("ann", 3, seatmap.Premium); again.ID != h.ID || !cmp.Equal(again, h) {
		t.Errorf("the same request: %+v, want %+v", again, h)
	}
	// A map that lags behind the truth chooses badly and loses, and looks again.
	stale, err := d.SeatMap(d.ctx(), matinee)
	if err != nil {
		t.Fatal(err)
	}
	best("bob", 6, seatmap.Regular)
	best("cat", 6, seatmap.Regular)
	if now, _ := d.store.Snapshot(d.ctx(), matinee); now.Version != stale.Version {
		t.Log("the map was renewed on the way")
	}
	no := d.refusal(boxoffice.Wish{Buyer: "dan", Key: "k", Show: matinee, Best: &seatmap.Want{Count: 1, Type: seatmap.Regular}})
	if no.Reason != booking.ErrUnavailable || no.Next != booking.ChooseOther {
		t.Errorf("no regular seat is left: %+v", no)
	}
}

// TestIdempotencyKeys: the same key and body give the same hold, whatever became
// of it; another body is refused; another buyer's key is his own.
func TestIdempotencyKeys(t *testing.T) {
	d := newDesk(t)
	first := d.hold("ann", "k", "A-1", "A-2")
	d.clock.advance(time.Minute)
	if again := d.hold("ann", "k", "A-1", "A-2"); !cmp.Equal(again, first) {
		t.Errorf("again %+v, want %+v", again, first)
	}
	d.wantAllowance("ann", 2)
	_, err := d.Reserve(d.ctx(), wish("ann", "k", "A-3"))
	wantErr(t, err, booking.ErrOtherBody)
	_, err = d.Reserve(d.ctx(), wish("ann", "k", "A-1")) // taken, by the same hold
	wantErr(t, err, booking.ErrOtherBody)
	if no := d.refusal(wish("bob", "k", "A-1")); no.Reason != booking.ErrUnavailable {
		t.Errorf("bob: %v", no)
	}
}

func TestIdempotencyKeysOutliveTheHold(t *testing.T) {
	for name, end := range map[string]func(*desk, booking.Hold){
		"given back":      func(d *desk, h booking.Hold) { d.giveBack(h) },
		"overdue":         func(d *desk, h booking.Hold) { d.overdue(h) },
		"expired":         func(d *desk, h booking.Hold) { d.overdue(h); d.hold("eve", "k", "B-1") },
		"sold":            func(d *desk, h booking.Hold) { d.sellHold(h) },
		"taken by others": func(d *desk, h booking.Hold) { d.giveBack(h); d.hold("eve", "k", "B-1") },
		"after the sale":  func(d *desk, _ booking.Hold) { d.clock.set(d.hall.shows[matinee].SaleClosesAt) },
		"a day later": func(d *desk, h booking.Hold) {
			d.giveBack(h)
			d.clock.advance(24 * time.Hour)
			d.db.Expire(d.clock.Now())
		},
	} {
		d := newDesk(t)
		h := d.hold("ann", "k", "B-1")
		end(d, h)
		again, err := d.Reserve(d.ctx(), wish("ann", "k", "B-1"))
		if err != nil || again.ID != h.ID || !again.MadeAt.Equal(h.MadeAt) {
			t.Errorf("%s: %+v, %s", name, again, explain(err))
		}
		if _, err := d.Reserve(d.ctx(), wish("ann", "k", "B-2")); !errors.Is(err, booking.ErrOtherBody) {
			t.Errorf("%s, another body: %v", name, err)
		}
	}
}

// TestSingleGap is the house's rule, where the organiser switched it on.
func TestSingleGap(t *testing.T) {
	d := newDesk(t)
	d.hold("ann", "free", "A-2", "A-3") // off: nobody asks
	show := d.hall.shows[matinee]
	show.SingleGap = true
	d.hall.shows[matinee] = show
	no := d.refusal(wish("bob", "k", "B-2", "B-3"))
	if no.Reason != booking.ErrSingleGap || !cmp.Equal(no.Seats, []seatmap.SeatID{"B-1"}) {
		t.Errorf("refused %v about %v", no, no.Seats)
	}
	d.hold("bob", "k", "B-1", "B-2")
	if no := d.refusal(wish("cat", "k", "B-2", "B-3")); no.Reason != booking.ErrUnavailable {
		t.Errorf("a taken seat is taken, gap or not: %v", no)
	}
}

// TestRivalBetweenReadAndWrite: what others do after everything was read, and
// before the transaction is judged, counts.
func TestRivalBetweenReadAndWrite(t *testing.T) {
	t.Run("the limit of ten", func(t *testing.T) {
		d := newDesk(t)
		d.hold("ann", "most", "A-1", "A-2", "A-3", "A-4", "A-5", "A-6", "B-1", "B-2", "B-3")
		d.meanwhile(func() { d.hold("ann", "tenth", "B-4") })
		if no := d.refusal(wish("ann", "eleventh", "B-5")); no.Reason != booking.ErrSeatLimit || no.Holding != 10 {
			t.Errorf("refused with %v, holding %d", no.Reason, no.Holding)
		}
		d.wantAllowance("ann", 10)
		d.sound()
	})
	t.Run("a hold that ends", func(t *testing.T) {
		d := newDesk(t)
		h := d.hold("bob", "k", "A-1")
		d.faults = func(op memstore.Op) memstore.Fault {
			if op.Kind == memstore.OpBatchGet { // whose seat it is, was told; what the hold is worth, is asked now
				d.faults = nil
				d.giveBack(h)
			}
			return memstore.NoFault
		}
		d.hold("ann", "k", "A-1")
		d.sound()
	})
}

// TestAllowanceOutlivesTheShow: what a buyer has is counted as long as a hold of
// his can still give it back.
func TestAllowanceOutlivesTheShow(t *testing.T) {
	d := newDesk(t)
	d.sell("ann", "A-1", "A-2")
	d.clock.set(d.hall.shows[matinee].EndsAt.Add(7 * 24 * time.Hour))
	d.db.Expire(d.clock.Now())
	d.wantAllowance("ann", 2)
}
