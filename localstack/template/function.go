package template

import (
	"path/filepath"
	"strings"
	"time"
)

func readFunction(l *loader, r *resource, p *props) {
	p.ignore("Architectures", "Description", "EphemeralStorage", "KmsKeyArn", "ProvisionedConcurrencyConfig",
		"RolePath", "Tags", "PropagateTags", "Tracing", "RuntimeManagementConfig")
	p.oneOf("PackageType", "Zip", "Zip")
	p.oneOf("Runtime", "", "provided.al2023", "provided.al2")
	if !p.has("Runtime") {
		p.need("Runtime")
	}
	p.need("Handler")
	f := Function{
		ID:          r.id,
		Name:        l.physical(r, p.at),
		Code:        p.need("CodeUri"),
		Environment: map[string]string{},
		Timeout:     p.seconds("Timeout", 3, 1, 900),
		MemoryMB:    p.whole("MemorySize", 128, 128, 10240),
		Concurrency: p.whole("ReservedConcurrentExecutions", 0, 1, 1000),
	}
	p.value("FunctionName")
	p.ignore("MemorySize", "Policies") // told to the function and to tests, not enforced
	f.ARN = l.arn("lambda", "function:"+f.Name)
	if !filepath.IsAbs(f.Code) {
		f.Code = filepath.Join(l.dir, f.Code)
	}
	env := p.object("Environment")
	vars := env.object("Variables")
	for _, k := range vars.v.keys {
		f.Environment[k] = vars.text(k)
		if reserved(k) {
			vars.fail(k, "this variable belongs to Lambda")
		}
	}
	env.done()
	f.LogGroup = readLogging(l, p)
	readPublishing(l, p)
	f.Statements = l.statements(p)
	l.stack.Functions = append(l.stack.Functions, f)
	p.named("Events", func(name string, e *props) { readEvent(l, r, name, e) })
}

// reserved are the variables that Lambda refuses in a function's configuration.
func reserved(k string) bool {
	switch k {
	case "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "_X_AMZN_TRACE_ID":
		return true
	}
	return strings.HasPrefix(k, "AWS_LAMBDA_")
}

// plain turns a value into maps, slices and strings.
func (v *value) plain() any {
	switch v.kind {
	case object:
		m := map[string]any{}
		for k, f := range v.fields {
			m[k] = f.plain()
		}
		return m
	case list:
		s := make([]any, len(v.items))
		for i, f := range v.items {
			s[i] = f.plain()
		}
		return s
	}
	return v.text
}

func readEvent(l *loader, r *resource, name string, e *props) {
	q := e.object("Properties")
	switch t := e.need("Type"); t {
	case "Api":
		readRoute(l, r, q)
	case "SQS":
		readQueueSource(l, r, name, q)
	case "DynamoDB":
		readStreamSource(l, r, name, q)
	default:
		e.fail("Type", "event type %q is not known here", t)
		return
	}
	q.done()
}

func readRoute(l *loader, r *resource, p *props) {
	api := l.theAPI(p)
	if api == nil {
		return
	}
	route := Route{
		Method:   strings.ToUpper(p.need("Method")),
		Path:     p.need("Path"),
		Function: r.id,
		Timeout:  29 * time.Second,
	}
	if route.Path != "" && !strings.HasPrefix(route.Path, "/") {
		p.fail("Path", "must begin with /")
	}
	if p.has("TimeoutInMillis") {
		route.Timeout = time.Duration(p.whole("TimeoutInMillis", 0, 50, 29_000)) * time.Millisecond
	}
	a := p.object("Auth")
	route.KeyRequired = a.flag("ApiKeyRequired", l.apiKeyRequired)
	route.Authorizer = a.text("Authorizer")
	a.done()
	switch route.Authorizer {
	case "":
		route.Authorizer = l.apiAuthorizer
	case "NONE":
		route.Authorizer = ""
	}
	if _, ok := api.Authorizers[route.Authorizer]; !ok && route.Authorizer != "" {
		a.fail("Authorizer", "the API has no authorizer %s", route.Authorizer)
	}
	for _, old := range api.Routes {
		if old.Method == route.Method && old.Path == route.Path {
			p.fail("Path", "%s %s already belongs to %s", route.Method, route.Path, old.Function)
		}
	}
	api.Routes = append(api.Routes, route)
}

func (l *loader) theAPI(p *props) *API {
	id := p.need("RestApiId")
	if id == "" {
		for _, k := range []string{"Path", "Method", "Auth", "TimeoutInMillis"} {
			p.value(k)
		}
		return nil
	}
	if l.stack.API == nil || apiID(l.stack.API.ID) != id {
		p.fail("RestApiId", "must refer to the template's AWS::Serverless::Api")
		return nil
	}
	return l.stack.API
}

// readSource reads what queues and streams share; nil when it is switched off.
func readSource(l *loader, r *resource, name string, kind SourceKind, p *props) *Source {
	s := &Source{
		ID: r.id + name, Kind: kind, Function: r.id, MaxRetries: -1,
		Window: p.seconds("MaximumBatchingWindowInSeconds", 0, 0, 300),
	}
	for _, t := range p.texts("FunctionResponseTypes") {
		if t != "ReportBatchItemFailures" {
			p.fail("FunctionResponseTypes", "%q is not known here", t)
		}
		s.PartialFailure = true
	}
	fc := p.object("FilterCriteria")
	fc.each("Filters", func(f *props) { s.Filters = append(s.Filters, f.need("Pattern")) })
	fc.done()
	if !p.flag("Enabled", true) {
		l.notHere(s.ID + " (switched off)")
		return nil
	}
	return s
}

func readQueueSource(l *loader, r *resource, name string, p *props) {
	s := readSource(l, r, name, FromQueue, p)
	arn := p.need("Queue")
	size := p.whole("BatchSize", 10, 1, 10_000)
	scale := p.object("ScalingConfig")
	most := scale.whole("MaximumConcurrency", 0, 2, 1000)
	scale.done()
	q := l.owner("AWS::SQS::Queue", "Arn", arn, p.at)
	if q == nil {
		if arn != "" {
			p.fail("Queue", "must be the ARN of a queue of this template")
		}
		return
	}
	if s != nil {
		s.From, s.BatchSize, s.MaxConcurrency = q.id, size, most
		if size > 10 && s.Window == 0 {
			p.fail("BatchSize", "more than 10 needs MaximumBatchingWindowInSeconds")
		}
		l.stack.Sources = append(l.stack.Sources, *s)
	}
}

func readStreamSource(l *loader, r *resource, name string, p *props) {
	s := readSource(l, r, name, FromStream, p)
	off := s == nil
	if off {
		s = &Source{}
	}
	arn := p.need("Stream")
	s.BatchSize = p.whole("BatchSize", 100, 1, 10_000)
	s.StartingPosition = p.oneOf("StartingPosition", "", "TRIM_HORIZON", "LATEST")
	if s.StartingPosition == "" {
		p.need("StartingPosition")
	}
	s.Bisect = p.flag("BisectBatchOnFunctionError", false)
	s.MaxRetries = p.whole("MaximumRetryAttempts", -1, -1, 10_000)
	if age := p.whole("MaximumRecordAgeInSeconds", -1, -1, 604_800); age > 0 {
		s.MaxAge = time.Duration(age) * time.Second
	}
	s.Parallel = p.whole("ParallelizationFactor", 1, 1, 10)
	dest := p.object("DestinationConfig")
	onFail := dest.object("OnFailure")
	onFail.oneOf("Type", "SQS", "SQS")
	target := onFail.text("Destination")
	onFail.done()
	dest.done()
	if target != "" {
		q := l.owner("AWS::SQS::Queue", "Arn", target, p.at)
		if q == nil {
			onFail.fail("Destination", "must be the ARN of a queue of this template")
		} else {
			s.OnFailure = q.id
		}
	}
	t := l.owner("AWS::DynamoDB::Table", "StreamArn", arn, p.at)
	if t == nil {
		if arn != "" {
			p.fail("Stream", "must be the StreamArn of a table of this template")
		}
		return
	}
	s.From = t.id
	for _, table := range l.stack.Tables {
		if table.ID == t.id && table.StreamView == "" {
			p.fail("Stream", "%s has no StreamSpecification", t.id)
		}
	}
	if !off {
		l.stack.Sources = append(l.stack.Sources, *s)
	}
}
