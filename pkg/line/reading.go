package line

import "time"

// Reading is how much of a line to read. A run begins with the zero value, which is
// as much as decides nearly always, and reads on where a plan asks for More.
type Reading struct {
	Front int        // entries from the head of the line; 0 is a short stretch, less than 0 all
	Named []WaiterID // whom a message or a poll names
}

// On is the next larger reading, or all that there is once pages would only add up.
func (r Reading) On() Reading {
	r.Front = max(r.Front, frontFirst) * 8
	if r.Front > frontMost {
		r.Front = -1
	}
	return r
}

// Stretch is how many entries to read; 0 is all.
func (r Reading) Stretch() int {
	switch {
	case r.Front < 0:
		return 0
	case r.Front == 0:
		return frontFirst
	}
	return r.Front
}

const (
	frontFirst = 16
	frontMost  = 2000
)

// Stamp goes with a commit.
type Stamp struct {
	Now       time.Time // by the clock of who commits
	KeepUntil time.Time // when the show's rows may go
	Place     *Place    // of who lapses, as it becomes
}
