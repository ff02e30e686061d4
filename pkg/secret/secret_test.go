package secret

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/localstack/secrets"
)

const arn = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:bank"

func variables(url string) func(string) string {
	return func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
		}[name]
	}
}

func reader(t *testing.T, h http.Handler) *Reader {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	r, err := New(variables(s.URL), time.Now, func(context.Context, time.Duration) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestText(t *testing.T) {
	there := secrets.New([]secrets.Secret{{Name: "bank", ARN: arn, Text: `{"key":"k"}`}}, time.Now())
	failing := 0
	r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if auth := q.Header.Get("Authorization"); !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=k/") || !strings.Contains(auth, "/eu-west-1/secretsmanager/aws4_request") {
			t.Errorf("signed as %s", auth)
		}
		if failing > 0 {
			failing--
			w.WriteHeader(500)
			return
		}
		there.ServeHTTP(w, q)
	}))
	for _, failures := range []int{0, 2} {
		failing = failures
		if got, err := r.Text(t.Context(), arn); err != nil || got != `{"key":"k"}` {
			t.Errorf("after %d failures: %s %v", failures, got, err)
		}
	}
	failing = 3
	if got, err := r.Text(t.Context(), arn); !errors.Is(err, ErrAway) {
		t.Errorf("%s %v", got, err)
	}
	if got, err := r.Text(t.Context(), "other"); err == nil || errors.Is(err, ErrAway) || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("%s %v", got, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Text(gone, arn); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAnswersWithoutAText(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{"binary": {200, `{"SecretBinary":"aGk="}`}, "not JSON": {200, `<html>`}, "refused": {403, `{"__type":"AccessDeniedException","Message":"arn:aws:sts::1:x"}`}} {
		r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
		}))
		if got, err := r.Text(t.Context(), arn); err == nil || errors.Is(err, ErrAway) || strings.Contains(err.Error(), "arn:") {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(func(string) string { return "" }, time.Now, nil); err == nil {
		t.Error("nothing was set")
	}
}
