package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/getkin/kin-openapi/openapi3"
)

// document loads openapi.json and closes its objects: what the document does not
// name must not be answered.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	l := openapi3.NewLoader()
	doc, err := l.LoadFromData(OpenAPI())
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(l.Context); err != nil {
		return nil, err
	}
	var deep any
	if err := json.Unmarshal(OpenAPI(), &deep); err != nil {
		return nil, err
	}
	closeObjects(deep)
	text, err := json.Marshal(deep)
	if err != nil {
		return nil, err
	}
	return l.LoadFromData(text)
})

func closeObjects(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			closeObjects(x)
		}
	case map[string]any:
		if _, open := v["additionalProperties"]; v["type"] == "object" && v["properties"] != nil && !open {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closeObjects(x)
		}
	}
}

func openAPIDoc(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := document()
	must(t, err)
	return doc
}

// checkAnswer holds every answer that any test gets against the document and
// against the rules for all answers.
func checkAnswer(t testing.TB, ev events.APIGatewayProxyRequest, resp events.APIGatewayProxyResponse) {
	t.Helper()
	name := ev.HTTPMethod + " " + ev.Path
	for _, h := range []string{"Date", "Access-Control-Allow-Origin", "X-Content-Type-Options", "Cache-Control"} {
		if resp.Headers[h] == "" {
			t.Errorf("%s: %d has no %s", name, resp.StatusCode, h)
		}
	}
	if resp.Headers["ETag"] == "" != (resp.Headers["Cache-Control"] == "no-store") {
		t.Errorf("%s: ETag %s with Cache-Control %s", name, resp.Headers["ETag"], resp.Headers["Cache-Control"])
	}
	doc := openAPIDoc(t)
	var r *openapi3.Response
	if route, ok := routeOf(ev.HTTPMethod, ev.Resource); ok {
		responses := operationOf(doc, route).Responses
		ref := responses.Value(strconv.Itoa(resp.StatusCode))
		if ref == nil {
			ref = responses.Value("default")
		}
		if ref == nil {
			t.Fatalf("%s: the document knows no %d: %s", name, resp.StatusCode, resp.Body)
		}
		r = ref.Value
	} else {
		r = doc.Components.Responses[map[int]string{404: "NotFound", 405: "MethodNotAllowed"}[resp.StatusCode]].Value
	}
	for h := range r.Headers {
		if resp.Headers[h] == "" && resp.Headers["Content-Type"] != "text/plain" {
			t.Errorf("%s: %d has no %s", name, resp.StatusCode, h)
		}
	}
	checkBody(t, name, r, resp)
}

func checkBody(t testing.TB, name string, r *openapi3.Response, resp events.APIGatewayProxyResponse) {
	t.Helper()
	if len(r.Content) == 0 {
		if resp.Body != "" {
			t.Errorf("%s: %d has a body: %s", name, resp.StatusCode, resp.Body)
		}
		return
	}
	typ := r.Content[resp.Headers["Content-Type"]]
	if typ == nil {
		if r.Content["*/*"] == nil {
			t.Errorf("%s: %d is %s", name, resp.StatusCode, resp.Headers["Content-Type"])
		}
		return
	}
	var v any
	if err := json.Unmarshal([]byte(resp.Body), &v); err != nil {
		t.Fatalf("%s: %v: %s", name, err, resp.Body)
	}
	if err := typ.Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation()); err != nil {
		t.Errorf("%s: %d %s: %v", name, resp.StatusCode, resp.Body, err)
	}
	if code, _ := v.(map[string]any)["code"].(string); resp.StatusCode >= 400 && problems[code].status != resp.StatusCode {
		t.Errorf("%s: %d with code %q", name, resp.StatusCode, code)
	}
}

func operationOf(doc *openapi3.T, r Route) *openapi3.Operation {
	if item := doc.Paths.Value(r.Path); item != nil {
		return item.GetOperation(r.Method)
	}
	return nil
}

func TestDocumentHasEveryRoute(t *testing.T) {
	doc := openAPIDoc(t)
	for _, r := range Routes() {
		op := operationOf(doc, r)
		if op == nil || op.OperationID != r.Operation {
			t.Errorf("%s %s: not in the document as %s", r.Method, r.Path, r.Operation)
			continue
		}
		checkParameters(t, r, op)
		checkSecurity(t, r, op)
		needs := op.RequestBody != nil && op.RequestBody.Value.Required
		if needs != (r.Body == NeedJSON || r.Body == RawBody) || (op.RequestBody == nil) != (r.Body == NoBody) {
			t.Errorf("%s: body in the document differs", r.Operation)
		}
	}
}

func checkParameters(t *testing.T, r Route, op *openapi3.Operation) {
	t.Helper()
	var query, path []string
	receipt := false
	for _, p := range op.Parameters {
		switch p.Value.In {
		case "query":
			query = append(query, p.Value.Name)
		case "path":
			path = append(path, "{"+p.Value.Name+"}")
		case "header":
			receipt = receipt || p.Value.Name == "Idempotency-Key"
		}
	}
	want := slices.Sorted(slices.Values(r.Query))
	if slices.Sort(query); !slices.Equal(query, want) {
		t.Errorf("%s: query %v in the document, %v in the table", r.Operation, query, want)
	}
	for _, p := range path {
		if !strings.Contains(r.Path, p) {
			t.Errorf("%s: path parameter %s", r.Operation, p)
		}
	}
	if len(path) != strings.Count(r.Path, "{") || receipt != r.Receipt {
		t.Errorf("%s: parameters in the document differ", r.Operation)
	}
}

func checkSecurity(t *testing.T, r Route, op *openapi3.Operation) {
	t.Helper()
	if op.Security == nil || len(*op.Security) == 0 != (r.Open && !r.Buyer) {
		t.Fatalf("%s: security in the document differs", r.Operation)
	}
	for _, s := range *op.Security {
		_, buyer := s["Buyer"]
		_, header := s["DeveloperKey"]
		_, query := s["DeveloperKeyInQuery"]
		if buyer != r.Buyer || (header || query) == r.Open || header && query {
			t.Errorf("%s: security %v", r.Operation, s)
		}
	}
}

func TestEveryPathHasARoute(t *testing.T) {
	for path, item := range openAPIDoc(t).Paths.Map() {
		for method, op := range item.Operations() {
			if r, ok := routeOf(method, path); !ok || r.Operation != op.OperationID {
				t.Errorf("%s %s: no route", method, path)
			}
		}
	}
}

func TestDocumentHasEveryCode(t *testing.T) {
	var documented []string
	for _, c := range openAPIDoc(t).Components.Schemas["ProblemCode"].Value.Enum {
		documented = append(documented, c.(string))
	}
	codes, status := Codes()
	if slices.Sort(documented); !slices.Equal(documented, codes) {
		t.Errorf("codes in the document %v\nin the table %v", documented, codes)
	}
	for _, c := range codes {
		if status(c) < 400 {
			t.Errorf("%s: status %d", c, status(c))
		}
	}
}

func TestRoutesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Routes() {
		for _, name := range []string{r.Method + " " + r.Path, r.Operation} {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if r.Body == 0 || r.Function == "" {
			t.Errorf("%s: body %d, function %q", r.Operation, r.Body, r.Function)
		}
	}
}
