package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/booking"
)

// buyer is a guest with a device.
type buyer struct {
	*apiclient.Client
	t *testing.T
}

var wire = &http.Client{
	Timeout:   40 * time.Second,
	Transport: newDocumented(&http.Transport{MaxIdleConnsPerHost: 200}),
}

func client() *apiclient.Client {
	return &apiclient.Client{Base: stack.URL, Key: developerKey, HTTP: wire}
}

func guest(t *testing.T) *buyer {
	t.Helper()
	b := &buyer{client(), t}
	must(t, b.Session(t.Context()))
	return b
}

func (b *buyer) ctx() context.Context { return b.t.Context() }

func (b *buyer) get(path string, out any) error {
	return b.Call(b.ctx(), http.MethodGet, path, "", nil, out)
}

// read must succeed.
func read[T any](b *buyer, path string) T {
	b.t.Helper()
	var v T
	must(b.t, b.get(path, &v))
	return v
}

func (b *buyer) try(s *show, seats ...string) (apiclient.Hold, error) {
	var h apiclient.Hold
	err := b.Call(b.ctx(), http.MethodPost, "/shows/"+string(s.ID)+"/holds", "", map[string]any{"seats": seats}, &h)
	return h, err
}

// hold must get the seats.
func (b *buyer) hold(s *show, seats ...string) apiclient.Hold {
	b.t.Helper()
	h, err := b.try(s, seats...)
	must(b.t, err)
	return h
}

func (b *buyer) release(hold string) {
	b.t.Helper()
	must(b.t, b.Call(b.ctx(), http.MethodDelete, "/holds/"+hold, "", nil, nil))
}

func (b *buyer) tryPay(hold, outcome string) (apiclient.Payment, error) {
	var p apiclient.Payment
	body := map[string]string{"provider": "sandbox", "outcome": outcome}
	err := b.Call(b.ctx(), http.MethodPost, "/holds/"+hold+"/payments", "", body, &p)
	return p, err
}

func (b *buyer) pay(hold, outcome string) apiclient.Payment {
	b.t.Helper()
	p, err := b.tryPay(hold, outcome)
	must(b.t, err)
	return p
}

// await waits for an order's status.
func (b *buyer) await(order, status string, limit time.Duration) apiclient.Order {
	b.t.Helper()
	var o apiclient.Order
	eventually(b.t, limit, func() error {
		if err := b.get("/orders/"+order, &o); err != nil {
			return err
		}
		if o.Status != status {
			return yet("order %s is %s, not %s", order, o.Status, status)
		}
		return nil
	})
	return o
}

// buy takes the seats from nothing to tickets.
func (b *buyer) buy(s *show, seats ...string) apiclient.Order {
	b.t.Helper()
	h := b.hold(s, seats...)
	return b.await(b.pay(h.ID, "success").OrderID, "PAID", 15*time.Second)
}

// who is the buyer as the tables know him.
func (b *buyer) who(hold string) booking.Buyer {
	b.t.Helper()
	h, err := shop.store.HoldByID(b.ctx(), booking.HoldID(hold))
	must(b.t, err)
	return h.Buyer
}

// refused must be a problem of the status and code.
func refused(t *testing.T, err error, status int, code string) *apiclient.Problem {
	t.Helper()
	var p *apiclient.Problem
	if !errors.As(err, &p) {
		t.Fatalf("wanted %d %s, got %v", status, code, err)
	}
	if p.Status != status || p.Code != code {
		t.Fatalf("wanted %d %s, got %d %s: %s", status, code, p.Status, p.Code, p.Detail)
	}
	return p
}

func seatsOf(h apiclient.Hold) []string {
	var ids []string
	for _, s := range h.Seats {
		ids = append(ids, s.ID)
	}
	return ids
}

func into[T any](t *testing.T, r apiclient.Reply) T {
	t.Helper()
	var v T
	must(t, json.Unmarshal(r.Body, &v))
	return v
}
