package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// Attribute names are short where an item must stay below one kilobyte: a hold
// of ten seats costs one write unit, doubled by the transaction.
const (
	aState    = "state"
	aRev      = "rev"
	aExpires  = "exp" // milliseconds since 1970
	aTTL      = "ttl" // seconds since 1970
	aOwner    = "owner"
	aCount    = "n"
	aHolds    = "holds" // ids of the living
	aWanted   = "wanted"
	aShow     = "show"
	aBuyer    = "buyer"
	aSeats    = "seats"
	aCurrency = "cur"
	aHash     = "hash"
	aOrder    = "ord"
	aPayment  = "pay"
	aMade     = "made"
	aEnded    = "ended"
	aType     = "type"
	aBlock    = "block"
	aKind     = "kind"
	aFor      = "for"
	aSetAside = "aside"
	aContacts = "con"
	aDrops    = "drops"   // holds that a buyer let go
	aDropped  = "dropped" // when the last one, milliseconds since 1970
	aWorked   = "worked"  // when the last challenge was made that he solved and used, the same
)

// row reads attributes and remembers the first that was not as expected: an
// unknown state on load is an error, not a guess.
type row struct {
	item Item
	err  error
}

func (r *row) str(attr string) string {
	v, ok := r.item[attr].(string)
	if !ok {
		r.fail(attr)
	}
	return v
}

func (r *row) optional(attr string) string {
	v, _ := r.item[attr].(string)
	return v
}

func (r *row) num(attr string) int64 {
	v, ok := r.item[attr].(int64)
	if !ok {
		r.fail(attr)
	}
	return v
}

func (r *row) time(attr string) time.Time {
	v, ok := r.item[attr].(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(v).UTC()
}

func (r *row) fail(attr string) {
	if r.err == nil {
		r.err = fmt.Errorf("store: item %v %v: attribute %q is absent or of another form", r.item["pk"], r.item["sk"], attr)
	}
}

func holdItem(h booking.Hold) Item {
	it := make(Item, 15) // all that follow
	it[aState], it[aRev], it[aShow], it[aBuyer] = h.State.String(), h.Rev, string(h.Show), string(h.Buyer)
	it[aSeats], it[aHash], it[aMade] = seatsValue(h.Seats), h.BodyHash, h.MadeAt.UnixMilli()
	if len(h.Seats) > 0 {
		it[aCurrency] = h.Seats[0].Price.Currency
	}
	if !h.ExpiresAt.IsZero() {
		it[aExpires] = h.ExpiresAt.UnixMilli()
	}
	if h.OrderID != "" {
		it[aOrder] = h.OrderID
	}
	if h.PaymentID != "" {
		it[aPayment] = h.PaymentID
	}
	if !h.EndedAt.IsZero() {
		it[aEnded] = h.EndedAt.UnixMilli()
		it[aTTL] = h.EndedAt.Add(booking.Receipt).Unix()
	}
	if len(h.Contacts) > 0 {
		names := make(Texts, len(h.Contacts))
		for i, c := range h.Contacts {
			names[i] = string(c)
		}
		it[aContacts] = names
	}
	if h.Aside > 0 {
		it[aSetAside] = int64(h.Aside)
	}
	return it
}

// HoldFromItem reads a hold as the table and its stream show it.
func HoldFromItem(it Item) (booking.Hold, error) {
	r := row{item: it}
	h := booking.Hold{
		ID: booking.HoldID(strings.TrimPrefix(r.str("pk"), holdPrefix)), Show: catalog.ShowID(r.str(aShow)),
		Buyer: booking.Buyer(r.str(aBuyer)), Rev: r.num(aRev), BodyHash: r.optional(aHash),
		OrderID: r.optional(aOrder), PaymentID: r.optional(aPayment),
		ExpiresAt: r.time(aExpires), MadeAt: r.time(aMade), EndedAt: r.time(aEnded),
	}
	var ok bool
	if h.State, ok = booking.ParseState(r.str(aState)); !ok {
		r.fail(aState)
	}
	aside, _ := it[aSetAside].(int64)
	h.Aside = int(aside)
	h.Seats = r.seats()
	contacts, _ := it[aContacts].([]any)
	for _, v := range contacts {
		c, ok := v.(string)
		if !ok {
			r.fail(aContacts)
		}
		h.Contacts = append(h.Contacts, booking.Contact(c))
	}
	return h, r.err
}

// A seat is one string, "C-7|regular|0|1499": id, type, block and price in minor
// units. As a map of attributes ten seats would not fit a kilobyte.
func seatsValue(seats []booking.Seat) Texts {
	var room [512]byte
	text := room[:0]
	for _, s := range seats {
		text = append(append(text, s.ID...), '|')
		text = append(append(text, s.Type...), '|')
		text = append(append(text, s.Block...), '|')
		text = append(strconv.AppendInt(text, s.Price.Minor, 10), '\n')
	}
	l, rest := make(Texts, len(seats)), string(text)
	for i := range l {
		l[i], rest, _ = strings.Cut(rest, "\n")
	}
	return l
}

func (r *row) seats() []booking.Seat {
	list, ok := r.item[aSeats].([]any)
	if !ok || len(list) == 0 {
		r.fail(aSeats)
		return nil
	}
	currency := r.str(aCurrency)
	seats := make([]booking.Seat, 0, len(list))
	for _, v := range list {
		text, _ := v.(string)
		parts := strings.Split(text, "|")
		if len(parts) != 4 {
			r.fail(aSeats)
			return nil
		}
		minor, err := strconv.ParseInt(parts[3], 10, 64)
		if err != nil {
			r.fail(aSeats)
			return nil
		}
		seats = append(seats, booking.Seat{
			ID: seatmap.SeatID(parts[0]), Type: seatmap.SeatType(parts[1]), Block: parts[2],
			Price: money.Amount{Minor: minor, Currency: currency},
		})
	}
	return seats
}

func ownerOf(it Item) (boxoffice.Owner, error) {
	r := row{item: it}
	o := r.str(aOwner)
	switch {
	case o == lineOwner:
		return boxoffice.Owner{}, r.err
	case strings.HasPrefix(o, houseOwner):
		return boxoffice.Owner{Hold: booking.HoldID(strings.TrimPrefix(o, houseOwner)), House: true}, r.err
	}
	return boxoffice.Owner{Hold: booking.HoldID(o)}, r.err
}

// claimOwner is what the hold's claims say.
func claimOwner(h booking.Hold) string {
	if h.Buyer == booking.House {
		return houseOwner + string(h.ID)
	}
	return string(h.ID)
}

// TimerFromItem reads a deadline as the table and its stream show it.
func TimerFromItem(it Item) (boxoffice.Timer, error) {
	r := row{item: it}
	ms, id, ok := strings.Cut(r.str("sk"), "#")
	n, err := strconv.ParseInt(ms, 10, 64)
	if !ok || err != nil {
		r.fail("sk")
	}
	t := boxoffice.Timer{ExpiresAt: time.UnixMilli(n).UTC()}
	pk := r.str("pk")
	if list, waits := strings.CutPrefix(pk, waitTimers); waits {
		t.Waiter = line.WaiterID(id)
		t.Show = catalog.ShowID(list[:max(strings.LastIndexByte(list, '#'), 0)])
		return t, r.err
	}
	t.Hold = booking.HoldID(id)
	return t, r.err
}

// IsHold tells a hold's item from those of other streams.
func IsHold(it Item) bool {
	pk, _ := it["pk"].(string)
	return strings.HasPrefix(pk, holdPrefix)
}
