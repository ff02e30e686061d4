package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/challenge"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/throttle"
	"github.com/fairseat/fairseat/pkg/throttle/turnstile"
)

// answer is what came of a request.
type answer uint8

const (
	done    answer = iota
	taken          // others have the seats
	limited        // too often, at the turnstile
	slowed         // dropped too many holds
	full           // the contact has ten
	unsolved
	busy
	answers
)

// guest is one session, a person's or a program's.
type guest struct {
	*house
	name    booking.Buyer
	address string
	side    side
	way     time.Duration // there and back
	solve   func(w wait, tries float64)
	keys    int
}

// told classifies an answer and says how long to stay away.
func (g *guest) told(err error, refused answer) (answer, time.Duration) {
	var no *booking.Refusal
	var often *throttle.Refusal
	a, stay := done, time.Duration(0)
	switch {
	case err == nil:
		return done, 0
	case errors.As(err, &often):
		a, stay = refused, often.Wait
	case errors.As(err, &no) && no.Reason == booking.ErrUnavailable:
		a = taken
	case errors.As(err, &no) && no.Reason == booking.ErrNotWorked:
		a = unsolved
	case errors.As(err, &no) && no.Reason == booking.ErrSeatLimit:
		a = full
	case fault.Is(err, fault.Busy):
		a, stay = busy, time.Second
	default:
		g.fail(fmt.Errorf("%s: %w", g.name, err))
		a, stay = busy, time.Minute
	}
	g.refusals[g.side][a]++
	return a, stay
}

// arrive opens the session, as often as it takes.
func (g *guest) arrive(w wait) {
	for {
		err := g.at(w, g.way, turnstile.Open, func(in *instance) error {
			return in.stile.Pass(context.Background(), turnstile.Visit{Act: turnstile.Open, Address: g.address})
		})
		a, stay := g.told(err, limited)
		if a == done {
			return
		}
		w(stay)
	}
}

// hold asks for seats, with what the show wants for it.
func (g *guest) hold(w wait, chosen []int) (booking.Hold, answer, time.Duration) {
	v := turnstile.Visit{Act: turnstile.Challenge, Address: g.address, Buyer: g.name, Show: premiere, Seats: len(chosen)}
	solution := ""
	if g.show.Challenge {
		var posed challenge.Challenge
		err := g.at(w, g.way, v.Act, func(in *instance) (err error) {
			posed, err = g.pose(in, v)
			return err
		})
		if a, stay := g.told(err, limited); a != done {
			return booking.Hold{}, a, stay
		}
		g.hardest = max(g.hardest, posed.Difficulty)
		g.solve(w, math.Ceil(math.Log(1-g.rng.Float64())/math.Log1p(-math.Exp2(-float64(posed.Difficulty)))))
		solution = challenge.Solve(posed.Text, easy)
	}
	g.keys++
	ids := make([]seatmap.SeatID, len(chosen))
	for i, at := range chosen {
		ids[i] = g.layout.At(at).ID
	}
	var got booking.Hold
	refused := limited
	v.Act = turnstile.Hold
	err := g.at(w, g.way, v.Act, func(in *instance) (err error) {
		if err := in.stile.Pass(context.Background(), v); err != nil {
			return err
		}
		refused = slowed
		got, err = in.office.Reserve(context.Background(), boxoffice.Wish{
			Buyer: g.name, Key: fmt.Sprint(g.keys), BodyHash: fmt.Sprint(ids), Show: premiere, Seats: ids, Solution: solution,
		})
		if err == nil {
			g.take(chosen, g.side, g.clock.now)
		}
		return err
	})
	a, stay := g.told(err, refused)
	return got, a, stay
}

// pose asks for a puzzle and gives an easy one of the same keeper, for the same
// buyer, show, seats and moment, with the difficulty of the real one beside it:
// solving is paid for in virtual time.
func (g *guest) pose(in *instance, v turnstile.Visit) (challenge.Challenge, error) {
	if err := in.stile.Pass(context.Background(), v); err != nil {
		return challenge.Challenge{}, err
	}
	asked, err := in.office.ChallengeFor(context.Background(), premiere, g.name, v.Seats)
	if err != nil {
		return challenge.Challenge{}, err
	}
	given, err := g.keeper.Make(premiere, g.name, v.Seats, easy, g.now())
	given.Difficulty = asked.Difficulty
	return given, err
}

// drop gives a hold back.
func (g *guest) drop(w wait, x booking.Hold, chosen []int) {
	w(g.way / 2)
	g.surely(w, func() error { return g.desk.GiveBack(context.Background(), g.name, x.ID) })
	g.leave(chosen, g.clock.now)
	w(g.way / 2)
}

// pay buys a hold's seats, in the name of a contact where one is asked for.
func (g *guest) pay(w wait, x booking.Hold, chosen []int, contact string) answer {
	w(g.way / 2)
	wish := boxoffice.PayWish{Buyer: g.name, Hold: x.ID, Provider: payment.Sandbox, Key: "p" + string(x.ID), BodyHash: "p"}
	if g.show.NeedsContact {
		wish.Contacts = []booking.Contact{booking.Contact(contact)}
	}
	var p payment.Payment
	var a answer
	g.surely(w, func() (err error) {
		p, err = g.desk.Pay(context.Background(), wish)
		if fault.Is(err, fault.Busy) {
			return err
		}
		a, _ = g.told(err, limited)
		return nil
	})
	if a != done {
		return a
	}
	w(time.Second)
	r := payment.Report{Payment: p.ID, Order: p.OrderID, ProviderRef: string(p.ID), State: payment.ReportCaptured, Amount: p.Amount, At: g.now()}
	g.surely(w, func() error { return g.desk.Settle(context.Background(), r) })
	g.sell(chosen, g.side)
	return done
}
