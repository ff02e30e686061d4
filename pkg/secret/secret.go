// Package secret reads secrets of Secrets Manager while a function runs. What is short
// stands in a function's environment, resolved by the template; the keys of payment
// providers do not fit there, for Lambda gives all variables together 4 KB.
//
// It signs plain HTTP itself, as pkg/vault/kmskeys does: for one call an instance the
// SDK's client would be half a megabyte in each function that takes money. A function
// needs secretsmanager:GetSecretValue on the secret (!GetAtt AlipaySecret.Id).
//
// Start with [New] and [Reader.Text].
package secret

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
)

// ErrAway is a service that does not answer, or has no time.
var ErrAway = fault.New(fault.Busy, "busy", "secret: Secrets Manager does not answer")

const (
	wait    = 3 * time.Second // for one answer
	tries   = 3
	between = 50 * time.Millisecond // doubled each time
	longest = 128 << 10             // of an answer, bytes; a secret has 64 KB at most
)

// Reader reads secrets. It is safe for concurrent use and keeps nothing.
type Reader struct {
	client      *http.Client
	url, region string
	cred        aws.Credentials
	signer      *v4.Signer
	clock       func() time.Time
	pause       func(context.Context, time.Duration) error
}

// New makes a Reader from the variables that Lambda sets, and
// AWS_ENDPOINT_URL_SECRETS_MANAGER or AWS_ENDPOINT_URL where set. No call is made.
func New(env func(string) string, clock func() time.Time, pause func(context.Context, time.Duration) error) (*Reader, error) {
	r := &Reader{
		client: &http.Client{Timeout: wait, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		region: env("AWS_REGION"), signer: v4.NewSigner(), clock: clock, pause: pause,
		cred: aws.Credentials{
			AccessKeyID: env("AWS_ACCESS_KEY_ID"), SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"), SessionToken: env("AWS_SESSION_TOKEN"),
		},
	}
	if r.region == "" || !r.cred.HasKeys() {
		return nil, errors.New("secret: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set")
	}
	r.url = strings.TrimRight(cmp.Or(env("AWS_ENDPOINT_URL_SECRETS_MANAGER"), env("AWS_ENDPOINT_URL"), "https://secretsmanager."+r.region+"."+suffix(r.region)), "/") + "/"
	return r, nil
}

// https://docs.aws.amazon.com/general/latest/gr/asm.html
func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// Text is the current version of a secret, by name or ARN. No error quotes any of it.
// It tries again what may come right by itself; [ErrAway] where it did not.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (r *Reader) Text(ctx context.Context, id string) (text string, err error) {
	body, err := json.Marshal(map[string]string{"SecretId": id})
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	for try := range tries {
		if try > 0 {
			if err := r.pause(ctx, between<<(try-1)); err != nil {
				return "", err
			}
		}
		if text, err = r.once(ctx, body); !errors.Is(err, ErrAway) {
			break
		}
	}
	return text, err
}

func (r *Reader) once(ctx context.Context, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	sum := sha256.Sum256(body)
	if err := r.signer.SignHTTP(ctx, r.cred, req, hex.EncodeToString(sum[:]), "secretsmanager", r.region, r.clock()); err != nil {
		return "", fmt.Errorf("secret: sign: %w", err)
	}
	res, err := r.client.Do(req)
	if err != nil {
		return "", away(ctx)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, longest))
	if err != nil {
		return "", away(ctx)
	}
	return read(res.StatusCode, raw)
}

func read(status int, raw []byte) (string, error) {
	var out struct {
		SecretString string
		Type         string `json:"__type"`
	}
	err := json.Unmarshal(raw, &out)
	code := out.Type[strings.LastIndexByte(out.Type, '#')+1:]
	switch {
	case status == http.StatusOK && err == nil && out.SecretString != "":
		return out.SecretString, nil
	case status == http.StatusOK:
		return "", errors.New("secret: an answer without a text")
	case status >= 500, status == http.StatusTooManyRequests, code == "ThrottlingException", code == "InternalServiceError":
		return "", fmt.Errorf("%w: %d", ErrAway, status)
	}
	return "", fmt.Errorf("secret: %d %s", status, code) // its words name who asked
}

// away is a call without an answer; it is the caller's own end if he has no time.
func away(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("secret: %w", context.Cause(ctx))
	}
	return ErrAway
}
