// Package search says what can be asked for and what is answered (A11): films by
// words, places by city, distance or postal code, shows by time, price, format and
// seats side by side; and of what rows an index is made.
//
// It holds words alone, for many know them. Package engine answers, package shelf
// keeps the index. Start with [Query], [Answer] and [Row].
package search
