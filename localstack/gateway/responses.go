package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fairseat/fairseat/localstack/template"
)

// ResponseType names a gateway response, as templates do. The zero value is invalid.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
type ResponseType string

// reason is a refusal that this gateway can come to; the zero value is invalid.
type reason uint8

const (
	_ reason = iota
	unknownStage
	missingToken
	unauthorized
	accessDenied
	explicitDeny
	authorizerFailure
	authorizerConfig
	invalidKey
	throttled
	quotaExceeded
	tooLarge
	badParameters
	badBody
	integrationTimeout
	internal
	badGateway
)

// refusal is what the gateway says itself. A nil message is JSON's null.
type refusal struct {
	kind    ResponseType
	status  int
	name    string // x-amzn-ErrorType
	message *string
	reason  string // for the log only
}

func (r *refusal) because(why string) *refusal {
	r.reason = why
	return r
}

func newRefusal(why reason) *refusal {
	msg := func(s string) *string { return &s }
	switch why {
	case unknownStage:
		return &refusal{"", 403, "ForbiddenException", msg("Forbidden"), ""}
	case missingToken:
		return &refusal{"MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException", msg("Missing Authentication Token"), ""}
	case unauthorized:
		return &refusal{"UNAUTHORIZED", 401, "UnauthorizedException", msg("Unauthorized"), ""}
	case accessDenied:
		return &refusal{"ACCESS_DENIED", 403, "AccessDeniedException", msg("User is not authorized to access this resource"), ""}
	case explicitDeny:
		return &refusal{"ACCESS_DENIED", 403, "AccessDeniedException", msg("User is not authorized to access this resource with an explicit deny"), ""}
	case authorizerFailure:
		return &refusal{"AUTHORIZER_FAILURE", 500, "AuthorizerFailureException", nil, ""}
	case authorizerConfig:
		return &refusal{"AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", nil, ""}
	case invalidKey:
		return &refusal{"INVALID_API_KEY", 403, "ForbiddenException", msg("Forbidden"), ""}
	case throttled:
		return &refusal{"THROTTLED", 429, "TooManyRequestsException", msg("Too Many Requests"), ""}
	case quotaExceeded:
		return &refusal{"QUOTA_EXCEEDED", 429, "LimitExceededException", msg("Limit Exceeded"), ""}
	case tooLarge:
		return &refusal{"REQUEST_TOO_LARGE", 413, "RequestTooLongException", msg("Request Too Long"), ""}
	case badParameters:
		return &refusal{"BAD_REQUEST_PARAMETERS", 400, "BadRequestException", msg("Bad Request Exception"), ""}
	case badBody:
		return &refusal{"BAD_REQUEST_BODY", 400, "BadRequestException", msg("Invalid request body"), ""}
	case integrationTimeout:
		return &refusal{"INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", msg("Endpoint request timed out"), ""}
	case badGateway:
		return &refusal{"DEFAULT_5XX", 502, "InternalServerErrorException", msg("Internal server error"), ""}
	default:
		return &refusal{"DEFAULT_5XX", 500, "InternalServerErrorException", msg("Internal server error"), ""}
	}
}

// known are the types that a template may set.
var known = []ResponseType{"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR",
	"AUTHORIZER_FAILURE", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX",
	"EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE",
	"MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED",
	"UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED"}

// response is a compiled template.GatewayResponse.
type response struct {
	status    int
	headers   map[string]text
	templates map[string]text // by content type
}

func compileResponses(in map[string]template.GatewayResponse) (map[ResponseType]response, error) {
	out := map[ResponseType]response{}
	for name, r := range in {
		if !slices.Contains(known, ResponseType(name)) {
			return nil, fmt.Errorf("gateway: unknown gateway response %q", name)
		}
		c := response{status: r.Status, headers: map[string]text{}, templates: map[string]text{}}
		for h, v := range r.Headers {
			t, err := parseMapping(v)
			if err != nil {
				return nil, fmt.Errorf("gateway: response %s, header %s: %w", name, h, err)
			}
			c.headers[h] = t
		}
		for ct, v := range r.Templates {
			t, err := parseText(v)
			if err != nil {
				return nil, fmt.Errorf("gateway: response %s, template %s: %w", name, ct, err)
			}
			c.templates[ct] = t
		}
		out[ResponseType(name)] = c
	}
	return out, nil
}

var standard = mustText(`{"message":$context.error.messageString}`)

func mustText(s string) text {
	t, err := parseText(s)
	if err != nil {
		panic(err)
	}
	return t
}

// refuse renders a refusal: its own response, else DEFAULT_4XX or DEFAULT_5XX, else AWS's.
// A status set on a default goes for every response that falls back to it.
func (g *Gateway) refuse(q *request, fail *refusal) *answer {
	r, ok := g.responses[fail.kind]
	if !ok && fail.kind != "" {
		fallback := ResponseType("DEFAULT_4XX")
		if fail.status >= 500 {
			fallback = "DEFAULT_5XX"
		}
		r = g.responses[fallback]
	}
	out := &answer{status: fail.status, header: http.Header{}}
	if r.status != 0 {
		out.status = r.status
	}
	ct, body := r.choose(q.header.Get("Accept"))
	out.header.Set("Content-Type", ct)
	out.header.Set("X-Amzn-Errortype", fail.name)
	lookup := g.variables(q, fail)
	for name, t := range r.headers {
		if v := t.render(lookup); v != "" {
			out.header.Set(name, v)
		}
	}
	out.body = []byte(body.render(lookup))
	return out
}

func (r response) choose(accept string) (string, text) {
	if len(r.templates) == 0 {
		return "application/json", standard
	}
	for part := range strings.SplitSeq(accept, ",") {
		name, _, _ := strings.Cut(part, ";")
		if t, ok := r.templates[strings.TrimSpace(name)]; ok {
			return strings.TrimSpace(name), t
		}
	}
	if t, ok := r.templates["application/json"]; ok {
		return "application/json", t
	}
	first := slices.Min(slices.Collect(maps.Keys(r.templates)))
	return first, r.templates[first]
}

// text is literals and variables in turn; variables are at odd places.
type text []string

func (t text) render(lookup func(string) string) string {
	var b strings.Builder
	for i, s := range t {
		if i%2 == 1 {
			s = lookup(s)
		}
		b.WriteString(s)
	}
	return b.String()
}

var (
	variable  = regexp.MustCompile(`\$(\{)?(!)?([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9][A-Za-z0-9_-]*)*)(\()?(\})?`)
	directive = regexp.MustCompile(`#(?:set|if|elseif|foreach|include|parse|macro|evaluate|define)\s*\(`)
	free      = regexp.MustCompile(`^(context\.authorizer|stageVariables|method\.request\.(header|querystring|path))\.[A-Za-z0-9_-]+$`)
)

var contextVariables = []string{"accountId", "apiId", "domainName", "domainPrefix", "error.message",
	"error.messageString", "error.responseType", "error.validationErrorString", "extendedRequestId",
	"httpMethod", "identity.apiKey", "identity.apiKeyId", "identity.sourceIp", "identity.userAgent",
	"path", "protocol", "requestId", "requestTime", "requestTimeEpoch", "resourceId", "resourcePath", "stage"}

func checkVariable(name string) error {
	if c, ok := strings.CutPrefix(name, "context."); ok && slices.Contains(contextVariables, c) || free.MatchString(name) {
		return nil
	}
	return fmt.Errorf("unknown variable $%s", name)
}

// parseText reads a template. Gateway responses know variables only; a directive
// or a call, which AWS would send as it is or refuse, is an error here.
func parseText(s string) (text, error) {
	if d := directive.FindString(s); d != "" {
		return nil, fmt.Errorf("directive %q: only variables are known here", d)
	}
	var t text
	at := 0
	for _, m := range variable.FindAllStringSubmatchIndex(s, -1) {
		name := s[m[6]:m[7]]
		braced, closed := m[2] >= 0, m[10] >= 0
		if m[4] >= 0 || m[8] >= 0 || braced && !closed {
			return nil, fmt.Errorf("expression %q: only plain variables are known here", s[m[0]:m[1]])
		}
		if err := checkVariable(name); err != nil {
			return nil, err
		}
		end := m[1]
		if closed && !braced { // the brace belongs to the text
			end = m[10]
		}
		t = append(t, s[at:m[0]], name)
		at = end
	}
	return append(t, s[at:]), nil
}

// parseMapping reads a header's value: a mapping expression, or a constant with or without its quotes.
func parseMapping(s string) (text, error) {
	if n := len(s); n >= 2 && s[0] == '\'' && s[n-1] == '\'' {
		return text{s[1 : n-1]}, nil
	}
	for _, p := range []string{"context.", "stageVariables.", "method.request."} {
		if strings.HasPrefix(s, p) {
			if err := checkVariable(s); err != nil {
				return nil, err
			}
			return text{"", s}, nil
		}
	}
	return text{s}, nil
}

func (g *Gateway) variables(q *request, fail *refusal) func(string) string {
	v := map[string]string{
		"accountId": g.opts.Account, "apiId": g.opts.APIID, "stage": q.stage,
		"error.responseType": string(fail.kind), "error.messageString": "null",
		"requestId": q.id, "extendedRequestId": q.extended, "httpMethod": q.method,
		"path": q.fullPath, "protocol": q.http.Proto, "domainName": q.http.Host,
		"requestTime":        q.now.UTC().Format(requestTimeLayout),
		"requestTimeEpoch":   strconv.FormatInt(q.now.UnixMilli(), 10),
		"identity.sourceIp":  q.sourceIP,
		"identity.userAgent": q.header.Get("User-Agent"),
	}
	if fail.message != nil {
		v["error.message"] = *fail.message
		v["error.messageString"] = string(encode(*fail.message))
	}
	if q.resource != nil {
		v["resourcePath"], v["resourceId"] = q.resource.path, q.resource.id
	}
	if q.key != nil {
		v["identity.apiKey"], v["identity.apiKeyId"] = q.key.Value, q.key.ID
	}
	for k, x := range q.authorizer {
		v["authorizer."+k] = fmt.Sprint(x)
	}
	return func(name string) string {
		if c, ok := strings.CutPrefix(name, "context."); ok {
			return v[c]
		}
		kind, key, _ := strings.Cut(strings.TrimPrefix(name, "method.request."), ".")
		switch kind {
		case "header":
			return q.header.Get(key)
		case "querystring":
			return last(q.query)[key]
		case "path":
			return q.params[key]
		}
		return ""
	}
}
