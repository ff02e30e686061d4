package store_test

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
)

// service is DynamoDB as AWS ships it for one machine, with all our tables.
var service *ddb.Store

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run starts the emulator unless one is named; a test without it fails.
func run(m *testing.M) int {
	url, stop, err := emulator()
	if err == nil {
		defer stop()
		service, err = deploy(url)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "DynamoDB Local:", err)
		return 1
	}
	return m.Run()
}

func emulator() (url string, stop func(), err error) {
	if url := os.Getenv("FAIRSEAT_TEST_DYNAMODB"); url != "" {
		return url, func() {}, nil
	}
	lib, err := filepath.Abs("../../.tools/dynamodb-local-2.6.1/lib")
	if err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(lib); err != nil {
		return "", nil, fmt.Errorf("%w: `make test` installs it, or set FAIRSEAT_TEST_DYNAMODB", err)
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command("java", "-Xms32m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.library.path="+lib, "-cp", filepath.Join(lib, "*"),
		"com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
		"-inMemory", "-sharedDb", "-disableTelemetry", "-port", fmt.Sprint(port))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port), stop, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// deploy waits for the first answer, at most half a minute, and makes the tables.
func deploy(url string) (*ddb.Store, error) {
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_ENDPOINT_URL_DYNAMODB": url,
	}
	client, err := ddb.Client(func(name string) string { return env[name] })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		if _, err = client.ListTables(ctx, &dynamodb.ListTablesInput{}); err == nil {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
	names := map[store.Table]string{}
	for _, table := range store.Names {
		names[table] = fmt.Sprintf("%s-%d", table, time.Now().UnixNano())
		if err := createTable(ctx, client, names[table]); err != nil {
			return nil, err
		}
	}
	return ddb.New(client, names, func(time.Duration) time.Duration { return 0 }), nil
}

func createTable(ctx context.Context, client *dynamodb.Client, name string) error {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
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
	return err
}
