// Package e2e proves that the parts are a whole. It holds tests only: they build
// the programs, start one local cloud with the sandbox payment provider beside it,
// and speak to it as a buyer's device would.
//
// It decides what counts as proof: answers are judged on the wire, and then the
// tables themselves, by an audit that reads every item of a show; no step of a
// test may end a hold whose end is under test. A fault (500, 502 or 504), an
// undelivered message or an unbalanced show at the end fails the run, whichever
// test caused it.
//
// Start with TestMain, switches and audit.
package e2e
