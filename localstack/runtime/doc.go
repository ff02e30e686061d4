// Package runtime runs a function's own bootstrap binary behind the Lambda
// Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)
// and decides what one invocation comes to: an answer, an error that the
// function reported, a crash, a time-out or a refusal.
//
// What holds: a process serves one invocation at a time; it is used again only
// after it has asked for the next one; whatever happens to a process, its
// invocation ends exactly once; and no process outlives the pool, not even when
// the pool's own process is killed. Memory limits are not enforced.
//
// Start with [NewPool], [Pool.Invoke] and [Result].
package runtime
