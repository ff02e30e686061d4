package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fairseat/fairseat/pkg/search/shelf"

	"github.com/fairseat/fairseat/pkg/search"
)

// every is how old the look at the list of segments may be.
const every = 2 * time.Second

// Live answers from the newest index. While one caller fetches a newer one, the
// others are answered from the one that is there.
type Live struct {
	Reader shelf.Reader
	Clock  func() time.Time
	Failed func(ctx context.Context, err error) // hears why an index that is there could not be renewed

	moving  sync.Mutex // held by who looks for news
	checked time.Time
	list    shelf.List

	swap  sync.RWMutex // held for reading while somebody asks
	index *Index
}

// Search answers q at now. An index that cannot be renewed goes on answering: what
// it says of seats is a hint, and a hold decides.
func (l *Live) Search(ctx context.Context, q search.Query, now time.Time) (search.Answer, error) {
	if err := l.renew(ctx); err != nil {
		if !l.open() {
			return search.Answer{}, fmt.Errorf("search: no index: %w", err)
		}
		l.Failed(ctx, err)
	}
	l.swap.RLock()
	defer l.swap.RUnlock()
	return l.index.Search(q, now)
}

func (l *Live) open() bool {
	l.swap.RLock()
	defer l.swap.RUnlock()
	return l.index != nil
}

func (l *Live) renew(ctx context.Context) error {
	if !l.open() {
		l.moving.Lock()
	} else if !l.moving.TryLock() {
		return nil
	}
	defer l.moving.Unlock()
	now := l.Clock()
	if l.open() && now.Sub(l.checked) < every {
		return nil
	}
	news, err := l.Reader.Since(ctx, l.list)
	if err != nil {
		return err
	}
	l.checked = now
	if l.open() && news.List.Version == l.list.Version {
		return nil
	}
	base := l.index // only who holds moving replaces it
	if base == nil {
		base = Empty()
	}
	next, err := base.With(news)
	if err != nil {
		return err
	}
	l.list = news.List
	l.swap.Lock()
	l.index = next
	l.swap.Unlock() // from here on nobody asks the old one
	if base.words != nil && base.words != next.words {
		return errors.Join(base.words.close())
	}
	return nil
}
