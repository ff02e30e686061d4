// Package shelf decides how the index of the search is kept: rows of what can be
// found, in immutable segments, and a list that says which segments make the
// index. A batch of changes becomes a new segment; the list is moved to it by one
// conditional write, so that every reader sees the whole index as it was after
// some batch (infra/decisions/0014-search.md).
//
// It keeps: the newest row of a thing stands last, so that laying the segments
// over one another in the order of the list gives the catalogue as it was; a
// segment is more than twice as large as all that follow it together, so that there
// are few, and each row is written a logarithmic number of times.
//
// Start with [Row], [Rows], [List] and [Writer].
package shelf
