package crowd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Answer is one request for seats with what came of it.
type Answer struct {
	Buyer        int
	Kind         string // held, taken, limit, busy, or the fault
	Asked, Came  time.Time
	Seats        int
	Conflicts    []booking.Conflict
	Next         booking.Next
	Reads        int
	Transactions int
	Chosen       []booking.Seat
	Best         bool
}

const (
	held  = "held"
	taken = "taken"
	busy  = "busy"
)

// buyer is one person. He knows before the sale where he wants to sit, asks for
// these seats, and when they are gone looks at the map and asks for others: after
// a moment's thought, some times, while the map shows enough of them. Told to wait
// he looks again later; told that the show is full he leaves.
type buyer struct {
	*house
	id      int
	party   int
	fickle  bool
	tries   int // requests left
	answers []Answer
}

// parties of one to four, most of them two.
var parties = []int{1, 1, 2, 2, 2, 2, 2, 3, 4, 4}

func (b *buyer) come() {
	want := b.favourite()
	for n := 0; want != nil && b.tries > 0; n++ {
		b.tries--
		a := b.ask(boxoffice.Wish{Buyer: b.name(), Key: fmt.Sprint(n), BodyHash: fmt.Sprint(want), Show: premiere, Seats: want})
		switch {
		case a.Kind == held:
			h := booking.Hold{ID: booking.IDFor(b.name(), fmt.Sprint(n)), Buyer: b.name()}
			if b.fickle && b.tries > 0 {
				b.clock.wait(b.between(0, 2))
				_ = b.desk.GiveBack(context.Background(), h.Buyer, h.ID) // or keep them: both are told true
				break
			}
			b.clock.wait(b.between(5, 20))
			_ = b.pay(h) // unpaid is held
			return
		case a.Kind == busy:
			b.clock.wait(b.between(1, 2)) // as Retry-After says; the same key
			n--
			continue
		case a.Kind != taken || a.Next == booking.ShowFull:
			return
		case a.Next == booking.Wait:
			b.clock.wait(b.between(8, 15))
		}
		b.clock.wait(b.between(1, 4))
		want = b.fromMap()
	}
}

func (b *buyer) name() booking.Buyer { return booking.Buyer(fmt.Sprintf("g_%05d", b.id)) }

func (b *buyer) between(from, to int) time.Duration {
	return time.Duration(from)*time.Second + time.Duration(b.rng.Int64N(int64(to-from)*int64(time.Second)))
}

// favourite is a run of neighbours anywhere in the hall.
func (b *buyer) favourite() []seatmap.SeatID {
	for {
		first := b.rng.IntN(b.layout.Len())
		if ids := b.run(first, func(int) bool { return true }); ids != nil {
			return ids
		}
	}
}

// run is the party's seats from the first one on, if they are one row's and free.
func (b *buyer) run(first int, free func(int) bool) []seatmap.SeatID {
	var ids []seatmap.SeatID
	for i := first; i < first+b.party; i++ {
		if i >= b.layout.Len() || b.layout.At(i).Row != b.layout.At(first).Row || !free(i) {
			return nil
		}
		ids = append(ids, b.layout.At(i).ID)
	}
	return ids
}

// fromMap is another run as the map shows it, or any free seats, or nil.
func (b *buyer) fromMap() []seatmap.SeatID {
	m, err := b.desk.SeatMap(context.Background(), premiere)
	if err != nil {
		return nil
	}
	free := func(i int) bool { return m.Seats.Get(i) == seatmap.Free }
	var open []int
	for i := range b.layout.Len() {
		if free(i) {
			open = append(open, i)
		}
	}
	if len(open) < b.party {
		return nil
	}
	b.rng.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	for _, first := range open {
		if ids := b.run(first, free); ids != nil {
			return ids
		}
	}
	var ids []seatmap.SeatID
	for _, i := range open[:b.party] {
		ids = append(ids, b.layout.At(i).ID)
	}
	return ids
}

// ask is one request to one instance.
func (b *buyer) ask(w boxoffice.Wish) Answer {
	c := &calls{}
	a := Answer{Buyer: b.id, Asked: b.clock.Now(), Seats: b.party, Best: w.Best != nil}
	o := b.instance()
	h, err := o.Reserve(context.WithValue(context.Background(), callsKey{}, c), w)
	b.back(o)
	a.Came, a.Reads, a.Transactions = b.clock.Now(), c.reads, c.transactions
	var no *booking.Refusal
	switch {
	case err == nil:
		a.Kind, a.Chosen = held, h.Seats
	case errors.As(err, &no) && no.Reason == booking.ErrUnavailable:
		a.Kind, a.Conflicts, a.Next = taken, no.Conflicts, no.Next
	case fault.Is(err, fault.Busy):
		a.Kind = busy
	default:
		a.Kind = err.Error()
	}
	b.answers = append(b.answers, a)
	return a
}
