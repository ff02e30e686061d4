package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
)

// heardWithin is how soon a hint comes on a machine that is overcommitted.
const heardWithin = 20 * time.Second

// socketTicket is the answer to POST /socket-tickets.
type socketTicket struct {
	Ticket, URL string
}

func (b *buyer) ticket() socketTicket {
	b.t.Helper()
	var k socketTicket
	must(b.t, b.Call(b.ctx(), http.MethodPost, "/socket-tickets", "", nil, &k))
	return k
}

// ear is an open socket.
type ear struct {
	*websocket.Conn
	t *testing.T
}

// word is what a client is told.
type word struct {
	Type       string
	Show       string `json:"show_id"`
	Version    string
	Hold       string `json:"hold_id"`
	Code       string
	ServerTime time.Time `json:"server_time"`
	ExpiresAt  time.Time `json:"expires_at"`
}

func (b *buyer) listen() ear {
	b.t.Helper()
	c, _, err := websocket.Dial(b.ctx(), b.ticket().URL, nil)
	must(b.t, err)
	b.t.Cleanup(func() { c.CloseNow() })
	return ear{c, b.t}
}

func (e ear) say(text string) {
	e.t.Helper()
	must(e.t, e.Write(e.t.Context(), websocket.MessageText, []byte(text)))
}

func (e ear) act(action string, show catalog.ShowID) {
	e.t.Helper()
	e.say(fmt.Sprintf(`{"action":%q,"show_id":%q}`, action, show))
}

// next is the next word of the type; others before it are passed over.
func (e ear) next(typ string) word {
	e.t.Helper()
	ctx, stop := context.WithTimeout(e.t.Context(), heardWithin)
	defer stop()
	for {
		_, text, err := e.Read(ctx)
		if err != nil {
			e.t.Fatalf("no %s: %v", typ, err)
		}
		var w word
		must(e.t, json.Unmarshal(text, &w))
		if w.Type == typ {
			return w
		}
	}
}

// ends waits until the other side closes the socket.
func (e ear) ends() {
	e.t.Helper()
	ctx, stop := context.WithTimeout(e.t.Context(), heardWithin)
	defer stop()
	for {
		if _, _, err := e.Read(ctx); err != nil {
			if ctx.Err() != nil {
				e.t.Fatal("the socket was not closed")
			}
			return
		}
	}
}

// TestSocketTickets: one opens one socket, for a buyer alone.
func TestSocketTickets(t *testing.T) {
	parallel(t)
	b := guest(t)
	k := b.ticket()
	if !strings.HasPrefix(k.URL, variable("SOCKET_URL")+"?ticket=") {
		t.Errorf("the address is %s, not at %s", strings.Replace(k.URL, k.Ticket, "…", 1), variable("SOCKET_URL"))
	}
	c, _, err := websocket.Dial(t.Context(), k.URL, nil)
	must(t, err)
	defer c.CloseNow()
	for name, address := range map[string]string{"used": k.URL, "none": variable("SOCKET_URL"), "made up": variable("SOCKET_URL") + "?ticket=fst1." + strings.Repeat("A", 43)} {
		_, r, err := websocket.Dial(t.Context(), address, nil)
		if err == nil || r == nil || r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	e := ear{c, t}
	e.say(`{"action":"ping"}`)
	if w := e.next("pong"); time.Since(w.ServerTime).Abs() > time.Minute {
		t.Errorf("the server's time is %s", w.ServerTime)
	}
}

// TestSocketTellsOfHolds: the buyer hears of his holds, watching nothing; another
// hears nothing of them.
func TestSocketTellsOfHolds(t *testing.T) {
	parallelWithout(t, nil, relayHolds, expireHold, tellClients, relayPayments, askProvider, callbacks)
	s, b, other := shop.open(t, "standard-90"), guest(t), guest(t)
	e, far := b.listen(), other.listen()
	h := b.hold(s, s.regular(t, 2, 0)...)
	if w := e.next("hold.expiring"); w.Hold != h.ID || w.Show != string(s.ID) {
		t.Errorf("told %+v", w)
	}
	b.await(b.pay(h.ID, "success").OrderID, "PAID", 15*time.Second)
	if w := e.next("hold.sold"); w.Hold != h.ID || w.Version == "" {
		t.Errorf("told %+v", w)
	}
	left := b.hold(s, s.regular(t, 2, 1)...)
	if w := e.next("hold.expired"); w.Hold != left.ID {
		t.Errorf("told %+v", w)
	}
	far.say(`{"action":"ping"}`)
	_, text, err := far.Read(t.Context())
	if err != nil || !strings.Contains(string(text), `"pong"`) {
		t.Errorf("another's socket told %s, %v", text, err)
	}
}

// TestSocketTellsOfMaps: who watches hears the version first and then of changes,
// of the last one always.
func TestSocketTellsOfMaps(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	e := guest(t).listen()
	e.act("watch", s.ID)
	if w := e.next("seatmap.changed"); w.Show != string(s.ID) {
		t.Errorf("told %+v", w)
	}
	for k := range 4 {
		b.hold(s, s.regular(t, 2, k)...)
	}
	for { // a word that is not the map's by now is followed by another
		w := e.next("seatmap.changed")
		if m := read[apiclient.Seatmap](b, "/shows/"+string(s.ID)+"/seatmap"); m.Version == w.Version && m.Held%8 == 0 {
			break // all of them, or all are over again
		}
	}
	e.act("unwatch", s.ID)
	e.say(`{"action":"ping"}`)
	e.next("pong")
}

// TestSocketAuthorize: a fresh ticket of the same buyer extends a socket, another's
// does not.
func TestSocketAuthorize(t *testing.T) {
	parallel(t)
	b := guest(t)
	e := b.listen()
	e.say(fmt.Sprintf(`{"action":"authorize","ticket":%q}`, guest(t).ticket().Ticket))
	if w := e.next("error"); w.Code != "unauthorized" {
		t.Errorf("told %+v", w)
	}
	e.say(fmt.Sprintf(`{"action":"authorize","ticket":%q}`, b.ticket().Ticket))
	if w := e.next("authorized"); w.ExpiresAt.Before(w.ServerTime) {
		t.Errorf("told %+v", w)
	}
}

// TestSocketLimits: too many errors close a socket; a buyer's oldest makes room.
func TestSocketLimits(t *testing.T) {
	parallel(t)
	b := guest(t)
	bad := b.listen()
	for range socket.MaxErrors {
		bad.say("nonsense")
		bad.next("error")
	}
	bad.ends()
	first := b.listen()
	for range socket.MaxOpen {
		b.listen()
	}
	first.say(`{"action":"ping"}`)
	first.ends()
}

// connID is one as the gateway makes them, of nobody's connection.
func connID(parts ...string) socket.ConnID {
	return socket.ConnID(base64.URLEncoding.EncodeToString([]byte(booking.Digest(parts...)[:11])))
}

// TestSocketsOfTheGone: who is not there any more, or past his time, is forgotten
// when he is to be told.
func TestSocketsOfTheGone(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 2, 0)...)
	board, now := store.NewSwitchboard(shop.tables), time.Now().UTC().Truncate(time.Millisecond)
	place := func(id socket.ConnID, opened, until time.Time) {
		k := socket.NewTicket(socket.TicketHash("of "+id), b.who(h.ID), until, now)
		k.ExpiresAt = now.Add(time.Minute)
		_, err := board.Issue(t.Context(), k)
		must(t, err)
		must(t, board.Connect(t.Context(), k.Hash, socket.Conn{ID: id, Buyer: k.Buyer, OpenedAt: opened, Until: until, Rev: 1}, now))
	}
	gone, over := connID(h.ID, "gone"), connID(h.ID, "over")
	place(gone, now.Add(-time.Minute), now.Add(time.Hour))
	place(over, now.Add(-time.Hour), now.Add(-time.Minute))
	b.await(b.pay(h.ID, "success").OrderID, "PAID", 15*time.Second)
	eventually(t, heardWithin, func() error {
		for _, id := range []socket.ConnID{gone, over} {
			if _, err := board.Conn(t.Context(), id); !errors.Is(err, socket.ErrNoConn) {
				return yet("%s: %v", id, err)
			}
		}
		return nil
	})
}

// TestSocketIsForgotten when its client leaves.
func TestSocketIsForgotten(t *testing.T) {
	parallel(t)
	s, b := shop.open(t, "standard-90"), guest(t)
	h := b.hold(s, s.regular(t, 1, 0)...)
	e := b.listen()
	e.act("watch", s.ID)
	e.next("seatmap.changed")
	must(t, e.Close(websocket.StatusNormalClosure, ""))
	board := store.NewSwitchboard(shop.tables)
	eventually(t, heardWithin, func() error {
		open, err := board.OfBuyer(t.Context(), b.who(h.ID))
		if err == nil && len(open) > 0 {
			err = yet("%d sockets", len(open))
		}
		return err
	})
}
