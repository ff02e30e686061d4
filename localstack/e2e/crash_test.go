package e2e_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// mortal are the functions that are killed in the middle of what they do.
var mortal = []string{"ReserveSeats", "PayHold", "ReceiveCallback", "RelayHolds", "RelayPayments", "ProjectSeatmap", "ExpireTimer"}

const (
	killing      = 6 * time.Second
	killEvery    = 100 * time.Millisecond
	crashBuyers  = 10
	settledAfter = 60 * time.Second // callbacks that met a dead function are sent again after 1, 2, 4 … seconds
)

// TestCrashes: functions die again and again during purchases; nothing is lost, no
// hold is half there, and money and tickets balance (A18, AllOrNothing,
// MoneyIsTickets). It runs alone, as do all tests that are not parallel.
func TestCrashes(t *testing.T) {
	forgiven := heard.forgive()
	defer forgiven()
	seed := mathrand.Uint64()
	s := shop.open(t, "standard-180")
	buyers := guests(t, crashBuyers)
	stop := time.Now().Add(killing)
	var busy sync.WaitGroup
	deaths := 0
	busy.Go(func() { deaths = reap(t, stop) })
	results := make([]survivor, len(buyers))
	for i, b := range buyers {
		busy.Go(func() { results[i] = b.shopUntil(s, stop, mathrand.New(mathrand.NewPCG(seed, uint64(i)))) })
	}
	busy.Wait()
	forgiven()
	var orders, broken int
	for i, r := range results {
		if r.err != nil {
			t.Errorf("seed %d: buyer %d: %v", seed, i, r.err)
		}
		orders, broken = orders+len(r.orders), broken+r.broken
		for _, id := range r.orders {
			buyers[i].settled(id)
		}
	}
	t.Logf("%d kills, %d requests met one, %d orders", deaths, broken, orders)
	if broken == 0 || orders == 0 {
		t.Errorf("seed %d: %d requests met a dead function and %d orders were made: nothing was tested", seed, broken, orders)
	}
	eventually(t, settledAfter, func() error { return shop.audit(t.Context(), s) })
	mapMatches(t, s)
}

// reap kills every mortal function now and then, as the platform may.
func reap(t *testing.T, stop time.Time) int {
	tick := time.NewTicker(killEvery)
	defer tick.Stop()
	n := 0
	for time.Now().Before(stop) {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			return n
		}
		if err := stack.Kill(mortal[n%len(mortal)]); err != nil {
			t.Error(err)
		}
		n++
	}
	return n
}

// survivor is what a buyer has to show after the crashes.
type survivor struct {
	orders []string
	broken int
	err    error
}

// shopUntil buys pairs that overlap with those of others, and repeats under the
// same key whatever was answered by nobody.
func (b *buyer) shopUntil(s *show, stop time.Time, r *mathrand.Rand) survivor {
	var out survivor
	for out.err == nil && time.Now().Before(stop) {
		seats := s.except([]seatmap.SeatType{seatmap.Regular})
		from := r.IntN(len(seats) - 1)
		var h apiclient.Hold
		if err := b.insist(&out, "/shows/"+string(s.ID)+"/holds", map[string]any{"seats": seats[from : from+2]}, &h); err != nil {
			if code := codeOf(err); code == "seat_limit_reached" {
				return out
			} else if code != "seats_unavailable" {
				out.err = err
			}
			continue
		}
		var p apiclient.Payment
		body := map[string]string{"provider": "sandbox", "outcome": []string{"success", "success", "decline", "late"}[r.IntN(4)]}
		if err := b.insist(&out, "/holds/"+h.ID+"/payments", body, &p); err != nil {
			if code := codeOf(err); code != "hold_expired" {
				out.err = err
			}
			continue
		}
		out.orders = append(out.orders, p.OrderID)
	}
	return out
}

func codeOf(err error) string {
	var p *apiclient.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

// insist repeats under one key what met a dead function.
func (b *buyer) insist(out *survivor, path string, body, into any) error {
	key := rand.Text()
	for {
		err := b.Call(b.ctx(), http.MethodPost, path, key, body, into)
		var p *apiclient.Problem
		if !errors.As(err, &p) || p.Status < 500 {
			return err
		}
		out.broken++
		if b.ctx().Err() != nil {
			return err
		}
	}
}

// settled waits until the order is at its end.
func (b *buyer) settled(order string) {
	b.t.Helper()
	eventually(b.t, settledAfter, func() error {
		var o apiclient.Order
		if err := b.get("/orders/"+order, &o); err != nil {
			return err
		}
		ps, err := provider.Payments(order)
		if err != nil {
			return err
		}
		captured := false
		for _, p := range ps {
			if p.State == "pending" {
				return yet("order %s waits for payment %s", order, p.ID)
			}
			captured = captured || p.State == "captured"
		}
		if slices.Contains(map[bool][]string{true: {"PAID", "REFUNDED"}, false: {"CANCELLED"}}[captured], o.Status) {
			return nil
		}
		return yet("order %s is %s, money captured: %v", order, o.Status, captured)
	})
}

// mapMatches: at rest the map shows what the claims and holds say, seat by seat.
func mapMatches(t *testing.T, s *show) {
	t.Helper()
	b := guest(t)
	names := map[booking.State]string{booking.Held: "held", booking.Sold: "sold", booking.Blocked: "blocked"}
	eventually(t, 10*time.Second, func() error {
		holds, err := shop.holds(t.Context(), s)
		if err != nil {
			return err
		}
		want := map[string]string{}
		for _, h := range holds {
			for _, seat := range h.Seats {
				if h.State.Live() {
					want[string(seat.ID)] = names[h.State]
				}
			}
		}
		m := read[apiclient.Seatmap](b, "/shows/"+string(s.ID)+"/seatmap?expand=seats")
		for _, seat := range m.Seats {
			is := want[seat.ID]
			if is == "" {
				is = "free"
			}
			if seat.State != is {
				return fmt.Errorf("seat %s is %s, the map says %s", seat.ID, is, seat.State)
			}
		}
		return nil
	})
}
