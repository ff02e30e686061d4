// Probe is a function that does what its event says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Text string
	N    int
}

type answer struct {
	Text, RequestID, ARN, Name, Env string
	PID                             int
	LeftMS                          int64
	Home                            string
}

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "sleep":
		time.Sleep(time.Duration(e.N) * time.Millisecond)
	case "exit":
		fmt.Print("last words without an end")
		os.Exit(e.N)
	case "panic":
		panic(e.Text)
	case "error":
		return nil, errors.New(e.Text)
	case "log":
		fmt.Fprintln(os.Stderr, "said", e.Text)
	case "big":
		return strings.Repeat("x", e.N), nil
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return answer{
		Text: e.Text, RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Name: lambdacontext.FunctionName,
		Env: os.Getenv("PROBE"), PID: os.Getpid(), LeftMS: time.Until(deadline).Milliseconds(), Home: os.Getenv("HOME"),
	}, nil
}

func main() {
	switch os.Getenv("PROBE_INIT") {
	case "exit":
		os.Exit(7)
	case "hang":
		select {}
	}
	fmt.Println("starting")
	lambda.Start(handle)
}
