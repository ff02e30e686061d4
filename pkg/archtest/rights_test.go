package archtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What may be asked of each kind of thing. Scan is not among them.
var (
	itemActions    = actions("dynamodb", "BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
	streamActions  = actions("dynamodb", "DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
	receiveActions = actions("sqs", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
	sendActions    = actions("sqs", "SendMessage")
	logActions     = actions("logs", "CreateLogStream", "PutLogEvents")
	manageActions  = actions("execute-api", "ManageConnections")
	objectActions  = actions("s3", "DeleteObject", "GetObject", "PutObject")
	listActions    = actions("s3", "ListBucket")
	keyActions     = actions("kms", "Decrypt", "GenerateDataKey")
	secretActions  = actions("secretsmanager", "GetSecretValue")
)

// objects are those of a bucket of the template, all or under a prefix.
var objects = regexp.MustCompile(`^\$\{([A-Za-z0-9]+)\.Arn\}/([a-z0-9-]+/)*\*$`)

// What is said of clients' sockets: the only right on something that is no thing of
// the template, for sockets come and go. Nothing but the id is left open.
const (
	toSockets   = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SocketApi}/v1/POST/@connections/*"
	endsSockets = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SocketApi}/v1/DELETE/@connections/*"
)

func actions(service string, names ...string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = service + ":" + n
	}
	return all
}

// ref is a scalar of the template: how it points and at what, or bare text.
type ref struct{ how, to string }

func (r *ref) UnmarshalYAML(n *yaml.Node) error {
	r.to = n.Value
	if !strings.HasPrefix(n.Tag, "!!") {
		r.how = n.Tag
	}
	return nil
}

type function struct {
	Role        ref       `yaml:"Role"`
	Policies    yaml.Node `yaml:"Policies"`
	Environment struct {
		Variables map[string]ref `yaml:"Variables"`
	} `yaml:"Environment"`
	Logging struct {
		Group ref `yaml:"LogGroup"`
	} `yaml:"LoggingConfig"`
	Events map[string]struct {
		Properties struct {
			Stream ref `yaml:"Stream"`
			Queue  ref `yaml:"Queue"`
			Dead   struct {
				OnFailure struct {
					To ref `yaml:"Destination"`
				} `yaml:"OnFailure"`
			} `yaml:"DestinationConfig"`
		} `yaml:"Properties"`
	} `yaml:"Events"`
}

type role struct {
	Trust struct {
		Statements []trust `yaml:"Statement"`
	} `yaml:"AssumeRolePolicyDocument"`
	Policies []struct {
		Document struct {
			Statements []statement `yaml:"Statement"`
		} `yaml:"PolicyDocument"`
	} `yaml:"Policies"`
	More map[string]any `yaml:",inline"`
}

// trust says who may take the role.
type trust struct {
	Effect    string            `yaml:"Effect"`
	Principal map[string]string `yaml:"Principal"`
	Action    string            `yaml:"Action"`
}

type statement struct {
	Effect   string         `yaml:"Effect"`
	Actions  []string       `yaml:"Action"`
	Resource ref            `yaml:"Resource"`
	More     map[string]any `yaml:",inline"`
}

var lambdaAlone = trust{"Allow", map[string]string{"Service": "lambda.amazonaws.com"}, "sts:AssumeRole"}

// deployment is what template.yaml says of rights.
type deployment struct {
	functions map[string]function
	roles     map[string]role
	types     map[string]string
	shared    function // Globals
	wrong     []string
}

func (d *deployment) fail(format string, args ...any) {
	d.wrong = append(d.wrong, fmt.Sprintf(format, args...))
}

func readDeployment(text []byte) (*deployment, error) {
	var doc struct {
		Globals struct {
			Function function `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	d := &deployment{functions: map[string]function{}, roles: map[string]role{}, types: map[string]string{}, shared: doc.Globals.Function}
	for id, r := range doc.Resources {
		d.types[id] = r.Type
		var err error
		switch r.Type {
		case "AWS::Serverless::Function":
			var f function
			err = r.Properties.Decode(&f)
			d.functions[id] = f
		case "AWS::IAM::Role":
			if id == shiftRole {
				continue // TestShift
			}
			var o role
			err = r.Properties.Decode(&o)
			d.roles[id] = o
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		if strings.HasPrefix(r.Type, "AWS::IAM::") && r.Type != "AWS::IAM::Role" {
			d.fail("%s: %s: rights stand in the roles alone", id, r.Type)
		}
	}
	return d, nil
}

// check finds every right that is not exact.
func (d *deployment) check() []string {
	if d.shared.Role != (ref{}) || !d.shared.Policies.IsZero() {
		d.fail("Globals: a role or policies of all functions")
	}
	for id, f := range d.functions {
		if want := (ref{"!GetAtt", id + "Role.Arn"}); f.Role != want {
			d.fail("%s: its role is %q, not its own %s", id, f.Role.to, want.to)
		}
		if !f.Policies.IsZero() {
			d.fail("%s: policies beside its role", id)
		}
		d.compare(id, d.rights(id+"Role"), d.needs(f))
	}
	for id := range d.roles {
		if _, ok := d.functions[strings.TrimSuffix(id, "Role")]; !ok || !strings.HasSuffix(id, "Role") {
			d.fail("%s: the role of no function", id)
		}
	}
	return d.wrong
}

// rights of a role by what they are about, such as Claims.Arn.
func (d *deployment) rights(id string) map[string][]string {
	r, ok := d.roles[id]
	if !ok {
		d.fail("%s: there is no such role", id)
	}
	if len(r.More) > 0 {
		d.fail("%s: has %v: managed policies and names are not wanted", id, slices.Sorted(maps.Keys(r.More)))
	}
	if len(r.Trust.Statements) != 1 || !reflect.DeepEqual(r.Trust.Statements[0], lambdaAlone) {
		d.fail("%s: may be taken by others than Lambda", id)
	}
	have := map[string][]string{}
	for _, p := range r.Policies {
		for _, s := range p.Document.Statements {
			if s.Effect != "Allow" || len(s.More) > 0 {
				d.fail("%s: a statement is not a plain Allow of actions on a resource", id)
			}
			if r := s.Resource; r.how != "!GetAtt" && r != (ref{"!Sub", toSockets}) && r != (ref{"!Sub", endsSockets}) && !d.inBucket(r) {
				d.fail("%s: resource %q is no attribute of a thing in this template", id, s.Resource.to)
			}
			for _, a := range s.Actions {
				if strings.Contains(a, "*") {
					d.fail("%s: action %q", id, a)
				}
			}
			have[s.Resource.to] = append(have[s.Resource.to], s.Actions...)
		}
	}
	return have
}

// inBucket tells whether a resource is the objects of a bucket of the template.
func (d *deployment) inBucket(r ref) bool {
	m := objects.FindStringSubmatch(r.to)
	return r.how == "!Sub" && m != nil && d.types[m[1]] == "AWS::S3::Bucket"
}

// needs are the rights that a function's wiring calls for. Which of the actions on
// a table's items it needs, only its code knows.
func (d *deployment) needs(f function) map[string][]string {
	need := map[string][]string{d.shared.Logging.Group.to + ".Arn": logActions}
	add := func(to ref, all []string) {
		if to != (ref{}) {
			need[to.to] = slices.Concat(need[to.to], all)
		}
	}
	if _, speaks := f.Environment.Variables["SOCKETS_ENDPOINT"]; speaks {
		need[toSockets], need[endsSockets] = manageActions, manageActions
	}
	for _, v := range f.Environment.Variables {
		switch d.types[v.to] {
		case "AWS::DynamoDB::Table":
			need[v.to+".Arn"] = nil
		case "AWS::SQS::Queue":
			add(ref{"!GetAtt", v.to + ".Arn"}, sendActions)
		case "AWS::KMS::Key":
			need[v.to+".Arn"] = nil
		case "AWS::SecretsManager::Secret":
			need[v.to+".Id"] = secretActions
		}
	}
	for _, e := range f.Events {
		add(e.Properties.Stream, streamActions)
		add(e.Properties.Queue, receiveActions)
		add(e.Properties.Dead.OnFailure.To, sendActions)
	}
	return need
}

func (d *deployment) compare(id string, have, need map[string][]string) {
	buckets := d.buckets(id, have)
	for about := range need {
		if len(have[about]) == 0 {
			d.fail("%s: no right on %s, which it is wired to", id, about)
		}
	}
	for about, got := range have {
		want, wired := need[about]
		may := itemActions
		if m := objects.FindStringSubmatch(about); m != nil {
			wired, may = buckets[m[1]], objectActions
		}
		switch of := strings.TrimSuffix(about, ".Arn"); d.types[of] {
		case "AWS::S3::Bucket":
			wired, may = buckets[of], listActions
		case "AWS::KMS::Key":
			may = keyActions
		}
		if !wired {
			d.fail("%s: rights on %s, which it is not wired to", id, about)
		}
		slices.Sort(got)
		once := slices.Compact(slices.Clone(got))
		want = slices.Compact(slices.Sorted(slices.Values(want)))
		if len(once) < len(got) {
			d.fail("%s: an action on %s is written twice", id, about)
		}
		if len(want) > 0 && !slices.Equal(once, want) {
			d.fail("%s: may %v on %s, its wiring needs %v", id, got, about, want)
		}
		for _, a := range got {
			if len(want) == 0 && !slices.Contains(may, a) {
				d.fail("%s: may %s on %s, which is no action on items", id, a, about)
			}
		}
	}
}

// buckets that the function is wired to, in which it must have some right: on
// objects, on the bucket, or on both.
func (d *deployment) buckets(id string, have map[string][]string) map[string]bool {
	all := map[string]bool{}
	for _, v := range d.functions[id].Environment.Variables {
		if d.types[v.to] != "AWS::S3::Bucket" {
			continue
		}
		all[v.to] = true
		some := false
		for about := range have {
			some = some || about == v.to+".Arn" || strings.HasPrefix(about, "${"+v.to+".Arn}/")
		}
		if !some {
			d.fail("%s: no right on %s, which it is wired to", id, v.to)
		}
	}
	return all
}

func template(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRights: each function has a role of its own, with its own statements and no
// wildcard: what a role allows and what its function is wired to are the same.
func TestRights(t *testing.T) {
	d, err := readDeployment([]byte(template(t)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(folders(t, "functions")); len(d.functions) != n || len(d.roles) != n {
		t.Errorf("%d functions and %d roles for %d folders", len(d.functions), len(d.roles), n)
	}
	for _, w := range d.check() {
		t.Error(w)
	}
}

// TestRightsCanFail: each row spoils the first place of the template that has the text.
func TestRightsCanFail(t *testing.T) {
	whole := template(t)
	const statements = "            Statement:\n"
	for _, tt := range []struct{ old, spoilt, want string }{
		{"Resource: !GetAtt AlipaySecret.Id", "Resource: !GetAtt SessionSecret.Id", "no right on AlipaySecret.Id"},
		{"[secretsmanager:GetSecretValue]", "[secretsmanager:GetSecretValue, secretsmanager:PutSecretValue]", "its wiring needs [secretsmanager:GetSecretValue]"},
		{"Resource: !GetAtt Claims.Arn", `Resource: "*"`, `resource "*"`},
		{"Resource: !GetAtt Claims.Arn", `Resource: !Sub "${Claims.Arn}/*"`, `resource "${Claims.Arn}/*"`},
		{"dynamodb:GetItem, ", "dynamodb:*, ", `action "dynamodb:*"`},
		{"dynamodb:GetItem, ", "dynamodb:Scan, ", "may dynamodb:Scan on Developers.Arn"},
		{"[dynamodb:GetItem, dynamodb:Query]", "[dynamodb:GetItem, dynamodb:GetItem]", "written twice"},
		{"Effect: Allow, Action: [logs", "Effect: Deny, Action: [logs", "not a plain Allow"},
		{"Effect: Allow, Action: [logs", "Effect: Allow, NotAction: [x], Action: [logs", "not a plain Allow"},
		{"logs:CreateLogStream", "logs:CreateLogGroup", "may [logs:CreateLogGroup logs:PutLogEvents]"},
		{"dynamodb:ListStreams", "dynamodb:GetShardIterator", "its wiring needs [dynamodb:DescribeStream"},
		{"sqs:GetQueueAttributes, ", "", "its wiring needs [sqs:DeleteMessage"},
		{"Action: [sqs:SendMessage], Resource: !GetAtt LaneQueue.Arn", "Action: [sqs:SendMessage], Resource: !GetAtt TimersQueue.Arn", "no right on LaneQueue.Arn"},
		{statements, statements + "              - {Effect: Allow, Action: [dynamodb:GetItem], Resource: !GetAtt Orders.Arn}\n", "AuthorizeKey: rights on Orders.Arn"},
		{statements, statements + "              - {Effect: Allow, Action: [s3:GetObject], Resource: !Sub \"${Archive.Arn}/*\"}\n", "AuthorizeKey: rights on ${Archive.Arn}/*, which it is not wired to"},
		{statements, statements + "              - {Effect: Allow, Action: [s3:GetObject], Resource: !Sub \"${Archive.Arn}*\"}\n", "${Archive.Arn}*\" is no attribute"},
		{"SOCKETS_TABLE: !Ref Sockets\n", "SOCKETS_TABLE: !Ref Sockets\n          X: !Ref Archive\n", "no right on Archive, which it is wired to"},
		{"/v1/POST/@connections/*", "/*", "${SocketApi}/*\" is no attribute"},
		{"/v1/DELETE/@connections/*", "/v1/POST/@connections/*", "no right on arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SocketApi}/v1/DELETE"},
		{"[execute-api:ManageConnections]", "[execute-api:ManageConnections, execute-api:Invoke]", "its wiring needs [execute-api:ManageConnections]"},
		{"      Policies:\n", "      ManagedPolicyArns: [x]\n      Policies:\n", "[ManagedPolicyArns]"},
		{"Principal: {Service: lambda.amazonaws.com}", `Principal: {AWS: "*"}`, "may be taken by others"},
		{"      Role: !GetAtt OpenSessionRole.Arn\n", "", "OpenSession: its role is"},
		{"Role: !GetAtt OpenSessionRole.Arn", "Role: !GetAtt ReadHoldRole.Arn", "not its own OpenSessionRole.Arn"},
		{"      Role: !GetAtt OpenSessionRole.Arn\n", "      Role: !GetAtt OpenSessionRole.Arn\n      Policies: [AWSLambdaExecute]\n", "policies beside its role"},
		{"    LoggingConfig:", "    Policies: [AWSLambdaExecute]\n    LoggingConfig:", "Globals"},
		{"  OpenSessionRole:\n", "  OtherRole:\n", "OtherRole: the role of no function"},
		{"    Type: AWS::Logs::LogGroup\n", "    Type: AWS::IAM::ManagedPolicy\n", "rights stand in the roles alone"},
	} {
		if !strings.Contains(whole, tt.old) {
			t.Errorf("the template has no %q to spoil", tt.old)
			continue
		}
		d, err := readDeployment([]byte(strings.Replace(whole, tt.old, tt.spoilt, 1)))
		if err != nil {
			t.Errorf("%q: %v", tt.spoilt, err)
			continue
		}
		if wrong := strings.Join(d.check(), "\n"); !strings.Contains(wrong, tt.want) {
			t.Errorf("%q: want %q, got %q", tt.spoilt, tt.want, wrong)
		}
	}
}
