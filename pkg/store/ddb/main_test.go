package ddb_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
	"github.com/fairseat/fairseat/pkg/store/storetest"
)

// emulator is where the tests of this package find DynamoDB.
var emulator string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run starts the emulator unless one is named; tests without it fail.
func run(m *testing.M) int {
	if emulator = os.Getenv("FAIRSEAT_TEST_DYNAMODB"); emulator != "" {
		return m.Run()
	}
	var g process.Group
	defer g.Close()
	set, err := emulators.Start(context.Background(), &g, emulators.Options{
		Store: emulators.DynamoDBLocal, Tools: "../../../.tools",
		Region: "eu-west-1", Account: "000000000000", Progress: os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer set.Close()
	emulator = set.Tables.URL
	return m.Run()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func environment(url string) func(string) string {
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_ENDPOINT_URL_DYNAMODB": url,
	}
	return func(name string) string { return env[name] }
}

func none(time.Duration) time.Duration { return 0 }

// open makes the suite's tables under names of their own.
func open(t testing.TB) *ddb.Store {
	t.Helper()
	client, err := ddb.Client(environment(emulator))
	if err != nil {
		t.Fatal(err)
	}
	names := map[store.Table]string{}
	for _, table := range []store.Table{storetest.First, storetest.Second} {
		names[table] = fmt.Sprintf("%s-%d", table, time.Now().UnixNano())
		createTable(t, client, names[table])
	}
	return ddb.New(client, names, none)
}

func createTable(t testing.TB, client *dynamodb.Client, name string) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	db := open(t)
	storetest.Run(t, func(*testing.T) store.Tables { return db })
}
