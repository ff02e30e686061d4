package template

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// typeInfo says how a resource type is read and what its instances are called.
type typeInfo struct {
	read  func(*loader, *resource, *props)
	phase int
	name  string // the property that holds the physical name; "" = generated
	// ref and attrs give what Ref and Fn::GetAtt yield; n is the physical name.
	ref   func(l *loader, r *resource, n string) string
	attrs map[string]func(l *loader, r *resource, n string) string
}

// phases: what is pointed at, then what points, then what ties both together.
const phases = 3

type namer = func(l *loader, r *resource, n string) string

// known is filled by init: the readers refer to it through eval.
var known map[string]typeInfo

func init() {
	plain := func(_ *loader, _ *resource, n string) string { return n }
	arn := func(service, prefix string) namer {
		return func(l *loader, _ *resource, n string) string { return l.arn(service, prefix+n) }
	}
	one := func(name string, f namer) map[string]namer { return map[string]namer{name: f} }
	secretARN := arn("secretsmanager", "secret:")
	known = map[string]typeInfo{
		"AWS::Serverless::Function": {readFunction, 1, "FunctionName", plain, one("Arn", arn("lambda", "function:"))},
		"AWS::Serverless::Api": {readAPI, 0, "", func(_ *loader, r *resource, _ string) string { return apiID(r.id) },
			one("RootResourceId", func(*loader, *resource, string) string { return "root" })},
		"AWS::Serverless::WebSocketApi": {readSockets, 0, "", func(_ *loader, r *resource, _ string) string { return apiID(r.id) },
			map[string]namer{"ApiId": func(_ *loader, r *resource, _ string) string { return apiID(r.id) }, "ApiEndpoint": (*loader).socketEndpoint}},
		"AWS::ApiGateway::ApiKey":       {readKey, 1, "", plain, one("APIKeyId", plain)},
		"AWS::ApiGateway::UsagePlan":    {readPlan, 1, "", plain, one("Id", plain)},
		"AWS::ApiGateway::UsagePlanKey": {readPlanKey, 2, "", plain, one("Id", plain)},
		"AWS::DynamoDB::Table": {readTable, 0, "TableName", plain, map[string]namer{
			"Arn": arn("dynamodb", "table/"), "StreamArn": (*loader).streamARN,
		}},
		"AWS::SQS::Queue": {readQueue, 0, "QueueName", (*loader).queueURL, map[string]namer{
			"Arn": arn("sqs", ""), "QueueName": plain, "QueueUrl": (*loader).queueURL,
		}},
		"AWS::S3::Bucket": {readBucket, 0, "BucketName", plain, map[string]namer{
			"Arn": func(_ *loader, _ *resource, n string) string { return bucketARN(n) },
		}},
		"AWS::S3::BucketPolicy":       {readInert, 0, "", plain, nil},
		"AWS::SecretsManager::Secret": {readSecret, 0, "Name", secretARN, one("Id", secretARN)},
		"AWS::KMS::Key":               {readMasterKey, 0, "", plain, map[string]namer{"Arn": arn("kms", "key/"), "KeyId": plain}},
		"AWS::KMS::Alias":             {readInert, 0, "AliasName", plain, nil},
		"AWS::IAM::Role": {readRole, 0, "", plain,
			one("Arn", func(l *loader, _ *resource, n string) string { return l.roleARN(n) })},
		"AWS::Logs::LogGroup": {readInert, 0, "LogGroupName", plain,
			one("Arn", func(l *loader, _ *resource, n string) string { return l.groupARN(n) })},
		"AWS::CloudWatch::Alarm":  {readInert, 0, "AlarmName", plain, one("Arn", arn("cloudwatch", "alarm:"))},
		"AWS::Logs::MetricFilter": {readInert, 0, "FilterName", plain, nil},
		"AWS::SQS::QueuePolicy":   {readInert, 0, "", plain, nil},
		"AWS::Lambda::Permission": {readInert, 0, "", plain, nil},
	}
}

// generated are the names that SAM gives to what it makes beside a resource.
var generated = map[string]bool{"Stage": true, "Alias": true, "Version": true}

func (l *loader) arn(service, rest string) string {
	return "arn:aws:" + service + ":" + l.facts.Region + ":" + l.facts.Account + ":" + rest
}

// apiID is the id of an API in its address.
func apiID(id string) string { return strings.ToLower(id) }

func (l *loader) streamARN(r *resource, n string) string {
	if s := l.facts.Streams[r.id]; s != "" {
		return s
	}
	return l.arn("dynamodb", "table/"+n+"/stream/not-made-yet")
}

func (l *loader) queueURL(_ *resource, n string) string {
	return l.facts.QueueURL + "/" + l.facts.Account + "/" + n
}

// find returns an included resource or reports why there is none.
func (l *loader) find(id string, line int, at place) *resource {
	r := l.resources[id]
	switch {
	case r == nil:
		l.fail(line, at, "there is no resource or parameter %s", id)
	case !r.include:
		l.fail(line, at, "%s is left out by its condition", id)
		return nil
	}
	return r
}

// physical is the deployed name of a resource, resolved once.
func (l *loader) physical(r *resource, at place) string {
	if r.name != "" {
		return r.name
	}
	if r.naming {
		l.fail(r.line, r.at(), "its name refers to itself")
		return r.id
	}
	r.naming = true
	defer func() { r.naming = false }()
	key, fields := known[r.typ].name, l.quiet(r)
	if n := fields[key]; key != "" && n != nil {
		if v := l.eval(n, r.at().in(key)); v != nil && v.kind == scalar && v.text != "" {
			r.name = v.text
			return r.name
		}
	}
	r.name = l.facts.Stack + "-" + r.id
	if r.typ == "AWS::S3::Bucket" {
		r.name = strings.ToLower(r.name) // as CloudFormation does
	}
	if r.typ == "AWS::SQS::Queue" && fields["FifoQueue"] != nil && strings.EqualFold(fields["FifoQueue"].Value, "true") {
		r.name += ".fifo"
	}
	return r.name
}

func (l *loader) ref(id string, line int, at place) *value {
	v := &value{kind: scalar, line: line}
	if strings.HasPrefix(id, "AWS::") {
		return l.pseudo(id, v, at)
	}
	if p := l.params[id]; p != nil {
		return &value{p.kind, line, p.text, p.items, nil, nil}
	}
	base, tail, dotted := strings.Cut(id, ".")
	r := l.find(base, line, at)
	if r == nil {
		v.kind = broken
		return v
	}
	n := l.physical(r, at)
	switch {
	case !dotted:
		v.text = known[r.typ].ref(l, r, n)
	case tail == "Stage" && r.typ == "AWS::Serverless::Api":
		return l.stageOf(r, at)
	case tail == "Stage" && r.typ == "AWS::Serverless::WebSocketApi":
		if l.quiet(r)["StageName"] != nil {
			return l.stageOf(r, at)
		}
		v.text = defaultSocketStage
	case tail == "Alias" && r.typ == "AWS::Serverless::Function":
		if v.text = l.aliasARN(r, at); v.text == "" {
			l.fail(line, at, "%s has no AutoPublishAlias", base)
			v.kind = broken
		}
	case tail == "Version" && r.typ == "AWS::Serverless::Function":
		v.text = l.arn("lambda", "function:"+n+":1")
	default:
		l.fail(line, at, "%s has no %s", base, tail)
		v.kind = broken
	}
	return v
}

// quiet returns a resource's unresolved properties and reports nothing.
func (l *loader) quiet(r *resource) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if r.props != nil && r.props.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(r.props.Content); i += 2 {
			out[r.props.Content[i].Value] = r.props.Content[i+1]
		}
	}
	return out
}

// owner finds the resource of a type whose attribute is text.
func (l *loader) owner(typ, attr, text string, at place) *resource {
	for _, r := range l.order {
		if r.typ == typ && r.include && known[typ].attrs[attr](l, r, l.physical(r, at)) == text {
			return r
		}
	}
	return nil
}

func (l *loader) stageOf(r *resource, at place) *value {
	if n := l.quiet(r)["StageName"]; n != nil {
		return l.eval(n, at)
	}
	return &value{kind: broken}
}

func (l *loader) pseudo(id string, v *value, at place) *value {
	switch id {
	case "AWS::NoValue":
		return nil
	case "AWS::Region":
		v.text = l.facts.Region
	case "AWS::AccountId":
		v.text = l.facts.Account
	case "AWS::StackName":
		v.text = l.facts.Stack
	case "AWS::StackId":
		v.text = l.arn("cloudformation", "stack/"+l.facts.Stack+"/local")
	case "AWS::Partition":
		v.text = "aws"
	case "AWS::URLSuffix":
		v.text = "amazonaws.com"
	default:
		l.fail(v.line, at, "the pseudo parameter %s is not known here", id)
		v.kind = broken
	}
	return v
}

func (l *loader) attribute(id, attr string, line int, at place) *value {
	v := &value{kind: scalar, line: line}
	if fn, ok := strings.CutSuffix(id, "Role"); ok && attr == "Arn" && l.resources[id] == nil {
		if r := l.resources[fn]; r != nil && r.typ == "AWS::Serverless::Function" && l.quiet(r)["Role"] == nil {
			v.text = l.roleARN(l.facts.Stack + "-" + id)
			return v
		}
	}
	r := l.find(id, line, at)
	if r == nil {
		v.kind = broken
		return v
	}
	f := known[r.typ].attrs[attr]
	if f == nil {
		l.fail(line, at, "%s (%s) has no attribute %s that is known here", id, r.typ, attr)
		v.kind = broken
		return v
	}
	v.text = f(l, r, l.physical(r, at))
	return v
}

// secretText resolves the inside of {{resolve:…}}:
// secretsmanager:<name or ARN>:SecretString[:<JSON key>].
func (l *loader) secretText(ref string, line int, at place) (string, bool) {
	rest, ok := strings.CutPrefix(ref, "secretsmanager:")
	if !ok {
		l.fail(line, at, "dynamic references other than secretsmanager are not known here")
		return "", false
	}
	name, key, ok := strings.Cut(rest, ":SecretString")
	key = strings.TrimRight(strings.TrimPrefix(key, ":"), ":")
	if !ok || strings.Contains(key, ":") {
		l.fail(line, at, "must be {{resolve:secretsmanager:<secret>:SecretString[:<key>]}} without a version")
		return "", false
	}
	for _, r := range l.order {
		if r.typ != "AWS::SecretsManager::Secret" || !r.include {
			continue
		}
		n := l.physical(r, at)
		if name == n || name == l.arn("secretsmanager", "secret:"+n) {
			return l.secretPart(r, key, line, at)
		}
	}
	l.fail(line, at, "there is no secret %s", name)
	return "", false
}

func (l *loader) secretPart(r *resource, key string, line int, at place) (string, bool) {
	text, made := l.facts.Secrets[r.id]
	if key == "" || !made {
		return text, true
	}
	var fields map[string]any
	if json.Unmarshal([]byte(text), &fields) != nil || fields[key] == nil {
		l.fail(line, at, "the secret %s has no key %s", r.id, key)
		return "", false
	}
	return fmt.Sprint(fields[key]), true
}
