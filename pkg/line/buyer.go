package line

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Refusals, in the order in which Ask gives them.
var (
	ErrParty          = fault.New(fault.Invalid, "party_size", "a party is of one to ten")
	ErrUnknownType    = fault.New(fault.Invalid, "unknown_type", "the hall has no seats of this type")
	ErrAlreadyWaiting = fault.New(fault.Conflict, "already_waiting", "you wait for this show already")
	ErrInfeasible     = fault.New(fault.Conflict, "infeasible", "not so many of these seats can come free any more")
	ErrSeatsFree      = fault.New(fault.Conflict, "seats_free", "enough seats are free: choose on the map")
	ErrCoolDown       = fault.New(fault.Conflict, "cool_down", "two offers were declined or ran out: join again later")
)

// Refusals of who has a place.
var (
	ErrNotFound    = fault.New(fault.NotFound, "not_found", "there is no such place in line")
	ErrNoOffer     = fault.New(fault.Conflict, "no_offer", "there is no offer to answer")
	ErrPartySize   = fault.New(fault.Invalid, "party_size", "another number of seats than the party's")
	ErrPlaceEnded  = fault.New(fault.Conflict, "place_ended", "the place in line has ended")
	ErrNotYourSeat = fault.New(fault.Conflict, "seats_unavailable", "some of the seats are not free for this offer")
)

// Join is a wish to wait.
type Join struct {
	ID       WaiterID
	Show     catalog.ShowID
	Buyer    booking.Buyer
	BodyHash string
	Party    int
	Types    []seatmap.SeatType // empty: any that is sold to everybody
}

// View is what Ask needs to know of the show; Free and Unsold may come from a
// snapshot, for they only spare somebody a wait in vain: nil skips the question.
type View struct {
	Place    Place
	Layout   *seatmap.Layout
	Free     func(i int) bool // nobody has the seat
	Unsold   func(i int) bool // neither sold nor blocked
	OpensAt  time.Time        // of the sale; zero: long ago
	ClosesAt time.Time        // of the line; zero: never
}

// Ask is T7's decision: the waiter that the transaction writes if the place has no
// live waiter and no cool-down, and the waiter is absent.
func Ask(j Join, v View, p Policy, now time.Time) (Waiter, error) {
	if err := p.check(); err != nil {
		return Waiter{}, err
	}
	if j.Party < 1 || j.Party > p.MaxParty {
		return Waiter{}, ErrParty
	}
	types, err := Types(v.Layout, j.Types, j.Party)
	if err != nil {
		return Waiter{}, err
	}
	switch {
	case v.Place.Live != "":
		return Waiter{}, ErrAlreadyWaiting
	case !feasible(v.Layout, either(v.Unsold), j.Party, types):
		return Waiter{}, ErrInfeasible
	case v.Free != nil && feasible(v.Layout, v.Free, j.Party, types):
		return Waiter{}, ErrSeatsFree
	case now.Before(v.Place.CoolUntil):
		return Waiter{}, ErrCoolDown
	case now.Before(v.OpensAt), !v.ClosesAt.IsZero() && !now.Before(v.ClosesAt):
		return Waiter{}, booking.ErrSalesClosed
	}
	w := Waiter{
		ID: j.ID, Show: j.Show, Buyer: j.Buyer, State: Asked, Party: j.Party, Types: types,
		BodyHash: j.BodyHash, AskedAt: now, ExpiresAt: now.Add(p.Wait),
	}
	if !v.ClosesAt.IsZero() && v.ClosesAt.Before(w.ExpiresAt) {
		w.ExpiresAt = v.ClosesAt
	}
	return w, nil
}

// either: where nothing is known every seat of the hall may come free.
func either(unsold func(i int) bool) func(i int) bool {
	if unsold == nil {
		return func(int) bool { return true }
	}
	return unsold
}

// Types are what a party waits for, sorted. None wished means all that are sold to
// everybody. An odd party does not wait for loveseats beside other types, since no
// pair can be the last of its seats; who waits for a wheelchair's place with others
// waits for companions' places too.
func Types(l *seatmap.Layout, wished []seatmap.SeatType, party int) ([]seatmap.SeatType, error) {
	there := l.Types()
	for _, t := range wished {
		if !slices.Contains(there, t) {
			return nil, ErrUnknownType
		}
	}
	types := union(wished)
	if len(types) == 0 {
		types = union(without(there, []seatmap.SeatType{seatmap.Wheelchair, seatmap.Companion}))
	}
	if party%2 == 1 && len(types) > 1 {
		types = without(types, []seatmap.SeatType{seatmap.Loveseat})
	}
	if party > 1 && slices.Contains(types, seatmap.Wheelchair) && slices.Contains(there, seatmap.Companion) {
		types = union(types, []seatmap.SeatType{seatmap.Companion})
	}
	return types, nil
}

// Same reports whether two requests under one key are the same request; whose it was
// the id says, as for holds.
func (w Waiter) Same(j Join) error {
	if w.BodyHash != j.BodyHash {
		return booking.ErrOtherBody
	}
	return nil
}

// Acceptance is T5, decided. It stands under the conditions that the waiter is
// offered and its deadline with grace not past; that the allowance permits it; that
// each of Mine is still for it and each of Open for nobody; that the claims say
// LINE; that the hold is absent.
type Acceptance struct {
	Was    Waiter
	Waiter Waiter // accepted, with its hold
	Hold   booking.Hold
	Mine   []Aside // chosen from what was proposed
	Open   []Aside // chosen from what is set aside for nobody
	Back   []Aside // proposed and not chosen: for nobody again
}

// Accepting is a request to accept, with what was read for it.
type Accepting struct {
	Seats    []seatmap.SeatID // empty: what is proposed
	Pool     []Aside          // pool items of these seats; those of the offer need not be read
	BodyHash string           // of the request, with its key
	Holding  int              // seats that the buyer holds and owns in the show
	Hold     booking.HoldID   // of the hold to be made, derived from the waiter's
	Show     catalog.Show
	Layout   *seatmap.Layout
}

// Accept decides T5. Any open seat of the offer's choice types may be chosen
// instead of a proposed one; others are being collected for somebody ahead.
func Accept(w Waiter, a Accepting, p Policy, holds booking.Policy, now time.Time) (Acceptance, error) {
	if err := w.answerable(p, now); err != nil {
		return Acceptance{}, err
	}
	ids := a.Seats
	if len(ids) == 0 {
		for _, s := range w.Offer.Seats {
			ids = append(ids, s.Seat)
		}
	}
	if len(ids) != w.Party {
		return Acceptance{}, ErrPartySize
	}
	chosen, err := booking.Choose(a.Layout, ids, w.Party)
	if err != nil {
		return Acceptance{}, err
	}
	if a.Holding+w.Party > holds.MaxSeats {
		return Acceptance{}, &booking.Refusal{Reason: booking.ErrSeatLimit, Holding: a.Holding, Limit: holds.MaxSeats}
	}
	acc := Acceptance{Was: w}
	if acc.Mine, acc.Open, err = w.pick(ids, a.Pool); err != nil {
		return Acceptance{}, err
	}
	for _, s := range w.Offer.Seats {
		if !slices.Contains(ids, s.Seat) {
			acc.Back = append(acc.Back, s)
		}
	}
	req := booking.Request{ID: a.Hold, Buyer: w.Buyer, BodyHash: a.BodyHash}
	if acc.Hold, err = booking.Allot(req, a.Show, a.Layout, chosen, holds, now); err != nil {
		return Acceptance{}, err
	}
	acc.Waiter, _ = w.end(Accepted, now)
	acc.Waiter.Hold = acc.Hold.ID
	return acc, nil
}

// answerable: there is an offer and it stands, by the clock of who asks.
func (w Waiter) answerable(p Policy, now time.Time) error {
	switch {
	case w.State == Lapsed || w.Overdue(p, now):
		return booking.ErrHoldExpired
	case w.State != Offered:
		return ErrNoOffer
	}
	return nil
}

// pick sorts the chosen seats into those proposed and those open; any other names
// what cannot be had.
func (w Waiter) pick(ids []seatmap.SeatID, pool []Aside) (mine, open []Aside, err error) {
	var lost []seatmap.SeatID
	for _, id := range ids {
		is := func(a Aside) bool { return a.Seat == id }
		if i := slices.IndexFunc(w.Offer.Seats, is); i >= 0 {
			mine = append(mine, w.Offer.Seats[i])
			continue
		}
		i := slices.IndexFunc(pool, is)
		if i < 0 || pool[i].For != "" || !slices.Contains(w.Offer.Choice, pool[i].Type) {
			lost = append(lost, id)
			continue
		}
		open = append(open, pool[i])
	}
	if len(lost) > 0 {
		return nil, nil, &booking.Refusal{Reason: ErrNotYourSeat, Seats: lost}
	}
	return mine, open, nil
}

// Leaving is T6, decided; it stands on the condition that the waiter's state is as
// it was read.
type Leaving struct {
	Was     Waiter
	Waiter  Waiter
	Refused bool    // the place counts a lapse
	Back    []Aside // reserved for it: for nobody again
}

// Decline refuses an offer, be it overdue or not. Who has declined already is
// answered by ErrPlaceEnded: it is done.
func Decline(w Waiter, now time.Time) (Leaving, error) {
	switch {
	case w.State.Ended():
		return Leaving{}, ErrPlaceEnded
	case w.State != Offered:
		return Leaving{}, ErrNoOffer
	}
	return w.leave(Declined, now), nil
}

// Leave gives a place up, in any state. To walk away from an offer counts as to
// decline it, or the cool-down would bind only the polite.
func Leave(w Waiter, now time.Time) (Leaving, error) {
	if w.State.Ended() {
		return Leaving{}, ErrPlaceEnded
	}
	return w.leave(Left, now), nil
}

func (w Waiter) leave(to WaiterState, now time.Time) Leaving {
	next, back := w.end(to, now)
	return Leaving{Was: w, Waiter: next, Refused: w.State == Offered, Back: back}
}
