package hub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

func TestTicketOpensOnce(t *testing.T) {
	w := newWorld(t)
	text := w.ticket(mine, time.Hour)
	w.ok(w.Connect(t.Context(), "one=", text))
	for _, bad := range []string{text, "", "fst1.", w.ticket(mine, 0), "fst1." + strings.Repeat("A", 43)} {
		if err := w.Connect(t.Context(), "two=", bad); !errors.Is(err, socket.ErrTicket) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	late := w.ticket(mine, time.Hour)
	w.pass(time.Minute)
	if err := w.Connect(t.Context(), "two=", late); !errors.Is(err, socket.ErrTicket) {
		t.Errorf("a minute later: %v", err)
	}
	if c, err := w.board.Conn(t.Context(), "one="); err != nil || c.Buyer != mine || !c.Until.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v, %v", c, err)
	}
	if w.rows(t) != 1 {
		t.Errorf("%d rows", w.rows(t))
	}
}

// TestTicketRace: of many who come with one ticket at once, one gets in.
func TestTicketRace(t *testing.T) {
	w := newWorld(t)
	text := w.ticket(mine, time.Hour)
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = w.Connect(t.Context(), socket.ConnID(fmt.Sprint("c", i)), text) })
	}
	wg.Wait()
	in := 0
	for _, err := range errs {
		if err == nil {
			in++
		}
	}
	if in != 1 || w.rows(t) != 1 {
		t.Errorf("%d got in: %v", in, errs)
	}
}

// TestTicketIsNotStored: nothing that is kept is the ticket or a part of it.
func TestTicketIsNotStored(t *testing.T) {
	w := newWorld(t)
	text := w.ticket(mine, time.Hour)
	w.ok(w.Connect(t.Context(), "one=", text))
	for _, r := range w.db.Records(store.Sockets, "") {
		if s := fmt.Sprintf("%v %v", r.Key, r.New); strings.Contains(s, text[5:20]) {
			t.Errorf("stored: %s", s)
		}
	}
	if len(w.db.Records(store.Sockets, "")) == 0 {
		t.Error("nothing was looked at")
	}
}

// TestOldSocketsMakeRoom: a buyer has eight, and the oldest is out of all lists.
func TestOldSocketsMakeRoom(t *testing.T) {
	w := newWorld(t)
	for i := range socket.MaxOpen + 1 {
		id := socket.ConnID(fmt.Sprintf("c%d", i))
		w.open(mine, id)
		w.watches(id, show)
		w.pass(time.Second)
	}
	open, err := w.board.OfBuyer(t.Context(), mine)
	if err != nil || len(open) != socket.MaxOpen || open[0].ID != "c1" || w.rows(t) != 2*socket.MaxOpen {
		t.Errorf("%d open, %d rows, %v", len(open), w.rows(t), err)
	}
	if got := w.says("c0", `{"action":"ping"}`); got != "" || fmt.Sprint(w.closed) != "[c0]" {
		t.Errorf("who made room heard %q, closed %v", got, w.closed)
	}
}

func TestReceive(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c=")
	if got := w.says("c=", `{"action":"ping"}`); got != `c= {"type":"pong","server_time":"2030-05-01T12:00:00.000Z"}` {
		t.Error(got)
	}
	w.saveMap(41)
	if got := w.says("c=", `{"action":"watch","show_id":"solaris"}`); got != `c= {"type":"seatmap.changed","show_id":"solaris","version":"41","server_time":"2030-05-01T12:00:00.000Z"}` {
		t.Error(got)
	}
	if got := w.says("c=", `{"action":"watch","show_id":"other"}`); !strings.Contains(got, `"show_id":"other","version":"0"`) {
		t.Error(got)
	}
	if w.rows(t) != 3 {
		t.Errorf("%d rows", w.rows(t))
	}
	if got := w.says("c=", `{"action":"unwatch","show_id":"other"}`); got != "" || w.rows(t) != 2 {
		t.Errorf("%q, %d rows", got, w.rows(t))
	}
	if got := w.says("c=", `nonsense`); got != `c= {"type":"error","code":"bad_request"}` {
		t.Error(got)
	}
	w.ok(w.Close(t.Context(), "c="))
	w.ok(w.Close(t.Context(), "c=")) // OneEffect
	if w.rows(t) != 0 {
		t.Errorf("%d rows", w.rows(t))
	}
}

func TestTooManyErrorsClose(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	w.watches("c", show)
	for range socket.MaxErrors {
		if len(w.closed) > 0 {
			t.Fatal("closed too early")
		}
		w.says("c", "{")
		w.pass(time.Second)
	}
	if fmt.Sprint(w.closed) != "[c]" || w.rows(t) != 0 {
		t.Errorf("closed %v, %d rows", w.closed, w.rows(t))
	}
}

func TestTooManyMessagesClose(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	for range socket.Burst {
		w.says("c", `{"action":"ping"}`)
	}
	if len(w.closed) > 0 {
		t.Fatal("closed too early")
	}
	if got := w.says("c", `{"action":"ping"}`); !strings.Contains(got, "quota_exceeded") || fmt.Sprint(w.closed) != "[c]" || w.rows(t) != 0 {
		t.Errorf("%s, closed %v", got, w.closed)
	}
}

// TestMessagesAtOnce: the gateway runs messages of one socket side by side; each is
// counted, and none undoes another.
func TestMessagesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	w.open(mine, "c")
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			for {
				errs[i] = w.Receive(t.Context(), "c", fmt.Sprintf(`{"action":"watch","show_id":"s%d"}`, i))
				if errs[i] == nil || t.Context().Err() != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	c, err := w.board.Conn(t.Context(), "c")
	if err != nil || fmt.Sprint(c.Shows) != "[s0 s1 s2 s3]" || c.Rev != 5 {
		t.Errorf("%+v, %v, %v", c, err, errors.Join(errs...))
	}
}

func TestAuthorize(t *testing.T) {
	w := newWorld(t)
	w.ok(w.Connect(t.Context(), "c", w.ticket(mine, 10*time.Minute)))
	w.watches("c", show)
	w.pass(9 * time.Minute)
	others := w.ticket(yours, time.Hour)
	if got := w.says("c", `{"action":"authorize","ticket":"`+others+`"}`); got != `c {"type":"error","code":"unauthorized"}` {
		t.Error(got)
	}
	w.ok(w.Connect(t.Context(), "d", others)) // it was not used up
	again := w.ticket(mine, time.Hour)
	if got := w.says("c", `{"action":"authorize","ticket":"`+again+`"}`); !strings.Contains(got, `"authorized","expires_at":"2030-05-01T13:09:00.000Z"`) {
		t.Error(got)
	}
	if got := w.says("c", `{"action":"authorize","ticket":"`+again+`"}`); got != `c {"type":"error","code":"unauthorized"}` {
		t.Errorf("a second time: %s", got)
	}
	w.pass(50 * time.Minute)
	if who := w.tells(socket.Hint{Kind: socket.SeatmapChanged, Show: show}); who != "c" {
		t.Errorf("heard by %q", who)
	}
	w.pass(10 * time.Minute)
	w.says("c", `{"action":"ping"}`)
	if fmt.Sprint(w.closed) != "[c]" || w.rows(t) != 1 {
		t.Errorf("past its time: closed %v, %d rows", w.closed, w.rows(t))
	}
}

// TestReplyToNobody: who has gone in the meantime is forgotten.
func TestReplyToNobody(t *testing.T) {
	w := newWorld(t)
	w.open(mine, "c")
	w.status["c"] = http.StatusGone
	w.says("c", `{"action":"ping"}`)
	if w.rows(t) != 0 {
		t.Errorf("%d rows", w.rows(t))
	}
	w.open(mine, "d")
	w.status["d"] = http.StatusTooManyRequests
	if err := w.Receive(t.Context(), "d", `{"action":"ping"}`); err == nil || w.rows(t) != 1 {
		t.Errorf("%v, %d rows", err, w.rows(t))
	}
}

// TestUnknownOutcomes: a request that fails changes nothing, or all of it.
func TestUnknownOutcomes(t *testing.T) {
	for _, f := range []memstore.Fault{memstore.Throttle, memstore.LoseRequest, memstore.LoseReply} {
		w := newWorld(t)
		w.open(mine, "c")
		w.faults = func(op memstore.Op) memstore.Fault { return f }
		if err := w.Receive(t.Context(), "c", `{"action":"watch","show_id":"solaris"}`); err == nil {
			t.Errorf("fault %d: no error", f)
		}
		w.faults = nil
		c, err := w.board.Conn(t.Context(), "c")
		if err != nil || len(c.Shows) != w.rows(t)-1 {
			t.Errorf("fault %d: watches %v, %d rows, %v", f, c.Shows, w.rows(t), err)
		}
		w.watches("c", show)
		if c, err = w.board.Conn(t.Context(), "c"); err != nil || fmt.Sprint(c.Shows) != fmt.Sprint([]catalog.ShowID{show}) || w.rows(t) != 2 {
			t.Errorf("fault %d: watches %v, %v", f, c.Shows, err)
		}
	}
}
