package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/fairseat/fairseat/pkg/developer"
	"github.com/fairseat/fairseat/pkg/developer/gate"
	"github.com/fairseat/fairseat/pkg/quota"
)

// Authorizer answers events of a REST API's REQUEST authorizer.
type Authorizer = func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error)

// Door is what the authorizer judges by.
type Door struct {
	Clock func() time.Time
	Log   *slog.Logger
	Gate  *gate.Gate
	Plan  string // the gateway's own key, in whose usage plan all admitted calls are
}

// AuthorizeKey finds the developer's key (A13) in the header X-Api-Key or else in
// the query parameter api_dev_key, and judges the call by it. An authorizer can say
// yes or no, and no is 403. So a call of no good key is handed on without a key of
// the gateway, which then says 403 itself; one over its quota is let in with the
// verdict, and the edge of the function says 429 (see [readVerdict]).
//
// Its answers must not be kept by identity sources: the gateway calls no
// authorizer, and says 401, when one of several sources is missing.
func AuthorizeKey(d Door) Authorizer {
	return func(ctx context.Context, ev events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		a := events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "developer",
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version: "2012-10-17",
				Statement: []events.IAMPolicyStatement{{
					Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{wholeStage(ev.MethodArn)},
				}},
			},
		}
		v, err := d.admit(ctx, ev)
		switch {
		case errors.Is(err, developer.ErrNoKey):
			return a, nil
		case err != nil:
			d.Log.ErrorContext(ctx, "developer key not judged", "request", ev.RequestContext.RequestID, "err", err.Error())
			a.Context = map[string]any{verdictRefused: refusedBusy}
		default:
			a.PrincipalID, a.Context = string(v.Developer), contextOf(v)
		}
		a.UsageIdentifierKey = d.Plan
		return a, nil
	}
}

func (d Door) admit(ctx context.Context, ev events.APIGatewayCustomAuthorizerRequestTypeRequest) (gate.Verdict, error) {
	key, ok := developerKey(ev)
	if !ok {
		return gate.Verdict{}, developer.ErrNoKey
	}
	operation := "other"
	if r, ok := routeOf(ev.HTTPMethod, ev.Resource); ok {
		operation = r.Operation
	}
	return d.Gate.Admit(ctx, key, operation, d.Clock())
}

// wholeStage is the ARN of all resources of the stage in arn:…:<api>/<stage>/<method>/<path>.
func wholeStage(arn string) string {
	api, rest, _ := strings.Cut(arn, "/")
	stage, _, _ := strings.Cut(rest, "/")
	return api + "/" + stage + "/*"
}

func developerKey(ev events.APIGatewayCustomAuthorizerRequestTypeRequest) (string, bool) {
	keys := header(&events.APIGatewayProxyRequest{Headers: ev.Headers, MultiValueHeaders: ev.MultiValueHeaders}, "X-Api-Key")
	if len(keys) == 0 {
		keys = ev.MultiValueQueryStringParameters[devKey]
	}
	if len(keys) == 0 {
		keys = []string{ev.QueryStringParameters[devKey]}
	}
	// Which of two keys is meant nobody can tell.
	return keys[0], len(keys) == 1 && printable(keys[0], maxKey)
}

// What the authorizer tells the functions, which the gateway hands on as text.
const (
	verdictKey     = "key" // its id
	verdictRefused = "refused"
	verdictRetry   = "retry_after"
	verdictPolicy  = "rate_limit_policy"
	verdictLimit   = "rate_limit"

	refusedBusy = "busy"
)

func contextOf(v gate.Verdict) map[string]any {
	c := map[string]any{
		"developer": string(v.Developer), verdictKey: string(v.Key),
		verdictPolicy: policyItem("minute", v.Minute) + ", " + policyItem("month", v.Month),
		verdictLimit:  limitItem("minute", v.Minute) + ", " + limitItem("month", v.Month),
	}
	if v.Refused != 0 {
		c[verdictRefused], c[verdictRetry] = v.Refused.String(), strconv.FormatInt(max(seconds(v.Retry), 1), 10)
	}
	return c
}

// The fields of draft-ietf-httpapi-ratelimit-headers-10: q the quota in w seconds, r
// what is left of it for t more.
func policyItem(name string, s quota.Standing) string {
	return fmt.Sprintf("%q;q=%d;w=%d", name, s.Limit, seconds(s.Length))
}

func limitItem(name string, s quota.Standing) string {
	return fmt.Sprintf("%q;r=%d;t=%d", name, s.Remaining, seconds(s.Reset))
}

// seconds are whole and rounded up: who comes then is not too early.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// overQuota is a call that its developer's quota refuses.
type overQuota struct{ wait time.Duration }

func (overQuota) Error() string               { return "api: over the developer's quota" }
func (o overQuota) RetryAfter() time.Duration { return o.wait }

// readVerdict refuses what the authorizer found to be over its quota, or could not
// judge. A call that came past no authorizer has no verdict: which do, the template
// says.
func (c *call) readVerdict() error {
	told := c.event.RequestContext.Authorizer
	switch told[verdictRefused] {
	case nil:
		return nil
	case refusedBusy:
		return &refusal{code: "busy"}
	}
	wait, _ := told[verdictRetry].(string)
	n, _ := strconv.Atoi(wait)
	return overQuota{time.Duration(n) * time.Second}
}

// standing is how the developer's quotas stand, as headers of every answer.
func standing(ev *events.APIGatewayProxyRequest, h map[string]string) {
	for name, from := range map[string]string{"RateLimit-Policy": verdictPolicy, "RateLimit": verdictLimit} {
		if text, ok := ev.RequestContext.Authorizer[from].(string); ok && text != "" {
			h[name] = text
		}
	}
}
