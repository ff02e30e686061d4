package boxoffice_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// TestReplayLine plays what went wrong in the waiting lists of others.
func TestReplayLine(t *testing.T) {
	for _, r := range []struct {
		name    string
		failure string // what went wrong there
		play    func(*testing.T)
	}{
		{"pretix-2119", "the last on the list was served before the first", lastBeforeFirst},
		{"pretix-3628", "the list's counter and the quota's disagreed: seats were free and nobody was served", countersDisagree},
		{"pretix-681-1031", "somebody was served after the start of the show", servedTooLate},
		{"pretix-1163-1405", "the voucher of a cancelled order came alive again and blocked the next", voucherRevives},
		{"revel-lapse", "an offer lapsed, the next was made by an hourly job, and the public took the seat", betweenTwoOffers},
		{"hi-events-listener", "the list's listener was asynchronous: a refresh was faster", refreshBeatsListener},
		{"alfio-released", "only some paths left a seat RELEASED, where the public's query does not look", releasedOnEveryPath},
		{"eventra-5698", "the list moved by itself and by hand at once: two winners for one seat", twoPromotions},
		{"aws-waiting-room", "a redelivery overwrote a place with a later one; one person took any number", placeOverwritten},
	} {
		t.Run(r.name, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log("elsewhere: " + r.failure)
				}
			}()
			r.play(t)
		})
	}
}

// notPublic: a walk-up who wants the seat is told that the line has it.
func (d *desk) notPublic(path string, seat seatmap.SeatID) {
	d.t.Helper()
	no := d.refusal(wish(booking.Buyer("walk-up "+path), "k", seat))
	if len(no.Conflicts) != 1 || no.Conflicts[0].Reason != booking.StandingLine {
		d.t.Errorf("%s: a walk-up is told %+v", path, no.Conflicts)
	}
}

func lastBeforeFirst(t *testing.T) {
	d, holds := soldOut(t)
	var all []boxoffice.Standing
	for i, party := range []int{3, 1, 2, 1} { // the later ones would be easier to serve
		all = append(all, d.join(booking.Buyer(fmt.Sprint("b", i)), "1", party, seatmap.Regular))
	}
	served := []int{}
	for n := range 4 { // seven seats in twos: each step serves whoever is first, or nobody
		d.giveBack(holds[n])
		d.lane(all[3].Waiter.ID, all[2].Waiter.ID) // who is named has no precedence
		for i, st := range all {
			if !slices.Contains(served, i) && d.see(st.Waiter).Waiter.State == line.Offered {
				served = append(served, i)
			}
		}
		if !slices.IsSorted(served) || len(served) > 0 && served[len(served)-1] != len(served)-1 {
			t.Fatalf("after %d holds came back those served are %v", n+1, served)
		}
	}
	if len(served) != 4 {
		t.Errorf("eight seats came back for seven, and %v were served", served)
	}
}

// countersDisagree: what derived records say counts for nothing. The map is drawn
// wrong on purpose, once all sold and once all free.
func countersDisagree(t *testing.T) {
	for _, lie := range []seatmap.State{seatmap.Sold, seatmap.Free} {
		d, holds := soldOut(t)
		a := d.join("a", "1", 2, seatmap.Regular)
		m := d.seatMap()
		wrong := *m
		wrong.Seats = m.Seats.Clone()
		for i := range d.layout.Len() {
			wrong.Seats.Set(i, lie)
		}
		wrong.Tallies = map[seatmap.SeatType]booking.Tally{}
		if err := d.store.SaveSnapshot(d.ctx(), d.hall.shows[matinee], wrong, m.Version, true); err != nil {
			t.Fatal(err)
		}
		if err := d.RunLane(d.ctx(), matinee, boxoffice.Wake{Sold: true}); err != nil {
			t.Fatal(err)
		}
		d.wantState(a.Waiter, line.Waiting)
		d.giveBack(holds[0])
		d.lane()
		d.wantState(a.Waiter, line.Offered)
		d.notPublic("after the offer", "A-1")
	}
}

func servedTooLate(t *testing.T) {
	d, holds := soldOut(t)
	closes := d.hall.shows[matinee].SaleClosesAt
	if early := d.hall.shows[matinee].StartsAt.Add(-d.LineCloses); early.Before(closes) {
		closes = early
	}
	d.clock.set(closes.Add(-30 * time.Second))
	for i, h := range holds { // overdue by now; they begin again
		d.mustEnd(h, booking.ByExpiry)
		holds[i] = d.hold(h.Buyer, "again", h.Seats[0].ID, h.Seats[1].ID)
	}
	a, b := d.join("a", "1", 2, seatmap.Regular), d.join("b", "1", 2, seatmap.Regular)
	d.giveBack(holds[0])
	d.lane()
	if st := d.wantState(a.Waiter, line.Offered); st.Waiter.Offer.ExpiresAt.After(closes) {
		t.Errorf("offered until %v; the line closes at %v", st.Waiter.Offer.ExpiresAt, closes)
	}
	d.clock.set(closes)
	d.giveBack(holds[1])
	d.lane(b.Waiter.ID)
	d.wantState(b.Waiter, line.TimedOut)
	d.clock.set(closes.Add(policy.Grace))
	_, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "x"})
	wantErr(t, err, booking.ErrHoldExpired)
	d.wantState(a.Waiter, line.Lapsed)
	_, err = d.Join(d.ctx(), wait("c", "1", 10, seatmap.Regular))
	wantErr(t, err, booking.ErrSalesClosed)
}

// voucherRevives: an accepted offer that came to nothing gives no second right.
func voucherRevives(t *testing.T) {
	d, holds := soldOut(t)
	a, b := d.join("a", "1", 2, seatmap.Regular), d.join("b", "1", 2, seatmap.Regular)
	d.giveBack(holds[0])
	d.lane()
	accept := boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "x", BodyHash: "{}"}
	h, err := d.AcceptOffer(d.ctx(), accept)
	if err != nil {
		t.Fatal(explain(err))
	}
	d.giveBack(h)
	d.lane(a.Waiter.ID)
	offer := d.wantState(b.Waiter, line.Offered).Waiter.Offer
	if again, err := d.AcceptOffer(d.ctx(), accept); err != nil || again.ID != h.ID || again.State != booking.Released {
		t.Errorf("accepted again: %+v, %v", again, err)
	}
	anew := accept
	anew.Key = "y"
	if _, err := d.AcceptOffer(d.ctx(), anew); !errors.Is(err, line.ErrNoOffer) {
		t.Errorf("accepted anew: %v", err)
	}
	_ = d.DeclineOffer(d.ctx(), "a", a.Waiter.ID) // whatever he is told, it moves nothing
	d.lane(a.Waiter.ID)
	if st := d.wantState(b.Waiter, line.Offered); !slices.Equal(st.Waiter.Offer.Seats, offer.Seats) {
		t.Errorf("b's offer was %+v and is %+v", offer.Seats, st.Waiter.Offer.Seats)
	}
	if got, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "b", Waiter: b.Waiter.ID, Key: "x"}); err != nil || len(got.Seats) != 2 {
		t.Errorf("b accepts: %+v, %v", got, err)
	}
	d.sound()
}

// betweenTwoOffers: no queue, timer or job runs. The public asks at every moment
// around the end of an offer, and the next in line looks for himself.
func betweenTwoOffers(t *testing.T) {
	d, holds := soldOut(t)
	a, b := d.join("a", "1", 2, seatmap.Regular), d.join("b", "1", 2, seatmap.Regular)
	d.giveBack(holds[0])
	d.lane()
	end := d.wantState(a.Waiter, line.Offered).Waiter.Offer.ExpiresAt
	for i, after := range []time.Duration{-time.Millisecond, 0, policy.Grace - time.Millisecond, policy.Grace, policy.Grace + time.Millisecond, time.Minute} {
		d.clock.set(end.Add(after))
		d.notPublic(fmt.Sprint(i), "A-1")
		d.notPublic(fmt.Sprint("other ", i), "A-2")
	}
	d.wantState(a.Waiter, line.Lapsed)
	d.wantState(b.Waiter, line.Offered)
}

// refreshBeatsListener: at the first moment at which a hold is overdue the public
// refreshes, and nothing has been delivered to anybody.
func refreshBeatsListener(t *testing.T) {
	d, holds := soldOut(t)
	a := d.join("a", "1", 2, seatmap.Regular)
	d.overdue(holds[0])
	d.notPublic("at once", "A-1")
	d.notPublic("again", "A-2")
	if st := d.see(a.Waiter); st.Waiter.State != line.Offered {
		d.lane()
	}
	d.wantState(a.Waiter, line.Offered)
	if h, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "x"}); err != nil || len(h.Seats) != 2 {
		t.Errorf("a accepts: %+v, %v", h, err)
	}
}

// releasedOnEveryPath: whatever gives a seat back, it is the line's in that same
// transaction, before any lane has run. Parties of four wait for two, so nothing is offered.
func releasedOnEveryPath(t *testing.T) {
	settled := func(d *desk, h booking.Hold, outcome func(p payment.Payment) payment.Report) {
		p := d.pay(h, "p")
		d.overdue(h)
		d.settle(outcome(p))
	}
	for path, give := range map[string]func(*desk, booking.Hold){
		"its owner":       func(d *desk, h booking.Hold) { d.giveBack(h) },
		"its message":     func(d *desk, h booking.Hold) { d.overdue(h); d.mustEnd(h, booking.ByExpiry) },
		"the sweep":       func(d *desk, h booking.Hold) { d.overdue(h); _, _ = d.Sweep(d.ctx(), matinee, 24) },
		"a walk-up":       func(d *desk, h booking.Hold) { d.overdue(h); d.refusal(wish("eve", "k", h.Seats[0].ID)) },
		"its owner looks": func(d *desk, h booking.Hold) { d.overdue(h); _, _ = d.Look(d.ctx(), h.Buyer, h.ID) },
		"a map is drawn":  func(d *desk, h booking.Hold) { d.overdue(h); d.clock.advance(time.Second); d.seatMap() },
		"a declined card": func(d *desk, h booking.Hold) {
			settled(d, h, func(p payment.Payment) payment.Report { return d.bank.decline(p.ID) })
			d.mustEnd(h, booking.ByExpiry)
		},
		"late money": func(d *desk, h booking.Hold) {
			settled(d, h, func(p payment.Payment) payment.Report { return d.bank.capture(p.ID) })
		},
		"a refund":  func(d *desk, h booking.Hold) { d.sellHold(h); d.mustEnd(d.holdNow(h.ID), booking.ByRefund) },
		"the house": func(d *desk, h booking.Hold) { d.mustEnd(h, booking.ByHouse) },
		"an offer":  func(d *desk, h booking.Hold) { d.takenAndLet(h) },
		"an hour later": func(d *desk, h booking.Hold) {
			d.clock.set(h.ExpiresAt.Add(policy.Grace + time.Hour - 6*time.Minute))
			d.seatMap()
		},
	} {
		d, holds := soldOut(t)
		h := holds[0]
		if path == "the house" {
			d.giveBack(h)
			h = must(d.Block(d.ctx(), wish(booking.House, "k", h.Seats[0].ID, h.Seats[1].ID)))
		}
		if path != "an offer" {
			for i := range 4 {
				d.join(booking.Buyer(fmt.Sprint("w", i)), "1", 4, seatmap.Regular)
			}
		}
		give(d, h)
		for _, s := range h.Seats {
			if o, ok := d.owner(s.ID); !ok || !o.Line() {
				t.Errorf("%s: seat %s is of %+v", path, s.ID, o)
			}
			d.notPublic(path+string(s.ID), s.ID)
		}
		if path != "a refund" { // whose money is another transaction
			d.sound()
		}
	}
}

// takenAndLet: the hold of an accepted offer is given back as any other.
func (d *desk) takenAndLet(h booking.Hold) {
	d.t.Helper()
	a := d.join("a", "1", 2, seatmap.Regular)
	d.join("w", "1", 4, seatmap.Regular)
	d.giveBack(h)
	d.lane()
	got, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "a", Waiter: a.Waiter.ID, Key: "x"})
	if err != nil {
		d.t.Fatal(explain(err))
	}
	d.giveBack(got)
}

// twoPromotions: a run of the lane has decided on a, and before it commits a has
// left and another run has offered the seats to b.
func twoPromotions(t *testing.T) {
	d, holds := soldOut(t)
	a, b := d.join("a", "1", 2, seatmap.Regular), d.join("b", "1", 2, seatmap.Regular)
	d.giveBack(holds[0])
	d.meanwhile(func() {
		if err := d.LeaveLine(d.ctx(), "a", a.Waiter.ID); err != nil {
			t.Fatal(err)
		}
		d.lane()
		d.wantState(b.Waiter, line.Offered)
	})
	d.lane()
	d.wantState(a.Waiter, line.Left)
	a, b = b, d.join("c", "1", 2, seatmap.Regular)
	d.wantState(a.Waiter, line.Offered)
	// An acceptance and a lapse of one offer at once: one of them counts.
	end := d.see(a.Waiter).Waiter.Offer.ExpiresAt.Add(policy.Grace)
	d.meanwhile(func() {
		d.clock.set(end)
		d.lane()
	})
	_, err := d.AcceptOffer(d.ctx(), boxoffice.Choose{Buyer: "b", Waiter: a.Waiter.ID, Key: "x"})
	state := d.see(a.Waiter).Waiter.State
	if (err == nil) != (state == line.Accepted) || err != nil && state != line.Lapsed {
		t.Errorf("accepted with %v, and b is %s", err, state)
	}
	d.lane()
	if st := d.see(b.Waiter); (st.Waiter.State == line.Offered) != (state == line.Lapsed) {
		t.Errorf("b is %s and c %s", state, st.Waiter.State)
	}
	d.sound()
}

// placeOverwritten: every wish to join is delivered again, after others have come.
func placeOverwritten(t *testing.T) {
	d, _ := soldOut(t)
	var all []boxoffice.Standing
	for i := range 5 {
		b := booking.Buyer(fmt.Sprint("b", i))
		all = append(all, d.join(b, "1", 2, seatmap.Regular))
		for _, st := range all {
			d.lane(st.Waiter.ID) // redelivered
			again, err := d.Join(d.ctx(), wait(st.Waiter.Buyer, "1", 2, seatmap.Regular))
			if err != nil || again.Waiter.ID != st.Waiter.ID || again.Waiter.Number != st.Waiter.Number {
				t.Errorf("%s sent again: %+v, %v", st.Waiter.Buyer, again.Waiter, err)
			}
		}
		for _, other := range []string{"2", "3"} {
			_, err := d.Join(d.ctx(), wait(b, other, 2, seatmap.Regular))
			wantErr(t, err, line.ErrAlreadyWaiting)
		}
	}
	for i, st := range all {
		if got := d.wantState(st.Waiter, line.Waiting); got.Waiter.Number != int64(i+1) || got.Ahead != i {
			t.Errorf("b%d has number %d with %d ahead", i, got.Waiter.Number, got.Ahead)
		}
	}
}
