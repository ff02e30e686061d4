package gateway

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/fairseat/fairseat/localstack/template"
)

// usage counts what each key has taken of the plan.
type usage struct {
	plan *template.UsagePlan
	keys map[string]*template.APIKey // by value; enabled ones in the plan

	mu    sync.Mutex
	byKey map[string]*meter
}

type meter struct {
	bucket *rate.Limiter
	period time.Time
	used   int64
}

func newUsage(api *template.API) *usage {
	u := &usage{plan: api.Plan, keys: map[string]*template.APIKey{}, byKey: map[string]*meter{}}
	for i := range api.Keys {
		if k := &api.Keys[i]; k.Enabled && k.InPlan {
			u.keys[k.Value] = k
		}
	}
	return u
}

// admitKey finds the key of a method that requires one.
func (g *Gateway) admitKey(_ context.Context, q *request) *refusal {
	if !q.route.KeyRequired {
		return nil
	}
	value := q.header.Get("X-Api-Key")
	if g.api.KeySource == "AUTHORIZER" {
		value = q.usageKey
	}
	key := g.usage.keys[value]
	if value == "" || key == nil {
		return newRefusal(invalidKey)
	}
	q.key = key
	return nil
}

func (g *Gateway) meter(_ context.Context, q *request) *refusal {
	if q.key == nil {
		return nil
	}
	switch g.usage.take(q.key.ID, q.now) {
	case overRate:
		return newRefusal(throttled)
	case overQuota:
		return newRefusal(quotaExceeded)
	}
	return nil
}

type verdict uint8

const (
	_ verdict = iota
	within
	overRate
	overQuota
)

// take counts one request of a key. What the rate refuses does not count against the quota.
func (u *usage) take(key string, now time.Time) verdict {
	if u.plan == nil {
		return within
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	m := u.byKey[key]
	if m == nil {
		m = &meter{bucket: newBucket(u.plan)}
		u.byKey[key] = m
	}
	if !m.bucket.AllowN(now, 1) {
		return overRate
	}
	if u.plan.Quota == 0 {
		return within
	}
	start, _ := periodStart(now, u.plan.Period) // checked by New
	if !start.Equal(m.period) {
		m.period, m.used = start, 0
	}
	if m.used >= u.plan.Quota {
		return overQuota
	}
	m.used++
	return within
}

func newBucket(p *template.UsagePlan) *rate.Limiter {
	if p.Rate == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	burst := p.Burst
	if burst == 0 {
		burst = int(math.Ceil(p.Rate))
	}
	return rate.NewLimiter(rate.Limit(p.Rate), burst)
}

// periodStart is when the quota period of now began: midnight UTC, of Sunday for a week.
// https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html
func periodStart(now time.Time, period string) (time.Time, error) {
	y, m, d := now.UTC().Date()
	switch period {
	case "DAY":
	case "WEEK":
		d -= int(now.UTC().Weekday())
	case "MONTH":
		d = 1
	default:
		return time.Time{}, fmt.Errorf("gateway: usage plan: unknown quota period %q", period)
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
}
