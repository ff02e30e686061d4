package socket_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fairseat/fairseat/pkg/socket"
)

func TestPace(t *testing.T) {
	ms := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Millisecond) }
	told := socket.Pace{At: noon, Version: 5, Rev: 1}
	off := socket.Pace{At: ms(1000), PutOff: true, Version: 5, Rev: 2}
	for _, tt := range []struct {
		name    string
		was     socket.Pace
		due     time.Time
		version int64
		now     int
		turn    socket.Turn
		want    socket.Pace
	}{
		{"the first", socket.Pace{}, time.Time{}, 5, 0, socket.TellNow, socket.Pace{At: noon, Version: 5, Rev: 1}},
		{"after the pace", told, time.Time{}, 6, 1000, socket.TellNow, socket.Pace{At: ms(1000), Version: 6, Rev: 2}},
		{"too soon", told, time.Time{}, 6, 999, socket.TellThen, socket.Pace{At: ms(1000), PutOff: true, Version: 6, Rev: 2}},
		{"at the same moment", told, time.Time{}, 6, 0, socket.TellThen, socket.Pace{At: ms(1000), PutOff: true, Version: 6, Rev: 2}},
		{"one is on its way", off, time.Time{}, 6, 500, socket.LeaveIt, socket.Pace{At: ms(1000), PutOff: true, Version: 6, Rev: 3}},
		{"one is on its way, with newer", off, time.Time{}, 4, 500, socket.LeaveIt, socket.Pace{At: ms(1000), PutOff: true, Version: 5, Rev: 3}},
		{"one is late", off, time.Time{}, 6, 1500, socket.LeaveIt, socket.Pace{At: ms(1000), PutOff: true, Version: 6, Rev: 3}},
		{"one is lost", off, time.Time{}, 6, 2000, socket.TellNow, socket.Pace{At: ms(2000), Version: 6, Rev: 3}},
		{"it comes", off, ms(1000), 4, 1000, socket.TellNow, socket.Pace{At: ms(1000), Version: 5, Rev: 3}},
		{"it comes late", off, ms(1000), 4, 9000, socket.TellNow, socket.Pace{At: ms(9000), Version: 5, Rev: 3}},
		{"it comes again", told, ms(-1000), 4, 10, socket.TellThen, socket.Pace{At: ms(1000), PutOff: true, Version: 5, Rev: 2}},
		{"a clock was wrong", socket.Pace{At: ms(5000), Rev: 1}, time.Time{}, 1, 0, socket.TellNow, socket.Pace{At: noon, Version: 1, Rev: 2}},
	} {
		h := socket.Hint{Kind: socket.SeatmapChanged, Show: "s", Version: tt.version}
		if !tt.due.IsZero() {
			h.Due = tt.due.UnixMilli()
		}
		next, turn := tt.was.Take(h, ms(tt.now))
		if next != tt.want || turn != tt.turn {
			t.Errorf("%s: %+v, %d; want %+v, %d", tt.name, next, turn, tt.want, tt.turn)
		}
	}
	h := socket.Hint{Kind: socket.LinePosition, Show: "s", Version: 6}
	if _, turn := told.Take(h, ms(1999)); turn != socket.TellThen {
		t.Errorf("line.position after 1999 ms: %d", turn)
	}
}

// TestAnyRush: however changes fall, watchers are told at most once in the pace and
// hear of the last change not later than that long after it.
func TestAnyRush(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var p socket.Pace
		var pending []int64 // moments that were put off
		now, last := noon, time.Time{}
		var told []time.Time
		var heard, version int64
		take := func(h socket.Hint) {
			next, turn := p.Take(h, now)
			p = next
			switch turn {
			case socket.TellNow:
				told, heard = append(told, now), next.Version
			case socket.TellThen:
				pending = append(pending, next.At.UnixMilli())
			}
		}
		pass := func(to time.Time) {
			for len(pending) > 0 && !time.UnixMilli(pending[0]).After(to) {
				due := pending[0]
				pending = pending[1:]
				now = time.UnixMilli(due).UTC()
				take(socket.Hint{Kind: socket.SeatmapChanged, Show: "s", Due: due})
			}
			now = to
		}
		for i := range rapid.IntRange(1, 60).Draw(rt, "changes") {
			pass(now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(rt, fmt.Sprint("gap", i))) * time.Millisecond))
			version++
			last = now
			take(socket.Hint{Kind: socket.SeatmapChanged, Show: "s", Version: version})
			if len(pending) > 1 {
				rt.Fatal("two are on their way")
			}
		}
		pass(last.Add(time.Second))
		if heard != version {
			rt.Fatalf("heard of %d of %d", heard, version)
		}
		for i := range told[1:] {
			if told[i+1].Sub(told[i]) < time.Second {
				rt.Fatalf("told at %v and %v", told[i], told[i+1])
			}
		}
	})
}
