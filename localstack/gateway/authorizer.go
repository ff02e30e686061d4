package gateway

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/fairseat/fairseat/localstack/template"
)

// authorize asks the method's authorizer, or its cached answer. The policy, not
// the verdict, is cached: one answer may serve many methods.
func (g *Gateway) authorize(ctx context.Context, q *request) *refusal {
	if q.route.Authorizer == "" {
		return nil
	}
	auth := g.api.Authorizers[q.route.Authorizer]
	id, ok := identityOf(auth, q)
	if !ok {
		return newRefusal(unauthorized)
	}
	id = q.route.Authorizer + "\x00" + id
	p := g.policies.find(id, q.now)
	if p == nil {
		var fail *refusal
		if p, fail = g.askAuthorizer(ctx, auth, q); fail != nil {
			return fail
		}
		if auth.TTL > 0 {
			g.policies.keep(id, p, q.now.Add(auth.TTL))
		}
	}
	q.usageKey, q.authorizer = p.usageKey, p.context
	switch p.judge(g.methodARN(q)) {
	case allow:
		return nil
	case explicit:
		return newRefusal(explicitDeny)
	default:
		return newRefusal(accessDenied)
	}
}

// identityOf joins the identity sources' values. A source that is named must be
// there, with or without caching; without caching none need be named.
// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
func identityOf(a template.Authorizer, q *request) (string, bool) {
	var values []string
	for _, name := range a.Headers {
		values = append(values, q.header.Get(name))
	}
	for _, name := range a.Queries {
		values = append(values, last(q.query)[name])
	}
	for _, v := range values {
		if v == "" {
			return "", false
		}
	}
	return strings.Join(values, "\x00"), true
}

func (g *Gateway) askAuthorizer(ctx context.Context, a template.Authorizer, q *request) (*policy, *refusal) {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	res, err := g.invoke(ctx, a.Function, g.authorizerEvent(q))
	switch {
	case err != nil:
		return nil, newRefusal(authorizerFailure).because("authorizer: " + err.Error())
	case res.Err != nil && res.Err.Message == "Unauthorized":
		return nil, newRefusal(unauthorized)
	case res.Err != nil:
		return nil, newRefusal(authorizerFailure).because("authorizer: " + res.Err.Error())
	}
	p, err := decodePolicy(res.Payload)
	if err != nil {
		return nil, newRefusal(authorizerConfig).because(err.Error())
	}
	return p, nil
}

const maxPolicies = 10_000

type policyCache struct {
	mu    sync.Mutex
	byKey map[string]cachedPolicy
}

type cachedPolicy struct {
	*policy
	until time.Time
}

func newPolicyCache() *policyCache { return &policyCache{byKey: map[string]cachedPolicy{}} }

func (c *policyCache) find(key string, now time.Time) *policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.byKey[key]; ok && now.Before(p.until) {
		return p.policy
	}
	return nil
}

func (c *policyCache) keep(key string, p *policy, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byKey) >= maxPolicies {
		clear(c.byKey)
	}
	c.byKey[key] = cachedPolicy{p, until}
}
