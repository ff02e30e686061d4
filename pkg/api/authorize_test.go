package api

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/developer/gate"
	"github.com/fairseat/fairseat/pkg/store/memstore"
)

const gatewayKey = "local-dev-key-0123456789"

type keyEvent = events.APIGatewayCustomAuthorizerRequestTypeRequest

// door is a new instance of the authorizer.
func (w *world) door() Authorizer {
	return AuthorizeKey(Door{Clock: w.clock, Log: w.edge.Log, Plan: gatewayKey, Gate: &gate.Gate{Store: w.registry, First: gatewayKey}})
}

func authorize(t testing.TB, w *world, ev keyEvent) events.APIGatewayCustomAuthorizerResponse {
	t.Helper()
	return through(t, w.door(), ev)
}

func through(t testing.TB, a Authorizer, ev keyEvent) events.APIGatewayCustomAuthorizerResponse {
	t.Helper()
	answer, err := a(context.Background(), ev)
	must(t, err)
	return answer
}

// developerKey is the first key of an account.
func (w *world) developerKey(n byte) string {
	w.t.Helper()
	q := post("/developer/keys", `{"name":"an app","accept_terms":true}`).by(w.account(n)).keyed(w.nextKey())
	return w.expect(q, 201, "").str("key")
}

func withKey(key string) keyEvent {
	return keyEvent{Resource: "/cities", HTTPMethod: "GET", MultiValueHeaders: map[string][]string{"x-aPI-key": {key}}}
}

func TestAuthorizeKey(t *testing.T) {
	w := newWorld(t)
	good := w.developerKey(1)
	multi := func(k string, v ...string) map[string][]string { return map[string][]string{k: v} }
	const arn = "arn:aws:execute-api:eu-west-1:000000000000:abc/v1/GET/cities/bern/movies"
	for name, c := range map[string]struct {
		ev keyEvent
		ok bool
	}{
		"header":          {keyEvent{MultiValueHeaders: multi("x-aPI-key", good)}, true},
		"single header":   {keyEvent{Headers: map[string]string{"X-Api-Key": good}}, true},
		"query":           {keyEvent{MultiValueQueryStringParameters: multi("api_dev_key", good)}, true},
		"single query":    {keyEvent{QueryStringParameters: map[string]string{"api_dev_key": good}}, true},
		"the first":       {keyEvent{MultiValueHeaders: multi("X-Api-Key", gatewayKey)}, true},
		"header first":    {keyEvent{MultiValueHeaders: multi("X-Api-Key", good), MultiValueQueryStringParameters: multi("api_dev_key", "k2")}, true},
		"bad header":      {keyEvent{MultiValueHeaders: multi("X-Api-Key", "k2"), MultiValueQueryStringParameters: multi("api_dev_key", good)}, false},
		"none":            {keyEvent{}, false},
		"empty":           {keyEvent{MultiValueHeaders: multi("X-Api-Key", "")}, false},
		"two":             {keyEvent{MultiValueQueryStringParameters: multi("api_dev_key", good, good)}, false},
		"two headers":     {keyEvent{MultiValueHeaders: multi("X-Api-Key", good, good)}, false},
		"query name case": {keyEvent{MultiValueQueryStringParameters: multi("API_DEV_KEY", good)}, false},
		"unknown":         {keyEvent{MultiValueHeaders: multi("X-Api-Key", "nobody")}, false},
		"mistyped":        {keyEvent{MultiValueHeaders: multi("X-Api-Key", good[:20]+"7"+good[21:])}, false},
		"cut":             {keyEvent{MultiValueHeaders: multi("X-Api-Key", good[:51])}, false},
		"upper case":      {keyEvent{MultiValueHeaders: multi("X-Api-Key", strings.ToUpper(good))}, false},
		"too long":        {keyEvent{MultiValueHeaders: multi("X-Api-Key", strings.Repeat("k", 129))}, false},
	} {
		c.ev.MethodArn = arn
		a := authorize(t, w, c.ev)
		if (a.UsageIdentifierKey == gatewayKey) != c.ok || a.UsageIdentifierKey != "" && !c.ok || a.PrincipalID == "" {
			t.Errorf("%s: key %q, let in should be %v", name, a.UsageIdentifierKey, c.ok)
		}
		if (a.Context == nil) == c.ok || strings.Contains(fmt.Sprint(a.Context), good[14:]) {
			t.Errorf("%s: context %v", name, a.Context)
		}
		s := a.PolicyDocument.Statement[0]
		if s.Effect != "Allow" || s.Resource[0] != "arn:aws:execute-api:eu-west-1:000000000000:abc/v1/*" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestQuotaIsTold: from the authorizer through the gateway to the answer.
func TestQuotaIsTold(t *testing.T) {
	w := newWorld(t)
	key, door := w.developerKey(1), w.door()
	call := func() events.APIGatewayProxyResponse {
		ev, fn := get("/cities").event()
		ev.RequestContext.Authorizer = through(t, door, withKey(key)).Context
		resp, err := w.handlers[fn](context.Background(), ev)
		must(t, err)
		checkAnswer(t, ev, resp)
		return resp
	}
	for n := range 60 {
		resp := call()
		want := fmt.Sprintf(`"minute";r=%d;t=60, "month";r=%d;t=2635200`, 59-n, 99999-n)
		if resp.StatusCode != 200 || resp.Headers["RateLimit"] != want || resp.Headers["RateLimit-Policy"] != `"minute";q=60;w=60, "month";q=100000;w=2678400` {
			t.Fatalf("call %d: %d %v", n, resp.StatusCode, resp.Headers)
		}
	}
	w.pass(17500 * time.Millisecond)
	resp := call()
	if resp.StatusCode != 429 || !strings.Contains(resp.Body, `"quota_exceeded"`) || resp.Headers["Retry-After"] != "43" {
		t.Errorf("%d %s %v", resp.StatusCode, resp.Body, resp.Headers)
	}
	if resp.Headers["RateLimit"] == "" || resp.Headers["Cache-Control"] != keepNot {
		t.Errorf("refused with %v", resp.Headers)
	}
	w.pass(42500 * time.Millisecond)
	if resp := call(); resp.StatusCode != 200 {
		t.Errorf("after Retry-After: %d", resp.StatusCode)
	}
}

// TestKeyThatCannotBeJudged: a table that does not answer is no refusal of the key,
// and lets nobody in either.
func TestKeyThatCannotBeJudged(t *testing.T) {
	w := newWorld(t)
	key := w.developerKey(1)
	for _, kind := range []memstore.OpKind{memstore.OpGet, memstore.OpUpdate} {
		w.faults = func(op memstore.Op) memstore.Fault {
			if op.Kind == kind {
				return memstore.Throttle
			}
			return memstore.NoFault
		}
		a := authorize(t, w, withKey(key))
		ev, fn := get("/cities").event()
		ev.RequestContext.Authorizer = a.Context
		resp, err := w.handlers[fn](context.Background(), ev)
		must(t, err)
		if a.UsageIdentifierKey != gatewayKey || resp.StatusCode != 503 || resp.Headers["Retry-After"] == "" {
			t.Errorf("%v: %+v, then %d %s", kind, a, resp.StatusCode, resp.Body)
		}
		if log := w.log.String(); !strings.Contains(log, "developer key not judged") || strings.Contains(log, key[10:]) {
			t.Errorf("log %s", log)
		}
	}
}
