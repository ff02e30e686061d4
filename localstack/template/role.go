package template

import "fmt"

// readRole reads what a role allows. Managed policies are refused, for what they
// allow is not written in the template.
func readRole(l *loader, r *resource, p *props) {
	l.notHere(r.typ)
	readTrust(p)
	var all []Statement
	p.each("Policies", func(q *props) {
		q.need("PolicyName")
		all = append(all, readDocument(q.document("PolicyDocument"))...)
	})
	l.roles[r.id] = all
}

// readTrust accepts the one answer that makes sense here to who may take the role.
func readTrust(p *props) {
	d := p.document("AssumeRolePolicyDocument")
	d.oneOf("Version", "", "2012-10-17")
	d.each("Statement", func(s *props) {
		s.oneOf("Effect", "", "Allow")
		s.oneOf("Action", "", "sts:AssumeRole")
		who := s.object("Principal")
		who.oneOf("Service", "", "lambda.amazonaws.com", "codedeploy.amazonaws.com")
		who.done()
	})
	d.done()
}

// document is an object that must be there.
func (p *props) document(key string) *props {
	if !p.has(key) {
		p.need(key)
	}
	return p.object(key)
}

func readDocument(p *props) []Statement {
	defer p.done()
	p.oneOf("Version", "", "2012-10-17")
	s := p.value("Statement")
	switch {
	case s == nil:
		p.need("Statement")
	case s.kind == object:
		return []Statement{readStatement(p.object("Statement"))}
	}
	var out []Statement
	p.each("Statement", func(s *props) { out = append(out, readStatement(s)) })
	return out
}

func readStatement(p *props) Statement {
	p.text("Sid")
	s := Statement{
		Effect:    p.oneOf("Effect", "", "Allow", "Deny"),
		Actions:   p.oneOrMore("Action"),
		Resources: p.oneOrMore("Resource"),
	}
	for _, k := range []string{"Effect", "Action", "Resource"} {
		if !p.has(k) {
			p.need(k)
		}
	}
	if c := p.value("Condition"); c != nil {
		s.Condition, _ = c.plain().(map[string]any)
	}
	p.done()
	return s
}

// statements of a function are those of its role, or else its own.
func (l *loader) statements(p *props) []Statement {
	if !p.has("Role") {
		return readPolicies(p)
	}
	if p.has("Policies") {
		p.fail("Policies", "SAM adds none to a role that is named: they belong into it")
	}
	arn := p.text("Role")
	role := l.owner("AWS::IAM::Role", "Arn", arn, p.at)
	if role == nil {
		if arn != "" {
			p.fail("Role", "must be the ARN of a role of this template")
		}
		return nil
	}
	return l.roles[role.id]
}

func readPolicies(p *props) []Statement {
	var out []Statement
	v := p.value("Policies")
	if v == nil || v.kind == broken {
		return nil
	}
	docs := []*value{v}
	if v.kind == list {
		docs = v.items
	}
	for i, d := range docs {
		at := p.at.in(fmt.Sprintf("Policies[%d]", i))
		if d.kind == scalar {
			p.l.fail(d.line, at, "managed policy %q is not known here, only statements are", d.text)
			continue
		}
		q := p.l.props(d, at, p.typ)
		if d.kind == object && !q.has("Statement") {
			q.fail("", "only inline statements are known here, no policy templates")
			q.value("Version")
			q.done()
			continue
		}
		out = append(out, readDocument(q)...)
	}
	return out
}

// readLogging reads where a function's log goes: the group's ARN. One machine
// shows all logs itself, but a group that nobody makes would be an error on AWS.
func readLogging(l *loader, p *props) string {
	if !p.has("LoggingConfig") {
		return ""
	}
	p.ignore("LoggingConfig")
	c := p.object("LoggingConfig")
	defer c.done()
	name := c.need("LogGroup")
	if name != "" && l.owner("AWS::Logs::LogGroup", "Arn", l.groupARN(name), p.at) == nil {
		c.fail("LogGroup", "must be the name of a log group of this template")
	}
	return l.groupARN(name)
}

func (l *loader) roleARN(name string) string {
	return "arn:aws:iam::" + l.facts.Account + ":role/" + name
}

// groupARN of a log group ends as CloudFormation gives it: it means the streams.
func (l *loader) groupARN(name string) string { return l.arn("logs", "log-group:"+name+":*") }
