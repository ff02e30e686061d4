package api

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
)

// lined lets the lane run while anybody pauses, as if its queue had no delay.
func (w *world) lined(show catalog.ShowID, named *[]line.WaiterID) {
	running := false
	w.waits = func(d time.Duration) {
		if running {
			return
		}
		running = true
		defer func() { running = false }()
		w.pass(d)
		w.run(show, *named...)
	}
}

// run is one run of the lane.
func (w *world) run(show catalog.ShowID, named ...line.WaiterID) {
	w.t.Helper()
	must(w.t, w.office.RunLane(context.Background(), show, boxoffice.Wake{Named: named}))
}

// full has every seat of the show in hands: premium first, then all others.
func (w *world) full(show string) (token, premium string) {
	w.t.Helper()
	token = w.guest()
	premium = w.hold(token, show, "C-1", "C-2").str("id")
	other := w.guest()
	w.hold(other, show, "B-1", "B-2", "B-3", "B-4", "C-3", "C-4", "D-1", "D-2", "D-3", "D-4")
	w.hold(w.guest(), show, "A-1", "A-2", "A-3", "A-4")
	return token, premium
}

// join asks for a place and lets the lane write its number.
func (w *world) join(token, show, body string, status int, code string) answer {
	w.t.Helper()
	key := w.nextKey()
	ev, _ := post("/sessions", "").by(token).event()
	c := &call{edge: w.edge, event: &ev, route: Route{Buyer: true}, now: w.clock()}
	must(w.t, c.readBuyer())
	w.lined(catalog.ShowID(show), &[]line.WaiterID{boxoffice.WaiterIDFor(c.buyer, catalog.ShowID(show), key)})
	defer func() { w.waits = nil }()
	return w.expect(post("/shows/"+show+"/line", body).by(token).keyed(key), status, code)
}

func TestLine(t *testing.T) {
	w := newWorld(t)
	token, premium := w.full("open")
	ann, bob := w.guest(), w.guest()
	a := w.join(ann, "open", `{"seats":2,"types":["premium"]}`, 201, "")
	if a.str("state") != "waiting" || a.doc["number"] != 1.0 || a.doc["ahead"] != 0.0 || a.str("rule") != "strict" || a.str("rule_text") == "" ||
		a.str("expires_at") != "2026-03-01T13:00:00.000Z" || a.doc["seats"] != 2.0 || a.str("version") == "" || a.doc["offer"] != nil {
		t.Errorf("%s", a.Body)
	}
	place := "/line/" + a.str("id")
	if a.Headers["Location"] != "/v1"+place {
		t.Errorf("Location %q", a.Headers["Location"])
	}
	b := w.join(bob, "open", `{"types":["regular"],"seats":1}`, 201, "")
	if b.doc["number"] != 2.0 || b.doc["ahead"] != 1.0 {
		t.Errorf("%s", b.Body)
	}
	if got := w.expect(get(place).by(ann), 200, ""); fmt.Sprint(got.doc["waiting_for"]) != "map[needs:2 number:1 set_aside:0]" {
		t.Errorf("%s", got.Body)
	}
	w.expect(get(place).by(bob), 404, "not_found")
	w.expect(post(place+"/accept", `{}`).by(ann).keyed("k"), 409, "no_offer")
	w.expect(post(place+"/decline", `{}`).by(ann), 409, "no_offer")

	w.expect(drop("/holds/"+premium).by(token), 204, "")
	if c := w.expect(post("/shows/open/holds", `{"seats":["C-1"]}`).by(token).keyed("w"), 409, "seats_unavailable"); c.str("next") != "wait" || !strings.Contains(c.Body, `"line"`) {
		t.Errorf("a walk-up is told %s", c.Body)
	}
	w.run("open")
	got := w.expect(get(place).by(ann), 200, "")
	if got.str("state") != "offered" || fmt.Sprint(got.doc["offer"]) != "map[expires_at:2026-03-01T12:02:00.060Z seats_free_for_you:[C-1 C-2] seats_proposed:[C-1 C-2]]" &&
		!strings.Contains(fmt.Sprint(got.doc["offer"]), "seats_proposed:[C-1 C-2]") {
		t.Errorf("%s", got.Body)
	}
	if got.str("version") == a.str("version") {
		t.Error("the offer has not changed the version")
	}
	for body, code := range map[string]string{`{"seats":["C-1"]}`: "party_size", `{"seats":[]}`: "party_size", `{"seats":["C-1","Z-9"]}`: "unknown_seat", `{"seats":["C-1","C-1"]}`: "duplicate_seat"} {
		w.expect(post(place+"/accept", body).by(ann).keyed("bad"), 422, code)
	}
	no := w.expect(post(place+"/accept", `{"seats":["C-1","B-1"]}`).by(ann).keyed("bad"), 409, "seats_unavailable")
	if fmt.Sprint(no.doc["seats"]) != "[B-1]" || !strings.Contains(fmt.Sprint(no.doc["conflicts"]), "reason:held") {
		t.Errorf("%s", no.Body)
	}
	w.expect(post(place+"/accept", `{}`).by(bob).keyed("k"), 404, "not_found")
	w.expect(post(place+"/accept", `{}`).by(ann), 400, "idempotency_key_required")

	h := w.expect(post(place+"/accept", `{}`).by(ann).keyed("k"), 201, "")
	if h.str("state") != "held" || h.Headers["Location"] != "/v1/holds/"+h.str("id") {
		t.Errorf("%s", h.Body)
	}
	if again := w.expect(post(place+"/accept", `{ }`).by(ann).keyed("k"), 201, ""); again.str("id") != h.str("id") {
		t.Errorf("%s", again.Body)
	}
	w.expect(post(place+"/accept", `{"seats":["C-2","C-1"]}`).by(ann).keyed("k"), 422, "idempotency_mismatch")
	w.expect(post(place+"/accept", `{}`).by(ann).keyed("another"), 409, "no_offer")
	if got := w.expect(get(place).by(ann), 200, ""); got.str("state") != "accepted" || got.str("hold_id") != h.str("id") || got.doc["ahead"] != nil || got.doc["offer"] != nil {
		t.Errorf("%s", got.Body)
	}
	if got := w.expect(get("/holds/"+h.str("id")).by(ann), 200, ""); got.str("state") != "held" {
		t.Errorf("%s", got.Body)
	}
	if ahead := w.expect(get("/line/"+b.str("id")).by(bob), 200, "").doc["ahead"]; ahead != 1.0 && ahead != 0.0 {
		t.Errorf("ahead %v", ahead)
	}
}

// TestJoinIsAnsweredAgain: the same key and body have the same place, also after
// its end; another body does not.
func TestJoinIsAnsweredAgain(t *testing.T) {
	w := newWorld(t)
	w.full("open")
	ann := w.guest()
	q := post("/shows/open/line", `{"seats":1}`).by(ann).keyed("k")
	a := w.expect(q, 202, "") // no lane runs
	if a.str("state") != "joining" || a.doc["number"] != nil || a.doc["ahead"] != nil {
		t.Errorf("%s", a.Body)
	}
	w.run("open", line.WaiterID(a.str("id")))
	if b := w.expect(q, 201, ""); b.str("id") != a.str("id") || b.str("state") != "waiting" || b.doc["number"] != 1.0 {
		t.Errorf("%s", b.Body)
	}
	w.expect(post("/shows/open/line", `{"seats":1}`).by(ann).keyed("other"), 409, "already_waiting")
	q.body = ` { "seats" : 1 } `
	w.expect(q, 201, "")
	for _, body := range []string{`{"seats":2}`, `{"seats":1,"types":["regular"]}`} {
		other := q
		other.body = body
		w.expect(other, 422, "idempotency_mismatch")
	}
	for range 2 {
		w.expect(drop("/line/"+a.str("id")).by(ann), 204, "")
	}
	w.expect(drop("/line/"+a.str("id")).by(w.guest()), 404, "not_found")
	if b := w.expect(q, 201, ""); b.str("id") != a.str("id") || b.str("state") != "left" {
		t.Errorf("%s", b.Body)
	}
}

// TestJoinRefused: each refusal with all later ones standing too.
func TestJoinRefused(t *testing.T) {
	w := newWorld(t)
	line := func(show, body string) want { return post("/shows/"+show+"/line", body).by(w.guest()).keyed("k") }
	for _, body := range []string{`{}`, `{"seats":"1"}`, `{"seats":1.5}`, `{"seats":null}`, `{"seats":1,"x":2}`, `{"seats":1,"types":"regular"}`, `{"seats":1,"types":[1]}`, `[]`} {
		w.expect(line("open", body), 400, "bad_request")
	}
	w.expect(line("nowhere", `{"seats":1}`), 404, "not_found")
	for _, body := range []string{`{"seats":0}`, `{"seats":-1}`, `{"seats":11}`} {
		w.expect(line("open", body), 422, "party_size")
	}
	w.expect(line("open", `{"seats":1,"types":["box"]}`), 422, "unknown_type")
	w.expect(line("open", `{"seats":3,"types":["premium"]}`), 409, "infeasible")
	w.expect(line("open", `{"seats":2,"types":["premium"]}`), 409, "seats_free")
	w.expect(line("ahead", `{"seats":2}`), 409, "seats_free")
	w.expect(post("/shows/open/line", `{"seats":1}`).by(w.guest()), 400, "idempotency_key_required")
	w.expect(post("/shows/open/line", `{"seats":1}`).keyed("k"), 401, "unauthorized")
	w.full("over-soon")
	w.pass(time.Hour)
	if a := w.expect(line("over-soon", `{"seats":1}`), 409, "sales_closed"); a.str("opens_at") != "" {
		t.Errorf("%s", a.Body)
	}
	w.full("unlined")
	w.expect(line("unlined", `{"seats":1}`), 409, "no_line")
}

// TestCoolDown: two offers that were declined or ran out, by the clock of the
// server.
func TestCoolDown(t *testing.T) {
	w := newWorld(t)
	token, premium := w.full("open")
	ann := w.guest()
	place := "/line/" + w.join(ann, "open", `{"seats":2,"types":["premium"]}`, 201, "").str("id")
	w.expect(drop("/holds/"+premium).by(token), 204, "")
	w.run("open")
	for range 2 {
		w.expect(post(place+"/decline", ``).by(ann), 204, "")
	}
	if got := w.expect(get(place).by(ann), 200, ""); got.str("state") != "declined" || got.doc["offer"] != nil {
		t.Errorf("%s", got.Body)
	}
	w.run("open")
	w.hold(token, "open", "C-1", "C-2")
	a := w.join(ann, "open", `{"seats":2,"types":["premium"]}`, 201, "")
	place = "/line/" + a.str("id")
	w.pass(policy.Hold + policy.Grace)
	if got := w.expect(post("/shows/open/holds", `{"seats":["C-1"]}`).by(token).keyed("meets it"), 409, "seats_unavailable"); !strings.Contains(got.Body, `"line"`) {
		t.Errorf("%s", got.Body)
	}
	w.run("open")
	w.pass(line.Standard.Offer + line.Standard.Grace)
	w.expect(post(place+"/accept", `{}`).by(ann).keyed("late"), 409, "hold_expired")
	if got := w.expect(get(place).by(ann), 200, ""); got.str("state") != "lapsed" { // he meets his own deadline
		t.Errorf("%s", got.Body)
	}
	w.hold(w.guest(), "open", "C-1", "C-2")
	no := w.expect(post("/shows/open/line", `{"seats":2,"types":["premium"]}`).by(ann).keyed("again"), 409, "cool_down")
	until, err := time.Parse(time.RFC3339, no.str("until"))
	must(t, err)
	if want := w.clock().Add(line.Standard.CoolDown); !until.Equal(want) || no.str("server_time") == "" {
		t.Errorf("until %s, want %s: %s", until, want, no.Body)
	}
	w.pass(line.Standard.CoolDown)
	w.hold(w.guest(), "open", "C-1", "C-2") // theirs has expired meanwhile
	w.join(ann, "open", `{"seats":2,"types":["premium"]}`, 201, "")
}

// TestLongPoll: it is answered when the place changes, or when the wait is over.
func TestLongPoll(t *testing.T) {
	w := newWorld(t)
	token, premium := w.full("open")
	ann := w.guest()
	a := w.join(ann, "open", `{"seats":2,"types":["premium"]}`, 201, "")
	place := "/line/" + a.str("id")
	for _, query := range []string{"wait_seconds=26", "wait_seconds=-1", "wait_seconds=x", "wait_seconds=1.5", "wait_seconds=", "since=", "since=a&since=b", "until=x"} {
		w.expect(get(place+"?"+query).by(ann), 400, "bad_request")
	}
	var waited time.Duration
	w.waits = func(d time.Duration) { waited += d; w.pass(d) }
	for query, want := range map[string]time.Duration{
		"": 0, "?wait_seconds=25": 0, "?since=other": 0, "?since=%s&wait_seconds=0": 0, "?since=%s&wait_seconds=3": 3 * time.Second, "?since=%s": 25 * time.Second,
	} {
		version := w.expect(get(place).by(ann), 200, "").str("version")
		waited = 0
		w.expect(get(place+strings.ReplaceAll(query, "%s", version)).by(ann), 200, "")
		if waited != want {
			t.Errorf("%q waited %s, want %s", query, waited, want)
		}
	}
	version := w.expect(get(place).by(ann), 200, "").str("version")
	waited = 0
	w.waits = func(d time.Duration) {
		if waited += d; waited > 3*time.Second && premium != "" {
			w.waits = func(d time.Duration) { waited += d }
			w.expect(drop("/holds/"+premium).by(token), 204, "")
			w.run("open")
			premium = ""
		}
	}
	got := w.expect(get(place+"?since="+version+"&wait_seconds=25").by(ann), 200, "")
	if got.str("state") != "offered" || waited > 5*time.Second {
		t.Errorf("after %s: %s", waited, got.Body)
	}
}

// TestBoundedRule is told with its number.
func TestBoundedRule(t *testing.T) {
	w := newWorld(t)
	w.full("bounded")
	a := w.join(w.guest(), "bounded", `{"seats":1}`, 201, "")
	if a.str("rule") != "bounded" || a.doc["rule_passes"] != 2.0 || a.str("rule_text") != ruleTexts[line.Bounded] {
		t.Errorf("%s", a.Body)
	}
}
