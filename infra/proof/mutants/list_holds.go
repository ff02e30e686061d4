package main

// holding is T1 and the first half of T8: claims, hold, allowance, timer.
func holding() []Defect {
	return []Defect{
		{"T1: a claim is put whoever has the seat",
			edit(inStore, "Put: claim, Where: Absent{}})", "Put: claim})"),
			protocol("hold what is taken")},
		{"T1: claims are read, then written", edit(inStore, `
	ws := claimWrites(h)
	ws = append(ws,
		Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},
		s.allow(h, keepUntil),
		Write{Key: timerKey(h), Put: s.timerItem(h)},
	)`, `
	ws := claimWrites(h)
	for i, seat := range h.Seats {
		if it, err := s.t.Get(ctx, ws[i].Key, true); err != nil {
			return err
		} else if it != nil {
			o, err := ownerOf(it)
			return errors.Join(err, &boxoffice.Taken{Claims: map[seatmap.SeatID]boxoffice.Owner{seat.ID: o}, Partial: true})
		}
		ws[i].Where = nil
	}
	ws = append(ws,
		Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},
		s.allow(h, keepUntil),
		Write{Key: timerKey(h), Put: s.timerItem(h)},
	)`), replay("attendize-473")},
		{"T1: a second hold is put over the first of its id",
			edit(inStore, "Where: Absent{}},\n\t\ts.allow(h, keepUntil),\n\t\tWrite{Key: timerKey(h)", "},\n\t\ts.allow(h, keepUntil),\n\t\tWrite{Key: timerKey(h)"),
			protocol("hold twice")},
		{"T1: nobody's allowance has an end",
			edit(inStore, "Where: Any{NoAttr{aCount}, AtMost{aCount, int64(s.policy.MaxSeats) - n}},", ""),
			protocol("hold beyond the allowance")},
		{"T1: the eleventh seat is allowed",
			edit(inStore, "AtMost{aCount, int64(s.policy.MaxSeats) - n}}", "AtMost{aCount, int64(s.policy.MaxSeats) - n + 1}}"),
			protocol("hold beyond the allowance")},
		{"T1: the limit of ten is read, then written", edit(inStore, `
	ws := claimWrites(h)
	ws = append(ws,
		Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},
		s.allow(h, keepUntil),
		Write{Key: timerKey(h), Put: s.timerItem(h)},
	)`, `
	ws := claimWrites(h)
	allowed := s.allow(h, keepUntil)
	allowed.Where = nil
	if n, err := s.Allowance(ctx, h.Show, h.Buyer); err != nil {
		return err
	} else if n+len(h.Seats) > s.policy.MaxSeats {
		return &boxoffice.Taken{Full: true, Holding: n}
	}
	ws = append(ws,
		Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}},
		allowed,
		Write{Key: timerKey(h), Put: s.timerItem(h)},
	)`), by("pkg/boxoffice", "TestRivalBetweenReadAndWrite/the limit of ten")},
		{"T1: the hold has no timer",
			edit(inStore, "\t\tWrite{Key: timerKey(h), Put: s.timerItem(h)},\n", ""),
			protocol("hold")},
		{"T1: the timer's TTL comes before the grace is over",
			edit(inStore, "h.ExpiresAt.Add(s.policy.Grace + timerGrace).Unix()", "h.ExpiresAt.Add(-timerGrace).Unix()"),
			protocol("timers outlive the grace")},
		{"T1: seats in conflict with another transaction are told as taken",
			edit(inStore, "if !c.Has(ReasonCondition) {\n\t\treturn classify(c)\n\t}\n\tt :=", `if c.Has(ReasonConflict) {
		lost := &boxoffice.Taken{Claims: map[seatmap.SeatID]boxoffice.Owner{}}
		for i := range h.Seats {
			lost.Claims[h.Seats[i].ID] = boxoffice.Owner{}
		}
		return lost
	}
	if !c.Has(ReasonCondition) {
		return classify(c)
	}
	t :=`),
			append(by("pkg/store", "TestAnswersOfTheService"), replay("alfio-skip-locked")...)},
		{"T1: a list of taken seats that may lack some is told as whole",
			edit(inStore, "Partial: c.Has(ReasonConflict) || c.Has(ReasonThrottled)", "Partial: false"),
			append(by("pkg/store", "TestPartialRefusal"), by("pkg/boxoffice", "TestPartialConflict")...)},
		{"T1: all claims lie in the first seat's block",
			edit(inStore, "if i == 0 || seat.Block != block {", "if i == 0 {\n\t\t\t_ = block"),
			protocol("hold in two blocks")},
		{"T8: a block is put over another of its id",
			edit(inStore, "ws := append(claimWrites(h), Write{Key: holdKey(h.ID), Put: holdItem(h), Where: Absent{}})", "ws := append(claimWrites(h), Write{Key: holdKey(h.ID), Put: holdItem(h)})"),
			protocol("block")},
		{"a hold counts in the whole show's counter",
			edit(inStore, "\t\tWrite{Key: timerKey(h), Put: s.timerItem(h)},\n",
				"\t\tWrite{Key: timerKey(h), Put: s.timerItem(h)},\n\t\tWrite{Key: capKey(h.Show, \"everybody\"), Update: []Change{{Attr: aCount, Op: Add, To: int64(1)}}},\n"),
			append(by("pkg/store", "TestCostOfAHold/1"), replay("bookmyevent")...)},
	}
}

// ending is T3: what a release may do and what it must not forget.
func ending() []Defect {
	return []Defect{
		{"T3: a hold is ended whatever its revision",
			edit(inStore, "return All{Equal{aState, h.State.String()}, Equal{aRev, h.Rev}}", "return All{Equal{aState, h.State.String()}}"),
			protocol("release refused")},
		{"T3: a hold is ended whatever its state",
			edit(inStore, "return All{Equal{aState, h.State.String()}, Equal{aRev, h.Rev}}", "return All{Equal{aRev, h.Rev}}"),
			protocol("release refused")},
		{"T3: expiry is not compared with the hold's own deadline",
			edit(inStore, "if e.Hold.State == booking.Expired {", "if false {"),
			protocol("release by expiry")},
		{"T3: no grace in the table",
			edit(inStore, "AtMost{aExpires, e.Hold.EndedAt.Add(-s.policy.Grace).UnixMilli()}", "AtMost{aExpires, e.Hold.EndedAt.UnixMilli()}"),
			protocol("release by expiry")},
		{"T3: another's claim is deleted",
			edit(inStore, "Delete: true, Where: Equal{aOwner, claimOwner(was)}}", "Delete: true}"),
			protocol("release refused")},
		{"T3: another's claim goes to the line",
			edit(inStore, "Put: Item{aOwner: lineOwner}, Where: Equal{aOwner, claimOwner(was)}}", "Put: Item{aOwner: lineOwner}}"),
			protocol("release into the line refused")},
		{"T3: the pool item is forgotten",
			edit(inStore, "\t\t\tWrite{Key: poolKey(was.Show, seat.ID), Put: Item{aType: string(seat.Type), aBlock: seat.Block}},\n", ""),
			protocol("release into the line")},
		{"T3: the allowance is not given back",
			edit(inStore, "if was.State != booking.Blocked {", "if was.State == booking.Sold {"),
			append(protocol("release by the owner"), by("pkg/boxoffice", "TestAllowanceReturns/sweep")...)},
		{"T3: an allowance falls below nothing",
			edit(inStore, "Update: []Change{{Attr: aCount, Op: Add, To: -n}, noMore(was)}, Where: AtLeast{aCount, n}}", "Update: []Change{{Attr: aCount, Op: Add, To: -n}, noMore(was)}}"),
			protocol("release refused")},
		{"T3: the timer stays",
			edit(inStore, "if was.State == booking.Held {\n\t\tws = append(ws, Write{Key: timerKey(was), Delete: true})", "if false {\n\t\tws = append(ws, Write{Key: timerKey(was), Delete: true})"),
			protocol("release by the owner")},
		{"T3: no gate is checked",
			edit(inStore, "if len(e.Free) > 0 {", "if false {"),
			append(protocol("release under a gate"), by("pkg/boxoffice", "TestGates")...)},
		{"T3: the gate is checked for one type only",
			edit(inStore, "for _, t := range e.FreedTypes() {", "for _, t := range e.FreedTypes()[:1] {"),
			protocol("release under a gate")},
		{"T3: the order stays pending",
			edit(inStore, "\tif o != nil {\n\t\tws = append(ws, orderWrite(*o))\n\t}\n\treturn classify(s.t.Transact(ctx, ws, \"\"))\n}\n\n// gateCheck", "\treturn classify(s.t.Transact(ctx, ws, \"\"))\n}\n\n// gateCheck"),
			protocol("release refused")},
		{"the receipt of a hold goes with its end",
			edit(inStore, "it[aTTL] = h.EndedAt.Add(booking.Receipt).Unix()", "it[aTTL] = h.EndedAt.Unix()"),
			append(protocol("release by the owner"), by("pkg/boxoffice", "TestIdempotencyKeysOutliveTheHold")...)},
		{"a conflict is told as changed",
			edit(inStore, "\treturn ErrContended\n", "\treturn ErrStale\n"),
			by("pkg/store", "TestAnswersOfTheService")},
		{"a throttled transaction is sent again at once",
			edit(inStore, "\t\treturn ErrThrottled\n", "\t\treturn ErrContended\n"),
			by("pkg/store", "TestThrottledPartition")},
	}
}
