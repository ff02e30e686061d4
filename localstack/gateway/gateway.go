package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/runtime"
	"github.com/fairseat/fairseat/localstack/template"
)

const (
	maxBody        = 10 << 20 // API Gateway's payload limit, bytes
	defaultTimeout = 29 * time.Second
)

// Invoke runs a function, named by its logical id, as [runtime.Pool.Invoke] does.
type Invoke func(ctx context.Context, function string, payload []byte) (runtime.Result, error)

// Access is one served request. Path has no query: queries carry keys.
type Access struct {
	Method, Path, RequestID string
	Status                  int
	Duration                time.Duration
}

// Options of a gateway. The zero value is useful.
type Options struct {
	Region, Account, APIID string           // parts of method ARNs; have defaults
	Now                    func() time.Time // nil = time.Now
	Access                 func(Access)     // called after each request
	Log                    func(string)     // why a request failed, as an execution log says it
}

// Gateway is one deployed stage.
type Gateway struct {
	api       *template.API
	invoke    Invoke
	opts      Options
	root      *node
	responses map[ResponseType]response
	policies  *policyCache
	usage     *usage
}

// New checks the API and makes its handler.
func New(api *template.API, invoke Invoke, opts Options) (*Gateway, error) {
	opts = withDefaults(opts)
	root, err := newTree(api.Routes)
	if err != nil {
		return nil, err
	}
	if err := checkAPI(api); err != nil {
		return nil, err
	}
	responses, err := compileResponses(api.Responses)
	if err != nil {
		return nil, err
	}
	return &Gateway{
		api: api, invoke: invoke, opts: opts, root: root, responses: responses,
		policies: newPolicyCache(), usage: newUsage(api),
	}, nil
}

func withDefaults(o Options) Options {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&o.Region, "eu-west-1")
	def(&o.Account, "000000000000")
	def(&o.APIID, "local00000")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Access == nil {
		o.Access = func(Access) {}
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	return o
}

func checkAPI(api *template.API) error {
	if api.Stage == "" || strings.Contains(api.Stage, "/") {
		return fmt.Errorf("gateway: api %s: stage %q is not one path segment", api.ID, api.Stage)
	}
	if api.KeySource != "" && api.KeySource != "HEADER" && api.KeySource != "AUTHORIZER" {
		return fmt.Errorf("gateway: api %s: unknown key source %q", api.ID, api.KeySource)
	}
	for _, r := range api.Routes {
		if _, ok := api.Authorizers[r.Authorizer]; r.Authorizer != "" && !ok {
			return fmt.Errorf("gateway: %s %s: no authorizer %q", r.Method, r.Path, r.Authorizer)
		}
	}
	for name, a := range api.Authorizers {
		if a.TTL > 0 && len(a.Headers)+len(a.Queries) == 0 {
			return fmt.Errorf("gateway: authorizer %s: caching needs identity sources", name)
		}
	}
	if p := api.Plan; p != nil && p.Quota > 0 {
		if _, err := periodStart(time.Time{}, p.Period); err != nil {
			return err
		}
	}
	return nil
}

// ServeHTTP serves one request, gateway responses included.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := g.newRequest(r)
	out, fail := g.handle(r.Context(), q)
	if fail != nil {
		if fail.reason != "" {
			g.opts.Log(fmt.Sprintf("%s %s: %d: %s", q.method, q.fullPath, fail.status, fail.reason))
		}
		out = g.refuse(q, fail)
	}
	if !errors.Is(r.Context().Err(), context.Canceled) {
		g.write(w, q, out)
	}
	g.opts.Access(Access{
		Method: q.method, Path: q.fullPath, RequestID: q.id,
		Status: out.status, Duration: g.opts.Now().Sub(q.now),
	})
}

func (g *Gateway) handle(ctx context.Context, q *request) (*answer, *refusal) {
	if q.stage != g.api.Stage {
		return nil, newRefusal(unknownStage)
	}
	if fail := g.route(q); fail != nil {
		return nil, fail
	}
	if q.preflight {
		return g.corsAnswer(q), nil
	}
	steps := []func(context.Context, *request) *refusal{g.readBody, g.authorize, g.admitKey, g.meter}
	for _, step := range steps {
		if fail := step(ctx, q); fail != nil {
			return nil, fail
		}
	}
	return g.integrate(ctx, q)
}

func (g *Gateway) route(q *request) *refusal {
	res, params := g.root.match(q.path)
	if res == nil {
		return newRefusal(missingToken)
	}
	q.resource, q.params = res, params
	if q.method == http.MethodOptions && g.api.CORS != nil && res.methods[http.MethodOptions] == nil {
		q.preflight = true
		return nil
	}
	q.route = res.method(q.method)
	if q.route == nil {
		return newRefusal(missingToken)
	}
	if q.badQuery {
		return newRefusal(badParameters)
	}
	return nil
}

func (g *Gateway) readBody(_ context.Context, q *request) *refusal {
	body, err := io.ReadAll(io.LimitReader(q.http.Body, maxBody+1))
	switch {
	case err != nil:
		return newRefusal(badBody)
	case len(body) > maxBody:
		return newRefusal(tooLarge)
	}
	if enc := q.header.Get("Content-Encoding"); g.api.MinCompress >= 0 && enc != "" && len(body) > 0 {
		if body, err = decompress(enc, body); err != nil {
			return newRefusal(badBody).because(err.Error())
		}
		if len(body) > maxBody {
			return newRefusal(tooLarge)
		}
		q.header.Del("Content-Encoding")
	}
	q.body = body
	q.binary = len(body) > 0 && g.isBinary(q.header.Get("Content-Type"))
	return nil
}

// integrate calls the function. Which status stands for what:
// https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html ("If the
// Lambda API rejects the invocation request, 500; if the function returns an
// error, or a response in the wrong format, 502").
func (g *Gateway) integrate(ctx context.Context, q *request) (*answer, *refusal) {
	limit := q.route.Timeout
	if limit == 0 {
		limit = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := g.invoke(ctx, q.route.Function, g.proxyEvent(q))
	switch {
	case errors.Is(err, runtime.ErrTooLarge):
		return nil, newRefusal(tooLarge)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, newRefusal(integrationTimeout).because("no answer within " + limit.String())
	case errors.Is(err, context.Canceled): // the client has left: nobody reads this
		return nil, newRefusal(internal)
	case err != nil:
		return nil, newRefusal(internal).because(err.Error())
	case res.Err != nil:
		return nil, newRefusal(badGateway).because("function error: " + res.Err.Error())
	}
	out, err := decodeAnswer(res.Payload)
	if err != nil {
		return nil, newRefusal(badGateway).because("malformed Lambda proxy response: " + err.Error())
	}
	if err := g.finishAnswer(q, out); err != nil {
		return nil, newRefusal(badGateway).because(err.Error())
	}
	return out, nil
}

func newExtendedID() string {
	var b [11]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}
