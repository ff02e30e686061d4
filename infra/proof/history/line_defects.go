package main

import "github.com/fairseat/fairseat/infra/proof/plant"

// lineDefects are of the waiting line.
var lineDefects = map[string][]plant.Edit{
	"number-twice": {
		plant.Replace("pkg/store/lane.go", "set(aNext, p.Next)", "set(aNext, max(p.Next-1, 1))"),
		plant.Replace("pkg/store/lane.go", "Put: entry, Where: Absent{}}", "Put: entry}"),
	},
	"last-come-first-served": {plant.Replace(
		"pkg/line/offer.go", "	for _, w := range s.Waiters {\n		if s.More &&", "	for _, w := range slices.Backward(s.Waiters) {\n		if s.More &&",
	)},
	"accept-twice": {
		plant.Replace("pkg/store/waiters.go", `Put: waiterItem(a.Waiter), Where: All{
			inState(a.Was), AtLeast{aOffered, a.Waiter.EndedAt.Add(-s.policy.Grace).UnixMilli() + 1},
		}},
		closeWrite(a.Was, nil),`, `Put: waiterItem(a.Waiter)},
		func() Write { w := closeWrite(a.Was, nil); w.Where = nil; return w }(),`),
		plant.Replace("pkg/store/waiters.go", "Put: claim, Where: Equal{aOwner, lineOwner}}", "Put: claim}"),
		plant.Replace("pkg/store/waiters.go", "Write{Key: poolKey(show, seat.Seat), Delete: true, Where: where}", "Write{Key: poolKey(show, seat.Seat), Delete: true}"),
	},
	"walk-up-takes-what-is-set-aside": {plant.Replace(
		"pkg/store/holds.go", "Put: claim, Where: Absent{}}", "Put: claim, Where: Any{Absent{}, Equal{aOwner, lineOwner}}}",
	)},
}
