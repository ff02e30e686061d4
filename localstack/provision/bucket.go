package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/fairseat/fairseat/localstack/template"
)

// Objects is a client of the stand-in for S3. Buckets are in the path: there is no
// name server that would lead a bucket's own name here.
func Objects(region, endpoint string) *s3.Client {
	return s3.NewFromConfig(Config(region, endpoint), func(o *s3.Options) { o.UsePathStyle = true })
}

func applyBuckets(ctx context.Context, c *s3.Client, buckets []template.Bucket) error {
	for _, b := range buckets {
		_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b.Name})
		var mine *types.BucketAlreadyOwnedByYou
		if err != nil && !errors.As(err, &mine) {
			return fmt.Errorf("make bucket %s: %w", b.Name, err)
		}
	}
	return nil
}
