// Package kmskeys is AWS KMS as the vault's key service. A function needs, on the key
// (!GetAtt FieldKey.Arn), kms:Decrypt to open and both kms:Decrypt and
// kms:GenerateDataKey to seal.
package kmskeys

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/fairseat/fairseat/pkg/vault"
)

// Keys are data keys under one key of KMS.
type Keys struct {
	client *kms.Client
	key    string
}

var _ vault.Keys = (*Keys)(nil)

// New makes Keys under a key that is named by its id or ARN. No call is made.
func New(client *kms.Client, key string) *Keys { return &Keys{client, key} }

// Client is a KMS client from the variables that Lambda sets, without the SDK's own
// loader of configuration, whose providers of credentials are megabytes.
func Client(env func(string) string) (*kms.Client, error) {
	cred := aws.Credentials{
		AccessKeyID: env("AWS_ACCESS_KEY_ID"), SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"),
		SessionToken: env("AWS_SESSION_TOKEN"), Source: "environment",
	}
	opts := kms.Options{
		Region:           env("AWS_REGION"),
		Credentials:      aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return cred, nil }),
		RetryMaxAttempts: 3,
		Logger:           logging.Nop{},
	}
	if opts.Region == "" || !cred.HasKeys() {
		return nil, errors.New("kmskeys: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set")
	}
	if url := cmp.Or(env("AWS_ENDPOINT_URL_KMS"), env("AWS_ENDPOINT_URL")); url != "" {
		opts.BaseEndpoint = &url
	}
	return kms.New(opts), nil
}

// bound stands in KMS's own log of its use: it is not secret.
func bound(period string) map[string]string {
	return map[string]string{"for": "fairseat vault", "period": period}
}

// Generate makes a data key.
func (k *Keys) Generate(ctx context.Context, period string) (plain, wrapped []byte, err error) {
	out, err := k.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &k.key, KeySpec: types.DataKeySpecAes256, EncryptionContext: bound(period),
	})
	if err != nil {
		return nil, nil, wrap("generate", err)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// Unwrap opens one. The key is named, so that no other one of the account opens it.
func (k *Keys) Unwrap(ctx context.Context, period string, wrapped []byte) ([]byte, error) {
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: &k.key, CiphertextBlob: wrapped, EncryptionContext: bound(period),
	})
	if err != nil {
		return nil, wrap("unwrap", err)
	}
	return out.Plaintext, nil
}

// wrap keeps KMS's code alone: its text names who asked.
func wrap(act string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return fmt.Errorf("kmskeys: %s: %s", act, api.ErrorCode())
	}
	return fmt.Errorf("kmskeys: %s: %w", act, err)
}
