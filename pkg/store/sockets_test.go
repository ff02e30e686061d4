package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

// board is the switchboard over counted tables, with a buyer and ids that no other
// test uses.
type board struct {
	*rig
	*store.Switchboard
	ctx   context.Context
	buyer booking.Buyer
}

func (b board) id(name string) socket.ConnID { return socket.ConnID(string(b.show) + name + "=") }

func (b board) ticket(name string) socket.Ticket {
	t := socket.NewTicket(socket.TicketHash(string(b.show)+name), b.buyer, evening.Add(24*time.Hour), evening)
	got, err := b.Issue(b.ctx, t)
	b.must(err)
	if diff := cmp.Diff(t, got); diff != "" {
		b.t.Errorf("ticket %s (-want +got):\n%s", name, diff)
	}
	return t
}

func (b board) open(name string) socket.Conn { return b.openFor(name, socket.Longest) }

// openFor opens a socket whose session has that long to live.
func (b board) openFor(name string, ends time.Duration) socket.Conn {
	t := b.ticket(name)
	t.Ends = evening.Add(ends)
	c, err := socket.Open(t, b.id(name), evening)
	b.must(err)
	b.must(b.Connect(b.ctx, t.Hash, c, evening))
	return c
}

func (b board) wantConn(want socket.Conn) {
	b.t.Helper()
	got, err := b.Conn(b.ctx, want.ID)
	b.must(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("connection (-want +got):\n%s", diff)
	}
}

// watchers are the ids of those who watch the show, over all shards.
func (b board) watchers(show catalog.ShowID) (ids []socket.ConnID) {
	for k := range boxoffice.Shards {
		all, err := b.Watchers(b.ctx, show, k)
		b.must(err)
		for _, e := range all {
			if e.Show != show || e.Until.IsZero() || e.OpenedAt.IsZero() {
				b.t.Errorf("entry %+v", e)
			}
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// TestSwitchboard runs on both databases what is done with sockets, and what refuses it.
func TestSwitchboard(t *testing.T) {
	for where, tables := range map[string]store.Tables{"memory": memory(), "service": service} {
		for name, run := range map[string]func(board){
			"tickets": socketTickets, "connections": socketConnections, "messages": socketMessages, "pace": socketPace, "costs": socketCosts,
		} {
			t.Run(where+"/"+name, func(t *testing.T) {
				r := newRig(t, tables)
				run(board{r, store.NewSwitchboard(r.tables), t.Context(), booking.Buyer("g_" + r.show)})
			})
		}
	}
}

func socketTickets(b board) {
	t := b.ticket("one")
	later := t
	later.ExpiresAt, later.MadeAt = t.ExpiresAt.Add(time.Hour), t.MadeAt.Add(time.Hour)
	if got, err := b.Issue(b.ctx, later); err != nil || got != t {
		b.t.Errorf("the same request again: %+v, %v; want the first answer", got, err)
	}
	if _, err := b.Ticket(b.ctx, "none"); !errors.Is(err, socket.ErrTicket) {
		b.t.Errorf("no ticket: %v", err)
	}
	c, err := socket.Open(t, b.id("c"), evening)
	b.must(err)
	b.stale(b.Connect(b.ctx, t.Hash, c, t.ExpiresAt))
	b.must(b.Connect(b.ctx, t.Hash, c, t.ExpiresAt.Add(-time.Millisecond)))
	c.ID = b.id("d")
	b.stale(b.Connect(b.ctx, t.Hash, c, evening))
	b.stale(b.Connect(b.ctx, "none", c, evening))
	if _, err := b.Conn(b.ctx, c.ID); !errors.Is(err, socket.ErrNoConn) {
		b.t.Errorf("a refused connection is there: %v", err)
	}
	t.Used = true
	if got, err := b.Ticket(b.ctx, t.Hash); err != nil || got != t {
		b.t.Errorf("%+v, %v", got, err)
	}
}

func socketConnections(b board) {
	one, two := b.open("one"), b.open("two")
	b.wantConn(one)
	all, err := b.OfBuyer(b.ctx, b.buyer)
	b.must(err)
	want := []socket.Entry{one.Entry(), two.Entry()}
	for i := range want {
		want[i].Buyer = b.buyer
	}
	if diff := cmp.Diff(want, all); diff != "" {
		b.t.Errorf("of the buyer (-want +got):\n%s", diff)
	}
	again := b.ticket("again")
	b.stale(b.Connect(b.ctx, again.Hash, one, evening)) // an id is never taken over
	moved := one
	moved.Rev++
	b.stale(b.Remove(b.ctx, moved))
	b.must(b.Remove(b.ctx, one))
	b.stale(b.Remove(b.ctx, one))
	b.must(b.Forget(b.ctx, want[1]))
	b.must(b.Forget(b.ctx, want[1]))
	if all, err = b.OfBuyer(b.ctx, b.buyer); err != nil || len(all) != 0 {
		b.t.Errorf("%v, %v", all, err)
	}
	b.wantConn(two)
}

func socketMessages(b board) {
	c := b.openFor("c", time.Minute)
	save := func(r socket.Request, fresh *socket.Ticket) socket.Conn {
		b.t.Helper()
		o := c.Take(r, "", fresh, evening)
		b.must(b.Save(b.ctx, c, o, r.Ticket, evening))
		b.stale(b.Save(b.ctx, c, o, r.Ticket, evening)) // OneEffect
		b.wantConn(o.Next)
		return o.Next
	}
	other := b.show + "-other"
	c = save(socket.Request{Action: socket.Watch, Show: b.show}, nil)
	c = save(socket.Request{Action: socket.Watch, Show: other}, nil)
	if len(b.watchers(b.show)) != 1 || len(b.watchers(other)) != 1 {
		b.t.Errorf("watching %v, %v", b.watchers(b.show), b.watchers(other))
	}
	c = save(socket.Request{Action: socket.Unwatch, Show: b.show}, nil)
	if len(b.watchers(b.show)) != 0 || len(b.watchers(other)) != 1 {
		b.t.Errorf("watching %v, %v", b.watchers(b.show), b.watchers(other))
	}
	fresh := b.ticket("fresh")
	c = save(socket.Request{Action: socket.Authorize, Ticket: fresh.Hash}, &fresh)
	for k := range boxoffice.Shards {
		all, err := b.Watchers(b.ctx, other, k)
		b.must(err)
		for _, e := range all {
			if !e.Until.Equal(c.Until) {
				b.t.Errorf("the watch ends at %v, not %v", e.Until, c.Until)
			}
		}
	}
	o := c.Take(socket.Request{Action: socket.Authorize, Ticket: fresh.Hash}, "", &fresh, evening)
	b.stale(b.Save(b.ctx, c, o, fresh.Hash, evening)) // the ticket is used up
	b.wantConn(c)
	b.must(b.Remove(b.ctx, c))
	if len(b.watchers(other)) != 0 {
		b.t.Errorf("watching %v", b.watchers(other))
	}
}

func socketPace(b board) {
	if p, err := b.Pace(b.ctx, b.show, socket.SeatmapChanged); err != nil || p != (socket.Pace{}) {
		b.t.Errorf("%+v, %v", p, err)
	}
	var was socket.Pace
	for i := range int64(3) {
		next := socket.Pace{At: evening.Add(time.Duration(i) * time.Second), PutOff: i%2 == 1, Version: 7 + i, Rev: i + 1}
		b.must(b.SavePace(b.ctx, b.show, socket.SeatmapChanged, was, next))
		b.stale(b.SavePace(b.ctx, b.show, socket.SeatmapChanged, was, next))
		if p, err := b.Pace(b.ctx, b.show, socket.SeatmapChanged); err != nil || p != next {
			b.t.Errorf("%+v, %v, want %+v", p, err, next)
		}
		was = next
	}
	if lit, err := b.LitUntil(b.ctx, b.show); err != nil || !lit.IsZero() {
		b.t.Errorf("lit until %v, %v", lit, err)
	}
	b.must(b.Light(b.ctx, b.show, keep))
	if lit, err := b.LitUntil(b.ctx, b.show); err != nil || !lit.Equal(keep) {
		b.t.Errorf("lit until %v, %v", lit, err)
	}
}

// socketCosts are those of doc.go.
func socketCosts(b board) {
	t := b.ticket("t")
	b.wantCost("ticket", 1, 2)
	c, err := socket.Open(t, b.id("c"), evening)
	b.must(err)
	b.must(b.Connect(b.ctx, t.Hash, c, evening))
	b.wantCost("connect", 1, 6)
	ping := c.Take(socket.Request{Action: socket.Ping}, "", nil, evening)
	b.must(b.Save(b.ctx, c, ping, "", evening))
	b.wantCost("ping", 1, 2)
	watch := ping.Next.Take(socket.Request{Action: socket.Watch, Show: b.show}, "", nil, evening)
	b.must(b.Save(b.ctx, ping.Next, watch, "", evening))
	b.wantCost("watch", 1, 4)
	b.must(b.Remove(b.ctx, watch.Next))
	b.wantCost("remove", 1, 6)
}

// TestSwitchboardsAnswers: what a transaction that was not refused by a condition
// means to its caller.
func TestSwitchboardsAnswers(t *testing.T) {
	for f, kind := range faultKinds {
		r := newRig(t, memoryThat(f))
		b := board{r, store.NewSwitchboard(r.tables), t.Context(), "g_buyer"}
		for name, call := range map[string]func() error{
			"issue":   func() error { _, err := b.Issue(b.ctx, socket.Ticket{Hash: "h"}); return err },
			"connect": func() error { return b.Connect(b.ctx, "h", socket.Conn{ID: "c"}, evening) },
			"save":    func() error { return b.Save(b.ctx, socket.Conn{ID: "c"}, socket.Outcome{}, "", evening) },
			"remove":  func() error { return b.Remove(b.ctx, socket.Conn{ID: "c"}) },
			"forget":  func() error { return b.Forget(b.ctx, socket.Entry{ID: "c", Show: "s"}) },
			"light":   func() error { return b.Light(b.ctx, "s", evening) },
			"pace":    func() error { return b.SavePace(b.ctx, "s", socket.SeatmapChanged, socket.Pace{}, socket.Pace{}) },
		} {
			if err := call(); !fault.Is(err, kind) {
				t.Errorf("%s: %v is %v, want %v", name, err, fault.KindOf(err), fmt.Sprint(kind))
			}
		}
	}
}

var faultKinds = map[memstore.Fault]fault.Kind{
	memstore.Conflict: fault.Contended, memstore.Throttle: fault.Busy, memstore.LoseRequest: fault.Unknown,
}

// memoryThat fails every transaction in one way.
func memoryThat(f memstore.Fault) *memstore.DB {
	return memstore.New(memstore.Options{
		Clock: func() time.Time { return evening },
		Faults: func(op memstore.Op) memstore.Fault {
			if op.Kind == memstore.OpTransact {
				return f
			}
			return memstore.NoFault
		},
	})
}
