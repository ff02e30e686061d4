// Package report keeps what a measurement saw and shows it three ways: a table on
// the terminal, a JSON document with the machine it was seen on, and pictures.
//
// A [Ratio] sets samples of ours against samples of theirs, taken by turns in one
// run, so that what disturbs the machine disturbs both. It is judged by the median
// of its pairs; the quartiles say how much to believe it. A [Count] is exact or
// wrong. A [Value] is judged against a goal, a [Table] and a [Chart] are only shown.
//
// Start with [New], add what was seen, and end with [Report.Finish].
package report
