package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fairseat/fairseat/pkg/throttle"
)

const (
	aFree   = "free" // milliseconds since 1970
	skLimit = "LIMIT"
)

func limitKey(k throttle.Key) Key { return Key{Limits, "LIMIT#" + string(k), skLimit} }

// Limiter keeps limits of attempts in the table Limits. An attempt costs one write
// where the key was at rest, two where it was not; nothing is read. It needs the
// right to update alone.
type Limiter struct{ t Tables }

// NewLimiter keeps them in the tables.
func NewLimiter(t Tables) *Limiter { return &Limiter{t} }

// limitTries is how often an attempt is decided anew when others of the same key
// come between.
const limitTries = 4

// Take lets n attempts pass or refuses them with a [*throttle.Refusal]; of any
// number at once never more pass than the rate lets. Whoever cannot be decided on
// because too many others of his key come between is refused, too.
func (l *Limiter) Take(ctx context.Context, k throttle.Key, r throttle.Rate, n int, now time.Time) error {
	var s throttle.State
	for range limitTries {
		next, v := r.Take(s, n, now)
		if !v.OK {
			return &throttle.Refusal{Wait: v.Wait}
		}
		err := l.t.Transact(ctx, []Write{limitWrite(k, r, n, s, next, now)}, "")
		var c *Canceled
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &c), c.Has(ReasonFault), c.Has(ReasonThrottled):
			return fmt.Errorf("take of a limit: %w", classify(err))
		case c.Has(ReasonCondition):
			row := row{item: c.Reasons[0].Old}
			s = throttle.State{Free: row.time(aFree)}
		}
	}
	return &throttle.Refusal{Wait: max(r.Every, time.Second)}
}

// limitWrite adds to a key that owes something, whatever it is that it owes by then
// if only the attempts still pass: so many at once do not stand in one another's
// way. A key at rest begins at now.
func limitWrite(k throttle.Key, r throttle.Rate, n int, s, next throttle.State, now time.Time) Write {
	cost := int64(n) * r.Every.Milliseconds()
	ttl := Change{Attr: aTTL, Op: SetTo, To: now.Add(r.Window() + time.Hour).Unix()}
	if s.Free.Before(now) {
		return Write{
			Key: limitKey(k), Update: []Change{{Attr: aFree, Op: SetTo, To: next.Free.UnixMilli()}, ttl},
			Where: Any{NoAttr{aFree}, Less{aFree, now.UnixMilli()}},
		}
	}
	return Write{
		Key: limitKey(k), Update: []Change{{Attr: aFree, Op: Add, To: cost}, ttl},
		Where: All{AtLeast{aFree, now.UnixMilli()}, AtMost{aFree, now.Add(r.Window()).UnixMilli() - cost}},
	}
}
