// Package hub holds the use cases of sockets: Issue, Connect, Receive, Close and
// Tell. Each loads what is known of a connection, lets package socket decide, and
// commits the decision on the condition that nothing has changed in between.
//
// Nothing here writes a fact of a sale. What it sends comes after a write, and who
// hears it reads the truth: a hint may be lost, come twice or be late.
//
// Start with [Hub], [Hub.Receive] and [Hub.Tell].
package hub

import (
	"context"
	"errors"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/socket"
)

// Store keeps tickets and connections. A write that meets another state than was
// read is [fault.Stale] and changes nothing; each is done whole or not at all.
type Store interface {
	Issue(ctx context.Context, t socket.Ticket) (socket.Ticket, error)
	Ticket(ctx context.Context, h socket.TicketHash) (socket.Ticket, error) // socket.ErrTicket
	Connect(ctx context.Context, h socket.TicketHash, c socket.Conn, now time.Time) error
	Conn(ctx context.Context, id socket.ConnID) (socket.Conn, error) // socket.ErrNoConn
	Save(ctx context.Context, was socket.Conn, o socket.Outcome, fresh socket.TicketHash, now time.Time) error
	Remove(ctx context.Context, c socket.Conn) error
	Forget(ctx context.Context, e socket.Entry) error
	OfBuyer(ctx context.Context, b booking.Buyer) ([]socket.Entry, error)
	Watchers(ctx context.Context, show catalog.ShowID, shard int) ([]socket.Entry, error)
	LitUntil(ctx context.Context, show catalog.ShowID) (time.Time, error)
	Light(ctx context.Context, show catalog.ShowID, until time.Time) error
	Pace(ctx context.Context, show catalog.ShowID, k socket.Kind) (socket.Pace, error)
	SavePace(ctx context.Context, show catalog.ShowID, k socket.Kind, was, next socket.Pace) error
}

// Truth is what a hint is held against before it is told.
type Truth interface {
	HoldByID(ctx context.Context, id booking.HoldID) (booking.Hold, error)
	FreshSnapshot(ctx context.Context, show catalog.ShowID) (*boxoffice.Map, error) // nil where there is none
}

// Line is the way to clients. Post fails with [socket.ErrGone] when the client is
// not there any more; Close of such a one is done.
type Line interface {
	Post(ctx context.Context, id socket.ConnID, w socket.Word) error
	Close(ctx context.Context, id socket.ConnID) error
}

// Hub is the use cases. The fields are set once, before use; those that a function
// does not need may stay nil.
type Hub struct {
	Store    Store
	Truth    Truth
	Line     Line
	Press    *socket.Press
	Clock    func() time.Time                                        // UTC, milliseconds
	Later    func(context.Context, socket.Hint, time.Duration) error // sends a hint to Tell again
	Pause    func(ctx context.Context, most time.Duration) error     // waits a random part of it, or fails with the context
	Parallel int                                                     // messages at once; 0 is one
}

// A client's burst may run all at once, and of those who change one connection at a
// time one gets through.
const (
	attempts  = 12                     // of one change that others change at the same time
	firstWait = 10 * time.Millisecond  // doubled for each, with full jitter,
	mostWait  = 160 * time.Millisecond // up to here
)

// again repeats a load-decide-commit that met another's, with the truth read anew.
func (h *Hub) again(ctx context.Context, f func() error) error {
	var err error
	for n := range attempts {
		if n > 0 {
			if perr := h.Pause(ctx, min(firstWait<<(n-1), mostWait)); perr != nil {
				return err
			}
		}
		err = f()
		switch fault.KindOf(err) {
		case fault.Stale, fault.Contended:
		default:
			return err
		}
	}
	return err
}

// Issue makes the ticket of a request, or gives the one that it made before.
func (h *Hub) Issue(ctx context.Context, b booking.Buyer, key string, ends, now time.Time) (string, socket.Ticket, error) {
	text := h.Press.Text(b, key)
	hash, _ := socket.HashOf(text)
	t, err := h.Store.Issue(ctx, socket.NewTicket(hash, b, ends, now))
	return text, t, err
}

// Connect opens the socket that the ticket allows.
func (h *Hub) Connect(ctx context.Context, id socket.ConnID, text string) error {
	hash, ok := socket.HashOf(text)
	if !ok {
		return socket.ErrTicket
	}
	var c socket.Conn
	err := h.again(ctx, func() error {
		t, err := h.Store.Ticket(ctx, hash)
		if err != nil {
			return err
		}
		now := h.Clock()
		if c, err = socket.Open(t, id, now); err != nil {
			return err
		}
		return h.Store.Connect(ctx, hash, c, now)
	})
	if err != nil {
		return err
	}
	return h.makeRoom(ctx, c)
}

// makeRoom takes the buyer's oldest sockets out of the lists. They are not told,
// and closed when they speak or by the gateway; this function may not close them.
func (h *Hub) makeRoom(ctx context.Context, c socket.Conn) error {
	open, err := h.Store.OfBuyer(ctx, c.Buyer)
	if err != nil {
		return err
	}
	others := open[:0]
	for _, e := range open {
		if e.ID != c.ID {
			others = append(others, e)
		}
	}
	for _, e := range socket.MakeRoom(others, h.Clock()) {
		if err := h.remove(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Close forgets a connection that has ended. Nobody may ever say so: every list
// has an end of its own.
func (h *Hub) Close(ctx context.Context, id socket.ConnID) error {
	return h.remove(ctx, socket.Entry{ID: id})
}

// remove takes a connection out of every list, and the entry that led to it even
// where the connection is not known any more.
func (h *Hub) remove(ctx context.Context, e socket.Entry) error {
	err := h.again(ctx, func() error {
		c, err := h.Store.Conn(ctx, e.ID)
		if err != nil {
			return err
		}
		return h.Store.Remove(ctx, c)
	})
	if errors.Is(err, socket.ErrNoConn) {
		if e.Buyer == "" && e.Show == "" {
			return nil
		}
		return h.Store.Forget(ctx, e)
	}
	return err
}

// Receive answers a message of a client. What he does wrong is told to him and
// counted; it is no error.
func (h *Hub) Receive(ctx context.Context, id socket.ConnID, body string) error {
	r, wrong := socket.Parse(body)
	var o socket.Outcome
	err := h.again(ctx, func() error {
		c, err := h.Store.Conn(ctx, id)
		if err != nil {
			return err
		}
		fresh, err := h.fresh(ctx, r)
		if err != nil {
			return err
		}
		now := h.Clock()
		o = c.Take(r, wrong, fresh, now)
		if o.Close {
			return h.Store.Remove(ctx, c)
		}
		return h.Store.Save(ctx, c, o, r.Ticket, now)
	})
	if errors.Is(err, socket.ErrNoConn) { // it made room, or its time is over
		return h.Line.Close(ctx, id)
	}
	if err != nil {
		return err
	}
	if o.Watch != "" {
		if o.Reply, err = h.welcome(ctx, o); err != nil {
			return err
		}
	}
	return h.answer(ctx, id, o)
}

// fresh reads the ticket of an authorize; nil where there is none.
func (h *Hub) fresh(ctx context.Context, r socket.Request) (*socket.Ticket, error) {
	if r.Ticket == "" {
		return nil, nil
	}
	t, err := h.Store.Ticket(ctx, r.Ticket)
	if errors.Is(err, socket.ErrTicket) {
		return nil, nil
	}
	return &t, err
}

// welcome tells who begins to watch which map is the newest, so that no change
// falls between his own read and the watch. It is read after the watch is there.
func (h *Hub) welcome(ctx context.Context, o socket.Outcome) (socket.Word, error) {
	err := h.again(ctx, func() error {
		lit, err := h.Store.LitUntil(ctx, o.Watch)
		if err != nil || !lit.Before(o.Next.Until) {
			return err
		}
		return h.Store.Light(ctx, o.Watch, h.Clock().Add(socket.Litness))
	})
	if err != nil {
		return "", err
	}
	hint, err := h.versioned(ctx, socket.Hint{Kind: socket.SeatmapChanged, Show: o.Watch})
	return hint.Word(h.Clock()), err
}

func (h *Hub) answer(ctx context.Context, id socket.ConnID, o socket.Outcome) error {
	var err error
	if o.Reply != "" {
		err = h.Line.Post(ctx, id, o.Reply)
	}
	switch {
	case o.Close:
		return h.Line.Close(ctx, id)
	case errors.Is(err, socket.ErrGone):
		return h.remove(ctx, socket.Entry{ID: id})
	}
	return err
}
