package main

// lists are the failures of others' waiting lists, planted in ours.
func lists() []Defect {
	played := func(names ...string) []Test {
		tests := make([]string, len(names))
		for i, n := range names {
			tests[i] = "TestReplayLine/" + n
		}
		return by("pkg/boxoffice", tests...)
	}
	const order = "cmp.Compare(a.Number, b.Number)"
	return []Defect{
		{"lists: the last in line comes first", edit(inLine, order, "cmp.Compare(b.Number, a.Number)"), played("pretix-2119")},
		{"lists: a map that lags decides who waits in vain",
			edit(inOffice, "s.Unsold = line.Unsold(r.sale.layout, first, second)", "_, _ = first, second\n\told, err := r.o.Store.Snapshot(ctx, r.id)\n\tif err != nil {\n\t\treturn err\n\t}\n\ts.Unsold = unsoldBy(old)"), played("pretix-3628")},
		{"lists: an offer may pass the line's closing", edit(inLine, "if !s.ClosesAt.IsZero() && s.ClosesAt.Before(at) {", "if false {"), played("pretix-681-1031")},
		{"lists: who has accepted may accept again", edit(inOffice, "if w.State == line.Accepted {\n\t\th, err", "if false {\n\t\th, err"),
			played("pretix-1163-1405")},
		{"lists: what lapses is the public's until the next job", edit(inLine, "if a.For == \"\" && !slices.Contains(s.Wanted, a.Type) &&", "if a.For == \"\" &&").
			and(inLine, "timeOut, giveUp, offer, gates, drain, number,", "timeOut, giveUp, drain, offer, gates, number,"), played("revel-lapse")},
		{"lists: a released seat is free, whoever waits", edit(inBooking, "if wanted.Has(s.Type) {", "if false {"), played("hi-events-listener", "alfio-released")},
		{"lists: two runs of the lane both commit", edit(inStore, "Where:  Equal{aVersion, was.Version},", "Where:  Exists{},").
			and("pkg/store/lane.go", "Update: []Change{{Attr: aFor, Op: SetTo, To: string(o.Waiter.ID)}},\n\t\t\tWhere: All{Exists{}, NoAttr{aFor}},",
				"Update: []Change{{Attr: aFor, Op: SetTo, To: string(o.Waiter.ID)}},\n\t\t\tWhere: Exists{},").
			and("pkg/store/lane.go", "c.waiter(o.Waiter, inState(o.Was))", "c.waiter(o.Waiter, Exists{})"), played("eventra-5698")},
		{"lists: one person may take any number", edit(inOffice, "\tif place.Live != \"\" {", "\tif false {").
			and(inLine, "case v.Place.Live != \"\":", "case false:").and("pkg/store/waiters.go", "NoAttr{aLive}", "All{}"), played("aws-waiting-room")},
	}
}
