package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/store"
)

const (
	maxWrites = 100 // of one transaction
	attempts  = 12
	firstWait = 50 * time.Millisecond
	longWait  = 5 * time.Second
)

// loader writes rows in parallel. It may be stopped anywhere and run again.
type loader struct {
	catalog  store.Catalog
	workers  int
	wait     func(context.Context, time.Duration) error
	progress func(rows int)

	items atomic.Int64 // written
}

func (l *loader) load(ctx context.Context, phases []iter.Seq[store.CatalogRow]) error {
	for _, rows := range phases {
		if err := l.phase(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) phase(ctx context.Context, rows iter.Seq[store.CatalogRow]) error {
	g, running := errgroup.WithContext(ctx)
	g.SetLimit(l.workers)
	for batch := range batches(rows) {
		if running.Err() != nil {
			break
		}
		g.Go(func() error { return l.put(running, batch) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err() // a phase cut short is no phase done
}

// batches cuts rows into what one transaction takes.
func batches(rows iter.Seq[store.CatalogRow]) iter.Seq[[]store.CatalogRow] {
	return func(yield func([]store.CatalogRow) bool) {
		var batch []store.CatalogRow
		writes := 0
		for r := range rows {
			if writes+r.Writes() > maxWrites {
				if !yield(batch) {
					return
				}
				batch, writes = nil, 0
			}
			batch, writes = append(batch, r), writes+r.Writes()
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// put repeats what was throttled, in conflict or of unknown outcome: loading is
// idempotent, so that an attempt that had gone through is found to be there.
func (l *loader) put(ctx context.Context, batch []store.CatalogRow) error {
	limit := firstWait
	for n := 1; ; n++ {
		written, err := l.catalog.Load(ctx, batch)
		l.items.Add(int64(written))
		switch fault.KindOf(err) {
		case fault.Busy, fault.Contended, fault.Unknown, fault.Stale:
			if n == attempts {
				return fmt.Errorf("given up after %d attempts: %w", n, err)
			}
		default:
			if err == nil {
				l.progress(len(batch))
			}
			return err
		}
		if err := l.wait(ctx, rand.N(limit)); err != nil {
			return err
		}
		limit = min(2*limit, longWait)
	}
}
