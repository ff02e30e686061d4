package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/pkg/session"
)

// request is one call as it is sent; the zero values are a well-formed one.
type request struct {
	name   string
	method string // "" is GET
	path   string
	header http.Header // added to, or with no values taken from, the usual ones
	body   string
	status int
	code   string
}

// ask sends the request as the buyer's device would, with what the request changes.
func (b *buyer) ask(r request) apiclient.Reply {
	b.t.Helper()
	if r.method == "" {
		r.method = http.MethodGet
	}
	h := http.Header{}
	if r.method == http.MethodPost {
		h.Set("Content-Type", "application/json")
		h.Set("Idempotency-Key", "key of "+r.name)
	}
	for name, v := range r.header {
		h[name] = v
	}
	got, err := b.Do(b.ctx(), r.method, r.path, h, []byte(r.body))
	must(b.t, err)
	return got
}

// refuses holds an answer against the request's status and code, and against what
// every refusal has (RFC 9457).
func refuses(t *testing.T, r request, got apiclient.Reply) *apiclient.Problem {
	t.Helper()
	p, ok := got.Problem().(*apiclient.Problem)
	if !ok {
		t.Fatalf("%s: %v", r.name, got.Problem())
	}
	if p.Status != r.status || p.Code != r.code {
		t.Fatalf("%s: %d %s (%s), wanted %d %s", r.name, p.Status, p.Code, p.Detail, r.status, r.code)
	}
	if p.Type == "" || p.Title == "" || p.Detail == "" || got.Header.Get("Date") == "" {
		t.Errorf("%s: problem %+v lacks a member, or Date", r.name, p)
	}
	return p
}

func each(t *testing.T, b *buyer, requests []request) {
	t.Helper()
	for _, r := range requests {
		refuses(t, r, b.ask(r))
	}
}

func TestBadBodies(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b := guest(t)
	holds := "/shows/" + string(s.ID) + "/holds"
	hold := b.hold(s, s.regular(t, 1, 0)...)
	seat := s.regular(t, 1, 1)[0]
	var rs []request
	for _, body := range []string{
		``, ` `, `{`, `null`, `[]`, `"A-1"`, `7`, `{"seats":["A-1"]} {}`, `{"seats":["A-1"]}]`,
		`{"seats":null}`, `{"seats":"A-1"}`, `{"seats":{}}`, `{"seats":[7]}`, `{"seats":[null]}`, `{"seats":[["A-1"]]}`,
		`{"Seats":["A-1"]}`, `{"seats":["A-1"],"extra":1}`, `{"seats":["A-1"],"seats":["A-2"]}`,
		`{"seats":["A-1"],"best":{"count":1}}`, `{"best":null}`, `{"best":[]}`, `{"best":{}}`, `{"best":{"type":"regular"}}`,
		`{"best":{"count":"2"}}`, `{"best":{"count":2.5}}`, `{"best":{"count":2e0}}`, `{"best":{"count":99999999999999999999}}`,
		`{"best":{"count":2,"count":3}}`, `{"best":{"count":2,"type":"box"}}`, `{"best":{"count":2,"type":7}}`,
		`{"best":{"count":2,"row":"A"}}`, `{"seats":["` + seat + `"],"movie_id":7}`, `{"seats":["` + seat + `"],"movie_id":""}`,
		"{\"seats\":[\"A-1\n\"]}", `{"seats":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
	} {
		rs = append(rs, request{name: "hold " + body, method: "POST", path: holds, body: body, header: http.Header{"Idempotency-Key": {"k"}}, status: 400, code: "bad_request"})
	}
	for _, body := range []string{
		``, `{}`, `[]`, `{"provider":7}`, `{"provider":""}`, `{"provider":"cash"}`, `{"provider":"alipay","outcome":"success"}`,
		`{"provider":"sandbox","outcome":"free"}`, `{"provider":"sandbox","outcome":1}`, `{"provider":"sandbox","amount":1}`,
		`{"provider":"sandbox","provider":"sandbox"}`, `{"Provider":"sandbox"}`,
	} {
		rs = append(rs, request{name: "pay " + body, method: "POST", path: "/holds/" + hold.ID + "/payments", body: body, header: http.Header{"Idempotency-Key": {"k"}}, status: 400, code: "bad_request"})
	}
	each(t, b, rs)
}

func TestBadParameters(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b := guest(t)
	times := "/movies/interstellar-2014/showtimes?city=beijing-cn"
	var rs []request
	for _, path := range []string{
		"/cities?limit=0", "/cities?limit=101", "/cities?limit=-1", "/cities?limit=x", "/cities?limit=1.0", "/cities?limit=", "/cities?limit=007",
		"/cities?limit=5&limit=6", "/cities?cursor=", "/cities?cursor=made-up", "/cities?q=" + strings.Repeat("x", 201),
		"/cities?q=%zz", "/cities?order=name", "/cities?Q=x", "/cities/shanghai-cn/movies?limit=0", "/cities/shanghai-cn/movies?cursor=e30",
		"/movies/interstellar-2014/showtimes", "/movies/interstellar-2014/showtimes?city=", times + "&date=today", times + "&date=2026-02-30",
		times + "&date=2026-1-1", times + "&date=", times + "&date=20260101", times + "&limit=1000", times + "&city=shanghai-cn",
		"/shows/" + string(s.ID) + "?expand=seats", "/shows/" + string(s.ID) + "/seatmap?expand=all", "/shows/" + string(s.ID) + "/seatmap?expand=",
		"/layouts/arena-20000?x=1", "/health?x=1",
	} {
		rs = append(rs, request{name: path, path: path, status: 400, code: "bad_request"})
	}
	each(t, b, rs)
}

// TestStrangers: who lacks a key, a session, or has somebody else's.
func TestStrangers(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b, other := guest(t), guest(t)
	holds := "/shows/" + string(s.ID) + "/holds"
	body := `{"seats":["` + s.regular(t, 1, 0)[0] + `"]}`
	hold := other.hold(s, s.regular(t, 1, 1)...)
	order := other.pay(hold.ID, "decline").OrderID

	expired := expiredToken(t)
	none := http.Header{"X-Api-Key": nil}
	forbidden := []request{
		{name: "no key", path: "/cities", header: none},
		{name: "unknown key", path: "/cities", header: http.Header{"X-Api-Key": {"nobody-has-this-key-0123456789"}}},
		{name: "two keys", path: "/cities", header: http.Header{"X-Api-Key": {developerKey, developerKey}}},
		{name: "unknown parameter", path: "/cities?api_dev_key=nobody", header: none},
		{name: "two parameters", path: "/cities?api_dev_key=" + developerKey + "&api_dev_key=" + developerKey, header: none},
		{name: "no key, hold", method: "POST", path: holds, body: body, header: none},
		{name: "no key, session", method: "POST", path: "/sessions", header: none},
	}
	for i := range forbidden {
		forbidden[i].status, forbidden[i].code = 403, "forbidden"
	}
	each(t, b, forbidden)
	if r := b.ask(request{path: "/cities?api_dev_key=" + developerKey, header: none}); r.Status != 200 {
		t.Errorf("the key as parameter: %d %s", r.Status, r.Body)
	}

	var unauthorized []request
	for _, value := range []string{"", "Bearer", "Bearer ", "Basic dTpw", "Bearer nobody", "Bearer " + b.Token + "x", "Bearer " + b.Token[:len(b.Token)-2] + "AA",
		b.Token, "Bearer " + b.Token + ", Bearer " + b.Token, "Bearer " + expired} {
		h := http.Header{"Authorization": {value}}
		unauthorized = append(unauthorized,
			request{name: "hold by " + value, method: "POST", path: holds, body: body, header: h, status: 401, code: "unauthorized"},
			request{name: "look by " + value, path: "/holds/" + hold.ID, header: h, status: 401, code: "unauthorized"})
	}
	each(t, b, unauthorized)

	pay := `{"provider":"sandbox"}`
	each(t, b, []request{
		{name: "other's hold", path: "/holds/" + hold.ID, status: 404, code: "not_found"},
		{name: "release other's hold", method: "DELETE", path: "/holds/" + hold.ID, status: 404, code: "not_found"},
		{name: "pay other's hold", method: "POST", path: "/holds/" + hold.ID + "/payments", body: pay, status: 404, code: "not_found"},
		{name: "other's order", path: "/orders/" + order, status: 404, code: "not_found"},
	})
	if h := read[apiclient.Hold](other, "/holds/"+hold.ID); h.State != "held" {
		t.Errorf("after a stranger's calls the hold is %s", h.State)
	}
}

// expiredToken is one that was good until an hour ago.
func expiredToken(t *testing.T) string {
	t.Helper()
	k, err := session.New(zeros{}, variable("SECRET_SessionSecret"))
	must(t, err)
	s, err := k.Issue(time.Now().Add(-session.Length - time.Hour))
	must(t, err)
	return s.Token
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestNothingThere(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b := guest(t)
	long := strings.Repeat("x", 129)
	seats, pay := `{"seats":["A-1"]}`, `{"provider":"sandbox"}`
	var rs []request
	for _, path := range []string{
		"", "/", "/nothing", "/cities/", "/cities/shanghai-cn", "/cities/nowhere/movies", "/movies/nothing/showtimes?city=beijing-cn",
		"/movies/interstellar-2014/showtimes?city=nowhere", "/shows/nothing", "/shows/nothing/seatmap", "/layouts/nothing", "/holds/nothing", "/orders/nothing",
		"/shows/" + string(s.ID) + "/seatmap/more", "/shows//seatmap", "/cities/" + long + "/movies", "/movies/" + long + "/showtimes?city=beijing-cn",
		"/movies/interstellar-2014/showtimes?city=" + long, "/shows/" + long, "/shows/" + long + "/seatmap", "/layouts/" + long, "/holds/" + long, "/orders/" + long,
		"/shows/a%2Fb", "/shows/a%23b", "/shows/%00", "/shows/%E2%98%83", "/shows/a%20b", "/shows/..%2f..", "/v1/cities",
	} {
		if path != "/cities/" { // a slash at the end does not count
			rs = append(rs, request{name: "GET " + path, path: path, status: 404, code: "not_found"})
		}
	}
	for path, body := range map[string]string{
		"/shows/nothing/holds": seats, "/shows/" + long + "/holds": seats, "/holds/nothing/payments": pay, "/holds/" + long + "/payments": pay, "/callbacks/cash": `{}`,
	} {
		rs = append(rs, request{name: "POST " + path, method: "POST", path: path, body: body, status: 404, code: "not_found"})
	}
	rs = append(rs, request{name: "DELETE", method: "DELETE", path: "/holds/nothing", status: 404, code: "not_found"},
		request{name: "DELETE long", method: "DELETE", path: "/holds/" + long, status: 404, code: "not_found"})
	each(t, b, rs)

	for path, allow := range map[string]string{
		"/cities": "GET", "/sessions": "POST", "/shows/" + string(s.ID): "GET", "/shows/" + string(s.ID) + "/holds": "POST",
		"/holds/x": "DELETE, GET", "/holds/x/payments": "POST", "/orders/x": "GET", "/health": "GET", "/callbacks/sandbox": "POST",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if strings.Contains(allow, method) {
				continue
			}
			r := request{name: method + " " + path, method: method, path: path, body: `{}`, status: 405, code: "method_not_allowed"}
			got := b.ask(r)
			refuses(t, r, got)
			if got.Header.Get("Allow") != allow {
				t.Errorf("%s: Allow is %q, not %q", r.name, got.Header.Get("Allow"), allow)
			}
		}
	}
}

func TestBodiesOfAnotherKind(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b := guest(t)
	holds := "/shows/" + string(s.ID) + "/holds"
	seats := `{"seats":["` + s.regular(t, 1, 0)[0] + `"]}`
	var rs []request
	for _, typ := range [][]string{nil, {""}, {"text/plain"}, {"application/xml"}, {"application/json; charset=latin1"}, {"application/json,text/plain"},
		{"application/jsonx"}, {"application/x-www-form-urlencoded"}, {"application/json", "application/json"}} {
		rs = append(rs, request{name: "type " + strings.Join(typ, "|"), method: "POST", path: holds, body: seats, header: http.Header{"Content-Type": typ}, status: 415, code: "unsupported_media_type"})
	}
	large := `{"seats":["` + strings.Repeat("x", 64<<10) + `"]}`
	rs = append(rs,
		request{name: "64 KiB", method: "POST", path: holds, body: large, status: 413, code: "payload_too_large"},
		request{name: "11 MB", method: "POST", path: holds, body: strings.Repeat(" ", 11<<20), status: 413, code: "payload_too_large"},
		request{name: "large session", method: "POST", path: "/sessions", body: large, status: 413, code: "payload_too_large"},
		request{name: "large callback", method: "POST", path: "/callbacks/sandbox", body: large, status: 413, code: "payload_too_large"},
	)
	each(t, b, rs)
	fits := `{"seats":["x"]` + strings.Repeat(" ", 64<<10-15) + `}`
	r := request{name: "just 64 KiB", method: "POST", path: holds, body: fits, status: 422, code: "unknown_seat"}
	refuses(t, r, b.ask(r))
	r = request{name: "upper case", method: "POST", path: holds, body: seats, header: http.Header{"Content-Type": {"Application/JSON; charset=UTF-8"}}}
	if got := b.ask(r); got.Status != 201 {
		t.Errorf("application/json with charset: %d %s", got.Status, got.Body)
	}
}

// TestIdempotencyKeys: the same answer to the same request, also after the hold's
// end, and no other use of its key.
func TestIdempotencyKeys(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b, other := guest(t), guest(t)
	holds := "/shows/" + string(s.ID) + "/holds"
	seats := s.regular(t, 2, 0)
	body := `{"seats":["` + strings.Join(seats, `","`) + `"]}`
	post := func(who *buyer, path, key, body string, status int) apiclient.Reply {
		t.Helper()
		got := who.ask(request{method: "POST", path: path, body: body, header: http.Header{"Idempotency-Key": {key}}})
		if got.Status != status {
			t.Fatalf("%s %s under %q: %d %s, wanted %d", path, body, key, got.Status, got.Body, status)
		}
		return got
	}
	each(t, b, []request{
		{name: "none", method: "POST", path: holds, body: body, header: http.Header{"Idempotency-Key": nil}, status: 400, code: "idempotency_key_required"},
		{name: "empty", method: "POST", path: holds, body: body, header: http.Header{"Idempotency-Key": {""}}, status: 400, code: "idempotency_key_required"},
		{name: "two", method: "POST", path: holds, body: body, header: http.Header{"Idempotency-Key": {"a", "b"}}, status: 400, code: "bad_request"},
		{name: "long", method: "POST", path: holds, body: body, header: http.Header{"Idempotency-Key": {strings.Repeat("k", 129)}}, status: 400, code: "bad_request"},
		{name: "not printable", method: "POST", path: holds, body: body, header: http.Header{"Idempotency-Key": {"clé"}}, status: 400, code: "bad_request"},
	})
	key := strings.Repeat("~", 128)
	first := hold(t, post(b, holds, key, body, 201))
	same := func(r apiclient.Reply) {
		t.Helper()
		if h := hold(t, r); h.ID != first.ID || !slices.Equal(seatsOf(h), seats) || !h.ExpiresAt.Equal(first.ExpiresAt) || h.State != "held" || h.Total != first.Total {
			t.Errorf("again: %+v, first %+v", h, first)
		}
	}
	same(post(b, holds, key, body, 201))
	same(post(b, holds, key, "\n { \"seats\" : [\""+strings.Join(seats, `" , "`)+"\"]}", 201))
	mismatch := request{name: "other body", method: "POST", path: holds, body: `{"best":{"count":1}}`, header: http.Header{"Idempotency-Key": {key}}, status: 422, code: "idempotency_mismatch"}
	refuses(t, mismatch, b.ask(mismatch))
	mismatch.body = `{"seats":["` + seats[0] + `"]}`
	refuses(t, mismatch, b.ask(mismatch))

	// A refusal is not remembered, and another's key is another key.
	taken := post(other, holds, key, body, 409)
	refused(t, taken.Problem(), 409, "seats_unavailable")
	b.release(first.ID)
	same(post(b, holds, key, body, 201))
	mine := hold(t, post(other, holds, key, body, 201))
	if mine.ID == first.ID {
		t.Error("two buyers have one hold")
	}
	same(post(b, holds, key, body, 201)) // also while the seats are another's

	pay := "/holds/" + mine.ID + "/payments"
	p1 := post(other, pay, "p", `{"provider":"sandbox","outcome":"decline"}`, 201)
	p2 := post(other, pay, "p", `{"outcome":"decline","provider":"sandbox"}`, 201)
	if string(p1.Body) != string(p2.Body) {
		t.Errorf("the same payment again is %s, was %s", p2.Body, p1.Body)
	}
	mismatch = request{name: "other payment", method: "POST", path: pay, body: `{"provider":"sandbox"}`, header: http.Header{"Idempotency-Key": {"p"}}, status: 422, code: "idempotency_mismatch"}
	refuses(t, mismatch, other.ask(mismatch))
	other.release(mine.ID)
	shop.balanced(t, s)
}

func hold(t *testing.T, r apiclient.Reply) apiclient.Hold {
	t.Helper()
	return into[apiclient.Hold](t, r)
}
