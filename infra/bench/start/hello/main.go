// Command hello is the least function that Go can be on Lambda: the floor under
// the size and the start of every other.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context) (string, error) { return "hello", nil })
}
