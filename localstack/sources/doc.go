// Package sources moves messages and stream records to functions as Lambda's
// event source mappings do. It decides what goes into a batch, what a failed
// batch costs, and how far a source has come.
//
// What holds: a message or record is given up only after the function took it,
// a filter dropped it, or its retries ended; records with the same partition key,
// and messages of one FIFO group, are never in flight twice and never overtake
// each other; one source never waits for another; a source that cannot be
// expressed is an error of [New] that names it.
//
// Start with [New], [Set.Start], and for the rules queue.go, lane.go and filter.go.
package sources
