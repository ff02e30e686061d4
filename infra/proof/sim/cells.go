package main

import (
	"fmt"
	"slices"
)

// site is a call that a handler makes.
type site struct{ handler, call string }

// natures of the calls that are not transactions of the store.
var natures = map[string]nature{
	"HoldByID": read, "HoldsByID": read, "Claims": read, "Look": read, "ClaimsAtOnce": moment, "BlockClaims": read, "Wanted": read, "Timers": read,
	"PaymentAnswered": read, "PaymentByID": read, "OrderByID": read, "Snapshot": read, "FreshSnapshot": read, "LineState": read, "LineGlance": read, "LineHead": read, "Waiter": read, "InLine": read, "Joining": read, "Place": read, "Pool": read, "PoolSeats": read,
	"Show": read, "Layout": read, "Send": send, "Create": bank, "Query": bank, "Close": bank, "Refund": bank,
	"Hold": transact, "Block": transact, "Release": transact, "StartPayment": transact, "Confirm": transact, "Regrant": transact,
	"ChangePayment": transact, "NoteAnswer": transact, "WakePayment": transact, "SaveSnapshot": transact, "PostponeDue": transact, "CommitLine": transact,
	"SawLine": transact, "Ask": transact, "Accept": transact, "Leave": transact,
	"Bind": transact, "Marks": read, "MarkOf": read, "Adopt": transact, "AdoptPast": transact, "Entry": read, "Keep": transact, "Orders": read,
}

// What the use cases do of one another's work.
var (
	ending   = []string{"HoldByID", "Wanted", "OrderByID", "Release"}                                    // End
	looking  = []string{"FreshSnapshot", "BlockClaims", "HoldsByID", "SaveSnapshot"}                     // freshMap
	refusing = slices.Concat([]string{"Look", "Timers", "BlockClaims", "HoldsByID", "Snapshot"}, ending) // what stands in a hold's way
	lane     = []string{"LineState", "CommitLine", "SawLine", "Place", "Show", "Layout", "BlockClaims"}  // RunLane
	sweeping = slices.Concat([]string{"Timers", "Snapshot", "HoldsByID"}, ending)                        // and where nobody looked after the line
	placing  = []string{"Show", "Layout", "InLine", "Pool", "LineState"}                                 // standing
	settling = slices.Concat([]string{"PaymentByID", "ChangePayment", "Confirm", "Regrant", "Show", "HoldsByID"}, ending)
)

// makes are the calls of each handler. Every other call is outside of its code's
// paths: a cell for it is empty by this declaration, and a run in which it occurs
// all the same fails.
var makes = map[string][]string{
	"reserve-seats":    slices.Concat([]string{"Show", "Layout", "Hold", "LineGlance"}, refusing, lane),
	"read-hold":        ending,
	"release-hold":     ending,
	"read-order":       ending,
	"read-seatmap":     slices.Concat([]string{"Snapshot", "Show", "Layout", "PostponeDue", "Timers", "Claims"}, ending, looking),
	"pay-hold":         slices.Concat([]string{"Show", "PaymentAnswered", "StartPayment", "NoteAnswer", "PaymentByID", "ChangePayment", "Create"}, ending),
	"receive-callback": settling,
	"ask-provider":     slices.Concat([]string{"Query", "Close", "Refund", "WakePayment"}, settling),
	"expire-hold":      append([]string{"Send", "Waiter"}, ending...),
	"expire-timer":     slices.Concat([]string{"Waiter"}, ending, lane),
	"project-seatmap":  slices.Concat([]string{"Show", "Layout", "Claims", "ClaimsAtOnce"}, looking),
	"relay-holds":      {"Send", "Wanted"},
	"relay-line":       {"Send"},
	"relay-payments":   {"Send"},
	"advance-line":     slices.Concat(lane, sweeping),
	"join-line":        slices.Concat([]string{"Joining", "Waiter", "Claims", "Snapshot", "Ask"}, placing, lane),
	"read-place":       slices.Concat([]string{"Waiter", "LineHead", "Send"}, placing, lane, sweeping),
	"answer-offer":     slices.Concat([]string{"Waiter", "Show", "Layout", "PoolSeats", "Accept", "Place", "Leave", "Timers", "HoldsByID", "Claims"}, ending),
	"adopt-guest":      {"Bind", "Marks", "MarkOf", "HoldsByID", "OrderByID", "Waiter", "Adopt", "Orders", "HoldByID", "AdoptPast"},
	"record-order":     {"Show", "Entry", "Keep"},
	"house":            slices.Concat([]string{"Show", "Layout", "Block", "Look", "BlockClaims", "HoldsByID"}, ending),
}

// sites are all calls of all handlers, in order.
func sites() []site {
	var all []site
	for _, h := range sorted(makes) {
		for _, c := range once(slices.Clone(makes[h])) {
			all = append(all, site{h, c})
		}
	}
	return all
}

// aims are the cells that must be exercised; each run is given one at which its
// faults are frequent.
var aims = func() []cell {
	var all []cell
	for _, s := range sites() {
		for _, f := range possible[natures[s.call]] {
			if unreachable[cell{s.handler, s.call, f}] == "" {
				all = append(all, cell{s.handler, s.call, f})
			}
		}
	}
	return all
}()

// turns are the aims with those at rare calls several times.
var turns = func() []cell {
	rare := map[site]bool{
		{"ask-provider", "Close"}: true, {"reserve-seats", "Look"}: true, {"house", "Look"}: true, {"expire-hold", "Send"}: true, {"expire-timer", "OrderByID"}: true, {"house", "OrderByID"}: true, {"house", "Release"}: true,
		{"pay-hold", "NoteAnswer"}: true, {"read-hold", "OrderByID"}: true, {"read-order", "Release"}: true, {"read-order", "Wanted"}: true,
		{"read-seatmap", "HoldsByID"}: true, {"read-seatmap", "OrderByID"}: true, {"release-hold", "OrderByID"}: true, {"receive-callback", "Release"}: true, {"ask-provider", "HoldsByID"}: true, {"receive-callback", "HoldsByID"}: true,
	}
	for _, call := range []string{"Release", "Wanted", "OrderByID", "Claims", "HoldsByID"} {
		rare[site{"answer-offer", call}] = true
	}
	for _, call := range []string{"SawLine", "BlockClaims", "Place", "Pool", "CommitLine"} {
		rare[site{"join-line", call}], rare[site{"expire-timer", call}], rare[site{"reserve-seats", call}] = true, true, call != "BlockClaims"
	}
	rare[site{"advance-line", "OrderByID"}], rare[site{"read-place", "OrderByID"}] = true, true
	rarest := map[site]bool{
		{"answer-offer", "Release"}: true, {"answer-offer", "Wanted"}: true, {"answer-offer", "OrderByID"}: true, {"answer-offer", "Claims"}: true,
		{"reserve-seats", "SawLine"}: true, {"reserve-seats", "Place"}: true, {"join-line", "SawLine"}: true, {"join-line", "Place"}: true,
		{"join-line", "Pool"}: true, {"join-line", "BlockClaims"}: true, {"expire-timer", "BlockClaims"}: true,
		{"read-place", "OrderByID"}: true, {"read-seatmap", "OrderByID"}: true, {"pay-hold", "NoteAnswer"}: true, {"answer-offer", "HoldsByID"}: true,
	}
	var all []cell
	for _, c := range aims {
		all = append(all, c)
		if rare[site{c.handler, c.call}] {
			all = append(all, c, c, c)
		}
		if rarest[site{c.handler, c.call}] {
			all = append(all, c, c, c, c, c, c)
		}
	}
	return all
}()

// unreachable are cells of calls that a handler makes where one fault cannot occur.
var unreachable = map[cell]string{}

// gaps are the reasons why a table is not complete: empty cells that nobody
// declared, and declared ones that occurred.
func gaps(tally map[cell]int) []string {
	var out []string
	for _, c := range aims {
		if tally[c] == 0 {
			out = append(out, fmt.Sprintf("%s, %s, %s: never exercised, and nothing declares that it cannot occur", c.handler, c.call, faultNames[c.fault]))
		}
	}
	for c, n := range tally {
		if n == 0 || c.fault == crashLate {
			continue
		}
		_, known := natures[c.call]
		switch {
		case !known || !slices.Contains(makes[c.handler], c.call):
			out = append(out, fmt.Sprintf("%s makes the call %s, which is declared impossible", c.handler, c.call))
		case c.fault != none && !slices.Contains(possible[natures[c.call]], c.fault):
			out = append(out, fmt.Sprintf("%s, %s, %s: declared impossible (%s), and occurred", c.handler, c.call, faultNames[c.fault], cannot[natures[c.call]][c.fault]))
		case unreachable[c] != "":
			out = append(out, fmt.Sprintf("%s, %s, %s: declared unreachable (%s), and occurred", c.handler, c.call, faultNames[c.fault], unreachable[c]))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
