package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

// lambda records events and answers what it is told to.
type lambda struct {
	mu     sync.Mutex
	calls  []string
	event  events.APIGatewayProxyRequest
	raw    []byte
	answer runtime.Result
	err    error
	auth   func(events.APIGatewayCustomAuthorizerRequestTypeRequest) (runtime.Result, error)
}

func (l *lambda) invoke(ctx context.Context, name string, payload []byte) (runtime.Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, name)
	if name == "Auth" {
		var e events.APIGatewayCustomAuthorizerRequestTypeRequest
		if err := json.Unmarshal(payload, &e); err != nil {
			return runtime.Result{}, err
		}
		return l.auth(e)
	}
	l.raw, l.event = payload, events.APIGatewayProxyRequest{}
	if err := json.Unmarshal(payload, &l.event); err != nil {
		return runtime.Result{}, err
	}
	if l.err != nil {
		return runtime.Result{}, l.err
	}
	if l.answer.Payload == nil && l.answer.Err == nil {
		return ok(`{"statusCode":200,"body":"` + name + `"}`), nil
	}
	return l.answer, nil
}

func ok(payload string) runtime.Result { return runtime.Result{Payload: []byte(payload)} }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) // a Wednesday

func newGateway(t *testing.T, l *lambda, change ...func(*template.API)) *Gateway {
	t.Helper()
	api := &template.API{ID: "Api", Stage: "v1", MinCompress: -1, Routes: []template.Route{
		{Method: "GET", Path: "/", Function: "Root"},
		{Method: "GET", Path: "/cities", Function: "Cities"},
		{Method: "ANY", Path: "/shows/{show}", Function: "Show"},
		{Method: "POST", Path: "/shows/{show}", Function: "PostShow"},
		{Method: "GET", Path: "/shows/{show}/seatmap", Function: "Map"},
		{Method: "GET", Path: "/shows/today", Function: "Today"},
		{Method: "POST", Path: "/files/{path+}", Function: "Files"},
	}}
	for _, f := range change {
		f(api)
	}
	g, err := New(api, l.invoke, Options{Now: func() time.Time { return noon }, Log: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func do(g http.Handler, method, target string, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	rw := httptest.NewRecorder()
	g.ServeHTTP(rw, r)
	return rw
}

func TestRouting(t *testing.T) {
	tests := []struct {
		method, target string
		status         int
		body           string // of the function, or the message
		params         map[string]string
	}{
		{"GET", "/v1", 200, "Root", nil},
		{"GET", "/v1/", 200, "Root", nil},
		{"GET", "/v1/cities", 200, "Cities", nil},
		{"GET", "/v1/cities/", 200, "Cities", nil},
		{"GET", "/v1/cit%69es", 200, "Cities", nil},
		{"GET", "/v1/shows/s1", 200, "Show", map[string]string{"show": "s1"}},
		{"POST", "/v1/shows/s1", 200, "PostShow", map[string]string{"show": "s1"}},
		{"PURGE", "/v1/shows/s1", 200, "Show", map[string]string{"show": "s1"}},
		{"GET", "/v1/shows/today", 200, "Today", nil},
		{"GET", "/v1/shows/today/seatmap", 200, "Map", map[string]string{"show": "today"}},
		{"GET", "/v1/shows/a%2Fb", 200, "Show", map[string]string{"show": "a%2Fb"}},
		{"POST", "/v1/files/a/b%20c/d", 200, "Files", map[string]string{"path": "a/b%20c/d"}},
		{"POST", "/v1/files/a/", 200, "Files", map[string]string{"path": "a"}},
		{"POST", "/v1/files", 403, "Missing Authentication Token", nil},
		{"GET", "/v1/files/a", 403, "Missing Authentication Token", nil},
		{"POST", "/v1/cities", 403, "Missing Authentication Token", nil},
		{"GET", "/v1/nothing", 403, "Missing Authentication Token", nil},
		{"GET", "/v1/shows", 403, "Missing Authentication Token", nil},
		{"GET", "/v1/shows/%zz", 403, "Missing Authentication Token", nil},
		{"GET", "/v2/cities", 403, "Forbidden", nil},
		{"GET", "/cities", 403, "Forbidden", nil},
		{"GET", "/v1/cities?a=%zz", 400, "Bad Request Exception", nil},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			var l lambda
			r := httptest.NewRequest(tt.method, "/", nil)
			r.RequestURI = tt.target
			path, query, _ := strings.Cut(tt.target, "?")
			r.URL.Path, r.URL.RawQuery = path, query
			rw := httptest.NewRecorder()
			newGateway(t, &l).ServeHTTP(rw, r)
			if rw.Code != tt.status || !strings.Contains(rw.Body.String(), tt.body) {
				t.Fatalf("%d %s", rw.Code, rw.Body)
			}
			if fmt.Sprint(l.event.PathParameters) != fmt.Sprint(tt.params) {
				t.Errorf("parameters %v", l.event.PathParameters)
			}
			if rw.Header().Get("X-Amzn-Requestid") == "" || rw.Header().Get("Content-Type") != "application/json" {
				t.Errorf("header %v", rw.Header())
			}
		})
	}
}

func TestConfigurationsThatAWSRefuses(t *testing.T) {
	route := func(paths ...string) func(*template.API) {
		return func(a *template.API) {
			a.Routes = nil
			for _, p := range paths {
				a.Routes = append(a.Routes, template.Route{Method: "GET", Path: p, Function: "F"})
			}
		}
	}
	response := func(kind string, r template.GatewayResponse) func(*template.API) {
		return func(a *template.API) { a.Responses = map[string]template.GatewayResponse{kind: r} }
	}
	tests := []struct {
		name, says string
		change     func(*template.API)
	}{
		{"two parameters side by side", "sibling", route("/a/{x}", "/a/{y}/b")},
		{"greedy beside a parameter", "sibling", route("/a/{x}", "/a/{proxy+}")},
		{"after a greedy one", "nothing can follow", route("/a/{proxy+}/b")},
		{"half a parameter", "neither a word", route("/a/x{y}")},
		{"twice", "twice", route("/a", "/a")},
		{"no slash", "not a method and a path", route("a")},
		{"no stage", "stage", func(a *template.API) { a.Stage = "" }},
		{"key source", "key source", func(a *template.API) { a.KeySource = "COOKIE" }},
		{"unknown authorizer", "no authorizer", func(a *template.API) { a.Routes[0].Authorizer = "X" }},
		{"cache without identity", "identity sources", func(a *template.API) {
			a.Authorizers = map[string]template.Authorizer{"A": {TTL: time.Minute}}
		}},
		{"quota period", "period", func(a *template.API) { a.Plan = &template.UsagePlan{Quota: 1, Period: "YEAR"} }},
		{"response type", `"TEAPOT"`, response("TEAPOT", template.GatewayResponse{})},
		{"variable", "$context.nonsense", response("THROTTLED", template.GatewayResponse{Templates: map[string]string{"application/json": `{"a":"$context.nonsense"}`}})},
		{"directive", "#set", response("THROTTLED", template.GatewayResponse{Templates: map[string]string{"application/json": "#set($a=1)"}})},
		{"call", "$util.escape", response("THROTTLED", template.GatewayResponse{Templates: map[string]string{"application/json": "$util.escape(1)"}})},
		{"header", "context.nonsense", response("THROTTLED", template.GatewayResponse{Headers: map[string]string{"A": "context.nonsense"}})},
	}
	for _, tt := range tests {
		api := &template.API{ID: "Api", Stage: "v1", Routes: []template.Route{{Method: "GET", Path: "/", Function: "F"}}}
		tt.change(api)
		if _, err := New(api, nil, Options{}); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestProxyEvent(t *testing.T) {
	var l lambda
	g := newGateway(t, &l, func(a *template.API) { a.BinaryTypes = []string{"image/png"} })
	do(g, "POST", "http://api.local:3000/v1/shows/s1?a=1&a=2&b=x%20y+z&c&d=p;q", `{"é":1}`,
		"X-Two", "one", "X-Two", "two", "Content-Type", "application/json", "X-Forwarded-For", "9.9.9.9",
		"User-Agent", "ua", "Connection", "close", "x-lower", "v")
	e := l.event
	if e.Resource != "/shows/{show}" || e.Path != "/shows/s1" || e.HTTPMethod != "POST" || e.Body != `{"é":1}` || e.IsBase64Encoded {
		t.Errorf("event %+v", e)
	}
	for name, want := range map[string]string{"X-Two": "two", "X-Lower": "v", "Host": "api.local:3000",
		"X-Forwarded-For": "9.9.9.9, 192.0.2.1", "X-Forwarded-Port": "3000", "X-Forwarded-Proto": "http", "Connection": ""} {
		if e.Headers[name] != want {
			t.Errorf("header %s: %q", name, e.Headers[name])
		}
	}
	if fmt.Sprint(e.MultiValueHeaders["X-Two"]) != "[one two]" || e.Headers["X-Amzn-Trace-Id"] == "" {
		t.Errorf("headers %v", e.MultiValueHeaders)
	}
	if fmt.Sprint(e.QueryStringParameters) != "map[a:2 b:x y z c: d:p;q]" || fmt.Sprint(e.MultiValueQueryStringParameters["a"]) != "[1 2]" {
		t.Errorf("query %v", e.QueryStringParameters)
	}
	c := e.RequestContext
	if c.Stage != "v1" || c.ResourcePath != "/shows/{show}" || c.Path != "/v1/shows/s1" || c.HTTPMethod != "POST" ||
		c.Identity.SourceIP != "192.0.2.1" || c.Identity.UserAgent != "ua" || c.RequestID == "" || c.ExtendedRequestID == "" ||
		c.RequestTime != "04/Mar/2026:12:00:00 +0000" || c.RequestTimeEpoch != noon.UnixMilli() || c.Protocol != "HTTP/1.1" ||
		c.AccountID != "000000000000" || c.DomainName != "api.local" || c.DomainPrefix != "api" || len(c.ResourceID) != 6 {
		t.Errorf("context %+v", c)
	}

	do(g, "POST", "/v1/files/x", "\x89PNG\xff", "Content-Type", "image/png; q=1")
	if !l.event.IsBase64Encoded || l.event.Body != "iVBOR/8=" {
		t.Errorf("binary: %+v", l.event)
	}
	do(g, "POST", "/v1/files/x", "a\xffb")
	if l.event.IsBase64Encoded || l.event.Body != "a\ufffdb" {
		t.Errorf("broken text: %q", l.event.Body)
	}
	do(g, "GET", "/v1/cities", "")
	var raw map[string]any
	if err := json.Unmarshal(l.raw, &raw); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"body", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		if v, there := raw[name]; v != nil || !there {
			t.Errorf("%s is %v, there: %v; want null", name, v, there)
		}
	}
	if c := raw["requestContext"].(map[string]any); c["authorizer"] != nil || c["identity"].(map[string]any)["apiKey"] != nil {
		t.Errorf("context %v", c)
	}
}

func TestAnswers(t *testing.T) {
	big := strings.Repeat("x", 200)
	tests := []struct {
		name, payload string
		header        []string // of the request
		status        int
		body          string
		want          map[string]string
	}{
		{"plain", `{"statusCode":201,"headers":{"X-A":"1","Content-Type":"text/plain"},"body":"hi"}`, nil, 201, "hi", map[string]string{"X-A": "1", "Content-Type": "text/plain", "Content-Length": "2"}},
		{"empty", `{}`, nil, 200, "", map[string]string{"Content-Type": "application/json"}},
		{"status as text", `{"statusCode":"404"}`, nil, 404, "", nil},
		{"null body", `{"statusCode":200,"body":null,"headers":null,"multiValueHeaders":null}`, nil, 200, "", nil},
		{"odd header values", `{"headers":{"A":true,"B":12}}`, nil, 200, "", map[string]string{"A": "true", "B": "12"}},
		{"no content", `{"statusCode":204,"body":"x"}`, nil, 204, "", nil},
		{"multi value", `{"headers":{"X-A":"1","X-B":"b"},"multiValueHeaders":{"x-a":["1","2"],"X-C":["c","d"]}}`, nil, 200, "", map[string]string{"X-A": "1|2", "X-B": "b", "X-C": "c|d"}},
		{"remapped", `{"headers":{"WWW-Authenticate":"Bearer","date":"d","Server":"s"}}`, nil, 200, "", map[string]string{"X-Amzn-Remapped-Www-Authenticate": "Bearer", "X-Amzn-Remapped-Date": "d", "X-Amzn-Remapped-Server": "s", "Www-Authenticate": ""}},
		{"base64 as asked", `{"isBase64Encoded":true,"body":"aGk="}`, []string{"Accept", "image/png, */*"}, 200, "hi", nil},
		{"base64 not asked", `{"isBase64Encoded":true,"body":"aGk="}`, []string{"Accept", "text/html"}, 200, "aGk=", nil},
		{"bad base64", `{"isBase64Encoded":true,"body":"*"}`, []string{"Accept", "image/png"}, 502, `{"message":"Internal server error"}`, nil},
		{"gzip", `{"body":"` + big + `"}`, []string{"Accept-Encoding", "br, gzip"}, 200, big, map[string]string{"Content-Encoding": "gzip"}},
		{"deflate", `{"body":"` + big + `"}`, []string{"Accept-Encoding", "gzip;q=0, deflate"}, 200, "", map[string]string{"Content-Encoding": "deflate"}},
		{"gzip not asked", `{"body":"` + big + `"}`, []string{"Accept-Encoding", "br"}, 200, big, map[string]string{"Content-Encoding": ""}},
		{"too short for gzip", `{"body":"short"}`, []string{"Accept-Encoding", "gzip"}, 200, "short", map[string]string{"Content-Encoding": ""}},
		{"encoded already", `{"body":"` + big + `","headers":{"content-encoding":"br"}}`, []string{"Accept-Encoding", "gzip"}, 200, big, map[string]string{"Content-Encoding": "br"}},
		{"null", `null`, nil, 502, `{"message":"Internal server error"}`, map[string]string{"X-Amzn-Errortype": "InternalServerErrorException"}},
		{"text", `"hello"`, nil, 502, `{"message":"Internal server error"}`, nil},
		{"unknown member", `{"statusCode":200,"cookies":[]}`, nil, 502, `{"message":"Internal server error"}`, nil},
		{"body is an object", `{"body":{}}`, nil, 502, `{"message":"Internal server error"}`, nil},
		{"no status", `{"statusCode":0}`, nil, 502, `{"message":"Internal server error"}`, nil},
		{"status is no number", `{"statusCode":"ok"}`, nil, 502, `{"message":"Internal server error"}`, nil},
		{"header is an object", `{"headers":{"a":{}}}`, nil, 502, `{"message":"Internal server error"}`, nil},
		{"not JSON", `oops`, nil, 502, `{"message":"Internal server error"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lambda{answer: ok(tt.payload)}
			g := newGateway(t, &l, func(a *template.API) { a.BinaryTypes, a.MinCompress = []string{"image/png"}, 100 })
			rw := do(g, "GET", "/v1/cities", "", tt.header...)
			body := rw.Body.String()
			if rw.Header().Get("Content-Encoding") == "gzip" {
				z, err := gzip.NewReader(rw.Body)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(z)
				body = string(b)
			}
			if rw.Code != tt.status || tt.name != "deflate" && body != tt.body {
				t.Errorf("%d %q", rw.Code, body)
			}
			for name, want := range tt.want {
				if got := strings.Join(rw.Header().Values(name), "|"); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestFailuresOfTheFunction(t *testing.T) {
	crash := runtime.Result{Err: &runtime.FunctionError{Kind: runtime.Unhandled, Type: "Runtime.ExitError"}, Payload: []byte(`{}`)}
	tests := []struct {
		name   string
		answer runtime.Result
		err    error
		status int
		says   string
	}{
		{"function error", crash, nil, 502, "Internal server error"},
		{"throttled", runtime.Result{}, runtime.ErrThrottled, 500, "Internal server error"},
		{"not invoked", runtime.Result{}, errors.New("no"), 500, "Internal server error"},
		{"too large for Lambda", runtime.Result{}, runtime.ErrTooLarge, 413, "Request Too Long"},
		{"29 seconds", runtime.Result{}, fmt.Errorf("x: %w", context.DeadlineExceeded), 504, "Endpoint request timed out"},
	}
	for _, tt := range tests {
		l := lambda{answer: tt.answer, err: tt.err}
		rw := do(newGateway(t, &l), "GET", "/v1/cities", "")
		if rw.Code != tt.status || rw.Body.String() != `{"message":"`+tt.says+`"}` {
			t.Errorf("%s: %d %s", tt.name, rw.Code, rw.Body)
		}
	}
}

func TestTimeLimitOfARoute(t *testing.T) {
	slow := func(ctx context.Context, _ string, _ []byte) (runtime.Result, error) {
		<-ctx.Done()
		return runtime.Result{}, ctx.Err()
	}
	api := &template.API{ID: "Api", Stage: "v1", Routes: []template.Route{{Method: "GET", Path: "/", Function: "F", Timeout: 20 * time.Millisecond}}}
	g, err := New(api, slow, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if rw := do(g, "GET", "/v1/", ""); rw.Code != 504 {
		t.Errorf("%d %s", rw.Code, rw.Body)
	}
}

func TestRequestLimitsAndEncodings(t *testing.T) {
	var l lambda
	g := newGateway(t, &l, func(a *template.API) { a.MinCompress = 0 })
	if rw := do(g, "POST", "/v1/files/x", strings.Repeat("x", 10<<20)); rw.Code != 200 {
		t.Errorf("10 MB: %d", rw.Code)
	}
	if rw := do(g, "POST", "/v1/files/x", strings.Repeat("x", 10<<20+1)); rw.Code != 413 || rw.Body.String() != `{"message":"Request Too Long"}` {
		t.Errorf("more: %d %s", rw.Code, rw.Body)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte("hello"))
	w.Close()
	if rw := do(g, "POST", "/v1/files/x", z.String(), "Content-Encoding", "gzip"); rw.Code != 200 || l.event.Body != "hello" || l.event.Headers["Content-Encoding"] != "" {
		t.Errorf("gzip: %d %+v", rw.Code, l.event)
	}
	for enc, body := range map[string]string{"gzip": "x", "br": "x"} {
		if rw := do(g, "POST", "/v1/files/x", body, "Content-Encoding", enc); rw.Code != 400 {
			t.Errorf("%s: %d", enc, rw.Code)
		}
	}
}

func TestPreflight(t *testing.T) {
	var l lambda
	g := newGateway(t, &l, func(a *template.API) {
		a.CORS = &template.CORS{Origin: "*", Headers: "X-Api-Key", MaxAge: "600"}
		a.Routes = append(a.Routes, template.Route{Method: "OPTIONS", Path: "/cities", Function: "Own"})
		for i := range a.Routes {
			a.Routes[i].KeyRequired = true
		}
	})
	rw := do(g, "OPTIONS", "/v1/shows/s1/seatmap", "")
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,OPTIONS",
		"Access-Control-Allow-Headers": "X-Api-Key", "Access-Control-Max-Age": "600"} {
		if rw.Header().Get(name) != want {
			t.Errorf("%s: %q", name, rw.Header().Get(name))
		}
	}
	if rw.Code != 200 || len(l.calls) != 0 {
		t.Errorf("%d, calls %v", rw.Code, l.calls)
	}
	if m := do(g, "OPTIONS", "/v1/shows/s1", "").Header().Get("Access-Control-Allow-Methods"); m != "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT" {
		t.Errorf("ANY: %q", m)
	}
	if rw := do(g, "OPTIONS", "/v1/nothing", ""); rw.Code != 403 {
		t.Errorf("no resource: %d", rw.Code)
	}
	if rw := do(g, "OPTIONS", "/v1/cities", ""); rw.Code != 403 {
		t.Errorf("a route of its own needs its key: %d", rw.Code)
	}
}

func TestGatewayResponses(t *testing.T) {
	var l lambda
	g := newGateway(t, &l, func(a *template.API) {
		a.Routes[1].KeyRequired = true
		a.Responses = map[string]template.GatewayResponse{
			"MISSING_AUTHENTICATION_TOKEN": {Status: 404,
				Headers:   map[string]string{"Access-Control-Allow-Origin": "'*'", "X-Id": "context.requestId", "X-Origin": "method.request.header.Origin", "X-Plain": "60"},
				Templates: map[string]string{"application/problem+json": `{"type":"about:blank#end","code":"not_found","detail":$context.error.messageString,"m":"$context.error.message","p":"${context.path}","t":"$context.error.responseType","cost":"$5"}`}},
			"DEFAULT_4XX": {Status: 418, Headers: map[string]string{"X-Default": "yes"}},
			"DEFAULT_5XX": {Templates: map[string]string{"text/plain": "$context.httpMethod failed", "application/json": `{"e":$context.error.messageString}`}},
		}
	})
	rw := do(g, "GET", "/v1/nothing", "", "Origin", "http://x")
	want := `{"type":"about:blank#end","code":"not_found","detail":"Missing Authentication Token","m":"Missing Authentication Token","p":"/v1/nothing","t":"MISSING_AUTHENTICATION_TOKEN","cost":"$5"}`
	if rw.Code != 404 || rw.Body.String() != want || rw.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s %v", rw.Code, rw.Body, rw.Header())
	}
	h := rw.Header()
	if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("X-Id") != h.Get("X-Amzn-Requestid") || h.Get("X-Origin") != "http://x" || h.Get("X-Plain") != "60" {
		t.Errorf("header %v", h)
	}
	rw = do(g, "GET", "/v1/cities", "")
	if rw.Code != 418 || rw.Header().Get("X-Default") != "yes" || rw.Body.String() != `{"message":"Forbidden"}` {
		t.Errorf("default: %d %s", rw.Code, rw.Body)
	}
	l.err = errors.New("no")
	if rw = do(g, "GET", "/v1/", ""); rw.Code != 500 || rw.Body.String() != `{"e":"Internal server error"}` {
		t.Errorf("5xx: %d %s", rw.Code, rw.Body)
	}
	l.err = context.DeadlineExceeded // a type of its own that falls back
	if rw = do(g, "GET", "/v1/", ""); rw.Code != 504 || rw.Body.String() != `{"e":"Endpoint request timed out"}` {
		t.Errorf("timeout: %d %s", rw.Code, rw.Body)
	}
	if rw = do(g, "GET", "/v1/", "", "Accept", "text/plain;q=1"); rw.Body.String() != "GET failed" || rw.Header().Get("Content-Type") != "text/plain" {
		t.Errorf("by Accept: %s", rw.Body)
	}
	if rw = do(g, "GET", "/v2/x", ""); rw.Code != 403 || rw.Body.String() != `{"message":"Forbidden"}` {
		t.Errorf("another stage has none of it: %d %s", rw.Code, rw.Body)
	}
}

func TestOverRealHTTP(t *testing.T) {
	l := lambda{answer: ok(`{"statusCode":200,"body":"hello"}`)}
	var seen []Access
	var mu sync.Mutex
	api := &template.API{ID: "A", Stage: "v1", MinCompress: -1, Routes: []template.Route{{Method: "ANY", Path: "/{proxy+}", Function: "F"}}}
	g, err := New(api, l.invoke, Options{Access: func(a Access) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, a)
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	defer srv.Close()
	res, err := http.Head(srv.URL + "/v1/a%20b?secret=1")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 || res.ContentLength != 5 || res.Header.Get("Date") == "" || l.event.HTTPMethod != "HEAD" || l.event.Path != "/a%20b" {
		t.Errorf("HEAD: %v %+v", res, l.event)
	}
	srv.Close()
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 1 || seen[0].Path != "/v1/a%20b" || seen[0].Status != 200 || seen[0].Method != "HEAD" {
		t.Errorf("access %+v", seen)
	}
}
