package postgres

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/fairseat/fairseat/infra/bench/venue"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
)

// core is our use case over some tables.
type core struct {
	title string
	v     *venue.Venue
	calls *counter
	end   func() error
}

// width of the halls' rows.
const width = 20

func hallOf(seats int) venue.Hall { return venue.Hall{Rows: seats / width, Width: width} }

func newCore(title string, tables store.Tables, end func() error) (*core, error) {
	c := &core{title: title, calls: &counter{Tables: tables}, end: end}
	var err error
	c.v, err = venue.Open(c.calls, nil)
	return c, err
}

func (c *core) name() string { return c.title }

func (c *core) open(ctx context.Context, show string, seats int) error {
	return c.v.Announce(ctx, hallOf(seats), catalog.ShowID(show))
}

func (c *core) hold(ctx context.Context, show, buyer string, pair [2]int) error {
	h := venue.Hall{Width: width}
	_, err := c.v.Office.Reserve(ctx, boxoffice.Wish{
		Buyer: booking.Buyer("g_" + buyer), Key: "key", BodyHash: "body", Show: catalog.ShowID(show),
		Seats: []seatmap.SeatID{h.Seat(pair[0]), h.Seat(pair[1])},
	})
	var no *booking.Refusal
	if errors.As(err, &no) && no.Reason == booking.ErrUnavailable {
		return errTaken
	}
	if fault.Is(err, fault.Busy) {
		return errBusy
	}
	return err
}

// sold counts the claims, which are the truth.
func (c *core) sold(ctx context.Context, show string, n int) (int, error) {
	s, err := c.v.Office.Catalog.Show(ctx, catalog.ShowID(show))
	if err != nil {
		return 0, err
	}
	l, err := c.v.Office.Catalog.Layout(ctx, s.LayoutID)
	if err != nil {
		return 0, err
	}
	var keys []boxoffice.SeatKey
	for i := range n {
		at := l.At(i)
		keys = append(keys, boxoffice.SeatKey{Seat: at.ID, Block: l.Block(at.Block).Name})
	}
	claims, err := c.v.Store.Claims(ctx, catalog.ShowID(show), keys)
	return len(claims), err
}

func (c *core) take() tally { return tally{c.calls.all.Swap(0), c.calls.conflicts.Swap(0)} }

func (c *core) close() error { return c.end() }

// counter counts requests, and transactions that met another one.
type counter struct {
	store.Tables
	all, conflicts atomic.Int64
}

func (c *counter) Transact(ctx context.Context, ws []store.Write, token string) error {
	c.all.Add(1)
	err := c.Tables.Transact(ctx, ws, token)
	var no *store.Canceled
	if errors.As(err, &no) && no.Has(store.ReasonConflict) {
		c.conflicts.Add(1)
	}
	return err
}

func (c *counter) Get(ctx context.Context, k store.Key, consistent bool) (store.Item, error) {
	c.all.Add(1)
	return c.Tables.Get(ctx, k, consistent)
}

func (c *counter) BatchGet(ctx context.Context, ks []store.Key, consistent bool) (map[store.Key]store.Item, error) {
	c.all.Add(1)
	return c.Tables.BatchGet(ctx, ks, consistent)
}

func (c *counter) Query(ctx context.Context, q store.Query) ([]store.Item, string, error) {
	c.all.Add(1)
	return c.Tables.Query(ctx, q)
}
