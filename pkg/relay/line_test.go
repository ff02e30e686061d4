package relay_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/line"
	"github.com/fairseat/fairseat/pkg/relay"
	"github.com/fairseat/fairseat/pkg/store"
)

var hour, offerEnd = noon.Add(time.Hour), noon.Add(2 * time.Minute)

func waiter(st line.WaiterState) store.Item {
	it := store.Item{
		"pk": "WAITER#w_1", "sk": "WAITER", "state": st.String(), "show": "s", "buyer": "b", "party": int64(1), "types": store.Set{"regular"},
		"asked": noon.UnixMilli(), "exp": hour.UnixMilli(), "no": int64(7),
	}
	if st == line.Offered || st.Ended() {
		it["offer"], it["choice"], it["oexp"] = []any{"A-1|regular|0"}, store.Set{"regular"}, offerEnd.UnixMilli()
	}
	return it
}

// TestOfWaiter: who asks is to be numbered and has an hour, who is offered has a
// deadline, who ended it himself leaves something to tidy; what the lane itself
// writes wakes nobody.
func TestOfWaiter(t *testing.T) {
	joined := relay.Message{Queue: relay.Lane, Body: `{"show":"s","why":"join","waiter":"w_1"}`, Group: "s", Dedup: "21"}
	answered := relay.Message{Queue: relay.Lane, Body: `{"show":"s","why":"answered","waiter":"w_1"}`, Group: "s", Dedup: "21"}
	due := func(after time.Duration) relay.Message {
		return relay.Message{Queue: relay.Timers, Body: `{"waiter":"w_1"}`, Delay: after}
	}
	asked, waiting, offered := waiter(line.Asked), waiter(line.Waiting), waiter(line.Offered)
	passed := waiter(line.Waiting)
	passed["passed"] = int64(1)
	for _, tt := range []struct {
		name     string
		old, new store.Item
		want     []relay.Message
	}{
		{"asked", nil, asked, []relay.Message{joined, due(relay.MaxDelay)}},
		{"told of again", asked, asked, nil},
		{"offered, and told of again", offered, offered, nil},
		{"numbered", asked, waiter(line.Entering), nil},
		{"acknowledged with the number", asked, waiting, nil},
		{"acknowledged", waiter(line.Entering), waiting, nil},
		{"passed by somebody", waiting, passed, nil},
		{"offered", waiting, offered, []relay.Message{due(2*time.Minute + policy.Grace)}},
		{"offered at once", waiter(line.Entering), offered, []relay.Message{due(2*time.Minute + policy.Grace)}},
		{"accepted", offered, waiter(line.Accepted), []relay.Message{answered}},
		{"declined", offered, waiter(line.Declined), []relay.Message{answered}},
		{"left", waiting, waiter(line.Left), []relay.Message{answered}},
		{"lapsed", offered, waiter(line.Lapsed), nil},
		{"infeasible", waiting, waiter(line.Infeasible), nil},
		{"timed out", waiting, waiter(line.TimedOut), nil},
		{"a receipt that is gone", waiter(line.Left), nil, nil},
		{"an entry", nil, store.Item{"pk": "LINE#s", "sk": "W#0000000000007", "w": "w_1"}, nil},
		{"the line's state", nil, store.Item{"pk": "LINE#s", "sk": "STATE", "v": int64(1)}, nil},
		{"a place", nil, store.Item{"pk": "PLACE#b", "sk": "SHOW#s", "live": "w_1"}, nil},
	} {
		got, err := relay.OfWaiter(relay.Record{Old: tt.old, New: tt.new, Sequence: "21"}, policy.Grace, noon)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
	bad := waiter(line.Asked)
	bad["state"] = "asleep"
	if _, err := relay.OfWaiter(relay.Record{New: bad}, policy.Grace, noon); err == nil {
		t.Error("a waiter of an unknown state was read")
	}
}

// TestDueOf: an offer has a grace, a wait has none, an end has no deadline.
func TestDueOf(t *testing.T) {
	for st := line.Asked; st <= line.TimedOut; st++ {
		w, err := store.WaiterFromItem(waiter(st))
		if err != nil {
			t.Fatal(err)
		}
		want := hour
		switch {
		case st.Ended():
			want = time.Time{}
		case st == line.Offered:
			want = offerEnd.Add(policy.Grace)
		}
		if got := relay.DueOf(w, policy.Grace); !got.Equal(want) {
			t.Errorf("%s is due at %v, want %v", st, got, want)
		}
	}
}

// TestFreedSeat: the lane is woken by every seat that is for nobody from now on, and
// by nothing else that happens to one.
func TestFreedSeat(t *testing.T) {
	seat := func(who string) store.Item {
		it := store.Item{"pk": "LINE#s", "sk": "S#A-1", "type": "regular", "block": "0"}
		if who != "" {
			it["for"] = who
		}
		return it
	}
	for _, tt := range []struct {
		name     string
		old, new store.Item
		want     bool
	}{
		{"set aside by a release", nil, seat(""), true},
		{"given back by who was offered it", seat("w_1"), seat(""), true},
		{"set aside for him who is offered at once", nil, seat("w_1"), false},
		{"offered", seat(""), seat("w_1"), false},
		{"the same again", seat(""), seat(""), false},
		{"accepted", seat("w_1"), nil, false},
		{"drained", seat(""), nil, false},
		{"an entry", nil, store.Item{"pk": "LINE#s", "sk": "W#0000000000007"}, false},
		{"a gate", nil, store.Item{"pk": "GATE#s#1", "sk": "GATE"}, false},
		{"a waiter", nil, waiter(line.Asked), false},
	} {
		show, got := relay.FreedSeat(relay.Record{Old: tt.old, New: tt.new, Sequence: "21"})
		if got != tt.want || got && show != "s" {
			t.Errorf("%s: %v of %q, want %v", tt.name, got, show, tt.want)
		}
	}
}

// TestSoldHold: a sale is told once, of a hold that was paid in time and of one that
// late money has bought.
func TestSoldHold(t *testing.T) {
	held, sold := hold(booking.Held, 0), hold(booking.Sold, 0)
	for _, tt := range []struct {
		name     string
		old, new store.Item
		want     bool
	}{
		{"paid", held, sold, true},
		{"bought by late money", nil, sold, true},
		{"merged into an account", sold, sold, false},
		{"held", nil, held, false},
		{"blocked", nil, hold(booking.Blocked, 0), false},
		{"refunded", sold, hold(booking.Refunded, 1), false},
		{"gone", sold, nil, false},
	} {
		h, got, err := relay.SoldHold(relay.Record{Old: tt.old, New: tt.new, Sequence: "21"})
		if err != nil || got != tt.want || got && (h.ID != "h_1" || h.Show != "s") {
			t.Errorf("%s: %v of %+v, %v; want %v", tt.name, got, h, err, tt.want)
		}
	}
	bad := hold(booking.Sold, 0)
	delete(bad, "rev")
	if _, _, err := relay.SoldHold(relay.Record{New: bad}); err == nil {
		t.Error("half a hold was read")
	}
}

// TestNudge: those of one show within two seconds are one message, and the next
// two seconds repeat it.
func TestNudge(t *testing.T) {
	nudge := func(show string, who line.WaiterID, after time.Duration) relay.Message {
		t.Helper()
		ms, err := relay.Nudge("s", who, noon.Add(after))
		if err != nil || len(ms) != 1 || ms[0].Queue != relay.Lane || ms[0].Group != "s" || ms[0].Delay != 0 {
			t.Fatalf("%+v, %v", ms, err)
		}
		return ms[0]
	}
	first := nudge("s", "", 0)
	if first.Body != `{"show":"s","why":"sweep"}` {
		t.Errorf("body %s", first.Body)
	}
	if who := nudge("s", "w_1", 0); who.Body != `{"show":"s","why":"sweep","waiter":"w_1"}` || who.Dedup == first.Dedup {
		t.Errorf("of somebody %+v, of nobody %+v", who, first)
	}
	if again := nudge("s", "", 2*time.Second-time.Millisecond); again.Dedup != first.Dedup {
		t.Errorf("within two seconds %s and %s", first.Dedup, again.Dedup)
	}
	if later := nudge("s", "", 2*time.Second); later.Dedup == first.Dedup {
		t.Error("an event would be lost for five minutes")
	}
}

// TestAnyDeadline is in whole seconds, never after the deadline, never a second
// before it while the queue can wait that long, never past its limit.
func TestAnyDeadline(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ahead := time.Duration(rapid.Int64Range(-1e6, 1e7).Draw(rt, "ms")) * time.Millisecond
		w := line.Waiter{ID: "w_1", State: line.Waiting, ExpiresAt: noon.Add(ahead)}
		h := booking.Hold{ID: "h_1", ExpiresAt: noon.Add(ahead - policy.Grace)}
		of, err := relay.WaiterDeadline(w, policy.Grace, noon)
		if err != nil || len(of) != 1 || of[0].Queue != relay.Timers || of[0].Body != `{"waiter":"w_1"}` {
			rt.Fatalf("%+v, %v", of, err)
		}
		same, err := relay.HoldDeadline(h, policy, noon)
		if err != nil || same[0].Delay != of[0].Delay {
			rt.Fatalf("of a hold %+v, of a wait %+v", same, of)
		}
		d := of[0].Delay
		if d%time.Second != 0 || d < 0 || d > relay.MaxDelay || d > max(ahead, 0) || ahead < relay.MaxDelay && d+time.Second <= ahead {
			rt.Fatalf("%v for %v ahead", d, ahead)
		}
	})
}
