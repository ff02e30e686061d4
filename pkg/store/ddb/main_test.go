package ddb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/ddb"
	"github.com/fairseat/fairseat/pkg/store/storetest"
)

// emulator is where the tests of this package find DynamoDB.
var emulator string

func TestMain(m *testing.M) {
	emulator = os.Getenv("FAIRSEAT_TEST_DYNAMODB")
	if emulator != "" {
		os.Exit(m.Run())
	}
	stop, err := startEmulator()
	if err != nil {
		fmt.Fprintln(os.Stderr, "DynamoDB Local:", err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// startEmulator runs DynamoDB Local from .tools; a test without it fails.
func startEmulator() (stop func(), err error) {
	lib, err := filepath.Abs("../../../.tools/dynamodb-local-2.6.1/lib")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(lib); err != nil {
		return nil, fmt.Errorf("%w: `make test` installs it, or set FAIRSEAT_TEST_DYNAMODB", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("java", "-Xms32m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.library.path="+lib, "-cp", filepath.Join(lib, "*"),
		"com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
		"-inMemory", "-sharedDb", "-disableTelemetry", "-port", fmt.Sprint(port))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	stop = func() {
		_ = cmd.Process.Kill()
		<-exited
	}
	emulator = fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := awaitEmulator(exited); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	return stop, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func awaitEmulator(exited <-chan error) error {
	client, err := ddb.Client(environment(emulator))
	if err != nil {
		return err
	}
	limit := time.After(30 * time.Second)
	for {
		_, err := client.ListTables(context.Background(), &dynamodb.ListTablesInput{})
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-limit:
			return fmt.Errorf("no answer in 30 s: %w", err)
		case err := <-exited:
			return fmt.Errorf("ended: %w", err)
		}
	}
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
