package provision

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/localstack/template"
)

const region, account = "eu-west-1", "000000000000"

// shared are the stand-ins of the tests that need no data folder.
var shared = map[emulators.Store]Clients{}

func TestMain(m *testing.M) {
	os.Unsetenv("AWS_CA_BUNDLE")
	var g process.Group
	for _, s := range stores {
		set, err := start(context.Background(), &g, s, "")
		if err != nil {
			panic(err)
		}
		shared[s] = NewClients(region, set.Tables.URL, set.Queues.URL)
		defer set.Close()
	}
	code := m.Run()
	g.Close()
	os.Exit(code)
}

func start(ctx context.Context, g *process.Group, s emulators.Store, data string) (*emulators.Set, error) {
	return emulators.Start(ctx, g, emulators.Options{
		Store: s, Tools: "../../.tools", Data: data, Region: region, Account: account, Progress: os.Stderr,
	})
}

func eachStore(t *testing.T, f func(t *testing.T, c Clients)) {
	for _, s := range stores {
		t.Run(s.String(), func(t *testing.T) { f(t, shared[s]) })
	}
}

// stack has one of everything; names begin with prefix.
func stack(prefix string) *template.Stack {
	arn := func(n string) string { return "arn:aws:sqs:" + region + ":" + account + ":" + n }
	return &template.Stack{
		Tables: []template.Table{
			{
				ID: "Full", Name: prefix + "-full", Partition: template.Attribute{Name: "pk", Type: "S"},
				Sort: template.Attribute{Name: "sk", Type: "N"}, StreamView: "NEW_AND_OLD_IMAGES", TTL: "ttl",
				Indexes: []template.Index{{
					Name: "byWho", Partition: template.Attribute{Name: "who", Type: "S"}, Projection: "INCLUDE", Include: []string{"b", "a"},
				}},
			},
			{ID: "Plain", Name: prefix + "-plain", Partition: template.Attribute{Name: "pk", Type: "B"}, TTL: "ttl"},
		},
		Sources: []template.Source{
			{From: "Full", Filters: []string{`{"eventName":["INSERT"]}`, `{"eventName":["MODIFY","REMOVE"]}`}},
			{From: "Plain", Filters: []string{`{"eventName":["INSERT"]}`, `{"dynamodb":{"Keys":{"pk":{"S":["REMOVE"]}}}}`}},
		},
		Queues: []template.Queue{
			{
				ID: "Work", Name: prefix + "-work.fifo", ARN: arn(prefix + "-work.fifo"), FIFO: true, DeadLetter: "Dead", MaxReceive: 3,
				Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false", "VisibilityTimeout": "7"},
			},
			{ID: "Dead", Name: prefix + "-dead.fifo", ARN: arn(prefix + "-dead.fifo"), FIFO: true, Attributes: map[string]string{"FifoQueue": "true"}},
			{ID: "Timers", Name: prefix + "-timers", ARN: arn(prefix + "-timers"), Attributes: map[string]string{"DelaySeconds": "3"}},
		},
	}
}

func TestApplyMakesWhatTheStackSays(t *testing.T) {
	eachStore(t, func(t *testing.T, c Clients) {
		s := stack("made")
		streams, urls, err := Apply(t.Context(), c, s)
		if err != nil {
			t.Fatal(err)
		}
		if arn := streams["Full"]; !strings.Contains(arn, "/stream/") || arn != s.Tables[0].StreamARN || len(streams) != 1 {
			t.Errorf("streams %v", streams)
		}
		d, err := c.Tables.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("made-full")})
		if err != nil {
			t.Fatal(err)
		}
		if d.Table.TableStatus != types.TableStatusActive {
			t.Errorf("the table is %s", d.Table.TableStatus)
		}
		if diff := difference(d.Table, createInput(&s.Tables[0])); diff != "" {
			t.Errorf("the table has another %s", diff)
		}
		for name, want := range map[string]string{"made-full": "ttl", "made-plain": ""} {
			ttl, err := c.Tables.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
			if err != nil || aws.ToString(ttl.TimeToLiveDescription.AttributeName) != want {
				t.Errorf("time to live of %s: %+v, %v; nobody asks for what it removes of made-plain", name, ttl, err)
			}
		}
		for id, want := range map[string]map[string]string{
			"Work": {
				"VisibilityTimeout": "7", "FifoQueue": "true",
				"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:made-dead.fifo","maxReceiveCount":3}`,
			},
			"Timers": {"DelaySeconds": "3"},
		} {
			got := attributes(t, c, urls[id])
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s: %s = %q, want %q", id, k, got[k], v)
				}
			}
		}
	})
}

func attributes(t *testing.T, c Clients, url string) map[string]string {
	t.Helper()
	out, err := c.Queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes
}

func TestApplyTwiceChangesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, c Clients) {
		first := stack("twice")
		s1, u1, err := Apply(t.Context(), c, first)
		if err != nil {
			t.Fatal(err)
		}
		before := attributes(t, c, u1["Work"])
		s2, u2, err := Apply(t.Context(), c, stack("twice"))
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(s1, s2) || !maps.Equal(u1, u2) {
			t.Errorf("streams %v became %v, queues %v became %v", s1, s2, u1, u2)
		}
		after := attributes(t, c, u1["Work"])
		for _, m := range []map[string]string{before, after} {
			delete(m, "LastModifiedTimestamp")
		}
		if !maps.Equal(before, after) {
			t.Errorf("queue %v became %v", before, after)
		}
	})
}

func TestApplyChangesQueues(t *testing.T) {
	eachStore(t, func(t *testing.T, c Clients) {
		s := stack("changed")
		if _, _, err := Apply(t.Context(), c, s); err != nil {
			t.Fatal(err)
		}
		s.Queues[0].Attributes["VisibilityTimeout"] = "9"
		delete(s.Queues[2].Attributes, "DelaySeconds")
		_, urls, err := Apply(t.Context(), c, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := attributes(t, c, urls["Work"])["VisibilityTimeout"]; got != "9" {
			t.Errorf("visibility timeout %s", got)
		}
		if got := attributes(t, c, urls["Timers"])["DelaySeconds"]; got != "0" {
			t.Errorf("a delay that was taken out of the template is %s", got)
		}
	})
}

func TestApplyRefusesAnotherQueue(t *testing.T) {
	c := shared[emulators.DynamoDBLocal]
	if _, _, err := Apply(t.Context(), c, stack("queue")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		want  string
		spoil func(*template.Queue)
	}{
		{"another ContentBasedDeduplication", func(q *template.Queue) { q.Attributes["ContentBasedDeduplication"] = "true" }},
		{"with a dead-letter queue", func(q *template.Queue) { q.DeadLetter = "" }},
	} {
		s := stack("queue")
		tt.spoil(&s.Queues[0])
		if _, _, err := Apply(t.Context(), c, s); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.want, err)
		}
	}
}

func TestApplyRefusesAnotherTable(t *testing.T) {
	eachStore(t, func(t *testing.T, c Clients) {
		if _, _, err := Apply(t.Context(), c, stack("other")); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			want  string
			spoil func(*template.Table)
		}{
			{"key", func(x *template.Table) { x.Sort.Type = "S" }},
			{"stream", func(x *template.Table) { x.StreamView = "KEYS_ONLY" }},
			{"stream", func(x *template.Table) { x.StreamView = "" }},
			{"set of indexes", func(x *template.Table) { x.Indexes[0].Include = []string{"a"} }},
			{"set of indexes", func(x *template.Table) { x.Indexes = nil }},
			{"time to live", func(x *template.Table) { x.TTL = "until" }},
		} {
			s := stack("other")
			tt.spoil(&s.Tables[0])
			_, _, err := Apply(t.Context(), c, s)
			if err == nil || !strings.Contains(err.Error(), "table other-full exists with another "+tt.want) {
				t.Errorf("%s: %v", tt.want, err)
			}
		}
	})
}

func TestApplyRefusesARingOfDeadLetters(t *testing.T) {
	s := stack("ring")
	s.Tables = nil
	s.Queues[1].DeadLetter, s.Queues[1].MaxReceive = "Work", 1
	_, _, err := Apply(t.Context(), shared[stores[0]], s)
	if err == nil || !strings.Contains(err.Error(), "each other's") {
		t.Errorf("got %v", err)
	}
}

func TestDataSurvivesAKill(t *testing.T) {
	for _, store := range stores {
		t.Run(store.String(), func(t *testing.T) {
			var g process.Group
			defer g.Close()
			data := t.TempDir()
			c, set := bring(t, &g, store, data)
			_, err := c.Tables.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: aws.String("kept-full"),
				Item: map[string]types.AttributeValue{
					"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberN{Value: "1"},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Queues.SendMessage(t.Context(), &sqs.SendMessageInput{
				QueueUrl: aws.String(queueURL(t, c)), MessageBody: aws.String("still here"),
				MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("d"),
			})
			if err != nil {
				t.Fatal(err)
			}
			set.Tables.Child.Kill()
			set.Queues.Child.Kill()

			c, _ = bring(t, &g, store, data)
			item, err := c.Tables.GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName: aws.String("kept-full"), ConsistentRead: aws.Bool(true),
				Key: map[string]types.AttributeValue{
					"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberN{Value: "1"},
				},
			})
			if err != nil || item.Item == nil {
				t.Errorf("the item is lost: %v", err)
			}
			got, err := c.Queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(queueURL(t, c)), WaitTimeSeconds: 5})
			if err != nil || len(got.Messages) != 1 || *got.Messages[0].Body != "still here" {
				t.Errorf("the message is lost: %v, %v", got, err)
			}
		})
	}
}

func bring(t *testing.T, g *process.Group, store emulators.Store, data string) (Clients, *emulators.Set) {
	t.Helper()
	set, err := start(t.Context(), g, store, data)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClients(region, set.Tables.URL, set.Queues.URL)
	if _, _, err := Apply(t.Context(), c, stack("kept")); err != nil {
		t.Fatal(err)
	}
	return c, set
}

func queueURL(t *testing.T, c Clients) string {
	t.Helper()
	out, err := c.Queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("kept-work.fifo")})
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl
}

func TestSecretsAreMadeOnceAndKept(t *testing.T) {
	folder := t.TempDir()
	fresh := func() *template.Stack {
		return &template.Stack{
			Secrets: []template.Secret{
				{ID: "Made", Length: 32, Exclude: template.Punctuation, Mixed: true},
				{ID: "Fixed", Value: "as written"},
			},
			API: &template.API{Keys: []template.APIKey{{ID: "Key"}, {ID: "Own", Value: "own-key-0123456789abcdef"}}},
		}
	}
	s := fresh()
	first, err := Secrets(s, folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(first["Made"]) != 32 || first["Fixed"] != "as written" || len(first["Key"]) != 40 || first["Own"] != "own-key-0123456789abcdef" {
		t.Errorf("got %v", first)
	}
	if s.Secrets[0].Value != first["Made"] || s.API.Keys[0].Value != first["Key"] {
		t.Error("the stack does not carry them")
	}
	again, err := Secrets(fresh(), folder)
	if err != nil || !maps.Equal(first, again) {
		t.Errorf("they changed to %v, %v", again, err)
	}
	info, err := os.Stat(filepath.Join(folder, secretsFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	thrown, err := Secrets(fresh(), "")
	if err != nil || thrown["Made"] == first["Made"] {
		t.Errorf("without a folder: %v, %v", thrown, err)
	}
	if err := os.WriteFile(filepath.Join(folder, secretsFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Secrets(fresh(), folder); err == nil {
		t.Error("a torn file was overlooked: every secret would have changed")
	}
}
