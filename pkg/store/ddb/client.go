package ddb

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// Client makes an SDK client from the variables that Lambda sets: AWS_REGION,
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and
// AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL where set. It opens no
// connection. Package aws/config is left out for the size of the binary: it
// brings credential providers that a function never uses.
func Client(env func(string) string) (*dynamodb.Client, error) {
	cred := aws.Credentials{
		AccessKeyID:     env("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    env("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	region := env("AWS_REGION")
	if region == "" || !cred.HasKeys() {
		return nil, errors.New("ddb: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set")
	}
	opts := dynamodb.Options{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return cred, nil }),
		HTTPClient:  &http.Client{Transport: transport(), CheckRedirect: noRedirect},
		Logger:      logging.Nop{},
		APIOptions:  []func(*middleware.Stack) error{watchClock},
	}
	if url := cmp.Or(env("AWS_ENDPOINT_URL_DYNAMODB"), env("AWS_ENDPOINT_URL")); url != "" {
		opts.BaseEndpoint = &url
	}
	return dynamodb.New(opts), nil
}

// transport bounds only what the caller's context cannot tell apart: a host that
// does not answer. The call as a whole ends with the context.
func transport() *http.Transport {
	dial := &net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext:         dial.DialContext,
		TLSHandshakeTimeout: time.Second,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     50 * time.Second,
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
