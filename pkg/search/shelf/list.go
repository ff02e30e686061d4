package shelf

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fairseat/fairseat/pkg/fault"

	"github.com/fairseat/fairseat/pkg/search"
)

// The list's own words are package search's, which links nothing.
type (
	List    = search.List
	Segment = search.Segment
	Retired = search.Retired
)

// Blobs is as much of a [blob.Bucket] as an index needs.
type Blobs interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Put(ctx context.Context, name string, body []byte) error
	Delete(ctx context.Context, name string) error
}

// Lists keeps the list.
//
// Contract: List is strongly consistent when fresh, else it may be a second
// behind. MoveList replaces the list of version was, or is of kind Stale when
// another was faster.
type Lists interface {
	List(ctx context.Context, fresh bool) (List, error)
	MoveList(ctx context.Context, was int64, next List) error
}

// keepRetired is how long a segment outlives its place in the list. A reader that
// takes longer finds it gone and reads the list anew.
const keepRetired = 30 * time.Second

// attempts of one batch: each that fails means that another batch went through.
const attempts = 8

// Writer appends batches of changes.
type Writer struct {
	Lists Lists
	Blobs Blobs
	Clock func() time.Time

	kept map[string]search.Rows // of the segments in the last list that were met
}

// Append makes rows part of the index. Rows of one thing must come in the order
// of its changes; that they come twice does no harm. It is not safe for
// concurrent use, but for use by several processes.
func (w *Writer) Append(ctx context.Context, rows search.Rows) error {
	if len(rows) == 0 {
		return nil
	}
	for range attempts {
		err := w.append(ctx, rows)
		if !fault.Is(err, fault.Stale) && !fault.Is(err, fault.Contended) {
			return err
		}
	}
	return fault.New(fault.Busy, "busy", "shelf: others are faster")
}

func (w *Writer) append(ctx context.Context, rows search.Rows) error {
	was, err := w.Lists.List(ctx, true)
	if err != nil {
		return err
	}
	keep := untouched(was.Segments, len(rows))
	merged, err := w.merge(ctx, was.Segments[keep:], rows)
	if err != nil {
		return err
	}
	now := w.Clock()
	if keep == 0 {
		merged = merged.Settled(now)
	}
	body := Pack(merged)
	sum := sha256.Sum256(body)
	seg := Segment{Name: fmt.Sprintf("index/%d-%s", was.Version+1, hex.EncodeToString(sum[:8])), Rows: len(merged)}
	if err := w.Blobs.Put(ctx, seg.Name, body); err != nil {
		return err
	}
	next := List{Version: was.Version + 1, Segments: append(slices.Clone(was.Segments[:keep]), seg)}
	old, late := retire(was, keep, now)
	next.Retired = old
	if err := w.Lists.MoveList(ctx, was.Version, next); err != nil {
		return err // the object stays behind, alone: whether the list was moved may be unknown
	}
	w.remember(next.Segments, seg.Name, merged)
	for _, name := range late {
		if err := w.Blobs.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// untouched is how many segments stay when n rows are added: those that are more
// than twice as large as all that follows.
func untouched(segments []Segment, n int) int {
	keep := len(segments)
	for keep > 0 && segments[keep-1].Rows <= 2*n {
		keep--
		n += segments[keep].Rows
	}
	return keep
}

// retire tells which segments go from the list, and which left it so long ago that
// their objects can go.
func retire(was List, keep int, now time.Time) (retired []Retired, late []string) {
	for _, r := range was.Retired {
		if now.Sub(r.At) > keepRetired {
			late = append(late, r.Name)
		} else {
			retired = append(retired, r)
		}
	}
	for _, s := range was.Segments[keep:] {
		retired = append(retired, Retired{Name: s.Name, At: now})
	}
	return retired, late
}

func (w *Writer) merge(ctx context.Context, tail []Segment, rows search.Rows) (search.Rows, error) {
	merged := search.Rows{}
	for _, s := range tail {
		older, err := w.rows(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		merged = merged.Over(older)
	}
	return merged.Over(rows), nil
}

func (w *Writer) rows(ctx context.Context, name string) (search.Rows, error) {
	if rows, ok := w.kept[name]; ok {
		return rows, nil
	}
	return fetch(ctx, w.Blobs, name)
}

// remember keeps what the next batch is likely to be merged with.
func (w *Writer) remember(segments []Segment, name string, rows search.Rows) {
	kept := map[string]search.Rows{name: rows}
	for _, s := range segments {
		if r, ok := w.kept[s.Name]; ok {
			kept[s.Name] = r
		}
	}
	w.kept = kept
}

func fetch(ctx context.Context, b Blobs, name string) (search.Rows, error) {
	body, err := b.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("segment %s: %w", name, err)
	}
	rows, err := Unpack(body)
	if err != nil {
		return nil, fmt.Errorf("segment %s: %w", name, err)
	}
	return rows, nil
}

// Reader follows the list.
type Reader struct {
	Lists Lists
	Blobs Blobs
}

// News is what a reader must lay over what it has; all of the index when Whole.
type News struct {
	List  List
	Rows  search.Rows
	Whole bool
}

// Since reads what has changed since a list. A reader whose oldest segment is gone
// takes everything anew: below it nothing hides what is no more. One request when
// nothing has changed.
func (r Reader) Since(ctx context.Context, had List) (News, error) {
	list, err := r.Lists.List(ctx, false)
	if err != nil {
		return News{}, err
	}
	for {
		if list.Version <= had.Version {
			return News{List: had}, nil
		}
		n, err := r.news(ctx, had, list)
		if err == nil {
			return n, nil
		}
		// A segment that is gone was merged; then there is a newer list.
		newer, lerr := r.Lists.List(ctx, true)
		if lerr != nil || newer.Version == list.Version || ctx.Err() != nil {
			return News{}, errors.Join(err, lerr)
		}
		list = newer
	}
}

func (r Reader) news(ctx context.Context, had, list List) (News, error) {
	n := News{List: list, Rows: search.Rows{}}
	known := 0
	for known < min(len(had.Segments), len(list.Segments)) && had.Segments[known] == list.Segments[known] {
		known++
	}
	n.Whole = known == 0
	parts := make([]search.Rows, len(list.Segments)-known)
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range list.Segments[known:] {
		g.Go(func() (err error) {
			parts[i], err = fetch(ctx, r.Blobs, s.Name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return News{}, err
	}
	for _, rows := range parts {
		n.Rows = n.Rows.Over(rows)
	}
	return n, nil
}
