package main

// office is the use cases: what they read, what they retry, what they tell.
func office() []Defect {
	const (
		box     = "pkg/boxoffice/boxoffice.go"
		reserve = "pkg/boxoffice/reserve.go"
		end     = "pkg/boxoffice/ending.go"
	)
	return []Defect{
		{"a retry carries an old now", edit(box, "\tvar err error\n\tfor n := range attempts {", "\tvar err error\n\tnow := o.Clock()\n\tfor n := range attempts {").
			and(box, "if err = f(o.Clock()); err == nil {", "if err = f(now); err == nil {"),
			by("pkg/boxoffice", "TestClockOfEachAttempt")},
		{"an unknown outcome is a failure", edit(box, "case fault.Stale, fault.Contended, fault.Unknown:", "case fault.Stale, fault.Contended:"),
			by("pkg/boxoffice", "TestEveryCallMayFail/hold")},
		{"a conflict is a failure", edit(box, "case fault.Stale, fault.Contended, fault.Unknown:", "case fault.Stale, fault.Unknown:"),
			append(by("pkg/boxoffice", "TestEveryCallMayFail/hold"), replay("alfio-skip-locked")...)},
		{"nothing was taken, says who does not know", edit(box, "if fault.Is(err, fault.Unknown) {", "if false {"),
			by("pkg/boxoffice", "TestCanceledWhileUnknown")},
		{"a hold whose answer was lost is told as taken", edit(reserve, "if t.Existing != nil {\n\t\treturn *t.Existing, t.Existing.Owns(s.req)\n\t}\n", "").
			and(reserve, "unsure = unsure || fault.Is(err, fault.Unknown)", "unsure = false").
			and(reserve, "return old, rerr\n", "_ = old\n\t\t\treturn h, err\n"),
			append(by("pkg/boxoffice", "TestIdempotencyKeys", "TestEveryCallMayFail/hold"), replay("ticketmaster-2022")...)},
		{"a buyer is not told that the taken seats are his", edit(reserve, "if h.Buyer == wanted.Buyer {", "if false {"),
			replay("hi-events-790")},
		{"anybody is told whose the taken seats are", edit(reserve, "if h.Buyer == wanted.Buyer {", "if true {"),
			replay("hi-events-790")},
		{"a retry is another transaction", edit(reserve, "\t\tif unsure {\n\t\t\told, found, err := o.receipt(ctx, s.req)\n\t\t\tif err != nil || found {\n\t\t\t\th = old\n\t\t\t\treturn err\n\t\t\t}\n\t\t}\n", "\t\tif unsure {\n\t\t\ts.req.ID += \"x\"\n\t\t}\n"),
			by("pkg/boxoffice", "TestEveryCallMayFail/hold")},
		{"an allowance goes before the show", edit(reserve, "s.show.EndsAt.Add(30 * 24 * time.Hour)", "s.show.EndsAt.Add(-time.Hour)"),
			by("pkg/boxoffice", "TestAllowanceOutlivesTheShow")},
		{"the house's rule is not asked", edit(reserve, "if s.show.SingleGap {", "if false {"),
			by("pkg/boxoffice", "TestSingleGap")},
		{"a list that may lack some taken seats is told", edit(reserve, "if t.Partial {", "if false {"),
			by("pkg/boxoffice", "TestPartialConflict")},
		{"an overdue hold refuses a walk-up", edit(reserve, "case h.Overdue(o.Policy, now):", "case h.Overdue(o.Policy, now.Add(-time.Hour)):"),
			append(by("pkg/boxoffice", "TestEveryCallMayFail/hold over an overdue one"), replay("open-event-server-6653")...)},
		{"a hold that has just ended refuses a walk-up", edit(reserve, "case !ok || !h.State.Live():", "case !ok:"),
			by("pkg/boxoffice", "TestRivalBetweenReadAndWrite/a hold that ends")},
		{"an overdue hold of one's own counts against the limit", edit(reserve, "if ended, err := o.endOverdueOf(ctx, s.req.Buyer, s.show.ID); err != nil {", "if ended, err := false, error(nil); err != nil {"),
			by("pkg/boxoffice", "TestOverdueHoldIsMet/its buyer's wish for more")},
		{"a snapshot refuses who wants any seats", edit(reserve, "} else if fresh && len(lost) == 0 {", "} else if (fresh || !fresh) && len(lost) == 0 {"),
			replay("alfio-skip-locked")},
		{"a snapshot says that nothing is left", edit(reserve, "if m.general(types).Free > plenty {\n\t\treturn booking.ChooseOther, nil\n\t}\n\tif m, err = o.freshMap(ctx, s); err != nil {\n\t\treturn 0, err\n\t}\n", ""),
			by("pkg/boxoffice", "TestNextCases")},
		{"who loses the first race for the best seats is refused", edit(reserve, "if !errors.As(err, &no) || no.Reason != booking.ErrUnavailable {\n\t\t\t\treturn h, err\n\t\t\t}\n\t\t\tfor", "if err != nil || h.ID != \"\" {\n\t\t\t\treturn h, err\n\t\t\t}\n\t\t\tfor"),
			replay("yoyaku-249")},
		{"all who want the best seats want the same", edit(reserve, "want.Start, want.Spread = o.Rand(), 1<<try", "want.Start, want.Spread = 0, 0*try"),
			replay("yoyaku-249")},
		{"somebody else's hold can be read", edit(end, "func (o *Office) Look(ctx context.Context, b booking.Buyer, id booking.HoldID) (booking.Hold, error) {\n\th, err := o.Store.HoldByID(ctx, id)\n\tif err == nil && h.Buyer != b {",
			"func (o *Office) Look(ctx context.Context, b booking.Buyer, id booking.HoldID) (booking.Hold, error) {\n\th, err := o.Store.HoldByID(ctx, id)\n\tif false {"),
			by("pkg/boxoffice", "TestOwnersRelease")},
		{"somebody else's hold can be given back", edit(end, "func (o *Office) GiveBack(ctx context.Context, b booking.Buyer, id booking.HoldID) error {\n\th, err := o.Store.HoldByID(ctx, id)\n\tif err == nil && h.Buyer != b {",
			"func (o *Office) GiveBack(ctx context.Context, b booking.Buyer, id booking.HoldID) error {\n\th, err := o.Store.HoldByID(ctx, id)\n\tif false {"),
			by("pkg/boxoffice", "TestOwnersRelease")},
		{"the order of an ended hold stays", edit(end, "if e.Was.OrderID == \"\" {", "if true {"),
			by("pkg/boxoffice", "TestOwnersRelease")},
		{"an order that moved meanwhile is a refusal", edit(end, "return nil, errAgain // it moved", "return nil, err // it moved"),
			by("pkg/boxoffice", "TestLookRacesCallback")},
		{"a sweep ends one shard of eight", edit(end, "\tlists := make([][]Timer, Shards)\n\tg, gctx := o.group(ctx)\n\tfor shard := range Shards {", "\tlists := make([][]Timer, Shards)\n\tg, gctx := o.group(ctx)\n\tfor shard := range 1 {"),
			by("pkg/boxoffice", "TestSweep")},
		{"the lane stops after its first commit", edit("pkg/boxoffice/lane.go", "if err != nil || idle {", "if err != nil || !idle || idle {"),
			by("pkg/boxoffice", "TestLaneRunsToTheEnd")},
	}
}

// till is the use cases of money.
func till() []Defect {
	const (
		pay    = "pkg/boxoffice/pay.go"
		settle = "pkg/boxoffice/settle.go"
	)
	return []Defect{
		{"somebody else's hold can be paid for", edit(pay, "if err == nil && h.Buyer != w.Buyer {", "if false {"),
			by("pkg/boxoffice", "TestPayTwiceIsOnePayment")},
		{"somebody else's order can be read", edit(pay, "if err == nil && ord.Buyer != string(b) {", "if false {"),
			by("pkg/boxoffice", "TestTicketsVerify")},
		{"a payment's key is accepted with another body", edit(pay, "if hash != w.BodyHash {", "if false {"),
			by("pkg/boxoffice", "TestPayTwiceIsOnePayment")},
		{"a payment's number is its hold's", edit(pay, "id := payment.IDFor(string(w.Buyer), w.Key)", "id := payment.IDFor(string(w.Buyer), string(w.Hold))").
			and(pay, "if hash != w.BodyHash {", "if false {"),
			replay("alfio-1254")},
		{"two payments of a hold are pending", edit(pay, "if latest.State == payment.Pending {", "if false {"),
			by("pkg/boxoffice", "TestPayTwiceIsOnePayment")},
		{"the note of an action undoes the callback", edit(pay, "\t\tnext := was\n\t\tnext.Action = p.Action", "\t\tnext := p\n\t\tnext.Action = p.Action"),
			by("pkg/boxoffice", "TestCallbackBeforeTheAnswer")},
		{"an overdue hold is sold in place", edit(settle, "case c.hold.Overdue(p, now):\n\t\treturn payment.HoldOverdue", "case c.hold.Overdue(p, now):\n\t\treturn payment.HoldPayable"),
			by("pkg/boxoffice", "TestLateMoney/nobody was there")},
		{"late money whose seats are gone is kept", edit(settle, "in the way was ended\n\t}\n\treturn o.beginRefund(ctx, c, r, now)", "in the way was ended\n\t}\n\treturn nil"),
			append(by("pkg/boxoffice", "TestLateMoney/another bought"), replay("kompassi-1016")...)},
		{"late money buys after the sale has closed", edit(settle, "if err := booking.OnSale(show, now); errors.Is(err, booking.ErrSalesClosed) {", "if false {"),
			replay("hi-events-1311")},
		{"a promised refund waits for nobody", edit(settle, "payment.Refunding, now, 0\n", "payment.Refunding, time.Time{}, 0\n"),
			by("pkg/boxoffice", "TestLateMoney/another bought")},
		{"the order of money that went back stays cancelled", edit(settle, "if ord.Status == order.Cancelled {", "if false {"),
			by("pkg/boxoffice", "TestRefundThatTakesTime")},
		{"who pays too late leaves the seats taken", edit(pay, "if errors.Is(err, booking.ErrHoldExpired) {", "if false {"),
			by("pkg/boxoffice", "TestOverdueHoldIsMet/an attempt to pay")},
		{"each try of a refund has a number of its own", edit(settle, "id := payment.RefundFor(p.ID, 1)\n\tr, err", "id := payment.RefundFor(p.ID, p.Attempt+1)\n\tr, err"),
			by("pkg/boxoffice", "TestRefundThatTakesTime")},
		{"an appointment that has moved is kept", edit(settle, "if !p.NextAskAt.Equal(due) {\n\t\treturn nil\n\t}\n\tnow := o.Clock()", "now := o.Clock()"),
			by("pkg/boxoffice", "TestAppointments")},
		{"an early appointment is dropped", edit(settle, "\t\treturn o.putBack(ctx, p)\n", "\t\treturn nil\n"),
			by("pkg/boxoffice", "TestAppointments")},
		{"after a fault nobody asks again", edit(settle, "return errors.Join(asked, o.nextAppointment(ctx, id, due))", "if asked != nil {\n\t\treturn asked\n\t}\n\treturn o.nextAppointment(ctx, id, due)"),
			by("pkg/boxoffice", "TestAppointments")},
		{"that the provider does not know a payment is its end", edit(settle, "if errors.Is(err, payment.ErrNotFound) {\n\t\treturn nil\n\t}\n", "if errors.Is(err, payment.ErrNotFound) {\n\t\tr, err = payment.Report{Payment: p.ID, Order: p.OrderID, State: payment.ReportFailed}, nil\n\t}\n"),
			by("pkg/boxoffice", "TestAppointments")},
		{"a ticket is of another order", edit(settle, "o.Tickets.Issue(string(hold.Show), string(c.ord.ID), string(s.ID))", "o.Tickets.Issue(string(hold.Show), string(hold.Show), string(s.ID))"),
			by("pkg/boxoffice", "TestTicketsAreOfTheirOrder")},
	}
}
