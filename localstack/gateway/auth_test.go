package gateway

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

func keys(a *template.API) {
	a.Keys = []template.APIKey{
		{ID: "k1", Value: "good", Enabled: true, InPlan: true},
		{ID: "k2", Value: "off", Enabled: false, InPlan: true},
		{ID: "k3", Value: "loose", Enabled: true},
	}
	for i := range a.Routes {
		a.Routes[i].KeyRequired = true
	}
}

func TestAPIKeys(t *testing.T) {
	var l lambda
	g := newGateway(t, &l, keys)
	for value, status := range map[string]int{"good": 200, "off": 403, "loose": 403, "bad": 403, "": 403} {
		rw := do(g, "GET", "/v1/cities", "", "x-api-key", value)
		if rw.Code != status || status == 403 && rw.Body.String() != `{"message":"Forbidden"}` {
			t.Errorf("%q: %d %s", value, rw.Code, rw.Body)
		}
	}
	if id := l.event.RequestContext.Identity; id.APIKey != "good" || id.APIKeyID != "k1" {
		t.Errorf("identity %+v", id)
	}
}

func TestPlan(t *testing.T) {
	now := noon
	var l lambda
	g := newGateway(t, &l, keys, func(a *template.API) {
		a.Plan = &template.UsagePlan{Rate: 1, Burst: 2, Quota: 5, Period: "DAY"}
		a.Responses = map[string]template.GatewayResponse{"QUOTA_EXCEEDED": {Status: 429, Headers: map[string]string{"Retry-After": "'60'"}}}
	})
	g.opts.Now = func() time.Time { return now }
	steps := []struct {
		wait   time.Duration
		status int
		says   string
	}{
		{0, 200, ""}, {0, 200, ""}, {0, 429, "Too Many Requests"}, {time.Second, 200, ""}, {0, 429, "Too Many Requests"},
		{10 * time.Second, 200, ""}, {0, 200, ""}, {10 * time.Second, 429, "Limit Exceeded"}, {12 * time.Hour, 200, ""},
	}
	for i, s := range steps {
		now = now.Add(s.wait)
		rw := do(g, "GET", "/v1/cities", "", "X-Api-Key", "good")
		if rw.Code != s.status || !strings.Contains(rw.Body.String(), s.says) {
			t.Fatalf("step %d: %d %s", i, rw.Code, rw.Body)
		}
		if s.says == "Limit Exceeded" && rw.Header().Get("Retry-After") != "60" {
			t.Errorf("header %v", rw.Header())
		}
	}
}

// TestBucketAgainstItsTwin compares the plan's rate with a bucket counted by hand.
func TestBucketAgainstItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond, burst := rapid.IntRange(1, 5).Draw(t, "rate"), rapid.IntRange(1, 10).Draw(t, "burst")
		u := newUsage(&template.API{Plan: &template.UsagePlan{Rate: float64(perSecond), Burst: burst}})
		now, tokens := noon, float64(burst)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			gap := rapid.IntRange(0, 8).Draw(t, "quarters")
			now = now.Add(time.Duration(gap) * 250 * time.Millisecond)
			tokens = math.Min(tokens+float64(gap*perSecond)/4, float64(burst))
			want := overRate
			if tokens >= 1 {
				tokens--
				want = within
			}
			if got := u.take("k", now); got != want {
				t.Fatalf("at %v with %v tokens: %v", now.Sub(noon), tokens, got)
			}
		}
	})
}

func TestPeriods(t *testing.T) {
	for period, want := range map[string]string{"DAY": "2026-03-04", "WEEK": "2026-03-01", "MONTH": "2026-03-01"} {
		got, err := periodStart(noon.In(time.FixedZone("", 3600)), period)
		if err != nil || got.Format(time.DateOnly) != want {
			t.Errorf("%s: %v, %v", period, got, err)
		}
	}
	if got, _ := periodStart(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "WEEK"); got.Day() != 1 {
		t.Errorf("a Sunday: %v", got)
	}
}

func grant(effect, resource, more string) runtime.Result {
	return ok(fmt.Sprintf(`{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":%q,"Resource":%q}]}%s}`, effect, resource, more))
}

func guarded(auth template.Authorizer) func(*template.API) {
	auth.Function = "Auth"
	return func(a *template.API) {
		a.Authorizers = map[string]template.Authorizer{"A": auth}
		for i := range a.Routes {
			a.Routes[i].Authorizer = "A"
		}
	}
}

func TestAuthorizerAnswers(t *testing.T) {
	const arn = "arn:aws:execute-api:eu-west-1:000000000000:local00000/v1/GET/cities"
	const denied = "User is not authorized to access this resource"
	statement := func(s string) runtime.Result {
		return ok(`{"principalId":"p","policyDocument":{"Statement":` + s + `}}`)
	}
	tests := []struct {
		name   string
		answer runtime.Result
		err    error
		status int
		body   string
	}{
		{"exact", grant("Allow", arn, ""), nil, 200, "Cities"},
		{"wildcard", grant("Allow", "arn:aws:execute-api:*:*:*/v1/*", ""), nil, 200, "Cities"},
		{"question mark", grant("Allow", "arn:aws:execute-api:*:*:*/v?/GET/citie?", ""), nil, 200, "Cities"},
		{"everything", grant("Allow", "*", ""), nil, 200, "Cities"},
		{"another method", grant("Allow", "arn:aws:execute-api:*:*:*/v1/POST/*", ""), nil, 403, denied},
		{"deny", grant("Deny", "*", ""), nil, 403, denied + " with an explicit deny"},
		{"deny beats allow", statement(`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["execute-api:*"],"Resource":["x","` + arn + `"]}]`), nil, 403, "explicit deny"},
		{"one statement without a list", statement(`{"Effect":"Allow","Action":"Execute-API:invoke","Resource":"*"}`), nil, 200, "Cities"},
		{"another action", statement(`[{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}]`), nil, 403, denied},
		{"no statements", statement(`[]`), nil, 403, denied},
		{"Unauthorized", runtime.Result{Err: &runtime.FunctionError{Message: "Unauthorized"}}, nil, 401, `{"message":"Unauthorized"}`},
		{"another error", runtime.Result{Err: &runtime.FunctionError{Message: "boom"}}, nil, 500, `{"message":null}`},
		{"not invoked", runtime.Result{}, errors.New("x"), 500, `{"message":null}`},
		{"nothing", ok(`null`), nil, 500, `{"message":null}`},
		{"no principal", ok(`{"policyDocument":{"Statement":[]}}`), nil, 500, `{"message":null}`},
		{"no policy", ok(`{"principalId":"p"}`), nil, 500, `{"message":null}`},
		{"condition", statement(`[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]`), nil, 500, `{"message":null}`},
		{"not action", statement(`[{"Effect":"Allow","NotAction":"*","Resource":"*"}]`), nil, 500, `{"message":null}`},
		{"half a statement", statement(`[{"Effect":"Allow"}]`), nil, 500, `{"message":null}`},
		{"context with a list", grant("Allow", "*", `,"context":{"a":[1]}`), nil, 500, `{"message":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := lambda{auth: func(e events.APIGatewayCustomAuthorizerRequestTypeRequest) (runtime.Result, error) {
				if e.Type != "REQUEST" || e.MethodArn != arn || e.Resource != "/cities" || e.Headers["X-A"] != "1" ||
					e.QueryStringParameters["q"] != "2" || e.RequestContext.Identity.SourceIP == "" || e.HTTPMethod != "GET" {
					t.Errorf("event %+v", e)
				}
				return tt.answer, tt.err
			}}
			rw := do(newGateway(t, &l, guarded(template.Authorizer{})), "GET", "/v1/cities?q=2", "", "X-A", "1")
			if rw.Code != tt.status || !strings.Contains(rw.Body.String(), tt.body) {
				t.Errorf("%d %s", rw.Code, rw.Body)
			}
		})
	}
}

func TestAuthorizerContextReachesTheFunction(t *testing.T) {
	l := lambda{auth: func(events.APIGatewayCustomAuthorizerRequestTypeRequest) (runtime.Result, error) {
		return grant("Allow", "*", `,"context":{"s":"x","n":1.5,"i":12345678,"b":true,"z":null}`), nil
	}}
	do(newGateway(t, &l, guarded(template.Authorizer{})), "GET", "/v1/cities", "")
	if got := fmt.Sprint(l.event.RequestContext.Authorizer); got != "map[b:true i:12345678 n:1.5 principalId:p s:x]" {
		t.Errorf("authorizer %s", got)
	}
	for k, v := range l.event.RequestContext.Authorizer {
		if _, text := v.(string); !text {
			t.Errorf("%s is %T", k, v)
		}
	}
}

func TestIdentitySourcesAndTheCache(t *testing.T) {
	now, n := noon, 0
	l := lambda{auth: func(events.APIGatewayCustomAuthorizerRequestTypeRequest) (runtime.Result, error) {
		n++
		return grant("Allow", "arn:aws:execute-api:*:*:*/v1/GET/cities", ""), nil
	}}
	g := newGateway(t, &l, guarded(template.Authorizer{Headers: []string{"X-Key"}, Queries: []string{"q"}, TTL: time.Minute}))
	g.opts.Now = func() time.Time { return now }
	steps := []struct {
		name, path, key string
		wait            time.Duration
		status, asked   int
	}{
		{"no header", "/v1/cities?q=1", "", 0, 401, 0},
		{"no query", "/v1/cities", "k", 0, 401, 0},
		{"first", "/v1/cities?q=1", "k", 0, 200, 1},
		{"cached", "/v1/cities?q=1", "k", 59 * time.Second, 200, 1},
		{"cached policy, another method", "/v1/shows/s?q=1", "k", 0, 403, 1},
		{"another query", "/v1/cities?q=2", "k", 0, 200, 2},
		{"over", "/v1/cities?q=1", "k", time.Second, 200, 3},
	}
	for _, s := range steps {
		now = now.Add(s.wait)
		rw := do(g, "GET", s.path, "", "X-Key", s.key)
		if rw.Code != s.status || n != s.asked {
			t.Errorf("%s: %d, asked %d times", s.name, rw.Code, n)
		}
	}
	n = 0
	open := newGateway(t, &l, guarded(template.Authorizer{}))
	for range 2 {
		if rw := do(open, "GET", "/v1/cities", ""); rw.Code != 200 {
			t.Errorf("without sources: %d", rw.Code)
		}
	}
	if n != 2 {
		t.Errorf("without a cache it was asked %d times", n)
	}
}

func TestKeyFromTheAuthorizer(t *testing.T) {
	key := ""
	l := lambda{auth: func(events.APIGatewayCustomAuthorizerRequestTypeRequest) (runtime.Result, error) {
		return grant("Allow", "*", `,"usageIdentifierKey":"`+key+`"`), nil
	}}
	g := newGateway(t, &l, keys, guarded(template.Authorizer{}), func(a *template.API) {
		a.KeySource, a.Plan = "AUTHORIZER", &template.UsagePlan{Quota: 1, Period: "MONTH"}
	})
	for i, s := range []struct {
		key    string
		status int
	}{{"", 403}, {"bad", 403}, {"good", 200}, {"good", 429}} {
		key = s.key
		if rw := do(g, "GET", "/v1/cities", "", "X-Api-Key", "good"); rw.Code != s.status {
			t.Errorf("step %d: %d %s", i, rw.Code, rw.Body)
		}
	}
}

// TestWildcardAgainstItsTwin compares with a regular expression.
func TestWildcardAgainstItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringMatching(`[ab*?/]{0,8}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab/]{0,10}`).Draw(t, "text")
		twin := regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(p)) + "$")
		if got := wildcard(p, s); got != twin.MatchString(s) {
			t.Fatalf("%q on %q: %v", p, s, got)
		}
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add(`{"principalId":"p","policyDocument":{"Statement":{"Effect":"Allow","Action":"*","Resource":["a*"]}},"context":{"a":1}}`)
	f.Add(`{"principalId":"p","policyDocument":{"Statement":[null]}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := decodePolicy([]byte(doc))
		if err == nil && p.judge("arn") == 0 {
			t.Error("no decision")
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"statusCode":200,"headers":{"a":"b"},"multiValueHeaders":{"c":["d"]},"body":"x"}`)
	f.Add(`{"statusCode":"99999999999999999999","headers":{"a":null}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		if a, err := decodeAnswer([]byte(doc)); err == nil && (a.status < 200 || a.status > 599) {
			t.Errorf("status %d", a.status)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add(`{"m":$context.error.messageString,"x":"${context.requestId}"}`, "a=b&c")
	f.Add(`$context.authorizer.$$`, "%")
	f.Fuzz(func(t *testing.T, s, query string) {
		if p, err := parseText(s); err == nil {
			same := p.render(func(name string) string { return "$" + name })
			if !strings.ContainsAny(s, "{") && same != s {
				t.Errorf("%q became %q", s, same)
			}
		}
		parseQuery(query)
	})
}

// TestMatchAgainstItsTwin compares the tree with trying every route by its rules.
func TestMatchAgainstItsTwin(t *testing.T) {
	segment := rapid.SampledFrom([]string{"a", "b", "{x}"})
	rapid.Check(t, func(t *rapid.T) {
		var routes []template.Route
		seen := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(t, "routes") {
			p := "/" + strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(t, "path"), "/")
			if !seen[p] {
				seen[p] = true
				routes = append(routes, template.Route{Method: "GET", Path: p})
			}
		}
		root, err := newTree(routes)
		if err != nil {
			t.Fatal(err)
		}
		path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, "request"), "/")
		best, rank := "", ""
		for _, r := range routes {
			if k, ok := rankOf(r.Path, path); ok && (best == "" || k < rank) {
				best, rank = r.Path, k
			}
		}
		got := ""
		if res, _ := root.match(path); res != nil {
			got = res.path
		}
		if got != best {
			t.Fatalf("%s among %v: %q, want %q", path, routes, got, best)
		}
	})
}

// rankOf is "0" for a word and "1" for a parameter, segment by segment.
func rankOf(route, path string) (string, bool) {
	a, b := split(route), split(path)
	if len(a) != len(b) {
		return "", false
	}
	k := ""
	for i := range a {
		switch {
		case a[i] == b[i]:
			k += "0"
		case a[i] == "{x}":
			k += "1"
		default:
			return "", false
		}
	}
	return k, true
}
