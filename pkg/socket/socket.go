// Package socket decides what may happen on a WebSocket: who may open one, what a
// client may ask for and how often, and when those who watch a show are told.
//
// A socket carries hints and no facts: who hears one reads the truth over HTTPS,
// and a lost socket changes nothing (A16). Hence nothing here guards a seat; it
// guards the service against those who listen.
//
// Invariants kept here: a ticket opens one socket, within a minute; no socket
// outlives the session that opened it; what one client may send, watch and keep
// open has limits; a show's watchers are told at most once in the show's pace, and
// of the last change always.
//
// Start with [Conn], [Conn.Take] and [Pace.Take].
package socket

import (
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
)

// The limits of one client.
const (
	TicketLife = time.Minute         // from its making to the socket's opening
	Receipt    = 25 * time.Hour      // an Idempotency-Key is good for 24 hours
	Longest    = 2 * time.Hour       // API Gateway closes a socket then
	MaxOpen    = 8                   // sockets of one buyer; the oldest makes room
	MaxWatched = 20                  // shows of one socket
	MaxMessage = 4 << 10             // bytes of a client's message
	MaxErrors  = 10                  // bad messages before the socket is closed
	Every      = time.Second / 10    // between messages, in the long run
	Burst      = 20                  // messages at once
	Litness    = Longest + time.Hour // how long a show counts as watched after it was said so
)

// Why a socket is not opened, or no more there.
var (
	ErrTicket = fault.New(fault.Forbidden, "unauthorized", "socket: the ticket is unknown, used or expired")
	ErrNoConn = fault.New(fault.NotFound, "not_found", "socket: no such connection")
	ErrGone   = fault.New(fault.NotFound, "", "socket: the client is gone")
)

// ConnID names a connection, as the gateway does.
type ConnID string

// TicketHash is all that is kept of a ticket.
type TicketHash string

// Ticket is a permission to open one socket, or to keep one open for longer.
type Ticket struct {
	Hash      TicketHash
	Buyer     booking.Buyer
	Ends      time.Time // when the session ends that asked for it
	MadeAt    time.Time
	ExpiresAt time.Time
	Used      bool
}

// NewTicket is good for a minute, and never longer than its session.
func NewTicket(h TicketHash, b booking.Buyer, ends, now time.Time) Ticket {
	t := Ticket{Hash: h, Buyer: b, Ends: ends, MadeAt: now, ExpiresAt: now.Add(TicketLife)}
	if ends.Before(t.ExpiresAt) {
		t.ExpiresAt = ends
	}
	return t
}

// Good says whether the ticket still opens a socket.
func (t Ticket) Good(now time.Time) error {
	if t.Used || !now.Before(t.ExpiresAt) {
		return ErrTicket
	}
	return nil
}

// Conn is an open socket, as far as we know.
type Conn struct {
	ID       ConnID
	Buyer    booking.Buyer
	OpenedAt time.Time
	Until    time.Time        // its session's end, or the longest that a socket lives
	Shows    []catalog.ShowID // watched, sorted
	Spent    time.Time        // when the messages sent so far are paid off
	Errors   int
	Rev      int64 // grows with every write; what was read is what a write conditions on
}

// Open is the socket that a ticket opens.
func Open(t Ticket, id ConnID, now time.Time) (Conn, error) {
	if err := t.Good(now); err != nil {
		return Conn{}, err
	}
	c := Conn{ID: id, Buyer: t.Buyer, OpenedAt: now, Rev: 1}
	c.Until = c.limit(t.Ends)
	return c, nil
}

func (c Conn) limit(ends time.Time) time.Time {
	if most := c.OpenedAt.Add(Longest); most.Before(ends) {
		return most
	}
	return ends
}

// Over reports whether the socket may no more be told anything.
func (c Conn) Over(now time.Time) bool { return !now.Before(c.Until) }

// Entry is a line in the list of a buyer's sockets or of a show's watchers.
type Entry struct {
	ID       ConnID
	OpenedAt time.Time
	Until    time.Time
	Buyer    booking.Buyer  // whose list it is in,
	Show     catalog.ShowID // or which show's
}

// Entry is the connection's line in a list yet to be named.
func (c Conn) Entry() Entry { return Entry{ID: c.ID, OpenedAt: c.OpenedAt, Until: c.Until} }

// Handshake is the longest that the gateway may take to answer one.
const Handshake = 30 * time.Second

// Young reports whether the handshake may not have been answered yet.
func (e Entry) Young(now time.Time) bool { return now.Before(e.OpenedAt.Add(Handshake)) }

// MakeRoom names the sockets that have to go so that a buyer may open one more:
// those whose time is over, and the oldest. Refusing the new one was rejected: the
// word that a socket is closed may be lost, and who has a poor line would be kept
// out by sockets that he has lost.
func MakeRoom(open []Entry, now time.Time) []Entry {
	var leave, stay []Entry
	for _, e := range open {
		if !now.Before(e.Until) {
			leave = append(leave, e)
		} else {
			stay = append(stay, e)
		}
	}
	slices.SortStableFunc(stay, func(a, b Entry) int { return a.OpenedAt.Compare(b.OpenedAt) })
	if n := len(stay) - (MaxOpen - 1); n > 0 {
		leave = append(leave, stay[:n]...)
	}
	return leave
}
