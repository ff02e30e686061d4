package template

import "slices"

// What only a deployment on AWS makes use of is read all the same, so that a
// mistake in it is found before it is deployed.

// readPublishing reads how versions of a function take over. One machine has one
// version, so an alias means the function itself.
func readPublishing(l *loader, p *props) {
	p.ignore("AutoPublishAlias", "DeploymentPreference")
	p.flag("AutoPublishAliasAllProperties", false)
	alias := p.text("AutoPublishAlias")
	d := p.object("DeploymentPreference")
	defer d.done()
	if p.has("DeploymentPreference") && d.flag("Enabled", true) {
		d.need("Type")
		if alias == "" {
			d.fail("", "needs AutoPublishAlias: the alias is what it shifts")
		}
	}
	d.text("Type")
	for _, name := range d.texts("Alarms") {
		if !slices.ContainsFunc(l.order, func(r *resource) bool {
			return r.typ == "AWS::CloudWatch::Alarm" && r.include && l.physical(r, d.at) == name
		}) {
			d.fail("Alarms", "%q is no alarm of this template", name)
		}
	}
	if arn := d.text("Role"); arn != "" && l.owner("AWS::IAM::Role", "Arn", arn, d.at) == nil {
		d.fail("Role", "must be the ARN of a role of this template")
	}
}

// aliasARN of a function; "" when it publishes none.
func (l *loader) aliasARN(r *resource, at place) string {
	n := l.quiet(r)["AutoPublishAlias"]
	if n == nil {
		return ""
	}
	name, _ := l.word(n, "AutoPublishAlias", at)
	return l.arn("lambda", "function:"+l.physical(r, at)+":"+name)
}

// callee finds the function that an ARN calls, by itself or by its alias.
func (l *loader) callee(arn string, at place) *resource {
	if r := l.owner("AWS::Serverless::Function", "Arn", arn, at); r != nil {
		return r
	}
	for _, r := range l.order {
		if r.typ == "AWS::Serverless::Function" && r.include && arn != "" && l.aliasARN(r, at) == arn {
			return r
		}
	}
	return nil
}

// readStageSettings reads throttles and logs of the stage. The gateway here keeps
// the limits of a usage plan, not those of a stage.
func readStageSettings(l *loader, p *props) {
	p.ignore("MethodSettings", "AccessLogSetting")
	p.each("MethodSettings", func(m *props) {
		m.need("HttpMethod")
		m.need("ResourcePath")
		m.whole("ThrottlingBurstLimit", 0, 0, 1<<30)
		if n := m.number("ThrottlingRateLimit"); n != nil && *n < 0 {
			m.fail("ThrottlingRateLimit", "must not be negative")
		}
		m.oneOf("LoggingLevel", "OFF", "OFF", "ERROR", "INFO")
		m.flag("MetricsEnabled", false)
		if m.flag("DataTraceEnabled", false) {
			m.fail("DataTraceEnabled", "would log what is in a request")
		}
		if m.flag("CachingEnabled", false) {
			m.fail("CachingEnabled", "a cache is not known here")
		}
	})
	if !p.has("AccessLogSetting") {
		return
	}
	a := p.object("AccessLogSetting")
	defer a.done()
	a.need("Format")
	if arn := a.need("DestinationArn"); arn != "" && l.owner("AWS::Logs::LogGroup", "Arn", arn, a.at) == nil {
		a.fail("DestinationArn", "must be the ARN of a log group of this template")
	}
}

// readSafety reads what keeps a table and prepares it for a rush.
func readSafety(p *props) {
	p.ignore("PointInTimeRecoverySpecification", "SSESpecification", "DeletionProtectionEnabled", "WarmThroughput")
	p.flag("DeletionProtectionEnabled", false)
	r := p.object("PointInTimeRecoverySpecification")
	r.flag("PointInTimeRecoveryEnabled", false)
	r.whole("RecoveryPeriodInDays", 35, 1, 35)
	r.done()
	e := p.object("SSESpecification")
	e.flag("SSEEnabled", false)
	e.oneOf("SSEType", "", "KMS")
	e.text("KMSMasterKeyId")
	e.done()
	w := p.object("WarmThroughput")
	w.whole("ReadUnitsPerSecond", 12_000, 1, 1<<30)
	w.whole("WriteUnitsPerSecond", 4_000, 1, 1<<30)
	w.done()
}
