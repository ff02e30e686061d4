package boxoffice

import (
	"context"
	"time"

	"github.com/fairseat/fairseat/pkg/catalog"
	"github.com/fairseat/fairseat/pkg/line"
)

// LaneStore is what the lane needs of the database.
type LaneStore interface {
	// LineState reads the version first, then the rest.
	LineState(ctx context.Context, show catalog.ShowID) (line.State, error)
	// CommitLine is fenced by the version; Stale when another run came first. A plan
	// that it cannot carry out is an error.
	CommitLine(ctx context.Context, show catalog.ShowID, version int64, p line.Plan) error
}

// RunLane reads, steps and commits until nothing is left to do. Any number of
// runs at once is safe: the queue's order is a convenience, the fence the guard.
func (o *Office) RunLane(ctx context.Context, show catalog.ShowID) error {
	for {
		var idle bool
		err := o.attempt(ctx, func(now time.Time) error {
			s, err := o.Lane.LineState(ctx, show)
			if err != nil {
				return err
			}
			p, err := line.Step(s, line.Standard, now)
			if err != nil {
				return err
			}
			if idle = p.Idle(); idle {
				return nil
			}
			return o.Lane.CommitLine(ctx, show, s.Version, p)
		})
		if err != nil || idle {
			return err
		}
	}
}
