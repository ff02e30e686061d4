package memblob

import (
	"testing"

	"github.com/fairseat/fairseat/pkg/blob"
	"github.com/fairseat/fairseat/pkg/blob/blobtest"
)

func TestSuite(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Bucket { return New() })
}
