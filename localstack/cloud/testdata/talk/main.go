// Command talk is both functions of the WebSocket stack: one lets in who has the
// ticket and tells who left, one answers by @connections as a client of AWS does.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"
)

type (
	request = events.APIGatewayWebsocketProxyRequest
	answer  = events.APIGatewayProxyResponse
)

var credentials = aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}

func open(ctx context.Context, e request) (answer, error) {
	if e.RequestContext.EventType == "CONNECT" {
		if e.QueryStringParameters["ticket"] != "good" {
			return answer{StatusCode: 401}, nil
		}
		return answer{StatusCode: 200}, nil
	}
	queues := sqs.NewFromConfig(aws.Config{
		Region: os.Getenv("AWS_REGION"), Logger: logging.Nop{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
	}, func(o *sqs.Options) { o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_SQS")) })
	text := fmt.Sprint(e.RequestContext.DisconnectStatusCode)
	_, err := queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(os.Getenv("LEFT")), MessageBody: &text})
	return answer{StatusCode: 200}, err
}

func reply(ctx context.Context, e request) (answer, error) {
	var err error
	switch id := e.RequestContext.ConnectionID; e.RequestContext.RouteKey {
	case "echo":
		_, err = manage(ctx, "POST", id, []byte(e.Body))
	case "about":
		var text []byte
		if text, err = manage(ctx, "GET", id, nil); err == nil {
			_, err = manage(ctx, "POST", id, text)
		}
	case "leave":
		_, err = manage(ctx, "DELETE", id, nil)
	}
	return answer{StatusCode: 200, Body: "nobody reads this"}, err
}

func manage(ctx context.Context, method, id string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, os.Getenv("POST")+"/@connections/"+url.QueryEscape(id), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), "execute-api", os.Getenv("AWS_REGION"), time.Now()); err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode > 299 {
		err = fmt.Errorf("%s: %s", res.Status, res.Header.Get("X-Amzn-Errortype"))
	}
	return text, err
}

func main() {
	if os.Getenv("AWS_LAMBDA_FUNCTION_NAME") == "local-Open" {
		lambda.Start(open)
	}
	lambda.Start(reply)
}
