package api

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Authorizer answers events of a REST API's REQUEST authorizer.
type Authorizer = func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error)

// AuthorizeKey finds the developer's key (A13) in the header X-Api-Key or else in
// the query parameter api_dev_key and names it to the gateway, which knows the
// keys and their quotas. Without one nobody is refused here: the gateway then
// misses its key and says 403 itself.
//
// Its answers must not be kept by identity sources: the gateway calls no
// authorizer, and says 401, when one of several sources is missing.
func AuthorizeKey() Authorizer {
	return func(_ context.Context, ev events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "developer",
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
				Version: "2012-10-17",
				Statement: []events.IAMPolicyStatement{{
					Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{wholeStage(ev.MethodArn)},
				}},
			},
			UsageIdentifierKey: developerKey(ev),
		}, nil
	}
}

// wholeStage is the ARN of all resources of the stage in arn:…:<api>/<stage>/<method>/<path>.
func wholeStage(arn string) string {
	api, rest, _ := strings.Cut(arn, "/")
	stage, _, _ := strings.Cut(rest, "/")
	return api + "/" + stage + "/*"
}

func developerKey(ev events.APIGatewayCustomAuthorizerRequestTypeRequest) string {
	keys := header(&events.APIGatewayProxyRequest{Headers: ev.Headers, MultiValueHeaders: ev.MultiValueHeaders}, "X-Api-Key")
	if len(keys) == 0 {
		keys = ev.MultiValueQueryStringParameters[devKey]
	}
	if len(keys) == 0 {
		keys = []string{ev.QueryStringParameters[devKey]}
	}
	// Which of two keys is meant nobody can tell.
	if len(keys) != 1 || !printable(keys[0], maxKey) {
		return ""
	}
	return keys[0]
}
