package hub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/socket/hub"
)

var changed = socket.Hint{Kind: socket.SeatmapChanged, Show: show}

// TestWhoIsTold: a buyer's own words reach all his sockets and nobody else; a show's
// reach those who watch it.
func TestWhoIsTold(t *testing.T) {
	w := newWorld(t)
	for _, id := range []socket.ConnID{"m1", "m2"} {
		w.open(mine, id)
	}
	w.open(yours, "y1")
	w.open(yours, "y2")
	w.watches("m1", show)
	w.watches("y1", show)
	w.watches("y2", "other")
	for _, tt := range []struct {
		h    socket.Hint
		want string
	}{
		{socket.Hint{Kind: socket.HoldSold, Show: show, Buyer: mine, Hold: "h"}, "m1 m2"},
		{socket.Hint{Kind: socket.LineOffer, Show: "third", Buyer: yours, Waiter: "w"}, "y1 y2"},
		{changed, "m1 y1"},
		{socket.Hint{Kind: socket.LinePosition, Show: "other", Version: 3}, "y2"},
		{socket.Hint{Kind: socket.LinePosition, Show: "third", Version: 3}, ""},
		{socket.Hint{Kind: socket.HoldSold, Show: show, Buyer: "g_nobody"}, ""},
	} {
		if who := w.tells(tt.h); who != tt.want {
			t.Errorf("%+v: %q, want %q", tt.h, who, tt.want)
		}
	}
	if _, err := w.Tell(t.Context(), socket.Hint{Kind: socket.HoldSold, Show: show}); !errors.Is(err, hub.ErrHint) {
		t.Errorf("a sale to everybody: %v", err)
	}
	w.says("y1", `{"action":"unwatch","show_id":"solaris"}`)
	w.pass(time.Second)
	if who := w.tells(changed); who != "m1" {
		t.Errorf("after unwatch: %q", who)
	}
}

// TestNobodyWatches costs one read and no write, as for nearly every show.
func TestNobodyWatches(t *testing.T) {
	w := newWorld(t)
	w.tells(changed)
	if p, err := w.board.Pace(t.Context(), show, socket.SeatmapChanged); err != nil || p.Rev != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	w.open(mine, "c")
	w.watches("c", show)
	w.pass(socket.Litness) // later than any socket that was opened then can live
	w.tells(changed)
	if p, err := w.board.Pace(t.Context(), show, socket.SeatmapChanged); err != nil || p.Rev != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestLaterWatchersKeepAShowLit though it was lit before they came.
func TestLaterWatchersKeepAShowLit(t *testing.T) {
	w := newWorld(t)
	w.open(yours, "first")
	w.watches("first", show)
	for i := range 5 {
		w.pass(time.Hour)
		id := socket.ConnID(fmt.Sprint("c", i))
		w.open(mine, id)
		w.watches(id, show)
		w.pass(59 * time.Minute)
		if who := w.tells(changed); !strings.Contains(who, string(id)) {
			t.Fatalf("after %d hours: %q", 2*(i+1), who)
		}
	}
}

// TestPaceOfAShow: the first change is told at once, those of the next second in
// one message, with the version that the map has by then.
func TestPaceOfAShow(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	w.watches("c", show)
	w.saveMap(1)
	if who := w.tells(changed); who != "c" {
		t.Fatalf("the first: %q", who)
	}
	for v := range int64(5) {
		w.pass(100 * time.Millisecond)
		w.saveMap(2 + v)
		if who := w.tells(changed); who != "" {
			t.Fatalf("too soon: %q", who)
		}
	}
	if len(w.later) != 1 || w.later[0].wait != 900*time.Millisecond || w.later[0].hint.Due != noon.Add(time.Second).UnixMilli() {
		t.Fatalf("put off: %+v", w.later)
	}
	w.pass(time.Second)
	if who := w.tells(w.later[0].hint); who != "c" || !strings.Contains(w.heard[0], `"version":"6"`) {
		t.Errorf("put off: %q, %v", who, w.heard)
	}
	if who := w.tells(w.later[0].hint); who != "" {
		t.Errorf("here again, too soon: %q", who)
	}
	// Kinds and shows have each their own.
	if who := w.tells(socket.Hint{Kind: socket.LinePosition, Show: show, Version: 1}); who != "c" {
		t.Errorf("another kind: %q", who)
	}
}

// TestNewestPlaceInLine: what was left to the message on its way comes with it.
func TestNewestPlaceInLine(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	w.watches("c", show)
	for v := range int64(4) {
		w.tells(socket.Hint{Kind: socket.LinePosition, Show: show, Version: 7 + v})
		w.pass(time.Millisecond)
	}
	w.pass(2 * time.Second)
	if who := w.tells(w.later[0].hint); who != "c" || !strings.Contains(w.heard[0], `"version":"10"`) {
		t.Errorf("%q, %v", who, w.heard)
	}
}

// TestPutOffFails: the message comes again, so that nothing is lost.
func TestPutOffFails(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	w.watches("c", show)
	w.tells(changed)
	away := errors.New("the queue is away")
	w.Later = func(context.Context, socket.Hint, time.Duration) error { return away }
	if _, err := w.Tell(t.Context(), changed); !errors.Is(err, away) {
		t.Errorf("%v", err)
	}
	w.pass(time.Minute)
	if who := w.tells(changed); who != "c" {
		t.Errorf("when it comes again: %q", who)
	}
}

func TestExpiringIsTrueWhenItIsTold(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	h := w.hold("h_1")
	hint := socket.Hint{Kind: socket.HoldExpiring, Show: show, Buyer: mine, Hold: h.ID, Version: 1}
	w.pass(4 * time.Minute)
	if who := w.tells(hint); who != "c" || !strings.Contains(w.heard[0], `"hold_id":"h_1"`) {
		t.Errorf("%q, %v", who, w.heard)
	}
	w.pass(time.Minute)
	if who := w.tells(hint); who != "" {
		t.Errorf("when it is over: %q", who)
	}
	w.pass(-time.Minute)
	ended := h
	ended.State, ended.EndedAt, ended.Rev = booking.Released, w.clock(), 2
	w.ok(w.store.Release(t.Context(), booking.Ending{Was: h, Hold: ended, Free: h.Seats}, nil))
	if who := w.tells(hint); who != "" {
		t.Errorf("when it was given back: %q", who)
	}
	hint.Hold = "h_none"
	if who := w.tells(hint); who != "" {
		t.Errorf("of no hold: %q", who)
	}
}

// TestTheGoneAreForgotten, from every list, but for those whose handshake the
// gateway may not have answered yet.
func TestTheGoneAreForgotten(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "old")
	w.watches("old", show)
	w.pass(socket.Handshake)
	w.open(mine, "young")
	w.watches("young", show)
	w.status["old"], w.status["young"] = http.StatusGone, http.StatusGone
	told, err := w.Tell(t.Context(), changed)
	if err != nil || told != (hub.Told{Gone: 1, Failed: 1}) || w.rows(t) != 2 {
		t.Errorf("%+v, %v, %d rows", told, err, w.rows(t))
	}
	if len(w.later) != 1 || fmt.Sprint(w.later[0].hint.Only) != "[young]" {
		t.Fatalf("%+v", w.later)
	}
	delete(w.status, "young")
	if who := w.tells(w.later[0].hint); who != "young" {
		t.Errorf("there at last: %q", who)
	}
	w.pass(socket.Handshake)
	w.status["young"] = http.StatusGone
	w.tells(socket.Hint{Kind: socket.HoldSold, Show: show, Buyer: mine})
	if w.rows(t) != 0 {
		t.Errorf("%d rows", w.rows(t))
	}
}

// TestALostRowIsForgotten: the list's line outlived its connection.
func TestALostRowIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	c, err := w.board.Conn(t.Context(), "c")
	w.ok(err)
	c.Shows = nil
	w.watches("c", show)
	now, err := w.board.Conn(t.Context(), "c")
	w.ok(err)
	c.Rev = now.Rev
	w.ok(w.board.Remove(t.Context(), c)) // as if it had not known of the watch
	w.pass(socket.Handshake)
	w.status["c"] = http.StatusGone
	w.tells(changed)
	if w.rows(t) != 0 {
		t.Errorf("%d rows", w.rows(t))
	}
}

// TestPastItsTime: a socket whose session is over is told nothing and closed.
func TestPastItsTime(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Connect(t.Context(), "c", w.ticket(mine, 10*time.Minute)))
	w.watches("c", show)
	w.open(yours, "d")
	w.watches("d", show)
	w.pass(10 * time.Minute)
	if who := w.tells(changed); who != "d" || fmt.Sprint(w.closed) != "[c]" || w.rows(t) != 2 {
		t.Errorf("heard by %q, closed %v, %d rows", who, w.closed, w.rows(t))
	}
}

// TestOnlyTheFailedAreTriedAgain, a few times.
func TestOnlyTheFailedAreTriedAgain(t *testing.T) {
	w := newWorld(t)
	for _, id := range []socket.ConnID{"a", "b", "c"} {
		w.open(mine, id)
		w.watches(id, show)
	}
	w.status["b"] = http.StatusTooManyRequests
	if who := w.tells(changed); who != "a c" {
		t.Errorf("told %q", who)
	}
	var waits []time.Duration
	for n := 0; n < len(w.later); n++ {
		p := w.later[n]
		waits = append(waits, p.wait)
		if fmt.Sprint(p.hint.Only) != "[b]" {
			t.Errorf("again to %v", p.hint.Only)
		}
		w.pass(p.wait)
		if who := w.tells(p.hint); who != "" {
			t.Errorf("told %q", who)
		}
	}
	if !slices.Equal(waits, []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second}) {
		t.Errorf("tried again after %v", waits)
	}
	w.later = nil
	w.pass(time.Minute)
	w.tells(changed)
	delete(w.status, "b")
	w.says("b", `{"action":"unwatch","show_id":"solaris"}`)
	if who := w.tells(w.later[0].hint); who != "" {
		t.Errorf("who watches no more heard: %q", who)
	}
}

// TestManyWatchers are all told once, and those who fail are named in few messages.
func TestManyWatchers(t *testing.T) {
	w := newWorld(t)
	const many = 300
	for i := range many {
		id := socket.ConnID(fmt.Sprintf("c%03d", i))
		w.open(booking.Buyer(fmt.Sprint("g_", i)), id)
		w.watches(id, show)
	}
	told, err := w.Tell(t.Context(), changed)
	if err != nil || told != (hub.Told{Told: many}) {
		t.Errorf("%+v, %v", told, err)
	}
	for i := range many {
		w.status[fmt.Sprintf("c%03d", i)] = http.StatusInternalServerError
	}
	w.pass(time.Second)
	told, err = w.Tell(t.Context(), changed)
	if err != nil || told != (hub.Told{Failed: many}) || len(w.later) != 3 {
		t.Errorf("%+v, %v, %d messages", told, err, len(w.later))
	}
}
