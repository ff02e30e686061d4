package boxoffice

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// sight is what a look has shown: claims, and of the holds behind them those that
// were read no earlier than the request came, or are known for good.
type sight struct {
	claims map[seatmap.SeatID]Owner
	holds  map[booking.HoldID]booking.Hold
	mine   *booking.Hold // the receipt of this very request
	next   booking.Next  // when the whole hall was read
}

// glance is one request to the store: the claims of the seats, the holds that were
// seen on them before, and the request's own receipt. Where the whole hall is not
// dearer and this instance has not looked at it a breath ago, it looks at that.
func (o *Office) glance(ctx context.Context, s sale, seats []booking.Seat) (sight, error) {
	now := o.Clock()
	if _, known := o.memory.next(s.show.ID, typesOf(seats), now); !known && len(s.layout.Blocks()) <= small {
		return o.wholeHall(ctx, s, seats)
	}
	ks := keys(seats)
	ids := append(o.memory.recall(s.show.ID, ks), s.req.ID)
	claims, holds, err := o.Store.Look(ctx, s.show.ID, ks, ids)
	if err != nil {
		return sight{}, err
	}
	o.memory.claims(s.show.ID, s.layout, ks, claims, now)
	o.memory.saw(s.show.ID, holds)
	v := sight{claims: claims, holds: holds}
	if h, ok := holds[s.req.ID]; ok {
		v.mine = &h
	}
	return v, nil
}

// small is of how many blocks a hall is looked at as a whole: one query of a block
// costs as much as the claims of a few seats one by one.
const small = 2

// wholeHall reads all claims first: whose seats are free needs nothing else.
func (o *Office) wholeHall(ctx context.Context, s sale, seats []booking.Seat) (sight, error) {
	types := typesOf(seats)
	return o.hall(ctx, s, types, func(claims map[seatmap.SeatID]Owner) bool { return s.freeFor(types, claims) > 0 }, seats)
}

// hall reads every claim, then the holds that matter: those behind the wanted
// seats, and when nothing suits those that may be overdue, and if that leaves open
// whether anything can come free all but the sold. Of wanted seats that are free it
// knows enough.
//
// The sight's next is zero when something overdue was met, and ended.
func (o *Office) hall(ctx context.Context, s sale, types []seatmap.SeatType, suits func(map[seatmap.SeatID]Owner) bool, wanted []booking.Seat) (sight, error) {
	now := o.Clock()
	all, err := o.claims(ctx, s, nil)
	if err != nil {
		return sight{}, err
	}
	v := sight{claims: map[seatmap.SeatID]Owner{}, holds: map[booking.HoldID]booking.Hold{}}
	behind := map[booking.HoldID]bool{}
	for _, seat := range wanted {
		if owner, taken := all[seat.ID]; taken {
			v.claims[seat.ID], behind[owner.Hold] = owner, true
		}
	}
	o.memory.hall(s.show.ID, s.layout, all, now)
	if len(wanted) > 0 && len(v.claims) == 0 {
		return v, nil
	}
	enough := suits(all)
	ids := o.memory.unsold(s.show.ID, owners(all), func(id booking.HoldID, deadline time.Time) bool {
		return behind[id] || !enough && o.mayBeOverdue(s, deadline, now)
	})
	if len(wanted) > 0 {
		ids = append(ids, s.req.ID)
	}
	if err := o.readInto(ctx, s, &v, ids); err != nil {
		return sight{}, err
	}
	if enough {
		v.next = booking.ChooseOther
		return v, nil
	}
	if due := overdueOf(v.holds, o.Policy, now); len(due) > 0 {
		_, err := o.endAll(ctx, due[:min(len(due), sweepMost)])
		return v, err
	}
	v.next, err = o.nextOfNone(ctx, s, types, all, &v)
	return v, err
}

// mayBeOverdue asks of a hold's deadline, zero when it was never seen: none is
// overdue in a sale that is younger than a hold gets.
func (o *Office) mayBeOverdue(s sale, deadline, now time.Time) bool {
	if deadline.IsZero() {
		deadline = s.show.SaleOpensAt.Add(o.Policy.Hold)
	}
	return !now.Before(deadline.Add(o.Policy.Grace))
}

// nextOfNone is what comes next when nothing suits and nothing is overdue.
func (o *Office) nextOfNone(ctx context.Context, s sale, types []seatmap.SeatType, all map[seatmap.SeatID]Owner, v *sight) (booking.Next, error) {
	if s.freeFor(types, all) > 0 {
		return booking.ChooseOther, nil
	}
	if pending(all, v.holds) {
		return booking.Wait, nil
	}
	rest := o.memory.unsold(s.show.ID, owners(all), func(id booking.HoldID, _ time.Time) bool {
		_, read := v.holds[id]
		return !read
	})
	if err := o.readInto(ctx, s, v, rest); err != nil {
		return 0, err
	}
	if pending(all, v.holds) {
		return booking.Wait, nil
	}
	return booking.ShowFull, nil
}

func (o *Office) readInto(ctx context.Context, s sale, v *sight, ids []booking.HoldID) error {
	holds, err := o.Store.HoldsByID(ctx, ids)
	if err != nil {
		return err
	}
	o.memory.saw(s.show.ID, holds)
	maps.Copy(v.holds, holds)
	if h, ok := holds[s.req.ID]; ok {
		v.mine = &h
	}
	return nil
}

// freeFor counts the seats without a claim that serve somebody who asked for types.
func (s sale) freeFor(types []seatmap.SeatType, claims map[seatmap.SeatID]Owner) int {
	n := 0
	for i := range s.layout.Len() {
		seat := s.layout.At(i)
		if _, taken := claims[seat.ID]; !taken && serves(seat.Type, types) {
			n++
		}
	}
	return n
}

// pending reports that a seat is held or set aside: it may come free.
func pending(claims map[seatmap.SeatID]Owner, holds map[booking.HoldID]booking.Hold) bool {
	for _, owner := range claims {
		if owner.Line() || holds[owner.Hold].State == booking.Held {
			return true
		}
	}
	return false
}

// reads lets requests that come while a block is being read share the next read of
// it. The one in flight may have begun before they came, so that what it does not
// show could be free by now.
type reads struct {
	mu sync.Mutex
	by map[block]*reading
}

type block struct {
	show catalog.ShowID
	name string
}

type reading struct{ next *answer }

type answer struct {
	done   chan struct{}
	claims map[seatmap.SeatID]Owner
	err    error
}

// readTime bounds a read that several requests share: it must not end with the one
// that happened to be first.
const readTime = 5 * time.Second

func (r *reads) share(ctx context.Context, b block, read func(context.Context) (map[seatmap.SeatID]Owner, error)) (map[seatmap.SeatID]Owner, error) {
	r.mu.Lock()
	if r.by == nil {
		r.by = map[block]*reading{}
	}
	now, reads := r.by[b]
	if !reads {
		now = &reading{}
		r.by[b] = now
		r.mu.Unlock()
		claims, err := read(ctx)
		r.ended(ctx, b, now, read)
		return claims, err
	}
	if now.next == nil {
		now.next = &answer{done: make(chan struct{})}
	}
	a := now.next
	r.mu.Unlock()
	select {
	case <-a.done:
		return a.claims, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ended begins the next read if somebody waits for it.
func (r *reads) ended(ctx context.Context, b block, now *reading, read func(context.Context) (map[seatmap.SeatID]Owner, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := now.next
	if a == nil {
		delete(r.by, b)
		return
	}
	now.next = nil
	go func() {
		shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTime)
		defer cancel()
		a.claims, a.err = read(shared)
		close(a.done)
		r.ended(ctx, b, now, read)
	}()
}
