// Package indexer builds what keeps the index of the search, apart from what asks it.
package indexer

import (
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/shelf"
	index "github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/store"
)

// Writer appends to the index.
func Writer(p *boot.Parts, s store.Segments) *index.Writer {
	return &index.Writer{Lists: s, Blobs: shelf.Bucket(p, "SEARCH_BUCKET"), Clock: boot.Clock}
}
