// Package engine decides which shows answer a question (A11), in which order and on
// which page: films by words, places by city, distance or postal code, shows by time,
// price, format and seats side by side.
//
// It keeps: the answer depends on the index, the question and now alone; a page
// begins right behind the last show of the one before it, named by what it is
// sorted by and not by its number, so that a newer index neither repeats nor loses
// a show that both have; descending is ascending backwards.
//
// Words are judged by bleve over the films, which are thousands; everything else is
// columns of numbers over the shows, which are many. Start with [Index], [Query]
// and [Live].
package engine
