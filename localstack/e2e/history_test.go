package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/seatmap"
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
	eventually(b.t, 15*time.Second, func() error {
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
