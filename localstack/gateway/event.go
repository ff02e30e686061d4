package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fairseat/fairseat/localstack/template"
	"github.com/google/uuid"
)

// request is what is known about a request, filled in step by step.
type request struct {
	http         *http.Request
	now          time.Time
	id, extended string
	method       string
	fullPath     string // raw, with the stage
	stage, path  string // path is raw, without the stage
	header       http.Header
	query        url.Values
	badQuery     bool
	sourceIP     string

	resource  *resource
	route     *template.Route
	params    map[string]string
	preflight bool
	body      []byte
	binary    bool

	key        *template.APIKey // once admitted
	usageKey   string           // what the authorizer named
	authorizer map[string]any   // its context
}

func (g *Gateway) newRequest(r *http.Request) *request {
	q := &request{
		http: r, now: g.opts.Now(), id: uuid.NewString(), extended: newExtendedID(),
		method: r.Method, fullPath: rawPath(r), sourceIP: sourceIP(r),
	}
	q.stage, q.path, _ = strings.Cut(strings.TrimPrefix(q.fullPath, "/"), "/")
	q.path = "/" + q.path
	q.header = eventHeader(r, q.sourceIP)
	q.query, q.badQuery = parseQuery(r.URL.RawQuery)
	return q
}

func rawPath(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return path
	}
	return r.URL.EscapedPath()
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// eventHeader is the request's header as the function sees it: without what
// belongs to the connection, with what a load balancer adds.
func eventHeader(r *http.Request, ip string) http.Header {
	h := r.Header.Clone()
	for _, name := range []string{"Connection", "Content-Length", "Expect", "Keep-Alive",
		"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
	h.Set("Host", r.Host)
	if prior := h.Values("X-Forwarded-For"); len(prior) > 0 {
		ip = strings.Join(prior, ", ") + ", " + ip
	}
	h.Set("X-Forwarded-For", ip)
	h.Set("X-Forwarded-Proto", "http")
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "80"
	}
	h.Set("X-Forwarded-Port", port)
	if h.Get("X-Amzn-Trace-Id") == "" {
		id := strings.ReplaceAll(uuid.NewString(), "-", "")
		h.Set("X-Amzn-Trace-Id", fmt.Sprintf("Root=1-%s-%s", id[:8], id[8:]))
	}
	return h
}

// parseQuery differs from url.ParseQuery: a semicolon is an ordinary character.
func parseQuery(raw string) (url.Values, bool) {
	v := url.Values{}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		k, err1 := url.QueryUnescape(key)
		x, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, true
		}
		v[k] = append(v[k], x)
	}
	return v, false
}

// last is the single-value form of a multi-value map: the last one wins; none is null.
func last(m map[string][]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v[len(v)-1]
	}
	return out
}

func orNull[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

// event has the members of payload shape 1.0; the authorizer's event has no body but a type and an ARN.
type event struct {
	Type       string              `json:"type,omitempty"`
	MethodARN  string              `json:"methodArn,omitempty"`
	Resource   string              `json:"resource"`
	Path       string              `json:"path"`
	Method     string              `json:"httpMethod"`
	Headers    map[string]string   `json:"headers"`
	MultiValue map[string][]string `json:"multiValueHeaders"`
	Query      map[string]string   `json:"queryStringParameters"`
	MultiQuery map[string][]string `json:"multiValueQueryStringParameters"`
	Params     map[string]string   `json:"pathParameters"`
	StageVars  map[string]string   `json:"stageVariables"`
	Context    eventContext        `json:"requestContext"`
}

type proxyEvent struct {
	event
	Body   *string `json:"body"`
	Base64 bool    `json:"isBase64Encoded"`
}

type eventContext struct {
	ResourceID   string         `json:"resourceId"`
	Authorizer   map[string]any `json:"authorizer,omitempty"`
	ResourcePath string         `json:"resourcePath"`
	Method       string         `json:"httpMethod"`
	ExtendedID   string         `json:"extendedRequestId"`
	RequestTime  string         `json:"requestTime"`
	Path         string         `json:"path"`
	AccountID    string         `json:"accountId"`
	Protocol     string         `json:"protocol"`
	Stage        string         `json:"stage"`
	DomainPrefix string         `json:"domainPrefix"`
	RequestEpoch int64          `json:"requestTimeEpoch"`
	RequestID    string         `json:"requestId"`
	Identity     identity       `json:"identity"`
	DomainName   string         `json:"domainName"`
	APIID        string         `json:"apiId"`
}

type identity struct {
	AccessKey       *string `json:"accessKey"`
	AccountID       *string `json:"accountId"`
	APIKey          *string `json:"apiKey,omitempty"`
	APIKeyID        *string `json:"apiKeyId,omitempty"`
	Caller          *string `json:"caller"`
	CognitoProvider *string `json:"cognitoAuthenticationProvider"`
	CognitoType     *string `json:"cognitoAuthenticationType"`
	CognitoID       *string `json:"cognitoIdentityId"`
	CognitoPool     *string `json:"cognitoIdentityPoolId"`
	PrincipalOrgID  *string `json:"principalOrgId"`
	SourceIP        string  `json:"sourceIp"`
	User            *string `json:"user"`
	UserAgent       *string `json:"userAgent"`
	UserARN         *string `json:"userArn"`
}

const requestTimeLayout = "02/Jan/2006:15:04:05 +0000"

func (g *Gateway) commonEvent(q *request) event {
	domain, _, err := net.SplitHostPort(q.http.Host)
	if err != nil {
		domain = q.http.Host
	}
	prefix, _, _ := strings.Cut(domain, ".")
	e := event{
		Resource: q.resource.path, Path: q.path, Method: q.method,
		Headers: last(q.header), MultiValue: q.header,
		Query: last(q.query), MultiQuery: orNull(q.query),
		Params: orNull(q.params),
		Context: eventContext{
			ResourceID: q.resource.id, ResourcePath: q.resource.path, Method: q.method,
			Authorizer: q.authorizer, ExtendedID: q.extended, RequestID: q.id,
			RequestTime: q.now.UTC().Format(requestTimeLayout), RequestEpoch: q.now.UnixMilli(),
			Path: q.fullPath, AccountID: g.opts.Account, Protocol: q.http.Proto, Stage: q.stage,
			DomainName: domain, DomainPrefix: prefix, APIID: g.opts.APIID,
			Identity: identity{SourceIP: q.sourceIP},
		},
	}
	if ua := q.header.Get("User-Agent"); ua != "" {
		e.Context.Identity.UserAgent = &ua
	}
	if q.key != nil {
		e.Context.Identity.APIKey, e.Context.Identity.APIKeyID = &q.key.Value, &q.key.ID
	}
	return e
}

func (g *Gateway) proxyEvent(q *request) []byte {
	e := proxyEvent{event: g.commonEvent(q)}
	if len(q.body) > 0 {
		text := strings.ToValidUTF8(string(q.body), "\ufffd")
		if q.binary {
			text, e.Base64 = base64.StdEncoding.EncodeToString(q.body), true
		}
		e.Body = &text
	}
	return encode(e)
}

func (g *Gateway) authorizerEvent(q *request) []byte {
	e := g.commonEvent(q)
	e.Type, e.MethodARN = "REQUEST", g.methodARN(q)
	if k := q.header.Get("X-Api-Key"); k != "" && q.route.KeyRequired {
		e.Context.Identity.APIKey = &k
	}
	return encode(e)
}

func (g *Gateway) methodARN(q *request) string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s/%s", g.opts.Region, g.opts.Account,
		g.opts.APIID, q.stage, q.method, strings.TrimPrefix(q.path, "/"))
}

func encode(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
