package counts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/payment"
)

// step does one thing; what it needs was done by prepare, which is not counted.
type step struct {
	name        string
	must, least Use
	why         string
	prepare     func(s *stage) (func() error, error)
}

func ready(f func(s *stage) error) func(s *stage) (func() error, error) {
	return func(s *stage) (func() error, error) { return func() error { return f(s) }, nil }
}

// held prepares a hold that f ends.
func held(n int, f func(s *stage, h booking.Hold) error) func(s *stage) (func() error, error) {
	return func(s *stage) (func() error, error) {
		h, err := s.hold(n)
		return func() error { return f(s, h) }, err
	}
}

// paying prepares a hold with a payment.
func paying(f func(s *stage, h booking.Hold, p payment.Payment) error) func(s *stage) (func() error, error) {
	return func(s *stage) (func() error, error) {
		h, err := s.hold(Seats)
		if err != nil {
			return nil, err
		}
		p, err := s.pay(h)
		return func() error { return f(s, h, p) }, err
	}
}

func holdOf(n int64) step {
	least := use(1, 2*(n+3), 0)
	return step{
		fmt.Sprintf("hold of %d seats", n), least, least, "T1: n claims, hold, allowance, timer, 2 units each in a transaction; the show and its hall are remembered",
		ready(func(s *stage) error { _, err := s.hold(int(n)); return err }),
	}
}

// steps with their numbers for n = 2 seats. Each minimum keeps every promise:
// writes that must be together are one transaction, 2 units an item below 1 KB;
// what is decided on is read strongly consistent, 1 unit an item; a single item
// needs no transaction, 1 unit.
var steps = []step{
	holdOf(1), holdOf(2), holdOf(10),
	{
		"hold refused, seats taken", use(2, 0, Seats+2.5), use(2, 0, Seats+1),
		"the claims and the hold that owns them, read; built: with them this request's own receipt, then the map for what to advise; so by an instance that has met somebody on the seats, else by a transaction that is refused and billed in full, then reads",
		ready(func(s *stage) error {
			w := s.wish(Seats)
			w.Seats[0], w.Seats[1] = hall.Seat(0), hall.Seat(1)
			_, err := s.Office.Reserve(s.ctx, w)
			var no *booking.Refusal
			if !errors.As(err, &no) || len(no.Conflicts) != Seats {
				return fmt.Errorf("counts: not refused as wanted: %w", err)
			}
			return nil
		}),
	},
	{
		"hold asked for again", use(1, 0, Seats+1), use(1, 0, 1),
		"the receipt, read; built: with the claims, by an instance that has met somebody there; else the transaction finds the hold and is billed in full, so that the first request pays for no read",
		func(s *stage) (func() error, error) {
			w := s.wish(Seats)
			_, err := s.Office.Reserve(s.ctx, w)
			return func() error { _, err := s.Office.Reserve(s.ctx, w); return err }, err
		},
	},
	{
		"release by the owner", use(4, 2*(Seats+4), 3), use(3, 2*(Seats+4), 2),
		"T3: hold, n claims, allowance, timer, gate; before it the hold and the gate are read; built: the hold is read once more, to know its owner",
		held(Seats, func(s *stage, h booking.Hold) error { return s.Office.GiveBack(s.ctx, h.Buyer, h.ID) }),
	},
	{
		"expiry", use(3, 2*(Seats+4), 2), use(3, 2*(Seats+4), 2), "T3 as above",
		held(Seats, func(s *stage, h booking.Hold) error {
			s.now = s.now.Add(venue.Policy.Hold + venue.Policy.Grace + time.Second)
			defer func() { s.now = s.now.Add(-venue.Policy.Hold - venue.Policy.Grace - time.Second) }()
			_, err := s.Office.End(s.ctx, h.ID, booking.ByExpiry)
			return err
		}),
	},
	{
		"timer message of a sold hold", use(2, 0, 2), use(1, 0, 1), "the hold, read: it is sold, nothing is to be done; built: the gate is read before that is decided",
		paying(func(s *stage, h booking.Hold, p payment.Payment) error {
			if err := s.captured(p); err != nil {
				return err
			}
			s.meter.Reset()
			s.now = s.now.Add(venue.Policy.Hold + venue.Policy.Grace + time.Second)
			defer func() { s.now = s.now.Add(-venue.Policy.Hold - venue.Policy.Grace - time.Second) }()
			_, err := s.Office.End(s.ctx, h.ID, booking.ByExpiry)
			if !errors.Is(err, booking.ErrAlreadyPaid) {
				return fmt.Errorf("counts: a sold hold ended: %w", err)
			}
			return nil
		}),
	},
	{
		"map read, 2,000 seats", use(1, 0, 0.5), use(1, 0, 0.5), "one item below 4 KB, eventually consistent",
		ready(func(s *stage) error { _, err := s.Office.SeatMap(s.ctx, show); return err }),
	},
	{
		"payment begun", use(5, 10, 4), use(4, 9, 3),
		"receipt, its note and hold read, then hold, payment, order together, then what the buyer must do, beside the payment: 1 unit alone; built: that note is a transaction of one, after a read",
		held(Seats, func(s *stage, h booking.Hold) error { _, err := s.pay(h); return err }),
	},
	{
		"callback, T2", use(4, 8, 3), use(3, 8, 3),
		"hold, payment, order, timer; before it the payment is read, then its order and hold in one batch; built: one after another",
		paying(func(s *stage, _ booking.Hold, p payment.Payment) error { return s.captured(p) }),
	},
	{
		"callback again", use(3, 0, 3), use(1, 0, 1), "the payment tells that it was captured; built: order and hold are read before anything is decided",
		paying(func(s *stage, _ booking.Hold, p payment.Payment) error {
			if err := s.captured(p); err != nil {
				return err
			}
			s.meter.Reset()
			return s.captured(p)
		}),
	},
	{
		"projector, a batch of one hold", use(4, 2, Seats+2), use(4, 1, Seats+2),
		"the map, n claims and their hold read, the map written: 1 unit alone; built: in a transaction of one",
		held(Seats, func(s *stage, h booking.Hold) error { return s.project(h) }),
	},
}

// Measure counts every step.
func Measure(ctx context.Context) ([]Figure, Answers, error) {
	var a Answers
	s, err := newStage(ctx)
	if err != nil {
		return nil, a, err
	}
	var figures []Figure
	for _, st := range slices.Concat(steps, listSteps, besideSteps) {
		f, err := st.prepare(s)
		if err != nil {
			return nil, a, fmt.Errorf("%s: %w", st.name, err)
		}
		got, err := s.count(f)
		if err != nil {
			return nil, a, fmt.Errorf("%s: %w", st.name, err)
		}
		figures = append(figures, Figure{st.name, got, st.must, st.least, st.why})
	}
	if a.Bytes, err = s.bodies(); err != nil {
		return nil, a, err
	}
	a.Kept, err = s.kept(figures, a.Bytes)
	return figures, a, err
}
