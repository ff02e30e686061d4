package rights

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

func (b *bench) objects() *s3.Client {
	return s3.NewFromConfig(b.config("Buy"), func(o *s3.Options) { o.UsePathStyle = true })
}

var bucket, object = aws.String("local-kept"), aws.String("a/b +é.json")

func get(ctx context.Context, b *bench) error {
	_, err := b.objects().GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: object})
	return err
}

func init() {
	const arn = kept + "/a/b +é.json"
	calls = append(calls, []struct {
		name  string
		do    func(ctx context.Context, b *bench) error
		needs []Need
	}{
		{"get an object", get, []Need{{"s3:GetObject", arn}}},
		{"put an object", func(ctx context.Context, b *bench) error {
			_, err := b.objects().PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: object, Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
			return err
		}, []Need{{"s3:PutObject", arn}}},
		{"put an object over another", func(ctx context.Context, b *bench) error {
			_, err := b.objects().PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: object, Body: strings.NewReader("x"), IfMatch: aws.String("1")})
			return err
		}, []Need{{"s3:GetObject", arn}, {"s3:PutObject", arn}}},
		{"delete an object", func(ctx context.Context, b *bench) error {
			_, err := b.objects().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: object})
			return err
		}, []Need{{"s3:DeleteObject", arn}}},
		{"list objects", func(ctx context.Context, b *bench) error {
			_, err := b.objects().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("a/")})
			var form *smithy.DeserializationError
			if errors.As(err, &form) {
				err = nil // the stand-in here says {}
			}
			return err
		}, []Need{{"s3:ListBucket", kept}}},
	}...)
}

// TestObjectsAreSignedAgain: by the root that the stand-in knows, and by nobody else.
func TestObjectsAreSignedAgain(t *testing.T) {
	var signed, body string
	b := newBench(t, Enforce, func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		text, _ := io.ReadAll(r.Body)
		body = string(text)
	}, statement("Allow", kept+"/a/*", "s3:PutObject"))
	_, err := b.objects().PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: object, Body: strings.NewReader("text")})
	if err != nil || body != "text" || !strings.HasPrefix(signed, "AWS4-HMAC-SHA256 Credential=root/") {
		t.Errorf("sent %q by %q: %v", body, signed, err)
	}
	if u := b.proxy.Uses(); u.Used[Use{"Buy", Need{"s3:PutObject", kept + "/a/*"}}] != 1 || len(u.Used) != 1 {
		t.Errorf("used %v, want what the statement says", u.Used)
	}
}

// TestAMissingObjectIsSecret: who may not list is refused, as S3 does it.
func TestAMissingObjectIsSecret(t *testing.T) {
	missing := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, objectsError("NoSuchKey", "none"))
	}
	reads := statement("Allow", kept+"/*", "s3:GetObject")
	var none *types.NoSuchKey
	b := newBench(t, Enforce, missing, reads, statement("Allow", kept, "s3:ListBucket"))
	if err := get(t.Context(), b); !errors.As(err, &none) {
		t.Errorf("who may list: %v", err)
	}
	b = newBench(t, Enforce, missing, reads)
	refusedFor(t, get(t.Context(), b), Need{"s3:ListBucket", kept})
	if len(b.proxy.Uses().Denied) != 1 {
		t.Errorf("refused in silence: %v", b.proxy.Uses())
	}
}

func TestTheUnknownOfObjectsIsRefused(t *testing.T) {
	b := newBench(t, Enforce, empty, everything)
	c := b.objects()
	for name, do := range map[string]func() error{
		"a copy": func() error {
			_, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: bucket, Key: object, CopySource: aws.String("x/y")})
			return err
		},
		"an access list": func() error {
			_, err := c.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: bucket, Key: object})
			return err
		},
		"a version": func() error {
			_, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: object, VersionId: aws.String("1")})
			return err
		},
		"several deletions": func() error {
			_, err := c.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: object}}}})
			return err
		},
		"all buckets": func() error { _, err := c.ListBuckets(t.Context(), &s3.ListBucketsInput{}); return err },
		"a bucket's end": func() error {
			_, err := c.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: bucket})
			return err
		},
		"a key of nobody": func() error {
			_, err := s3.NewFromConfig(b.config("Nobody"), func(o *s3.Options) { o.UsePathStyle = true }).GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: object})
			return err
		},
	} {
		if err := do(); answered(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := b.reached.Load(); n != 0 {
		t.Errorf("%d calls reached the stand-in", n)
	}
}
