package api

import (
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

func TestOpenSocket(t *testing.T) {
	w := newWorld(t)
	mine, yours := w.guest(), w.guest()
	ask := func(token, key string) want {
		return want{method: "POST", path: "/socket-tickets"}.by(token).keyed(key)
	}
	a := w.expect(ask(mine, "k"), 201, "")
	ticket := a.str("ticket")
	if !strings.HasPrefix(ticket, "fst1.") || a.str("url") != "ws://sockets.test/v1?ticket="+ticket ||
		a.str("expires_at") != wireTime(noon.Add(time.Minute)) || a.str("server_time") != wireTime(noon) {
		t.Errorf("%s", a.Body)
	}
	w.pass(10 * time.Minute)
	if b := w.expect(ask(mine, "k"), 201, ""); b.str("ticket") != ticket || b.str("expires_at") != a.str("expires_at") {
		t.Errorf("the same key has another answer: %s, then %s", a.Body, b.Body)
	}
	for _, q := range []want{ask(mine, "k2"), ask(yours, "k")} {
		if b := w.expect(q, 201, ""); b.str("ticket") == ticket || b.str("expires_at") != wireTime(noon.Add(11*time.Minute)) {
			t.Errorf("another's ticket: %s", b.Body)
		}
	}
	w.expect(want{method: "POST", path: "/socket-tickets"}.keyed("k"), 401, "unauthorized")
	w.expect(want{method: "POST", path: "/socket-tickets"}.by(mine), 400, "idempotency_key_required")
	w.expect(post("/socket-tickets", `{}`).by(mine).keyed("k"), 201, "")
	w.expect(post("/socket-tickets", `{"show_id":"s"}`).by(mine).keyed("k"), 400, "bad_request")
	w.expect(want{method: "POST", path: "/socket-tickets?ticket=x"}.by(mine).keyed("k"), 400, "bad_request")
}

// TestSocketTicketEndsWithItsSession: asked for in the session's last minute.
func TestSocketTicketEndsWithItsSession(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	w.pass(session.Length - 20*time.Second)
	q := want{method: "POST", path: "/socket-tickets"}.by(token).keyed("k")
	if a := w.expect(q, 201, ""); a.str("expires_at") != wireTime(noon.Add(session.Length)) {
		t.Errorf("%s", a.Body)
	}
	w.pass(20 * time.Second)
	w.expect(q, 401, "unauthorized")
}

// TestSocketTicketIsNotLogged, also where the request failed.
func TestSocketTicketIsNotLogged(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	q := want{method: "POST", path: "/socket-tickets"}.by(token).keyed("k")
	w.faults = func(memstore.Op) memstore.Fault { return memstore.LoseReply }
	w.expect(q, 503, "outcome_unknown")
	w.faults = nil
	ticket := w.expect(q, 201, "").str("ticket")
	if w.log.Len() == 0 || strings.Contains(w.log.String(), ticket[10:20]) {
		t.Errorf("log: %s", w.log.String())
	}
}
