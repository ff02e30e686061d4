// Package kmskeys is AWS KMS as the vault's key service. A function needs, on the key
// (!GetAtt FieldKey.Arn), kms:Decrypt to open and both kms:Decrypt and
// kms:GenerateDataKey to seal.
//
// It signs plain HTTP itself: for two calls a month the SDK's client of KMS would be
// half a megabyte in each function that knows a name.
package kmskeys

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/vault"
)

// ErrAway is a key service that does not answer, or has no time.
var ErrAway = fault.New(fault.Busy, "busy", "kmskeys: the key service does not answer")

const (
	wait    = 3 * time.Second // for one answer
	tries   = 3
	between = 50 * time.Millisecond // doubled each time
	longest = 64 << 10              // of an answer, bytes
)

// Keys are data keys under one key of KMS. It is safe for concurrent use.
type Keys struct {
	client      *http.Client
	url, region string
	cred        aws.Credentials
	signer      *v4.Signer
	key         string
	clock       func() time.Time
	pause       func(context.Context, time.Duration) error
}

var _ vault.Keys = (*Keys)(nil)

// New makes Keys under a key that is named by its id or ARN, from the variables that
// Lambda sets, and AWS_ENDPOINT_URL_KMS or AWS_ENDPOINT_URL where set. No call is made.
func New(env func(string) string, key string, clock func() time.Time, pause func(context.Context, time.Duration) error) (*Keys, error) {
	k := &Keys{
		client: &http.Client{Timeout: wait, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		region: env("AWS_REGION"), signer: v4.NewSigner(), key: key, clock: clock, pause: pause,
		cred: aws.Credentials{
			AccessKeyID: env("AWS_ACCESS_KEY_ID"), SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"), SessionToken: env("AWS_SESSION_TOKEN"),
		},
	}
	if k.region == "" || !k.cred.HasKeys() || key == "" {
		return nil, errors.New("kmskeys: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the key must be set")
	}
	k.url = strings.TrimRight(cmp.Or(env("AWS_ENDPOINT_URL_KMS"), env("AWS_ENDPOINT_URL"), "https://kms."+k.region+"."+suffix(k.region)), "/") + "/"
	return k, nil
}

// https://docs.aws.amazon.com/general/latest/gr/kms.html
func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
type request struct {
	KeyId             string            // its own spelling
	KeySpec           string            `json:",omitempty"`
	CiphertextBlob    []byte            `json:",omitempty"`
	EncryptionContext map[string]string // stands in KMS's own log of its use: it is not secret
}

type answer struct{ CiphertextBlob, Plaintext []byte }

func (k *Keys) about(period string) request {
	return request{KeyId: k.key, EncryptionContext: map[string]string{"for": "fairseat vault", "period": period}}
}

// Generate makes a data key.
func (k *Keys) Generate(ctx context.Context, period string) (plain, wrapped []byte, err error) {
	in := k.about(period)
	in.KeySpec = "AES_256"
	out, err := k.call(ctx, "GenerateDataKey", in)
	return out.Plaintext, out.CiphertextBlob, err
}

// Unwrap opens one. The key is named, so that no other one of the account opens it.
func (k *Keys) Unwrap(ctx context.Context, period string, wrapped []byte) ([]byte, error) {
	in := k.about(period)
	in.CiphertextBlob = wrapped
	out, err := k.call(ctx, "Decrypt", in)
	return out.Plaintext, err
}

// call tries again what may come right by itself: both calls change nothing.
func (k *Keys) call(ctx context.Context, operation string, in request) (out answer, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("kmskeys: %w", err)
	}
	for try := range tries {
		if try > 0 {
			if err := k.pause(ctx, between<<(try-1)); err != nil {
				return answer{}, err
			}
		}
		if out, err = k.once(ctx, operation, body); !errors.Is(err, ErrAway) {
			break
		}
	}
	return out, err
}

func (k *Keys) once(ctx context.Context, operation string, body []byte) (out answer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url, bytes.NewReader(body))
	if err != nil {
		return out, fmt.Errorf("kmskeys: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "TrentService."+operation)
	sum := sha256.Sum256(body)
	if err := k.signer.SignHTTP(ctx, k.cred, req, hex.EncodeToString(sum[:]), "kms", k.region, k.clock()); err != nil {
		return out, fmt.Errorf("kmskeys: sign: %w", err)
	}
	res, err := k.client.Do(req)
	if err != nil {
		return out, away(ctx)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, longest))
	if err != nil {
		return out, away(ctx)
	}
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, &out); err != nil {
			return answer{}, errors.New("kmskeys: an answer that cannot be read")
		}
		return out, nil
	}
	return out, refusal(operation, res.StatusCode, text)
}

// away is a call without an answer; it is the caller's own end if he has no time.
func away(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("kmskeys: %w", context.Cause(ctx))
	}
	return ErrAway
}

// refusal keeps KMS's code alone: its text names who asked.
// https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
func refusal(operation string, status int, text []byte) error {
	var e struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal(text, &e)
	code := e.Type[strings.LastIndexByte(e.Type, '#')+1:]
	switch {
	case status >= 500, status == http.StatusTooManyRequests, code == "ThrottlingException", code == "DependencyTimeoutException":
		return fmt.Errorf("%w: %s: %d", ErrAway, operation, status)
	}
	return fmt.Errorf("kmskeys: %s: %d %s", operation, status, code)
}
