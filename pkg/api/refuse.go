package api

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
)

// RefuseRequest answers every request that no other function takes: 405 with Allow
// where the path is one of [Routes], else 404.
func RefuseRequest(e Edge) Handler {
	return func(_ context.Context, ev events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		return e.respond(&ev, refused(lost(&ev), e.Clock())), nil
	}
}
