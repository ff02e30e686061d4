package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/socket"
)

const (
	aEnds   = "ends"
	aUsed   = "used"
	aUntil  = "until"
	aShows  = "shows"
	aSpent  = "spent"
	aErrors = "errs"
	aOpened = "open"
	aAt     = "at"
	aPutOff = "off"
)

const (
	skTicket   = "TICKET"
	skConn     = "CONN"
	skLit      = "LIT"
	connPrefix = "CONN#"
)

func ticketKey(h socket.TicketHash) Key { return Key{Sockets, "TICKET#" + string(h), skTicket} }

func connKey(id socket.ConnID) Key { return Key{Sockets, connPrefix + string(id), skConn} }

func socketsPK(b booking.Buyer) string { return "BUYER#" + string(b) }

func buyerKey(b booking.Buyer, id socket.ConnID) Key {
	return Key{Sockets, socketsPK(b), connPrefix + string(id)}
}

// watchersPK spreads a show's watchers: ten thousand come in a few seconds, and one
// partition takes a thousand writes a second.
func watchersPK(show catalog.ShowID, shard int) string {
	return "WATCH#" + string(show) + "#" + strconv.Itoa(shard)
}

func watchKey(show catalog.ShowID, id socket.ConnID) Key {
	h := fnv.New32a()
	h.Write([]byte(id))
	return Key{Sockets, watchersPK(show, int(h.Sum32()%boxoffice.Shards)), connPrefix + string(id)}
}

func litKey(show catalog.ShowID) Key { return Key{Sockets, "WATCH#" + string(show), skLit} }

func paceKey(show catalog.ShowID, k socket.Kind) Key {
	return Key{Sockets, "PACE#" + string(show), string(k)}
}

// Switchboard keeps tickets, connections and lists of them. What it holds may be
// lost: clients connect anew.
type Switchboard struct{ t Tables }

// NewSwitchboard keeps them in the table Sockets.
func NewSwitchboard(t Tables) *Switchboard { return &Switchboard{t} }

// Issue keeps a new ticket, or finds the one that the same request made before.
func (s *Switchboard) Issue(ctx context.Context, t socket.Ticket) (socket.Ticket, error) {
	err := s.t.Transact(ctx, []Write{{Key: ticketKey(t.Hash), Where: Absent{}, Put: Item{
		aBuyer: string(t.Buyer), aEnds: t.Ends.UnixMilli(), aMade: t.MadeAt.UnixMilli(), aExpires: t.ExpiresAt.UnixMilli(),
		aTTL: t.MadeAt.Add(socket.Receipt).Unix(),
	}}}, "")
	var c *Canceled
	if errors.As(err, &c) && c.Has(ReasonCondition) {
		return ticketOf(t.Hash, c.Reasons[0].Old)
	}
	return t, classify(err)
}

// Ticket reads one, strongly consistent.
func (s *Switchboard) Ticket(ctx context.Context, h socket.TicketHash) (socket.Ticket, error) {
	it, err := s.t.Get(ctx, ticketKey(h), true)
	if err != nil {
		return socket.Ticket{}, fmt.Errorf("read socket ticket: %w", err)
	}
	if it == nil {
		return socket.Ticket{}, socket.ErrTicket
	}
	return ticketOf(h, it)
}

func ticketOf(h socket.TicketHash, it Item) (socket.Ticket, error) {
	r := row{item: it}
	t := socket.Ticket{
		Hash: h, Buyer: booking.Buyer(r.str(aBuyer)), Ends: ms(r.num(aEnds)), MadeAt: ms(r.num(aMade)), ExpiresAt: ms(r.num(aExpires)),
	}
	t.Used, _ = it[aUsed].(bool)
	if r.err != nil { // it names the item by its key, which holds the ticket's hash
		return socket.Ticket{}, errors.New("store: a socket ticket cannot be read")
	}
	return t, nil
}

func ms(n int64) time.Time { return time.UnixMilli(n).UTC() }

// use is a ticket's only use.
func use(h socket.TicketHash, now time.Time) Write {
	return Write{
		Key: ticketKey(h), Update: []Change{{Attr: aUsed, Op: SetTo, To: true}},
		Where: All{Exists{}, NoAttr{aUsed}, AtLeast{aExpires, now.UnixMilli() + 1}},
	}
}

// Connect uses the ticket up and keeps its connection, or neither: of two who come
// with one ticket, one is [ErrStale].
func (s *Switchboard) Connect(ctx context.Context, h socket.TicketHash, c socket.Conn, now time.Time) error {
	return classify(s.t.Transact(ctx, []Write{
		use(h, now),
		{Key: connKey(c.ID), Put: connItem(c), Where: Absent{}},
		{Key: buyerKey(c.Buyer, c.ID), Put: entryItem(c)},
	}, ""))
}

func connItem(c socket.Conn) Item {
	shows := make(Texts, len(c.Shows))
	for i, show := range c.Shows {
		shows[i] = string(show)
	}
	return Item{
		aBuyer: string(c.Buyer), aOpened: c.OpenedAt.UnixMilli(), aUntil: c.Until.UnixMilli(), aShows: shows,
		aSpent: c.Spent.UnixMilli(), aErrors: int64(c.Errors), aRev: c.Rev, aTTL: ttlOf(c),
	}
}

// ttlOf lies behind the connection's time, so that who closes it finds its lists.
func ttlOf(c socket.Conn) int64 { return c.Until.Add(time.Hour).Unix() }

func entryItem(c socket.Conn) Item {
	return Item{aOpened: c.OpenedAt.UnixMilli(), aUntil: c.Until.UnixMilli(), aTTL: ttlOf(c)}
}

// Conn reads a connection, strongly consistent.
func (s *Switchboard) Conn(ctx context.Context, id socket.ConnID) (socket.Conn, error) {
	return one(ctx, s.t, connKey(id), func(it Item) (socket.Conn, error) {
		r := row{item: it}
		c := socket.Conn{
			ID: id, Buyer: booking.Buyer(r.str(aBuyer)), OpenedAt: ms(r.num(aOpened)), Until: ms(r.num(aUntil)),
			Spent: ms(r.num(aSpent)), Errors: int(r.num(aErrors)), Rev: r.num(aRev),
		}
		shows, ok := it[aShows].([]any)
		if !ok {
			r.fail(aShows)
		}
		for _, v := range shows {
			show, _ := v.(string)
			c.Shows = append(c.Shows, catalog.ShowID(show))
		}
		return c, r.err
	}, socket.ErrNoConn)
}

// Save carries out what a message decided, on the connection as it was read; fresh
// is the ticket that extends it.
func (s *Switchboard) Save(ctx context.Context, was socket.Conn, o socket.Outcome, fresh socket.TicketHash, now time.Time) error {
	c := o.Next
	ws := []Write{{Key: connKey(c.ID), Put: connItem(c), Where: Equal{aRev, was.Rev}}}
	if o.Extend {
		ws = append(ws, use(fresh, now), Write{Key: buyerKey(c.Buyer, c.ID), Put: entryItem(c)})
		for _, show := range c.Shows {
			ws = append(ws, Write{Key: watchKey(show, c.ID), Put: entryItem(c)})
		}
	}
	if o.Watch != "" {
		ws = append(ws, Write{Key: watchKey(o.Watch, c.ID), Put: entryItem(c)})
	}
	if o.Unwatch != "" {
		ws = append(ws, Write{Key: watchKey(o.Unwatch, c.ID), Delete: true})
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// Remove takes a connection out of every list.
func (s *Switchboard) Remove(ctx context.Context, c socket.Conn) error {
	ws := []Write{
		{Key: connKey(c.ID), Delete: true, Where: Equal{aRev, c.Rev}},
		{Key: buyerKey(c.Buyer, c.ID), Delete: true},
	}
	for _, show := range c.Shows {
		ws = append(ws, Write{Key: watchKey(show, c.ID), Delete: true})
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// Forget takes a line out of its list whose connection is there no more.
func (s *Switchboard) Forget(ctx context.Context, e socket.Entry) error {
	k := buyerKey(e.Buyer, e.ID)
	if e.Buyer == "" {
		k = watchKey(e.Show, e.ID)
	}
	return classify(s.t.Transact(ctx, []Write{{Key: k, Delete: true}}, ""))
}

// OfBuyer lists a buyer's sockets, strongly consistent.
func (s *Switchboard) OfBuyer(ctx context.Context, b booking.Buyer) ([]socket.Entry, error) {
	all, err := s.entries(ctx, socketsPK(b))
	for i := range all {
		all[i].Buyer = b
	}
	return all, err
}

// Watchers lists the sockets of one shard of a show, strongly consistent: who began
// to watch before the show changed must hear of the change.
func (s *Switchboard) Watchers(ctx context.Context, show catalog.ShowID, shard int) ([]socket.Entry, error) {
	all, err := s.entries(ctx, watchersPK(show, shard))
	for i := range all {
		all[i].Show = show
	}
	return all, err
}

func (s *Switchboard) entries(ctx context.Context, pk string) ([]socket.Entry, error) {
	var all []socket.Entry
	err := (&Store{t: s.t}).each(ctx, Query{Table: Sockets, PK: pk, Prefix: connPrefix, Consistent: true}, func(it Item) error {
		r := row{item: it}
		all = append(all, socket.Entry{
			ID: socket.ConnID(strings.TrimPrefix(r.str("sk"), connPrefix)), OpenedAt: ms(r.num(aOpened)), Until: ms(r.num(aUntil)),
		})
		return r.err
	})
	if err != nil {
		return nil, fmt.Errorf("read sockets of %s: %w", pk, err)
	}
	return slices.Clip(all), nil
}

// LitUntil tells until when somebody may be watching the show; zero if nobody.
func (s *Switchboard) LitUntil(ctx context.Context, show catalog.ShowID) (time.Time, error) {
	it, err := s.t.Get(ctx, litKey(show), true)
	if err != nil {
		return time.Time{}, fmt.Errorf("read watch of %s: %w", show, err)
	}
	r := row{item: it}
	return r.time(aUntil), nil
}

// Light says until when somebody may be watching the show. Of several who say so
// at once any may win: they say nearly the same.
func (s *Switchboard) Light(ctx context.Context, show catalog.ShowID, until time.Time) error {
	it := Item{aUntil: until.UnixMilli(), aTTL: until.Add(time.Hour).Unix()}
	return classify(s.t.Transact(ctx, []Write{{Key: litKey(show), Put: it}}, ""))
}

// Pace reads when a show's watchers were told of a kind; zero if never.
func (s *Switchboard) Pace(ctx context.Context, show catalog.ShowID, k socket.Kind) (socket.Pace, error) {
	it, err := s.t.Get(ctx, paceKey(show, k), true)
	if err != nil || it == nil {
		return socket.Pace{}, err
	}
	r := row{item: it}
	p := socket.Pace{At: r.time(aAt), Version: r.num(aVersion), Rev: r.num(aRev)}
	p.PutOff, _ = it[aPutOff].(bool)
	return p, r.err
}

// SavePace replaces the pace as it was read.
func (s *Switchboard) SavePace(ctx context.Context, show catalog.ShowID, k socket.Kind, was, next socket.Pace) error {
	var where Cond = Absent{}
	if was.Rev != 0 {
		where = Equal{aRev, was.Rev}
	}
	it := Item{aAt: next.At.UnixMilli(), aVersion: next.Version, aPutOff: next.PutOff, aRev: next.Rev, aTTL: next.At.Add(time.Hour).Unix()}
	return classify(s.t.Transact(ctx, []Write{{Key: paceKey(show, k), Put: it, Where: where}}, ""))
}
