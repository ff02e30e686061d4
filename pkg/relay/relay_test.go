package relay_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
)

var (
	policy = booking.Policy{Hold: 5 * time.Minute, Grace: 5 * time.Second, MaxSeats: 10}
	noon   = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	end    = noon.Add(policy.Hold)
)

func hold(state booking.State, aside int64) store.Item {
	it := store.Item{
		"pk": "HOLD#h_1", "sk": "HOLD", "state": state.String(), "rev": int64(1), "exp": end.UnixMilli(), "show": "s", "buyer": "b",
		"seats": []any{"A-1|regular|0|1499"}, "cur": "USD", "made": noon.UnixMilli(),
	}
	if aside > 0 {
		it["aside"] = aside
	}
	return it
}

func TestOfHold(t *testing.T) {
	held := hold(booking.Held, 0)
	timer := []relay.Message{{Queue: relay.Timers, Body: `{"hold":"h_1"}`, Delay: policy.Hold + policy.Grace}}
	for _, tt := range []struct {
		name     string
		old, new store.Item
		want     []relay.Message
	}{
		{"a new hold", nil, held, timer},
		{"a payment began", held, held, nil},
		{"sold", held, hold(booking.Sold, 0), nil},
		{"sold anew to late money", nil, hold(booking.Sold, 0), nil},
		{"blocked", nil, hold(booking.Blocked, 0), nil},
		{"given back", held, hold(booking.Released, 0), nil},
		{"given back into the line, of which the pool item tells", held, hold(booking.Released, 1), nil},
		{"expired into the line", held, hold(booking.Expired, 1), nil},
		{"refunded into the line", hold(booking.Sold, 0), hold(booking.Refunded, 1), nil},
		{"a receipt that is gone", hold(booking.Expired, 1), nil, nil},
	} {
		got, err := relay.OfHold(relay.Record{Old: tt.old, New: tt.new, Sequence: "21"}, policy, noon)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
	if _, err := relay.OfHold(relay.Record{New: store.Item{"pk": "HOLD#h"}}, policy, noon); err == nil {
		t.Error("a hold of nothing was read")
	}
}

func payment(ask time.Time, woken int64) store.Item {
	it := store.Item{
		"pk": "PAY#p1", "sk": "PAY", "state": "pending", "hold": "h_1", "ord": "o_1", "buyer": "b", "provider": "sandbox",
		"amount": int64(1499), "cur": "USD", "attempt": int64(0), "made": noon.UnixMilli(), "exp": end.UnixMilli(), "woken": woken,
	}
	if !ask.IsZero() {
		it["ask"] = ask.UnixMilli()
	}
	return it
}

func TestOfPayment(t *testing.T) {
	soon, later := noon.Add(2*time.Second), noon.Add(4*time.Second)
	at := func(due time.Time) string {
		return fmt.Sprint([]relay.Message{{Queue: relay.Payments, Body: fmt.Sprintf(`{"payment":"p1","due":%d}`, due.UnixMilli()), Delay: due.Sub(noon)}})
	}
	none := fmt.Sprint([]relay.Message(nil))
	for _, tt := range []struct {
		name     string
		old, new store.Item
		want     string
	}{
		{"a new payment", nil, payment(soon, 0), at(soon)},
		{"nothing about its appointment", payment(soon, 0), payment(soon, 0), none},
		{"moved", payment(soon, 0), payment(later, 0), at(later)},
		{"asked for again", payment(soon, 0), payment(soon, 1), at(soon)},
		{"settled", payment(soon, 0), payment(time.Time{}, 0), none},
		{"settled, after it was asked for again", payment(soon, 1), payment(time.Time{}, 1), none},
		{"gone", payment(soon, 0), nil, none},
		{"an order", nil, store.Item{"pk": "ORDER#o_1", "sk": "ORDER"}, none},
	} {
		got, err := relay.OfPayment(relay.Record{Old: tt.old, New: tt.new, Sequence: "21"}, noon)
		if err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %+v, %v; want %s", tt.name, got, err, tt.want)
		}
	}
	bad := payment(soon, 0)
	bad["state"] = "asleep"
	if _, err := relay.OfPayment(relay.Record{New: bad}, noon); err == nil {
		t.Error("a payment of an unknown state was read")
	}
}

// TestDelay is in whole seconds, never early while the queue can wait that long,
// never more than a second late, never past its limit.
func TestDelay(t *testing.T) {
	for _, tt := range []struct{ ahead, want time.Duration }{
		{-time.Hour, 0}, {0, 0}, {time.Millisecond, time.Second}, {time.Second, time.Second}, {time.Second + time.Millisecond, 2 * time.Second},
		{15 * time.Minute, 15 * time.Minute}, {24 * time.Hour, 15 * time.Minute},
	} {
		ms, err := relay.OfPayment(relay.Record{New: payment(noon.Add(tt.ahead), 0)}, noon)
		if err != nil || len(ms) != 1 || ms[0].Delay != tt.want {
			t.Errorf("%v ahead: %+v, %v; want %v", tt.ahead, ms, err, tt.want)
		}
	}
}

func TestAnyDelay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ahead := time.Duration(rapid.Int64Range(-1e6, 1e8).Draw(rt, "ms")) * time.Millisecond
		ms, err := relay.OfPayment(relay.Record{New: payment(noon.Add(ahead), 0)}, noon)
		if err != nil {
			rt.Fatal(err)
		}
		d := ms[0].Delay
		if d%time.Second != 0 || d < 0 || d > relay.MaxDelay || d < min(ahead, relay.MaxDelay) || ahead > 0 && d >= ahead+time.Second {
			rt.Fatalf("%v for %v ahead", d, ahead)
		}
	})
}
