package street

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boot"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/seatmap"
	"github.com/fairseat/fairseat/pkg/store"
	"github.com/fairseat/fairseat/pkg/store/meter"
)

// Bare carries the same mix to the tables without gateway, runtime and functions:
// the store requests of each call, from this process through the SDK. What of the
// catalogue a function remembers, it remembers too. Payments it leaves out.
func (m *Mix) Bare(ctx context.Context, rate int, length time.Duration) (took []time.Duration, failed int, c meter.Counts, err error) {
	tables := meter.New(m.stack.Tables)
	s := store.New(tables, Policy)
	reader := catalog.NewReader(store.NewCatalog(tables), boot.Clock)
	o := &boxoffice.Office{Store: s, Lane: s, Catalog: reader, Policy: Policy, Clock: boot.Clock, Pause: boot.Pause, Rand: mathrand.Uint64, Parallel: 8}
	n := int(float64(rate) * length.Seconds())
	shots, errs := make([]Shot, n), make([]error, n)
	took = make([]time.Duration, n)
	for i := range shots {
		at := time.Duration(m.rng.Float64() * float64(length))
		shots[i] = Shot{At: at, Do: func(due time.Time) {
			errs[i] = m.bare(ctx, o, s, reader)
			took[i] = time.Since(due)
		}}
	}
	sortShots(shots)
	if _, err = Volley(ctx, shots); err != nil {
		return nil, 0, c, err
	}
	for _, e := range errs {
		if e != nil && !strings.Contains(e.Error(), booking.ErrUnavailable.Text) {
			failed++
			err = e
		}
	}
	if failed > 0 {
		return took, failed, tables.Snapshot(), fmt.Errorf("street: %d bare calls failed, the last: %w", failed, err)
	}
	return took, 0, tables.Snapshot(), nil
}

func (m *Mix) bare(ctx context.Context, o *boxoffice.Office, s *store.Store, reader *catalog.Reader) error {
	q := m.one()
	id, _, _ := strings.Cut(strings.TrimPrefix(q.Path, "/holds/"), "/")
	switch q.Kind {
	case "hold":
		at := m.house.Layout.At(mathrand.IntN(m.house.Layout.Len()))
		h, err := o.Reserve(ctx, boxoffice.Wish{Buyer: booking.Buyer("bare-" + q.Key), Key: q.Key, BodyHash: q.Key, Show: m.house.Show, Seats: []seatmap.SeatID{at.ID}})
		if err == nil {
			m.mu.Lock()
			m.holds = append(m.holds, kept{id: string(h.ID)})
			m.mu.Unlock()
		}
		return err
	case "release":
		_, err := o.End(ctx, booking.HoldID(id), booking.ByOwner)
		return ended(err)
	case "hold look-up", "payment":
		_, err := s.HoldByID(ctx, booking.HoldID(id))
		return err
	case "seat map":
		_, err := o.SeatMap(ctx, m.house.Show)
		return err
	case "showtimes":
		_, err := s.Statuses(ctx, catalog.CityID(m.city), catalog.MovieID(m.movie))
		return err
	}
	_, err := reader.Show(ctx, m.house.Show)
	return err
}

func ended(err error) error {
	if err == nil || strings.Contains(err.Error(), booking.ErrAlreadyPaid.Text) {
		return nil
	}
	return err
}
