// Package visit says what somebody does who comes to buy on the day a popular film
// goes on sale: which calls, in what order, how often. What loads the stack draws
// visits from it, and what prices a month takes the mean of the same ones, so that
// both speak of one mix. Nothing here was measured at a site: the numbers are
// assumptions, but for the hold, which is one call in a hundred (A19's rush).
//
// Start with [Draw] and [Shares].
package visit

import "math/rand/v2"

// Call is one kind of request. The zero value is invalid.
type Call uint8

// The calls of a visit.
const (
	_ Call = iota
	Search
	Cities
	Movies
	Showtimes
	Show
	Layout
	Map
	Session
	Hold
	Payment
	Order
	Release
)

// Calls lists all, in the order of a visit.
var Calls = []Call{Search, Cities, Movies, Showtimes, Show, Layout, Map, Session, Hold, Payment, Order, Release}

func (c Call) String() string {
	return [...]string{"", "search", "cities", "movies", "showtimes", "show", "layout", "seat map", "session", "hold", "payment", "order", "release"}[c]
}

// habit is some calls that follow one another.
type habit struct {
	calls   []Call
	first   float64 // how many do this at all
	again   float64 // of those, how many do it once more, and of those again
	most    int     // times at the most; 0 is 1
	instead bool    // only those who did not do what is before it
	then    []habit // by each who did it, at the end
}

// day is a visit. A browser keeps the layout of a hall for ever, and most have been
// there before. Eleven of a hundred visitors try to buy.
var day = []habit{
	{calls: []Call{Search}, first: 0.8, again: 0.5, most: 4},
	{calls: []Call{Cities, Movies}, first: 0.35},
	{calls: []Call{Showtimes}, first: 1, again: 0.35, most: 3},
	{calls: []Call{Show}, first: 1, then: []habit{{calls: []Call{Layout}, first: 0.25}, {calls: []Call{Map}, first: 1}}},
	{calls: []Call{Show, Map}, first: 0.4},
	{calls: []Call{Map}, first: 0.8, again: 0.8, most: 12},
	{calls: []Call{Session, Hold}, first: 0.11, then: []habit{
		{calls: []Call{Payment, Order}, first: 0.7, then: []habit{{calls: []Call{Order}, first: 1}}},
		{calls: []Call{Release}, first: 0.5, instead: true},
	}},
}

// Draw is one visit.
func Draw(rng *rand.Rand) []Call { return draw(nil, day, rng) }

func draw(to []Call, habits []habit, rng *rand.Rand) []Call {
	did := false
	for _, h := range habits {
		if did && h.instead {
			continue
		}
		did = rng.Float64() < h.first
		if !did {
			continue
		}
		to = append(to, h.calls...)
		for n := 1; n < h.most && rng.Float64() < h.again; n++ {
			to = append(to, h.calls...)
		}
		to = draw(to, h.then, rng)
	}
	return to
}

// Shares is what part of all calls each one is; together they are 1.
func Shares() map[Call]float64 {
	each := map[Call]float64{}
	mean(each, day, 1)
	all := 0.0
	for _, n := range each {
		all += n
	}
	for c := range each {
		each[c] /= all
	}
	return each
}

// mean adds the expected number of each call.
func mean(to map[Call]float64, habits []habit, times float64) {
	before := 0.0
	for _, h := range habits {
		who := times * h.first
		if h.instead {
			who *= 1 - before
		}
		before = h.first
		n, one := who, who
		for range max(h.most, 1) - 1 {
			one *= h.again
			n += one
		}
		for _, c := range h.calls {
			to[c] += n
		}
		mean(to, h.then, who)
	}
}
