package e2e_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/fairseat/fairseat/infra/proof/audit"
	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/rights"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/order"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// openLine makes the gates say that somebody waits for regular seats, as the lane
// does. Nobody does: the lane's next run closes them and drains what was set aside.
// Till then the line counts as looked after, or whoever met such a seat would run it.
func (s *show) openLine(t *testing.T) {
	t.Helper()
	seen := line.Stamp{Now: time.Now().Add(time.Hour)}
	must(t, shop.store.CommitLine(t.Context(), s.ID, line.State{Version: 0}, line.Plan{Gates: true, Wanted: []seatmap.SeatType{seatmap.Regular}}, seen))
}

// inLine: the hold has ended and each of its seats was set aside for the line.
func (o overdue) inLine(t *testing.T) error {
	t.Helper()
	h, err := shop.store.HoldByID(t.Context(), booking.HoldID(o.hold.ID))
	if err == nil && h.State == booking.Held {
		err = yet("the hold is held")
	}
	if err == nil && (h.State != booking.Expired || h.Aside != len(h.Seats)) {
		t.Fatalf("the hold is %s with %d of %d seats set aside", h.State, h.Aside, len(h.Seats))
	}
	return err
}

// kept: nobody has had the seats since, not even for a moment (NoGap).
func (o overdue) kept(t *testing.T) {
	t.Helper()
	must(t, o.inLine(t))
	claims, err := shop.claims(t.Context(), o.show)
	must(t, err)
	st, err := shop.store.LineState(t.Context(), o.ID, line.Reading{})
	must(t, err)
	for _, seat := range o.hold.Seats {
		if owner, taken := claims[seatmap.SeatID(seat.ID)]; !taken || !owner.Line() {
			t.Errorf("seat %s is of %+v, taken %v", seat.ID, owner, taken)
		}
	}
	if len(st.Pool) != len(o.hold.Seats) {
		t.Errorf("%d seats are in the pool, not %d", len(st.Pool), len(o.hold.Seats))
	}
	holds, err := shop.holds(t.Context(), o.show)
	must(t, err)
	must(t, audit.CheckSeats(holds, claims))
}

func (o overdue) awaitLine(t *testing.T, limit time.Duration) {
	t.Helper()
	until(t, o.end().Add(-300*time.Millisecond))
	eventually(t, limit+300*time.Millisecond, func() error { return o.inLine(t) })
}

// drained: the lane has found nobody, closed the gates and freed the seats.
func (o overdue) drained(t *testing.T) {
	t.Helper()
	eventually(t, 15*time.Second, func() error {
		st, err := shop.store.LineState(t.Context(), o.ID, line.Reading{})
		if err != nil {
			return err
		}
		claims, err := shop.claims(t.Context(), o.show)
		if err == nil && (len(st.Wanted) > 0 || len(st.Pool) > 0 || len(claims) > 0) {
			err = yet("wanted %v, %d in the pool, %d claimed", st.Wanted, len(st.Pool), len(claims))
		}
		return err
	})
	shop.balanced(t, o.show)
}

// early sends the hold's timer message before its time: a duplicate, or one that
// an operator sent back from the dead letters.
func (o overdue) early(t *testing.T) {
	t.Helper()
	var arn, url string
	for _, q := range stack.Stack.Queues {
		if q.ID == "TimersQueue" {
			arn, url = q.ARN, q.URL
		}
	}
	back := rights.Use{Function: "ExpireHold", Need: rights.Need{Action: "sqs:SendMessage", Resource: arn}}
	before := stack.Rights().Used[back]
	_, err := stack.Clients().Queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(`{"hold":"` + o.hold.ID + `"}`)})
	must(t, err)
	eventually(t, 5*time.Second, func() error {
		if stack.Rights().Used[back] == before {
			return yet("the message was not put back")
		}
		return nil
	})
	o.lives(t)
}

// wantedHolds are overdue holds of seats that somebody waits for, by who meets them.
type wantedHolds map[string]overdue

func abandonWanted(t *testing.T, other *buyer) wantedHolds {
	t.Helper()
	all := wantedHolds{}
	for _, name := range []string{"another buyer", "the owner's look", "a look at the order", "a look at the seat map", "the owner's late payment", "the owner's release"} {
		o := abandon(t, 2)
		o.openLine(t)
		all[name] = o
	}
	read[apiclient.Seatmap](other, "/shows/"+string(all["a look at the seat map"].ID)+"/seatmap") // it must know of the hold
	return all
}

// meet ends each hold on its own way. The seats go to those who wait, whoever met
// it: also he who asked for these very seats is refused (NoGap).
func (w wantedHolds) meet(t *testing.T, other *buyer) {
	t.Helper()
	for name, o := range w {
		until(t, o.end())
		switch name {
		case "another buyer":
			_, err := other.try(o.show, seatsOf(o.hold)...)
			p := refused(t, err, 409, "seats_unavailable")
			if len(p.Conflicts) != 2 || p.Conflicts[0].Reason != "line" || p.Conflicts[1].Reason != "line" {
				t.Errorf("another buyer is told %+v", p.Conflicts)
			}
		case "the owner's look":
			read[apiclient.Hold](o.owner, "/holds/"+o.hold.ID)
		case "a look at the order":
			read[apiclient.Order](o.owner, "/orders/"+o.order)
		case "a look at the seat map":
			until(t, o.end().Add(behind))
			if m := read[apiclient.Seatmap](other, "/shows/"+string(o.ID)+"/seatmap"); m.Line != 2 || m.Free != m.Capacity-2 {
				t.Errorf("the map shows %d set aside, %d free", m.Line, m.Free)
			}
		case "the owner's late payment":
			_, err := o.owner.tryPay(o.hold.ID, "success")
			refused(t, err, 409, "hold_expired")
		case "the owner's release":
			o.owner.release(o.hold.ID)
		}
		t.Run(name+" of wanted seats", func(t *testing.T) { o.kept(t) })
	}
}

func (w wantedHolds) drained(t *testing.T) {
	t.Helper()
	for _, o := range w {
		o.drained(t)
	}
}

// TestLateMoneyMeetsTheHold: nobody has met the overdue hold before its money, be
// it told by a callback or learned by asking. Free seats are sold anew; wanted ones
// go to those who wait, and the money back: late money never overtakes the line.
func TestLateMoneyMeetsTheHold(t *testing.T) {
	on := parallelWithout(t, []string{advanceLine, askProvider, expireHold, expireTimer}, callbacks, relayPayments, relayHolds, projectHolds, projectPool)
	cases := map[string]lateMoney{}
	for name, outcome := range map[string]string{"a callback": "late", "asking": "never"} {
		for _, wanted := range []bool{false, true} {
			s, b := shop.open(t, "standard-90"), guest(t)
			h := b.hold(s, s.regular(t, 2, 0)...)
			p := b.pay(h.ID, outcome)
			c := lateMoney{overdue{s, b, h, p.OrderID, b.who(h.ID)}, p.ID, wanted}
			if wanted {
				name += " of wanted seats"
				c.openLine(t)
			}
			cases[name] = c
		}
	}
	given := releasedAndTaken(t)
	for _, name := range []string{"asking", "asking of wanted seats"} {
		c := cases[name]
		until(t, c.end())
		c.lives(t)
	}
	for _, name := range []string{"a callback", "a callback of wanted seats"} {
		c := cases[name]
		eventually(t, time.Until(c.end())+10*time.Second, func() error { return c.met(t) })
	}
	must(t, stack.Resume(askProvider))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			eventually(t, 10*time.Second, func() error { return c.met(t) })
			c.settled(t)
		})
	}
	oneRefund(t, given.payment, given.owner.await(given.order, "REFUNDED", 20*time.Second).Total.Amount)
	on()
	for _, c := range cases {
		if c.wanted {
			c.drained(t)
		}
		shop.balanced(t, c.show)
	}
}

// releasedAndTaken is paid for, given back and sold to another by the time that
// anybody asks for its money.
func releasedAndTaken(t *testing.T) lateMoney {
	t.Helper()
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	p := b.pay(h.ID, "never")
	b.release(h.ID)
	guest(t).buy(s, h.Seats[0].ID) // a hold that has no end
	return lateMoney{overdue{s, b, h, p.OrderID, ""}, p.ID, false}
}

// lateMoney is a payment that is captured, or known to be, after its hold's end.
type lateMoney struct {
	overdue
	payment string
	wanted  bool
}

// met: the money has met the hold. Only the tables are looked at.
func (c lateMoney) met(t *testing.T) error {
	h, err := shop.store.HoldByID(t.Context(), booking.HoldID(c.hold.ID))
	if err != nil {
		return err
	}
	p, err := shop.store.PaymentByID(t.Context(), payment.ID(c.payment))
	if err == nil && (h.State == booking.Held || p.State == payment.Pending) {
		err = yet("the hold is %s, the payment %s", h.State, p.State)
	}
	return err
}

func (c lateMoney) settled(t *testing.T) {
	if c.wanted {
		c.kept(t)
		oneRefund(t, c.payment, c.owner.await(c.order, "REFUNDED", 20*time.Second).Total.Amount)
		return
	}
	o := c.owner.await(c.order, "PAID", 10*time.Second)
	verify(c.owner, string(c.ID), o)
	paidFor(t, o)
	sold, err := shop.store.OrderByID(t.Context(), order.ID(o.ID))
	must(t, err)
	if sold.HoldID == c.hold.ID {
		t.Error("an overdue hold was sold in place")
	}
}
