package relay_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
)

func TestOfHoldTold(t *testing.T) {
	held := hold(booking.Held, 0)
	told := func(kind string, delay time.Duration) []relay.Message {
		return []relay.Message{{Queue: relay.Hints, Body: fmt.Sprintf(`{"type":%q,"show":"s","buyer":"b","version":1,"hold":"h_1"}`, kind), Delay: delay}}
	}
	for _, tt := range []struct {
		name     string
		old, new store.Item
		after    time.Duration
		want     []relay.Message
	}{
		{"a new hold", nil, held, 0, told("hold.expiring", 4*time.Minute)},
		{"a new hold, late", nil, held, 30 * time.Second, told("hold.expiring", 3*time.Minute+30*time.Second)},
		{"a new hold, too late", nil, held, 4*time.Minute + time.Second, told("hold.expiring", 0)},
		{"a payment began", held, held, 0, nil},
		{"sold", held, hold(booking.Sold, 0), 0, told("hold.sold", 0)},
		{"sold anew to late money", nil, hold(booking.Sold, 0), 0, told("hold.sold", 0)},
		{"a sale that is written to", hold(booking.Sold, 0), hold(booking.Sold, 0), 0, nil},
		{"expired", held, hold(booking.Expired, 0), 0, told("hold.expired", 0)},
		{"expired into the line", held, hold(booking.Expired, 1), 0, told("hold.expired", 0)},
		{"given back", held, hold(booking.Released, 0), 0, nil},
		{"refunded", hold(booking.Sold, 0), hold(booking.Refunded, 1), 0, nil},
		{"blocked", nil, hold(booking.Blocked, 0), 0, nil},
		{"a receipt that is gone", hold(booking.Expired, 1), nil, 0, nil},
	} {
		got, err := relay.OfHoldTold(relay.Record{Old: tt.old, New: tt.new, Sequence: "21"}, noon.Add(tt.after))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
	for _, r := range []relay.Record{{New: store.Item{"pk": "HOLD#h"}}, {New: held, Old: store.Item{"pk": "HOLD#h"}}} {
		if _, err := relay.OfHoldTold(r, noon); err == nil {
			t.Errorf("%+v was read", r)
		}
	}
}

func TestTell(t *testing.T) {
	m, err := relay.Tell("s", "", socket.LinePosition, 7, "")
	if want := (relay.Message{Queue: relay.Hints, Body: `{"type":"line.position","show":"s","version":7}`}); err != nil || m != want {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = relay.Tell("s", "b", socket.LineOffer, 7, "w_1")
	if want := (relay.Message{Queue: relay.Hints, Body: `{"type":"line.offer","show":"s","buyer":"b","version":7,"waiter":"w_1"}`}); err != nil || m != want {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err = relay.Tell("s", "", socket.LineOffer, 7, "w_1"); !errors.Is(err, relay.ErrHint) {
		t.Errorf("an offer to everybody: %v", err)
	}
}

func TestTellLater(t *testing.T) {
	h := socket.Hint{Kind: socket.SeatmapChanged, Show: "s", Due: 1, Only: []socket.ConnID{"c="}, Failed: 2}
	for _, tt := range []struct{ wait, want time.Duration }{{0, 0}, {time.Millisecond, time.Second}, {time.Second, time.Second}, {8 * time.Second, 8 * time.Second}} {
		m, err := relay.TellLater(h, tt.wait)
		if want := (relay.Message{Queue: relay.Hints, Delay: tt.want, Body: `{"type":"seatmap.changed","show":"s","due":1,"only":["c="],"failed":2}`}); err != nil || m != want {
			t.Errorf("%+v, %v", m, err)
		}
	}
	if _, err := relay.TellLater(socket.Hint{}, 0); !errors.Is(err, relay.ErrHint) {
		t.Errorf("no hint: %v", err)
	}
}
