package history

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/order"
)

// Store keeps the entries. Keep carries out all moves or none; Stale when an entry is
// not what its move says it was. The lists may be a second old: they give at most
// so many entries after a place in the list ("" for the first) and the place of the
// last, "" at the end.
type Store interface {
	Entry(ctx context.Context, b booking.Buyer, id order.ID, made time.Time) (*Entry, error) // nil where there is none; strongly consistent
	Keep(ctx context.Context, moves []Move) error
	Orders(ctx context.Context, b booking.Buyer, status order.Status, after string, most int) ([]Entry, string, error)                     // newest first; status "" is all
	Tickets(ctx context.Context, b booking.Buyer, when When, now time.Time, after string, most int) (list []Entry, next string, err error) // soonest first, past ones latest first
}

// Shows is what the book asks of the catalogue.
type Shows interface {
	Show(ctx context.Context, id catalog.ShowID) (catalog.Show, error)
}

// When parts a buyer's tickets by the end of their show. The zero value is invalid.
type When uint8

const (
	_        When = iota
	Upcoming      // the show has not ended
	Past
)

// Book keeps the histories of all buyers. What a function does not need may stay nil.
type Book struct {
	Store Store
	Shows Shows
	Clock func() time.Time
}

// Record follows one record of an order's stream: o as it became, from whose it was
// before, "" for a new one. It may come twice and late. That another run was faster
// is Stale, and the record comes again.
func (k *Book) Record(ctx context.Context, from booking.Buyer, o order.Order) error {
	show, err := k.Shows.Show(ctx, catalog.ShowID(o.ShowID))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("history: order %s: %w", o.ID, err)
	}
	was, err := k.Store.Entry(ctx, booking.Buyer(o.Buyer), o.ID, o.CreatedAt)
	if err != nil {
		return err
	}
	var there *Entry
	if from != "" && from != booking.Buyer(o.Buyer) {
		if there, err = k.Store.Entry(ctx, from, o.ID, o.CreatedAt); err != nil {
			return err
		}
	}
	moves := Follow(o, show, was, from, there)
	if len(moves) == 0 {
		return nil
	}
	return k.Store.Keep(ctx, moves)
}

// Orders lists a buyer's orders, the newest first; status "" is all.
func (k *Book) Orders(ctx context.Context, b booking.Buyer, status order.Status, p catalog.Page) (catalog.Listing[Entry], error) {
	return page("orders\x00"+string(b)+"\x00"+string(status), p, func(after string, most int) ([]Entry, string, error) {
		return k.Store.Orders(ctx, b, status, after, most)
	})
}

// Tickets lists a buyer's paid orders by the time of their shows.
func (k *Book) Tickets(ctx context.Context, b booking.Buyer, when When, p catalog.Page) (catalog.Listing[Entry], error) {
	now := k.Clock()
	return page(fmt.Sprint("tickets\x00", b, "\x00", when), p, func(after string, most int) ([]Entry, string, error) {
		return k.Store.Tickets(ctx, b, when, now, after, most)
	})
}

// page asks for parts of a list until it has a page of what is still the buyer's.
func page(list string, p catalog.Page, part func(after string, most int) ([]Entry, string, error)) (catalog.Listing[Entry], error) {
	var l catalog.Listing[Entry]
	after := ""
	if p.Cursor != "" {
		var err error
		if after, err = catalog.ParseCursor(list, p.Cursor); err != nil {
			return l, err
		}
	}
	for len(l.Items) < p.Limit {
		some, next, err := part(after, p.Limit-len(l.Items))
		if err != nil {
			return catalog.Listing[Entry]{}, err
		}
		for _, e := range some {
			if !e.Gone {
				l.Items = append(l.Items, e)
			}
		}
		if after = next; after == "" {
			return l, nil
		}
	}
	l.Next = catalog.Cursor(list, after)
	return l, nil
}

// lately is how many of a buyer's orders Lately tells of, the newest: more than anybody
// makes in the day that a guest is one.
const lately = 500

// Lately are a buyer's orders, the newest first.
func (k *Book) Lately(ctx context.Context, b booking.Buyer) ([]order.ID, error) {
	var ids []order.ID
	after := ""
	for len(ids) < lately {
		some, next, err := k.Store.Orders(ctx, b, "", after, catalog.MaxLimit)
		if err != nil {
			return nil, err
		}
		for _, e := range some {
			if !e.Gone {
				ids = append(ids, e.Order)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	return ids, nil
}
