// Package rights stands between functions and the stand-ins of AWS as IAM does: it
// knows a function by its access key, reads from each request what it needs, and
// lets it pass only if the function's role in the template allows that. What was
// needed is remembered, so that a role can be compared with its use.
//
// What holds: a request that is refused never reaches a stand-in; one that passes
// is sent once, as it came; a statement that cannot be judged here (a Condition)
// is an error of [New] that names it; and nothing is granted by being unknown: a
// call whose needs cannot be read is refused by its name.
//
// Two users of a role are not in its function's process. Event source mappings
// read streams and queues with the role's rights: the local ones pass through
// here under the function's key, and what Lambda asks for beyond that when it
// makes a mapping (ListStreams, GetQueueAttributes) counts with the first poll.
// Lambda writes the log of each invocation: the two actions on the function's log
// group count with its first invocation, for nothing here stands in for CloudWatch
// Logs. X-Ray has no such user: a right to it is one that nobody uses.
//
// Objects of a bucket come and go: a right to them ends in /*, or in a prefix and *,
// and is compared by the statement that allowed it. S3's stand-in verifies who
// signs, so what passes is signed again by its root.
//
// Calls of a WebSocket API's @connections do not come this way: the gateway that
// serves them asks [Proxy.Admit], which remembers like the others.
//
// Start with [New], [Proxy] and [Compare].
package rights
