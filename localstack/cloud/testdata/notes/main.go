// Command notes is every function of the test stack: a write that makes a stream
// record, a relay that makes a message of it, and a mark that ends the trip.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"
)

var (
	config = aws.Config{
		Region: os.Getenv("AWS_REGION"),
		Logger: logging.Nop{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
		}),
	}
	tables = dynamodb.NewFromConfig(config, func(o *dynamodb.Options) {
		o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
	})
	queues = sqs.NewFromConfig(config, func(o *sqs.Options) {
		o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_SQS"))
	})
	objects = s3.NewFromConfig(config, func(o *s3.Options) {
		o.BaseEndpoint, o.UsePathStyle = aws.String(os.Getenv("AWS_ENDPOINT_URL_S3")), true
	})
	table, queue = aws.String(os.Getenv("TABLE")), aws.String(os.Getenv("QUEUE"))
	bucket       = aws.String(os.Getenv("BUCKET"))
)

func key(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: id}}
}

func write(ctx context.Context, r events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	id := r.PathParameters["id"]
	if r.HTTPMethod == "PUT" {
		_, err := tables.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: key(id)})
		return events.APIGatewayProxyResponse{StatusCode: 201, Body: r.Body}, err
	}
	out, err := tables.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key(id), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	var none *s3types.NoSuchKey
	kept, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("marks/" + id)})
	if err != nil && !errors.As(err, &none) {
		return events.APIGatewayProxyResponse{}, err
	}
	if err == nil {
		kept.Body.Close()
	}
	answer := map[string]any{
		"kept":  err == nil,
		"found": out.Item != nil, "marked": out.Item["marked"] != nil,
		"greeting": os.Getenv("GREETING"), "token": os.Getenv("TOKEN"),
		"self": os.Getenv("SELF"), "peer": os.Getenv("PEER"), "name": os.Getenv("AWS_LAMBDA_FUNCTION_NAME"),
	}
	body, err := json.Marshal(answer)
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: string(body)}, err
}

func relay(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	for _, r := range e.Records {
		id := r.Change.Keys["pk"].String()
		_, err := queues.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl: queue, MessageBody: &id, MessageGroupId: &id, MessageDeduplicationId: &r.Change.SequenceNumber,
		})
		if err != nil {
			return events.DynamoDBEventResponse{}, err
		}
	}
	return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}, nil
}

func mark(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	for _, m := range e.Records {
		_, err := objects.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("marks/" + m.Body), Body: strings.NewReader(m.Body)})
		if err != nil {
			return events.SQSEventResponse{}, err
		}
		item := key(m.Body)
		item["marked"] = &types.AttributeValueMemberBOOL{Value: true}
		if _, err := tables.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: item}); err != nil {
			return events.SQSEventResponse{}, err
		}
	}
	return events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}, nil
}

func main() {
	switch os.Getenv("AWS_LAMBDA_FUNCTION_NAME") {
	case "local-Relay":
		lambda.Start(relay)
	case "local-Mark":
		lambda.Start(mark)
	default:
		lambda.Start(write)
	}
}
