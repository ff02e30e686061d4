package secrets

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestGetSecretValue(t *testing.T) {
	s := New([]Secret{{"bank", "arn:aws:secretsmanager:eu-west-1:000000000000:secret:bank", `{"key":"k"}`}}, time.Unix(1_750_000_000, 0))
	for _, c := range []struct {
		target, body string
		status       int
		want         string
	}{
		{"GetSecretValue", `{"SecretId":"bank"}`, 200, `"SecretString":"{\"key\":\"k\"}"`},
		{"GetSecretValue", `{"SecretId":"arn:aws:secretsmanager:eu-west-1:000000000000:secret:bank","VersionStage":"AWSCURRENT"}`, 200, `"Name":"bank"`},
		{"GetSecretValue", `{"SecretId":"bank","VersionStage":"AWSPREVIOUS"}`, 400, "ResourceNotFoundException"},
		{"GetSecretValue", `{"SecretId":"bank","VersionId":"1"}`, 400, "ResourceNotFoundException"},
		{"GetSecretValue", `{"SecretId":"other"}`, 400, "ResourceNotFoundException"},
		{"GetSecretValue", `{"SecretId":`, 400, "InvalidRequestException"},
		{"PutSecretValue", `{"SecretId":"bank"}`, 400, "UnknownOperationException"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("X-Amz-Target", "secretsmanager."+c.target)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s", c.target, c.body, w.Code, w.Body)
		}
	}
}
