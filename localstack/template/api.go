package template

import (
	"regexp"
	"strings"
)

func readAPI(l *loader, r *resource, p *props) {
	if l.stack.API != nil {
		p.fail("", "a second REST API cannot be served here")
		return
	}
	p.ignore("Name", "Description", "EndpointConfiguration", "TracingEnabled", "Tags", "PropagateTags",
		"OpenApiVersion", "AlwaysDeploy", "FailOnWarnings")
	a := &API{
		ID:          r.id,
		Stage:       p.need("StageName"),
		Authorizers: map[string]Authorizer{},
		KeySource:   p.oneOf("ApiKeySourceType", "HEADER", "HEADER", "AUTHORIZER"),
		Responses:   map[string]GatewayResponse{},
		BinaryTypes: p.texts("BinaryMediaTypes"),
		MinCompress: p.whole("MinimumCompressionSize", -1, 0, 10_485_760),
	}
	if p.flag("CacheClusterEnabled", false) {
		p.fail("CacheClusterEnabled", "a cache is not known here")
	}
	if strings.ContainsAny(a.Stage, "/ ") {
		p.fail("StageName", "must be a plain word")
	}
	l.stack.API = a
	readStageSettings(l, p)
	a.CORS = readCORS(p)
	readAuth(l, a, p)
	p.named("GatewayResponses", func(typ string, q *props) {
		a.Responses[typ] = readGatewayResponse(q)
	})
}

func readCORS(p *props) *CORS {
	v := p.value("Cors")
	if v == nil || v.kind == broken {
		return nil
	}
	if v.kind == scalar {
		return &CORS{Origin: p.quoted("Cors")}
	}
	c := p.object("Cors")
	defer c.done()
	return &CORS{
		Origin: c.quoted("AllowOrigin"), Methods: c.quoted("AllowMethods"),
		Headers: c.quoted("AllowHeaders"), MaxAge: c.quoted("MaxAge"),
		Credentials: c.flag("AllowCredentials", false),
	}
}

// quoted reads a static value of a mapping, which API Gateway wants in single quotes.
func (p *props) quoted(key string) string {
	s := p.text(key)
	if s == "" {
		return ""
	}
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		p.fail(key, "must be a text in single quotes inside the text, like \"'*'\"; mapping expressions are not known here")
		return ""
	}
	return s[1 : len(s)-1]
}

func readAuth(l *loader, a *API, p *props) {
	q := p.object("Auth")
	defer q.done()
	l.apiKeyRequired = q.flag("ApiKeyRequired", false)
	l.apiAuthorizer = q.text("DefaultAuthorizer")
	q.named("Authorizers", func(name string, x *props) {
		l.authorizers = append(l.authorizers, pending{name, x.need("FunctionArn"), x})
		a.Authorizers[name] = readAuthorizer(x)
	})
	if _, ok := a.Authorizers[l.apiAuthorizer]; !ok && l.apiAuthorizer != "" {
		q.fail("DefaultAuthorizer", "there is no authorizer %s", l.apiAuthorizer)
	}
	// On AWS both default to true, and then no browser gets past its preflight.
	if q.flag("AddDefaultAuthorizerToCorsPreflight", true) && a.CORS != nil && l.apiAuthorizer != "" {
		q.fail("", "with Cors and DefaultAuthorizer, AddDefaultAuthorizerToCorsPreflight must be false: a preflight carries no credentials")
	}
	if q.flag("AddApiKeyRequiredToCorsPreflight", true) && a.CORS != nil && l.apiKeyRequired {
		q.fail("", "with Cors and ApiKeyRequired, AddApiKeyRequiredToCorsPreflight must be false: a preflight carries no key")
	}
	if q.has("UsagePlan") {
		u := q.object("UsagePlan")
		if u.oneOf("CreateUsagePlan", "", "PER_API", "NONE") == "PER_API" {
			u.ignore("Description", "UsagePlanName", "Tags")
			setPlan(l, u)
			l.keys = append(l.keys, APIKey{ID: a.ID + "ApiKey", Name: a.ID + "ApiKey", Enabled: true, InPlan: true})
		}
		u.done()
	}
}

// pending is an authorizer whose function has not been read yet.
type pending struct {
	name, arn string
	p         *props
}

func readAuthorizer(p *props) Authorizer {
	p.ignore("FunctionInvokeRole", "DisableFunctionDefaultPermissions")
	if p.oneOf("FunctionPayloadType", "TOKEN", "REQUEST"); !p.has("FunctionPayloadType") {
		p.fail("", "FunctionPayloadType must be REQUEST")
	}
	id := p.object("Identity")
	defer id.done()
	x := Authorizer{
		Headers: id.texts("Headers"),
		Queries: id.texts("QueryStrings"),
		TTL:     id.seconds("ReauthorizeEvery", 300, 0, 3600),
	}
	if x.TTL > 0 && len(x.Headers)+len(x.Queries) == 0 {
		p.fail("Identity", "answers can be kept (ReauthorizeEvery) only with Headers or QueryStrings to keep them by")
	}
	return x
}

var responseType = regexp.MustCompile(`^[A-Z0-9_]+$`)

func readGatewayResponse(p *props) GatewayResponse {
	if name := p.at.property[strings.LastIndexByte(p.at.property, '.')+1:]; !responseType.MatchString(name) {
		p.fail("", "is not the name of a gateway response")
	}
	g := GatewayResponse{
		Status:    p.whole("StatusCode", 0, 100, 599),
		Headers:   map[string]string{},
		Templates: map[string]string{},
	}
	rp := p.object("ResponseParameters")
	h := rp.object("Headers")
	for _, k := range h.v.keys {
		g.Headers[k] = h.quoted(k)
	}
	rp.done()
	t := p.object("ResponseTemplates")
	for _, k := range t.v.keys {
		g.Templates[k] = t.text(k)
	}
	return g
}

func readKey(l *loader, r *resource, p *props) {
	p.ignore("Description", "CustomerId", "GenerateDistinctId", "StageKeys", "Tags")
	k := APIKey{ID: r.id, Name: p.text("Name"), Value: p.text("Value"), Enabled: p.flag("Enabled", false)}
	if k.Name == "" {
		k.Name = l.physical(r, p.at)
	}
	if n := len(k.Value); n > 0 && (n < 20 || n > 128) {
		p.fail("Value", "must have 20 to 128 characters")
	}
	l.keys = append(l.keys, k)
}

func readPlan(l *loader, r *resource, p *props) {
	p.ignore("Description", "UsagePlanName", "Tags")
	p.each("ApiStages", func(s *props) {
		id, stage := s.need("ApiId"), s.need("Stage")
		if l.stack.API == nil || id != apiID(l.stack.API.ID) || stage != l.stack.API.Stage {
			s.fail("", "must name the template's REST API and its stage")
		}
	})
	l.planID = l.physical(r, p.at)
	setPlan(l, p)
}

func setPlan(l *loader, p *props) {
	if l.plan != nil {
		p.fail("", "a second usage plan cannot be served here")
		return
	}
	t, q := p.object("Throttle"), p.object("Quota")
	l.plan = &UsagePlan{
		Burst:  t.whole("BurstLimit", 0, 0, 1<<30),
		Quota:  int64(q.whole("Limit", 0, 0, 1<<40)),
		Period: q.oneOf("Period", "", "DAY", "WEEK", "MONTH"),
	}
	if rate := t.number("RateLimit"); rate != nil {
		l.plan.Rate = *rate
	}
	if l.plan.Quota > 0 && l.plan.Period == "" {
		q.need("Period")
	}
	if q.whole("Offset", 0, 0, 1<<30) != 0 {
		q.fail("Offset", "is not known here")
	}
	t.done()
	q.done()
}

func readPlanKey(l *loader, _ *resource, p *props) {
	p.oneOf("KeyType", "", "API_KEY")
	key, plan := p.need("KeyId"), p.need("UsagePlanId")
	if plan != "" && plan != l.planID {
		p.fail("UsagePlanId", "must refer to the template's usage plan")
	}
	for i := range l.keys {
		if r := l.resources[l.keys[i].ID]; r != nil && l.physical(r, p.at) == key {
			l.keys[i].InPlan = true
			return
		}
	}
	if key != "" {
		p.fail("KeyId", "must refer to an API key of the template")
	}
}

// finish ties together what only makes sense once everything has been read.
func (l *loader) finish() {
	a := l.stack.API
	for _, x := range l.authorizers {
		f := l.callee(x.arn, x.p.at)
		if f == nil {
			if x.arn != "" {
				x.p.fail("FunctionArn", "must be the ARN of a function of this template or of its alias")
			}
			continue
		}
		auth := a.Authorizers[x.name]
		auth.Function = f.id
		a.Authorizers[x.name] = auth
	}
	if a == nil {
		if len(l.keys) > 0 || l.plan != nil {
			l.fail(1, place{resource: "Resources"}, "API keys and usage plans need a REST API")
		}
		return
	}
	a.Keys, a.Plan = l.keys, l.plan
	seen := map[string]string{}
	for _, k := range a.Keys {
		if old := seen[k.Value]; old != "" && k.Value != "" {
			l.fail(1, place{resource: k.ID}, "has the same value as %s", old)
		}
		seen[k.Value] = k.ID
	}
}
