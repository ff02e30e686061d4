package search

import "time"

// List is the index: its segments, oldest first. Version 0 is of no index yet.
type List struct {
	Version  int64
	Segments []Segment
	Retired  []Retired
}

// Segment names an object and tells how many rows are in it.
type Segment struct {
	Name string
	Rows int
}

// Retired is a segment that the list has no more; readers of an older list may
// still be fetching it.
type Retired struct {
	Name string
	At   time.Time
}
