package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/fairseat/fairseat/localstack/apiclient"
	"github.com/fairseat/fairseat/localstack/gateway"
	"github.com/fairseat/fairseat/localstack/template"
)

// besides serves the same functions under another usage plan.
func besides(t *testing.T, plan template.UsagePlan) *apiclient.Client {
	t.Helper()
	a := *stack.Stack.API
	a.Plan = &plan
	g, err := gateway.New(&a, stack.Invoke, gateway.Options{})
	must(t, err)
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	return &apiclient.Client{Base: srv.URL + "/" + a.Stage, Key: developerKey, HTTP: wire}
}

// TestUsagePlan: what a developer's key may take (A13), by quota and by rate; who
// comes without it, and what needs no key, takes nothing.
func TestUsagePlan(t *testing.T) {
	parallel(t)
	for name, plan := range map[string]template.UsagePlan{
		"quota": {Quota: 3, Period: "MONTH"},
		"rate":  {Rate: 0.001, Burst: 3},
	} {
		c := besides(t, plan)
		stranger := &apiclient.Client{Base: c.Base, HTTP: wire}
		for range 5 {
			r, err := stranger.Do(t.Context(), http.MethodGet, "/cities", nil, nil)
			must(t, err)
			refused(t, r.Problem(), 403, "forbidden")
			must(t, stranger.Call(t.Context(), http.MethodGet, "/health", "", nil, nil))
		}
		for range 3 {
			must(t, c.Call(t.Context(), http.MethodGet, "/cities", "", nil, nil))
		}
		err := c.Call(t.Context(), http.MethodGet, "/cities", "", nil, nil)
		p := refused(t, err, 429, "quota_exceeded")
		if n, err := strconv.Atoi(p.RetryAfter); err != nil || n < 1 {
			t.Errorf("%s: Retry-After is %q", name, p.RetryAfter)
		}
		must(t, c.Call(t.Context(), http.MethodGet, "/health", "", nil, nil))
	}
}
