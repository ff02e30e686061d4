package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/search"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

// SearchRow tells what an item of the catalogue means to a search; it is nil where
// the item is gone. ok is false for what a search has no use for.
func SearchRow(pk, sk string, it Item) (k search.Key, r search.Row, ok bool, err error) {
	prefix, id, _ := strings.Cut(pk, "#")
	switch {
	case pk == citiesPK:
		k = search.Key{Kind: search.OfCity, ID: sk}
	case prefix == "SHOW" && sk == showSK:
		k = search.Key{Kind: search.OfShow, ID: id}
	case prefix == "MOVIE" && sk == movieSK:
		k = search.Key{Kind: search.OfFilm, ID: id}
	case prefix == "LAYOUT" && sk == layoutSK:
		k = search.Key{Kind: search.OfHall, ID: id}
	default:
		return k, r, false, nil
	}
	if it != nil {
		r, err = searchRow(k, it)
	}
	return k, r, true, err
}

func searchRow(k search.Key, it Item) (r search.Row, err error) {
	switch k.Kind {
	case search.OfCity:
		c, err := catalogDecode(it, cityOf)
		return search.Row{City: &c}, err
	case search.OfFilm:
		m, err := catalogDecode(it, movieOf)
		return search.Row{Film: &m}, err
	case search.OfShow:
		c, err := catalogDecode(it, showOf)
		s := search.ShowOf(c)
		return search.Row{Show: &s}, err
	}
	text, err := catalogDecode(it, layoutOf)
	if err != nil {
		return r, err
	}
	l, err := seatmap.Expand(seatmap.Source{ID: k.ID, Text: text})
	if err != nil {
		return r, fmt.Errorf("store: layout %s: %w", k.ID, err)
	}
	all := func(int) bool { return true }
	return search.Row{Hall: &search.Hall{ID: catalog.LayoutID(k.ID), Format: l.Format(), Together: seatmap.Together(l, all, search.MostTogether)}}, nil
}

// Segments keeps the list of the index's segments, and looks up what is left of shows
// for it:
//
//	S18  the list                   1 Get, 0.5 units while it is below 4 KB; strongly consistent 1
//	S19  move the list              1 transaction, 2
//	S20  what is left of n shows    1 BatchGet for each 100, 0.5 units a show
type Segments struct{ t Tables }

// NewSegments keeps the list in the table [Snapshots] of t.
func NewSegments(t Tables) Segments { return Segments{t} }

var listKey = Key{Snapshots, "SEARCH", "LIST"}

// Attributes of the list.
const (
	aSegments = "segments"
	aRetired  = "retired"
	aRows     = "rows"
)

// List is S18; the zero List where there is none.
func (s Segments) List(ctx context.Context, fresh bool) (search.List, error) {
	it, err := s.t.Get(ctx, listKey, fresh)
	if err != nil {
		return search.List{}, fmt.Errorf("store: list of segments: %w", err)
	}
	if it == nil {
		return search.List{}, nil
	}
	r := row{item: it}
	l := search.List{Version: r.num(aVersion)}
	for _, v := range listOf(&r, aSegments) {
		m, _ := v.(map[string]any)
		part := row{item: m}
		l.Segments = append(l.Segments, search.Segment{Name: part.str(aName), Rows: int(part.num(aRows))})
		r.err = firstOf(r.err, part.err)
	}
	for _, v := range listOf(&r, aRetired) {
		m, _ := v.(map[string]any)
		part := row{item: m}
		l.Retired = append(l.Retired, search.Retired{Name: part.str(aName), At: time.UnixMilli(part.num(aAt)).UTC()})
		r.err = firstOf(r.err, part.err)
	}
	return l, r.err
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// MoveList is S19: Stale when the list is no longer of version was.
func (s Segments) MoveList(ctx context.Context, was int64, next search.List) error {
	segments, retired := []any{}, []any{}
	for _, g := range next.Segments {
		segments = append(segments, map[string]any{aName: g.Name, aRows: int64(g.Rows)})
	}
	for _, g := range next.Retired {
		retired = append(retired, map[string]any{aName: g.Name, aAt: g.At.UnixMilli()})
	}
	var stands Cond = Absent{}
	if was != 0 {
		stands = Equal{aVersion, was}
	}
	return classify(s.t.Transact(ctx, []Write{{
		Key: listKey, Put: Item{aVersion: next.Version, aSegments: segments, aRetired: retired}, Where: stands,
	}}, ""))
}

// StatusKey tells whether an item of the table [Snapshots] says what is left of a
// show, and of which.
func StatusKey(pk, sk string) (catalog.ShowID, bool) {
	return catalog.ShowID(sk), strings.HasPrefix(pk, statusRows)
}

// Stock is S20, of the items of these keys. A row is gone where the show is over
// or nobody has touched it.
func (s Segments) Stock(ctx context.Context, keys []Key) (search.Rows, error) {
	items, err := s.t.BatchGet(ctx, keys, true)
	if err != nil {
		return nil, fmt.Errorf("store: stock: %w", err)
	}
	rows := search.Rows{}
	for _, k := range keys {
		of := search.Key{Kind: search.OfStock, ID: k.SK}
		it := items[k]
		m, listed := it[aStatuses].(map[string]any)
		if !listed {
			rows[of] = search.Row{}
			continue
		}
		r := row{item: it}
		st := &search.Stock{Show: catalog.ShowID(k.SK), Until: time.Unix(r.num(aTTL), 0).UTC(), Together: -1, Statuses: statusesOf(m)}
		if n, known := it[aTogether].(int64); known {
			st.Together = int(n)
		}
		if r.err != nil {
			return nil, r.err
		}
		rows[of] = search.Row{Stock: st}
	}
	return rows, nil
}
