package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/localstack/template"
	"github.com/fairseat/fairseat/pkg/api"
)

func programOf(function string) string {
	for _, f := range stack.Stack.Functions {
		if f.ID == function {
			return filepath.Base(f.Code)
		}
	}
	return ""
}

// TestTemplateAndRoutes: the deployed routes are those of the program, both ways.
func TestTemplateAndRoutes(t *testing.T) {
	deployed := map[string]template.Route{}
	for _, r := range stack.Stack.API.Routes {
		deployed[r.Method+" "+r.Path] = r
	}
	known := map[string]bool{}
	for _, r := range api.Routes() {
		name := r.Method + " " + r.Path
		known[name] = true
		d, there := deployed[name]
		if !there || programOf(d.Function) != r.Function || d.KeyRequired == r.Open || (d.Authorizer == "") != r.Open {
			t.Errorf("%s is deployed as %+v by %s, wanted by %s, open %v", name, d, programOf(d.Function), r.Function, r.Open)
		}
		if d, there := deployed["ANY "+r.Path]; !there || programOf(d.Function) != "refuse-request" || d.KeyRequired {
			t.Errorf("other methods of %s: %+v", r.Path, d)
		}
	}
	for name, r := range deployed {
		if !known[name] && r.Method != "ANY" {
			t.Errorf("%s is deployed and no route", name)
		}
	}
}

// TestDocumentAndRoutes: the served document names the same calls, both ways.
func TestDocumentAndRoutes(t *testing.T) {
	parallel(t)
	r, err := client().Do(t.Context(), http.MethodGet, "/openapi.json", nil, nil)
	must(t, err)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	must(t, json.Unmarshal(r.Body, &doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi is %q", doc.OpenAPI)
	}
	var said, routed []string
	for path, item := range doc.Paths {
		for method, raw := range item {
			var op struct{ OperationID string }
			if !slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
				continue
			}
			must(t, json.Unmarshal(raw, &op))
			said = append(said, strings.ToUpper(method)+" "+path+" "+op.OperationID)
		}
	}
	for _, r := range api.Routes() {
		routed = append(routed, r.Method+" "+r.Path+" "+r.Operation)
	}
	slices.Sort(said)
	slices.Sort(routed)
	if !slices.Equal(said, routed) {
		t.Errorf("the document says\n%s\nthe routes are\n%s", strings.Join(said, "\n"), strings.Join(routed, "\n"))
	}
}

// TestRoutesAnswer: each asks for what it needs, in the order of the edge, and is
// reached: what a stranger's id gets is not found, never not allowed.
func TestRoutesAnswer(t *testing.T) {
	parallel(t)
	guest, owner := guest(t), &buyer{developerAccount(t), t}
	owner.Key = makeKey(t, owner.Client).Key
	for _, r := range api.Routes() {
		b := guest
		if r.Account {
			b = owner
		}
		q := request{name: r.Operation, method: r.Method, path: "/"}
		for segment := range strings.SplitSeq(strings.Trim(r.Path, "/"), "/") {
			if strings.HasPrefix(segment, "{") {
				segment = "nothing"
			}
			q.path += segment + "/"
		}
		q.path = strings.TrimSuffix(q.path, "/")
		if slices.Contains(r.Query, "city") {
			q.path += "?city=nowhere"
		}
		if r.Body == api.NeedJSON {
			q.body = map[string]string{"ReserveSeats": `{"seats":["A-1"]}`, "PayHold": `{"provider":"sandbox"}`, "JoinLine": `{"seats":1}`, "AcceptOffer": `{}`,
				"MakeDeveloperKey": `{"name":"another","accept_terms":true}`, "RotateDeveloperKey": `{}`}[r.Operation]
		}
		typed := http.Header{}
		if r.Body != api.NoBody {
			typed["Content-Type"] = []string{"application/json"}
		}
		less := func(name string) (h http.Header) {
			h = maps.Clone(typed)
			h[name] = nil
			return h
		}
		without := q
		without.header = less("X-Api-Key")
		if got := b.ask(without); (got.Status == 403) == r.Open {
			t.Errorf("%s without a key: %d %s", r.Operation, got.Status, got.Body)
		}
		without.header = less("Authorization")
		if got := b.ask(without); (got.Status == 401) != r.Buyer {
			t.Errorf("%s without a session: %d %s", r.Operation, got.Status, got.Body)
		}
		if slices.Contains([]string{"sign-in", "keep-account", "adopt-guest", "search-movies"}, r.Function) {
			q.header = typed // what they answer otherwise needs people, or an index: they have tests of their own
			if got := b.ask(q); got.Status >= 500 || got.Status == 405 || got.Status == 403 {
				t.Errorf("%s: %d %s", r.Operation, got.Status, got.Body)
			}
			continue
		}
		without.header = less("Idempotency-Key")
		if got := b.ask(without); (got.Status == 400) != r.Receipt {
			t.Errorf("%s without an Idempotency-Key: %d %s", r.Operation, got.Status, got.Body)
		}
		want := map[bool]int{true: 404, false: 200}[strings.Contains(r.Path, "{")]
		if r.Operation == "OpenSession" || r.Operation == "OpenSocket" || r.Operation == "MakeDeveloperKey" {
			want = 201
		}
		if got := b.ask(q); got.Status != want {
			t.Errorf("%s: %d %s, wanted %d", r.Operation, got.Status, got.Body, want)
		}
	}
}

// TestPreflight: a browser's page may call (CORS), without a key.
func TestPreflight(t *testing.T) {
	parallel(t)
	b := guest(t)
	got := b.ask(request{method: "OPTIONS", path: "/shows/x/holds", header: http.Header{"X-Api-Key": nil, "Authorization": nil}})
	if got.Status != 200 || got.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("preflight: %d %v", got.Status, got.Header)
	}
	for _, path := range []string{"/cities", "/nothing", "/cities?limit=0"} {
		if r := b.ask(request{path: path}); r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d without Access-Control-Allow-Origin", path, r.Status)
		}
	}
}
