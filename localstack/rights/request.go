package rights

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/fairseat/fairseat/localstack/template"
)

// call is what a request asks of which service.
type call struct {
	service   service
	operation string
}

type service uint8

const (
	_ service = iota
	tables
	streams
	queues
	keys
	secrets
)

var targets = map[string]service{"DynamoDB_20120810": tables, "DynamoDBStreams_20120810": streams, "AmazonSQS": queues, "TrentService": keys, "secretsmanager": secrets}

func readTarget(h http.Header) (call, error) {
	name, op, _ := strings.Cut(h.Get("X-Amz-Target"), ".")
	s := targets[name]
	if s == 0 || op == "" {
		return call{}, fmt.Errorf("the target %q is none that is known here", h.Get("X-Amz-Target"))
	}
	return call{s, op}, nil
}

var credential = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]+)/`)

// accessKey is who signs. The signature itself is not verified: the stand-ins
// verify none, and nobody here has a reason to lie.
func accessKey(h http.Header) string {
	if m := credential.FindStringSubmatch(h.Get("Authorization")); m != nil {
		return m[1]
	}
	return ""
}

// input are the members of requests that name resources.
type input struct {
	TableName, IndexName     string
	StreamArn, ShardIterator string
	QueueUrl, QueueName      string
	KeyId, SecretId          string
	RequestItems             map[string]json.RawMessage
	TransactItems            []map[string]struct{ TableName string }
}

// names finds ARNs for what requests name.
type names struct {
	tables, streams, urls, queues, keys, secrets map[string]string // name or URL → ARN
}

func newNames(s *template.Stack) names {
	n := names{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}}
	for _, t := range s.Tables {
		n.tables[t.Name], n.streams[t.Name] = t.ARN, t.StreamARN
	}
	for _, q := range s.Queues {
		n.urls[q.URL], n.queues[q.Name] = q.ARN, q.ARN
	}
	for _, k := range s.Keys {
		n.keys[k.Name], n.keys[k.ARN] = k.ARN, k.ARN
	}
	for _, x := range s.Secrets {
		n.secrets[x.Name], n.secrets[x.ARN] = x.ARN, x.ARN
	}
	return n
}

// table is the ARN of a table by its name, or by itself. One that the template
// does not have is called what it is, so that no statement can mean it.
func (n names) table(name string) string {
	if arn, ok := n.tables[name]; ok {
		return arn
	}
	return name
}

var errUnread = errors.New("what it is about cannot be read")

// needs are what IAM asks for the call, each once.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func (n names) needs(c call, body []byte) ([]Need, error) {
	var in input
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	var all []Need
	var err error
	switch c.service {
	case tables:
		all, err = n.ofTables(c.operation, in)
	case streams:
		all, err = n.ofStreams(c.operation, in)
	case queues:
		all, err = n.ofQueues(c.operation, in)
	case keys:
		// Decrypt may leave out which key it is: what nobody can read is refused.
		all = []Need{{"kms:" + c.operation, cmp.Or(n.keys[in.KeyId], in.KeyId)}}
	case secrets:
		all = []Need{{"secretsmanager:" + c.operation, cmp.Or(n.secrets[in.SecretId], in.SecretId)}}
	}
	if err == nil && (len(all) == 0 || slices.ContainsFunc(all, func(n Need) bool { return n.Resource == "" })) {
		err = errUnread
	}
	slices.SortFunc(all, func(a, b Need) int {
		return strings.Compare(a.Action+" "+a.Resource, b.Action+" "+b.Resource)
	})
	return slices.Compact(all), err
}

// inTransaction are the rights of a transaction's parts; there is none for the whole.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
var inTransaction = map[string]string{
	"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem",
}

func (n names) ofTables(op string, in input) ([]Need, error) {
	var all []Need
	switch op {
	case "TransactWriteItems", "TransactGetItems":
		for _, part := range in.TransactItems {
			for kind, of := range part {
				action, known := inTransaction[kind]
				if !known {
					return nil, fmt.Errorf("%w: a transaction's %q", errUnread, kind)
				}
				all = append(all, Need{"dynamodb:" + action, n.table(of.TableName)})
			}
		}
	case "BatchGetItem", "BatchWriteItem":
		for name := range in.RequestItems {
			all = append(all, Need{"dynamodb:" + op, n.table(name)})
		}
	case "Query", "Scan":
		arn := n.table(in.TableName)
		if in.IndexName != "" {
			arn += "/index/" + in.IndexName
		}
		all = append(all, Need{"dynamodb:" + op, arn})
	default:
		all = append(all, Need{"dynamodb:" + op, n.table(in.TableName)})
	}
	return all, nil
}

func (n names) ofStreams(op string, in input) ([]Need, error) {
	arn := in.StreamArn
	if op == "GetRecords" {
		arn = n.iterated(in.ShardIterator)
	}
	return []Need{{"dynamodb:" + op, arn}}, nil
}

var inIterator = regexp.MustCompile(`arn:[a-z-]+:dynamodb:[^|]+/stream/[^|]+`)

// iterated is the stream that a shard iterator is of: GetRecords names it nowhere
// else. DynamoDB and DynamoDB Local write its ARN there, Dynoxide the table's name.
func (n names) iterated(iterator string) string {
	if arn := inIterator.FindString(iterator); arn != "" {
		return arn
	}
	var of struct {
		Table string `json:"table_name"`
	}
	text, err := base64.StdEncoding.DecodeString(iterator)
	if err != nil || json.Unmarshal(text, &of) != nil {
		return ""
	}
	return n.streams[of.Table]
}

func (n names) ofQueues(op string, in input) ([]Need, error) {
	arn := n.urls[in.QueueUrl]
	switch {
	case in.QueueUrl == "":
		arn = n.queues[in.QueueName]
	case arn == "":
		arn = in.QueueUrl
	}
	// A batch needs the right of its parts; IAM knows no action of its own for it.
	return []Need{{"sqs:" + strings.TrimSuffix(op, "Batch"), arn}}, nil
}
