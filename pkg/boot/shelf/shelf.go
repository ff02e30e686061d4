// Package shelf builds buckets, apart from desk: S3's client is megabytes.
package shelf

import (
	"github.com/fairseat/fairseat/pkg/blob"
	"github.com/fairseat/fairseat/pkg/blob/s3blob"
	"github.com/fairseat/fairseat/pkg/boot"
)

// Bucket is the one that a variable names, as !Ref gives it. No call is made.
func Bucket(p *boot.Parts, variable string) blob.Bucket {
	client, err := s3blob.Client(p.Env)
	if err != nil {
		p.Fail(err)
		return nil
	}
	return s3blob.New(client, p.Text(variable))
}
