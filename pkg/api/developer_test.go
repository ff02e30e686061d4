package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

func (w *world) letIn(key string) bool {
	return authorize(w.t, w, withKey(key)).UsageIdentifierKey != ""
}

// TestKeysOfADeveloper is the life of keys, as their owner sees it.
func TestKeysOfADeveloper(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.account(1), w.account(2)
	w.expect(get("/developer").by(ann), 404, "not_found")
	w.expect(get("/developer/keys").by(ann), 404, "not_found")
	first := post("/developer/keys", `{"name":"A poster shop","accept_terms":true}`).by(ann).keyed("1")
	w.expect(post("/developer/keys", `{"name":"A poster shop"}`).by(ann).keyed("1"), 422, "terms_not_accepted")
	made := w.expect(first, 201, "")
	key := made.str("key")
	if again := w.expect(first, 201, ""); again.Body != made.Body {
		t.Errorf("again: %s\nfirst: %s", again.Body, made.Body)
	}
	w.expect(post("/developer/keys", `{"name":"other","accept_terms":true}`).by(ann).keyed("1"), 422, "idempotency_mismatch")
	if a := w.expect(get("/developer").by(ann), 200, ""); a.str("plan") != "free" || a.str("name") != "A poster shop" {
		t.Errorf("%s", a.Body)
	}
	if !w.letIn(key) || !strings.HasPrefix(key, made.str("prefix")) {
		t.Errorf("%s does not open", made.Body)
	}
	if a := w.expect(get("/developer/keys").by(ann), 200, ""); strings.Contains(a.Body, key) || !strings.Contains(a.Body, made.str("id")) {
		t.Errorf("listed: %s", a.Body)
	}
	path := "/developer/keys/" + made.str("id")
	for _, q := range []want{drop(path), post(path+"/rotations", `{}`).keyed("r")} {
		w.expect(q.by(bob), 404, "not_found")
	}
	rotate := post(path+"/rotations", `{"overlap_seconds":3600}`).by(ann).keyed("r")
	next := w.expect(rotate, 201, "")
	if again := w.expect(rotate, 201, ""); again.Body != next.Body || next.str("replaces") != made.str("id") || next.str("key") == key {
		t.Errorf("again: %s\nfirst: %s", again.Body, next.Body)
	}
	w.expect(post(path+"/rotations", `{}`).by(ann).keyed("another"), 409, "key_ended")
	if !w.letIn(key) || !w.letIn(next.str("key")) {
		t.Error("one of two keys does not open within the overlap")
	}
	w.pass(time.Hour)
	ann = w.account(1)
	if w.letIn(key) || !w.letIn(next.str("key")) {
		t.Error("the overlap does not end")
	}
	w.expect(drop("/developer/keys/"+next.str("id")).by(ann), 204, "")
	w.expect(drop("/developer/keys/"+next.str("id")).by(ann), 204, "")
	if w.letIn(next.str("key")) {
		t.Error("a revoked key opens")
	}
	if a := w.expect(get("/developer/keys").by(ann), 200, ""); !strings.Contains(a.Body, `"revoked"`) || !strings.Contains(a.Body, `"ended"`) {
		t.Errorf("listed: %s", a.Body)
	}
	w.pass(24*time.Hour + time.Second)
	if a := w.expect(get("/developer/keys").by(w.account(1)), 200, ""); strings.Contains(a.Body, "prefix") {
		t.Errorf("listed a day later: %s", a.Body)
	}
	w.expect(post("/developer/keys", `{"name":"A poster shop","accept_terms":true}`).by(w.account(1)).keyed("new"), 201, "")
}

// TestKeyIsShownForADay: a request that is repeated later is not answered.
func TestKeyIsShownForADay(t *testing.T) {
	w := newWorld(t)
	q := post("/developer/keys", `{"name":"n","accept_terms":true}`).keyed("1")
	w.expect(q.by(w.account(1)), 201, "")
	w.pass(24*time.Hour - time.Millisecond)
	w.expect(q.by(w.account(1)), 201, "")
	w.pass(time.Millisecond)
	w.expect(q.by(w.account(1)), 409, "key_shown")
}

func TestKeyLimit(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for n := range 10 {
		a := w.expect(post("/developer/keys", `{"name":"n","accept_terms":true}`).by(w.account(1)).keyed(fmt.Sprint(n)), 201, "")
		ids = append(ids, a.str("id"))
	}
	w.expect(post("/developer/keys", `{"name":"n"}`).by(w.account(1)).keyed("more"), 409, "key_limit_reached")
	w.expect(post("/developer/keys/"+ids[0]+"/rotations", `{"overlap_seconds":0}`).by(w.account(1)).keyed("r"), 201, "")
	w.expect(drop("/developer/keys/"+ids[1]).by(w.account(1)), 204, "")
	w.expect(post("/developer/keys", `{"name":"n"}`).by(w.account(1)).keyed("more"), 201, "")
	var listed int
	for next := "?limit=5"; next != ""; {
		a := w.expect(get("/developer/keys"+next).by(w.account(1)), 200, "")
		listed += len(a.doc["items"].([]any))
		if next = ""; a.str("next_cursor") != "" {
			next = "?limit=5&cursor=" + a.str("next_cursor")
		}
	}
	if listed != 12 {
		t.Errorf("%d keys on the pages, want 12", listed)
	}
}

func TestDeveloperRefusals(t *testing.T) {
	w := newWorld(t)
	w.developerKey(1)
	for _, q := range []want{
		get("/developer"), get("/developer/keys"), get("/developer/usage"), drop("/developer/keys/k"),
		post("/developer/keys", `{"name":"n"}`).keyed("k"), post("/developer/keys/k/rotations", `{}`).keyed("k"),
	} {
		w.expect(q, 401, "unauthorized")
		w.expect(q.by(w.guest()), 401, "unauthorized")
		w.expect(q.by("fsu1.x"), 401, "unauthorized")
	}
	ann := w.account(1)
	for _, body := range []string{
		`{}`, `{"name":""}`, `{"name":7}`, `{"name":" n"}`, `{"name":"a\u0000"}`, `{"name":"` + strings.Repeat("é", 101) + `"}`, `{"name":"n","accept_terms":"yes"}`, `{"name":"n","plan":"house"}`, `{"name":"n","name":"n"}`, `[]`, ``,
	} {
		w.expect(post("/developer/keys", body).by(ann).keyed("k"), 400, "bad_request")
	}
	w.expect(post("/developer/keys", `{"name":"`+strings.Repeat("é", 100)+`"}`).by(ann).keyed("k"), 201, "")
	for _, body := range []string{`{"overlap_seconds":-1}`, `{"overlap_seconds":86401}`, `{"overlap_seconds":"1"}`, `{"overlap_seconds":1.5}`, `{"name":"n"}`} {
		w.expect(post("/developer/keys/k/rotations", body).by(ann).keyed("r"), 400, "bad_request")
	}
	w.expect(post("/developer/keys", `{"name":"n"}`).by(ann), 400, "idempotency_key_required")
	for _, query := range []string{"from=x", "from=", "to=2026-02-30", "from=2026-03-02&to=2026-03-01", "from=2025-01-01", "days=3", "from=0000-01-01"} {
		w.expect(get("/developer/usage?"+query).by(ann), 400, "bad_request")
	}
	w.expect(get("/developer/keys?cursor=k_none").by(ann), 400, "bad_request")
}

// TestUsage: what instances counted, each for itself.
func TestUsage(t *testing.T) {
	w := newWorld(t)
	key := w.developerKey(1)
	doors := []Authorizer{w.door(), w.door()}
	call := func(n int, resource, method string) {
		for i := range n {
			through(t, doors[i%2], events.APIGatewayCustomAuthorizerRequestTypeRequest{
				Resource: resource, HTTPMethod: method, Headers: map[string]string{"X-Api-Key": key},
			})
		}
	}
	call(40, "/cities", "GET")
	call(19, "/shows/{show}/holds", "POST")
	w.pass(5 * time.Second)
	call(3, "/orders/{order}", "GET") // one of them, or two, are refused
	a := w.expect(get("/developer/usage").by(w.account(1)), 200, "")
	for _, part := range []string{`"from":"2026-01-31"`, `"to":"2026-03-01"`, `{"operation":"ListCities","count":40}`, `{"operation":"ReserveSeats","count":19}`} {
		if !strings.Contains(a.Body, part) {
			t.Errorf("no %s in %s", part, a.Body)
		}
	}
	w.pass(12 * time.Hour)
	call(2, "/cities", "GET")
	w.pass(5 * time.Second)
	call(2, "/cities", "GET")
	a = w.expect(get("/developer/usage?from=2026-03-01&to=2026-03-02").by(w.account(1)), 200, "")
	for _, part := range []string{
		`{"date":"2026-03-01","total":60,"refused":2,`, `{"operation":"ReadOrder","count":1}`, `{"date":"2026-03-02","total":4,"refused":0,"calls":[{"operation":"ListCities","count":4}]}`, `"month":{"limit":100000,"taken":64,`,
	} {
		if !strings.Contains(a.Body, part) {
			t.Errorf("no %s in %s", part, a.Body)
		}
	}
	if a := w.expect(get("/developer/usage?from=2026-03-02").by(w.account(1)), 200, ""); strings.Contains(a.Body, "2026-03-01\",\"total") {
		t.Errorf("%s", a.Body)
	}
}
