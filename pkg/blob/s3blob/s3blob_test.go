package s3blob_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/fairseat/fairseat/localstack/emulators"
	"github.com/fairseat/fairseat/localstack/process"
	"github.com/fairseat/fairseat/pkg/blob"
	"github.com/fairseat/fairseat/pkg/blob/blobtest"
	"github.com/fairseat/fairseat/pkg/blob/s3blob"
)

// emulator is where the tests of this package find S3.
var emulator string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var g process.Group
	defer g.Close()
	set, err := emulators.StartObjects(context.Background(), &g, emulators.Options{
		Tools: "../../../.tools", Region: "eu-west-1", Progress: os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer set.Close()
	emulator = set.Objects.URL
	return m.Run()
}

func client(t *testing.T) *s3.Client {
	t.Helper()
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": emulators.ObjectKey, "AWS_SECRET_ACCESS_KEY": emulators.ObjectSecret,
		"AWS_ENDPOINT_URL_S3": emulator,
	}
	c, err := s3blob.Client(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSuite(t *testing.T) {
	c := client(t)
	blobtest.Run(t, func(t *testing.T) blob.Bucket {
		name := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
		if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
		return s3blob.New(c, name)
	})
}

// TestWhatIsNotABucket: it is a fault, not a missing object.
func TestWhatIsNotABucket(t *testing.T) {
	if _, err := s3blob.New(client(t), "no-such-bucket").Get(t.Context(), "k"); err == nil || strings.Contains(err.Error(), blob.ErrMissing.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestClientNeedsItsVariables(t *testing.T) {
	if _, err := s3blob.Client(func(string) string { return "" }); err == nil {
		t.Error("without variables it is made")
	}
}
