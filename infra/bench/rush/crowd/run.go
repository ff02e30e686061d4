package crowd

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// Options of a run.
type Options struct {
	Seed      uint64
	Buyers    int
	Within    time.Duration // they all come in
	Rows      int
	Width     int           // seats of a row
	Best      bool          // they ask for the best seats, two to six, instead of naming one to four
	Tries     int           // requests a buyer makes at the most
	Fickle    int           // percent of the buyers who give their seats back, and ask again
	Warm      int           // instances that are there before
	OnSaleFor time.Duration // how long the sale has been open when they come
	Rate      int64         // write units a second of a partition
	Latency   Latency
}

// Result is what was seen.
type Result struct {
	Answers   []Answer
	Lies      []string
	Split     int // groups of the best seats that sit apart though the hall had room for them together
	Seats     int // of the house
	Taken     int // sold or held at the end
	Sold      int
	Instances int
	Hottest   int64        // read units of one partition in one second
	Counts    meter.Counts // of the instances that hold seats
	Lasted    time.Duration
}

// Run lets them come and go.
func Run(o Options) (Result, error) {
	l, err := cinema(o.Rows, o.Width)
	if err != nil {
		return Result{}, err
	}
	h, err := open(o, l)
	if err != nil {
		return Result{}, err
	}
	buyers := make([]*buyer, o.Buyers)
	left := o.Buyers
	for i := range buyers {
		b := &buyer{house: h, id: i, fickle: h.rng.IntN(100) < o.Fickle, party: parties[h.rng.IntN(len(parties))], tries: o.Tries}
		buyers[i] = b
		come := b.come
		if o.Best {
			b.party = 2 + h.rng.IntN(5)
			come = b.comeForBest
		}
		at := time.Duration(0)
		if o.Within > 0 {
			at = time.Duration(h.rng.Int64N(int64(o.Within)))
		}
		h.clock.after(at, func() {
			come()
			if left--; left == 0 {
				h.clock.wait(time.Second)
				h.done = true
			}
		})
	}
	h.clock.after(0, h.project)
	h.clock.run()
	return h.result(buyers)
}

func (b *house) result(buyers []*buyer) (Result, error) {
	r := Result{Seats: b.layout.Len(), Instances: b.most, Hottest: b.load.most, Counts: b.sales.Snapshot(), Lasted: b.clock.Now().Sub(doors)}
	for _, x := range buyers {
		r.Answers = append(r.Answers, x.answers...)
	}
	c := b.commits()
	r.Lies = c.lies(r.Answers)
	r.Split = b.split(c, r.Answers)
	for _, s := range c.spans {
		if s[len(s)-1].to.IsZero() {
			r.Taken++
		}
	}
	m, err := store.New(b.db, policy).FreshSnapshot(context.Background(), premiere) // by hand: the clock stands
	if err != nil || m == nil {
		return r, err
	}
	r.Sold = m.Tally().Sold
	return r, nil
}

func (b *buyer) comeForBest() {
	for n := 0; b.tries > 0; n++ {
		b.tries--
		a := b.ask(boxoffice.Wish{Buyer: b.name(), Key: "best", BodyHash: fmt.Sprint(b.party), Show: premiere, Best: &seatmap.Want{Count: b.party, Type: seatmap.Regular}})
		if a.Kind != busy {
			return
		}
		b.clock.wait(b.between(1, 2))
	}
}

// split counts groups that were not seated together though, at the moment before
// their commit, the map had a run of their size.
func (b *house) split(c commits, answers []Answer) int {
	n := 0
	for _, a := range answers {
		if a.Kind != held || !a.Best || b.together(a.Chosen) {
			continue
		}
		at := c.first(a.Chosen)
		free := func(i int) bool { return !c.owned(b.layout.At(i).ID, time.Time{}, at.Add(-1)) }
		if best, ok := seatmap.Best(b.layout, free, seatmap.Want{Count: a.Seats, Type: seatmap.Regular}); ok && b.together(b.named(best)) {
			n++
		}
	}
	return n
}

// first is when the claims of a hold began to land.
func (c commits) first(seats []booking.Seat) time.Time {
	var at time.Time
	for _, s := range seats {
		spans := c.spans[s.ID]
		if from := spans[len(spans)-1].from; at.IsZero() || from.Before(at) {
			at = from
		}
	}
	return at
}

func (b *house) named(chosen []int) []booking.Seat {
	seats := make([]booking.Seat, len(chosen))
	for i, at := range chosen {
		seats[i].ID = b.layout.At(at).ID
	}
	return seats
}

// together reports one row's neighbours; seats come in the order of the hall.
func (b *house) together(seats []booking.Seat) bool {
	for i := range seats[1:] {
		x, _ := b.layout.Seat(seats[i].ID)
		y, _ := b.layout.Seat(seats[i+1].ID)
		if y.Index != x.Index+1 || y.Row != x.Row {
			return false
		}
	}
	return true
}
