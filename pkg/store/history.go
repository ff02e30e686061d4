package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/history"
	"github.com/fairseat/fairseat/pkg/money"
	"github.com/fairseat/fairseat/pkg/order"
)

const (
	aStarts = "starts"
	aGone   = "gone"
)

const (
	buyerPrefix  = "BUYER#"
	byTimePrefix = "O#" // all of a buyer's orders
	statePrefix  = "S#" // those of a status
	ticketPrefix = "T#" // those with tickets, by the end of their show
)

// Histories keeps what buyers are shown of their orders: an entry that leads, under the
// time of the order, and copies of it under its status and, with tickets, under the end
// of its show. The leading entry's revision is the condition of all of them.
type Histories struct{ t Tables }

// NewHistories keeps them in the table History.
func NewHistories(t Tables) *Histories { return &Histories{t} }

func historyPK(b booking.Buyer) string { return buyerPrefix + string(b) }

// atTime sorts by time; times before 1970, and no time, come first.
func atTime(t time.Time) string {
	if t.IsZero() || t.UnixMilli() < 0 {
		return "0000000000000"
	}
	return fmt.Sprintf("%013d", t.UnixMilli())
}

func entrySK(id order.ID, made time.Time) string {
	return byTimePrefix + atTime(made) + "#" + string(id)
}

func statusPrefix(s order.Status) string { return statePrefix + string(s) + "#" }

// copies are the keys under which an entry lies beside its leading one.
func copies(e *history.Entry) (sks []string) {
	if e == nil || e.Gone {
		return nil
	}
	sks = append(sks, statusPrefix(e.Status)+atTime(e.MadeAt)+"#"+string(e.Order))
	if e.HasTickets() {
		sks = append(sks, ticketPrefix+atTime(e.EndsAt)+"#"+string(e.Order))
	}
	return sks
}

// Entry reads a buyer's leading entry of an order, strongly consistent.
func (s *Histories) Entry(ctx context.Context, b booking.Buyer, id order.ID, made time.Time) (*history.Entry, error) {
	it, err := s.t.Get(ctx, Key{History, historyPK(b), entrySK(id, made)}, true)
	if err != nil {
		return nil, fmt.Errorf("read entry of order %s: %w", id, err)
	}
	if it == nil {
		return nil, nil
	}
	e, err := historyFromItem(it)
	return &e, err
}

// Keep carries the moves out in one transaction, 2 write units for each leading entry
// and each copy that is written or taken away.
func (s *Histories) Keep(ctx context.Context, moves []history.Move) error {
	var ws []Write
	for _, m := range moves {
		pk, it := historyPK(m.Buyer), historyItem(m)
		var where Cond = Absent{}
		if m.Was != nil {
			where = Equal{aRev, m.Was.Rev}
		}
		ws = append(ws, Write{Key: Key{History, pk, entrySK(m.Next.Order, m.Next.MadeAt)}, Put: it, Where: where})
		now := map[string]bool{}
		for _, sk := range copies(&m.Next) {
			now[sk] = true
			ws = append(ws, Write{Key: Key{History, pk, sk}, Put: it})
		}
		for _, sk := range copies(m.Was) {
			if !now[sk] {
				ws = append(ws, Write{Key: Key{History, pk, sk}, Delete: true})
			}
		}
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// Orders lists a buyer's entries, the newest first.
func (s *Histories) Orders(ctx context.Context, b booking.Buyer, status order.Status, after string, most int) ([]history.Entry, string, error) {
	q := Query{Table: History, PK: historyPK(b), Prefix: byTimePrefix, Descending: true, Next: after}
	if status != "" {
		q.Prefix = statusPrefix(status)
	}
	return s.list(ctx, q, most)
}

// Tickets lists those with tickets: of shows that have not ended, the soonest first, or
// of those that have, the latest first.
func (s *Histories) Tickets(ctx context.Context, b booking.Buyer, when history.When, now time.Time, after string, most int) ([]history.Entry, string, error) {
	edge := ticketPrefix + atTime(now.Add(time.Millisecond)) // a show that ends now has ended
	q := Query{Table: History, PK: historyPK(b), From: edge, Before: ticketPrefix + ":", Next: after}
	if when == history.Past {
		q.From, q.Before, q.Descending = ticketPrefix, edge, true
	} else if after < edge { // it ended since the page before
		q.Next = ""
	}
	return s.list(ctx, q, most)
}

// list reads one more than is wanted, to know whether the list goes on.
func (s *Histories) list(ctx context.Context, q Query, most int) ([]history.Entry, string, error) {
	q.Limit = most + 1
	items, next, err := s.t.Query(ctx, q)
	if err != nil {
		return nil, "", fmt.Errorf("read history: %w", err)
	}
	if len(items) > most {
		items = items[:most]
		next, _ = items[most-1]["sk"].(string)
	}
	list := make([]history.Entry, len(items))
	for i, it := range items {
		if list[i], err = historyFromItem(it); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

func historyItem(m history.Move) Item {
	e := m.Next
	it := Item{aRev: e.Rev, aMade: e.MadeAt.UnixMilli(), aOrder: string(e.Order)}
	if !m.Until.IsZero() {
		it[aTTL] = m.Until.Unix()
	}
	if e.Gone {
		it[aGone] = true
		return it
	}
	it[aShow], it[aState], it[aAmount], it[aCurrency] = string(e.Show), string(e.Status), e.Total.Minor, e.Total.Currency
	it[aSeats] = Texts(e.Seats)
	setTime(it, aStarts, e.StartsAt)
	setTime(it, aEnds, e.EndsAt)
	return it
}

func historyFromItem(it Item) (history.Entry, error) {
	r := row{item: it}
	e := history.Entry{Order: order.ID(r.str(aOrder)), MadeAt: r.time(aMade), Rev: r.num(aRev), StartsAt: r.time(aStarts), EndsAt: r.time(aEnds)}
	if e.Gone, _ = it[aGone].(bool); e.Gone {
		return e, r.err
	}
	e.Show, e.Total = catalog.ShowID(r.str(aShow)), money.Amount{Minor: r.num(aAmount), Currency: r.str(aCurrency)}
	var err error
	if e.Status, err = order.ParseStatus(r.str(aState)); err != nil {
		r.fail(aState)
	}
	list, _ := it[aSeats].([]any)
	for _, v := range list {
		seat, _ := v.(string)
		e.Seats = append(e.Seats, seat)
	}
	return e, r.err
}

// OrderRecord reads an order as its table's stream shows it: as it became, and whose it
// was before, "" for a new one; ok is false for what is no order, or is gone.
func OrderRecord(was, is Item) (from booking.Buyer, o order.Order, ok bool, err error) {
	if pk, _ := is["pk"].(string); !strings.HasPrefix(pk, orderPrefix) {
		return "", o, false, nil
	}
	if o, err = orderFromItem(is); err != nil {
		return "", o, false, errors.Join(errors.New("store: an order of the stream cannot be read"), err)
	}
	before, _ := was[aBuyer].(string)
	return booking.Buyer(before), o, true, nil
}
