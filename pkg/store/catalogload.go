package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/search"
)

// CatalogRow is one thing to be loaded.
type CatalogRow struct {
	key    Key
	item   Item
	merge  func(item, old Item) error // what the new item takes over from the old one, or why it may not follow it
	keep   func(item, old Item)       // the same, of what a loader knows nothing about
	listed bool                       // a show, which has a second item
}

// Writes is how many items the row has.
func (r CatalogRow) Writes() int {
	if r.listed {
		return 2
	}
	return 1
}

// Searched is what the row means to a search, as [SearchRow] tells it of the
// stream's image.
func (r CatalogRow) Searched() (search.Key, search.Row, bool, error) {
	return SearchRow(r.key.PK, r.key.SK, r.item)
}

func rowOf(k Key, it Item) CatalogRow { return CatalogRow{key: k, item: it} }

// CityRow is the row of a city.
func CityRow(c catalog.City) CatalogRow { return rowOf(cityKey(c.ID), cityItem(c)) }

// MovieRow is the row of a film.
func MovieRow(m catalog.Movie) CatalogRow { return rowOf(movieKey(m.ID), foundBy(m)) }

// NowShowingRow is the row of a film in a city. LastStart only ever grows: loading
// fewer days than before takes no film off.
func NowShowingRow(city catalog.CityID, n catalog.NowShowing) CatalogRow {
	it := movieItem(n.Movie)
	it[catLast] = n.LastStart.UnixMilli()
	return CatalogRow{key: nowShowingKey(city, n.ID), item: it, merge: keepLater}
}

func keepLater(it, old Item) error {
	if was, ok := old[catLast].(int64); ok {
		it[catLast] = max(was, it[catLast].(int64))
	}
	return nil
}

// ShowRow is the row of a show: the show itself and its place in the listing, which
// moves with its start and may be forgotten two days after it. The show is kept.
func ShowRow(s catalog.Show) CatalogRow {
	return CatalogRow{key: showKey(s.ID), item: showItem(s), merge: sameLayout, keep: keepChanges, listed: true}
}

// keepChanges takes over what stays when the loaded data of a show change: that
// it was cancelled, and what was announced first.
func keepChanges(it, old Item) {
	if old[catStatus] == catalog.Cancelled.String() {
		it[catStatus] = old[catStatus]
	}
	if first, ok := old[catFirst]; ok {
		it[catFirst] = first
	}
}

func sameLayout(it, old Item) error {
	if it[catLayout] != old[catLayout] {
		return ErrLayoutFixed
	}
	return nil
}

// ErrLayoutFixed refuses another text under the id of a layout that is there, and
// another layout for a show that is there: seats are sold by their place in it.
var ErrLayoutFixed = fault.New(fault.Conflict, "", "store: a layout, or that of a show, cannot change; give it a new id")

// LayoutRow is the row of a layout's compact text.
func LayoutRow(id catalog.LayoutID, source []byte) CatalogRow {
	return CatalogRow{key: layoutKey(id), item: Item{catSource: source}, merge: refuseOther}
}

func refuseOther(it, old Item) error {
	if !it.Equal(Item{catSource: old[catSource]}) {
		return ErrLayoutFixed
	}
	return nil
}

// Load is C8, for rows of different things. It returns how many items it wrote or
// removed, also when it fails on the way: a row is in one transaction, so never
// half there. [ErrStale] says that somebody else was faster: load again.
//
// Each item keeps the hash of what was loaded. A row whose hash is the same is left
// alone, so that an organiser's later change stays until the loaded data change.
func (c Catalog) Load(ctx context.Context, rows []CatalogRow) (written int, err error) {
	keys := make([]Key, len(rows))
	for i, r := range rows {
		keys[i] = r.key
	}
	olds, err := c.tables.BatchGet(ctx, keys, true)
	if err != nil {
		return 0, fmt.Errorf("store: load catalogue: %w", err)
	}
	var writes []Write
	for _, r := range rows {
		ws, err := r.writes(olds[r.key])
		if err != nil {
			return written, fmt.Errorf("store: load %s: %w", r.key.PK, err)
		}
		if len(writes)+len(ws) > maxWrites {
			if err := c.put(ctx, writes); err != nil {
				return written, err
			}
			written, writes = written+len(writes), nil
		}
		writes = append(writes, ws...)
	}
	if err := c.put(ctx, writes); err != nil {
		return written, err
	}
	return written + len(writes), nil
}

// maxWrites is the service's limit of one transaction.
const maxWrites = 100

func (c Catalog) put(ctx context.Context, writes []Write) error {
	if len(writes) == 0 {
		return nil
	}
	if err := c.tables.Transact(ctx, writes, ""); err != nil {
		return fmt.Errorf("store: load catalogue: %w", classify(err))
	}
	return nil
}

// writes is nothing when the row is there as it was loaded. The condition on its
// own item guards the listing's too.
func (r CatalogRow) writes(old Item) ([]Write, error) {
	it := r.item.Clone()
	if old != nil && r.merge != nil {
		if err := r.merge(it, old); err != nil {
			return nil, err
		}
	}
	hash := catalogHash(it)
	it[catHash] = hash
	own := Write{Key: r.key, Put: it, Where: Absent{}}
	was, ok := old[catHash].(string)
	switch {
	case ok && was == hash:
		return nil, nil
	case ok:
		own.Where = All{Equal{catHash, was}, revStands(old)}
	case old != nil:
		own.Where = All{NoAttr{catHash}, revStands(old)}
	}
	if old != nil && (r.listed || revOf(old) > 0) {
		it[catRev] = revOf(old) + 1
	}
	if old != nil && r.keep != nil {
		r.keep(it, old)
	}
	if !r.listed {
		return []Write{own}, nil
	}
	return r.move(own, old)
}

// move puts the show where it belongs in the listing and takes it from where it was.
func (r CatalogRow) move(own Write, old Item) ([]Write, error) {
	next, err := catalogDecode(own.Put, showOf)
	if err != nil {
		return nil, err
	}
	ws := []Write{own, {Key: showtimeKey(next), Put: listingItem(next)}}
	if old == nil {
		return ws, nil
	}
	was, err := catalogDecode(old, showOf)
	if err != nil {
		return nil, err
	}
	return append(ws, unlist(was, next)...), nil
}

// unlist takes a show from where it was in the listing, if it is elsewhere now.
func unlist(was, next catalog.Show) []Write {
	if k := showtimeKey(was); k != showtimeKey(next) {
		return []Write{{Key: k, Delete: true}}
	}
	return nil
}

// catalogHash is over the canonical text of the item: fmt prints maps in order of key.
func catalogHash(it Item) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "1 %#v", map[string]any(it)))
	return hex.EncodeToString(sum[:12])
}
