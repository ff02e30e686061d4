package api

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/ticket"
)

func items(a answer) []map[string]any {
	list, _ := a.doc["items"].([]any)
	out := make([]map[string]any, len(list))
	for i, it := range list {
		out[i] = it.(map[string]any)
	}
	return out
}

func ids(a answer) string {
	var out []string
	for _, it := range items(a) {
		if c, ok := it["cinema"].(map[string]any); ok {
			it = c
		}
		out = append(out, it["id"].(string))
	}
	return strings.Join(out, " ")
}

func TestLists(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ path, want string }{
		{"/cities", "berlin bern tokyo"},
		{"/cities?q=", "berlin bern tokyo"},
		{"/cities?q=ber", "berlin bern"},
		{"/cities?q=東", "tokyo"},
		{"/cities?q=xyz", ""},
		{"/cities?q=" + strings.Repeat("京", 200), ""},
		{"/cities?limit=100&api_dev_key=k", "berlin bern tokyo"},
		{"/cities/bern/movies", "metropolis unknown-film"},
		{"/cities/berlin/movies", ""},
		{"/movies/metropolis/showtimes?city=bern", "apollo rex"},
		{"/movies/metropolis/showtimes?city=bern&date=2026-03-02", "rex"},
		{"/movies/metropolis/showtimes?city=bern&date=2026-03-04", ""},
		{"/movies/metropolis/showtimes?city=bern&date=9998-12-31", ""},
		{"/movies/metropolis/showtimes?city=berlin", ""},
	} {
		a := w.expect(get(c.path), 200, "")
		if got := ids(a); got != c.want || a.doc["next_cursor"] != nil {
			t.Errorf("%s: %q, next %v; want %q", c.path, got, a.doc["next_cursor"], c.want)
		}
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	first := w.expect(get("/cities?limit=2"), 200, "")
	cursor := first.str("next_cursor")
	if ids(first) != "berlin bern" || cursor == "" {
		t.Fatalf("first page %s, next %q", ids(first), cursor)
	}
	second := w.expect(get("/cities?limit=2&cursor="+cursor), 200, "")
	if ids(second) != "tokyo" || second.doc["next_cursor"] != nil {
		t.Errorf("second page %s, next %v", ids(second), second.doc["next_cursor"])
	}
	w.expect(get("/cities/bern/movies?cursor="+cursor), 400, "bad_request")
}

func TestMalformedParameters(t *testing.T) {
	w := newWorld(t)
	showtimes := "/movies/metropolis/showtimes?city=bern"
	for _, path := range []string{
		"/cities?limit=0", "/cities?limit=101", "/cities?limit=", "/cities?limit=x", "/cities?limit=-1", "/cities?limit=%2B5",
		"/cities?limit=05", "/cities?limit=1e1", "/cities?limit=99999999999999999999", "/cities?limit=1&limit=1",
		"/cities?cursor=", "/cities?cursor=bWFkZS11cA", "/cities?cursor=%", "/cities?Limit=1", "/cities?color=red", "/cities?q=a&q=b",
		"/cities?q=" + strings.Repeat("a", 201), "/cities?q=\xff", "/cities?api_dev_key=a&api_dev_key=b",
		"/movies/metropolis/showtimes", "/movies/metropolis/showtimes?city=",
		showtimes + "&date=", showtimes + "&date=2026-02-30", showtimes + "&date=2026-3-2", showtimes + "&date=tomorrow",
		showtimes + "&date=9999-12-31", showtimes + "&date=0000-01-01", showtimes + "&q=a",
		"/shows/open?expand=seats", "/shows/open/seatmap?expand=", "/shows/open/seatmap?expand=all", "/shows/open/seatmap?expand=seats&expand=seats",
		"/health?a=b",
	} {
		a := w.expect(get(path), 400, "bad_request")
		if a.str("detail") == problems["bad_request"].detail {
			t.Errorf("%s: the detail names nothing", path)
		}
	}
}

func TestNotThere(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("a", 129)
	for _, path := range []string{
		"/", "/nothing", "/v1", "/cities/nowhere/movies", "/cities/" + long + "/movies", "/movies/none/showtimes?city=bern",
		"/movies/metropolis/showtimes?city=nowhere", "/movies/metropolis/showtimes?city=" + long, "/movies/metropolis/showtimes?city=a%23b",
		"/shows/none", "/shows/" + long, "/shows/none/seatmap", "/shows/%zz", "/shows/a%2Fb", "/shows/%20", "/layouts/none", "/layouts/mini-16/rows",
		"/shows/é", "/search", "/search/movies?city=nowhere", "/search/movies?city=a%23b",
	} {
		w.expect(get(path), 404, "not_found")
	}
	w.expect(get("/shows/op%65n"), 200, "")
}

func TestWrongMethod(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ method, path, allow string }{
		{"POST", "/cities", "GET"},
		{"HEAD", "/cities", "GET"},
		{"PUT", "/holds/h", "DELETE, GET"},
		{"GET", "/shows/open/holds", "POST"},
		{"DELETE", "/sessions", "POST"},
		{"PATCH", "/v1/holds/h/", "DELETE, GET"},
		{"POST", "/openapi.json", "GET"},
	} {
		a := w.expect(want{method: c.method, path: c.path}, 405, "method_not_allowed")
		if a.Headers["Allow"] != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, a.Headers["Allow"], c.allow)
		}
	}
}

// What sources do not know is null, not empty and not missing.
func TestUnknownFactsAreNull(t *testing.T) {
	w := newWorld(t)
	film := items(w.expect(get("/cities/bern/movies"), 200, ""))[1]
	for _, name := range []string{"language", "runtime_minutes", "release_date", "country", "description"} {
		if v, there := film[name]; !there || v != nil {
			t.Errorf("%s is %v", name, v)
		}
	}
	if city := items(w.expect(get("/cities"), 200, ""))[0]; city["local_name"] != nil {
		t.Errorf("local_name is %v", city["local_name"])
	}
}

func stock(t *testing.T, a answer, show string) map[string]string {
	t.Helper()
	for _, cinema := range items(a) {
		for _, s := range cinema["shows"].([]any) {
			s := s.(map[string]any)
			if s["id"] != show {
				continue
			}
			status := map[string]string{}
			for _, st := range s["seats"].([]any) {
				st := st.(map[string]any)
				status[st["type"].(string)] = st["status"].(string)
			}
			return status
		}
	}
	t.Fatalf("show %s is not listed", show)
	return nil
}

func TestStock(t *testing.T) {
	w := newWorld(t)
	path := "/movies/metropolis/showtimes?city=bern"
	before := stock(t, w.expect(get(path), 200, ""), "open")
	if len(before) != 5 || before["premium"] != "available" || before["loveseat"] != "available" {
		t.Fatalf("an untouched show: %v", before)
	}
	w.hold(w.guest(), "open", "C-1", "C-2")
	w.expect(get("/shows/open/seatmap"), 200, "")
	after := stock(t, w.expect(get(path), 200, ""), "open")
	if after["premium"] != "full" || after["regular"] != "available" {
		t.Errorf("after a hold of all premium seats: %v", after)
	}
}

func TestShow(t *testing.T) {
	w := newWorld(t)
	a := w.expect(get("/shows/open"), 200, "")
	for name, v := range map[string]string{
		"movie_id": "metropolis", "layout_id": "mini-16", "starts_at": "2026-03-02T12:00:00.000Z", "ends_at": "2026-03-02T15:00:00.000Z",
		"sale_opens_at": "2026-03-01T11:00:00.000Z", "sale_closes_at": "2026-03-02T12:00:00.000Z", "status": "on_sale",
	} {
		if a.str(name) != v {
			t.Errorf("%s = %q, want %q", name, a.str(name), v)
		}
	}
	if s := w.expect(get("/shows/off"), 200, "").str("status"); s != "cancelled" {
		t.Errorf("status of a cancelled show %q", s)
	}
}

func TestLayout(t *testing.T) {
	w := newWorld(t)
	a := w.expect(get("/layouts/mini-16"), 200, "")
	var order []string
	for _, sec := range a.doc["sections"].([]any) {
		for _, row := range sec.(map[string]any)["rows"].([]any) {
			for _, s := range row.(map[string]any)["seats"].([]any) {
				order = append(order, s.(map[string]any)["id"].(string))
			}
		}
	}
	if got := strings.Join(order, " "); got != "A-1 A-2 A-3 A-4 B-1 B-2 B-3 B-4 C-1 C-2 C-3 C-4 D-1 D-2 D-3 D-4" {
		t.Errorf("layout order %s", got)
	}
	if cc := a.Headers["Cache-Control"]; cc != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q", cc)
	}
}

func TestSeatMap(t *testing.T) {
	w := newWorld(t)
	empty := w.expect(get("/shows/open/seatmap"), 200, "")
	if empty.doc["free"] != 16.0 || empty.doc["capacity"] != 16.0 || empty.str("states") != "AAAAAA==" || empty.doc["seats"] != nil {
		t.Errorf("an untouched show: %s", empty.Body)
	}
	h := w.hold(w.guest(), "open", "A-4", "B-1")
	w.pass(time.Second)
	must(t, w.office.Project(t.Context(), "open", seatIDs("A-4", "B-1")))
	a := w.expect(get("/shows/open/seatmap?expand=seats"), 200, "")
	if a.doc["held"] != 2.0 || a.doc["free"] != 14.0 || a.str("version") == empty.str("version") {
		t.Errorf("after a hold: %s", a.Body)
	}
	if want := base64.StdEncoding.EncodeToString([]byte{1 << 6, 1, 0, 0}); a.str("states") != want {
		t.Errorf("states %s, want %s", a.str("states"), want)
	}
	for _, s := range a.doc["seats"].([]any) {
		s := s.(map[string]any)
		held := s["id"] == "A-4" || s["id"] == "B-1"
		if (s["state"] == "held") != held || !held && s["state"] != "free" {
			t.Errorf("seat %v", s)
		}
	}
	// Whoever meets an overdue hold ends it, a reader of the map too.
	w.pass(policy.Hold + policy.Grace)
	if a := w.expect(get("/shows/open/seatmap"), 200, ""); a.doc["free"] != 16.0 {
		t.Errorf("after the end of %s: %s", h.str("id"), a.Body)
	}
}

func TestNotModified(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/shows/open/seatmap", "/shows/open/seatmap?expand=seats", "/layouts/mini-16", "/cities", "/cities/bern/movies",
		"/movies/metropolis/showtimes?city=bern", "/shows/open", "/openapi.json", "/ticket-keys",
	} {
		tag := w.expect(get(path), 200, "").Headers["ETag"]
		for _, c := range []struct {
			sent   []string
			status int
		}{
			{[]string{tag}, 304}, {[]string{"W/" + tag}, 304}, {[]string{`"a", ` + tag}, 304}, {[]string{`"a"`, `"b" ,W/` + tag}, 304}, {[]string{"*"}, 304},
			{[]string{`"a"`}, 200}, {[]string{strings.Trim(tag, `"`)}, 200}, {[]string{`"` + tag}, 200}, {[]string{""}, 200}, {[]string{`"a" b ` + tag}, 200},
		} {
			q := get(path)
			for _, s := range c.sent {
				q = q.with("if-none-match", s)
			}
			if a := w.do(q); a.StatusCode != c.status || a.StatusCode == 304 && a.Headers["ETag"] != tag {
				t.Errorf("%s with %q: %d, want %d", path, c.sent, a.StatusCode, c.status)
			}
		}
	}
	plain := w.expect(get("/shows/open/seatmap"), 200, "")
	full := w.expect(get("/shows/open/seatmap?expand=seats"), 200, "")
	if plain.Headers["ETag"] == full.Headers["ETag"] {
		t.Error("two representations share an ETag")
	}
	if plain.Headers["ETag"] != `"`+plain.str("version")+`"` {
		t.Errorf("ETag %s of version %s", plain.Headers["ETag"], plain.str("version"))
	}
}

// What may be kept at an edge is the same from every instance and for everybody:
// its validator says so, and nothing varies but by the developer's key.
func TestWhatIsKeptIsTheSameForAll(t *testing.T) {
	one, other := newWorld(t), newWorld(t)
	other.pass(time.Minute) // an instance that came up later
	for path, keep := range map[string]string{
		"/cities": keepCities, "/cities?q=ber": keepCities, "/cities/bern/movies": keepMovies,
		"/movies/metropolis/showtimes?city=bern": keepStock, "/shows/open": keepShow, "/layouts/mini-16": keepForever,
	} {
		a := one.expect(get(path), 200, "")
		b := other.expect(get(path).with("authorization", "Bearer "+other.guest()).with("x-api-key", "another"), 200, "")
		if a.Body != b.Body || a.Headers["ETag"] != b.Headers["ETag"] || len(a.Headers["ETag"]) < 3 {
			t.Errorf("%s: %s and %s", path, a.Headers["ETag"], b.Headers["ETag"])
		}
		if a.Headers["Cache-Control"] != keep || a.Headers["Vary"] != "X-Api-Key" {
			t.Errorf("%s: %v", path, a.Headers)
		}
		same := other.do(get(path).with("if-none-match", a.Headers["ETag"]))
		if same.StatusCode != 304 || same.Headers["Cache-Control"] != keep || same.Body != "" || same.Headers["Content-Type"] != "" {
			t.Errorf("%s again: %d %v", path, same.StatusCode, same.Headers)
		}
	}
	if open := one.expect(get("/openapi.json"), 200, ""); open.Headers["Vary"] != "" {
		t.Errorf("an open call varies by %s", open.Headers["Vary"])
	}
	refused := one.expect(get("/shows/none"), 404, "not_found")
	if refused.Headers["Cache-Control"] != keepNot || refused.Headers["ETag"] != "" {
		t.Errorf("a refusal may be kept: %v", refused.Headers)
	}
}

// What a change of a show alters is seen within five seconds: memory, an edge, and a
// read that is a second old come to no more, and nothing is served stale while the
// origin answers.
func TestAChangeIsSeenWithinFiveSeconds(t *testing.T) {
	for _, keep := range []string{keepMovies, keepShow, keepStock} {
		_, rest, _ := strings.Cut(keep, "max-age=")
		age, _, _ := strings.Cut(rest, ",")
		outside, err := time.ParseDuration(age + "s")
		if err != nil || catalog.Remembered+outside+time.Second > 5*time.Second || strings.Contains(keep, "stale-while-revalidate") || strings.Contains(keep, "s-maxage") {
			t.Errorf("%q and %v in memory, %v", keep, catalog.Remembered, err)
		}
	}
}

func TestDescriptions(t *testing.T) {
	w := newWorld(t)
	if s := w.expect(get("/health"), 200, "").str("status"); s != "ok" {
		t.Errorf("status %q", s)
	}
	if v := w.expect(get("/openapi.json"), 200, "").str("openapi"); v != "3.1.0" {
		t.Errorf("openapi %q", v)
	}
	a := w.expect(get("/ticket-keys"), 200, "")
	if _, err := ticket.ParseKeys([]byte(a.Body)); err != nil {
		t.Errorf("ticket keys: %v", err)
	}
}
