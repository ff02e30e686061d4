package kmskeys_test

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fairseat/fairseat/localstack/keys"
	"github.com/fairseat/fairseat/pkg/vault/kmskeys"
)

const (
	one   = "arn:aws:kms:eu-west-1:000000000000:key/one"
	other = "arn:aws:kms:eu-west-1:000000000000:key/other"
)

func service(t *testing.T) func(key string) *kmskeys.Keys {
	t.Helper()
	s, err := keys.New(map[string][]byte{one: bytes.Repeat([]byte{1}, 32), other: bytes.Repeat([]byte{2}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_KMS": server.URL,
	}
	c, err := kmskeys.Client(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return func(key string) *kmskeys.Keys { return kmskeys.New(c, key) }
}

// TestOverTheWire: the SDK's client and the stand-in understand each other, and a
// wrapped key opens only as it was wrapped.
func TestOverTheWire(t *testing.T) {
	at := service(t)
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
		if err := do(); err == nil || !strings.Contains(err.Error(), code) {
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
}

func TestClientNeedsItsVariables(t *testing.T) {
	if _, err := kmskeys.Client(func(string) string { return "" }); err == nil {
		t.Error("without variables it is made")
	}
}
