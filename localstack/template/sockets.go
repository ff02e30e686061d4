package template

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// defaultSocketStage is SAM's where the template names none.
const defaultSocketStage = "default"

// selector is the one form of expression that API Gateway's documents show for
// messages; ${request.body.action} means the same.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
var selector = regexp.MustCompile(`^\$(?:request\.body((?:\.[A-Za-z0-9_-]+)+)|\{request\.body((?:\.[A-Za-z0-9_-]+)+)\})$`)

// readSockets reads a WebSocket API with its routes. Route responses, request
// models, API keys and IAM on $connect are not served: they are refused by name.
func readSockets(l *loader, r *resource, p *props) {
	if l.stack.Sockets != nil {
		p.fail("", "a second WebSocket API cannot be served here")
		return
	}
	p.ignore("Name", "Description", "Tags", "PropagateTags", "IpAddressType", "DisableSchemaValidation", "FailOnWarnings")
	a := &SocketAPI{ID: r.id, Stage: defaultSocketStage}
	if p.has("StageName") {
		a.Stage = p.text("StageName")
	}
	switch {
	case a.Stage == "$default":
		p.fail("StageName", "cannot be $default: SAM refuses it for WebSocket APIs")
	case a.Stage == "" || strings.ContainsAny(a.Stage, "/ "):
		p.fail("StageName", "must be a plain word")
	}
	a.ARN = l.arn("execute-api", apiID(r.id)+"/"+a.Stage)
	if p.flag("DisableExecuteApiEndpoint", false) {
		p.fail("DisableExecuteApiEndpoint", "there is no other address here")
	}
	expression := p.need("RouteSelectionExpression")
	if m := selector.FindStringSubmatch(expression); m != nil {
		a.Selector = "$request.body" + m[1] + m[2]
	} else if expression != "" {
		p.fail("RouteSelectionExpression", "must be $request.body. and a path of names")
	}
	a.Routes = readSocketRoutes(l, p)
	readSocketSettings(l, a, p)
	a.Authorizer = readConnectAuth(l, a, p)
	l.stack.Sockets = a
}

func readSocketRoutes(l *loader, p *props) []SocketRoute {
	var out []SocketRoute
	if !p.has("Routes") {
		p.need("Routes")
	}
	p.named("Routes", func(key string, q *props) {
		q.ignore("OperationName")
		route := SocketRoute{
			Key:      key,
			Timeout:  time.Duration(q.whole("IntegrationTimeout", 29_000, 50, 29_000)) * time.Millisecond,
			Function: l.calledBy(q, "FunctionArn"),
		}
		if strings.HasPrefix(key, "$") && !slices.Contains([]string{"$connect", "$disconnect", "$default"}, key) {
			q.fail("", "only $connect, $disconnect and $default begin with $")
		}
		if q.flag("ApiKeyRequired", false) {
			q.fail("ApiKeyRequired", "API keys of WebSocket APIs are not known here")
		}
		out = append(out, route)
	})
	if p.has("Routes") && len(out) == 0 && p.value("Routes").kind != broken {
		p.fail("Routes", "must have a route")
	}
	return out
}

// calledBy is the function that a property names by its ARN or its alias's; "" is reported.
func (l *loader) calledBy(p *props, key string) string {
	arn := p.need(key)
	f := l.callee(arn, p.at)
	if f == nil {
		if arn != "" {
			p.fail(key, "must be the ARN of a function of this template or of its alias")
		}
		return ""
	}
	return f.id
}

// readSocketSettings reads throttles, which are kept, and logs, which are not.
// Settings of a route replace single defaults of the stage.
func readSocketSettings(l *loader, a *SocketAPI, p *props) {
	d := p.object("DefaultRouteSettings")
	for i := range a.Routes {
		readThrottle(&a.Routes[i], d)
	}
	readRouteLogging(d)
	d.done()
	p.named("RouteSettings", func(key string, q *props) {
		i := slices.IndexFunc(a.Routes, func(r SocketRoute) bool { return r.Key == key })
		if i < 0 {
			q.fail("", "there is no route %s", key)
			i = 0
		}
		if len(a.Routes) > 0 {
			readThrottle(&a.Routes[i], q)
		}
		readRouteLogging(q)
	})
	p.ignore("AccessLogSettings")
	if !p.has("AccessLogSettings") {
		return
	}
	g := p.object("AccessLogSettings")
	defer g.done()
	g.need("Format")
	if arn := g.need("DestinationArn"); arn != "" && l.owner("AWS::Logs::LogGroup", "Arn", arn, g.at) == nil {
		g.fail("DestinationArn", "must be the ARN of a log group of this template")
	}
}

func readThrottle(r *SocketRoute, p *props) {
	r.Burst = p.whole("ThrottlingBurstLimit", r.Burst, 0, 1<<30)
	n := p.number("ThrottlingRateLimit")
	switch {
	case n == nil:
	case *n <= 0:
		p.fail("ThrottlingRateLimit", "must be more than 0")
	default:
		r.Rate = *n
	}
}

func readRouteLogging(p *props) {
	p.ignore("LoggingLevel", "DetailedMetricsEnabled")
	p.oneOf("LoggingLevel", "OFF", "OFF", "ERROR", "INFO")
	p.flag("DetailedMetricsEnabled", false)
	if p.flag("DataTraceEnabled", false) {
		p.fail("DataTraceEnabled", "would log what is in a message")
	}
	p.whole("ThrottlingBurstLimit", 0, 0, 1<<30)
	p.number("ThrottlingRateLimit")
}

var identitySource = regexp.MustCompile(`^route\.request\.(header|querystring)\.([A-Za-z0-9_-]+)$`)

// readConnectAuth reads the Lambda authorizer of $connect. What it answers is
// never kept: WebSocket APIs cannot.
func readConnectAuth(l *loader, a *SocketAPI, p *props) *Authorizer {
	if !p.has("Auth") {
		return nil
	}
	q := p.object("Auth")
	defer q.done()
	if q.oneOf("AuthType", "NONE", "NONE", "CUSTOM") == "NONE" {
		return nil
	}
	q.ignore("InvokeRole", "Name")
	x := &Authorizer{Function: l.calledBy(q, "AuthArn")}
	for _, s := range q.texts("IdentitySource") {
		switch m := identitySource.FindStringSubmatch(s); {
		case m == nil:
			q.fail("IdentitySource", "%q is not known here, only route.request.header. and route.request.querystring.", s)
		case m[1] == "header":
			x.Headers = append(x.Headers, m[2])
		default:
			x.Queries = append(x.Queries, m[2])
		}
	}
	if !slices.ContainsFunc(a.Routes, func(r SocketRoute) bool { return r.Key == "$connect" }) {
		q.fail("", "needs a route $connect: it is the only one that is authorized")
	}
	return x
}

// socketEndpoint is the address that CloudFormation gives for the API, without a stage.
func (l *loader) socketEndpoint(r *resource, _ string) string {
	return l.localURL("wss://" + l.apiHost(r.id))
}
