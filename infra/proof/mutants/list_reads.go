package main

// reading is the store's reads: whoever decides by one must see all that was
// acknowledged before, or somebody is told "taken" of a seat that is free.
func reading() []Defect {
	fresh := func(parts ...string) []Test {
		names := make([]string, len(parts))
		for i, p := range parts {
			names[i] = "TestReadsSeeWhatWasAcknowledged/" + p
		}
		return by("pkg/store", names...)
	}
	return []Defect{
		{"one item is read as it was", edit(inStore, "it, err := t.Get(ctx, k, true)", "it, err := t.Get(ctx, k, false)"),
			fresh("a hold", "a payment", "an order")},
		{"claims and holds are looked at as they were", edit(inStore, "items, err := s.t.BatchGet(ctx, ks, true)\n\tif err != nil {\n\t\treturn nil, nil, fmt.Errorf(\"read %d claims", "items, err := s.t.BatchGet(ctx, ks, false)\n\tif err != nil {\n\t\treturn nil, nil, fmt.Errorf(\"read %d claims"),
			fresh("claims", "holds")},
		{"a block's claims are read as they were", edit(inStore, "PK: blockPK(show, block), Consistent: true}", "PK: blockPK(show, block)}"),
			fresh("a block")},
		{"the gate is read as it was", edit(inStore, "s.t.Get(ctx, gateKey(show, shardOf(id)), true)", "s.t.Get(ctx, gateKey(show, shardOf(id)), false)"),
			fresh("the gate")},
		{"timers are read as they were", edit(inStore, "PK: timerPK(show, shard), Consistent: true,", "PK: timerPK(show, shard),"),
			fresh("timers")},
		{"the answer to a payment is read as it was", edit(inStore, "s.t.BatchGet(ctx, []Key{own, receipt}, true)", "s.t.BatchGet(ctx, []Key{own, receipt}, false)"),
			fresh("an answer")},
		{"the line's state is read as it was", edit(inStore, "s.lineGlance(ctx, show, true)", "s.lineGlance(ctx, show, false)"),
			fresh("the line")},
		{"the pool is read as it was", edit(inStore, "Prefix: poolPrefix, Consistent: true}", "Prefix: poolPrefix}"),
			fresh("the line")},
		{"who replaces the map reads it as it was", edit(inStore, "return s.snapshot(ctx, show, true)", "return s.snapshot(ctx, show, false)"),
			fresh("the fresh map")},
		{"every reader of the map pays for a consistent read", edit(inStore, "return s.snapshot(ctx, show, false)", "return s.snapshot(ctx, show, true)"),
			by("pkg/store", "TestReadsSeeWhatWasAcknowledged")},
		{"a query ends after its first page", edit(inStore, "if next == \"\" || q.Limit > 0 {", "if next == next {"),
			by("pkg/store", "TestReadsOfManyPages")},
	}
}
