package rights

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queuetypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/fairseat/fairseat/localstack/template"
)

// bench is a proxy before a stand-in that counts.
type bench struct {
	proxy   *Proxy
	url     string
	reached atomic.Int64
}

func newBench(t *testing.T, mode Mode, answer http.HandlerFunc, statements ...template.Statement) *bench {
	t.Helper()
	b := &bench{}
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.reached.Add(1)
		answer(w, r)
	}))
	t.Cleanup(back.Close)
	s := &template.Stack{
		Functions: []template.Function{function(statements...)},
		Tables:    []template.Table{{ID: "Seats", Name: "local-Seats", ARN: seats, StreamARN: stream}, {ID: "Other", Name: "local-Other", ARN: other}},
		Keys:      []template.Key{{ID: "Seal", Name: "local-Seal", ARN: sealing}},
		Secrets:   []template.Secret{{ID: "Bank", Name: "local-Bank", ARN: bank}},
		Buckets:   []template.Bucket{{ID: "Kept", Name: "local-kept", ARN: kept}},
		Queues:    []template.Queue{{ID: "Work", Name: "local-Work", ARN: work, URL: workURL}},
	}
	var err error
	if b.proxy, err = New(s, mode, account, Behind{Tables: back.URL, Queues: back.URL, Objects: back.URL, Keys: back.URL, Secrets: back.URL, ObjectKey: "root", ObjectSecret: "of all"}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(b.proxy)
	t.Cleanup(front.Close)
	b.url = front.URL
	return b
}

func empty(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }

func (b *bench) config(key string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &b.url, Logger: logging.Nop{},
		Credentials: Provider(key), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func (b *bench) tables() *dynamodb.Client { return dynamodb.NewFromConfig(b.config("Buy")) }

func (b *bench) keys() *kms.Client { return kms.NewFromConfig(b.config("Buy")) }

// secret reads one as a function does, who has no client of the SDK for it.
func (b *bench) secret(ctx context.Context, id string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, strings.NewReader(`{"SecretId":"`+id+`"}`))
	if err != nil {
		return err
	}
	req.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=Buy/20260101/eu-west-1/secretsmanager/aws4_request")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if res.StatusCode == http.StatusOK || err != nil {
		return err
	}
	var said struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return err
	}
	_, code, _ := strings.Cut(said.Type, "#")
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: res}, Err: &smithy.GenericAPIError{Code: code, Message: said.Message}}
}

func (b *bench) queues() *sqs.Client { return sqs.NewFromConfig(b.config("Buy")) }

var key = map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "1"}}

// calls are requests as the SDK writes them, and what they need.
var calls = []struct {
	name  string
	do    func(ctx context.Context, b *bench) error
	needs []Need
}{
	{"get", func(ctx context.Context, b *bench) error {
		_, err := b.tables().GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("local-Seats"), Key: key})
		return err
	}, []Need{{"dynamodb:GetItem", seats}}},
	{"get by ARN", func(ctx context.Context, b *bench) error {
		_, err := b.tables().GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(seats), Key: key})
		return err
	}, []Need{{"dynamodb:GetItem", seats}}},
	{"query", func(ctx context.Context, b *bench) error {
		_, err := b.tables().Query(ctx, &dynamodb.QueryInput{TableName: aws.String("local-Seats"), KeyConditionExpression: aws.String("pk = :x")})
		return err
	}, []Need{{"dynamodb:Query", seats}}},
	{"query of an index", func(ctx context.Context, b *bench) error {
		_, err := b.tables().Query(ctx, &dynamodb.QueryInput{TableName: aws.String("local-Seats"), IndexName: aws.String("By")})
		return err
	}, []Need{{"dynamodb:Query", seats + "/index/By"}}},
	{"batch get", func(ctx context.Context, b *bench) error {
		ask := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{key}}
		_, err := b.tables().BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"local-Seats": ask, "local-Other": ask}})
		return err
	}, []Need{{"dynamodb:BatchGetItem", other}, {"dynamodb:BatchGetItem", seats}}},
	{"transaction", func(ctx context.Context, b *bench) error {
		name := aws.String("local-Seats")
		_, err := b.tables().TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: name, Item: key}},
			{Put: &types.Put{TableName: name, Item: key}},
			{Delete: &types.Delete{TableName: aws.String("local-Other"), Key: key}},
			{Update: &types.Update{TableName: name, Key: key, UpdateExpression: aws.String("ADD n 1")}},
			{ConditionCheck: &types.ConditionCheck{TableName: name, Key: key, ConditionExpression: aws.String("n = n")}},
		}})
		return err
	}, []Need{{"dynamodb:ConditionCheckItem", seats}, {"dynamodb:DeleteItem", other}, {"dynamodb:PutItem", seats}, {"dynamodb:UpdateItem", seats}}},
	{"transaction of reads", func(ctx context.Context, b *bench) error {
		_, err := b.tables().TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: aws.String("local-Seats"), Key: key}}}})
		return err
	}, []Need{{"dynamodb:GetItem", seats}}},
	{"records", func(ctx context.Context, b *bench) error {
		_, err := dynamodbstreams.NewFromConfig(b.config("Buy")).GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("000|" + stream + "|shard|1")})
		return err
	}, []Need{{"dynamodb:GetRecords", stream}, {"dynamodb:ListStreams", stream}}},
	{"records as Dynoxide has them", func(ctx context.Context, b *bench) error {
		it := base64.StdEncoding.EncodeToString([]byte(`{"table_name":"local-Seats","position":0}`))
		_, err := dynamodbstreams.NewFromConfig(b.config("Buy")).GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &it})
		return err
	}, []Need{{"dynamodb:GetRecords", stream}, {"dynamodb:ListStreams", stream}}},
	{"shards", func(ctx context.Context, b *bench) error {
		_, err := dynamodbstreams.NewFromConfig(b.config("Buy")).DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(stream)})
		return err
	}, []Need{{"dynamodb:DescribeStream", stream}}},
	{"send", func(ctx context.Context, b *bench) error {
		_, err := b.queues().SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(workURL), MessageBody: aws.String("x")})
		return err
	}, []Need{{"sqs:SendMessage", work}}},
	{"receive", func(ctx context.Context, b *bench) error {
		_, err := b.queues().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String(workURL)})
		return err
	}, []Need{{"sqs:GetQueueAttributes", work}, {"sqs:ReceiveMessage", work}}},
	{"delete several", func(ctx context.Context, b *bench) error {
		_, err := b.queues().DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(workURL),
			Entries: []queuetypes.DeleteMessageBatchRequestEntry{{Id: aws.String("1"), ReceiptHandle: aws.String("h")}}})
		return err
	}, []Need{{"sqs:DeleteMessage", work}}},
	{"hide", func(ctx context.Context, b *bench) error {
		_, err := b.queues().ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(workURL), ReceiptHandle: aws.String("h")})
		return err
	}, []Need{{"sqs:ChangeMessageVisibility", work}}},
	{"find a queue", func(ctx context.Context, b *bench) error {
		_, err := b.queues().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("local-Work")})
		return err
	}, []Need{{"sqs:GetQueueUrl", work}}},
	{"make a data key", func(ctx context.Context, b *bench) error {
		_, err := b.keys().GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String("local-Seal")})
		return err
	}, []Need{{"kms:GenerateDataKey", sealing}}},
	{"open a data key", func(ctx context.Context, b *bench) error {
		_, err := b.keys().Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(sealing), CiphertextBlob: []byte("x")})
		return err
	}, []Need{{"kms:Decrypt", sealing}}},
	{"read a secret", func(ctx context.Context, b *bench) error { return b.secret(ctx, bank) }, []Need{{"secretsmanager:GetSecretValue", bank}}},
	{"read a secret by its name", func(ctx context.Context, b *bench) error { return b.secret(ctx, "local-Bank") }, []Need{{"secretsmanager:GetSecretValue", bank}}},
}

// answered means that the stand-in was asked; what it said is not of interest.
func answered(err error) bool {
	var api smithy.APIError
	return !errors.As(err, &api)
}

// TestWhatEachCallNeeds: with exactly these rights a call passes, without any one
// of them it is refused before it reaches the stand-in, in the service's own form.
func TestWhatEachCallNeeds(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			var all []template.Statement
			for _, n := range c.needs {
				all = append(all, statement("Allow", n.Resource, n.Action))
			}
			b := newBench(t, Enforce, empty, all...)
			if err := c.do(t.Context(), b); !answered(err) || b.reached.Load() != 1 {
				t.Errorf("with all rights the stand-in was asked %d times: %v", b.reached.Load(), err)
			}
			var got []Need
			for u := range b.proxy.Uses().Used {
				got = append(got, u.Need)
			}
			slices.SortFunc(got, func(a, b Need) int { return strings.Compare(a.Action+a.Resource, b.Action+b.Resource) })
			if !slices.Equal(got, c.needs) {
				t.Errorf("used %v, want %v", got, c.needs)
			}
			for i, missing := range c.needs {
				b := newBench(t, Enforce, empty, slices.Delete(slices.Clone(all), i, i+1)...)
				refusedFor(t, c.do(t.Context(), b), missing)
				if b.reached.Load() != 0 {
					t.Errorf("without %v the stand-in was asked", missing)
				}
				if _, ok := b.proxy.Uses().Denied[Use{"Buy", missing}]; !ok {
					t.Errorf("%v was refused in silence", missing)
				}
			}
		})
	}
}

func refusedFor(t *testing.T, err error, missing Need) {
	t.Helper()
	var api smithy.APIError
	var res *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &res) {
		t.Errorf("without %v: %v", missing, err)
		return
	}
	code, status := "AccessDeniedException", 400
	if !strings.HasPrefix(missing.Action, "dynamodb:") && !strings.HasPrefix(missing.Action, "kms:") && !strings.HasPrefix(missing.Action, "secretsmanager:") {
		code, status = "AccessDenied", 403
	}
	want := "User: arn:aws:sts::000000000000:assumed-role/local-Buy/local-Buy is not authorized to perform: " +
		missing.Action + " on resource: " + missing.Resource
	if api.ErrorCode() != code || res.HTTPStatusCode() != status || !strings.HasPrefix(api.ErrorMessage(), want) {
		t.Errorf("without %v: %d %s %q", missing, res.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage())
	}
}

// everything is allowed: what is refused all the same is refused for being unknown.
var everything = statement("Allow", "arn:*", "*")

func TestTheUnknownIsRefused(t *testing.T) {
	b := newBench(t, Enforce, empty, everything)
	for name, err := range map[string]error{
		"a key of nobody": func() error {
			_, err := dynamodb.NewFromConfig(b.config("Nobody")).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("local-Seats"), Key: key})
			return err
		}(),
		"a table that is not in the template": func() error {
			_, err := b.tables().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("local-Nothing"), Key: key})
			return err
		}(),
		"a queue that is not in the template": func() error {
			_, err := b.queues().SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(workOther), MessageBody: aws.String("x")})
			return err
		}(),
		"PartiQL": func() error {
			_, err := b.tables().ExecuteStatement(t.Context(), &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "local-Seats"`)})
			return err
		}(),
		"a key that nobody named": func() error {
			_, err := b.keys().Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: []byte("x")})
			return err
		}(),
		"an iterator of no stream": func() error {
			_, err := dynamodbstreams.NewFromConfig(b.config("Buy")).GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String("opaque")})
			return err
		}(),
	} {
		if answered(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, head := range map[string]http.Header{
		"no target":       {},
		"another service": {"X-Amz-Target": {"secretsmanager.GetSecretValue"}},
		"no signature":    {"X-Amz-Target": {"AmazonSQS.SendMessage"}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", b.url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = head
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode/100 != 4 {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
	if n := b.reached.Load(); n != 0 {
		t.Errorf("%d calls reached the stand-in", n)
	}
}

func TestRecordPassesAndRemembers(t *testing.T) {
	b := newBench(t, Record, empty)
	for _, c := range calls {
		if err := c.do(t.Context(), b); !answered(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	u := b.proxy.Uses()
	if n := b.reached.Load(); n != int64(len(calls)) || len(u.Used) == 0 || !maps.Equal(u.Used, u.Denied) {
		t.Errorf("%d of %d calls passed; used %v, not granted %v", n, len(calls), u.Used, u.Denied)
	}
}

// TestPassesUnchanged: body, headers and answer are those of the two sides.
func TestPassesUnchanged(t *testing.T) {
	var body, encoding string
	b := newBench(t, Enforce, func(w http.ResponseWriter, r *http.Request) {
		all, _ := io.ReadAll(r.Body)
		body, encoding = string(all), r.Header.Get("Accept-Encoding")
		w.Header().Set("X-Amz-Crc32", "7")
		w.WriteHeader(418)
		io.WriteString(w, "as it is")
	}, everything)
	const sent = `{"TableName":"local-Seats",  "Key":{"pk":{"S":"<&>"}}}`
	req, err := http.NewRequestWithContext(t.Context(), "POST", b.url, strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"X-Amz-Target": {"DynamoDB_20120810.GetItem"}, "Accept-Encoding": {"identity"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=Buy/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"},
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, _ := io.ReadAll(res.Body)
	if body != sent || encoding != "identity" || res.StatusCode != 418 || string(got) != "as it is" || res.Header.Get("X-Amz-Crc32") != "7" {
		t.Errorf("sent %q with %q, answered %d %q", body, encoding, res.StatusCode, got)
	}
}

// TestABrokenConnectionStaysOne: the function must not be told an answer that
// nobody gave, and a transaction must not be sent twice.
func TestABrokenConnectionStaysOne(t *testing.T) {
	b := newBench(t, Enforce, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}, everything)
	err := calls[5].do(t.Context(), b)
	var unsent *smithyhttp.RequestSendError
	if !errors.As(err, &unsent) || b.reached.Load() != 1 {
		t.Errorf("asked %d times: %v", b.reached.Load(), err)
	}
}

// FuzzNeeds: no request makes the reader panic, and none needs nothing.
func FuzzNeeds(f *testing.F) {
	f.Add("DynamoDB_20120810.TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"local-Seats"}}]}`)
	f.Add("DynamoDB_20120810.BatchGetItem", `{"RequestItems":{"local-Seats":{}}}`)
	f.Add("DynamoDBStreams_20120810.GetRecords", `{"ShardIterator":"`+stream+`|1"}`)
	f.Add("AmazonSQS.SendMessageBatch", `{"QueueUrl":"`+workURL+`"}`)
	f.Add("AmazonSQS.ListQueues", `{}`)
	n := newNames(&template.Stack{Tables: []template.Table{{Name: "local-Seats", ARN: seats}}, Queues: []template.Queue{{URL: workURL, ARN: work}}})
	f.Fuzz(func(t *testing.T, target, body string) {
		c, err := readTarget(http.Header{"X-Amz-Target": {target}})
		if err != nil {
			return
		}
		needs, err := n.needs(c, []byte(body))
		if err == nil && len(needs) == 0 {
			t.Errorf("%s %s needs nothing", target, body)
		}
		for _, need := range needs {
			if err == nil && need.Resource == "" {
				t.Errorf("%s %s needs %s on nothing", target, body, need.Action)
			}
		}
	})
}
