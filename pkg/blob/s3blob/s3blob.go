// Package s3blob is a bucket of S3.
//
// A function needs, on the bucket's objects (!Sub "${Archive.Arn}/*") s3:PutObject to
// Put and Create, s3:GetObject to Get, s3:DeleteObject to Delete; and on the bucket
// itself (!GetAtt Archive.Arn) s3:ListBucket for Keys and to be told by Get that an
// object is missing.
package s3blob

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/fairseat/fairseat/pkg/blob"
)

// Bucket is one bucket of S3.
type Bucket struct {
	client *s3.Client
	name   string
}

var _ blob.Bucket = (*Bucket)(nil)

// New makes a Bucket. No call is made.
func New(client *s3.Client, name string) *Bucket { return &Bucket{client, name} }

// Client is an S3 client from the variables that Lambda sets, without the SDK's own
// loader of configuration, whose providers of credentials are megabytes. At an
// address of its own (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL) the bucket is in the
// path: an emulator has no name for each.
func Client(env func(string) string) (*s3.Client, error) {
	cred := aws.Credentials{
		AccessKeyID: env("AWS_ACCESS_KEY_ID"), SecretAccessKey: env("AWS_SECRET_ACCESS_KEY"),
		SessionToken: env("AWS_SESSION_TOKEN"), Source: "environment",
	}
	opts := s3.Options{
		Region:           env("AWS_REGION"),
		Credentials:      aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return cred, nil }),
		RetryMaxAttempts: 3,
		Logger:           logging.Nop{},
	}
	if opts.Region == "" || !cred.HasKeys() {
		return nil, errors.New("s3blob: AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set")
	}
	if url := cmp.Or(env("AWS_ENDPOINT_URL_S3"), env("AWS_ENDPOINT_URL")); url != "" {
		opts.BaseEndpoint, opts.UsePathStyle = &url, true
	}
	return s3.New(opts), nil
}

// Put replaces an object.
func (b *Bucket) Put(ctx context.Context, key string, body []byte) error {
	return b.write(ctx, "put", key, body, nil)
}

// Create writes an object that is not there: of many callers one succeeds. S3 may
// answer a conflict while another call for the key is under way; the SDK repeats
// those, and what is left over is ErrExists only when S3 says so.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (b *Bucket) Create(ctx context.Context, key string, body []byte) error {
	return b.write(ctx, "create", key, body, aws.String("*"))
}

func (b *Bucket) write(ctx context.Context, act, key string, body []byte, absent *string) error {
	if err := blob.CheckKey(key); err != nil {
		return fmt.Errorf("s3blob: %w", err)
	}
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: bytes.NewReader(body), IfNoneMatch: absent,
	})
	if status(err) == http.StatusPreconditionFailed {
		err = blob.ErrExists
	}
	return wrap(act, key, err)
}

// Get reads an object.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	if err := blob.CheckKey(key); err != nil {
		return nil, fmt.Errorf("s3blob: %w", err)
	}
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		var none *types.NoSuchKey
		if errors.As(err, &none) {
			err = blob.ErrMissing
		}
		return nil, wrap("get", key, err)
	}
	defer out.Body.Close()
	body := bytes.NewBuffer(make([]byte, 0, max(aws.ToInt64(out.ContentLength), 0)+bytes.MinRead))
	if _, err := io.Copy(body, out.Body); err != nil {
		return nil, wrap("get", key, err)
	}
	return body.Bytes(), nil
}

// Keys lists keys, a thousand a request.
func (b *Bucket) Keys(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix}
		if after != "" {
			in.StartAfter = &after
		}
		for pages := s3.NewListObjectsV2Paginator(b.client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield("", wrap("list", prefix, err))
				return
			}
			for _, o := range page.Contents {
				if !yield(aws.ToString(o.Key), nil) {
					return
				}
			}
		}
	}
}

// Delete removes an object.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return fmt.Errorf("s3blob: %w", err)
	}
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		err = nil
	}
	return wrap("delete", key, err)
}

func status(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) {
		return r.HTTPStatusCode()
	}
	return 0
}

// wrap names the act and S3's code; its own text may name who asked.
func wrap(act, key string, err error) error {
	var api smithy.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api):
		return fmt.Errorf("s3blob: %s %s: %s", act, key, api.ErrorCode())
	}
	return fmt.Errorf("s3blob: %s %s: %w", act, key, err)
}
