package counts

import (
	"strings"
	"testing"
)

// TestLineCounts: each step of who waits asks exactly what the protocol says, and
// what is dearer than the minimum says why.
func TestLineCounts(t *testing.T) {
	figures, err := MeasureLine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if f.Got != f.Must {
			t.Errorf("%s: %v, the protocol says %v", f.Name, f.Got, f.Must)
		}
		if f.Got.Requests < f.Least.Requests || f.Got.Writes < f.Least.Writes || f.Got.Reads < f.Least.Reads {
			t.Errorf("%s: %v, below what was called the minimum, %v", f.Name, f.Got, f.Least)
		}
		if !f.Met() && !strings.Contains(f.Why, "built:") {
			t.Errorf("%s: %v for %v, and nothing says why", f.Name, f.Got, f.Least)
		}
	}
	var advances []Use
	for _, f := range figures {
		if strings.HasPrefix(f.Name, "lane, seats of") {
			advances = append(advances, f.Got)
		}
	}
	more := Use{Writes: advances[0].Writes + 4, Reads: advances[0].Reads + 2, Requests: advances[0].Requests} // the state's second kilobyte
	if len(advances) != 3 || advances[0] != advances[1] || advances[2] != more {
		t.Errorf("an advance depends on how many wait: %v", advances)
	}
}
