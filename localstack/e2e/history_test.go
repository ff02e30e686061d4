package e2e_test

import (
	"crypto/rand"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store"
)

type listedOrder struct {
	ID     string   `json:"id"`
	ShowID string   `json:"show_id"`
	Status string   `json:"status"`
	Seats  []string `json:"seats"`
}

type listedTickets struct {
	OrderID string `json:"order_id"`
	Tickets []struct {
		ID   string `json:"id"`
		Seat string `json:"seat"`
	} `json:"tickets"`
}

// inList waits until the list has so many entries: it follows the orders' stream.
func inList[T any](b *buyer, path string, n int) []T {
	b.t.Helper()
	var l apiclient.List[T]
	eventually(b.t, listsFollow, func() error {
		if err := b.get(path, &l); err != nil {
			return err
		}
		if len(l.Items) != n {
			return yet("%s has %d entries, not %d: %+v", path, len(l.Items), n, l.Items)
		}
		return nil
	})
	return l.Items
}

// TestHistory: an order is in its buyer's list, moves there from state to state, and its
// tickets are in the other (B1).
func TestHistory(t *testing.T) {
	parallel(t)
	b, s := guest(t), shop.open(t, "arthouse-40")
	seats := s.of(t, seatmap.Regular, 2, 0)
	paid := b.pay(b.hold(s, seats...).ID, "success").OrderID
	b.await(paid, "PAID", 15*time.Second)
	inList[listedOrder](b, "/me/orders?status=PENDING", 0)
	of := inList[listedOrder](b, "/me/orders?status=PAID", 1)[0]
	if of.ID != paid || of.ShowID != string(s.ID) || !slices.Equal(of.Seats, seats) {
		t.Errorf("listed %+v", of)
	}
	list := inList[listedTickets](b, "/me/tickets", 1)[0]
	order := read[apiclient.Order](b, "/orders/"+paid)
	if list.OrderID != paid || len(list.Tickets) != 2 || list.Tickets[0].ID != order.Tickets[0].ID {
		t.Errorf("tickets %+v of %+v", list, order)
	}
	inList[listedOrder](guest(t), "/me/orders", 0)
}

// newcomer is a device of an account that nobody has had before.
func newcomer(t *testing.T) *buyer {
	t.Helper()
	k, err := session.New(nil, variable("SECRET_SessionSecret"))
	must(t, err)
	var a session.AccountID
	_, _ = rand.Read(a[:])
	b := &buyer{client(), t}
	b.Token, _ = k.Access(a, session.LoginID(a), time.Now())
	return b
}

type adopted struct {
	Moved []string `json:"moved"`
	Kept  []struct {
		ShowID string `json:"show_id"`
		Reason string `json:"reason"`
	} `json:"kept"`
}

// TestAdoption: what a guest has bought, holds, waits for, and began to pay for once, is
// his account's after he has logged in, on whichever device (B1).
func TestAdoption(t *testing.T) {
	parallel(t)
	g, a, s, sold := guest(t), newcomer(t), shop.open(t, "arthouse-40"), small(t, 2)
	paid := g.pay(g.hold(s, s.of(t, seatmap.Regular, 1, 0)...).ID, "success").OrderID
	g.await(paid, "PAID", 15*time.Second)
	dropped := g.hold(s, s.of(t, seatmap.Regular, 1, 1)...)
	cancelled := g.pay(dropped.ID, "decline").OrderID
	g.release(dropped.ID)
	aged := g.hold(s, s.of(t, seatmap.Regular, 1, 4)...)
	lapsed := g.pay(aged.ID, "decline").OrderID
	g.release(aged.ID)
	must(t, shop.tables.Transact(t.Context(), []store.Write{{Key: store.Key{Table: store.Holds, PK: "HOLD#" + aged.ID, SK: "HOLD"}, Delete: true}}, "")) // as by TTL
	held := g.hold(s, s.of(t, seatmap.Regular, 2, 2)...)
	full(t, sold, 2)
	place := g.join(sold, 1)
	inList[listedOrder](g, "/me/orders", 3)

	want := []string{string(s.ID), string(sold.ID)}
	slices.Sort(want)
	for range 2 {
		var got adopted
		must(t, a.Call(t.Context(), http.MethodPost, "/me/adoptions", "", map[string]string{"guest_token": g.Token}, &got))
		if !slices.Equal(got.Moved, want) || len(got.Kept) != 0 {
			t.Fatalf("adopted %+v, want %v", got, want)
		}
	}
	inList[listedOrder](a, "/me/orders", 3)
	inList[listedOrder](g, "/me/orders", 0)
	for id, status := range map[string]string{paid: "PAID", cancelled: "CANCELLED", lapsed: "CANCELLED"} {
		if o := read[apiclient.Order](a, "/orders/"+id); o.Status != status {
			t.Errorf("order %s is %s, want %s", id, o.Status, status)
		}
	}
	if w := read[apiclient.Place](a, place.path()); w.Number != place.Number {
		t.Errorf("place %+v, as a guest %+v", w, place.Place)
	}
	a.await(a.pay(held.ID, "success").OrderID, "PAID", 15*time.Second)
	refused(t, g.get("/holds/"+held.ID, nil), 404, "not_found")
}

// listsFollow is how long a list may be behind: here one shard carries the orders of
// every test, and its records are taken one after another.
const listsFollow = 2 * time.Minute
