package template

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoadReadsAWholeStack(t *testing.T) {
	facts := Facts{
		APIURL:   "http://127.0.0.1:3000",
		QueueURL: "http://127.0.0.1:9324",
		Streams:  map[string]string{"Orders": "arn:stream"},
		Secrets:  map[string]string{"Signing": `{"user":"u","key":"s3cret"}`},
	}
	got, err := Load("testdata/shop.yaml", map[string]string{"Seconds": "60"}, facts)
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := filepath.Abs("testdata")
	const sqs, fn = "arn:aws:sqs:eu-west-1:000000000000:", "arn:aws:lambda:eu-west-1:000000000000:function:"
	const url = "http://127.0.0.1:9324/000000000000/"
	want := &Stack{
		Functions: []Function{
			{
				ID: "Guard", Name: "local-Guard", ARN: fn + "local-Guard", Code: filepath.Join(dir, ".build/guard"),
				Environment: map[string]string{"ORDERS": "local-orders", "OLD": "local-old arn:aws:s3:::local-old/*"},
				Timeout:     10 * time.Second, MemoryMB: 256, LogGroup: "arn:aws:logs:eu-west-1:000000000000:log-group:local-Words:*", Concurrency: 2,
				Statements: []Statement{
					{
						Effect: "Allow", Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
						Resources: []string{"arn:aws:logs:eu-west-1:000000000000:log-group:local-Words:*"},
					},
					{Effect: "Deny", Actions: []string{"sqs:SendMessage"}, Resources: []string{sqs + "local-Lost"}},
				},
			},
			{
				ID: "Sell", Name: "sell", ARN: fn + "sell", Code: filepath.Join(dir, ".build/sell"),
				Environment: map[string]string{
					"ORDERS": "local-orders", "SECONDS": "60", "KEY": "s3cret", "WORK": url + "local-Work.fifo",
					"OLD": "local-old arn:aws:s3:::local-old/*",
				},
				Timeout: 5 * time.Second, MemoryMB: 256, LogGroup: "arn:aws:logs:eu-west-1:000000000000:log-group:local-Words:*",
				Statements: []Statement{
					{
						Effect: "Allow", Actions: []string{"dynamodb:GetItem"},
						Resources: []string{"arn:aws:dynamodb:eu-west-1:000000000000:table/local-orders"},
						Condition: map[string]any{"ForAllValues:StringLike": map[string]any{"dynamodb:LeadingKeys": []any{"A#*"}}},
					},
					{Effect: "Allow", Actions: []string{"sqs:SendMessage"}, Resources: []string{sqs + "local-Work.fifo"}},
				},
			},
		},
		API: &API{
			ID: "Shop", Stage: "v1", KeySource: "HEADER", BinaryTypes: []string{"image/png"}, MinCompress: 1024,
			Routes: []Route{{Method: "POST", Path: "/orders/{id}", Function: "Sell", Authorizer: "Session", Timeout: 5 * time.Second}},
			Authorizers: map[string]Authorizer{
				"Session": {Function: "Guard", Headers: []string{"authorization"}, Queries: []string{"t"}, TTL: time.Minute},
			},
			CORS: &CORS{Origin: "*", Headers: "content-type", MaxAge: "600"},
			Keys: []APIKey{{ID: "Key", Name: "dev", Value: "abcdefghij0123456789", Enabled: true, InPlan: true}},
			Plan: &UsagePlan{Rate: 2.5, Burst: 5, Quota: 100, Period: "DAY"},
			Responses: map[string]GatewayResponse{"THROTTLED": {
				Status: 429, Headers: map[string]string{"Retry-After": "1"},
				Templates: map[string]string{"application/json": `{"id":$context.requestId}`},
			}},
		},
		Tables: []Table{{
			ID: "Orders", Name: "local-orders", ARN: "arn:aws:dynamodb:eu-west-1:000000000000:table/local-orders",
			StreamARN: "arn:stream", Partition: Attribute{"pk", "S"}, Sort: Attribute{"sk", "N"},
			StreamView: "NEW_AND_OLD_IMAGES", TTL: "ttl",
			Indexes: []Index{{
				Name: "byBuyer", Partition: Attribute{"buyer", "S"}, Projection: "INCLUDE", Include: []string{"state"},
			}},
		}},
		Queues: []Queue{
			{
				ID: "Work", Name: "local-Work.fifo", ARN: sqs + "local-Work.fifo", URL: url + "local-Work.fifo", FIFO: true,
				Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false", "VisibilityTimeout": "60"},
				DeadLetter: "Dead", MaxReceive: 5,
			},
			{
				ID: "Dead", Name: "local-Dead.fifo", ARN: sqs + "local-Dead.fifo", URL: url + "local-Dead.fifo", FIFO: true,
				Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false", "MessageRetentionPeriod": "1209600"},
			},
			{ID: "Lost", Name: "local-Lost", ARN: sqs + "local-Lost", URL: url + "local-Lost", Attributes: map[string]string{}},
		},
		Buckets: []Bucket{{ID: "Old", Name: "local-old", ARN: "arn:aws:s3:::local-old"}},
		Keys:    []Key{{ID: "Seal", Name: "local-Seal", ARN: "arn:aws:kms:eu-west-1:000000000000:key/local-Seal"}},
		Secrets: []Secret{{
			ID: "Signing", Name: "signing", ARN: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:signing",
			Length: 40, Exclude: Punctuation, Mixed: true, Template: `{"user":"u"}`, Key: "key", Value: `{"user":"u","key":"s3cret"}`,
		}},
		Sources: []Source{
			{
				ID: "SellQueue", Kind: FromQueue, Function: "Sell", From: "Work", BatchSize: 5,
				PartialFailure: true, MaxConcurrency: 4, MaxRetries: -1,
			},
			{
				ID: "SellStream", Kind: FromStream, Function: "Sell", From: "Orders", BatchSize: 25, Window: time.Second,
				Filters: []string{`{"eventName":["REMOVE"]}`}, StartingPosition: "LATEST", Bisect: true, MaxRetries: 3,
				MaxAge: time.Minute, Parallel: 2, OnFailure: "Lost",
			},
		},
		Outputs:    map[string]string{"Url": "http://127.0.0.1:3000/v1"},
		Parameters: map[string]string{"StageName": "v1", "Seconds": "60", "Endpoint": ""},
		NotHere: []string{
			"AWS::CloudWatch::Alarm", "AWS::DynamoDB::Table.BillingMode", "AWS::DynamoDB::Table.DeletionProtectionEnabled",
			"AWS::DynamoDB::Table.PointInTimeRecoverySpecification", "AWS::DynamoDB::Table.WarmThroughput",
			"AWS::IAM::Role", "AWS::KMS::Alias", "AWS::KMS::Key.EnableKeyRotation", "AWS::Lambda::Permission", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter",
			"AWS::S3::Bucket.BucketEncryption", "AWS::S3::Bucket.LifecycleConfiguration", "AWS::S3::Bucket.PublicAccessBlockConfiguration", "AWS::S3::BucketPolicy",
			"AWS::SQS::Queue.MessageRetentionPeriod", "AWS::Serverless::Api.AccessLogSetting",
			"AWS::Serverless::Api.MethodSettings", "AWS::Serverless::Api.TracingEnabled", "AWS::Serverless::Function.Architectures",
			"AWS::Serverless::Function.AutoPublishAlias", "AWS::Serverless::Function.DeploymentPreference",
			"AWS::Serverless::Function.LoggingConfig", "AWS::Serverless::Function.MemorySize", "AWS::Serverless::Function.Policies", "AWS::Serverless::Function.Tracing", "SellOff (switched off)",
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("stack differs (-want +got):\n%s", d)
	}
}

// A first load, before anything exists, must already succeed.
func TestLoadWithoutFacts(t *testing.T) {
	s, err := Load("testdata/shop.yaml", nil, Facts{})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Functions[1].Environment["KEY"]; got != "" {
		t.Errorf("a secret that does not exist yet came out as %q", got)
	}
}

// inEnv resolves one expression as a function's variable X.
func inEnv(expr string, params map[string]string, facts Facts) (string, bool, error) {
	text := `
Parameters:
  P: {Type: String, Default: pee}
  L: {Type: CommaDelimitedList, Default: "a, b,c"}
Mappings: {M: {k: {v: mapped}}}
Conditions:
  Yes: !Equals [!Ref P, pee]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Condition No]
  Either: !Or [{Condition: Yes}, !Condition No]
Resources:
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Q: {Type: AWS::SQS::Queue}
  S: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: open}}
  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1}}
  G: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /g}}
  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: x
      AutoPublishAlias: live
      Environment:
        Variables:
          X: ` + expr + "\n"
	s, err := parse([]byte(text), "t.yaml", "/", params, facts)
	if err != nil {
		return "", false, err
	}
	x, ok := s.Functions[0].Environment["X"]
	return x, ok, nil
}

func TestIntrinsics(t *testing.T) {
	facts := Facts{APIURL: "http://here", QueueURL: "http://q", Secrets: map[string]string{"S": `{"a":"b"}`}}
	for _, tt := range []struct{ expr, want string }{
		{`plain`, "plain"},
		{`!Ref P`, "pee"},
		{`{Ref: P}`, "pee"},
		{`!Ref T`, "local-T"},
		{`!Ref Q`, "http://q/000000000000/local-Q"},
		{`!Ref A`, "a"},
		{`!Ref A.Stage`, "v1"},
		{`!Ref F.Alias`, "arn:aws:lambda:eu-west-1:000000000000:function:local-F:live"},
		{`!Ref AWS::Region`, "eu-west-1"},
		{`!Ref AWS::Partition`, "aws"},
		{`!GetAtt Q.QueueName`, "local-Q"},
		{`!GetAtt [Q, Arn]`, "arn:aws:sqs:eu-west-1:000000000000:local-Q"},
		{`{"Fn::GetAtt": [T, Arn]}`, "arn:aws:dynamodb:eu-west-1:000000000000:table/local-T"},
		{`!GetAtt FRole.Arn`, "arn:aws:iam::000000000000:role/local-FRole"},
		{`!GetAtt R.Arn`, "arn:aws:iam::000000000000:role/local-R"},
		{`!Ref R`, "local-R"},
		{`!GetAtt G.Arn`, "arn:aws:logs:eu-west-1:000000000000:log-group:/g:*"},
		{`!Sub "${P}-${T.Arn}-${!P}"`, "pee-arn:aws:dynamodb:eu-west-1:000000000000:table/local-T-${P}"},
		{`!Sub ["${a}${P}", {a: !Ref AWS::AccountId}]`, "000000000000pee"},
		{`!Join ["/", [a, !Ref P]]`, "a/pee"},
		{`!Join [",", !Ref L]`, "a,b,c"},
		{`!Select [1, !Ref L]`, "b"},
		{`!FindInMap [M, k, v]`, "mapped"},
		{`!If [Yes, 1, 2]`, "1"},
		{`!If [No, 1, 2]`, "2"},
		{`!If [Both, 1, 2]`, "2"},
		{`!If [Either, 1, !Ref AWS::NoValue]`, "1"},
		{`"{{resolve:secretsmanager:local-S:SecretString}}"`, `{"a":"b"}`},
		{`!Sub "x{{resolve:secretsmanager:${S}:SecretString:a}}y"`, "xby"},
		{`!Sub "https://${A}.execute-api.${AWS::Region}.amazonaws.com/v1"`, "http://here/v1"},
	} {
		got, ok, err := inEnv(tt.expr, nil, facts)
		if err != nil || !ok || got != tt.want {
			t.Errorf("%s = %q, %v, %v; want %q", tt.expr, got, ok, err, tt.want)
		}
	}
	if got, ok, err := inEnv(`!If [No, 1, !Ref AWS::NoValue]`, nil, facts); ok || err != nil {
		t.Errorf("AWS::NoValue left %q, %v", got, err)
	}
}

func TestIntrinsicsRefused(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{`!Ref Nobody`, "there is no resource or parameter Nobody"},
		{`!Ref AWS::Nothing`, "pseudo parameter AWS::Nothing"},
		{`!GetAtt T.Colour`, "no attribute Colour"},
		{`!GetAtt T`, "takes Resource.Attribute"},
		{`!Sub "${Nobody}"`, "there is no resource or parameter Nobody"},
		{`!Sub "${P"`, "${ without }"},
		{`!Sub [x]`, "takes a list of 2"},
		{`!Sub {a: b}`, "takes a text"},
		{`!Join [",", x]`, "takes a separator and a list"},
		{`!Select [9, !Ref L]`, "long enough"},
		{`!FindInMap [M, k, w]`, "Mappings has no w"},
		{`!If [Maybe, 1, 2]`, "there is no condition Maybe"},
		{`!Equals [a, b]`, "belongs in Conditions"},
		{`!Split [",", "a,b"]`, "intrinsic !Split is not known here"},
		{`{"Fn::ImportValue": x}`, "intrinsic Fn::ImportValue is not known here"},
		{`!Ref L`, "must be a text"},
		{`"{{resolve:ssm:x}}"`, "other than secretsmanager"},
		{`"{{resolve:secretsmanager:nobody:SecretString}}"`, "there is no secret nobody"},
		{`"{{resolve:secretsmanager:local-S:SecretString:z}}"`, "has no key z"},
		{`"{{resolve:secretsmanager:local-S:SecretString:a:AWSCURRENT}}"`, "without a version"},
		{`"{{resolve:secretsmanager"`, "does not end"},
		{`~`, "has no value"},
	} {
		_, _, err := inEnv(tt.expr, nil, Facts{Secrets: map[string]string{"S": `{"a":"b"}`}})
		var p Problems
		if !errors.As(err, &p) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v; want %q", tt.expr, err, tt.want)
			continue
		}
		if p[0].Line != 31 || !strings.HasPrefix(p[0].Resource, "F (AWS::Serverless::Function)") {
			t.Errorf("%s: reported at line %d of %q", tt.expr, p[0].Line, p[0].Resource)
		}
	}
}
