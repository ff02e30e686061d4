package template

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// Each row spoils one thing in testdata/shop.yaml.
func TestRefusals(t *testing.T) {
	whole, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ old, spoilt, where, what string }{
		// documents and sections
		{"Transform: AWS::Serverless-2016-10-31", "Transform: AWS::Include", "Transform", "only AWS::Serverless"},
		{"\nMappings:", "\nRules: {}\nMappings:", "Rules", "this section is not known here"},
		{"\nMappings:", "\nMappings: {}\nMappings:", "Mappings", "is written twice"},
		{"  Api:\n    Min", "  HttpApi: {}\n  Api:\n    Min", "Globals: HttpApi", "only Function, Api and WebSocketApi"},
		{"Never: {\"Fn::Equals\": [a, b]}", "Never: yes", "Conditions: Never", "must be Fn::Equals"},
		{"Never: {\"Fn::Equals\": [a, b]}", "Never: !Condition Never", "Conditions: Never", "refers to itself"},
		{"Never: {\"Fn::Equals\": [a, b]}", "Never: !And [!Condition HasEndpoint]", "Conditions: Never", "two to ten"},
		{"Hidden: {Value: x, Condition: Never}", "Hidden: {}", "Outputs: Hidden", "Value is missing"},
		{"Hidden: {Value: x,", "Hidden: {Value: !Ref Gone,", "", ""}, // left out by its condition: fine
		{"Hidden: {Value: x, Condition: Never}", "Hidden: {Value: !Ref Gone}", "Outputs: Hidden", "Gone is left out by its condition"},
		{"Hidden: {Value: x, Condition: Never}", "Hidden: {Value: x, Show: y}", "Outputs: Hidden.Show", "not known here"},

		// resources
		{"Type: AWS::CloudWatch::Alarm", "Type: AWS::SNS::Topic", "Alarm", `resource type "AWS::SNS::Topic" is not known here`},
		{"DeletionPolicy: Retain", "CreationPolicy: x", "Orders", "attribute of a resource is not known here"},
		{"\n  Dead:", "\n  Work: {Type: AWS::SQS::Queue}\n  Dead:", "Resources: Work", "is written twice"},
		{"AlarmName: late", "AlarmNames: late", "Alarm (AWS::CloudWatch::Alarm): AlarmNames", "property is not known here"},
		{"FilterPattern: late", "Pattern: late", "Lateness (AWS::Logs::MetricFilter): Pattern", "not known here"},
		{"Action: lambda:InvokeFunction, ", "Acton: x, ", "MayCall (AWS::Lambda::Permission): Acton", "not known here"},

		// functions
		{"CodeUri: .build/sell", "CodeUri: .build/sell\n      Layers: [x]", "Sell (AWS::Serverless::Function): Layers", "property is not known here"},
		{"CodeUri: .build/sell", "Description: none", "Sell", "CodeUri is missing"},
		{"Runtime: provided.al2023", "Runtime: python3.13", "Runtime", `"python3.13" is not known here, only provided.al2023`},
		{"Handler: bootstrap", "Description: x", "Guard", "Handler is missing"},
		{"Timeout: 5\n", "Timeout: 901\n", "Sell (AWS::Serverless::Function): Timeout", "from 1 to 900"},
		{"Timeout: 5\n", "Timeout: soon\n", "Timeout", "whole number"},
		{"ReservedConcurrentExecutions: 2", "ReservedConcurrentExecutions: 0", "ReservedConcurrentExecutions", "from 1"},
		{"          SECONDS: !Ref Seconds", "          AWS_REGION: x", "Environment.Variables.AWS_REGION", "belongs to Lambda"},
		{"          SECONDS: !Ref Seconds", "          SECONDS: {a: b, c: d}", "Environment.Variables.SECONDS", "must be a text"},
		{"        - Statement: {Effect", "        - AWSLambdaExecute\n        - Statement: {Effect", "Policies[1]", `managed policy "AWSLambdaExecute"`},
		{"        - Statement: {Effect", "        - SQSPollerPolicy: {QueueName: x}\n        - Statement: {Effect", "Policies[1]", "no policy templates"},
		{"              Action: dynamodb:GetItem", "              NotAction: x", "Policies[0].Statement[0]", "Action is missing"},
		{"              Action: dynamodb:GetItem", "              Action: x\n              Principal: y", "Statement[0].Principal", "not known here"},
		{"- Effect: Allow", "- Effect: Maybe", "Statement[0].Effect", "only Allow, Deny"},

		// roles and logs
		{"Role: !GetAtt Watchman.Arn", "Role: arn:aws:iam::000000000000:role/other", "Guard (AWS::Serverless::Function): Role", "a role of this template"},
		{"Role: !GetAtt Watchman.Arn", "Role: {a: b, c: d}", "Guard (AWS::Serverless::Function): Role", "must be a text"},
		{"Role: !GetAtt Watchman.Arn", "Role: !GetAtt Watchman.Arn\n      Policies: []", "Guard (AWS::Serverless::Function): Policies", "they belong into it"},
		{"DeletionPolicy: Retain\n    Properties:\n", "DeletionPolicy: Retain\n    Properties:\n      Tags: [!GetAtt GuardRole.Arn]\n", "Orders", "there is no resource or parameter GuardRole"},
		{"      Policies:\n        - PolicyName: words", "      ManagedPolicyArns: [x]\n      Policies:\n        - PolicyName: words", "Watchman (AWS::IAM::Role): ManagedPolicyArns", "not known here"},
		{"      Policies:\n        - PolicyName: words", "      RoleName: x\n      Policies:\n        - PolicyName: words", "Watchman (AWS::IAM::Role): RoleName", "not known here"},
		{"PolicyName: words\n", "Name: words\n", "Watchman (AWS::IAM::Role): Policies[0]", "PolicyName is missing"},
		{"          PolicyDocument: {Statement:", "          Document: {Statement:", "Watchman (AWS::IAM::Role): Policies[1]", "PolicyDocument is missing"},
		{"          PolicyDocument: {Statement:", "          PolicyDocument: {Statements:", "Policies[1].PolicyDocument", "Statement is missing"},
		{"      AssumeRolePolicyDocument: {", "      Description: {", "Watchman (AWS::IAM::Role)", "AssumeRolePolicyDocument is missing"},
		{"Service: lambda.amazonaws.com", "Service: ec2.amazonaws.com", "Principal.Service", "only lambda.amazonaws.com, codedeploy"},
		{"Service: lambda.amazonaws.com", "AWS: x", "Principal.AWS", "not known here"},
		{"Action: sts:AssumeRole", "Action: sts:TagSession", "AssumeRolePolicyDocument.Statement[0].Action", "only sts:AssumeRole"},
		{"LoggingConfig: {LogGroup: !Ref Words}", "LoggingConfig: {LogGroup: others}", "LoggingConfig.LogGroup", "a log group of this template"},
		{"LoggingConfig: {LogGroup: !Ref Words}", "LoggingConfig: {LogGroup: !Ref Words, LogFormat: JSON}", "LoggingConfig.LogFormat", "not known here"},
		{"RetentionInDays: 30", "RetainInDays: 30", "Words (AWS::Logs::LogGroup): RetainInDays", "not known here"},

		// deployment
		{"    AutoPublishAlias: live\n", "", "Sell (AWS::Serverless::Function): DeploymentPreference", "needs AutoPublishAlias"},
		{"AutoPublishAliasAllProperties: true", "AutoPublishAliasAllProperties: yes please", "AutoPublishAliasAllProperties", "true or false"},
		{"{Type: AllAtOnce, ", "{", "DeploymentPreference", "Type is missing"},
		{"{Type: AllAtOnce, ", "{Enabled: false, ", "", ""},
		{"{Type: AllAtOnce, ", "{Type: AllAtOnce, Hooks: {PreTraffic: x}, ", "DeploymentPreference.Hooks", "not known here"},
		{"Alarms: [!Ref Alarm]", "Alarms: [later]", "DeploymentPreference.Alarms", `"later" is no alarm`},
		{"Alarms: [!Ref Alarm]", "Alarms: [!Ref Alarms]", "DeploymentPreference.Alarms", "no resource or parameter Alarms"},
		{"Role: !GetAtt Mover.Arn", "Role: arn:aws:iam::000000000000:role/x", "DeploymentPreference.Role", "a role of this template"},
		{"Service: codedeploy.amazonaws.com", "Service: ec2.amazonaws.com", "Mover (AWS::IAM::Role)", "codedeploy.amazonaws.com"},
		{"FunctionArn: !Ref Guard.Alias", "FunctionArn: !GetAtt Guard.Arn", "", ""},
		{"FunctionArn: !Ref Guard.Alias", "FunctionArn: !Sub \"${Guard.Arn}:old\"", "FunctionArn", "or of its alias"},
		{"ThrottlingRateLimit: 2.5", "ThrottlingRateLimit: -1", "MethodSettings[0].ThrottlingRateLimit", "negative"},
		{"ThrottlingRateLimit: 2.5", "DataTraceEnabled: true", "MethodSettings[0].DataTraceEnabled", "what is in a request"},
		{"ThrottlingRateLimit: 2.5", "CachingEnabled: true", "MethodSettings[0].CachingEnabled", "a cache"},
		{"ThrottlingRateLimit: 2.5", "CacheTtlInSeconds: 5", "MethodSettings[0].CacheTtlInSeconds", "not known here"},
		{"HttpMethod: \"*\", ", "", "MethodSettings[0]", "HttpMethod is missing"},
		{"DestinationArn: !GetAtt Words.Arn, ", "DestinationArn: arn:elsewhere, ", "AccessLogSetting.DestinationArn", "a log group of this template"},
		{", Format: $context.requestId", "", "AccessLogSetting", "Format is missing"},
		{"DeletionProtectionEnabled: true", "DeletionProtectionEnabled: maybe", "DeletionProtectionEnabled", "true or false"},
		{"PointInTimeRecoveryEnabled: true", "Enabled: true", "PointInTimeRecoverySpecification.Enabled", "not known here"},
		{"WriteUnitsPerSecond: 5000", "WriteUnitsPerSecond: 0", "WarmThroughput.WriteUnitsPerSecond", "from 1"},
		{"WriteUnitsPerSecond: 5000", "WritesPerSecond: 5000", "WarmThroughput.WritesPerSecond", "not known here"},

		// events
		{"Type: Api\n", "Type: HttpApi\n", "Events.Buy.Type", `event type "HttpApi"`},
		{"RestApiId: !Ref Shop", "RestApiId: other", "RestApiId", "must refer to the template's"},
		{"            RestApiId: !Ref Shop\n", "", "Events.Buy.Properties", "RestApiId is missing"},
		{"Path: /orders/{id}", "Path: orders", "Events.Buy.Properties.Path", "must begin with /"},
		{"TimeoutInMillis: 5000", "TimeoutInMillis: 30000", "TimeoutInMillis", "to 29000"},
		{"Auth: {Authorizer: Session,", "Auth: {Authorizer: Nobody,", "Auth.Authorizer", "no authorizer Nobody"},
		{"Auth: {Authorizer: Session,", "Auth: {AuthorizationScopes: [x],", "AuthorizationScopes", "not known here"},
		{"        Queue:\n          Type: SQS", "        Again: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: \"/orders/{id}\", Method: POST}}\n        Queue:\n          Type: SQS",
			"Events.Again.Properties.Path", "already belongs to Sell"},
		{"BatchSize: 5", "BatchSize: 11", "Queue.Properties.BatchSize", "needs MaximumBatchingWindowInSeconds"},
		{"            Queue: !GetAtt Work.Arn", "            Queue: arn:elsewhere", "Queue.Properties.Queue", "a queue of this template"},
		{"FunctionResponseTypes: [ReportBatchItemFailures]", "FunctionResponseTypes: [Other]", "FunctionResponseTypes", `"Other" is not known here`},
		{"{Pattern: '{\"eventName\":[\"REMOVE\"]}'}", "{}", "FilterCriteria.Filters[0]", "Pattern is missing"},
		{"Stream: !GetAtt Orders.StreamArn", "Stream: arn:elsewhere", "Stream.Properties.Stream", "a table of this template"},
		{"StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}", "TableClass: STANDARD", "Stream.Properties.Stream", "has no StreamSpecification"},
		{"StartingPosition: LATEST", "StartingPosition: AT_TIMESTAMP", "StartingPosition", "only TRIM_HORIZON, LATEST"},
		{"            StartingPosition: LATEST\n", "", "Stream.Properties", "StartingPosition is missing"},
		{"ParallelizationFactor: 2", "TumblingWindowInSeconds: 2", "TumblingWindowInSeconds", "not known here"},
		{"ParallelizationFactor: 2", "ParallelizationFactor: 11", "ParallelizationFactor", "from 1 to 10"},
		{"{Destination: !GetAtt Lost.Arn}", "{Destination: !GetAtt Orders.Arn}", "OnFailure.Destination", "a queue of this template"},
		{"{Destination: !GetAtt Lost.Arn}", "{Type: SNS, Destination: !GetAtt Lost.Arn}", "OnFailure.Type", "only SQS"},

		// the REST API
		{"StageName: !Ref StageName", "Name: x", "Shop", "StageName is missing"},
		{"StageName: !Ref StageName", "StageName: a/b", "Shop (AWS::Serverless::Api): StageName", "plain word"},
		{"ApiKeySourceType: HEADER", "ApiKeySourceType: BODY", "ApiKeySourceType", "only HEADER, AUTHORIZER"},
		{"ApiKeySourceType: HEADER", "DefinitionBody: {}", "DefinitionBody", "not known here"},
		{"ApiKeySourceType: HEADER", "CacheClusterEnabled: true", "CacheClusterEnabled", "a cache is not known here"},
		{"AllowOrigin: \"'*'\"", "AllowOrigin: \"*\"", "Cors.AllowOrigin", "single quotes"},
		{"AllowOrigin: \"'*'\"", "AllowOrigins: x", "Cors.AllowOrigins", "not known here"},
		{"        AddApiKeyRequiredToCorsPreflight: false\n", "", "Auth", "AddApiKeyRequiredToCorsPreflight must be false"},
		{"ApiKeyRequired: true\n", "ApiKeyRequired: true\n        DefaultAuthorizer: Session\n", "Auth", "AddDefaultAuthorizerToCorsPreflight must be false"},
		{"ApiKeyRequired: true\n", "ApiKeyRequired: true\n        DefaultAuthorizer: Nobody\n", "Auth.DefaultAuthorizer", "no authorizer Nobody"},
		{"FunctionPayloadType: REQUEST", "FunctionPayloadType: TOKEN", "FunctionPayloadType", "only REQUEST"},
		{"FunctionPayloadType: REQUEST", "UserPoolArn: x", "Authorizers.Session", "must be REQUEST"},
		{"FunctionArn: !Ref Guard.Alias", "FunctionArn: !GetAtt Orders.Arn", "FunctionArn", "a function of this template"},
		{"Headers: [authorization], QueryStrings: [t], ", "", "Identity", "can be kept"},
		{"ReauthorizeEvery: 60", "ReauthorizeEvery: 3601", "ReauthorizeEvery", "to 3600"},
		{"THROTTLED:", "throttled:", "GatewayResponses.throttled", "not the name of a gateway response"},
		{"{Retry-After: \"'1'\"}", "{Retry-After: context.x}", "Headers.Retry-After", "single quotes"},
		{"Value: abcdefghij0123456789", "Value: short", "Key (AWS::ApiGateway::ApiKey): Value", "20 to 128"},
		{"ApiStages: [{ApiId: !Ref Shop, Stage: !Ref Shop.Stage}]", "ApiStages: [{ApiId: !Ref Shop, Stage: v2}]", "ApiStages[0]", "and its stage"},
		{"Quota: {Limit: 100, Period: DAY}", "Quota: {Limit: 100}", "Quota", "Period is missing"},
		{"Quota: {Limit: 100, Period: DAY}", "Quota: {Limit: 100, Period: DAY, Offset: 3}", "Quota.Offset", "not known here"},
		{"KeyId: !Ref Key", "KeyId: x", "KeyId", "an API key of the template"},
		{"UsagePlanId: !Ref Plan", "UsagePlanId: x", "UsagePlanId", "the template's usage plan"},
		{"\n  PlanKey:", "\n  Plan2: {Type: AWS::ApiGateway::UsagePlan}\n  PlanKey:", "Plan2", "a second usage plan"},
		{"\n  PlanKey:", "\n  Web: {Type: AWS::Serverless::Api, Properties: {StageName: x}}\n  PlanKey:", "Web", "a second REST API"},
		{"\n  PlanKey:", "\n  Key2: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: abcdefghij0123456789}}\n  PlanKey:", "Key2", "the same value as Key"},

		// buckets
		{"Status: Suspended", "Status: Enabled", "Old (AWS::S3::Bucket): VersioningConfiguration.Status", "only Suspended"},
		{"SSEAlgorithm: AES256", "SSEAlgorithm: aws:kms", "SSEAlgorithm", "only AES256"},
		{"BlockPublicAcls: true", "BlockPublicAcl: true", "PublicAccessBlockConfiguration.BlockPublicAcl", "not known here"},
		{"ExpirationInDays: 400", "ExpirationDays: 400", "Rules[0].ExpirationDays", "not known here"},
		{"TransitionInDays: 90", "TransitionInDays: soon", "TransitionInDays", "whole number"},
		{"Status: Enabled, ", "", "Rules[0]", "Status is missing"},
		{"VersioningConfiguration: {Status: Suspended}", "BucketName: Old_", "BucketName", "cannot be the name of a bucket"},
		{"VersioningConfiguration: {Status: Suspended}", "WebsiteConfiguration: {}", "WebsiteConfiguration", "not known here"},

		{"KeySpec: SYMMETRIC_DEFAULT", "KeySpec: RSA_2048", "Seal (AWS::KMS::Key): KeySpec", "only SYMMETRIC_DEFAULT"},
		{"Description: seals", "Descriptions: seals", "Seal (AWS::KMS::Key): Descriptions", "not known here"},

		// tables, queues, secrets
		{"TableName: !Sub", "TableNames: !Sub", "Orders (AWS::DynamoDB::Table): TableNames", "not known here"},
		{"TableName: !Sub \"${AWS::StackName}-orders\"", "TableName: !Ref Orders", "Orders", "its name refers to itself"},
		{"{AttributeName: sk, AttributeType: N}", "{AttributeName: sk, AttributeType: M}", "AttributeType", "only S, N, B"},
		{"        - {AttributeName: sk, AttributeType: N}\n", "", "KeySchema[1].AttributeName", "not among the AttributeDefinitions"},
		{"        - {AttributeName: sk, AttributeType: N}\n", "        - {AttributeName: sk, AttributeType: N}\n        - {AttributeName: x, AttributeType: N}\n", "AttributeDefinitions", "x is no key"},
		{"[{AttributeName: pk, KeyType: HASH}, ", "[", "KeySchema", "has no HASH key"},
		{"StreamViewType: NEW_AND_OLD_IMAGES", "StreamViewType: ALL", "StreamViewType", "only KEYS_ONLY"},
		{"ProjectionType: INCLUDE", "ProjectionType: SOME", "ProjectionType", "only ALL"},
		{"DeletionPolicy: Retain\n    Properties:", "DeletionPolicy: Retain\n    Properties:\n      LocalSecondaryIndexes: []", "LocalSecondaryIndexes", "not known here"},
		{"VisibilityTimeout: 60", "VisibilityTimeout: 43201", "VisibilityTimeout", "to 43200"},
		{"TableName: !Sub \"${AWS::StackName}-orders\"", "TableName: a b", "TableName", "cannot be the name"},
		{"IndexName: byBuyer", "IndexName: by", "IndexName", "cannot be the name"},
		{"VisibilityTimeout: 60", "QueueName: a b.fifo", "QueueName", "cannot be the name"},
		{"VisibilityTimeout: 60", "QueueName: work", "Work (AWS::SQS::Queue): QueueName", "must end in .fifo"},
		{"VisibilityTimeout: 60", "DeduplicationScope: messageGroup", "DeduplicationScope", "only queue"},
		{"deadLetterTargetArn: !GetAtt Dead.Arn", "deadLetterTargetArn: !GetAtt Lost.Arn", "deadLetterTargetArn", "FIFO exactly when"},
		{"deadLetterTargetArn: !GetAtt Dead.Arn", "deadLetterTargetArn: x", "deadLetterTargetArn", "a queue of this template"},
		{", maxReceiveCount: 5", "", "RedrivePolicy", "maxReceiveCount is missing"},
		{"        GenerateStringKey: key\n", "", "GenerateSecretString", "go together"},
		{"SecretStringTemplate: '{\"user\":\"u\"}'", "SecretStringTemplate: '['", "SecretStringTemplate", "JSON object"},
		{"      Name: signing\n", "      SecretString: x\n", "Signing", "needs either"},
	} {
		if !strings.Contains(string(whole), tt.old) {
			t.Errorf("the template has no %q to spoil", tt.old)
			continue
		}
		spoilt := strings.Replace(string(whole), tt.old, tt.spoilt, 1)
		_, err := parse([]byte(spoilt), "shop.yaml", "/", nil, Facts{})
		if tt.what == "" {
			if err != nil {
				t.Errorf("%q: %v", tt.spoilt, err)
			}
			continue
		}
		var all Problems
		if !errors.As(err, &all) {
			t.Errorf("%q was accepted (%v)", tt.spoilt, err)
			continue
		}
		found := false
		for _, p := range all {
			line := p.Error()
			found = found || p.Line > 0 && strings.Contains(line, tt.where) && strings.Contains(line, tt.what)
		}
		if !found {
			t.Errorf("%q: want %q %q, got\n%v", tt.spoilt, tt.where, tt.what, err)
		}
	}
}

func TestProblemNamesItsLine(t *testing.T) {
	_, err := parse([]byte("Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      Colour: red\n"), "t.yaml", "/", nil, Facts{})
	const want = "t.yaml:5: Q (AWS::SQS::Queue): Colour: this property is not known here"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParameters(t *testing.T) {
	for _, tt := range []struct{ decl, given, want string }{
		{"Type: String, Default: x", "", ""},
		{"Type: String", "x", ""},
		{"Type: String", "", "no value was given"},
		{"Default: x", "", "Type is missing"},
		{"Type: AWS::EC2::VPC::Id, Default: x", "", "is not known here"},
		{"Type: String, Default: x, Colour: y", "", "Colour: this property is not known here"},
		{"Type: Number, Default: 1.5", "", ""},
		{"Type: Number, Default: x", "", "is not a number"},
		{"Type: Number, Default: 1, MinValue: 1, MaxValue: 3", "3", ""},
		{"Type: Number, Default: 1, MinValue: 1", "0", "out of range"},
		{"Type: Number, Default: 1, MaxValue: 3", "4", "out of range"},
		{"Type: Number, Default: 1, MaxValue: x", "", "must be a number"},
		{"Type: String, Default: aa, MinLength: 3", "", "too short"},
		{"Type: String, Default: aa, MaxLength: 1", "", "too long"},
		{"Type: String, Default: a, AllowedValues: [a, b]", "b", ""},
		{"Type: String, Default: a, AllowedValues: [a, b], ConstraintDescription: pick one", "c", "is not one of a, b: pick one"},
		{"Type: String, Default: a, AllowedPattern: '[a-z]+'", "Q", "does not match"},
		{"Type: String, Default: a, AllowedPattern: '('", "", "not a pattern"},
		{"Type: List<Number>, Default: '1, 2'", "", ""},
		{"Type: List<Number>, Default: '1, x'", "", "is not a number"},
	} {
		params := map[string]string{}
		if tt.given != "" {
			params["P"] = tt.given
		}
		_, err := parse([]byte("Parameters:\n  P: {"+tt.decl+"}\n"), "t.yaml", "/", params, Facts{})
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("{%s} given %q: %v, want %q", tt.decl, tt.given, err, tt.want)
		}
	}
	_, err := parse([]byte("Resources: {}\n"), "t.yaml", "/", map[string]string{"X": "1"}, Facts{})
	if err == nil || !strings.Contains(err.Error(), "declares no such parameter") {
		t.Errorf("an unknown parameter: %v", err)
	}
}

func TestMonstersAreRefused(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("Mappings:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c < 'l'; c++ {
		p := string(c - 1)
		laughs.WriteString("  " + string(c) + ": &" + string(c) + " [*" + strings.Repeat(p+", *", 9) + p + "]\n")
	}
	for name, text := range map[string]string{
		"aliases":   laughs.String(),
		"recursion": "Mappings: &m {a: *m}\n",
		"depth":     "Mappings: " + strings.Repeat("[", 500) + strings.Repeat("]", 500),
	} {
		if _, err := parse([]byte(text), "t.yaml", "/", nil, Facts{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEmptyAndBroken(t *testing.T) {
	for _, text := range []string{"", "- a", "a: [", "x", "Resources: 7", "Resources: {A: 7}", "Parameters: []"} {
		var p Problems
		if _, err := parse([]byte(text), "t.yaml", "/", nil, Facts{}); !errors.As(err, &p) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Load("testdata/nowhere.yaml", nil, Facts{}); err == nil {
		t.Error("a missing file was loaded")
	}
}

func FuzzLoad(f *testing.F) {
	whole, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte("Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Q}}\n"))
	f.Add([]byte("Conditions: {A: !Not [!Condition A]}\nOutputs: {O: {Value: !If [A, 1, 2]}}\n"))
	f.Add([]byte("Globals: {Api: &x {a: *x}}\nResources: {A: {Type: AWS::Serverless::Api, Properties: *x}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parse(data, "t.yaml", "/", nil, Facts{})
		var p Problems
		if err != nil && (!errors.As(err, &p) || len(p) == 0) || (err == nil) != (s != nil) {
			t.Fatalf("stack %v, error %v", s, err)
		}
	})
}
