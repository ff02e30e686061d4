package relay

import (
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
)

// ErrHint is a hint without an audience that may hear it.
var ErrHint = fault.New(fault.Internal, "", "relay: a hint that nobody may hear")

// OfHoldTold is what the hold's buyer is told: a minute before its end, of its end,
// and of its sale. Of what he gave back himself he needs no word.
func OfHoldTold(r Record, now time.Time) ([]Message, error) {
	if r.New == nil {
		return nil, nil
	}
	h, err := store.HoldFromItem(r.New)
	if err != nil {
		return nil, err
	}
	var was booking.State
	if r.Old != nil {
		old, err := store.HoldFromItem(r.Old)
		if err != nil {
			return nil, err
		}
		was = old.State
	}
	hint := socket.Hint{Show: h.Show, Buyer: h.Buyer, Hold: h.ID, Version: h.Rev}
	switch {
	case h.State == was:
		return nil, nil
	case h.State == booking.Held:
		hint.Kind = socket.HoldExpiring
		return toTell(hint, delay(h.ExpiresAt.Add(-socket.Expiring), now))
	case h.State == booking.Expired:
		hint.Kind = socket.HoldExpired
	case h.State == booking.Sold:
		hint.Kind = socket.HoldSold
	default:
		return nil, nil
	}
	return toTell(hint, 0)
}

// Tell is a hint to the buyer, or to all who watch the show where there is none.
func Tell(show catalog.ShowID, buyer booking.Buyer, kind socket.Kind, version int64, waiter line.WaiterID) (Message, error) {
	ms, err := toTell(socket.Hint{Kind: kind, Show: show, Buyer: buyer, Version: version, Waiter: waiter}, 0)
	if err != nil {
		return Message{}, err
	}
	return ms[0], nil
}

// TellLater is a hint that was put off.
func TellLater(h socket.Hint, wait time.Duration) (Message, error) {
	ms, err := toTell(h, delay(time.Time{}.Add(wait), time.Time{}))
	if err != nil {
		return Message{}, err
	}
	return ms[0], nil
}

func toTell(h socket.Hint, wait time.Duration) ([]Message, error) {
	if !h.Valid() {
		return nil, ErrHint
	}
	return one(Message{Queue: Hints, Delay: wait}, h)
}
