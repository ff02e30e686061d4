// Package crowd lets thousands of buyers want the same seats at once, in virtual
// time: the real box office over the in-memory store with DynamoDB's rules, on as
// many instances as Lambda would start, each with a memory of its own and one
// request at a time.
//
// One goroutine runs at a time and the clock moves only when it waits, so that a
// seed repeats a run exactly and every count is exact. Times are those of the
// model ([Latency]), not of a service.
//
// Start with [Run] and [Options].
package crowd
