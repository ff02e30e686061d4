package ddb

import (
	"context"
	"log/slog"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// How far the service's Date may be from this machine's clock before it is told.
// The grace of a hold bears clocks that differ by less than it (HoldLifetime), and
// a second is where one wants to know. The SDK compares with the middle of the
// call, and a Date is cut to the second: a clock that is right looks up to a second
// ahead, and after a slow call wrong by half of its time. The alarm wants several.
const (
	behindAtMost = time.Second
	aheadAtMost  = 2 * time.Second
)

// watchClock warns, in words that an alarm counts, of a clock that is wrong.
func watchClock(s *middleware.Stack) error {
	return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("WatchClock",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, meta, err := next.HandleDeserialize(ctx, in)
			if skew, ok := awsmiddleware.GetAttemptSkew(meta); ok && (skew > behindAtMost || -skew > aheadAtMost) {
				slog.WarnContext(ctx, "clock skew", "behind_ms", skew.Milliseconds())
			}
			return out, meta, err
		}), middleware.Before)
}
