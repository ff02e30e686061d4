package kmskeys_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/fairseat/fairseat/localstack/keys"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/vault/kmskeys"
)

const (
	one   = "arn:aws:kms:eu-west-1:000000000000:key/one"
	other = "arn:aws:kms:eu-west-1:000000000000:key/other"
)

func clock() time.Time { return time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC) }

func under(t *testing.T, url, key string, waits *int) *kmskeys.Keys {
	t.Helper()
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session", "AWS_ENDPOINT_URL_KMS": url,
	}
	k, err := kmskeys.New(func(name string) string { return env[name] }, key, clock, func(ctx context.Context, _ time.Duration) error {
		*waits++
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func standIn(t *testing.T) http.Handler {
	t.Helper()
	s, err := keys.New(map[string][]byte{one: bytes.Repeat([]byte{1}, 32), other: bytes.Repeat([]byte{2}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOverTheWire: a wrapped key opens only as it was wrapped.
func TestOverTheWire(t *testing.T) {
	var waits int
	url := serve(t, standIn(t))
	at := func(key string) *kmskeys.Keys { return under(t, url, key, &waits) }
	plain, wrapped, err := at(one).Generate(t.Context(), "203006")
	if err != nil || len(plain) != 32 || bytes.Contains(wrapped, plain) {
		t.Fatalf("%d bytes, %v", len(plain), err)
	}
	for _, name := range []string{one, "one"} {
		if got, err := at(name).Unwrap(t.Context(), "203006", wrapped); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("under %s: %x, %v", name, got, err)
		}
	}
	for code, do := range map[string]func() error{
		"InvalidCiphertextException": func() error { _, err := at(one).Unwrap(t.Context(), "203007", wrapped); return err },
		"IncorrectKeyException":      func() error { _, err := at(other).Unwrap(t.Context(), "203006", wrapped); return err },
		"NotFoundException":          func() error { _, _, err := at("none").Generate(t.Context(), "203006"); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), code) || fault.Is(err, fault.Busy) {
			t.Errorf("%v, want %s", err, code)
		}
	}
	for i := range wrapped {
		spoilt := bytes.Clone(wrapped)
		spoilt[i] ^= 1
		if _, err := at(one).Unwrap(t.Context(), "203006", spoilt); err == nil {
			t.Errorf("spoilt at %d it opens", i)
		}
	}
	again, _, err := at(one).Generate(t.Context(), "203006")
	if err != nil || bytes.Equal(again, plain) {
		t.Errorf("the same key twice: %v", err)
	}
	if waits != 0 {
		t.Errorf("%d refusals were tried again", waits)
	}
}

// TestSigned: as AWS would sign the request that came.
func TestSigned(t *testing.T) {
	var waits int
	inner := standIn(t)
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
		}
		for _, name := range []string{"Content-Type", "X-Amz-Target"} {
			again.Header.Set(name, r.Header.Get(name))
		}
		sum := sha256.Sum256(body)
		cred := aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret", SessionToken: "session"}
		if err := v4.NewSigner().SignHTTP(r.Context(), cred, again, hex.EncodeToString(sum[:]), "kms", "eu-west-1", clock()); err != nil {
			t.Error(err)
		}
		if got, want := r.Header.Get("Authorization"), again.Header.Get("Authorization"); got != want || r.Header.Get("X-Amz-Security-Token") != "session" {
			t.Errorf("signed %q, want %q", got, want)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		inner.ServeHTTP(w, r)
	}))
	if _, _, err := under(t, url, one, &waits).Generate(t.Context(), "203006"); err != nil {
		t.Error(err)
	}
}

// TestTriesAgain what may come right by itself, three times in all.
func TestTriesAgain(t *testing.T) {
	inner := standIn(t)
	for _, tt := range []struct {
		name        string
		status      int
		text        string
		fails       int
		asked       int
		away, right bool
	}{
		{"throttled once", 400, `{"__type":"ThrottlingException"}`, 1, 2, false, true},
		{"broken for good", 500, "", 9, 3, true, false},
		{"no such right", 400, `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"who asked"}`, 9, 1, false, false},
	} {
		asked, waits := 0, 0
		url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if asked++; asked <= tt.fails {
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.text)
				return
			}
			inner.ServeHTTP(w, r)
		}))
		plain, _, err := under(t, url, one, &waits).Generate(t.Context(), "203006")
		if asked != tt.asked || waits != tt.asked-1 || errors.Is(err, kmskeys.ErrAway) != tt.away || (err == nil) != tt.right || (plain != nil) != tt.right || err != nil && strings.Contains(err.Error(), "who") {
			t.Errorf("%s: asked %d times, waited %d times, %v", tt.name, asked, waits, err)
		}
	}
	var waits int
	over, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := under(t, serve(t, inner), one, &waits).Generate(over, "203006"); !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
	if _, _, err := under(t, "http://127.0.0.1:1", one, &waits).Generate(t.Context(), "203006"); !errors.Is(err, kmskeys.ErrAway) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestNeedsItsVariables(t *testing.T) {
	if _, err := kmskeys.New(func(string) string { return "" }, one, clock, nil); err == nil {
		t.Error("without variables it is made")
	}
}
