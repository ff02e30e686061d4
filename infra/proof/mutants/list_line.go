package main

// waiting is the pure rules of the line: what its lane does next, and what those who
// wait may do themselves.
func waiting() []Defect {
	const order = "enter, lapse, timeOut, giveUp, offer, gates, drain, number,"
	step := func(rows ...string) []Test {
		names := make([]string, len(rows))
		for i, row := range rows {
			names[i] = "TestStep/" + row
		}
		return by("pkg/line", names...)
	}
	accept := func(row string) []Test { return by("pkg/line", "TestAccept/"+row) }
	instead := func(other string) Edits { return edit(inLine, order, other) }
	return []Defect{
		{"line: an offer lapses before those who enter have their seats", instead("lapse, enter, timeOut, giveUp, offer, gates, drain, number,"),
			step("L1 before all others")},
		{"line: offers come before those whose hour is over have gone", instead("enter, lapse, offer, timeOut, giveUp, gates, drain, number,"),
			step("L3 the hour")},
		{"line: the drain comes before the gates", instead("enter, lapse, timeOut, giveUp, offer, drain, gates, number,"),
			step("L6 before the drain")},
		{"line: numbers come before the drain", instead("enter, lapse, timeOut, giveUp, offer, gates, number, drain,"),
			step("L8 last of all")},
		{"line: what is free is looked at before the gates are open", edit(inLine, "return w.State == Entering })", "return w.State == Entering || w.State == Asked })"),
			step("L8 in a line that never was")},
		{"line: a number opens no gates", edit(inLine, "\t\tp.Wanted = union(p.Wanted, w.Types)\n", ""),
			step("L8 the longest-waiting first")},
		{"line: nobody looks at what is free", edit(inLine, "scan := without(w.Types, s.Dry)", "scan := without(w.Types, w.Types)"),
			step("L1 looks first")},
		{"line: acknowledged before all that is free is set aside", edit(inLine, "if len(all) > MaxAside {", "if false {"),
			by("pkg/line", "TestLimits")},
		{"line: acknowledged, and what is free stays free", edit(inLine, "\t\tif free(i) {\n\t\t\tall", "\t\tif free(i) && len(all) < 0 {\n\t\t\tall"),
			step("L1 fewer than the party")},
		{"line: closed gates leave the types dry", edit(inLine, "plan.Dry = without(s.Dry, without(s.Dry, wanted))", "plan.Dry = s.Dry"),
			step("L6 to close", "L6 to change, and dry with it")},

		{"line: an offer lapses before its grace", edit(inLine, "!now.Before(w.Offer.ExpiresAt.Add(p.Grace))", "!now.Before(w.Offer.ExpiresAt)"),
			append(step("L2 not in its grace"), accept("at the last moment of the grace")...)},
		{"line: an offer stands for ever", edit(inLine, "!now.Before(w.Offer.ExpiresAt.Add(p.Grace))", "now.IsZero()"),
			append(step("L2 after it"), accept("at its end")...)},
		{"line: a lapse keeps the seats", edit(inLine, "\t\tback = w.Offer.Seats\n", "\t\tback = w.Offer.Seats[:0]\n"),
			step("L2 after it")},
		{"line: a lapse counts for nothing", edit(inLine, "Refused: to == Lapsed, Back: back", "Refused: to == Declined, Back: back"),
			step("L2 after it")},
		{"line: an offer passes the closing", edit(inLine, "if !s.ClosesAt.IsZero() && s.ClosesAt.Before(at) {", "if false {"),
			by("pkg/line", "TestDeadline")},
		{"line: who is offered is timed out", edit(inLine, "return (w.State == Waiting || w.State == Asked) && (s.closed(now)", "return (w.State == Waiting || w.State == Offered || w.State == Asked) && (s.closed(now)"),
			step("L3 not who is offered")},

		{"line: infeasible by what is free now", edit(inLine, "could = feasible(s.Layout, s.Unsold, w.Party, w.Types)", "could = feasible(s.Layout, func(i int) bool { return s.Free != nil && s.Free(i) }, w.Party, w.Types)"),
			step("L4 just enough")},
		{"line: infeasible by a count of seats", edit(inLine, "could = feasible(s.Layout, s.Unsold, w.Party, w.Types)", "n := 0\n\t\t\tfor i := range s.Layout.Len() {\n\t\t\t\tif s.Unsold(i) && slices.Contains(w.Types, s.Layout.At(i).Type) {\n\t\t\t\t\tn++\n\t\t\t\t}\n\t\t\t}\n\t\t\tcould = n >= w.Party"),
			step("L4 as many, but none that suit")},
		{"line: infeasible while nobody has looked", edit(inLine, "if s.Unsold == nil {\n\t\treturn Plan{}, false\n\t}", "if s.Unsold == nil {\n\t\ts.Unsold = func(int) bool { return false }\n\t}"),
			step("L4 not while nobody looked")},
		{"line: one read tells what is sold for good", edit(inLine, "a, b := first[id], second[id]\n\t\tcould[i] = !a.gone() || a != b", "_ = second\n\t\tcould[i] = !first[id].gone()"),
			by("pkg/line", "TestUnsold")},

		{"line: who comes later passes one that does not fit", edit(inLine, "w.Party, without(w.Types, blocked)); ok {", "w.Party, w.Types); ok {"),
			step("L5 who does not fit blocks his types")},
		{"line: the choice has what is collected for those ahead", edit(inLine, "Choice:    without(without(w.Types, blocked), without(passed, proposed)),", "Choice:    without(w.Types, without(passed, proposed)),"),
			step("L5 who does not fit blocks his types")},
		{"line: the choice of who is served at once has what is collected for those ahead", edit(inLine, "Choice: without(w.Types, s.ahead(w)),", "Choice: w.Types,"),
			by("pkg/line", "TestChoiceAtOnce")},
		{"line: the choice passes somebody uncounted", edit(inLine, "o.Waiter.Offer.Choice = without(o.Waiter.Offer.Choice, without(v.Types, proposed))", "_ = v"),
			by("pkg/line", "TestBounded/one counted for one type is not passed for his other")},
		{"line: one more may pass than the rule says", edit(inLine, "w.Passed < p.Passes", "w.Passed <= p.Passes"),
			by("pkg/line", "TestBounded/no more may")},
		{"line: who is passed is not counted", edit(inLine, "\t\tv.Passed++\n", ""),
			by("pkg/line", "TestBounded/one may pass")},
		{"line: the strict rule lets some pass", edit(inLine, "if p.Rule == Bounded && w.Passed", "if w.Passed"),
			by("pkg/line", "TestStrict")},
		{"line: a seat is offered to two", edit(inLine, `if a.For != "" || s.Layout == nil {`, "if s.Layout == nil {"),
			step("L5 not what is another's")},

		{"line: two have one number", edit(inLine, "\t\tp.Next++\n", ""),
			step("L8 the longest-waiting first")},
		{"line: the last to ask is the first in line", edit(inLine, "a.AskedAt.Compare(b.AskedAt)", "b.AskedAt.Compare(a.AskedAt)"),
			step("L8 the longest-waiting first")},
		{"line: the first number is none", edit(inLine, "Next: max(s.Next, 1)}", "Next: s.Next}"),
			step("L8 in a line that never was")},
		{"line: gates close while somebody is offered", edit(inLine, "s >= Entering && s <= Offered", "s >= Entering && s <= Waiting"),
			step("L6 the offered count")},
		{"line: the drain takes what somebody waits for", edit(inLine, `if a.For == "" && !slices.Contains(s.Wanted, a.Type) &&`, `if a.For == "" &&`),
			step("L7 not what is wanted")},
		{"line: the drain takes what is promised", edit(inLine, `if a.For == "" && !slices`, `if !slices`),
			step("L7 not what is promised")},

		{"line: any seat set aside may be chosen", edit(inLine, ` || !slices.Contains(w.Offer.Choice, pool[i].Type) {`, ` {`),
			accept("of a type that is collected for another")},
		{"line: another's seat may be chosen", edit(inLine, `i < 0 || pool[i].For != "" ||`, `i < 0 ||`),
			accept("another's")},
		{"line: an offer passes the limit of ten", edit(inLine, "if a.Holding+w.Party > holds.MaxSeats {", "if false {"),
			accept("past ten")},
		{"line: what was not chosen stays reserved", edit(inLine, "\t\t\tacc.Back = append(acc.Back, s)\n", "\t\t\t_ = s\n"),
			accept("one of it and one open")},
		{"line: to walk away from an offer counts for nothing", edit(inLine, "Refused: w.State == Offered, Back: back", "Refused: to == Declined, Back: back"),
			by("pkg/line", "TestLeaving")},
		{"line: a buyer waits twice", edit(inLine, `case v.Place.Live != "":`, "case false:"),
			by("pkg/line", "TestAsk")},
		{"line: nobody cools down", edit(inLine, "p.Lapses >= coolAfter {", "p.Lapses > coolAfter {"),
			by("pkg/line", "TestCoolDown")},
	}
}
