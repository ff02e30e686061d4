package main

// serving is the line over its rows: the lane's reading and commits, and the use cases
// of those who wait.
func serving() []Defect {
	const inStore, inOffice = "pkg/store", "pkg/boxoffice"
	office := func(names ...string) []Test { return by("pkg/boxoffice", names...) }
	pages, twin := by("pkg/line", "TestPages"), by("pkg/line", "TestTwin")
	return []Defect{
		{"lane: an offer is made without looking at who stands between", edit(inLine, "if s.More && w.Number > s.Through {", "if false {"), pages},
		{"lane: gates close by what the head of the line wants", edit(inLine, "if s.More && len(without(s.Wanted, wanted)) > 0 {", "if false {"), pages},
		{"lane: whoever is served at once may choose what somebody unread waits for", edit(inLine, "\tif s.More {\n\t\treturn s.Dry\n\t}\n", ""), by("pkg/line", "TestChoiceAtOnce")},
		{"lane: acknowledged with the number, though nobody has looked", edit(inLine, "len(without(w.Types, s.Wanted)) == 0 && len(without(w.Types, s.Dry)) == 0", "true"), twin},
		{"lane: acknowledged behind gates that are shut", edit(inLine, "len(without(w.Types, s.Wanted)) == 0 && len(without(w.Types, s.Dry)) == 0", "len(without(w.Types, s.Dry)) == 0"), by("pkg/line", "TestAcknowledged")},
		{"lane: a commit has no fence", edit(inStore, "\t\tWhere:  Equal{aVersion, was.Version},\n", "\t\tWhere:  Exists{},\n"), protocol("gates")},
		{"lane: who has left stays in the count", edit(inLine, "\tfor _, w := range p.Tidy {\n\t\tmove(w)\n\t}\n", ""), by("pkg/line", "TestPlaces")},
		{"lane: nobody is told that he waits in vain", edit(inOffice, "vain: w.Sold || w.Sweep,", "vain: false,"), office("TestInVain")},
		{"lane: who asks before the last sale waits in vain", edit(inOffice, "asked: w.Joined}", "asked: false}"), office("TestInVainFromTheStart")},
		{"lane: a sweep ends nothing that is overdue", edit(inOffice, "\tif w.Sweep {\n", "\tif false {\n"), office("TestInVain")},
		{"lane: a lapse is forgotten with the place", edit(inOffice, "\t\tat.Place = &place\n", "\t\t_ = &place\n"), office("TestLapsesCoolDown")},
		{"lane: it runs by its messages alone", edit(inOffice, "\tidle := o.Clock().Sub(st.Seen)\n", "\tidle := o.Clock().Sub(o.Clock())\n"), office("TestLineOfItself")},
		{"lane: an advance reads the whole line", edit(inLine, "\tcase r.Front == 0:\n\t\treturn frontFirst\n", "\tcase r.Front == 0:\n\t\treturn 0\n"), office("TestLongLine")},

		{"walk-up: takes what is set aside", edit(inStore, "Put: claim, Where: Absent{}})\n\t}\n\treturn ws", "Put: claim, Where: Any{Absent{}, Equal{aOwner, lineOwner}}})\n\t}\n\treturn ws"), protocol("hold what is taken")},
		{"join: sent back by the snapshot alone", edit(inOffice, "\t\tif len(claims) == 0 {\n\t\t\treturn true, nil", "\t\tif len(claims) >= 0 {\n\t\t\treturn true, nil"), office("TestSeatsFreeIsReadAnew")},
		{"join: the end of a place leaves it taken", edit(inStore, "ch := []Change{{Attr: aLive, Op: Unset}}", "ch := []Change{{Attr: aLive, Op: SetTo, To: string(w.ID)}}"), office("TestCoolDown")},
		{"join: where the house wants no line", edit(inOffice, "\tif s.show.NoLine {\n\t\treturn line.Waiter{}, ErrNoLine\n\t}\n", ""), office("TestJoinRefused")},
		{"place: anybody's may be seen", edit(inOffice, "if err == nil && w.Buyer != b {\n\t\terr = line.ErrNotFound", "if err == nil && w.Buyer == \"\" {\n\t\terr = line.ErrNotFound"), office("TestJoinRefused")},
		{"accept: a part of the party", edit(inLine, "\tif len(ids) != w.Party {\n", "\tif len(ids) > w.Party {\n"), append(office("TestChoice"), by("pkg/line", "TestAccept")...)},
		{"accept: again with another body", edit(inOffice, "\t\t\t\terr = booking.ErrOtherBody\n", "\t\t\t\terr = nil\n"), office("TestLineInOrder")},
		{"decline: what was proposed stays reserved", edit(inStore, "Update: []Change{{Attr: aFor, Op: Unset}}, Where: Equal{aFor, string(me)}}", "Check: true, Where: Equal{aFor, string(me)}}"), office("TestDeclineReachesTheNext")},
		{"close: what was set aside stays so", edit(inOffice, "\tat := s.StartsAt.Add(-o.LineCloses)\n", "\tat := s.StartsAt.Add(o.LineCloses)\n"), office("TestLineCloses")},
	}
}
