package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fairseat/fairseat/infra/proof/audit"
	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/boxoffice"
	"github.com/fairseat/fairseat/pkg/seatmap"
)

func (w *world) books() audit.Books {
	return audit.Books{
		Store: w.store, Client: stack.Clients().Tables, HoldsTable: variable("TABLE_Holds"),
		Policy: booking.Policy{Hold: holdTime, Grace: graceTime, MaxSeats: maxSeats}, Provider: provider,
	}
}

func (w *world) audit(ctx context.Context, s *show) error {
	return w.books().Check(ctx, s.ID, s.layout)
}

// balanced waits until the audit finds nothing.
func (w *world) balanced(t *testing.T, s *show) {
	t.Helper()
	eventually(t, 20*time.Second, func() error { return w.audit(t.Context(), s) })
}

// auditAll is for the end, when nothing moves but the clock.
func (w *world) auditAll() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	var errs []error
	for _, s := range w.shows {
		if err := w.audit(ctx, s); err != nil {
			errs = append(errs, fmt.Errorf("show %s: %w", s.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (w *world) holds(ctx context.Context, s *show) (map[booking.HoldID]booking.Hold, error) {
	return w.books().Holds(ctx, s.ID)
}

func (w *world) claims(ctx context.Context, s *show) (map[seatmap.SeatID]boxoffice.Owner, error) {
	return w.books().Claims(ctx, s.ID, s.layout)
}

func (w *world) timers(ctx context.Context, s *show) (map[booking.HoldID]time.Time, error) {
	return w.books().Timers(ctx, s.ID)
}
