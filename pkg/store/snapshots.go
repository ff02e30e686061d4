package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

const (
	aVersion  = "v"
	aPacked   = "map"  // 2 bits a seat
	aAside    = "line" // 1 bit a seat; absent when none is set aside
	aDue      = "due"
	aTallies  = "tally" // by type: "free held line sold blocked"
	aStatuses = "status"
	aTogether = "together" // free seats side by side, ten at most; absent: not known
)

// Snapshot is one eventually consistent read: one unit for a 20,000-seat show.
func (s *Store) Snapshot(ctx context.Context, show catalog.ShowID) (*boxoffice.Map, error) {
	return s.snapshot(ctx, show, false)
}

// FreshSnapshot is the same, strongly consistent, for those who will replace it.
func (s *Store) FreshSnapshot(ctx context.Context, show catalog.ShowID) (*boxoffice.Map, error) {
	return s.snapshot(ctx, show, true)
}

func (s *Store) snapshot(ctx context.Context, show catalog.ShowID, consistent bool) (*boxoffice.Map, error) {
	it, err := s.t.Get(ctx, mapKey(show), consistent)
	if err != nil {
		return nil, fmt.Errorf("read seat map of %s: %w", show, err)
	}
	if it == nil {
		return nil, nil
	}
	return mapFromItem(show, it)
}

// SaveSnapshot replaces the map of a version; where a status has changed, the
// show's line in the listings changes with it.
func (s *Store) SaveSnapshot(ctx context.Context, show catalog.Show, m boxoffice.Map, was int64, changed bool) error {
	where := Cond(Absent{})
	if was != 0 {
		where = Equal{aVersion, was}
	}
	ws := []Write{{Key: mapKey(show.ID), Put: mapItem(m), Where: where}}
	if changed {
		st := map[string]any{}
		for typ, a := range m.Statuses() {
			st[string(typ)] = string(a)
		}
		ws = append(ws, Write{
			Key: statusKey(show),
			Put: Item{aStatuses: st, aTogether: int64(m.Together), aTTL: show.EndsAt.Unix()},
		})
	}
	return classify(s.t.Transact(ctx, ws, ""))
}

// PostponeDue moves the deadline alone; the version stays, for no seat has changed.
func (s *Store) PostponeDue(ctx context.Context, show catalog.ShowID, was, next time.Time) error {
	change := Change{Attr: aDue, Op: SetTo, To: next.UnixMilli()}
	if next.IsZero() {
		change = Change{Attr: aDue, Op: Unset}
	}
	return classify(s.t.Transact(ctx, []Write{{
		Key: mapKey(show), Update: []Change{change}, Where: Equal{aDue, was.UnixMilli()},
	}}, ""))
}

// Statuses is one query for all shows of a movie in a city.
func (s *Store) Statuses(ctx context.Context, city catalog.CityID, movie catalog.MovieID) (map[catalog.ShowID]map[seatmap.SeatType]seatmap.Availability, error) {
	all := map[catalog.ShowID]map[seatmap.SeatType]seatmap.Availability{}
	err := s.each(ctx, Query{Table: Snapshots, PK: statusPK(city, movie)}, func(it Item) error {
		r := row{item: it}
		m, _ := it[aStatuses].(map[string]any)
		all[catalog.ShowID(r.str("sk"))] = statusesOf(m)
		return r.err
	})
	if err != nil {
		return nil, fmt.Errorf("read statuses of %s in %s: %w", movie, city, err)
	}
	return all, nil
}

func statusesOf(m map[string]any) map[seatmap.SeatType]seatmap.Availability {
	st := make(map[seatmap.SeatType]seatmap.Availability, len(m))
	for typ, v := range m {
		text, _ := v.(string)
		st[seatmap.SeatType(typ)] = seatmap.Availability(text)
	}
	return st
}

func mapItem(m boxoffice.Map) Item {
	tallies := make(map[string]any, len(m.Tallies))
	for typ, t := range m.Tallies {
		tallies[string(typ)] = fmt.Sprintf("%d %d %d %d %d", t.Free, t.Held, t.Line, t.Sold, t.Blocked)
	}
	it := Item{
		aVersion: m.Version, aPacked: m.Seats.Bytes(), aTallies: tallies, aCount: int64(m.Seats.Len()),
	}
	if m.Line.Count() > 0 {
		it[aAside] = m.Line.Bytes()
	}
	setTime(it, aDue, m.Due)
	return it
}

func mapFromItem(show catalog.ShowID, it Item) (*boxoffice.Map, error) {
	r := row{item: it}
	m := &boxoffice.Map{Show: show, Version: r.num(aVersion), Due: r.time(aDue), Tallies: map[seatmap.SeatType]booking.Tally{}}
	n := int(r.num(aCount))
	if n < 0 || n > seatmap.MaxSeats {
		r.fail(aCount)
		return nil, r.err
	}
	packed, _ := it[aPacked].([]byte)
	var err error
	if m.Seats, err = seatmap.ParsePacked(packed, n); err != nil {
		return nil, errors.Join(r.err, err)
	}
	m.Line = seatmap.NewLineSeats(n)
	if aside, ok := it[aAside].([]byte); ok {
		if m.Line, err = seatmap.ParseLineSeats(aside, m.Seats); err != nil {
			return nil, err
		}
	}
	tallies, _ := it[aTallies].(map[string]any)
	for typ, v := range tallies {
		text, _ := v.(string)
		var t booking.Tally
		if _, err := fmt.Sscan(text, &t.Free, &t.Held, &t.Line, &t.Sold, &t.Blocked); err != nil {
			return nil, fmt.Errorf("store: seat map of %s: %w", strings.TrimSpace(string(show)), err)
		}
		m.Tallies[seatmap.SeatType(typ)] = t
	}
	return m, r.err
}
