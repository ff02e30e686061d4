package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fairseat/fairseat/pkg/api"
)

// documented is the wire of every buyer here: each answer that any test gets is
// held against the served OpenAPI document. What differs fails the run at its end.
type documented struct {
	http.RoundTripper
	load func() (*openapi3.T, error)

	mu   sync.Mutex
	seen map[string]bool
}

func newDocumented(rt http.RoundTripper) *documented {
	d := &documented{RoundTripper: rt, seen: map[string]bool{}}
	d.load = sync.OnceValues(d.fetch)
	return d
}

func (d *documented) fetch() (*openapi3.T, error) {
	req, err := http.NewRequest(http.MethodGet, stack.URL+"/openapi.json", nil)
	if err != nil {
		return nil, err
	}
	res, err := d.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	l := openapi3.NewLoader()
	doc, err := l.LoadFromData(text)
	if err == nil {
		err = doc.Validate(l.Context)
	}
	return doc, err
}

// RoundTrip implements http.RoundTripper.
func (d *documented) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := d.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := d.check(req, res, body); err != nil {
		heard.object(fmt.Sprintf("%s %s: %d: %v", req.Method, req.URL.Path, res.StatusCode, err))
	}
	return res, nil
}

// large bodies are the same thousands of times over; each kind is read once.
const large = 128 << 10

func (d *documented) check(req *http.Request, res *http.Response, body []byte) error {
	route, ok := routeOf(req)
	if !ok || res.StatusCode == http.StatusBadGateway { // the latter by killed processes alone, and counted there
		return nil
	}
	doc, err := d.load()
	if err != nil {
		return err
	}
	said := doc.Paths.Value(route.Path).GetOperation(route.Method).Responses
	ref := said.Value(strconv.Itoa(res.StatusCode))
	if ref == nil {
		ref = said.Default()
	}
	if ref == nil {
		return fmt.Errorf("the document knows no such status; the answer is %.200s", body)
	}
	for name := range ref.Value.Headers {
		if res.Header.Get(name) == "" {
			return fmt.Errorf("there is no header %s", name)
		}
	}
	if len(ref.Value.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("there is a body, %.200s", body)
		}
		return nil
	}
	typ := ref.Value.Content[res.Header.Get("Content-Type")]
	if typ == nil || typ.Schema == nil {
		if ref.Value.Content["*/*"] != nil {
			return nil
		}
		return fmt.Errorf("content type %s", res.Header.Get("Content-Type"))
	}
	packed := res.Header.Get("Content-Encoding") != "" // asked for by the test itself, so left as it is
	if packed || len(body) > large && d.again(route.Operation) {
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return typ.Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation())
}

func (d *documented) again(operation string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.seen[operation]
	d.seen[operation] = true
	return was
}

// routeOf finds the route of a request that was sent as a route means it; the
// gateway's own answers to others are not in the document.
func routeOf(req *http.Request) (api.Route, bool) {
	path, ok := strings.CutPrefix(req.URL.EscapedPath(), "/v1")
	if !ok {
		return api.Route{}, false
	}
	for _, r := range api.Routes() {
		want, got := strings.Split(r.Path, "/"), strings.Split(path, "/")
		same := r.Method == req.Method && len(want) == len(got)
		for i := 0; same && i < len(want); i++ {
			same = want[i] == got[i] || strings.HasPrefix(want[i], "{") && got[i] != ""
		}
		if same {
			return r, true
		}
	}
	return api.Route{}, false
}
