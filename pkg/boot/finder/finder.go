// Package finder builds the search and what keeps its index.
package finder

import (
	"context"
	"log/slog"

	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boot/shelf"
	"github.com/fairseat/fairseat/pkg/search/engine"
	index "github.com/fairseat/fairseat/pkg/search/shelf"
	"github.com/fairseat/fairseat/pkg/store"
)

// Live answers from the newest index.
func Live(p *boot.Parts, t store.Tables) *engine.Live {
	return &engine.Live{
		Reader: index.Reader{Lists: store.NewSegments(t), Blobs: shelf.Bucket(p, "SEARCH_BUCKET")}, Clock: boot.Clock,
		Failed: func(ctx context.Context, err error) {
			slog.ErrorContext(ctx, "index not renewed", "err", err.Error())
		},
	}
}
