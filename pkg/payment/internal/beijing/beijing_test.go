package beijing

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	utc := time.Date(2026, 1, 14, 16, 0, 0, 0, time.UTC)
	for layout, want := range map[string]string{Seconds: "2026-01-15 00:00:00", Compact: "20260115000000", Day: "2026-01-15", time.RFC3339: "2026-01-15T00:00:00+08:00"} {
		if got := Format(utc, layout); got != want {
			t.Errorf("%s: %s", layout, got)
		}
		if got, err := Parse(layout, want); err != nil || !got.Equal(utc) || got.Location() != time.UTC {
			t.Errorf("%s: %v %v", layout, got, err)
		}
	}
	if got, err := Parse(Seconds, "2026-02-30 00:00:00"); err == nil {
		t.Error(got)
	}
}
