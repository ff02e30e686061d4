package post_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairseat/fairseat/pkg/socket"
	"github.com/fairseat/fairseat/pkg/socket/post"
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

var env = map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "wJalr", "AWS_SESSION_TOKEN": "token"}

func newPost(t *testing.T, stage string) *post.Post {
	t.Helper()
	p, err := post.New(func(name string) string { return env[name] }, stage, 2, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// signature is that of Signature Version 4, step by step as AWS's guide has it.
func signature(r *http.Request, path, body string) string {
	names := "host;x-amz-date;x-amz-security-token"
	if body != "" {
		names = "content-length;" + names
	}
	var headers strings.Builder
	for name := range strings.SplitSeq(names, ";") {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, value)
	}
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	canonical := strings.Join([]string{r.Method, path, "", headers.String(), names, sum(body)}, "\n")
	scope := "20300501/eu-west-1/execute-api/aws4_request"
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", "20300501T120000Z", scope, sum(canonical)}, "\n")
	key := []byte("AWS4" + env["AWS_SECRET_ACCESS_KEY"])
	for _, part := range append(strings.Split(scope, "/"), toSign) {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return "AWS4-HMAC-SHA256 Credential=AKID/" + scope + ", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString(key)
}

func TestPost(t *testing.T) {
	var got []string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
		if want := signature(r, "/v1/%40connections/a%252Fb%252Bc%253D", string(body)); r.Header.Get("Authorization") != want || r.Header.Get("X-Amz-Security-Token") != "token" {
			t.Errorf("signed %s\nwant   %s", r.Header.Get("Authorization"), want)
		}
		w.Header().Set("Location", "/v1/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"…"}`)
	}))
	defer server.Close()
	p := newPost(t, server.URL+"/v1/")
	for _, tt := range []struct {
		status      int
		post, close error
	}{
		{200, nil, nil}, {204, nil, nil}, {410, socket.ErrGone, nil}, {403, post.ErrRefused, post.ErrRefused},
		{429, post.ErrRefused, post.ErrRefused}, {500, post.ErrRefused, post.ErrRefused}, {301, post.ErrRefused, post.ErrRefused},
	} {
		status, got = tt.status, nil
		if err := p.Post(t.Context(), "a/b+c=", `{"type":"pong"}`); !errors.Is(err, tt.post) || (err == nil) != (tt.post == nil) {
			t.Errorf("%d: %v", tt.status, err)
		}
		if err := p.Close(t.Context(), "a/b+c="); !errors.Is(err, tt.close) || (err == nil) != (tt.close == nil) {
			t.Errorf("%d: %v", tt.status, err)
		}
		if fmt.Sprint(got) != `[POST /v1/@connections/a%2Fb%2Bc%3D {"type":"pong"} DELETE /v1/@connections/a%2Fb%2Bc%3D ]` {
			t.Errorf("%d: %v", tt.status, got)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	err := newPost(t, server.URL).Post(t.Context(), "c", "{}")
	if err == nil || errors.Is(err, socket.ErrGone) || strings.Contains(err.Error(), "wJalr") || strings.Contains(err.Error(), "token") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newPost(t, "http://sockets.test/v1").Post(ctx, "c", "{}"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAddress(t *testing.T) {
	for _, bad := range []string{"", "ws://sockets.test/v1", "sockets.test/v1", "https:///v1", "https://a@sockets.test/v1", "https://sockets.test/v1?ticket=x", "://"} {
		if _, err := post.New(func(string) string { return "" }, bad, 1, nil); err == nil {
			t.Errorf("%q is an address", bad)
		}
	}
}
