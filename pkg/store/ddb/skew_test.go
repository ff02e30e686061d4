package ddb_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/fairseat/fairseat/pkg/store/ddb"
)

// TestClockSkew: a service whose Date is far from this machine's is told, once a
// call; one whose Date is what a right clock sees is not.
func TestClockSkew(t *testing.T) {
	for _, tt := range []struct {
		service time.Duration // ahead of this machine
		told    bool
	}{
		{0, false},
		{10 * time.Second, true},
		{-10 * time.Second, true},
		{3 * time.Second, true},
		{-4 * time.Second, true},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(tt.service).UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.Write([]byte(`{"TableNames":[]}`))
		}))
		var said bytes.Buffer
		was := slog.Default()
		slog.SetDefault(slog.New(slog.NewJSONHandler(&said, nil)))
		client, err := ddb.Client(func(name string) string {
			return map[string]string{
				"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": srv.URL,
			}[name]
		})
		if err == nil {
			_, err = client.ListTables(t.Context(), &dynamodb.ListTablesInput{})
		}
		slog.SetDefault(was)
		srv.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		if tt.told {
			want = 1
		}
		if got := strings.Count(said.String(), `"msg":"clock skew"`); got != want {
			t.Errorf("a service %s ahead was told %d times: %s", tt.service, got, said.String())
		}
	}
}
