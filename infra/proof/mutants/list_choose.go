package main

// toldOfOthers picks the best seats as if nobody had any, tries once, and tells what
// stood in the way.
var toldOfOthers = edit(inOffice, "m, err := o.Store.Snapshot(ctx, s.show.ID)\n\tif err != nil {\n\t\treturn booking.Hold{}, err\n\t}\n\tq := &search{", "var m *Map\n\tvar err error\n\tq := &search{").
	and(inOffice, "lost: o.memory.lately(s.show.ID, now)", "lost: map[seatmap.SeatID]bool{}").
	and(inOffice, "case errors.As(err, &t), fault.Is(err, fault.Contended):\n", "case errors.As(err, &t):\n\t\treturn booking.Hold{}, o.refuse(ctx, q.sale, next, sight{claims: t.Claims})\n\tcase fault.Is(err, fault.Contended):\n")

// heldIsSold says "full" where a seat may come free: to a buyer back at the map, whose
// own hold it is, too.
var heldIsSold = edit(inOffice, "if owner.Line() || holds[owner.Hold].State == booking.Held {", "if owner.Line() {").
	and(inOffice, "return booking.Wait, then == 0", "return booking.ShowFull, then == 0")

// choosing is what an instance remembers and what a snapshot shows: they choose, and
// they never refuse.
func choosing() []Defect {
	const best = "pkg/boxoffice/best.go"
	return []Defect{
		{"memory refuses", edit(inOffice, "v, err := o.glance(ctx, s, next.Seats)\n\t\t\tif err", `v := sight{claims: map[seatmap.SeatID]Owner{}}
			o.memory.mu.Lock()
			for _, seat := range next.Seats {
				if seen, ok := o.memory.of(s.show.ID).owners[seat.ID]; ok {
					v.claims[seat.ID] = seen.Owner
				}
			}
			o.memory.mu.Unlock()
			if err`), by("pkg/boxoffice", "TestMemoryRefusesNobody")},
		{"a seat once seen sold is sold, whatever its claim says", edit(inOffice, "o.memory.claims(s.show.ID, s.layout, ks, claims, now)\n\to.memory.saw(", `o.memory.mu.Lock()
	for _, k := range ks {
		if seen, ok := o.memory.of(s.show.ID).owners[k.Seat]; ok && o.memory.of(s.show.ID).holds[seen.Hold].state == booking.Sold {
			claims[k.Seat] = seen.Owner
		}
	}
	o.memory.mu.Unlock()
	o.memory.claims(s.show.ID, s.layout, ks, claims, now)
	o.memory.saw(`), by("pkg/boxoffice", "TestMemoryRefusesNobody")},
		{"remembered holds are taken for fresh", edit(inOffice, "seen && !o.Line() && !o.House && !met[o.Hold] && s.holds[o.Hold].state != booking.Sold", "seen && !o.Line() && !o.House && !met[o.Hold] && s.holds[o.Hold].state == 0").
			and(inOffice, "return booking.Hold{ID: id, Buyer: h.buyer, State: booking.Sold}, h.state == booking.Sold", "return booking.Hold{ID: id, Buyer: h.buyer, State: h.state, ExpiresAt: h.expiresAt}, h.state != 0"),
			by("pkg/boxoffice", "TestStandingIsReadAnew")},
		{"a look asks for no receipt", edit(inOffice, "ids := append(o.memory.recall(s.show.ID, ks), s.req.ID)", "ids := o.memory.recall(s.show.ID, ks)"),
			by("pkg/boxoffice", "TestReceiptIsInEveryLook/at the seats")},
		{"a look at the hall asks for no receipt", edit(inOffice, "ids = append(ids, s.req.ID)", "_ = s.req.ID"),
			by("pkg/boxoffice", "TestReceiptIsInEveryLook/at the hall")},
		{"the receipt of a refused transaction is thrown away", edit(inOffice, "v := sight{claims: t.Claims, mine: t.Existing}", "v := sight{claims: t.Claims}"),
			by("pkg/boxoffice", "TestReplayIsOneTransaction")},
		{"a refusal that rests on no look asks for no receipt", edit(inOffice, "return old, rerr\n", "_ = old\n\t\t\treturn h, err\n"),
			by("pkg/boxoffice", "TestIdempotencyKeysOutliveTheHold")},

		{"a read in flight is shared", edit(inOffice, `now = &reading{}
		r.by[b] = now
		r.mu.Unlock()
		claims, err := read(ctx)
		r.ended(ctx, b, now, read)
		return claims, err`, `now = &reading{next: &answer{done: make(chan struct{})}}
		a := now.next
		r.by[b] = now
		r.mu.Unlock()
		a.claims, a.err = read(ctx)
		r.mu.Lock()
		delete(r.by, b)
		r.mu.Unlock()
		close(a.done)
		return a.claims, a.err`), by("pkg/boxoffice", "TestReadInFlightRefusesNobody")},
		{"each request reads the block by itself", edit(inOffice, "now, reads := r.by[b]\n\tif !reads {", "now, reads := r.by[b]\n\tif reads = false; !reads {"),
			by("pkg/boxoffice", "TestNextReadIsShared")},
		{"a shared read ends with who came first", edit(inOffice, "context.WithTimeout(context.WithoutCancel(ctx), readTime)", "context.WithTimeout(ctx, readTime)"),
			by("pkg/boxoffice", "TestSharedReadOutlivesWhoCameFirst")},

		{"who meets nobody pays for a look", edit(inOffice, "if doubt || o.memory.doubts(", "if doubt || true || o.memory.doubts("),
			by("pkg/boxoffice", "TestCalmHoldIsOneTransaction")},
		{"what was seen taken is tried all the same", edit(inOffice, "if doubt || o.memory.doubts(s.show, next.Seats, now) {", "if doubt {"),
			by("pkg/boxoffice", "TestRefusalIsOneRead", "TestOpeningLooksFirst")},
		{"holds are read apart from the claims", edit(inOffice, "ids = append(ids, o.Hold)\n", "_ = o.Hold\n"),
			by("pkg/boxoffice", "TestRefusalIsOneRead")},
		{"a refusal names some seats of a hold that lands", edit(inOffice, "if h.State.Live() && slices.ContainsFunc(h.Seats,", "if false && slices.ContainsFunc(h.Seats,"),
			by("pkg/boxoffice", "TestConflictsNameAWholeHold")},
		{"who is throttled is never told that his seats are gone", edit(inOffice, "if errors.As(err, &no) {\n\t\treturn no\n\t}\n\treturn busy", "if errors.As(err, &no) {\n\t\treturn busy\n\t}\n\treturn busy"),
			by("pkg/boxoffice", "TestThrottledLoserLearnsTheTruth")},
		{"memory has no end", edit(inOffice, "if m.shows == nil || m.size > mostSeen {", "if m.shows == nil {"),
			by("pkg/boxoffice", "TestMemoryIsBounded")},

		{"memory says that nothing is free", edit(inOffice, "known && (unpaid || n == booking.ChooseOther)", "known"),
			by("pkg/boxoffice", "TestFullIsReadAnew")},
		{"seats seen taken one after another are taken at once", edit(inOffice, "return booking.Wait, then == 0", "return booking.Wait, true"),
			by("pkg/boxoffice", "TestNoneFreeIsOfOneMoment")},
		{"the last free seat is told for a second", edit(inOffice, "\t\tknown = gasp\n", "\t\tknown = breath\n"),
			by("pkg/boxoffice", "TestFewFreeAreToldBriefly")},
		{"a look tells for ever what comes next", edit(inOffice, "|| !now.Before(s.whole.Add(known)) {", "|| known == 0 {"),
			by("pkg/boxoffice", "TestFewFreeAreToldBriefly")},
		{"a snapshot says that nothing is left", edit(inOffice, "if m != nil && m.general(types).Free > plenty {", "if m != nil && m.general(types).Free == 0 {\n\t\t\treturn booking.ShowFull, nil\n\t\t}\n\t\tif m != nil && m.general(types).Free > plenty {"),
			by("pkg/boxoffice", "TestSnapshotTellsOnlyPlenty")},
		{"a snapshot says that a few are left", edit(inOffice, "m.general(types).Free > plenty {", "m.general(types).Free > 0 {"),
			by("pkg/boxoffice", "TestSnapshotTellsOnlyPlenty")},
		{"full is said before all holds were read", edit(inOffice, "if err := o.readInto(ctx, s, v, rest); err != nil {\n\t\treturn 0, err\n\t}\n", "_ = rest\n"),
			by("pkg/boxoffice", "TestNextCases")},
		{"held seats count as sold out", heldIsSold,
			append(by("pkg/boxoffice", "TestNextCases"), replay("hi-events-790")...)},
		{"seats set aside count as sold out", edit(inOffice, "if owner.Line() || holds[owner.Hold].State == booking.Held {", "if !owner.Line() && holds[owner.Hold].State == booking.Held {"),
			by("pkg/boxoffice", "TestNextOfTheLine")},
		{"none free is said before the overdue were met", edit(inOffice, "return behind[id] || !enough && o.mayBeOverdue(s, deadline, now)", "return behind[id]"),
			by("pkg/boxoffice", "TestOverdueHoldIsMet/best seats", "TestUnseenOverdueHoldIsMet")},
		{"a hold that this instance never saw is not overdue", edit(inOffice, "deadline = s.show.SaleOpensAt.Add(o.Policy.Hold)", "return false"),
			by("pkg/boxoffice", "TestUnseenOverdueHoldIsMet")},

		{"a snapshot refuses who wants any seats", edit(best, "return booking.Hold{}, o.lookAgain(ctx, q)\n\t}\n\tnow", "return booking.Hold{}, &booking.Refusal{Reason: booking.ErrUnavailable, Next: booking.Wait}\n\t}\n\tnow"),
			replay("alfio-skip-locked")},
		{"who loses the first race for the best seats is refused", toldOfOthers,
			replay("yoyaku-249")},
		{"all who want the best seats want the same", edit(best, "q.want.Start, q.want.Spread = start, q.wide", "q.want.Start, q.want.Spread = 0*start, 0*q.wide"),
			replay("yoyaku-249")},
		{"who lost a race runs the same again", edit(best, "q.lost[seat.ID] = true // also of who has it in hand but not yet\n", "").
			and(best, "\t\tfor id := range claims {\n\t\t\tq.lost[id] = true\n\t\t}\n", "\t\t_ = claims\n"),
			by("pkg/boxoffice", "TestLoserRunsElsewhere")},
		{"a search whose outcome is unknown starts anew", edit(best, "if *unsure {\n\t\tif old", "if *unsure {\n\t\tq.req.ID += \"x\"\n\t\tif old"),
			by("pkg/boxoffice", "TestEveryCallMayFail/best seats")},
		{"a search gives up at an unknown outcome", edit(best, "case fault.Stale, fault.Contended, fault.Unknown:", "case fault.Stale, fault.Contended:"),
			by("pkg/boxoffice", "TestEveryCallMayFail/best seats")},
		{"a search gives up at the first loss", edit(best, "case fault.Stale, fault.Contended, fault.Unknown:", "case fault.Contended, fault.Unknown:"),
			replay("yoyaku-249")},
	}
}
