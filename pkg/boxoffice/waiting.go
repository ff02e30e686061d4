package boxoffice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// ErrNoLine refuses to wait where the house wants no line.
var ErrNoLine = fault.New(fault.Conflict, "no_line", "there is no line for this show")

// Join is a buyer's request to wait (A8): for Party seats, of the types or of any.
type Join struct {
	Buyer    booking.Buyer
	Key      string // Idempotency-Key
	BodyHash string
	Show     catalog.ShowID
	Party    int
	Types    []seatmap.SeatType
	Solution string // of a challenge, where the show asks for one
}

// Standing is what somebody who waits is told.
type Standing struct {
	Waiter line.Waiter
	Ahead  int           // waiting or offered with a smaller number
	Policy line.Policy   // the rule that decides
	Choice []line.Aside  // with an offer: what he may choose from, the proposal first
	Why    *line.Because // while he waits, as far as it is known
}

// Version changes whenever what is told of a place does.
func (s Standing) Version() string {
	parts := []string{s.Waiter.State.String(), fmt.Sprint(s.Ahead), fmt.Sprint(s.Waiter.Number)}
	for _, a := range s.Choice {
		parts = append(parts, string(a.Seat))
	}
	return booking.Digest(parts...)
}

// WaiterIDFor derives a place's name from who asks and his key.
func WaiterIDFor(b booking.Buyer, show catalog.ShowID, key string) line.WaiterID {
	return line.WaiterID("w_" + booking.Digest(string(b), string(show), key))
}

// numbering is how long a request to join waits for the lane to write the number.
var numbering = []time.Duration{
	60 * time.Millisecond, 120 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond,
	400 * time.Millisecond, 450 * time.Millisecond, 470 * time.Millisecond,
}

// Join puts the buyer at the end of the line, and waits a moment for his number;
// where the lane is slower he is told that he is joining. The same key and body
// give the same place, also after its end.
func (o *Office) Join(ctx context.Context, j Join) (Standing, error) {
	v, err := o.hallOf(ctx, j.Show)
	if err != nil {
		return Standing{}, err
	}
	wish := line.Join{ID: WaiterIDFor(j.Buyer, j.Show, j.Key), Show: j.Show, Buyer: j.Buyer, BodyHash: j.BodyHash, Party: j.Party, Types: j.Types}
	var w line.Waiter
	err = o.attempt(ctx, func(now time.Time) error {
		w, err = o.ask(ctx, v, wish, j.Solution, now)
		return err
	})
	if err != nil {
		return Standing{}, err
	}
	var st line.State
	for _, pause := range numbering {
		numbered := w.State != line.Asked && w.State != line.Entering
		landed := st.Version == 0 || w.State.Ended() || st.Places.Has(w.Number) // else who is ahead may lack some
		if numbered && landed {
			break
		}
		if err := o.Pause(ctx, pause); err != nil {
			break
		}
		if w, st, err = o.Lane.InLine(ctx, j.Show, w.ID); err != nil {
			return Standing{}, err
		}
	}
	if st.Version == 0 { // it was not read
		return o.standing(ctx, v, w.ID)
	}
	return o.told(ctx, v, w, st)
}

func (o *Office) hallOf(ctx context.Context, id catalog.ShowID) (sale, error) {
	show, err := o.Catalog.Show(ctx, id)
	if err != nil {
		return sale{}, err
	}
	l, err := o.Catalog.Layout(ctx, show.LayoutID)
	return sale{show: show, layout: l}, err
}

// ask is one attempt of T7, or its receipt.
func (o *Office) ask(ctx context.Context, s sale, j line.Join, solution string, now time.Time) (line.Waiter, error) {
	was, ok, place, err := o.Lane.Joining(ctx, j.Show, j.Buyer, j.ID)
	if err != nil {
		return line.Waiter{}, err
	}
	if ok {
		return was, was.Same(j)
	}
	if s.show.NoLine {
		return line.Waiter{}, ErrNoLine
	}
	s.req.Buyer = j.Buyer
	workedAt, err := o.worked(s, solution, j.Party, now)
	if err != nil {
		return line.Waiter{}, err
	}
	if place.Live != "" {
		return line.Waiter{}, o.stillWaiting(ctx, place.Live, now)
	}
	v := line.View{Place: place, Layout: s.layout, ClosesAt: o.lineCloses(s.show), OpensAt: s.show.SaleOpensAt}
	m, err := o.Store.Snapshot(ctx, j.Show)
	if err != nil {
		return line.Waiter{}, err
	}
	v.Unsold = unsoldBy(m)
	w, err := line.Ask(j, v, o.lineRule(s.show), now)
	if err != nil && !errors.Is(err, line.ErrCoolDown) && !errors.Is(err, booking.ErrSalesClosed) {
		return line.Waiter{}, err
	}
	free, ferr := o.enoughFree(ctx, s, m, j)
	if ferr != nil {
		return line.Waiter{}, ferr
	}
	if free {
		return line.Waiter{}, line.ErrSeatsFree
	}
	switch {
	case errors.Is(err, line.ErrCoolDown):
		return line.Waiter{}, &booking.Refusal{Reason: line.ErrCoolDown, Until: place.CoolUntil}
	case errors.Is(err, booking.ErrSalesClosed):
		no := &booking.Refusal{Reason: booking.ErrSalesClosed}
		if s.show.Sale(now) == catalog.SaleAhead {
			no.OpensAt = s.show.SaleOpensAt
		}
		return line.Waiter{}, no
	case err != nil:
		return line.Waiter{}, err
	}
	return w, o.Lane.Ask(ctx, w, s.keepUntil(), workedAt)
}

// stillWaiting refuses a second place, unless the first is past its end and only
// nobody has said so yet.
func (o *Office) stillWaiting(ctx context.Context, id line.WaiterID, now time.Time) error {
	w, err := o.Lane.Waiter(ctx, id)
	if err != nil {
		return err
	}
	over := w.Overdue(o.Line, now) || w.State != line.Offered && !now.Before(w.ExpiresAt)
	if w.State.Ended() {
		return errAgain
	}
	if !over {
		return line.ErrAlreadyWaiting
	}
	if err := o.RunLane(ctx, w.Show, Wake{Named: []line.WaiterID{id}}); err != nil {
		return err
	}
	return errAgain
}

func unsoldBy(m *Map) func(i int) bool {
	if m == nil {
		return nil
	}
	return func(i int) bool {
		st := m.Seats.Get(i)
		return st != seatmap.Sold && st != seatmap.Blocked
	}
}

// enoughFree confirms by the claims what the snapshot says: it is up to two seconds
// old, and in a rush nobody is to be sent back to a map with nothing on it.
func (o *Office) enoughFree(ctx context.Context, s sale, m *Map, j line.Join) (bool, error) {
	types, err := line.Types(s.layout, j.Types, j.Party)
	if err != nil {
		return false, err
	}
	gone := map[int]bool{}
	free := func(i int) bool { return !gone[i] && (m == nil || m.Seats.Get(i) == seatmap.Free) }
	for range 3 {
		seats, ok := line.Fit(s.layout, free, j.Party, types)
		if !ok {
			return false, nil
		}
		ks := make([]SeatKey, len(seats))
		for k, i := range seats {
			at := s.layout.At(i)
			ks[k] = SeatKey{Seat: at.ID, Block: s.layout.Block(at.Block).Name}
		}
		claims, err := o.Store.Claims(ctx, s.show.ID, ks)
		if err != nil {
			return false, err
		}
		if len(claims) == 0 {
			return true, nil
		}
		for k, i := range seats {
			if _, taken := claims[ks[k].Seat]; taken {
				gone[i] = true
			}
		}
	}
	return false, nil // he is offered at once what the lane finds free
}

// See shows a place to its owner. Where the line is unattended, or his own deadline
// is over, it moves the line first.
func (o *Office) See(ctx context.Context, b booking.Buyer, id line.WaiterID) (Standing, error) {
	st, err := o.see(ctx, b, id)
	if err != nil {
		return Standing{}, err
	}
	return o.explain(ctx, st)
}

// see is See without why he waits.
func (o *Office) see(ctx context.Context, b booking.Buyer, id line.WaiterID) (Standing, error) {
	w, err := o.place(ctx, b, id)
	if err != nil {
		return Standing{}, err
	}
	s, err := o.hallOf(ctx, w.Show)
	if err != nil {
		return Standing{}, err
	}
	w, st, err := o.Lane.InLine(ctx, w.Show, id)
	if err != nil {
		return Standing{}, err
	}
	if !w.State.Ended() {
		moved, err := o.tend(ctx, w, st)
		if err != nil {
			return Standing{}, err
		}
		if moved {
			return o.standing(ctx, s, id)
		}
	}
	return o.told(ctx, s, w, st)
}

// tend moves the line where somebody's own place shows that nobody does, and tells
// whether it may have.
func (o *Office) tend(ctx context.Context, w line.Waiter, st line.State) (bool, error) {
	now := o.Clock()
	over := w.Overdue(o.Line, now) || w.State != line.Offered && !now.Before(w.ExpiresAt)
	if over {
		return true, o.ignoreBusy(o.RunLane(ctx, w.Show, Wake{Named: []line.WaiterID{w.ID}}))
	}
	if w.State == line.Asked { // his message may be lost
		since := w.AskedAt.Add(2*time.Second - nudgeAfter) // a nudge two seconds after he asked
		if st.Seen.IsZero() || st.Seen.After(since) {
			st.Seen = since
		}
		return true, o.ignoreBusy(o.attend(ctx, w.Show, st, w.ID))
	}
	if now.Sub(st.Seen) < nudgeAfter {
		return false, nil
	}
	return true, o.ignoreBusy(o.attend(ctx, w.Show, st))
}

// ignoreBusy: another run is at work, which is as good.
func (o *Office) ignoreBusy(err error) error {
	if fault.Is(err, fault.Busy) {
		return nil
	}
	return err
}

// Await is See that answers when what it shows is another version than since, or
// when the time is over (A16's long poll). It reads two items about once a second.
func (o *Office) Await(ctx context.Context, b booking.Buyer, id line.WaiterID, since string, most time.Duration) (Standing, error) {
	until := o.Clock().Add(most)
	st, err := o.see(ctx, b, id)
	for err == nil && st.Version() == since && !st.Waiter.State.Ended() {
		left := until.Sub(o.Clock())
		if left <= 0 {
			break
		}
		if perr := o.Pause(ctx, min(left, lookEvery-o.jitter(lookEvery/4))); perr != nil {
			break
		}
		if st.due(o.Clock()) {
			st, err = o.see(ctx, b, id)
			continue
		}
		st, err = o.look(ctx, st)
	}
	if err != nil {
		return st, err
	}
	return o.explain(ctx, st)
}

// lookEvery is how often a long poll looks for a change.
const lookEvery = 800 * time.Millisecond

// due: his deadline is over, so that somebody is to move the line.
func (s Standing) due(now time.Time) bool {
	return s.Waiter.Overdue(s.Policy, now) || s.Waiter.State != line.Offered && !now.Before(s.Waiter.ExpiresAt)
}

// look is standing again after a while, without what changes nothing.
func (o *Office) look(ctx context.Context, was Standing) (Standing, error) {
	w, st, err := o.Lane.InLine(ctx, was.Waiter.Show, was.Waiter.ID)
	if err != nil {
		return was, err
	}
	if w.State == was.Waiter.State && w.State != line.Offered && st.Places.Ahead(w.Number) == was.Ahead {
		return was, o.watch(ctx, was, st)
	}
	s, err := o.hallOf(ctx, w.Show)
	if err != nil {
		return was, err
	}
	return o.told(ctx, s, w, st)
}

// watch looks after the line during a long poll. Who is nearer to the head does it
// more often, so that a long line does not do it all at once.
func (o *Office) watch(ctx context.Context, was Standing, st line.State) error {
	if was.Waiter.State != line.Waiting || o.Rand()%uint64(was.Ahead+1) != 0 {
		return nil
	}
	return o.ignoreBusy(o.attend(ctx, was.Waiter.Show, st))
}

// place finds a waiter of the buyer; somebody else's is not found.
func (o *Office) place(ctx context.Context, b booking.Buyer, id line.WaiterID) (line.Waiter, error) {
	w, err := o.Lane.Waiter(ctx, id)
	if err == nil && w.Buyer != b {
		err = line.ErrNotFound
	}
	return w, err
}

func (o *Office) standing(ctx context.Context, s sale, id line.WaiterID) (Standing, error) {
	w, st, err := o.Lane.InLine(ctx, s.show.ID, id)
	if err != nil {
		return Standing{}, err
	}
	return o.told(ctx, s, w, st)
}

// told is what a waiter is told who was read with the state of his line.
func (o *Office) told(ctx context.Context, s sale, w line.Waiter, st line.State) (v Standing, err error) {
	v = Standing{Waiter: w, Policy: o.lineRule(s.show)}
	switch w.State {
	case line.Waiting:
		v.Ahead = st.Places.Ahead(w.Number)
	case line.Offered:
		v.Ahead = st.Places.Ahead(w.Number)
		v.Choice, err = o.choice(ctx, s, w)
	}
	return v, err
}

// choice is what may be chosen with an offer: what is proposed, then whatever is
// set aside for nobody of its types, in layout order.
func (o *Office) choice(ctx context.Context, s sale, w line.Waiter) ([]line.Aside, error) {
	pool, err := o.Lane.Pool(ctx, s.show.ID)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(w.Offer.Seats)
	pool = slices.DeleteFunc(pool, func(a line.Aside) bool { return a.For != "" || !slices.Contains(w.Offer.Choice, a.Type) })
	index := func(a line.Aside) int { at, _ := s.layout.Seat(a.Seat); return at.Index }
	slices.SortFunc(pool, func(a, b line.Aside) int { return index(a) - index(b) })
	return append(all, pool...), nil
}

// explain adds who stands in the way, from a short stretch of the line's head.
func (o *Office) explain(ctx context.Context, v Standing) (Standing, error) {
	if v.Waiter.State != line.Waiting {
		return v, nil
	}
	st, err := o.Lane.LineHead(ctx, v.Waiter.Show)
	if err != nil {
		return Standing{}, err
	}
	if !slices.ContainsFunc(st.Waiters, func(w line.Waiter) bool { return w.ID == v.Waiter.ID }) {
		st.Waiters = append(st.Waiters, v.Waiter)
	}
	v.Why = line.Why(st, v.Waiter, v.Policy)
	return v, nil
}

// Choose is a buyer's answer to an offer.
type Choose struct {
	Buyer    booking.Buyer
	Waiter   line.WaiterID
	Key      string
	BodyHash string
	Seats    []seatmap.SeatID // none: what is proposed
}

// AcceptOffer turns an offer into a hold (T5). Repeated, it gives the same hold.
func (o *Office) AcceptOffer(ctx context.Context, c Choose) (booking.Hold, error) {
	w, err := o.place(ctx, c.Buyer, c.Waiter)
	if err != nil {
		return booking.Hold{}, err
	}
	s, err := o.hallOf(ctx, w.Show)
	if err != nil {
		return booking.Hold{}, err
	}
	var h booking.Hold
	err = o.attempt(ctx, func(now time.Time) error {
		if w.ID == "" {
			if w, err = o.place(ctx, c.Buyer, c.Waiter); err != nil {
				return err
			}
		}
		h, err = o.accept(ctx, s, c, w, now)
		w = line.Waiter{} // another attempt reads the truth
		return err
	})
	return h, err
}

// accept is one attempt of T5, or its receipt.
func (o *Office) accept(ctx context.Context, s sale, c Choose, w line.Waiter, now time.Time) (h booking.Hold, err error) {
	hash := booking.Digest(c.Key, c.BodyHash)
	if w.State == line.Accepted {
		h, err := o.Store.HoldByID(ctx, w.Hold)
		if errors.Is(err, booking.ErrHoldNotFound) {
			return h, errAgain // it lands with the waiter, but perhaps after him
		}
		if err == nil && h.BodyHash != hash {
			err = line.ErrNoOffer
			if booking.IDFor(c.Buyer, string(w.ID)+c.Key) == h.ID {
				err = booking.ErrOtherBody
			}
		}
		return h, err
	}
	a := line.Accepting{Seats: c.Seats, Hold: booking.IDFor(c.Buyer, string(w.ID)+c.Key), BodyHash: hash, Show: s.show, Layout: s.layout}
	if len(c.Seats) > 0 {
		if a.Pool, err = o.Lane.PoolSeats(ctx, w.Show, c.Seats[:min(len(c.Seats), o.Policy.MaxSeats)]); err != nil {
			return booking.Hold{}, err
		}
	}
	acc, err := line.Accept(w, a, o.Line, o.Policy, now)
	if err != nil {
		return booking.Hold{}, o.whoHas(ctx, s, c.Buyer, err)
	}
	err = o.Lane.Accept(ctx, acc, s.keepUntil())
	var full *Taken
	if !errors.As(err, &full) {
		return acc.Hold, err
	}
	ended, err := o.endOverdueOf(ctx, c.Buyer, w.Show)
	switch {
	case err != nil:
		return booking.Hold{}, err
	case ended:
		return booking.Hold{}, errAgain
	}
	return booking.Hold{}, &booking.Refusal{Reason: booking.ErrSeatLimit, Holding: full.Holding, Limit: o.Policy.MaxSeats}
}

// whoHas adds to a refused choice who has its seats. An overdue hold among them is
// ended, which may give the seats to the line.
func (o *Office) whoHas(ctx context.Context, s sale, b booking.Buyer, refused error) error {
	var no *booking.Refusal
	if !errors.As(refused, &no) || no.Reason != line.ErrNotYourSeat {
		return refused
	}
	wanted := booking.Hold{Buyer: b}
	for _, id := range no.Seats {
		if at, ok := s.layout.Seat(id); ok {
			wanted.Seats = append(wanted.Seats, booking.Seat{ID: id, Type: at.Type, Block: s.layout.Block(at.Block).Name})
		}
	}
	claims, err := o.Store.Claims(ctx, s.show.ID, keys(wanted.Seats))
	if err != nil {
		return err
	}
	cs, err := o.conflicts(ctx, s, wanted, sight{claims: claims})
	if err != nil {
		return err
	}
	told := *no
	told.Conflicts = cs
	return &told
}

// DeclineOffer refuses an offer (T6); who has done so before has done it.
func (o *Office) DeclineOffer(ctx context.Context, b booking.Buyer, id line.WaiterID) error {
	return o.giveUp(ctx, b, id, line.Decline)
}

// LeaveLine gives a place up, wherever in the line; a place that has ended stays
// as it ended.
func (o *Office) LeaveLine(ctx context.Context, b booking.Buyer, id line.WaiterID) error {
	return o.giveUp(ctx, b, id, line.Leave)
}

func (o *Office) giveUp(ctx context.Context, b booking.Buyer, id line.WaiterID, how func(line.Waiter, time.Time) (line.Leaving, error)) error {
	return o.attempt(ctx, func(now time.Time) error {
		w, err := o.place(ctx, b, id)
		if err != nil {
			return err
		}
		l, err := how(w, now)
		if errors.Is(err, line.ErrPlaceEnded) {
			return nil
		}
		if err != nil {
			return err
		}
		var next *line.Place
		if l.Refused {
			p, err := o.Lane.Place(ctx, w.Show, b)
			if err != nil {
				return err
			}
			p = p.Close(true, o.Line, now)
			next = &p
		}
		return o.Lane.Leave(ctx, l, next)
	})
}
