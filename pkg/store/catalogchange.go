package store

import (
	"context"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
)

var _ catalog.ChangeStore = Catalog{}

func revOf(it Item) int64 {
	rev, _ := it[catRev].(int64)
	return rev
}

// revStands is the condition that nobody has changed the item since it was read:
// a loader and an organiser, or two organisers, do not overrun each other.
func revStands(it Item) Cond { return revIs(revOf(it)) }

func revIs(rev int64) Cond {
	if rev == 0 {
		return NoAttr{catRev}
	}
	return Equal{catRev, rev}
}

// ShowNow is C6, strongly consistent.
func (c Catalog) ShowNow(ctx context.Context, id catalog.ShowID) (none catalog.Show, err error) {
	it, err := c.tables.Get(ctx, showKey(id), true)
	if err != nil {
		return none, fmt.Errorf("store: read show %s: %w", id, err)
	}
	if it == nil {
		return none, catalog.ErrNoShow
	}
	return catalogDecode(it, showOf)
}

// RunNow is the film's place in the city's list and, read after it, C5 of all time.
func (c Catalog) RunNow(ctx context.Context, movie catalog.MovieID, city catalog.CityID) (catalog.Run, error) {
	place, err := c.tables.Get(ctx, nowShowingKey(city, movie), true)
	if err != nil {
		return catalog.Run{}, fmt.Errorf("store: read film %s in %s: %w", movie, city, err)
	}
	shows, err := catalogList(ctx, c.tables, Query{Table: TableCatalog, PK: showtimesPK(movie, city), Consistent: true}, listedOf)
	return catalog.Run{Shows: shows, Rev: revOf(place), Listed: place != nil}, err
}

// ChangeShow is C9's transaction. The hash of what was loaded stays, so that a
// loader with the same data leaves the change alone. What is left of a show is
// listed until its end, so that moves too; where nobody has touched the show, the
// row says no more than that.
func (c Catalog) ChangeShow(ctx context.Context, was, next catalog.Show, run catalog.Run, last time.Time) error {
	it := showItem(next)
	var changes []Change
	for _, attr := range []string{catStarts, catEnds, catDate, catOpens, catCloses, catPrices, catStatus, catRev, catFirst} {
		changes = append(changes, Change{attr, SetTo, it[attr]})
	}
	ws := []Write{
		{Key: showKey(next.ID), Update: changes, Where: All{Exists{}, revIs(was.Rev)}},
		{Key: showtimeKey(next), Put: listingItem(next)},
	}
	ws = append(ws, unlist(was, next)...)
	if run.Listed {
		ws = append(ws, Write{
			Key:    nowShowingKey(next.City, next.MovieID),
			Update: []Change{{catLast, SetTo, max(last.UnixMilli(), 0)}, {catRev, SetTo, run.Rev + 1}},
			Where:  All{Exists{}, revIs(run.Rev)},
		})
	}
	if !next.EndsAt.Equal(was.EndsAt) {
		ws = append(ws, Write{Key: statusKey(next), Update: []Change{{aTTL, SetTo, next.EndsAt.Unix()}}})
	}
	return classify(c.tables.Transact(ctx, ws, ""))
}
