// Package street is what stands before the local stack when it is measured: the
// stack itself as one child process, shows put on sale in it, buyers who come
// whether or not the others have been answered, and the share of the machine that
// each program took.
//
// Latencies count from the moment when a request was due, not from when a busy
// client got round to sending it.
package street
