package template

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoadReadsAWebSocketAPI(t *testing.T) {
	got, err := Load("testdata/sockets.yaml", nil, Facts{SocketHost: "127.0.0.1:3001"})
	if err != nil {
		t.Fatal(err)
	}
	const whole = 29 * time.Second
	arn := "arn:aws:execute-api:eu-west-1:000000000000:talk/v1"
	want := &SocketAPI{
		ID: "Talk", Stage: "v1", ARN: arn, Selector: "$request.body.action",
		Routes: []SocketRoute{
			{Key: "$connect", Function: "Open", Timeout: 5 * time.Second, Rate: 500, Burst: 1000},
			{Key: "$disconnect", Function: "Close", Timeout: whole, Rate: 500, Burst: 1000},
			{Key: "$default", Function: "Receive", Timeout: whole, Rate: 500, Burst: 1000},
			{Key: "watch", Function: "Receive", Timeout: whole, Rate: 2.5, Burst: 1000},
		},
		Authorizer: &Authorizer{Function: "Guard", Headers: []string{"Origin"}, Queries: []string{"ticket"}},
	}
	if d := cmp.Diff(want, got.Sockets); d != "" {
		t.Error(d)
	}
	outputs := map[string]string{
		"Id": "talk", "Endpoint": "ws://127.0.0.1:3001", "Url": "ws://127.0.0.1:3001/v1", "Stage": "v1",
	}
	if d := cmp.Diff(outputs, got.Outputs); d != "" {
		t.Error(d)
	}
	receive := got.Functions[3]
	if receive.Environment["POST"] != "http://127.0.0.1:3001/v1" || receive.Statements[0].Resources[0] != arn+"/POST/@connections/*" {
		t.Errorf("%+v", receive)
	}
	away, err := Load("testdata/sockets.yaml", nil, Facts{})
	if err != nil || away.Outputs["Endpoint"] != "wss://talk.execute-api.eu-west-1.amazonaws.com" {
		t.Errorf("without a local address: %v, %v", away.Outputs, err)
	}
}

// TestSocketAPIs: each row changes the template in one place; "" as the text of the
// problem means that it is still read.
func TestSocketAPIs(t *testing.T) {
	text, err := os.ReadFile("testdata/sockets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const name = "Talk (AWS::Serverless::WebSocketApi): "
	for _, tt := range []struct{ old, spoilt, at, text string }{
		{"$request.body.action", "${request.body.a.b-c}", "", ""},
		{"$request.body.action", "$request.header.action", "RouteSelectionExpression", "$request.body. and a path"},
		{"$request.body.action", "${request.body.action", "RouteSelectionExpression", "$request.body. and a path"},
		{"    RouteSelectionExpression: $request.body.action\n", "    Tags: {a: b}\n", name, "RouteSelectionExpression is missing"},
		{"Name: talk", "Nickname: talk", name + "Nickname", "not known here"},
		{"Name: talk", "Domain: {DomainName: x, CertificateArn: y}", "Domain", "not known here"},
		{"Name: talk", "DisableExecuteApiEndpoint: true", "DisableExecuteApiEndpoint", "no other address"},
		{"Name: talk", "StageVariables: {a: b}", "StageVariables", "not known here"},
		{"      StageName: v1\n", "", "", ""},
		{"StageName: v1", "StageName: $default", "StageName", "SAM refuses"},
		{"StageName: v1", "StageName: a/b", "StageName", "plain word"},
		{"FunctionArn: !Ref Open.Alias", "FunctionArn: arn:elsewhere", "Routes.$connect.FunctionArn", "a function of this template or of its alias"},
		{"FunctionArn: !Ref Open.Alias, ", "", "Routes.$connect", "FunctionArn is missing"},
		{"IntegrationTimeout: 5000", "IntegrationTimeout: 30000", "IntegrationTimeout", "from 50 to 29000"},
		{"OperationName: Watch", "RouteResponseSelectionExpression: $default", "RouteResponseSelectionExpression", "not known here"},
		{"OperationName: Watch", "RequestModels: {a: b}", "RequestModels", "not known here"},
		{"ApiKeyRequired: false", "ApiKeyRequired: true", "ApiKeyRequired", "API keys"},
		{"        watch: {F", "        $watch: {F", "Routes.$watch", "begin with $"},
		{"RouteSettings: {watch:", "RouteSettings: {look:", "RouteSettings.look", "there is no route"},
		{"ThrottlingRateLimit: 2.5", "ThrottlingRateLimit: 0", "RouteSettings.watch.ThrottlingRateLimit", "more than 0"},
		{"ThrottlingRateLimit: 2.5", "Throttle: 1", "RouteSettings.watch.Throttle", "not known here"},
		{"LoggingLevel: ERROR", "LoggingLevel: LOUD", "DefaultRouteSettings.LoggingLevel", "only OFF"},
		{"LoggingLevel: ERROR", "DataTraceEnabled: true", "DataTraceEnabled", "what is in a message"},
		{"DestinationArn: !GetAtt Words.Arn", "DestinationArn: arn:elsewhere", "AccessLogSettings.DestinationArn", "a log group"},
		{", Format: $context.requestId", "", "AccessLogSettings", "Format is missing"},
		{"AuthType: CUSTOM", "AuthType: AWS_IAM", "Auth.AuthType", "only NONE, CUSTOM"},
		{"AuthArn: !GetAtt Guard.Arn", "AuthArn: arn:elsewhere", "Auth.AuthArn", "a function of this template"},
		{"route.request.header.Origin", "context.connectionId", "Auth.IdentitySource", "route.request.header."},
		{"        $connect: {F", "        hello: {F", "Auth", "needs a route $connect"},
		{"  Words: {", "  Second: {Type: AWS::Serverless::WebSocketApi, Properties: {Routes: {}}}\n  Words: {", "Second", "a second WebSocket API"},
		{"!GetAtt Talk.ApiEndpoint", "!GetAtt Talk.Arn", "", "has no attribute Arn"},
		{"!Ref Talk.Stage", "!Ref Talk.Alias", "", "has no Alias"},
	} {
		if !strings.Contains(string(text), tt.old) {
			t.Errorf("the template has no %q", tt.old)
			continue
		}
		_, err := parse([]byte(strings.Replace(string(text), tt.old, tt.spoilt, 1)), "sockets.yaml", "/x", nil, Facts{})
		switch {
		case tt.text == "" && err != nil:
			t.Errorf("%q: %v", tt.spoilt, err)
		case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.at) || !strings.Contains(err.Error(), tt.text)):
			t.Errorf("%q: want %q %q, got\n%v", tt.spoilt, tt.at, tt.text, err)
		}
	}
}
