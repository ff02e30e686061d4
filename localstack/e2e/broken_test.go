package e2e_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/pkg/api"
)

// brokenRequests is how many are sent; enough to meet every route several times.
const brokenRequests = 600

// TestBrokenRequests: whatever a client sends, the answer is never a fault, and a
// refusal is a problem of a known code that tells nothing of what is inside.
func TestBrokenRequests(t *testing.T) {
	parallel(t)
	s := shop.open(t, "standard-90")
	b := guest(t)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	g := breaker{r, []string{string(s.ID), b.hold(s, s.regular(t, 1, 0)...).ID, "shanghai-cn", "interstellar-2014", "arena-20000", "sandbox", "x", "A-1", "a%20b", "%2e%2e", strings.Repeat("y", 200)}}
	codes, status := api.Codes()
	codes = append(codes, "quota_exceeded")
	for n := range brokenRequests {
		q := g.request()
		got, err := b.Do(t.Context(), q.method, q.path, q.header, []byte(q.body))
		if err != nil {
			continue // net/http refuses to send it
		}
		what := func() string { return q.method + " " + q.path + " " + q.body[:min(len(q.body), 200)] }
		switch {
		case got.Status >= 500 && got.Status != 503, got.Status < 200:
			t.Fatalf("seed %d, request %d: %s: %d %s", seed, n, what(), got.Status, got.Body)
		case got.Status < 400 || q.method == http.MethodHead || got.Header.Get("Content-Encoding") != "":
			continue
		}
		var p struct{ Code string }
		if err := json.Unmarshal(got.Body, &p); err != nil || got.Header.Get("Content-Type") != "application/problem+json" {
			if !strings.HasPrefix(q.path, "/callbacks/sandbox") { // the provider's own words
				t.Errorf("seed %d, request %d: %s: %d %s", seed, n, what(), got.Status, got.Body)
			}
			continue
		}
		if !slices.Contains(codes, p.Code) || p.Code != "quota_exceeded" && status(p.Code) != got.Status {
			t.Errorf("seed %d, request %d: %s: %d with code %q", seed, n, what(), got.Status, p.Code)
		}
		if inside.Match(got.Body) {
			t.Errorf("seed %d, request %d: %s: tells %s", seed, n, what(), got.Body)
		}
	}
	shop.balanced(t, s)
}

var inside = regexp.MustCompile(`(?i)dynamodb|lambda|panic|goroutine|\.go:|sqs|store:|boxoffice|unmarshal|HOLD#|arn:`)

// breaker makes requests that are partly right, which reach deeper than noise.
type breaker struct {
	*rand.Rand
	ids []string
}

func pick[T any](g breaker, of ...T) T { return of[g.IntN(len(of))] }

func (g breaker) request() request {
	route := pick(g, api.Routes()...)
	q := request{method: route.Method, header: http.Header{}}
	for segment := range strings.SplitSeq(strings.TrimPrefix(route.Path, "/"), "/") {
		if strings.HasPrefix(segment, "{") {
			segment = pick(g, g.ids...)
		}
		q.path += "/" + segment
	}
	q.header.Set("Content-Type", "application/json")
	q.header.Set("Idempotency-Key", pick(g, "k", "k", "k2"))
	q.body = pick(g, `{"seats":["A-1","A-2"]}`, `{"best":{"count":2,"type":"regular"}}`, `{"provider":"sandbox","outcome":"decline"}`, `{}`, ``,
		`{"id":"ev-1","event":"payment","payment":{"id":"p","order_id":"o","provider_ref":"r","state":"captured","amount":{"amount":1,"currency":"CNY"},"at":"2026-01-01T00:00:00Z"}}`)
	for range g.IntN(4) {
		g.spoil(&q, route)
	}
	return q
}

func (g breaker) spoil(q *request, route api.Route) {
	switch g.IntN(8) {
	case 0:
		q.method = pick(g, "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")
	case 1:
		name := pick(g, append([]string{"limit", "cursor", "expand", "x", "q", "api_dev_key"}, route.Query...)...)
		q.path += pick(g, "?", "&") + name + "=" + pick(g, "", "1", "-1", "100000000000000000000", "%00", "%zz", "eyJ2IjoxfQ", "2026-01-01", "shanghai-cn", strings.Repeat("z", 300))
	case 2:
		q.header[pick(g, "Authorization", "X-Api-Key", "Idempotency-Key", "Content-Type", "If-None-Match", "Content-Encoding", "Accept-Encoding", "X-Sandbox-Signature", "X-Sandbox-Timestamp")] =
			pick(g, nil, []string{""}, []string{"a", "b"}, []string{"gzip"}, []string{"Bearer x"}, []string{`W/"1", *`}, []string{strings.Repeat("h", 4000)}, []string{"1800000000"})
	case 3:
		q.path = pick(g, q.path+"/", q.path+"/x", "/"+q.path, strings.ToUpper(q.path), strings.Replace(q.path, "/", "/./", 1), q.path+"?")
	default:
		q.body = g.bytes(q.body)
	}
}

// bytes changes, drops or doubles a few bytes.
func (g breaker) bytes(s string) string {
	b := []byte(s)
	for range 1 + g.IntN(3) {
		i := g.IntN(len(b) + 1)
		switch g.IntN(3) {
		case 0:
			b = slices.Insert(b, i, pick(g, byte('"'), '{', '}', '[', ',', ':', 0, 0xff, '9', '\n', '-'))
		case 1:
			b = b[:i]
		case 2:
			b = append(b, b[i:]...)
		}
	}
	return string(b)
}
