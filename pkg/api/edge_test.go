package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/payment"
	"github.com/fairseat/fairseat/pkg/session"
	"github.com/fairseat/fairseat/pkg/store/memstore"
	"github.com/fairseat/fairseat/pkg/throttle"
)

func TestBuyer(t *testing.T) {
	w := newWorld(t)
	good := w.guest()
	q := get("/holds/h")
	for _, values := range [][]string{
		nil, {""}, {good}, {"Basic " + good}, {"Bearer"}, {"Bearer "}, {"Bearer " + good + "x"}, {"Bearer " + good + ", Bearer " + good},
		{"Bearer " + good, "Bearer " + good}, {"Bearer\t" + good},
	} {
		q := q
		for _, v := range values {
			q = q.with("Authorization", v)
		}
		a := w.expect(q, 401, "unauthorized")
		if !strings.HasPrefix(a.Headers["WWW-Authenticate"], "Bearer ") || strings.Contains(a.Body, good) {
			t.Errorf("%q: %v %s", values, a.Headers, a.Body)
		}
	}
	for _, v := range []string{"Bearer " + good, "bearer  " + good} {
		w.expect(q.with("authorization", v), 404, "not_found")
	}
	w.pass(session.Length)
	w.expect(q.by(good), 401, "unauthorized")
}

func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	q := post("/shows/open/holds", two).by(w.guest())
	w.expect(q, 400, "idempotency_key_required")
	w.expect(q.keyed(""), 400, "idempotency_key_required")
	for _, k := range []string{strings.Repeat("k", 129), "a\tb", "a\x7f", "é", "\x00"} {
		w.expect(q.keyed(k), 400, "bad_request")
	}
	w.expect(q.keyed("a").keyed("b"), 400, "bad_request")
	w.expect(q.with("idempotency-key", strings.Repeat("~", 128)), 201, "")
	w.expect(post("/holds/h/payments", `{"provider":"sandbox"}`).by(w.guest()), 400, "idempotency_key_required")
}

func TestBodies(t *testing.T) {
	w := newWorld(t)
	q := post("/shows/open/holds", "").by(w.guest()).keyed("k")
	for _, c := range []struct{ body, names string }{
		{``, "missing"}, {` `, "JSON"}, {`{`, "JSON"}, {`{"seats":["D-1"]} {}`, "JSON"}, {`{"seats":["D-1"],}`, "JSON"}, {`{'seats':[]}`, "JSON"},
		{`null`, "body"}, {`[]`, "body"}, {`"D-1"`, "body"}, {`{"seats":null}`, "seats"}, {`{"seats":"D-1"}`, "seats"}, {`{"seats":["D-1",null]}`, "seats[1]"},
		{`{"seats":["D-1",7]}`, "seats[1]"}, {`{"seats":[["D-1"]]}`, "seats[0]"}, {`{"Seats":["D-1"]}`, "Seats"}, {`{"seats":["D-1"],"seats":["D-1"]}`, "seats"},
		{`{"seats":["D-1"],"colour":"red"}`, "colour"}, {`{"seats":["D-1"],"best":{"count":1}}`, "best"}, {`{"seats":["D-1"],"best":null}`, "best"},
		{`{"best":{}}`, "best.count"}, {`{"best":{"count":"2"}}`, "best.count"}, {`{"best":{"count":2.0}}`, "best.count"}, {`{"best":{"count":2e0}}`, "best.count"},
		{`{"best":{"count":99999999999999999999}}`, "best.count"}, {`{"best":{"count":null}}`, "best.count"}, {`{"best":{"count":2,"count":2}}`, "best.count"},
		{`{"best":{"count":2,"type":"sofa"}}`, "best.type"}, {`{"best":{"count":2,"type":""}}`, "best.type"}, {`{"best":{"count":2,"type":null}}`, "best.type"},
		{`{"best":{"count":2,"row":"A"}}`, "best.row"}, {`{"best":[2]}`, "best"}, {`{"seats":["D-1"],"movie_id":null}`, "movie_id"},
		{`{"seats":["D-1"],"movie_id":""}`, "movie_id"}, {`{"seats":["D-1"],"movie_id":7}`, "movie_id"}, {"{\"seats\":[\"\xff\"]}", "UTF-8"},
		{strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20), "deeply"}, {`{"a b":1}`, `"a b"`}, {"\ufeff{}", "JSON"},
	} {
		q.body = c.body
		a := w.expect(q, 400, "bad_request")
		if !strings.Contains(a.str("detail"), c.names) {
			t.Errorf("%s: %q does not name %s", c.body, a.str("detail"), c.names)
		}
	}
	q.body = strings.Repeat(" ", maxBody-len(two)) + two
	w.expect(q, 201, "")
	q.body += " "
	w.expect(q, 413, "payload_too_large")
}

func TestBase64Bodies(t *testing.T) {
	w := newWorld(t)
	q := post("/shows/open/holds", base64.StdEncoding.EncodeToString([]byte(two))).by(w.guest()).keyed("k")
	q.base64 = true
	w.expect(q, 201, "")
	q.body = "?" + q.body
	w.expect(q, 400, "bad_request")
	q.body = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", maxBody+1)))
	w.expect(q, 413, "payload_too_large")
	q.body = base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", maxBody-len(two)) + two))
	w.expect(q, 201, "")
}

func TestContentType(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	for _, c := range []struct {
		types  []string
		status int
	}{
		{[]string{"application/json"}, 201}, {[]string{"Application/JSON; Charset=UTF-8"}, 201}, {[]string{`application/json;charset="utf-8"`}, 201},
		{[]string{"application/json;"}, 201}, {[]string{"application/json ; profile=a"}, 201}, {[]string{"application/json; charset=utf-8; charset=utf-16"}, 415},
		{[]string{"application/json;charset"}, 415}, {[]string{"application"}, 415}, {[]string{";application/json"}, 415},
		{nil, 415}, {[]string{""}, 415}, {[]string{"text/plain"}, 415}, {[]string{"application/jsonp"}, 415}, {[]string{"application/json;charset=latin1"}, 415},
		{[]string{"application/json, text/plain"}, 415}, {[]string{"application/json", "application/json"}, 415}, {[]string{"application/problem+json"}, 415},
	} {
		q := post("/shows/open/holds", two).by(token).keyed("k").without("Content-Type")
		for _, typ := range c.types {
			q = q.with("content-type", typ)
		}
		if a := w.do(q); a.StatusCode != c.status {
			t.Errorf("%q: %d, want %d", c.types, a.StatusCode, c.status)
		}
	}
}

// Each request has one more fault mended than the one before.
func TestOrderOfChecks(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	bad := want{method: "PUT", path: "/shows/" + strings.Repeat("x", 129) + "/holds?x=1", body: strings.Repeat("x", maxBody+1)}
	w.expect(bad, 404, "not_found")
	bad.method = "POST"
	w.expect(bad, 404, "not_found")
	bad.method, bad.path = "PUT", "/shows/none/holds?x=1"
	w.expect(bad, 405, "method_not_allowed")
	bad.method = "POST"
	w.expect(bad, 413, "payload_too_large")
	bad.body = "x"
	w.expect(bad, 415, "unsupported_media_type")
	bad = bad.with("Content-Type", "application/json")
	w.expect(bad, 401, "unauthorized")
	bad = bad.by(token)
	w.expect(bad, 400, "idempotency_key_required")
	bad = bad.keyed("k")
	if d := w.expect(bad, 400, "bad_request").str("detail"); !strings.Contains(d, "parameter") {
		t.Errorf("detail %q", d)
	}
	bad.path = "/shows/none/holds"
	if d := w.expect(bad, 400, "bad_request").str("detail"); !strings.Contains(d, "body") {
		t.Errorf("detail %q", d)
	}
	bad.body = two
	w.expect(bad, 404, "not_found")
	bad.path = "/shows/open/holds"
	w.expect(bad, 201, "")
}

func TestCommonHeaders(t *testing.T) {
	w := newWorld(t)
	for _, q := range []want{get("/cities"), get("/nothing"), get("/holds/h"), {method: "POST", path: "/sessions"}} {
		h := w.do(q).Headers
		for name, v := range map[string]string{
			"Date": "Sun, 01 Mar 2026 12:00:00 GMT", "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
			"Access-Control-Expose-Headers": "Date, ETag, Location, RateLimit, RateLimit-Policy, Retry-After",
		} {
			if h[name] != v {
				t.Errorf("%s: %s = %q", q.path, name, h[name])
			}
		}
	}
}

// An event for another function's route is refused like a path that leads nowhere.
func TestWrongWiring(t *testing.T) {
	w := newWorld(t)
	ev, _ := get("/cities").event()
	for _, fn := range []string{fnReadHold, fnDescribeAPI, ""} {
		resp, _ := w.handlers[fn](context.Background(), ev)
		if resp.StatusCode != 404 {
			t.Errorf("%s: %d", fn, resp.StatusCode)
		}
	}
	ev.HTTPMethod = "POST"
	resp, _ := w.handlers[fnBrowseCatalog](context.Background(), ev)
	if resp.StatusCode != 405 || resp.Headers["Allow"] != "GET" {
		t.Errorf("%d, Allow %q", resp.StatusCode, resp.Headers["Allow"])
	}
}

func TestInternalTellsNothing(t *testing.T) {
	w := newWorld(t)
	w.faults = func(memstore.Op) memstore.Fault { return memstore.LoseRequest }
	a := w.expect(get("/shows/open"), 500, "internal")
	if strings.Contains(a.Body, "store") || strings.Contains(a.Body, "memstore") {
		t.Errorf("%s", a.Body)
	}
	log := w.log.String()
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, "req-1") || !strings.Contains(log, "GET /shows/{show}") {
		t.Errorf("log %s", log)
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		code string
	}{
		{errTest, "internal"},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), "outcome_unknown"},
		{context.Canceled, "outcome_unknown"},
		{fault.New(fault.Internal, "already_paid", ""), "internal"},
		{fault.New(fault.Unknown, "busy", ""), "outcome_unknown"},
		{fault.New(fault.Stale, "", ""), "busy"},
		{fault.New(fault.Contended, "x", ""), "busy"},
		{fault.New(fault.Conflict, "of a later day", ""), "conflict"},
		{fault.New(fault.Invalid, "", ""), "invalid_request"},
		{fault.New(fault.NotFound, "", ""), "not_found"},
		{fault.New(fault.Forbidden, "bad_signature", ""), "forbidden"},
		{fmt.Errorf("x: %w", &booking.Refusal{Reason: booking.ErrSingleGap}), "single_gap"},
		{payment.ErrRefused, "payment_refused"},
		{fmt.Errorf("x: %w", errNotFound), "not_found"},
	} {
		d := docOf(c.err, noon)
		if d.Code != c.code || d.Status != problems[c.code].status || strings.Contains(d.Detail, "secret") {
			t.Errorf("%v: %+v, want %s", c.err, d, c.code)
		}
	}
	for k := fault.Internal; k <= fault.Forbidden; k++ {
		if _, ok := problems[kinds[k]]; !ok {
			t.Errorf("kind %d has no problem", k)
		}
	}
}

// The digest depends on what was asked, not on how it was written.
func TestDigest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seats := rapid.SliceOfN(rapid.StringMatching(`[A-Z]-[0-9]{1,2}`), 1, 5)
		a, b := seats.Draw(t, "a"), seats.Draw(t, "b")
		c := &call{route: routes[7], ids: [2]named{{"show", "s"}}}
		one, err := decodeHold(`{"seats":` + marshal(a) + `}`)
		if err != nil {
			t.Fatal(err)
		}
		two, err := decodeHold("{ \"seats\":\t" + strings.ReplaceAll(marshal(b), ",", " , ") + "}\n")
		if err != nil {
			t.Fatal(err)
		}
		same := strings.Join(a, " ") == strings.Join(b, " ")
		if (c.digest(canonical(one)) == c.digest(canonical(two))) != same {
			t.Fatalf("%v and %v", a, b)
		}
		other := *c
		other.ids = [2]named{{"show", "t"}}
		if c.digest(canonical(one)) == other.digest(canonical(one)) {
			t.Fatal("two shows have one digest")
		}
	})
}

func TestClockIsReadAtTheDoor(t *testing.T) {
	w := newWorld(t)
	token := w.guest()
	w.pass(session.Length - time.Second)
	w.expect(get("/holds/h").by(token), 404, "not_found")
	w.pass(time.Second)
	w.expect(get("/holds/h").by(token), 401, "unauthorized")
}

// TestTooMany: whoever comes too often is told when, in whole seconds, and not why.
func TestTooMany(t *testing.T) {
	for wait, want := range map[time.Duration]string{time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Hour: "3600"} {
		r := refused(fmt.Errorf("log in: %w", &throttle.Refusal{Wait: wait}), time.Time{})
		if r.status != 429 || r.header["Retry-After"] != want || r.doc.(problemDoc).Code != "too_many_requests" {
			t.Errorf("%v: %+v", wait, r)
		}
	}
}
